//! Play on Phone: we have called the owner's telephone, to play what was asked for and nothing else.
//!
//! Whoever answers is known by nothing but having answered (POP-11, SEC-43). So there is no mailbox behind this
//! script: keys pause, rewind, forward, repeat and end (DEC-27), and record the one greeting that was asked for.
//!
//! ```text
//!  Confirming ─┬─message──▶ Fetching ──▶ Playing ◀──▶ Paused
//!              │                            │ over
//!              │                            ▼
//!              │                         Marking ──▶ Heard ──▶ Leaving ──▶ Ended
//!              └─greeting─▶ Asking ──▶ Choosing ──▶ Recording ──▶ Reviewing ──▶ Saving ──▶ Leaving
//!                                                      └─ hung up ─▶ KeepingRecording ──▶ Ended
//! ```

use std::time::Duration;

use crate::action::{Action, Actions, Clip, Purpose, Request, Seek, StartAt};
use crate::collect::Grammar;
use crate::envelope::say_who_and_when;
use crate::input::{Input, Recorded, RecordingEnding};
use crate::mailbox::{Envelope, Fetched, GreetingKind, Greetings, Importance, MessageId, MessageState};
use crate::menu::{Choice, Menu};
use crate::phrase::Phrase;

/// How far one press of rewind or forward goes.
const SEEK: Duration = Duration::from_secs(5);

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// This message is to be heard.
    Message(MessageId),
    /// This greeting is to be heard, and may be recorded anew (POP-10).
    Greeting(GreetingKind),
}

/// The settings of Play on Phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `[um.recording] min-length`: what is shorter is no greeting.
    pub shortest: Duration,
    /// PEER-17: how often in a row somebody may do nothing, or nothing meaningful.
    pub failures_max: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { shortest: Duration::from_secs(1), failures_max: 3 }
    }
}

/// The script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayOnPhone {
    item: Item,
    state: State,
    settings: Settings,
    failures: u8,
    /// The message is to be marked once it has been heard.
    unheard: bool,
    known: Greetings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Is asked for a key, since anybody may have answered.
    Confirming,
    /// Waits for the message.
    Fetching,
    Playing,
    Paused,
    /// Waits for the store, which notes that the message was heard.
    Marking,
    /// The message is over.
    Heard,
    /// Waits to know which greetings there are.
    Asking,
    /// Hears the greeting, and chooses.
    Choosing,
    Recording,
    /// Has hung up while speaking; what was said is still to come.
    KeepingRecording,
    Reviewing,
    /// Waits for the store, which keeps the greeting.
    Saving,
    /// Hears a last word.
    Leaving,
    Ended,
}

impl PlayOnPhone {
    /// Somebody has answered. `confirm`: a key is asked for before anything is played (DEC-27).
    pub fn start(item: Item, confirm: bool, settings: Settings) -> (Self, Actions) {
        let mut actions = Actions::new();
        let mut script = PlayOnPhone {
            item,
            state: State::Confirming,
            settings,
            failures: 0,
            unheard: false,
            known: Greetings::default(),
        };
        actions.push(Action::Say(Phrase::ThisIsYourVoiceMail));
        script.state = if confirm { confirmation(&mut actions) } else { script.begin(&mut actions) };
        (script, actions)
    }

    /// Whether the conversation is over.
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes one fact.
    pub fn step(mut self, input: Input) -> (Self, Actions) {
        let mut actions = Actions::new();
        if let Input::Chose(_) = input {
            self.failures = 0;
        }
        self.state = self.next(input, &mut actions);
        (self, actions)
    }

