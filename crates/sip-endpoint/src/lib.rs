//! Connections and transactions: RFC 3261 17 and 18, RFC 6026, the client's part of RFC 3263.
//!
//! An [`Endpoint`] owns every flow and every transaction of one element. Above it nobody sees a
//! branch, a retransmission, a connection or an address; below it nobody sees a request. It is handed
//! the time and what happened, and is then asked for its events (up) and its outputs (down):
//!
//! ```text
//!      respond  request  cancel  send         Event::{Request, Ack, Cancelled, Response, Failed, …}
//!          |                                        ^
//!          v                                        |
//!   +------------------------------------------------------+
//!   | Endpoint      four machines, keys, timers      flows  |
//!   +------------------------------------------------------+
//!          |                                        ^
//!          v                                        |
//!      Output::{Open, Transmit, Close, Resolve}    Input::{Opened, Received, Malformed, Closed, …}
//! ```
//!
//! What it does by itself: 100 Trying after 200 ms of silence, the answers to CANCEL, 482 for merged
//! requests, 503 when full, the ACK to a refusal, the answers to malformed messages, the reuse of
//! flows, failover between destinations, and the way back for a response whose flow is gone.
//! What it leaves to others: To tags, the repetition of a 2xx and its ACK (RFC 3261 13.3.1.4),
//! keep-alives and time-outs of connections (the shell).

mod client;
mod config;
mod connection;
mod endpoint;
mod event;
mod message;
mod resolve;
mod route;
mod server;
mod transaction;

use std::convert::Infallible;

pub use config::{Config, SentBy};
pub use endpoint::Endpoint;
pub use event::{ClientTransaction, Event, Failure, ServerTransaction, Target};
pub use transaction::{SIXTY_FOUR_T1, T1, TRYING_AFTER};
use umbel_node::Output;

/// What an endpoint is told: what a node is told, without the orders from outside SIP.
pub type Input = umbel_node::Input<Infallible>;

/// Separates what concerns the endpoint from an order that does not.
pub fn separate<O>(input: umbel_node::Input<O>) -> Result<Input, O> {
    use umbel_node::Input as I;
    Ok(match input {
        I::Opened { id, flow } => I::Opened { id, flow },
        I::Reverified { id, peer } => I::Reverified { id, peer },
        I::Received { id, message } => I::Received { id, message },
        I::Malformed { id, what } => I::Malformed { id, what },
        I::Closed { id, reason } => I::Closed { id, reason },
        I::Resolved { query, found } => I::Resolved { query, found },
        I::Timeout => I::Timeout,
        I::Order(order) => return Err(order),
    })
}

/// Makes an output of the endpoint one of a node that has wishes beside it.
pub fn widen<W>(output: Output<Infallible>) -> Output<W> {
    match output {
        Output::Open { id, to } => Output::Open { id, to },
        Output::Transmit { id, bytes } => Output::Transmit { id, bytes },
        Output::Close { id } => Output::Close { id },
        Output::Resolve { query, uri } => Output::Resolve { query, uri },
        Output::Wish(never) => match never {},
    }
}
