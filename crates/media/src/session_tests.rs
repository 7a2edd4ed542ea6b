//! Calls between two sessions, and what strangers and bad lines do to them.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use rand_core::SeedableRng as _;
use rtp_types::RtpPacket;
use umbel_wav::Format;

use super::*;
use crate::testing::{purity, rms, sine};
use crate::{
    Clip, Digit, Direction, Keystroke, MasterKey, Message, PlayId, Prompt, RecordId, RecordLimits, SrtpKeys,
    Suite, Tone,
};

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

// --- playing ---------------------------------------------------------------------------------------------

#[test]
fn the_first_packet_leaves_with_the_order_and_the_others_every_20_ms() {
    // DEC-42
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let start = Instant::from_micros(1_234_567);
    let mut sent = end.order(start, play(1, vec![tone(200)]));
    assert_eq!(sent.len(), 1, "packet 0 is there at once");
    assert_eq!(end.events, [Event::PlayStarted { id: PlayId(1) }]);
    sent.extend(end.run(start + Duration::from_millis(500)));
    sent.retain(|sent| sent.channel == Channel::Rtp);
    assert_eq!(sent.len(), 10);
    for (n, pair) in sent.windows(2).enumerate() {
        assert_eq!(pair[1].at.since(pair[0].at), Duration::from_millis(20), "packet {n}");
        let (one, next) = (pair[0].packet(), pair[1].packet());
        assert_eq!(next.sequence_number(), one.sequence_number().wrapping_add(1));
        assert_eq!(next.timestamp(), one.timestamp().wrapping_add(160));
        assert_eq!((one.ssrc(), one.payload_type(), one.payload().len()), (next.ssrc(), 0, 160));
    }
    let markers: Vec<bool> = sent.iter().map(|sent| sent.packet().marker_bit()).collect();
    assert_eq!(markers, [true, false, false, false, false, false, false, false, false, false]);
    assert_eq!(end.events.last(), Some(&ended(1, 200, true)));
}

#[test]
fn late_timers_do_not_bunch_packets() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, play(1, vec![tone(1_000)]));
    let at = |millis| Instant::from_millis(millis);
    // A little late: the pace stays.
    end.session.handle_timeout(at(35));
    assert_eq!(end.taken(at(35)).len(), 1);
    assert_eq!(end.session.poll_timeout(), Some(at(40)));
    // Very late: one packet, and the pace moves. The timestamp tells the peer how long it was.
    end.session.handle_timeout(at(40));
    let before = end.taken(at(40));
    end.session.handle_timeout(at(147));
    let after = end.taken(at(147));
    assert_eq!(after.len(), 1);
    assert_eq!(end.session.poll_timeout(), Some(at(167)));
    let ticks = after[0].packet().timestamp().wrapping_sub(before[0].packet().timestamp());
    assert_eq!(ticks, (147 - 40) * 8);
}

#[test]
fn what_follows_goes_on_in_the_pace_of_what_came_before() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let mut sent = end.order(Instant::ZERO, play(1, vec![tone(100)]));
    sent.extend(end.run(Instant::from_millis(80)));
    assert_eq!(end.events.last(), Some(&ended(1, 100, true)));
    sent.extend(end.order(Instant::from_millis(81), play(2, vec![tone(100)])));
    sent.extend(end.run(Instant::from_millis(300)));
    assert_eq!(sent.len(), 10);
    assert!(sent.windows(2).all(|pair| pair[1].at.since(pair[0].at) == Duration::from_millis(20)));
    assert!(sent.iter().skip(1).all(|sent| !sent.packet().marker_bit()));
}

