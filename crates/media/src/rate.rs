//! Samples at another rate: sound that is loaded, and sound that passes by between a sound card and a call.

use rubato::audioadapter::Adapter as _;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

/// Samples worked on at a time.
const CHUNK: usize = 1_024;

/// Below this there is no speech.
pub(crate) const RATE_MIN: u32 = 1_000;
/// No sound card is faster than this.
const RATE_MAX: u32 = 768_000;

/// One channel of samples at another rate. None: one of the rates is too low for speech.
pub fn resampled(samples: &[i16], from: u32, to: u32) -> Option<Vec<i16>> {
    if from < RATE_MIN {
        return None;
    }
    if from == to {
        return Some(samples.to_vec());
    }
    let input: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
    let mut resampler = Fft::<f32>::new(from, to, CHUNK, 1, FixedSync::Input).ok()?;
    let frames = input.len();
    let output = resampler.process_all(&InterleavedSlice::new(&input, 1, frames).ok()?, frames, None).ok()?;
    let samples = (0..output.frames()).map(|at| output.read_sample(0, at).unwrap_or(0.0));
    Some(samples.map(|sample| rounded(sample * 32_768.0)).collect())
}

/// One channel of samples at another rate, as they come. What it gives is some 20 ms behind what it is given.
pub struct Resampler {
    /// None: the rates are the same.
    transform: Option<Fft<f32>>,
    waiting: Vec<f32>,
}

impl Resampler {
    /// Between these rates. None: one of them is too low for speech, or beyond all sound cards.
    pub fn new(from: u32, to: u32) -> Option<Self> {
        let rates = RATE_MIN..=RATE_MAX;
        if !rates.contains(&from) || !rates.contains(&to) {
            return None;
        }
        let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
        let transform = if from == to {
            None
        } else {
            Some(Fft::<f32>::new(from, to, from / 50, 1, FixedSync::Input).ok()?)
        };
        Some(Resampler { transform, waiting: Vec::new() })
    }

    /// Takes samples, and gives those that are ready.
    pub fn run(&mut self, samples: &[i16]) -> Vec<i16> {
        let Some(transform) = &mut self.transform else { return samples.to_vec() };
        self.waiting.extend(samples.iter().map(|sample| f32::from(*sample) / 32_768.0));
        let mut ready = Vec::new();
        loop {
            let wanted = transform.input_frames_next();
            let Some(input) = self.waiting.get(..wanted).filter(|input| !input.is_empty()) else {
                return ready;
            };
            let output = InterleavedSlice::new(input, 1, wanted).ok();
            let output = output.and_then(|input| transform.process(&input, None).ok());
            if let Some(output) = output {
                let samples = (0..output.frames()).map(|at| output.read_sample(0, at).unwrap_or(0.0));
                ready.extend(samples.map(|sample| rounded(sample * 32_768.0)));
            }
            self.waiting.drain(..wanted);
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a cast from f32 saturates")]
fn rounded(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{purity, rms, sine};

    #[test]
    fn a_tone_stays_itself_at_another_rate() {
        for (from, to) in [
            (16_000, 8_000),
            (8_000, 16_000),
            (44_100, 16_000),
            (48_000, 8_000),
            (11_025, 16_000),
            (192_000, 16_000),
        ] {
            let second = usize::try_from(from).unwrap();
            let resampled = resampled(&sine(440.0, from, second, 8_000.0), from, to).unwrap();
            let count = usize::try_from(to).unwrap();
            assert!(resampled.len().abs_diff(count) <= 2, "{from} to {to}: {}", resampled.len());
            let middle = &resampled[count / 8..count * 7 / 8];
            let purity = purity(middle, 440.0, to);
            assert!(purity > 50.0, "{from} to {to}: {purity}");
            assert!((rms(middle) / 5_657.0 - 1.0).abs() < 0.01, "{from} to {to}");
        }
    }

    #[test]
    fn sound_that_passes_by_stays_itself_however_it_is_cut() {
        for (from, to) in
            [(48_000, 16_000), (44_100, 16_000), (16_000, 44_100), (16_000, 48_000), (8_000, 8_000)]
        {
            let tone = sine(440.0, from, usize::try_from(from).unwrap(), 8_000.0);
            for length in [1, 97, 480, 4_096] {
                let mut resampler = Resampler::new(from, to).unwrap();
                let given: Vec<i16> = tone.chunks(length).flat_map(|some| resampler.run(some)).collect();
                let count = usize::try_from(to).unwrap();
                // All but what waits for more of its twentieth of a second.
                assert!(
                    given.len() <= count && given.len() >= count * 97 / 100,
                    "{from} to {to}: {}",
                    given.len()
                );
                let middle = &given[count / 8..count * 7 / 8];
                assert!(purity(middle, 440.0, to) > 50.0, "{from} to {to} by {length}");
                assert!((rms(middle) / 5_657.0 - 1.0).abs() < 0.01, "{from} to {to}");
            }
        }
        assert!(Resampler::new(999, 16_000).is_none() && Resampler::new(16_000, 1_000_000).is_none());
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_gone() {
        let resampled = resampled(&sine(6_000.0, 16_000, 16_000, 8_000.0), 16_000, 8_000).unwrap();
        assert!(rms(&resampled[800..7_200]) < 10.0);
    }

    #[test]
    fn short_sounds_and_odd_rates_are_no_trouble() {
        for (rate, ok) in [(1, false), (999, false), (1_000, true), (8_001, true), (22_051, true)] {
            for length in [1, 1_000] {
                assert_eq!(resampled(&vec![100; length], rate, 16_000).is_some(), ok, "{rate}");
            }
        }
    }
}
