//! What nodes want done with flows and datagrams, and what comes of it: the world's shell.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use umbel_node::{CloseReason, Destination, Flow, FlowId, Input, Origin, Output, Transport};
use umbel_sip_message::{PONG, parse};

use crate::inhabitant::{Datagram, Told};
use crate::ladder::What;
use crate::link::{Arrival, End, Link, below};
use crate::world::{Happening, World};

/// How long a connection to where nobody is takes to fail.
const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);

impl World {
    pub(crate) fn carry_out(&mut self, seat: usize, output: Output<Infallible>) {
        match output {
            Output::Open { id, to } => self.open(seat, id, &to),
            Output::Transmit { id, bytes } => self.transmit(seat, id, bytes),
            Output::Close { id } => self.close(seat, id),
            Output::Resolve { query, uri } => {
                let found = self.names.resolve(&uri);
                let told = Box::new(Told::Sip(Input::Resolved { query, found }));
                self.happen(self.now, Happening::Tell { seat, told });
            }
            Output::Wish(never) => match never {},
        }
    }

    fn open(&mut self, seat: usize, id: FlowId, to: &Destination) {
        let is_somewhere =
            self.seats.iter().any(|other| other.address == to.address.ip() && !other.is_unplugged);
        let round_trip = self.weather.latency * 2;
        if !is_somewhere || self.is_unplugged(seat) {
            return self.fail_to_open(seat, id, CONNECT_TIME_OUT, CloseReason::ConnectFailed);
        }
        let Some(listener) = self.listeners.get(&(to.address, to.transport)) else {
            return self.fail_to_open(seat, id, round_trip, CloseReason::ConnectFailed);
        };
        // RFC 5922 7.3: the certificate must bear the name that the flow is opened for.
        let shown = listener.certificate.clone();
        let names_it = |name: &String| {
            shown.iter().flat_map(|shown| &shown.names).any(|shown| shown.as_str().eq_ignore_ascii_case(name))
        };
        if to.transport == Transport::Tls && !to.server_name.as_ref().is_none_or(names_it) {
            return self.fail_to_open(seat, id, round_trip * 2, CloseReason::HandshakeFailed);
        }
        let acceptor = listener.seat;
        let handshakes = if to.transport == Transport::Tls { 2 } else { 1 };
        let opener = self.seat_mut(seat);
        opener.next_port += 1;
        let local = SocketAddr::new(opener.address, opener.next_port);
        let certificate = opener.certificate.clone().filter(|_| to.transport == Transport::Tls);
        let host = self.seat_mut(acceptor);
        host.accepted += 1;
        let accepted_id = FlowId(host.accepted * 2);
        self.last += 1;
        let link = self.last;
        self.links.insert(
            link,
            Link { ends: [End::new(seat, id, true), End::new(acceptor, accepted_id, false)], has_gap: false },
        );
        self.seat_mut(seat).flows.insert(id, (link, 0));
        self.seat_mut(acceptor).flows.insert(accepted_id, (link, 1));
        let (transport, remote) = (to.transport, to.address);
        let ours = Flow { transport, local, remote, origin: Origin::Opened, peer: shown };
        let theirs =
            Flow { transport, local: remote, remote: local, origin: Origin::Accepted, peer: certificate };
        // The acceptor has the last word of the opener half a round trip after it was said.
        let up = self.now + round_trip * handshakes;
        let up_there = self.now + (round_trip * handshakes - self.weather.latency);
        self.happen(up_there, Happening::Opened { link, end: 1, flow: theirs });
        self.happen(up, Happening::Opened { link, end: 0, flow: ours });
    }

    fn fail_to_open(&mut self, seat: usize, id: FlowId, after: Duration, reason: CloseReason) {
        let told = Box::new(Told::Sip(Input::Closed { id, reason }));
        self.happen(self.now + after, Happening::Tell { seat, told });
    }

