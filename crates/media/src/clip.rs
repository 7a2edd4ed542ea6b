//! Things to play.

use std::f32::consts::TAU;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::{Greeting, Message, Prompt};

/// A sine wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    /// In hertz.
    pub frequency: u16,
    /// How long.
    pub duration: Duration,
    /// Below the loudest possible sine, in decibels.
    pub attenuation: u8,
}

impl Tone {
    /// "Speak now": a little under half a second of 1000 Hz.
    pub const BEEP: Tone = Tone { frequency: 1_000, duration: Duration::from_millis(400), attenuation: 14 };

    /// The beep as a prompt: every recording plays it, and made anew for each call it was the dearest thing
    /// a short one played. Other tones are made when they are played.
    pub(crate) fn prepared(&self) -> Option<&'static Prompt> {
        (*self == Tone::BEEP).then(|| BEEP.as_ref()).flatten()
    }

    /// Rise and fall, so that it does not click.
    const EDGE: Duration = Duration::from_millis(5);

    /// Fills `samples` with what comes `from` its beginning on.
    pub(crate) fn fill(&self, from: Duration, rate: u32, samples: &mut [i16]) {
        let peak = f32::from(i16::MAX) * 10_f32.powf(-f32::from(self.attenuation) / 20.0);
        let step = Duration::from_secs(1) / rate.max(1);
        for (at, sample) in (0_u32..).zip(samples) {
            let time = from + step * at;
            let edge = time.min(self.duration.saturating_sub(time)).div_duration_f32(Self::EDGE).min(1.0);
            // Whole turns are taken off first: a phase of many turns has lost its precision.
            let turns = time.as_secs_f64() * f64::from(self.frequency);
            *sample = rounded(peak * edge * (TAU * fraction(turns)).sin());
        }
    }
}

static BEEP: LazyLock<Option<Prompt>> = LazyLock::new(|| {
    let mut samples = [0; 6_400];
    Tone::BEEP.fill(Duration::ZERO, 16_000, &mut samples);
    Prompt::new(&samples, 16_000).ok()
});

#[allow(clippy::cast_possible_truncation, reason = "less precision is enough once whole turns are gone")]
fn fraction(turns: f64) -> f32 {
    turns.fract() as f32
}

#[allow(clippy::cast_possible_truncation, reason = "a cast from f32 saturates")]
fn rounded(sample: f32) -> i16 {
    sample.round() as i16
}

/// One thing to play. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Clip {
    /// A prompt.
    Prompt(Arc<Prompt>),
    /// A stored message or greeting.
    Message(Message),
    /// A stored greeting that other calls hear, too.
    Greeting(Arc<Greeting>),
    /// Nothing, for a while.
    Silence(Duration),
    /// A tone.
    Tone(Tone),
}

impl Clip {
    /// How long it lasts at its own speed.
    pub fn duration(&self) -> Duration {
        match self {
            Clip::Prompt(prompt) => prompt.duration(),
            Clip::Message(message) => message.duration(),
            Clip::Greeting(greeting) => greeting.message().duration(),
            Clip::Silence(duration) => *duration,
            Clip::Tone(tone) => tone.duration,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Codec;
    use crate::testing::{rms, snr};
    use crate::voice::{Decoder, SAMPLES_MAX};

    #[test]
    fn a_tone_is_as_loud_as_it_says_and_has_soft_edges() {
        let mut samples = vec![0; 3_200];
        Tone::BEEP.fill(Duration::ZERO, 8_000, &mut samples);
        // 14 dB below full scale: a fifth of it, and a sine's mean is its peak over the root of two.
        let expected = 32_767.0 * 0.1995 / std::f64::consts::SQRT_2;
        let loud = rms(&samples[80..3_120]);
        assert!((loud / expected - 1.0).abs() < 0.01, "{loud} {expected}");
        assert!(samples[0].abs() < 10 && samples[3_199].abs() < 400);
    }

    #[test]
    fn a_tone_goes_on_from_packet_to_packet() {
        let (mut whole, mut parts) = (vec![0; 640], vec![0; 640]);
        Tone::BEEP.fill(Duration::ZERO, 16_000, &mut whole);
        for (at, part) in (0_u32..).zip(parts.chunks_mut(320)) {
            Tone::BEEP.fill(Duration::from_millis(20) * at, 16_000, part);
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn only_the_beep_is_prepared_and_sounds_like_the_tone_it_is() {
        let prompt = Tone::BEEP.prepared().unwrap();
        assert_eq!(prompt.duration(), Tone::BEEP.duration);
        assert!(Tone { attenuation: 15, ..Tone::BEEP }.prepared().is_none());
        let mut tone = vec![0; 3_200];
        Tone::BEEP.fill(Duration::ZERO, 8_000, &mut tone);
        let mut decoder = Decoder::new(Codec::Pcmu);
        for (at, made) in tone.chunks(160).enumerate() {
            let mut heard = [0; SAMPLES_MAX];
            let count = decoder.decode(prompt.packet(Codec::Pcmu, at).unwrap(), &mut heard).unwrap();
            assert!(at == 0 || at == 19 || snr(made, &heard[..count]) > 30.0, "{at}");
        }
        assert!(prompt.packet(Codec::Pcmu, 20).is_none());
    }
}
