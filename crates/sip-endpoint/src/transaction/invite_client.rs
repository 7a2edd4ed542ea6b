//! INVITE client transaction: RFC 3261 17.1.1, as corrected by RFC 6026 7.2, and CANCEL (9.1).
//!
//! ```text
//!             INVITE sent
//!                  |  Arm(B)
//!                  v
//!             +---------+   1xx    +------------+  1xx
//!             | Calling |--------->| Proceeding |<---+
//!             +---------+          +------------+----+
//!       2xx, Arm(M) |  \ 300-699, B    | 2xx   \ 300-699, Cancelled
//!                   v   \   lost       v        \
//!             +----------+             |         |
//!             | Accepted |<------------+         |
//!             +----------+  2xx                  |
//!                   | M                          v
//!                   +--------------------> Terminated  (Completed lasts Timer D, which is zero)
//! ```

use bytes::Bytes;

use super::{Action, Actions, Class, Failure, SIXTY_FOUR_T1, Timer, actions};

/// The states of figure 5 by their names in it; each carries only what it still needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InviteClient {
    /// Sent, and nothing came back.
    Calling {
        /// The INVITE as sent: ACK and CANCEL are made of it.
        request: Bytes,
        /// The user wants it cancelled as soon as a provisional response has come.
        cancel: bool,
    },
    /// A provisional response came.
    Proceeding {
        /// The INVITE as sent.
        request: Bytes,
        /// A CANCEL was sent.
        cancelled: bool,
    },
    /// A success came; more may follow, from other branches or repeated.
    Accepted,
    /// Over.
    Terminated,
}

/// What can happen to an INVITE client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A response that matches.
    Response(Class),
    /// The user wants the request cancelled.
    Cancel,
    /// A timer fired.
    Timer(Timer),
    /// The flow it went out on is gone.
    FlowLost {
        /// The server can open another one to us for its response (RFC 3261 18.2.2).
        reachable: bool,
    },
}

