//! Wrong passwords, counted by the address they come from and the name they are for (SEC-49).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use umbel_time::{Instant, Timers};

/// This many wrong passwords within [`FAILURES_WINDOW`] lock for [`LOCKED`].
pub const FAILURES_MAX: u32 = 10;
/// See [`FAILURES_MAX`].
pub const FAILURES_WINDOW: Duration = Duration::from_secs(300);
/// See [`FAILURES_MAX`].
pub const LOCKED: Duration = Duration::from_secs(900);
/// Pairs of address and name that are counted; beyond, the one that would be forgotten next is.
pub const GUESSERS_MAX: usize = 20_000;
/// Octets of a name that tell it from others: longer ones count together.
const NAME_MAX: usize = 64;

type Guesser = (IpAddr, Box<str>);

/// Who guesses.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    failures: BTreeMap<Guesser, u32>,
    /// When each is forgotten.
    until: Timers<Guesser>,
}

impl Guesses {
    pub(super) fn is_locked(&mut self, now: Instant, source: IpAddr, name: &str) -> bool {
        self.forget(now);
        self.failures.get(&guesser(source, name)).is_some_and(|failures| *failures >= FAILURES_MAX)
    }

    /// Counts a wrong password; whether it was the one that locks.
    pub(super) fn failed(&mut self, now: Instant, source: IpAddr, name: &str) -> bool {
        self.forget(now);
        let guesser = guesser(source, name);
        let failures = self.failures.entry(guesser.clone()).or_insert(0);
        *failures += 1;
        let locks = *failures == FAILURES_MAX;
        if locks {
            self.until.arm(guesser, now + LOCKED);
        } else if *failures == 1 {
            self.until.arm(guesser, now + FAILURES_WINDOW);
        }
        if self.failures.len() > GUESSERS_MAX
            && let Some(next) = self.until.expired(Instant::FAR_FUTURE)
        {
            self.failures.remove(&next);
        }
        locks
    }

    pub(super) fn succeeded(&mut self, source: IpAddr, name: &str) {
        let guesser = guesser(source, name);
        self.failures.remove(&guesser);
        self.until.disarm(&guesser);
    }

    fn forget(&mut self, now: Instant) {
        while let Some(guesser) = self.until.expired(now) {
            self.failures.remove(&guesser);
        }
    }
}

fn guesser(source: IpAddr, name: &str) -> Guesser {
    let end = (0..=NAME_MAX.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    (source.to_canonical(), name.get(..end.unwrap_or(0)).unwrap_or_default().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    // SEC-49
    #[test]
    fn ten_failures_in_five_minutes_lock_for_fifteen() {
        let mut guesses = Guesses::default();
        for n in 0..9 {
            assert!(!guesses.failed(at(n), from(1), "bob"));
        }
        assert!(!guesses.is_locked(at(9), from(1), "bob"));
        assert!(guesses.failed(at(9), from(1), "bob"));
        assert!(guesses.is_locked(at(9), from(1), "bob"));
        assert!(!guesses.is_locked(at(9), from(2), "bob"), "another address");
        assert!(!guesses.is_locked(at(9), from(1), "alice"), "another name");
        assert!(guesses.is_locked(at(908), from(1), "bob"));
        assert!(!guesses.is_locked(at(909), from(1), "bob"));
    }

    #[test]
    fn failures_far_apart_and_those_before_a_success_do_not_lock() {
        let mut guesses = Guesses::default();
        for n in 0..40 {
            assert!(!guesses.failed(at(n * 34), from(1), "bob"), "{n}");
        }
        let mut guesses = Guesses::default();
        for n in 0..40 {
            assert!(!guesses.failed(at(n), from(1), "bob"));
            if n % 9 == 8 {
                guesses.succeeded(from(1), "bob");
            }
        }
    }

    #[test]
    fn the_table_is_bounded_and_those_who_are_locked_stay_longest() {
        let mut guesses = Guesses::default();
        for _ in 0..FAILURES_MAX {
            guesses.failed(at(0), from(1), "bob");
        }
        for n in 0..GUESSERS_MAX + 100 {
            guesses.failed(at(1), from(2), &format!("user{n}"));
        }
        assert_eq!(guesses.failures.len(), GUESSERS_MAX);
        assert_eq!(guesses.until.len(), GUESSERS_MAX);
        assert!(guesses.is_locked(at(2), from(1), "bob"));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let mut guesses = Guesses::default();
        guesses.failed(at(0), from(1), &"é".repeat(1_000));
        assert_eq!(guesses.failures.first_key_value().unwrap().0.1.len(), NAME_MAX);
    }
}
