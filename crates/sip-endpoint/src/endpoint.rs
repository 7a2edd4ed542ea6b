//! The owner of all transactions and flows of one element.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use umbel_node::{Destination, Flow, FlowId, Output};
use umbel_sip_message::{Draft, Malformed, Message};
use umbel_time::{Instant, Timers};

use crate::client::Client;
use crate::connection::{Connections, Ended};
use crate::event::{ClientTransaction, Event, ServerTransaction};
use crate::resolve::Questions;
use crate::server::Server;
use crate::transaction::key::{Key, Keys};
use crate::transaction::{Failure, Timer};
use crate::{Config, Input};

/// Transactions and connections: everything of RFC 3261 17 and 18.
///
/// A value without clock or sockets. Four kinds of method: [`Endpoint::handle`] takes in what
/// happened; [`Endpoint::respond`], [`Endpoint::request`], [`Endpoint::cancel`] and
/// [`Endpoint::send`] are the orders of the transaction user; the `poll_` methods give what comes of
/// it; the others only look. After each input and each order, poll the events and the outputs until
/// there are none.
pub struct Endpoint {
    pub(crate) config: Config,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) keys: Keys,
    pub(crate) connections: Connections<Parcel>,
    pub(crate) questions: Questions<Parcel>,
    pub(crate) servers: BTreeMap<ServerTransaction, Server>,
    pub(crate) server_of: BTreeMap<Key, ServerTransaction>,
    /// RFC 3261 8.2.2.2: From tag, Call-ID and CSeq of the requests in progress.
    pub(crate) merged: BTreeMap<Key, ServerTransaction>,
    pub(crate) clients: BTreeMap<ClientTransaction, Client>,
    pub(crate) client_of: BTreeMap<Key, ClientTransaction>,
    /// The client transactions that a lost flow concerns.
    pub(crate) awaited_on: BTreeSet<(FlowId, ClientTransaction)>,
    pub(crate) timers: Timers<(Owner, Timer)>,
    pub(crate) last_transaction: u64,
    pub(crate) events: VecDeque<Event>,
    outputs: VecDeque<Output<Infallible>>,
}

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Server(ServerTransaction),
    Client(ClientTransaction),
}

/// What waits for a flow, or for a name to be resolved.
pub(crate) enum Parcel {
    /// The request of a client transaction, which keeps it.
    Request(ClientTransaction),
    /// A response whose flow is gone (RFC 3261 18.2.2).
    Response(ServerTransaction, Bytes),
    /// A request without a transaction: an ACK.
    Detached(Box<Detached>),
}

/// A request without a transaction, and where else it may go.
pub(crate) struct Detached {
    pub(crate) draft: Draft,
    pub(crate) rest: VecDeque<Destination>,
}

impl Endpoint {
    /// An endpoint without flows. The generator makes branches, tags and the secret of the keys.
    pub fn new(config: Config, mut rng: ChaCha20Rng) -> Self {
        let keys = Keys::new(&mut rng);
        Endpoint {
            keys,
            rng,
            connections: Connections::new(config.opening_max, config.waiting_max),
            questions: Questions::new(config.waiting_max),
            servers: BTreeMap::new(),
            server_of: BTreeMap::new(),
            merged: BTreeMap::new(),
            clients: BTreeMap::new(),
            client_of: BTreeMap::new(),
            awaited_on: BTreeSet::new(),
            timers: Timers::new(),
            last_transaction: 0,
            events: VecDeque::new(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Takes in one thing that happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { id, flow } => self.opened(now, id, flow),
            Input::Reverified { id, peer } => self.connections.reverified(id, peer),
            Input::Received { id, message: Message::Request(request) } => {
                self.received_request(now, id, request);
            }
            Input::Received { id, message: Message::Response(response) } => {
                self.received_response(now, id, response);
            }
            Input::Malformed { id, what } => self.malformed(id, what),
            Input::Closed { id, .. } => self.closed(now, id),
            Input::Resolved { query, found } => self.resolved(now, query, found),
            Input::Timeout => self.timeout(now),
            Input::Order(never) => match never {},
        }
    }

    /// The next fact for the transaction user.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing to do for the shell.
    pub fn poll_output(&mut self) -> Option<Output<Infallible>> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// A flow that is up.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.connections.up(id).map(|connection| &connection.flow)
    }

