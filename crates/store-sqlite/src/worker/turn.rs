//! The store thread: turn after turn of taking in, doing, committing, answering.

use std::sync::Arc;
use std::time::{Duration, Instant};

use umbel_store::{Directory, Reply, Store, StoreError, execute};

use super::UserChanges;
use super::course::{self, Kind};
use super::inbox::{Answer, Job, Queue, Report};
use super::threads::{HashPool, Syncer};
use crate::hash_work::WorkDone;
use crate::store::SqliteStore;

/// How often running recordings are synced (REL-02: at most the last second is lost): a chunk may have waited a
/// tenth of a second for those of other calls.
const ROUND: Duration = Duration::from_millis(800);
/// How soon a batch is tried again while another program holds the store.
const BUSY_RETRY: Duration = Duration::from_millis(50);
/// How long an operation waits for another program (REL-12 asks for 30 s) before it fails.
const BUSY_PATIENCE: Duration = Duration::from_secs(120);
/// Writes that wait for another program; beyond, the oldest kind of answer is "busy".
const WAITING_MAX: usize = 16_384;

/// An operation whose rows are yet to be written.
struct Waiting {
    job: Job,
    /// What Argon2 came to, where it was needed.
    hashed: Option<WorkDone>,
    since: Instant,
}

pub(super) struct Course {
    store: SqliteStore,
    queue: Arc<Queue>,
    pool: HashPool,
    syncer: Syncer,
    changes: UserChanges,
    writes: Vec<Waiting>,
    notes: Vec<Waiting>,
    /// What became of this turn's chunks: told together, so that whoever hears of them is woken once.
    appended: Vec<(Answer, Reply)>,
    /// Operations that are with the hash threads.
    hashing: usize,
    /// A sync is running.
    syncing: bool,
    next_round: Option<Instant>,
    /// Another program holds the store; when to try again.
    retry: Option<Instant>,
}

impl Course {
    pub(super) fn new(
        store: SqliteStore,
        queue: Arc<Queue>,
        pool: HashPool,
        syncer: Syncer,
        changes: UserChanges,
    ) -> Self {
        let (writes, notes, appended) = (Vec::new(), Vec::new(), Vec::new());
        let (hashing, syncing, next_round, retry) = (0, false, None, None);
        Course {
            store,
            queue,
            pool,
            syncer,
            changes,
            writes,
            notes,
            appended,
            hashing,
            syncing,
            next_round,
            retry,
        }
    }

    pub(super) fn run(mut self) {
        // Whatever ends this thread, nobody puts operations into a queue that is not read.
        let _closing = Closing(Arc::clone(&self.queue));
        loop {
            let turn = self.queue.take(self.deadline());
            for report in turn.reports {
                self.take_report(report);
            }
            for job in turn.jobs {
                self.take_job(job);
            }
            for (answer, reply) in std::mem::take(&mut self.appended) {
                self.reply(answer, reply);
            }
            self.commit();
            self.sync_running();
            if turn.closed && self.is_done() {
                break;
            }
        }
        self.leave();
    }

    /// When there is something to do even if nothing comes.
    fn deadline(&self) -> Option<Instant> {
        let write = self.retry.filter(|_| !self.writes.is_empty() || !self.notes.is_empty());
        [write, self.next_round].into_iter().flatten().min()
    }

    fn is_done(&self) -> bool {
        self.writes.is_empty() && self.notes.is_empty() && self.hashing == 0 && !self.syncing
    }

    fn take_report(&mut self, report: Report) {
        match report {
            Report::Hashed(job, done) => {
                self.hashing = self.hashing.saturating_sub(1);
                self.wait(*job, Some(done));
            }
            Report::Synced(done) => {
                self.syncing = false;
                self.store.end_round(done);
            }
        }
    }

    fn take_job(&mut self, job: Job) {
        match course::kind(&job.op) {
            Kind::Immediate => {
                let is_append = matches!(job.op, umbel_store::Op::Append { .. });
                let reply = execute(&mut self.store as &mut dyn Store, job.op);
                // What another process changed is known from here on as well.
                if let Reply::UserChanges(count) = reply {
                    self.changes.are(count);
                }
                match is_append {
                    true => self.appended.push((job.answer, reply)),
                    false => self.reply(job.answer, reply),
                }
            }
            Kind::Finish => {
                let umbel_store::Op::Finish(finish) = &job.op else {
                    unreachable!("only Finish is of the kind Finish")
                };
                match self.store.seal_for(finish) {
                    Ok(()) => self.wait(job, None),
                    Err(error) => self.reply(job.answer, Reply::Failed(error)),
                }
            }
            Kind::Hash => self.hash(job),
            Kind::Write => self.wait(job, None),
            Kind::Note => self.notes.push(Waiting { job, hashed: None, since: Instant::now() }),
        }
    }

