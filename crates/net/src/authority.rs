//! The local certificate authority: TLS without asking anybody, and certificates for peers.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use umbel_time::UnixTime;

use crate::identity::{FileError, Identity, refuse_open_key};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Long enough that nobody meets its end by surprise; peers keep a copy of it.
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3650);

/// As long as public authorities ever gave; short enough that keys change.
const CERTIFICATE_LIFETIME: Duration = DAY.saturating_mul(397);

/// New certificates are valid from a little earlier, for peers whose clocks are late.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(3600);

/// The longest name of a host (RFC 1035 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// A certificate authority whose key is in the data directory.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The files that [`Authority::issue`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key, readable by its owner only.
    pub private_key: PathBuf,
    /// A copy of the authority's certificate, for the peer to believe us by.
    pub authority: PathBuf,
}

/// Why the local authority cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of the authority cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file cannot be written.
    #[error("{}: cannot be written: {reason}", file.display())]
    NotWritten {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// A certificate would replace one that is there.
    #[error("{}: exists already; remove it, or give another directory", .0.display())]
    Exists(PathBuf),
    /// What should be named is no host name.
    #[error("{0:?} is no host name; expected letters, digits, hyphens and dots, like proxy.example.test")]
    NoHostName(String),
    /// The library could not make a key or a certificate.
    #[error("making a certificate failed: {0}")]
    NotMade(#[from] rcgen::Error),
}

impl Authority {
    /// Reads `authority.pem` and `authority-key.pem` in `directory`, or makes them.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be read, written or believed.
    pub fn load_or_create(directory: &Path, now: UnixTime) -> Result<Self, AuthorityError> {
        let (certificate, key) = (directory.join("authority.pem"), directory.join("authority-key.pem"));
        if !certificate.exists() {
            // The certificate is written last: without one, a key that is there was never used.
            let made = Authority::create(now)?;
            make_directory(directory)?;
            write(&key, &made.issuer.key().serialize_pem(), Access::Owner)?;
            write(&certificate, &made.pem, Access::Everybody)?;
            return Ok(made);
        }
        Authority::load(&certificate, &key, now)
    }

    fn create(now: UnixTime) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = params(now, AUTHORITY_LIFETIME)?;
        // Each authority has a name of its own, so that the certificates of two are not confused.
        let serial = params.serial_number.as_ref().map(ToString::to_string).unwrap_or_default();
        params.distinguished_name = named(&format!("Umbel local authority {}", serial.replace(':', "")));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Authority {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    fn load(certificate: &Path, key: &Path, now: UnixTime) -> Result<Self, AuthorityError> {
        // The same checks as for any pair of ours: readable, belonging together, valid now.
        Identity::load(certificate, key, now)?;
        refuse_open_key(key)?;
        let text = |file: &Path| {
            fs::read_to_string(file).map_err(|reason| FileError::Unreadable { file: file.into(), reason })
        };
        let pem = text(certificate)?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| FileError::Empty { file: certificate.into(), expected: "certificate" })?;
        let issuer = Issuer::from_ca_cert_der(&der, KeyPair::from_pem(&text(key)?)?)?;
        Ok(Authority { certificate: der, pem, issuer })
    }

    /// Our certificate, by which others may believe those that we issue.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A new identity for our own listeners, kept in memory only.
    ///
    /// # Errors
    ///
    /// Where a name is no host name.
    pub fn identity(
        &self,
        names: &[String],
        addresses: &[IpAddr],
        now: UnixTime,
    ) -> Result<Identity, AuthorityError> {
        let (certificate, key) = self.sign(names, addresses, now)?;
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        Identity::made_here(vec![certificate.der().clone()], key)
            .ok_or(AuthorityError::NotMade(rcgen::Error::CouldNotParseCertificate))
    }

    /// A certificate for a peer, as `NAME.pem`, `NAME-key.pem` and `authority.pem` in `directory`.
    ///
    /// # Errors
    ///
    /// Where `name` is no host name, or a file exists or cannot be written.
    pub fn issue(&self, name: &str, directory: &Path, now: UnixTime) -> Result<Issued, AuthorityError> {
        let (certificate, key) = self.sign(&[name.to_owned()], &[], now)?;
        let issued = Issued {
            certificate: directory.join(format!("{name}.pem")),
            private_key: directory.join(format!("{name}-key.pem")),
            authority: directory.join("authority.pem"),
        };
        for file in [&issued.certificate, &issued.private_key] {
            if file.exists() {
                return Err(AuthorityError::Exists(file.clone()));
            }
        }
        make_directory(directory)?;
        write(&issued.private_key, &key.serialize_pem(), Access::Owner)?;
        write(&issued.certificate, &certificate.pem(), Access::Everybody)?;
        write(&issued.authority, &self.pem, Access::Everybody)?;
        Ok(issued)
    }

    fn sign(
        &self,
        names: &[String],
        addresses: &[IpAddr],
        now: UnixTime,
    ) -> Result<(rcgen::Certificate, KeyPair), AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = params(now, CERTIFICATE_LIFETIME)?;
        for name in names {
            if !is_host_name(name) {
                return Err(AuthorityError::NoHostName(name.clone()));
            }
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
        params.distinguished_name = named(names.first().map_or("Umbel", String::as_str));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // SIP elements are servers and clients to each other (RFC 5923 asks for both on one flow).
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Ok((params.signed_by(&key, &self.issuer)?, key))
    }
}

/// What all our certificates have in common: validity, and a random serial number.
fn params(now: UnixTime, lifetime: Duration) -> Result<CertificateParams, AuthorityError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|_| rcgen::Error::RingUnspecified)?;
    let mut params = CertificateParams::default();
    // RFC 5280 4.1.2.2: positive.
    if let Some(first) = serial.first_mut() {
        *first &= 0x7f;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + (now - CLOCK_DIFFERENCE).since(UnixTime::default());
    params.not_after = epoch + (now + lifetime).since(UnixTime::default());
    Ok(params)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// RFC 952, RFC 1123 2.1. Also what makes a name safe as the name of a file (SEC-104).
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Owner,
    Everybody,
}

