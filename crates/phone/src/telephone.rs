//! The telephone: its registration, its calls, and what its owner orders.

mod calling;
mod receiving;
mod redirecting;
mod replacing;
mod transferring;
mod watching;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Flow, FlowId, Input, Node, Output, Transport};
use umbel_sip_message::Uri;
use umbel_time::{Instant, Timers};
use umbel_ua::registration::{Account, News as Change};
use umbel_ua::{Agent, CallKey, Command, Contacts, Event, Way};

use crate::call::{Call, Stage};
use crate::config::Config;
use crate::order::{Ended, How, News, NoSockets, Order, Progress, Registration, Wish};
use crate::skip_pin::Standing;
pub use redirecting::REDIRECTIONS_MAX;
use transferring::Transfer;
use watching::Watch;

/// How long we wait for an answer before giving up: beyond a ring time of a minute and Timer B.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(100);
/// How long it may ring here: as long as a proxy waits with Timer C (RFC 3261 16.6). Then the caller hears 480, should
/// nobody have given up before.
pub const RINGS_WITHIN: Duration = Duration::from_secs(181);
/// Calls that the layer below takes beyond our lines, so that they hear "busy" and not "overload".
const BUSY_CALLS: usize = 8;

/// The protocol client of [MS-OCEXUM]: see the crate's page.
pub struct Telephone {
    config: Config,
    agent: Agent,
    rng: ChaCha20Rng,
    calls: BTreeMap<CallKey, Call>,
    /// Calls that another call has sent us to, until they are answered or over.
    transfers: BTreeMap<CallKey, Transfer>,
    registration: Option<Registered>,
    timers: Timers<Timer>,
    watch: Option<Watch>,
    outputs: VecDeque<Output<Wish>>,
}

/// What the registration is worth.
#[derive(Clone, Copy)]
struct Registered {
    flow: FlowId,
    authenticated: bool,
}

/// Waits of a telephone's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// It rang for as long as it was to.
    Answer(CallKey),
    /// It rang for [`RINGS_WITHIN`].
    Rung(CallKey),
    /// Nobody answered us for [`ANSWERED_WITHIN`].
    GiveUp(CallKey),
}

impl Telephone {
    /// A telephone that does nothing yet. The generator makes everything that nobody may guess.
    pub fn new(config: Config, mut rng: ChaCha20Rng) -> Self {
        let agent = umbel_ua::Config {
            contacts: Contacts { tcp: Some(config.contact.clone()), tls: Some(config.contact.clone()) },
            // RFC 3840 10.5: a person answers here.
            automata: false,
            user_agent: config.user_agent.clone(),
            calls_max: config.lines.saturating_add(BUSY_CALLS),
            notify: true,
            refer: config.transfers,
            replaces: config.transfers,
            ..Default::default()
        };
        let agent = Agent::new(agent, ChaCha20Rng::from_rng(&mut rng));
        Telephone {
            config,
            agent,
            rng,
            calls: BTreeMap::new(),
            transfers: BTreeMap::new(),
            registration: None,
            timers: Timers::new(),
            watch: None,
            outputs: VecDeque::new(),
        }
    }

    /// A name for a call that is going to be placed.
    pub fn fresh_call(&mut self) -> CallKey {
        self.agent.fresh_call()
    }

    /// Whether nobody waits for anything any more: no call, and every request has its response.
    pub fn is_settled(&self) -> bool {
        self.calls.is_empty() && self.agent.is_settled()
    }

    /// The calls that are not over.
    pub fn calls(&self) -> impl Iterator<Item = CallKey> {
        self.calls.keys().copied()
    }

    /// The flows that the registration and the calls go along, with repetitions: they are not idle, however
    /// quiet.
    pub fn flows_in_use(&self) -> impl Iterator<Item = FlowId> {
        self.registration.iter().map(|registered| registered.flow).chain(self.agent.flows_in_use())
    }

    fn transport(&self) -> Transport {
        let transport = self.config.server.transport().unwrap_or_default();
        if transport.eq_ignore_ascii_case("tls") { Transport::Tls } else { Transport::Tcp }
    }

    /// RFC 5626 4.3: along the flow of the registration while it is up, else to the server.
    fn way(&self) -> Way {
        match self.registered_flow() {
            Some((id, _)) => Way::Flow(id),
            None => Way::Proxy(self.config.server.clone()),
        }
    }

