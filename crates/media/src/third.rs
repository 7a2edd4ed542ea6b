//! Sound of 48000 samples a second at a third of that, from any place on.
//!
//! A low-pass of 79 taps: flat within 0.2 dB up to 6500 Hz, 60 dB down from 8600 Hz on. It looks both ways, so
//! that it delays nothing and remembers nothing.

/// The taps from the middle one outward; the filter is symmetric. A sinc with its edge at 7400 Hz in a Kaiser
/// window of beta 6.
const TAPS: [f32; SIDE + 1] = [
    0.308_428_6,
    0.261_96,
    0.147_615_7,
    0.024_398,
    -0.051_822_9,
    -0.060_484_5,
    -0.022_646_3,
    0.019_947_6,
    0.035_442_6,
    0.019_971_4,
    -0.006_928_1,
    -0.022_103_5,
    -0.016_692_5,
    0.000_476_7,
    0.013_507_8,
    0.013_173_5,
    0.002_625_2,
    -0.007_693_6,
    -0.009_761_7,
    -0.003_756_7,
    0.003_844_4,
    0.006_736_9,
    0.003_726_6,
    -0.001_468_6,
    -0.004_277_6,
    -0.003_089_9,
    0.000_175_6,
    0.002_451_6,
    0.002_236_6,
    0.000_377_2,
    -0.001_227_9,
    -0.001_419_5,
    -0.000_483_2,
    0.000_504_9,
    0.000_774,
    0.000_372_3,
    -0.000_146_2,
    -0.000_342_1,
    -0.000_202_4,
    0.000_014_3,
];
/// Taps on each side of the middle one.
const SIDE: usize = 39;

/// How many samples become one.
pub(crate) const RATIO: usize = 3;

/// The sample in place of `RATIO` ones from `at` on; `sample` gives the originals, silence where there are none.
pub(crate) fn third(at: usize, sample: impl Fn(Option<usize>) -> f32) -> i16 {
    let [middle, sides @ ..] = &TAPS;
    let both = |distance: usize| sample(at.checked_sub(distance)) + sample(at.checked_add(distance));
    let sum: f32 = (1..).zip(sides).map(|(distance, tap)| tap * both(distance)).sum();
    rounded(sum + middle * sample(Some(at)))
}

#[allow(clippy::cast_possible_truncation, reason = "a cast from f32 saturates")]
fn rounded(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{rms, sine, snr};

    /// A second of a tone, at a third of its rate.
    fn thirds(frequency: f64) -> Vec<i16> {
        let samples = sine(frequency, 48_000, 48_000, 10_000.0);
        let sample = |at: Option<usize>| at.and_then(|at| samples.get(at)).map_or(0.0, |s| f32::from(*s));
        (0..16_000).map(|at| third(at * RATIO, sample)).collect()
    }

    #[test]
    fn a_tone_below_the_edge_stays_what_and_where_it_was() {
        for frequency in [300.0, 1_000.0, 6_000.0] {
            let snr =
                snr(&sine(frequency, 16_000, 16_000, 10_000.0)[100..15_900], &thirds(frequency)[100..15_900]);
            assert!(snr > 40.0, "{frequency} Hz: {snr}");
        }
    }

    #[test]
    fn a_tone_above_the_edge_does_not_fold_back() {
        for frequency in [9_000.0, 12_000.0, 20_000.0] {
            let loud = rms(&thirds(frequency)[100..15_900]);
            assert!(loud < 10.0, "{frequency} Hz: {loud}");
        }
    }
}
