//! Calls between two sessions, and what strangers and bad lines do to them.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use rand_core::SeedableRng as _;
use rtp_types::RtpPacket;
use umbel_wav::{Encoding, Format};

use super::*;
use crate::testing::{purity, rms, sine};
use crate::{
    Clip, Digit, Direction, Greeting, Keystroke, MasterKey, Message, PlayId, Prompt, RecordId, RecordLimits,
    SrtpKeys, Suite, Tone,
};

mod calls;
mod changes;
mod live;
mod playing;
mod strangers;

const NO_LIMITS: RecordLimits =
    RecordLimits { max: Duration::from_secs(3_600), silence: None, min: Duration::ZERO };

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn parameters(codec: Codec, remote: &str) -> Parameters {
    let payload_type = match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        #[cfg(feature = "opus")]
        Codec::Opus => 111,
    };
    Parameters {
        codec,
        payload_type,
        telephone_event: Some(101),
        remote: Some(at(remote)),
        remote_control: None,
        direction: Direction::SendReceive,
        srtp: None,
        learn_source: false,
    }
}

fn random(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn keys(digits: &str) -> Vec<Keystroke> {
    digits.chars().map(|c| Keystroke::Press(Digit::try_from(c).unwrap())).collect()
}

/// A packet as it was on the wire.
#[derive(Clone)]
struct Sent {
    at: Instant,
    channel: Channel,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Sent {
    fn packet(&self) -> RtpPacket<'_> {
        RtpPacket::parse(&self.bytes).unwrap()
    }
}

/// One session, its address, and what it did.
struct End {
    session: Session,
    address: SocketAddr,
    events: Vec<Event>,
}

impl End {
    fn new(parameters: Parameters, address: &str, seed: u8) -> Self {
        End {
            session: Session::new(Instant::ZERO, parameters, random(seed)),
            address: at(address),
            events: Vec::new(),
        }
    }

    fn taken(&mut self, now: Instant) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(Transmit { channel, to, bytes }) = self.session.poll_transmit() {
            sent.push(Sent { at: now, channel, to, bytes: bytes.to_vec() });
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
        sent
    }

    fn order(&mut self, now: Instant, command: Command) -> Vec<Sent> {
        self.session.handle_command(now, command);
        self.taken(now)
    }

    /// Runs alone until `until`, with timers on time.
    fn run(&mut self, until: Instant) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= until) {
            self.session.handle_timeout(due);
            sent.extend(self.taken(due));
        }
        sent
    }

    fn digits(&self) -> String {
        let digits = self.events.iter().filter_map(|event| match event {
            Event::Digit(digit) => Some(digit.as_char()),
            _ => None,
        });
        digits.collect()
    }

    fn recorded(&self) -> Vec<u8> {
        let chunks = self.events.iter().filter_map(|event| match event {
            Event::Recorded { chunk, .. } => Some(chunk.to_vec()),
            _ => None,
        });
        chunks.collect::<Vec<_>>().concat()
    }
}

/// Two ends with a wire between them that takes 10 ms.
struct Call {
    a: End,
    b: End,
    now: Instant,
    wire: VecDeque<(bool, Sent)>,
    reports: usize,
}

const A: &str = "192.0.2.1:4000";
const B: &str = "192.0.2.2:5000";

impl Call {
    fn new(codec: Codec, srtp: Option<Suite>) -> Self {
        let (mut a, mut b) = (parameters(codec, B), parameters(codec, A));
        if let Some(suite) = srtp {
            let (one, other) = (MasterKey::new([1; 30]), MasterKey::new([2; 30]));
            a.srtp = Some(SrtpKeys { suite, ours: one.clone(), theirs: other.clone() });
            b.srtp = Some(SrtpKeys { suite, ours: other, theirs: one });
        }
        Call {
            a: End::new(a, A, 1),
            b: End::new(b, B, 2),
            now: Instant::ZERO,
            wire: VecDeque::new(),
            reports: 0,
        }
    }

    fn post(&mut self, from_a: bool, sent: Vec<Sent>) {
        self.reports += sent.iter().filter(|sent| sent.channel == Channel::Rtcp).count();
        self.wire.extend(sent.into_iter().map(|sent| (from_a, sent)));
    }

    fn order_a(&mut self, command: Command) {
        let sent = self.a.order(self.now, command);
        self.post(true, sent);
    }

    fn order_b(&mut self, command: Command) {
        let sent = self.b.order(self.now, command);
        self.post(false, sent);
    }

    fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        loop {
            let wire = self.wire.front().map(|(_, sent)| sent.at + Duration::from_millis(10));
            let times = [wire, self.a.session.poll_timeout(), self.b.session.poll_timeout()];
            let Some(next) = times.into_iter().flatten().min().filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            if wire == Some(next) {
                let (from_a, sent) = self.wire.pop_front().unwrap();
                let (to, from) =
                    if from_a { (&mut self.b, self.a.address) } else { (&mut self.a, self.b.address) };
                let mut source = from;
                source.set_port(source.port() + u16::from(sent.channel == Channel::Rtcp));
                to.session.handle_packet(self.now, sent.channel, source, &sent.bytes);
                let more = to.taken(self.now);
                self.post(!from_a, more);
            } else {
                self.a.session.handle_timeout(self.now);
                let sent = self.a.taken(self.now);
                self.post(true, sent);
                self.b.session.handle_timeout(self.now);
                let sent = self.b.taken(self.now);
                self.post(false, sent);
            }
        }
        self.now = until;
    }
}

fn play(id: u64, clips: Vec<Clip>) -> Command {
    Command::Play { id: PlayId(id), clips, from: Duration::ZERO }
}

fn tone(millis: u64) -> Clip {
    Clip::Tone(Tone { duration: Duration::from_millis(millis), ..Tone::BEEP })
}

fn ended(id: u64, millis: u64, finished: bool) -> Event {
    Event::PlayEnded { id: PlayId(id), position: Duration::from_millis(millis), finished }
}

fn codecs() -> Vec<Codec> {
    vec![
        Codec::Pcmu,
        Codec::Pcma,
        Codec::G722,
        #[cfg(feature = "opus")]
        Codec::Opus,
    ]
}

/// A packet of a source 77.
fn rtp(payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&timestamp.to_be_bytes());
    bytes.extend_from_slice(&77_u32.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn sound(n: u16) -> Vec<u8> {
    rtp(0, n, u32::from(n) * 160, &[0x10; 160])
}
