//! Records the peer's sound as it was spoken: in order, of the right length, without the tones of keys.

use std::time::Duration;

use umbel_time::Instant;

use crate::codec::PACKET_TIME;
use crate::outbox::Outbox;
use crate::reorder::{Arrival, Early, Kind};
use crate::silence::Ear;
use crate::tape::Tape;
use crate::{Codec, Event, RecordId, RecordLimits, RecordingEnd};

/// One recording.
///
/// Time is that of the peer's timestamps, where they agree with the clock; the clock bounds what a
/// timestamp can claim.
pub(crate) struct Recording {
    id: RecordId,
    limits: RecordLimits,
    codec: Codec,
    tape: Tape,
    ear: Ear,
    /// When it began, moved on by the length of every hold.
    began: Instant,
    held_since: Option<Instant>,
    next: Option<Next>,
    early: Early,
    /// Sound that arrives before this is the tone of a key.
    key_until: Option<Instant>,
    /// Since when the peer has said that it is silent.
    comfort_since: Option<Instant>,
    missing: u64,
    late: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy)]
struct Next {
    sequence: u16,
    /// None after a jump of the sequence.
    timestamp: Option<u32>,
}

impl Recording {
    /// What a timestamp may be ahead of the clock: the jitter of the network.
    const AHEAD: Duration = Duration::from_millis(200);
    /// What the recording may lag behind the clock before a jump of the timestamps is made up for by the clock.
    const BEHIND: Duration = Duration::from_millis(100);
    /// Sequence numbers further off than this are those of a stream begun anew.
    const JUMP: u16 = 100;
    /// How long before the first and after the last packet of a key its tone may be heard in the sound.
    /// Detectors need some 40 ms; the network's jitter comes on top.
    const LEAK: Duration = Duration::from_millis(80);

    pub(crate) fn new(now: Instant, id: RecordId, limits: RecordLimits, codec: Codec, held: bool) -> Self {
        Recording {
            id,
            limits,
            codec,
            tape: Tape::new(codec),
            ear: Ear::new(),
            began: now,
            held_since: held.then_some(now),
            next: None,
            early: Early::default(),
            key_until: None,
            comfort_since: None,
            missing: 0,
            late: 0,
        }
    }

    /// The codec of what arrives from now on.
    pub(crate) fn set_codec(&mut self, codec: Codec) {
        self.codec = codec;
        self.next = None;
        self.early = Early::default();
    }

