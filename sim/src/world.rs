//! The world: nodes, flows between them, and one clock.

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Index, IndexMut};
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_node::{Destination, Flow, FlowId, Input, PeerCertificate, Transport};
use umbel_sip_message::Method;
use umbel_time::Instant;

use crate::inhabitant::{Datagram, Done, Inhabitant, Lodger, Lodging, Told};
use crate::ladder::{Ladder, What};
use crate::link::{Link, Weather, below};
use crate::names::Names;

/// Things that may happen without the clock moving; beyond, two nodes are chasing each other.
const TURNS_AT_ONE_INSTANT_MAX: u32 = 100_000;

/// How long [`World::run_until_idle`] waits for the last timer.
const IDLE_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A node's place in the world: what [`World::add`] gives and everything else takes.
#[derive(Debug)]
pub struct Place<N> {
    seat: usize,
    node: PhantomData<fn() -> N>,
}

impl<N> Clone for Place<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Place<N> {}

/// Nodes, flows, names, a clock, and the record of what was said.
///
/// Everything that happens has one order, which follows from the seed. The earliest of what is on its
/// way and what nodes wait for comes next; the clock jumps there.
pub struct World {
    pub(crate) now: Instant,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) weather: Weather,
    pub(crate) seats: Vec<Seat>,
    pub(crate) links: BTreeMap<u64, Link>,
    pub(crate) listeners: BTreeMap<(SocketAddr, Transport), Listener>,
    pub(crate) names: Names,
    agenda: BTreeMap<(Instant, u64), Happening>,
    pub(crate) last: u64,
    pub(crate) ladder: Ladder,
    invariants: Vec<Invariant>,
    turns_at_now: u32,
}

type Invariant = (&'static str, Box<dyn FnMut(&World) -> bool>);

pub(crate) struct Seat {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) lodger: Box<dyn Lodger>,
    /// Shown to others on TLS flows that this node opens.
    pub(crate) certificate: Option<Arc<PeerCertificate>>,
    /// Which link, and which of its ends.
    pub(crate) flows: BTreeMap<FlowId, (u64, usize)>,
    pub(crate) accepted: u64,
    pub(crate) next_port: u16,
    pub(crate) is_unplugged: bool,
}

pub(crate) struct Listener {
    pub(crate) seat: usize,
    pub(crate) certificate: Option<Arc<PeerCertificate>>,
}

pub(crate) enum Happening {
    /// A flow is up at one end.
    Opened { link: u64, end: usize, flow: Flow },
    /// Something may have arrived at one end.
    Read { link: u64, end: usize },
    /// A node is told something.
    Tell { seat: usize, told: Box<Told> },
    /// A datagram arrives.
    Datagram(Datagram),
}

impl World {
    /// An empty world. Runs with the same seed are the same.
    pub fn new(seed: u64) -> Self {
        World {
            now: Instant::ZERO,
            rng: ChaCha20Rng::seed_from_u64(seed),
            weather: Weather::default(),
            seats: Vec::new(),
            links: BTreeMap::new(),
            listeners: BTreeMap::new(),
            names: Names::default(),
            agenda: BTreeMap::new(),
            last: 0,
            ladder: Ladder::default(),
            invariants: Vec::new(),
            turns_at_now: 0,
        }
    }

    /// Puts a node at an address, under the name that ladders use.
    pub fn add<N>(&mut self, name: &str, address: IpAddr, node: N) -> Place<N>
    where
        N: Inhabitant,
        N::Order: 'static,
    {
        self.seats.push(Seat {
            name: name.to_owned(),
            address,
            lodger: Box::new(Lodging(node)),
            certificate: None,
            flows: BTreeMap::new(),
            accepted: 0,
            next_port: 40_000,
            is_unplugged: false,
        });
        Place { seat: self.seats.len() - 1, node: PhantomData }
    }

    /// A generator for a node, other than all others of this world.
    pub fn rng(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(below(&mut self.rng, u64::MAX))
    }

    /// Accepts TCP flows at a port of the node.
    pub fn listen_tcp<N>(&mut self, place: Place<N>, port: u16) {
        self.listen(place.seat, port, Transport::Tcp, None);
    }

    /// Accepts TLS flows at a port of the node, showing this certificate.
    pub fn listen_tls<N>(&mut self, place: Place<N>, port: u16, certificate: Arc<PeerCertificate>) {
        self.listen(place.seat, port, Transport::Tls, Some(certificate));
    }

    fn listen(&mut self, seat: usize, port: u16, by: Transport, certificate: Option<Arc<PeerCertificate>>) {
        let Some(address) = self.seats.get(seat).map(|seat| SocketAddr::new(seat.address, port)) else {
            return;
        };
        self.listeners.insert((address, by), Listener { seat, certificate });
    }

    /// What the node shows on TLS flows that it opens; all believe it. None by default.
    pub fn show_certificate<N>(&mut self, place: Place<N>, certificate: Arc<PeerCertificate>) {
        self.seat_mut(place.seat).certificate = Some(certificate);
    }

