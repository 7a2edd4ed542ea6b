//! What the event loop and the tasks of one thread have in common.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;

use tokio::task::{AbortHandle, JoinSet};
use umbel_node::{CloseReason, Flow, FlowId, Input, Origin};

use super::admission::{Admission, Verdict};
use super::arrivals::Arrivals;
use super::connection::Connection;
use super::conversation;
use super::opening::HandshakeFailure;
use super::stream::{Buffers, Stream};
use super::{Config, Trusts};
use crate::tls::{Purpose, Standing};
use crate::{Clock, Limits, Resolver, Tls};

pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) tls: Option<Tls>,
    pub(super) resolver: Option<Resolver>,
    pub(super) arrivals: Arrivals,
    pub(super) admission: RefCell<Admission>,
    pub(super) buffers: RefCell<Buffers>,
    /// Questions to the name service under way.
    pub(super) queries: Cell<usize>,
    pub(super) counts: Counts,
    trusts: RefCell<Trusts>,
    connections: RefCell<BTreeMap<FlowId, Rc<Connection>>>,
    /// By id, so oldest first.
    handshakes: RefCell<BTreeMap<FlowId, (IpAddr, AbortHandle)>>,
    listeners: RefCell<Vec<AbortHandle>>,
    tasks: RefCell<JoinSet<()>>,
    last_accepted: Cell<u64>,
    /// Why the last handshake of ours that failed did so.
    pub(super) handshake_failure: Cell<Option<HandshakeFailure>>,
}

/// What has happened so far.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) accepted: Cell<u64>,
    pub(super) refused: Cell<u64>,
    pub(super) handshakes_failed: Cell<u64>,
    pub(super) malformed: Cell<u64>,
    pub(super) panics: Cell<u64>,
}

pub(super) fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// Figures for the metrics of an event loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Flows that are up or being opened, now.
    pub flows: usize,
    /// Handshakes with those who connected, now.
    pub handshakes: usize,
    /// Arrivals that wait for the event loop, now.
    pub arrivals_queued: usize,
    /// Connections accepted, ever.
    pub accepted: u64,
    /// Connections closed at once for lack of room, ever (SEC-59).
    pub refused: u64,
    /// Handshakes with those who connected that came to nothing, ever (SEC-57).
    pub handshakes_failed: u64,
    /// Octet sequences that were no message, ever.
    pub malformed: u64,
    /// Connections that ended in a panic, ever; each is a bug (SEC-70).
    pub panics: u64,
}

impl Shared {
    pub(super) fn new(config: Config, clock: Clock) -> Self {
        Shared {
            admission: RefCell::new(Admission::new(&config.limits)),
            limits: config.limits,
            clock,
            tls: config.tls,
            resolver: config.resolver,
            arrivals: Arrivals::default(),
            buffers: RefCell::new(Buffers::new()),
            queries: Cell::new(0),
            counts: Counts::default(),
            trusts: RefCell::new(config.trusts),
            connections: RefCell::default(),
            handshakes: RefCell::default(),
            listeners: RefCell::default(),
            tasks: RefCell::new(JoinSet::new()),
            last_accepted: Cell::new(0),
            handshake_failure: Cell::new(None),
        }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        self.tasks.borrow_mut().spawn_local(task)
    }

