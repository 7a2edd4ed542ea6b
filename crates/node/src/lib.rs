//! The line between an element's brain and the world: what goes in and what comes out.
//!
//! The protocol server, the unified messaging server and the telephone are each a [`Node`]: a value
//! without clock, sockets, files or randomness. An event loop drives it with real connections, the
//! simulated world with made-up ones; neither can tell the difference, and nor can the node.

mod flow;
mod input;
mod output;

pub use flow::{Destination, Flow, FlowId, Origin, PeerCertificate, PeerName, Transport};
pub use input::{CloseReason, Input};
pub use output::{Output, QueryId, Unresolved};

use umbel_time::Instant;

/// Something with SIP flows and a brain.
///
/// After each [`Node::handle`], poll the outputs until there are none; then wait for the next input
/// or for [`Node::poll_timeout`], whichever is first.
pub trait Node {
    /// Orders from outside SIP: media, store, web, keyboard.
    type Order;
    /// What the node wants done outside SIP.
    type Wish;

    /// Takes in one thing that happened.
    fn handle(&mut self, now: Instant, input: Input<Self::Order>);
    /// The next thing the node wants done; `None` when it has no more wishes for now.
    fn poll_output(&mut self) -> Option<Output<Self::Wish>>;
    /// When the node wants to be woken with [`Input::Timeout`] if nothing else happens.
    fn poll_timeout(&self) -> Option<Instant>;
}
