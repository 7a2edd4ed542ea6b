//! Whom voice mail is to be asked for, one after the other: a start, or the return of a server, is no
//! storm.

use std::collections::BTreeMap;
use std::time::Duration;

use umbel_sip_message::AddressOfRecord;
use umbel_time::Instant;

/// SUBSCRIBEs to voice mail in a second. So 2,500 users are asked for within the five seconds of REL-40,
/// and 200,000 within seven minutes.
pub(crate) const SUBSCRIBES_PER_SECOND: u32 = 500;
/// SUBSCRIBEs that await their answers at once: a slow server sets the pace.
pub(crate) const UNANSWERED_MAX: usize = 200;
/// How far the pace may be made up for after a pause.
const BURST: Duration = Duration::from_millis(20);

/// Users in the order in which they are asked for, each once. Its bound is that of the mailboxes.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeMap<i64, AddressOfRecord>,
    places: BTreeMap<AddressOfRecord, i64>,
    /// When the next one may leave.
    next: Instant,
    unanswered: usize,
}

impl Queue {
    /// Adds a user at the end.
    pub(crate) fn push(&mut self, address: &AddressOfRecord) {
        let place = self.waiting.last_key_value().map_or(0, |(last, _)| last + 1);
        self.put(address, place);
    }

    /// Adds a user whose telephone waits for it, or who was taken out too early, at the head.
    pub(crate) fn push_first(&mut self, address: &AddressOfRecord) {
        let place = self.waiting.first_key_value().map_or(0, |(first, _)| first - 1);
        self.put(address, place);
    }

    fn put(&mut self, address: &AddressOfRecord, place: i64) {
        if !self.places.contains_key(address) {
            self.waiting.insert(place, address.clone());
            self.places.insert(address.clone(), place);
        }
    }

    /// Nobody asks for this user any more.
    pub(crate) fn remove(&mut self, address: &AddressOfRecord) {
        if let Some(place) = self.places.remove(address) {
            self.waiting.remove(&place);
        }
    }

    /// Takes out the next one; none where it is too early, or too many answers are awaited.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<AddressOfRecord> {
        if now < self.next || self.unanswered >= UNANSWERED_MAX {
            return None;
        }
        let (_, address) = self.waiting.pop_first()?;
        self.places.remove(&address);
        Some(address)
    }

    /// One was asked for.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.unanswered += 1;
        let earliest = Instant::ZERO + now.since(Instant::ZERO + BURST);
        self.next = self.next.max(earliest) + Duration::from_secs(1) / SUBSCRIBES_PER_SECOND;
    }

    /// One was answered, or will not be.
    pub(crate) fn answered(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// When [`Queue::pop`] may give one; none where only an answer can make it so, or nobody waits.
    pub(crate) fn next(&self) -> Option<Instant> {
        (!self.waiting.is_empty() && self.unanswered < UNANSWERED_MAX).then_some(self.next)
    }

    /// Whether nobody waits, and nothing is awaited.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.places.is_empty() && self.unanswered == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn user(number: usize) -> AddressOfRecord {
        AddressOfRecord::new(&number.to_string(), "example.test").unwrap()
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(1_000_000 + millis)
    }

    /// REL-40
    #[test]
    fn a_thousand_users_take_two_seconds_and_never_more_than_the_pace_allows() {
        let mut queue = Queue::default();
        (0..1_000).for_each(|number| queue.push(&user(number)));
        let mut in_a_second = Vec::new();
        for millis in 0..2_000 {
            while queue.pop(at(millis)).is_some() {
                queue.sent(at(millis));
                queue.answered();
                in_a_second.push(millis / 1_000);
            }
        }
        let first = in_a_second.iter().filter(|second| **second == 0).count();
        assert_eq!((in_a_second.len(), first), (1_000, 500 + 10));
        assert!(queue.is_empty() && queue.next().is_none());
    }

    #[test]
    fn a_server_that_does_not_answer_is_asked_no_more() {
        let mut queue = Queue::default();
        (0..1_000).for_each(|number| queue.push(&user(number)));
        let mut count = 0;
        for millis in 0..10_000 {
            while queue.pop(at(millis)).is_some() {
                queue.sent(at(millis));
                count += 1;
            }
        }
        assert_eq!((count, queue.next()), (UNANSWERED_MAX, None));
        queue.answered();
        assert_eq!(queue.pop(at(10_000)), Some(user(UNANSWERED_MAX)));
    }

    #[test]
    fn each_user_waits_once_and_who_asks_goes_first() {
        let mut queue = Queue::default();
        queue.push(&user(1));
        queue.push(&user(1));
        queue.push_first(&user(2));
        queue.push_first(&user(1));
        queue.push(&user(3));
        queue.push(&user(4));
        queue.remove(&user(3));
        queue.remove(&user(3));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(at(0))).collect();
        assert_eq!(order, [user(2), user(1), user(4)]);
    }
}
