//! Our own stream: when its packets leave, and what stands in their headers. RFC 3550 5.1.

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use rtp_types::RtpPacketBuilder;
use umbel_time::Instant;

use crate::codec::PACKET_TIME;
use crate::rtcp::Sent;

/// The state of the stream we send.
pub(crate) struct Outgoing {
    ssrc: u32,
    sequence: u16,
    /// The timestamp of an instant, from which all others follow.
    base: (u32, Instant),
    clock_rate: u32,
    /// When the next packet is due.
    due: Option<Instant>,
    /// When the slot of the last packet ends; before that there is no other one.
    free_at: Instant,
    packets: u32,
    octets: u32,
    /// Packets at the time of the last report.
    reported: u32,
}

/// The place in time of a packet.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) at: Instant,
    pub(crate) timestamp: u32,
    /// Whether sound begins here after a pause. RFC 3551 4.1.
    pub(crate) first: bool,
}

/// What goes into a packet.
pub(crate) struct Content<'a> {
    pub(crate) payload_type: u8,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) payload: &'a [u8],
}

impl Outgoing {
    /// RFC 6263: how long a stream may be quiet before what translates addresses forgets it.
    const KEEP_ALIVE: Duration = Duration::from_secs(15);
    /// How late a packet may be without moving the pace: what a telephone smooths out, as jitter of the network.
    const LATE: Duration = Duration::from_millis(200);

    pub(crate) fn new(now: Instant, clock_rate: u32, random: &mut ChaCha20Rng) -> Self {
        let [sequence, _] = halves(random.next_u32());
        Outgoing {
            ssrc: random.next_u32(),
            sequence,
            base: (random.next_u32(), now),
            clock_rate,
            due: None,
            free_at: now,
            packets: 0,
            octets: 0,
            reported: 0,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The clock of the codec has changed: timestamps go on from here at the new rate.
    pub(crate) fn set_clock_rate(&mut self, now: Instant, clock_rate: u32) {
        if clock_rate != self.clock_rate {
            self.base = (self.timestamp(now), now);
            self.clock_rate = clock_rate;
        }
    }

    /// The timestamp of `at`.
    pub(crate) fn timestamp(&self, at: Instant) -> u32 {
        let (timestamp, base) = self.base;
        let ticks = at.since(base).as_micros() * u128::from(self.clock_rate) / 1_000_000;
        timestamp.wrapping_add(u32::try_from(ticks & 0xffff_ffff).unwrap_or(0))
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Has something to send: at once, or when the slot of the last packet ends.
    pub(crate) fn wake(&mut self, now: Instant) {
        let at = now.max(self.free_at);
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Has something to send, not before `at`.
    pub(crate) fn wake_at(&mut self, at: Instant) {
        self.due = Some(at.max(self.free_at));
    }

    /// Has nothing to send.
    pub(crate) fn rest(&mut self) {
        self.due = None;
    }

    /// When a packet has to be sent though there is nothing to say.
    pub(crate) fn keep_alive_at(&self) -> Instant {
        self.free_at + Self::KEEP_ALIVE
    }

    /// The slot that is due, if any; the next one is due when it ends.
    ///
    /// A late one keeps the pace: what a busy machine could not send in time follows at once, so that what is said
    /// is not torn. One that is later than [`Self::LATE`] moves the pace, since a telephone would throw away most of
    /// a longer heap: its timestamp says how long nothing came.
    pub(crate) fn slot(&mut self, now: Instant) -> Option<Slot> {
        let due = self.due.filter(|due| *due <= now)?;
        let at = if now.since(due) <= Self::LATE { due } else { now };
        let first = self.packets == 0 || at != self.free_at;
        self.due = Some(at + PACKET_TIME);
        Some(Slot { at, timestamp: self.timestamp(at), first })
    }

    /// Writes a packet that fills `slot` into `packet`.
    pub(crate) fn write(&mut self, slot: Slot, content: &Content<'_>, packet: &mut Vec<u8>) {
        packet.clear();
        let builder = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(content.payload_type)
            .sequence_number(self.sequence)
            .timestamp(content.timestamp)
            .ssrc(self.ssrc)
            .marker_bit(content.marker)
            .payload(content.payload);
        if builder.write_into_vec(packet).is_err() {
            unreachable!("payload types have seven bits");
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        let octets = u32::try_from(content.payload.len()).unwrap_or(0);
        self.octets = self.octets.wrapping_add(octets);
        self.free_at = slot.at + PACKET_TIME;
    }

    /// What a report says about this stream, if anything was sent since the last one.
    pub(crate) fn report(&mut self, now: Instant) -> Option<Sent> {
        let news = std::mem::replace(&mut self.reported, self.packets) != self.packets;
        news.then(|| Sent { timestamp: self.timestamp(now), packets: self.packets, octets: self.octets })
    }
}

fn halves(word: u32) -> [u16; 2] {
    let [a, b, c, d] = word.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}
