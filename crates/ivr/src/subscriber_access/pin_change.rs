//! A new PIN, entered twice: because the owner wants one, or because the system made the old one.

use crate::action::{Action, Actions, Request};
use crate::collect::{Entry, Grammar};
use crate::input::Input;
use crate::keys::Keys;
use crate::mailbox::{PinRefusal, PinVerdict};
use crate::phrase::Phrase;

use super::session::{Session, try_later};
use super::{Place, mailbox_menu, open};

/// A change of the PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PinChange {
    occasion: Occasion,
    state: State,
}

/// Why the PIN is changed, and hence where one comes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// The owner chose to.
    Wanted,
    /// DEC-14: a generated PIN, first log-in.
    Demanded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// DEC-13: this call skipped the PIN, which does not cover this.
    EnteringCurrent,
    CheckingCurrent,
    EnteringNew,
    EnteringAgain {
        new: Keys,
    },
    Storing,
}

/// The owner wants another PIN.
pub(super) fn want(session: &Session, actions: &mut Actions) -> Place {
    if session.needs_pin() { ask_current(actions) } else { ask_new(Occasion::Wanted, session, actions) }
}

/// The owner must choose another PIN.
pub(super) fn force(session: &Session, actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::MustChangePin));
    ask_new(Occasion::Demanded, session, actions)
}

fn ask_current(actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::EnterCurrentPin));
    actions.push(Action::Collect(Grammar::Digits(Entry::Pin)));
    Place::ChangingPin(PinChange { occasion: Occasion::Wanted, state: State::EnteringCurrent })
}

fn ask_new(occasion: Occasion, session: &Session, actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::EnterNewPin { least: session.settings.pin_digits_min }));
    actions.push(Action::Collect(Grammar::Digits(Entry::NewPin)));
    Place::ChangingPin(PinChange { occasion, state: State::EnteringNew })
}

fn ask_again(occasion: Occasion, new: Keys, actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::EnterNewPinAgain));
    actions.push(Action::Collect(Grammar::Digits(Entry::NewPin)));
    Place::ChangingPin(PinChange { occasion, state: State::EnteringAgain { new } })
}

impl PinChange {
    pub(super) fn step(self, input: Input, session: &mut Session, actions: &mut Actions) -> Place {
        use State::*;
        let occasion = self.occasion;
        match (self.state, input) {
            (EnteringCurrent, Input::Collected(pin)) => {
                actions.push(Action::Ask(Request::CheckPin { mailbox: None, pin }));
                Place::ChangingPin(PinChange { occasion, state: CheckingCurrent })
            }
            (EnteringCurrent, Input::NoInput | Input::NoMatch) => {
                session.failed(actions).unwrap_or_else(|| ask_current(actions))
            }
            (CheckingCurrent, Input::PinChecked(PinVerdict::Right { .. })) => {
                session.pin_was_given();
                ask_new(occasion, session, actions)
            }
            // SEC-84 holds here too.
            (CheckingCurrent, Input::PinChecked(PinVerdict::Wrong)) => {
                actions.push(Action::Say(Phrase::WrongPin));
                session.pin_was_wrong(actions).unwrap_or_else(|| ask_current(actions))
            }
            // A stranger's guesses have locked the PIN; the owner came in without and stays in.
            (CheckingCurrent, Input::PinChecked(PinVerdict::Locked)) => {
                actions.push(Action::Say(Phrase::PinLocked));
                mailbox_menu::enter_options(actions)
            }

            (EnteringNew, Input::Collected(new)) => ask_again(occasion, new, actions),
            (EnteringAgain { new }, Input::Collected(again)) if new == again => {
                actions.push(Action::Ask(Request::ChangePin(new)));
                Place::ChangingPin(PinChange { occasion, state: Storing })
            }
            (EnteringAgain { .. }, Input::Collected(_)) => {
                actions.push(Action::Say(Phrase::PinsDiffer));
                session.failed(actions).unwrap_or_else(|| ask_new(occasion, session, actions))
            }
            (Storing, Input::Done) => {
                actions.push(Action::Say(Phrase::PinChanged));
                session.understood();
                match occasion {
                    Occasion::Wanted => mailbox_menu::enter_options(actions),
                    Occasion::Demanded => open(actions),
                }
            }
            (Storing, Input::PinRefused(why)) => {
                actions.push(Action::Say(refusal(why, session)));
                session.failed(actions).unwrap_or_else(|| ask_new(occasion, session, actions))
            }

            (EnteringCurrent | EnteringNew | EnteringAgain { .. }, Input::Cancelled)
                if occasion == Occasion::Wanted =>
            {
                mailbox_menu::enter_options(actions)
            }
            (EnteringNew | EnteringAgain { .. }, Input::NoInput | Input::NoMatch | Input::Cancelled) => {
                session.failed(actions).unwrap_or_else(|| ask_new(occasion, session, actions))
            }
            (CheckingCurrent | Storing, Input::Failed) => try_later(actions),

            // Late news about something the caller has already left behind.
            (state, _) => Place::ChangingPin(PinChange { occasion, state }),
        }
    }
}

/// SEC-83: what is wrong with a PIN is said, so that the next one is better.
fn refusal(why: PinRefusal, session: &Session) -> Phrase {
    match why {
        PinRefusal::TooShort => Phrase::PinTooShort { least: session.settings.pin_digits_min },
        PinRefusal::TooLong => Phrase::PinTooLong,
        PinRefusal::TooSimple => Phrase::PinTooSimple,
        PinRefusal::UsedBefore => Phrase::PinUsedBefore,
    }
}
