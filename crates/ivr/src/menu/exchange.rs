//! The keys of the profile `exchange`.

use super::{Menu, Row, menu};

pub(super) const fn rows(which: Menu) -> &'static [Row] {
    match which {
        Menu::Greeting => menu! { Pound => Skip, Star => LogIn },
        Menu::Recording => menu! { Pound => Finish },
        Menu::Review => menu! {
            Pound => Send, One => Listen, Two => RecordAgain, Three => Urgent, Star => Cancel, Zero => Help,
        },
        Menu::Main => menu! {
            One => NewMessages, Two => OldMessages, Six => Options, Star => Exit, Zero => Help,
        },
        Menu::Folders => menu! { One => NewMessages, Two => OldMessages, Star => Back, Zero => Help },
        Menu::Playing | Menu::Paused => menu! {
            One => Rewind, Two => Pause, Three => Forward,
            Four => Slower, Five => Softer, Six => Faster, Eight => Louder,
            Seven => Delete, Nine => KeepAsNew, Pound => Next, Zero => Help, Star => Back,
        },
        Menu::Message => menu! {
            One => Repeat, Two => Save, Three => Envelope, Seven => Delete, Eight => CallBack, Nine => KeepAsNew,
            Pound => Next, Four => Previous, Star => Back, Zero => Help,
        },
        Menu::DeletedMessage => menu! {
            One => Repeat, Three => Envelope, Seven => Undelete,
            Pound => Next, Four => Previous, Star => Back, Zero => Help,
        },
        // All of it is on the keys of the message itself.
        Menu::Advanced => menu! { Three => Envelope, Star => Back, Zero => Help },
        Menu::Options => menu! {
            One => StandardGreeting, Two => OutOfOfficeGreeting, Three => Name, Four => ChangePin,
            Star => Back, Zero => Help,
        },
        Menu::Greetings => menu! {
            One => Listen, Two => Record, Three => Use, Seven => Remove, Star => Back, Zero => Help,
        },
        Menu::Name => menu! { One => Listen, Two => Record, Seven => Remove, Star => Back, Zero => Help },
        Menu::GreetingReview => menu! {
            Pound => Accept, One => Listen, Two => RecordAgain, Star => Cancel, Zero => Help,
        },
        Menu::Confirmation => menu! { One => Confirm },
        Menu::PhonePlaying | Menu::PhonePaused => menu! {
            One => Rewind, Two => Pause, Three => Forward, Four => Repeat, Star => Exit,
        },
        Menu::PhoneHeard => menu! { One => Repeat, Star => Exit },
        Menu::PhoneGreeting => menu! { One => Listen, Two => Record, Star => Exit },
    }
}
