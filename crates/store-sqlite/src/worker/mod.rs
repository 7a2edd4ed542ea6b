//! The store on a thread of its own, for those who must not wait.
//!
//! ```text
//!              ┌ recording lane ┐                       ┌ hash threads ┐  Argon2 (DEC-43)
//! submit ────▶ │                ├──▶ store thread ◀────▶│              │
//!              └ other lane ────┘        │              └ sync thread ─┘  one sync a second
//!                                        └──▶ answer(ticket, reply), after the commit
//! ```
//!
//! What only adds to a file or reads is done at once; what writes rows waits for the end of the turn
//! and is committed together with all that came meanwhile. So nobody waits for others to come, and
//! the more there is to do, the more is done by one sync. Recordings go first, and nothing on the
//! store thread costs Argon2 or waits for a slow sync.

mod course;
mod inbox;
mod threads;
mod turn;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use umbel_store::{Op, Reply, Ticket};

use crate::store::SqliteStore;

pub use inbox::Refused;
use inbox::{Answer, Job, Queue, TicketAnswer};
use threads::{HashPool, Syncer};
use turn::Course;

/// Threads for Argon2: each holds 19 MiB while it works. Two keep a machine of two cores answering.
const HASH_THREADS: usize = 2;
/// How long a transaction waits for another program before the store thread turns to other things.
const PATIENCE: Duration = Duration::from_millis(20);

/// The thread that owns the store, and its helpers.
pub struct StoreWorker {
    queue: Arc<Queue>,
    changes: UserChanges,
    thread: Option<JoinHandle<()>>,
}

/// How often users have changed, as far as this worker knows: those changes that it made itself it knows before
/// anybody is told that they are made. Cheap to clone, and to look at.
#[derive(Clone, Debug, Default)]
pub struct UserChanges(Arc<AtomicU64>);

impl UserChanges {
    /// Differs from what it was before where somebody has changed.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn are(&self, count: u64) {
        self.0.store(count, Ordering::Release);
    }
}

/// Where operations are put in. Cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    queue: Arc<Queue>,
}

/// Where one event loop puts operations in, and gets its answers back. Cheap to clone.
#[derive(Clone)]
pub struct TicketInbox {
    inbox: Inbox,
    answer: TicketAnswer,
}

impl StoreWorker {
    /// Starts the threads.
    pub fn spawn(mut store: SqliteStore) -> io::Result<Self> {
        store.set_patience(PATIENCE).map_err(io::Error::other)?;
        let queue = Arc::new(Queue::new());
        let pool = HashPool::spawn(HASH_THREADS, &store.hasher, &queue)?;
        let syncer = Syncer::spawn(&queue)?;
        let changes = UserChanges::default();
        let course = Course::new(store, Arc::clone(&queue), pool, syncer, changes.clone());
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || course.run())?;
        Ok(StoreWorker { queue, changes, thread: Some(thread) })
    }

    /// Where operations are put in.
    pub fn inbox(&self) -> Inbox {
        Inbox { queue: Arc::clone(&self.queue) }
    }

    /// Where operations are put in whose replies go to `answer`: it is called on the store thread, once
    /// for each submitted ticket.
    pub fn ticket_inbox(&self, answer: impl Fn(Ticket, Reply) + Send + Sync + 'static) -> TicketInbox {
        TicketInbox { inbox: self.inbox(), answer: Arc::new(answer) }
    }

    /// For those who remember users.
    pub fn user_changes(&self) -> UserChanges {
        self.changes.clone()
    }

    /// Takes in nothing more, does what was taken in, and ends the threads.
    pub fn stop(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store thread had panicked");
        }
    }
}

impl Drop for StoreWorker {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Inbox {
    /// Puts an operation in; its reply comes to `then`, on the store thread. Never waits: when the lane
    /// is full or the worker has stopped, the operation comes back.
    pub fn ask(&self, op: Op, then: impl FnOnce(Reply) + Send + 'static) -> Result<(), Refused> {
        self.queue.put(Job { op, answer: Answer::Then(Box::new(then)) })
    }
}

impl TicketInbox {
    /// Puts an operation in; its reply comes to this inbox's `answer`. Never waits, as [`Inbox::ask`].
    pub fn submit(&self, ticket: Ticket, op: Op) -> Result<(), Refused> {
        self.inbox.queue.put(Job { op, answer: Answer::Ticket(ticket, Arc::clone(&self.answer)) })
    }

    /// Puts an operation in whose reply nobody waits for, and which may wait for others to be written with
    /// it. Never waits, as [`Inbox::ask`].
    pub fn note(&self, op: Op) -> Result<(), Refused> {
        self.inbox.queue.put(Job { op, answer: Answer::Nobody })
    }

    /// Where operations are put in without tickets.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }
}

#[cfg(test)]
mod tests;
