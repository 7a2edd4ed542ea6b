//! Transport Layer Security: what we show, whom we believe, and changing both while connections live.

mod authorities;
mod names;
mod verifiers;

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ServerConfig, version};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use umbel_time::UnixTime;

pub(crate) use authorities::{Purpose, Standing};
#[cfg(test)]
pub(crate) use names::issuer;
pub(crate) use names::{Read, read};

use crate::{Clock, Identity};
use authorities::Authorities;
use verifiers::{ClientVerifier, ServerVerifier};

/// Everything that TLS needs to know; replaced as a whole by a reload.
#[derive(Debug)]
pub struct TlsConfig {
    /// What we show to those who connect, and to those we connect to. Without one, we can only connect,
    /// and show nothing.
    pub identity: Option<Arc<Identity>>,
    /// Who may vouch for peers that connect to us. Empty: no certificate is ever believed.
    pub client_authorities: Vec<CertificateDer<'static>>,
    /// Who may vouch for servers that we connect to.
    pub server_authorities: Vec<CertificateDer<'static>>,
    /// Whether the operating system's authorities may vouch for servers as well.
    pub system_authorities: bool,
    /// Revocation lists, for both.
    pub revocations: Vec<CertificateRevocationListDer<'static>>,
}

/// Why a TLS configuration cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A certificate authority's certificate is none.
    #[error("an authority's certificate cannot be used: expected X.509 version 3 certificates in PEM form")]
    UnusableAuthority,
    /// A revocation list is none.
    #[error("a revocation list cannot be used: expected X.509 version 2 lists in PEM form")]
    UnusableRevocationList,
    /// The identity's key is of a kind that TLS cannot sign with, or does not fit its certificate.
    #[error(
        "the private key cannot be used with the certificate: expected the ECDSA, Ed25519 or RSA key that belongs to it"
    )]
    UnusableKey,
    /// A listener needs a certificate to show.
    #[error("there is no certificate to show: set [tls] certificate and private-key")]
    NoCertificate,
    /// The operating system has no authorities, although they were asked for.
    #[error("the system has no certificate authorities: install its CA certificates, or do without them")]
    NoSystemAuthorities,
}

/// A handle on the TLS configuration in force. Copies share it, also between threads.
#[derive(Clone, Debug)]
pub struct Tls {
    clock: Clock,
    in_force: Arc<RwLock<Arc<InForce>>>,
}

#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) server: Option<Arc<ServerConfig>>,
    pub(crate) client: Arc<ClientConfig>,
    client_authorities: Arc<Authorities>,
    server_authorities: Arc<Authorities>,
    identity: Option<Arc<Identity>>,
}

impl Tls {
    /// Puts `config` in force.
    ///
    /// # Errors
    ///
    /// Where a part of it cannot be used.
    pub fn new(config: &TlsConfig, clock: Clock) -> Result<Self, TlsError> {
        let in_force = InForce::new(config, clock)?;
        Ok(Tls { clock, in_force: Arc::new(RwLock::new(Arc::new(in_force))) })
    }

    /// Puts `config` in the place of the one in force, for every handshake from now on (REL-30).
    ///
    /// Handshakes under way and open connections go on as they are; tell their owners to look again
    /// with [`crate::Flows::reverify`] (REL-32).
    ///
    /// # Errors
    ///
    /// Where a part of it cannot be used; the old one stays in force.
    pub fn reload(&self, config: &TlsConfig) -> Result<(), TlsError> {
        let in_force = Arc::new(InForce::new(config, self.clock)?);
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
        Ok(())
    }

    /// Whether we have a certificate to show to those who connect.
    pub fn shows_certificate(&self) -> bool {
        self.in_force().server.is_some()
    }

    /// Who we are to others.
    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.in_force().identity.clone()
    }

    /// When the certificate that we show expires (REL-31).
    pub fn own_certificate_ends(&self) -> Option<UnixTime> {
        self.in_force().identity.as_ref().map(|identity| identity.not_after())
    }

    /// What a web server needs to show the same certificate, without asking for one.
    ///
    /// # Errors
    ///
    /// As [`Tls::new`].
    pub fn for_web(config: &TlsConfig, clock: Clock) -> Result<Arc<ServerConfig>, TlsError> {
        let identity = config.identity.as_ref().ok_or(TlsError::NoCertificate)?;
        let mut server = ServerConfig::builder_with_details(provider(), Arc::new(clock))
            .with_protocol_versions(VERSIONS)
            .map_err(|_| TlsError::UnusableKey)?
            .with_no_client_auth()
            .with_single_cert(identity.chain().to_vec(), identity.key())
            .map_err(|_| TlsError::UnusableKey)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(server))
    }

    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the authorities in force say now of the chain that a peer showed.
    pub(crate) fn judge(&self, chain: Option<&[CertificateDer<'_>]>, purpose: Purpose) -> Standing {
        let in_force = self.in_force();
        let authorities = match purpose {
            Purpose::Client => &in_force.client_authorities,
            Purpose::Server => &in_force.server_authorities,
        };
        authorities.judge(chain.unwrap_or_default(), purpose, self.clock.unix_time())
    }
}

