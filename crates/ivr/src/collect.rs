//! Prompt and collect: when a caller has finished pressing keys.
//!
//! ```text
//!   Prompting ──everything said──▶ Waiting ──patience over──▶ NoInput
//!       │ key (barge-in)             │ key
//!       └──────────────▶ Between ◀───┘        (only while digits are entered)
//!                          │ pound, the longest entry, or patience between keys over
//!                          ▼
//!                       Collected
//! ```

use std::time::Duration;

use crate::input::Input;
use crate::keys::{KEYS_MAX, Key, Keys};
use crate::menu::{KeyProfile, Menu, StrayKey};

/// What is being collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// One key of a menu.
    Menu(Menu),
    /// Digits, ended by pound or by silence.
    Digits(Entry),
}

/// Digits of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A mailbox number.
    Mailbox,
    /// The PIN.
    Pin,
    /// A new PIN.
    NewPin,
}

/// How long the first digit may take after everything was said.
const FIRST_DIGIT: Duration = Duration::from_secs(8);
/// How long the next digit may take.
const NEXT_DIGIT: Duration = Duration::from_secs(4);

impl Grammar {
    /// How long the first key may take after everything was said.
    pub const fn patience(self) -> Duration {
        match self {
            Grammar::Menu(menu) => menu.patience(),
            Grammar::Digits(_) => FIRST_DIGIT,
        }
    }
}

/// One collection going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    grammar: Grammar,
    profile: KeyProfile,
    digits: Keys,
}

/// What a key or the passing of time did to a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing; go on as before.
    Ignored,
    /// A digit came: stop speaking, and wait this long for the next one.
    More(Duration),
    /// It is over. What is being heard goes on only if `keeps_playing`.
    Finished {
        /// For the script.
        input: Input,
        /// The choice controls what is being heard.
        keeps_playing: bool,
    },
}

impl Outcome {
    fn finished(input: Input) -> Self {
        Outcome::Finished { input, keeps_playing: false }
    }
}

impl Collector {
    /// Begins.
    pub fn new(grammar: Grammar, profile: KeyProfile) -> Self {
        Collector { grammar, profile, digits: Keys::new() }
    }

    /// What is being collected.
    pub fn grammar(&self) -> Grammar {
        self.grammar
    }

    /// A key was pressed.
    pub fn key(&mut self, key: Key) -> Outcome {
        match self.grammar {
            Grammar::Menu(menu) => self.menu_key(menu, key),
            Grammar::Digits(_) => self.digit_key(key),
        }
    }

    /// The time given by [`Grammar::patience`] or [`Outcome::More`] is over.
    pub fn time_is_over(&mut self) -> Outcome {
        if self.digits.is_empty() {
            Outcome::finished(Input::NoInput)
        } else {
            Outcome::finished(Input::Collected(std::mem::take(&mut self.digits)))
        }
    }

    fn menu_key(&self, menu: Menu, key: Key) -> Outcome {
        match (menu.choice(self.profile, key), menu.stray_key()) {
            (Some(choice), _) => {
                Outcome::Finished { input: Input::Chose(choice), keeps_playing: menu.is_control(choice) }
            }
            (None, StrayKey::Ignored) => Outcome::Ignored,
            (None, StrayKey::NoMatch) => Outcome::finished(Input::NoMatch),
        }
    }

    fn digit_key(&mut self, key: Key) -> Outcome {
        match key {
            Key::Star => Outcome::finished(Input::Cancelled),
            Key::Pound if self.digits.is_empty() => Outcome::finished(Input::NoMatch),
            Key::Pound => Outcome::finished(Input::Collected(std::mem::take(&mut self.digits))),
            digit => {
                self.digits.push(digit);
                if self.digits.len() == KEYS_MAX { self.time_is_over() } else { Outcome::More(NEXT_DIGIT) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::menu::Choice;

    /// Presses keys until something is finished.
    fn collect(grammar: Grammar, faces: &str) -> Option<Input> {
        let mut collector = Collector::new(grammar, KeyProfile::Exchange);
        faces.chars().find_map(|face| match collector.key(Key::from_char(face).unwrap()) {
            Outcome::Finished { input, .. } => Some(input),
            Outcome::Ignored | Outcome::More(_) => None,
        })
    }

    const PIN: Grammar = Grammar::Digits(Entry::Pin);

    #[test]
    fn digits_end_with_pound() {
        assert_eq!(collect(PIN, "135790#9"), Some(Input::Collected(Keys::from("135790"))));
        assert_eq!(collect(PIN, "135790"), None);
    }

    #[test]
    fn pound_alone_is_no_entry() {
        assert_eq!(collect(PIN, "#"), Some(Input::NoMatch));
    }

    #[test]
    fn star_cancels_an_entry_at_any_point() {
        assert_eq!(collect(PIN, "*"), Some(Input::Cancelled));
        assert_eq!(collect(PIN, "135*790#"), Some(Input::Cancelled));
    }

    #[test]
    fn the_longest_entry_ends_by_itself() {
        assert_eq!(collect(PIN, &"7".repeat(KEYS_MAX - 1)), None);
        let longest = Keys::from("7".repeat(KEYS_MAX).as_str());
        assert_eq!(collect(PIN, &"7".repeat(KEYS_MAX + 1)), Some(Input::Collected(longest)));
    }

    #[test]
    fn time_ends_an_entry_that_was_begun_and_else_is_no_input() {
        let mut collector = Collector::new(PIN, KeyProfile::Exchange);
        assert_eq!(collector.time_is_over(), Outcome::finished(Input::NoInput));
        assert_eq!(collector.key(Key::One), Outcome::More(NEXT_DIGIT));
        assert_eq!(collector.time_is_over(), Outcome::finished(Input::Collected(Keys::from("1"))));
    }

    #[test]
    fn a_menu_takes_one_key() {
        let main = Grammar::Menu(Menu::Main);
        assert_eq!(collect(main, "1"), Some(Input::Chose(Choice::NewMessages)));
        assert_eq!(collect(main, "9"), Some(Input::NoMatch));
        assert_eq!(collect(Grammar::Menu(Menu::Greeting), "123456789"), None);
    }

    #[test]
    fn only_controls_leave_a_message_playing() {
        let mut collector = Collector::new(Grammar::Menu(Menu::Playing), KeyProfile::Exchange);
        for (key, control) in [(Key::One, true), (Key::Two, true), (Key::Seven, false), (Key::Pound, false)] {
            match collector.key(key) {
                Outcome::Finished { keeps_playing, .. } => {
                    assert_eq!(keeps_playing, control, "{}", key.as_char());
                }
                outcome => panic!("{outcome:?}"),
            }
        }
    }
}
