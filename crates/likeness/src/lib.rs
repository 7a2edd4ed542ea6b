//! Is this recording that sentence? Compared by content, not by length or loudness.
//!
//! Both sounds become the logarithm of their energy in a few bands every 20 ms, with each band's mean
//! taken away, so that neither loudness nor the colour of a line counts. The likeness is the
//! correlation of the two at the best place: 1 for the same, around 0 for unrelated sound.
//!
//! What is compared are samples of a telephone line, [`RATE`] a second; [`narrow`] makes them.

mod gaps;
mod narrow;
mod stalls;

use std::time::Duration;

pub use gaps::without_gaps;
pub use narrow::narrow;
pub use stalls::find_despite_stalls;

/// Samples a second.
pub const RATE: u32 = 8_000;

/// From here on two sounds are the same sentence.
///
/// The sentences of the suites hold it to both sides: one after a noisy line stays above, another one of
/// the same voice stays below 0.6.
pub const SAME: f64 = 0.8;

/// Time from one frame to the next.
const HOP: Duration = Duration::from_millis(20);
/// The same in samples.
const HOP_SAMPLES: usize = 160;
/// Samples in a frame, at 8 kHz: 32 ms.
const WINDOW: usize = 256;
/// Bins of the transform, 31.25 Hz each, that a telephone line carries: 310 to 3,400 Hz. Every second
/// one is enough for energies.
const BINS: std::ops::Range<usize> = 10..110;
const BIN_STEP: usize = 2;
/// Bands the bins are gathered into.
const BANDS: usize = 10;
/// What counts as silence: energy below that of a sound at -60 dB.
const FLOOR: f64 = 1e-6;

/// Where a sentence was found, and how much it is alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// 1 for the same, around 0 for unrelated sound.
    pub likeness: f64,
    /// Where it begins in the recording.
    pub at: Duration,
}

impl Found {
    /// Whether it is that sentence.
    pub fn is_same(&self) -> bool {
        self.likeness >= SAME
    }
}

/// Finds the place in `heard` that is most like `said`.
pub fn find(said: &[i16], heard: &[i16]) -> Found {
    let (said, heard) = (pattern(said), pattern(heard));
    let mut best = Found { likeness: 0.0, at: Duration::ZERO };
    for (place, part) in heard.windows(said.len().max(1)).enumerate() {
        let likeness = correlation(&said, part);
        if likeness > best.likeness {
            let at = HOP.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
            best = Found { likeness, at };
        }
    }
    best
}

/// The logarithm of the energy in each band, frame by frame.
fn pattern(samples: &[i16]) -> Vec<[f64; BANDS]> {
    let turns: Vec<(f64, f64)> =
        (0..WINDOW).map(|at| (std::f64::consts::TAU * at as f64 / WINDOW as f64).sin_cos()).collect();
    let window: Vec<f64> = turns.iter().map(|(_, cos)| 0.5 - 0.5 * cos).collect();
    let bins_in_band = BINS.len() / BANDS;
    let mut frames = Vec::new();
    for start in (0..samples.len().saturating_sub(WINDOW)).step_by(HOP_SAMPLES) {
        let frame: Vec<f64> = samples[start..start + WINDOW]
            .iter()
            .zip(&window)
            .map(|(sample, weight)| f64::from(*sample) / 32_768.0 * weight)
            .collect();
        let mut bands = [FLOOR; BANDS];
        for bin in BINS.step_by(BIN_STEP) {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (at, sample) in frame.iter().enumerate() {
                let (sin, cos) = turns[at * bin % WINDOW];
                real += sample * cos;
                imaginary += sample * sin;
            }
            bands[(bin - BINS.start) / bins_in_band] +=
                (real * real + imaginary * imaginary) / (WINDOW * WINDOW) as f64 * 4.0;
        }
        frames.push(bands.map(f64::ln));
    }
    frames
}

/// Pearson's correlation over all frames and bands, each band less its mean.
fn correlation(one: &[[f64; BANDS]], other: &[[f64; BANDS]]) -> f64 {
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for band in 0..BANDS {
        let mean =
            |frames: &[[f64; BANDS]]| frames.iter().map(|f| f[band]).sum::<f64>() / frames.len() as f64;
        let (mean_one, mean_other) = (mean(one), mean(other));
        for (a, b) in one.iter().zip(other) {
            let (a, b) = (a[band] - mean_one, b[band] - mean_other);
            both += a * b;
            first += a * a;
            second += b * b;
        }
    }
    let size = (first * second).sqrt();
    if size > 0.0 { both / size } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something like speech: a voice of a few harmonics that changes its pitch and stops to breathe, as `seed` wants.
    fn babble(seed: u32, length: usize) -> Vec<i16> {
        let mut chance = seed;
        let mut next = || {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(chance >> 16) / 65_536.0
        };
        let (mut pitch, mut loud, mut phase) = (150.0, 1.0, 0.0);
        (0..length)
            .map(|at| {
                if at % 640 == 0 {
                    (pitch, loud) = (350.0 + 2_000.0 * next(), if next() < 0.3 { 0.02 } else { next() });
                }
                phase += pitch / f64::from(RATE);
                narrow::sample(8_000.0 * loud * (std::f64::consts::TAU * phase).sin())
            })
            .collect()
    }

    #[test]
    fn a_sentence_is_found_where_it_is_however_loud() {
        let said = babble(1, 16_000);
        let quiet: Vec<i16> = said.iter().map(|sample| sample / 3).collect();
        let heard = [vec![0; 4_000], quiet, vec![0; 8_000]].concat();
        let found = find(&said, &heard);
        assert!(found.is_same(), "{found:?}");
        assert!(found.at.abs_diff(Duration::from_millis(500)) <= HOP, "{found:?}");
    }

    #[test]
    fn another_sentence_silence_and_half_of_it_are_not_it() {
        let said = babble(1, 16_000);
        let half = [&said[..8_000], &[0; 16_000]].concat();
        for other in [babble(2, 32_000), vec![0; 32_000], half, said[..8_000].to_vec(), Vec::new()] {
            let found = find(&said, &other);
            assert!(!found.is_same(), "{found:?}");
        }
    }
}
