//! *What* is said. How it is said is for a [language](crate::language).

mod local_time;

use std::time::Duration;

use arrayvec::ArrayString;

use crate::keys::Key;
use crate::mailbox::{Folder, GreetingKind};
use crate::menu::Menu;

pub use local_time::{Day, LocalTime, When};

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phrase {
    // Call answering
    /// The extension of a mailbox, in place of its owner's name.
    Extension(Digits),
    /// After a name or extension: is not available.
    IsNotAvailable,
    /// Leave a message after the tone, and how to end it.
    LeaveMessage,
    /// A message can only be this long.
    AtMost(Duration),
    /// The mailbox takes no more messages.
    MailboxFull,
    /// The mailbox takes no messages.
    MailboxClosed,
    /// There is no such mailbox.
    NoSuchMailbox,
    /// Messages cannot be taken at present.
    OutOfService,
    /// The recording was too short and is gone.
    TooShort,
    /// The greatest length is reached, and what was said is kept.
    LimitReached,
    /// Record after the tone.
    RecordAfterTone,
    /// The message is urgent now.
    MarkedUrgent,
    /// The message is normal now.
    MarkedNormal,
    /// The message is stored.
    DepositSaved,
    /// The message could not be stored.
    DepositNotSaved,
    /// The message is dropped.
    DepositCancelled,

    // Log-in
    /// Which mailbox?
    EnterMailbox,
    /// The PIN?
    EnterPin,
    /// Mailbox number or PIN is wrong.
    WrongPin,
    /// Too many wrong PINs: locked for now.
    PinLocked,
    /// The present PIN, before something that a skipped PIN does not cover.
    EnterCurrentPin,
    /// This PIN was made by the system and must be changed.
    MustChangePin,
    /// A new PIN of at least so many digits.
    EnterNewPin {
        /// The fewest digits.
        least: u8,
    },
    /// The new PIN once more.
    EnterNewPinAgain,
    /// Those two differ.
    PinsDiffer,
    /// The new PIN has too few digits.
    PinTooShort {
        /// The fewest digits.
        least: u8,
    },
    /// The new PIN has too many digits.
    PinTooLong,
    /// The new PIN is too easily guessed.
    PinTooSimple,
    /// The new PIN was used before.
    PinUsedBefore,
    /// The new PIN holds from now on.
    PinChanged,

    // Mailbox
    /// So many new messages, of which so many urgent.
    Unheard {
        /// New ones, urgent ones included.
        new: u32,
        /// Urgent ones.
        urgent: u32,
    },
    /// So many old messages.
    Heard(u32),
    /// Callers hear the out-of-office greeting.
    OutOfOfficeIsOn,
    /// No further messages can be left here.
    YourMailboxIsFull,
    /// No messages in this folder.
    NoMessages(Folder),
    /// This message's number in the list.
    MessageNumber(u32),
    /// It is urgent.
    IsUrgent,
    /// It is deleted.
    IsDeleted,
    /// Its end is missing.
    IsIncomplete,
    /// It comes from a local user whose name follows.
    From,
    /// It comes from an extension.
    FromExtension(Digits),
    /// It comes from a telephone number.
    FromNumber(Digits),
    /// It comes from a telephone number that nobody vouches for.
    FromUnverifiedNumber(Digits),
    /// Nobody knows from whom it comes.
    FromUnknown,
    /// When it came.
    Received(When),
    /// How long it is.
    Lasting(Duration),
    /// It cannot be read, and stays as it is.
    CannotBeRead,
    /// It has been removed in the meantime.
    IsGone,
    /// It is deleted now.
    Deleted,
    /// It is back.
    Undeleted,
    /// It counts as new.
    KeptAsNew,
    /// It is kept.
    Saved,
    /// There is no message after this one.
    NoMoreMessages,
    /// There is no message before this one.
    NoEarlierMessages,

    // Greetings
    /// Which greeting this is, whether it exists, and whether callers hear it.
    GreetingStatus {
        /// Which.
        kind: GreetingKind,
        /// Whether it has been recorded.
        recorded: bool,
        /// Whether callers hear it.
        active: bool,
    },
    /// It has not been recorded.
    NotRecorded,
    /// It is kept.
    GreetingSaved,
    /// It is removed.
    GreetingRemoved,
    /// Callers hear it from now on.
    GreetingInUse,
    /// What was recorded is dropped, the old one stays.
    GreetingUnchanged,

    // Calling back
    /// The sender is being called.
    CallingBack,
    /// The dialling rules do not allow that.
    MayNotBeCalled,
    /// It did not succeed, or nobody knows whom to call.
    NotReached,

    // Play on Phone
    /// Who calls, for whoever has answered.
    ThisIsYourVoiceMail,

    // Everywhere
    /// The choices of a menu, with their keys.
    Choices(Menu),
    /// There is no such choice.
    NoSuchChoice,
    /// That could not be done.
    NotDone,
    /// Try again later.
    TryLater,
    /// Goodbye.
    Goodbye,
}

/// A number to be read digit by digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Digits(ArrayString<{ Digits::MAX }>);

impl Digits {
    /// The most digits that are read out. E.164 allows 15; what is longer is cut, since nobody could note it.
    pub const MAX: usize = 20;

    /// The keys in this text, without a leading plus and separators; `None` where it is no number.
    pub fn read(text: &str) -> Option<Digits> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let mut digits = ArrayString::new();
        for face in text.chars() {
            match face {
                '0'..='9' | '*' | '#' => {
                    if digits.try_push(face).is_err() {
                        break;
                    }
                }
                // RFC 3966 5.1.1: visual separators carry no meaning.
                '-' | '.' | '(' | ')' | ' ' => {}
                _ => return None,
            }
        }
        (!digits.is_empty()).then_some(Digits(digits))
    }

    /// The keys to say.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.0.chars().filter_map(Key::from_char)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_telephone_number_is_read_without_plus_and_separators() {
        let digits = Digits::read("+1 (425) 555-01.00").unwrap();
        let said: String = digits.keys().map(Key::as_char).collect();
        assert_eq!(said, "14255550100");
    }

    #[test]
    fn a_name_is_no_number() {
        assert_eq!(Digits::read("alice"), None);
        assert_eq!(Digits::read("+"), None);
        assert_eq!(Digits::read(""), None);
    }

    #[test]
    fn a_number_of_more_than_twenty_digits_is_cut() {
        assert_eq!(Digits::read(&"7".repeat(20)).unwrap().len(), 20);
        assert_eq!(Digits::read(&"7".repeat(21)).unwrap().len(), 20);
    }
}
