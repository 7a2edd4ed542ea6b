//! Wrong passwords by network address: twenty a minute, then nobody there is listened to (SEC-103).

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong passwords of one address within [`WINDOW`].
const WRONG_MAX: usize = 20;
/// How long a wrong password counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are counted; beyond it the one that was wrong longest ago is forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may, and [`Attempts::ended`] is to be told what came of it.
    Go,
    /// Others of the same address are still being looked at, and may use up what is left.
    Wait,
    /// Not now.
    TooMany {
        /// When one may be made again.
        again_in: Duration,
    },
}

/// Attempts by address.
#[derive(Default)]
pub(super) struct Attempts {
    by_address: BTreeMap<IpAddr, Counted>,
}

#[derive(Default)]
struct Counted {
    under_way: usize,
    wrong: VecDeque<Instant>,
}

/// Whoever has one address of version 6 has 2^64 of them.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        version_4 => version_4,
    }
}

impl Attempts {
    pub(super) fn begin(&mut self, address: IpAddr) -> Admission {
        let (now, address) = (Instant::now(), counted_as(address));
        self.make_room(address);
        let counted = self.by_address.entry(address).or_default();
        while counted.wrong.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            counted.wrong.pop_front();
        }
        if let Some(first) = counted.wrong.front().filter(|_| counted.wrong.len() >= WRONG_MAX) {
            return Admission::TooMany { again_in: WINDOW.saturating_sub(now.duration_since(*first)) };
        }
        if counted.wrong.len() + counted.under_way >= WRONG_MAX {
            return Admission::Wait;
        }
        counted.under_way += 1;
        Admission::Go
    }

    pub(super) fn ended(&mut self, address: IpAddr, was_wrong: bool) {
        let address = counted_as(address);
        let Some(counted) = self.by_address.get_mut(&address) else { return };
        counted.under_way = counted.under_way.saturating_sub(1);
        if was_wrong {
            counted.wrong.push_back(Instant::now());
        } else if counted.under_way == 0 && counted.wrong.is_empty() {
            self.by_address.remove(&address);
        }
    }

    /// An address with attempts under way is not forgotten; the store's queue bounds those.
    fn make_room(&mut self, address: IpAddr) {
        if self.by_address.len() < ADDRESSES_MAX || self.by_address.contains_key(&address) {
            return;
        }
        let idle = self.by_address.iter().filter(|(_, counted)| counted.under_way == 0);
        let oldest =
            idle.min_by_key(|(_, counted)| counted.wrong.back().copied()).map(|(address, _)| *address);
        oldest.and_then(|address| self.by_address.remove(&address));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wrong(attempts: &mut Attempts, address: IpAddr) -> Admission {
        let admission = attempts.begin(address);
        if admission == Admission::Go {
            attempts.ended(address, true);
        }
        admission
    }

    /// SEC-103
    #[tokio::test(start_paused = true)]
    async fn twenty_wrong_passwords_a_minute_are_looked_at_and_no_more() {
        let mut attempts = Attempts::default();
        let (here, elsewhere) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..WRONG_MAX {
            assert_eq!(wrong(&mut attempts, here), Admission::Go);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let again_in = WINDOW - Duration::from_secs(20);
        assert_eq!(wrong(&mut attempts, here), Admission::TooMany { again_in });
        assert_eq!(wrong(&mut attempts, elsewhere), Admission::Go);
        tokio::time::advance(again_in).await;
        assert_eq!(wrong(&mut attempts, here), Admission::Go);
        let again_in = Duration::from_secs(1);
        assert_eq!(wrong(&mut attempts, here), Admission::TooMany { again_in });
    }

    #[tokio::test]
    async fn right_passwords_do_not_count() {
        let mut attempts = Attempts::default();
        for _ in 0..10 * WRONG_MAX {
            assert_eq!(attempts.begin(address("192.0.2.1")), Admission::Go);
            attempts.ended(address("192.0.2.1"), false);
        }
        assert!(attempts.by_address.is_empty());
    }

    #[tokio::test]
    async fn guesses_at_once_get_no_more_than_their_due() {
        let mut attempts = Attempts::default();
        let here = address("192.0.2.1");
        for _ in 0..WRONG_MAX {
            assert_eq!(attempts.begin(here), Admission::Go);
        }
        assert_eq!(attempts.begin(here), Admission::Wait);
        attempts.ended(here, false);
        assert_eq!(attempts.begin(here), Admission::Go);
        attempts.ended(here, true);
        assert_eq!(attempts.begin(here), Admission::Wait);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        assert_eq!(counted_as(address("2001:db8:1:2::1")), counted_as(address("2001:db8:1:2:3:4:5:6")));
        assert_ne!(counted_as(address("2001:db8:1:2::1")), counted_as(address("2001:db8:1:3::1")));
        assert_eq!(counted_as(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded() {
        let mut attempts = Attempts::default();
        for n in 0..=ADDRESSES_MAX {
            wrong(&mut attempts, IpAddr::from(u32::try_from(n).unwrap().to_be_bytes()));
            tokio::time::advance(Duration::from_micros(1)).await;
        }
        assert_eq!(attempts.by_address.len(), ADDRESSES_MAX);
        assert!(!attempts.by_address.contains_key(&address("0.0.0.0")));
    }
}
