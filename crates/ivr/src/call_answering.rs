//! Call answering: the person called cannot be reached, and a message is taken.
//!
//! ```text
//!  Greeting ──over, or #──▶ Recording ──#──▶ Review ──send──▶ Saving ──stored──▶ Leaving ──▶ Ended
//!     │ *                    │  ▲  │ silence                    ▲ ▲
//!     ▼                      │  └──┼── too short, or again      │ │
//!  LogIn                     │     └────────────────────────────┘ │
//!                            └─ hung up ─▶ KeepingRecording ──────┘ (nobody is told)
//! ```

use std::time::Duration;

use crate::action::{Action, Actions, Clip, Purpose, Request, StartAt};
use crate::collect::Grammar;
use crate::input::{Input, Recorded, RecordingEnding};
use crate::mailbox::{GreetingKind, Importance};
use crate::menu::{Choice, Menu};
use crate::phrase::{Digits, Phrase};

/// Below this limit a caller is told before the tone how long a message may be.
const LIMIT_WORTH_SAYING: Duration = Duration::from_secs(60);

/// What a caller hears first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// What the owner recorded: whichever is in use.
    Recorded(GreetingKind),
    /// The owner's spoken name, in our words.
    Name,
    /// The extension, in our words.
    Extension(Digits),
    /// Nothing personal is known.
    Nameless,
}

/// Why no message can be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDeposit {
    /// The mailbox is full (DEC-19, REL-10).
    Full,
    /// The mailbox is disabled.
    Closed,
    /// There is no such mailbox.
    Unknown,
    /// Nothing can be stored now (REL-11).
    OutOfService,
}

/// The settings of call answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `[um.recording] min-length`: what is shorter is dropped; zero keeps all, silence as well.
    pub shortest: Duration,
    /// `[um.recording] max-length`, or what still fits.
    pub longest: Duration,
    /// PEER-17: how often in a row a caller may do nothing, or nothing meaningful.
    pub failures_max: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { shortest: Duration::from_secs(1), longest: Duration::from_secs(300), failures_max: 3 }
    }
}

/// The script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallAnswering {
    state: State,
    settings: Settings,
    importance: Importance,
    failures: u8,
}

/// Where a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Hears the greeting.
    Greeting,
    /// Hears why no message can be left.
    Notice {
        /// The owner is to know of the call.
        missed: bool,
    },
    /// Speaks.
    Recording,
    /// Has hung up while speaking; what was said is still to come.
    KeepingRecording,
    /// Decides what to do with the message.
    Review,
    /// Waits for the store.
    Saving,
    /// Hears a last word.
    Leaving,
    /// Is gone, or in the hands of another script.
    Ended,
}

impl CallAnswering {
    /// Greets a caller. `importance` is that of the call (HDR-2), and the caller may raise it.
    pub fn start(greeting: Greeting, importance: Importance, settings: Settings) -> (Self, Actions) {
        let mut actions = Actions::new();
        match greeting {
            Greeting::Recorded(kind) => {
                actions.push(Action::Play(Clip::Greeting(kind), StartAt::Beginning));
            }
            Greeting::Name => {
                actions.push(Action::Play(Clip::Greeting(GreetingKind::Name), StartAt::Beginning));
                actions.push(Action::Say(Phrase::IsNotAvailable));
                actions.push(Action::Say(Phrase::LeaveMessage));
            }
            Greeting::Extension(digits) => {
                actions.push(Action::Say(Phrase::Extension(digits)));
                actions.push(Action::Say(Phrase::IsNotAvailable));
                actions.push(Action::Say(Phrase::LeaveMessage));
            }
            Greeting::Nameless => actions.push(Action::Say(Phrase::LeaveMessage)),
        }
        if settings.longest < LIMIT_WORTH_SAYING {
            // REL-10: a limit that a caller may well reach is said before the tone.
            actions.push(Action::Say(Phrase::AtMost(settings.longest)));
        }
        actions.push(Action::Collect(Grammar::Menu(Menu::Greeting)));
        (CallAnswering { state: State::Greeting, settings, importance, failures: 0 }, actions)
    }

