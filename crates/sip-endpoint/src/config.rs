//! What an operator, or the element above, can set.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Settings and bounds of an endpoint. Every bound says what happens at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where others can open TCP flows to us, for the Via of our requests (RFC 3261 18.1.1).
    /// Without it, our end of the flow is written, and nobody can answer over another flow.
    pub tcp: Option<SentBy>,
    /// The same for TLS.
    pub tls: Option<SentBy>,
    /// The shell presents a certificate on the TLS flows that we open, so that they may be reused
    /// for requests in the other direction (RFC 5923). Default: no.
    pub presents_certificate: bool,
    /// Merged requests get 482 (RFC 3261 8.2.2.2), as a user agent must and a proxy must not.
    /// Default: yes.
    pub refuses_merged_requests: bool,
    /// Transactions alive at once, Accepted ones included. Requests that would create a dialog get
    /// 503 with Retry-After beyond this; our own fail with [`crate::Failure::Limit`]. Default: 50,000.
    pub transactions_max: usize,
    /// How many more there may be for requests within a dialog, so that a full server can still hang
    /// up and be hung up on (REL-43); as above beyond. Default: 5,000.
    pub in_dialog_reserve: usize,
    /// Requests of one flow that await their final response or its ACK; 503 beyond. Within a dialog
    /// twice as many. Default: 4,096.
    pub unanswered_per_flow_max: u32,
    /// Flows being opened at once; a message that needs one more fails with
    /// [`crate::Failure::Limit`]. Default: 256.
    pub opening_max: usize,
    /// Messages waiting for one flow to open, or for one name to be resolved; the next one fails
    /// with [`crate::Failure::Limit`]. Default: 1,024.
    pub waiting_max: usize,
    /// Destinations tried for one request (RFC 3263 4.3); the rest of the list is not looked at.
    /// Default: 8.
    pub destinations_max: usize,
    /// How long a destination that could not be reached is tried after all others. Default: 30 s.
    pub rest_after_failure: Duration,
    /// Seconds of Retry-After in a 503, spread so that those refused do not return together
    /// (REL-43). Default: 1 to 30.
    pub retry_after_secs: RangeInclusive<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            tcp: None,
            tls: None,
            presents_certificate: false,
            refuses_merged_requests: true,
            transactions_max: 50_000,
            in_dialog_reserve: 5_000,
            unanswered_per_flow_max: 4_096,
            opening_max: 256,
            waiting_max: 1_024,
            destinations_max: 8,
            rest_after_failure: Duration::from_secs(30),
            retry_after_secs: 1..=30,
        }
    }
}

/// Host and port as a Via writes them (RFC 3261 20.42): `sent-by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentBy {
    /// A name or an address; an IPv6 address in brackets.
    pub host: String,
    /// The port, where it is not the transport's default.
    pub port: Option<u16>,
}

impl From<SocketAddr> for SentBy {
    fn from(address: SocketAddr) -> Self {
        let host = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        SentBy { host, port: Some(address.port()) }
    }
}
