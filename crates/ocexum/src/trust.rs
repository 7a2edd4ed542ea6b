//! Is the transport trusted? Trust belongs to the connection that carried the request, never to what
//! the request says of itself.
//!
//! The specification asks for "a trusted transport, such as a TLS transport" ([MS-OCEXUM] 3.1). Ours
//! is a mutual TLS connection from a listed peer: conditions T1 to T3 below, asked anew for every
//! INVITE. T4, "nothing else counts", is the signature of [`trust`]: it sees no message.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use umbel_node::{Flow, Origin, PeerCertificate, PeerName, Transport};
use umbel_time::UnixTime;

/// What the operator has said about trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The peers on the list.
    pub peers: Vec<PeerRule>,
    /// Which TLS connections count.
    pub transport: TrustedTransport,
    /// Networks whose plain TCP counts, where [`Policy::accept_cleartext`] says so as well.
    pub networks: Vec<Network>,
    /// The second, explicit setting without which [`Policy::networks`] has no effect.
    pub accept_cleartext: bool,
    /// Networks whose caller numbers are believed; never for the PIN.
    pub gateways: Vec<Network>,
    /// The fingerprint of our own certificate, where a protocol server of ours shows it.
    pub own: Option<[u8; 32]>,
}

impl Policy {
    /// Whether a connection is that of our own protocol server.
    pub fn is_own(&self, flow: &Flow) -> bool {
        let shown = flow.peer.as_deref().map(|certificate| certificate.fingerprint);
        self.own.is_some() && shown == self.own
    }
}

/// Which TLS connections are a trusted transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustedTransport {
    /// Those whose peer is on the list.
    #[default]
    ListedPeer,
    /// All: the widest reading of "such as TLS", for closed networks.
    AnyTls,
}

/// One entry of the list of trusted peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerRule {
    /// A name that the certificate must bear exactly: its `sip:domain`, else its `dNSName`.
    Name(String),
    /// The SHA-256 fingerprint of the certificate.
    Fingerprint([u8; 32]),
    /// The address of a peer on plain TCP: believed about callers, never for the PIN.
    Tcp(IpAddr),
}

/// An entry of the list of trusted peers that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableRule {
    /// Not 64 hexadecimal digits, with or without colons.
    #[error("a fingerprint is `sha256:` and 64 hexadecimal digits")]
    Fingerprint,
    /// Not an IP address.
    #[error("`tcp:` is followed by an IP address")]
    Address,
    /// RFC 5922 7.2: names are compared whole.
    #[error("a trusted peer is named in full: wildcards are not matched")]
    Wildcard,
    /// Not a host name.
    #[error("not a host name")]
    Name,
    /// Not `address/bits`.
    #[error("a network is an IP address, with or without `/` and the number of its leading bits")]
    Network,
}

impl FromStr for PeerRule {
    type Err = UnreadableRule;

    fn from_str(text: &str) -> Result<Self, UnreadableRule> {
        if let Some(digits) = strip_prefix_without_case(text, "sha256:") {
            return fingerprint(digits).map(PeerRule::Fingerprint).ok_or(UnreadableRule::Fingerprint);
        }
        if let Some(address) = strip_prefix_without_case(text, "tcp:") {
            return address.parse().map(PeerRule::Tcp).map_err(|_| UnreadableRule::Address);
        }
        if text.contains('*') {
            return Err(UnreadableRule::Wildcard);
        }
        let is_name = !text.is_empty()
            && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_'));
        if is_name { Ok(PeerRule::Name(text.to_ascii_lowercase())) } else { Err(UnreadableRule::Name) }
    }
}

fn strip_prefix_without_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn fingerprint(digits: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    let mut nibbles =
        digits.bytes().filter(|octet| *octet != b':').map(|octet| char::from(octet).to_digit(16));
    for octet in &mut octets {
        let high = nibbles.next()??;
        let low = nibbles.next()??;
        *octet = u8::try_from(high * 16 + low).ok()?;
    }
    nibbles.next().is_none().then_some(octets)
}

/// A range of addresses with the same leading bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether it holds all addresses of its kind.
    pub const fn is_everything(&self) -> bool {
        self.bits == 0
    }

    /// Whether this network holds the address. An IPv4 address in its IPv6 form is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_leading_bits(network.to_bits().into(), address.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_leading_bits(network.to_bits(), address.to_bits(), 128, self.bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
            (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn same_leading_bits(one: u128, other: u128, width: u8, bits: u8) -> bool {
    let ignored = u32::from(width.saturating_sub(bits));
    one.checked_shr(ignored).unwrap_or(0) == other.checked_shr(ignored).unwrap_or(0)
}

impl FromStr for Network {
    type Err = UnreadableRule;

    fn from_str(text: &str) -> Result<Self, UnreadableRule> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| UnreadableRule::Network)?;
        let address = address.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| UnreadableRule::Network)?,
            None => width,
        };
        if bits > width { Err(UnreadableRule::Network) } else { Ok(Network { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// What one connection is worth, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Why this is a trusted transport in the sense of [MS-OCEXUM] 3.1.2, or what is missing.
    pub transport: Result<Basis, Missing>,
    /// How far what the peer says of callers is believed.
    pub identity: Identity,
    /// The name under which the peer is on the list, or else the first name of its certificate.
    pub peer: Option<String>,
}

/// Why a connection is a trusted transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// T1 to T3 hold.
    ListedPeer,
    /// Plain TCP from a network that two settings together declare trusted.
    TrustedNetwork,
    /// TLS, where the operator has said that all TLS counts.
    AnyTls,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Basis::ListedPeer => "a listed peer showed its certificate over TLS (T1 to T3)",
            Basis::TrustedNetwork => "plain TCP from one of trusted-networks, which the settings accept",
            Basis::AnyTls => "TLS, and trusted-transport is any-tls",
        })
    }
}

