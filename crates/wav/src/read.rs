//! Reading a whole file that somebody sent us.

use std::time::Duration;

use crate::Encoding;

/// How much is read. Beyond it nothing is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest file.
    pub bytes_max: usize,
    /// The longest sound.
    pub duration_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes_max: 20 * 1024 * 1024, duration_max: Duration::from_secs(600) }
    }
}

/// A file that was read: its channels mixed down to one, its samples made 16 bits wide.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// How many channels the file had.
    pub channels: u16,
    /// How the file coded them.
    pub encoding: Encoding,
    /// One channel of linear samples.
    pub samples: Vec<i16>,
    /// Whether the file ended before the length it states; the samples are those of its whole frames.
    pub truncated: bool,
}

impl Sound {
    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        let micros = self.samples.len() as u64 * 1_000_000 / u64::from(self.rate.max(1));
        Duration::from_micros(micros)
    }
}

/// Audio is private: shows its shape only.
impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sound")
            .field("rate", &self.rate)
            .field("channels", &self.channels)
            .field("encoding", &self.encoding)
            .field("duration", &self.duration())
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not begin as RIFF/WAVE does.
    #[error("this is not a RIFF/WAVE file")]
    NotWave,
    /// There is no `fmt ` chunk before the samples.
    #[error("the file has no `fmt ` chunk before its samples")]
    NoFormat,
    /// There is no `data` chunk.
    #[error("the file has no `data` chunk")]
    NoData,
    /// A coding that we do not read.
    #[error("the coding 0x{0:04x} is not supported: give PCM of 8, 16, 24 or 32 bits, or G.711")]
    UnsupportedCoding(u16),
    /// A chunk states a length that is zero, negative, too short for its kind or beyond the file.
    #[error("the chunk at byte {at} states a length that cannot be")]
    BadChunk {
        /// Where the chunk begins.
        at: usize,
    },
    /// More chunks than any sound file has.
    #[error("the file has more than {CHUNKS_MAX} chunks")]
    TooManyChunks,
    /// No channels, or more than the file has room for.
    #[error("{0} channels cannot be")]
    BadChannels(u16),
    /// A rate of zero or above 192 kHz.
    #[error("{0} samples a second cannot be: give 1 to 192000")]
    BadRate(u32),
    /// A width of samples that is none of 8, 16, 24, 32, or does not fit the coding.
    #[error("{0} bits a sample cannot be: give 8, 16, 24 or 32")]
    BadWidth(u16),
    /// The stated size of a frame is not that of its samples.
    #[error("the file states {0} bytes for a frame, which is not what its samples take")]
    BadFrame(u16),
    /// Longer than the limit in bytes.
    #[error("the file is larger than {0} bytes")]
    TooLarge(usize),
    /// Longer than the limit in time.
    #[error("the sound is longer than {} seconds", .0.as_secs())]
    TooLong(Duration),
}

/// What kind of refusal it is; the caller's table turns this into a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not a kind of file or coding that we read (HTTP 415).
    Unsupported,
    /// The file contradicts itself (HTTP 400).
    Malformed,
    /// Too long or too large (HTTP 413).
    TooLarge,
}

/// The most chunks looked at before giving up.
pub(crate) const CHUNKS_MAX: usize = 256;

impl Refused {
    /// The kind of this refusal.
    pub fn fault(self) -> Fault {
        match self {
            Refused::NotWave | Refused::NoFormat | Refused::UnsupportedCoding(_) => Fault::Unsupported,
            Refused::NoData
            | Refused::BadChunk { .. }
            | Refused::TooManyChunks
            | Refused::BadChannels(_)
            | Refused::BadRate(_)
            | Refused::BadWidth(_)
            | Refused::BadFrame(_) => Fault::Malformed,
            Refused::TooLarge(_) | Refused::TooLong(_) => Fault::TooLarge,
        }
    }
}

/// Reads a whole file.
pub fn read(file: &[u8], limits: Limits) -> Result<Sound, Refused> {
    let _ = (file, limits);
    todo!()
}
