//! Requests on their way out.

use std::fmt;

use umbel_node::FlowId;
use umbel_sip_message::{Draft, Uri};

/// A request to be sent, whole but for Via and Max-Forwards.
#[derive(Clone)]
pub struct Outgoing {
    /// The request.
    pub draft: Draft,
    /// Where to.
    pub to: Hop,
}

impl fmt::Debug for Outgoing {
    /// Method and way: the rest may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.draft.method().map_or("", |method| method.as_str());
        write!(f, "{method} to {:?}", self.to)
    }
}

/// The first place a request goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The flow that the other side was last heard on; it goes before the URI as long as it is up
    /// (RFC 5626: behind an address translation there is no other way).
    pub flow: Option<FlowId>,
    /// The topmost Route, else the Request-URI.
    pub uri: Uri,
}

impl From<Uri> for Hop {
    fn from(uri: Uri) -> Self {
        Hop { flow: None, uri }
    }
}
