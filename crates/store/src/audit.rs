//! The audit trail: who entered a mailbox, and who changed what.

use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::{ActiveGreeting, Address, Door, GreetingKind, MessageId};

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// The owner by telephone, after the PIN.
    OwnerByPin {
        /// The call.
        call_id: String,
    },
    /// The owner by telephone, in a call that skipped the PIN.
    OwnerBySkip {
        /// The call.
        call_id: String,
    },
    /// Whoever answered the telephone that the owner had us call (Play on Phone).
    OwnerOnPhone {
        /// The call.
        call_id: String,
    },
    /// The owner by web, SOAP or API.
    OwnerByWeb,
    /// An administrator, by name where known.
    Administrator(String),
    /// The store itself.
    Store,
}

impl Author {
    /// The call, where it was done in one.
    pub fn call_id(&self) -> Option<&str> {
        match self {
            Author::OwnerByPin { call_id }
            | Author::OwnerBySkip { call_id }
            | Author::OwnerOnPhone { call_id } => Some(call_id),
            Author::OwnerByWeb | Author::Administrator(_) | Author::Store => None,
        }
    }
}

/// What was done. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A PIN or password was right.
    SignedIn,
    /// The mailbox was opened without a PIN (CMD-10).
    SignInSkipped,
    /// A PIN or password was wrong.
    SignInFailed {
        /// Failures in a row, this one counted.
        failures: u32,
        /// This failure locked the door.
        locked: bool,
    },
    /// A PIN or password was not looked at, because the door or the caller is locked.
    SignInRefused,
    /// A PIN was set.
    PinChanged {
        /// By us, and to be changed.
        generated: bool,
    },
    /// A password was set.
    PasswordChanged,
    /// Counters were set back.
    Unlocked,
    /// A greeting was recorded or replaced (SEC-91).
    GreetingRecorded(GreetingKind),
    /// A greeting was removed.
    GreetingRemoved(GreetingKind),
    /// Another greeting was chosen.
    GreetingChosen(ActiveGreeting),
    /// A user was added.
    UserAdded,
    /// Settings of a user were changed.
    UserChanged,
    /// A user, the mailbox and all in it were removed.
    UserRemoved,
    /// A message was deleted.
    MessageDeleted(MessageId),
    /// A deleted message was brought back.
    MessageRestored(MessageId),
    /// The message was to be played on a telephone, as somebody else than its owner asked.
    PlayedOnPhone(MessageId),
    /// Audio was found not to be what was stored (REL-05).
    DamageFound(MessageId),
    /// An unfinished recording was found at start and kept (REL-02).
    RecordingRecovered(MessageId),
    /// An unfinished recording was found at start and was too short to keep (REL-02).
    RecordingDropped(MessageId),
}

impl Event {
    /// The word in records and outputs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Event::SignedIn => "signed-in",
            Event::SignInSkipped => "sign-in-skipped",
            Event::SignInFailed { .. } => "sign-in-failed",
            Event::SignInRefused => "sign-in-refused",
            Event::PinChanged { .. } => "pin-changed",
            Event::PasswordChanged => "password-changed",
            Event::Unlocked => "unlocked",
            Event::GreetingRecorded(_) => "greeting-recorded",
            Event::GreetingRemoved(_) => "greeting-removed",
            Event::GreetingChosen(_) => "greeting-chosen",
            Event::UserAdded => "user-added",
            Event::UserChanged => "user-changed",
            Event::UserRemoved => "user-removed",
            Event::MessageDeleted(_) => "message-deleted",
            Event::MessageRestored(_) => "message-restored",
            Event::PlayedOnPhone(_) => "played-on-phone",
            Event::DamageFound(_) => "damage-found",
            Event::RecordingRecovered(_) => "recording-recovered",
            Event::RecordingDropped(_) => "recording-dropped",
        }
    }
}

/// One line of the audit trail. Kept 90 days (DEC-37).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: UnixTime,
    /// Whose mailbox, as it was given; it need not exist.
    pub mailbox: Address,
    /// The call, where it happened in one.
    pub call_id: Option<String>,
    /// Through which door, for sign-ins.
    pub door: Option<Door>,
    /// Who did it, or seemed to.
    pub author: Option<Author>,
    /// What was done.
    pub event: Event,
}