    /// Tells a caller that no message can be left. There is no tone (DEC-19).
    pub fn refuse(why: NoDeposit, settings: Settings) -> (Self, Actions) {
        let phrase = match why {
            NoDeposit::Full => Phrase::MailboxFull,
            NoDeposit::Closed => Phrase::MailboxClosed,
            NoDeposit::Unknown => Phrase::NoSuchMailbox,
            NoDeposit::OutOfService => Phrase::OutOfService,
        };
        let missed = match why {
            NoDeposit::Full | NoDeposit::OutOfService => true,
            NoDeposit::Closed | NoDeposit::Unknown => false,
        };
        let mut actions = Actions::new();
        actions.push(Action::Say(phrase));
        // The owner of a full mailbox must be able to get in and empty it.
        actions.push(Action::Collect(Grammar::Menu(Menu::Greeting)));
        let state = State::Notice { missed };
        (CallAnswering { state, settings, importance: Importance::Normal, failures: 0 }, actions)
    }

    /// Where the caller is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes one fact.
    pub fn step(mut self, input: Input) -> (Self, Actions) {
        let mut actions = Actions::new();
        self.state = self.next(input, &mut actions);
        (self, actions)
    }

    fn next(&mut self, input: Input, actions: &mut Actions) -> State {
        use State::*;
        match (self.state, input) {
            (Greeting | Notice { .. }, Input::Chose(Choice::LogIn)) => {
                actions.push(Action::LogIn);
                Ended
            }
            (Greeting, Input::HungUp) => {
                // MISS-1
                actions.push(Action::Ask(Request::NoteMissedCall));
                Ended
            }
            (Greeting, Input::NoInput | Input::Chose(_)) => {
                actions.push(Action::Record(Purpose::Deposit));
                Recording
            }
            // A greeting that cannot be read must not cost the message.
            (Greeting, Input::ClipFailed) => {
                actions.push(Action::Say(Phrase::LeaveMessage));
                actions.push(Action::Record(Purpose::Deposit));
                Recording
            }
            (Notice { missed }, Input::NoInput | Input::Chose(_)) => {
                note_if(missed, actions);
                self.goodbye(actions)
            }
            (Notice { missed }, Input::HungUp) => {
                note_if(missed, actions);
                Ended
            }

            (Recording, Input::Chose(Choice::Finish)) => {
                actions.push(Action::StopRecording);
                Recording
            }
            (Recording, Input::Recorded(recorded)) => self.recorded(recorded, actions),
            (Recording, Input::HungUp) => {
                actions.push(Action::StopRecording);
                KeepingRecording
            }
            (KeepingRecording, Input::Recorded(recorded)) => {
                self.keep_or_note(self.is_kept(recorded), actions);
                Ended
            }
            // The recording cannot even begin, or its end is lost with its beginning.
            (Recording, Input::Failed) => {
                actions.push(Action::Ask(Request::NoteMissedCall));
                actions.push(Action::Say(Phrase::OutOfService));
                self.goodbye(actions)
            }
            // Somebody else's message took the last place in the meantime.
            (Recording, Input::Full) => {
                actions.push(Action::Ask(Request::NoteMissedCall));
                actions.push(Action::Say(Phrase::MailboxFull));
                self.goodbye(actions)
            }
            (KeepingRecording, Input::Failed | Input::Full) => {
                actions.push(Action::Ask(Request::NoteMissedCall));
                Ended
            }

            (Review, Input::Chose(choice)) => self.review(choice, actions),
            (Review, Input::NoMatch) => {
                actions.push(Action::Say(Phrase::NoSuchChoice));
                self.failed(actions)
            }
            (Review, Input::NoInput | Input::ClipFailed) => self.failed(actions),
            // Hanging up instead of sending is what most people do.
            (Review, Input::HungUp) => {
                self.keep_or_note(true, actions);
                Ended
            }

            // D1: "saved" is said after the store said so, never before.
            (Saving, Input::Done) => {
                actions.push(Action::Say(Phrase::DepositSaved));
                self.goodbye(actions)
            }
            (Saving, Input::Full) => {
                actions.push(Action::Say(Phrase::MailboxFull));
                self.goodbye(actions)
            }
            (Saving, Input::Failed) => {
                actions.push(Action::Say(Phrase::DepositNotSaved));
                self.goodbye(actions)
            }

            (Saving | Leaving, Input::HungUp) => Ended,
            // Late news about something the caller has already left behind.
            (state, _) => state,
        }
    }

