//! What a script must know of mailboxes and messages; the owner makes these from what the store replied.

use std::time::Duration;

use crate::phrase::{Digits, LocalTime};

pub use umbel_store::{GreetingKind, Importance, MessageId, MessageState};

/// Which messages to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Folder {
    /// Not heard yet.
    New,
    /// Heard or saved.
    Old,
}

/// What an owner hears on entering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Messages not heard yet, urgent ones included.
    pub new: u32,
    /// How many of those are urgent.
    pub urgent: u32,
    /// Messages heard or saved.
    pub old: u32,
    /// No further message can be left.
    pub full: bool,
    /// Callers hear the out-of-office greeting.
    pub out_of_office: bool,
}

/// One line of a list: enough to put the list into order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The message.
    pub id: MessageId,
    /// Urgent ones are heard first.
    pub urgent: bool,
}

/// Everything said about a message besides its sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The message.
    pub id: MessageId,
    /// Who left it.
    pub caller: Caller,
    /// When, by the clock of the mailbox.
    pub received: LocalTime,
    /// What that clock shows now, for "today" and "yesterday".
    pub now: LocalTime,
    /// How long it is.
    pub duration: Duration,
    /// Whether it is urgent.
    pub importance: Importance,
    /// Where it stands.
    pub state: MessageState,
    /// Its end was lost, by a crash or a broken line.
    pub incomplete: bool,
}

/// Who left a message, as far as it can be spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A local user with a recorded name.
    Named,
    /// A local user, by extension.
    Extension(Digits),
    /// A telephone number that a believed peer stated.
    Number(Digits),
    /// A telephone number that nobody vouches for (DEC-18).
    UnverifiedNumber(Digits),
    /// Nothing that can be spoken.
    Unknown,
}

/// Whether who left a message may be called (SEC-90).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A user here.
    Inside,
    /// A number outside that the dialling rules allow.
    Outside,
    /// One that they do not allow, or that nobody vouches for.
    NotAllowed,
}

/// What the store could do about a message that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It can be played.
    Readable(Box<Envelope>),
    /// It is there, but its sound is damaged (REL-05) or cannot be read now (REL-38).
    Unreadable(Box<Envelope>),
    /// Somebody else removed it in the meantime (REL-08).
    Gone,
}

/// Which greetings exist, and which one callers hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greetings {
    /// The standard greeting has been recorded.
    pub standard: bool,
    /// The out-of-office greeting has been recorded.
    pub out_of_office: bool,
    /// The name has been recorded.
    pub name: bool,
    /// Callers hear the out-of-office greeting.
    pub out_of_office_active: bool,
}

impl Greetings {
    /// Whether this kind has been recorded.
    pub const fn has(&self, kind: GreetingKind) -> bool {
        match kind {
            GreetingKind::Standard => self.standard,
            GreetingKind::OutOfOffice => self.out_of_office,
            GreetingKind::Name => self.name,
        }
    }

    /// Whether callers hear this kind.
    pub const fn is_active(&self, kind: GreetingKind) -> bool {
        match kind {
            GreetingKind::Standard => !self.out_of_office_active,
            GreetingKind::OutOfOffice => self.out_of_office_active,
            GreetingKind::Name => false,
        }
    }
}

/// What became of an entered PIN. An unknown mailbox is `Wrong` (SEC-86), after the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinVerdict {
    /// It is right.
    Right {
        /// It was made by us and must be changed now (DEC-14, SEC-89).
        must_change: bool,
    },
    /// It is wrong, or there is no such mailbox.
    Wrong,
    /// Too many wrong ones before; this one was not looked at (SEC-85).
    Locked,
}

/// Why a new PIN was refused (SEC-83).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinRefusal {
    /// Fewer digits than the policy asks for.
    TooShort,
    /// More digits than a PIN may have.
    TooLong,
    /// A sequence, a repetition, or the extension inside it.
    TooSimple,
    /// One of the last five.
    UsedBefore,
}
