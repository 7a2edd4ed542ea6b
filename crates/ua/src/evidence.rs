//! Who we were talking to when a call began, and whether somebody else is the same (REL-35, SEC-54).

use std::sync::Arc;

use umbel_node::{Flow, PeerCertificate, Transport};

/// What a flow showed of its peer.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    transport: Transport,
    peer: Option<Arc<PeerCertificate>>,
}

impl Evidence {
    pub(crate) fn of(flow: &Flow) -> Self {
        Evidence { transport: flow.transport, peer: flow.peer.clone() }
    }

    pub(crate) fn transport(&self) -> Transport {
        self.transport
    }

    /// Whether a request of the call may come over this flow.
    ///
    /// Tags are secrets only as far as nobody could read them: a call that began over TLS is not
    /// changed by somebody on TCP, and one of a peer with a certificate only by that peer. A pool
    /// whose members have a name in common is one peer.
    pub(crate) fn covers(&self, flow: &Flow) -> bool {
        match (&self.peer, &flow.peer) {
            (Some(ours), Some(theirs)) => {
                ours.fingerprint == theirs.fingerprint
                    || ours.names.iter().any(|name| theirs.names.contains(name))
            }
            (Some(_), None) => false,
            (None, _) => match (self.transport, flow.transport) {
                (Transport::Tls, Transport::Tcp) => false,
                (Transport::Tls, Transport::Tls) | (Transport::Tcp, Transport::Tcp | Transport::Tls) => true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use umbel_node::{Origin, PeerName};
    use umbel_time::UnixTime;

    use super::*;

    fn flow(transport: Transport, names: &[&str]) -> Flow {
        let certificate = PeerCertificate {
            names: names.iter().map(|name| PeerName::Dns((*name).to_owned())).collect(),
            fingerprint: [u8::try_from(names.join(",").len()).unwrap(); 32],
            not_before: UnixTime::from_secs(0),
            not_after: UnixTime::from_secs(1),
        };
        Flow {
            transport,
            local: "192.0.2.1:5061".parse().unwrap(),
            remote: "192.0.2.2:40000".parse().unwrap(),
            origin: Origin::Accepted,
            peer: (!names.is_empty()).then(|| Arc::new(certificate)),
        }
    }

    fn covers(began: &Flow, then: &Flow) -> bool {
        Evidence::of(began).covers(then)
    }

    // REL-35: "requests accepted on a new connection of the same trust".
    #[test]
    fn the_same_peer_on_another_connection_is_the_same() {
        let (tcp, tls) = (flow(Transport::Tcp, &[]), flow(Transport::Tls, &[]));
        let proxy = flow(Transport::Tls, &["proxy.example.com"]);
        for flow in [&tcp, &tls, &proxy] {
            assert!(covers(flow, flow));
        }
        assert!(covers(&tcp, &tls));
        let pool = flow(Transport::Tls, &["p1.example.com", "proxy.example.com"]);
        assert!(covers(&pool, &flow(Transport::Tls, &["proxy.example.com"])));
    }

    // SEC-54
    #[test]
    fn less_evidence_than_the_call_began_with_is_not_enough() {
        let (tcp, tls) = (flow(Transport::Tcp, &[]), flow(Transport::Tls, &[]));
        let proxy = flow(Transport::Tls, &["proxy.example.com"]);
        assert!(!covers(&tls, &tcp));
        assert!(!covers(&proxy, &tls));
        assert!(!covers(&proxy, &tcp));
        assert!(!covers(&proxy, &flow(Transport::Tls, &["stranger.example.org"])));
    }
}
