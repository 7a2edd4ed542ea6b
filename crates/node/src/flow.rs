//! Transport-layer associations, and who is at their other end.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use umbel_time::UnixTime;

/// The name of one flow, unique for the life of the node; never used again.
///
/// Whoever opens a flow chooses its id: the shell for accepted ones (even numbers), the node for
/// those it asks for (odd numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flow-{}", self.0)
    }
}

/// [MS-OCEXUM] 2.1 allows no other transports, so there is no other variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Transmission Control Protocol, in clear.
    Tcp,
    /// Transport Layer Security, 1.2 or later.
    Tls,
}

impl Transport {
    /// The token of a Via's sent-protocol (RFC 3261 20.42).
    pub const fn via_token(self) -> &'static str {
        match self {
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// The value of a `transport` URI parameter (RFC 3261 19.1.1).
    pub const fn uri_parameter(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// The port where none is written (RFC 3261 19.1.2).
    pub const fn default_port(self) -> u16 {
        match self {
            Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }
}

/// Who opened a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The peer connected to one of our listeners.
    Accepted,
    /// We connected to the peer.
    Opened,
}

/// RFC 5626 1.2: a transport-layer association between two hosts.
///
/// Everything that is known about the other end by other means than what it says of itself in
/// messages. Decisions about trust ask this and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The transport protocol.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
    /// Who opened it.
    pub origin: Origin,
    /// The peer's certificate, verified against the configured authority in this very session or
    /// the one it resumes; `None` for TCP, for peers without a certificate, and for certificates
    /// of unknown authorities.
    pub peer: Option<Arc<PeerCertificate>>,
}

/// What a verified certificate states about the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Subject alternative names (RFC 5922 7.1); the common name is never used.
    pub names: Vec<PeerName>,
    /// SHA-256 over the certificate's DER form.
    pub fingerprint: [u8; 32],
    /// Not valid before.
    pub not_before: UnixTime,
    /// Not valid after.
    pub not_after: UnixTime,
}

/// A subject alternative name, as the certificate writes it, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerName {
    /// A `uniformResourceIdentifier` of the form `sip:domain`; here only the domain.
    SipDomain(String),
    /// A `dNSName`.
    Dns(String),
}

impl PeerName {
    /// The name without its kind.
    pub fn as_str(&self) -> &str {
        match self {
            PeerName::SipDomain(name) | PeerName::Dns(name) => name,
        }
    }
}

/// Where to open a flow to: one result of RFC 3263.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The transport to use.
    pub transport: Transport,
    /// The address to connect to.
    pub address: SocketAddr,
    /// For TLS: the name that the server's certificate must bear (RFC 5922 7.3).
    pub server_name: Option<String>,
}
