//! What an owner's call remembers from place to place.

use crate::action::{Action, Actions, Speed, Volume};
use crate::menu::Choice;
use crate::phrase::Phrase;

use super::{Place, Settings, StepUp};

/// The memory of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) settings: Settings,
    /// The PIN was given in this call, at log-in or later.
    pin_given: bool,
    wrong_pins: u8,
    failures: u8,
    speed: Speed,
    volume: Volume,
}

impl Session {
    pub(super) fn new(settings: Settings) -> Self {
        Session {
            settings,
            pin_given: false,
            wrong_pins: 0,
            failures: 0,
            speed: Speed::default(),
            volume: Volume::default(),
        }
    }

    /// The right PIN was entered.
    pub(super) fn pin_was_given(&mut self) {
        self.pin_given = true;
        self.understood();
    }

    /// DEC-13: whether the PIN is asked for before it is changed.
    pub(super) fn needs_pin(&self) -> bool {
        match self.settings.step_up {
            StepUp::Sensitive => !self.pin_given,
            StepUp::Never => false,
        }
    }

    /// The caller made sense.
    pub(super) fn understood(&mut self) {
        self.failures = 0;
    }

    /// The caller made none. PEER-17: a place to go to when that was once too often.
    pub(super) fn failed(&mut self, actions: &mut Actions) -> Option<Place> {
        self.failures = self.failures.saturating_add(1);
        (self.failures >= self.settings.failures_max).then(|| goodbye(actions))
    }

    /// A wrong PIN. SEC-84: a place to go to when there are no more tries.
    pub(super) fn pin_was_wrong(&mut self, actions: &mut Actions) -> Option<Place> {
        self.wrong_pins = self.wrong_pins.saturating_add(1);
        (self.wrong_pins >= self.settings.pin_attempts_max).then(|| goodbye(actions))
    }

    /// Speed and volume, for the rest of the call. Says whether `choice` was one of these.
    pub(super) fn adjust(&mut self, choice: Choice, actions: &mut Actions) -> bool {
        match choice {
            Choice::Slower => self.speed = self.speed.slower(),
            Choice::Faster => self.speed = self.speed.faster(),
            Choice::Softer => self.volume = self.volume.softer(),
            Choice::Louder => self.volume = self.volume.louder(),
            _ => return false,
        }
        actions.push(match choice {
            Choice::Slower | Choice::Faster => Action::SetSpeed(self.speed),
            _ => Action::SetVolume(self.volume),
        });
        true
    }
}

pub(super) fn goodbye(actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::Goodbye));
    actions.push(Action::HangUp);
    Place::Leaving
}

/// The store does not do what cannot be gone on without.
pub(super) fn try_later(actions: &mut Actions) -> Place {
    actions.push(Action::Say(Phrase::TryLater));
    goodbye(actions)
}
