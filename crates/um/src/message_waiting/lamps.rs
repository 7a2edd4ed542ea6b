//! Lamps that are set without being asked: who is told what, how many at a time, and what happens when a peer is
//! away (9.5: "on failure … for up to five minutes").
//!
//! ```text
//!            ┌──────────── news ───────────┐
//!   news ▶ Queued ─▶ Sending ─told─▶ (gone)│
//!            ▲         │   └─────news──▶ Sending, again ─told─▶ Queued
//!            │         ├─ it failed ─▶ Waiting ─ its pause is over ─▶ Queued
//!            └─────────┴─ the peer is away: all of its lamps rest, and one at a time tries it
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use umbel_sip_message::StatusCode;
use umbel_store::{Address, Counts, MailboxChange};
use umbel_time::Instant;
use umbel_ua::Outcome;

use crate::config::Notified;

/// NOTIFYs that one peer has not answered yet.
const PEER_IN_FLIGHT_MAX: usize = 32;
/// NOTIFYs to all peers that are not answered yet; below what the user agent has room for.
const IN_FLIGHT_MAX: usize = 256;
/// Lamps that wait to be set, of all peers. A further one is not queued; its peer gets all lamps once it is through
/// with these.
const LAMPS_MAX: usize = 20_000;
/// After a failure, so long until the next try; twice as long after each further one.
const RETRY_FIRST: Duration = Duration::from_secs(2);
/// The longest pause between two tries.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// 9.5: "for up to five minutes".
const GIVE_UP_AFTER: Duration = Duration::from_secs(5 * 60);

/// A peer; numbers are not used twice, so that late answers are nobody's.
pub(super) type PeerNumber = u64;

/// All peers that are told of every change.
#[derive(Debug, Default)]
pub(super) struct Lamps {
    peers: BTreeMap<PeerNumber, Peer>,
    last_peer: PeerNumber,
    in_flight: usize,
    /// Lamps that are not as they should be, of all peers.
    waiting: usize,
    /// Notifications that were answered as expected, and those that were not.
    pub(super) told: u64,
    pub(super) failed: u64,
}

#[derive(Debug)]
struct Peer {
    notified: Notified,
    lamps: BTreeMap<Address, Lamp>,
    queue: VecDeque<Address>,
    /// Those whose own pause is not over, by its end.
    paused: BTreeSet<(Instant, Address)>,
    in_flight: usize,
    away: Option<Away>,
    /// Something was given up: when the peer is back, all lamps are set anew.
    has_lost: bool,
}

/// A peer that does not answer.
#[derive(Clone, Copy, Debug)]
struct Away {
    since: Instant,
    failures: u32,
    /// No try before this.
    until: Instant,
}

/// A lamp that is not as it should be, or not known to be.
#[derive(Debug)]
struct Lamp {
    news: News,
    state: State,
    failures: u32,
    /// Since when it cannot be set.
    failing: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Queued,
    Sending {
        /// Something newer came meanwhile.
        again: bool,
    },
    Paused(Instant),
}

/// What a lamp is to show, and on which telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) extension: Option<String>,
    pub(super) counts: Counts,
}

/// One notification that is to be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) peer: PeerNumber,
    pub(super) notified: Notified,
    pub(super) mailbox: Address,
    pub(super) news: News,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It was taken; or nobody is there to take it (480), and whoever comes asks.
    Told,
    /// It will never be taken.
    Refused,
    /// Not now.
    LampFails,
    /// The peer itself takes nothing now.
    PeerFails(Option<Duration>),
}

