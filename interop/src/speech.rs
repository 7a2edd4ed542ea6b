//! Is this recording that sentence? The comparison is `umbel_likeness`; here it is held to real sentences.

use std::time::Duration;

pub use umbel_likeness::{Found, SAME};

use crate::sound::Sound;

/// Nothing at all for so long is no pause of who speaks, of which the sentences have none of 20 ms: a machine stood
/// still, and the sender's timestamps said so. What is shorter a sender makes up for.
const STALL: Duration = Duration::from_millis(150);
/// How often a machine may do that within a sentence, and for how long in all. More is torn sound.
const STALLS_MAX: usize = 3;
const STALLED_MAX: Duration = Duration::from_secs(5);
/// What is quieter is nothing: the zero of every codec.
const NOTHING: u16 = 16;

/// Finds the place in `heard` that is most like `said`.
pub fn find(said: &Sound, heard: &Sound) -> Found {
    umbel_likeness::find(&said.narrow().samples, &heard.narrow().samples)
}

/// The same with silence within it, where a machine stood still in mid sentence: nothing of it may be lost.
fn find_over_stalls(said: &Sound, heard: &Sound) -> Option<Found> {
    let (said, heard) = (said.narrow(), heard.narrow());
    let least = heard.count(STALL);
    let mut kept: Vec<i16> = Vec::new();
    // Where in what is kept, and how long.
    let mut stalls: Vec<(usize, usize)> = Vec::new();
    for stretch in heard.samples.chunk_by(|one, next| is_nothing(*one) == is_nothing(*next)) {
        if stretch.len() >= least && is_nothing(stretch[0]) {
            stalls.push((kept.len(), stretch.len()));
        } else {
            kept.extend_from_slice(stretch);
        }
    }
    let found = umbel_likeness::find(&said.samples, &kept);
    let begin = heard.count(found.at);
    let stood_still = |within: std::ops::Range<usize>| -> Vec<usize> {
        stalls.iter().filter(|(place, _)| within.contains(place)).map(|(_, length)| *length).collect()
    };
    let within = stood_still(begin + 1..begin + said.samples.len());
    let is_bounded = within.len() <= STALLS_MAX && within.iter().sum::<usize>() <= heard.count(STALLED_MAX);
    let before: usize = stood_still(0..begin + 1).iter().sum();
    let at = Duration::from_secs_f64((begin + before) as f64 / f64::from(heard.rate));
    is_bounded.then_some(Found { likeness: found.likeness, at })
}

fn is_nothing(sample: i16) -> bool {
    sample.unsigned_abs() <= NOTHING
}

/// Finds `said` in `heard`; a machine that stood still may have made it longer, and not shorter.
///
/// # Panics
///
/// When it is not there.
pub fn assert_contains(heard: &Sound, said: &Sound) -> Found {
    let found = Some(find(said, heard)).filter(Found::is_same);
    let found = found.or_else(|| find_over_stalls(said, heard)).unwrap_or_else(|| find(said, heard));
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
        for stalls in [&[400][..], &[1_500], &[250, 800], &[200, 200, 2_000]] {
            let heard = stalled(&said, stalls);
            let found = assert_contains(&heard, &said);
            assert!(found.at.abs_diff(Duration::from_millis(500)) <= Duration::from_millis(20), "{found:?}");
            assert_lacks(&heard, &other);
            let lacking = |what: &Sound| find_over_stalls(what, &heard).is_none_or(|found| !found.is_same());
            assert!(lacking(&other));
            // With 300 ms of it lost.
            let (before, after) = (said.part(Duration::ZERO, said.duration() / 2), said.duration() / 2);
            let after = said.part(after + Duration::from_millis(300), said.duration());
            let lost = Sound { rate: said.rate, samples: [before.samples, after.samples].concat() };
            let found = find_over_stalls(&said, &stalled(&lost, stalls));
            assert!(found.is_none_or(|found| !found.is_same()), "{stalls:?}: {found:?}");
        }
        for torn in [&[200, 200, 200, 200][..], &[3_000, 2_500]] {
            let found = find_over_stalls(&said, &stalled(&said, torn));
            assert_eq!(found, None, "{torn:?}");
        }
    }
}
