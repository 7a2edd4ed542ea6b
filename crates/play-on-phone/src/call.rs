//! How a call stands, in the words of [MS-OXWUMS] and of DEC-26.

use serde::{Deserialize, Serialize};

/// `UMCallState`, those values that occur here. SOAP shows `Alerted` as `Connecting` (DEC-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallState {
    /// The INVITE is sent.
    Connecting,
    /// The telephone rings.
    Alerted,
    /// Somebody answered.
    Connected,
    /// It is over.
    Disconnected,
}

/// `UMEventCause`: why a call is over. `None` until it is, and when it ended as calls do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventCause {
    /// Nothing to tell.
    None,
    /// The line was busy.
    UserBusy,
    /// Nobody answered.
    NoAnswer,
    /// There is no such number, or it cannot be reached.
    Unavailable,
    /// Anything else.
    Other,
}

/// How a call stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state.
    pub state: CallState,
    /// Why it is over.
    pub cause: EventCause,
    /// The latest response to the INVITE: code and reason phrase.
    pub response: Option<(u16, String)>,
}

/// What the unified messaging server tells of a [`Request`](crate::Request). The first news of each is not
/// `Standing`; after `Repeats` and `Refused` there is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The call is being placed; its state is `Connecting`.
    Placed,
    /// The same was asked a moment ago, and that call stands for both.
    Repeats(crate::PhoneCallId),
    /// There will be no call.
    Refused(crate::Refusal),
    /// How it stands from now on.
    Standing(Status),
}

impl EventCause {
    /// DEC-26: what a final response other than 2xx means to whoever asked for the call.
    pub const fn of_status(status: u16) -> EventCause {
        match status {
            486 | 600 => EventCause::UserBusy,
            408 | 480 | 487 => EventCause::NoAnswer,
            404 | 410 | 484 | 604 => EventCause::Unavailable,
            _ => EventCause::Other,
        }
    }
}

impl Status {
    /// How a call stands that is being placed.
    pub const fn connecting() -> Status {
        Status { state: CallState::Connecting, cause: EventCause::None, response: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DEC-26, test plan 22: those that have a cause of their own, and all others.
    #[test]
    fn every_final_response_has_its_cause() {
        use EventCause::{NoAnswer, Other, Unavailable, UserBusy};
        for (cause, statuses) in [
            (UserBusy, &[486, 600][..]),
            (NoAnswer, &[408, 480, 487]),
            (Unavailable, &[404, 410, 484, 604]),
            (Other, &[300, 302, 400, 401, 403, 407, 481, 482, 488, 500, 503, 603, 606, 699]),
        ] {
            for status in statuses {
                assert_eq!(EventCause::of_status(*status), cause, "{status}");
            }
        }
        let others = (300..=699).filter(|status| EventCause::of_status(*status) == Other).count();
        assert_eq!(others, 400 - 9);
    }
}
