//! One call, as `umbel calls` shows it.

use umbel_time::UnixTime;

use crate::{CallKind, PinOutcome, Transport};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// Still going on.
    Running,
    /// Two people talked.
    Answered,
    /// A message was left.
    MessageLeft,
    /// Nothing was left.
    NothingLeft,
    /// The owner was let in.
    MailboxOpened,
    /// Nobody was let in.
    AccessDenied,
    /// A message was played on a telephone.
    Played,
    /// Nobody answered the telephone, or it could not be reached.
    NotAnswered,
    /// Refused.
    Refused,
    /// Something broke.
    Failed,
}

impl CallOutcome {
    const ALL: [CallOutcome; 10] = [
        CallOutcome::Running,
        CallOutcome::Answered,
        CallOutcome::MessageLeft,
        CallOutcome::NothingLeft,
        CallOutcome::MailboxOpened,
        CallOutcome::AccessDenied,
        CallOutcome::Played,
        CallOutcome::NotAnswered,
        CallOutcome::Refused,
        CallOutcome::Failed,
    ];

    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallOutcome::Running => "running",
            CallOutcome::Answered => "answered",
            CallOutcome::MessageLeft => "message-left",
            CallOutcome::NothingLeft => "nothing-left",
            CallOutcome::MailboxOpened => "mailbox-opened",
            CallOutcome::AccessDenied => "access-denied",
            CallOutcome::Played => "played",
            CallOutcome::NotAnswered => "not-answered",
            CallOutcome::Refused => "refused",
            CallOutcome::Failed => "failed",
        }
    }

    /// The outcome of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A call that goes on or has ended. Kept 90 days (DEC-37).
///
/// Records are told apart by Call-ID and start, so that a peer who uses a Call-ID again adds a
/// record rather than overwriting one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The header's value.
    pub call_id: String,
    /// What it turned out to be.
    pub kind: CallKind,
    /// The caller.
    pub from: String,
    /// The called party.
    pub to: String,
    /// When it came in or went out.
    pub started: UnixTime,
    /// When it ended; `None` while it goes on.
    pub ended: Option<UnixTime>,
    /// How its first request travelled.
    pub transport: Transport,
    /// The name in the peer's certificate, or its network address.
    pub peer: Option<String>,
    /// Whether a PIN was asked for.
    pub pin: PinOutcome,
    /// How it ended.
    pub outcome: CallOutcome,
}
