//! What we can do, and what the operator wants.

use std::net::IpAddr;

use crate::Codec;

/// What our side of a session offers and accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The codecs we have, in the order in which we offer them.
    pub codecs: Vec<Codec>,
    /// When audio is encrypted.
    pub srtp: Srtp,
    /// The address we tell the peer.
    pub address: IpAddr,
    /// The port we tell the peer; RTCP has the next one (RFC 3550 11).
    pub port: u16,
}

/// When audio is encrypted (DEC-30).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Srtp {
    /// Never: RTP/SAVP is refused.
    Off,
    /// Where the peer offers keys over TLS; our own offers over TLS carry them.
    #[default]
    Offered,
    /// Always: plain audio is refused, and our own offers are RTP/SAVP.
    Required,
}