#[test]
fn a_playing_is_stopped_replaced_paused_and_moved() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let at = |millis| Instant::from_millis(millis);
    end.order(at(0), play(1, vec![tone(1_000), Clip::Silence(Duration::from_secs(1)), tone(1_000)]));
    end.run(at(90));
    end.order(at(95), Command::Stop);
    assert_eq!(end.events.last(), Some(&ended(1, 100, false)));
    assert!(end.run(at(1_000)).iter().all(|sent| sent.channel == Channel::Rtcp));

    end.order(at(1_000), play(2, vec![tone(1_000), Clip::Silence(Duration::from_secs(1)), tone(1_000)]));
    end.run(at(1_190));
    end.order(at(1_195), Command::Pause);
    assert!(end.run(at(2_000)).is_empty());
    let resumed = end.order(at(2_000), Command::Resume);
    assert!(resumed[0].packet().marker_bit(), "sound begins again");
    end.order(at(2_001), Command::Seek { by_millis: 1_500 });
    end.run(at(2_100));
    end.order(at(2_101), Command::Seek { by_millis: -10_000 });
    end.order(at(2_102), play(3, vec![]));
    // From the start again, and two packets are not sent within 20 ms.
    assert_eq!(end.events[end.events.len() - 2..], [ended(2, 0, false), ended(3, 0, true)]);
    end.order(at(2_200), play(4, vec![tone(400)]));
    end.order(at(2_201), Command::Seek { by_millis: 1_000 });
    assert_eq!(end.events.last(), Some(&ended(4, 400, true)));
    end.order(
        at(2_300),
        Command::Play { id: PlayId(5), clips: vec![tone(400)], from: Duration::from_millis(300) },
    );
    let sent = end.run(at(2_600));
    assert_eq!(sent.iter().filter(|sent| sent.channel == Channel::Rtp).count(), 4);
}

#[test]
fn a_quiet_stream_is_kept_alive() {
    // RFC 6263
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.session.expect_packets(Instant::from_millis(100_000));
    let sent = end.run(Instant::from_millis(46_000));
    let sound: Vec<&Sent> = sent.iter().filter(|sent| sent.channel == Channel::Rtp).collect();
    assert_eq!(sound.len(), 3);
    assert!(sound.iter().all(|sent| sent.packet().payload() == [0xff; 160]));
}

#[test]
fn every_kind_of_clip_sounds_in_every_codec() {
    let samples = sine(1_000.0, 16_000, 16_000, 8_000.0);
    let prompt = Arc::new(Prompt::new(&samples, 16_000).unwrap());
    let wide = Message::from_samples(&samples, 16_000).unwrap();
    let clips = [
        Clip::Prompt(prompt),
        Clip::Message(wide.converted(Format::PCMU).unwrap()),
        Clip::Message(wide.converted(Format::PCMA).unwrap()),
        Clip::Message(wide),
        tone(1_000),
    ];
    for codec in codecs() {
        for clip in &clips {
            let mut call = Call::new(codec, None);
            call.order_b(Command::Record { id: RecordId(1), limits: NO_LIMITS });
            call.order_a(play(1, vec![clip.clone()]));
            call.run_for(Duration::from_secs(2));
            call.order_b(Command::StopRecording { cut: Duration::ZERO });
            let format = codec.recording_format();
            let heard = Message { format, data: Bytes::from(call.b.recorded()) }.samples();
            let second = format.rate as usize;
            assert_eq!(heard.len(), second, "{codec:?} {clip:?}");
            let purity = purity(&heard[second / 4..second * 3 / 4], 1_000.0, format.rate);
            assert!(purity > 25.0, "{codec:?} {clip:?}: {purity}");
        }
    }
}

#[test]
fn speed_and_volume_change_messages_and_leave_prompts_alone() {
    let samples = sine(500.0, 8_000, 16_000, 4_000.0);
    let message = Clip::Message(Message::from_samples(&samples, 8_000).unwrap());
    let prompt = Clip::Prompt(Arc::new(Prompt::new(&samples, 8_000).unwrap()));
    for (clip, percent, decibels, packets, loudness) in [
        (&message, 200, 0, 50, 2_828.0),
        (&message, 50, 0, 200, 2_828.0),
        (&message, 100, 6, 100, 5_643.0),
        (&message, 100, -6, 100, 1_417.0),
        (&prompt, 200, -6, 100, 2_828.0),
    ] {
        let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
        end.order(Instant::ZERO, Command::Speed { percent });
        end.order(Instant::ZERO, Command::Volume { decibels });
        let mut sent = end.order(Instant::ZERO, play(1, vec![clip.clone()]));
        sent.extend(end.run(Instant::from_millis(1_900)));
        sent.extend(end.run(Instant::from_millis(10_000)));
        sent.retain(|sent| sent.channel == Channel::Rtp);
        assert_eq!(sent.len(), packets, "{percent} %");
        let heard: Vec<i16> = sent[5..packets - 5]
            .iter()
            .flat_map(|sent| {
                sent.packet()
                    .payload()
                    .iter()
                    .map(|byte| crate::g711::Law::Mu.decode(*byte))
                    .collect::<Vec<_>>()
            })
            .collect();
        let loud = rms(&heard);
        assert!((loud / loudness - 1.0).abs() < 0.1, "{percent} % {decibels} dB: {loud}");
        assert_eq!(end.events.last(), Some(&ended(1, 2_000, true)));
    }
}

