//! Answering an initial INVITE: RFC 3261 13.3, with reliable provisional responses of RFC 3262 3.

use arrayvec::ArrayVec;

use crate::Ending;
use crate::invite::actions;

/// Where an invitation that we received stands. What is sent, the owner knows; this knows when.
///
/// ```text
///                 Ring                     Answer                     Ack
///   Proceeding ─────────▶ Proceeding ─────────────────▶ Accepted ──────────▶ Confirmed
///        │                    ▲                            │                     │
///        │ Ring, reliably     │ Pracked                    │ nobody sends ACK    │
///        └───────▶ Reliable ──┘                            ▼                     ▼
///                     └── refused, cancelled ──────▶  Terminated  ◀── BYE, either way
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uas {
    /// No final response was sent.
    Proceeding {
        /// A 180 was sent, so another would say nothing new.
        ringing: bool,
    },
    /// A reliable 180 is out and repeated until its PRACK comes.
    Reliable {
        /// We were told to answer meanwhile; the 200 leaves with the PRACK.
        answer: bool,
    },
    /// A 2xx is out and repeated until its ACK comes (RFC 3261 13.3.1.4).
    Accepted {
        /// We were told to hang up meanwhile. RFC 3261 15: no BYE before the ACK.
        hang_up: bool,
    },
    /// The ACK came.
    Confirmed,
    /// Nothing more will happen.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// We want the caller to hear that somebody is being alerted.
    Ring {
        /// The caller requires reliable provisional responses.
        reliably: bool,
    },
    /// The PRACK of our reliable response came.
    Pracked,
    /// We want to accept.
    Answer,
    /// We want to refuse; the owner holds the response.
    Refuse,
    /// We want to end it, however far it is.
    HangUp,
    /// The caller sent CANCEL.
    Cancelled {
        /// Because another telephone answered.
        elsewhere: bool,
    },
    /// The ACK of our 2xx came.
    Acknowledged,
    /// The caller sent BYE.
    Bye,
    /// 64*T1 went by without PRACK or ACK.
    Unacknowledged,
    /// The dialog is lost for the reason given.
    Lost(Ending),
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send 180.
    SendRinging,
    /// Send 180 reliably, and repeat it.
    SendReliableRinging,
    /// Repeat the reliable 180 no more.
    StopRepeating,
    /// Send the 2xx, and repeat it.
    SendAnswer,
    /// Send the final response that the owner holds.
    SendRefusal,
    /// Send 487 (RFC 3261 9.2, 15.1.2).
    SendRequestTerminated,
    /// Send 504: nobody acknowledged a reliable response (RFC 3262 3).
    SendServerTimeout,
    /// Send 480: we were told to hang up instead of answering.
    SendUnavailable,
    /// Send BYE.
    SendBye,
    /// Tell that the call is over, and forget it.
    End(Ending),
}

/// At most three things follow from one.
pub(crate) type Actions = ArrayVec<Action, 3>;

impl Uas {
    /// An INVITE arrived and was found in order.
    pub(crate) fn new() -> Self {
        Uas::Proceeding { ringing: false }
    }

