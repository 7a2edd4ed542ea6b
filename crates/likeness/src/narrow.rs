//! Samples of any wideband rate as a telephone line carries them.

use crate::RATE;

/// Half the length of the filter, in output samples.
const REACH: usize = 16;

/// The samples at [`RATE`]; `None` where their own rate is no multiple of that.
pub fn narrow(samples: &[i16], rate: u32) -> Option<Vec<i16>> {
    let step = usize::try_from(rate / RATE).ok().filter(|step| *step > 0 && rate.is_multiple_of(RATE))?;
    if step == 1 {
        return Some(samples.to_vec());
    }
    // A windowed sinc, cut off a little below half the lower rate.
    let half = REACH * step;
    let filter: Vec<f64> = (0..=2 * half)
        .map(|tap| {
            let x = (tap as f64 - half as f64) / step as f64;
            let angle = std::f64::consts::PI * x * 0.92;
            let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
            let window = 0.5 + 0.5 * (std::f64::consts::PI * x / REACH as f64).cos();
            0.92 * sinc * window / step as f64
        })
        .collect();
    let narrowed = (0..samples.len() / step).map(|at| {
        let sum: f64 = (0..filter.len())
            .filter_map(|tap| {
                let sample = samples.get((at * step + tap).checked_sub(half)?)?;
                Some(f64::from(*sample) * filter[tap])
            })
            .sum();
        sample(sum)
    });
    Some(narrowed.collect())
}

/// The nearest sample.
#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
pub(crate) fn sample(value: f64) -> i16 {
    value.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, frequency: f64) -> Vec<i16> {
        let turn = std::f64::consts::TAU * frequency / f64::from(rate);
        (0..rate).map(|at| sample(10_000.0 * (turn * f64::from(at)).sin())).collect()
    }

    fn loudness(samples: &[i16]) -> f64 {
        (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn a_telephone_line_keeps_what_is_low_and_loses_what_is_high() {
        let before = loudness(&tone(16_000, 1_000.0));
        for (frequency, kept) in [(1_000.0, 0.95..1.05), (5_000.0, 0.0..0.05)] {
            let after = loudness(&narrow(&tone(16_000, frequency), 16_000).expect("twice the rate"));
            assert!(kept.contains(&(after / before)), "{frequency}: {before} became {after}");
        }
    }

    #[test]
    fn rates_that_are_no_multiple_are_refused() {
        for rate in [0, 4_000, 11_025, 44_100] {
            assert_eq!(narrow(&[0; 100], rate), None, "{rate}");
        }
        assert_eq!(narrow(&[1, 2, 3], 8_000), Some(vec![1, 2, 3]));
        assert_eq!(narrow(&[0; 48_000], 48_000).map(|samples| samples.len()), Some(8_000));
    }
}
