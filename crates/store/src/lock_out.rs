//! Lock-out after failed sign-ins: a pure function of counters and time (SEC-85).

use std::time::Duration;

use umbel_time::UnixTime;

/// Failures in a row after which a door stays locked until an administrator opens it.
pub const FAILURES_FOR_GOOD: u32 = 15;
/// The first lock.
const FIRST_LOCK: Duration = Duration::from_secs(15 * 60);
/// The longest lock that ends by itself.
const LONGEST_LOCK: Duration = Duration::from_secs(24 * 3_600);
/// Failures of one caller within [`CALLER_WINDOW`] after which the caller is not listened to (DEC-6).
pub const CALLER_FAILURES_MAX: usize = 30;
/// How long a caller's failures count.
pub const CALLER_WINDOW: Duration = Duration::from_secs(3_600);

/// A door is locked. The longer of two is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// Until then.
    Until(UnixTime),
    /// Until an administrator opens it.
    ForGood,
}

/// Failures in a row at one door, and what follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockOut {
    /// Failures since the last success.
    pub failures: u32,
    /// When the lock of the last failure ends.
    pub until: Option<UnixTime>,
}

impl LockOut {
    /// The lock at `now`, if any.
    pub fn lock(&self, now: UnixTime) -> Option<Lock> {
        if self.failures >= FAILURES_FOR_GOOD {
            return Some(Lock::ForGood);
        }
        self.until.filter(|until| now < *until).map(Lock::Until)
    }

    /// One more failure at `now`, where `lock_after` in a row lock the door for the first time.
    #[must_use]
    pub fn failed(self, lock_after: u32, now: UnixTime) -> LockOut {
        let failures = self.failures.saturating_add(1);
        let until = lock_length(failures, lock_after).map(|length| now + length);
        LockOut { failures, until }
    }
}

/// How long the door is locked by the failure that makes `failures` in a row.
fn lock_length(failures: u32, lock_after: u32) -> Option<Duration> {
    let doublings = failures.checked_sub(lock_after.max(1))?;
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    Some(FIRST_LOCK.saturating_mul(factor).min(LONGEST_LOCK))
}

/// When one caller failed, oldest first; at most [`CALLER_FAILURES_MAX`] are remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerFailures(Vec<UnixTime>);

impl CallerFailures {
    /// Failures at these times.
    pub fn new(mut times: Vec<UnixTime>) -> Self {
        times.sort_unstable();
        let excess = times.len().saturating_sub(CALLER_FAILURES_MAX);
        times.drain(..excess);
        CallerFailures(times)
    }

    /// One more failure.
    pub fn failed(&mut self, now: UnixTime) {
        let mut times = std::mem::take(&mut self.0);
        times.push(now);
        *self = CallerFailures::new(times);
    }

    /// The last failure.
    pub fn latest(&self) -> Option<UnixTime> {
        self.0.last().copied()
    }

    /// Until when the caller is not listened to, if it failed too often within the hour before `now`.
    pub fn locked_until(&self, now: UnixTime) -> Option<UnixTime> {
        let recent = self.0.iter().filter(|at| **at + CALLER_WINDOW > now).count();
        if recent < CALLER_FAILURES_MAX {
            return None;
        }
        self.0.first().map(|oldest| *oldest + CALLER_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixTime = UnixTime::from_secs(1_790_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn after_failures(count: u32) -> LockOut {
        (0..count).fold(LockOut::default(), |lock, _| lock.failed(5, NOON))
    }

    #[test]
    fn four_failures_do_not_lock_and_the_fifth_does() {
        // SEC-85
        assert_eq!(after_failures(4).lock(NOON), None);
        assert_eq!(after_failures(5).lock(NOON), Some(Lock::Until(NOON + 15 * MINUTE)));
    }

    #[test]
    fn a_lock_ends_when_its_time_is_over() {
        let locked = after_failures(5);
        assert!(locked.lock(NOON + 15 * MINUTE - Duration::from_millis(1)).is_some());
        assert_eq!(locked.lock(NOON + 15 * MINUTE), None);
    }

    #[test]
    fn each_further_failure_doubles_the_lock_up_to_a_day_and_the_fifteenth_locks_for_good() {
        // SEC-85
        let minutes: Vec<_> = (5..=15).map(|n| after_failures(n).lock(NOON)).collect();
        let expected: Vec<_> = [15, 30, 60, 120, 240, 480, 960, 1_440, 1_440, 1_440]
            .into_iter()
            .map(|m| Some(Lock::Until(NOON + m * MINUTE)))
            .chain([Some(Lock::ForGood)])
            .collect();
        assert_eq!(minutes, expected);
        assert_eq!(after_failures(15).lock(NOON + Duration::from_secs(u32::MAX.into())), Some(Lock::ForGood));
    }

    #[test]
    fn the_counter_saturates() {
        let lock = LockOut { failures: u32::MAX, until: None }.failed(5, NOON);
        assert_eq!(lock.lock(NOON), Some(Lock::ForGood));
    }

    #[test]
    fn thirty_failures_of_one_caller_within_an_hour_lock_the_caller() {
        // SEC-85, DEC-6
        let mut failures = CallerFailures::default();
        for n in 0..29 {
            failures.failed(NOON + n * MINUTE);
        }
        let now = NOON + 29 * MINUTE;
        assert_eq!(failures.locked_until(now), None);
        failures.failed(now);
        assert_eq!(failures.locked_until(now), Some(NOON + CALLER_WINDOW));
        // The oldest of them has left the hour: 29 remain.
        assert_eq!(failures.locked_until(NOON + CALLER_WINDOW), None);
    }

    #[test]
    fn failures_spread_over_more_than_an_hour_lock_nobody() {
        let mut failures = CallerFailures::default();
        for n in 0..300 {
            failures.failed(NOON + n * 3 * MINUTE);
            assert_eq!(failures.locked_until(NOON + n * 3 * MINUTE), None);
        }
    }
}
