//! A stored recording, and what can be made of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use umbel_wav::{Encoding, Format};

use crate::UnusableSound;
use crate::g711::Law;
use crate::rate::resampled;
use crate::third::{RATIO, third};

/// Linear samples a second of which every third is enough.
const FINEST: u32 = 48_000;
/// Samples a second of the best codecs that we have.
const FINEST_HEARD: u32 = 16_000;

/// A stored recording: its samples without the header of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// G.711, or linear samples, 8000, 16000 or 48000 a second. Anything else plays as silence.
    pub format: Format,
    /// The samples.
    pub data: Bytes,
}

impl Message {
    /// A message of linear samples of any rate, such as an uploaded greeting: G.711 up to 8000 samples a
    /// second, wideband above. Takes a while.
    pub fn from_samples(samples: &[i16], rate: u32) -> Result<Message, UnusableSound> {
        if samples.is_empty() || rate == 0 {
            return Err(UnusableSound::Empty);
        }
        let format = if rate <= 8_000 { Format::PCMU } else { Format::WIDEBAND };
        let samples = resampled(samples, rate, format.rate).ok_or(UnusableSound::Rate(rate))?;
        Ok(Message { format, data: coded(&samples, format) })
    }

    /// The same sound in another of the recording formats. Takes a while.
    pub fn converted(&self, format: Format) -> Result<Message, UnusableSound> {
        if self.format == format {
            return Ok(self.clone());
        }
        let samples = resampled(&self.samples(), self.rate(), format.rate)
            .ok_or(UnusableSound::Rate(self.format.rate))?;
        Ok(Message { format, data: coded(&samples, format) })
    }

    /// How many samples a second it is read at: those of its format, but for a third of 48000, since no call
    /// carries more.
    pub fn rate(&self) -> u32 {
        if self.is_thrice_too_fine() { FINEST_HEARD } else { self.format.rate }
    }

    fn is_thrice_too_fine(&self) -> bool {
        self.format == Format { encoding: Encoding::Pcm16, rate: FINEST }
    }

    /// Its linear samples, at its [`Message::rate`].
    pub fn samples(&self) -> Vec<i16> {
        let mut samples = vec![0; self.len()];
        self.read(0, &mut samples);
        samples
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        self.format.duration(self.data.len() as u64)
    }

    /// How many samples it has.
    pub(crate) fn len(&self) -> usize {
        let stored = self.data.len() / self.format.encoding.bytes_per_sample();
        if self.is_thrice_too_fine() { stored / RATIO } else { stored }
    }

    /// Its law, if it is G.711 as it comes from a line.
    pub(crate) fn law(&self) -> Option<Law> {
        match self.format {
            Format::PCMU => Some(Law::Mu),
            Format::PCMA => Some(Law::A),
            _ => None,
        }
    }

    /// Whether it can be played.
    pub(crate) fn is_playable(&self) -> bool {
        match self.format.encoding {
            Encoding::Pcmu | Encoding::Pcma => self.law().is_some(),
            Encoding::Pcm16 => matches!(self.format.rate, 8_000 | 16_000 | FINEST),
            _ => false,
        }
    }

    /// Fills `samples` with those from `at` on. Outside of it there is silence.
    pub(crate) fn read(&self, at: i64, samples: &mut [i16]) {
        samples.fill(0);
        let skipped = usize::try_from(at.saturating_neg()).unwrap_or(0);
        let start = usize::try_from(at).unwrap_or(0);
        let Some(room) = samples.get_mut(skipped..) else { return };
        if self.is_thrice_too_fine() {
            return self.read_thirds(start, room);
        }
        let width = self.format.encoding.bytes_per_sample();
        let Some(data) = self.data.get(start.saturating_mul(width)..) else { return };
        for (sample, bytes) in room.iter_mut().zip(data.chunks_exact(width)) {
            *sample = match (self.format.encoding, bytes) {
                (Encoding::Pcmu, &[byte]) => Law::Mu.decode(byte),
                (Encoding::Pcma, &[byte]) => Law::A.decode(byte),
                (Encoding::Pcm16, &[low, high]) => i16::from_le_bytes([low, high]),
                // Not a format that is played.
                _ => 0,
            };
        }
    }

    fn read_thirds(&self, start: usize, samples: &mut [i16]) {
        let length = self.len();
        let original = |at: Option<usize>| match at.and_then(|at| self.data.get(at.checked_mul(2)?..)) {
            Some([low, high, ..]) => f32::from(i16::from_le_bytes([*low, *high])),
            _ => 0.0,
        };
        for (at, sample) in (start..length).zip(samples) {
            *sample = third(at * RATIO, original);
        }
    }
}

fn coded(samples: &[i16], format: Format) -> Bytes {
    match format.encoding {
        Encoding::Pcmu => samples.iter().map(|sample| Law::Mu.encode(*sample)).collect(),
        Encoding::Pcma => samples.iter().map(|sample| Law::A.encode(*sample)).collect(),
        _ => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
    }
}

/// Audio is private: shows its shape only.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("format", &self.format)
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{sine, snr};

    #[test]
    fn uploads_become_recordings() {
        let narrow = Message::from_samples(&sine(440.0, 8_000, 8_000, 8_000.0), 8_000).unwrap();
        assert_eq!((narrow.format, narrow.data.len()), (Format::PCMU, 8_000));
        let wide = Message::from_samples(&sine(440.0, 44_100, 44_100, 8_000.0), 44_100).unwrap();
        assert_eq!(wide.format, Format::WIDEBAND);
        assert!(wide.duration().abs_diff(Duration::from_secs(1)) < Duration::from_millis(1));
    }

    #[test]
    fn a_recording_can_be_had_in_every_format() {
        let wide = Message::from_samples(&sine(440.0, 16_000, 16_000, 8_000.0), 16_000).unwrap();
        for format in [Format::PCMU, Format::PCMA] {
            let narrow = wide.converted(format).unwrap();
            assert_eq!(narrow.duration(), Duration::from_secs(1));
            assert!(
                snr(&sine(440.0, 8_000, 8_000, 8_000.0)[800..7_200], &narrow.samples()[800..7_200]) > 33.0
            );
        }
    }

    #[test]
    fn outside_of_a_message_there_is_silence() {
        let message = Message::from_samples(&[1_000; 160], 8_000).unwrap();
        let mut samples = [7; 20];
        message.read(-10, &mut samples);
        assert!(samples[..10].iter().all(|sample| *sample == 0) && samples[10] > 900);
        message.read(150, &mut samples);
        assert!(samples[9] > 900 && samples[10..].iter().all(|sample| *sample == 0));
        for at in [i64::MIN, -1_000, 1_000, i64::MAX] {
            message.read(at, &mut samples);
            assert_eq!(samples, [0; 20], "{at}");
        }
    }
}
