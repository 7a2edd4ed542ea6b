//! The user agent: all calls of one element, and what it asks and answers outside them.

mod answers;
mod beside;
mod referring;
mod registering;
mod replacing;
mod requests;
mod watching;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Flow, FlowId, Input, Output, Transport};
use umbel_sip_endpoint::{Endpoint, Target};
use umbel_sip_message::PING;
use umbel_time::{Instant, Timers};

use crate::asked::Purpose;
use crate::call::Call;
use crate::shared::{CallTimer, Shared, Timer};
use crate::tag::LocalTag;
use crate::{CallKey, Command, Config, Ending, Event, Outcome, OutsideRequest, Ticket};

use beside::Beside;
pub use beside::RECEIVED_MAX;
pub use referring::REFERRALS_MAX;
use registering::Registrar;
pub use replacing::CALLS_OVER_MAX;
use replacing::Over;
pub use watching::GATEWAYS_MAX;
use watching::Gateways;

/// Requests outside calls that await a response; one more ends at once with [`Outcome::Abandoned`].
pub const REQUESTS_MAX: usize = 1_000;

/// The user-agent core of RFC 3261 8 and 12 to 15.
///
/// A value without clock or sockets, on top of a [`Endpoint`] of its own. [`Agent::handle`] takes in
/// what happened, [`Agent::command`] what is wanted; the `poll_` methods give what comes of it. After
/// each of the former, poll events and outputs until there are none.
pub struct Agent {
    shared: Shared,
    calls: BTreeMap<CallKey, Call>,
    /// Calls that are over, where the peer is still to be told what came of a REFER.
    referring: BTreeMap<CallKey, Call>,
    over: Over,
    gateways: Gateways,
    registrar: Option<Registrar>,
    beside: Beside,
    /// Flows of ours that a keep-alive is to be sent on.
    pings: VecDeque<FlowId>,
    requests: usize,
    last_incoming: u64,
    last_outgoing: u64,
    draining: bool,
}

impl Agent {
    /// An agent without calls. The generator makes tags, Call-IDs, branches and waits.
    pub fn new(config: Config, mut rng: ChaCha20Rng) -> Self {
        let endpoint = Endpoint::new(config.endpoint.clone(), ChaCha20Rng::from_rng(&mut rng));
        Agent {
            shared: Shared {
                config,
                rng,
                endpoint,
                timers: Timers::new(),
                events: VecDeque::new(),
                asked: BTreeMap::new(),
                answering: BTreeMap::new(),
                by_tag: BTreeMap::new(),
            },
            calls: BTreeMap::new(),
            referring: BTreeMap::new(),
            over: Over::default(),
            gateways: Gateways::default(),
            registrar: None,
            beside: Beside::default(),
            pings: VecDeque::new(),
            requests: 0,
            last_incoming: 0,
            last_outgoing: 0,
            draining: false,
        }
    }

    /// Takes in one thing that happened.
    pub fn handle(&mut self, now: Instant, input: Input<Infallible>) {
        self.shared.endpoint.handle(now, input);
        self.pump(now);
        while let Some(timer) = self.shared.timers.expired(now) {
            self.timer(now, timer);
            self.pump(now);
        }
    }

