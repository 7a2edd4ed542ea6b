//! The one reader of the machine's clocks and of its source of randomness.

use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Sleep;
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
        match self.moment(deadline) {
            Some(moment) => tokio::time::sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }

    /// The runtime's timers end within a few years; what is further away does not come.
    fn moment(&self, deadline: Option<Instant>) -> Option<tokio::time::Instant> {
        let moment = self.start.checked_add(deadline?.since(Instant::ZERO))?;
        (moment.saturating_duration_since(self.start) < FOREVER).then(|| moment.into())
    }
}

/// Alarms ring at multiples of this time, so that those of one moment wake their loop once.
const STEP_MICROS: u64 = 10_000;

/// An event loop's alarm, which may be set in every turn and costs a timer only where it has to ring earlier.
#[derive(Debug)]
pub struct Alarm {
    clock: Clock,
    /// Rings no later than the deadline, and perhaps earlier: for one of before that was put off.
    sleep: Pin<Box<Sleep>>,
    rings: Option<Instant>,
    deadline: Option<Instant>,
}

impl Alarm {
    /// An alarm that does not ring. Belongs to the runtime that it is made in.
    pub fn new(clock: Clock) -> Self {
        let sleep = Box::pin(tokio::time::sleep(FOREVER));
        Alarm { clock, sleep, rings: None, deadline: None }
    }

    /// Rings at this deadline, or ten milliseconds later at most, in place of what was set before; never, where there
    /// is none.
    pub fn set(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline.map(up_to_step);
    }

    /// Returns when the deadline has come. May be dropped, and called again.
    pub async fn rung(&mut self) {
        loop {
            let Some(deadline) = self.deadline else { return std::future::pending().await };
            if self.rings.is_none_or(|rings| rings > deadline) {
                let Some(moment) = self.clock.moment(Some(deadline)) else {
                    return std::future::pending().await;
                };
                self.sleep.as_mut().reset(moment);
                self.rings = Some(deadline);
            }
            self.sleep.as_mut().await;
            self.rings = None;
            if self.clock.now() >= deadline {
                return;
            }
        }
    }
}

fn up_to_step(deadline: Instant) -> Instant {
    Instant::from_micros(deadline.as_micros().div_ceil(STEP_MICROS).saturating_mul(STEP_MICROS))
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

    #[test]
    fn alarms_ring_in_steps_and_never_early() {
        let at = Instant::from_millis;
        for (deadline, rings) in [(0, 0), (1, 10), (10, 10), (11, 20), (32_000, 32_000)] {
            assert_eq!(up_to_step(at(deadline)), at(rings), "{deadline}");
        }
        assert_eq!(up_to_step(at(10) + Duration::from_micros(1)), at(20));
        assert!(up_to_step(Instant::FAR_FUTURE) > at(u64::MAX / 2_000));
    }

    #[tokio::test]
    async fn an_alarm_rings_for_its_last_deadline_and_not_for_those_before() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock);
        let soon = clock.now() + Duration::from_millis(20);
        let never = async |alarm: &mut Alarm| {
            tokio::select! {
                biased;
                () = alarm.rung() => panic!("it rang"),
                () = tokio::time::sleep(Duration::from_millis(60)) => {}
            }
        };
        // Put off before anybody listened, and while somebody did.
        alarm.set(Some(soon));
        alarm.set(None);
        never(&mut alarm).await;
        let deadline = clock.now() + Duration::from_millis(20);
        alarm.set(Some(deadline));
        tokio::select! {
            biased;
            () = alarm.rung() => assert!(clock.now() >= deadline, "it rang early"),
            () = tokio::task::yield_now() => {}
        }
        alarm.set(Some(Instant::FAR_FUTURE));
        never(&mut alarm).await;
        // Earlier than what it was set for, and in the past.
        let deadline = clock.now() + Duration::from_millis(30);
        alarm.set(Some(clock.now() + Duration::from_secs(3_600)));
        alarm.set(Some(deadline));
        alarm.rung().await;
        assert!(clock.now() >= deadline);
        alarm.set(Some(Instant::ZERO));
        alarm.rung().await;
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
