//! What a node wants done.

use bytes::Bytes;
use umbel_sip_message::Uri;

use crate::{Destination, FlowId};

/// The name of one question to the resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// One thing a node wants done.
#[derive(Debug)]
pub enum Output<W> {
    /// Open a flow; answered by `Opened` or `Closed`.
    Open {
        /// The name it will have.
        id: FlowId,
        /// Where to.
        to: Destination,
    },
    /// Send these bytes. They are dropped where the flow is gone, which `Closed` has told or will tell.
    Transmit {
        /// The flow.
        id: FlowId,
        /// One whole message, or a keep-alive.
        bytes: Bytes,
    },
    /// Close a flow after what was transmitted has left.
    Close {
        /// The flow.
        id: FlowId,
    },
    /// Find where to send a request for this URI (RFC 3263 4, TCP and TLS only).
    Resolve {
        /// The question's name, for the answer.
        query: QueryId,
        /// The URI of the next hop.
        uri: Uri,
    },
    /// Something outside SIP.
    Wish(W),
}

/// Why a name led nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// No such name, or no address for a transport that we speak.
    NotFound,
    /// The name service did not answer in time, or failed.
    Unavailable,
}