// --- a whole call ----------------------------------------------------------------------------------------

#[test]
fn what_one_plays_and_presses_the_other_hears() {
    // MED-1, MED-2, MED-5
    for codec in codecs() {
        for srtp in [None, Some(Suite::AesCm128HmacSha1_80), Some(Suite::AesCm128HmacSha1_32)] {
            let mut call = Call::new(codec, srtp);
            call.order_b(Command::Record { id: RecordId(7), limits: NO_LIMITS });
            call.order_a(play(1, vec![tone(3_000)]));
            call.run_for(Duration::from_secs(4));
            call.order_b(Command::StopRecording { cut: Duration::ZERO });
            call.order_a(Command::SendDigits(keys("147*0#369D")));
            call.run_for(Duration::from_secs(4));
            assert_eq!(call.b.digits(), "147*0#369D", "{codec:?} {srtp:?}");
            assert!(call.a.events.contains(&Event::DigitsSent));
            assert_eq!(call.b.events[0], Event::FirstPacketReceived);
            let format = codec.recording_format();
            assert_eq!(call.b.recorded().len() as u64, format.bytes_per_second() * 3);
            let counters = call.b.session.counters();
            assert_eq!(
                Counters { accepted: 0, sent: 0, ..counters },
                Counters::default(),
                "{codec:?} {srtp:?}: nothing was dropped"
            );
            assert!(call.reports >= 2);
            call.order_a(Command::Close);
            call.run_for(Duration::from_millis(100));
            assert!(call.a.session.is_closed());
            assert_eq!(call.a.session.poll_timeout(), None);
            // The goodbye made room for another stream.
            assert_eq!(call.b.session.latch.stream(0), crate::gate::Verdict::Candidate);
        }
    }
}

#[test]
fn keys_wait_for_each_other_and_sound_waits_for_keys() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(1_000)]));
    call.order_a(Command::SendDigits(keys("12")));
    call.order_a(Command::SendDigits(vec![Keystroke::Wait(Duration::from_secs(1)), keys("3")[0]]));
    call.run_for(Duration::from_secs(3));
    assert_eq!(call.b.digits(), "123");
    assert!(call.a.events.contains(&ended(1, 1_000, true)));
    assert_eq!(call.a.events.iter().filter(|event| **event == Event::DigitsSent).count(), 1);
    let counters = call.b.session.counters();
    assert_eq!(counters.accepted, 50 + 3 * 7 + u64::try_from(call.reports).unwrap() / 2);
}

#[test]
fn a_prompt_that_comes_while_keys_rest_is_heard_at_once() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::SendDigits(vec![Keystroke::Wait(Duration::from_secs(9))]));
    let sent = end.order(Instant::from_millis(1_000), play(1, vec![tone(100)]));
    assert_eq!(sent.len(), 1);
}

#[test]
fn reports_tell_of_loss_and_are_answered() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(20_000)]));
    call.run_for(Duration::from_secs(20));
    assert!((6..=16).contains(&call.reports), "{}", call.reports);
    assert!(call.b.session.peer.last_report.is_some());
}

// --- changes in mid call ---------------------------------------------------------------------------------