    /// PEER-15: while the call is held, nothing is recorded and no time passes.
    pub(crate) fn hold(&mut self, now: Instant, held: bool) {
        match (held, self.held_since) {
            (true, None) => self.held_since = Some(now),
            (false, Some(since)) => {
                self.began += now.since(since);
                self.held_since = None;
                self.comfort_since = None;
                self.next = None;
                self.early = Early::default();
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Takes a packet. Some: the recording has ended by itself.
    pub(crate) fn packet(&mut self, arrival: Arrival<'_>, outbox: &mut Outbox) -> Option<RecordingEnd> {
        if self.held_since.is_some() {
            return None;
        }
        if arrival.kind == Kind::Key {
            self.key(arrival.at);
        }
        let ahead = match self.next {
            Some(next) => arrival.sequence.wrapping_sub(next.sequence).cast_signed(),
            None => {
                self.next = Some(Next { sequence: arrival.sequence, timestamp: None });
                0
            }
        };
        let mut ended = None;
        if ahead.unsigned_abs() > Self::JUMP {
            ended = self.flush(outbox);
            self.next = Some(Next { sequence: arrival.sequence, timestamp: None });
            ended = ended.or_else(|| self.take(arrival, outbox));
        } else if ahead == 0 {
            ended = self.take(arrival, outbox);
        } else if ahead < 0 || !self.early.keep(arrival) {
            self.late += 1;
        }
        ended.or_else(|| self.take_early(arrival.at, outbox))
    }

    /// Takes those that waited, as far as it is their turn or nobody else's any more.
    fn take_early(&mut self, now: Instant, outbox: &mut Outbox) -> Option<RecordingEnd> {
        loop {
            if let Some(sequence) = self.early.given_up(now) {
                self.turn(sequence);
            }
            let waiting = self.early.take(self.next?.sequence)?;
            let ended = self.take(waiting.arrival(), outbox);
            self.early.give_back(waiting);
            if ended.is_some() {
                return ended;
            }
        }
    }

    /// Takes all that waited.
    fn flush(&mut self, outbox: &mut Outbox) -> Option<RecordingEnd> {
        while let Some(sequence) = self.early.first() {
            self.turn(sequence);
            let waiting = self.early.take(sequence)?;
            let ended = self.take(waiting.arrival(), outbox);
            self.early.give_back(waiting);
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    /// Gives up those before `sequence`.
    fn turn(&mut self, sequence: u16) {
        if let Some(next) = &mut self.next {
            self.missing += u64::from(sequence.wrapping_sub(next.sequence));
            next.sequence = sequence;
        }
    }

    /// Takes the packet whose turn it is.
    fn take(&mut self, arrival: Arrival<'_>, outbox: &mut Outbox) -> Option<RecordingEnd> {
        let expected = self.next.and_then(|next| next.timestamp);
        let mut timestamp = expected;
        match arrival.kind {
            Kind::Key => {}
            Kind::Comfort => {
                self.fill(arrival, expected, outbox);
                self.comfort_since = Some(arrival.at);
                timestamp = Some(arrival.timestamp);
            }
            Kind::Sound => {
                self.fill(arrival, expected, outbox);
                self.comfort_since = None;
                let ticks = self.write(arrival, outbox);
                timestamp = Some(arrival.timestamp.wrapping_add(ticks));
            }
        }
        self.next = Some(Next { sequence: arrival.sequence.wrapping_add(1), timestamp });
        self.check(arrival.at, outbox)
    }

    /// Writes sound; says how long it is in ticks.
    fn write(&mut self, arrival: Arrival<'_>, outbox: &mut Outbox) -> u32 {
        let Some(written) = self.tape.write(self.codec, arrival.payload) else {
            // Damaged: as if it had been lost.
            self.missing += 1;
            return 0;
        };
        let is_key = self.key_until.is_some_and(|until| arrival.at < until);
        if is_key {
            self.tape.blank(written.duration);
        } else {
            self.ear.hear(written.mean_square, written.duration);
        }
        self.give(outbox);
        ticks_in(written.duration, self.codec)
    }

    /// Fills what is missing before `arrival` with silence.
    fn fill(&mut self, arrival: Arrival<'_>, expected: Option<u32>, outbox: &mut Outbox) {
        let elapsed = arrival.at.since(self.began);
        let recorded = self.tape.duration();
        // No timestamp can claim more than the clock allows, or a minute could be made of a packet.
        let room = (elapsed + Self::AHEAD).saturating_sub(recorded);
        let gap = expected
            .map(|expected| arrival.timestamp.wrapping_sub(expected).cast_signed())
            .and_then(|gap| u32::try_from(gap).ok())
            .map(|gap| time_of(gap, self.codec))
            .filter(|gap| *gap <= room);
        let gap = match gap {
            Some(gap) => gap,
            // The timestamps jumped: the clock says how much is missing.
            None => {
                let behind = elapsed.saturating_sub(recorded + PACKET_TIME);
                if behind < Self::BEHIND { Duration::ZERO } else { behind }
            }
        };
        // DEC-31: what is missing is no silence, but what the peer left out after comfort noise is.
        if let Some(since) = self.comfort_since {
            self.ear.hear_silence(arrival.at.since(since));
            self.comfort_since = Some(arrival.at);
        }
        self.silence(gap, outbox);
    }

    /// Writes silence, as far as there is room for it.
    fn silence(&mut self, duration: Duration, outbox: &mut Outbox) {
        let id = self.id;
        let room = self.limits.max.saturating_sub(self.tape.duration());
        self.tape.write_silence(duration.min(room), |chunk| outbox.tell(Event::Recorded { id, chunk }));
    }

    /// Takes the tone of a key out of what was recorded, and of what will be.
    fn key(&mut self, now: Instant) {
        if self.key_until.is_none_or(|until| until < now) {
            self.tape.blank(Self::LEAK);
        }
        self.key_until = Some(now + Self::LEAK);
        self.ear.hear_key();
    }

    /// Gives out full chunks.
    fn give(&mut self, outbox: &mut Outbox) {
        while let Some(chunk) = self.tape.chunk() {
            outbox.tell(Event::Recorded { id: self.id, chunk });
        }
    }

    /// Whether a limit was reached.
    fn check(&mut self, now: Instant, outbox: &mut Outbox) -> Option<RecordingEnd> {
        if let Some(beyond) = self.length(now).checked_sub(self.limits.max) {
            self.silence_of_comfort(now, outbox);
            self.tape.cut(beyond.min(self.tape.duration().saturating_sub(self.limits.max)));
            return Some(RecordingEnd::Limit);
        }
        if outbox.is_full() {
            return Some(RecordingEnd::Overrun);
        }
        let silent = self.limits.silence.is_some_and(|silence| self.quiet(now) >= silence);
        silent.then_some(RecordingEnd::Silence)
    }

    /// Silence up to now: what was heard, and what the peer has been saying nothing of since.
    fn quiet(&self, now: Instant) -> Duration {
        self.ear.quiet() + self.comfort_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// The length up to now.
    fn length(&self, now: Instant) -> Duration {
        match self.comfort_since {
            Some(_) => self.tape.duration().max(now.since(self.began)),
            None => self.tape.duration(),
        }
    }

    /// Writes the silence that comfort noise stands for.
    fn silence_of_comfort(&mut self, now: Instant, outbox: &mut Outbox) {
        if let Some(since) = self.comfort_since {
            self.ear.hear_silence(now.since(since));
            self.comfort_since = Some(now);
            let missing = now.since(self.began).saturating_sub(self.tape.duration());
            self.silence(missing, outbox);
        }
    }

    /// When a limit will be reached without another packet: only while the peer says that it is silent.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let since = self.comfort_since.filter(|_| self.held_since.is_none())?;
        let longest = self.began + self.limits.max;
        let silence = self.limits.silence.map(|silence| since + silence.saturating_sub(self.ear.quiet()));
        Some(silence.map_or(longest, |silence| silence.min(longest)))
    }

    /// Looks at the clock. Some: the recording has ended by itself.
    pub(crate) fn timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<RecordingEnd> {
        let due = self.deadline().is_some_and(|deadline| deadline <= now);
        if due { self.check(now, outbox) } else { None }
    }

    /// Ends it: gives out what is left, and says how it was.
    pub(crate) fn finish(
        mut self,
        now: Instant,
        end: RecordingEnd,
        cut: Duration,
        outbox: &mut Outbox,
    ) -> Fate {
        // What waits is beyond the limit; while held, nothing waits.
        if end != RecordingEnd::Limit && self.held_since.is_none() && self.flush(outbox).is_none() {
            self.silence_of_comfort(now, outbox);
        }
        self.tape.cut(cut.min(Tape::HELD_BACK));
        let id = self.id;
        self.tape.finish(|chunk| outbox.tell(Event::Recorded { id, chunk }));
        let duration = self.tape.duration();
        outbox.tell(Event::RecordingEnded {
            id,
            end,
            duration,
            speech: self.ear.speech(),
            trailing_silence: self.ear.quiet().min(duration),
            long_enough: duration >= self.limits.min,
        });
        Fate { missing: self.missing, late: self.late }
    }
}

/// What became of the packets of a recording.
#[derive(Clone, Copy)]
pub(crate) struct Fate {
    pub(crate) missing: u64,
    pub(crate) late: u64,
}

fn time_of(ticks: u32, codec: Codec) -> Duration {
    Duration::from_micros(u64::from(ticks) * 1_000_000 / u64::from(codec.clock_rate()))
}

fn ticks_in(duration: Duration, codec: Codec) -> u32 {
    let ticks = duration.as_micros() * u128::from(codec.clock_rate()) / 1_000_000;
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
