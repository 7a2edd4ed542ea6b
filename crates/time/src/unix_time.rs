//! A point on the wall's clock.

use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
///
/// For what people read and what certificates state; never for measuring how long something took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    millis: i64,
}

impl UnixTime {
    /// The time `seconds` after the epoch.
    pub const fn from_secs(seconds: i64) -> Self {
        UnixTime { millis: seconds.saturating_mul(1_000) }
    }

    /// The time `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        UnixTime { millis }
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.millis.div_euclid(1_000)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.millis
    }

    /// Time since `earlier`, or zero where the clock was set back in between.
    pub fn since(self, earlier: UnixTime) -> Duration {
        let millis = self.millis.saturating_sub(earlier.millis);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl Add<Duration> for UnixTime {
    type Output = UnixTime;

    fn add(self, duration: Duration) -> UnixTime {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        UnixTime { millis: self.millis.saturating_add(millis) }
    }
}

impl Sub<Duration> for UnixTime {
    type Output = UnixTime;

    fn sub(self, duration: Duration) -> UnixTime {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        UnixTime { millis: self.millis.saturating_sub(millis) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_before_the_epoch_round_down() {
        assert_eq!(UnixTime::from_millis(-1).as_secs(), -1);
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_duration() {
        let later = UnixTime::from_secs(100);
        assert_eq!(UnixTime::from_secs(40).since(later), Duration::ZERO);
        assert_eq!(later.since(UnixTime::from_secs(40)), Duration::from_secs(60));
    }
}