    /// Takes an order.
    pub fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Ring { call } => {
                self.with(now, call, |call, shared| call.ring(now, shared));
            }
            Command::Answer { call, body, headers } => {
                self.with(now, call, |call, shared| call.answer(now, shared, body, headers));
            }
            Command::Refuse { call, status, headers } => {
                self.with(now, call, |call, shared| call.refuse(now, shared, status, headers));
            }
            Command::HangUp { call } => {
                self.with(now, call, |call, shared| call.hang_up(now, shared));
            }
            Command::Accept { call, body } => {
                self.with(now, call, |call, shared| call.accept(now, shared, body));
            }
            Command::Reject { call, status, headers } => {
                self.with(now, call, |call, shared| call.reject(now, shared, status, &headers));
            }
            Command::Invite { call, outgoing } => self.place(now, call, *outgoing),
            Command::Reoffer { call, body } => {
                self.with(now, call, |call, shared| call.reoffer(now, shared, body));
            }
            Command::SendInfo { call, content_type, body } => {
                self.with(now, call, |call, shared| call.send_info(now, shared, &content_type, body.0));
            }
            Command::Refer { call, to, headers } => {
                self.with(now, call, |call, shared| call.refer(now, shared, &to, &headers));
            }
            Command::Notify { call, last, headers, body } => {
                self.notify(now, call, last, &headers, body);
            }
            Command::Request { ticket, request } => self.request(now, ticket, *request),
            Command::Respond { request, response } => self.respond(now, request, *response),
            Command::Send { ticket, request, flow, hop } => {
                let flow = flow.filter(|flow| self.shared.is_up(*flow));
                self.send(now, ticket, *request, flow.map_or(Target::Uri(hop), Target::Flow));
            }
            Command::Watch { gateways } => self.watch(now, gateways),
            Command::Register { account } => self.register(now, *account),
            Command::Unregister => self.unregister(now),
            Command::Drain(draining) => self.draining = draining,
        }
        self.pump(now);
    }

    /// The next fact.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.shared.events.pop_front()
    }

    /// The next thing to do for the shell.
    pub fn poll_output(&mut self) -> Option<Output<Infallible>> {
        self.shared.endpoint.poll_output().or_else(|| {
            let id = self.pings.pop_front()?;
            Some(Output::Transmit { id, bytes: bytes::Bytes::from_static(PING) })
        })
    }

    /// When [`Input::Timeout`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.shared.endpoint.poll_timeout(), self.shared.timers.next()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// A name for a call that we are going to place.
    pub fn fresh_call(&mut self) -> CallKey {
        // Odd numbers are ours, even ones those of callers.
        self.last_outgoing += 1;
        CallKey(self.last_outgoing * 2 - 1)
    }

    /// A flow that is up.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.shared.endpoint.flow(id)
    }

    /// The Call-ID of a call that is not over.
    pub fn call_id(&self, call: CallKey) -> Option<&str> {
        self.calls.get(&call)?.call_id()
    }

    /// The Call-ID of a call that is not over, and the tag by which we are known in it.
    pub fn names(&self, call: CallKey) -> Option<(String, String)> {
        let call = self.calls.get(&call)?;
        Some((call.call_id()?.to_owned(), call.local_tag().to_string()))
    }

    /// The Call-ID of our registration: one for all its requests (RFC 3261 10.2).
    pub fn registration_call_id(&self) -> Option<&str> {
        self.registrar.as_ref()?.call_id()
    }

    /// The flows that calls go along now, with repetitions. They are not idle, however quiet.
    pub fn flows_in_use(&self) -> impl Iterator<Item = FlowId> {
        self.calls.values().filter_map(Call::flow)
    }

    /// The value of Contact for somebody who is heard over this flow.
    pub fn contact(&self, flow: FlowId) -> String {
        let transport = self.shared.endpoint.flow(flow).map_or(Transport::Tcp, |flow| flow.transport);
        self.shared.contact(transport, Some(flow))
    }

    /// A tag that was never used and will not be guessed (SEC-54).
    pub fn fresh_tag(&mut self) -> String {
        LocalTag::random(&mut self.shared.rng).to_string()
    }

    /// Calls that are not over.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// Whether nobody waits for anything any more: no call, and no request of ours without its response.
    /// Transactions that linger for what may come late are not waited for.
    pub fn is_settled(&self) -> bool {
        self.calls.is_empty() && self.shared.asked.values().all(crate::asked::Asked::is_answered)
    }

    /// Whether nothing at all is going on: no call, no request, no transaction, no timer (I5).
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.shared.asked.is_empty()
            && self.shared.answering.is_empty()
            && self.shared.by_tag.is_empty()
            && self.beside.is_idle()
            && self.referring.is_empty()
            && self.shared.timers.is_empty()
            && self.shared.endpoint.transaction_count() == 0
    }

    /// Changes names and bounds; what is going on is not touched.
    pub fn reconfigure(&mut self, config: Config) {
        self.shared.endpoint.reconfigure(config.endpoint.clone());
        self.shared.config = config;
    }

    /// Lets a call do something, and buries it if that was its end.
    fn with<R>(
        &mut self,
        now: Instant,
        key: CallKey,
        act: impl FnOnce(&mut Call, &mut Shared) -> R,
    ) -> Option<R> {
        let call = self.calls.get_mut(&key)?;
        let result = act(call, &mut self.shared);
        if call.ending().is_some() {
            self.bury(now, key);
        }
        Some(result)
    }

    /// The one place where a call is forgotten, and the one that tells of it.
    fn bury(&mut self, now: Instant, key: CallKey) {
        let Some(mut call) = self.calls.remove(&key) else { return };
        call.close_changes(now, &mut self.shared);
        self.shared.by_tag.remove(&call.local_tag());
        for timer in CallTimer::ALL {
            self.shared.disarm(key, timer);
        }
        if let Some(ending) = call.ending().cloned() {
            self.shared.tell(Event::Ended { call: key, ending });
        }
        self.remember_over(&call);
        self.remember_referral(key, call);
    }

    fn place(&mut self, now: Instant, key: CallKey, outgoing: crate::Outgoing) {
        if self.calls.contains_key(&key) {
            return;
        }
        if self.calls.len() >= self.shared.config.calls_max {
            self.shared.tell(Event::Ended { call: key, ending: Ending::Abandoned });
            return;
        }
        let call = Call::place(now, &mut self.shared, key, outgoing);
        self.shared.by_tag.insert(call.local_tag(), key);
        self.calls.insert(key, call);
    }

    fn request(&mut self, now: Instant, ticket: Ticket, request: OutsideRequest) {
        let reserved = matches!(
            request.method,
            umbel_sip_message::Method::Invite
                | umbel_sip_message::Method::Ack
                | umbel_sip_message::Method::Cancel
                | umbel_sip_message::Method::Register
        );
        if reserved || self.requests >= REQUESTS_MAX {
            self.shared.tell(Event::Completed { ticket, outcome: Outcome::Abandoned });
            return;
        }
        self.requests += 1;
        let tag = LocalTag::random(&mut self.shared.rng);
        crate::outside::send(now, &mut self.shared, Purpose::Request(ticket), request, tag);
    }

    fn complete(&mut self, ticket: Ticket, outcome: Outcome) {
        self.requests = self.requests.saturating_sub(1);
        self.shared.tell(Event::Completed { ticket, outcome });
    }

    fn timer(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::Call(key, timer) => {
                self.with(now, key, |call, shared| call.timer(now, shared, timer));
            }
            Timer::InviteOver(transaction) => {
                self.shared.asked.remove(&transaction);
            }
            Timer::Ping(gateway) => self.ping(now, gateway),
            Timer::Registration => self.step_registration(now, crate::registration::Input::Due),
            Timer::KeepAlive => self.step_registration(now, crate::registration::Input::KeepAliveDue),
        }
    }
}
