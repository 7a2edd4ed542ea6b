//! Recordings of lines good and bad.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::*;
use crate::g711::Law;

const SPEECH: u8 = 0x10;
const LIMITS: RecordLimits = RecordLimits {
    max: Duration::from_secs(300),
    silence: Some(Duration::from_secs(10)),
    min: Duration::from_secs(1),
};

/// A recording under test, with the line of a caller who sends 20 ms packets of mu-law.
struct Line {
    recording: Option<Recording>,
    outbox: Outbox,
    now: Instant,
    sequence: u16,
    timestamp: u32,
}

impl Line {
    fn new(limits: RecordLimits) -> Self {
        let now = Instant::from_millis(5_000);
        Line {
            recording: Some(Recording::new(now, RecordId(1), limits, Codec::Pcmu, false)),
            outbox: Outbox::default(),
            now,
            sequence: 65_500,
            timestamp: u32::MAX - 5_000,
        }
    }

    fn arrives(&mut self, at: Instant, sequence: u16, timestamp: u32, kind: Kind, payload: &[u8]) {
        let Some(recording) = &mut self.recording else { return };
        let arrival = Arrival { at, sequence, timestamp, kind, payload };
        if let Some(end) = recording.packet(arrival, &mut self.outbox) {
            let recording = self.recording.take().unwrap();
            recording.finish(at, end, Duration::ZERO, &mut self.outbox);
        }
    }

