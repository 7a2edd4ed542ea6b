//! The keys of the profile `asterisk`.

use super::{Menu, Row, menu};

pub(super) const fn rows(which: Menu) -> &'static [Row] {
    match which {
        Menu::Greeting => menu! { Pound => Skip, Star => LogIn },
        Menu::Recording => menu! { Pound => Finish },
        Menu::Review => menu! {
            One => Send, Two => Listen, Three => RecordAgain, Four => Urgent, Star => Cancel, Zero => Help,
        },
        Menu::Main => menu! {
            One => NewMessages, Two => Folders, Zero => Options, Pound => Exit, Star => Help,
        },
        Menu::Folders => menu! { Zero => NewMessages, One => OldMessages, Pound => Back, Star => Help },
        // What Asterisk calls its listen-control keys, then the keys of the message.
        Menu::Playing | Menu::Paused => menu! {
            Pound => Forward, Star => Rewind, Zero => Pause, Two => Repeat,
            Three => Advanced, Four => Previous, Six => Next, Seven => Delete, Nine => Save,
            One => Help,
        },
        Menu::Message => menu! {
            Five => Repeat, Six => Next, Four => Previous, Seven => Delete, Nine => Save,
            Three => Advanced, Two => Folders, Zero => Options, Star => Help, Pound => Exit,
        },
        Menu::DeletedMessage => menu! {
            Five => Repeat, Six => Next, Four => Previous, Seven => Undelete,
            Three => Advanced, Two => Folders, Zero => Options, Star => Help, Pound => Exit,
        },
        Menu::Advanced => menu! {
            Three => Envelope, Two => CallBack, One => KeepAsNew, Four => Slower, Six => Faster, Seven => Softer, Nine => Louder,
            Star => Back, Zero => Help,
        },
        Menu::Options => menu! {
            One => StandardGreeting, Four => OutOfOfficeGreeting, Three => Name, Five => ChangePin,
            Star => Back, Zero => Help,
        },
        Menu::Greetings => menu! {
            One => Record, Two => Remove, Three => Listen, Four => Use, Star => Back, Zero => Help,
        },
        Menu::Name => menu! { One => Record, Two => Remove, Three => Listen, Star => Back, Zero => Help },
        Menu::GreetingReview => menu! {
            One => Accept, Two => Listen, Three => RecordAgain, Star => Cancel, Zero => Help,
        },
        Menu::Confirmation => menu! { One => Confirm },
        // On to the next message, of which there is none.
        Menu::PhonePlaying | Menu::PhonePaused => menu! {
            Pound => Forward, Star => Rewind, Zero => Pause, Two => Repeat, Six => Exit,
        },
        Menu::PhoneHeard => menu! { Five => Repeat, Pound => Exit },
        Menu::PhoneGreeting => menu! { One => Record, Three => Listen, Star => Exit },
    }
}
