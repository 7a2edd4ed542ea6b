//! What has been recorded and not yet given out, in the format of the file.

use std::time::Duration;

use bytes::Bytes;
use umbel_wav::{Encoding, Format};

use crate::Codec;
use crate::g711::Law;
use crate::half_band::{Doubler, Halver};
use crate::voice::{Decoder, PAYLOAD_MAX, SAMPLES_MAX};

/// The tape of one recording.
///
/// Its end is held back a little, so that the tone of a key can still be taken out of it.
pub(crate) struct Tape {
    format: Format,
    pending: Vec<u8>,
    /// Samples given out and pending.
    samples: u64,
    reader: Reader,
}

/// From the codec of the call to the format of the file. Their rates differ only when the codec was changed
/// in the middle of a recording.
struct Reader {
    codec: Codec,
    decoder: Decoder,
    halver: Option<Box<Halver>>,
    doubler: Option<Box<Doubler>>,
}

/// What was written: the mean square of its samples, and how long it lasts.
#[derive(Clone, Copy)]
pub(crate) struct Written {
    pub(crate) mean_square: u32,
    pub(crate) duration: Duration,
}

impl Tape {
    /// Bytes given out at a time: a second of G.711, a quarter of a second of wideband.
    pub(crate) const CHUNK: usize = 8_000;
    /// How much of its end is held back.
    pub(crate) const HELD_BACK: Duration = Duration::from_millis(200);

    pub(crate) fn new(codec: Codec) -> Self {
        let format = codec.recording_format();
        let mut tape = Tape { format, pending: Vec::new(), samples: 0, reader: Reader::new(codec) };
        tape.pending.reserve_exact(tape.capacity());
        tape
    }

    fn held_back(&self) -> usize {
        usize::try_from(self.format.bytes_per_second() / 5).unwrap_or(0)
    }

    /// Room for a chunk, what is held back, and the longest packet.
    fn capacity(&self) -> usize {
        Self::CHUNK + self.held_back() + PAYLOAD_MAX * self.format.encoding.bytes_per_sample()
    }

    fn width(&self) -> usize {
        self.format.encoding.bytes_per_sample()
    }

    /// How long the recording is.
    pub(crate) fn duration(&self) -> Duration {
        self.format.duration(self.samples * self.width() as u64)
    }

    /// Writes a payload of `codec`. None: it was damaged, and nothing was written.
    pub(crate) fn write(&mut self, codec: Codec, payload: &[u8]) -> Option<Written> {
        let before = self.pending.len();
        if codec != self.reader.codec {
            self.reader = Reader::new(codec);
        }
        // Narrowband is kept as it came.
        let mean_square = match (law_of(self.format), law_of(codec.recording_format())) {
            (Some(file), Some(line)) if file == line => {
                self.pending.extend_from_slice(payload);
                line.energy(payload)
            }
            (file, _) => {
                let mut decoded = [0; SAMPLES_MAX];
                let count = self.reader.decoder.decode(payload, &mut decoded)?;
                let decoded = decoded.get(..count)?;
                let mut converted = [0; SAMPLES_MAX];
                let samples = self.reader.convert(decoded, self.format.rate, &mut converted);
                match file {
                    Some(law) => self.pending.extend(samples.iter().map(|sample| law.encode(*sample))),
                    None => self.pending.extend(samples.iter().flat_map(|sample| sample.to_le_bytes())),
                }
                mean_square(samples)
            }
        };
        let written = (self.pending.len() - before) / self.width();
        self.samples += written as u64;
        let duration = self.format.duration((written * self.width()) as u64);
        Some(Written { mean_square, duration })
    }

