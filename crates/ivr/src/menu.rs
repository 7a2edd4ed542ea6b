//! Menus as tables: key → choice → phrase. The spoken list, the grammar and `docs/menus.md` derive from them.

mod asterisk;
mod exchange;

use std::time::Duration;

use crate::keys::Key;

/// Whose habits the keys follow: `[um] keys`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyProfile {
    /// As users of Exchange unified messaging know them.
    #[default]
    Exchange,
    /// As users of Asterisk's voice mail know them.
    Asterisk,
}

/// A moment at which keys mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Menu {
    /// A caller hears the greeting.
    Greeting,
    /// A caller, or an owner, is being recorded.
    Recording,
    /// A caller decides about the message just recorded.
    Review,
    /// An owner has entered.
    Main,
    /// An owner chooses which messages to go through.
    Folders,
    /// A message is being played.
    Playing,
    /// A message is held.
    Paused,
    /// A message has been played.
    Message,
    /// A deleted message has been played.
    DeletedMessage,
    /// More about a message.
    Advanced,
    /// Greetings and PIN.
    Options,
    /// One greeting.
    Greetings,
    /// The spoken name.
    Name,
    /// An owner decides about the greeting just recorded.
    GreetingReview,
    /// Whoever answered our call has to press a key before anything is played (DEC-27).
    Confirmation,
    /// A message is being played on a telephone that we called.
    PhonePlaying,
    /// It is held there.
    PhonePaused,
    /// It has been played there.
    PhoneHeard,
    /// A greeting, on a telephone that we called.
    PhoneGreeting,
}

/// What a key of a menu stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// Leave out the rest of the greeting.
    Skip,
    /// Into the mailbox whose greeting this is.
    LogIn,
    /// End the recording.
    Finish,
    /// Hear what was recorded.
    Listen,
    /// Record it anew.
    RecordAgain,
    /// Make the message urgent, or normal again.
    Urgent,
    /// Send the message.
    Send,
    /// Drop the message.
    Cancel,
    /// Go through the new messages.
    NewMessages,
    /// Go through the old messages.
    OldMessages,
    /// Choose the messages to go through.
    Folders,
    /// Greetings and PIN.
    Options,
    /// End the call.
    Exit,
    /// Hear the choices again.
    Help,
    /// A few seconds back.
    Rewind,
    /// Hold, or go on.
    Pause,
    /// A few seconds onward.
    Forward,
    /// Slower.
    Slower,
    /// Faster.
    Faster,
    /// Softer.
    Softer,
    /// Louder.
    Louder,
    /// Hear the message from its beginning.
    Repeat,
    /// Hear who left it and when.
    Envelope,
    /// Delete the message; a deleted one: take that back.
    Delete,
    /// Take back that it was deleted.
    Undelete,
    /// Let it count as new.
    KeepAsNew,
    /// Keep it as old.
    Save,
    /// On to the next message, this one staying as it is.
    Next,
    /// Back to the message before.
    Previous,
    /// More about this message.
    Advanced,
    /// Back to where one came from.
    Back,
    /// The standard greeting.
    StandardGreeting,
    /// The out-of-office greeting.
    OutOfOfficeGreeting,
    /// The spoken name.
    Name,
    /// A new PIN.
    ChangePin,
    /// Record it.
    Record,
    /// Remove it.
    Remove,
    /// Let callers hear it.
    Use,
    /// Take what was recorded.
    Accept,
    /// Hear what we called for.
    Confirm,
    /// Call who left the message.
    CallBack,
}

/// One line of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Key,
    /// What it stands for.
    pub choice: Choice,
}

/// What a key does that the menu does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrayKey {
    /// Nothing: a slip of the finger must not cut short what is being heard.
    Ignored,
    /// Says that there is no such choice.
    NoMatch,
}

impl Menu {
    /// All menus, in the order in which people meet them.
    pub const ALL: [Menu; 19] = {
        use Menu::*;
        [
            Greeting,
            Recording,
            Review,
            Main,
            Folders,
            Playing,
            Paused,
            Message,
            DeletedMessage,
            Advanced,
            Options,
            Greetings,
            Name,
            GreetingReview,
            Confirmation,
            PhonePlaying,
            PhonePaused,
            PhoneHeard,
            PhoneGreeting,
        ]
    };