/// Writes a whole file or none: beside it first, then in its place.
fn write(file: &Path, text: &str, access: Access) -> Result<(), AuthorityError> {
    let beside = file.with_extension("pem.new");
    let result = (|| {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(if access == Access::Owner { 0o600 } else { 0o644 });
        }
        let mut new = options.open(&beside)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, file)
    })();
    result.map_err(|reason| AuthorityError::NotWritten { file: file.into(), reason })
}

/// SEC-121: a directory that we make is its owner's only.
fn make_directory(directory: &Path) -> Result<(), AuthorityError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|reason| AuthorityError::NotWritten { file: directory.into(), reason })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tempfile::TempDir;
    use umbel_node::PeerName;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn stage() -> (TempDir, Authority) {
        let directory = TempDir::new().unwrap();
        let authority = Authority::load_or_create(&directory.path().join("data"), NOW).unwrap();
        (directory, authority)
    }

    #[test]
    fn an_authority_is_made_once_and_found_again() {
        let (directory, authority) = stage();
        let again = Authority::load_or_create(&directory.path().join("data"), NOW + DAY).unwrap();
        assert_eq!(again.certificate(), authority.certificate());
        let identity = again.identity(&["um.test".to_owned()], &[], NOW).unwrap();
        assert_eq!(identity.names(), [PeerName::Dns("um.test".to_owned())]);
    }

    #[test]
    fn two_authorities_have_two_names() {
        let (_one, one) = stage();
        let (_two, two) = stage();
        let issuer = |authority: &Authority| crate::tls::issuer(authority.certificate());
        assert_ne!(issuer(&one), issuer(&two));
    }

    // SEC-121
    #[cfg(unix)]
    #[test]
    fn keys_and_their_directory_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (directory, authority) = stage();
        let data = directory.path().join("data");
        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join("authority-key.pem")), 0o600);
        let issued = authority.issue("proxy.test", &data, NOW).unwrap();
        assert_eq!(mode(&issued.private_key), 0o600);
    }

    #[test]
    fn an_authority_without_its_key_is_an_error_and_not_replaced() {
        let (directory, authority) = stage();
        let data = directory.path().join("data");
        fs::remove_file(data.join("authority-key.pem")).unwrap();
        let error = Authority::load_or_create(&data, NOW).err().unwrap();
        assert!(matches!(error, AuthorityError::File(FileError::Missing(_))), "{error}");
        let kept = fs::read_to_string(data.join("authority.pem")).unwrap();
        assert_eq!(kept, authority.pem);
    }

    #[test]
    fn a_peer_gets_all_it_needs_and_nothing_is_overwritten() {
        let (directory, authority) = stage();
        let to = directory.path().join("proxy");
        let issued = authority.issue("proxy.example.test", &to, NOW).unwrap();
        assert_eq!(issued.certificate, to.join("proxy.example.test.pem"));
        let believed = crate::load_certificates(&issued.authority).unwrap();
        assert_eq!(believed, [authority.certificate().clone()]);
        Identity::load(&issued.certificate, &issued.private_key, NOW).unwrap();
        let again = authority.issue("proxy.example.test", &to, NOW);
        assert!(matches!(again, Err(AuthorityError::Exists(_))));
    }

    // SEC-104
    #[test]
    fn only_host_names_are_issued_for() {
        let (directory, authority) = stage();
        let long = format!("{}.test", "a".repeat(64));
        for name in
            ["", "../x", "a/b", "-a.test", "a-.test", "a..test", "*.test", "a b", "a\0b", "é.test", &long]
        {
            let refused = authority.issue(name, directory.path(), NOW);
            assert!(matches!(refused, Err(AuthorityError::NoHostName(_))), "{name:?}");
        }
        authority.issue("Proxy-1.example.test", directory.path(), NOW).unwrap();
    }

    #[test]
    fn an_identity_bears_names_and_addresses() {
        let (_directory, authority) = stage();
        let addresses = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        let identity = authority.identity(&["localhost".to_owned()], &addresses, NOW).unwrap();
        let read = crate::tls::read(identity.chain().first().unwrap()).unwrap();
        assert_eq!(read.addresses, addresses);
        assert_eq!(read.peer.names, [PeerName::Dns("localhost".to_owned())]);
        assert!(read.names_its_usages);
    }
}
