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
