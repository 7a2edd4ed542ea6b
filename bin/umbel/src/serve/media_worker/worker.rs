//! One thread: its calls, their sockets, and when it wakes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use umbel_media::{Channel, Command, Counters, Event, Session};
use umbel_net::Clock;
use umbel_time::{Instant, Timers};

use super::Deliver;
use super::inbox::Inbox;
use super::ports::Pair;
use super::ready::Ready;

/// How often what has come is taken: DEC-42.
const DRAIN_EVERY: Duration = Duration::from_millis(5);
/// What is due within this is done in one go. Drains begin with a grain, so that they and what has to leave then
/// share one wake-up.
const GRAIN: Duration = Duration::from_millis(1);
/// Packets of one socket in one go; the others come next time. SEC-77: a flood does not keep the rest waiting.
const PACKETS_A_TURN: usize = 32;
/// What is taken of what came before the end of a recording, or of a call: what a line may send at once. More would be
/// thrown away by its session.
const LAST_PACKETS_MAX: usize = 100;
/// No packet that we want is longer.
const PACKET_MAX: usize = 2_048;
/// Chunks of recordings wait for those of other calls, so that a hundred calls do not wake the loop and the store
/// a hundred times a second. What a call has to tell besides takes its chunk along.
const CHUNKS_EVERY: Duration = Duration::from_millis(100);
/// How long what a closed call still has to tell is offered.
const LEAVING_MAX: Duration = Duration::from_secs(10);

/// What a worker is told.
pub(super) enum Order<K> {
    Open {
        key: K,
        pair: Pair,
    },
    Command {
        key: K,
        command: Command,
    },
    /// Close, and tell the call that its media are gone.
    GiveUp {
        key: K,
    },
    Close {
        key: K,
    },
    Stop,
}

pub(super) struct Worker<K, D> {
    inbox: Arc<Inbox<Order<K>>>,
    clock: Clock,
    random: ChaCha20Rng,
    deliver: D,
    totals: Arc<Mutex<Counters>>,
    ready: Ready,
    /// Room for what it finds.
    found: Vec<(usize, Channel)>,
    slots: Vec<Option<Call<K>>>,
    free: Vec<usize>,
    slot_of: BTreeMap<K, usize>,
    timers: Timers<usize>,
    /// Calls whose events were not taken.
    undelivered: BTreeSet<usize>,
    /// Calls with a chunk that waits for those of others.
    chunks: BTreeSet<usize>,
    leaving: Vec<Leaving<K>>,
    /// How many drains there were.
    drains: u64,
    next_drain: Instant,
    next_chunks: Instant,
    stopped: bool,
}

/// A call with sockets; with a session once it was told what was negotiated.
struct Call<K> {
    key: K,
    pair: Pair,
    session: Option<Box<Session>>,
    /// An event that was not taken, or that waits for those of others.
    event: Option<Event>,
    due: Option<Instant>,
    /// Which drain last found something on [`Pair::sound`].
    heard_in: u64,
}

/// What is left of what a session tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// A chunk, which may wait.
    Chunk,
    /// An event that was not taken.
    Undelivered,
}

/// A call without sockets that still has something to tell.
struct Leaving<K> {
    key: K,
    session: Box<Session>,
    event: Option<Event>,
    until: Instant,
}

impl<K: Ord + Copy, D: Deliver<K>> Worker<K, D> {
    pub(super) fn new(
        inbox: Arc<Inbox<Order<K>>>,
        clock: Clock,
        random: ChaCha20Rng,
        deliver: D,
        totals: Arc<Mutex<Counters>>,
    ) -> io::Result<Self> {
        Ok(Worker {
            inbox,
            clock,
            random,
            deliver,
            totals,
            ready: Ready::new()?,
            found: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            slot_of: BTreeMap::new(),
            timers: Timers::new(),
            undelivered: BTreeSet::new(),
            chunks: BTreeSet::new(),
            leaving: Vec::new(),
            drains: 0,
            next_drain: Instant::ZERO,
            next_chunks: Instant::ZERO,
            stopped: false,
        })
    }

    pub(super) fn run(mut self) {
        let mut orders = VecDeque::new();
        let mut buffer = [0; PACKET_MAX];
        while !self.stopped {
            self.inbox.wait(self.patience());
            self.inbox.take(&mut orders);
            let now = self.clock.now();
            for order in orders.drain(..) {
                self.take(now, order);
            }
            while let Some(slot) = self.timers.expired(now) {
                self.with(slot, |call, session| {
                    call.due = None;
                    session.handle_timeout(now);
                });
            }
            if self.next_drain <= now && self.is_busy() {
                self.next_drain = following(now, DRAIN_EVERY);
                self.drain(now, &mut buffer);
                self.deliver_again(now);
            }
            if self.next_chunks <= now {
                self.next_chunks = following(now, CHUNKS_EVERY);
                for slot in std::mem::take(&mut self.chunks) {
                    self.serve(slot, false, |_, _| ());
                }
            }
        }
        let open: Vec<K> = self.slot_of.keys().copied().collect();
        for key in open {
            self.close(self.clock.now(), key);
        }
    }