    fn next(&mut self, input: Input, actions: &mut Actions) -> State {
        use State::*;
        match (self.state, input) {
            (Confirming, Input::Chose(_)) => self.begin(actions),
            (Confirming, Input::NoInput | Input::NoMatch) => {
                self.failed(actions).unwrap_or_else(|| confirmation(actions))
            }

            (Fetching, Input::Fetched(fetched)) => self.fetched(&fetched, actions),
            (Fetching | Asking, Input::Failed) => {
                actions.push(Action::Say(Phrase::TryLater));
                goodbye(actions)
            }
            (Playing, Input::NoInput) => self.heard(actions),
            // Held long enough.
            (Paused, Input::NoInput) => resume(Paused, actions),
            (Playing | Paused, Input::Chose(choice)) => self.controlled(choice, actions),
            // REL-38: said, and not marked heard.
            (Playing | Paused, Input::ClipFailed) => {
                actions.push(Action::Say(Phrase::CannotBeRead));
                goodbye(actions)
            }
            // It stays new where the store failed, which is safe.
            (Marking, Input::Done | Input::Failed) => {
                self.unheard = false;
                offer(Menu::PhoneHeard, actions);
                Heard
            }
            (Heard, Input::Chose(Choice::Repeat)) => self.play(actions),
            (Heard, Input::Chose(_) | Input::NoInput) => goodbye(actions),

            (Asking, Input::Greetings(known)) => {
                self.known = known;
                self.show(actions)
            }
            (Choosing, Input::Chose(choice)) => self.chosen(choice, actions),
            (Choosing, Input::ClipFailed) => {
                actions.push(Action::Say(Phrase::CannotBeRead));
                choose(actions)
            }
            (Choosing, Input::NoInput | Input::NoMatch) => {
                self.failed(actions).unwrap_or_else(|| choose(actions))
            }
            (Recording, Input::Chose(Choice::Finish)) => {
                actions.push(Action::StopRecording);
                Recording
            }
            (Recording, Input::Recorded(recorded)) => self.recorded(recorded, actions),
            (Recording, Input::Failed | Input::Full) => {
                actions.push(Action::Say(Phrase::NotDone));
                goodbye(actions)
            }
            // POP-10: "or on hang-up after a recording".
            (Recording, Input::HungUp) => {
                actions.push(Action::StopRecording);
                KeepingRecording
            }
            (KeepingRecording, Input::Recorded(recorded)) => {
                // "never an empty one"
                let request =
                    if self.is_empty(recorded) { Request::DropRecording } else { self.save_request() };
                actions.push(Action::Ask(request));
                Ended
            }
            (KeepingRecording, Input::Failed | Input::Full) => Ended,
            (Reviewing, Input::Chose(choice)) => self.reviewed(choice, actions),
            (Reviewing, Input::ClipFailed) => {
                actions.push(Action::Ask(Request::DropRecording));
                actions.push(Action::Say(Phrase::CannotBeRead));
                choose(actions)
            }
            (Reviewing, Input::NoInput | Input::NoMatch) => match self.failed(actions) {
                Some(state) => {
                    // Said goodbye without an answer: what was not accepted is dropped.
                    actions.insert(0, Action::Ask(Request::DropRecording));
                    state
                }
                None => review(actions),
            },
            (Reviewing, Input::HungUp) => {
                actions.push(Action::Ask(self.save_request()));
                Ended
            }
            (Saving, Input::Done) => {
                actions.push(Action::Say(Phrase::GreetingSaved));
                goodbye(actions)
            }
            (Saving, Input::Failed | Input::Full) => {
                actions.push(Action::Say(Phrase::NotDone));
                goodbye(actions)
            }

            (KeepingRecording, Input::HungUp) => KeepingRecording,
            (_, Input::HungUp) => Ended,
            // Late news about something that has been left behind.
            (state, _) => state,
        }
    }

    fn begin(&self, actions: &mut Actions) -> State {
        match self.item {
            Item::Message(id) => {
                actions.push(Action::Ask(Request::Fetch(id)));
                State::Fetching
            }
            Item::Greeting(_) => {
                actions.push(Action::Ask(Request::Greetings));
                State::Asking
            }
        }
    }

    fn fetched(&mut self, fetched: &Fetched, actions: &mut Actions) -> State {
        match fetched {
            Fetched::Readable(envelope) => {
                self.unheard = envelope.state == MessageState::New;
                say_envelope(envelope, actions);
                self.play(actions)
            }
            Fetched::Unreadable(envelope) => {
                say_envelope(envelope, actions);
                actions.push(Action::Say(Phrase::CannotBeRead));
                goodbye(actions)
            }
            Fetched::Gone => {
                actions.push(Action::Say(Phrase::IsGone));
                goodbye(actions)
            }
        }
    }

    fn play(&self, actions: &mut Actions) -> State {
        let Item::Message(id) = self.item else { return goodbye(actions) };
        actions.push(Action::Play(Clip::Message(id), StartAt::Beginning));
        actions.push(Action::Collect(Grammar::Menu(Menu::PhonePlaying)));
        State::Playing
    }

    fn controlled(&self, choice: Choice, actions: &mut Actions) -> State {
        match (choice, self.state) {
            (Choice::Pause, State::Playing) => {
                actions.push(Action::Pause);
                actions.push(Action::Collect(Grammar::Menu(Menu::PhonePaused)));
                State::Paused
            }
            (Choice::Pause, state) => resume(state, actions),
            (Choice::Rewind, state) => {
                actions.push(Action::Seek(Seek::Back(SEEK)));
                resume(state, actions)
            }
            (Choice::Forward, state) => {
                actions.push(Action::Seek(Seek::Forward(SEEK)));
                resume(state, actions)
            }
            (Choice::Repeat, _) => self.play(actions),
            (_, _) => goodbye(actions),
        }
    }

