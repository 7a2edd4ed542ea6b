//! Packets that came before their turn.

use std::time::Duration;

use arrayvec::ArrayVec;
use umbel_time::Instant;

/// What a packet is to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sound in the codec of the call.
    Sound,
    /// RFC 3389: the peer says that there is none.
    Comfort,
    /// A key, which takes a sequence number and no place in time.
    Key,
}

/// A packet, as far as a recording cares.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) at: Instant,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
}

/// A packet that waits.
pub(crate) struct Waiting {
    pub(crate) at: Instant,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

impl Waiting {
    pub(crate) fn arrival(&self) -> Arrival<'_> {
        let Waiting { at, sequence, timestamp, kind, ref payload } = *self;
        Arrival { at, sequence, timestamp, kind, payload }
    }
}

/// The waiting ones, in order. When there is no room, or the first has waited long enough, those before it
/// are given up.
#[derive(Default)]
pub(crate) struct Early {
    waiting: ArrayVec<Waiting, { Early::MAX }>,
    /// Emptied, to be filled again.
    spare: ArrayVec<Vec<u8>, { Early::MAX }>,
}

impl Early {
    /// Most packets that wait.
    pub(crate) const MAX: usize = 12;
    /// How long one waits for those before it.
    pub(crate) const PATIENCE: Duration = Duration::from_millis(120);

    /// Keeps a packet. False: it waits already, or there is no room.
    pub(crate) fn keep(&mut self, arrival: Arrival<'_>) -> bool {
        if self.waiting.is_full() {
            return false;
        }
        let place = self
            .waiting
            .iter()
            .position(|waiting| !is_before(waiting.sequence, arrival.sequence))
            .unwrap_or(self.waiting.len());
        if self.waiting.get(place).is_some_and(|waiting| waiting.sequence == arrival.sequence) {
            return false;
        }
        let mut payload = self.spare.pop().unwrap_or_default();
        payload.clear();
        payload.extend_from_slice(arrival.payload);
        let Arrival { at, sequence, timestamp, kind, .. } = arrival;
        self.waiting.insert(place, Waiting { at, sequence, timestamp, kind, payload });
        true
    }

    /// Takes the first one, if its turn is `next`.
    pub(crate) fn take(&mut self, next: u16) -> Option<Waiting> {
        let first = self.waiting.first()?;
        // One whose turn is past is taken as well: it cannot happen, and must not block.
        (first.sequence == next || is_before(first.sequence, next)).then(|| self.waiting.remove(0))
    }

    /// Gives the storage of one that was taken back.
    pub(crate) fn give_back(&mut self, waiting: Waiting) {
        // No room: it is freed.
        let _ = self.spare.try_push(waiting.payload);
    }

    /// Whose turn it is when those before the first are given up, if that is due at `now`.
    pub(crate) fn given_up(&self, now: Instant) -> Option<u16> {
        let first = self.waiting.first()?;
        // The longest wait is that of whichever came first, which need not be the first in order.
        let oldest = self.waiting.iter().map(|waiting| waiting.at).min()?;
        (self.waiting.is_full() || now.since(oldest) >= Self::PATIENCE).then_some(first.sequence)
    }

    /// The turn of the first one.
    pub(crate) fn first(&self) -> Option<u16> {
        self.waiting.first().map(|waiting| waiting.sequence)
    }
}

/// Whether `a` is before `b` in a sequence that turns over.
fn is_before(a: u16, b: u16) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn arrival(sequence: u16, millis: u64) -> Arrival<'static> {
        Arrival { at: Instant::from_millis(millis), sequence, timestamp: 0, kind: Kind::Sound, payload: &[1] }
    }

    #[test]
    fn packets_wait_in_order_and_once() {
        let mut early = Early::default();
        assert!(early.keep(arrival(1, 0)));
        assert!(early.keep(arrival(65_535, 0)));
        assert!(early.keep(arrival(0, 0)));
        assert!(!early.keep(arrival(0, 0)));
        assert!(early.take(65_534).is_none());
        let turns: Vec<u16> = [65_535, 0, 1].iter().map(|next| early.take(*next).unwrap().sequence).collect();
        assert_eq!(turns, [65_535, 0, 1]);
    }

    #[test]
    fn those_before_are_given_up_after_a_while_or_when_there_is_no_room() {
        let mut early = Early::default();
        assert!(early.keep(arrival(5, 100)));
        assert_eq!(early.given_up(Instant::from_millis(219)), None);
        assert_eq!(early.given_up(Instant::from_millis(220)), Some(5));

        let mut early = Early::default();
        for sequence in 0..Early::MAX {
            assert_eq!(early.given_up(Instant::ZERO), None);
            assert!(early.keep(arrival(10 + u16::try_from(sequence).unwrap(), 0)));
        }
        assert!(!early.keep(arrival(99, 0)));
        assert_eq!(early.given_up(Instant::ZERO), Some(10));
    }
}
