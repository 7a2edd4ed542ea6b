//! Responses that the user agent core itself repeats until they are acknowledged end to end.
//!
//! A transaction on a reliable transport repeats nothing. A 2xx to INVITE and a reliable
//! provisional response are repeated all the same, because a hop further on may lose them.

use std::time::Duration;

/// RFC 3261 17.1.1.1: the estimate of a round trip.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// RFC 3261 17.1.2.2: the longest interval between two copies of a 2xx.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// RFC 3261 13.3.1.4, RFC 3262 3: how long we go on.
pub(crate) const GIVE_UP_AFTER: Duration = T1.saturating_mul(64);

/// When the next copy is due, and when enough is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repetition {
    interval: Duration,
    interval_max: Duration,
    elapsed: Duration,
}

/// What is to be done when the time given by [`Repetition::wait`] is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send another copy.
    Again,
    /// Nobody acknowledged it.
    GiveUp,
}

impl Repetition {
    /// RFC 3261 13.3.1.4: from T1, doubling until T2.
    pub(crate) fn of_success() -> Self {
        Repetition { interval: T1, interval_max: T2, elapsed: Duration::ZERO }
    }

    /// RFC 3262 3: from T1, doubling without a bound of its own.
    pub(crate) fn of_reliable_provisional() -> Self {
        Repetition { interval: T1, interval_max: GIVE_UP_AFTER, elapsed: Duration::ZERO }
    }

    /// How long to wait, counted from the last copy.
    pub(crate) fn wait(&self) -> Duration {
        self.interval.min(GIVE_UP_AFTER.saturating_sub(self.elapsed))
    }

    /// The wait is over.
    pub(crate) fn step(self) -> (Self, Due) {
        let elapsed = self.elapsed + self.wait();
        let due = if elapsed >= GIVE_UP_AFTER { Due::GiveUp } else { Due::Again };
        (Repetition { interval: (self.interval * 2).min(self.interval_max), elapsed, ..self }, due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments, in milliseconds after the first copy, at which something is due.
    fn moments(mut repetition: Repetition) -> Vec<u128> {
        let mut now = Duration::ZERO;
        let mut moments = Vec::new();
        loop {
            now += repetition.wait();
            moments.push(now.as_millis());
            let (next, due) = repetition.step();
            repetition = next;
            if due == Due::GiveUp {
                return moments;
            }
        }
    }

    // RFC 3261 13.3.1.4
    #[test]
    fn a_success_is_repeated_from_t1_doubling_to_t2_and_given_up_after_64_t1() {
        assert_eq!(
            moments(Repetition::of_success()),
            [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000]
        );
    }

    // RFC 3262 3
    #[test]
    fn a_reliable_provisional_doubles_all_the_way() {
        assert_eq!(
            moments(Repetition::of_reliable_provisional()),
            [500, 1_500, 3_500, 7_500, 15_500, 31_500, 32_000]
        );
    }
}
