//! Sound files of people: read as greetings, written as messages.

use std::io::Read;
use std::path::Path;

use umbel_store::{AudioFormat, StoredAudio};
use umbel_wav::{Encoding, Fault, Format, Limits};

use crate::exit::{Exit, Failure, at_path};
use crate::output;

/// Reads a WAV file as a greeting: one channel, 16 bits, 8 or 16 kHz; other rates are resampled. One that ends
/// early is taken as far as it goes, and that is said.
pub(crate) fn read_wav(path: &Path, json: bool) -> Result<StoredAudio, Failure> {
    let limits = Limits::default();
    let mut bytes = Vec::new();
    let most = u64::try_from(limits.bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| at_path("read", path, &error))?;
    let sound = umbel_wav::read(&bytes, limits).map_err(|refused| {
        let code = match refused.fault() {
            Fault::Unsupported => "unsupported-sound",
            Fault::Malformed => "malformed-sound",
            Fault::TooLarge => "sound-too-large",
        };
        Failure::new(Exit::Failed, code, format!("{}: {refused}", path.display()))
    })?;
    if sound.truncated {
        let message = format!("{}: the file ends early; what is there was taken", path.display());
        output::warn(json, "truncated-sound", &message);
    }
    let (format, samples) = match sound.rate {
        8_000 => (AudioFormat::Pcm16At8k, sound.samples),
        16_000 => (AudioFormat::Pcm16At16k, sound.samples),
        other => {
            let samples = umbel_media::resampled(&sound.samples, other, 16_000).ok_or_else(|| {
                let what = format!("{}: {other} samples a second are too few for speech", path.display());
                Failure::new(Exit::Failed, "unsupported-sound", what)
            })?;
            (AudioFormat::Pcm16At16k, samples)
        }
    };
    Ok(StoredAudio { format, data: pcm16(&samples).into(), damaged: false })
}

/// What can be done with stored audio outside a call.
pub(crate) trait StoredAudioExt {
    /// The sound as a file of 16-bit PCM at the rate it was recorded with.
    fn pcm16_wav(&self) -> Result<Vec<u8>, Failure>;
}

impl StoredAudioExt for StoredAudio {
    fn pcm16_wav(&self) -> Result<Vec<u8>, Failure> {
        let too_long =
            || Failure::new(Exit::Failed, "sound-too-large", "the sound is longer than a WAV file holds");
        let encoding = match self.format {
            AudioFormat::Pcmu => Encoding::Pcmu,
            AudioFormat::Pcma => Encoding::Pcma,
            AudioFormat::Pcm16At8k | AudioFormat::Pcm16At16k | AudioFormat::Pcm16At48k => Encoding::Pcm16,
        };
        let rate = self.format.rate();
        let data = match encoding {
            Encoding::Pcm16 => self.data.to_vec(),
            coded => {
                let length = u32::try_from(self.data.len()).map_err(|_| too_long())?;
                let mut file = umbel_wav::header(Format { encoding: coded, rate }, length);
                file.extend_from_slice(&self.data);
                file.extend_from_slice(umbel_wav::padding(length));
                let limits = Limits { bytes_max: usize::MAX, duration_max: std::time::Duration::MAX };
                let sound = umbel_wav::read(&file, limits)
                    .map_err(|refused| Failure::new(Exit::Failed, "malformed-sound", refused.to_string()))?;
                pcm16(&sound.samples)
            }
        };
        let length = u32::try_from(data.len()).map_err(|_| too_long())?;
        let mut file = umbel_wav::header(Format { encoding: Encoding::Pcm16, rate }, length);
        file.extend_from_slice(&data);
        file.extend_from_slice(umbel_wav::padding(length));
        Ok(file)
    }
}

fn pcm16(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DEC-32: exports are 16-bit PCM at the recorded rate.
    #[test]
    fn a_g711_message_is_exported_as_sixteen_bits_at_its_own_rate() {
        // ITU-T G.711: 0xFF is zero, 0x80 the loudest positive value, 32124 in 16 bits.
        let audio =
            StoredAudio { format: AudioFormat::Pcmu, data: vec![0xff, 0x80, 0xff].into(), damaged: false };
        let file = audio.pcm16_wav().expect("exported");
        let sound = umbel_wav::read(&file, Limits::default()).expect("a WAV file");
        assert_eq!((sound.rate, sound.encoding, sound.truncated), (8_000, Encoding::Pcm16, false));
        assert_eq!(sound.samples, [0, 32_124, 0]);
    }

    #[test]
    fn a_file_that_is_no_sound_is_refused_with_its_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("greeting.wav");
        std::fs::write(&path, b"hello").expect("written");
        let failure = read_wav(&path, false).expect_err("no sound");
        assert!(failure.message.contains("greeting.wav"), "{failure}");
        assert_eq!(failure.code, "unsupported-sound");
    }
}
