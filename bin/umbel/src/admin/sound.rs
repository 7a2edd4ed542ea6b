//! Sound files of people: read as greetings, written as messages.

use std::io::Read;
use std::path::Path;

use umbel_store::StoredAudio;
use umbel_wav::Fault;
use umbel_web::sound::{self, SoundRefused};

use crate::exit::{Exit, Failure, at_path};
use crate::output;

/// Reads a WAV file as a greeting. One that ends early is taken as far as it goes, and that is said.
pub(crate) fn read_wav(path: &Path, json: bool) -> Result<StoredAudio, Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(sound::file_bytes_max()).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| at_path("read", path, &error))?;
    let read = sound::read_wav(&bytes).map_err(|refused| failed(&refused, &path.display().to_string()))?;
    if read.truncated {
        let message = format!("{}: the file ends early; what is there was taken", path.display());
        output::warn(json, "truncated-sound", &message);
    }
    Ok(read.audio)
}

fn failed(refused: &SoundRefused, about: &str) -> Failure {
    let code = match refused.fault {
        Fault::Unsupported => "unsupported-sound",
        Fault::Malformed => "malformed-sound",
        Fault::TooLarge => "sound-too-large",
    };
    Failure::new(Exit::Failed, code, format!("{about}: {}", refused.what))
}

/// What can be done with stored audio outside a call.
pub(crate) trait StoredAudioExt {
    /// The sound as a file of 16-bit PCM at the rate it was recorded with.
    fn pcm16_wav(&self) -> Result<Vec<u8>, Failure>;
}

impl StoredAudioExt for StoredAudio {
    fn pcm16_wav(&self) -> Result<Vec<u8>, Failure> {
        sound::pcm16_wav(self).map_err(|refused| failed(&refused, "the sound"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
