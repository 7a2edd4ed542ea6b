//! What a call works with: the time, the settings, and the tray for what it wants done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_store::{MessageId, Op, Ticket};
use umbel_time::{Instant, Timers, UnixTime};
use umbel_ua::{CallKey, Command};

use crate::alarm::SkipWatch;
use crate::call::Question;
use crate::greetings::Greetings;
use crate::order::{MediaKey, Wish};
use crate::play_on_phone::PhoneCalls;
use crate::{Alarm, Config};

/// How long a question to the store may take before the conversation goes on without the answer.
pub(crate) const REPLY_PATIENCE: Duration = Duration::from_secs(8);
/// REL-43: "Retry-After 1–30 s (spread)".
pub(crate) const RETRY_AFTER_MAX: u32 = 30;

/// The timers of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallTimer {
    /// The store has not said in time who is who, or what is in the mailbox; or there are no sockets yet.
    Preparation,
    /// The store has not answered this question in time.
    Reply(Ticket),
    /// The conversation's one timer.
    Conversation,
    /// The media session has not told of the end of a recording in time.
    RecordingEnd,
    /// The caller has waited for a recording to be saved as long as one may.
    Saving,
    /// Try once more to save this recording.
    Retry(MessageId),
    /// PEER-17: the longest call.
    CallMax,
    /// XFER-1: nobody says what came of sending the caller on.
    Transfer,
    /// POP-6: nobody answers a call of ours.
    Ringing,
    /// Whoever answered a call of ours has had it on hold since.
    OnHold,
}

/// What the calls want done, collected until the server hands it on.
#[derive(Debug, Default)]
pub(crate) struct Tray {
    pub(crate) commands: VecDeque<Command>,
    pub(crate) wishes: VecDeque<Wish>,
    pub(crate) timers: Timers<(CallKey, CallTimer)>,
    pub(crate) questions: BTreeMap<Ticket, (CallKey, Question)>,
    /// SEC-80: where our own media sockets are.
    pub(crate) sockets: BTreeSet<SocketAddr>,
    /// SEC-34.
    pub(crate) skips: SkipWatch,
    /// Calls that users asked us to place.
    pub(crate) phone_calls: PhoneCalls,
    pub(crate) greetings: Greetings,
    last_ticket: u64,
}

impl Tray {
    pub(crate) fn fresh_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }
}

/// The desk of one call, for one turn.
pub(crate) struct Desk<'a> {
    pub(crate) call: CallKey,
    pub(crate) now: Instant,
    pub(crate) wall: UnixTime,
    pub(crate) config: &'a Config,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) tray: &'a mut Tray,
}

impl Desk<'_> {
    pub(crate) fn media_key(&self) -> MediaKey {
        MediaKey(self.call.0)
    }

    /// Orders something of the user agent.
    pub(crate) fn command(&mut self, command: Command) {
        self.tray.commands.push_back(command);
    }

    /// Orders something of the media session.
    pub(crate) fn media(&mut self, command: umbel_media::Command) {
        let key = self.media_key();
        self.tray.wishes.push_back(Wish::Media { key, command });
    }

    pub(crate) fn wish(&mut self, wish: Wish) {
        self.tray.wishes.push_back(wish);
    }

    pub(crate) fn alarm(&mut self, alarm: Alarm) {
        self.wish(Wish::Alarm(alarm));
    }

    /// Asks the store. After [`REPLY_PATIENCE`] the answer is that it failed.
    pub(crate) fn ask(&mut self, question: Question, op: Op) {
        let ticket = self.ask_patiently(question, op);
        self.arm(CallTimer::Reply(ticket), REPLY_PATIENCE);
    }

    /// Asks the store, and waits as long as it takes: for what must not be done twice.
    pub(crate) fn ask_patiently(&mut self, question: Question, op: Op) -> Ticket {
        let ticket = self.tray.fresh_ticket();
        self.tray.questions.insert(ticket, (self.call, question));
        self.wish(Wish::Store { ticket, op });
        ticket
    }

    /// Has the store note something; nothing depends on the answer.
    pub(crate) fn note(&mut self, op: Op) {
        let ticket = self.tray.fresh_ticket();
        self.wish(Wish::Store { ticket, op });
    }

    pub(crate) fn arm(&mut self, timer: CallTimer, after: Duration) {
        self.tray.timers.arm((self.call, timer), self.now + after);
    }

    pub(crate) fn disarm(&mut self, timer: CallTimer) {
        self.tray.timers.disarm(&(self.call, timer));
    }

    /// How long a timer still has to run.
    pub(crate) fn remaining(&self, timer: CallTimer) -> Option<Duration> {
        self.tray.timers.deadline(&(self.call, timer)).map(|deadline| deadline.since(self.now))
    }

    pub(crate) fn message_id(&mut self) -> MessageId {
        let mut bits = [0; 16];
        self.rng.fill_bytes(&mut bits);
        MessageId::from_bytes(bits)
    }

    pub(crate) fn retry_after(&mut self) -> u32 {
        1 + self.rng.next_u32() % RETRY_AFTER_MAX
    }

    /// SEC-80: whether something sent there would come back to us.
    pub(crate) fn is_our_own(&self, address: SocketAddr) -> bool {
        let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
        self.tray.sockets.contains(&canonical) || self.config.listeners.contains(&canonical)
    }
}
