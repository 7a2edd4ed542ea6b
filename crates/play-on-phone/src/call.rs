//! How a call stands, in the words of [MS-OXWUMS] and of DEC-26.

use serde::Serialize;

/// `UMCallState`, those values that occur here. SOAP shows `Alerted` as `Connecting` (DEC-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
