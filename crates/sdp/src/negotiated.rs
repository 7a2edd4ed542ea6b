//! What an offer and its answer have settled.

use std::net::SocketAddr;

use crate::{AudioFormat, Keys};

/// The outcome of one offer and answer, as the media session needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec in both directions.
    pub audio: AudioFormat,
    /// The payload type of telephone-events, where there are any.
    pub telephone_event: Option<u8>,
    /// Where to send RTP; none while held, and where the description names no place to send to.
    pub remote: Option<SocketAddr>,
    /// Where to send RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// What we do: send, receive, both or neither.
    pub direction: Direction,
    /// The peer has put us on hold: `sendonly`, `inactive`, 0.0.0.0, or port 0.
    pub held: bool,
    /// The peer wants no audio at all: port 0 (RFC 3264 6). Within a call it is a kind of hold; one that begins so has
    /// nothing to be heard in it.
    pub without_media: bool,
    /// The keys, where audio is encrypted.
    pub srtp: Option<Keys>,
}

/// Which way media flows, seen from one side (RFC 3264 6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// This side only sends.
    SendOnly,
    /// This side only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The name of the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The direction that the attribute of this name stands for.
    pub(crate) fn read(attribute: &str) -> Option<Direction> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| direction.as_str().eq_ignore_ascii_case(attribute))
    }

    /// Whether this side sends.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether this side receives.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    pub(crate) const fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The same stream seen from the other side.
    pub(crate) const fn reversed(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What both allow.
    pub(crate) const fn and(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }
}
