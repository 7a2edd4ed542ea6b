//! Users as the store has told of them, for as long as that may be believed (DEC-5): so that not every call and
//! every password waits for the store.
//!
//! The store counts the changes of its users. As long as its count is the one that was known before a user was
//! asked for, the answer holds; whoever owns a [`KnownUsers`] asks for the count when [`KnownUsers::wants_count`]
//! says so, which is when users are looked up and not otherwise.
//!
//! ```text
//!   count asked    count told: 7         user asked      user told             count told: 7 ... told: 8
//!   ────┼───────────────┼─────────────────────┼───────────────┼────────────────────────┼──────────────┼──▶
//!                       └ from here on answers may be kept ───┴ believed for a second ─┴ another one ─┘ all
//!                                                               from each such question                 forgotten
//! ```
//!
//! An answer is kept only where the count was known when its question was asked, and nothing has been forgotten
//! since: it may be older than the change that made us forget. What is not known is asked of the store, and so
//! is everything when the store is away or slow: nothing is believed for longer than [`BELIEVED`].
//!
//! Only what is there is kept. That there is no user, and that a password is wrong, the store says itself each
//! time: nobody is refused by memory, and nobody learns from how long it takes who exists (SEC-48).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use umbel_sip_message::AddressOfRecord;
use umbel_store::{Address, DigestHashes, Ticket, User};
use umbel_time::Instant;

/// DEC-5: how long after a change by another process a user may be taken for what he was.
pub(crate) const BELIEVED: Duration = Duration::from_secs(1);
/// How often the count is asked for while users are looked up.
const COUNTED_EVERY: Duration = Duration::from_millis(250);
/// Users that are known by a name; for one more, another is forgotten.
const USERS_MAX: usize = 20_000;
/// Password hashes that are known; for one more, another is forgotten.
const HASHES_MAX: usize = 50_000;

/// What is known.
#[derive(Debug)]
pub(crate) struct KnownUsers {
    /// By the name that they were asked for by, an extension or another name perhaps.
    users: Known<AddressOfRecord, Arc<User>>,
    hashes: Known<Address, DigestHashes>,
    era: Era,
    /// The store's count, and when it was asked for the last time that it said so.
    counted: Option<(u64, Instant)>,
    /// The question under way, and since when.
    asked: Option<(Ticket, Instant)>,
}

/// Between two times that all was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Era(u64);

/// That an answer may be kept: the count was known when its question was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keepable(Era);

impl Default for KnownUsers {
    fn default() -> Self {
        KnownUsers {
            users: Known::new(USERS_MAX),
            hashes: Known::new(HASHES_MAX),
            era: Era::default(),
            counted: None,
            asked: None,
        }
    }
}

impl KnownUsers {
    /// The user of this name, if he is known.
    pub(crate) fn user(&self, now: Instant, name: &AddressOfRecord) -> Option<Arc<User>> {
        self.users.map.get(name).filter(|_| self.is_believed(now)).cloned()
    }

    /// The hashes of this user's password, if they are known.
    pub(crate) fn hashes(&self, now: Instant, address: &Address) -> Option<&DigestHashes> {
        self.hashes.map.get(address).filter(|_| self.is_believed(now))
    }

    /// Whether the answer to a question that is asked now may be kept.
    pub(crate) fn keepable(&self) -> Option<Keepable> {
        self.counted.map(|_| Keepable(self.era))
    }

    /// The store has told of a user.
    pub(crate) fn learn_user(&mut self, keepable: Option<Keepable>, name: AddressOfRecord, user: &Arc<User>) {
        if keepable == Some(Keepable(self.era)) {
            self.users.learn(name, Arc::clone(user));
        }
    }

    /// The store has told of a password.
    pub(crate) fn learn_hashes(
        &mut self,
        keepable: Option<Keepable>,
        address: &Address,
        hashes: &DigestHashes,
    ) {
        if keepable == Some(Keepable(self.era)) {
            self.hashes.learn(address.clone(), hashes.clone());
        }
    }

    /// Somebody is looked up: whether the store is to be asked for its count as well.
    pub(crate) fn wants_count(&self, now: Instant) -> bool {
        let is_due = |since: Instant, after: Duration| now.since(since) >= after;
        match (self.asked, self.counted) {
            // An answer that does not come is none.
            (Some((_, since)), _) => is_due(since, BELIEVED),
            (None, Some((_, asked))) => is_due(asked, COUNTED_EVERY),
            (None, None) => true,
        }
    }

    /// The store was asked for its count.
    pub(crate) fn count_asked(&mut self, now: Instant, ticket: Ticket) {
        self.asked = Some((ticket, now));
    }

    /// The store has answered; `None`: it does not know. Says whether this was the question for its count.
    pub(crate) fn count_told(&mut self, ticket: Ticket, count: Option<u64>) -> bool {
        let Some((_, since)) = self.asked.filter(|(asked, _)| *asked == ticket) else { return false };
        self.asked = None;
        let Some(count) = count else { return true };
        if self.counted.is_some_and(|(known, _)| known != count) {
            self.forget();
        }
        self.counted = Some((count, since));
        true
    }

    /// Users have changed: nothing that was said before counts.
    pub(crate) fn forget(&mut self) {
        self.era = Era(self.era.0 + 1);
        self.users.map.clear();
        self.hashes.map.clear();
        self.counted = None;
        self.asked = None;
    }

    fn is_believed(&self, now: Instant) -> bool {
        self.counted.is_some_and(|(_, asked)| now.since(asked) < BELIEVED)
    }
}

/// A bounded memory.
#[derive(Debug)]
struct Known<K, V> {
    map: BTreeMap<K, V>,
    max: usize,
}

impl<K: Ord + Clone, V> Known<K, V> {
    fn new(max: usize) -> Self {
        Known { map: BTreeMap::new(), max }
    }

    /// Where there is no room, the neighbour before this one is forgotten: any, as far as calls go, and the one
    /// that was last asked for where all are asked for in their order.
    fn learn(&mut self, key: K, value: V) {
        if self.map.len() >= self.max && !self.map.contains_key(&key) {
            let before = self.map.range((Bound::Unbounded, Bound::Excluded(&key))).next_back();
            let leaves = before.or_else(|| self.map.last_key_value()).map(|(key, _)| key.clone());
            leaves.and_then(|leaves| self.map.remove(&leaves));
        }
        self.map.insert(key, value);
    }
}

#[cfg(test)]
#[path = "known_users_tests.rs"]
mod tests;
