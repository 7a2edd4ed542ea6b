//! Placing a call with an initial INVITE: RFC 3261 13.2, and taking it back: 9.1.

use arrayvec::ArrayVec;

use crate::Ending;
use crate::invite::actions;

/// Where an invitation that we sent stands. Responses that are not for it (a challenge that was
/// answered, a 2xx of another fork) never get here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uac {
    /// No final response came.
    Calling,
    /// We sent CANCEL, and wait for what the INVITE gets.
    Cancelling,
    /// A 2xx came, and its ACK left.
    Confirmed,
    /// Nothing more will happen.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The first 2xx came, and was acknowledged.
    Accepted,
    /// Another final response came, or none: the ending says which.
    Refused(Ending),
    /// We want to end it, however far it is.
    HangUp,
    /// The peer sent BYE.
    Bye,
    /// The dialog is lost for the reason given.
    Lost(Ending),
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send CANCEL, as soon as a provisional response allows it.
    SendCancel,
    /// Tell that the call was answered.
    Answered,
    /// Send BYE.
    SendBye,
    /// Tell that the call is over, and forget it.
    End(Ending),
}

/// At most two things follow from one.
pub(crate) type Actions = ArrayVec<Action, 2>;

impl Uac {
    /// The INVITE left.
    pub(crate) fn new() -> Self {
        Uac::Calling
    }

    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use Action::*;
        use Uac::*;
        match (self, input) {
            (Calling, Input::Accepted) => (Confirmed, actions![Answered]),
            // RFC 3261 9.1: CANCEL has no effect on a request that was finally answered; the
            // session then has to be ended with BYE.
            (Cancelling, Input::Accepted) => (Terminated, actions![SendBye, End(Ending::Cancelled)]),

            (Calling, Input::Refused(ending)) => (Terminated, actions![End(ending)]),
            // Usually 487; whatever it is, it ends what we wanted ended. None at all for 64*T1 after
            // the CANCEL comes here as a time-out, too (RFC 3261 9.1).
            (Cancelling, Input::Refused(_)) => (Terminated, actions![End(Ending::Cancelled)]),

            (Calling, Input::HangUp) => (Cancelling, actions![SendCancel]),

            (Confirmed, Input::HangUp) => (Terminated, actions![SendBye, End(Ending::ByUs)]),
            (Confirmed, Input::Bye) => (Terminated, actions![End(Ending::ByPeer)]),
            // RFC 3261 12.2.1.2, RFC 4028 10: the peer may still be there, so it is told.
            (Confirmed, Input::Lost(ending)) => (Terminated, actions![SendBye, End(ending)]),

            // What is left is late, or a BYE on an early dialog, which RFC 3261 15 forbids the
            // callee to send.
            (state, _) => (state, actions![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::Input::*;
    use super::*;

    fn check(inputs: &[Input], expected: Uac, expected_actions: &[Action]) {
        let mut state = Uac::new();
        let mut all = Vec::new();
        for input in inputs {
            let (next, actions) = state.step(input.clone());
            state = next;
            all.extend(actions);
        }
        assert_eq!((state, all), (expected, expected_actions.to_vec()), "{inputs:?}");
    }

    #[test]
    fn a_call_is_answered_and_ended_by_either_side() {
        check(&[Accepted, HangUp], Uac::Terminated, &[Answered, SendBye, End(Ending::ByUs)]);
        check(&[Accepted, Bye], Uac::Terminated, &[Answered, End(Ending::ByPeer)]);
        check(
            &[Accepted, Lost(Ending::SessionExpired)],
            Uac::Terminated,
            &[Answered, SendBye, End(Ending::SessionExpired)],
        );
    }

    // RFC 3261 9.1: both orders of CANCEL and 2xx.
    #[test]
    fn a_success_that_crosses_our_cancel_is_ended_with_bye() {
        check(&[HangUp, Accepted], Uac::Terminated, &[SendCancel, SendBye, End(Ending::Cancelled)]);
        check(&[Accepted, HangUp], Uac::Terminated, &[Answered, SendBye, End(Ending::ByUs)]);
    }

    #[test]
    fn cancelling_ends_with_whatever_final_response_comes_or_with_none() {
        check(&[HangUp, Refused(Ending::NoResponse)], Uac::Terminated, &[SendCancel, End(Ending::Cancelled)]);
        check(&[HangUp, HangUp], Uac::Cancelling, &[SendCancel]);
    }

    #[test]
    fn a_refusal_is_reported_as_it_came() {
        check(&[Refused(Ending::TransportFailed)], Uac::Terminated, &[End(Ending::TransportFailed)]);
        check(&[Refused(Ending::NoResponse), Accepted], Uac::Terminated, &[End(Ending::NoResponse)]);
    }

    // RFC 3261 15
    #[test]
    fn a_bye_before_the_answer_means_nothing() {
        check(&[Bye], Uac::Calling, &[]);
    }
}
