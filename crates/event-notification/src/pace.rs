//! One NOTIFY at a time, at most one a second, and always the newest state: MWI-2, RFC 6665 5.4.10.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::actions;

/// MWI-2, RFC 3842 3.9: the least time between two NOTIFYs of one subscription.
pub const BETWEEN_NOTIFIES: Duration = Duration::from_secs(1);

/// When the next NOTIFY may leave.
///
/// It does not know what there is to tell: who sends takes the state as it is then, so that what
/// changed twice is told once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Nothing to tell, and nothing that forbids it.
    #[default]
    Ready,
    /// A NOTIFY is on its way.
    Sending {
        /// What has to be told after it.
        owed: Owed,
        /// Its second is not over.
        is_resting: bool,
    },
    /// The last one was a moment ago, or its receiver wants to be left alone for a while.
    Resting {
        /// Something has to be told after that.
        is_owed: bool,
    },
}

/// What has to be told next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    /// Nothing.
    #[default]
    Nothing,
    /// The state has changed.
    News,
    /// It was asked for.
    Answer,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The state has changed.
    Changed,
    /// The state was asked for: RFC 6665 4.2.1.2 has a NOTIFY follow "immediately" upon every SUBSCRIBE,
    /// which is not paced but by the asking.
    Asked,
    /// The NOTIFY was answered, or will not be.
    Over,
    /// Its receiver asked for time.
    Postponed(Duration),
    /// The time of [`Action::Rest`] is over.
    Rested,
}

/// What it wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a NOTIFY with the state as it is.
    Send,
    /// Tell [`Input::Rested`] after this, in place of what was wanted before.
    Rest(Duration),
}

/// At most two things follow from one.
pub type Actions = ArrayVec<Action, 2>;

impl Pace {
    /// Takes in what happened.
    pub fn step(self, input: Input) -> (Self, Actions) {
        use Pace::*;
        match (self, input) {
            (Ready, Input::Changed | Input::Asked) => Pace::send(),
            (Resting { .. }, Input::Asked) => Pace::send(),
            (Resting { .. }, Input::Changed) => (Resting { is_owed: true }, actions![]),
            (Resting { is_owed: false }, Input::Rested) => (Ready, actions![]),
            (Resting { is_owed: true }, Input::Rested) => Pace::send(),

            (Sending { owed, is_resting }, Input::Changed) => {
                (Sending { owed: owed.max(Owed::News), is_resting }, actions![])
            }
            (Sending { is_resting, .. }, Input::Asked) => {
                (Sending { owed: Owed::Answer, is_resting }, actions![])
            }
            (Sending { owed, .. }, Input::Rested) => (Sending { owed, is_resting: false }, actions![]),
            (Sending { owed: Owed::Nothing, is_resting: true }, Input::Over) => {
                (Resting { is_owed: false }, actions![])
            }
            (Sending { owed: Owed::Nothing, is_resting: false }, Input::Over) => (Ready, actions![]),
            (Sending { owed: Owed::News, is_resting: true }, Input::Over) => {
                (Resting { is_owed: true }, actions![])
            }
            (Sending { .. }, Input::Over) => Pace::send(),
            // What was not taken is still to be told.
            (Sending { .. }, Input::Postponed(wait)) => {
                (Resting { is_owed: true }, actions![Action::Rest(wait)])
            }

            // What is left is late.
            (Ready, Input::Over | Input::Postponed(_) | Input::Rested) => (self, actions![]),
            (Resting { .. }, Input::Over | Input::Postponed(_)) => (self, actions![]),
        }
    }

    fn send() -> (Self, Actions) {
        let sending = Pace::Sending { owed: Owed::Nothing, is_resting: true };
        (sending, actions![Action::Send, Action::Rest(BETWEEN_NOTIFIES)])
    }

    /// Whether an answer is being waited for.
    pub fn is_sending(&self) -> bool {
        matches!(self, Pace::Sending { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::Input::*;
    use super::*;

    /// Feeds the inputs one after the other: `!` for each NOTIFY, `.` for each input without one.
    #[track_caller]
    fn check(inputs: &[Input], expected: &str) {
        let mut pace = Pace::default();
        let mut seen = String::new();
        for input in inputs {
            let (next, actions) = pace.step(*input);
            pace = next;
            let sends = actions.contains(&Action::Send);
            assert_eq!(sends, actions.contains(&Action::Rest(BETWEEN_NOTIFIES)), "{input:?}");
            seen.push(if sends { '!' } else { '.' });
        }
        assert_eq!(seen, expected, "{pace:?}");
    }

    /// MWI-2
    #[test]
    fn a_change_is_told_at_once_and_the_next_one_a_second_later() {
        check(&[Changed, Over, Changed, Rested, Over, Rested], "!..!..");
        check(&[Changed, Over, Rested, Changed], "!..!");
    }

    #[test]
    fn a_burst_is_two_notifies_however_long_it_is() {
        check(&[Changed, Changed, Changed, Over, Changed, Changed, Rested], "!.....!");
    }

    #[test]
    fn an_answer_that_is_slower_than_a_second_is_waited_for() {
        check(&[Changed, Rested, Changed, Over], "!..!");
        check(&[Changed, Changed, Rested, Over], "!..!");
        check(&[Changed, Rested, Over, Rested], "!...");
    }

    /// RFC 6665 4.2.1.2
    #[test]
    fn who_asks_is_told_without_a_rest() {
        check(&[Asked, Over, Asked, Over, Changed, Asked], "!.!..!");
        check(&[Changed, Asked, Changed, Over], "!..!");
    }

    #[test]
    fn who_wants_time_gets_it_and_is_told_then() {
        let wait = Duration::from_secs(30);
        let (pace, _) = Pace::default().step(Changed);
        let (pace, actions) = pace.step(Postponed(wait));
        assert_eq!(actions.as_slice(), [Action::Rest(wait)]);
        assert_eq!(pace.step(Rested).1.first(), Some(&Action::Send));
    }

    #[test]
    fn what_comes_late_means_nothing() {
        check(&[Over, Rested, Postponed(Duration::ZERO)], "...");
        check(&[Changed, Over, Over, Postponed(Duration::ZERO), Rested, Rested], "!.....");
    }
}
