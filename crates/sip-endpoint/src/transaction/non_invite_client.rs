//! Non-INVITE client transaction: RFC 3261 17.1.2.
//!
//! ```text
//!       request sent
//!            |  Arm(F)
//!            v
//!       +--------+   1xx    +------------+  1xx
//!       | Trying |--------->| Proceeding |<---+
//!       +--------+          +------------+----+
//!            | 200-699, F, lost  | 200-699, F, lost
//!            v                   v
//!             Terminated  (Completed lasts Timer K, which is zero)
//! ```

use super::{Action, Actions, Class, Failure, SIXTY_FOUR_T1, Timer, actions};

/// The states of figure 6 by their names in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonInviteClient {
    /// Sent, and nothing came back.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// Over.
    Terminated,
}

/// What can happen to a non-INVITE client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A response that matches.
    Response(Class),
    /// A timer fired.
    Timer(Timer),
    /// The flow it went out on is gone.
    FlowLost,
}

impl NonInviteClient {
    /// The transaction of a request that has just been sent.
    pub(crate) fn start() -> (Self, Actions) {
        (NonInviteClient::Trying, actions![Action::Arm(Timer::F, SIXTY_FOUR_T1)])
    }

    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use {Action::*, NonInviteClient::*};
        match (self, input) {
            // Timer F goes on: a provisional response does not buy time (RFC 3261 17.1.2.2).
            (Trying | Proceeding, Input::Response(Class::Provisional)) => (Proceeding, actions![Pass]),
            // Completed lasts Timer K, which is zero on a reliable transport, so we pass through.
            (Trying | Proceeding, Input::Response(Class::Success | Class::Failure)) => {
                (Terminated, actions![Pass, Disarm(Timer::F)])
            }
            (Trying | Proceeding, Input::Timer(Timer::F)) => (Terminated, actions![Fail(Failure::Timeout)]),
            // RFC 3261 17.1.4. No wait for a new flow here: the time that is left is short anyway,
            // and who asked can ask again.
            (Trying | Proceeding, Input::FlowLost) => {
                (Terminated, actions![Disarm(Timer::F), Fail(Failure::Transport)])
            }
            // Late news about something already answered.
            (state, _) => (state, actions![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use NonInviteClient::*;

    #[track_caller]
    fn check(
        from: NonInviteClient,
        input: Input,
        to: NonInviteClient,
        expected: impl IntoIterator<Item = Action>,
    ) {
        let (state, actions) = from.step(input);
        assert_eq!(state, to);
        assert_eq!(actions.as_slice(), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn sending_starts_timer_f() {
        let (state, actions) = NonInviteClient::start();
        assert_eq!(state, Trying);
        assert_eq!(actions.as_slice(), [Arm(Timer::F, SIXTY_FOUR_T1)]);
    }

    #[test]
    fn a_provisional_response_does_not_stop_timer_f() {
        let provisional = Input::Response(Class::Provisional);
        check(Trying, provisional, Proceeding, [Pass]);
        check(Proceeding, provisional, Proceeding, [Pass]);
        check(Terminated, provisional, Terminated, []);
    }

    #[test]
    fn a_final_response_ends_it() {
        for class in [Class::Success, Class::Failure] {
            check(Trying, Input::Response(class), Terminated, [Pass, Disarm(Timer::F)]);
            check(Proceeding, Input::Response(class), Terminated, [Pass, Disarm(Timer::F)]);
            check(Terminated, Input::Response(class), Terminated, []);
        }
    }

    #[test]
    fn timer_f_ends_a_request_that_nobody_answers() {
        check(Trying, Input::Timer(Timer::F), Terminated, [Fail(Failure::Timeout)]);
        check(Proceeding, Input::Timer(Timer::F), Terminated, [Fail(Failure::Timeout)]);
        check(Terminated, Input::Timer(Timer::F), Terminated, []);
        check(Trying, Input::Timer(Timer::B), Trying, []);
    }

    #[test]
    fn a_lost_flow_is_a_failure() {
        check(Trying, Input::FlowLost, Terminated, [Disarm(Timer::F), Fail(Failure::Transport)]);
        check(Proceeding, Input::FlowLost, Terminated, [Disarm(Timer::F), Fail(Failure::Transport)]);
        check(Terminated, Input::FlowLost, Terminated, []);
    }
}
