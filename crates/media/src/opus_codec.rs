//! Opus by way of libopus: 16 kHz, one channel, 20 ms.

use opus::{Application, Channels, Decoder, Encoder};

use crate::voice::SAMPLES_MAX;

/// RFC 6716 3.4: no packet is longer.
const PAYLOAD_MAX: usize = 1_275;

pub(crate) fn encoder() -> Encoder {
    Encoder::new(16_000, Channels::Mono, Application::Voip).expect("libopus knows this rate")
}

pub(crate) fn decoder() -> Decoder {
    Decoder::new(16_000, Channels::Mono).expect("libopus knows this rate")
}

pub(crate) fn encode(encoder: &mut Encoder, samples: &[i16], payload: &mut Vec<u8>) {
    let start = payload.len();
    payload.resize(start + PAYLOAD_MAX, 0);
    let length = encoder.encode(samples, &mut payload[start..]).unwrap_or(0);
    payload.truncate(start + length);
}

pub(crate) fn decode(
    decoder: &mut Decoder,
    payload: &[u8],
    samples: &mut [i16; SAMPLES_MAX],
) -> Option<usize> {
    decoder.decode(payload, samples, false).ok()
}
