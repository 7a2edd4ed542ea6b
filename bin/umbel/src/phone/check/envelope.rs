//! How loud it was when: enough to tell one prompt from another, whatever the voice and the language.

use umbel_wav::Format;

/// How long each call listens.
pub(super) const HEARD: &str = "3s";
/// One value is 20 ms.
const STEPS_A_SECOND: u32 = 50;
/// So far two prompts may be apart: connections take their time.
const SHIFT_MAX: usize = 25;
/// What is compared: less than is heard, so that shifts have room.
const COMPARED: usize = 120;
/// Two hearings of one prompt are more alike than this. Of our own prompts they are from 0.97 on; lost packets
/// take from that.
const SAME: f64 = 0.7;
/// Two prompts are less alike than this; our own are at 0.3.
const DIFFERENT: f64 = 0.5;
/// Below, a prompt was not even begun.
const LOUD: f64 = 300.0;

/// The loudness of what was heard, in steps of 20 ms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Envelope(Vec<f64>);

/// Whether two hearings are of one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Different,
    Unclear,
}

impl Envelope {
    /// Of a recording.
    pub(super) fn of(heard: &(Format, Vec<u8>)) -> Self {
        let (format, data) = heard;
        let mut file = umbel_wav::header(*format, u32::try_from(data.len()).unwrap_or(u32::MAX));
        file.extend_from_slice(data);
        let limits =
            umbel_wav::Limits { bytes_max: usize::MAX, duration_max: std::time::Duration::from_secs(600) };
        let samples = umbel_wav::read(&file, limits).map(|sound| sound.samples).unwrap_or_default();
        let step = usize::try_from(format.rate / STEPS_A_SECOND).unwrap_or(160).max(1);
        let loudness = |step: &[i16]| {
            let sum: f64 = step.iter().map(|sample| f64::from(*sample).abs()).sum();
            sum / f64::from(u32::try_from(step.len()).unwrap_or(1))
        };
        Envelope(samples.chunks(step).map(loudness).collect())
    }

    /// Whether nothing was said.
    pub(super) fn is_silent(&self) -> bool {
        self.0.iter().all(|loudness| *loudness < LOUD)
    }

    /// Whether this is the same prompt, allowing for a shift either way.
    pub(super) fn likeness(&self, other: &Envelope) -> Likeness {
        if self.is_silent() || other.is_silent() {
            return Likeness::Unclear;
        }
        let forth = (0..=SHIFT_MAX).map(|shift| correlation(self.0.get(shift..), other.0.get(..)));
        let back = (0..=SHIFT_MAX).map(|shift| correlation(self.0.get(..), other.0.get(shift..)));
        let best = forth.chain(back).fold(0.0, f64::max);
        match best {
            best if best >= SAME => Likeness::Same,
            best if best < DIFFERENT => Likeness::Different,
            _ => Likeness::Unclear,
        }
    }

    /// Somebody says something: syllables of 60 to 200 ms, each as loud as it happens to be.
    #[cfg(test)]
    pub(super) fn spoken(seed: u8) -> Self {
        use rand_chacha::ChaCha20Rng;
        use rand_core::{Rng, SeedableRng};
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let mut steps = Vec::new();
        while steps.len() < 200 {
            let length = 3 + rng.next_u32() % 8;
            let loudness = f64::from(rng.next_u32() % 8) * 500.0;
            steps.extend((0..length).map(|_| loudness));
        }
        Envelope(steps)
    }

    #[cfg(test)]
    pub(super) fn silence() -> Self {
        Envelope(vec![0.0; 200])
    }
}

/// Pearson's, of as much as both have; 0 where that is too little.
fn correlation(one: Option<&[f64]>, other: Option<&[f64]>) -> f64 {
    let (Some(one), Some(other)) = (one, other) else { return 0.0 };
    let pairs: Vec<(f64, f64)> = one.iter().copied().zip(other.iter().copied()).take(COMPARED).collect();
    if pairs.len() < COMPARED / 2 {
        return 0.0;
    }
    let count = f64::from(u32::try_from(pairs.len()).unwrap_or(u32::MAX));
    let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / count;
    let (mean_one, mean_other) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut product, mut square_one, mut square_other) = (0.0, 0.0, 0.0);
    for (one, other) in &pairs {
        let (one, other) = (one - mean_one, other - mean_other);
        product += one * other;
        square_one += one * one;
        square_other += other * other;
    }
    if square_one == 0.0 || square_other == 0.0 { 0.0 } else { product / (square_one * square_other).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_like_itself_a_little_later_and_unlike_others() {
        let once = Envelope::spoken(1);
        let mut later = vec![0.0; 20];
        later.extend(&once.0);
        let later = Envelope(later);
        assert_eq!(once.likeness(&once), Likeness::Same);
        assert_eq!(once.likeness(&later), Likeness::Same);
        assert_eq!(later.likeness(&once), Likeness::Same);
        for seed in 2..20 {
            assert_ne!(once.likeness(&Envelope::spoken(seed)), Likeness::Same, "{seed}");
        }
    }

    #[test]
    fn a_prompt_with_a_packet_lost_here_and_there_is_still_like_itself() {
        let once = Envelope::spoken(1);
        let mut gaps = once.clone();
        gaps.0.iter_mut().step_by(25).for_each(|step| *step = 0.0);
        assert_eq!(once.likeness(&gaps), Likeness::Same);
    }

    #[test]
    fn silence_is_like_nothing() {
        let silence = Envelope::silence();
        assert!(silence.is_silent());
        assert_eq!(silence.likeness(&silence), Likeness::Unclear);
        assert_eq!(Envelope(vec![]).likeness(&Envelope(vec![])), Likeness::Unclear);
    }
}