    /// The message was heard to its end.
    fn heard(&self, actions: &mut Actions) -> State {
        match self.item {
            Item::Message(id) if self.unheard => {
                actions.push(Action::Ask(Request::MarkHeard(id)));
                State::Marking
            }
            Item::Message(_) | Item::Greeting(_) => {
                offer(Menu::PhoneHeard, actions);
                State::Heard
            }
        }
    }

    /// POP-10: the present greeting, then what can be done.
    fn show(&self, actions: &mut Actions) -> State {
        let Item::Greeting(kind) = self.item else { return goodbye(actions) };
        let (recorded, active) = (self.known.has(kind), self.known.is_active(kind));
        actions.push(Action::Say(Phrase::GreetingStatus { kind, recorded, active }));
        if recorded {
            actions.push(Action::Play(Clip::Greeting(kind), StartAt::Beginning));
        }
        choose(actions)
    }

    fn chosen(&self, choice: Choice, actions: &mut Actions) -> State {
        match choice {
            Choice::Listen => self.show(actions),
            Choice::Record => self.record(actions),
            _ => goodbye(actions),
        }
    }

    fn record(&self, actions: &mut Actions) -> State {
        let Item::Greeting(kind) = self.item else { return goodbye(actions) };
        actions.push(Action::Say(Phrase::RecordAfterTone));
        actions.push(Action::Record(Purpose::Greeting(kind)));
        State::Recording
    }

    fn recorded(&mut self, recorded: Recorded, actions: &mut Actions) -> State {
        if self.is_empty(recorded) {
            actions.push(Action::Ask(Request::DropRecording));
            actions.push(Action::Say(Phrase::TooShort));
            return self.failed(actions).unwrap_or_else(|| choose(actions));
        }
        if recorded.ending == RecordingEnding::Limit {
            actions.push(Action::Say(Phrase::LimitReached));
        }
        review(actions)
    }

    fn reviewed(&self, choice: Choice, actions: &mut Actions) -> State {
        match choice {
            Choice::Accept => {
                actions.push(Action::Ask(self.save_request()));
                State::Saving
            }
            Choice::Listen => {
                actions.push(Action::Play(Clip::Recording, StartAt::Beginning));
                review(actions)
            }
            Choice::RecordAgain => {
                actions.push(Action::Ask(Request::DropRecording));
                self.record(actions)
            }
            Choice::Cancel => {
                actions.push(Action::Ask(Request::DropRecording));
                actions.push(Action::Say(Phrase::GreetingUnchanged));
                choose(actions)
            }
            _ => review(actions),
        }
    }

    fn save_request(&self) -> Request {
        match self.item {
            Item::Greeting(kind) => Request::SaveGreeting(kind),
            // Nothing is recorded for a message.
            Item::Message(_) => Request::DropRecording,
        }
    }

    fn is_empty(&self, recorded: Recorded) -> bool {
        recorded.duration.is_zero() || recorded.duration < self.settings.shortest || recorded.speech.is_zero()
    }

    /// PEER-17: somebody did nothing; where to go when that was once too often.
    fn failed(&mut self, actions: &mut Actions) -> Option<State> {
        self.failures = self.failures.saturating_add(1);
        (self.failures >= self.settings.failures_max).then(|| goodbye(actions))
    }
}

fn confirmation(actions: &mut Actions) -> State {
    offer(Menu::Confirmation, actions);
    State::Confirming
}

fn choose(actions: &mut Actions) -> State {
    offer(Menu::PhoneGreeting, actions);
    State::Choosing
}

fn review(actions: &mut Actions) -> State {
    offer(Menu::GreetingReview, actions);
    State::Reviewing
}

fn offer(menu: Menu, actions: &mut Actions) {
    actions.push(Action::Say(Phrase::Choices(menu)));
    actions.push(Action::Collect(Grammar::Menu(menu)));
}

/// Goes on with what is being heard.
fn resume(state: State, actions: &mut Actions) -> State {
    if state == State::Paused {
        actions.push(Action::Resume);
    }
    actions.push(Action::Collect(Grammar::Menu(Menu::PhonePlaying)));
    State::Playing
}

fn goodbye(actions: &mut Actions) -> State {
    actions.push(Action::Say(Phrase::Goodbye));
    actions.push(Action::HangUp);
    State::Leaving
}

/// Who called and when: the rest is on the screen that was clicked on.
fn say_envelope(envelope: &Envelope, actions: &mut Actions) {
    if envelope.importance == Importance::High {
        actions.push(Action::Say(Phrase::IsUrgent));
    }
    say_who_and_when(envelope, actions);
}
