//! Wrong passwords by network address: twenty a minute, then nobody there is listened to (SEC-103).
//!
//! What asks from this machine may be a proxy that speaks for many, so there it is twenty a minute for each account,
//! and two hundred in all (docs/decisions/0012).

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::time::Instant;
use umbel_store::Address;

/// Wrong passwords of one address within [`WINDOW`]; of one account, where they come from this machine.
const WRONG_MAX: usize = 20;
/// Wrong passwords from this machine for all accounts together within [`WINDOW`].
const WRONG_HERE_MAX: usize = 200;
/// How long a wrong password counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses and accounts that are counted; beyond it the one that was wrong longest ago is forgotten.
const COUNTED_MAX: usize = 10_000;

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

/// What wrong passwords are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Another machine, or the network of one.
    Network(IpAddr),
    /// This machine, for all accounts.
    Here,
    /// This machine, for one account, whether or not there is one of that name (SEC-103).
    HereFor(Address),
}

impl Source {
    const fn wrong_max(&self) -> usize {
        match self {
            Source::Network(_) | Source::HereFor(_) => WRONG_MAX,
            Source::Here => WRONG_HERE_MAX,
        }
    }
}

/// What an attempt counts for.
fn sources(from: IpAddr, account: &Address) -> Vec<Source> {
    let from = counted_as(from);
    match from.is_loopback() {
        true => vec![Source::Here, Source::HereFor(account.clone())],
        false => vec![Source::Network(from)],
    }
}

/// Whoever has one address of version 6 has 2^64 of them.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

/// Attempts by where they come from.
#[derive(Default)]
pub(super) struct Attempts {
    by_source: BTreeMap<Source, Counted>,
}

#[derive(Default)]
struct Counted {
    under_way: usize,
    wrong: VecDeque<Instant>,
}

impl Counted {
    fn admission(&mut self, now: Instant, wrong_max: usize) -> Admission {
        while self.wrong.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.wrong.pop_front();
        }
        if let Some(first) = self.wrong.front().filter(|_| self.wrong.len() >= wrong_max) {
            return Admission::TooMany { again_in: WINDOW.saturating_sub(now.duration_since(*first)) };
        }
        match self.wrong.len() + self.under_way >= wrong_max {
            true => Admission::Wait,
            false => Admission::Go,
        }
    }
}

impl Attempts {
    pub(super) fn begin(&mut self, from: IpAddr, account: &Address) -> Admission {
        let (now, sources) = (Instant::now(), sources(from, account));
        for source in &sources {
            self.make_room(source);
            let counted = self.by_source.entry(source.clone()).or_default();
            let admission = counted.admission(now, source.wrong_max());
            if admission != Admission::Go {
                self.forget_idle(source);
                return admission;
            }
        }
        for source in sources {
            self.by_source.entry(source).or_default().under_way += 1;
        }
        Admission::Go
    }

    pub(super) fn ended(&mut self, from: IpAddr, account: &Address, was_wrong: bool) {
        for source in sources(from, account) {
            let Some(counted) = self.by_source.get_mut(&source) else { continue };
            counted.under_way = counted.under_way.saturating_sub(1);
            if was_wrong {
                counted.wrong.push_back(Instant::now());
            }
            self.forget_idle(&source);
        }
    }

    /// What counts nothing is not kept.
    fn forget_idle(&mut self, source: &Source) {
        if self
            .by_source
            .get(source)
            .is_some_and(|counted| counted.under_way == 0 && counted.wrong.is_empty())
        {
            self.by_source.remove(source);
        }
    }

