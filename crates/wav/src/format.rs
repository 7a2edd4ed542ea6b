//! How the samples of a file are coded.

use std::time::Duration;

/// One coding of samples. Recordings use the first three; uploads may use any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// Linear, signed, 16 bits.
    Pcm16,
    /// ITU-T G.711 mu-law.
    Pcmu,
    /// ITU-T G.711 A-law.
    Pcma,
    /// Linear, unsigned, 8 bits.
    Pcm8,
    /// Linear, signed, 24 bits.
    Pcm24,
    /// Linear, signed, 32 bits.
    Pcm32,
}

impl Encoding {
    /// Bytes that one sample of one channel takes.
    pub const fn bytes_per_sample(self) -> usize {
        match self {
            Encoding::Pcmu | Encoding::Pcma | Encoding::Pcm8 => 1,
            Encoding::Pcm16 => 2,
            Encoding::Pcm24 => 3,
            Encoding::Pcm32 => 4,
        }
    }
}

/// The format of a recording: one channel of one coding at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Format {
    /// How a sample is coded.
    pub encoding: Encoding,
    /// Samples a second.
    pub rate: u32,
}

impl Format {
    /// G.711 mu-law as it comes from the line.
    pub const PCMU: Format = Format { encoding: Encoding::Pcmu, rate: 8_000 };
    /// G.711 A-law as it comes from the line.
    pub const PCMA: Format = Format { encoding: Encoding::Pcma, rate: 8_000 };
    /// What wideband calls are kept as.
    pub const WIDEBAND: Format = Format { encoding: Encoding::Pcm16, rate: 16_000 };

    /// Bytes that a second of sound takes.
    pub const fn bytes_per_second(self) -> u64 {
        self.rate as u64 * self.encoding.bytes_per_sample() as u64
    }

    /// How long `data_len` bytes of samples last.
    pub fn duration(self, data_len: u64) -> Duration {
        match self.bytes_per_second() {
            0 => Duration::ZERO,
            per_second => Duration::from_micros(data_len.saturating_mul(1_000_000) / per_second),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_each_recording_format_lasts_a_second() {
        for format in [Format::PCMU, Format::PCMA, Format::WIDEBAND] {
            assert_eq!(format.duration(format.bytes_per_second()), Duration::from_secs(1), "{format:?}");
        }
    }
}
