//! INVITE server transaction: RFC 3261 17.2.1, as corrected by RFC 6026 7.1.
//!
//! ```text
//!                 INVITE
//!                   |  Arm(Trying)
//!                   v
//!             +------------+  1xx, INVITE again, CANCEL
//!             | Proceeding |<---+
//!             +------------+----+
//!     2xx, Arm(L) |     | 300-699, Arm(H)
//!                 v     v
//!        +----------+  +-----------+
//!        | Accepted |  | Completed |  INVITE again: the response again
//!        +----------+  +-----------+
//!            | L          | ACK, H, undeliverable
//!            v            v
//!             Terminated  (Confirmed lasts Timer I, which is zero)
//! ```

use bytes::Bytes;

use super::{Action, Actions, Class, Failure, SIXTY_FOUR_T1, TRYING_AFTER, Timer, actions};

/// The states of figure 7 by their names in it; each carries only what it still needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InviteServer {
    /// No final response yet.
    Proceeding {
        /// What a copy of the request is answered with.
        last: Last,
        /// The user has been told of a CANCEL.
        cancelled: bool,
    },
    /// A success was sent; its repetition is the user's (RFC 3261 13.3.1.4).
    Accepted,
    /// Another final response was sent, and its ACK is due.
    Completed {
        /// What a copy of the request is answered with.
        sent: Bytes,
    },
    /// Over.
    Terminated,
}

/// The most recent thing said about a request in Proceeding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// Nothing yet: the request is kept, so that a 100 can be made of it.
    Nothing(Bytes),
    /// This provisional response.
    Provisional(Bytes),
}

/// What can happen to an INVITE server transaction.
#[derive(Debug)]
pub(crate) enum Input {
    /// The INVITE came again.
    Retransmission,
    /// The user answers.
    Respond(Class, Bytes),
    /// A CANCEL came that matches.
    Cancel,
    /// An ACK came that matches.
    Ack,
    /// A timer fired.
    Timer(Timer),
    /// A response could be sent neither on its flow nor on a new one (RFC 3261 18.2.2).
    Undeliverable,
}