    /// Where attempts are under way nothing is forgotten; the store's queue bounds those.
    fn make_room(&mut self, source: &Source) {
        if self.by_source.len() < COUNTED_MAX || self.by_source.contains_key(source) {
            return;
        }
        let idle = self.by_source.iter().filter(|(_, counted)| counted.under_way == 0);
        // Who is wrong somewhere is not forgotten for being many: this machine in all stays counted.
        let idle = idle.filter(|(source, _)| **source != Source::Here);
        let oldest =
            idle.min_by_key(|(_, counted)| counted.wrong.back().copied()).map(|(source, _)| source.clone());
        oldest.and_then(|source| self.by_source.remove(&source));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn account(user: &str) -> Address {
        Address::new(user, "example.test").unwrap()
    }

    fn wrong_for(attempts: &mut Attempts, from: IpAddr, user: &str) -> Admission {
        let admission = attempts.begin(from, &account(user));
        if admission == Admission::Go {
            attempts.ended(from, &account(user), true);
        }
        admission
    }

    /// Another account each time, as whoever guesses would.
    fn wrong(attempts: &mut Attempts, from: IpAddr) -> Admission {
        let user =
            format!("user{}", attempts.by_source.values().map(|counted| counted.wrong.len()).sum::<usize>());
        wrong_for(attempts, from, &user)
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

    /// SEC-103, and DEC-6: behind a proxy on this machine a colleague's wrong passwords shut out that colleague alone.
    #[tokio::test(start_paused = true)]
    async fn from_this_machine_each_account_has_a_count_of_its_own() {
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"].map(address) {
            let mut attempts = Attempts::default();
            for _ in 0..WRONG_MAX {
                assert_eq!(wrong_for(&mut attempts, here, "alice"), Admission::Go);
            }
            assert_eq!(wrong_for(&mut attempts, here, "alice"), Admission::TooMany { again_in: WINDOW });
            assert_eq!(wrong_for(&mut attempts, here, "bob"), Admission::Go);
        }
    }

    /// SEC-103: whoever tries one password with everybody's name does not get far.
    #[tokio::test(start_paused = true)]
    async fn from_this_machine_there_are_two_hundred_a_minute_for_all_accounts() {
        let (mut attempts, here) = (Attempts::default(), address("127.0.0.1"));
        for n in 0..WRONG_HERE_MAX {
            assert_eq!(wrong_for(&mut attempts, here, &format!("user{n}")), Admission::Go);
        }
        assert_eq!(wrong_for(&mut attempts, here, "somebody"), Admission::TooMany { again_in: WINDOW });
        assert_eq!(wrong_for(&mut attempts, address("192.0.2.1"), "somebody"), Admission::Go);
        let counted = attempts.by_source.len();
        assert_eq!(counted, WRONG_HERE_MAX + 2, "who is not let try is not counted");
        tokio::time::advance(WINDOW).await;
        assert_eq!(wrong_for(&mut attempts, here, "somebody"), Admission::Go);
    }

    #[tokio::test]
    async fn right_passwords_do_not_count() {
        for from in ["192.0.2.1", "127.0.0.1"].map(address) {
            let mut attempts = Attempts::default();
            for _ in 0..2 * WRONG_HERE_MAX {
                assert_eq!(attempts.begin(from, &account("alice")), Admission::Go);
                attempts.ended(from, &account("alice"), false);
            }
            assert!(attempts.by_source.is_empty());
        }
    }

    #[tokio::test]
    async fn guesses_at_once_get_no_more_than_their_due() {
        for from in ["192.0.2.1", "127.0.0.1"].map(address) {
            let (mut attempts, alice) = (Attempts::default(), account("alice"));
            for _ in 0..WRONG_MAX {
                assert_eq!(attempts.begin(from, &alice), Admission::Go);
            }
            assert_eq!(attempts.begin(from, &alice), Admission::Wait);
            attempts.ended(from, &alice, false);
            assert_eq!(attempts.begin(from, &alice), Admission::Go);
            attempts.ended(from, &alice, true);
            assert_eq!(attempts.begin(from, &alice), Admission::Wait);
        }
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
        wrong_for(&mut attempts, address("127.0.0.1"), "alice");
        for n in 0..=COUNTED_MAX {
            tokio::time::advance(Duration::from_micros(1)).await;
            wrong_for(&mut attempts, IpAddr::from(u32::try_from(n).unwrap().to_be_bytes()), "alice");
        }
        assert_eq!(attempts.by_source.len(), COUNTED_MAX);
        assert!(!attempts.by_source.contains_key(&Source::Network(address("0.0.0.0"))));
        assert!(attempts.by_source.contains_key(&Source::Here));
    }
}
