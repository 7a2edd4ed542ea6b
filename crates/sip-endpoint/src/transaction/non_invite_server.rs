//! Non-INVITE server transaction: RFC 3261 17.2.2, with RFC 4320.
//!
//! ```text
//!         request
//!            |  Arm(F)
//!            v
//!       +--------+   1xx    +------------+  1xx, request again
//!       | Trying |--------->| Proceeding |<---+
//!       +--------+          +------------+----+
//!            | 200-699, F        | 200-699, F, undeliverable
//!            v                   v
//!             Terminated  (Completed lasts Timer J, which is zero)
//! ```

use bytes::Bytes;

use super::{Action, Actions, Class, Failure, SIXTY_FOUR_T1, Timer, actions};

/// The states of figure 8 by their names in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NonInviteServer {
    /// Nothing was sent.
    Trying,
    /// A provisional response was sent.
    Proceeding {
        /// What a copy of the request is answered with.
        last: Bytes,
    },
    /// Over.
    Terminated,
}

/// What can happen to a non-INVITE server transaction.
#[derive(Debug)]
pub(crate) enum Input {
    /// The request came again.
    Retransmission,
    /// The user answers.
    Respond(Class, Bytes),
    /// A timer fired.
    Timer(Timer),
    /// A response could be sent neither on its flow nor on a new one (RFC 3261 18.2.2).
    Undeliverable,
}

impl NonInviteServer {
    /// The transaction that a request other than INVITE, ACK and CANCEL creates.
    pub(crate) fn start() -> (Self, Actions) {
        (NonInviteServer::Trying, actions![Action::Arm(Timer::F, SIXTY_FOUR_T1)])
    }

    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use {Action::*, NonInviteServer::*};
        match (self, input) {
            (Trying | Proceeding { .. }, Input::Respond(Class::Provisional, response)) => {
                (Proceeding { last: response.clone() }, actions![Transmit(response)])
            }
            // Completed lasts Timer J, which is zero on a reliable transport, so we pass through.
            (Trying | Proceeding { .. }, Input::Respond(Class::Success | Class::Failure, response)) => {
                (Terminated, actions![Disarm(Timer::F), Transmit(response)])
            }
            // RFC 3261 17.2.2: in Trying, copies are discarded.
            (Trying, Input::Retransmission) => (Trying, actions![]),
            (Proceeding { last }, Input::Retransmission) => {
                (Proceeding { last: last.clone() }, actions![Transmit(last)])
            }
            // RFC 4320 4.2: the client gave up at its Timer F, and a late answer only does harm.
            (Trying | Proceeding { .. }, Input::Timer(Timer::F)) => {
                (Terminated, actions![Fail(Failure::Timeout)])
            }
            (Trying | Proceeding { .. }, Input::Undeliverable) => {
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
    use NonInviteServer::*;

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn proceeding() -> NonInviteServer {
        Proceeding { last: bytes("100") }
    }

    fn respond(class: Class, text: &'static str) -> Input {
        Input::Respond(class, bytes(text))
    }

    #[track_caller]
    fn check(
        from: NonInviteServer,
        input: Input,
        to: NonInviteServer,
        expected: impl IntoIterator<Item = Action>,
    ) {
        let (state, actions) = from.step(input);
        assert_eq!(state, to);
        assert_eq!(actions.as_slice(), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_request_starts_the_time_in_which_an_answer_makes_sense() {
        let (state, actions) = NonInviteServer::start();
        assert_eq!(state, Trying);
        assert_eq!(actions.as_slice(), [Arm(Timer::F, SIXTY_FOUR_T1)]);
    }

    #[test]
    fn a_final_response_ends_it_at_once() {
        let sent = || [Disarm(Timer::F), Transmit(bytes("200"))];
        check(Trying, respond(Class::Success, "200"), Terminated, sent());
        check(proceeding(), respond(Class::Success, "200"), Terminated, sent());
        check(Trying, respond(Class::Failure, "200"), Terminated, sent());
        check(Terminated, respond(Class::Success, "200"), Terminated, []);
    }

    #[test]
    fn a_provisional_response_is_sent_and_kept() {
        check(Trying, respond(Class::Provisional, "100"), proceeding(), [Transmit(bytes("100"))]);
        check(proceeding(), respond(Class::Provisional, "100"), proceeding(), [Transmit(bytes("100"))]);
        check(Terminated, respond(Class::Provisional, "100"), Terminated, []);
    }

    #[test]
    fn a_copy_of_the_request_gets_what_was_said_last() {
        check(Trying, Input::Retransmission, Trying, []);
        check(proceeding(), Input::Retransmission, proceeding(), [Transmit(bytes("100"))]);
        check(Terminated, Input::Retransmission, Terminated, []);
    }

    // RFC 4320 4.2
    #[test]
    fn nobody_answers_a_request_whose_client_has_given_up() {
        check(Trying, Input::Timer(Timer::F), Terminated, [Fail(Failure::Timeout)]);
        check(proceeding(), Input::Timer(Timer::F), Terminated, [Fail(Failure::Timeout)]);
        check(Terminated, Input::Timer(Timer::F), Terminated, []);
        check(Trying, Input::Timer(Timer::H), Trying, []);
    }

    #[test]
    fn a_response_that_cannot_be_delivered_ends_it() {
        let expected = || [Disarm(Timer::F), Fail(Failure::Transport)];
        check(Trying, Input::Undeliverable, Terminated, expected());
        check(proceeding(), Input::Undeliverable, Terminated, expected());
        check(Terminated, Input::Undeliverable, Terminated, []);
    }
}
