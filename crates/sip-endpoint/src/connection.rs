//! The flows of one endpoint: which are up, which are being opened, which may be used again.
//!
//! RFC 3261 18 keeps connections apart from transactions, and so do we: this table knows nothing of
//! requests; what waits for a flow is any parcel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use umbel_node::{Destination, Flow, FlowId, Origin, PeerCertificate, PeerName, Transport};
use umbel_time::Instant;

use crate::transaction::key::Standing;

/// Names of one certificate under which its flow may be reused; the others are left out.
const ALIASES_MAX: usize = 8;

/// Destinations remembered as unreachable; beyond, the one whose rest ends first is forgotten.
const RESTING_MAX: usize = 256;

/// All flows of one endpoint.
pub(crate) struct Connections<P> {
    up: BTreeMap<FlowId, Connection>,
    opening: BTreeMap<FlowId, Opening<P>>,
    /// SEC-69: address, transport and verified server name, all three, decide whether a flow serves.
    reusable: BTreeMap<Destination, FlowId>,
    /// Destinations that could not be reached, and until when they are tried last.
    resting: BTreeMap<Destination, Instant>,
    last_opened: u64,
    opening_max: usize,
    waiting_max: usize,
}

/// A flow that is up.
pub(crate) struct Connection {
    pub(crate) flow: Flow,
    /// As it was when the flow opened: what requests are matched by does not change under them.
    pub(crate) standing: Standing,
    /// Requests that came on it and await their final response or its ACK.
    pub(crate) unanswered: u32,
    /// The keys under which `reusable` names it.
    serves: Vec<Destination>,
}

struct Opening<P> {
    to: Destination,
    waiting: Vec<P>,
}

/// How to get to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Over this flow, at once.
    Up(FlowId),
    /// Over this flow, once it is up.
    Opening(FlowId),
    /// Over a flow of this name, which the shell must be asked to open.
    New(FlowId),
    /// Too many flows are being opened.
    Full,
}

/// What a flow was when it ended.
pub(crate) enum Ended<P> {
    /// It was up.
    Up(Transport),
    /// It did not come up; these were waiting for it.
    Opening { waiting: Vec<P> },
    /// It was not known.
    Unknown,
}

impl<P> Connections<P> {
    pub(crate) fn new(opening_max: usize, waiting_max: usize) -> Self {
        Connections {
            up: BTreeMap::new(),
            opening: BTreeMap::new(),
            reusable: BTreeMap::new(),
            resting: BTreeMap::new(),
            last_opened: 0,
            opening_max,
            waiting_max,
        }
    }

    pub(crate) fn up(&self, id: FlowId) -> Option<&Connection> {
        self.up.get(&id)
    }

    pub(crate) fn up_mut(&mut self, id: FlowId) -> Option<&mut Connection> {
        self.up.get_mut(&id)
    }

    /// The way to a destination: a flow made for it, else a new one.
    pub(crate) fn way(&mut self, to: &Destination) -> Way {
        if let Some(&id) = self.reusable.get(to) {
            return if self.up.contains_key(&id) { Way::Up(id) } else { Way::Opening(id) };
        }
        if self.opening.len() >= self.opening_max {
            return Way::Full;
        }
        let id = self.name();
        self.reusable.insert(to.clone(), id);
        self.opening.insert(id, Opening { to: to.clone(), waiting: Vec::new() });
        Way::New(id)
    }

    /// Lets a parcel wait for a flow that is being opened; gives it back where too many do.
    pub(crate) fn wait(&mut self, id: FlowId, parcel: P) -> Result<(), P> {
        match self.opening.get_mut(&id) {
            Some(opening) if opening.waiting.len() < self.waiting_max => {
                opening.waiting.push(parcel);
                Ok(())
            }
            _ => Err(parcel),
        }
    }

