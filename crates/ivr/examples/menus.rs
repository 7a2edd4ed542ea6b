//! Writes `docs/menus.md` from the tables: `cargo run -q -p umbel-ivr --example menus > docs/menus.md`.

use std::fmt::Write;

use umbel_ivr::language::Word;
use umbel_ivr::{KeyProfile, Language, Menu, Phrase};

fn main() {
    #[allow(clippy::print_stdout)]
    {
        print!("{}", document());
    }
}

/// The whole document.
pub fn document() -> String {
    let mut text = String::from(INTRODUCTION);
    for menu in Menu::ALL {
        // Writing to a string does not fail.
        let _ = write!(text, "\n## {}\n\n{}\n\n", title(menu), when(menu));
        let _ = write!(text, "| choice | `exchange` | `asterisk` |\n|---|:-:|:-:|\n");
        for (choice, [exchange, asterisk]) in choices(menu) {
            let _ = writeln!(text, "| {choice} | {exchange} | {asterisk} |");
        }
    }
    text
}

const INTRODUCTION: &str = "\
# Keys and menus

<!-- Written by `cargo run -q -p umbel-ivr --example menus > docs/menus.md` from the tables in crates/ivr/src/menu.
     A test fails while it is stale. -->

What each key does, by the key profile of the configuration (`[um] keys`): `exchange`, the default, for people who
know Exchange unified messaging; `asterisk` for people who know Asterisk's voice mail. The words are those that are
spoken.

Any key of a menu may be pressed before the menu has been read out, and several in a row before the system has
followed. PINs and mailbox numbers end with pound, or by a pause of four seconds; star cancels, and at the log-in it
asks for another mailbox. After three wrong or missing entries in a row the system says goodbye; three wrong PINs in
one call do as well.
";

/// The choices of a menu with their keys in both profiles, in the order of the first that has them.
fn choices(menu: Menu) -> Vec<(String, [String; 2])> {
    let key = |profile: KeyProfile, choice| {
        let row = menu.rows(profile).iter().find(|row| row.choice == choice);
        row.map_or(String::new(), |row| format!("`{}`", row.key.as_char()))
    };
    let exchange = menu.rows(KeyProfile::Exchange).iter();
    let only_asterisk = menu
        .rows(KeyProfile::Asterisk)
        .iter()
        .filter(|row| menu.rows(KeyProfile::Exchange).iter().all(|other| other.choice != row.choice));
    exchange
        .chain(only_asterisk)
        .map(|row| {
            let profile = if key(KeyProfile::Exchange, row.choice).is_empty() {
                KeyProfile::Asterisk
            } else {
                KeyProfile::Exchange
            };
            let keys = [key(KeyProfile::Exchange, row.choice), key(KeyProfile::Asterisk, row.choice)];
            (spoken(menu, profile, row), keys)
        })
        .collect()
}

/// What is said of a choice, without its key.
fn spoken(menu: Menu, profile: KeyProfile, row: &umbel_ivr::menu::Row) -> String {
    let at = menu.rows(profile).iter().position(|other| other == row).unwrap_or_default();
    let words = Language::English.say(&Phrase::Choices(menu), profile);
    let names = words.iter().filter_map(|word| match word {
        Word::Prompt(prompt) => Some(prompt.0),
        Word::Gap(_) => None,
    });
    // A choice is three recordings: what for, "press", the key.
    let name = names.step_by(3).nth(at).unwrap_or_default();
    umbel_prompts::text(name).unwrap_or_default().trim_end_matches(',').to_owned()
}

fn title(menu: Menu) -> &'static str {
    match menu {
        Menu::Greeting => "While a greeting plays",
        Menu::Recording => "While recording",
        Menu::Review => "After leaving a message",
        Menu::Main => "Main menu",
        Menu::Folders => "New or old messages",
        Menu::Playing => "While a message plays",
        Menu::Paused => "While a message is held",
        Menu::Message => "After a message",
        Menu::DeletedMessage => "After a deleted message",
        Menu::Advanced => "More about a message",
        Menu::Options => "Greetings and options",
        Menu::Greetings => "One greeting",
        Menu::Name => "The recorded name",
        Menu::GreetingReview => "After recording a greeting",
        Menu::Confirmation => "Play on Phone: before anything is played",
        Menu::PhonePlaying => "Play on Phone: while the message plays",
        Menu::PhonePaused => "Play on Phone: while the message is held",
        Menu::PhoneHeard => "Play on Phone: after the message",
        Menu::PhoneGreeting => "Play on Phone: a greeting",
    }
}

fn when(menu: Menu) -> &'static str {
    match menu {
        Menu::Greeting => "A caller hears it, and need not wait for the tone. Other keys do nothing.",
        Menu::Recording => "Other keys do nothing. Hanging up, silence and the longest length end it too.",
        Menu::Review => "Hanging up, or pressing nothing three times, sends the message.",
        Menu::Main => "After the number of messages has been said.",
        Menu::Folders => "Reached from the main menu and from a message, in the profile `asterisk`.",
        Menu::Playing => {
            "A message counts as heard once it has been played to its end. Going on before that leaves it as it is. \
             Pressing the key for deleting during a deleted message brings it back."
        }
        Menu::Paused => "As while it plays. After a minute the message goes on by itself.",
        Menu::Message => {
            "Deleting, saving and keeping as new go on to the next message. Calling back sends the telephone on; where \
             nobody is reached it comes back here. A number outside needs `[dialling] allow`, and the PIN where the call \
             came in without."
        }
        Menu::DeletedMessage => "A message deleted in this call keeps its place until the list is left.",
        Menu::Advanced => {
            "Reached from a message, in the profile `asterisk`; speed and volume hold for the call."
        }
        Menu::Options => "Changing the PIN asks for the present one if the call came in without.",
        Menu::Greetings => "The standard and the out-of-office greeting each have this menu.",
        Menu::Name => {
            "The name is heard where there is no greeting, and by colleagues to whom one leaves messages."
        }
        Menu::GreetingReview => {
            "What is not accepted is dropped, by hanging up as well. Where Play on Phone called, hanging up keeps it."
        }
        Menu::Confirmation => {
            "Asked for where a number outside was called, so that an answering machine hears nothing \
             (`[um] confirm-playback`). Other keys do nothing."
        }
        Menu::PhonePlaying => {
            "Whoever answers is known by nothing else, so that no key leads into the mailbox or deletes anything. \
             Other keys do nothing."
        }
        Menu::PhonePaused => "As while it plays. After a minute the message goes on by itself.",
        Menu::PhoneHeard => "Pressing nothing ends the call. Other keys do nothing.",
        Menu::PhoneGreeting => {
            "The present greeting is heard first. Hanging up while recording, or after, keeps what was recorded."
        }
    }
}