#[test]
fn a_hold_stops_prompts_and_recordings_until_it_ends() {
    // PEER-15
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let at = |millis| Instant::from_millis(millis);
    let limits = RecordLimits { silence: Some(Duration::from_secs(10)), ..NO_LIMITS };
    end.order(at(0), play(1, vec![tone(1_000)]));
    end.order(at(0), Command::Record { id: RecordId(1), limits });
    end.run(at(390));
    for (begin, direction) in [(400, Direction::ReceiveOnly), (70_000, Direction::Inactive)] {
        let mut new = parameters(Codec::Pcmu, B);
        new.direction = direction;
        end.order(at(begin), Command::Update(new.clone()));
        let sent = end.run(at(begin + 60_000));
        assert!(sent.iter().all(|sent| sent.channel == Channel::Rtcp), "nothing plays while held");
        assert!(
            !end.events.iter().any(|event| matches!(event, Event::RecordingEnded { .. } | Event::RtpLost))
        );
        new.direction = Direction::SendReceive;
        let sent = end.order(at(begin + 60_000), Command::Update(new));
        assert_eq!(sent.len(), 1, "it goes on at once");
    }
    end.order(at(131_000), Command::Hold(true));
    assert!(end.order(at(131_100), Command::Stop).is_empty());
    assert!(matches!(end.events.last(), Some(Event::PlayEnded { finished: false, .. })));
}

#[test]
fn a_codec_changed_in_mid_call_changes_what_is_sent_and_taken() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let first = end.order(Instant::ZERO, play(1, vec![tone(1_000)]));
    let mut new = parameters(Codec::G722, "192.0.2.9:6000");
    new.payload_type = 9;
    end.order(Instant::from_millis(10), Command::Update(new));
    let sent = end.run(Instant::from_millis(20));
    let (before, after) = (first[0].packet(), sent[0].packet());
    assert_eq!(sent[0].to, at("192.0.2.9:6000"));
    assert_eq!((after.payload_type(), after.ssrc()), (9, before.ssrc()));
    assert_eq!(after.sequence_number(), before.sequence_number().wrapping_add(1));
    assert_eq!(after.timestamp(), before.timestamp().wrapping_add(160));

    let mut caller = Session::new(Instant::ZERO, parameters(Codec::Pcmu, A), random(9));
    caller.handle_command(Instant::ZERO, play(1, vec![tone(100)]));
    let old_codec = caller.poll_transmit().unwrap().bytes.to_vec();
    end.session.handle_packet(Instant::from_millis(30), Channel::Rtp, at("192.0.2.9:6000"), &old_codec);
    assert_eq!(end.session.counters().unexpected, 1, "the old codec is not taken any more");
}

#[test]
fn the_same_keys_go_on_and_new_keys_begin() {
    let mut call = Call::new(Codec::Pcmu, Some(Suite::AesCm128HmacSha1_80));
    call.order_a(play(1, vec![tone(10_000)]));
    call.run_for(Duration::from_secs(1));
    let mut again = call.a.session.parameters().clone();
    again.telephone_event = Some(96);
    call.order_a(Command::Update(again.clone()));
    call.run_for(Duration::from_secs(1));
    assert_eq!(call.b.session.counters().unauthenticated, 0);

    let mut theirs = call.b.session.parameters().clone();
    let new = MasterKey::new([3; 30]);
    again.srtp.as_mut().unwrap().ours = new.clone();
    theirs.srtp.as_mut().unwrap().theirs = new;
    call.order_a(Command::Update(again));
    call.order_b(Command::Update(theirs));
    call.run_for(Duration::from_secs(1));
    let counters = call.b.session.counters();
    // One was on its way.
    assert!(counters.unauthenticated <= 1 && counters.accepted > 140, "{counters:?}");
}

// --- the line goes dead ----------------------------------------------------------------------------------