    /// The table.
    pub const fn rows(self, profile: KeyProfile) -> &'static [Row] {
        match profile {
            KeyProfile::Exchange => exchange::rows(self),
            KeyProfile::Asterisk => asterisk::rows(self),
        }
    }

    /// What a key stands for here.
    pub fn choice(self, profile: KeyProfile, key: Key) -> Option<Choice> {
        self.rows(profile).iter().find(|row| row.key == key).map(|row| row.choice)
    }

    /// How long a key may take after everything was said; zero: the menu ends with what it accompanies.
    pub const fn patience(self) -> Duration {
        match self {
            Menu::Greeting | Menu::Recording | Menu::Playing | Menu::PhonePlaying => Duration::ZERO,
            Menu::Paused | Menu::PhonePaused => Duration::from_secs(60),
            // POP-8: the call ends with the message; this is for who wants it once more.
            Menu::PhoneHeard => Duration::from_secs(2),
            _ => Duration::from_secs(6),
        }
    }

    /// What other keys do here.
    pub const fn stray_key(self) -> StrayKey {
        match self {
            Menu::Greeting | Menu::Recording | Menu::Playing | Menu::Paused => StrayKey::Ignored,
            // POP-11: "Keys outside playback do nothing".
            Menu::Confirmation
            | Menu::PhonePlaying
            | Menu::PhonePaused
            | Menu::PhoneHeard
            | Menu::PhoneGreeting => StrayKey::Ignored,
            _ => StrayKey::NoMatch,
        }
    }

    /// Whether a choice leaves going what is being heard, instead of cutting it short.
    pub const fn is_control(self, choice: Choice) -> bool {
        use Choice::*;
        matches!(self, Menu::Playing | Menu::Paused | Menu::PhonePlaying | Menu::PhonePaused)
            && matches!(choice, Rewind | Pause | Forward | Slower | Faster | Softer | Louder)
    }
}

impl Choice {
    /// All choices.
    pub const ALL: [Choice; 41] = {
        use Choice::*;
        [
            Skip,
            LogIn,
            Finish,
            Listen,
            RecordAgain,
            Urgent,
            Send,
            Cancel,
            NewMessages,
            OldMessages,
            Folders,
            Options,
            Exit,
            Help,
            Rewind,
            Pause,
            Forward,
            Slower,
            Faster,
            Softer,
            Louder,
            Repeat,
            Envelope,
            Delete,
            Undelete,
            KeepAsNew,
            Save,
            Next,
            Previous,
            Advanced,
            Back,
            StandardGreeting,
            OutOfOfficeGreeting,
            Name,
            ChangePin,
            Record,
            Remove,
            Use,
            Accept,
            Confirm,
            CallBack,
        ]
    };
}

/// A table of `key => choice` lines.
macro_rules! menu {
    ($($key:ident => $choice:ident),* $(,)?) => {
        &[$($crate::menu::Row { key: $crate::keys::Key::$key, choice: $crate::menu::Choice::$choice }),*]
    };
}
use menu;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    const PROFILES: [KeyProfile; 2] = [KeyProfile::Exchange, KeyProfile::Asterisk];

    #[test]
    fn no_menu_gives_a_key_two_meanings_or_a_choice_two_keys() {
        for profile in PROFILES {
            for menu in Menu::ALL {
                let rows = menu.rows(profile);
                let keys: BTreeSet<_> = rows.iter().map(|row| row.key).collect();
                let choices: BTreeSet<_> = rows.iter().map(|row| row.choice).collect();
                assert_eq!((keys.len(), choices.len()), (rows.len(), rows.len()), "{menu:?} {profile:?}");
            }
        }
    }

    #[test]
    fn every_choice_can_be_reached_in_both_profiles() {
        for profile in PROFILES {
            let reached: BTreeSet<_> =
                Menu::ALL.iter().flat_map(|menu| menu.rows(profile)).map(|row| row.choice).collect();
            let missing: Vec<_> = Choice::ALL.iter().filter(|choice| !reached.contains(choice)).collect();
            // Exchange needs neither: its keys name the folders and all choices of a message directly.
            match profile {
                KeyProfile::Exchange => assert_eq!(missing, [&Choice::Folders, &Choice::Advanced]),
                KeyProfile::Asterisk => assert!(missing.is_empty(), "{missing:?}"),
            }
        }
    }

    #[test]
    fn a_menu_that_waits_for_a_choice_can_be_heard_again() {
        for profile in PROFILES {
            for menu in Menu::ALL.into_iter().filter(|menu| menu.stray_key() == StrayKey::NoMatch) {
                assert!(
                    menu.rows(profile).iter().any(|row| row.choice == Choice::Help),
                    "{menu:?} {profile:?}"
                );
            }
        }
    }

    #[test]
    fn asterisk_users_find_their_keys() {
        let key = |menu: Menu, face| menu.choice(KeyProfile::Asterisk, Key::from_char(face).unwrap());
        let message = "3456790".chars().map(|face| key(Menu::Message, face).unwrap()).collect::<Vec<_>>();
        use Choice::*;
        assert_eq!(message, [Advanced, Previous, Repeat, Next, Delete, Save, Options]);
        assert_eq!(key(Menu::Message, '*'), Some(Help));
        assert_eq!(key(Menu::Message, '#'), Some(Exit));
        assert_eq!(key(Menu::Main, '1'), Some(NewMessages));
        assert_eq!(key(Menu::Main, '0'), Some(Options));
    }
}
