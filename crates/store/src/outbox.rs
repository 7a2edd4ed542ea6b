//! Mails that wait to be sent: what they tell, and how they stand. A mail is composed when it is sent, from what is
//! in the store then; its row holds no audio.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::{Address, Author, Door, GreetingKind, MessageId, MissedCall, Pin, Settings, VoiceMessage};

/// Mails that wait, of all mailboxes together. What is beyond is not mailed: a message or notice is kept as ever,
/// without a mail, and the log says so; the reset of a PIN is refused.
pub const OUTBOX_MAX: usize = 20_000;
/// Mails that wait, of one mailbox, so that none fills the queue of all. What is beyond is not mailed, as above.
pub const OUTBOX_PER_MAILBOX_MAX: usize = 1_000;
/// Most mails in one reply; the rest is asked for when these are settled.
pub const DUE_MAILS_MAX: usize = 20;
/// How long a mail is kept that could not be sent for good, for people to see; a sweep removes it then.
pub const FAILED_MAILS_KEPT: Duration = Duration::from_secs(14 * 24 * 3_600);
/// Mails that failed for good and are kept; a sweep removes the oldest beyond.
pub const FAILED_MAILS_MAX: usize = 10_000;
/// Resets of a PIN by mail for one user within [`PIN_RESET_WINDOW`]; a further one is refused.
pub const PIN_RESETS_MAX: usize = 3;
/// See [`PIN_RESETS_MAX`].
pub const PIN_RESET_WINDOW: Duration = Duration::from_secs(3_600);
/// Longest reason on record why a mail was not sent; what is longer is cut.
pub const MAIL_REASON_CHARS_MAX: usize = 300;

/// The place of a mail in the queue; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailNumber(pub u64);

/// What a mail tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tidings {
    /// A message came.
    Message(Box<VoiceMessage>),
    /// A call left no message (MISS-1).
    MissedCall(Box<MissedCall>),
    /// A greeting was changed (SEC-91).
    Greeting(GreetingChange),
    /// The owner changed a PIN or a password, or somebody else did in the owner's name.
    Secret(SecretChange),
    /// The PIN was reset (DEC-14).
    NewPin {
        /// The PIN. `None` where it cannot be read, with another key than it was written with.
        pin: Option<Pin>,
        /// When.
        at: UnixTime,
    },
}

/// What was done to a greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GreetingChange {
    /// Which one.
    pub kind: GreetingKind,
    /// It was removed; else recorded or replaced.
    pub removed: bool,
    /// By whom.
    pub author: Author,
}

/// Which secret was changed. It says nothing of what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretChange {
    /// The door that it opens.
    pub door: Door,
    /// By whom.
    pub author: Author,
}

/// Which sort of tidings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailKind {
    /// [`Tidings::Message`]
    Message,
    /// [`Tidings::MissedCall`]
    MissedCall,
    /// [`Tidings::Greeting`]
    Greeting,
    /// [`Tidings::Secret`]
    Secret,
    /// [`Tidings::NewPin`]
    NewPin,
}

impl MailKind {
    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            MailKind::Message => "message",
            MailKind::MissedCall => "missed-call",
            MailKind::Greeting => "greeting",
            MailKind::Secret => "secret",
            MailKind::NewPin => "new-pin",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [MailKind::Message, MailKind::MissedCall, MailKind::Greeting, MailKind::Secret, MailKind::NewPin]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// A mail that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueMail {
    /// Its place in the queue.
    pub number: MailNumber,
    /// 128 random bits that stand in its Message-ID: of a message its id, of a missed call that of its item.
    pub id: MessageId,
    /// To whom it goes, as it is known now.
    pub owner: Box<Settings>,
    /// What it tells, as it is known now.
    pub tidings: Tidings,
    /// When it was put into the queue.
    pub queued: UnixTime,
    /// How often the server did not take it.
    pub attempts: u32,
}

/// What became of a mail that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail server has it: it leaves the queue.
    Sent,
    /// Nobody needs it any more: it leaves the queue.
    Dropped,
    /// It is tried again.
    Later {
        /// Not before this.
        due: UnixTime,
        /// What went wrong, for people.
        reason: String,
    },
    /// It is not tried again. It is kept, for people to see; a PIN in it is wiped.
    Failed {
        /// What went wrong, for people.
        reason: String,
    },
}

/// A mail in the queue, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its place in the queue.
    pub number: MailNumber,
    /// Whose mailbox it tells of.
    pub mailbox: Address,
    /// What sort of tidings.
    pub kind: MailKind,
    /// When it was put into the queue.
    pub queued: UnixTime,
    /// When it is tried next; `None` for what failed for good.
    pub due: Option<UnixTime>,
    /// How often the server did not take it.
    pub attempts: u32,
    /// Why it was not taken last, where it was not.
    pub reason: Option<String>,
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Mails that wait.
    pub waiting: u64,
    /// Mails that failed for good and are still kept.
    pub failed: u64,
    /// When the oldest that waits was put into the queue.
    pub oldest: Option<UnixTime>,
}
