//! What a call records, between the media session that hears it and the store that keeps it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use umbel_ivr::{Input, Purpose, Recorded, RecordingEnding};
use umbel_media::{Command, RecordId, RecordLimits, RecordingEnd};
use umbel_store::{Begin, Finish, Importance, MessageId, Reply};

use crate::call::Question;
use crate::call::deposit::{Deposit, Progress};
use crate::call::playback::stored_format;
use crate::desk::{CallTimer, Desk};

/// The tone of a key that came by INFO is in the sound as well, so that much of the end is left out.
const KEY_TONE: Duration = Duration::from_millis(200);
/// How long the media session may take to hand over the end of a recording.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// How long a caller waits to hear that a message is saved. Saving goes on after that.
const SAVING_PATIENCE: Duration = Duration::from_secs(10);
/// The longest name or greeting.
const GREETING_MAX: Duration = Duration::from_secs(120);

/// All recordings of one call.
#[derive(Debug, Default)]
pub(crate) struct Recordings {
    deposits: BTreeMap<MessageId, Deposit>,
    /// The one that was made last, until it is saved or dropped.
    current: Option<Current>,
    last: u64,
}

#[derive(Debug)]
struct Current {
    record: RecordId,
    id: MessageId,
    /// Still being heard.
    running: bool,
    received: Duration,
    per_second: u64,
    /// Silence at its end that is not worth keeping.
    keep: Option<Duration>,
    /// The conversation waits to hear that it is saved.
    awaited: bool,
}

impl Recordings {
    /// Begins a recording of this kind.
    pub(crate) fn begin(
        &mut self,
        purpose: Purpose,
        kept_as: umbel_store::Purpose,
        format: umbel_wav::Format,
        about: &About,
        desk: &mut Desk<'_>,
    ) {
        self.last += 1;
        let record = RecordId(self.last);
        // REL-04: the name is there before the first octet of sound.
        let id = desk.message_id();
        let begin = Begin {
            id,
            mailbox: about.mailbox.clone(),
            purpose: kept_as,
            format: stored_format(format),
            call_id: about.call_id.clone(),
            at: about.answered,
        };
        self.deposits.insert(id, Deposit::new(begin));
        let per_second = format.bytes_per_second();
        self.current = Some(Current {
            record,
            id,
            running: true,
            received: Duration::ZERO,
            per_second,
            keep: None,
            awaited: false,
        });
        self.advance(id, desk);
        let limits = limits(purpose, desk);
        desk.media(Command::Record { id: record, limits });
    }

    /// The caller pressed a key, or is gone.
    pub(crate) fn stop(&mut self, key_came_by_info: bool, desk: &mut Desk<'_>) {
        if self.is_running() {
            let cut = if key_came_by_info { KEY_TONE } else { Duration::ZERO };
            desk.media(Command::StopRecording { cut });
            desk.arm(CallTimer::RecordingEnd, END_PATIENCE);
        }
    }

