//! English.

mod dates;
mod menus;
mod numbers;

use std::time::Duration;

use crate::language::{Prompt, Word};
use crate::mailbox::{Folder, GreetingKind};
use crate::menu::KeyProfile;
use crate::phrase::Phrase;

/// After a sentence.
const BETWEEN_SENTENCES: Duration = Duration::from_millis(300);
/// After a part of one.
const BETWEEN_PARTS: Duration = Duration::from_millis(150);

/// A phrase while it is put together.
#[derive(Default)]
struct Sentence(Vec<Word>);

impl Sentence {
    fn prompt(&mut self, name: &'static str) -> &mut Self {
        self.0.push(Word::Prompt(Prompt(name)));
        self
    }

    fn gap(&mut self, length: Duration) -> &mut Self {
        self.0.push(Word::Gap(length));
        self
    }

    /// The first name where there is one of something, else the second.
    fn plural(&mut self, count: u32, one: &'static str, several: &'static str) -> &mut Self {
        self.prompt(if count == 1 { one } else { several })
    }
}

/// What to play so that a phrase is heard.
pub(super) fn say(phrase: &Phrase, profile: KeyProfile) -> Vec<Word> {
    let mut said = Sentence::default();
    put(phrase, profile, &mut said);
    said.gap(BETWEEN_SENTENCES);
    said.0
}

