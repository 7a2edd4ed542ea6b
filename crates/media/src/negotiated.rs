//! What an offer and its answer settled, as the session's parameters.

use umbel_sdp::Negotiated;

use crate::{Codec, Direction, MasterKey, Parameters, SrtpKeys, Suite};

impl Codec {
    /// The codec of this name; `None` for one that this build does not have.
    pub const fn of(codec: umbel_sdp::Codec) -> Option<Codec> {
        match codec {
            umbel_sdp::Codec::Pcmu => Some(Codec::Pcmu),
            umbel_sdp::Codec::Pcma => Some(Codec::Pcma),
            umbel_sdp::Codec::G722 => Some(Codec::G722),
            #[cfg(feature = "opus")]
            umbel_sdp::Codec::Opus => Some(Codec::Opus),
            #[cfg(not(feature = "opus"))]
            umbel_sdp::Codec::Opus => None,
        }
    }
}

impl Parameters {
    /// The parameters of a session that was negotiated like this; `None` where its codec is one that this
    /// build does not have. The source of packets is learned only where `learn_source` says so.
    pub fn of(negotiated: &Negotiated, learn_source: bool) -> Option<Parameters> {
        Some(Parameters {
            codec: Codec::of(negotiated.audio.codec)?,
            payload_type: negotiated.audio.payload_type,
            telephone_event: negotiated.telephone_event,
            remote: negotiated.remote,
            remote_control: negotiated.remote_rtcp,
            direction: direction(negotiated.direction),
            srtp: negotiated.srtp.as_ref().map(keys),
            learn_source,
        })
    }
}

const fn direction(direction: umbel_sdp::Direction) -> Direction {
    match direction {
        umbel_sdp::Direction::SendRecv => Direction::SendReceive,
        umbel_sdp::Direction::SendOnly => Direction::SendOnly,
        umbel_sdp::Direction::RecvOnly => Direction::ReceiveOnly,
        umbel_sdp::Direction::Inactive => Direction::Inactive,
    }
}

fn keys(keys: &umbel_sdp::Keys) -> SrtpKeys {
    let key = |key: &umbel_sdp::MasterKey| MasterKey::new(*key.key_and_salt());
    let suite = match keys.suite {
        umbel_sdp::Suite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
        umbel_sdp::Suite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
    };
    SrtpKeys { suite, ours: key(&keys.ours), theirs: key(&keys.theirs) }
}
