//! Sound of the moment that is to be said: what comes from a microphone, until a packet takes it.

use std::collections::VecDeque;

use crate::half_band::Halver;
use crate::voice::Encoder;
use crate::{Codec, LIVE_RATE};

/// What was captured and not sent yet.
///
/// Two clocks meet here: where the microphone's is faster, or the call is held, the oldest sound is left out; where
/// it is slower, a packet is left out now and then, and timestamps say so.
#[derive(Default)]
pub(crate) struct Microphone {
    waiting: VecDeque<i16>,
    coder: Option<(Codec, Encoder, Halver)>,
}

impl Microphone {
    /// So many samples wait: 120 ms.
    pub(crate) const WAITING_MAX: usize = LIVE_RATE as usize * 12 / 100;
    /// Of one packet: 20 ms.
    const PACKET: usize = LIVE_RATE as usize / 50;

    /// Takes what was captured.
    pub(crate) fn take(&mut self, samples: &[i16]) {
        self.waiting.extend(samples);
        let beyond = self.waiting.len().saturating_sub(Self::WAITING_MAX);
        self.waiting.drain(..beyond);
    }

    /// Nobody is to hear it.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Whether there is enough for a packet.
    pub(crate) fn has_packet(&self) -> bool {
        self.waiting.len() >= Self::PACKET
    }

    /// Appends the payload of the next packet. False: there is not enough for one.
    pub(crate) fn packet(&mut self, codec: Codec, payload: &mut Vec<u8>) -> bool {
        if !self.has_packet() {
            return false;
        }
        let mut samples = [0; Self::PACKET];
        for (sample, waiting) in samples.iter_mut().zip(self.waiting.drain(..Self::PACKET)) {
            *sample = waiting;
        }
        self.coder.take_if(|(of, ..)| *of != codec);
        let (_, encoder, halver) =
            self.coder.get_or_insert_with(|| (codec, Encoder::new(codec), Halver::new()));
        if codec.sample_rate() == LIVE_RATE {
            encoder.encode(&samples, payload);
        } else {
            let mut narrow = [0; Self::PACKET / 2];
            halver.run(&samples, &mut narrow);
            encoder.encode(&narrow, payload);
        }
        true
    }
}
