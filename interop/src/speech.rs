//! Is this recording that sentence? Compared by content, not by length or loudness.
//!
//! Both sounds become the logarithm of their energy in a few bands every 20 ms, with each band's mean
//! taken away, so that neither loudness nor the colour of a line counts. The likeness is the
//! correlation of the two at the best place: 1 for the same, around 0 for unrelated sound.

use std::time::Duration;

use crate::sound::Sound;

/// From here on two sounds are the same sentence.
///
/// The tests below hold it to both sides: the sentence after a noisy line stays above, another sentence of
/// the same voice stays below 0.6.
pub const SAME: f64 = 0.8;

/// Time from one frame to the next.
const HOP: Duration = Duration::from_millis(20);
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

/// Finds the place in `heard` that is most like `said`.
pub fn find(said: &Sound, heard: &Sound) -> Found {
    let said = pattern(&said.narrow());
    let heard = pattern(&heard.narrow());
    let mut best = Found { likeness: 0.0, at: Duration::ZERO };
    for (place, part) in heard.windows(said.len().max(1)).enumerate() {
        let likeness = correlation(&said, part);
        if likeness > best.likeness {
            let at = HOP * u32::try_from(place).expect("a short recording");
            best = Found { likeness, at };
        }
    }
    best
}

/// Finds `said` in `heard`.
///
/// # Panics
///
/// When it is not there.
pub fn assert_contains(heard: &Sound, said: &Sound) -> Found {
    let found = find(said, heard);
    assert!(found.likeness >= SAME, "the sentence is not in {heard:?}: the best likeness is {found:?}");
    found
}

/// Makes sure that `said` is not in `heard`.
///
/// # Panics
///
/// When it is there.
pub fn assert_lacks(heard: &Sound, said: &Sound) {
    let found = find(said, heard);
    assert!(found.likeness < SAME, "the sentence is in {heard:?}: {found:?}");
}

/// The logarithm of the energy in each band, frame by frame.
fn pattern(sound: &Sound) -> Vec<[f64; BANDS]> {
    let turns: Vec<(f64, f64)> =
        (0..WINDOW).map(|at| (std::f64::consts::TAU * at as f64 / WINDOW as f64).sin_cos()).collect();
    let window: Vec<f64> = turns.iter().map(|(_, cos)| 0.5 - 0.5 * cos).collect();
    let bins_in_band = BINS.len() / BANDS;
    let mut frames = Vec::new();
    for start in (0..sound.samples.len().saturating_sub(WINDOW)).step_by(sound.count(HOP)) {
        let frame: Vec<f64> = sound.samples[start..start + WINDOW]
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
    use crate::sound::sample;

    /// What a line does: half as loud, a hiss at -50 dB, steps as coarse as those of G.711.
    fn over_a_line(sound: &Sound) -> Sound {
        let mut chance: u32 = 1;
        let samples = sound.samples.iter().map(|value| {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (f64::from(chance >> 16) / 65_536.0 - 0.5) * 200.0;
            let value = f64::from(*value) * 0.5 + hiss;
            let step = (value.abs() / 32.0).max(8.0);
            sample((value / step).round() * step)
        });
        Sound { rate: sound.rate, samples: samples.collect() }
    }

    #[test]
    fn a_sentence_is_found_after_a_noisy_line_and_where_it_is() {
        let said = Sound::sentence("message");
        let before = Duration::from_millis(1_530);
        let heard = over_a_line(&said.narrow().padded(before, Duration::from_secs(1)));
        let found = assert_contains(&heard, &said);
        assert!(found.at.abs_diff(before) <= HOP, "{found:?}");
    }

    #[test]
    fn another_sentence_of_the_same_voice_is_not_it() {
        let (said, other) = (Sound::sentence("message"), Sound::sentence("other"));
        let pad = Duration::from_secs(2);
        for (one, two) in [(&said, &other), (&other, &said)] {
            let found = find(one, &over_a_line(&two.padded(pad, pad)));
            assert!(found.likeness < 0.6, "{found:?}");
            assert_lacks(&over_a_line(&two.padded(pad, pad)), one);
        }
    }

    #[test]
    fn silence_noise_and_what_was_cut_short_are_not_it() {
        let said = Sound::sentence("message");
        let long = Duration::from_secs(3);
        let nothing = Sound { rate: 8_000, samples: vec![0; 80_000] };
        assert_lacks(&nothing, &said);
        assert_lacks(&over_a_line(&nothing), &said);
        // Half of it, then silence.
        let half = said.part(Duration::ZERO, said.duration() / 2).padded(Duration::ZERO, long);
        assert_lacks(&half, &said);
        // The words in another order.
        let (start, end) =
            (said.part(Duration::ZERO, said.duration() / 2), said.part(said.duration() / 2, long));
        let turned = Sound { rate: said.rate, samples: [end.samples, start.samples].concat() };
        assert_lacks(&turned.padded(long, long), &said);
        assert_lacks(&Sound { rate: 8_000, samples: vec![0; 100] }, &said);
    }
}