    /// Writes silence, giving out chunks to `give` where it is long.
    pub(crate) fn write_silence(&mut self, duration: Duration, mut give: impl FnMut(Bytes)) {
        let samples = duration.as_micros() * u128::from(self.format.rate) / 1_000_000;
        let mut bytes = usize::try_from(samples).unwrap_or(0).saturating_mul(self.width());
        while bytes > 0 {
            let some = bytes.min(Self::CHUNK);
            self.pending.resize(self.pending.len() + some, self.silence());
            self.samples += (some / self.width()) as u64;
            bytes -= some;
            while let Some(chunk) = self.chunk() {
                give(chunk);
            }
        }
    }

    fn silence(&self) -> u8 {
        law_of(self.format).map_or(0, Law::silence)
    }

    /// Makes the end silent, as far as it has not been given out.
    pub(crate) fn blank(&mut self, duration: Duration) {
        let (start, silence) = (self.start_of_last(duration), self.silence());
        if let Some(end) = self.pending.get_mut(start..) {
            end.fill(silence);
        }
    }

    /// Takes the end off, as far as it has not been given out.
    pub(crate) fn cut(&mut self, duration: Duration) {
        let start = self.start_of_last(duration);
        self.samples -= ((self.pending.len() - start) / self.width()) as u64;
        self.pending.truncate(start);
    }

    fn start_of_last(&self, duration: Duration) -> usize {
        let samples = duration.as_micros() * u128::from(self.format.rate) / 1_000_000;
        let bytes = usize::try_from(samples).unwrap_or(usize::MAX).saturating_mul(self.width());
        self.pending.len().saturating_sub(bytes)
    }

    /// The next chunk that is full.
    pub(crate) fn chunk(&mut self) -> Option<Bytes> {
        if self.pending.len() < Self::CHUNK + self.held_back() {
            return None;
        }
        let mut rest = Vec::with_capacity(self.capacity());
        rest.extend_from_slice(&self.pending[Self::CHUNK..]);
        let mut chunk = std::mem::replace(&mut self.pending, rest);
        chunk.truncate(Self::CHUNK);
        Some(chunk.into())
    }

    /// All that is left, in chunks.
    pub(crate) fn finish(&mut self, mut give: impl FnMut(Bytes)) {
        let rest = std::mem::take(&mut self.pending);
        for chunk in rest.chunks(Self::CHUNK) {
            give(Bytes::copy_from_slice(chunk));
        }
    }
}

impl Reader {
    fn new(codec: Codec) -> Self {
        Reader { codec, decoder: Decoder::new(codec), halver: None, doubler: None }
    }

    fn convert<'a>(
        &mut self,
        samples: &'a [i16],
        rate: u32,
        converted: &'a mut [i16; SAMPLES_MAX],
    ) -> &'a [i16] {
        match self.codec.sample_rate().cmp(&rate) {
            std::cmp::Ordering::Equal => samples,
            std::cmp::Ordering::Greater => {
                let halved = &mut converted[..samples.len() / 2];
                self.halver
                    .get_or_insert_with(|| Box::new(Halver::new()))
                    .run(&samples[..samples.len() / 2 * 2], halved);
                halved
            }
            std::cmp::Ordering::Less => {
                let fitting = &samples[..samples.len().min(SAMPLES_MAX / 2)];
                let doubled = &mut converted[..fitting.len() * 2];
                self.doubler.get_or_insert_with(|| Box::new(Doubler::new())).run(fitting, doubled);
                doubled
            }
        }
    }
}

fn law_of(format: Format) -> Option<Law> {
    match format.encoding {
        Encoding::Pcmu => Some(Law::Mu),
        Encoding::Pcma => Some(Law::A),
        _ => None,
    }
}

