//! The protocol server as a node: what comes in goes to its place, what is wished for goes out.

mod admission;
mod afterwards;
mod branches;
mod call;
mod dialogs;
mod in_use;
mod message_waiting;
mod missed_calls;
mod names;
mod record;
mod registrar;
mod remote_targets;
mod servers;
mod strangers;
mod targets;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use umbel_node::{FlowId, Input, Node, Output};
use umbel_ocexum::trust;
use umbel_sip_endpoint::{
    ClientTransaction, Endpoint, Event, SIXTY_FOUR_T1, ServerTransaction, separate, widen,
};
use umbel_sip_message::{
    AddressOfRecord, Diagnostics, Draft, HeaderName, Reason, Request, StatusCode, Uri, quoted_string,
};
use umbel_store::{Op, Reply, Ticket, User};
use umbel_time::{Instant, Timers, UnixTime};

use crate::Config;
use crate::authentication::Authentication;
use crate::identity::Sender;
use crate::known_users::KnownUsers;
use crate::location::{Clocks, Kept, Location};
use crate::message_waiting::MessageWaiting;
use crate::refusal::{Refusal, Refused};
use crate::response_context::{BranchId, Timer};
use crate::seal::Seal;

use call::{Call, CallKey};
use dialogs::Relay;
use targets::Lookup;

/// How often a part of the bindings is looked at for those that have ended.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// SEC-49: how long who guesses waits for an answer.
const GUESSER_WAITS: std::time::Duration = std::time::Duration::from_secs(10);
/// Answers held back for [`GUESSER_WAITS`] at once; beyond, they are not given at all.
const HELD_MAX: usize = 1_000;

/// What the protocol server is told from outside SIP.
#[derive(Debug)]
pub enum Order {
    /// What the wall's clock shows now; about every second.
    Clock(UnixTime),
    /// What became of a [`Wish::Store`].
    Stored {
        /// Whose answer it is.
        ticket: Ticket,
        /// The answer.
        reply: Reply,
    },
    /// Users of the store have changed, and somebody has been or will be told so: from now on it counts.
    UsersChanged,
    /// Bindings from before a restart.
    Restore(Vec<(AddressOfRecord, Vec<Kept>)>),
    /// Other settings. Calls under way keep the plans they have.
    Reload(Box<Config>),
    /// Whether new requests are refused with 503, for a server that is about to stop (REL-23).
    Drain(bool),
}

/// What the protocol server wants done outside SIP.
#[derive(Debug)]
pub enum Wish {
    /// An operation of the store.
    Store {
        /// For the answer.
        ticket: Ticket,
        /// What.
        op: Op,
    },
    /// The bindings of this address have changed. Whoever keeps them may take its time, and asks for
    /// [`Proxy::kept`] then.
    Keep(AddressOfRecord),
    /// SEC-49: somebody guesses passwords.
    GuesserLocked {
        /// From where.
        source: IpAddr,
        /// For whom.
        name: String,
    },
    /// A request was refused by a rule of ours; not how calls end every day, nor challenges.
    Refused(Box<Refused>),
    /// A gateway or a unified messaging server is up or down; first told when it is first known.
    Server {
        /// As in the settings.
        uri: Uri,
        /// Whether it answers.
        is_up: bool,
    },
}

/// Registrar, proxy, and what users want done with their calls.
pub struct Proxy {
    config: Config,
    endpoint: Endpoint,
    rng: ChaCha20Rng,
    seal: Seal,
    location: Location,
    authentication: Authentication,
    /// The wall's clock, as last told, and when that was.
    clock: Clocks,
    is_draining: bool,
    /// Boxed: a call is large, and would be moved whenever another one beside it comes or goes.
    calls: BTreeMap<CallKey, Box<Call>>,
    afterwards: BTreeMap<CallKey, afterwards::Afterwards>,
    call_of: BTreeMap<ServerTransaction, CallKey>,
    branch_of: BTreeMap<ClientTransaction, (CallKey, BranchId)>,
    relays: BTreeMap<ClientTransaction, Box<Relay>>,
    relay_of: BTreeMap<ServerTransaction, ClientTransaction>,
    /// RFC 5393 4: what is passing through. See [`admission`].
    passing: BTreeMap<admission::Passage, usize>,
    /// How many calls of strangers ring at whose telephones: see [`strangers`].
    ringing: strangers::Ringing,
    waiting: BTreeMap<Ticket, Waiting>,
    known_users: KnownUsers,
    /// Those who were looked up in this turn and are known: as if the store had answered.
    recalled: VecDeque<(Lookup, Arc<User>)>,
    held: BTreeMap<ServerTransaction, Draft>,
    in_use: in_use::InUse,
    remote_targets: remote_targets::RemoteTargets,
    servers: servers::Servers,
    missed_calls: missed_calls::MissedCalls,
    message_waiting: MessageWaiting,
    /// What was decided in this turn. See [`record`].
    decided: Vec<umbel_store::Decision>,
    /// How many more refusals of this second go on record.
    refusals_left: u32,
    timers: Timers<Alarm>,
    last: u64,
    outputs: VecDeque<Output<Wish>>,
}

