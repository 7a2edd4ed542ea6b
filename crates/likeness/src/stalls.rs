//! Silence that a machine made which stood still in mid sentence.

use std::ops::Range;
use std::time::Duration;

use crate::{Found, RATE, find};

/// Nothing at all for so long is no pause of who speaks: a sender had no time to send, its timestamps said so, and what
/// is shorter it made up for.
const STALL: usize = samples(Duration::from_millis(150));
/// How often that may be within a sentence, and for how long in all. More is torn sound.
const STALLS_MAX: usize = 3;
const STALLED_MAX: usize = samples(Duration::from_secs(5));
/// What is quieter is nothing: the zero of every codec.
const NOTHING: u16 = 16;

/// As [`find`]; where that finds nothing alike, the same in a recording that has silence within the sentence because
/// a machine stood still. Nothing of the sentence may be lost.
pub fn find_despite_stalls(said: &[i16], heard: &[i16]) -> Found {
    let found = find(said, heard);
    if found.is_same() {
        return found;
    }
    without_stalls(said, heard).filter(Found::is_same).unwrap_or(found)
}

/// The likest place in what was heard between the stalls; `None` where there are too many within it.
fn without_stalls(said: &[i16], heard: &[i16]) -> Option<Found> {
    // What is heard, and the stalls: where in that, and how long.
    let (mut kept, mut stalls): (Vec<i16>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
    for stretch in heard.chunk_by(|one, next| is_nothing(*one) == is_nothing(*next)) {
        if stretch.len() >= STALL && stretch.first().is_some_and(|sample| is_nothing(*sample)) {
            stalls.push((kept.len(), stretch.len()));
        } else {
            kept.extend_from_slice(stretch);
        }
    }
    let lengths = |within: Range<usize>| {
        stalls.iter().filter(move |(place, _)| within.contains(place)).map(|(_, length)| *length)
    };
    let found = find(said, &kept);
    let begin = samples(found.at);
    let within = begin + 1..begin + said.len();
    let is_torn =
        lengths(within.clone()).count() > STALLS_MAX || lengths(within).sum::<usize>() > STALLED_MAX;
    let before = Duration::from_secs(1) * u32::try_from(lengths(0..begin + 1).sum::<usize>()).ok()? / RATE;
    (!is_torn).then_some(Found { likeness: found.likeness, at: found.at + before })
}

fn is_nothing(sample: i16) -> bool {
    sample.unsigned_abs() <= NOTHING
}

const fn samples(time: Duration) -> usize {
    (time.as_millis() as usize).saturating_mul(RATE as usize) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone that changes every 40 ms: no part of it is like another.
    fn said() -> Vec<i16> {
        let mut chance = 1_u32;
        let mut phase = 0.0_f64;
        let mut step = 0.0;
        (0..16_000)
            .map(|at| {
                if at % 320 == 0 {
                    chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    step = (400.0 + 2_500.0 * f64::from(chance >> 16) / 65_536.0) / f64::from(RATE);
                }
                phase += step;
                crate::narrow::sample(8_000.0 * (std::f64::consts::TAU * phase).sin())
            })
            .collect()
    }

    /// The sound with so many milliseconds of nothing at each of these places.
    fn stalled(said: &[i16], stalls: &[(usize, u64)]) -> Vec<i16> {
        let (mut heard, mut from) = (vec![0; 800], 0);
        for (place, millis) in stalls {
            heard.extend_from_slice(&said[from..*place]);
            heard.resize(heard.len() + samples(Duration::from_millis(*millis)), 0);
            from = *place;
        }
        [&heard, &said[from..]].concat()
    }

    #[test]
    fn silence_that_was_put_in_is_told_from_sound_that_was_lost() {
        let said = said();
        let stalls = [(4_000, 400), (8_000, 1_500), (12_000, 200)];
        let heard = stalled(&said, &stalls);
        assert!(!find(&said, &heard).is_same());
        let found = find_despite_stalls(&said, &heard);
        assert!(found.is_same(), "{found:?}");
        assert!(found.at.abs_diff(Duration::from_millis(100)) <= Duration::from_millis(20), "{found:?}");
        let lost = [&said[..6_000], &said[9_000..]].concat();
        assert!(!find_despite_stalls(&said, &stalled(&lost, &stalls)).is_same());
    }

    #[test]
    fn a_fourth_stall_or_more_than_five_seconds_is_torn_sound() {
        let said = said();
        let places = [3_000, 6_000, 9_000, 12_000];
        assert!(!find_despite_stalls(&said, &stalled(&said, &places.map(|place| (place, 500)))).is_same());
        let long = |millis| stalled(&said, &[(5_000, 2_000), (10_000, millis)]);
        assert!(find_despite_stalls(&said, &long(2_900)).is_same());
        assert!(!find_despite_stalls(&said, &long(3_100)).is_same());
    }
}
