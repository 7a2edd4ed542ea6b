//! Timers with names, kept in the order in which they fire.

use std::collections::{BTreeMap, BTreeSet};

use crate::Instant;

/// A table of named timers; each name is armed at most once.
///
/// The owner of many small machines keeps one of these, turns their durations into deadlines with
/// the `now` it was handed, and asks [`Timers::expired`] when woken.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    deadline_of: BTreeMap<K, Instant>,
    by_deadline: BTreeSet<(Instant, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers { deadline_of: BTreeMap::new(), by_deadline: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// A table with nothing armed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Arms `name` to fire at `deadline`, in place of any earlier arming.
    pub fn arm(&mut self, name: K, deadline: Instant) {
        if let Some(old) = self.deadline_of.insert(name.clone(), deadline) {
            self.by_deadline.remove(&(old, name.clone()));
        }
        self.by_deadline.insert((deadline, name));
    }

    /// Disarms `name`; says whether it had been armed.
    pub fn disarm(&mut self, name: &K) -> bool {
        let Some(deadline) = self.deadline_of.remove(name) else { return false };
        self.by_deadline.remove(&(deadline, name.clone()))
    }

    /// The deadline of `name`, if armed.
    pub fn deadline(&self, name: &K) -> Option<Instant> {
        self.deadline_of.get(name).copied()
    }

    /// When the next timer fires.
    pub fn next(&self) -> Option<Instant> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the earliest timer that is due at `now`. Call until it gives `None`.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, name) = self.by_deadline.pop_first()?;
        self.deadline_of.remove(&name);
        Some(name)
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        self.deadline_of.len()
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.deadline_of.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn timers_fire_in_the_order_of_their_deadlines() {
        let mut timers = Timers::new();
        timers.arm("late", at(20));
        timers.arm("early", at(10));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.expired(at(9)), None);
        assert_eq!(timers.expired(at(30)), Some("early"));
        assert_eq!(timers.expired(at(30)), Some("late"));
        assert_eq!(timers.expired(at(30)), None);
        assert!(timers.is_empty());
    }

    #[test]
    fn arming_again_moves_the_deadline() {
        let mut timers = Timers::new();
        timers.arm("b", at(10));
        timers.arm("b", at(50));
        assert_eq!(timers.len(), 1);
        assert_eq!(timers.expired(at(49)), None);
        assert_eq!(timers.expired(at(50)), Some("b"));
    }

    #[test]
    fn a_disarmed_timer_does_not_fire() {
        let mut timers = Timers::new();
        timers.arm(1, at(10));
        assert!(timers.disarm(&1));
        assert!(!timers.disarm(&1));
        assert_eq!(timers.next(), None);
        assert_eq!(timers.expired(at(99)), None);
    }
}