/// How far a peer is believed about who calls, and whom the call was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A listed peer: asserted identities and diversions count.
    Listed,
    /// A gateway: its caller numbers and diversions count, never for the PIN.
    Gateway,
    /// Anybody: only From, unverified.
    Unlisted,
}

/// Why a connection is not a trusted transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// T1: not TLS.
    #[error("the call came in clear, over TCP (T1)")]
    Tls,
    /// T1: TLS, but we opened the connection, so that its certificate is not a client's.
    #[error("the connection was opened by us, not by the peer (T1)")]
    Accepted,
    /// T2: no certificate that could be verified.
    #[error("the peer showed no certificate that could be verified (T2)")]
    Certificate,
    /// T2: not within its validity now.
    #[error("the peer's certificate is not valid at this time (T2)")]
    Validity,
    /// T3: neither a name nor the fingerprint is on the list.
    #[error("the peer is not on the list of trusted peers (T3)")]
    Listing,
}

/// Says what a connection is worth at `now`, by what is known of it and what the operator has said.
pub fn trust(flow: &Flow, policy: &Policy, now: UnixTime) -> Trust {
    let listed = listed_peer(flow, policy, now);
    let peer = match listed {
        Ok(name) => Some(name.to_owned()),
        Err(_) => flow
            .peer
            .as_ref()
            .and_then(|certificate| certificate.names.first())
            .map(|n| n.as_str().to_owned()),
    };
    let remote = flow.remote.ip();
    let cleartext_network =
        flow.transport == Transport::Tcp && policy.accept_cleartext && holds(&policy.networks, remote);
    let listed_address = flow.transport == Transport::Tcp
        && policy
            .peers
            .iter()
            .any(|rule| matches!(rule, PeerRule::Tcp(a) if a.to_canonical() == remote.to_canonical()));

    let transport = match listed {
        Ok(_) => Ok(Basis::ListedPeer),
        Err(_) if cleartext_network => Ok(Basis::TrustedNetwork),
        // DEC-9: replaces T2 and T3. T1 stays.
        Err(Missing::Certificate | Missing::Validity | Missing::Listing)
            if policy.transport == TrustedTransport::AnyTls =>
        {
            Ok(Basis::AnyTls)
        }
        Err(missing) => Err(missing),
    };
    let identity = if listed.is_ok() || cleartext_network || listed_address {
        Identity::Listed
    } else if holds(&policy.gateways, remote) {
        Identity::Gateway
    } else {
        Identity::Unlisted
    };
    Trust { transport, identity, peer }
}

fn holds(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// T1 to T3: the name under which the peer is listed, or the first condition that does not hold.
fn listed_peer<'a>(flow: &'a Flow, policy: &'a Policy, now: UnixTime) -> Result<&'a str, Missing> {
    // T1. `net` offers TLS 1.2 and 1.3 only.
    if flow.transport != Transport::Tls {
        return Err(Missing::Tls);
    }
    if flow.origin != Origin::Accepted {
        return Err(Missing::Accepted);
    }
    // T2. Authority, usage and revocation were checked when the certificate became `flow.peer`, and
    // are again after each reload; time alone passes unseen.
    let certificate = flow.peer.as_deref().ok_or(Missing::Certificate)?;
    if now < certificate.not_before || certificate.not_after < now {
        return Err(Missing::Validity);
    }
    // T3.
    policy.peers.iter().find_map(|rule| listed_as(certificate, rule)).ok_or(Missing::Listing)
}

/// RFC 5922 7.2: exact, without case; a certificate that states SIP domains is not asked for its
/// DNS names (7.1), and the common name is never used.
fn listed_as<'a>(certificate: &'a PeerCertificate, rule: &'a PeerRule) -> Option<&'a str> {
    let states_sip_domain = certificate.names.iter().any(|name| matches!(name, PeerName::SipDomain(_)));
    match rule {
        PeerRule::Name(listed) => certificate
            .names
            .iter()
            .filter(|name| !states_sip_domain || matches!(name, PeerName::SipDomain(_)))
            .map(PeerName::as_str)
            .find(|name| name.eq_ignore_ascii_case(listed)),
        PeerRule::Fingerprint(listed) if *listed == certificate.fingerprint => {
            Some(certificate.names.first().map_or("sha256", PeerName::as_str))
        }
        PeerRule::Fingerprint(_) => None,
        PeerRule::Tcp(_) => None,
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
