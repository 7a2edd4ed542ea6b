//! A tap on the wires: what the elements of this process send each other, kept for who shows it.
//!
//! An element that has a [`Tap`] keeps a copy of each SIP message that it hands to a connection, with the time.
//! Who is at the other end is told by addresses: every connection of every element that has one has told its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use umbel_net::Clock;
use umbel_node::{FlowId, Input, Output, Transport};
use umbel_time::Instant;

/// So many messages are kept; what is sent later is not.
const SENT_MAX: usize = 20_000;
/// So many addresses are known by name; others are shown as addresses.
const PLACES_MAX: usize = 4_096;

/// What all elements with a tap have sent. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Wires(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    sent: Vec<Sent>,
    /// Who is at which address.
    places: BTreeMap<SocketAddr, &'static str>,
}

#[derive(Clone)]
struct Sent {
    at: Instant,
    from: &'static str,
    to: Place,
    what: What,
}

#[derive(Clone)]
enum Place {
    Address(SocketAddr),
    Named(&'static str),
}

/// Something that went over a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A SIP message.
    Message { over: Transport, bytes: Bytes },
    /// Packets of sound, in words.
    Sound(String),
    /// A request of HTTP or its answer, in words.
    Web(String),
}

/// The same with who sent it to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    /// The names of elements; of one without a tap, its address.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) what: What,
}

impl Wires {
    /// A tap for one element.
    pub(crate) fn tap(&self, name: &'static str, clock: Clock) -> Tap {
        Tap { name, clock, wires: self.clone(), flows: BTreeMap::new() }
    }

    /// An element is to be found there: where it listens, before anybody has come.
    pub(crate) fn place(&self, address: SocketAddr, name: &'static str) {
        let mut log = self.log();
        if log.places.len() < PLACES_MAX {
            log.places.insert(address, name);
        }
    }

    /// Somebody asks a web service, or is answered by it.
    pub(crate) fn web(&self, at: Instant, from: &'static str, to: &'static str, words: String) {
        self.push(Sent { at, from, to: Place::Named(to), what: What::Web(words) });
    }

    /// How much was sent so far.
    pub(crate) fn mark(&self) -> usize {
        self.log().sent.len()
    }

    /// What was sent since that mark, in order: a message is kept before anybody can answer it.
    pub(crate) fn since(&self, mark: usize) -> Vec<Seen> {
        let log = self.log();
        let named = |place: &Place| match place {
            Place::Address(address) => {
                log.places.get(address).map_or_else(|| address.to_string(), |name| (*name).to_owned())
            }
            Place::Named(name) => (*name).to_owned(),
        };
        let seen = |sent: &Sent| Seen {
            at: sent.at,
            from: sent.from.to_owned(),
            to: named(&sent.to),
            what: sent.what.clone(),
        };
        log.sent.iter().skip(mark).map(seen).collect()
    }

    fn push(&self, sent: Sent) {
        let mut log = self.log();
        if log.sent.len() < SENT_MAX {
            log.sent.push(sent);
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tap of one element.
pub(crate) struct Tap {
    name: &'static str,
    clock: Clock,
    wires: Wires,
    /// Where its connections lead.
    flows: BTreeMap<FlowId, (Transport, SocketAddr)>,
}

impl Tap {
    /// Something arrives at the element.
    pub(crate) fn arrived<O>(&mut self, input: &Input<O>) {
        match input {
            Input::Opened { id, flow } => {
                self.flows.insert(*id, (flow.transport, flow.remote));
                self.wires.place(flow.local, self.name);
            }
            Input::Closed { id, .. } => {
                self.flows.remove(id);
            }
            _ => {}
        }
    }

    /// The element wants something done.
    pub(crate) fn leaves<W>(&mut self, output: &Output<W>) {
        let Output::Transmit { id, bytes } = output else { return };
        let Some((over, to)) = self.flows.get(id).copied() else { return };
        let what = What::Message { over, bytes: bytes.clone() };
        self.push(self.name, Place::Address(to), what);
    }

    /// The element hears packets of sound from another one.
    pub(crate) fn hears(&self, from: &'static str, words: String) {
        self.push(from, Place::Named(self.name), What::Sound(words));
    }

    /// The element has sent packets of sound to another one.
    pub(crate) fn has_said(&self, to: &'static str, words: String) {
        self.push(self.name, Place::Named(to), What::Sound(words));
    }

    fn push(&self, from: &'static str, to: Place, what: What) {
        self.wires.push(Sent { at: self.clock.now(), from, to, what });
    }
}

#[cfg(test)]
mod tests {
    use umbel_node::{CloseReason, Flow, Origin};

    use super::*;

    fn opened(id: u64, local: u16, remote: u16) -> Input<()> {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (transport, origin) = (Transport::Tls, Origin::Accepted);
        let flow = Flow { transport, local: at(local), remote: at(remote), origin, peer: None };
        Input::Opened { id: FlowId(id), flow }
    }

    fn transmit(id: u64, text: &'static str) -> Output<()> {
        Output::Transmit { id: FlowId(id), bytes: Bytes::from_static(text.as_bytes()) }
    }

    #[test]
    fn both_ends_of_a_connection_are_known_by_name_and_a_stranger_by_address() {
        let wires = Wires::default();
        let clock = Clock::start();
        let (mut alice, mut server) = (wires.tap("alice", clock), wires.tap("server", clock));
        server.arrived(&opened(1, 5061, 40_000));
        server.leaves(&transmit(1, "early"));
        // Her end of the same connection, told only now.
        alice.arrived(&opened(7, 40_000, 5061));
        let mark = wires.mark();
        alice.leaves(&transmit(7, "late"));
        server.arrived(&opened(2, 5061, 50_000));
        server.leaves(&transmit(2, "to a stranger"));
        let ways = |seen: Vec<Seen>| -> Vec<(String, String)> {
            seen.into_iter().map(|seen| (seen.from, seen.to)).collect()
        };
        let way = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let later = [way("alice", "server"), way("server", "127.0.0.1:50000")];
        assert_eq!(ways(wires.since(mark)), later);
        assert_eq!(ways(wires.since(0))[0], way("server", "alice"));
    }

    #[test]
    fn what_goes_to_a_closed_connection_goes_nowhere() {
        let wires = Wires::default();
        let mut tap = wires.tap("server", Clock::start());
        tap.arrived(&opened(1, 5061, 40_000));
        tap.arrived(&Input::<()>::Closed { id: FlowId(1), reason: CloseReason::ByPeer });
        tap.leaves(&transmit(1, "too late"));
        assert_eq!(wires.mark(), 0);
    }
}
