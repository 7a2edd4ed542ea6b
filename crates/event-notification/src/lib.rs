//! Subscriptions and notifications: RFC 6665; and what the lamp of a telephone shows: RFC 3842.
//!
//! Two sides, each a value without clock and sockets, that is handed what happened and gives the
//! requests to be sent:
//!
//! ```text
//!   Subscriber                                      notifier::Subscription
//!     | subscribe, refresh, resubscribe               | accept, refresh, throttle, end
//!     |---------- SUBSCRIBE ------------------------->|
//!     |<--------- 200, NOTIFY ------------------------|  at once, and then at most one a second
//! ```
//!
//! Whoever holds one of them owns the transactions: it sends what `poll_request` gives, and tells what
//! came of it. A NOTIFY without a subscription, as voice mail sends it to telephones that never asked
//! (RFC 3842 leaves it out, all makers have it), is an [`Unsolicited`], paced by the same [`Pace`].
//!
//! *Not known* is a state of its own: it is a NOTIFY without a body, never one that says zero.

mod dialog;
pub mod message_summary;
pub mod notifier;
mod outgoing;
pub mod pace;
mod package;
mod refusal;
pub mod subscriber;
mod unsolicited;

pub use message_summary::{Counts, MessageSummary};
pub use outgoing::{Hop, Outgoing};
pub use pace::Pace;
pub use package::{MESSAGE_SUMMARY, Package};
pub use refusal::Refusal;
pub use subscriber::Subscriber;
pub use unsolicited::Unsolicited;

/// A small list of actions, on the stack.
macro_rules! actions {
    ($($action:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut actions = arrayvec::ArrayVec::new();
        $(actions.push($action);)*
        actions
    }};
}
pub(crate) use actions;
