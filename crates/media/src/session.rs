//! One call's session: the owner of its streams, player, recorder and timers.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use umbel_time::Instant;

use crate::gate::{Flow, Latch};
use crate::microphone::Microphone;
use crate::monitor::Monitor;
use crate::outbox::Outbox;
use crate::outgoing::{Content, Outgoing, Slot};
use crate::player::Player;
use crate::reception::Reception;
use crate::recorder::Recording;
use crate::rtcp::{self, Heard, Report};
use crate::srtp::Protection;
use crate::telephone_event::{Keypad, Listener};
use crate::{Codec, Command, Event, Parameters, RecordingEnd};

mod receive;

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
    /// Came too late, or twice, to be recorded.
    pub late: u64,
    /// Never came to be recorded.
    pub missing: u64,
    /// Keys that had no room because nobody took them.
    pub unheard: u64,
}

/// The sound of one call.
///
/// After every `handle_*`, take what [`Session::poll_transmit`] and [`Session::poll_event`] give until there
/// is no more, and call [`Session::handle_timeout`] when [`Session::poll_timeout`] has come.
pub struct Session {
    parameters: Parameters,
    random: ChaCha20Rng,
    /// What [`Command::Hold`] last said.
    hold_ordered: bool,
    held: bool,
    closed: bool,

    latch: Latch,
    flow: Flow,
    control_flow: Flow,
    protection: Option<Protection>,
    peer: Peer,
    listener: Listener,
    recording: Option<Box<Recording>>,

    outgoing: Outgoing,
    player: Player,
    keypad: Keypad,
    /// From the first time that something was spoken.
    microphone: Option<Box<Microphone>>,
    /// Where a person wants to hear or see it.
    monitor: Option<Box<Monitor>>,
    payload: Vec<u8>,

    canonical_name: String,
    report_due: Instant,
    loss_due: Instant,

    outbox: Outbox,
    counters: Counters,
}

/// What is known about the peer's stream.
struct Peer {
    reception: Option<(u32, Reception)>,
    last_report: Option<(u32, Instant)>,
    /// When its last packet came, or packets began to be expected.
    heard_at: Instant,
    /// Whether a packet ever came.
    heard: bool,
    /// Whether its last packet said that there is silence; it need not send more then.
    comfort: bool,
    lost: bool,
}

impl Session {
    /// DEC-31: packets missing for so long end the call.
    pub const LOST_AFTER: Duration = Duration::from_secs(20);
    /// DEC-31: the same while the call is held.
    pub const LOST_AFTER_ON_HOLD: Duration = Duration::from_secs(300);

    /// A session for the outcome of a negotiation.
    pub fn new(now: Instant, parameters: Parameters, mut random: ChaCha20Rng) -> Session {
        let held = is_held(&parameters);
        // RFC 7022: a name of 96 random bits.
        let canonical_name = format!("{:08x}{:016x}", random.next_u32(), random.next_u64());
        Session {
            hold_ordered: false,
            held,
            closed: false,
            latch: Latch::new(&parameters),
            flow: Flow::new(now),
            control_flow: Flow::new(now),
            protection: parameters.srtp.clone().map(Protection::new),
            peer: Peer {
                reception: None,
                last_report: None,
                heard_at: now,
                heard: false,
                comfort: false,
                lost: false,
            },
            listener: Listener::default(),
            recording: None,
            outgoing: Outgoing::new(now, parameters.codec.clock_rate(), &mut random),
            player: Player::new(),
            keypad: Keypad::default(),
            microphone: None,
            monitor: None,
            payload: Vec::new(),
            canonical_name,
            report_due: now + rtcp::interval(&mut random, true),
            loss_due: now + if held { Self::LOST_AFTER_ON_HOLD } else { Self::LOST_AFTER },
            outbox: Outbox::default(),
            counters: Counters::default(),
            parameters,
            random,
        }
    }

