//! Is this recording that sentence? The comparison is `umbel_likeness`; here it is held to real sentences.

pub use umbel_likeness::{Found, SAME};

use crate::sound::Sound;

/// Finds the place in `heard` that is most like `said`.
pub fn find(said: &Sound, heard: &Sound) -> Found {
    umbel_likeness::find(&said.narrow().samples, &heard.narrow().samples)
}

/// Finds `said` in `heard`; a machine that stood still may have made it longer, and not shorter.
///
/// # Panics
///
/// When it is not there.
pub fn assert_contains(heard: &Sound, said: &Sound) -> Found {
    let found = umbel_likeness::find_despite_stalls(&said.narrow().samples, &heard.narrow().samples);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        assert!(found.at.abs_diff(before) <= Duration::from_millis(20), "{found:?}");
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

    /// The sentence with silence of these lengths put in, evenly.
    fn stalled(said: &Sound, stalls: &[u64]) -> Sound {
        let said = said.narrow();
        let length = said.samples.len() / (stalls.len() + 1);
        let mut samples = vec![0; 4_000];
        for (nth, part) in said.samples.chunks(length).enumerate() {
            samples.extend_from_slice(part);
            let millis = stalls.get(nth).copied().unwrap_or_default();
            samples.resize(samples.len() + said.count(Duration::from_millis(millis)), 0);
        }
        Sound { rate: said.rate, samples }
    }

    #[test]
    fn where_a_machine_stood_still_a_sentence_is_found_if_nothing_of_it_is_lost() {
        let (said, other) = (Sound::sentence("message"), Sound::sentence("other"));
        let is_found = |said: &Sound, heard: &Sound| {
            let found = umbel_likeness::find_despite_stalls(&said.narrow().samples, &heard.samples);
            found.is_same()
        };
        for stalls in [&[400][..], &[1_500], &[250, 800], &[200, 200, 2_000]] {
            let heard = stalled(&said, stalls);
            let found = assert_contains(&heard, &said);
            assert!(found.at.abs_diff(Duration::from_millis(500)) <= Duration::from_millis(20), "{found:?}");
            assert!(!is_found(&other, &heard), "{stalls:?}");
            // With 300 ms of it lost.
            let half = said.duration() / 2;
            let (before, after) = (said.part(Duration::ZERO, half), half + Duration::from_millis(300));
            let after = said.part(after, said.duration());
            let lost = Sound { rate: said.rate, samples: [before.samples, after.samples].concat() };
            assert!(!is_found(&said, &stalled(&lost, stalls)), "{stalls:?}");
        }
        for torn in [&[300, 300, 300, 300][..], &[3_000, 2_500]] {
            assert!(!is_found(&said, &stalled(&said, torn)), "{torn:?}");
        }
    }
}