    /// Transactions alive, of both kinds and in all states.
    pub fn transaction_count(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// Changes the bounds and names; what is going on is not touched.
    ///
    /// The bounds on flows being opened and messages waiting for them stay as they were.
    pub fn reconfigure(&mut self, config: Config) {
        self.config = config;
    }

    fn opened(&mut self, now: Instant, id: FlowId, flow: Flow) {
        let standing = self.keys.standing(&flow);
        let waiting = self.connections.opened(id, flow, standing);
        self.events.push_back(Event::FlowOpened { flow: id });
        for parcel in waiting {
            self.dispatch(now, parcel, id);
        }
    }

    /// Sends what was waiting for a flow that is now up.
    fn dispatch(&mut self, now: Instant, parcel: Parcel, flow: FlowId) {
        match parcel {
            Parcel::Request(transaction) => self.transmit_request(now, transaction, flow),
            Parcel::Response(transaction, bytes) => {
                self.move_server(transaction, flow);
                self.transmit(flow, bytes);
            }
            Parcel::Detached(detached) => self.transmit_detached(detached.draft, flow),
        }
    }

    fn closed(&mut self, now: Instant, id: FlowId) {
        match self.connections.closed(now, id, self.config.rest_after_failure) {
            Ended::Up(transport) => {
                self.flow_lost(now, id, transport);
                self.events.push_back(Event::FlowClosed { flow: id });
            }
            Ended::Opening { waiting } => {
                for parcel in waiting {
                    self.unreachable(now, parcel);
                }
            }
            Ended::Unknown => {}
        }
    }

    /// The flow that a parcel waited for did not come up: the next destination, if there is one.
    fn unreachable(&mut self, now: Instant, parcel: Parcel) {
        match parcel {
            Parcel::Request(transaction) => self.try_next(now, transaction),
            Parcel::Response(transaction, _) => self.undeliverable(now, transaction),
            Parcel::Detached(detached) => self.try_next_detached(now, *detached),
        }
    }

    /// A parcel that cannot even wait.
    pub(crate) fn refuse(&mut self, now: Instant, parcel: Parcel, failure: Failure) {
        match parcel {
            Parcel::Request(transaction) => self.fail_client(transaction, failure),
            Parcel::Response(transaction, _) => self.undeliverable(now, transaction),
            // Nobody waits for an ACK to arrive but its receiver, who repeats the 2xx.
            Parcel::Detached(_) => {}
        }
    }

    fn malformed(&mut self, id: FlowId, what: Malformed) {
        // M1, M4, M5, M7, DEC-3: what can be answered, and what ends the flow, is known to the parser.
        if let Some(reply) = what.reply {
            self.transmit(id, reply);
        }
        if what.close {
            self.outputs.push_back(Output::Close { id });
        }
    }

    fn timeout(&mut self, now: Instant) {
        while let Some((owner, timer)) = self.timers.expired(now) {
            match owner {
                Owner::Server(transaction) => {
                    debug_assert!(
                        self.servers.contains_key(&transaction),
                        "{timer:?} outlived its transaction"
                    );
                    self.server_timer(now, transaction, timer);
                }
                Owner::Client(transaction) => {
                    debug_assert!(
                        self.clients.contains_key(&transaction),
                        "{timer:?} outlived its transaction"
                    );
                    self.client_timer(now, transaction, timer);
                }
            }
        }
    }

    pub(crate) fn transmit(&mut self, id: FlowId, bytes: Bytes) {
        self.outputs.push_back(Output::Transmit { id, bytes });
    }

    pub(crate) fn next_transaction(&mut self) -> u64 {
        self.last_transaction += 1;
        self.last_transaction
    }

    pub(crate) fn output(&mut self, output: Output<Infallible>) {
        self.outputs.push_back(output);
    }
}