    /// A flow is up; gives what was waiting for it.
    pub(crate) fn opened(&mut self, id: FlowId, flow: Flow, standing: Standing) -> Vec<P> {
        let (serves, waiting) = match self.opening.remove(&id) {
            Some(Opening { to, waiting }) => {
                self.resting.remove(&to);
                (vec![to], waiting)
            }
            None => (Vec::new(), Vec::new()),
        };
        self.up.insert(id, Connection { flow, standing, unanswered: 0, serves });
        waiting
    }

    /// A flow is gone, or did not come up.
    pub(crate) fn closed(&mut self, now: Instant, id: FlowId, rest: Duration) -> Ended<P> {
        if let Some(connection) = self.up.remove(&id) {
            self.forget(id, &connection.serves);
            return Ended::Up(connection.flow.transport);
        }
        match self.opening.remove(&id) {
            Some(Opening { to, waiting }) => {
                self.forget(id, std::slice::from_ref(&to));
                self.let_rest(to, now + rest);
                Ended::Opening { waiting }
            }
            None => Ended::Unknown,
        }
    }

    /// The peer was judged anew: what is believed of it changes, and so does what its flow may serve.
    pub(crate) fn reverified(&mut self, id: FlowId, peer: Option<Arc<PeerCertificate>>) {
        let Some(connection) = self.up.get_mut(&id) else { return };
        let believed = peer.is_some();
        connection.flow.peer = peer;
        if !believed && connection.flow.transport == Transport::Tls {
            let serves = std::mem::take(&mut connection.serves);
            self.forget(id, &serves);
        }
    }

    /// RFC 5923 4: the peer allows its flow to be used for requests to the address that its Via names.
    ///
    /// Only on mutual TLS, only under names that its certificate proves, and only for the first
    /// port it names, so that one peer cannot fill the table.
    pub(crate) fn alias(&mut self, id: FlowId, port: u16) {
        let Some(connection) = self.up.get_mut(&id) else { return };
        let Some(peer) = &connection.flow.peer else { return };
        let accepted = connection.flow.origin == Origin::Accepted;
        if !accepted || connection.flow.transport != Transport::Tls || !connection.serves.is_empty() {
            return;
        }
        let mut address = connection.flow.remote;
        address.set_port(port);
        let destination = |name: &PeerName| Destination {
            transport: Transport::Tls,
            address,
            server_name: Some(name.as_str().to_owned()),
        };
        connection.serves = peer.names.iter().take(ALIASES_MAX).map(destination).collect();
        for destination in &connection.serves {
            // A flow that is being opened keeps its parcels; the next one finds the alias.
            let taken = self.reusable.get(destination).is_some_and(|other| self.opening.contains_key(other));
            if !taken {
                self.reusable.insert(destination.clone(), id);
            }
        }
    }

    /// Puts destinations that were found unreachable a short while ago behind the others.
    pub(crate) fn prefer_rested(&self, now: Instant, destinations: &mut [Destination]) {
        destinations.sort_by_key(|to| self.resting.get(to).is_some_and(|until| *until > now));
    }

    /// Flows that are being opened.
    #[cfg(test)]
    pub(crate) fn opening_count(&self) -> usize {
        self.opening.len()
    }

    /// The node names the flows that it asks for by odd numbers (see [`FlowId`]).
    fn name(&mut self) -> FlowId {
        self.last_opened += 1;
        FlowId(self.last_opened * 2 - 1)
    }

    fn forget(&mut self, id: FlowId, serves: &[Destination]) {
        for destination in serves {
            if self.reusable.get(destination) == Some(&id) {
                self.reusable.remove(destination);
            }
        }
    }