    fn registered_flow(&self) -> Option<(FlowId, &Flow)> {
        let id = self.registration?.flow;
        self.agent.flow(id).map(|flow| (id, flow))
    }

    fn standing(&self) -> Standing {
        match self.registration {
            Some(Registered { authenticated: true, .. }) => Standing::Authenticated,
            _ if self.config.known_by_certificate => Standing::ShowsCertificate,
            _ => Standing::Unknown,
        }
    }

    fn order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Register => self.register(now),
            Order::Unregister => self.agent.command(now, Command::Unregister),
            Order::Call(dial) => self.dial(*dial),
            Order::CallVoiceMail { call, skip_pin } => self.call_voice_mail(call, skip_pin),
            Order::Answer { call } => self.answer(now, call),
            Order::Refuse { call, how } => self.refuse(now, call, how),
            Order::HangUp { call } => {
                self.hang_up(now, call, None);
                self.give_up_transfer(now, call);
            }
            Order::Hold { call, held } => self.hold(now, call, held),
            Order::Sound { call, command } => {
                if matches!(self.calls.get(&call), Some(Call { stage: Stage::Up(_), .. })) {
                    self.wish(Wish::Media { call, command });
                }
            }
            Order::WatchMailbox => self.watch_mailbox(now),
            Order::UnwatchMailbox => self.unwatch_mailbox(now),
            Order::Answering(answering) => self.config.answering = answering,
            Order::AppearOffline(offline) => self.config.appear_offline = offline,
            Order::MediaOpened { call, at } => self.media_opened(now, call, at),
            Order::Media { call, event } => self.heard(now, call, event),
        }
    }

    fn register(&mut self, now: Instant) {
        let Config { owner, server, instance, expires, credentials, .. } = &self.config;
        let domain = format!("sip:{}", owner.host()).parse::<Uri>();
        let account = Account {
            address_of_record: owner.clone(),
            // RFC 3261 10.2: "the domain of the location service", without a user part.
            registrar: domain.unwrap_or_else(|_| owner.clone()),
            way: Way::Proxy(server.clone()),
            instance: instance.clone(),
            expires: *expires,
            credentials: credentials.clone(),
        };
        self.agent.command(now, Command::Register { account: Box::new(account) });
    }

    fn registration_changed(&mut self, now: Instant, change: Change) {
        let change = match change {
            Change::Registered { flow, expires, authenticated } => {
                let moved = self.registration.is_none_or(|before| before.flow != flow);
                self.registration = Some(Registered { flow, authenticated });
                if moved {
                    self.follow_registration(now);
                }
                Registration::Registered { expires, authenticated }
            }
            Change::Lost { status } => {
                self.registration = None;
                Registration::Lost { status }
            }
            Change::Refused(status) => {
                self.registration = None;
                Registration::Refused(status)
            }
            Change::Unregistered => {
                self.registration = None;
                Registration::Withdrawn
            }
        };
        let call_id = self.agent.registration_call_id().unwrap_or_default().to_owned();
        self.wish(Wish::Tell(News::Registration { call_id, change }));
    }

    fn media_opened(&mut self, now: Instant, key: CallKey, at: Result<SocketAddr, NoSockets>) {
        let Some(call) = self.calls.get(&key) else {
            // The call ended while its sockets were being bound.
            return self.wish(Wish::CloseMedia { call: key });
        };
        if call.is_described() {
            return;
        }
        match (&call.stage, at) {
            (Stage::Opening(_), Ok(at)) => self.place(now, key, at),
            (Stage::Arriving { .. }, Ok(at)) => self.ring(now, key, at),
            (_, Ok(_)) => {}
            (_, Err(NoSockets)) => self.hang_up(now, key, Some(How::NoRoom)),
        }
    }

    fn heard(&mut self, now: Instant, call: CallKey, event: umbel_media::Event) {
        match event {
            umbel_media::Event::RtpLost => self.hang_up(now, call, Some(How::Lost)),
            event => self.tell(call, Progress::Sound(event)),
        }
    }

    fn pump(&mut self, now: Instant) {
        loop {
            if let Some(event) = self.agent.poll_event() {
                self.event(now, event);
            } else if let Some(output) = self.agent.poll_output() {
                self.outputs.push_back(without_wish(output));
            } else {
                return;
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Registration(change) => self.registration_changed(now, change),
            Event::Invited { call, invitation } => self.invited(now, call, *invitation),
            Event::Confirmed { call, answer } => self.confirmed(now, call, answer),
            Event::Progress { call, status, .. } => self.progressed(call, status),
            Event::Answered { call, response, answer, .. } => self.answered(now, call, &response, answer),
            Event::Offered { call, offer, .. } => self.offered(now, call, offer),
            Event::Negotiated { call, answer } => self.negotiated(now, call, &answer),
            Event::Unchanged { call, .. } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.withdraw_offer();
                }
            }
            Event::Referred { call, key, received } => self.referred(now, call, key, &received.request),
            Event::Ended { call, ending } => self.ended(now, call, ending),
            Event::Notified { flow, request } => self.notified(flow, &request),
            Event::Received { key, received } => self.received(now, key, &received),
            Event::Completed { ticket, outcome } => self.subscribe_answered(now, ticket, outcome),
            // Digits in INFO: a telephone has no menus. And it watches no gateways, and sends nobody on.
            Event::Info { .. }
            | Event::Gateway { .. }
            | Event::Referring { .. }
            | Event::TurnedAway { .. } => {}
        }
    }

    fn wish(&mut self, wish: Wish) {
        self.outputs.push_back(Output::Wish(wish));
    }

    fn tell(&mut self, call: CallKey, change: Progress) {
        if let Some(Call { call_id, .. }) = self.calls.get(&call) {
            let news = News::Call { call, call_id: call_id.clone(), change };
            self.wish(Wish::Tell(news));
        }
    }

    /// Whatever its waits were for has come about.
    fn forget_waits(&mut self, key: CallKey) {
        for timer in [Timer::Answer(key), Timer::Rung(key), Timer::GiveUp(key)] {
            self.timers.disarm(&timer);
        }
    }

    /// The one place where a call is forgotten, and the one that tells of it.
    fn bury(&mut self, now: Instant, key: CallKey, how: How) {
        let Some(call) = self.calls.remove(&key) else { return };
        self.forget_waits(key);
        let lasted = call.lasted(now);
        let how = call.because.unwrap_or(how);
        self.transfer_ended(now, key, transferring::status_of(&how));
        let missed = receiving::is_missed(call.incoming.as_deref(), lasted, &how);
        let ended = Ended { how, lasted, missed, incoming: call.incoming };
        self.wish(Wish::Media { call: key, command: umbel_media::Command::Close });
        self.wish(Wish::CloseMedia { call: key });
        let change = Progress::Ended(Box::new(ended));
        self.wish(Wish::Tell(News::Call { call: key, call_id: call.call_id, change }));
    }
}

