//! Reading a whole file that somebody sent us.

use std::time::Duration;

use audio_codec_algorithms::{decode_alaw, decode_ulaw};

use crate::Encoding;
use crate::header::{WAVE_FORMAT_ALAW, WAVE_FORMAT_EXTENSIBLE, WAVE_FORMAT_MULAW, WAVE_FORMAT_PCM};

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

/// The highest rate that is read.
const RATE_MAX: u32 = 192_000;

/// Reads a whole file.
pub fn read(file: &[u8], limits: Limits) -> Result<Sound, Refused> {
    if file.len() > limits.bytes_max {
        return Err(Refused::TooLarge(limits.bytes_max));
    }
    let Some((b"RIFF", rest)) = file.split_first_chunk::<4>() else { return Err(Refused::NotWave) };
    let Some((riff_len, rest)) = rest.split_first_chunk::<4>() else { return Err(Refused::NotWave) };
    if rest.first_chunk::<4>() != Some(b"WAVE") {
        return Err(Refused::NotWave);
    }
    // The length of the whole is not needed; one that cannot be speaks against the rest.
    if !plausible(u32::from_le_bytes(*riff_len)) {
        return Err(Refused::BadChunk { at: 0 });
    }

    let mut layout = None;
    let mut at = 12;
    for _ in 0..CHUNKS_MAX {
        let Some(chunk) = Chunk::at(file, at)? else { break };
        match (chunk.id, layout) {
            (b"fmt ", None) => layout = Some(Layout::read(&chunk)?),
            // Two readers might take different ones.
            (b"fmt ", Some(_)) => return Err(Refused::BadChunk { at }),
            (b"data", None) => return Err(Refused::NoFormat),
            (b"data", Some(layout)) => return decode(&chunk, layout, limits),
            // LIST, fact, cue, bext and what else programs leave there.
            (_, _) if chunk.cut_short => return Err(Refused::BadChunk { at }),
            (_, _) => {}
        }
        // RIFF: chunks begin at even places.
        at += 8 + chunk.body.len() + chunk.body.len() % 2;
    }
    match (Chunk::at(file, at), layout) {
        (Ok(Some(_)), _) => Err(Refused::TooManyChunks),
        (_, None) => Err(Refused::NoFormat),
        (_, Some(_)) => Err(Refused::NoData),
    }
}

/// Neither zero nor what a reader with signed numbers would take for negative.
fn plausible(stated: u32) -> bool {
    stated != 0 && i32::try_from(stated).is_ok()
}

struct Chunk<'a> {
    at: usize,
    id: &'a [u8; 4],
    body: &'a [u8],
    /// Whether the file ended before the stated length.
    cut_short: bool,
}