    /// What a host name leads to, best first (RFC 3263). Addresses need no entry.
    pub fn resolve(&mut self, host: &str, destinations: impl IntoIterator<Item = Destination>) {
        self.names.set(host, destinations.into_iter().collect());
    }

    /// The name service answers nothing, or again (REL-28).
    pub fn name_service_down(&mut self, is_down: bool) {
        self.names.is_down = is_down;
    }

    /// How the network behaves from now on.
    pub fn weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Gives a node an order, now.
    pub fn order<N>(&mut self, place: Place<N>, order: N::Order)
    where
        N: Inhabitant,
        N::Order: 'static,
    {
        self.order_after(place, Duration::ZERO, order);
    }

    /// Gives a node an order after a time.
    pub fn order_after<N>(&mut self, place: Place<N>, after: Duration, order: N::Order)
    where
        N: Inhabitant,
        N::Order: 'static,
    {
        let told = Box::new(Told::Order(Box::new(order)));
        self.happen(self.now + after, Happening::Tell { seat: place.seat, told });
    }

    /// Changes a node by other means than orders, and sees to what it wants done then.
    pub fn with<N: Inhabitant, R>(&mut self, place: Place<N>, change: impl FnOnce(&mut N, Instant) -> R) -> R
    where
        N::Order: 'static,
    {
        let now = self.now;
        let result = change(&mut self[place], now);
        self.tell(place.seat, Told::Nothing);
        result
    }

    /// Breaks all flows between two nodes, at once and at both ends; what was under way is lost.
    pub fn break_flows<A, B>(&mut self, a: Place<A>, b: Place<B>) {
        for link in self.links_between(a.seat, b.seat) {
            self.break_link(link);
        }
        self.note(a.seat, b.seat, "flows broken");
    }

    /// Breaks all flows of a node.
    pub fn break_all_flows<N>(&mut self, place: Place<N>) {
        let is_here = |link: &Link| link.ends.iter().any(|end| end.seat == place.seat);
        let here: Vec<u64> = self.links.iter().filter(|(_, link)| is_here(link)).map(|(id, _)| *id).collect();
        here.into_iter().for_each(|link| self.break_link(link));
        self.note(place.seat, place.seat, "flows broken");
    }

    /// Begins a new ladder: what was said so far is not shown.
    pub fn forget_ladder(&mut self) {
        self.ladder = Ladder::default();
    }

    /// Nothing passes between two nodes for a time; nothing is lost either.
    pub fn stall<A, B>(&mut self, a: Place<A>, b: Place<B>, duration: Duration) {
        let until = self.now + duration;
        for link in self.links_between(a.seat, b.seat) {
            let Some(link) = self.links.get_mut(&link) else { continue };
            link.ends.iter_mut().for_each(|end| end.stall(until));
        }
        self.note(a.seat, b.seat, "flows stalled");
    }

    /// Pulls a node's cable, or puts it back: what it sends and what is sent to it vanishes, and
    /// nobody is told. Flows that have lost something break when the cable is back.
    pub fn unplug<N>(&mut self, place: Place<N>, is_unplugged: bool) {
        self.seat_mut(place.seat).is_unplugged = is_unplugged;
        self.note(place.seat, place.seat, if is_unplugged { "unplugged" } else { "plugged in" });
        let is_here = |link: &Link| link.ends.iter().any(|end| end.seat == place.seat);
        let gaps = self.links.iter().filter(|(_, link)| link.has_gap && is_here(link));
        let broken: Vec<u64> = gaps.filter(|_| !is_unplugged).map(|(id, _)| *id).collect();
        broken.into_iter().for_each(|link| self.break_link(link));
    }

