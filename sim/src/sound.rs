//! The sound of calls at one place: media sessions on simulated pairs of ports.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use umbel_media::{Channel, Command, Event, Parameters, Session};
use umbel_time::Instant;

use crate::Datagram;

/// A pair of ports, and the session on them once something was negotiated.
pub(crate) struct Sound {
    at: SocketAddr,
    rng: ChaCha20Rng,
    session: Option<Session>,
}

impl Sound {
    pub(crate) fn new(at: SocketAddr, rng: ChaCha20Rng) -> Sound {
        Sound { at, rng, session: None }
    }

    /// Tells the session something. The first negotiation starts it.
    pub(crate) fn command(&mut self, now: Instant, command: Command) {
        match (&mut self.session, command) {
            (Some(session), command) => session.handle_command(now, command),
            (None, Command::Update(parameters)) => self.start(now, parameters),
            // Nothing was started, so nothing is stopped.
            (None, _) => {}
        }
    }

    /// Whether anything was negotiated yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.session.is_some()
    }

    fn start(&mut self, now: Instant, parameters: Parameters) {
        self.session = Some(Session::new(now, parameters, self.rng.clone()));
    }

    /// Takes a datagram that is for one of the two ports.
    pub(crate) fn datagram(&mut self, now: Instant, datagram: &Datagram) -> bool {
        let Some(channel) = self.channel_at(datagram.to) else { return false };
        if let Some(session) = &mut self.session {
            session.handle_packet(now, channel, datagram.from, &datagram.bytes);
        }
        true
    }

    fn channel_at(&self, to: SocketAddr) -> Option<Channel> {
        [Channel::Rtp, Channel::Rtcp].into_iter().find(|channel| self.port_of(*channel) == to)
    }

    fn port_of(&self, channel: Channel) -> SocketAddr {
        match channel {
            Channel::Rtp => self.at,
            Channel::Rtcp => SocketAddr::new(self.at.ip(), self.at.port() + 1),
        }
    }

    pub(crate) fn timeout(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.handle_timeout(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.session.as_ref().and_then(Session::poll_timeout)
    }

    /// What it wants sent, and what happened in it.
    pub(crate) fn poll(&mut self) -> (Vec<Datagram>, Vec<Event>) {
        let ports = [Channel::Rtp, Channel::Rtcp].map(|channel| (channel, self.port_of(channel)));
        let Some(session) = &mut self.session else { return (Vec::new(), Vec::new()) };
        let mut datagrams = Vec::new();
        while let Some(transmit) = session.poll_transmit() {
            let from = ports.iter().find(|(channel, _)| *channel == transmit.channel).map(|(_, port)| *port);
            if let Some(from) = from {
                datagrams.push(Datagram {
                    from,
                    to: transmit.to,
                    bytes: Bytes::copy_from_slice(transmit.bytes),
                });
            }
        }
        (datagrams, std::iter::from_fn(|| session.poll_event()).collect())
    }
}

/// The sounds of all calls at one place.
pub(crate) struct Sounds<Key>(BTreeMap<Key, Sound>);

impl<Key: Ord + Copy> Sounds<Key> {
    pub(crate) fn new() -> Self {
        Sounds(BTreeMap::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn insert(&mut self, key: Key, sound: Sound) {
        self.0.insert(key, sound);
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Sound> {
        self.0.get_mut(&key)
    }

    /// Ends one, and gives what it still wants sent and what happened last.
    pub(crate) fn close(&mut self, now: Instant, key: Key) -> (Vec<Datagram>, Vec<Event>) {
        let Some(mut sound) = self.0.remove(&key) else { return (Vec::new(), Vec::new()) };
        sound.command(now, Command::Close);
        sound.poll()
    }

    /// Gives a datagram to the one whose ports it is for.
    pub(crate) fn datagram(&mut self, now: Instant, datagram: &Datagram) {
        let _ = self.0.values_mut().any(|sound| sound.datagram(now, datagram));
    }

    /// Wakes those that are due.
    pub(crate) fn timeout(&mut self, now: Instant) {
        let is_due = |sound: &&mut Sound| sound.poll_timeout().is_some_and(|at| at <= now);
        self.0.values_mut().filter(is_due).for_each(|sound| sound.timeout(now));
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.0.values().filter_map(Sound::poll_timeout).min()
    }

    /// What they want sent, and what happened in which.
    pub(crate) fn poll(&mut self) -> (Vec<Datagram>, Vec<(Key, Event)>) {
        let (mut datagrams, mut happened) = (Vec::new(), Vec::new());
        for (key, sound) in &mut self.0 {
            let (leaving, events) = sound.poll();
            datagrams.extend(leaving);
            happened.extend(events.into_iter().map(|event| (*key, event)));
        }
        (datagrams, happened)
    }
}
