//! SEC-34: has a trusted peer turned hostile?

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use umbel_store::Address;
use umbel_time::Instant;

/// More mailboxes than these, opened without a PIN by one peer within [`WINDOW`], are an alarm.
const MAILBOXES_MAX: usize = 20;
/// How far back is looked.
const WINDOW: Duration = Duration::from_secs(60);
/// Openings of one peer that are remembered; beyond it the oldest is forgotten, which at that rate has
/// long been an alarm.
const OPENINGS_MAX: usize = 1_024;

/// Mailboxes opened without a PIN, by the peer that vouched for the caller.
#[derive(Debug, Default)]
pub(crate) struct SkipWatch {
    peers: BTreeMap<String, Openings>,
}

#[derive(Debug, Default)]
struct Openings {
    latest: VecDeque<(Instant, Address)>,
    /// No second alarm before this.
    quiet_until: Option<Instant>,
}

impl SkipWatch {
    /// A mailbox was opened. Gives the number of mailboxes when it is time for an alarm.
    pub(crate) fn opened(&mut self, now: Instant, peer: &str, mailbox: &Address) -> Option<usize> {
        self.peers.retain(|_, openings| {
            openings.latest.retain(|(at, _)| now.since(*at) < WINDOW);
            !openings.latest.is_empty()
        });
        let openings = self.peers.entry(peer.to_owned()).or_default();
        if openings.latest.len() == OPENINGS_MAX {
            openings.latest.pop_front();
        }
        openings.latest.push_back((now, mailbox.clone()));
        let mailboxes: BTreeSet<&Address> = openings.latest.iter().map(|(_, mailbox)| mailbox).collect();
        let is_quiet = openings.quiet_until.is_some_and(|until| now < until);
        if mailboxes.len() <= MAILBOXES_MAX || is_quiet {
            return None;
        }
        let count = mailboxes.len();
        openings.quiet_until = Some(now + WINDOW);
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn mailbox(number: usize) -> Address {
        format!("user{number}@example.test").parse().unwrap()
    }

    /// SEC-34: more than 20 mailboxes a minute.
    #[test]
    fn the_twenty_first_mailbox_within_a_minute_is_an_alarm_and_the_next_minute_another() {
        let mut watch = SkipWatch::default();
        let at = |second: u64| Instant::from_millis(second * 1_000);
        for number in 0..20 {
            assert_eq!(watch.opened(at(1), "proxy", &mailbox(number)), None);
        }
        assert_eq!(watch.opened(at(2), "other", &mailbox(20)), None);
        assert_eq!(watch.opened(at(2), "proxy", &mailbox(3)), None);
        assert_eq!(watch.opened(at(3), "proxy", &mailbox(20)), Some(21));
        assert_eq!(watch.opened(at(3), "proxy", &mailbox(21)), None);
        for number in 0..20 {
            assert_eq!(watch.opened(at(70), "proxy", &mailbox(number)), None);
        }
        assert_eq!(watch.opened(at(71), "proxy", &mailbox(20)), Some(21));
    }

    #[test]
    fn the_same_mailboxes_over_more_than_a_minute_are_none() {
        let mut watch = SkipWatch::default();
        for number in 0..60_u64 {
            let at = Instant::from_millis(number * 4_000);
            assert_eq!(watch.opened(at, "proxy", &mailbox(usize::try_from(number).unwrap())), None);
        }
    }
}
