//! Who may vouch for a peer, and what they say of one: the only judge of certificates.
//!
//! The handshake, the look after the handshake (also of a resumed session) and the second look after
//! a reload all ask here, so they cannot disagree.

use std::fmt;
use std::sync::Arc;

use rustls::DistinguishedName;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use umbel_node::PeerCertificate;
use umbel_time::UnixTime;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use super::{TlsError, names};
use crate::clock::pki_time;

/// What a peer uses its certificate for; it must have been issued for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The peer connected to us: TLS client authentication.
    Client,
    /// We connected to the peer: TLS server authentication.
    Server,
}

/// What our authorities say of a certificate (DEC-5).
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Ours vouch for it.
    Verified(Arc<PeerCertificate>),
    /// None of ours has to do with it: it counts as none.
    Unknown,
    /// One of ours would have to vouch for it, and does not.
    Refused(Refusal),
}

/// Why a certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Expired,
    NotYetValid,
    Revoked,
    WrongUsage,
    BadSignature,
    Unreadable,
    Unacceptable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Expired => "the certificate has expired",
            Refusal::NotYetValid => "the certificate is not valid yet",
            Refusal::Revoked => "the certificate was revoked",
            Refusal::WrongUsage => "the certificate was issued for another use",
            Refusal::BadSignature => "the certificate's signature is wrong",
            Refusal::Unreadable => "the certificate cannot be read",
            Refusal::Unacceptable => "the certificate chain breaks a rule of its authority",
        })
    }
}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        use rustls::CertificateError as Error;
        rustls::Error::InvalidCertificate(match refusal {
            Refusal::Expired => Error::Expired,
            Refusal::NotYetValid => Error::NotValidYet,
            Refusal::Revoked => Error::Revoked,
            Refusal::WrongUsage => Error::InvalidPurpose,
            Refusal::BadSignature => Error::BadSignature,
            Refusal::Unreadable => Error::BadEncoding,
            Refusal::Unacceptable => Error::ApplicationVerificationFailure,
        })
    }
}

/// A set of certificate authorities with their revocation lists.
pub(crate) struct Authorities {
    anchors: Vec<TrustAnchor<'static>>,
    revocations: Vec<CertRevocationList<'static>>,
    algorithms: rustls::crypto::WebPkiSupportedAlgorithms,
    /// Our own certificate, which nobody need vouch for: whoever holds its key is we. So two servers of one
    /// machine know each other, whatever the certificate is called and was issued for.
    own: Option<CertificateDer<'static>>,
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} authorities, {} revocation lists", self.anchors.len(), self.revocations.len())
    }
}

impl Authorities {
    pub(crate) fn new(
        authorities: &[CertificateDer<'static>],
        revocations: &[CertificateRevocationListDer<'static>],
        algorithms: rustls::crypto::WebPkiSupportedAlgorithms,
        own: Option<CertificateDer<'static>>,
    ) -> Result<Self, TlsError> {
        let anchors = authorities
            .iter()
            .map(|certificate| Ok(webpki::anchor_from_trusted_cert(certificate)?.to_owned()))
            .collect::<Result<_, webpki::Error>>()
            .map_err(|_| TlsError::UnusableAuthority)?;
        let revocations = revocations
            .iter()
            .map(|list| Ok(OwnedCertRevocationList::from_der(list)?.into()))
            .collect::<Result<_, webpki::Error>>()
            .map_err(|_| TlsError::UnusableRevocationList)?;
        Ok(Authorities { anchors, revocations, algorithms, own })
    }

    /// Judges the chain that a peer showed, its own certificate first.
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>], purpose: Purpose, now: UnixTime) -> Standing {
        let Some((end_entity, intermediates)) = chain.split_first() else { return Standing::Unknown };
        if self.is_own(end_entity) {
            return judge_own(end_entity, now);
        }
        match self.verify(end_entity, intermediates, purpose, now) {
            Ok(()) => {}
            Err(webpki::Error::UnknownIssuer) => return Standing::Unknown,
            // Whether it is worth refusing is asked last: an expired certificate of strangers is
            // the strangers' business.
            Err(_) if !self.issued_any_of(chain) => return Standing::Unknown,
            Err(error) => return Standing::Refused(refusal(&error)),
        }
        let Some(certificate) = names::read(end_entity) else {
            return Standing::Refused(Refusal::Unreadable);
        };
        // A certificate that names no usage at all is good for any by RFC 5280 4.2.1.12, and the
        // handshake accepts it; being a trusted peer takes a certificate meant for one.
        if purpose == Purpose::Client && !certificate.names_its_usages {
            tracing::info!(names = ?certificate.peer.names, "client certificate without extended key usage: not verified");
            return Standing::Unknown;
        }
        Standing::Verified(Arc::new(certificate.peer))
    }

    /// Whether this is our own certificate.
    pub(crate) fn is_own(&self, certificate: &CertificateDer<'_>) -> bool {
        self.own.as_ref().is_some_and(|own| own == certificate)
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(), webpki::Error> {
        let lists: Vec<&CertRevocationList<'_>> = self.revocations.iter().collect();
        // A list speaks for its own issuer only, and stays in force until a newer one replaces it.
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Ignore)
                .build()
        });
        let usage = match purpose {
            Purpose::Client => KeyUsage::client_auth(),
            Purpose::Server => KeyUsage::server_auth(),
        };
        EndEntityCert::try_from(end_entity)?.verify_for_usage(
            self.algorithms.all,
            &self.anchors,
            intermediates,
            pki_time(now),
            usage,
            revocation,
            None,
        )?;
        Ok(())
    }

    /// Whether any certificate of the chain bears the name of one of our authorities as its issuer.
    fn issued_any_of(&self, chain: &[CertificateDer<'_>]) -> bool {
        chain.iter().any(|certificate| {
            // A certificate that cannot be read could be anybody's, ours included.
            names::issuer(certificate)
                .is_none_or(|issuer| self.anchors.iter().any(|anchor| same_name(anchor, &issuer)))
        })
    }

    /// The names of the authorities, for the certificate request (RFC 8446 4.2.4).
    pub(crate) fn subjects(&self) -> Vec<DistinguishedName> {
        self.anchors.iter().map(|anchor| DistinguishedName::in_sequence(&anchor.subject)).collect()
    }
}

/// What our own certificate is worth: it must be valid now, like any other.
fn judge_own(certificate: &CertificateDer<'_>, now: UnixTime) -> Standing {
    match names::read(certificate) {
        Some(own) if own.peer.not_after < now => Standing::Refused(Refusal::Expired),
        Some(own) if own.peer.not_before > now => Standing::Refused(Refusal::NotYetValid),
        Some(own) => Standing::Verified(Arc::new(own.peer)),
        None => Standing::Refused(Refusal::Unreadable),
    }
}

/// A trust anchor holds the contents of its subject; a certificate's issuer is the whole sequence.
fn same_name(anchor: &TrustAnchor<'_>, issuer: &[u8]) -> bool {
    DistinguishedName::in_sequence(&anchor.subject).as_ref() == issuer
}

fn refusal(error: &webpki::Error) -> Refusal {
    use webpki::Error;
    match error {
        Error::CertExpired { .. } | Error::InvalidCertValidity => Refusal::Expired,
        Error::CertNotValidYet { .. } => Refusal::NotYetValid,
        Error::CertRevoked => Refusal::Revoked,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Refusal::WrongUsage,
        Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => Refusal::BadSignature,
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => Refusal::Unreadable,
        _ => Refusal::Unacceptable,
    }
}
