//! The bounded queue before the store thread.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use umbel_store::{Op, Reply, Ticket};

use super::course::{self, Kind};
use crate::hash_work::WorkDone;
use crate::spool::RoundDone;

/// Operations that wait in the recording lane. A thousand calls put in one a second each.
const RECORDING_JOBS_MAX: usize = 16_384;
/// Octets of audio that wait; two minutes of a thousand calls are never reached unless the disk hangs.
const RECORDING_BYTES_MAX: usize = 64 << 20;
/// Other operations that wait.
const OTHER_JOBS_MAX: usize = 4_096;
/// Notes that wait; a thousand calls a second put in some thousand in the time that they wait.
const NOTES_MAX: usize = 16_384;
/// How long a note waits for others to be written with it, so that it wakes nobody for itself; `why` must
/// answer within a second (SEC-32).
pub(super) const NOTE_WAIT: Duration = Duration::from_millis(200);
/// Operations taken at once, so that replies are not held back too long.
const TURN_JOBS_MAX: usize = 64;

/// An operation and who asked.
pub(super) struct Job {
    pub(super) op: Op,
    pub(super) answer: Answer,
}

/// Takes the replies of one [`super::TicketInbox`].
pub(super) type TicketAnswer = Arc<dyn Fn(Ticket, Reply) + Send + Sync>;

/// Where a reply goes.
pub(super) enum Answer {
    Ticket(Ticket, TicketAnswer),
    Then(Box<dyn FnOnce(Reply) + Send>),
    Nobody,
}

/// What the helpers report to the store thread.
pub(super) enum Report {
    /// The costly part of an operation is done.
    Hashed(Box<Job>, WorkDone),
    /// A sync of running recordings has ended.
    Synced(RoundDone),
}

/// The operation was not taken in, for want of room or because the worker has stopped.
pub struct Refused {
    /// The operation, to be tried again or given up.
    pub op: Box<Op>,
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store took no further operation")
    }
}

/// What the store thread does next.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) reports: Vec<Report>,
    /// Recordings before others, notes when they have waited long enough; each lane in order.
    pub(super) jobs: Vec<Job>,
    /// Nothing more will come from outside.
    pub(super) closed: bool,
}

#[derive(Default)]
struct Lanes {
    reports: VecDeque<Report>,
    recordings: VecDeque<Job>,
    recording_bytes: usize,
    others: VecDeque<Job>,
    notes: VecDeque<Job>,
    /// When the first of the notes is to be taken.
    notes_due: Option<Instant>,
    closed: bool,
}

/// The lanes, and a bell.
pub(super) struct Queue {
    lanes: Mutex<Lanes>,
    bell: Condvar,
}

impl Queue {
    pub(super) fn new() -> Self {
        Queue { lanes: Mutex::default(), bell: Condvar::new() }
    }

    pub(super) fn put(&self, job: Job) -> Result<(), Refused> {
        let mut lanes = self.lock();
        if course::kind(&job.op) == Kind::Note {
            return self.put_note(lanes, job);
        }
        let bytes = audio_bytes(&job.op);
        let room = match is_recording(&job.op) {
            true => {
                lanes.recordings.len() < RECORDING_JOBS_MAX
                    && lanes.recording_bytes.saturating_add(bytes) <= RECORDING_BYTES_MAX
            }
            false => lanes.others.len() < OTHER_JOBS_MAX,
        };
        if lanes.closed || !room {
            return Err(Refused { op: Box::new(job.op) });
        }
        if is_recording(&job.op) {
            lanes.recording_bytes += bytes;
            lanes.recordings.push_back(job);
        } else {
            lanes.others.push_back(job);
        }
        self.bell.notify_one();
        Ok(())
    }

    fn put_note(&self, mut lanes: MutexGuard<'_, Lanes>, job: Job) -> Result<(), Refused> {
        if lanes.closed || lanes.notes.len() >= NOTES_MAX {
            return Err(Refused { op: Box::new(job.op) });
        }
        lanes.notes.push_back(job);
        if lanes.notes_due.is_none() {
            lanes.notes_due = Some(Instant::now() + NOTE_WAIT);
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Reports are bounded by the operations they belong to.
    pub(super) fn report(&self, report: Report) {
        self.lock().reports.push_back(report);
        self.bell.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// The next turn: at once if there is something to do, else when there is or at `deadline`.
    pub(super) fn take(&self, deadline: Option<Instant>) -> Turn {
        let mut lanes = self.lock();
        loop {
            let idle = lanes.reports.is_empty() && lanes.recordings.is_empty() && lanes.others.is_empty();
            let deadline = [deadline, lanes.notes_due].into_iter().flatten().min();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if !idle || lanes.closed || left.is_some_and(|left| left.is_zero()) {
                break;
            }
            lanes = match left {
                Some(left) => self.bell.wait_timeout(lanes, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.bell.wait(lanes).unwrap_or_else(PoisonError::into_inner),
            };
        }
        let mut turn = Turn { reports: lanes.reports.drain(..).collect(), ..Turn::default() };
        let recordings = lanes.recordings.len().min(TURN_JOBS_MAX);
        turn.jobs.extend(lanes.recordings.drain(..recordings));
        let freed: usize = turn.jobs.iter().map(|job| audio_bytes(&job.op)).sum();
        lanes.recording_bytes = lanes.recording_bytes.saturating_sub(freed);
        let others = lanes.others.len().min(TURN_JOBS_MAX - recordings);
        turn.jobs.extend(lanes.others.drain(..others));
        if lanes.closed || lanes.notes_due.is_some_and(|due| due <= Instant::now()) {
            turn.jobs.extend(lanes.notes.drain(..));
            lanes.notes_due = None;
        }
        turn.closed = lanes.closed && lanes.recordings.is_empty() && lanes.others.is_empty();
        turn
    }

    /// A thread that panicked while it held the lock left the lanes whole: they are only pushed and drained.
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recording(op: &Op) -> bool {
    matches!(op, Op::Begin(_) | Op::Append { .. } | Op::FetchRecording(_) | Op::Finish(_) | Op::Discard(_))
}

fn audio_bytes(op: &Op) -> usize {
    match op {
        Op::Append { chunk, .. } => chunk.0.len(),
        _ => 0,
    }
}
