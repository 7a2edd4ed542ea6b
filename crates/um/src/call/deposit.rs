//! One recording on its way into the store: begun, filled chunk by chunk, finished or discarded.
//!
//! One operation is under way at a time, so that they arrive in order and none is done twice. What fails
//! for a while is tried again for as long as somebody's message is worth it; meanwhile the caller goes on
//! speaking, and the chunks wait here, at most as many as the longest recording has.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use umbel_store::{Audible, Begin, Finish, Importance, MessageId, Op, Purpose, Refusal, Reply, StoreError};
use umbel_time::Instant;

/// How long after a failure the same is tried again; doubled each time.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// The longest time between two tries.
const RETRY_MAX: Duration = Duration::from_secs(10);
/// After so much time of nothing but failures we give up.
const PERSISTENCE: Duration = Duration::from_secs(10 * 60);

/// A recording and where it stands.
#[derive(Debug)]
pub(crate) struct Deposit {
    begin: Begin,
    stage: Stage,
    unsent: VecDeque<Audible>,
    has_sound: bool,
    fate: Option<Fate>,
    under_way: Option<Step>,
    failing: Option<Failing>,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Append,
    Finish,
    Discard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The store has not heard of it.
    New,
    /// It is being filled.
    Begun,
    /// It is as long as the store keeps one; what comes after is left out.
    AtItsLongest,
    /// Saved, discarded or lost.
    Over,
}

/// What is to become of it, once all of it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Kept(Finish),
    Dropped,
}

#[derive(Clone, Copy, Debug)]
struct Failing {
    since: Instant,
    pause: Duration,
}

/// What a reply of the store came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// On we go.
    Advancing,
    /// Try again after this time.
    Pausing(Duration),
    /// It is safe (D1).
    Saved,
    /// There is no room for it.
    Full,
    /// It is gone, as was wished.
    Discarded,
    /// It is lost.
    Lost,
}

impl Deposit {
    pub(crate) fn new(begin: Begin) -> Deposit {
        Deposit {
            begin,
            stage: Stage::New,
            unsent: VecDeque::new(),
            has_sound: false,
            fate: None,
            under_way: None,
            failing: None,
        }
    }

    pub(crate) fn id(&self) -> MessageId {
        self.begin.id
    }

    pub(crate) fn is_message(&self) -> bool {
        self.importance().is_some()
    }

    /// The importance of the call; none if it is no message.
    pub(crate) fn importance(&self) -> Option<Importance> {
        match self.begin.purpose {
            Purpose::Message { importance, .. } => Some(importance),
            Purpose::Greeting { .. } => None,
        }
    }

    /// Whether it has become what it is going to be.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Whether it is decided what becomes of it.
    pub(crate) fn is_decided(&self) -> bool {
        self.fate.is_some()
    }

    /// Whether anything was heard at all.
    pub(crate) fn has_sound(&self) -> bool {
        self.has_sound
    }

    /// Sound came.
    pub(crate) fn add(&mut self, chunk: Bytes) {
        self.has_sound = true;
        if self.stage == Stage::New || self.stage == Stage::Begun {
            self.unsent.push_back(chunk.into());
        }
    }

    /// It is to be kept.
    pub(crate) fn keep(&mut self, finish: Finish) {
        self.fate.get_or_insert(Fate::Kept(finish));
    }

    /// It is not wanted.
    pub(crate) fn discard(&mut self) {
        if self.fate.is_none() {
            self.fate = Some(Fate::Dropped);
            self.unsent.clear();
        }
    }

    /// The next operation, if none is under way.
    pub(crate) fn next(&mut self) -> Option<Op> {
        if self.under_way.is_some() {
            return None;
        }
        let (step, op) = match (self.stage, &self.fate) {
            (Stage::Over, _) => return None,
            (Stage::New, Some(Fate::Dropped)) => {
                self.stage = Stage::Over;
                return None;
            }
            (Stage::New, _) => (Step::Begin, Op::Begin(Box::new(self.begin.clone()))),
            (Stage::Begun | Stage::AtItsLongest, fate) => match (self.unsent.front(), fate) {
                (Some(chunk), _) => (Step::Append, Op::Append { id: self.begin.id, chunk: chunk.clone() }),
                (None, None) => return None,
                (None, Some(Fate::Kept(finish))) => (Step::Finish, Op::Finish(finish.clone())),
                (None, Some(Fate::Dropped)) => (Step::Discard, Op::Discard(self.begin.id)),
            },
        };
        self.under_way = Some(step);
        Some(op)
    }

    /// What the store said about the operation under way.
    pub(crate) fn replied(&mut self, reply: Reply, now: Instant) -> Progress {
        let Some(step) = self.under_way.take() else { return Progress::Advancing };
        match reply {
            Reply::Failed(error) => self.failed(step, error, now),
            _ => self.advanced(step),
        }
    }

    fn advanced(&mut self, step: Step) -> Progress {
        self.failing = None;
        match step {
            Step::Begin => self.stage = Stage::Begun,
            Step::Append => drop(self.unsent.pop_front()),
            Step::Finish => return self.over(Progress::Saved),
            Step::Discard => return self.over(Progress::Discarded),
        }
        Progress::Advancing
    }

    fn failed(&mut self, step: Step, error: StoreError, now: Instant) -> Progress {
        match (step, error) {
            // Then it was gone already, or goes at the store's next clearing up.
            (Step::Discard, _) => return self.over(Progress::Discarded),
            (_, StoreError::Refused(Refusal::MailboxFull)) => return self.over(Progress::Full),
            (Step::Append, StoreError::Refused(Refusal::RecordingTooLong)) => {
                self.stage = Stage::AtItsLongest;
                self.unsent.clear();
                return Progress::Advancing;
            }
            _ => {}
        }
        let failing = self.failing.unwrap_or(Failing { since: now, pause: RETRY_FIRST });
        if !may_pass(step, error) || now.since(failing.since) >= PERSISTENCE {
            return self.over(Progress::Lost);
        }
        self.failing = Some(Failing { pause: RETRY_MAX.min(failing.pause * 2), ..failing });
        Progress::Pausing(failing.pause)
    }

    fn over(&mut self, progress: Progress) -> Progress {
        self.stage = Stage::Over;
        self.unsent.clear();
        progress
    }
}

/// Whether trying again may help. REL-11: a recording that runs is still written to a full disk, and a new
/// one is not begun on it.
fn may_pass(step: Step, error: StoreError) -> bool {
    match error {
        StoreError::Busy | StoreError::Overloaded => true,
        StoreError::DiskFull | StoreError::Disk => step != Step::Begin,
        StoreError::Refused(_) | StoreError::Damaged | StoreError::AudioMissing => false,
    }
}

#[cfg(test)]
#[path = "deposit_tests.rs"]
mod tests;
