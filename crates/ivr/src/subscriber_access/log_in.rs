//! Log-in: mailbox number, PIN, and nothing that tells one from the other.

use crate::action::{Action, Actions, Request};
use crate::collect::{Entry, Grammar};
use crate::input::Input;
use crate::keys::Keys;
use crate::mailbox::PinVerdict;
use crate::phrase::Phrase;

use super::session::{Session, goodbye, try_later};
use super::{Place, open, pin_change};

/// Where in the log-in a caller is. `mailbox` is what was entered; `None`: the mailbox this call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogIn {
    EnteringMailbox,
    EnteringPin { mailbox: Option<Keys> },
    CheckingPin { mailbox_was_entered: bool },
}

pub(super) fn ask_mailbox(actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::EnterMailbox));
    actions.push(Action::Collect(Grammar::Digits(Entry::Mailbox)));
    Place::LoggingIn(LogIn::EnteringMailbox)
}

pub(super) fn ask_pin(actions: &mut Actions) -> Place {
    ask_pin_of(None, actions)
}

fn ask_pin_of(mailbox: Option<Keys>, actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::EnterPin));
    actions.push(Action::Collect(Grammar::Digits(Entry::Pin)));
    Place::LoggingIn(LogIn::EnteringPin { mailbox })
}

impl LogIn {
    pub(super) fn step(self, input: Input, session: &mut Session, actions: &mut Actions) -> Place {
        use LogIn::*;
        match (self, input) {
            // SEC-86: the PIN is asked for whether or not there is such a mailbox.
            (EnteringMailbox, Input::Collected(mailbox)) => ask_pin_of(Some(mailbox), actions),
            (EnteringMailbox, Input::NoInput | Input::NoMatch | Input::Cancelled) => {
                session.failed(actions).unwrap_or_else(|| ask_mailbox(actions))
            }

            (EnteringPin { mailbox }, Input::Collected(pin)) => {
                let mailbox_was_entered = mailbox.is_some();
                actions.push(Action::Ask(Request::CheckPin { mailbox, pin }));
                Place::LoggingIn(CheckingPin { mailbox_was_entered })
            }
            // Somebody at another person's telephone.
            (EnteringPin { .. }, Input::Cancelled) => {
                session.failed(actions).unwrap_or_else(|| ask_mailbox(actions))
            }
            (EnteringPin { mailbox }, Input::NoInput | Input::NoMatch) => {
                session.failed(actions).unwrap_or_else(|| ask_pin_of(mailbox, actions))
            }

            (CheckingPin { .. }, Input::PinChecked(PinVerdict::Right { must_change })) => {
                session.pin_was_given();
                // DEC-14, SEC-89: nothing is opened before a generated PIN has been changed.
                if must_change { pin_change::force(session, actions) } else { open(actions) }
            }
            // SEC-85. Whoever entered the number must not learn from this that it exists (SEC-86).
            (CheckingPin { mailbox_was_entered: false }, Input::PinChecked(PinVerdict::Locked)) => {
                actions.push(Action::Say(Phrase::PinLocked));
                goodbye(actions)
            }
            (
                CheckingPin { mailbox_was_entered },
                Input::PinChecked(PinVerdict::Wrong | PinVerdict::Locked),
            ) => {
                actions.push(Action::Say(Phrase::WrongPin));
                session.pin_was_wrong(actions).unwrap_or_else(|| {
                    if mailbox_was_entered { ask_mailbox(actions) } else { ask_pin(actions) }
                })
            }
            (CheckingPin { .. }, Input::Failed) => try_later(actions),

            // Late news about something the caller has already left behind.
            (log_in, _) => Place::LoggingIn(log_in),
        }
    }
}
