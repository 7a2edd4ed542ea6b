//! Codecs, their names in `a=rtpmap`, and their payload types (RFC 3551 6, RFC 7587 7).

/// The audio codecs we may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 µ-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
    /// G.722, 16 kHz, with a clock rate of 8000 by an old mistake (RFC 3551 4.5.2).
    G722,
    /// Opus (RFC 7587).
    Opus,
}

impl Codec {
    const ALL: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

    /// The encoding name, clock rate and channels of `a=rtpmap`.
    pub(crate) const fn rtpmap(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU/8000",
            Codec::Pcma => "PCMA/8000",
            Codec::G722 => "G722/8000",
            // RFC 7587 7: "the number of channels in 'a=rtpmap' MUST be 2", whatever is sent.
            Codec::Opus => "opus/48000/2",
        }
    }

    /// The payload type we offer: the static one, or a dynamic one of our choice.
    pub(crate) const fn offered_payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 96,
        }
    }

    /// The clock rate of the payload format, which its telephone-events share (RFC 4733 2.5.1.1).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcmu => 8_000,
            Codec::Pcma => 8_000,
            Codec::G722 => 8_000,
            Codec::Opus => 48_000,
        }
    }

    /// What a payload type means where no `a=rtpmap` says so (RFC 3551 table 4).
    fn of_static_payload_type(payload_type: u8) -> Option<Codec> {
        match payload_type {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            9 => Some(Codec::G722),
            _ => None,
        }
    }
}

/// The codec that was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFormat {
    /// The codec.
    pub codec: Codec,
    /// Its payload type in this session.
    pub payload_type: u8,
}

/// What one payload type of a media line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Audio.
    Audio(Codec),
    /// RFC 4733, at this clock rate.
    TelephoneEvent(u32),
    /// Something we do not have.
    Unknown,
}

impl Encoding {
    /// Reads the part of `a=rtpmap` after the payload type; without one, the static table decides.
    pub(crate) fn read(payload_type: u8, rtpmap: Option<&str>) -> Encoding {
        let Some(rtpmap) = rtpmap else {
            return Codec::of_static_payload_type(payload_type).map_or(Encoding::Unknown, Encoding::Audio);
        };
        let rtpmap = rtpmap.trim();
        // "/1" is the default number of channels and may be written.
        let bare = rtpmap.strip_suffix("/1").unwrap_or(rtpmap);
        if let Some(codec) = Codec::ALL.into_iter().find(|codec| codec.rtpmap().eq_ignore_ascii_case(bare)) {
            return Encoding::Audio(codec);
        }
        match bare.split_once('/') {
            Some((name, rate)) if name.eq_ignore_ascii_case("telephone-event") => {
                rate.parse().map_or(Encoding::Unknown, Encoding::TelephoneEvent)
            }
            _ => Encoding::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_case_and_the_static_table_fills_in() {
        use Encoding::{Audio, TelephoneEvent, Unknown};
        for (payload_type, rtpmap, expected) in [
            (0, None, Audio(Codec::Pcmu)),
            (8, None, Audio(Codec::Pcma)),
            (9, None, Audio(Codec::G722)),
            (18, None, Unknown),
            (96, None, Unknown),
            (8, Some("pcma/8000/1"), Audio(Codec::Pcma)),
            (97, Some("PCMU/8000"), Audio(Codec::Pcmu)),
            (97, Some("PCMU/16000"), Unknown),
            (97, Some("PCMU/8000/2"), Unknown),
            (0, Some("GSM/8000"), Unknown),
            (111, Some("OPUS/48000/2"), Audio(Codec::Opus)),
            (111, Some("opus/48000"), Unknown),
            (101, Some("telephone-event/8000"), TelephoneEvent(8_000)),
            (101, Some("Telephone-Event/48000/1"), TelephoneEvent(48_000)),
            (101, Some("telephone-event"), Unknown),
            (101, Some("telephone-event/x"), Unknown),
            (101, Some(""), Unknown),
        ] {
            assert_eq!(Encoding::read(payload_type, rtpmap), expected, "{payload_type} {rtpmap:?}");
        }
    }
}
