//! What the telephone says and keeps: WAV in, WAV out.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use umbel_media::{Clip, Codec, Event, Message};
use umbel_phone::CallKey;
use umbel_store::AudioFormat;
use umbel_wav::{Encoding, Format};

use crate::exit::{Failure, at_path};

/// A WAV file as something to say.
pub(super) fn read(path: &Path, json: bool) -> Result<Clip, Failure> {
    let audio = crate::admin::read_wav(path, json)?;
    let format = match audio.format {
        AudioFormat::Pcmu => Format::PCMU,
        AudioFormat::Pcma => Format::PCMA,
        linear => Format { encoding: Encoding::Pcm16, rate: linear.rate() },
    };
    Ok(Clip::Message(Message { format, data: audio.data }))
}

/// Where what is heard is kept: one file a call. The first has the name that was given, the others that name
/// with a number.
pub(super) struct Recordings {
    path: Option<PathBuf>,
    begun: u32,
    current: Option<(CallKey, Recording)>,
}

impl Recordings {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Recordings { path, begun: 0, current: None }
    }

    /// A call is up.
    pub(super) fn begin(&mut self, call: CallKey, codec: Codec) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let path = numbered(path, self.begun);
        self.finish()?;
        self.begun += 1;
        self.current = Some((call, Recording::begin(&path, codec)?));
        Ok(())
    }

    /// Something happened in a call's sound.
    pub(super) fn take(&mut self, call: CallKey, event: &Event) -> Result<(), Failure> {
        match (&mut self.current, event) {
            (Some((ours, recording)), Event::Recorded { chunk, .. }) if *ours == call => {
                recording.keep(chunk)
            }
            (Some((ours, _)), Event::RecordingEnded { .. }) if *ours == call => self.finish(),
            _ => Ok(()),
        }
    }

    /// Whether something is being recorded.
    pub(super) fn is_recording(&self) -> bool {
        self.current.is_some()
    }

    /// Completes the file that is being written.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.current.take().map_or(Ok(()), |(_, recording)| recording.finish())
    }
}

/// `heard.wav`, `heard-2.wav`, …
fn numbered(path: &Path, before: u32) -> PathBuf {
    if before == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|text| format!(".{}", text.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", before + 1))
}

/// The recording of what is heard, written as it comes.
struct Recording {
    path: PathBuf,
    file: File,
    format: Format,
    length: u32,
}

impl Recording {
    /// Begins a file in the form in which `codec` is kept.
    fn begin(path: &Path, codec: Codec) -> Result<Self, Failure> {
        let format = codec.recording_format();
        let mut file = File::create(path).map_err(|error| at_path("write", path, &error))?;
        file.write_all(&umbel_wav::header(format, 0)).map_err(|error| at_path("write", path, &error))?;
        Ok(Recording { path: path.to_owned(), file, format, length: 0 })
    }

    /// Adds audio. What no longer fits a WAV file is left out.
    fn keep(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let Some(length) = u32::try_from(chunk.len()).ok().and_then(|more| self.length.checked_add(more))
        else {
            return Ok(());
        };
        self.length = length;
        self.file.write_all(chunk).map_err(|error| at_path("write", &self.path, &error))
    }

    /// Writes the length into the header.
    fn finish(mut self) -> Result<(), Failure> {
        let wrong = |error| at_path("write", &self.path, &error);
        self.file.write_all(umbel_wav::padding(self.length)).map_err(wrong)?;
        self.file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        self.file.write_all(&umbel_wav::header(self.format, self.length)).map_err(wrong)?;
        self.file.flush().map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_recording_has_the_name_that_was_given_and_the_others_a_number() {
        let names = |path: &str| [0, 1, 2].map(|before| numbered(Path::new(path), before));
        assert_eq!(
            names("a/heard.wav"),
            ["a/heard.wav", "a/heard-2.wav", "a/heard-3.wav"].map(PathBuf::from)
        );
        assert_eq!(names("heard"), ["heard", "heard-2", "heard-3"].map(PathBuf::from));
    }
}