    /// Something that must hold after everything that happens; the run stops where it does not.
    pub fn invariant(&mut self, name: &'static str, holds: impl FnMut(&World) -> bool + 'static) {
        self.invariants.push((name, Box::new(holds)));
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What was said so far.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Flows that are up or being opened.
    pub fn flow_count(&self) -> usize {
        self.links.len()
    }

    /// Compares what was said with a picture, best one that is kept in a file beside the test:
    /// `world.expect_ladder(include_str!("call.ladder"))`.
    #[track_caller]
    pub fn expect_ladder(&self, expected: &str) {
        // No conversation is about the pings between servers.
        if let Some(difference) = self.ladder.without(&Method::Options).difference(expected) {
            panic!("{difference}");
        }
    }

    /// Lets a time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.next().is_some_and(|at| at <= until) {
            self.turn();
        }
        self.now = until;
        self.turns_at_now = 0;
    }

    /// Runs until nothing is under way; nodes may be waiting for timers.
    pub fn run_until_quiet(&mut self) {
        while let Some((&(at, _), _)) = self.agenda.first_key_value() {
            while self.next().is_some_and(|next| next <= at) {
                self.turn();
            }
        }
    }

    /// Runs until nothing is under way and no node waits for a timer.
    ///
    /// # Panics
    ///
    /// If that is not so after a day: somebody has forgotten a timer, or repeats itself for ever.
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        let latest = self.now + IDLE_AFTER_MAX;
        while let Some(next) = self.next() {
            assert!(next <= latest, "the world does not come to rest:\n{}", self.ladder.print());
            self.turn();
        }
    }

    fn next(&self) -> Option<Instant> {
        let under_way = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let timers = self.seats.iter().filter_map(|seat| seat.lodger.poll_timeout());
        timers.chain(under_way).min().map(|at| at.max(self.now))
    }

    /// One thing happens: what is under way before what is waited for.
    fn turn(&mut self) {
        let Some(next) = self.next() else { return };
        self.turns_at_now = if next > self.now { 0 } else { self.turns_at_now + 1 };
        assert!(
            self.turns_at_now <= TURNS_AT_ONE_INSTANT_MAX,
            "time stands still at {next}:\n{}",
            self.ladder.print()
        );
        self.now = next;
        match self.agenda.first_entry() {
            Some(entry) if entry.key().0 <= next => {
                let happening = entry.remove();
                self.perform(happening);
            }
            _ => {
                let due = |seat: &Seat| seat.lodger.poll_timeout().is_some_and(|at| at <= next);
                if let Some(seat) = self.seats.iter().position(due) {
                    self.tell(seat, Told::Sip(Input::Timeout));
                }
            }
        }
        self.check_invariants();
    }

    fn perform(&mut self, happening: Happening) {
        match happening {
            Happening::Opened { link, end, flow } => {
                let Some(opened) = self.links.get_mut(&link).and_then(|link| link.ends.get_mut(end)) else {
                    return;
                };
                opened.is_known = true;
                let (seat, id) = (opened.seat, opened.id);
                self.tell(seat, Told::Sip(Input::Opened { id, flow }));
            }
            Happening::Read { link, end } => self.read(link, end),
            Happening::Tell { seat, told } => self.tell(seat, *told),
            Happening::Datagram(datagram) => {
                let receiver = self.seats.iter().position(|seat| seat.address == datagram.to.ip());
                if let Some(seat) = receiver.filter(|seat| !self.is_unplugged(*seat)) {
                    self.tell(seat, Told::Datagram(datagram));
                }
            }
        }
    }

    /// Tells a node something, and does what it wants done.
    pub(crate) fn tell(&mut self, seat: usize, told: Told) {
        let now = self.now;
        let done = self.seat_mut(seat).lodger.handle(now, told);
        for done in done {
            match done {
                Done::Sip(output) => self.carry_out(seat, output),
                Done::Later(after, order) => {
                    let told = Box::new(Told::Order(order));
                    self.happen(now + after, Happening::Tell { seat, told });
                }
                Done::Datagram(datagram) => self.send_datagram(seat, datagram),
                Done::Note(note) => self.note(seat, seat, &note),
            }
        }
    }

    fn check_invariants(&mut self) {
        let mut invariants = std::mem::take(&mut self.invariants);
        for (name, holds) in &mut invariants {
            assert!(holds(self), "{name}: no longer at {}\n{}", self.now, self.ladder.print());
        }
        self.invariants = invariants;
    }

    fn links_between(&self, a: usize, b: usize) -> Vec<u64> {
        let between = |link: &Link| {
            let [one, other] = &link.ends;
            (one.seat, other.seat) == (a, b) || (one.seat, other.seat) == (b, a)
        };
        self.links.iter().filter(|(_, link)| between(link)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn happen(&mut self, at: Instant, happening: Happening) {
        self.last += 1;
        self.agenda.insert((at, self.last), happening);
    }

    fn note(&mut self, from: usize, to: usize, note: &str) {
        let name = |seat: usize| self.seats.get(seat).map_or("?", |seat| seat.name.as_str());
        self.ladder.push(self.now, name(from), name(to), What::Note(note.to_owned()));
    }

    pub(crate) fn is_unplugged(&self, seat: usize) -> bool {
        self.seats.get(seat).is_some_and(|seat| seat.is_unplugged)
    }

    pub(crate) fn seat_mut(&mut self, seat: usize) -> &mut Seat {
        self.seats.get_mut(seat).expect("seats are never removed")
    }

    fn lodger(&self, seat: usize) -> &dyn Any {
        self.seats.get(seat).expect("seats are never removed").lodger.node()
    }
}

impl<N: 'static> Index<Place<N>> for World {
    type Output = N;

    fn index(&self, place: Place<N>) -> &N {
        self.lodger(place.seat).downcast_ref().expect("a place knows its node's kind")
    }
}

impl<N: 'static> IndexMut<Place<N>> for World {
    fn index_mut(&mut self, place: Place<N>) -> &mut N {
        self.seat_mut(place.seat).lodger.node_mut().downcast_mut().expect("a place knows its node's kind")
    }
}

impl Drop for World {
    /// Shows what was said, when a test fails.
    #[expect(clippy::print_stderr, reason = "it is for who reads the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.ladder.print());
        }
    }
}
