//! The lives of a server that is started anew: what one life has begun does not come to the next.

use umbel_node::{FlowId, Input};

/// How often a server has been started.
///
/// Flows that it opens bear the number of its life; those that others open are numbered by the world,
/// and no number comes twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life(u64);

/// Lives begin their flows this far apart, as a power of two.
const APART: u32 = 40;

impl Life {
    pub(crate) fn next(self) -> Life {
        Life(self.0 + 1)
    }

    /// A flow as the world calls it.
    pub(crate) fn outer(self, id: FlowId) -> FlowId {
        if is_accepted(id) { id } else { FlowId(id.0 + (self.0 << APART)) }
    }

    /// A flow as this life of the server calls it; `None` for one that an earlier life has opened.
    fn inner(self, id: FlowId) -> Option<FlowId> {
        if is_accepted(id) {
            return Some(id);
        }
        (id.0 >> APART == self.0).then(|| FlowId(id.0 - (self.0 << APART)))
    }

    /// What comes to this life.
    pub(crate) fn inside<O>(self, input: Input<O>) -> Option<Input<O>> {
        Some(match input {
            Input::Opened { id, flow } => Input::Opened { id: self.inner(id)?, flow },
            Input::Reverified { id, peer } => Input::Reverified { id: self.inner(id)?, peer },
            Input::Received { id, message } => Input::Received { id: self.inner(id)?, message },
            Input::Malformed { id, what } => Input::Malformed { id: self.inner(id)?, what },
            Input::Closed { id, reason } => Input::Closed { id: self.inner(id)?, reason },
            Input::Resolved { query, found } => Input::Resolved { query, found },
            Input::Timeout => Input::Timeout,
            Input::Order(order) => Input::Order(order),
        })
    }
}

/// Takes all else and orders apart.
pub(crate) fn separate<O, P>(input: Input<O>) -> Result<Input<P>, O> {
    Ok(match input {
        Input::Order(order) => return Err(order),
        Input::Opened { id, flow } => Input::Opened { id, flow },
        Input::Reverified { id, peer } => Input::Reverified { id, peer },
        Input::Received { id, message } => Input::Received { id, message },
        Input::Malformed { id, what } => Input::Malformed { id, what },
        Input::Closed { id, reason } => Input::Closed { id, reason },
        Input::Resolved { query, found } => Input::Resolved { query, found },
        Input::Timeout => Input::Timeout,
    })
}

fn is_accepted(id: FlowId) -> bool {
    id.0.is_multiple_of(2)
}