    fn recorded(&mut self, recorded: Recorded, actions: &mut Actions) -> State {
        if !self.is_kept(recorded) {
            actions.push(Action::Ask(Request::DropRecording));
            actions.push(Action::Say(Phrase::TooShort));
            self.failures = self.failures.saturating_add(1);
            if self.failures >= self.settings.failures_max {
                actions.push(Action::Ask(Request::NoteMissedCall));
                return self.goodbye(actions);
            }
            return self.record_again(actions);
        }
        self.failures = 0;
        match recorded.ending {
            RecordingEnding::Stopped => self.offer_review(actions),
            // Nobody speaks, so nobody is asked.
            RecordingEnding::Silence => self.save(actions),
            // REL-10: cut at the limit, kept, and said so.
            RecordingEnding::Limit => {
                actions.push(Action::Say(Phrase::LimitReached));
                self.offer_review(actions)
            }
        }
    }

    fn review(&mut self, choice: Choice, actions: &mut Actions) -> State {
        self.failures = 0;
        match choice {
            Choice::Send => self.save(actions),
            Choice::Listen => {
                actions.push(Action::Play(Clip::Recording, StartAt::Beginning));
                self.offer_review(actions)
            }
            Choice::RecordAgain => {
                actions.push(Action::Ask(Request::DropRecording));
                self.record_again(actions)
            }
            Choice::Urgent => {
                let (importance, phrase) = match self.importance {
                    Importance::High => (Importance::Normal, Phrase::MarkedNormal),
                    Importance::Normal | Importance::Low => (Importance::High, Phrase::MarkedUrgent),
                };
                self.importance = importance;
                actions.push(Action::Say(phrase));
                self.offer_review(actions)
            }
            Choice::Cancel => {
                actions.push(Action::Ask(Request::DropRecording));
                actions.push(Action::Ask(Request::NoteMissedCall));
                actions.push(Action::Say(Phrase::DepositCancelled));
                self.goodbye(actions)
            }
            // `Help`, and whatever else a table may hold.
            _ => self.offer_review(actions),
        }
    }

    fn failed(&mut self, actions: &mut Actions) -> State {
        self.failures = self.failures.saturating_add(1);
        // PEER-17. Somebody who spoke and then put the receiver aside has left a message.
        if self.failures >= self.settings.failures_max {
            return self.save(actions);
        }
        self.offer_review(actions)
    }

    fn offer_review(&self, actions: &mut Actions) -> State {
        actions.push(Action::Say(Phrase::Choices(Menu::Review)));
        actions.push(Action::Collect(Grammar::Menu(Menu::Review)));
        State::Review
    }

    fn record_again(&self, actions: &mut Actions) -> State {
        actions.push(Action::Say(Phrase::RecordAfterTone));
        actions.push(Action::Record(Purpose::Deposit));
        State::Recording
    }

    fn save(&self, actions: &mut Actions) -> State {
        actions.push(Action::Ask(Request::SaveDeposit(self.importance)));
        State::Saving
    }

    fn goodbye(&self, actions: &mut Actions) -> State {
        actions.push(Action::Say(Phrase::Goodbye));
        actions.push(Action::HangUp);
        State::Leaving
    }

    /// The caller is gone: keep what there is, else say that there was a call.
    fn keep_or_note(&self, keep: bool, actions: &mut Actions) {
        if keep {
            actions.push(Action::Ask(Request::SaveDeposit(self.importance)));
        } else {
            actions.push(Action::Ask(Request::DropRecording));
            actions.push(Action::Ask(Request::NoteMissedCall));
        }
    }

    fn is_kept(&self, recorded: Recorded) -> bool {
        let keep_all = self.settings.shortest.is_zero();
        keep_all || (recorded.duration >= self.settings.shortest && !recorded.speech.is_zero())
    }
}

/// MISS-1
fn note_if(missed: bool, actions: &mut Actions) {
    if missed {
        actions.push(Action::Ask(Request::NoteMissedCall));
    }
}
