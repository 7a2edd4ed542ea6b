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

/// Whether what is heard can be kept there: looked at before anybody is called. Nothing is made yet, since a call that
/// is not answered has no recording.
pub(super) fn writable(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Failure::usage(format!("--record {}: this is a folder, not a file", path.display())));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let looked_at = if path.exists() { path } else { folder };
    rustix::fs::access(looked_at, rustix::fs::Access::WRITE_OK)
        .map_err(|error| at_path("write", path, &error.into()))
}

/// Where what is heard is kept: one file a call. The first has the name that was given, the others that name
/// with a number.
pub(super) struct Recordings {
    place: Place,
    begun: u32,
    current: Option<(CallKey, Recording)>,
    heard: (Format, Vec<u8>),
}

/// Where recordings go.
enum Place {
    Nowhere,
    File(PathBuf),
    /// The last one, for who looks at it afterwards.
    Memory,
}

impl Recordings {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Recordings::to(path.map_or(Place::Nowhere, Place::File))
    }

    /// Kept in memory: for calls that are short.
    pub(super) fn in_memory() -> Self {
        Recordings::to(Place::Memory)
    }

    fn to(place: Place) -> Self {
        Recordings { place, begun: 0, current: None, heard: (Format::PCMU, Vec::new()) }
    }

    /// A call is up.
    pub(super) fn begin(&mut self, call: CallKey, codec: Codec) -> Result<(), Failure> {
        self.finish()?;
        let recording = match &self.place {
            Place::Nowhere => return Ok(()),
            Place::File(path) => {
                let path = numbered(path, self.begun);
                Recording::File(WavFile::begin(&path, codec)?)
            }
            Place::Memory => Recording::Memory(codec.recording_format(), Vec::new()),
        };
        self.begun += 1;
        self.current = Some((call, recording));
        Ok(())
    }

    /// Something happened in a call's sound.
    pub(super) fn take(&mut self, call: CallKey, event: &Event) -> Result<(), Failure> {
        match (&mut self.current, event) {
            (Some((ours, recording)), Event::Recorded { chunk, .. }) if *ours == call => match recording {
                Recording::File(file) => file.keep(chunk),
                Recording::Memory(_, heard) => {
                    heard.extend_from_slice(chunk);
                    Ok(())
                }
            },
            (Some((ours, _)), Event::RecordingEnded { .. }) if *ours == call => self.finish(),
            _ => Ok(()),
        }
    }

    /// Keeps nothing any more.
    pub(super) fn abandon(&mut self) {
        (self.place, self.current) = (Place::Nowhere, None);
    }

    /// Whether something is being recorded.
    pub(super) fn is_recording(&self) -> bool {
        self.current.is_some()
    }

    /// Completes the recording that is being made.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        match self.current.take() {
            Some((_, Recording::File(file))) => file.finish(),
            Some((_, Recording::Memory(format, heard))) => {
                self.heard = (format, heard);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What was heard last, where it was kept in memory.
    pub(super) fn heard(self) -> (Format, Vec<u8>) {
        self.heard
    }
}

/// What is heard in one call.
enum Recording {
    File(WavFile),
    Memory(Format, Vec<u8>),
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

/// A file, written as it comes.
struct WavFile {
    path: PathBuf,
    file: File,
    format: Format,
    length: u32,
}

impl WavFile {
    /// Begins a file in the form in which `codec` is kept.
    fn begin(path: &Path, codec: Codec) -> Result<Self, Failure> {
        let format = codec.recording_format();
        let mut file = File::create(path).map_err(|error| at_path("write", path, &error))?;
        file.write_all(&umbel_wav::header(format, 0)).map_err(|error| at_path("write", path, &error))?;
        Ok(WavFile { path: path.to_owned(), file, format, length: 0 })
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