impl Node for Telephone {
    type Order = Order;
    type Wish = Wish;

    fn handle(&mut self, now: Instant, input: Input<Order>) {
        match input {
            Input::Order(order) => self.order(now, order),
            Input::Opened { id, flow } => self.agent.handle(now, Input::Opened { id, flow }),
            Input::Reverified { id, peer } => self.agent.handle(now, Input::Reverified { id, peer }),
            Input::Received { id, message } => self.agent.handle(now, Input::Received { id, message }),
            Input::Malformed { id, what } => self.agent.handle(now, Input::Malformed { id, what }),
            Input::Closed { id, reason } => self.agent.handle(now, Input::Closed { id, reason }),
            Input::Resolved { query, found } => self.agent.handle(now, Input::Resolved { query, found }),
            Input::Timeout => self.agent.handle(now, Input::Timeout),
        }
        self.pump(now);
        self.wake_watch(now);
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Answer(call) => self.answer(now, call),
                Timer::Rung(call) => self.rung_in_vain(now, call),
                Timer::GiveUp(call) => self.hang_up(now, call, Some(How::NoAnswer)),
            }
            self.pump(now);
        }
    }

    fn poll_output(&mut self) -> Option<Output<Wish>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let watch = self.watch.as_ref().and_then(Watch::poll_timeout);
        [self.agent.poll_timeout(), self.timers.next(), watch].into_iter().flatten().min()
    }
}

fn without_wish(output: Output<Infallible>) -> Output<Wish> {
    match output {
        Output::Open { id, to } => Output::Open { id, to },
        Output::Transmit { id, bytes } => Output::Transmit { id, bytes },
        Output::Close { id } => Output::Close { id },
        Output::Resolve { query, uri } => Output::Resolve { query, uri },
        Output::Wish(never) => match never {},
    }
}
