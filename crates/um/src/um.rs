//! The unified messaging server: all its calls, and what reaches them from outside.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{FlowId, Input, Node, Output};
use umbel_play_on_phone::{Admitted, News, PhoneCallId, Refusal as PhoneRefusal, Request};
use umbel_sip_endpoint::{separate, widen};
use umbel_sip_message::{HeaderName, Method, Uri};
use umbel_store::{Op, Reply, StoreError, Ticket};
use umbel_time::{Instant, Timers, UnixTime};
use umbel_ua::{Agent, CallKey, Command, Event, Invitation, Received, RequestKey};

use crate::call::{Call, is_stranger};
use crate::config::Config;
use crate::counter::Counter;
use crate::desk::{CallTimer, Desk, Tray};
use crate::message_waiting::{LampFigures, MessageWaiting, OurAddress};
use crate::missed_calls::MissedCalls;
use crate::order::{Alarm, MediaKey, NoSockets, Order, Wish};
use crate::refusal::Refusal;
use crate::turned_away::{self, TurnedAway};

/// REL-23: "running ones up to 60 s".
const DRAIN_PATIENCE: Duration = Duration::from_secs(60);
/// One in so many of all calls is kept for peers and gateways: strangers cannot take all there are.
const KEPT_FOR_KNOWN: usize = 8;
/// Calls beyond [`Config::calls_max`] that the user agent may hold, so that we, and not it, refuse them.
const CALLS_TO_REFUSE: usize = 256;
/// Calls whose caller has gone and whose recording waits for the store. With as many of them, new calls are
/// refused: a store that is away must not cost all memory.
const SAVING_MAX: usize = 1_000;
/// After [`DRAIN_PATIENCE`], how long recordings may take to be saved. What is not by then is found by the
/// store at its next start (REL-02).
const LAST_SAVING_PATIENCE: Duration = Duration::from_secs(30);

/// The brain of a unified messaging server ([MS-OCEXUM] 3.1.2, 3.2.1).
///
/// See [`crate::Order`] and [`crate::Wish`] for what goes in and out besides SIP.
pub struct Um {
    config: Config,
    agent: Agent,
    calls: BTreeMap<CallKey, Call>,
    tray: Tray,
    outputs: VecDeque<Output<Wish>>,
    rng: ChaCha20Rng,
    wall: Wall,
    drain: Drain,
    timers: Timers<ServerTimer>,
    lamps: MessageWaiting,
    missed_calls: MissedCalls,
    turned_away: TurnedAway,
}

/// The wall clock, as it was last told, and when that was.
#[derive(Clone, Copy, Debug)]
struct Wall {
    time: UnixTime,
    told: Instant,
}

impl Wall {
    fn at(self, now: Instant) -> UnixTime {
        self.time + now.since(self.told)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    /// New calls are taken.
    No,
    /// They are not, and the running ones come to their end.
    Draining,
    /// None is left, and that was said.
    Drained,
}

/// The timers of the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ServerTimer {
    /// The running calls have had their time.
    Drain,
    /// Their recordings have had theirs.
    LastSaving,
}

impl Um {
    /// A server without calls; `started` is what the wall clock shows at [`Instant::ZERO`].
    pub fn new(config: Config, started: UnixTime, mut rng: ChaCha20Rng) -> Um {
        let mut agent = Agent::new(agent_config(&config), ChaCha20Rng::from_rng(&mut rng));
        if !config.gateways.is_empty() {
            agent.command(Instant::ZERO, Command::Watch { gateways: config.gateways.clone() });
        }
        let mut um = Um {
            config,
            agent,
            calls: BTreeMap::new(),
            tray: Tray::default(),
            outputs: VecDeque::new(),
            rng,
            wall: Wall { time: started, told: Instant::ZERO },
            drain: Drain::No,
            timers: Timers::new(),
            lamps: MessageWaiting::new(),
            missed_calls: MissedCalls::new(),
            turned_away: TurnedAway::default(),
        };
        um.beside(Instant::ZERO, |lamps, _, counter| lamps.configure(counter));
        um.turn(Instant::ZERO);
        um
    }

