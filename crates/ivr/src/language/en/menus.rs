//! Menus in English: "To delete this message, press seven."

use super::{BETWEEN_PARTS, Sentence};
use crate::menu::{Choice, KeyProfile, Menu};

impl Sentence {
    /// Every choice of a menu with its key, in the order of the table.
    pub(super) fn menu(&mut self, menu: Menu, profile: KeyProfile) -> &mut Self {
        for row in menu.rows(profile) {
            self.prompt(choice_name(row.choice)).prompt("press").key(row.key).gap(BETWEEN_PARTS);
        }
        self
    }
}

fn choice_name(choice: Choice) -> &'static str {
    match choice {
        Choice::Skip => "choice/skip",
        Choice::LogIn => "choice/log-in",
        Choice::Finish => "choice/finish",
        Choice::Listen => "choice/listen",
        Choice::RecordAgain => "choice/record-again",
        Choice::Urgent => "choice/urgent",
        Choice::Send => "choice/send",
        Choice::Cancel => "choice/cancel",
        Choice::NewMessages => "choice/new-messages",
        Choice::OldMessages => "choice/old-messages",
        Choice::Folders => "choice/folders",
        Choice::Options => "choice/options",
        Choice::Exit => "choice/exit",
        Choice::Help => "choice/help",
        Choice::Rewind => "choice/rewind",
        Choice::Pause => "choice/pause",
        Choice::Forward => "choice/forward",
        Choice::Slower => "choice/slower",
        Choice::Faster => "choice/faster",
        Choice::Softer => "choice/softer",
        Choice::Louder => "choice/louder",
        Choice::Repeat => "choice/repeat",
        Choice::Envelope => "choice/envelope",
        Choice::Delete => "choice/delete",
        Choice::Undelete => "choice/undelete",
        Choice::KeepAsNew => "choice/keep-as-new",
        Choice::Save => "choice/save",
        Choice::Next => "choice/next",
        Choice::Previous => "choice/previous",
        Choice::Advanced => "choice/advanced",
        Choice::Back => "choice/back",
        Choice::StandardGreeting => "choice/standard-greeting",
        Choice::OutOfOfficeGreeting => "choice/out-of-office-greeting",
        Choice::Name => "choice/name",
        Choice::ChangePin => "choice/change-pin",
        Choice::Record => "choice/record",
        Choice::Remove => "choice/remove",
        Choice::Use => "choice/use",
        Choice::Accept => "choice/accept",
        Choice::Confirm => "choice/confirm",
        Choice::CallBack => "choice/call-back",
    }
}