fn mean_square(samples: &[i16]) -> u32 {
    let sum: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
    u32::try_from(sum / (samples.len().max(1) as u64)).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{purity, sine};
    use crate::voice::Encoder;

    fn written(tape: &mut Tape) -> Vec<u8> {
        let mut bytes = Vec::new();
        tape.finish(|chunk| bytes.extend_from_slice(&chunk));
        bytes
    }

    #[test]
    fn narrowband_is_kept_as_it_came() {
        // DEC-32
        let payload: Vec<u8> = (0..160).collect();
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let mut tape = Tape::new(codec);
            tape.write(codec, &payload).unwrap();
            assert_eq!(tape.duration(), Duration::from_millis(20));
            assert_eq!(written(&mut tape), payload);
        }
    }

    #[test]
    fn wideband_is_kept_as_linear_samples() {
        let tone = sine(1_000.0, 16_000, 16_000, 8_000.0);
        let (mut tape, mut encoder) = (Tape::new(Codec::G722), Encoder::new(Codec::G722));
        let mut bytes = Vec::new();
        for packet in tone.chunks(320) {
            let mut payload = Vec::new();
            encoder.encode(packet, &mut payload);
            tape.write(Codec::G722, &payload).unwrap();
            while let Some(chunk) = tape.chunk() {
                assert!(chunk.len() <= Tape::CHUNK);
                bytes.extend_from_slice(&chunk);
            }
        }
        assert_eq!(tape.duration(), Duration::from_secs(1));
        bytes.extend(written(&mut tape));
        let samples: Vec<i16> = bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(samples.len(), 16_000);
        assert!(purity(&samples[1_600..], 1_000.0, 16_000) > 30.0);
    }

    #[test]
    fn a_codec_changed_in_the_middle_does_not_change_the_file() {
        let tone = sine(1_000.0, 16_000, 8_000, 8_000.0);
        let narrow = sine(1_000.0, 8_000, 4_000, 8_000.0);
        for (first, second) in
            [(Codec::Pcmu, Codec::G722), (Codec::Pcmu, Codec::Pcma), (Codec::G722, Codec::Pcmu)]
        {
            let mut tape = Tape::new(first);
            for codec in [first, second] {
                let samples = if codec == Codec::G722 { &tone } else { &narrow };
                let mut encoder = Encoder::new(codec);
                for packet in samples.chunks(codec.samples_per_packet()) {
                    let mut payload = Vec::new();
                    encoder.encode(packet, &mut payload);
                    tape.write(codec, &payload).unwrap();
                }
            }
            assert_eq!(tape.duration(), Duration::from_secs(1), "{first:?} {second:?}");
            let bytes = written(&mut tape);
            let format = first.recording_format();
            assert_eq!(bytes.len() as u64, format.bytes_per_second());
            let message = crate::Message { format, data: bytes.into() };
            let samples = message.samples();
            let later = &samples[samples.len() * 6 / 10..];
            let purity = purity(later, 1_000.0, format.rate);
            assert!(purity > 25.0, "{first:?} {second:?}: {purity}");
        }
    }

    #[test]
    fn only_what_is_held_back_can_be_blanked_or_cut() {
        let mut tape = Tape::new(Codec::Pcmu);
        for _ in 0..60 {
            tape.write(Codec::Pcmu, &[1; 160]).unwrap();
        }
        let chunk = tape.chunk().unwrap();
        assert_eq!(chunk.len(), Tape::CHUNK);
        assert!(tape.chunk().is_none());
        tape.blank(Duration::from_millis(40));
        tape.cut(Duration::from_millis(20));
        assert_eq!(tape.duration(), Duration::from_millis(1_180));
        tape.cut(Duration::from_secs(9));
        assert_eq!(tape.duration(), Duration::from_secs(1));
        assert!(written(&mut tape).is_empty());
    }

    #[test]
    fn long_silence_leaves_in_chunks() {
        let mut tape = Tape::new(Codec::Pcma);
        let mut given = Vec::new();
        tape.write_silence(Duration::from_secs(10), |chunk| given.push(chunk));
        assert_eq!(tape.duration(), Duration::from_secs(10));
        assert_eq!(given.len(), 9);
        assert!(given.iter().all(|chunk| chunk.iter().all(|byte| *byte == 0xd5)));
    }
}
