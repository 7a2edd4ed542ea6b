//! The codecs a call may use.

use std::time::Duration;

use umbel_wav::Format;

/// One audio codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// ITU-T G.711 mu-law.
    Pcmu,
    /// ITU-T G.711 A-law.
    Pcma,
    /// ITU-T G.722 at 64 kbit/s.
    G722,
    /// RFC 6716, at 16 kHz.
    #[cfg(feature = "opus")]
    Opus,
}

/// The length of every packet that we send.
pub(crate) const PACKET_TIME: Duration = Duration::from_millis(20);

impl Codec {
    /// Ticks a second of the RTP timestamp.
    pub const fn clock_rate(self) -> u32 {
        match self {
            // RFC 3551 4.5.2: the clock of G.722 is 8000 Hz, although it samples at 16000.
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            // RFC 7587 4.1
            #[cfg(feature = "opus")]
            Codec::Opus => 48_000,
        }
    }

    /// Samples a second of the sound itself.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::G722 => 16_000,
            #[cfg(feature = "opus")]
            Codec::Opus => 16_000,
        }
    }

    /// How a recording of a call with this codec is kept: narrowband as it came, wideband as
    /// linear samples.
    pub const fn recording_format(self) -> Format {
        match self {
            Codec::Pcmu => Format::PCMU,
            Codec::Pcma => Format::PCMA,
            Codec::G722 => Format::WIDEBAND,
            #[cfg(feature = "opus")]
            Codec::Opus => Format::WIDEBAND,
        }
    }

    /// Ticks of the RTP timestamp in one of our packets.
    pub(crate) const fn ticks_per_packet(self) -> u32 {
        self.clock_rate() / 50
    }

    /// Samples in one of our packets.
    pub(crate) const fn samples_per_packet(self) -> usize {
        match self {
            Codec::Pcmu | Codec::Pcma => 160,
            Codec::G722 => 320,
            #[cfg(feature = "opus")]
            Codec::Opus => 320,
        }
    }
}