    fn is_busy(&self) -> bool {
        !self.slot_of.is_empty() || !self.leaving.is_empty()
    }

    /// How long there is nothing to do. Without calls: until an order comes.
    fn patience(&self) -> Option<Duration> {
        if !self.is_busy() {
            return None;
        }
        let now = self.clock.now();
        let due = self.timers.next().map_or(self.next_drain, |due| grained(due).min(self.next_drain));
        Some(due.since(now))
    }

    fn take(&mut self, now: Instant, order: Order<K>) {
        match order {
            Order::Open { key, pair } => self.open(key, pair),
            Order::Command { key, command } => self.command(now, key, command),
            Order::GiveUp { key } => {
                self.close(now, key);
                let _ = (self.deliver)(key, Event::RtpLost);
            }
            Order::Close { key } => self.close(now, key),
            Order::Stop => self.stopped = true,
        }
    }

    fn open(&mut self, key: K, pair: Pair) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Err(error) = self.ready.enter(slot, &pair) {
            // The call hears nothing, and ends as every line that is dead.
            tracing::error!(%error, "a media socket cannot be watched");
        }
        self.slots[slot] = Some(Call { key, pair, session: None, event: None, due: None, heard_in: 0 });
        self.slot_of.insert(key, slot);
    }

    fn command(&mut self, now: Instant, key: K, command: Command) {
        let Some(slot) = self.slot_of.get(&key).copied() else { return };
        if matches!(command, Command::StopRecording { .. }) {
            self.receive_last(now, slot);
        }
        let Some(call) = self.slots.get_mut(slot).and_then(Option::as_mut) else { return };
        match (&call.session, command) {
            (Some(_), command) => self.with(slot, |_, session| session.handle_command(now, command)),
            (None, Command::Update(parameters)) => {
                let random = ChaCha20Rng::from_rng(&mut self.random);
                call.session = Some(Box::new(Session::new(now, parameters, random)));
                self.with(slot, |_, _| ());
            }
            (None, _) => tracing::debug!("an order for a session that has not begun"),
        }
    }

    /// Does something with a session, and then what it wants done. Its chunks may wait.
    fn with(&mut self, slot: usize, work: impl FnOnce(&mut Call<K>, &mut Session)) {
        self.serve(slot, true, work);
    }

    fn serve(&mut self, slot: usize, chunks_wait: bool, work: impl FnOnce(&mut Call<K>, &mut Session)) {
        let Some(call) = self.slots.get_mut(slot).and_then(Option::as_mut) else { return };
        let Some(mut session) = call.session.take() else { return };
        // A fault in one session ends one call.
        let whole = catch_unwind(AssertUnwindSafe(|| work(call, &mut session)));
        if whole.is_err() {
            tracing::error!("a media session had a fault and is ended");
            let key = call.key;
            self.forget(slot);
            let _ = (self.deliver)(key, Event::RtpLost);
            return;
        }
        transmit(&call.pair, &mut session);
        let rest = deliver(&mut self.deliver, call.key, &mut session, &mut call.event, chunks_wait);
        let due = session.poll_timeout();
        if due != call.due {
            call.due = due;
            match due {
                Some(due) => self.timers.arm(slot, due),
                None => drop(self.timers.disarm(&slot)),
            }
        }
        call.session = Some(session);
        match rest {
            Rest::Nothing => {}
            Rest::Chunk => drop(self.chunks.insert(slot)),
            Rest::Undelivered => drop(self.undelivered.insert(slot)),
        }
    }

    /// Takes what has come.
    fn drain(&mut self, now: Instant, buffer: &mut [u8]) {
        self.drains += 1;
        let mut found = std::mem::take(&mut self.found);
        self.ready.look(&mut found);
        for (slot, channel) in found.drain(..) {
            self.receive(now, slot, channel, buffer);
        }
        self.found = found;
    }

    /// Takes a packet of a socket that has one. A line brings one every 20 ms, and asking for a second would cost
    /// as much as taking the first: only a socket that had something in the last drain too is emptied.
    fn receive(&mut self, now: Instant, slot: usize, channel: Channel, buffer: &mut [u8]) {
        let mut packets = 1;
        if channel == Channel::Rtp
            && let Some(call) = self.slots.get_mut(slot).and_then(Option::as_mut)
        {
            let heard_in = std::mem::replace(&mut call.heard_in, self.drains);
            if heard_in + 1 == self.drains {
                packets = PACKETS_A_TURN;
            }
        }
        self.receive_up_to(packets, now, slot, channel, buffer);
    }

    fn receive_up_to(
        &mut self,
        packets: usize,
        now: Instant,
        slot: usize,
        channel: Channel,
        buffer: &mut [u8],
    ) {
        for _ in 0..packets {
            let Some(call) = self.slots.get_mut(slot).and_then(Option::as_mut) else { return };
            match socket(&call.pair, channel).recv_from(buffer) {
                Ok((length, source)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    self.with(slot, |_, session| session.handle_packet(now, channel, source, bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An earlier packet of ours was refused by the other side's system: no reason to stop.
                Err(_) => {}
            }
        }
    }

    /// Takes what had come by the time of an order that ends a recording: on a busy machine it may overtake the last
    /// words.
    fn receive_last(&mut self, now: Instant, slot: usize) {
        let mut buffer = [0; PACKET_MAX];
        self.receive_up_to(LAST_PACKETS_MAX, now, slot, Channel::Rtp, &mut buffer);
    }

    /// Offers again what was not taken.
    fn deliver_again(&mut self, now: Instant) {
        for slot in std::mem::take(&mut self.undelivered) {
            self.serve(slot, false, |_, _| ());
        }
        let deliver_to = &mut self.deliver;
        self.leaving.retain_mut(|Leaving { key, session, event, until }| {
            let rest = deliver(deliver_to, *key, session, event, false) != Rest::Nothing;
            if rest && *until <= now {
                tracing::error!("nobody takes what an ended call still has to tell");
            }
            rest && now < *until
        });
    }

    /// Ends a session, sends its farewell, and frees its sockets.
    fn close(&mut self, now: Instant, key: K) {
        let Some(slot) = self.slot_of.get(&key).copied() else { return };
        self.receive_last(now, slot);
        self.with(slot, |_, session| session.handle_command(now, Command::Close));
        let Some(Call { session: Some(mut session), mut event, .. }) = self.forget(slot) else { return };
        if deliver(&mut self.deliver, key, &mut session, &mut event, false) != Rest::Nothing {
            self.leaving.push(Leaving { key, session, event, until: now + LEAVING_MAX });
        }
    }

    /// Takes a call out of all tables.
    fn forget(&mut self, slot: usize) -> Option<Call<K>> {
        let call = self.slots.get_mut(slot)?.take()?;
        self.slot_of.remove(&call.key);
        self.timers.disarm(&slot);
        self.ready.leave(slot);
        self.undelivered.remove(&slot);
        self.chunks.remove(&slot);
        self.free.push(slot);
        if let Some(session) = &call.session {
            add(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner), session.counters());
        }
        Some(call)
    }
}

/// Sends what a session wants sent. What the system does not take is lost, as on any network.
fn transmit(pair: &Pair, session: &mut Session) {
    while let Some(transmit) = session.poll_transmit() {
        let _ = socket(pair, transmit.channel).send_to(transmit.bytes, transmit.to);
    }
}

/// Hands over what a session tells; a chunk with nothing behind it may wait.
fn deliver<K: Copy>(
    deliver: &mut impl Deliver<K>,
    key: K,
    session: &mut Session,
    waiting: &mut Option<Event>,
    chunks_wait: bool,
) -> Rest {
    while let Some(event) = waiting.take().or_else(|| session.poll_event()) {
        if chunks_wait && matches!(event, Event::Recorded { .. }) && !session.has_event() {
            *waiting = Some(event);
            return Rest::Chunk;
        }
        if let Err(event) = deliver(key, event) {
            *waiting = Some(event);
            return Rest::Undelivered;
        }
    }
    Rest::Nothing
}

fn socket(pair: &Pair, channel: Channel) -> &UdpSocket {
    match channel {
        Channel::Rtp => &pair.sound,
        Channel::Rtcp => &pair.control,
    }
}

/// The end of the grain in which `due` lies.
fn grained(due: Instant) -> Instant {
    let grain = micros(GRAIN);
    Instant::from_micros(due.as_micros().div_ceil(grain).saturating_mul(grain))
}

/// The first multiple of `period` after `now`.
fn following(now: Instant, period: Duration) -> Instant {
    let period = micros(period);
    Instant::from_micros((now.as_micros() / period).saturating_add(1).saturating_mul(period))
}

fn micros(period: Duration) -> u64 {
    u64::try_from(period.as_micros()).unwrap_or(1)
}

fn add(totals: &mut Counters, counters: Counters) {
    totals.accepted += counters.accepted;
    totals.sent += counters.sent;
    totals.malformed += counters.malformed;
    totals.foreign += counters.foreign;
    totals.unauthenticated += counters.unauthenticated;
    totals.excess += counters.excess;
    totals.unexpected += counters.unexpected;
    totals.late += counters.late;
    totals.missing += counters.missing;
    totals.unheard += counters.unheard;
}