#[test]
fn a_line_that_goes_dead_is_lost_after_20_seconds_with_its_recording_saved() {
    // DEC-31, REL-34
    let mut call = Call::new(Codec::Pcmu, None);
    let limits = RecordLimits { silence: Some(Duration::from_secs(10)), ..NO_LIMITS };
    call.order_b(Command::Record { id: RecordId(1), limits });
    call.order_a(play(1, vec![tone(5_000)]));
    call.run_for(Duration::from_secs(5));
    // From here on the other end sends nothing but reports, which do not keep it.
    call.order_a(Command::Hold(true));
    call.run_for(Duration::from_millis(19_900));
    assert!(!call.b.events.contains(&Event::RtpLost));
    call.run_for(Duration::from_millis(200));
    let [.., Event::RecordingEnded { end, duration, .. }, Event::RtpLost] = &call.b.events[..] else {
        panic!("{:?}", call.b.events);
    };
    assert_eq!((*end, *duration), (RecordingEnd::Lost, Duration::from_secs(5)));
    call.run_for(Duration::from_secs(60));
    assert_eq!(call.b.events.iter().filter(|event| **event == Event::RtpLost).count(), 1, "said once");
}

#[test]
fn a_caller_who_never_speaks_is_lost_too_and_one_on_hold_later() {
    for (direction, expected) in [
        (Direction::SendReceive, Some(20)),
        (Direction::ReceiveOnly, Some(300)),
        (Direction::Inactive, Some(300)),
        (Direction::SendOnly, None),
    ] {
        let mut parameters = parameters(Codec::Pcmu, B);
        parameters.direction = direction;
        let mut end = End::new(parameters, A, 1);
        let mut lost = None;
        for second in 0..400 {
            end.run(Instant::from_millis(second * 1_000));
            if lost.is_none() && end.events.contains(&Event::RtpLost) {
                lost = Some(second);
            }
        }
        assert_eq!(lost, expected, "{direction:?}");
    }
}

#[test]
fn who_said_to_be_silent_is_there_as_long_as_reports_come() {
    let mut call = Call::new(Codec::Pcmu, None);
    call.order_a(play(1, vec![tone(100)]));
    call.run_for(Duration::from_millis(200));
    let packet = rtp(13, 60_000, 0, &[70]);
    call.b.session.latch.release(call.a.session.outgoing.ssrc());
    call.b.session.handle_packet(call.now, Channel::Rtp, at(A), &packet);
    // Keep-alive packets of the other end would be sound; they are of another source now.
    call.run_for(Duration::from_secs(60));
    assert!(!call.b.events.contains(&Event::RtpLost));
}

// --- strangers -------------------------------------------------------------------------------------------

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

#[test]
fn packets_of_others_are_not_recorded_and_not_heard() {
    // SEC-71, SEC-72
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::Record { id: RecordId(1), limits: NO_LIMITS });
    for n in 0..100_u16 {
        let now = Instant::from_millis(u64::from(n) * 20);
        end.session.handle_packet(now, Channel::Rtp, at(B), &sound(n));
        end.session.handle_packet(now, Channel::Rtp, at("192.0.2.2:5002"), &sound(n));
        end.session.handle_packet(
            now,
            Channel::Rtp,
            at("192.0.2.66:5000"),
            &rtp(101, n, 9, &[5, 0x80, 3, 32]),
        );
        let mut other_stream = sound(n);
        other_stream[11] = 78;
        end.session.handle_packet(now, Channel::Rtp, at(B), &other_stream);
        end.taken(now);
    }
    end.order(Instant::from_millis(2_000), Command::StopRecording { cut: Duration::ZERO });
    assert_eq!(end.recorded(), [0x10; 16_000]);
    assert_eq!(end.digits(), "");
    let counters = end.session.counters();
    assert_eq!((counters.accepted, counters.foreign), (100, 300));
    assert_eq!(
        end.order(Instant::from_millis(2_000), play(1, vec![tone(20)]))[0].to,
        at(B),
        "and we send to the peer"
    );
}

