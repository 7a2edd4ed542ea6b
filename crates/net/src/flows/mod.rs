//! The connections of one thread and its event loop: the world's side of the line.

mod accepting;
mod admission;
mod arrivals;
mod connection;
mod conversation;
mod inbound;
mod opening;
mod shared;
mod stream;

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use umbel_node::{Destination, Flow, FlowId, Input, Output, QueryId, Unresolved};
use umbel_sip_message::Uri;

pub use accepting::{ListenError, Listener, NoListener};
use arrivals::into_input;
use connection::Connection;
pub use opening::HandshakeFailure;
use shared::Shared;
pub use shared::Stats;

use crate::limits::{QUERIES_MAX, TURN_MAX};
use crate::{Clock, Limits, Resolver, Tls};

/// Says whether the peer of a flow is one that must always get through (SEC-59).
///
/// The rule belongs to the program; here it only decides who has to leave when there is no room.
pub type Trusts = Rc<dyn Fn(&Flow) -> bool>;

/// What a thread's flows are made with.
pub struct Config {
    /// Bounds and time limits.
    pub limits: Limits,
    /// Without it, no flow over TLS can be accepted or opened.
    pub tls: Option<Tls>,
    /// Without it, every question is answered "unavailable".
    pub resolver: Option<Resolver>,
    /// Who always gets through.
    pub trusts: Trusts,
}

