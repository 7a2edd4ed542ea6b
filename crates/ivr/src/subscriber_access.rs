//! Subscriber access: an owner hears messages, and sets what callers hear.
//!
//! ```text
//!  LoggingIn ──PIN right──▶ Opening ──▶ Main ◀──▶ Listening
//!      │    (must change) ▲    ▲          ▲ ▼
//!      └────▶ ChangingPin ┘  waiver    Options ◀──▶ Greeting, ChangingPin      (Listening ◀──▶ CallingBack)
//! ```
//!
//! At most one question to the store is open at any time, and no keys are collected meanwhile.

mod calling_back;
mod greeting;
mod listening;
mod log_in;
mod mailbox_menu;
mod pin_change;
mod session;

use umbel_ocexum::PinWaiver;

use crate::action::{Action, Actions, Request};
use crate::input::Input;

use calling_back::CallingBack;
use greeting::Greeting;
use listening::Listening;
use log_in::LogIn;
use pin_change::PinChange;
use session::Session;

/// How a caller may come in.
#[derive(Debug)]
pub enum Access {
    /// With the PIN of the mailbox this call is about: the caller's own, or the one whose greeting played.
    Pin,
    /// With mailbox number and PIN: nothing is known of the caller.
    MailboxAndPin,
    /// Without either: [MS-OCEXUM] 3.1.2. Whoever has the waiver need not look at headers again.
    Waived(PinWaiver),
}

/// When a call whose PIN was skipped is asked for it after all: `[pin] step-up` (DEC-13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepUp {
    /// Before the PIN is changed, and before a number outside is called.
    #[default]
    Sensitive,
    /// Never: the letter of [MS-OCEXUM] 3.1.2.
    Never,
}

/// The settings of subscriber access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `[pin] attempts-per-call` (SEC-84).
    pub pin_attempts_max: u8,
    /// `[pin] step-up`.
    pub step_up: StepUp,
    /// `[pin] min-length`, for the prompt; the store decides.
    pub pin_digits_min: u8,
    /// `[um.recording] min-length`.
    pub shortest: std::time::Duration,
    /// PEER-17: how often in a row a caller may do nothing, or nothing meaningful.
    pub failures_max: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            pin_attempts_max: 3,
            step_up: StepUp::Sensitive,
            pin_digits_min: 6,
            shortest: std::time::Duration::from_secs(1),
            failures_max: 3,
        }
    }
}

/// The script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberAccess {
    place: Place,
    session: Session,
}

/// Where an owner is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    LoggingIn(LogIn),
    /// Waits for the mailbox's overview.
    Opening,
    Main,
    Folders,
    Listening(Listening),
    CallingBack(CallingBack),
    Options,
    Greeting(Greeting),
    ChangingPin(PinChange),
    /// Hears a last word.
    Leaving,
    Ended,
}

impl SubscriberAccess {
    /// Lets a caller in, or asks for what is needed first.
    pub fn start(access: Access, settings: Settings) -> (Self, Actions) {
        let mut actions = Actions::new();
        let place = match access {
            Access::Pin => log_in::ask_pin(&mut actions),
            Access::MailboxAndPin => log_in::ask_mailbox(&mut actions),
            // [MS-OCEXUM] 3.1.2: "then it MUST skip personal identification number (PIN) prompt."
            Access::Waived(_waiver) => open(&mut actions),
        };
        (SubscriberAccess { place, session: Session::new(settings) }, actions)
    }

    /// Whether the conversation is over.
    pub fn has_ended(&self) -> bool {
        self.place == Place::Ended
    }

    /// Takes one fact.
    pub fn step(mut self, input: Input) -> (Self, Actions) {
        let mut actions = Actions::new();
        if input == Input::HungUp {
            self.place.release(&mut actions);
            self.place = Place::Ended;
            return (self, actions);
        }
        if let Input::Chose(_) = input {
            self.session.understood();
        }
        let session = &mut self.session;
        self.place = match self.place {
            Place::LoggingIn(log_in) => log_in.step(input, session, &mut actions),
            Place::Opening => mailbox_menu::opening(input, session, &mut actions),
            Place::Main => mailbox_menu::main(input, session, &mut actions),
            Place::Folders => mailbox_menu::folders(input, session, &mut actions),
            Place::Listening(listening) => listening.step(input, session, &mut actions),
            Place::CallingBack(calling) => calling.step(input, session, &mut actions),
            Place::Options => mailbox_menu::options(input, session, &mut actions),
            Place::Greeting(greeting) => greeting.step(input, session, &mut actions),
            Place::ChangingPin(change) => change.step(input, session, &mut actions),
            // Late news about something the caller has already left behind.
            Place::Leaving => Place::Leaving,
            Place::Ended => Place::Ended,
        };
        (self, actions)
    }
}

impl Place {
    /// Gives back what a caller leaves behind by hanging up here.
    fn release(&self, actions: &mut Actions) {
        if let Place::Greeting(greeting) = self {
            greeting.release(actions);
        }
    }
}

fn open(actions: &mut Actions) -> Place {
    actions.push(Action::Ask(Request::Open));
    Place::Opening
}
