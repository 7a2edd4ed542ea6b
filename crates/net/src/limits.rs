//! What the network may ask of us: bounds and time limits, with what happens at each.

use std::time::Duration;

/// Arrivals that wait for the event loop; beyond it, connections are not read. Small, because it is
/// also what a good peer's message may have to wait behind.
pub const ARRIVALS_MAX: usize = 1_024;

/// Arrivals handed out before the connections of the same thread get their turn.
pub const TURN_MAX: usize = 64;

/// Octets read from one connection at once, into the one buffer that a thread's connections share.
pub const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Questions to the name service under way; one more is answered "unavailable" at once.
pub const QUERIES_MAX: usize = 256;

/// Destinations that one name may lead to; the rest are left out.
pub const DESTINATIONS_MAX: usize = 16;

/// Bounds and time limits that a configuration may change; the defaults are those of the threat list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of peers in all. The one quiet for longest makes room for a new one, of those
    /// that nothing uses and nobody vouches for; without such a one, the new one is closed (SEC-59).
    pub connections: usize,
    /// Connections from one address, in the same way; trusted peers and loopback are exempt.
    pub connections_per_address: usize,
    /// TLS handshakes under way with those who connected; the oldest is given up for a new one. Those
    /// from one address are bounded like its connections.
    pub handshakes: usize,
    /// A connection is idle, and may have to make room, after this time without traffic.
    pub quiet: Duration,
    /// From accepting to the end of the TLS handshake (SEC-57).
    pub handshake: Duration,
    /// From asking for a connection to having it, the TLS handshake apart.
    pub connect: Duration,
    /// Without traffic, unless something uses the connection (SEC-58).
    pub idle: Duration,
    /// From the first octet of a message to the end of its headers (SEC-60).
    pub header: Duration,
    /// From the end of the headers to the end of the body (SEC-60).
    pub body: Duration,
    /// Octets waiting to be sent on one connection; beyond it, the connection is closed (SEC-65).
    pub queued_bytes: usize,
    /// Without the peer taking one octet of what waits (SEC-65).
    pub stalled: Duration,
    /// For the peer to close its side after we closed ours, or for an answer to a message that
    /// ended the framing; then the connection is cut.
    pub farewell: Duration,
    /// For all name service queries of one question together.
    pub resolve: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 10_000,
            connections_per_address: 256,
            handshakes: 2_048,
            quiet: Duration::from_secs(1),
            handshake: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(180),
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            queued_bytes: 256 * 1024,
            stalled: Duration::from_secs(30),
            farewell: Duration::from_secs(2),
            resolve: Duration::from_secs(8),
        }
    }
}
