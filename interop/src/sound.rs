//! Sound in files: what is said to other programs and what came back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use umbel_wav::{Encoding, Format, Limits};

/// One channel of linear samples.
#[derive(Clone, PartialEq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// The samples.
    pub samples: Vec<i16>,
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of sound at {} Hz", self.duration(), self.rate)
    }
}

impl Sound {
    /// Reads a WAV file.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let sound = umbel_wav::read(&bytes, Limits::default())
            .unwrap_or_else(|refused| panic!("{}: {refused}", file.display()));
        Sound { rate: sound.rate, samples: sound.samples }
    }

    /// The same, where somebody else may still be writing it: nothing until it is whole.
    pub fn whole(file: &Path) -> Option<Self> {
        let sound = umbel_wav::read(&std::fs::read(file).ok()?, Limits::default()).ok()?;
        let is_whole = !sound.truncated && !sound.samples.is_empty();
        is_whole.then_some(Sound { rate: sound.rate, samples: sound.samples })
    }

    /// One of the sentences in `interop/speech`.
    pub fn sentence(name: &str) -> Self {
        Sound::read(&speech_folder().join(name).with_extension("wav"))
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.samples.len() as f64 / f64::from(self.rate))
    }

    /// With silence before and after.
    pub fn padded(&self, before: Duration, after: Duration) -> Sound {
        let mut samples = vec![0; self.count(before)];
        samples.extend_from_slice(&self.samples);
        samples.resize(samples.len() + self.count(after), 0);
        Sound { rate: self.rate, samples }
    }

    /// From `start` for `length`, as far as there is sound.
    pub fn part(&self, start: Duration, length: Duration) -> Sound {
        let samples = self.samples.iter().skip(self.count(start)).take(self.count(length)).copied();
        Sound { rate: self.rate, samples: samples.collect() }
    }

    /// At 8,000 samples a second, as a telephone line carries it.
    ///
    /// # Panics
    ///
    /// When the rate is no multiple of that.
    pub fn narrow(&self) -> Sound {
        let samples = umbel_likeness::narrow(&self.samples, self.rate);
        Sound { rate: umbel_likeness::RATE, samples: samples.expect("a multiple of a line's rate") }
    }

    /// As ITU-T G.711 mu-law, at 8,000 samples a second.
    pub fn mu_law(&self) -> Vec<u8> {
        self.narrow().samples.iter().map(|sample| mu_law(*sample)).collect()
    }

    /// Writes it as a 16-bit WAV file.
    pub fn write(&self, file: &Path) -> PathBuf {
        let data: Vec<u8> = self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let format = Format { encoding: Encoding::Pcm16, rate: self.rate };
        let mut bytes = umbel_wav::header(format, u32::try_from(data.len()).expect("a short file"));
        bytes.extend_from_slice(&data);
        std::fs::write(file, bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        file.to_owned()
    }

    /// How many samples last this long.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive, small number")]
    pub fn count(&self, time: Duration) -> usize {
        (time.as_secs_f64() * f64::from(self.rate)).round() as usize
    }
}

/// ITU-T G.711 table 2a: sign, segment and interval, inverted.
fn mu_law(sample: i16) -> u8 {
    /// What moves the segments to powers of two.
    const BIAS: u16 = 132;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let size = sample.unsigned_abs().min(32_635) + BIAS;
    let segment = 8_u32.saturating_sub(size.leading_zeros());
    let interval = (size >> (segment + 3)) & 0x0f;
    let code = u16::try_from(segment << 4).unwrap_or_default() | interval | sign;
    !u8::try_from(code).unwrap_or(u8::MAX)
}

/// The nearest sample.
#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
pub fn sample(value: f64) -> i16 {
    value.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
}

/// Where the sentences are.
pub fn speech_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("speech")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tone(rate: u32, frequency: f64) -> Sound {
        let samples = (0..rate).map(|at| {
            let angle = std::f64::consts::TAU * frequency * f64::from(at) / f64::from(rate);
            sample(10_000.0 * angle.sin())
        });
        Sound { rate, samples: samples.collect() }
    }

    fn loudness(sound: &Sound) -> f64 {
        let sum: f64 = sound.samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (sum / sound.samples.len() as f64).sqrt()
    }

    #[test]
    fn a_telephone_line_keeps_what_is_low_and_loses_what_is_high() {
        let before = loudness(&tone(16_000, 1_000.0));
        let low = loudness(&tone(16_000, 1_000.0).narrow());
        assert!((low / before - 1.0).abs() < 0.05, "{before} became {low}");
        let high = loudness(&tone(16_000, 5_000.0).narrow());
        assert!(high < 0.05 * before, "{before} became {high}");
    }

    #[test]
    fn mu_law_reads_back_as_what_was_said() {
        let said = tone(8_000, 300.0);
        let data = said.mu_law();
        let format = Format { encoding: Encoding::Pcmu, rate: 8_000 };
        let file = [umbel_wav::header(format, u32::try_from(data.len()).unwrap()), data].concat();
        let read = umbel_wav::read(&file, Limits::default()).unwrap();
        for (before, after) in said.samples.iter().zip(&read.samples) {
            let error = (i32::from(*before) - i32::from(*after)).abs();
            assert!(error <= i32::from(*before).abs() / 16 + 8, "{before} became {after}");
        }
    }

    #[test]
    fn parts_and_pads_are_as_long_as_they_should_be() {
        let second = tone(8_000, 440.0);
        let padded = second.padded(Duration::from_millis(500), Duration::from_millis(250));
        assert_eq!(padded.duration(), Duration::from_millis(1_750));
        assert_eq!(padded.part(Duration::from_millis(500), Duration::from_secs(1)), second);
        assert_eq!(second.part(Duration::from_millis(900), Duration::from_secs(1)).samples.len(), 800);
    }
}