    /// Forgets tasks that have ended; counts those that ended in a panic.
    pub(super) fn reap(&self) {
        while let Some(ended) = self.tasks.borrow_mut().try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                count(&self.counts.panics);
                tracing::error!("a connection ended in a panic");
            }
        }
    }

    /// The shell names the flows that it accepts: even numbers.
    pub(super) fn next_accepted_id(&self) -> FlowId {
        self.last_accepted.set(self.last_accepted.get() + 2);
        FlowId(self.last_accepted.get())
    }

    pub(super) fn connection(&self, id: FlowId) -> Option<Rc<Connection>> {
        self.connections.borrow().get(&id).cloned()
    }

    pub(super) fn add(&self, connection: &Rc<Connection>) {
        self.connections.borrow_mut().insert(connection.id, Rc::clone(connection));
    }

    /// Tells the loop the end of a connection, once; from then on its id means nothing.
    pub(super) fn tell_closed(&self, id: FlowId, reason: CloseReason) {
        if self.connections.borrow_mut().remove(&id).is_some() {
            self.arrivals.push(Input::Closed { id, reason });
        }
    }

    /// Takes in a connection of a peer, if there is room for it.
    pub(super) fn take_in(self: &Rc<Self>, id: FlowId, stream: Stream, flow: Flow) {
        let trusted = self.trusts(&flow);
        let verdict = self.admission.borrow_mut().admit(id, flow.remote.ip(), trusted, self.clock.now());
        match verdict {
            Verdict::Admitted => {}
            Verdict::InPlaceOf(leaving) => {
                if let Some(leaving) = self.connection(leaving) {
                    leaving.cut(CloseReason::Idle);
                }
            }
            Verdict::Refused => {
                count(&self.counts.refused);
                tracing::info!(remote = %flow.remote.ip(), "no room for another connection");
                return;
            }
        }
        count(&self.counts.accepted);
        let connection = Rc::new(Connection::new(id));
        connection.is_up(stream, flow.clone(), None);
        self.add(&connection);
        self.arrivals.push(Input::Opened { id, flow });
        self.spawn(conversation::hold(Rc::clone(self), connection));
    }

    /// Notes a handshake with somebody who connected; gives up the oldest where there are too many.
    pub(super) fn handshake_begins(&self, id: FlowId, from: IpAddr, task: AbortHandle) {
        let mut handshakes = self.handshakes.borrow_mut();
        let of_address = |(_, (address, _)): &(&FlowId, &(IpAddr, AbortHandle))| *address == from;
        let too_many = !from.is_loopback()
            && handshakes.iter().filter(of_address).count() >= self.limits.connections_per_address;
        let given_up = if too_many {
            handshakes.iter().find(of_address).map(|(id, _)| *id)
        } else if handshakes.len() >= self.limits.handshakes {
            handshakes.keys().next().copied()
        } else {
            None
        };
        if let Some((_, oldest)) = given_up.and_then(|id| handshakes.remove(&id)) {
            oldest.abort();
            count(&self.counts.handshakes_failed);
        }
        handshakes.insert(id, (from, task));
    }

    pub(super) fn handshake_ends(&self, id: FlowId) {
        self.handshakes.borrow_mut().remove(&id);
    }

    pub(super) fn add_listener(&self, task: AbortHandle) {
        self.listeners.borrow_mut().push(task);
    }

    pub(super) fn trusts(&self, flow: &Flow) -> bool {
        self.trusts.borrow()(flow)
    }

    pub(super) fn set_trusts(&self, trusts: Trusts) {
        self.trusts.replace(trusts);
        for connection in self.all() {
            self.weigh(&connection);
        }
    }

    /// Puts the trust in a connection's peer into the admission table.
    pub(super) fn weigh(&self, connection: &Connection) {
        if let Some(flow) = connection.flow() {
            // Connections that we opened ourselves never have to leave.
            let trusted = flow.origin == Origin::Opened || self.trusts(&flow);
            self.admission.borrow_mut().trust(connection.id, trusted);
        }
    }

    pub(super) fn reverify(&self) {
        let Some(tls) = &self.tls else { return };
        let shown = tls.in_force().shown();
        for connection in self.all() {
            let Some(chain) = connection.stream().and_then(Stream::peer_chain) else { continue };
            let (purpose, known_as) = match connection.flow().map(|flow| flow.origin) {
                Some(Origin::Accepted) | None => (Purpose::Client, None),
                Some(Origin::Opened) => (Purpose::Server, connection.shown()),
            };
            let peer = match tls.judge(Some(&chain), purpose) {
                // Whoever knows us by a certificate that we show no longer may trust the new one only (REL-30):
                // what comes next takes a connection of its own.
                Standing::Verified(_) if purpose == Purpose::Server && known_as != shown => None,
                Standing::Verified(peer) => Some(peer),
                Standing::Unknown | Standing::Refused(_) => None,
            };
            if connection.believe(peer.clone()) {
                self.weigh(&connection);
                self.arrivals.push(Input::Reverified { id: connection.id, peer });
            }
        }
    }

    pub(super) fn stop_listening(&self) {
        for listener in self.listeners.borrow_mut().drain(..) {
            listener.abort();
        }
        for (_, (_, handshake)) in std::mem::take(&mut *self.handshakes.borrow_mut()) {
            handshake.abort();
        }
    }

    pub(super) fn close_all(&self) {
        for connection in self.all() {
            connection.close();
        }
    }

    pub(super) async fn all_ended(&self) {
        while !self.connections.borrow().is_empty() {
            // Nobody takes arrivals any more, and nothing may wait for their room.
            while self.arrivals.pop().is_some() {}
            self.arrivals.came().await;
        }
    }

    pub(super) fn abort_all(&self) {
        self.tasks.borrow_mut().abort_all();
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            flows: self.connections.borrow().len(),
            handshakes: self.handshakes.borrow().len(),
            arrivals_queued: self.arrivals.len(),
            accepted: self.counts.accepted.get(),
            refused: self.counts.refused.get(),
            handshakes_failed: self.counts.handshakes_failed.get(),
            malformed: self.counts.malformed.get(),
            panics: self.counts.panics.get(),
        }
    }

    fn all(&self) -> Vec<Rc<Connection>> {
        self.connections.borrow().values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Begins handshakes from these addresses; gives the ids of those still under way.
    fn under_way(limits: Limits, from: &[[u8; 4]]) -> Vec<u64> {
        let runtime = tokio::runtime::Builder::new_current_thread().build_local(Default::default()).unwrap();
        runtime.block_on(async {
            let shared = Shared::new(Config { limits, ..Config::default() }, Clock::start());
            for address in from {
                let id = shared.next_accepted_id();
                shared.handshake_begins(id, (*address).into(), shared.spawn(std::future::pending()));
            }
            shared.handshakes.borrow().keys().map(|id| id.0).collect()
        })
    }

    // SEC-57, SEC-59
    #[test]
    fn handshakes_from_one_address_are_bounded_like_its_connections() {
        let limits = Limits { connections_per_address: 2, ..Limits::default() };
        let (alice, bob, loopback) = ([192, 0, 2, 1], [192, 0, 2, 2], [127, 0, 0, 1]);
        assert_eq!(under_way(limits.clone(), &[alice, bob, alice, alice]), [4, 6, 8]);
        assert_eq!(under_way(limits, &[loopback, loopback, loopback]), [2, 4, 6]);
    }

    #[test]
    fn handshakes_in_all_are_bounded_and_the_oldest_is_given_up() {
        let limits = Limits { handshakes: 2, ..Limits::default() };
        assert_eq!(under_way(limits, &[[192, 0, 2, 1], [192, 0, 2, 2], [192, 0, 2, 3]]), [4, 6]);
    }
}