    fn hash(&mut self, job: Job) {
        match course::prepare(&mut self.store, &job.op) {
            Ok(work) => match self.pool.hash(Box::new(job), work) {
                Ok(()) => self.hashing += 1,
                Err(job) => self.reply(job.answer, Reply::Failed(StoreError::Overloaded)),
            },
            Err(error) => self.reply(job.answer, Reply::Failed(error)),
        }
    }

    fn wait(&mut self, job: Job, hashed: Option<WorkDone>) {
        if self.writes.len() >= WAITING_MAX {
            self.reply(job.answer, Reply::Failed(StoreError::Busy));
            return;
        }
        self.writes.push(Waiting { job, hashed, since: Instant::now() });
    }

    /// Writes and commits what waits. Notes have waited in the queue for others of their kind.
    fn commit(&mut self) {
        let now = Instant::now();
        let too_early = self.retry.is_some_and(|retry| now < retry);
        if (self.writes.is_empty() && self.notes.is_empty()) || too_early {
            return;
        }
        let mut batch = std::mem::take(&mut self.writes);
        batch.append(&mut self.notes);
        let mut outcome = self.write_batch(&batch);
        if matches!(outcome, Err(StoreError::DiskFull)) && self.store.release_reserve() {
            outcome = self.write_batch(&batch);
        }
        match outcome {
            Ok(replies) => {
                self.retry = None;
                self.tell_changes(&batch);
                for (waiting, reply) in batch.into_iter().zip(replies) {
                    self.reply(waiting.job.answer, reply);
                }
            }
            // REL-12: saving waits, calls go on.
            Err(StoreError::Busy) => {
                self.retry = Some(now + BUSY_RETRY);
                self.put_back(batch, now);
            }
            Err(error) => {
                for waiting in batch {
                    self.reply(waiting.job.answer, Reply::Failed(error));
                }
            }
        }
    }

    /// Whoever remembers users knows that they have changed before anybody is told so.
    fn tell_changes(&mut self, batch: &[Waiting]) {
        if batch.iter().any(|waiting| matches!(course::kind(&waiting.job.op), Kind::Write | Kind::Hash)) {
            let count = self.store.user_changes();
            // What cannot be read counts as a change.
            self.changes.are(count.unwrap_or_else(|_| self.changes.count().wrapping_add(1)));
        }
    }

    /// One transaction for all of them. Either each has its reply and all is committed, or nothing happened.
    fn write_batch(&mut self, batch: &[Waiting]) -> Result<Vec<Reply>, StoreError> {
        self.store.begin_batch()?;
        let mut replies = Vec::with_capacity(batch.len());
        for waiting in batch {
            let reply = match &waiting.hashed {
                Some(done) => course::settle(&mut self.store, &waiting.job.op, done),
                None => course::write(&mut self.store, &waiting.job.op),
            };
            if reply == Reply::Failed(StoreError::DiskFull) {
                self.store.abort_batch();
                return Err(StoreError::DiskFull);
            }
            replies.push(reply);
        }
        self.store.commit_batch()?;
        Ok(replies)
    }

    /// What could not be written yet waits on, unless it has waited too long.
    fn put_back(&mut self, batch: Vec<Waiting>, now: Instant) {
        for waiting in batch {
            if now.saturating_duration_since(waiting.since) > BUSY_PATIENCE {
                self.reply(waiting.job.answer, Reply::Failed(StoreError::Busy));
            } else if course::kind(&waiting.job.op) == Kind::Note {
                self.notes.push(waiting);
            } else {
                self.writes.push(waiting);
            }
        }
    }

    /// Once a second, one sync for all running recordings (DEC-43).
    fn sync_running(&mut self) {
        let now = Instant::now();
        if self.store.recordings.is_empty() {
            self.next_round = None;
            return;
        }
        let due = *self.next_round.get_or_insert(now + ROUND);
        if now < due || self.syncing {
            // While a sync takes long, its report wakes us.
            if self.syncing {
                self.next_round = Some(due.max(now + BUSY_RETRY));
            }
            return;
        }
        self.next_round = Some(now + ROUND);
        match self.store.begin_round() {
            Ok(Some(round)) => self.syncing = self.syncer.sync(round),
            Ok(None) => {}
            Err(fault) => {
                let error = StoreError::from(fault);
                tracing::error!(%error, "running recordings could not be synced");
            }
        }
    }

    /// What is still running is synced once more, so that the next start finds it.
    fn leave(mut self) {
        if let Ok(Some(round)) = self.store.begin_round() {
            self.store.end_round(round.run());
        }
    }

    fn reply(&self, answer: Answer, reply: Reply) {
        match answer {
            Answer::Ticket(ticket, answer) => answer(ticket, reply),
            Answer::Then(then) => then(reply),
            Answer::Nobody => {}
        }
    }
}

/// Closes the queue when dropped.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