impl InviteClient {
    /// The transaction of an INVITE that has just been sent.
    pub(crate) fn start(request: Bytes) -> (Self, Actions) {
        let state = InviteClient::Calling { request, cancel: false };
        (state, actions![Action::Arm(Timer::B, SIXTY_FOUR_T1)])
    }

    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use {Action::*, InviteClient::*};
        match (self, input) {
            (Calling { request, cancel: false }, Input::Response(Class::Provisional)) => {
                (Proceeding { request, cancelled: false }, actions![Pass, Disarm(Timer::B)])
            }
            // RFC 3261 9.1: the CANCEL was waiting for this.
            (Calling { request, cancel: true }, Input::Response(Class::Provisional)) => {
                let state = Proceeding { request: request.clone(), cancelled: true };
                let actions =
                    actions![Pass, Disarm(Timer::B), Cancel(request), Arm(Timer::Cancelled, SIXTY_FOUR_T1)];
                (state, actions)
            }
            // RFC 3261 9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent".
            (Calling { request, .. }, Input::Cancel) => (Calling { request, cancel: true }, actions![]),
            // RFC 3261 17.1.1.2: Timer B in Calling means that nobody answered.
            (Calling { .. }, Input::Timer(Timer::B)) => (Terminated, actions![Fail(Failure::Timeout)]),
            // RFC 3261 17.1.4.
            (Calling { .. }, Input::FlowLost { .. }) => {
                (Terminated, actions![Disarm(Timer::B), Fail(Failure::Transport)])
            }

            // A sign of life ends the wait that a lost flow has begun.
            (state @ Proceeding { .. }, Input::Response(Class::Provisional)) => {
                (state, actions![Pass, Disarm(Timer::B)])
            }
            (Proceeding { request, cancelled: false }, Input::Cancel) => {
                let state = Proceeding { request: request.clone(), cancelled: true };
                (state, actions![Cancel(request), Arm(Timer::Cancelled, SIXTY_FOUR_T1)])
            }
            // RFC 3261 9.1: 64*T1 after the CANCEL the client considers the INVITE cancelled.
            (Proceeding { .. }, Input::Timer(Timer::Cancelled)) => {
                (Terminated, actions![Disarm(Timer::B), Fail(Failure::Timeout)])
            }
            // RFC 3261 18.2.2: the server opens a flow to us for its response. We wait for that as
            // long as for the first one.
            (state @ Proceeding { .. }, Input::FlowLost { reachable: true }) => {
                (state, actions![Arm(Timer::B, SIXTY_FOUR_T1)])
            }
            (Proceeding { .. }, Input::FlowLost { reachable: false }) => {
                (Terminated, actions![Disarm(Timer::Cancelled), Fail(Failure::Transport)])
            }
            (Proceeding { .. }, Input::Timer(Timer::B)) => {
                (Terminated, actions![Disarm(Timer::Cancelled), Fail(Failure::Transport)])
            }

            // RFC 6026 7.2: a 2xx leads to Accepted, not Terminated, and starts Timer M.
            (Calling { .. } | Proceeding { .. }, Input::Response(Class::Success)) => {
                let actions =
                    actions![Pass, Disarm(Timer::B), Disarm(Timer::Cancelled), Arm(Timer::M, SIXTY_FOUR_T1)];
                (Accepted, actions)
            }
            // Completed lasts Timer D, which is zero on a reliable transport, so we pass through.
            (Calling { request, .. } | Proceeding { request, .. }, Input::Response(Class::Failure)) => {
                let actions =
                    actions![Acknowledge(request), Pass, Disarm(Timer::B), Disarm(Timer::Cancelled)];
                (Terminated, actions)
            }

            // RFC 6026 7.2: each 2xx is passed to the user, whose ACK it needs.
            (Accepted, Input::Response(Class::Success)) => (Accepted, actions![Pass]),
            (Accepted, Input::Timer(Timer::M)) => (Terminated, actions![]),

            // Late news about something already left behind: a CANCEL or a 1xx after the final
            // response, a refusal after a success, a flow that is no longer needed.
            (state, _) => (state, actions![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use InviteClient::*;

    fn invite() -> Bytes {
        Bytes::from_static(b"INVITE")
    }

    fn calling() -> InviteClient {
        Calling { request: invite(), cancel: false }
    }

    fn calling_to_be_cancelled() -> InviteClient {
        Calling { request: invite(), cancel: true }
    }

    fn ringing() -> InviteClient {
        Proceeding { request: invite(), cancelled: false }
    }

    fn cancelled() -> InviteClient {
        Proceeding { request: invite(), cancelled: true }
    }

    const PROVISIONAL: Input = Input::Response(Class::Provisional);
    const SUCCESS: Input = Input::Response(Class::Success);
    const FAILURE: Input = Input::Response(Class::Failure);

    #[track_caller]
    fn check(from: InviteClient, input: Input, to: InviteClient, expected: impl IntoIterator<Item = Action>) {
        let (state, actions) = from.step(input);
        assert_eq!(state, to);
        assert_eq!(actions.as_slice(), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn sending_starts_timer_b() {
        let (state, actions) = InviteClient::start(invite());
        assert_eq!(state, calling());
        assert_eq!(actions.as_slice(), [Arm(Timer::B, SIXTY_FOUR_T1)]);
    }

    #[test]
    fn timer_b_ends_a_call_that_nobody_answers() {
        check(calling(), Input::Timer(Timer::B), Terminated, [Fail(Failure::Timeout)]);
        check(calling_to_be_cancelled(), Input::Timer(Timer::B), Terminated, [Fail(Failure::Timeout)]);
    }

    #[test]
    fn provisional_responses_are_passed_on_and_stop_timer_b() {
        check(calling(), PROVISIONAL, ringing(), [Pass, Disarm(Timer::B)]);
        check(ringing(), PROVISIONAL, ringing(), [Pass, Disarm(Timer::B)]);
        check(cancelled(), PROVISIONAL, cancelled(), [Pass, Disarm(Timer::B)]);
        check(Accepted, PROVISIONAL, Accepted, []);
        check(Terminated, PROVISIONAL, Terminated, []);
    }

    // RFC 6026 7.2
    #[test]
    fn every_success_is_passed_on_until_timer_m() {
        let expected = || [Pass, Disarm(Timer::B), Disarm(Timer::Cancelled), Arm(Timer::M, SIXTY_FOUR_T1)];
        check(calling(), SUCCESS, Accepted, expected());
        check(ringing(), SUCCESS, Accepted, expected());
        check(Accepted, SUCCESS, Accepted, [Pass]);
        check(Accepted, Input::Timer(Timer::M), Terminated, []);
        check(Terminated, SUCCESS, Terminated, []);
    }

    // RFC 3261 17.1.1.3
    #[test]
    fn a_refusal_is_passed_on_and_acknowledged() {
        let expected = || [Acknowledge(invite()), Pass, Disarm(Timer::B), Disarm(Timer::Cancelled)];
        check(calling(), FAILURE, Terminated, expected());
        check(ringing(), FAILURE, Terminated, expected());
        check(cancelled(), FAILURE, Terminated, expected());
        check(Accepted, FAILURE, Accepted, []);
        check(Terminated, FAILURE, Terminated, []);
    }

    // RFC 3261 9.1
    #[test]
    fn a_cancel_waits_for_a_provisional_response() {
        check(calling(), Input::Cancel, calling_to_be_cancelled(), []);
        let expected = [Pass, Disarm(Timer::B), Cancel(invite()), Arm(Timer::Cancelled, SIXTY_FOUR_T1)];
        check(calling_to_be_cancelled(), PROVISIONAL, cancelled(), expected);
    }

    #[test]
    fn a_cancel_while_ringing_leaves_at_once_and_once() {
        let expected = [Cancel(invite()), Arm(Timer::Cancelled, SIXTY_FOUR_T1)];
        check(ringing(), Input::Cancel, cancelled(), expected);
        check(cancelled(), Input::Cancel, cancelled(), []);
        check(calling_to_be_cancelled(), Input::Cancel, calling_to_be_cancelled(), []);
    }

    // The race of CANCEL with the final response: whichever comes first, no CANCEL leaves late.
    #[test]
    fn a_cancel_that_was_waiting_is_dropped_when_a_final_response_comes_first() {
        let expected = [Pass, Disarm(Timer::B), Disarm(Timer::Cancelled), Arm(Timer::M, SIXTY_FOUR_T1)];
        check(calling_to_be_cancelled(), SUCCESS, Accepted, expected);
        let expected = [Acknowledge(invite()), Pass, Disarm(Timer::B), Disarm(Timer::Cancelled)];
        check(calling_to_be_cancelled(), FAILURE, Terminated, expected);
        check(Accepted, Input::Cancel, Accepted, []);
        check(Terminated, Input::Cancel, Terminated, []);
    }

    #[test]
    fn a_cancelled_call_that_never_ends_is_given_up() {
        let expected = [Disarm(Timer::B), Fail(Failure::Timeout)];
        check(cancelled(), Input::Timer(Timer::Cancelled), Terminated, expected);
    }

    #[test]
    fn a_flow_lost_before_any_response_is_a_failure() {
        let expected = || [Disarm(Timer::B), Fail(Failure::Transport)];
        check(calling(), Input::FlowLost { reachable: true }, Terminated, expected());
        check(calling(), Input::FlowLost { reachable: false }, Terminated, expected());
    }

    // REL-35, RFC 3261 18.2.2
    #[test]
    fn a_flow_lost_while_ringing_may_be_replaced_by_the_server() {
        let lost = Input::FlowLost { reachable: true };
        check(ringing(), lost, ringing(), [Arm(Timer::B, SIXTY_FOUR_T1)]);
        let expected = [Disarm(Timer::Cancelled), Fail(Failure::Transport)];
        check(ringing(), Input::Timer(Timer::B), Terminated, expected);
    }

    #[test]
    fn a_flow_lost_while_ringing_is_a_failure_where_the_server_cannot_reach_us() {
        let lost = Input::FlowLost { reachable: false };
        let expected = || [Disarm(Timer::Cancelled), Fail(Failure::Transport)];
        check(ringing(), lost, Terminated, expected());
        check(cancelled(), lost, Terminated, expected());
        check(Accepted, lost, Accepted, []);
        check(Terminated, lost, Terminated, []);
    }

    #[test]
    fn timers_of_other_states_are_ignored() {
        check(calling(), Input::Timer(Timer::M), calling(), []);
        check(Accepted, Input::Timer(Timer::B), Accepted, []);
        check(Terminated, Input::Timer(Timer::M), Terminated, []);
    }
}
