//! Calling back who left a message: the caller is sent on, and comes back here where that does not succeed.
//!
//! SEC-90: users here may be called; a number outside only where the dialling rules allow it, and with the owner's own
//! PIN, not a skipped one (DEC-13).

use crate::action::{Action, Actions, Request};
use crate::collect::{Entry, Grammar};
use crate::input::Input;
use crate::mailbox::{MessageId, PinVerdict, Sender};
use crate::phrase::Phrase;

use super::Place;
use super::listening::Listening;
use super::session::{Session, goodbye, try_later};

/// An owner who wants to call back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CallingBack {
    message: MessageId,
    /// Where to come back to.
    from: Box<Listening>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits to know who left it, and whether that may be called.
    Asking,
    /// This call skipped the PIN, which does not cover calls outside.
    EnteringPin,
    CheckingPin,
    /// Waits to hear what came of it.
    Calling,
}

/// The sender of this message is to be called.
pub(super) fn enter(message: MessageId, from: Listening, actions: &mut Actions) -> Place {
    actions.push(Action::Ask(Request::FindSender(message)));
    Place::CallingBack(CallingBack { message, from: Box::new(from), state: State::Asking })
}

impl CallingBack {
    pub(super) fn step(self, input: Input, session: &mut Session, actions: &mut Actions) -> Place {
        use State::*;
        match (self.state, input) {
            (Asking, Input::Sender(Sender::Outside)) if session.needs_pin() => self.ask_pin(actions),
            (Asking, Input::Sender(Sender::Inside | Sender::Outside)) => self.call(actions),
            (Asking, Input::Sender(Sender::NotAllowed)) => self.give_up(Phrase::MayNotBeCalled, actions),
            (Asking | Calling, Input::Failed) => self.give_up(Phrase::NotReached, actions),

            (EnteringPin, Input::Collected(pin)) => {
                actions.push(Action::Ask(Request::CheckPin { mailbox: None, pin }));
                self.at(CheckingPin)
            }
            (EnteringPin, Input::Cancelled) => self.back(actions),
            (EnteringPin, Input::NoInput | Input::NoMatch) => match session.failed(actions) {
                Some(place) => place,
                None => self.ask_pin(actions),
            },
            (CheckingPin, Input::PinChecked(PinVerdict::Right { .. })) => {
                session.pin_was_given();
                self.call(actions)
            }
            (CheckingPin, Input::PinChecked(PinVerdict::Wrong)) => {
                actions.push(Action::Say(Phrase::WrongPin));
                match session.pin_was_wrong(actions) {
                    Some(place) => place,
                    None => self.ask_pin(actions),
                }
            }
            (CheckingPin, Input::PinChecked(PinVerdict::Locked)) => {
                actions.push(Action::Say(Phrase::PinLocked));
                goodbye(actions)
            }
            (CheckingPin, Input::Failed) => try_later(actions),

            // They talk with each other now.
            (Calling, Input::Done) => {
                actions.push(Action::HangUp);
                Place::Leaving
            }

            // Late news about something the caller has already left behind.
            (state, _) => self.at(state),
        }
    }

    fn ask_pin(self, actions: &mut Actions) -> Place {
        actions.push(Action::Say(Phrase::EnterCurrentPin));
        actions.push(Action::Collect(Grammar::Digits(Entry::Pin)));
        self.at(State::EnteringPin)
    }

    fn call(self, actions: &mut Actions) -> Place {
        actions.push(Action::Say(Phrase::CallingBack));
        actions.push(Action::Ask(Request::CallSender(self.message)));
        self.at(State::Calling)
    }

    fn give_up(self, phrase: Phrase, actions: &mut Actions) -> Place {
        actions.push(Action::Say(phrase));
        self.back(actions)
    }

    fn back(self, actions: &mut Actions) -> Place {
        self.from.come_back(actions)
    }

    fn at(self, state: State) -> Place {
        Place::CallingBack(CallingBack { state, ..self })
    }
}
