//! The one queue from a thread's connections to its event loop; its order is the order of events.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use umbel_node::Input;

use crate::limits::ARRIVALS_MAX;

/// What a connection can bring; orders come from elsewhere.
pub(super) type Arrival = Input<Infallible>;

/// The queue. Messages wait outside when it is full, in connections that are not read meanwhile;
/// news about connections always get in, at most a few for each.
#[derive(Default)]
pub(super) struct Arrivals {
    queue: RefCell<VecDeque<Arrival>>,
    came: Notify,
    room: Notify,
}

impl Arrivals {
    pub(super) fn push(&self, arrival: Arrival) {
        self.queue.borrow_mut().push_back(arrival);
        self.came.notify_one();
    }

    pub(super) fn pop(&self) -> Option<Arrival> {
        let mut queue = self.queue.borrow_mut();
        let arrival = queue.pop_front();
        // Not at the first free place: those who wait should find room for a while.
        if queue.len() == ARRIVALS_MAX / 2 {
            self.room.notify_waiters();
        }
        arrival
    }

    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= ARRIVALS_MAX
    }

    /// Resolves when something has come since the last look.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }

    /// Resolves when the queue has become half empty, reckoned from this call on.
    pub(super) fn room(&self) -> Notified<'_> {
        self.room.notified()
    }
}

/// The same thing that happened, for a node whose loop also carries orders.
pub(super) fn into_input<O>(arrival: Arrival) -> Input<O> {
    match arrival {
        Input::Opened { id, flow } => Input::Opened { id, flow },
        Input::Reverified { id, peer } => Input::Reverified { id, peer },
        Input::Received { id, message } => Input::Received { id, message },
        Input::Malformed { id, what } => Input::Malformed { id, what },
        Input::Closed { id, reason } => Input::Closed { id, reason },
        Input::Resolved { query, found } => Input::Resolved { query, found },
        Input::Order(never) => match never {},
        Input::Timeout => Input::Timeout,
    }
}
