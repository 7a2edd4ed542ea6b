//! The main menu, the folders and the options: where an owner chooses where to go.

use crate::action::{Action, Actions};
use crate::collect::Grammar;
use crate::input::Input;
use crate::mailbox::{Folder, GreetingKind, Overview};
use crate::menu::{Choice, Menu};
use crate::phrase::Phrase;

use super::session::{Session, goodbye, try_later};
use super::{Place, greeting, listening, pin_change};

pub(super) fn enter_main(actions: &mut Actions) -> Place {
    offer(Menu::Main, actions);
    Place::Main
}

pub(super) fn enter_folders(actions: &mut Actions) -> Place {
    offer(Menu::Folders, actions);
    Place::Folders
}

pub(super) fn enter_options(actions: &mut Actions) -> Place {
    offer(Menu::Options, actions);
    Place::Options
}

/// Says the choices of a menu and listens for one.
pub(super) fn offer(menu: Menu, actions: &mut Actions) {
    actions.push(Action::Say(Phrase::Choices(menu)));
    actions.push(Action::Collect(Grammar::Menu(menu)));
}

/// Says that there is no such choice where a key was pressed.
pub(super) fn say_if_no_match(input: &Input, actions: &mut Actions) {
    if *input == Input::NoMatch {
        actions.push(Action::Say(Phrase::NoSuchChoice));
    }
}

pub(super) fn opening(input: Input, _session: &mut Session, actions: &mut Actions) -> Place {
    match input {
        Input::Opened(overview) => {
            say_overview(overview, actions);
            enter_main(actions)
        }
        Input::Failed => try_later(actions),
        // Late news about something the caller has already left behind.
        _ => Place::Opening,
    }
}

fn say_overview(overview: Overview, actions: &mut Actions) {
    actions.push(Action::Say(Phrase::Unheard { new: overview.new, urgent: overview.urgent }));
    if overview.old > 0 {
        actions.push(Action::Say(Phrase::Heard(overview.old)));
    }
    if overview.full {
        actions.push(Action::Say(Phrase::YourMailboxIsFull));
    }
    if overview.out_of_office {
        actions.push(Action::Say(Phrase::OutOfOfficeIsOn));
    }
}

pub(super) fn main(input: Input, session: &mut Session, actions: &mut Actions) -> Place {
    match input {
        Input::Chose(Choice::NewMessages) => listening::enter(Folder::New, actions),
        Input::Chose(Choice::OldMessages) => listening::enter(Folder::Old, actions),
        Input::Chose(Choice::Folders) => enter_folders(actions),
        Input::Chose(Choice::Options) => enter_options(actions),
        Input::Chose(Choice::Exit) => goodbye(actions),
        Input::Chose(_) => enter_main(actions),
        Input::NoInput | Input::NoMatch => {
            say_if_no_match(&input, actions);
            session.failed(actions).unwrap_or_else(|| enter_main(actions))
        }
        // Late news about something the caller has already left behind.
        _ => Place::Main,
    }
}

pub(super) fn folders(input: Input, session: &mut Session, actions: &mut Actions) -> Place {
    match input {
        Input::Chose(Choice::NewMessages) => listening::enter(Folder::New, actions),
        Input::Chose(Choice::OldMessages) => listening::enter(Folder::Old, actions),
        Input::Chose(Choice::Back) => enter_main(actions),
        Input::Chose(_) => enter_folders(actions),
        Input::NoInput | Input::NoMatch => {
            say_if_no_match(&input, actions);
            session.failed(actions).unwrap_or_else(|| enter_folders(actions))
        }
        // Late news about something the caller has already left behind.
        _ => Place::Folders,
    }
}

pub(super) fn options(input: Input, session: &mut Session, actions: &mut Actions) -> Place {
    match input {
        Input::Chose(Choice::StandardGreeting) => greeting::enter(GreetingKind::Standard, actions),
        Input::Chose(Choice::OutOfOfficeGreeting) => greeting::enter(GreetingKind::OutOfOffice, actions),
        Input::Chose(Choice::Name) => greeting::enter(GreetingKind::Name, actions),
        Input::Chose(Choice::ChangePin) => pin_change::want(session, actions),
        Input::Chose(Choice::Back) => enter_main(actions),
        Input::Chose(_) => enter_options(actions),
        Input::NoInput | Input::NoMatch => {
            say_if_no_match(&input, actions);
            session.failed(actions).unwrap_or_else(|| enter_options(actions))
        }
        // Late news about something the caller has already left behind.
        _ => Place::Options,
    }
}
