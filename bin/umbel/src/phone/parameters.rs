//! What an offer and its answer settled, in the words of the media.

use umbel_media::{Codec, Direction, MasterKey, Parameters, SrtpKeys, Suite};
use umbel_sdp::Negotiated;

/// The media's parameters for what was negotiated. The telephone sends only where it was told to.
pub(super) fn parameters(negotiated: &Negotiated) -> Parameters {
    Parameters {
        codec: match negotiated.audio.codec {
            umbel_sdp::Codec::Pcmu => Codec::Pcmu,
            umbel_sdp::Codec::Pcma => Codec::Pcma,
            umbel_sdp::Codec::G722 => Codec::G722,
            umbel_sdp::Codec::Opus => unreachable!("the telephone does not offer Opus"),
        },
        payload_type: negotiated.audio.payload_type,
        telephone_event: negotiated.telephone_event,
        remote: negotiated.remote,
        remote_control: negotiated.remote_rtcp,
        direction: match negotiated.direction {
            umbel_sdp::Direction::SendRecv => Direction::SendReceive,
            umbel_sdp::Direction::SendOnly => Direction::SendOnly,
            umbel_sdp::Direction::RecvOnly => Direction::ReceiveOnly,
            umbel_sdp::Direction::Inactive => Direction::Inactive,
        },
        srtp: negotiated.srtp.as_ref().map(keys),
        learn_source: false,
    }
}

fn keys(keys: &umbel_sdp::Keys) -> SrtpKeys {
    SrtpKeys {
        suite: match keys.suite {
            umbel_sdp::Suite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
            umbel_sdp::Suite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
        },
        ours: MasterKey::new(*keys.ours.key_and_salt()),
        theirs: MasterKey::new(*keys.theirs.key_and_salt()),
    }
}
