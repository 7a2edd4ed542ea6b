//! Whom a certificate names: RFC 5922 7.

use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName};
use sha2::{Digest, Sha256};
use umbel_node::{PeerCertificate, PeerName};
use umbel_sip_message::{Scheme, Uri};
use umbel_time::UnixTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// What we read from a certificate. Reading says nothing of its worth.
pub(crate) struct Read {
    pub(crate) peer: PeerCertificate,
    /// Addresses it names; they identify servers reached by a numeric URI only.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether it lists what it may be used for (RFC 5280 4.2.1.12).
    pub(crate) names_its_usages: bool,
}

/// Reads a certificate; `None` where it is not one.
pub(crate) fn read(certificate: &CertificateDer<'_>) -> Option<Read> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let mut names = Vec::new();
    let mut addresses = Vec::new();
    if let Ok(Some(extension)) = parsed.subject_alternative_name() {
        for name in &extension.value.general_names {
            match name {
                GeneralName::DNSName(name) => names.extend(dns_name(name)),
                GeneralName::URI(uri) => names.extend(sip_domain(uri)),
                GeneralName::IPAddress(octets) => addresses.extend(ip_address(octets)),
                _ => {}
            }
        }
    }
    let time = |time: x509_parser::time::ASN1Time| UnixTime::from_secs(time.timestamp());
    Some(Read {
        peer: PeerCertificate {
            names,
            fingerprint: Sha256::digest(certificate).into(),
            not_before: time(parsed.validity().not_before),
            not_after: time(parsed.validity().not_after),
        },
        addresses,
        names_its_usages: matches!(parsed.extended_key_usage(), Ok(Some(_))),
    })
}

/// The name of a certificate's issuer in its encoded form; `None` where there is no certificate.
pub(crate) fn issuer(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.issuer().as_raw().to_vec())
}

/// Whether a server's certificate bears the name that we went to (RFC 5922 7.2, 7.3).
pub(crate) fn bears(certificate: &CertificateDer<'_>, wanted: &ServerName<'_>) -> bool {
    let Some(read) = read(certificate) else { return false };
    match wanted {
        ServerName::IpAddress(wanted) => read.addresses.contains(&IpAddr::from(*wanted)),
        ServerName::DnsName(wanted) => {
            let wanted = wanted.as_ref();
            let wanted = wanted.strip_suffix('.').unwrap_or(wanted);
            identities(&read.peer.names).any(|identity| identity.eq_ignore_ascii_case(wanted))
        }
        _ => false,
    }
}

/// RFC 5922 7.1: where there are SIP domains, they alone are the identity; else the DNS names are.
fn identities(names: &[PeerName]) -> impl Iterator<Item = &str> {
    let of_sip = names.iter().any(|name| matches!(name, PeerName::SipDomain(_)));
    names.iter().filter(move |name| matches!(name, PeerName::SipDomain(_)) == of_sip).map(PeerName::as_str)
}

fn dns_name(name: &str) -> Option<PeerName> {
    is_host_name(name).then(|| PeerName::Dns(name.to_ascii_lowercase()))
}

/// RFC 5922 7.1: a URI with a user part names a user, and no domain.
fn sip_domain(uri: &str) -> Option<PeerName> {
    let uri: Uri = uri.parse().ok()?;
    let uri = uri.as_ref();
    let names_a_domain = uri.scheme() == Scheme::Sip && uri.user().is_none() && is_host_name(uri.host());
    names_a_domain.then(|| PeerName::SipDomain(uri.host().to_ascii_lowercase()))
}

/// RFC 5922 7.2: no wildcards; and nothing that merely looks like a name.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_'))
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}
