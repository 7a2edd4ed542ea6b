//! The four transaction machines of RFC 3261 17 and what they have in common.
//!
//! Each is a value with one function, `step(self, Input) -> (Self, Actions)`, and knows neither the
//! time nor a flow: it speaks in durations and in messages already printed. Only reliable transports
//! exist here, so timers A, E and G never run, and D, I, J and K are zero: the states that would
//! last for those four are passed through.

pub(crate) mod invite_client;
pub(crate) mod invite_server;
pub(crate) mod key;
pub(crate) mod non_invite_client;
pub(crate) mod non_invite_server;

use std::time::Duration;

use arrayvec::ArrayVec;
use bytes::Bytes;
use umbel_sip_message::StatusCode;

/// RFC 3261 17.1.1.1: the estimate of the round-trip time.
pub const T1: Duration = Duration::from_millis(500);

/// How long everybody waits for everything that may be lost: timers B, F, H, L and M.
pub const SIXTY_FOUR_T1: Duration = Duration::from_millis(64 * 500);

/// RFC 3261 17.2.1: an INVITE not answered within this time gets a 100.
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// The timers of RFC 3261 table 4 and RFC 6026 that remain on reliable transports, by their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Client, INVITE: no response at all.
    B,
    /// Client and server, other requests: no final response.
    F,
    /// Server, INVITE: no ACK to a final response that is no success.
    H,
    /// Server, INVITE: after a success, copies of the request are absorbed for this long (RFC 6026 7.1).
    L,
    /// Client, INVITE: after a success, more of them are passed on for this long (RFC 6026 7.2).
    M,
    /// Server, INVITE: nothing was sent yet (RFC 3261 17.2.1; it has no letter).
    Trying,
    /// Client, INVITE: a CANCEL was sent and no final response came (RFC 3261 9.1; it has no letter).
    Cancelled,
}

/// What a machine wants its owner to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Server: send this response. Always the last of a step, since it may fail at once, and with
    /// it the transaction.
    Transmit(Bytes),
    /// Server: make a 100 for this request and give it back as a response.
    Try(Bytes),
    /// Server: tell the user that the client wants the request cancelled.
    Cancelled,
    /// Both: hand the message that came in to the user.
    Pass,
    /// Client: send an ACK that belongs to this request (RFC 3261 17.1.1.3).
    Acknowledge(Bytes),
    /// Client: send a CANCEL that belongs to this request (RFC 3261 9.1).
    Cancel(Bytes),
    /// Both: tell the user that the transaction failed.
    Fail(Failure),
    /// Both: wake the machine with this timer after this time.
    Arm(Timer, Duration),
    /// Both: do not wake it any more.
    Disarm(Timer),
}

/// What one step may ask for: no step asks for more, so none allocates.
pub(crate) type Actions = ArrayVec<Action, 4>;

/// Why a transaction ended without the message it was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came in time: no response (timers B and F), no final response after a CANCEL, or no
    /// ACK (timer H).
    Timeout,
    /// No flow could carry the message, or the flow broke while the answer was due on it.
    Transport,
    /// The name of the next hop led nowhere (RFC 3263).
    Unresolved,
    /// It was cancelled before anything of it had left.
    Cancelled,
    /// One of our own bounds was reached: transactions, flows being opened, messages waiting for one.
    Limit,
}

/// The three kinds of status code that the machines tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 300 to 699.
    Failure,
}

impl From<StatusCode> for Class {
    fn from(status: StatusCode) -> Self {
        if status.is_provisional() {
            Class::Provisional
        } else if status.is_success() {
            Class::Success
        } else {
            Class::Failure
        }
    }
}

/// `actions![Transmit(response), Arm(Timer::H, 64 * T1)]`: what a step returns beside its state.
macro_rules! actions {
    ($($action:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut actions = $crate::transaction::Actions::new();
        $(actions.push($action);)*
        actions
    }};
}
pub(crate) use actions;
