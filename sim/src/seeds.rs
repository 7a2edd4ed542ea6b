//! The seeds of an exploration: few on every change, and as many as one likes by `UMBEL_SEEDS`.
//!
//! `UMBEL_SEEDS=0..100000 cargo test --release -p umbel-sim explor` is REL-52 in its full figure; the seed that a
//! failure names is lived through alone by `UMBEL_SEEDS=17..18`.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

const VARIABLE: &str = "UMBEL_SEEDS";
/// No exploration lives through fewer worlds than this on a change.
const REPLAY_BELOW: usize = 20;

/// Lives through a world for each seed, and hands back what each was; fails with the seeds that failed and what they
/// said, once all have been lived through.
///
/// The seeds are `few`, or those that the environment asks for.
///
/// # Panics
///
/// Where the environment asks for something that is no range of seeds, and where a world failed.
pub fn live_through<T>(few: Range<u64>, mut live: impl FnMut(u64) -> T) -> Vec<T> {
    let mut failures = Vec::new();
    let mut lives = Vec::new();
    for seed in asked_for().unwrap_or(few) {
        match catch_unwind(AssertUnwindSafe(|| live(seed))) {
            Ok(lived) => lives.push(lived),
            Err(cause) => failures.push(format!("seed {seed}: {}", said(cause.as_ref()))),
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n\n"));
    lives
}

/// Whether these are the lives of a few seeds that somebody looks at, so that they need not have been eventful.
pub fn is_replay<T>(lives: &[T]) -> bool {
    lives.len() < REPLAY_BELOW
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to explore is asked for from outside; a world knows nothing of it"
)]
fn asked_for() -> Option<Range<u64>> {
    let asked = std::env::var(VARIABLE).ok()?;
    let read = range(&asked);
    assert!(read.is_some(), "{VARIABLE} is `FROM..TO`, not `{asked}`");
    read
}

fn range(asked: &str) -> Option<Range<u64>> {
    let (from, to) = asked.split_once("..")?;
    let range = from.parse().ok()?..to.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

/// What a panic said.
fn said(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("something")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_is_from_and_to() {
        assert_eq!(range("0..24"), Some(0..24));
        assert_eq!(range("17..18"), Some(17..18));
        for wrong in ["", "24", "..", "1..", "..1", "5..5", "6..5", "a..b", "-1..1"] {
            assert_eq!(range(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn all_seeds_are_lived_through_and_those_that_failed_are_named() {
        let mut lived = Vec::new();
        let failure = catch_unwind(AssertUnwindSafe(|| {
            live_through(3..7, |seed| {
                lived.push(seed);
                assert!(seed % 2 == 0, "odd");
            })
        }));
        let failure = failure.expect_err("two of them fail");
        assert_eq!(said(failure.as_ref()), "2 failures\nseed 3: odd\n\nseed 5: odd");
        assert_eq!(lived, [3, 4, 5, 6]);
        assert_eq!(live_through(3..5, |seed| seed * 2), [6, 8]);
    }
}