impl Lamps {
    /// Tells these peers from now on. Those that stay keep what is under way. Says whether any is new: it has not
    /// been told anything.
    pub(super) fn set_peers(&mut self, notified: &[Notified]) -> bool {
        let gone: Vec<PeerNumber> = self
            .peers
            .iter()
            .filter(|(_, peer)| !notified.contains(&peer.notified))
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            if let Some(peer) = self.peers.remove(&number) {
                self.in_flight -= peer.in_flight;
                self.waiting -= peer.lamps.len();
            }
        }
        let mut is_new = false;
        for notified in notified {
            if !self.peers.values().any(|peer| peer.notified == *notified) {
                self.last_peer += 1;
                self.peers.insert(self.last_peer, Peer::new(notified.clone()));
                is_new = true;
            }
        }
        is_new
    }

    /// Whether anybody is told.
    pub(super) fn has_peers(&self) -> bool {
        !self.peers.is_empty()
    }

    /// How many lamps are not as they should be.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether all lamps are as they should be.
    pub(super) fn is_at_rest(&self) -> bool {
        self.waiting == 0
    }

    /// Whether there is room for a page of a walk: those who have news come first.
    pub(super) fn has_room(&self) -> bool {
        self.waiting < LAMPS_MAX / 2
    }

    /// Lamps to be set.
    pub(super) fn tell(&mut self, change: &MailboxChange) {
        for peer in self.peers.values_mut() {
            // A gateway knows telephones by their numbers.
            if matches!(peer.notified, Notified::Gateway(_)) && change.extension.is_none() {
                continue;
            }
            let news = News { extension: change.extension.clone(), counts: change.counts };
            if let Some(lamp) = peer.lamps.get_mut(&change.address) {
                lamp.news = news;
                // The newest state wins, and has its own five minutes.
                lamp.failing = None;
                if let State::Sending { again } = &mut lamp.state {
                    *again = true;
                }
            } else if self.waiting < LAMPS_MAX {
                let lamp = Lamp { news, state: State::Queued, failures: 0, failing: None };
                peer.lamps.insert(change.address.clone(), lamp);
                peer.queue.push_back(change.address.clone());
                self.waiting += 1;
            } else {
                peer.has_lost = true;
            }
        }
    }

    /// The next notification, as far as they may be sent now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Notice> {
        if self.in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        for (number, peer) in &mut self.peers {
            peer.wake(now);
            if !peer.may_send(now) {
                continue;
            }
            let Some(mailbox) = peer.queue.pop_front() else { continue };
            let Some(lamp) = peer.lamps.get_mut(&mailbox) else { continue };
            lamp.state = State::Sending { again: false };
            let (news, notified) = (lamp.news.clone(), peer.notified.clone());
            peer.in_flight += 1;
            self.in_flight += 1;
            return Some(Notice { peer: *number, notified, mailbox, news });
        }
        None
    }

    /// What became of a notification. Says whether all lamps have to be set anew: a peer is back that has missed
    /// something.
    pub(super) fn completed(
        &mut self,
        now: Instant,
        number: PeerNumber,
        mailbox: &Address,
        outcome: &Outcome,
    ) -> bool {
        let Some(peer) = self.peers.get_mut(&number) else { return false };
        peer.in_flight -= 1;
        self.in_flight -= 1;
        let verdict = verdict(outcome);
        match verdict {
            Verdict::Told => self.told += 1,
            Verdict::Refused | Verdict::LampFails | Verdict::PeerFails(_) => self.failed += 1,
        }
        let before = peer.lamps.len();
        match verdict {
            Verdict::Told | Verdict::Refused => peer.settled(mailbox),
            Verdict::LampFails => peer.lamp_fails(now, mailbox),
            Verdict::PeerFails(wait) => peer.fails(now, mailbox, wait),
        }
        self.waiting -= before - peer.lamps.len();
        if !matches!(verdict, Verdict::PeerFails(_)) {
            // Somebody is there.
            peer.away = None;
        }
        let is_through = peer.away.is_none() && peer.queue.is_empty();
        is_through && std::mem::take(&mut peer.has_lost)
    }

    /// The notification that was given last cannot be written down: nobody can be told.
    pub(super) fn unwritable(&mut self, number: PeerNumber, mailbox: &Address) {
        let Some(peer) = self.peers.get_mut(&number) else { return };
        peer.in_flight -= 1;
        self.in_flight -= 1;
        self.failed += 1;
        self.waiting -= usize::from(peer.lamps.remove(mailbox).is_some());
    }

    /// When [`Lamps::next`] may give something that it does not give now.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.peers.values().filter_map(Peer::poll_timeout).min()
    }
}

impl Peer {
    fn new(notified: Notified) -> Peer {
        Peer {
            notified,
            lamps: BTreeMap::new(),
            queue: VecDeque::new(),
            paused: BTreeSet::new(),
            in_flight: 0,
            away: None,
            has_lost: false,
        }
    }