    /// How many calls the server is in, those included whose caller has gone and whose recording is being
    /// saved.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The flows that calls go along now, with repetitions; the shell does not take these for idle (SEC-58).
    pub fn flows_in_use(&self) -> impl Iterator<Item = FlowId> {
        self.agent.flows_in_use()
    }

    /// Whether nothing is left of any call: no dialog, no socket, no question, no timer (I5).
    pub fn is_at_rest(&self) -> bool {
        self.calls.is_empty()
            && self.agent.call_count() == 0
            && self.tray.questions.is_empty()
            && self.tray.timers.is_empty()
            && self.tray.sockets.is_empty()
            && self.tray.phone_calls.is_at_rest()
            && self.lamps.is_at_rest()
            && self.missed_calls.is_at_rest()
    }

    /// What an operator wants to know of message waiting.
    pub fn lamp_figures(&self) -> LampFigures {
        self.lamps.figures()
    }

    fn order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Clock(time) => self.wall = Wall { time, told: now },
            Order::MediaOpened { key, at } => self.media_opened(now, key, at),
            Order::Media { key, event } => {
                self.with(now, CallKey(key.0), |call, desk| call.media(event, desk));
            }
            Order::Stored { ticket, reply } => self.stored(now, ticket, reply),
            Order::PlayOnPhone(request) => self.play_on_phone(now, &request),
            Order::Disconnect(id) => self.disconnect(now, id),
            Order::Reload(config) => self.reload(now, *config),
            Order::Drain => self.begin_to_drain(now),
        }
    }

    fn media_opened(&mut self, now: Instant, key: MediaKey, at: Result<std::net::SocketAddr, NoSockets>) {
        self.with(now, CallKey(key.0), |call, desk| call.media_opened(at, desk));
    }

    fn stored(&mut self, now: Instant, ticket: Ticket, reply: Reply) {
        let Some((call, question)) = self.tray.questions.remove(&ticket) else {
            // Nobody may wait for an answer any more, or ever have.
            return self.beside(now, |lamps, missed_calls, counter| {
                if let Some(reply) = lamps.replied(ticket, reply, counter) {
                    missed_calls.replied(ticket, reply, counter);
                }
            });
        };
        self.tray.timers.disarm(&(call, CallTimer::Reply(ticket)));
        self.with(now, call, |call, desk| call.replied(question, reply, desk));
    }

    /// A user asks for a call.
    fn play_on_phone(&mut self, now: Instant, request: &Request) {
        let refusal = match (self.surplus(None), &self.config.play_on_phone.outbound_proxy) {
            (Some(_), _) => PhoneRefusal::Unavailable,
            (None, None) => PhoneRefusal::NoGateway,
            (None, Some(proxy)) => match self.tray.phone_calls.admission.ask(now, request) {
                Ok(Admitted::New) => {
                    let proxy = proxy.clone();
                    return self.begin_phone_call(now, request, &proxy);
                }
                Ok(Admitted::Repeats(first)) => {
                    if let Some(key) = self.tray.phone_calls.key(first) {
                        return self.with(now, key, |call, desk| call.repeated(request.id, desk));
                    }
                    PhoneRefusal::Unavailable
                }
                Err(refusal) => refusal,
            },
        };
        self.tray.wishes.push_back(Wish::PhoneCall { id: request.id, news: News::Refused(refusal) });
    }

    fn begin_phone_call(&mut self, now: Instant, request: &Request, proxy: &Uri) {
        let key = self.agent.fresh_call();
        self.tray.phone_calls.began(request.id, key);
        let call = Call::asked(request, proxy, &self.desk(now, key));
        self.calls.insert(key, call);
        self.with(now, key, |call, desk| call.inquire(request, desk));
    }

    fn disconnect(&mut self, now: Instant, id: PhoneCallId) {
        if let Some(key) = self.tray.phone_calls.key(id) {
            self.with(now, key, Call::disconnect);
        }
    }

    /// SEC-08: what is decided from now on is decided by the new settings.
    fn reload(&mut self, now: Instant, config: Config) {
        self.agent.reconfigure(agent_config(&config));
        if config.gateways != self.config.gateways {
            self.agent.command(now, Command::Watch { gateways: config.gateways.clone() });
        }
        self.config = config;
        self.beside(now, |lamps, _, counter| lamps.configure(counter));
    }

    fn begin_to_drain(&mut self, now: Instant) {
        if self.drain == Drain::No {
            self.drain = Drain::Draining;
            self.agent.command(now, Command::Drain(true));
            self.timers.arm(ServerTimer::Drain, now + DRAIN_PATIENCE);
            self.beside(now, |lamps, _, counter| lamps.drain(counter));
            let unplaced: Vec<_> =
                self.calls.values().filter(|call| call.is_only_asked_for()).map(Call::key).collect();
            for key in unplaced {
                self.with(now, key, Call::disconnect);
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Invited { call, invitation } => self.invited(now, call, &invitation),
            Event::TurnedAway { transport, request, status, why } => {
                if self.turned_away.may_record(now) {
                    let by = (&transport, &self.config.trust);
                    let decision = turned_away::decision(by, &request, self.wall.at(now), (status, why));
                    let (ticket, op) = (self.tray.fresh_ticket(), Op::Decide(vec![decision]));
                    self.tray.wishes.push_back(Wish::Store { ticket, op });
                }
            }
            Event::Confirmed { call, answer } => {
                self.with(now, call, |call, desk| call.confirmed(answer.as_deref(), desk));
            }
            Event::Offered { call, offer, by: _ } => {
                self.with(now, call, |call, desk| call.offered(offer.as_deref(), desk));
            }
            Event::Negotiated { call, answer } => {
                self.with(now, call, |call, desk| call.negotiated(&answer, desk));
            }
            Event::Info { call, content_type, body } => {
                self.with(now, call, |call, desk| call.info(&content_type, &body, desk));
            }
            Event::Ended { call, ending } => self.with(now, call, |call, desk| call.ended(&ending, desk)),
            Event::Gateway { gateway, standing } => {
                self.lamps.gateway(now, &gateway, standing);
                self.outputs.push_back(Output::Wish(Wish::Gateway { gateway, standing }));
            }
            Event::Received { key, received } => self.received(now, key, received),
            Event::Completed { ticket, outcome } => {
                self.beside(now, |lamps, _, counter| lamps.completed(ticket, &outcome, counter));
            }
            Event::Progress { call, status, .. } => {
                self.with(now, call, |call, desk| call.progressed(status, desk));
            }
            Event::Answered { call, response, answer, .. } => {
                let status = response.status();
                self.with(now, call, |call, desk| call.answered(status, answer.as_deref(), desk));
            }
            Event::Referring { call, status, last } => {
                self.with(now, call, |call, desk| call.referring(status, last, desk));
            }
            // We change no sessions, follow nobody elsewhere (SEC-42), nor subscribe, nor register.
            Event::Unchanged { .. }
            | Event::Notified { .. }
            | Event::Referred { .. }
            | Event::Registration(_) => {}
        }
    }

    /// Somebody asks something beside calls.
    fn received(&mut self, now: Instant, key: RequestKey, received: Box<Received>) {
        if *received.request.method() == Method::Message {
            return self
                .beside(now, |_, missed_calls, counter| missed_calls.received(key, &received, counter));
        }
        let address = OurAddress { tag: self.agent.fresh_tag(), contact: self.agent.contact(received.flow) };
        self.beside(now, |lamps, _, counter| lamps.received(key, received, address, counter));
    }

    /// Does something beside calls.
    fn beside(
        &mut self,
        now: Instant,
        act: impl FnOnce(&mut MessageWaiting, &mut MissedCalls, &mut Counter<'_>),
    ) {
        let mut counter = Counter {
            now,
            wall: self.wall.at(now),
            config: &self.config,
            rng: &mut self.rng,
            tray: &mut self.tray,
            is_draining: self.drain != Drain::No,
        };
        act(&mut self.lamps, &mut self.missed_calls, &mut counter);
    }

    fn invited(&mut self, now: Instant, key: CallKey, invitation: &Invitation) {
        match self.surplus(Some((now, invitation))) {
            Some(refusal) => {
                let mut desk = self.desk(now, key);
                let headers: Vec<(HeaderName, String)> = refusal.headers(desk.retry_after(), "");
                desk.command(Command::Refuse { call: key, status: refusal.status(), headers });
            }
            None => {
                let call = Call::new(invitation, &self.desk(now, key));
                self.calls.insert(key, call);
                self.with(now, key, |call, desk| call.invited(invitation, desk));
            }
        }
    }

    /// Why no further call is taken: this one that comes, or one of ours.
    fn surplus(&self, invited: Option<(Instant, &Invitation)>) -> Option<Refusal> {
        if self.drain != Drain::No {
            return Some(Refusal::Draining);
        }
        // PEER-18. Those whose caller has gone have a bound of their own.
        let live = self.calls.values().filter(|call| call.is_live()).count();
        let saving = self.calls.len() - live;
        let full = live >= self.config.calls_max || saving >= SAVING_MAX;
        let is_one_too_many = |(now, invitation)| self.is_one_stranger_too_many(now, invitation);
        (full || invited.is_some_and(is_one_too_many)).then_some(Refusal::Busy)
    }

    /// Whether this call would take one of the places that are kept for those who are known.
    fn is_one_stranger_too_many(&self, now: Instant, invitation: &Invitation) -> bool {
        let policy = &self.config.trust;
        let trust = umbel_ocexum::trust(&invitation.transport, policy, self.wall.at(now));
        // Where nobody is known there is nobody to keep a place for.
        if !is_stranger(&trust) || (policy.peers.is_empty() && policy.gateways.is_empty()) {
            return false;
        }
        let strangers = self.calls.values().filter(|call| call.is_live() && call.is_strangers()).count();
        strangers >= self.config.calls_max - self.config.calls_max / KEPT_FOR_KNOWN
    }

    fn timer(&mut self, now: Instant, call: CallKey, timer: CallTimer) {
        if let CallTimer::Reply(ticket) = timer {
            // Too late is as good as not at all: the conversation goes on (REL-38).
            self.stored(now, ticket, Reply::Failed(StoreError::Overloaded));
        } else {
            self.with(now, call, |call, desk| call.timer(timer, desk));
        }
    }

    fn desk(&mut self, now: Instant, call: CallKey) -> Desk<'_> {
        let wall = self.wall.at(now);
        Desk { call, now, wall, config: &self.config, rng: &mut self.rng, tray: &mut self.tray }
    }

    /// Does something with a call, if there still is one of this name.
    ///
    /// REL-25: a panic in it is a bug of ours, and ends this call only. What the call shares with others is the
    /// tray, which only ever has whole things put into it.
    fn with(&mut self, now: Instant, key: CallKey, act: impl FnOnce(&mut Call, &mut Desk<'_>)) {
        let Some(mut call) = self.calls.remove(&key) else { return };
        if let Err(what) = isolated(|| act(&mut call, &mut self.desk(now, key))) {
            let mut desk = self.desk(now, key);
            desk.alarm(Alarm::CallBroke { call_id: call.call_id().to_owned(), what });
            if isolated(|| call.fail(&mut desk)).is_err() {
                return call.abandon(&mut self.desk(now, key));
            }
        }
        if !call.is_over() {
            self.calls.insert(key, call);
        }
    }

    /// Carries to and fro between calls and user agent until both are quiet.
    fn turn(&mut self, now: Instant) {
        loop {
            if let Some(command) = self.tray.commands.pop_front() {
                let invited = if let Command::Invite { call, .. } = &command { Some(*call) } else { None };
                self.agent.command(now, command);
                if let Some(key) = invited {
                    self.invite_left(now, key);
                }
            } else if let Some(event) = self.agent.poll_event() {
                self.event(now, event);
            } else {
                break;
            }
        }
        while let Some(output) = self.agent.poll_output() {
            self.outputs.push_back(widen(output));
        }
        self.outputs.extend(self.tray.wishes.drain(..).map(Output::Wish));
        if self.drain == Drain::Draining && self.calls.is_empty() {
            self.drain = Drain::Drained;
            self.timers.disarm(&ServerTimer::Drain);
            self.timers.disarm(&ServerTimer::LastSaving);
            self.outputs.push_back(Output::Wish(Wish::Drained));
        }
    }

    /// The user agent has given a call of ours its names, unless it could not even begin.
    fn invite_left(&mut self, now: Instant, key: CallKey) {
        if let Some((call_id, from_tag)) = self.agent.names(key) {
            self.with(now, key, |call, desk| call.placed(&call_id, from_tag, desk));
        }
    }

    fn fire(&mut self, now: Instant) {
        while let Some((call, timer)) = self.tray.timers.expired(now) {
            self.timer(now, call, timer);
            self.turn(now);
        }
        if self.lamps.poll_timeout().is_some_and(|at| at <= now) {
            self.beside(now, |lamps, _, counter| lamps.fire(counter));
            self.turn(now);
        }
        self.beside(now, |_, missed_calls, counter| missed_calls.fire(counter));
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                ServerTimer::Drain => self.stop_calls(now),
                ServerTimer::LastSaving => self.give_calls_up(now),
            }
            self.turn(now);
        }
    }

    /// REL-23: "then recordings are closed and saved".
    fn stop_calls(&mut self, now: Instant) {
        for key in self.calls.keys().copied().collect::<Vec<_>>() {
            self.with(now, key, Call::stop);
        }
        self.timers.arm(ServerTimer::LastSaving, now + LAST_SAVING_PATIENCE);
    }

    /// The store does not answer, and we were asked to stop.
    fn give_calls_up(&mut self, now: Instant) {
        for (key, mut call) in std::mem::take(&mut self.calls) {
            call.abandon(&mut self.desk(now, key));
        }
    }
}

