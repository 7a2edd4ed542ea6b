//! A recording on its way to become a message or a greeting.

use std::time::Duration;

use umbel_time::UnixTime;

use crate::{Address, AudioFormat, Author, Caller, GreetingKind, Importance, MessageId, VoiceMessage};

/// A recording starts. Idempotent by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Made when the call started; the id of the message it becomes (REL-04).
    pub id: MessageId,
    /// Whose mailbox.
    pub mailbox: Address,
    /// What it is going to be.
    pub purpose: Purpose,
    /// How its audio is coded.
    pub format: AudioFormat,
    /// The call.
    pub call_id: String,
    /// When the call was answered.
    pub at: UnixTime,
}

/// What a recording is going to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A message of a caller's. If we crash, what there is becomes an incomplete message (REL-02).
    Message {
        /// Who is speaking.
        caller: Caller,
        /// Subject of the call (HDR-1), or empty.
        subject: String,
        /// How urgent, until [`Finish`] says otherwise.
        importance: Importance,
    },
    /// A greeting of the owner's. If we crash, the old one stays.
    Greeting {
        /// Which one.
        kind: GreetingKind,
        /// Who is speaking, for the audit trail (SEC-91).
        author: Author,
    },
}

/// A recording has ended and is to be kept. Idempotent by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Which one.
    pub id: MessageId,
    /// How urgent the caller finally made it.
    pub importance: Importance,
    /// Keep only so much from its start, when silence at its end is cut off. `None` keeps all.
    pub keep: Option<Duration>,
    /// Now.
    pub at: UnixTime,
}

/// It is safe: audio and directory are synced, and the row is committed (durability point D1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// A message is in the mailbox.
    Message(Box<VoiceMessage>),
    /// A greeting took the place of the one before.
    Greeting {
        /// Whose.
        mailbox: Address,
        /// Which one.
        kind: GreetingKind,
        /// How long it plays.
        duration: Duration,
    },
}
