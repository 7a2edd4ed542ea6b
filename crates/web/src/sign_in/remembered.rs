//! Right passwords, remembered for a while so that not every request costs Argon2 (DEC-34).

use std::collections::BTreeMap;
use std::time::Duration;

use ring::hmac;
use tokio::time::Instant;
use umbel_store::{Address, Password, SecretsMark};

/// How long a right password is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);
/// Passwords that are remembered; beyond it the one that would be forgotten first is.
const REMEMBERED_MAX: usize = 10_000;

/// What is kept of an address and its password: of no use without the key, which nobody ever sees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag([u8; 32]);

/// Right passwords as tags, and which secrets were in force.
pub(super) struct Remembered {
    key: hmac::Key,
    right: BTreeMap<Tag, (SecretsMark, Instant)>,
}

impl Remembered {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Remembered { key: hmac::Key::new(hmac::HMAC_SHA256, &key), right: BTreeMap::new() }
    }

    pub(super) fn tag(&self, address: &Address, password: &Password) -> Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(address.as_str().as_bytes());
        // No address has a control character, so that no two pairs are the same octets.
        context.update(&[0]);
        context.update(password.reveal().as_bytes());
        let mut tag = Tag([0; 32]);
        tag.0.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether this was right a while ago, and no secret was set since.
    pub(super) fn holds(&mut self, tag: Tag, secrets: SecretsMark) -> bool {
        let Some((then, until)) = self.right.get(&tag) else { return false };
        if *then == secrets && Instant::now() < *until {
            return true;
        }
        self.right.remove(&tag);
        false
    }

    pub(super) fn remember(&mut self, tag: Tag, secrets: SecretsMark) {
        let now = Instant::now();
        if self.right.len() >= REMEMBERED_MAX && !self.right.contains_key(&tag) {
            self.right.retain(|_, (_, until)| now < *until);
        }
        if self.right.len() >= REMEMBERED_MAX && !self.right.contains_key(&tag) {
            let first = self.right.iter().min_by_key(|(_, (_, until))| *until).map(|(tag, _)| *tag);
            first.and_then(|tag| self.right.remove(&tag));
        }
        self.right.insert(tag, (secrets, now + REMEMBERED_FOR));
    }

    /// It is no longer so: the mailbox is locked or disabled.
    pub(super) fn forget(&mut self, tag: Tag) {
        self.right.remove(&tag);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOW: SecretsMark = SecretsMark { pin: 1, password: 2 };

    fn remembered() -> Remembered {
        Remembered::new([7; 32])
    }

    fn tag(remembered: &Remembered, user: &str, password: &str) -> Tag {
        remembered.tag(&Address::new(user, "example.test").unwrap(), &Password::new(password).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_password_is_remembered_for_five_minutes() {
        let mut remembered = remembered();
        let alice = tag(&remembered, "alice", "secret");
        assert!(!remembered.holds(alice, NOW));
        remembered.remember(alice, NOW);
        assert!(remembered.holds(alice, NOW));
        assert!(!remembered.holds(tag(&remembered, "alice", "secret2"), NOW));
        assert!(!remembered.holds(tag(&remembered, "bob", "secret"), NOW));
        tokio::time::advance(REMEMBERED_FOR - Duration::from_millis(1)).await;
        assert!(remembered.holds(alice, NOW));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!remembered.holds(alice, NOW));
        assert!(remembered.right.is_empty());
    }

    #[tokio::test]
    async fn a_secret_that_is_set_ends_it() {
        let mut remembered = remembered();
        let alice = tag(&remembered, "alice", "secret");
        for later in [SecretsMark { password: 3, ..NOW }, SecretsMark { pin: 3, ..NOW }] {
            remembered.remember(alice, NOW);
            assert!(!remembered.holds(alice, later));
            assert!(!remembered.holds(alice, NOW), "and it does not come back");
        }
        remembered.remember(alice, NOW);
        remembered.forget(alice);
        assert!(!remembered.holds(alice, NOW));
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded_and_forgets_the_oldest() {
        let mut remembered = remembered();
        let nth = |n: usize| Tag(std::array::from_fn(|at| n.to_be_bytes().get(at).copied().unwrap_or(0)));
        for n in 0..REMEMBERED_MAX {
            remembered.remember(nth(n), NOW);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        remembered.remember(nth(5), NOW);
        assert!(remembered.holds(nth(0), NOW), "one that is there takes no further place");
        remembered.remember(nth(REMEMBERED_MAX), NOW);
        assert_eq!(remembered.right.len(), REMEMBERED_MAX);
        assert!(!remembered.holds(nth(0), NOW) && remembered.holds(nth(1), NOW));
        assert!(remembered.holds(nth(REMEMBERED_MAX), NOW));
    }
}