    fn let_rest(&mut self, destination: Destination, until: Instant) {
        if self.resting.len() >= RESTING_MAX && !self.resting.contains_key(&destination) {
            let first = self.resting.iter().min_by_key(|(_, until)| **until).map(|(to, _)| to.clone());
            if let Some(first) = first {
                self.resting.remove(&first);
            }
        }
        self.resting.insert(destination, until);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use umbel_time::UnixTime;

    use super::*;

    const REST: Duration = Duration::from_secs(30);

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn tls(name: &str) -> Destination {
        Destination { transport: Transport::Tls, address: address(5061), server_name: Some(name.to_owned()) }
    }

    fn certificate(names: &[&str]) -> Option<Arc<PeerCertificate>> {
        Some(Arc::new(PeerCertificate {
            names: names.iter().map(|name| PeerName::Dns((*name).to_owned())).collect(),
            fingerprint: [7; 32],
            not_before: UnixTime::from_secs(0),
            not_after: UnixTime::from_secs(1),
        }))
    }

    fn flow(origin: Origin, transport: Transport, peer: Option<Arc<PeerCertificate>>) -> Flow {
        let remote = address(if origin == Origin::Accepted { 40_000 } else { 5061 });
        Flow { transport, local: address(5061), remote, origin, peer }
    }

    fn connections() -> Connections<u32> {
        Connections::new(2, 2)
    }

    // REL-44, DEC-40
    #[test]
    fn an_idle_flow_costs_less_than_256_bytes() {
        assert!(size_of::<Connection>() < 256, "{}", size_of::<Connection>());
    }

    #[test]
    fn what_waits_for_a_flow_comes_out_in_order_when_it_is_up() {
        let mut connections = connections();
        let Way::New(id) = connections.way(&tls("um")) else { panic!("nothing to reuse") };
        assert_eq!(connections.wait(id, 1), Ok(()));
        assert_eq!(connections.way(&tls("um")), Way::Opening(id));
        assert_eq!(connections.wait(id, 2), Ok(()));
        let waiting = connections.opened(id, flow(Origin::Opened, Transport::Tls, None), Standing::NONE);
        assert_eq!(waiting, [1, 2]);
        assert_eq!(connections.way(&tls("um")), Way::Up(id));
    }

    #[test]
    fn no_more_wait_for_a_flow_than_allowed() {
        let mut connections = connections();
        let Way::New(id) = connections.way(&tls("um")) else { panic!("nothing to reuse") };
        assert_eq!(connections.wait(id, 1), Ok(()));
        assert_eq!(connections.wait(id, 2), Ok(()));
        assert_eq!(connections.wait(id, 3), Err(3));
    }

    #[test]
    fn no_more_flows_are_opened_at_once_than_allowed() {
        let mut connections = connections();
        assert!(matches!(connections.way(&tls("a")), Way::New(_)));
        assert!(matches!(connections.way(&tls("b")), Way::New(_)));
        assert_eq!(connections.way(&tls("c")), Way::Full);
    }

    // SEC-69
    #[test]
    fn a_flow_verified_for_one_name_does_not_serve_another_at_the_same_address() {
        let mut connections = connections();
        let Way::New(id) = connections.way(&tls("um.example")) else { panic!("nothing to reuse") };
        let peer = certificate(&["um.example", "evil.example"]);
        connections.opened(id, flow(Origin::Opened, Transport::Tls, peer), Standing::NONE);
        assert!(matches!(connections.way(&tls("evil.example")), Way::New(_)));
        let clear = Destination { transport: Transport::Tcp, ..tls("um.example") };
        assert!(matches!(connections.way(&clear), Way::New(_)));
        assert_eq!(connections.way(&tls("um.example")), Way::Up(id));
    }

    // PEER-5
    #[test]
    fn an_accepted_flow_serves_as_alias_under_each_proven_name() {
        let mut connections = connections();
        let peer = certificate(&["proxy.example", "sip.example"]);
        connections.opened(FlowId(2), flow(Origin::Accepted, Transport::Tls, peer), Standing::NONE);
        connections.alias(FlowId(2), 5061);
        assert_eq!(connections.way(&tls("proxy.example")), Way::Up(FlowId(2)));
        assert_eq!(connections.way(&tls("sip.example")), Way::Up(FlowId(2)));
        assert!(matches!(connections.way(&tls("other.example")), Way::New(_)));
    }

    // PEER-5, SEC-69
    #[test]
    fn without_mutual_tls_there_is_no_alias() {
        let mut connections = connections();
        connections.opened(FlowId(2), flow(Origin::Accepted, Transport::Tls, None), Standing::NONE);
        connections.alias(FlowId(2), 5061);
        assert!(matches!(connections.way(&tls("proxy.example")), Way::New(_)));
        let peer = certificate(&["proxy.example"]);
        connections.opened(FlowId(4), flow(Origin::Accepted, Transport::Tcp, peer), Standing::NONE);
        connections.alias(FlowId(4), 5061);
        assert!(matches!(connections.way(&tls("proxy.example")), Way::Opening(_)));
    }

    #[test]
    fn a_peer_names_one_alias_port() {
        let mut connections = connections();
        let peer = certificate(&["proxy.example"]);
        connections.opened(FlowId(2), flow(Origin::Accepted, Transport::Tls, peer), Standing::NONE);
        for port in 5061..6000 {
            connections.alias(FlowId(2), port);
        }
        assert_eq!(connections.reusable.len(), 1);
    }

    #[test]
    fn a_flow_that_is_gone_is_not_reused() {
        let mut connections = connections();
        let peer = certificate(&["proxy.example"]);
        connections.opened(FlowId(2), flow(Origin::Accepted, Transport::Tls, peer), Standing::NONE);
        connections.alias(FlowId(2), 5061);
        assert!(matches!(connections.closed(Instant::ZERO, FlowId(2), REST), Ended::Up(Transport::Tls)));
        assert!(matches!(connections.way(&tls("proxy.example")), Way::New(_)));
        assert!(matches!(connections.closed(Instant::ZERO, FlowId(2), REST), Ended::Unknown));
    }

    // DEC-5
    #[test]
    fn a_flow_whose_peer_is_no_longer_believed_is_not_reused() {
        let mut connections = connections();
        let Way::New(id) = connections.way(&tls("um")) else { panic!("nothing to reuse") };
        connections.opened(id, flow(Origin::Opened, Transport::Tls, certificate(&["um"])), Standing::NONE);
        connections.reverified(id, None);
        assert!(matches!(connections.way(&tls("um")), Way::New(_)));
        assert!(connections.up(id).is_some());
    }

    #[test]
    fn an_unreachable_destination_is_tried_last_for_a_while() {
        let mut connections = connections();
        let Way::New(id) = connections.way(&tls("a")) else { panic!("nothing to reuse") };
        assert_eq!(connections.wait(id, 1), Ok(()));
        let ended = connections.closed(Instant::ZERO, id, REST);
        assert!(matches!(ended, Ended::Opening { waiting } if waiting == [1]));
        let order = |connections: &Connections<u32>, now| {
            let mut list = [tls("a"), tls("b")];
            connections.prefer_rested(now, &mut list);
            list.map(|to| to.server_name.unwrap_or_default())
        };
        assert_eq!(order(&connections, Instant::from_millis(29_999)), ["b", "a"]);
        assert_eq!(order(&connections, Instant::from_millis(30_000)), ["a", "b"]);
    }

    #[test]
    fn the_list_of_unreachable_destinations_is_bounded() {
        let mut connections: Connections<u32> = Connections::new(10_000, 1);
        for number in 0..2 * RESTING_MAX as u64 {
            let Way::New(id) = connections.way(&tls(&number.to_string())) else { panic!("nothing to reuse") };
            connections.closed(Instant::from_millis(number), id, REST);
        }
        assert_eq!(connections.resting.len(), RESTING_MAX);
        assert!(!connections.resting.contains_key(&tls("0")));
        assert_eq!(connections.opening_count(), 0);
    }
}
