//! Coding and decoding the sound of one call, with the state that goes from packet to packet.

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

use crate::Codec;
use crate::g711::Law;

/// The most samples that one packet may decode to: a fifth of a second at 16000 a second.
pub(crate) const SAMPLES_MAX: usize = 3_200;
/// The longest payload that one packet may have; a fifth of a second of the 64 kbit/s codecs.
pub(crate) const PAYLOAD_MAX: usize = 1_600;

/// From linear samples at the codec's rate to payloads.
pub(crate) enum Encoder {
    G711(Law),
    G722(Box<G722Encoder>),
    #[cfg(feature = "opus")]
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu => Encoder::G711(Law::Mu),
            Codec::Pcma => Encoder::G711(Law::A),
            Codec::G722 => Encoder::G722(Box::new(G722Encoder::new())),
            #[cfg(feature = "opus")]
            Codec::Opus => Encoder::Opus(Box::new(crate::opus_codec::encoder())),
        }
    }

    /// Appends the payload for one packet of samples to `payload`.
    pub(crate) fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        match self {
            Encoder::G711(law) => payload.extend(samples.iter().map(|sample| law.encode(*sample))),
            Encoder::G722(encoder) => {
                let start = payload.len();
                payload.resize(start + samples.len() / 2, 0);
                let whole = &samples[..samples.len() / 2 * 2];
                if encoder.encode_into(whole, &mut payload[start..]).is_err() {
                    unreachable!("G.722 makes one byte of two samples");
                }
            }
            #[cfg(feature = "opus")]
            Encoder::Opus(encoder) => crate::opus_codec::encode(encoder, samples, payload),
        }
    }
}

/// From payloads to linear samples at the codec's rate.
pub(crate) enum Decoder {
    G711(Law),
    G722(Box<G722Decoder>),
    #[cfg(feature = "opus")]
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu => Decoder::G711(Law::Mu),
            Codec::Pcma => Decoder::G711(Law::A),
            Codec::G722 => Decoder::G722(Box::new(G722Decoder::new())),
            #[cfg(feature = "opus")]
            Codec::Opus => Decoder::Opus(Box::new(crate::opus_codec::decoder())),
        }
    }

    /// Decodes a payload into the front of `samples`; says how many there are. None: the payload is damaged.
    pub(crate) fn decode(&mut self, payload: &[u8], samples: &mut [i16; SAMPLES_MAX]) -> Option<usize> {
        match self {
            Decoder::G711(law) => {
                for (sample, byte) in samples.iter_mut().zip(payload) {
                    *sample = law.decode(*byte);
                }
                Some(payload.len().min(SAMPLES_MAX))
            }
            Decoder::G722(decoder) => decoder.decode_into(payload, samples).ok(),
            #[cfg(feature = "opus")]
            Decoder::Opus(decoder) => crate::opus_codec::decode(decoder, payload, samples),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{rms, sine, snr};

    fn there_and_back(codec: Codec, samples: &[i16]) -> Vec<i16> {
        let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
        let mut heard = Vec::new();
        for packet in samples.chunks(codec.samples_per_packet()) {
            let mut payload = Vec::new();
            encoder.encode(packet, &mut payload);
            let mut decoded = [0; SAMPLES_MAX];
            let count = decoder.decode(&payload, &mut decoded).unwrap();
            heard.extend_from_slice(&decoded[..count]);
        }
        heard
    }

    #[test]
    fn g711_keeps_a_tone_within_its_noise() {
        // ITU-T G.712: better than 33 dB over the middle of its range.
        for codec in [Codec::Pcmu, Codec::Pcma] {
            for amplitude in [300.0, 3_000.0, 30_000.0] {
                let tone = sine(1_004.0, 8_000, 8_000, amplitude);
                let ratio = snr(&tone, &there_and_back(codec, &tone));
                assert!(ratio > 33.0, "{codec:?} at {amplitude}: {ratio}");
            }
        }
    }

    #[test]
    fn g722_keeps_tones_of_both_bands() {
        // The two filters of the recommendation delay by 22 samples together.
        const DELAY: usize = 22;
        for (frequency, least) in [(300.0, 30.0), (1_000.0, 30.0), (2_500.0, 30.0), (5_500.0, 12.0)] {
            let tone = sine(frequency, 16_000, 16_000, 8_000.0);
            let heard = there_and_back(Codec::G722, &tone);
            let ratio = snr(&tone[1_000..15_000], &heard[1_000 + DELAY..15_000 + DELAY]);
            assert!(ratio > least, "{frequency} Hz: {ratio}");
        }
    }

    #[test]
    fn g722_is_silent_when_nothing_is_said() {
        let heard = there_and_back(Codec::G722, &[0; 16_000]);
        assert!(rms(&heard[1_000..]) < 10.0);
    }
}