#[test]
fn a_learned_source_is_sent_to_and_stays() {
    // MED-7
    let mut learning = parameters(Codec::Pcmu, B);
    learning.learn_source = true;
    let mut end = End::new(learning, A, 1);
    // Before, what is sent goes where the description says.
    assert_eq!(end.order(Instant::ZERO, play(1, vec![tone(1_000)]))[0].to, at(B));
    let (nat, thief) = (at("203.0.113.7:61000"), at("203.0.113.8:61000"));
    // What is not valid teaches nothing.
    end.session.handle_packet(
        Instant::ZERO,
        Channel::Rtp,
        thief,
        b"\x16\xfe\xfd hello, this is DTLS ........",
    );
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, thief, &rtp(77, 1, 1, &[0; 160]));
    end.session.handle_packet(Instant::from_millis(5), Channel::Rtp, nat, &sound(1));
    end.session.handle_packet(Instant::from_millis(6), Channel::Rtp, thief, &sound(2));
    assert_eq!(end.run(Instant::from_millis(20))[0].to, nat);
    assert_eq!(end.session.counters().foreign, 1);
}

#[test]
fn what_does_not_authenticate_teaches_nothing() {
    // SEC-73
    let suite = Suite::AesCm128HmacSha1_80;
    let (ours, theirs) = (MasterKey::new([1; 30]), MasterKey::new([2; 30]));
    let mut learning = parameters(Codec::Pcmu, B);
    learning.learn_source = true;
    learning.srtp = Some(SrtpKeys { suite, ours: ours.clone(), theirs: theirs.clone() });
    let mut end = End::new(learning, A, 1);
    let thief = at("203.0.113.8:61000");
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, thief, &sound(1));
    let mut forged = sound(2);
    forged.extend_from_slice(&[0; 10]);
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, thief, &forged);
    assert_eq!(end.session.counters().unauthenticated, 2);

    let mut peer = Protection::new(SrtpKeys { suite, ours: theirs, theirs: ours });
    let mut genuine = sound(3);
    peer.protect_sound(&mut genuine);
    let nat = at("203.0.113.7:61000");
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, nat, &genuine);
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, nat, &genuine);
    let counters = end.session.counters();
    assert_eq!(
        (counters.accepted, counters.unauthenticated),
        (1, 3),
        "the call goes on, the replay does not"
    );
    assert_eq!(end.order(Instant::ZERO, play(1, vec![tone(20)]))[0].to, nat);
}

#[test]
fn only_what_was_negotiated_is_taken() {
    // SEC-81
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    end.order(Instant::ZERO, Command::Record { id: RecordId(1), limits: NO_LIMITS });
    let bad = [
        rtp(8, 1, 0, &[1; 160]),
        rtp(9, 2, 0, &[1; 160]),
        rtp(96, 3, 0, &[1; 160]),
        rtp(72, 4, 0, &[1; 160]),
        rtp(0, 5, 0, &[]),
        rtp(0, 6, 0, &[1; 1_601]),
        rtp(101, 7, 0, &[1; 3]),
        rtp(101, 8, 0, &[1; 160]),
    ];
    for packet in &bad {
        end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), packet);
    }
    assert_eq!(end.session.counters().unexpected, bad.len() as u64);
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), &rtp(0, 9, 0, &[1; 1_600]));
    end.order(Instant::ZERO, Command::StopRecording { cut: Duration::ZERO });
    assert_eq!(end.recorded(), [1; 1_600]);
}

#[test]
fn damaged_packets_are_dropped_and_counted() {
    // SEC-78, SEC-82
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    let changed = |at: usize, to: u8| {
        let mut packet = sound(1);
        packet[at] = to;
        packet
    };
    let mut padded = changed(0, 0xa0);
    *padded.last_mut().unwrap() = 0;
    let mut overpadded = changed(0, 0xa0);
    *overpadded.last_mut().unwrap() = 161;
    let mut extended = changed(0, 0x90);
    extended[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
    let mut crowded = sound(1);
    crowded[0] = 0x8f;
    crowded.truncate(60);
    let bad = [
        vec![],
        vec![0x80],
        sound(1)[..11].to_vec(),
        changed(0, 0x00),
        changed(0, 0x40),
        changed(0, 0xc0),
        padded,
        overpadded,
        extended,
        crowded,
        // A DTLS ClientHello and a STUN request begin like this.
        [&[22, 0xfe, 0xfd][..], &[0; 40]].concat(),
        [&[0, 1, 0, 0][..], &[0x21; 16]].concat(),
    ];
    for packet in &bad {
        end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), packet);
    }
    assert_eq!(end.session.counters(), Counters { malformed: bad.len() as u64, ..Counters::default() });
    for packet in [&[][..], &[0x80, 200], &[0x81, 203, 0, 9, 0, 0, 0, 1], &[0xa0, 203, 0, 0]] {
        end.session.handle_packet(Instant::ZERO, Channel::Rtcp, at("192.0.2.2:5001"), packet);
    }
    assert_eq!(end.session.counters().malformed, bad.len() as u64 + 4);
    // A stranger's goodbye changes nothing.
    end.session.handle_packet(Instant::ZERO, Channel::Rtp, at(B), &sound(1));
    end.session.handle_packet(
        Instant::ZERO,
        Channel::Rtcp,
        at("192.0.2.3:5001"),
        &[0x81, 203, 0, 1, 0, 0, 0, 77],
    );
    assert_eq!(end.session.latch.stream(78), crate::gate::Verdict::Foreign);
}

