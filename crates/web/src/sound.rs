//! Sound between the store and files: read as greetings, written as messages (DEC-32).

use std::time::Duration;

use umbel_store::{AudioFormat, StoredAudio};
use umbel_wav::{Encoding, Fault, Format, Limits};

/// Slowest sound that can be understood; the library for resampling says so too.
const WIDEBAND: u32 = 16_000;

/// Why a file is no sound of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundRefused {
    /// Whose fault it is.
    pub fault: Fault,
    /// What is wrong, for people.
    pub what: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundRead {
    /// One channel, 16 bits, 8 or 16 kHz.
    pub audio: StoredAudio,
    /// The file ends early; what is there was taken.
    pub truncated: bool,
}

/// Longest file that is read at all.
pub fn file_bytes_max() -> usize {
    Limits::default().bytes_max
}

/// Reads a WAV file as a greeting; other rates than ours are resampled (SEC-105).
///
/// # Errors
///
/// Where it is no sound that is understood, or too much of it.
pub fn read_wav(file: &[u8]) -> Result<SoundRead, SoundRefused> {
    let sound = umbel_wav::read(file, Limits::default())
        .map_err(|refused| SoundRefused { fault: refused.fault(), what: refused.to_string() })?;
    if sound.samples.is_empty() {
        return Err(SoundRefused { fault: Fault::Unsupported, what: "there is no sound in it".to_owned() });
    }
    let (format, samples) = match sound.rate {
        8_000 => (AudioFormat::Pcm16At8k, sound.samples),
        WIDEBAND => (AudioFormat::Pcm16At16k, sound.samples),
        other => {
            let samples =
                umbel_media::resampled(&sound.samples, other, WIDEBAND).ok_or_else(|| SoundRefused {
                    fault: Fault::Unsupported,
                    what: format!("{other} samples a second are too few for speech"),
                })?;
            (AudioFormat::Pcm16At16k, samples)
        }
    };
    let audio = StoredAudio { format, data: pcm16(&samples).into(), damaged: false };
    Ok(SoundRead { audio, truncated: sound.truncated })
}

/// The sound as a file of 16-bit PCM at the rate it was recorded with.
///
/// # Errors
///
/// Where it is longer than a WAV file holds; the store keeps none of that length.
pub fn pcm16_wav(audio: &StoredAudio) -> Result<Vec<u8>, SoundRefused> {
    let too_long = || SoundRefused {
        fault: Fault::TooLarge,
        what: "the sound is longer than a WAV file holds".to_owned(),
    };
    let encoding = match audio.format {
        AudioFormat::Pcmu => Encoding::Pcmu,
        AudioFormat::Pcma => Encoding::Pcma,
        AudioFormat::Pcm16At8k | AudioFormat::Pcm16At16k | AudioFormat::Pcm16At48k => Encoding::Pcm16,
    };
    let rate = audio.format.rate();
    let data = match encoding {
        Encoding::Pcm16 => audio.data.to_vec(),
        coded => {
            let length = u32::try_from(audio.data.len()).map_err(|_| too_long())?;
            let mut file = umbel_wav::header(Format { encoding: coded, rate }, length);
            file.extend_from_slice(&audio.data);
            file.extend_from_slice(umbel_wav::padding(length));
            let limits = Limits { bytes_max: usize::MAX, duration_max: Duration::MAX };
            let sound = umbel_wav::read(&file, limits)
                .map_err(|refused| SoundRefused { fault: refused.fault(), what: refused.to_string() })?;
            pcm16(&sound.samples)
        }
    };
    let length = u32::try_from(data.len()).map_err(|_| too_long())?;
    let mut file = umbel_wav::header(Format { encoding: Encoding::Pcm16, rate }, length);
    file.extend_from_slice(&data);
    file.extend_from_slice(umbel_wav::padding(length));
    Ok(file)
}

fn pcm16(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// DEC-32: 16-bit PCM at the recorded rate.
    #[test]
    fn a_g711_message_is_written_as_sixteen_bits_at_its_own_rate() {
        // ITU-T G.711: 0xFF is zero, 0x80 the loudest positive value, 32124 in 16 bits.
        let audio =
            StoredAudio { format: AudioFormat::Pcmu, data: vec![0xff, 0x80, 0xff].into(), damaged: false };
        let sound = umbel_wav::read(&pcm16_wav(&audio).unwrap(), Limits::default()).unwrap();
        assert_eq!((sound.rate, sound.encoding, sound.truncated), (8_000, Encoding::Pcm16, false));
        assert_eq!(sound.samples, [0, 32_124, 0]);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let data: Vec<u8> = (0..1_600).flat_map(|n: i16| n.to_le_bytes()).collect();
        let audio = StoredAudio { format: AudioFormat::Pcm16At16k, data: data.into(), damaged: false };
        let read = read_wav(&pcm16_wav(&audio).unwrap()).unwrap();
        assert_eq!(read, SoundRead { audio, truncated: false });
    }

    #[test]
    fn a_file_without_sound_is_refused() {
        let none = StoredAudio { format: AudioFormat::Pcm16At16k, data: Vec::new().into(), damaged: false };
        assert!(read_wav(&pcm16_wav(&none).unwrap()).is_err());
    }

    #[test]
    fn other_rates_become_wideband_and_too_slow_ones_are_refused() {
        let file = |rate| {
            let mut file = umbel_wav::header(Format { encoding: Encoding::Pcm16, rate }, 20_000);
            file.extend_from_slice(&[0; 20_000]);
            file
        };
        let read = read_wav(&file(44_100)).unwrap();
        assert_eq!(read.audio.format, AudioFormat::Pcm16At16k);
        // 10,000 samples at 44,100 are 227 ms.
        assert_eq!(read.audio.format.duration(read.audio.data.len() as u64).as_millis(), 226);
        assert_eq!(read_wav(&file(100)).unwrap_err().fault, Fault::Unsupported);
        assert_eq!(read_wav(b"hello").unwrap_err().fault, Fault::Unsupported);
    }
}
