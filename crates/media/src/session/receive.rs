//! What a session makes of the peer's packets.

use std::net::SocketAddr;

use rtp_types::RtpPacket;
use umbel_time::Instant;

use super::{Channel, Session, is_comfort_noise};
use crate::gate::Verdict;
use crate::reception::Reception;
use crate::reorder::{Arrival, Kind};
use crate::telephone_event::{Block, Heard, Listener};
use crate::voice::PAYLOAD_MAX;
use crate::{Event, rtcp};

/// Why a packet was dropped. It is counted, and nothing else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dropped {
    Foreign,
    Excess,
    Malformed,
    Unauthenticated,
    Unexpected,
}

impl Session {
    /// Takes a packet.
    pub fn handle_packet(&mut self, now: Instant, channel: Channel, source: SocketAddr, bytes: &[u8]) {
        if self.closed {
            return;
        }
        let outcome = match channel {
            Channel::Rtp => self.sound(now, source, bytes),
            Channel::Rtcp => self.control(now, source, bytes),
        };
        let counters = &mut self.counters;
        *match outcome {
            Ok(()) => &mut counters.accepted,
            Err(Dropped::Foreign) => &mut counters.foreign,
            Err(Dropped::Excess) => &mut counters.excess,
            Err(Dropped::Malformed) => &mut counters.malformed,
            Err(Dropped::Unauthenticated) => &mut counters.unauthenticated,
            Err(Dropped::Unexpected) => &mut counters.unexpected,
        } += 1;
    }

    /// Who sent it, how much of it there is, whether it is genuine, what it is: in the order of what
    /// each question costs.
    fn sound(&mut self, now: Instant, source: SocketAddr, bytes: &[u8]) -> Result<(), Dropped> {
        if self.latch.source(Channel::Rtp, source) == Verdict::Foreign {
            return Err(Dropped::Foreign);
        }
        if !self.flow.admits(now) {
            return Err(Dropped::Excess);
        }
        let ssrc = ssrc_of(bytes).ok_or(Dropped::Malformed)?;
        if self.latch.stream(ssrc) == Verdict::Foreign {
            return Err(Dropped::Foreign);
        }
        let Some(protection) = &mut self.protection else {
            return self.packet(now, source, bytes);
        };
        let plain = protection.unprotect_sound(bytes).map_err(|_| Dropped::Unauthenticated)?;
        self.packet(now, source, plain.as_ref())
    }

    /// Takes a packet that is the peer's, if it is a good one.
    fn packet(&mut self, now: Instant, source: SocketAddr, bytes: &[u8]) -> Result<(), Dropped> {
        let packet = RtpPacket::parse(bytes).map_err(|_| Dropped::Malformed)?;
        let codec = self.parameters.codec;
        let payload = packet.payload();
        let payload_type = packet.payload_type();
        // SEC-81: what was not negotiated reaches no decoder.
        let (kind, key) = if payload_type == self.parameters.payload_type {
            if payload.is_empty() || payload.len() > PAYLOAD_MAX {
                return Err(Dropped::Unexpected);
            }
            (Kind::Sound, None)
        } else if Some(payload_type) == self.parameters.telephone_event {
            (Kind::Key, Some(Block::read(payload).ok_or(Dropped::Unexpected)?))
        } else if is_comfort_noise(codec, payload_type) {
            (Kind::Comfort, None)
        } else {
            return Err(Dropped::Unexpected);
        };

        let (sequence, timestamp) = (packet.sequence_number(), packet.timestamp());
        self.note(now, source, &packet);
        self.peer.comfort = kind == Kind::Comfort;
        let mut heard = Heard::Again;
        if let Some(block) = key {
            heard = self.listener.hear(timestamp, packet.marker_bit(), block);
        }
        if let Heard::Pressed(digit) = heard
            && !self.outbox.offer(Event::Digit(digit))
        {
            self.counters.unheard += 1;
        }
        if kind == Kind::Sound
            && let Some(monitor) = &mut self.monitor
        {
            monitor.heard(codec, sequence, payload, &mut self.outbox);
        }
        // An event that is no key is no reason to cut anything out, but it has a sequence number.
        if let Some(recording) = &mut self.recording {
            let arrival = Arrival { at: now, sequence, timestamp, kind, payload };
            if let Some(end) = recording.packet(arrival, &mut self.outbox) {
                self.end_recording(now, end, std::time::Duration::ZERO);
            }
        }
        Ok(())
    }

    /// Keeps account of the peer's stream.
    fn note(&mut self, now: Instant, source: SocketAddr, packet: &RtpPacket<'_>) {
        let (ssrc, sequence, timestamp) = (packet.ssrc(), packet.sequence_number(), packet.timestamp());
        if self.latch.fix(source, ssrc) {
            self.listener = Listener::default();
        }
        match &mut self.peer.reception {
            Some((of, reception)) if *of == ssrc => reception.count(now, sequence, timestamp),
            _ => {
                let clock_rate = self.parameters.codec.clock_rate();
                self.peer.reception = Some((ssrc, Reception::new(now, sequence, timestamp, clock_rate)));
                self.peer.last_report = None;
            }
        }
        self.peer.heard_at = now;
        if self.peer.lost {
            self.expect_packets(now);
        }
        if !self.peer.heard {
            self.peer.heard = true;
            self.outbox.tell(Event::FirstPacketReceived);
        }
    }

    fn control(&mut self, now: Instant, source: SocketAddr, bytes: &[u8]) -> Result<(), Dropped> {
        if self.latch.source(Channel::Rtcp, source) == Verdict::Foreign {
            return Err(Dropped::Foreign);
        }
        if !self.control_flow.admits(now) {
            return Err(Dropped::Excess);
        }
        let received = match &mut self.protection {
            None => rtcp::read(bytes),
            Some(protection) => {
                let plain = protection.unprotect_control(bytes).map_err(|_| Dropped::Unauthenticated)?;
                rtcp::read(plain.as_ref())
            }
        };
        let received = received.map_err(|_| Dropped::Malformed)?;
        self.latch.fix_control(source);
        if let Some((ssrc, middle)) = received.sender_report
            && self.latch.stream(ssrc) == Verdict::Known
        {
            self.peer.last_report = Some((middle, now));
        }
        if let Some(ssrc) = received.goodbye {
            self.latch.release(ssrc);
        }
        // Who has said that there is silence need not send sound; reports show that it is still there.
        if self.peer.comfort {
            self.peer.heard_at = now;
        }
        Ok(())
    }
}

/// The source in the fixed header, which is in clear in SRTP as well.
fn ssrc_of(bytes: &[u8]) -> Option<u32> {
    let header = bytes.first_chunk::<12>()?;
    let [first, _, _, _, _, _, _, _, a, b, c, d] = *header;
    (first >> 6 == 2).then(|| u32::from_be_bytes([a, b, c, d]))
}