    /// The next packet, on time.
    fn sends(&mut self, kind: Kind, payload: &[u8]) {
        self.arrives(self.now, self.sequence, self.timestamp, kind, payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.pauses(Duration::from_millis(20));
    }

    fn speaks(&mut self, seconds: u64) {
        for _ in 0..seconds * 50 {
            self.sends(Kind::Sound, &[SPEECH; 160]);
        }
    }

    fn is_quiet(&mut self, seconds: u64) {
        for _ in 0..seconds * 50 {
            self.sends(Kind::Sound, &[Law::Mu.silence(); 160]);
        }
    }

    /// Time passes without packets.
    fn pauses(&mut self, duration: Duration) {
        self.now += duration;
        self.timestamp = self.timestamp.wrapping_add(duration.as_millis() as u32 * 8);
        if let Some(recording) = &mut self.recording
            && let Some(end) = recording.timeout(self.now, &mut self.outbox)
        {
            self.recording.take().unwrap().finish(self.now, end, Duration::ZERO, &mut self.outbox);
        }
    }

    fn stops(mut self) -> Heard {
        if let Some(recording) = self.recording.take() {
            recording.finish(self.now, RecordingEnd::Stopped, Duration::ZERO, &mut self.outbox);
        }
        heard(self.outbox)
    }
}

#[derive(Debug)]
struct Heard {
    sound: Vec<u8>,
    chunks: Vec<Bytes>,
    end: RecordingEnd,
    duration: Duration,
    speech: Duration,
    trailing_silence: Duration,
    long_enough: bool,
}

fn heard(mut outbox: Outbox) -> Heard {
    let mut chunks = Vec::new();
    while let Some(event) = outbox.event() {
        match event {
            Event::Recorded { id: RecordId(1), chunk } => chunks.push(chunk),
            Event::RecordingEnded {
                id: RecordId(1),
                end,
                duration,
                speech,
                trailing_silence,
                long_enough,
            } => {
                assert!(outbox.event().is_none(), "nothing comes after the end");
                let sound = chunks.concat();
                assert_eq!(
                    duration.as_micros(),
                    sound.len() as u128 * 125,
                    "the length is that of what was given out"
                );
                return Heard { sound, chunks, end, duration, speech, trailing_silence, long_enough };
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the recording did not end");
}

#[test]
fn a_good_line_is_recorded_byte_for_byte() {
    let mut line = Line::new(LIMITS);
    let mut said = Vec::new();
    for n in 0..500_u32 {
        let payload: Vec<u8> = (0..160_u32).map(|at| (n * 7 + at) as u8).collect();
        line.sends(Kind::Sound, &payload);
        said.extend(payload);
    }
    let heard = line.stops();
    assert_eq!(heard.sound, said);
    assert_eq!((heard.end, heard.duration), (RecordingEnd::Stopped, Duration::from_secs(10)));
    assert!(heard.long_enough);
    assert!(heard.chunks.iter().all(|chunk| chunk.len() <= 8_000), "at most a second a chunk");
    assert_eq!(heard.chunks.len(), 10);
}

/// 5 % loss, 60 ms jitter, 2 % reordering: length right within 1 %.
#[test]
fn rel_37_a_bad_line_gives_a_recording_of_the_right_length() {
    for seed in 0..20 {
        let mut random = ChaCha20Rng::from_seed([seed; 32]);
        let mut line = Line::new(LIMITS);
        let start = line.now;
        let mut packets = Vec::new();
        for n in 0..1_500_u32 {
            let (fate, late) = (random.next_u32() % 100, random.next_u32() % 100);
            let mut delay = u64::from(random.next_u32() % 60);
            if n == 0 {
                // Where the recording begins is where its first packet comes.
                delay = 0;
            } else if fate < 5 {
                continue;
            } else if late < 2 {
                delay += 40;
            }
            packets.push((start + Duration::from_millis(u64::from(n) * 20 + delay), n));
        }
        packets.sort_unstable();
        for (at, n) in packets {
            let sequence = 65_000_u16.wrapping_add(n as u16);
            line.arrives(at, sequence, n * 160, Kind::Sound, &[(n % 100) as u8; 160]);
        }
        line.now = start + Duration::from_secs(30);
        let heard = line.stops();
        let off = heard.duration.abs_diff(Duration::from_secs(30));
        assert!(off <= Duration::from_millis(300), "seed {seed}: {:?}", heard.duration);
        // In order, and each packet at its place in time.
        let misplaced = (0..1_400).filter(|n| {
            let there = &heard.sound[n * 160..(n + 1) * 160];
            there != [(n % 100) as u8; 160] && there != [0xff; 160]
        });
        assert_eq!(misplaced.count(), 0, "seed {seed}");
        let lost = (0..1_400).filter(|n| heard.sound[n * 160] == 0xff).count();
        assert!(lost < 1_400 * 9 / 100, "seed {seed}: {lost} of 1400 packets are not in the recording");
    }
}

#[test]
fn repeated_packets_are_recorded_once() {
    let mut line = Line::new(LIMITS);
    for n in 0..100_u16 {
        for _ in 0..3 {
            line.arrives(line.now, n, u32::from(n) * 160, Kind::Sound, &[SPEECH; 160]);
        }
        line.now += PACKET_TIME;
    }
    assert_eq!(line.stops().duration, Duration::from_secs(2));
}

#[test]
fn silence_ends_the_recording_and_speech_does_not() {
    let mut line = Line::new(LIMITS);
    line.speaks(30);
    line.is_quiet(9);
    line.speaks(1);
    assert!(line.recording.is_some());
    line.is_quiet(11);
    assert!(line.recording.is_none());
    let heard = line.stops();
    assert_eq!((heard.end, heard.duration), (RecordingEnd::Silence, Duration::from_secs(50)));
    assert_eq!((heard.speech, heard.trailing_silence), (Duration::from_secs(31), Duration::from_secs(10)));
}

#[test]
fn missing_packets_are_no_silence() {
    // DEC-31
    let mut line = Line::new(LIMITS);
    line.speaks(2);
    for _ in 0..3 {
        line.pauses(Duration::from_secs(15));
        line.sends(Kind::Sound, &[SPEECH; 160]);
    }
    assert!(line.recording.is_some());
    let heard = line.stops();
    assert_eq!(heard.end, RecordingEnd::Stopped);
    assert_eq!(heard.duration, Duration::from_millis(2_000 + 3 * 15_020));
}

#[test]
fn comfort_noise_is_silence_for_as_long_as_it_stands() {
    // DEC-31, RFC 3389
    let mut line = Line::new(LIMITS);
    line.speaks(2);
    line.sends(Kind::Comfort, &[60]);
    line.pauses(Duration::from_secs(5));
    line.speaks(1);
    line.sends(Kind::Comfort, &[60]);
    line.pauses(Duration::from_secs(9));
    assert!(line.recording.is_some());
    line.pauses(Duration::from_secs(1));
    let heard = line.stops();
    assert_eq!(heard.end, RecordingEnd::Silence);
    let expected = Duration::from_millis(2_000 + 5_020 + 1_000 + 10_020);
    assert!(heard.duration.abs_diff(expected) <= Duration::from_millis(40), "{:?}", heard.duration);
}

#[test]
fn the_longest_recording_is_cut_there() {
    for kind in [Kind::Sound, Kind::Comfort] {
        let max = Duration::from_millis(3_010);
        let mut line = Line::new(RecordLimits { max, silence: None, ..LIMITS });
        line.speaks(1);
        if kind == Kind::Comfort {
            line.sends(kind, &[70]);
            line.pauses(Duration::from_secs(5));
        } else {
            line.speaks(5);
        }
        assert!(line.recording.is_none());
        let heard = line.stops();
        assert_eq!((heard.end, heard.duration), (RecordingEnd::Limit, max), "{kind:?}");
    }
}

#[test]
fn the_shortest_one_worth_keeping_is_told_from_shorter_ones() {
    for (packets, long_enough) in [(49, false), (50, true)] {
        let mut line = Line::new(LIMITS);
        for _ in 0..packets {
            line.sends(Kind::Sound, &[SPEECH; 160]);
        }
        assert_eq!(line.stops().long_enough, long_enough);
    }
}

#[test]
fn no_tone_of_a_key_is_recorded() {
    // SEC-88: 60 ms of the tone got into the sound before the key was told, and 40 ms after it.
    const TONE: u8 = 0x2a;
    let mut line = Line::new(LIMITS);
    line.speaks(3);
    for _ in 0..3 {
        line.sends(Kind::Sound, &[TONE; 160]);
    }
    for _ in 0..5 {
        line.arrives(line.now, line.sequence, line.timestamp, Kind::Key, &[]);
        line.sequence = line.sequence.wrapping_add(1);
        line.sends(Kind::Sound, &[TONE; 160]);
    }
    for _ in 0..2 {
        line.sends(Kind::Sound, &[TONE; 160]);
    }
    line.pauses(Duration::from_millis(40));
    line.speaks(1);
    let heard = line.stops();
    assert!(!heard.sound.contains(&TONE));
    assert_eq!(heard.duration, Duration::from_millis(4_000 + 10 * 20 + 40), "its time is kept");
    let spoken = heard.sound.iter().filter(|byte| **byte == SPEECH).count();
    assert!(spoken >= 4 * 8_000 - 1_280, "{spoken}");
}

#[test]
fn a_key_between_packets_costs_no_time() {
    let mut line = Line::new(LIMITS);
    line.speaks(1);
    for _ in 0..7 {
        // No sound while the key is down, as most telephones do it.
        line.sends(Kind::Key, &[]);
    }
    line.speaks(1);
    let heard = line.stops();
    assert_eq!(heard.duration, Duration::from_millis(2_140));
}

#[test]
fn a_hold_is_no_part_of_the_recording() {
    // PEER-15
    let mut line = Line::new(LIMITS);
    line.speaks(2);
    line.recording.as_mut().unwrap().hold(line.now, true);
    line.is_quiet(60);
    assert!(line.recording.is_some(), "no silence and no limit while held");
    line.recording.as_mut().unwrap().hold(line.now, false);
    line.speaks(2);
    let heard = line.stops();
    assert_eq!(heard.duration, Duration::from_secs(4));
    assert!(heard.sound.iter().all(|byte| *byte == SPEECH));
}

#[test]
fn a_timestamp_cannot_claim_time_that_did_not_pass() {
    for jump in [8_000 * 600, u32::MAX / 2 - 1, u32::MAX / 2 + 1, u32::MAX - 8_000] {
        let mut line = Line::new(LIMITS);
        line.speaks(2);
        line.timestamp = line.timestamp.wrapping_add(jump);
        line.speaks(2);
        let heard = line.stops();
        assert_eq!(heard.duration, Duration::from_secs(4), "jump {jump}");
    }
}

#[test]
fn a_sender_with_a_wrong_clock_is_recorded_in_its_time() {
    // Wideband senders that count 16000 ticks a second.
    let mut line = Line::new(LIMITS);
    for _ in 0..500 {
        line.sends(Kind::Sound, &[SPEECH; 160]);
        line.timestamp = line.timestamp.wrapping_add(160);
    }
    let heard = line.stops();
    assert!(heard.duration <= Duration::from_millis(10_220), "{:?}", heard.duration);
}

#[test]
fn a_stream_begun_anew_goes_on_where_the_clock_is() {
    let mut line = Line::new(LIMITS);
    line.speaks(2);
    line.pauses(Duration::from_secs(3));
    line.sequence = line.sequence.wrapping_add(20_000);
    line.timestamp = 77;
    line.speaks(2);
    let heard = line.stops();
    assert!(
        heard.duration.abs_diff(Duration::from_secs(7)) <= Duration::from_millis(40),
        "{:?}",
        heard.duration
    );
}

#[test]
fn silence_before_the_first_packet_is_kept() {
    let mut line = Line::new(LIMITS);
    line.pauses(Duration::from_secs(2));
    line.speaks(1);
    let heard = line.stops();
    assert!(
        heard.duration.abs_diff(Duration::from_secs(3)) <= Duration::from_millis(40),
        "{:?}",
        heard.duration
    );
}

#[test]
fn a_recording_nobody_takes_ends_and_keeps_what_it_has() {
    let mut line = Line::new(LIMITS);
    line.speaks(120);
    assert!(line.recording.is_none());
    let heard = line.stops();
    assert_eq!(heard.end, RecordingEnd::Overrun);
    assert!(heard.duration > Duration::from_secs(60), "{:?}", heard.duration);
}

#[test]
fn the_end_can_be_cut() {
    let mut line = Line::new(LIMITS);
    line.speaks(2);
    let recording = line.recording.take().unwrap();
    recording.finish(line.now, RecordingEnd::Stopped, Duration::from_secs(9), &mut line.outbox);
    assert_eq!(heard(line.outbox).duration, Duration::from_millis(1_800), "no more than is held back");
}