#[test]
fn a_flood_is_cut_and_a_strangers_flood_costs_the_peer_nothing() {
    // SEC-77
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    for n in 0..10_000_u16 {
        let now = Instant::from_micros(u64::from(n) * 1_000);
        end.session.handle_packet(now, Channel::Rtp, at("192.0.2.66:9"), &sound(n));
        if n % 20 == 0 {
            end.session.handle_packet(now, Channel::Rtp, at(B), &sound(n / 20));
        }
    }
    assert_eq!(end.session.counters().accepted, 500);
    for n in 0..10_000_u16 {
        let now = Instant::from_micros(10_000_000 + u64::from(n) * 1_000);
        end.session.handle_packet(now, Channel::Rtp, at(B), &sound(500_u16.wrapping_add(n)));
    }
    let counters = end.session.counters();
    assert!((2_600 - 2..=2_600).contains(&counters.accepted), "{counters:?}");
}

#[test]
fn keys_that_nobody_takes_are_dropped_and_counted() {
    let mut end = End::new(parameters(Codec::Pcmu, B), A, 1);
    for n in 0..100_u16 {
        let now = Instant::from_millis(u64::from(n) * 200);
        let block = [1, 0x80, 3, 32];
        end.session.handle_packet(now, Channel::Rtp, at(B), &rtp(101, n, u32::from(n) * 1_600, &block));
    }
    assert_eq!(end.session.counters().unheard, 100 - 63);
    end.taken(Instant::ZERO);
    assert_eq!(end.digits().len(), 63);
}

proptest! {
    #[test]
    fn no_packet_makes_a_session_panic(
        packets in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 1..40),
        g722 in any::<bool>(),
        protected in any::<bool>(),
    ) {
        let mut learning = parameters(if g722 { Codec::G722 } else { Codec::Pcmu }, B);
        learning.learn_source = true;
        if protected {
            let key = MasterKey::new([1; 30]);
            learning.srtp = Some(SrtpKeys { suite: Suite::AesCm128HmacSha1_32, ours: key.clone(), theirs: key });
        }
        let mut end = End::new(learning, A, 1);
        end.order(Instant::ZERO, Command::Record { id: RecordId(1), limits: NO_LIMITS });
        let mut now = Instant::ZERO;
        for (rtp, like_rtp, mut bytes) in packets {
            now += Duration::from_millis(7);
            if like_rtp && bytes.len() >= 12 {
                bytes[0] = 0x80 | (bytes[0] & 0x3f);
                bytes[1] = [0, 9, 101, 13, 128][usize::from(bytes[1] % 5)];
                bytes[8..12].copy_from_slice(&[0, 0, 0, 77]);
            }
            end.session.handle_packet(now, if rtp { Channel::Rtp } else { Channel::Rtcp }, at(B), &bytes);
            end.session.handle_timeout(now);
            end.taken(now);
        }
        end.order(now, Command::Close);
        let ended = end.events.iter().filter(|event| matches!(event, Event::RecordingEnded { .. })).count();
        prop_assert_eq!(ended, 1);
    }
}
