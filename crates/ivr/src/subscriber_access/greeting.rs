//! One greeting, or the spoken name: hear it, record it, remove it, let callers hear it.

use crate::action::{Action, Actions, Clip, Purpose, Request, StartAt};
use crate::collect::Grammar;
use crate::input::{Input, Recorded, RecordingEnding};
use crate::mailbox::{GreetingKind, Greetings};
use crate::menu::{Choice, Menu};
use crate::phrase::Phrase;

use super::session::Session;
use super::{Place, mailbox_menu};

/// An owner at one greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    kind: GreetingKind,
    known: Greetings,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits to know which greetings there are.
    Asking,
    Choosing,
    Recording,
    Reviewing,
    /// Waits for the store; then says this.
    Changing(Change),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Saving,
    Removing,
    Using,
}

/// Goes to one greeting.
pub(super) fn enter(kind: GreetingKind, actions: &mut Actions) -> Place {
    Greeting { kind, known: Greetings::default(), state: State::Asking }.ask(actions)
}

impl Greeting {
    /// Gives back what a caller leaves behind by hanging up here: what was not accepted is dropped.
    pub(super) fn release(&self, actions: &mut Actions) {
        match self.state {
            State::Recording => {
                actions.push(Action::StopRecording);
                actions.push(Action::Ask(Request::DropRecording));
            }
            State::Reviewing => actions.push(Action::Ask(Request::DropRecording)),
            State::Asking | State::Choosing | State::Changing(_) => {}
        }
    }

    pub(super) fn step(mut self, input: Input, session: &mut Session, actions: &mut Actions) -> Place {
        use State::*;
        match (self.state, input) {
            (Asking, Input::Greetings(known)) => {
                self.known = known;
                actions.push(Action::Say(Phrase::GreetingStatus {
                    kind: self.kind,
                    recorded: known.has(self.kind),
                    active: known.is_active(self.kind),
                }));
                self.offer(actions)
            }
            (Asking, Input::Failed) => {
                actions.push(Action::Say(Phrase::NotDone));
                mailbox_menu::enter_options(actions)
            }

            (Choosing, Input::Chose(choice)) => self.chosen(choice, actions),
            (Choosing, Input::ClipFailed) => {
                actions.push(Action::Say(Phrase::CannotBeRead));
                self.offer(actions)
            }
            (Choosing, input @ (Input::NoInput | Input::NoMatch)) => {
                mailbox_menu::say_if_no_match(&input, actions);
                session.failed(actions).unwrap_or_else(|| self.offer(actions))
            }

            (Recording, Input::Chose(Choice::Finish)) => {
                actions.push(Action::StopRecording);
                self.at(Recording)
            }
            (Recording, Input::Recorded(recorded)) => self.recorded(recorded, session, actions),
            (Recording, Input::Failed | Input::Full) => {
                actions.push(Action::Say(Phrase::NotDone));
                self.offer(actions)
            }

            (Reviewing, Input::Chose(choice)) => self.reviewed(choice, actions),
            (Reviewing, Input::ClipFailed) => {
                actions.push(Action::Ask(Request::DropRecording));
                actions.push(Action::Say(Phrase::CannotBeRead));
                self.offer(actions)
            }
            (Reviewing, input @ (Input::NoInput | Input::NoMatch)) => {
                mailbox_menu::say_if_no_match(&input, actions);
                match session.failed(actions) {
                    Some(place) => {
                        // Said goodbye without an answer: what was not accepted is dropped.
                        actions.insert(0, Action::Ask(Request::DropRecording));
                        place
                    }
                    None => self.review(actions),
                }
            }

            (Changing(change), Input::Done) => {
                actions.push(Action::Say(match change {
                    Change::Saving => Phrase::GreetingSaved,
                    Change::Removing => Phrase::GreetingRemoved,
                    Change::Using => Phrase::GreetingInUse,
                }));
                self.ask(actions)
            }
            (Changing(_), Input::Failed | Input::Full) => {
                actions.push(Action::Say(Phrase::NotDone));
                self.ask(actions)
            }

            // Late news about something the caller has already left behind.
            (state, _) => self.at(state),
        }
    }

    fn chosen(self, choice: Choice, actions: &mut Actions) -> Place {
        let recorded = self.known.has(self.kind);
        match choice {
            Choice::Listen if recorded => {
                actions.push(Action::Play(Clip::Greeting(self.kind), StartAt::Beginning));
                self.offer(actions)
            }
            Choice::Record => self.record(actions),
            Choice::Remove if recorded => {
                actions.push(Action::Ask(Request::RemoveGreeting(self.kind)));
                self.at(State::Changing(Change::Removing))
            }
            // Without a standard greeting callers hear a default; nothing stands in for the others.
            Choice::Use if recorded || self.kind == GreetingKind::Standard => {
                actions.push(Action::Ask(Request::UseGreeting(self.kind)));
                self.at(State::Changing(Change::Using))
            }
            Choice::Listen | Choice::Remove | Choice::Use => {
                actions.push(Action::Say(Phrase::NotRecorded));
                self.offer(actions)
            }
            Choice::Back => mailbox_menu::enter_options(actions),
            _ => self.offer(actions),
        }
    }

    fn recorded(self, recorded: Recorded, session: &mut Session, actions: &mut Actions) -> Place {
        let too_short = recorded.duration < session.settings.shortest || recorded.speech.is_zero();
        if too_short {
            actions.push(Action::Ask(Request::DropRecording));
            actions.push(Action::Say(Phrase::TooShort));
            return session.failed(actions).unwrap_or_else(|| self.offer(actions));
        }
        if recorded.ending == RecordingEnding::Limit {
            actions.push(Action::Say(Phrase::LimitReached));
        }
        self.review(actions)
    }

    fn reviewed(self, choice: Choice, actions: &mut Actions) -> Place {
        match choice {
            Choice::Accept => {
                actions.push(Action::Ask(Request::SaveGreeting(self.kind)));
                self.at(State::Changing(Change::Saving))
            }
            Choice::Listen => {
                actions.push(Action::Play(Clip::Recording, StartAt::Beginning));
                self.review(actions)
            }
            Choice::RecordAgain => {
                actions.push(Action::Ask(Request::DropRecording));
                self.record(actions)
            }
            Choice::Cancel => {
                actions.push(Action::Ask(Request::DropRecording));
                actions.push(Action::Say(Phrase::GreetingUnchanged));
                self.offer(actions)
            }
            _ => self.review(actions),
        }
    }

    fn ask(self, actions: &mut Actions) -> Place {
        actions.push(Action::Ask(Request::Greetings));
        self.at(State::Asking)
    }

    fn offer(self, actions: &mut Actions) -> Place {
        let menu = match self.kind {
            GreetingKind::Standard | GreetingKind::OutOfOffice => Menu::Greetings,
            GreetingKind::Name => Menu::Name,
        };
        mailbox_menu::offer(menu, actions);
        self.at(State::Choosing)
    }

    fn record(self, actions: &mut Actions) -> Place {
        actions.push(Action::Say(Phrase::RecordAfterTone));
        actions.push(Action::Record(Purpose::Greeting(self.kind)));
        self.at(State::Recording)
    }

    fn review(self, actions: &mut Actions) -> Place {
        actions.push(Action::Say(Phrase::Choices(Menu::GreetingReview)));
        actions.push(Action::Collect(Grammar::Menu(Menu::GreetingReview)));
        self.at(State::Reviewing)
    }

    fn at(self, state: State) -> Place {
        Place::Greeting(Greeting { state, ..self })
    }
}
