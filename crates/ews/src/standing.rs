//! How a call stands, in the words of [MS-OXWUMS], which both services share.

use umbel_play_on_phone::{CallState, EventCause, Status};

/// `UMCallState`. Ringing is "not applicable to this protocol" and shown as `Connecting` (DEC-26).
pub(crate) fn state(status: &Status) -> &'static str {
    match status.state {
        CallState::Connecting | CallState::Alerted => "Connecting",
        CallState::Connected => "Connected",
        CallState::Disconnected => "Disconnected",
    }
}

/// `UMEventCause`. `None` unless the call is over.
pub(crate) fn cause(status: &Status) -> &'static str {
    match (status.state, status.cause) {
        (CallState::Connecting | CallState::Alerted | CallState::Connected, _) => "None",
        (CallState::Disconnected, EventCause::None) => "None",
        (CallState::Disconnected, EventCause::UserBusy) => "UserBusy",
        (CallState::Disconnected, EventCause::NoAnswer) => "NoAnswer",
        (CallState::Disconnected, EventCause::Unavailable) => "Unavailable",
        (CallState::Disconnected, EventCause::Other) => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DEC-26
    #[test]
    fn ringing_is_connecting_and_a_cause_comes_at_the_end() {
        let status = |state, cause| Status { state, cause, response: Some((486, "Busy Here".to_owned())) };
        let busy = |state| status(state, EventCause::UserBusy);
        for (status, expected) in [
            (busy(CallState::Connecting), ("Connecting", "None")),
            (busy(CallState::Alerted), ("Connecting", "None")),
            (busy(CallState::Connected), ("Connected", "None")),
            (busy(CallState::Disconnected), ("Disconnected", "UserBusy")),
            (status(CallState::Disconnected, EventCause::None), ("Disconnected", "None")),
            (status(CallState::Disconnected, EventCause::NoAnswer), ("Disconnected", "NoAnswer")),
            (status(CallState::Disconnected, EventCause::Unavailable), ("Disconnected", "Unavailable")),
            (status(CallState::Disconnected, EventCause::Other), ("Disconnected", "Other")),
        ] {
            assert_eq!((state(&status), cause(&status)), expected, "{status:?}");
        }
    }
}