    /// Whether a 2xx was sent and not yet followed by an end.
    pub(crate) fn is_accepted(self) -> bool {
        matches!(self, Uas::Accepted { .. } | Uas::Confirmed)
    }

    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use Action::*;
        use Uas::*;
        match (self, input) {
            // RFC 3262 3: no second reliable response before the first was acknowledged; ours
            // would say the same, so it is never sent at all.
            (Proceeding { ringing: false }, Input::Ring { reliably: false }) => {
                (Proceeding { ringing: true }, actions![SendRinging])
            }
            (Proceeding { ringing: false }, Input::Ring { reliably: true }) => {
                (Reliable { answer: false }, actions![SendReliableRinging])
            }

            (Reliable { answer: false }, Input::Pracked) => {
                (Proceeding { ringing: true }, actions![StopRepeating])
            }
            (Reliable { answer: true }, Input::Pracked) => {
                (Accepted { hang_up: false }, actions![StopRepeating, SendAnswer])
            }
            // RFC 3262 3: "the UAS SHOULD reject the original request with a 5xx response".
            (Reliable { .. }, Input::Unacknowledged) => {
                (Terminated, actions![SendServerTimeout, End(Ending::NoAck)])
            }

            (Proceeding { .. }, Input::Answer) => (Accepted { hang_up: false }, actions![SendAnswer]),
            // RFC 3262 3 lets a 2xx overtake a reliable response that carried no session
            // description. Waiting costs one round trip and spares the caller two responses that
            // cross on the way.
            (Reliable { .. }, Input::Answer) => (Reliable { answer: true }, actions![]),

            (Proceeding { .. } | Reliable { .. }, Input::Refuse) => {
                (Terminated, actions![StopRepeating, SendRefusal, End(Ending::ByUs)])
            }
            (Proceeding { .. } | Reliable { .. }, Input::HangUp) => {
                (Terminated, actions![StopRepeating, SendUnavailable, End(Ending::ByUs)])
            }
            (Proceeding { .. } | Reliable { .. }, Input::Cancelled { elsewhere }) => {
                let ending = if elsewhere { Ending::CompletedElsewhere } else { Ending::Cancelled };
                (Terminated, actions![StopRepeating, SendRequestTerminated, End(ending)])
            }
            // RFC 3261 15.1.2: a BYE on an early dialog leaves the INVITE to be answered with 487.
            (Proceeding { .. } | Reliable { .. }, Input::Bye) => {
                (Terminated, actions![StopRepeating, SendRequestTerminated, End(Ending::ByPeer)])
            }

            (Accepted { hang_up: false }, Input::Acknowledged) => (Confirmed, actions![]),
            (Accepted { hang_up: true }, Input::Acknowledged) => {
                (Terminated, actions![SendBye, End(Ending::ByUs)])
            }
            // RFC 3261 15: "MUST NOT send a BYE on a confirmed dialog until it has received an ACK
            // for its 2xx response or until the server transaction times out".
            (Accepted { .. }, Input::HangUp) => (Accepted { hang_up: true }, actions![]),
            // RFC 3261 13.3.1.4: "the dialog is confirmed, but the session SHOULD be terminated.
            // This is accomplished with a BYE".
            (Accepted { hang_up }, Input::Unacknowledged) => {
                let ending = if hang_up { Ending::ByUs } else { Ending::NoAck };
                (Terminated, actions![SendBye, End(ending)])
            }
            (Accepted { .. }, Input::Bye) => (Terminated, actions![StopRepeating, End(Ending::ByPeer)]),

            (Confirmed, Input::HangUp) => (Terminated, actions![SendBye, End(Ending::ByUs)]),
            (Confirmed, Input::Bye) => (Terminated, actions![End(Ending::ByPeer)]),

            // RFC 3261 12.2.1.2, RFC 4028 10: the peer may still be there, so it is told.
            (Accepted { .. }, Input::Lost(ending)) => {
                (Terminated, actions![StopRepeating, SendBye, End(ending)])
            }
            (Confirmed, Input::Lost(ending)) => (Terminated, actions![SendBye, End(ending)]),
            (Proceeding { .. } | Reliable { .. }, Input::Lost(ending)) => {
                (Terminated, actions![StopRepeating, SendUnavailable, End(ending)])
            }

            // What is left is late: an order or a message about something already left behind,
            // like a CANCEL that crossed our 2xx (RFC 3261 9.2: no effect), or a second PRACK.
            (state, _) => (state, actions![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::Input::*;
    use super::*;

    /// Feeds the inputs one after the other, and gives the last state and all actions.
    fn run(inputs: &[Input]) -> (Uas, Vec<Action>) {
        let mut state = Uas::new();
        let mut all = Vec::new();
        for input in inputs {
            let (next, actions) = state.step(input.clone());
            state = next;
            all.extend(actions);
        }
        (state, all)
    }

    fn check(inputs: &[Input], state: Uas, actions: &[Action]) {
        assert_eq!(run(inputs), (state, actions.to_vec()), "{inputs:?}");
    }

    const RING: Input = Ring { reliably: false };
    const RING_RELIABLY: Input = Ring { reliably: true };
    const CANCELLED: Input = Cancelled { elsewhere: false };

    // PEER-14
    #[test]
    fn rings_answers_and_is_confirmed() {
        check(
            &[RING, Answer, Acknowledged, HangUp],
            Uas::Terminated,
            &[SendRinging, SendAnswer, SendBye, End(Ending::ByUs)],
        );
    }

    #[test]
    fn answers_without_ringing() {
        check(&[Answer, Acknowledged], Uas::Confirmed, &[SendAnswer]);
    }

    #[test]
    fn rings_once_however_often_it_is_told_to() {
        check(&[RING, RING, RING_RELIABLY], Uas::Proceeding { ringing: true }, &[SendRinging]);
    }

    // RFC 3262 3
    #[test]
    fn the_answer_waits_for_the_prack() {
        check(&[RING_RELIABLY, Answer], Uas::Reliable { answer: true }, &[SendReliableRinging]);
        check(
            &[RING_RELIABLY, Answer, Pracked],
            Uas::Accepted { hang_up: false },
            &[SendReliableRinging, StopRepeating, SendAnswer],
        );
        check(
            &[RING_RELIABLY, Pracked, Answer],
            Uas::Accepted { hang_up: false },
            &[SendReliableRinging, StopRepeating, SendAnswer],
        );
    }

    // RFC 3262 3
    #[test]
    fn without_prack_the_invitation_is_refused() {
        check(
            &[RING_RELIABLY, Answer, Unacknowledged],
            Uas::Terminated,
            &[SendReliableRinging, SendServerTimeout, End(Ending::NoAck)],
        );
    }

    // SEC-24, RFC 3261 9.2: both orders of the race.
    #[test]
    fn cancel_before_the_answer_ends_it_and_after_the_answer_means_nothing() {
        check(
            &[CANCELLED, Answer],
            Uas::Terminated,
            &[StopRepeating, SendRequestTerminated, End(Ending::Cancelled)],
        );
        check(
            &[Cancelled { elsewhere: true }, Answer],
            Uas::Terminated,
            &[StopRepeating, SendRequestTerminated, End(Ending::CompletedElsewhere)],
        );
        check(&[Answer, CANCELLED], Uas::Accepted { hang_up: false }, &[SendAnswer]);
    }

    // REL-33
    #[test]
    fn without_ack_it_hangs_up() {
        check(&[Answer, Unacknowledged], Uas::Terminated, &[SendAnswer, SendBye, End(Ending::NoAck)]);
    }

    // RFC 3261 15
    #[test]
    fn hanging_up_waits_for_the_ack() {
        check(&[Answer, HangUp], Uas::Accepted { hang_up: true }, &[SendAnswer]);
        check(&[Answer, HangUp, Acknowledged], Uas::Terminated, &[SendAnswer, SendBye, End(Ending::ByUs)]);
        check(&[Answer, HangUp, Unacknowledged], Uas::Terminated, &[SendAnswer, SendBye, End(Ending::ByUs)]);
    }

    // RFC 3261 15.1.2
    #[test]
    fn bye_ends_it_in_every_state() {
        check(&[Bye], Uas::Terminated, &[StopRepeating, SendRequestTerminated, End(Ending::ByPeer)]);
        check(&[Answer, Bye], Uas::Terminated, &[SendAnswer, StopRepeating, End(Ending::ByPeer)]);
        check(&[Answer, Acknowledged, Bye], Uas::Terminated, &[SendAnswer, End(Ending::ByPeer)]);
    }

    #[test]
    fn from_every_state_there_is_exactly_one_end() {
        let all = [
            RING,
            RING_RELIABLY,
            Pracked,
            Answer,
            Refuse,
            HangUp,
            CANCELLED,
            Acknowledged,
            Bye,
            Unacknowledged,
            Lost(Ending::SessionExpired),
        ];
        for a in &all {
            for b in &all {
                for c in &all {
                    for d in &all {
                        let inputs = [a.clone(), b.clone(), c.clone(), d.clone(), Bye];
                        let (state, actions) = run(&inputs);
                        assert_eq!(state, Uas::Terminated);
                        let ends = actions.iter().filter(|action| matches!(action, End(_))).count();
                        assert_eq!(ends, 1, "{inputs:?}");
                        assert!(matches!(actions.last(), Some(End(_))), "{inputs:?}");
                    }
                }
            }
        }
    }
}