/// Who waits for the store.
enum Waiting {
    Password(Box<admission::Answer>),
    User(Lookup),
    Names(Box<names::Names>),
    Named(Box<message_waiting::Named>),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Call(CallKey, Timer),
    /// EUMR-8: this server says nothing; the next one may.
    Alternative(CallKey, BranchId),
    /// RFC 3261 13.3.1.4: no 2xx is repeated any more.
    Forget(CallKey),
    /// The same for a request within a dialog.
    ForgetRelay(ClientTransaction),
    Held(ServerTransaction),
    Ping(servers::ServerId),
    Sweep,
}

impl Proxy {
    /// A server without flows and without bindings. `wall` is the time by the wall's clock at
    /// [`Instant::ZERO`].
    pub fn new(config: Config, wall: UnixTime, mut rng: ChaCha20Rng) -> Self {
        let seal = Seal::new(&mut rng);
        let authentication = Authentication::new(&config.domain, &config.digest, &mut rng);
        let endpoint = Endpoint::new(endpoint_config(&config), ChaCha20Rng::from_rng(&mut rng));
        let message_waiting = MessageWaiting::new(servers::voice_mail(&config));
        let mut timers = Timers::new();
        timers.arm(Alarm::Sweep, Instant::ZERO + SWEEP_EVERY);
        let mut proxy = Proxy {
            config,
            endpoint,
            rng,
            seal,
            location: Location::new(),
            authentication,
            clock: Clocks { now: Instant::ZERO, wall },
            is_draining: false,
            calls: BTreeMap::new(),
            afterwards: BTreeMap::new(),
            call_of: BTreeMap::new(),
            branch_of: BTreeMap::new(),
            relays: BTreeMap::new(),
            relay_of: BTreeMap::new(),
            passing: BTreeMap::new(),
            ringing: strangers::Ringing::default(),
            waiting: BTreeMap::new(),
            known_users: KnownUsers::default(),
            recalled: VecDeque::new(),
            held: BTreeMap::new(),
            in_use: in_use::InUse::default(),
            remote_targets: remote_targets::RemoteTargets::default(),
            servers: servers::Servers::default(),
            missed_calls: missed_calls::MissedCalls::default(),
            message_waiting,
            decided: Vec::new(),
            refusals_left: record::REFUSALS_MAX,
            timers,
            last: 0,
            outputs: VecDeque::new(),
        };
        proxy.watch_servers(Instant::ZERO);
        proxy
    }

    /// Requests that are being passed on, calls that were answered half a minute ago included.
    pub fn call_count(&self) -> usize {
        self.calls.len() + self.afterwards.len()
    }

    /// Addresses that are registered.
    pub fn registered_count(&self) -> usize {
        self.location.len()
    }

    /// The bindings of an address as they are to be kept over a restart; none: nothing is to be kept of it.
    pub fn kept(&self, now: Instant, address: &AddressOfRecord) -> Vec<Kept> {
        self.location.kept(self.clocks(now), address)
    }

    /// The flows that registrations and calls go along, with repetitions; the shell does not take these
    /// for idle (SEC-58).
    pub fn flows_in_use(&self) -> impl Iterator<Item = FlowId> {
        self.location.flows().chain(self.in_use.flows())
    }

    /// Whether this flow is one of [`Proxy::flows_in_use`].
    pub fn is_in_use(&self, flow: FlowId) -> bool {
        self.location.has_flow(flow) || self.in_use.contains(flow)
    }

    /// Whether every request has had its final answer, so that a draining server may stop. What is kept
    /// after that, for half a minute, is for answers that are repeated: those their ACKs stop elsewhere.
    pub fn has_answered_all(&self) -> bool {
        let is_answered = |client| self.timers.deadline(&Alarm::ForgetRelay(client)).is_some();
        self.waiting.is_empty()
            && self.held.is_empty()
            && self.calls.values().all(|call| call.context.is_over())
            && self.relays.keys().copied().all(is_answered)
    }