    /// Whether something is being recorded.
    pub(crate) fn is_running(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.running)
    }

    /// Sound came.
    pub(crate) fn heard(&mut self, record: RecordId, chunk: Bytes, desk: &mut Desk<'_>) {
        let Some(current) = self.current.as_mut().filter(|current| current.record == record) else { return };
        let octets = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        current.received +=
            Duration::from_micros(octets.saturating_mul(1_000_000) / current.per_second.max(1));
        let id = current.id;
        if let Some(deposit) = self.deposits.get_mut(&id) {
            deposit.add(chunk);
        }
        self.advance(id, desk);
    }

    /// The recording is over, and all of its sound has come.
    pub(crate) fn ended(&mut self, record: RecordId, end: &Heard, desk: &mut Desk<'_>) -> Option<Recorded> {
        let current = self.current.as_mut().filter(|current| current.record == record && current.running)?;
        current.running = false;
        desk.disarm(CallTimer::RecordingEnd);
        let silence_at_end = end.duration.saturating_sub(end.trailing_silence);
        current.keep = (end.end == RecordingEnd::Silence).then_some(silence_at_end);
        let ending = match end.end {
            RecordingEnd::Silence => RecordingEnding::Silence,
            RecordingEnd::Limit => RecordingEnding::Limit,
            RecordingEnd::Stopped | RecordingEnd::Lost | RecordingEnd::Closed | RecordingEnd::Overrun => {
                RecordingEnding::Stopped
            }
        };
        Some(Recorded { ending, duration: end.duration, speech: end.speech })
    }

    /// The media session did not say how the recording ended; what came of it counts.
    pub(crate) fn end_is_overdue(&mut self) -> Option<Recorded> {
        let current = self.current.as_mut().filter(|current| current.running)?;
        current.running = false;
        let heard = current.received;
        Some(Recorded { ending: RecordingEnding::Stopped, duration: heard, speech: heard })
    }

    /// What was recorded is to be kept. Gives the answer where there is nothing.
    pub(crate) fn save(&mut self, importance: Importance, desk: &mut Desk<'_>) -> Option<Input> {
        let Some(current) = self.current.as_mut() else { return Some(Input::Failed) };
        current.awaited = true;
        let (id, keep) = (current.id, current.keep);
        if let Some(deposit) = self.deposits.get_mut(&id) {
            deposit.keep(Finish { id, importance, keep, at: desk.wall });
        } else {
            self.current = None;
            return Some(Input::Failed);
        }
        desk.arm(CallTimer::Saving, SAVING_PATIENCE);
        self.advance(id, desk);
        None
    }

    /// What was recorded is not wanted.
    pub(crate) fn drop_current(&mut self, desk: &mut Desk<'_>) -> bool {
        let Some(current) = self.current.take() else { return false };
        if let Some(deposit) = self.deposits.get_mut(&current.id) {
            deposit.discard();
        }
        self.advance(current.id, desk);
        true
    }

    /// The recording that can be heard again.
    pub(crate) fn current(&self) -> Option<MessageId> {
        self.current.as_ref().map(|current| current.id)
    }

    /// The caller has waited long enough to hear that it is saved.
    pub(crate) fn saving_is_overdue(&mut self) -> Option<Input> {
        self.current.take_if(|current| current.awaited).map(|_| Input::Failed)
    }

    /// The store said something about a recording. Gives what the conversation waits for.
    pub(crate) fn replied(&mut self, id: MessageId, reply: Reply, desk: &mut Desk<'_>) -> News {
        let Some(deposit) = self.deposits.get_mut(&id) else { return News::default() };
        let (progress, is_message) = (deposit.replied(reply, desk.now), deposit.is_message());
        let message_missed = is_message && deposit.is_decided();
        match progress {
            Progress::Advancing => {
                self.advance(id, desk);
                News::default()
            }
            Progress::Pausing(pause) => {
                desk.arm(CallTimer::Retry(id), pause);
                News::default()
            }
            Progress::Saved => {
                self.over(id, Input::Done, News { message_saved: is_message, ..News::default() }, desk)
            }
            Progress::Full => self.over(id, Input::Full, News { message_missed, ..News::default() }, desk),
            Progress::Discarded => {
                self.deposits.remove(&id);
                News::default()
            }
            Progress::Lost => {
                let news = News { lost: true, message_missed, ..News::default() };
                self.over(id, Input::Failed, news, desk)
            }
        }
    }

    /// It is time to try again.
    pub(crate) fn retry(&mut self, id: MessageId, desk: &mut Desk<'_>) {
        self.advance(id, desk);
    }

    /// The conversation is over: what nobody decided about is kept if it is a message, since it may be all
    /// that is left of one. Says whether there was one in which nothing was heard.
    pub(crate) fn wind_up(&mut self, desk: &mut Desk<'_>) -> bool {
        if self.is_running() {
            return false;
        }
        let mut was_empty = false;
        let undecided: Vec<MessageId> =
            self.deposits.values().filter(|deposit| !deposit.is_decided()).map(Deposit::id).collect();
        for id in undecided {
            if let Some(deposit) = self.deposits.get_mut(&id) {
                match deposit.importance() {
                    Some(importance) if deposit.has_sound() => {
                        deposit.keep(Finish { id, importance, keep: None, at: desk.wall });
                    }
                    Some(_) => {
                        was_empty = true;
                        deposit.discard();
                    }
                    None => deposit.discard(),
                }
            }
            self.advance(id, desk);
        }
        was_empty
    }

    /// Whether all of it has become what it is going to be.
    pub(crate) fn are_settled(&self) -> bool {
        self.deposits.is_empty()
    }

    fn advance(&mut self, id: MessageId, desk: &mut Desk<'_>) {
        let Some(deposit) = self.deposits.get_mut(&id) else { return };
        if let Some(op) = deposit.next() {
            desk.ask_patiently(Question::Deposit(id), op);
        }
        if deposit.is_over() {
            self.deposits.remove(&id);
        }
    }

    fn over(&mut self, id: MessageId, input: Input, news: News, desk: &mut Desk<'_>) -> News {
        self.deposits.remove(&id);
        let Some(current) = self.current.take_if(|current| current.id == id) else { return news };
        if current.running {
            // It could not even begin.
            desk.disarm(CallTimer::RecordingEnd);
            desk.media(Command::StopRecording { cut: Duration::ZERO });
            return News { input: Some(input), ..news };
        }
        desk.disarm(CallTimer::Saving);
        if current.awaited { News { input: Some(input), ..news } } else { news }
    }
}

/// What every recording of a call is about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) mailbox: umbel_store::Address,
    pub(crate) call_id: String,
    pub(crate) answered: umbel_time::UnixTime,
}

/// How the media session says that a recording ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) end: RecordingEnd,
    pub(crate) duration: Duration,
    pub(crate) speech: Duration,
    pub(crate) trailing_silence: Duration,
}

/// What a reply of the store brought.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// For the conversation.
    pub(crate) input: Option<Input>,
    /// A message is safe.
    pub(crate) message_saved: bool,
    /// MISS-1: a message that was to be kept has come to nothing.
    pub(crate) message_missed: bool,
    /// A recording is lost.
    pub(crate) lost: bool,
}

fn limits(purpose: Purpose, desk: &Desk<'_>) -> RecordLimits {
    let settings = desk.config.recording;
    let max = match purpose {
        Purpose::Deposit => settings.max,
        Purpose::Greeting(_) => GREETING_MAX.min(settings.max),
    };
    RecordLimits { max, silence: settings.silence, min: settings.min }
}