/// Runs something that may panic; says what the panic said, where that is a constant of the program.
fn isolated(act: impl FnOnce()) -> Result<(), &'static str> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|cause| {
        cause.downcast_ref::<&'static str>().copied().unwrap_or("an invariant does not hold")
    })
}

impl Node for Um {
    type Order = Order;
    type Wish = Wish;

    fn handle(&mut self, now: Instant, input: Input<Order>) {
        match separate(input) {
            Ok(input) => self.agent.handle(now, input),
            Err(order) => self.order(now, order),
        }
        self.turn(now);
        self.fire(now);
    }

    fn poll_output(&mut self) -> Option<Output<Wish>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [
            self.agent.poll_timeout(),
            self.tray.timers.next(),
            self.timers.next(),
            self.lamps.poll_timeout(),
            self.missed_calls.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// The settings of the user agent. Its own bound of calls is above ours, so that what is too much gets our
/// answer.
fn agent_config(config: &Config) -> umbel_ua::Config {
    let calls_max = config.calls_max.saturating_add(CALLS_TO_REFUSE);
    // DEC-8, MISS-2: what is asked beside calls; nobody notifies us.
    umbel_ua::Config {
        calls_max,
        subscribe: true,
        message: true,
        notify: false,
        refer: false,
        // A caller may be sent on to who left a message.
        refers: true,
        // SEC-32: `umbel why` tells of them.
        tell_turned_away: true,
        ..config.agent.clone()
    }
}

#[cfg(test)]
#[path = "um_tests.rs"]
mod tests;
