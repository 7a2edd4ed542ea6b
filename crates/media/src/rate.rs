//! Samples of any rate at one of ours; for sound that is loaded, never for sound that passes by.

use rubato::audioadapter::Adapter as _;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

/// Samples worked on at a time.
const CHUNK: usize = 1_024;

/// Below this there is no speech.
pub(crate) const RATE_MIN: u32 = 1_000;

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
