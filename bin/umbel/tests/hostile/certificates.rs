//! Certificates that peers show: good ones as the program issues them, and one for each way of being bad.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

use crate::server::issue;

/// The name on the server's list.
pub(crate) const LISTED: &str = "proxy.example.test";

type Pair = (CertificateDer<'static>, PrivateKeyDer<'static>);

/// What a peer can show.
pub(crate) struct Certificates {
    server_authority: CertificateDer<'static>,
    listed: Pair,
    stranger: Pair,
    ours: Authority,
    foreign: Authority,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// None at all.
    Nothing,
    /// On the list.
    Listed,
    /// From the right authority, not on the list.
    Stranger,
    /// The listed name from an authority that nobody here knows.
    ForeignAuthority,
    /// The listed name, signed by itself.
    SelfSigned,
    Expired,
    NotYetValid,
    Revoked,
    /// For servers only.
    WrongUsage,
    /// PEER-3: the listed name stands in the common name only.
    CommonNameOnly,
    /// PEER-3: `*.example.test`.
    Wildcard,
    /// RFC 5922 7.1: a SIP domain that is not listed, beside the DNS name that is.
    OtherSipDomain,
}

impl Certificates {
    /// Writes `authorities.pem` and `revoked.pem` into the folder, and has two certificates issued there.
    pub(crate) fn new(folder: &TempDir) -> Certificates {
        let (ours, foreign) =
            (Authority::new("a peers' authority"), Authority::new("an authority elsewhere"));
        for name in [LISTED, "stranger.example.test"] {
            issue(folder, name);
        }
        let path = |name: &str| folder.path().join("peers").join(name);
        let pair = |name: &str| {
            let key = PrivateKeyDer::from_pem_file(path(&format!("{name}-key.pem"))).unwrap();
            (CertificateDer::from_pem_file(path(&format!("{name}.pem"))).unwrap(), key)
        };
        let local = std::fs::read_to_string(path("authority.pem")).unwrap();
        std::fs::write(folder.path().join("authorities.pem"), format!("{local}{}", ours.pem)).unwrap();
        std::fs::write(folder.path().join("revoked.pem"), ours.revocations()).unwrap();
        Certificates {
            server_authority: CertificateDer::from_pem_file(path("authority.pem")).unwrap(),
            listed: pair(LISTED),
            stranger: pair("stranger.example.test"),
            ours,
            foreign,
        }
    }

    /// A TLS client that shows this.
    pub(crate) fn client(&self, shown: Shown) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server_authority.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match self.pair(shown) {
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        })
    }

    fn pair(&self, shown: Shown) -> Option<Pair> {
        let listed = Wanted::named(LISTED);
        let copy = |(certificate, key): &Pair| (certificate.clone(), key.clone_key());
        Some(match shown {
            Shown::Nothing => return None,
            Shown::Listed => copy(&self.listed),
            Shown::Stranger => copy(&self.stranger),
            Shown::ForeignAuthority => self.foreign.issue(listed),
            Shown::SelfSigned => listed.self_signed(),
            Shown::Expired => self.ours.issue(listed.valid(-7_200, -3_600)),
            Shown::NotYetValid => self.ours.issue(listed.valid(3_600, 7_200)),
            Shown::Revoked => self.ours.issue(listed.with_serial(REVOKED)),
            Shown::WrongUsage => self.ours.issue(listed.for_use(ExtendedKeyUsagePurpose::ServerAuth)),
            Shown::CommonNameOnly => self.ours.issue(Wanted::named("other.example.test").called(LISTED)),
            Shown::Wildcard => self.ours.issue(Wanted::named("*.example.test")),
            Shown::OtherSipDomain => self.ours.issue(listed.with_uri("sip:other.example.test")),
        })
    }
}

const REVOKED: u64 = 666;

struct Wanted(CertificateParams);

impl Wanted {
    fn named(name: &str) -> Wanted {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from(7));
        Wanted(params).valid(-3_600, 3_600)
    }

    /// Seconds from now.
    fn valid(mut self, from: i64, to: i64) -> Wanted {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let at = |seconds: i64| {
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now.checked_add_signed(seconds).unwrap())
        };
        self.0.not_before = at(from);
        self.0.not_after = at(to);
        self
    }

    fn with_serial(mut self, serial: u64) -> Wanted {
        self.0.serial_number = Some(SerialNumber::from(serial));
        self
    }

    fn for_use(mut self, usage: ExtendedKeyUsagePurpose) -> Wanted {
        self.0.extended_key_usages = vec![usage];
        self
    }

    fn called(mut self, common_name: &str) -> Wanted {
        self.0.distinguished_name.push(DnType::CommonName, common_name);
        self
    }

    fn with_uri(mut self, uri: &str) -> Wanted {
        self.0.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        self
    }

    fn self_signed(self) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = self.0.self_signed(&key).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    fn issue(&self, wanted: Wanted) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.0.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    fn revocations(&self) -> String {
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 1, 1),
            next_update: rcgen::date_time_ymd(2096, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(REVOKED),
                revocation_time: rcgen::date_time_ymd(2026, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}