    fn transmit(&mut self, seat: usize, id: FlowId, bytes: Bytes) {
        let Some(&(link, end)) = self.seat_mut(seat).flows.get(&id) else { return };
        let other = 1 - end;
        let receiver = self.links.get(&link).and_then(|link| link.ends.get(other));
        let Some(receiver_seat) = receiver.map(|receiver| receiver.seat) else { return };
        if let Ok(message) = parse(bytes.clone()) {
            let name = |seat: usize| self.seats.get(seat).map_or("?", |seat| seat.name.as_str());
            self.ladder.push(self.now, name(seat), name(receiver_seat), What::Message(Box::new(message)));
        }
        let vanishes = self.is_unplugged(seat) || self.is_unplugged(receiver_seat);
        let Some(Link { ends, has_gap }) = self.links.get_mut(&link) else { return };
        *has_gap |= vanishes;
        let Some(receiver) = ends.get_mut(other).filter(|_| !*has_gap) else { return };
        for at in receiver.send(self.now, bytes, &self.weather, &mut self.rng) {
            self.happen(at, Happening::Read { link, end: other });
        }
    }

    fn close(&mut self, seat: usize, id: FlowId) {
        let Some((link, end)) = self.seat_mut(seat).flows.remove(&id) else { return };
        let told = Box::new(Told::Sip(Input::Closed { id, reason: CloseReason::ByUs }));
        self.happen(self.now, Happening::Tell { seat, told });
        let other = self.links.get(&link).and_then(|link| link.ends.get(1 - end));
        let Some((other_seat, other_id)) = other.map(|other| (other.seat, other.id)) else { return };
        if !self.seat_mut(other_seat).flows.contains_key(&other_id) {
            // Both have closed: nobody is left to hear of it.
            self.links.remove(&link);
            return;
        }
        let other = self.links.get_mut(&link).and_then(|link| link.ends.get_mut(1 - end));
        let Some(other) = other else { return };
        let at = other.finish(self.now, &self.weather, &mut self.rng);
        self.happen(at, Happening::Read { link, end: 1 - end });
    }

    pub(crate) fn read(&mut self, link: u64, end: usize) {
        let Some(receiver) = self.links.get_mut(&link).and_then(|link| link.ends.get_mut(end)) else {
            return;
        };
        let (seat, id) = (receiver.seat, receiver.id);
        let (arrivals, again) = receiver.read(self.now, &mut self.rng);
        if let Some(again) = again {
            self.happen(again, Happening::Read { link, end });
        }
        for arrival in arrivals {
            if !self.seat_mut(seat).flows.contains_key(&id) {
                // Closed by this end meanwhile: nobody reads any more.
                return;
            }
            match arrival {
                Arrival::Message(message) => self.tell(seat, Told::Sip(Input::Received { id, message })),
                Arrival::Malformed(what) => self.tell(seat, Told::Sip(Input::Malformed { id, what })),
                // RFC 5626 5.4: the shell answers, as a real one does.
                Arrival::Ping => self.transmit(seat, id, Bytes::from_static(PONG)),
                Arrival::Fin => {
                    let gone = self.links.remove(&link);
                    if let Some(end) = gone.as_ref().and_then(|link| link.ends.get(end)) {
                        self.close_end(end, CloseReason::ByPeer);
                    }
                }
            }
        }
    }

    /// At once and at both ends; what was under way is lost.
    pub(crate) fn break_link(&mut self, link: u64) {
        let Some(Link { ends, .. }) = self.links.remove(&link) else { return };
        for end in ends {
            self.close_end(&end, CloseReason::Broken);
        }
    }

    fn close_end(&mut self, end: &End, reason: CloseReason) {
        if self.seat_mut(end.seat).flows.remove(&end.id).is_some() && end.is_known {
            let told = Box::new(Told::Sip(Input::Closed { id: end.id, reason }));
            self.happen(self.now, Happening::Tell { seat: end.seat, told });
        }
    }

    pub(crate) fn send_datagram(&mut self, seat: usize, datagram: Datagram) {
        let is_lost = below(&mut self.rng, 100) < u64::from(self.weather.datagram_loss_percent);
        if !is_lost && !self.is_unplugged(seat) {
            let at = self.now + self.weather.delay(&mut self.rng);
            self.happen(at, Happening::Datagram(datagram));
        }
    }
}
