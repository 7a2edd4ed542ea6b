//! The orders of one worker, and the place where it sleeps.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bounded queue that one thread empties.
pub(super) struct Inbox<T> {
    waiting: Mutex<VecDeque<T>>,
    arrived: Condvar,
}

impl<T> Inbox<T> {
    /// Most orders that wait for a worker: at a thousand calls, four each.
    pub(super) const WAITING_MAX: usize = 4_096;

    pub(super) fn new() -> Self {
        Inbox { waiting: Mutex::new(VecDeque::new()), arrived: Condvar::new() }
    }

    /// Adds an item if there is room.
    pub(super) fn offer(&self, item: T) -> Result<(), T> {
        let mut waiting = self.lock();
        if waiting.len() >= Self::WAITING_MAX {
            return Err(item);
        }
        waiting.push_back(item);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Adds one of the few that have to get through: there are no more of them than calls.
    pub(super) fn must_take(&self, item: T) {
        self.lock().push_back(item);
        self.arrived.notify_one();
    }

    /// Waits for an item, for no longer than `patience`; none: for as long as it takes.
    pub(super) fn wait(&self, patience: Option<Duration>) {
        let waiting = self.lock();
        match patience {
            None => drop(self.arrived.wait_while(waiting, |waiting| waiting.is_empty())),
            Some(patience) => {
                drop(self.arrived.wait_timeout_while(waiting, patience, |waiting| waiting.is_empty()));
            }
        }
    }

    /// Takes everything that waits, in exchange for an empty queue.
    pub(super) fn take(&self, taken: &mut VecDeque<T>) {
        let mut waiting = self.lock();
        if !waiting.is_empty() {
            std::mem::swap(&mut *waiting, taken);
        }
    }

    /// A queue is whole after every statement, whoever panicked.
    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_for_orders_and_not_for_ends() {
        let inbox = Inbox::new();
        for n in 0..Inbox::<usize>::WAITING_MAX {
            assert!(inbox.offer(n).is_ok());
        }
        assert_eq!(inbox.offer(7), Err(7));
        inbox.must_take(8);
        let mut taken = VecDeque::new();
        inbox.take(&mut taken);
        assert_eq!(taken.len(), Inbox::<usize>::WAITING_MAX + 1);
        assert!(inbox.offer(9).is_ok());
    }

    #[test]
    fn nobody_waits_for_what_is_there() {
        let inbox = Inbox::new();
        assert!(inbox.offer(1).is_ok());
        inbox.wait(None);
        inbox.take(&mut VecDeque::new());
        inbox.wait(Some(Duration::from_millis(1)));
    }
}
