//! The header before the samples of a recording.

use crate::{Encoding, Format};

/// The length stated while a file is still being written: larger than any recording, positive for
/// readers that count in signed numbers, even. Such a file reads as one cut short, so it can be
/// played before it is finished or repaired.
pub const UNFINISHED: u32 = 0x7fff_f000;

pub(crate) const WAVE_FORMAT_PCM: u16 = 1;
pub(crate) const WAVE_FORMAT_ALAW: u16 = 6;
pub(crate) const WAVE_FORMAT_MULAW: u16 = 7;
pub(crate) const WAVE_FORMAT_EXTENSIBLE: u16 = 0xfffe;

/// The header of a file with `data_len` bytes of samples in one channel; [`UNFINISHED`] while unknown.
///
/// Its length depends on the format alone, so that a finished header fits over an unfinished one.
pub fn header(format: Format, data_len: u32) -> Vec<u8> {
    let (tag, bytes_per_sample) = match format.encoding {
        Encoding::Pcmu => (WAVE_FORMAT_MULAW, 1_u16),
        Encoding::Pcma => (WAVE_FORMAT_ALAW, 1),
        Encoding::Pcm8 => (WAVE_FORMAT_PCM, 1),
        Encoding::Pcm16 => (WAVE_FORMAT_PCM, 2),
        Encoding::Pcm24 => (WAVE_FORMAT_PCM, 3),
        Encoding::Pcm32 => (WAVE_FORMAT_PCM, 4),
    };
    // Everything but linear samples has the longer format chunk and a `fact` chunk with the count.
    let linear = tag == WAVE_FORMAT_PCM;
    let fmt_len: u32 = if linear { 16 } else { 18 };
    let fact_len: u32 = if linear { 0 } else { 12 };
    let padded = data_len.saturating_add(data_len & 1);
    let riff_len = padded.saturating_add(4 + 8 + fmt_len + fact_len + 8);

    let mut bytes = Vec::with_capacity(58);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&riff_len.to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&fmt_len.to_le_bytes());
    bytes.extend_from_slice(&tag.to_le_bytes());
    bytes.extend_from_slice(&1_u16.to_le_bytes());
    bytes.extend_from_slice(&format.rate.to_le_bytes());
    bytes.extend_from_slice(&format.rate.saturating_mul(u32::from(bytes_per_sample)).to_le_bytes());
    bytes.extend_from_slice(&bytes_per_sample.to_le_bytes());
    bytes.extend_from_slice(&(bytes_per_sample * 8).to_le_bytes());
    if !linear {
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        bytes.extend_from_slice(b"fact");
        bytes.extend_from_slice(&4_u32.to_le_bytes());
        bytes.extend_from_slice(&(data_len / u32::from(bytes_per_sample)).to_le_bytes());
    }
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data_len.to_le_bytes());
    bytes
}

/// What has to follow `data_len` bytes of samples: RIFF chunks begin at even places.
pub fn padding(data_len: u32) -> &'static [u8] {
    if data_len % 2 == 1 { &[0] } else { &[] }
}
