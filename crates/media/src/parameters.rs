//! What an SDP exchange settled about the sound of a call.

use std::net::SocketAddr;

use crate::{Codec, SrtpKeys};

/// RFC 3264 5.1 and 6.1, from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `sendrecv`
    SendReceive,
    /// `sendonly`: we send, the peer does not.
    SendOnly,
    /// `recvonly`: the peer sends, we do not.
    ReceiveOnly,
    /// `inactive`
    Inactive,
}

impl Direction {
    /// Whether we may send.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::SendOnly)
    }

    /// Whether we expect to receive.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::ReceiveOnly)
    }
}

/// The outcome of one offer and answer.
///
/// A new value of this is a new negotiation: the source of packets may be learned once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The codec of both directions.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// The payload type of `telephone-event`, at the clock rate of the codec.
    pub telephone_event: Option<u8>,
    /// Where our packets go; none while there is nowhere to send.
    pub remote: Option<SocketAddr>,
    /// Where our control packets go, if `a=rtcp` said so; otherwise the port after `remote`.
    pub remote_control: Option<SocketAddr>,
    /// Who sends. While we do not, the call is on hold: prompts and recording timers stand still.
    pub direction: Direction,
    /// Keys, when packets are protected.
    pub srtp: Option<SrtpKeys>,
    /// Whether packets may come from elsewhere than `remote` (behind address translation). The first
    /// valid packet then decides, once for this negotiation, and our packets go there too.
    pub learn_source: bool,
}

impl Parameters {
    /// Where control packets go. RFC 3550 11: the next higher port.
    pub(crate) fn control(&self) -> Option<SocketAddr> {
        self.remote_control.or_else(|| {
            let mut address = self.remote?;
            address.set_port(address.port().checked_add(1)?);
            Some(address)
        })
    }
}
