//! Calls that reached the mailbox and left nothing (MISS-1).

use umbel_time::UnixTime;

use crate::{Address, Caller};

/// Names a notice within the store; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MissedCallId(pub u64);

/// A notice of a call without a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedCall {
    /// Its name, given by the store; zero in a notice that is yet to be kept.
    pub id: MissedCallId,
    /// Whose mailbox.
    pub mailbox: Address,
    /// Who called.
    pub caller: Caller,
    /// Subject of the call, or empty.
    pub subject: String,
    /// When.
    pub at: UnixTime,
    /// The call.
    pub call_id: String,
}