/// SEC-68. Of these versions, the provider has suites with authenticated encryption only.
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

impl InForce {
    /// The fingerprint of the certificate that we show, where there is one.
    pub(crate) fn shown(&self) -> Option<[u8; 32]> {
        self.identity.as_ref().map(|identity| identity.fingerprint())
    }

    fn new(config: &TlsConfig, clock: Clock) -> Result<Self, TlsError> {
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let own = || config.identity.as_ref().and_then(|identity| identity.chain().first().cloned());
        let client_authorities =
            Arc::new(Authorities::new(&config.client_authorities, &config.revocations, algorithms, own())?);
        let mut for_servers = config.server_authorities.clone();
        if config.system_authorities {
            for_servers.extend(system_authorities()?);
        }
        let server_authorities =
            Arc::new(Authorities::new(&for_servers, &config.revocations, algorithms, own())?);

        // Early data stays off, as the library has it unless told otherwise (threats 2.2), and it
        // knows no renegotiation. Sessions can be resumed; they keep the peer's chain (SEC-09).
        let server = |identity: &Arc<Identity>| {
            ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(clock))
                .with_protocol_versions(VERSIONS)
                .map_err(|_| TlsError::UnusableKey)?
                .with_client_cert_verifier(Arc::new(ClientVerifier::new(
                    Arc::clone(&client_authorities),
                    algorithms,
                )))
                .with_single_cert(identity.chain().to_vec(), identity.key())
                .map(Arc::new)
                .map_err(|_| TlsError::UnusableKey)
        };
        let server = config.identity.as_ref().map(server).transpose()?;

        let client = ClientConfig::builder_with_details(Arc::clone(&provider), Arc::new(clock))
            .with_protocol_versions(VERSIONS)
            .map_err(|_| TlsError::UnusableKey)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ServerVerifier::new(
                Arc::clone(&server_authorities),
                algorithms,
            )));
        let client = match &config.identity {
            Some(identity) => client
                .with_client_auth_cert(identity.chain().to_vec(), identity.key())
                .map_err(|_| TlsError::UnusableKey)?,
            None => client.with_no_client_auth(),
        };

        Ok(InForce {
            server,
            client: Arc::new(client),
            client_authorities,
            server_authorities,
            identity: config.identity.clone(),
        })
    }
}

/// The operating system's authorities, those of them that can be used.
fn system_authorities() -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let usable: Vec<_> =
        found.certs.into_iter().filter(|der| webpki::anchor_from_trusted_cert(der).is_ok()).collect();
    if usable.is_empty() { Err(TlsError::NoSystemAuthorities) } else { Ok(usable) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rustls::SupportedCipherSuite;
    use tempfile::TempDir;

    use super::*;
    use crate::Authority;

    fn in_force() -> Arc<InForce> {
        let directory = TempDir::new().unwrap();
        let clock = Clock::start();
        let authority = Authority::load_or_create(directory.path(), clock.unix_time()).unwrap();
        let identity = authority.identity(&["um.test".to_owned()], &[], clock.unix_time()).unwrap();
        let config = TlsConfig {
            identity: Some(Arc::new(identity)),
            client_authorities: vec![authority.certificate().clone()],
            server_authorities: vec![authority.certificate().clone()],
            system_authorities: false,
            revocations: Vec::new(),
        };
        Tls::new(&config, clock).unwrap().in_force()
    }

    // SEC-68
    #[test]
    fn every_suite_encrypts_with_authentication() {
        for suite in &in_force().server.as_ref().unwrap().crypto_provider().cipher_suites {
            let name = format!("{:?}", suite.suite());
            assert!(name.contains("GCM") || name.contains("POLY1305"), "{name}");
            if let SupportedCipherSuite::Tls12(_) = suite {
                assert!(name.contains("ECDHE"), "{name} has no forward secrecy");
            }
        }
    }

    // SEC-09
    #[test]
    fn early_data_is_off_in_both_roles() {
        let in_force = in_force();
        assert_eq!(in_force.server.as_ref().unwrap().max_early_data_size, 0);
        assert!(!in_force.client.enable_early_data);
    }
}