impl<'a> Chunk<'a> {
    /// The chunk that begins at `at`, if the file goes on for that long.
    fn at(file: &'a [u8], at: usize) -> Result<Option<Self>, Refused> {
        let Some((id, rest)) = file.get(at..).and_then(<[u8]>::split_first_chunk::<4>) else {
            return Ok(None);
        };
        let Some((stated, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let stated = u32::from_le_bytes(*stated);
        if !plausible(stated) {
            return Err(Refused::BadChunk { at });
        }
        let wanted = usize::try_from(stated).unwrap_or(usize::MAX);
        match rest.get(..wanted) {
            Some(body) => Ok(Some(Chunk { at, id, body, cut_short: false })),
            None => Ok(Some(Chunk { at, id, body: rest, cut_short: true })),
        }
    }
}

/// What the `fmt ` chunk says about the samples.
#[derive(Clone, Copy)]
struct Layout {
    encoding: Encoding,
    channels: u16,
    rate: u32,
}

impl Layout {
    fn read(chunk: &Chunk<'_>) -> Result<Self, Refused> {
        let bad = Refused::BadChunk { at: chunk.at };
        let fields: &[u8; 16] = chunk.body.first_chunk().ok_or(bad)?;
        let [t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, f0, f1, b0, b1] = *fields;
        if chunk.cut_short {
            return Err(bad);
        }
        let mut coding = u16::from_le_bytes([t0, t1]);
        if coding == WAVE_FORMAT_EXTENSIBLE {
            // The first two bytes of the GUID at 24 are the coding, the rest is the same for all.
            let guid: &[u8; 16] = chunk.body.get(24..).and_then(<[u8]>::first_chunk).ok_or(bad)?;
            let [g0, g1, family @ ..] = *guid;
            if family != WAVE_FORMAT_GUID {
                return Err(Refused::UnsupportedCoding(coding));
            }
            coding = u16::from_le_bytes([g0, g1]);
        }
        let bits = u16::from_le_bytes([b0, b1]);
        let encoding = match (coding, bits) {
            (WAVE_FORMAT_PCM, 8) => Encoding::Pcm8,
            (WAVE_FORMAT_PCM, 16) => Encoding::Pcm16,
            (WAVE_FORMAT_PCM, 24) => Encoding::Pcm24,
            (WAVE_FORMAT_PCM, 32) => Encoding::Pcm32,
            (WAVE_FORMAT_MULAW, 8) => Encoding::Pcmu,
            (WAVE_FORMAT_ALAW, 8) => Encoding::Pcma,
            (WAVE_FORMAT_PCM | WAVE_FORMAT_MULAW | WAVE_FORMAT_ALAW, _) => {
                return Err(Refused::BadWidth(bits));
            }
            (other, _) => return Err(Refused::UnsupportedCoding(other)),
        };
        let channels = u16::from_le_bytes([c0, c1]);
        let frame = u16::from_le_bytes([f0, f1]);
        let rate = u32::from_le_bytes([r0, r1, r2, r3]);
        if channels == 0 {
            return Err(Refused::BadChannels(channels));
        }
        if rate == 0 || rate > RATE_MAX {
            return Err(Refused::BadRate(rate));
        }
        if usize::from(frame) != usize::from(channels) * encoding.bytes_per_sample() {
            return Err(Refused::BadFrame(frame));
        }
        Ok(Layout { encoding, channels, rate })
    }
}

/// The last fourteen bytes of every GUID that stands for an old coding.
const WAVE_FORMAT_GUID: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

fn decode(chunk: &Chunk<'_>, layout: Layout, limits: Limits) -> Result<Sound, Refused> {
    let Layout { encoding, channels, rate } = layout;
    let frame_len = usize::from(channels) * encoding.bytes_per_sample();
    let frames = chunk.body.chunks_exact(frame_len);
    let truncated = chunk.cut_short || !frames.remainder().is_empty();

    let micros = frames.len() as u64 * 1_000_000 / u64::from(rate);
    if Duration::from_micros(micros) > limits.duration_max {
        return Err(Refused::TooLong(limits.duration_max));
    }
    let samples = frames.map(|frame| mixed_down(frame, encoding, channels)).collect();
    Ok(Sound { rate, channels, encoding, samples, truncated })
}

/// The mean of the channels of one frame.
fn mixed_down(frame: &[u8], encoding: Encoding, channels: u16) -> i16 {
    let samples = frame.chunks_exact(encoding.bytes_per_sample());
    let sum: i32 = samples.map(|sample| i32::from(linear(sample, encoding))).sum();
    i16::try_from(sum / i32::from(channels)).unwrap_or(0)
}

/// One sample of one channel; of wide ones the upper 16 bits.
fn linear(sample: &[u8], encoding: Encoding) -> i16 {
    match (encoding, sample) {
        (Encoding::Pcmu, &[byte]) => decode_ulaw(byte),
        (Encoding::Pcma, &[byte]) => decode_alaw(byte),
        // Unsigned, with its middle at 128.
        (Encoding::Pcm8, &[byte]) => i16::from_le_bytes([0, byte ^ 0x80]),
        (Encoding::Pcm16, &[low, high])
        | (Encoding::Pcm24, &[_, low, high])
        | (Encoding::Pcm32, &[_, _, low, high]) => i16::from_le_bytes([low, high]),
        (encoding, sample) => unreachable!("{} bytes of {encoding:?}", sample.len()),
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
