//! The helpers of the store thread: some hash, one syncs.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::inbox::{Job, Queue, Report};
use crate::hash_work::Work;
use crate::hashing::Hasher;
use crate::spool::Round;

/// Operations that wait for a hash thread; beyond, the store is overloaded.
const HASH_JOBS_MAX: usize = 256;

type HashJob = (Box<Job>, Work);

/// Threads that do nothing but Argon2 (DEC-43).
pub(super) struct HashPool {
    jobs: SyncSender<HashJob>,
}

impl HashPool {
    /// The threads end when the pool is dropped.
    pub(super) fn spawn(threads: usize, hasher: &Hasher, queue: &Arc<Queue>) -> io::Result<Self> {
        let (jobs, receiver) = sync_channel::<HashJob>(HASH_JOBS_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let (receiver, hasher, queue) = (Arc::clone(&receiver), hasher.clone(), Arc::clone(queue));
            let name = format!("store-hash-{number}");
            thread::Builder::new().name(name).spawn(move || {
                while let Some((job, work)) = next(&receiver) {
                    let done = work.run(&hasher);
                    queue.report(Report::Hashed(job, done));
                }
            })?;
        }
        Ok(HashPool { jobs })
    }

    /// Hands work over; gives the job back where too much waits already.
    pub(super) fn hash(&self, job: Box<Job>, work: Work) -> Result<(), Box<Job>> {
        self.jobs.try_send((job, work)).map_err(|error| match error {
            TrySendError::Full((job, _)) | TrySendError::Disconnected((job, _)) => job,
        })
    }
}

fn next(receiver: &Mutex<Receiver<HashJob>>) -> Option<HashJob> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The thread on which running recordings are synced, however long the disk takes.
pub(super) struct Syncer {
    rounds: SyncSender<Round>,
}

impl Syncer {
    /// The thread ends when the syncer is dropped.
    pub(super) fn spawn(queue: &Arc<Queue>) -> io::Result<Self> {
        let (rounds, receiver) = sync_channel::<Round>(1);
        let queue = Arc::clone(queue);
        thread::Builder::new().name("store-sync".to_owned()).spawn(move || {
            for round in receiver {
                queue.report(Report::Synced(round.run()));
            }
        })?;
        Ok(Syncer { rounds })
    }

    /// Hands a round over. There is never more than one, so there is always room.
    pub(super) fn sync(&self, round: Round) -> bool {
        self.rounds.try_send(round).is_ok()
    }
}
