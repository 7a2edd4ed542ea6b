//! The voice mail servers that can be subscribed at: which one is asked, and which are left alone.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use umbel_node::{Flow, FlowId};
use umbel_sip_message::Uri;
use umbel_time::Instant;

/// How long a server rests after its first failure; doubled with each one more.
const REST_FIRST: Duration = Duration::from_secs(1);
/// The longest rest: a server that is back is found within this, by one SUBSCRIBE, so that lamps are right
/// within the five seconds of REL-40.
const REST_MAX: Duration = Duration::from_secs(4);
/// How long a server that knows no SUBSCRIBE is left to what it tells unasked. Then one SUBSCRIBE asks
/// whether it has learnt it.
const UNASKED_FOR: Duration = Duration::from_secs(3_600);
/// Flows and addresses of one server that are remembered; the oldest goes.
const KNOWN_MAX: usize = 8;

/// All of them, best first.
#[derive(Debug)]
pub(crate) struct Servers(Vec<Server>);

#[derive(Debug)]
struct Server {
    uri: Uri,
    standing: Standing,
    /// Flows that it has answered on, and that are up.
    flows: BTreeSet<FlowId>,
    /// Where it answers from.
    addresses: Vec<IpAddr>,
}

impl Server {
    fn meet(&mut self, id: FlowId, flow: &Flow) {
        self.flows.insert(id);
        if self.flows.len() > KNOWN_MAX {
            self.flows.pop_first();
        }
        let ip = flow.remote.ip().to_canonical();
        if !self.addresses.contains(&ip) {
            self.addresses.insert(0, ip);
            self.addresses.truncate(KNOWN_MAX);
        }
    }
}

/// Whether a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Well,
    /// Not before this; then by one SUBSCRIBE, which decides.
    Resting {
        until: Instant,
        failures: u32,
    },
    /// That one is on its way.
    Probing {
        failures: u32,
    },
}

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one.
    Ask(usize),
    /// Nobody before this.
    Wait(Instant),
    /// Nobody before an answer has come.
    Nobody,
}

