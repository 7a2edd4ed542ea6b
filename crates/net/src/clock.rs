//! The one reader of the machine's clocks and of its source of randomness.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use umbel_time::{Instant, UnixTime};

/// The clocks of a node: one that never goes back, and the wall's.
///
/// A copy reads the same clocks. The event loop reads [`Clock::now`] once a turn and hands it to its
/// node, which has no other way to learn the time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// A clock whose [`Instant::ZERO`] is this moment.
    pub fn start() -> Self {
        Clock { start: std::time::Instant::now() }
    }

    /// Time since the start; not affected by changes of the wall clock.
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// The date and time of the machine; may jump when somebody sets it.
    pub fn unix_time(&self) -> UnixTime {
        let since = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => UnixTime::from_millis(since(after)),
            Err(before) => UnixTime::from_millis(-since(before.duration())),
        }
    }

    /// Returns when `deadline` has come; never, where there is none.
    ///
    /// Takes what [`umbel_node::Node::poll_timeout`] gives.
    pub async fn sleep_until(&self, deadline: Option<Instant>) {
        // The runtime's timers end within a few years; what is further away does not come.
        let reachable = deadline
            .and_then(|deadline| self.start.checked_add(deadline.since(Instant::ZERO)))
            .filter(|moment| moment.saturating_duration_since(self.start) < FOREVER);
        match reachable {
            Some(moment) => tokio::time::sleep_until(moment.into()).await,
            None => std::future::pending().await,
        }
    }
}

/// Longer than any process lives.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls_pki_types::UnixTime> {
        Some(pki_time(self.unix_time()))
    }
}

/// The same moment as the certificate libraries write it; years before 1970 become 1970.
pub(crate) fn pki_time(time: UnixTime) -> rustls_pki_types::UnixTime {
    let seconds = u64::try_from(time.as_secs()).unwrap_or(0);
    rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// A seed for one node's generator, from the operating system.
///
/// # Errors
///
/// Where the operating system has no randomness to give; a node must not start then, since its tags
/// and keys could be guessed (RFC 3261 19.3).
pub fn seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn now_does_not_go_back() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }

    #[test]
    fn the_wall_clock_is_in_this_century() {
        let year_2025 = UnixTime::from_secs(1_735_689_600);
        let year_2100 = UnixTime::from_secs(4_102_444_800);
        let now = Clock::start().unix_time();
        assert!(now > year_2025 && now < year_2100, "{now:?}");
    }

    #[test]
    fn two_seeds_differ() {
        assert_ne!(seed().unwrap(), seed().unwrap());
    }

    #[tokio::test]
    async fn a_deadline_that_has_passed_returns_at_once() {
        let clock = Clock::start();
        clock.sleep_until(Some(Instant::ZERO)).await;
    }

    #[tokio::test]
    async fn the_far_future_does_not_come() {
        let clock = Clock::start();
        tokio::select! {
            biased;
            () = clock.sleep_until(Some(Instant::FAR_FUTURE)) => panic!("the far future came"),
            () = clock.sleep_until(None) => panic!("no deadline came"),
            () = clock.sleep_until(Some(clock.now() + Duration::from_millis(1))) => {}
        }
    }
}
