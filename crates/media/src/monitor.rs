//! What a person at the telephone hears and sees of the sound: the other side's samples, and how loud both are.
//!
//! Off unless it is ordered: servers never pay for it.

use std::time::Duration;

use umbel_time::Instant;

use crate::half_band::Doubler;
use crate::outbox::Outbox;
use crate::voice::{Decoder, SAMPLES_MAX};
use crate::{Codec, Event, LIVE_RATE, Samples};

/// How loud something was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// The greatest sample, without its sign.
    pub peak: u16,
    /// The root of the mean square of all samples.
    pub rms: u16,
}

/// The monitor of one call.
pub(crate) struct Monitor {
    wants_levels: bool,
    wants_sound: bool,
    theirs: Side,
    ours: Side,
    /// The last sequence number of theirs. What comes after it and is older comes too late to be heard.
    last: Option<u16>,
    due: Instant,
}

impl Monitor {
    /// How often levels are told.
    pub(crate) const LEVELS_EVERY: Duration = Duration::from_millis(100);
    /// Sequence numbers further off than this are those of a stream begun anew.
    const JUMP: u16 = 100;

    pub(crate) fn new(now: Instant, codec: Codec) -> Self {
        Monitor {
            wants_levels: false,
            wants_sound: false,
            theirs: Side::new(codec),
            ours: Side::new(codec),
            last: None,
            due: now + Self::LEVELS_EVERY,
        }
    }

    pub(crate) fn want_levels(&mut self, now: Instant, wanted: bool) {
        self.wants_levels = wanted;
        self.due = now + Self::LEVELS_EVERY;
    }

    pub(crate) fn want_sound(&mut self, wanted: bool) {
        self.wants_sound = wanted;
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wants_levels || self.wants_sound
    }

    /// A packet of theirs. What does not find room is left out, as on a telephone that does not keep up.
    pub(crate) fn heard(&mut self, codec: Codec, sequence: u16, payload: &[u8], outbox: &mut Outbox) {
        if let Some(last) = self.last {
            let ahead = sequence.wrapping_sub(last).cast_signed();
            if ahead <= 0 && ahead.unsigned_abs() <= Self::JUMP {
                return;
            }
        }
        self.last = Some(sequence);
        let mut decoded = [0; SAMPLES_MAX];
        let Some(samples) = self.theirs.decode(codec, payload, &mut decoded) else { return };
        if self.wants_sound {
            let event = Event::Heard { samples: self.theirs.live(samples) };
            let _ = outbox.offer(event);
        }
        self.theirs.measure(samples);
    }

    /// A packet of ours.
    pub(crate) fn said(&mut self, codec: Codec, payload: &[u8]) {
        if self.wants_levels {
            let mut decoded = [0; SAMPLES_MAX];
            if let Some(samples) = self.ours.decode(codec, payload, &mut decoded) {
                self.ours.measure(samples);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.wants_levels.then_some(self.due)
    }

    pub(crate) fn timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.wants_levels && self.due <= now {
            let event = Event::Levels { theirs: self.theirs.level(), ours: self.ours.level() };
            let _ = outbox.offer(event);
            self.due = now + Self::LEVELS_EVERY;
        }
    }
}

/// One direction.
struct Side {
    codec: Codec,
    decoder: Decoder,
    doubler: Doubler,
    peak: u16,
    squares: u64,
    count: u64,
}

impl Side {
    fn new(codec: Codec) -> Self {
        let (decoder, doubler) = (Decoder::new(codec), Doubler::new());
        Side { codec, decoder, doubler, peak: 0, squares: 0, count: 0 }
    }

    fn decode<'a>(
        &mut self,
        codec: Codec,
        payload: &[u8],
        decoded: &'a mut [i16; SAMPLES_MAX],
    ) -> Option<&'a [i16]> {
        if codec != self.codec {
            (self.codec, self.decoder, self.doubler) = (codec, Decoder::new(codec), Doubler::new());
        }
        let count = self.decoder.decode(payload, decoded)?;
        decoded.get(..count)
    }

    fn measure(&mut self, samples: &[i16]) {
        for sample in samples.iter().map(|sample| sample.unsigned_abs()) {
            self.peak = self.peak.max(sample);
            self.squares += u64::from(sample).pow(2);
        }
        self.count += samples.len() as u64;
    }

    /// Since it was last asked for.
    fn level(&mut self) -> Level {
        let rms = u16::try_from((self.squares / self.count.max(1)).isqrt()).unwrap_or(u16::MAX);
        let level = Level { peak: self.peak, rms };
        (self.peak, self.squares, self.count) = (0, 0, 0);
        level
    }

    fn live(&mut self, samples: &[i16]) -> Samples {
        if self.codec.sample_rate() == LIVE_RATE {
            return Samples(samples.into());
        }
        let fitting = samples.get(..samples.len().min(SAMPLES_MAX / 2)).unwrap_or_default();
        let mut doubled = [0; SAMPLES_MAX];
        let doubled = &mut doubled[..fitting.len() * 2];
        self.doubler.run(fitting, doubled);
        Samples((&*doubled).into())
    }
}