    /// Whether nothing is going on any more.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.afterwards.is_empty()
            && self.relays.is_empty()
            && self.waiting.is_empty()
            && self.missed_calls.is_at_rest()
    }

    /// Whether nothing at all is left of any request of others: what a server comes to when all have hung
    /// up and the last timer has fired.
    pub fn is_at_rest(&self) -> bool {
        self.is_idle()
            && self.call_of.is_empty()
            && self.branch_of.is_empty()
            && self.relay_of.is_empty()
            && self.passing.is_empty()
            && self.ringing.is_empty()
            && self.held.is_empty()
            && self.endpoint.transaction_count() == self.servers.asked()
            // The sweep and the pings go on for ever.
            && self.timers.len() <= 1 + self.servers.watched()
    }

    fn obey(&mut self, now: Instant, order: Order) {
        match order {
            Order::Clock(wall) => self.clock = Clocks { now, wall },
            Order::Stored { ticket, reply } => self.stored(now, ticket, reply),
            Order::UsersChanged => self.known_users.forget(),
            Order::Restore(kept) => {
                let clocks = self.clocks(now);
                for (address, bindings) in kept {
                    self.location.restore(clocks, &address, bindings);
                    self.contacts_changed(now, &address);
                }
            }
            Order::Reload(config) => {
                self.authentication.reconfigure(&config.domain, &config.digest);
                self.endpoint.reconfigure(endpoint_config(&config));
                self.config = *config;
                self.watch_servers(now);
                self.missed_calls.reconfigure();
                self.voice_mail_changed(now);
            }
            Order::Drain(is_draining) => self.is_draining = is_draining,
        }
    }

    fn happened(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { transaction, flow, request } => self.arrived(now, transaction, flow, request),
            Event::Ack { flow, request } => self.acknowledged(now, flow, &request),
            Event::Cancelled { transaction, .. } => self.cancelled(now, transaction),
            Event::Response { transaction, flow, response } => {
                self.heard_on(transaction, flow);
                if let Some((key, id)) = self.branch_of.get(&transaction).copied() {
                    if self.afterwards.contains_key(&key) {
                        return self.answered_again(now, (key, transaction), &response);
                    }
                    self.note_answer(now, (key, id), flow, &response);
                    self.branch_responded(now, (key, id), transaction, response);
                } else if !self.ping_responded(transaction, response.status())
                    && !self.missed_call_told(now, transaction, Some(response.status()))
                    && !self.message_waiting_responded(now, transaction, flow, &response)
                {
                    self.relay_responded(now, transaction, &response);
                }
            }
            Event::Failed { transaction, failure } => {
                if let Some((key, id)) = self.branch_of.get(&transaction).copied() {
                    self.branch_failed(now, (key, id), transaction, failure);
                } else if !self.ping_failed(transaction)
                    && !self.missed_call_told(now, transaction, None)
                    && !self.message_waiting_failed(now, transaction)
                {
                    self.relay_failed(now, transaction, failure);
                }
            }
            // Nobody is there any more to whom an answer could go.
            Event::ServerFailed { transaction, .. } => self.cancelled(now, transaction),
            // A binding knows its flow by name, and asks whether it is up when it is wanted.
            Event::FlowOpened { .. } => {}
            Event::FlowClosed { flow } => self.flow_closed(now, flow),
        }
    }

    fn cancelled(&mut self, now: Instant, transaction: ServerTransaction) {
        if let Some(key) = self.call_of.get(&transaction).copied() {
            self.call_cancelled(now, key);
        } else if let Some(client) = self.relay_of.get(&transaction).copied() {
            self.endpoint.cancel(now, client, None);
        } else {
            self.admission_cancelled(now, transaction);
        }
    }

    fn fired(&mut self, now: Instant, alarm: Alarm) {
        match alarm {
            Alarm::Call(key, timer) => self.call_timer(now, key, timer),
            Alarm::Alternative(key, id) => self.silent(now, key, id),
            Alarm::Forget(key) => self.forget(key),
            Alarm::ForgetRelay(client) => {
                self.end_relay(client);
            }
            Alarm::Held(transaction) => {
                if let Some(draft) = self.held.remove(&transaction) {
                    self.endpoint.respond(now, transaction, draft);
                }
            }
            Alarm::Ping(server) => self.ping(now, server),
            Alarm::Sweep => {
                self.refusals_left = record::REFUSALS_MAX;
                for address in self.location.sweep(now) {
                    self.contacts_changed(now, &address);
                    self.outputs.push_back(Output::Wish(Wish::Keep(address)));
                }
                self.timers.arm(Alarm::Sweep, now + SWEEP_EVERY);
            }
        }
    }

    fn stored(&mut self, now: Instant, ticket: Ticket, reply: Reply) {
        match self.waiting.remove(&ticket) {
            Some(Waiting::Password(answer)) => self.password_told(now, *answer, reply),
            Some(Waiting::User(lookup)) => self.user_told(now, lookup, reply),
            Some(Waiting::Named(named)) => self.name_told(now, *named, reply),
            Some(Waiting::Names(names)) => self.names_told(now, *names, reply),
            // Nobody waits for what was only to be written down.
            None => {
                let count = if let Reply::UserChanges(count) = reply { Some(count) } else { None };
                self.known_users.count_told(ticket, count);
            }
        }
    }

    /// Somebody is looked up: the store is asked whether users have changed, if it is time to.
    fn count_users(&mut self, now: Instant) {
        if self.known_users.wants_count(now) {
            let ticket = Ticket(self.number());
            self.known_users.count_asked(now, ticket);
            self.outputs.push_back(Output::Wish(Wish::Store { ticket, op: Op::CountUserChanges }));
        }
    }

    fn ask(&mut self, op: Op, waiting: Waiting) {
        let ticket = Ticket(self.number());
        self.waiting.insert(ticket, waiting);
        self.outputs.push_back(Output::Wish(Wish::Store { ticket, op }));
    }

    /// The time by both clocks.
    fn clocks(&self, now: Instant) -> Clocks {
        Clocks { now, wall: self.clock.wall + now.since(self.clock.now) }
    }

    /// Who a flow's other end is: the sender as far as the connection says, and its name.
    fn peer(&self, now: Instant, flow: FlowId) -> Option<(Sender, Option<String>)> {
        let flow = self.endpoint.flow(flow)?;
        let trust = trust(flow, &self.config.trust, self.clocks(now).wall);
        Some((Sender::of(&trust), trust.peer))
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A tag with 64 random bits (SEC-54).
    fn tag(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    /// The answer to a request that goes no further. DIAG-2, DIAG-5: insiders are told why.
    fn refusal(&mut self, request: &Request, sender: &Sender, refusal: Refusal) -> Draft {
        let answer = refusal.answer();
        let mut draft = Draft::reply(request, answer.status);
        draft.to_tag(&self.tag());
        if let Some((id, text)) = answer.diagnostics {
            let source = self.host().to_owned();
            let diagnostics = Diagnostics::new(id, text, &source);
            if sender.is_inside() {
                draft.push(HeaderName::MsDiagnostics, &diagnostics);
                draft.push(HeaderName::Warning, format_args!("399 {source} {}", quoted_string(text)));
            } else {
                draft.push(HeaderName::MsDiagnosticsPublic, &diagnostics.public());
            }
        }
        match refusal {
            Refusal::MethodNotAllowed => {
                draft.push(HeaderName::Allow, ALLOW);
            }
            Refusal::IntervalTooBrief => {
                draft.push(HeaderName::MinExpires, crate::location::EXPIRY_MIN.as_secs());
            }
            Refusal::BadEvent => {
                draft.push(HeaderName::AllowEvents, "message-summary");
            }
            _ => {}
        }
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            // REL-43: those refused together do not return together.
            let seconds = 1 + self.rng.next_u32() % 30;
            draft.push(HeaderName::RetryAfter, seconds);
        }
        draft
    }

    /// Our own name, for those who read diagnostics.
    fn host(&self) -> &str {
        let sent_by = self.config.tls.as_ref().or(self.config.tcp.as_ref());
        sent_by.map_or(self.config.domain.as_str(), |sent_by| sent_by.host.as_str())
    }
}