impl Servers {
    pub(crate) fn new<'a>(uris: impl Iterator<Item = &'a Uri>) -> Self {
        let server = |uri: &Uri| Server {
            uri: uri.clone(),
            standing: Standing::Well,
            flows: BTreeSet::new(),
            addresses: Vec::new(),
        };
        Servers(uris.map(server).collect())
    }

    /// Whether these are the servers.
    pub(crate) fn are<'a>(&self, uris: impl Iterator<Item = &'a Uri>) -> bool {
        self.0.iter().map(|server| &server.uri).eq(uris)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn uri(&self, index: usize) -> Option<&Uri> {
        self.0.get(index).map(|server| &server.uri)
    }

    /// Whom to ask now. A server whose rest is over is asked once before all others ask it.
    pub(crate) fn choose(&mut self, now: Instant) -> Choice {
        let mut earliest = None;
        for (index, server) in self.0.iter_mut().enumerate() {
            match server.standing {
                Standing::Well => return Choice::Ask(index),
                Standing::Resting { until, failures } if until <= now => {
                    server.standing = Standing::Probing { failures };
                    return Choice::Ask(index);
                }
                Standing::Resting { until, .. } => {
                    earliest = Some(earliest.map_or(until, |earliest: Instant| earliest.min(until)));
                }
                Standing::Probing { .. } => {}
            }
        }
        earliest.map_or(Choice::Nobody, Choice::Wait)
    }

    /// It has answered, whatever it said.
    pub(crate) fn answered(&mut self, index: usize, id: FlowId, flow: Option<&Flow>) {
        let Some(server) = self.0.get_mut(index) else { return };
        server.standing = Standing::Well;
        if let Some(flow) = flow {
            server.meet(id, flow);
        }
    }

    /// The server of this URI sits at the end of this flow.
    pub(crate) fn met(&mut self, uri: &Uri, id: FlowId, flow: &Flow) {
        if let Some(server) = self.0.iter_mut().find(|server| server.uri == *uri) {
            server.meet(id, flow);
        }
    }

    /// It has not answered. Many who asked at the same time are one failure.
    pub(crate) fn failed(&mut self, now: Instant, index: usize) {
        let Some(server) = self.0.get_mut(index) else { return };
        let failures = match server.standing {
            Standing::Well => 0,
            Standing::Probing { failures } => failures,
            Standing::Resting { .. } => return,
        };
        let rest = (REST_FIRST * 2_u32.pow(failures.min(8))).min(REST_MAX);
        server.standing = Standing::Resting { until: now + rest, failures: failures + 1 };
    }

    /// It knows no SUBSCRIBE.
    pub(crate) fn refuses(&mut self, now: Instant, index: usize) {
        if let Some(server) = self.0.get_mut(index) {
            server.standing = Standing::Resting { until: now + UNASKED_FOR, failures: 0 };
        }
    }

    /// A flow is gone: which server has lost it, if it was one's.
    pub(crate) fn flow_closed(&mut self, flow: FlowId) -> Option<usize> {
        self.0.iter_mut().position(|server| server.flows.remove(&flow))
    }

    /// Whether this flow leads to one of them: it has answered us on it; or the peer is listed, which the
    /// caller has asked before, and bears its name or has its address.
    pub(crate) fn is_one(&self, id: FlowId, flow: &Flow, is_listed: bool) -> bool {
        let ip = flow.remote.ip().to_canonical();
        let names = flow.peer.as_ref().map(|certificate| certificate.names.as_slice()).unwrap_or_default();
        self.0.iter().any(|server| {
            let host = server.uri.host();
            let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
            let is_there = literal.is_ok_and(|literal| literal.to_canonical() == ip)
                || server.addresses.contains(&ip)
                || names.iter().any(|name| name.as_str().eq_ignore_ascii_case(host));
            server.flows.contains(&id) || (is_listed && is_there)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::SocketAddr;
    use std::sync::Arc;

    use umbel_node::{Origin, PeerCertificate, PeerName, Transport};
    use umbel_time::UnixTime;

    use super::*;

    fn of(uris: &[&str]) -> Servers {
        let uris: Vec<Uri> = uris.iter().map(|uri| uri.parse().unwrap()).collect();
        let servers = Servers::new(uris.iter());
        assert!(servers.are(uris.iter()) && !servers.are([].iter()));
        servers
    }

    fn servers() -> Servers {
        of(&["sip:vm1.test;transport=tls", "sip:192.0.2.9:5071"])
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    fn flow(ip: [u8; 4], name: Option<&str>) -> Flow {
        let remote = SocketAddr::from((ip, 40_000));
        let certificate = |name: &str| {
            Arc::new(PeerCertificate {
                names: vec![PeerName::Dns(name.into())],
                fingerprint: [0; 32],
                not_before: UnixTime::from_secs(0),
                not_after: UnixTime::from_secs(1),
            })
        };
        let peer = name.map(certificate);
        Flow { transport: Transport::Tls, local: remote, remote, origin: Origin::Accepted, peer }
    }

    /// EUMR-7, EUMR-8
    #[test]
    fn the_best_that_is_well_is_asked_and_one_that_rested_by_one_first() {
        let mut servers = servers();
        assert_eq!(servers.choose(at(0)), Choice::Ask(0));
        servers.failed(at(0), 0);
        servers.failed(at(0), 0);
        assert_eq!(servers.choose(at(0)), Choice::Ask(1));
        servers.failed(Instant::from_millis(500), 1);
        assert_eq!(servers.choose(Instant::from_millis(500)), Choice::Wait(at(1)));
        assert_eq!(servers.choose(at(1)), Choice::Ask(0));
        assert_eq!(servers.choose(at(1)), Choice::Wait(Instant::from_millis(1_500)));
        assert_eq!(servers.choose(at(2)), Choice::Ask(1));
        assert_eq!(servers.choose(at(2)), Choice::Nobody);
        servers.failed(at(3), 0);
        assert_eq!(servers.choose(at(3)), Choice::Wait(at(5)));
        servers.answered(1, FlowId(1), None);
        assert_eq!(servers.choose(at(3)), Choice::Ask(1));
    }

    #[test]
    fn rests_become_longer_up_to_a_bound() {
        let mut servers = of(&["sip:vm1.test"]);
        let mut now = at(0);
        let mut rests = Vec::new();
        for _ in 0..7 {
            assert_eq!(servers.choose(now), Choice::Ask(0));
            servers.failed(now, 0);
            let Choice::Wait(until) = servers.choose(now) else { panic!() };
            rests.push(until.since(now).as_secs());
            now = until;
        }
        assert_eq!(rests, [1, 2, 4, 4, 4, 4, 4]);
        servers.choose(now);
        servers.refuses(now, 0);
        assert_eq!(servers.choose(now), Choice::Wait(now + UNASKED_FOR));
    }

    /// SEC-56: who may tell what waits.
    #[test]
    fn a_server_is_known_by_its_name_its_address_or_by_having_answered() {
        let mut servers = servers();
        let is_one = |servers: &Servers, flow: &Flow, is_listed| servers.is_one(FlowId(5), flow, is_listed);
        let named = flow([203, 0, 113, 1], Some("vm1.test"));
        let addressed = flow([192, 0, 2, 9], None);
        let other = flow([203, 0, 113, 7], Some("vm1.test.evil.test"));
        assert!(is_one(&servers, &named, true) && !is_one(&servers, &named, false));
        assert!(is_one(&servers, &addressed, true) && !is_one(&servers, &addressed, false));
        assert!(!is_one(&servers, &other, true));
        servers.answered(0, FlowId(5), Some(&other));
        assert!(is_one(&servers, &other, false));
        assert_eq!(servers.flow_closed(FlowId(5)), Some(0));
        assert_eq!(servers.flow_closed(FlowId(5)), None);
        assert!(!is_one(&servers, &other, false) && is_one(&servers, &other, true));
        let stranger = flow([203, 0, 113, 8], None);
        servers.met(&"sip:elsewhere.test".parse().unwrap(), FlowId(5), &stranger);
        assert!(!is_one(&servers, &stranger, true));
        servers.met(&"sip:192.0.2.9:5071".parse().unwrap(), FlowId(5), &stranger);
        assert!(is_one(&servers, &stranger, false));
    }
}