impl Default for Config {
    /// TCP only, no names, nobody trusted.
    fn default() -> Self {
        Config { limits: Limits::default(), tls: None, resolver: None, trusts: Rc::new(|_| false) }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Listeners, connections and questions to the name service of one event loop.
///
/// Lives on one thread, inside a [`tokio::runtime::LocalRuntime`] or a [`tokio::task::LocalSet`]: the
/// connections' tasks run there while the loop waits. One turn of the loop:
///
/// ```no_run
/// # use umbel_net::{Clock, Flows, limits::TURN_MAX};
/// # use umbel_node::Node;
/// # async fn run<N: Node<Order = (), Wish = ()>>(mut flows: Flows, mut node: N, clock: Clock) {
/// let mut input = flows.next().await; // also writes what is queued
/// let now = clock.now();
/// for _ in 0..TURN_MAX {
///     node.handle(now, input);
///     while let Some(output) = node.poll_output() {
///         if let Some(wish) = flows.perform(output) {
///             // media, store, ...
///         }
///     }
///     let Some(next) = flows.try_next() else { break };
///     input = next;
/// }
/// flows.flush();
/// # }
/// ```
///
/// Dropping it cuts every connection; [`Flows::shut_down`] closes them in order.
pub struct Flows {
    shared: Rc<Shared>,
    /// Connections with something queued since the last flush.
    unwritten: Vec<Rc<Connection>>,
    /// Arrivals handed out since the connections last had their turn.
    handed_out: usize,
}

impl Flows {
    /// Flows of the calling thread, none yet.
    pub fn new(config: Config, clock: Clock) -> Self {
        Flows { shared: Rc::new(Shared::new(config, clock)), unwritten: Vec::new(), handed_out: 0 }
    }

    /// Accepts connections from now on; gives the address, with the port chosen where none was asked
    /// for.
    ///
    /// # Errors
    ///
    /// Where the address is in use, not ours, or not permitted; or TLS is asked for and there is none.
    pub fn listen(&self, listener: &Listener) -> Result<SocketAddr, ListenError> {
        accepting::listen(&self.shared, listener)
    }

    /// Waits for the next thing that happened, and meanwhile lets the connections work.
    ///
    /// Writes first what is queued. May be dropped at any time without losing anything.
    pub async fn next<O>(&mut self) -> Input<O> {
        self.flush();
        self.shared.reap();
        if self.handed_out >= TURN_MAX {
            self.handed_out = 0;
            tokio::task::yield_now().await;
        }
        loop {
            if let Some(input) = self.try_next() {
                return input;
            }
            self.handed_out = 0;
            self.shared.arrivals.came().await;
        }
    }

    /// The next thing that happened, if there is one already.
    pub fn try_next<O>(&mut self) -> Option<Input<O>> {
        let arrival = self.shared.arrivals.pop()?;
        self.handed_out += 1;
        Some(into_input(arrival))
    }

    /// Does what a node wants done with flows and names; hands back what it wants done elsewhere.
    pub fn perform<W>(&mut self, output: Output<W>) -> Option<W> {
        match output {
            Output::Open { id, to } => self.open(id, to),
            Output::Transmit { id, bytes } => self.transmit(id, bytes),
            Output::Close { id } => self.close(id),
            Output::Resolve { query, uri } => self.resolve(query, uri),
            Output::Wish(wish) => return Some(wish),
        }
        None
    }

    /// Opens a flow; `Opened` or `Closed` will tell. What is transmitted before waits for it.
    pub fn open(&mut self, id: FlowId, to: Destination) {
        opening::open(&self.shared, id, to);
    }

    /// Queues `bytes` for a flow, to leave with the next flush; drops them where the flow is gone.
    ///
    /// More than [`Limits::queued_bytes`] that the peer does not take: the flow is closed (SEC-65).
    pub fn transmit(&mut self, id: FlowId, bytes: Bytes) {
        let Some(connection) = self.shared.connection(id) else { return };
        if connection.transmit(bytes, &self.shared.limits, self.shared.clock.now()) {
            self.unwritten.push(connection);
        }
    }

    /// Closes a flow after what was transmitted has left.
    pub fn close(&mut self, id: FlowId) {
        if let Some(connection) = self.shared.connection(id) {
            connection.close();
        }
    }

    /// Asks where requests for `uri` go (RFC 3263); `Resolved` will tell.
    pub fn resolve(&mut self, query: QueryId, uri: Uri) {
        let shared = Rc::clone(&self.shared);
        let under_way = shared.queries.get();
        let Some(resolver) = shared.resolver.clone().filter(|_| under_way < QUERIES_MAX) else {
            shared.arrivals.push(Input::Resolved { query, found: Err(Unresolved::Unavailable) });
            return;
        };
        shared.queries.set(under_way + 1);
        self.shared.spawn(async move {
            let found = resolver.find(&uri, shared.limits.resolve).await;
            shared.queries.set(shared.queries.get() - 1);
            shared.arrivals.push(Input::Resolved { query, found });
        });
    }

    /// Writes what is queued: to each connection directly, in one call where it takes it.
    pub fn flush(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let now = self.shared.clock.now();
        for connection in self.unwritten.drain(..) {
            connection.write_from_list(now);
        }
    }

    /// Tells whether a call or a registration uses a flow; one that nothing uses is closed when it is
    /// idle (SEC-58), or when others need its place (SEC-59).
    pub fn keep(&self, id: FlowId, kept: bool) {
        if let Some(connection) = self.shared.connection(id) {
            connection.keep(kept);
            self.shared.admission.borrow_mut().keep(id, kept);
        }
    }

    /// Judges every peer anew, after a reload of TLS; `Reverified` tells of each whose standing changed
    /// (REL-32).
    pub fn reverify(&self) {
        self.shared.reverify();
    }

    /// Puts another rule in force about who always gets through, for open flows as well.
    pub fn set_trusts(&self, trusts: Trusts) {
        self.shared.set_trusts(trusts);
    }

    /// Stops accepting connections, for good.
    pub fn stop_listening(&self) {
        self.shared.stop_listening();
    }

    /// Stops listening, closes every flow after what was transmitted has left, and waits until they
    /// are closed, for `limit` at most.
    pub async fn shut_down(mut self, limit: Duration) {
        self.flush();
        self.shared.stop_listening();
        self.shared.close_all();
        // What does not end in time is cut when the flows are dropped.
        let _ = tokio::time::timeout(limit, self.shared.all_ended()).await;
    }

    /// Why the last handshake that we began and that failed did so. The brain knows only that it failed; this is for
    /// people.
    pub fn handshake_failure(&self) -> Option<HandshakeFailure> {
        self.shared.handshake_failure.get()
    }

    /// How many of everything there are now, and were.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl fmt::Debug for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flows").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Tasks hold the shared part; without this, neither would ever go.
impl Drop for Flows {
    fn drop(&mut self) {
        self.shared.abort_all();
    }
}
