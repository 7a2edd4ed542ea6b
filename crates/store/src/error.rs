//! What can go wrong, by whose fault.

use crate::{GreetingKind, MessageId, WeakPin};

/// A setting that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not 1 to 20 digits.
    #[error("an extension is 1 to 20 digits")]
    Extension,
    /// Another user has this extension or alias.
    #[error("this extension or alias belongs to another user")]
    Taken,
    /// The list has another entry for this address.
    #[error("this address stands in the list twice")]
    Twice,
    /// Empty, too long, or one too many.
    #[error("an alias is a short text without control characters, and there are at most 32 of them")]
    Alias,
    /// Too long, or with control characters.
    #[error("a name has at most 255 characters and no control characters")]
    Name,
    /// Not of the form user@domain.
    #[error("a mail address has the form user@domain")]
    Email,
    /// Not a language tag.
    #[error("a language is a short word such as en or en-GB")]
    Language,
    /// Not a time zone name.
    #[error("a time zone is a name such as Europe/Berlin")]
    TimeZone,
    /// Too long, or with control characters.
    #[error("a dial string has at most 128 characters and no control characters")]
    DialString,
    /// Not base 64, or too long.
    #[error("a folder is named by at most 512 characters of base 64")]
    Folder,
    /// Not a rule name, too long a value, or one rule too many.
    #[error(
        "a routing rule is a short word with a value of at most 255 characters, and there are at most 64"
    )]
    Routing,
}

/// The store does not do this: an answer, not a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No user has this address.
    #[error("there is no such user")]
    NoSuchUser,
    /// The user is there already.
    #[error("the user is there already")]
    UserExists,
    /// The mailbox is disabled.
    #[error("the mailbox is disabled")]
    Disabled,
    /// The mailbox holds as many messages as it may (REL-10).
    #[error("the mailbox is full")]
    MailboxFull,
    /// No message of this id is in this mailbox.
    #[error("there is no such message")]
    NoSuchMessage(MessageId),
    /// No recording of this id is running.
    #[error("there is no such recording")]
    NoSuchRecording(MessageId),
    /// The recording reached the longest that is stored at all; what there is can be finished.
    #[error("the recording is as long as may be")]
    RecordingTooLong,
    /// No such greeting is recorded.
    #[error("there is no such greeting")]
    NoSuchGreeting(GreetingKind),
    /// The PIN is too easy, too short or was used before (SEC-83).
    #[error("the PIN is refused: {0}")]
    WeakPin(WeakPin),
    /// Mail is wanted, and no mail server is configured.
    #[error("no mail server is configured: see [mail]")]
    MailNotSetUp,
    /// Mail is wanted, and the user has no address for it.
    #[error("the user has no mail address")]
    NoMailAddress,
    /// The PIN was reset by mail as often as it may be within an hour.
    #[error("the PIN was reset too often; try again in an hour")]
    TooManyPinResets,
    /// As many mails wait as may.
    #[error("too many mails wait to be sent")]
    OutboxFull,
    /// A setting breaks a rule.
    #[error("{0}")]
    Invalid(Invalid),
    /// An entry of a list breaks a rule; counted from zero.
    #[error("entry {entry}: {refusal}")]
    Entry {
        /// Which one.
        entry: usize,
        /// What is wrong with it.
        refusal: EntryRefusal,
    },
}

/// What is wrong with one entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryRefusal {
    /// The PIN is refused.
    #[error("the PIN is refused: {0}")]
    WeakPin(WeakPin),
    /// A setting breaks a rule.
    #[error("{0}")]
    Invalid(Invalid),
}

/// Why an operation did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Policy; asking again gives the same.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk is full, or nearly: only running recordings are still written (REL-11).
    #[error("the disk is full")]
    DiskFull,
    /// Another program holds the store; try again later (REL-12).
    #[error("the store is in use by another program")]
    Busy,
    /// Reading, writing or syncing failed (REL-09): nothing of it is called saved.
    #[error("the disk failed")]
    Disk,
    /// The store is damaged: it is read, as far as it can be, and not written (REL-18).
    #[error("the store is damaged")]
    Damaged,
    /// The audio of a message is gone; the message stays listed, as damaged (REL-05).
    #[error("the audio is missing")]
    AudioMissing,
    /// The worker has more to do than it may queue.
    #[error("the store has too much to do")]
    Overloaded,
}

impl From<EntryRefusal> for Refusal {
    fn from(refusal: EntryRefusal) -> Refusal {
        match refusal {
            EntryRefusal::WeakPin(weak) => Refusal::WeakPin(weak),
            EntryRefusal::Invalid(invalid) => Refusal::Invalid(invalid),
        }
    }
}
