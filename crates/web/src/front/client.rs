//! Who is at the other end of a connection.

use std::net::SocketAddr;

/// The other end of a request's connection; every request bears one as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub remote: SocketAddr,
    /// Which address of ours it reached.
    pub local: SocketAddr,
    /// Whether the connection is TLS.
    pub is_encrypted: bool,
}

impl Client {
    /// Whether a password may be sent here: nobody on the way reads along.
    pub fn is_private(&self) -> bool {
        self.is_encrypted || self.local.ip().to_canonical().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn passwords_are_sent_over_tls_or_within_this_machine() {
        let client = |local: &str, is_encrypted| Client {
            remote: "192.0.2.1:50000".parse().unwrap(),
            local: local.parse().unwrap(),
            is_encrypted,
        };
        for local in ["127.0.0.1:8080", "127.1.2.3:80", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert!(client(local, false).is_private(), "{local}");
        }
        for local in ["192.0.2.7:8080", "[2001:db8::1]:8080", "0.0.0.0:8080"] {
            assert!(!client(local, false).is_private(), "{local}");
            assert!(client(local, true).is_private(), "{local}");
        }
    }
}
