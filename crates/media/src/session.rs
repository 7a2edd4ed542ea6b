//! One call's session: the owner of its player, recorder, streams and timers.

use std::net::SocketAddr;

use rand_chacha::ChaCha20Rng;
use umbel_time::Instant;

use crate::{Command, Event, Parameters};

/// Which of a session's two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Sound and keys.
    Rtp,
    /// Reports.
    Rtcp,
}

/// A packet to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// From which port.
    pub channel: Channel,
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: &'a [u8],
}

/// How many packets of which fate. Nothing here names a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that were used.
    pub accepted: u64,
    /// Packets that we sent.
    pub sent: u64,
    /// Not RTP or RTCP: too short, another version, lengths that do not add up.
    pub malformed: u64,
    /// From another address or another synchronization source.
    pub foreign: u64,
    /// SRTP that did not authenticate, or was heard before.
    pub unauthenticated: u64,
    /// More than a stream may have.
    pub excess: u64,
    /// A payload type or payload length that was not negotiated.
    pub unexpected: u64,
    /// Came twice, or too late to be of use.
    pub late: u64,
    /// Never came.
    pub missing: u64,
    /// Events that had no room because nobody took them.
    pub unheard: u64,
}

/// The sound of one call.
///
/// After every `handle_*`, take what [`Session::poll_transmit`] and [`Session::poll_event`] give until there
/// is no more, and call [`Session::handle_timeout`] when [`Session::poll_timeout`] has come.
pub struct Session {
    parameters: Parameters,
}

impl Session {
    /// A session for the outcome of a negotiation.
    pub fn new(now: Instant, parameters: Parameters, random: ChaCha20Rng) -> Session {
        let _ = (now, random);
        Session { parameters }
    }

    /// Takes a packet.
    pub fn handle_packet(&mut self, now: Instant, channel: Channel, source: SocketAddr, bytes: &[u8]) {
        let _ = (now, channel, source, bytes);
        todo!()
    }

    /// Takes an order.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        let _ = (now, command);
        todo!()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
        todo!()
    }

    /// The next packet to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When [`Session::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// What was last negotiated.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whether [`Command::Close`] was taken.
    pub fn is_closed(&self) -> bool {
        false
    }

    /// What became of packets so far.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }
}
