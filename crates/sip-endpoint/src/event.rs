//! What goes up from the endpoint, and the names of what is going on.

use umbel_node::FlowId;
use umbel_sip_message::{Reason, Request, Response, Uri};

pub use crate::transaction::Failure;

/// The name of a server transaction: a request that somebody expects us to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTransaction(pub(crate) u64);

/// The name of a client transaction: a request of ours.
///
/// It keeps its name while one destination after the other is tried (RFC 3263 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientTransaction(pub(crate) u64);

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Over this flow and no other (RFC 5626: the way back to a registered client).
    Flow(FlowId),
    /// To this URI: the next hop, after routing (RFC 3261 8.1.2).
    Uri(Uri),
}

/// A fact for the transaction user.
#[derive(Debug)]
pub enum Event {
    /// A request that wants an answer: [`crate::Endpoint::respond`].
    Request {
        /// Its transaction.
        transaction: ServerTransaction,
        /// The flow it came on: who the peer is, is known by this.
        flow: FlowId,
        /// The request.
        request: Request,
    },
    /// An ACK to a success (RFC 3261 13.3.1.4); all others stay below.
    Ack {
        /// The flow it came on.
        flow: FlowId,
        /// The ACK.
        request: Request,
    },
    /// The client wants this INVITE cancelled (RFC 3261 9.2). Its CANCEL has been answered; the
    /// INVITE has not.
    Cancelled {
        /// The transaction of the INVITE.
        transaction: ServerTransaction,
        /// Why, where the CANCEL says so (RFC 3326).
        reason: Option<Box<Reason>>,
    },
    /// A response to a request of ours.
    Response {
        /// Its transaction.
        transaction: ClientTransaction,
        /// The flow it came on.
        flow: FlowId,
        /// The response.
        response: Response,
    },
    /// A request of ours will get no final response; the last event of its transaction.
    Failed {
        /// Its transaction.
        transaction: ClientTransaction,
        /// Why.
        failure: Failure,
    },
    /// A response of ours did not get through, or its ACK did not come, or we never answered.
    /// After a success the transaction goes on, since the next copy may get through (RFC 6026 7.1).
    ServerFailed {
        /// Its transaction.
        transaction: ServerTransaction,
        /// Why.
        failure: Failure,
    },
    /// A flow is up, whoever opened it.
    FlowOpened {
        /// The flow.
        flow: FlowId,
    },
    /// A flow is gone; what failed because of it has been told before.
    FlowClosed {
        /// The flow.
        flow: FlowId,
    },
}