    /// Takes an order.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        if self.closed {
            return;
        }
        match command {
            Command::Update(parameters) => self.update(now, parameters),
            Command::Play { id, clips, from } => {
                let replaced = self.player.play(id, clips, from);
                self.tell(replaced);
            }
            Command::Stop => {
                let stopped = self.player.stop();
                self.tell(stopped);
            }
            Command::Pause => self.player.pause(true),
            Command::Resume => self.player.pause(false),
            Command::Seek { by_millis } => self.player.seek(by_millis),
            Command::Speed { percent } => self.player.set_speed(percent),
            Command::Volume { decibels } => self.player.set_volume(decibels),
            Command::Record { id, limits } => {
                self.end_recording(now, RecordingEnd::Stopped, Duration::ZERO);
                let codec = self.parameters.codec;
                self.recording = Some(Box::new(Recording::new(now, id, limits, codec, self.held)));
            }
            Command::StopRecording { cut } => self.end_recording(now, RecordingEnd::Stopped, cut),
            Command::SendDigits(keys) => self.keypad.push(keys),
            Command::Hold(held) => {
                self.hold_ordered = held;
                self.settle_hold(now);
            }
            Command::Levels(wanted) => self.monitor(now, |monitor| monitor.want_levels(now, wanted)),
            Command::Listen(wanted) => self.monitor(now, |monitor| monitor.want_sound(wanted)),
            Command::Speak(samples) => self.microphone.get_or_insert_default().take(&samples.0),
            Command::Close => return self.close(now),
        }
        // An empty playing, or one moved to its end, is over at once.
        let finished = self.player.finish();
        self.tell(finished);
        self.send(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.send(now);
        if self.report_due <= now {
            self.report(now, false);
            self.report_due = now + rtcp::interval(&mut self.random, false);
        }
        if let Some(recording) = &mut self.recording
            && let Some(end) = recording.timeout(now, &mut self.outbox)
        {
            self.end_recording(now, end, Duration::ZERO);
        }
        if let Some(monitor) = &mut self.monitor {
            monitor.timeout(now, &mut self.outbox);
        }
        self.check_loss(now);
    }

    /// The next packet to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        self.outbox.transmit()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.outbox.event()
    }

    /// Whether [`Session::poll_event`] has something to give.
    pub fn has_event(&self) -> bool {
        self.outbox.has_event()
    }

    /// When [`Session::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closed {
            return None;
        }
        let sending = if self.may_send() {
            Some(self.outgoing.due().unwrap_or_else(|| self.outgoing.keep_alive_at()))
        } else {
            None
        };
        let recording = self.recording.as_ref().and_then(|recording| recording.deadline());
        let loss = self.expects_packets().then_some(self.loss_due);
        let monitor = self.monitor.as_ref().and_then(|monitor| monitor.poll_timeout());
        [Some(self.report_due), sending, recording, monitor, loss].into_iter().flatten().min()
    }

    /// What was last negotiated.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whether [`Command::Close`] was taken.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// What became of packets so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn tell(&mut self, event: Option<Event>) {
        if let Some(event) = event {
            self.outbox.tell(event);
        }
    }

    fn update(&mut self, now: Instant, new: Parameters) {
        if new == self.parameters {
            return;
        }
        let old = std::mem::replace(&mut self.parameters, new);
        let new = &self.parameters;
        self.latch.renegotiate(&old, new);
        // The same keys go on where they are: to begin anew would use their stream of bytes twice.
        if self.protection.as_ref().map(Protection::keys) != new.srtp.as_ref() {
            self.protection = new.srtp.clone().map(Protection::new);
        }
        if old.codec != new.codec {
            self.outgoing.set_clock_rate(now, new.codec.clock_rate());
            if let Some(recording) = &mut self.recording {
                recording.set_codec(new.codec);
            }
        }
        self.settle_hold(now);
    }

    /// Follows what the direction and the orders say about a hold.
    fn settle_hold(&mut self, now: Instant) {
        let held = self.hold_ordered || is_held(&self.parameters);
        if held == self.held {
            return;
        }
        self.held = held;
        if let Some(recording) = &mut self.recording {
            recording.hold(now, held);
        }
        if held {
            self.outgoing.rest();
        }
        self.expect_packets(now);
    }

    fn close(&mut self, now: Instant) {
        self.end_recording(now, RecordingEnd::Closed, Duration::ZERO);
        // RFC 3550 6.3.7
        self.report(now, true);
        self.closed = true;
    }

    fn end_recording(&mut self, now: Instant, end: RecordingEnd, cut: Duration) {
        if let Some(recording) = self.recording.take() {
            let fate = recording.finish(now, end, cut, &mut self.outbox);
            self.counters.missing += fate.missing;
            self.counters.late += fate.late;
        }
    }

    fn may_send(&self) -> bool {
        !self.held && self.parameters.remote.is_some()
    }

    /// Sends the packet that is due, if there is one.
    fn send(&mut self, now: Instant) {
        if !self.may_send() {
            if let Some(microphone) = &mut self.microphone {
                microphone.forget();
            }
            return self.outgoing.rest();
        }
        let has_to_say = self.player.is_running() || self.keypad.is_busy() || self.has_spoken();
        if has_to_say || self.outgoing.keep_alive_at() <= now {
            self.outgoing.wake(now);
        }
        let Some(slot) = self.outgoing.slot(now) else { return };
        if self.keypad.is_busy() && self.send_key(slot) {
            return;
        }
        let codec = self.parameters.codec;
        self.payload.clear();
        match self.player.packet(codec, &mut self.payload) {
            Some(played) => {
                self.transmit(slot, self.parameters.payload_type, slot.timestamp, slot.first);
                if let Some(id) = played.first {
                    self.outbox.tell(Event::PlayStarted { id });
                }
                if played.last {
                    let finished = self.player.finish();
                    self.tell(finished);
                }
            }
            None if self.speak(codec) => {
                self.transmit(slot, self.parameters.payload_type, slot.timestamp, slot.first);
            }
            None if self.outgoing.keep_alive_at() <= now => {
                self.player.silence(codec, &mut self.payload);
                self.transmit(slot, self.parameters.payload_type, slot.timestamp, true);
            }
            None => {}
        }
        if !self.player.is_running() && !self.has_spoken() {
            match self.keypad.rests_until() {
                Some(until) => self.outgoing.wake_at(until),
                None => self.outgoing.rest(),
            }
        }
    }

    /// Whether there is a packet of what was captured.
    fn has_spoken(&self) -> bool {
        self.microphone.as_ref().is_some_and(|microphone| microphone.has_packet())
    }

    /// Prepares such a packet. False: there is none.
    fn speak(&mut self, codec: Codec) -> bool {
        self.microphone.as_mut().is_some_and(|microphone| microphone.packet(codec, &mut self.payload))
    }

    /// Changes what a person wants to hear or see.
    fn monitor(&mut self, now: Instant, change: impl FnOnce(&mut Monitor)) {
        let codec = self.parameters.codec;
        change(self.monitor.get_or_insert_with(|| Box::new(Monitor::new(now, codec))));
        self.monitor.take_if(|monitor| !monitor.is_wanted());
    }

    /// Sends the next packet of a key. False: between keys, when sound may go.
    fn send_key(&mut self, slot: Slot) -> bool {
        let codec = self.parameters.codec;
        let packet = self.keypad.tick(slot.at, slot.timestamp, codec.ticks_per_packet());
        if !self.keypad.is_busy() {
            self.outbox.tell(Event::DigitsSent);
        }
        // A peer that takes no keys is sent none; their time passes all the same.
        let (Some(packet), Some(payload_type)) = (packet, self.parameters.telephone_event) else {
            return false;
        };
        self.payload.clear();
        self.payload.extend_from_slice(&packet.block.bytes());
        self.transmit(slot, payload_type, packet.timestamp, packet.marker);
        true
    }

    /// Puts a packet with the prepared payload into the outbox.
    fn transmit(&mut self, slot: Slot, payload_type: u8, timestamp: u32, marker: bool) {
        let Some(to) = self.latch.destination(Channel::Rtp) else { return };
        if payload_type == self.parameters.payload_type
            && let Some(monitor) = &mut self.monitor
        {
            monitor.said(self.parameters.codec, &self.payload);
        }
        let packet = self.outbox.packet(Channel::Rtp, to);
        let content = Content { payload_type, timestamp, marker, payload: &self.payload };
        self.outgoing.write(slot, &content, packet);
        if let Some(protection) = &mut self.protection {
            protection.protect_sound(packet);
        }
        self.counters.sent += 1;
    }

    /// Sends a report.
    fn report(&mut self, now: Instant, goodbye: bool) {
        let Some(to) = self.latch.destination(Channel::Rtcp) else { return };
        let last_report = self.peer.last_report;
        let heard = self.peer.reception.as_mut();
        let report = Report {
            ssrc: self.outgoing.ssrc(),
            canonical_name: &self.canonical_name,
            sent: self.outgoing.report(now),
            heard: heard.map(|(ssrc, reception)| Heard {
                ssrc: *ssrc,
                quality: reception.report(),
                last_report,
            }),
            goodbye,
        };
        let packet = self.outbox.packet(Channel::Rtcp, to);
        report.write(now, packet);
        if let Some(protection) = &mut self.protection {
            protection.protect_control(packet);
        }
    }

    /// Whether silence of the line would be a fault. On hold it is one only after a long time.
    fn expects_packets(&self) -> bool {
        !self.peer.lost && (self.held || self.parameters.direction.receives())
    }

    fn patience(&self) -> Duration {
        if self.held { Self::LOST_AFTER_ON_HOLD } else { Self::LOST_AFTER }
    }

    /// Begins to wait for packets anew.
    fn expect_packets(&mut self, now: Instant) {
        self.peer.heard_at = now;
        self.peer.lost = false;
        self.loss_due = now + self.patience();
    }

    /// The due time is not moved with every packet, but looked at again when it comes.
    fn check_loss(&mut self, now: Instant) {
        if !self.expects_packets() || self.loss_due > now {
            return;
        }
        self.loss_due = self.peer.heard_at + self.patience();
        if self.loss_due <= now {
            self.peer.lost = true;
            self.end_recording(now, RecordingEnd::Lost, Duration::ZERO);
            self.outbox.tell(Event::RtpLost);
        }
    }
}

fn is_held(parameters: &Parameters) -> bool {
    !parameters.direction.sends() || parameters.remote.is_none()
}

/// Whether this payload is comfort noise of RFC 3389, whose type is fixed at a clock of 8000.
fn is_comfort_noise(codec: Codec, payload_type: u8) -> bool {
    const COMFORT_NOISE: u8 = 13;
    payload_type == COMFORT_NOISE && codec.clock_rate() == 8_000
}

#[cfg(test)]
mod tests;
