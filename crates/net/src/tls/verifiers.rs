//! What the handshake asks of a peer's certificate.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::authorities::{Authorities, Purpose, Standing};
use super::names;

/// For peers that connect: a certificate is asked for, not required, and one of an authority that we
/// do not know is taken for none (DEC-5).
///
/// "Taken for none" is done by the look at the chain after the handshake; here it only must not end
/// the handshake. The peer proves in any case that it holds the key.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    authorities: Arc<Authorities>,
    subjects: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientVerifier {
    pub(crate) fn new(authorities: Arc<Authorities>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        ClientVerifier { subjects: authorities.subjects(), authorities, algorithms }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match judge(&self.authorities, end_entity, intermediates, Purpose::Client, now) {
            Standing::Verified(_) | Standing::Unknown => Ok(ClientCertVerified::assertion()),
            Standing::Refused(refusal) => Err(refusal.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// For servers that we connect to: ours must vouch for them, under the name that we went to
/// (SEC-69, RFC 5922 7.3).
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    authorities: Arc<Authorities>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerVerifier {
    pub(crate) fn new(authorities: Arc<Authorities>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        ServerVerifier { authorities, algorithms }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match judge(&self.authorities, end_entity, intermediates, Purpose::Server, now) {
            // Our own certificate proves more than a name.
            Standing::Verified(_)
                if names::bears(end_entity, server_name) || self.authorities.is_own(end_entity) =>
            {
                Ok(ServerCertVerified::assertion())
            }
            Standing::Verified(_) => Err(Error::InvalidCertificate(CertificateError::NotValidForName)),
            Standing::Unknown => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            Standing::Refused(refusal) => Err(refusal.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn judge(
    authorities: &Authorities,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    purpose: Purpose,
    now: UnixTime,
) -> Standing {
    let mut chain = Vec::with_capacity(1 + intermediates.len());
    chain.push(end_entity.clone());
    chain.extend(intermediates.iter().cloned());
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    authorities.judge(&chain, purpose, umbel_time::UnixTime::from_secs(now))
}