/// What may be sent to the server itself, or through it.
const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, PRACK, INFO, SUBSCRIBE, NOTIFY, MESSAGE, REFER";

fn endpoint_config(config: &Config) -> umbel_sip_endpoint::Config {
    umbel_sip_endpoint::Config {
        tcp: config.tcp.clone(),
        tls: config.tls.clone(),
        presents_certificate: config.presents_certificate,
        // RFC 3261 8.2.2.2 is for user agents: a proxy passes on what comes by two ways.
        refuses_merged_requests: false,
        ..umbel_sip_endpoint::Config::default()
    }
}

impl Node for Proxy {
    type Order = Order;
    type Wish = Wish;

    fn handle(&mut self, now: Instant, input: Input<Order>) {
        if let Input::Timeout = input {
            while let Some(alarm) = self.timers.expired(now) {
                self.fired(now, alarm);
            }
            self.message_waiting_due(now);
        }
        match separate(input) {
            Ok(input) => self.endpoint.handle(now, input),
            Err(order) => self.obey(now, order),
        }
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                self.happened(now, event);
            }
            let Some((lookup, user)) = self.recalled.pop_front() else { break };
            self.user_looked_up(now, lookup, Some(user));
        }
        while let Some(output) = self.endpoint.poll_output() {
            self.outputs.push_back(widen(output));
        }
        self.write_ended_calls(now);
        self.write_decisions();
    }

    fn poll_output(&mut self) -> Option<Output<Wish>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.message_waiting.timers.next(), self.endpoint.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }
}

#[cfg(test)]
#[path = "proxy/tests/mod.rs"]
mod tests;
