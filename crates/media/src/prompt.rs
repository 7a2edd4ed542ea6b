//! What the system says: encoded once for each codec, shared by all calls.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use crate::Codec;
use crate::rate::{self, resampled};
use crate::voice::Encoder;

/// Sound that is encoded, and cut into packets, when it is first played in a codec, or before by
/// [`Prompt::prepare`]: 8 kB a second for each codec, beside the samples.
pub struct Prompt {
    duration: Duration,
    samples: Box<[i16]>,
    rate: u32,
    pcmu: OnceLock<Packets>,
    pcma: OnceLock<Packets>,
    g722: OnceLock<Packets>,
    #[cfg(feature = "opus")]
    opus: OnceLock<Packets>,
}

/// Sound that cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSound {
    /// No samples, or a rate of zero.
    #[error("there is no sound in it")]
    Empty,
    /// A rate that cannot be turned into that of a codec.
    #[error("{0} samples a second cannot be turned into 8000 or 16000")]
    Rate(u32),
}

impl Prompt {
    /// Takes one channel of linear samples of any rate. Nothing is encoded yet.
    pub fn new(samples: &[i16], rate: u32) -> Result<Prompt, UnusableSound> {
        if samples.is_empty() || rate == 0 {
            return Err(UnusableSound::Empty);
        }
        if rate < rate::RATE_MIN {
            return Err(UnusableSound::Rate(rate));
        }
        let micros = samples.len() as u64 * 1_000_000 / u64::from(rate);
        Ok(Prompt {
            duration: Duration::from_micros(micros),
            samples: samples.into(),
            rate,
            pcmu: OnceLock::new(),
            pcma: OnceLock::new(),
            g722: OnceLock::new(),
            #[cfg(feature = "opus")]
            opus: OnceLock::new(),
        })
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Encodes it for every codec, so that no call is the first to need one. Takes about a thousandth of its
    /// duration; a call that plays it meanwhile encodes for itself, or waits for what is being encoded.
    pub fn prepare(&self) {
        self.packets(Codec::Pcmu);
        self.packets(Codec::Pcma);
        self.packets(Codec::G722);
        #[cfg(feature = "opus")]
        self.packets(Codec::Opus);
    }

    /// The payload of its `index`-th packet.
    pub(crate) fn packet(&self, codec: Codec, index: usize) -> Option<&[u8]> {
        self.packets(codec).get(index)
    }

    fn packets(&self, codec: Codec) -> &Packets {
        let packets = match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
            Codec::G722 => &self.g722,
            #[cfg(feature = "opus")]
            Codec::Opus => &self.opus,
        };
        packets.get_or_init(|| {
            // The rate was looked at by `new`.
            let samples = resampled(&self.samples, self.rate, codec.sample_rate()).unwrap_or_default();
            Packets::new(&samples, codec)
        })
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("duration", &self.duration).finish_non_exhaustive()
    }
}

/// Payloads one after the other. The last one is filled up with silence.
struct Packets {
    bytes: Box<[u8]>,
    ends: Ends,
}

enum Ends {
    /// All of one length.
    Every(usize),
    /// Where each one ends.
    #[cfg(feature = "opus")]
    At(Box<[u32]>),
}

impl Packets {
    fn new(samples: &[i16], codec: Codec) -> Packets {
        let length = codec.samples_per_packet();
        let mut encoder = Encoder::new(codec);
        let mut bytes = Vec::with_capacity(samples.len().div_ceil(length) * 160);
        #[cfg(feature = "opus")]
        let mut ends = Vec::new();
        for packet in samples.chunks(length) {
            let mut whole = [0; 320];
            whole[..packet.len()].copy_from_slice(packet);
            encoder.encode(&whole[..length], &mut bytes);
            #[cfg(feature = "opus")]
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        #[cfg(feature = "opus")]
        if codec == Codec::Opus {
            return Packets { bytes: bytes.into(), ends: Ends::At(ends.into()) };
        }
        Packets { bytes: bytes.into(), ends: Ends::Every(160) }
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        match &self.ends {
            Ends::Every(length) => {
                let start = index.checked_mul(*length)?;
                self.bytes.get(start..start.checked_add(*length)?)
            }
            #[cfg(feature = "opus")]
            Ends::At(ends) => {
                let start = if index == 0 { 0 } else { *ends.get(index - 1)? };
                self.bytes.get(usize::try_from(start).ok()?..usize::try_from(*ends.get(index)?).ok()?)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{sine, snr};
    use crate::voice::{Decoder, SAMPLES_MAX};

    fn heard(prompt: &Prompt, codec: Codec) -> Vec<i16> {
        let mut decoder = Decoder::new(codec);
        let mut samples = Vec::new();
        for index in 0.. {
            let Some(payload) = prompt.packet(codec, index) else { break };
            let mut decoded = [0; SAMPLES_MAX];
            let count = decoder.decode(payload, &mut decoded).unwrap();
            samples.extend_from_slice(&decoded[..count]);
        }
        samples
    }

    #[test]
    fn a_prompt_sounds_the_same_in_every_codec() {
        let prompt = Prompt::new(&sine(800.0, 16_000, 16_100, 8_000.0), 16_000).unwrap();
        assert_eq!(prompt.duration(), Duration::from_micros(1_006_250));
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let heard = heard(&prompt, codec);
            assert_eq!(heard.len(), 51 * 160);
            assert!(snr(&sine(800.0, 8_000, 8_000, 8_000.0)[800..7_200], &heard[800..7_200]) > 33.0);
        }
        let wide = heard(&prompt, Codec::G722);
        assert_eq!(wide.len(), 51 * 320);
        assert!(snr(&sine(800.0, 16_000, 16_000, 8_000.0)[1_600..14_400], &wide[1_622..14_422]) > 30.0);
    }

    #[test]
    fn nothing_is_no_prompt() {
        assert_eq!(Prompt::new(&[], 8_000).unwrap_err(), UnusableSound::Empty);
        assert_eq!(Prompt::new(&[1], 0).unwrap_err(), UnusableSound::Empty);
        assert_eq!(Prompt::new(&[1], 999).unwrap_err(), UnusableSound::Rate(999));
        assert!(Prompt::new(&[1], 1_000).is_ok());
    }

    #[test]
    fn calls_that_play_it_first_and_its_preparation_agree() {
        let samples = sine(800.0, 16_000, 16_000, 8_000.0);
        let (prepared, shared) =
            (Prompt::new(&samples, 16_000).unwrap(), Prompt::new(&samples, 16_000).unwrap());
        prepared.prepare();
        std::thread::scope(|scope| {
            scope.spawn(|| shared.prepare());
            for codec in [Codec::G722, Codec::Pcma, Codec::Pcmu] {
                let (prepared, shared) = (&prepared, &shared);
                scope.spawn(move || assert_eq!(heard(shared, codec), heard(prepared, codec)));
            }
        });
    }
}