fn put(phrase: &Phrase, profile: KeyProfile, said: &mut Sentence) {
    match phrase {
        Phrase::Extension(digits) => said.prompt("extension").digits(digits),
        Phrase::IsNotAvailable => said.prompt("is-not-available"),
        Phrase::LeaveMessage => said.prompt("leave-message"),
        Phrase::AtMost(limit) => said.prompt("your-message-can-last").duration(*limit),
        Phrase::MailboxFull => said.prompt("mailbox-full"),
        Phrase::MailboxClosed => said.prompt("mailbox-closed"),
        Phrase::NoSuchMailbox => said.prompt("no-such-mailbox"),
        Phrase::OutOfService => said.prompt("out-of-service"),
        Phrase::TooShort => said.prompt("too-short"),
        Phrase::LimitReached => said.prompt("limit-reached"),
        Phrase::RecordAfterTone => said.prompt("record-after-tone"),
        Phrase::MarkedUrgent => said.prompt("marked-urgent"),
        Phrase::MarkedNormal => said.prompt("marked-normal"),
        Phrase::DepositSaved => said.prompt("deposit-saved"),
        Phrase::DepositNotSaved => said.prompt("deposit-not-saved"),
        Phrase::DepositCancelled => said.prompt("deposit-cancelled"),

        Phrase::EnterMailbox => said.prompt("enter-mailbox"),
        Phrase::EnterPin => said.prompt("enter-pin"),
        Phrase::WrongPin => said.prompt("wrong-pin"),
        Phrase::PinLocked => said.prompt("pin-locked"),
        Phrase::EnterCurrentPin => said.prompt("enter-current-pin"),
        Phrase::MustChangePin => said.prompt("must-change-pin"),
        Phrase::EnterNewPin { least } => said.prompt("enter-new-pin").number(u32::from(*least)).plural(
            u32::from(*least),
            "digit-then-pound",
            "digits-then-pound",
        ),
        Phrase::EnterNewPinAgain => said.prompt("enter-new-pin-again"),
        Phrase::PinsDiffer => said.prompt("pins-differ"),
        Phrase::PinTooShort { least } => said.prompt("pin-too-short").number(u32::from(*least)).plural(
            u32::from(*least),
            "digit",
            "digits",
        ),
        Phrase::PinTooLong => said.prompt("pin-too-long"),
        Phrase::PinTooSimple => said.prompt("pin-too-simple"),
        Phrase::PinUsedBefore => said.prompt("pin-used-before"),
        Phrase::PinChanged => said.prompt("pin-changed"),

        Phrase::Unheard { new, urgent } => said.unheard(*new, *urgent),
        Phrase::Heard(count) => {
            said.prompt("you-have").number(*count).plural(*count, "old-message", "old-messages")
        }
        Phrase::OutOfOfficeIsOn => said.prompt("out-of-office-is-on"),
        Phrase::YourMailboxIsFull => said.prompt("your-mailbox-is-full"),
        Phrase::NoMessages(Folder::New) => said.prompt("you-have-no-new-messages"),
        Phrase::NoMessages(Folder::Old) => said.prompt("you-have-no-old-messages"),
        Phrase::MessageNumber(number) => said.prompt("message-number").number(*number),
        Phrase::IsUrgent => said.prompt("urgent"),
        Phrase::IsDeleted => said.prompt("is-deleted"),
        Phrase::IsIncomplete => said.prompt("is-incomplete"),
        Phrase::From => said.prompt("from"),
        Phrase::FromExtension(digits) => said.prompt("from-extension").digits(digits),
        Phrase::FromNumber(digits) => said.prompt("from-number").digits(digits),
        Phrase::FromUnverifiedNumber(digits) => said.prompt("from-unverified-number").digits(digits),
        Phrase::FromUnknown => said.prompt("from-unknown"),
        Phrase::Received(when) => said.prompt("received").when(when),
        Phrase::Lasting(duration) => said.prompt("lasting").duration(*duration),
        Phrase::CannotBeRead => said.prompt("cannot-be-read"),
        Phrase::IsGone => said.prompt("is-gone"),
        Phrase::Deleted => said.prompt("deleted"),
        Phrase::Undeleted => said.prompt("undeleted"),
        Phrase::KeptAsNew => said.prompt("kept-as-new"),
        Phrase::Saved => said.prompt("saved"),
        Phrase::NoMoreMessages => said.prompt("no-more-messages"),
        Phrase::NoEarlierMessages => said.prompt("no-earlier-messages"),

        Phrase::GreetingStatus { kind, recorded, active } => {
            said.prompt(match kind {
                GreetingKind::Standard => "standard-greeting",
                GreetingKind::OutOfOffice => "out-of-office-greeting",
                GreetingKind::Name => "recorded-name",
            });
            said.gap(BETWEEN_PARTS);
            if !recorded {
                said.prompt("not-recorded");
            }
            if *active {
                said.prompt("in-use");
            }
            said
        }
        Phrase::NotRecorded => said.prompt("not-recorded"),
        Phrase::GreetingSaved => said.prompt("greeting-saved"),
        Phrase::GreetingRemoved => said.prompt("greeting-removed"),
        Phrase::GreetingInUse => said.prompt("greeting-in-use"),
        Phrase::GreetingUnchanged => said.prompt("greeting-unchanged"),

        Phrase::CallingBack => said.prompt("calling-back"),
        Phrase::MayNotBeCalled => said.prompt("may-not-be-called"),
        Phrase::NotReached => said.prompt("not-reached"),

        Phrase::ThisIsYourVoiceMail => said.prompt("this-is-your-voice-mail"),

        Phrase::Choices(menu) => said.menu(*menu, profile),
        Phrase::NoSuchChoice => said.prompt("no-such-choice"),
        Phrase::NotDone => said.prompt("not-done"),
        Phrase::TryLater => said.prompt("try-later"),
        Phrase::Goodbye => said.prompt("goodbye"),
    };
}

impl Sentence {
    fn unheard(&mut self, new: u32, urgent: u32) -> &mut Self {
        match (new, urgent) {
            (0, _) => self.prompt("you-have-no-new-messages"),
            (_, 0) => self.prompt("you-have").number(new).plural(new, "new-message", "new-messages"),
            (1, _) => self.prompt("you-have").number(1).prompt("new-message").prompt("which-is-urgent"),
            (_, _) => self
                .prompt("you-have")
                .number(new)
                .prompt("new-messages")
                .gap(BETWEEN_PARTS)
                .number(urgent)
                .plural(urgent, "of-them-is-urgent", "of-them-are-urgent"),
        }
    }
}