    fn may_send(&self, now: Instant) -> bool {
        match self.away {
            None => self.in_flight < PEER_IN_FLIGHT_MAX,
            Some(away) => self.in_flight == 0 && away.until <= now,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let paused = self.paused.first().map(|(until, _)| *until);
        let away = self.away.filter(|_| self.in_flight == 0 && !self.queue.is_empty()).map(|away| away.until);
        paused.into_iter().chain(away).min()
    }

    /// Lamps whose pause is over are queued.
    fn wake(&mut self, now: Instant) {
        while let Some((until, mailbox)) = self.paused.pop_first() {
            if until > now {
                self.paused.insert((until, mailbox));
                break;
            }
            if let Some(lamp) = self.lamps.get_mut(&mailbox) {
                lamp.state = State::Queued;
                self.queue.push_back(mailbox);
            }
        }
    }

    /// A lamp is as it should be, or cannot be set for good; unless something came meanwhile.
    fn settled(&mut self, mailbox: &Address) {
        let Some(lamp) = self.lamps.get_mut(mailbox) else { return };
        if lamp.state == (State::Sending { again: true }) {
            (lamp.state, lamp.failures, lamp.failing) = (State::Queued, 0, None);
            self.queue.push_back(mailbox.clone());
        } else {
            self.lamps.remove(mailbox);
        }
    }

    /// One lamp cannot be set now: it is tried again, for five minutes.
    fn lamp_fails(&mut self, now: Instant, mailbox: &Address) {
        let Some(lamp) = self.lamps.get_mut(mailbox) else { return };
        let since = *lamp.failing.get_or_insert(now);
        if now.since(since) >= GIVE_UP_AFTER {
            self.lamps.remove(mailbox);
            self.has_lost = true;
            return;
        }
        lamp.failures = lamp.failures.saturating_add(1);
        let until = now + pause(lamp.failures);
        lamp.state = State::Paused(until);
        self.paused.insert((until, mailbox.clone()));
    }

    /// The peer takes nothing: all of its lamps wait, and after five minutes are given up until it is back.
    fn fails(&mut self, now: Instant, mailbox: &Address, wait: Option<Duration>) {
        if let Some(lamp) = self.lamps.get_mut(mailbox) {
            lamp.state = State::Queued;
            self.queue.push_front(mailbox.clone());
        }
        match self.away {
            // Others were under way when the first one failed.
            Some(away) if now < away.until => {}
            Some(away) if now.since(away.since) >= GIVE_UP_AFTER => {
                self.give_up();
                // What comes from now on has its own five minutes.
                self.away = Some(Away { since: now, until: now + RETRY_MAX, ..away });
            }
            away => {
                let failures = away.map_or(0, |away| away.failures).saturating_add(1);
                let wait = pause(failures).max(wait.unwrap_or_default().min(RETRY_MAX));
                let since = away.map_or(now, |away| away.since);
                self.away = Some(Away { since, failures, until: now + wait });
            }
        }
    }

    fn give_up(&mut self) {
        self.queue.clear();
        self.paused.clear();
        self.lamps.retain(|_, lamp| matches!(lamp.state, State::Sending { .. }));
        self.has_lost = true;
    }
}

/// The pause after so many failures.
fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    RETRY_FIRST.saturating_mul(1 << doublings).min(RETRY_MAX)
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Final(response) => {
            let status = response.status();
            let retry_after = response.headers().retry_after().ok().flatten();
            match status {
                _ if status.is_success() => Verdict::Told,
                // 9.5: "200 and 480 are normal answers".
                StatusCode::TEMPORARILY_UNAVAILABLE => Verdict::Told,
                StatusCode::SERVICE_UNAVAILABLE => {
                    Verdict::PeerFails(retry_after.map(|retry| Duration::from_secs(retry.seconds.into())))
                }
                StatusCode::REQUEST_TIMEOUT
                | StatusCode::SERVER_INTERNAL_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVER_TIME_OUT => Verdict::LampFails,
                _ => Verdict::Refused,
            }
        }
        // Too many requests of ours are under way: that is nobody's fault but ours.
        Outcome::Abandoned => Verdict::LampFails,
        Outcome::NoResponse | Outcome::TransportFailed => Verdict::PeerFails(None),
    }
}

#[cfg(test)]
#[path = "lamps_tests.rs"]
mod tests;