impl InviteServer {
    /// The transaction that an INVITE creates.
    pub(crate) fn start(request: Bytes) -> (Self, Actions) {
        let state = InviteServer::Proceeding { last: Last::Nothing(request), cancelled: false };
        (state, actions![Action::Arm(Timer::Trying, TRYING_AFTER)])
    }

    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use {Action::*, InviteServer::*};
        match (self, input) {
            // RFC 3261 17.2.1: a 100 unless the user has answered within 200 ms.
            (Proceeding { last: Last::Nothing(request), cancelled }, Input::Timer(Timer::Trying)) => {
                let last = Last::Nothing(request.clone());
                (Proceeding { last, cancelled }, actions![Try(request)])
            }
            (Proceeding { cancelled, .. }, Input::Respond(Class::Provisional, response)) => {
                let last = Last::Provisional(response.clone());
                (Proceeding { last, cancelled }, actions![Disarm(Timer::Trying), Transmit(response)])
            }
            // RFC 6026 7.1: a 2xx leads to Accepted, not Terminated, and starts Timer L.
            (Proceeding { .. }, Input::Respond(Class::Success, response)) => {
                let actions =
                    actions![Disarm(Timer::Trying), Arm(Timer::L, SIXTY_FOUR_T1), Transmit(response)];
                (Accepted, actions)
            }
            // Timer G is for unreliable transports: only H runs.
            (Proceeding { .. }, Input::Respond(Class::Failure, response)) => {
                let sent = response.clone();
                let actions =
                    actions![Disarm(Timer::Trying), Arm(Timer::H, SIXTY_FOUR_T1), Transmit(response)];
                (Completed { sent }, actions)
            }
            // RFC 3261 17.2.1: the most recent provisional response is passed to the transport.
            (Proceeding { last: Last::Provisional(response), cancelled }, Input::Retransmission) => {
                let last = Last::Provisional(response.clone());
                (Proceeding { last, cancelled }, actions![Transmit(response)])
            }
            (state @ Proceeding { last: Last::Nothing(_), .. }, Input::Retransmission) => (state, actions![]),
            // RFC 3261 9.2: the user hears of a CANCEL once, and answers the INVITE with a 487.
            (Proceeding { last, cancelled: false }, Input::Cancel) => {
                (Proceeding { last, cancelled: true }, actions![Cancelled])
            }
            (Proceeding { .. }, Input::Undeliverable) => {
                (Terminated, actions![Disarm(Timer::Trying), Fail(Failure::Transport)])
            }

            // RFC 6026 7.1: the user repeats its 2xx through the transaction.
            (Accepted, Input::Respond(Class::Success, response)) => (Accepted, actions![Transmit(response)]),
            // RFC 6026 7.1: "Any ACKs received ... while in the Accepted state are passed to the TU".
            (Accepted, Input::Ack) => (Accepted, actions![Pass]),
            // RFC 6026 7.1: copies of the INVITE are absorbed without an answer.
            (Accepted, Input::Retransmission) => (Accepted, actions![]),
            (Accepted, Input::Timer(Timer::L)) => (Terminated, actions![]),
            // RFC 6026 7.1: the user is told, and the transaction stays, since the next 2xx may get through.
            (Accepted, Input::Undeliverable) => (Accepted, actions![Fail(Failure::Transport)]),

            (Completed { sent }, Input::Retransmission) => {
                let again = sent.clone();
                (Completed { sent }, actions![Transmit(again)])
            }
            // Confirmed lasts Timer I, which is zero on a reliable transport, so we pass through.
            (Completed { .. }, Input::Ack) => (Terminated, actions![Disarm(Timer::H)]),
            // RFC 3261 17.2.1: Timer H in Completed means that the ACK was never received.
            (Completed { .. }, Input::Timer(Timer::H)) => (Terminated, actions![Fail(Failure::Timeout)]),
            (Completed { .. }, Input::Undeliverable) => {
                (Terminated, actions![Disarm(Timer::H), Fail(Failure::Transport)])
            }

            // Late news about something already left behind: a CANCEL after the final response
            // (RFC 3261 9.2: "no effect"), an ACK to a provisional one, a second final response.
            (state, _) => (state, actions![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use InviteServer::*;

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn unanswered() -> InviteServer {
        Proceeding { last: Last::Nothing(bytes("INVITE")), cancelled: false }
    }

    fn ringing() -> InviteServer {
        Proceeding { last: Last::Provisional(bytes("180")), cancelled: false }
    }

    fn refused() -> InviteServer {
        Completed { sent: bytes("486") }
    }

    fn respond(class: Class, text: &'static str) -> Input {
        Input::Respond(class, bytes(text))
    }

    #[track_caller]
    fn check(from: InviteServer, input: Input, to: InviteServer, expected: impl IntoIterator<Item = Action>) {
        let (state, actions) = from.step(input);
        assert_eq!(state, to);
        assert_eq!(actions.as_slice(), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_invite_starts_the_wait_for_a_100() {
        let (state, actions) = InviteServer::start(bytes("INVITE"));
        assert_eq!(state, unanswered());
        assert_eq!(actions.as_slice(), [Arm(Timer::Trying, TRYING_AFTER)]);
    }

    // DEC-3
    #[test]
    fn a_100_is_made_only_if_nothing_was_sent() {
        check(unanswered(), Input::Timer(Timer::Trying), unanswered(), [Try(bytes("INVITE"))]);
        check(ringing(), Input::Timer(Timer::Trying), ringing(), []);
        check(Accepted, Input::Timer(Timer::Trying), Accepted, []);
    }

    #[test]
    fn a_provisional_response_is_sent_and_kept() {
        let expected = [Disarm(Timer::Trying), Transmit(bytes("180"))];
        check(unanswered(), respond(Class::Provisional, "180"), ringing(), expected);
    }

    #[test]
    fn a_copy_of_the_invite_gets_what_was_said_last() {
        check(unanswered(), Input::Retransmission, unanswered(), []);
        check(ringing(), Input::Retransmission, ringing(), [Transmit(bytes("180"))]);
        check(Accepted, Input::Retransmission, Accepted, []);
        check(refused(), Input::Retransmission, refused(), [Transmit(bytes("486"))]);
        check(Terminated, Input::Retransmission, Terminated, []);
    }

    // RFC 6026 7.1
    #[test]
    fn a_success_leads_to_accepted_and_is_repeated_by_the_user_until_timer_l() {
        let expected = [Disarm(Timer::Trying), Arm(Timer::L, SIXTY_FOUR_T1), Transmit(bytes("200"))];
        check(ringing(), respond(Class::Success, "200"), Accepted, expected);
        check(Accepted, respond(Class::Success, "200"), Accepted, [Transmit(bytes("200"))]);
        check(Accepted, Input::Timer(Timer::L), Terminated, []);
    }

    #[test]
    fn another_final_response_waits_for_its_ack() {
        let expected = [Disarm(Timer::Trying), Arm(Timer::H, SIXTY_FOUR_T1), Transmit(bytes("486"))];
        check(unanswered(), respond(Class::Failure, "486"), refused(), expected);
        check(refused(), Input::Ack, Terminated, [Disarm(Timer::H)]);
    }

    // REL-33
    #[test]
    fn timer_h_tells_that_the_ack_never_came() {
        check(refused(), Input::Timer(Timer::H), Terminated, [Fail(Failure::Timeout)]);
    }

    #[test]
    fn an_ack_is_passed_on_only_after_a_success() {
        check(unanswered(), Input::Ack, unanswered(), []);
        check(Accepted, Input::Ack, Accepted, [Pass]);
        check(Terminated, Input::Ack, Terminated, []);
    }

    // SEC-24: the race of CANCEL with the final response, in both orders.
    #[test]
    fn a_cancel_before_the_final_response_is_told_once() {
        let told = || Proceeding { last: Last::Provisional(bytes("180")), cancelled: true };
        check(ringing(), Input::Cancel, told(), [Cancelled]);
        check(told(), Input::Cancel, told(), []);
        let expected = [Disarm(Timer::Trying), Arm(Timer::H, SIXTY_FOUR_T1), Transmit(bytes("487"))];
        check(told(), respond(Class::Failure, "487"), Completed { sent: bytes("487") }, expected);
    }

    // SEC-24
    #[test]
    fn a_cancel_after_the_final_response_has_no_effect() {
        check(Accepted, Input::Cancel, Accepted, []);
        check(refused(), Input::Cancel, refused(), []);
        check(Terminated, Input::Cancel, Terminated, []);
    }

    #[test]
    fn a_second_final_response_is_not_sent() {
        check(refused(), respond(Class::Success, "200"), refused(), []);
        check(refused(), respond(Class::Failure, "603"), refused(), []);
        check(Accepted, respond(Class::Failure, "500"), Accepted, []);
        check(Accepted, respond(Class::Provisional, "180"), Accepted, []);
        check(Terminated, respond(Class::Success, "200"), Terminated, []);
    }

    #[test]
    fn a_response_that_cannot_be_delivered_ends_all_but_accepted() {
        let lost = Fail(Failure::Transport);
        check(ringing(), Input::Undeliverable, Terminated, [Disarm(Timer::Trying), lost.clone()]);
        check(refused(), Input::Undeliverable, Terminated, [Disarm(Timer::H), lost.clone()]);
        check(Accepted, Input::Undeliverable, Accepted, [lost]);
        check(Terminated, Input::Undeliverable, Terminated, []);
    }

    #[test]
    fn timers_of_other_states_are_ignored() {
        check(ringing(), Input::Timer(Timer::L), ringing(), []);
        check(Accepted, Input::Timer(Timer::H), Accepted, []);
        check(refused(), Input::Timer(Timer::Trying), refused(), []);
        check(Terminated, Input::Timer(Timer::H), Terminated, []);
    }
}
