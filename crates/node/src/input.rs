//! What a node is told.

use std::sync::Arc;

use umbel_sip_message::{Malformed, Message};

use crate::{Destination, Flow, FlowId, PeerCertificate, QueryId, Unresolved};

/// One thing that happened, as a node hears of it.
///
/// One queue carries all of them, so that their order is kept.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every input is a message, and a box would allocate for each"
)]
pub enum Input<O> {
    /// A flow that a peer opened, or one that we asked for, is up.
    Opened {
        /// The flow's name.
        id: FlowId,
        /// What is known of it.
        flow: Flow,
    },
    /// The standing of a flow's peer was judged anew after a change of authorities or revocations.
    Reverified {
        /// The flow's name.
        id: FlowId,
        /// What is believed from now on.
        peer: Option<Arc<PeerCertificate>>,
    },
    /// A whole message, framed and parsed by `sip-message`, the only reader of bytes.
    Received {
        /// The flow it came on.
        id: FlowId,
        /// The message.
        message: Message,
    },
    /// Bytes that are no message; the shell stops reading where `what` says that framing is lost.
    Malformed {
        /// The flow they came on.
        id: FlowId,
        /// What is wrong, and what can be answered.
        what: Malformed,
    },
    /// A flow is gone, or one that we asked for did not come up.
    Closed {
        /// The flow's name.
        id: FlowId,
        /// Why.
        reason: CloseReason,
    },
    /// The answer to [`crate::Output::Resolve`]: destinations in order of preference.
    Resolved {
        /// The question's name.
        query: QueryId,
        /// What was found; an empty list is an [`Unresolved`].
        found: Result<Vec<Destination>, Unresolved>,
    },
    /// Something from outside SIP.
    Order(O),
    /// The time given by [`crate::Node::poll_timeout`] has come.
    Timeout,
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed it in order.
    ByPeer,
    /// We closed it.
    ByUs,
    /// It could not be opened: refused, unreachable, or no answer within the limit.
    ConnectFailed,
    /// The handshake failed: wrong name, unknown authority, expired certificate, no common version.
    HandshakeFailed,
    /// It broke.
    Broken,
    /// The peer did not read what we sent: more than the bound was queued, or it stalled too long.
    Stalled,
    /// Nothing came for longer than the limit.
    Idle,
}
