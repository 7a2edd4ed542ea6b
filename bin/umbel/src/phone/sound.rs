//! What the telephone says and keeps: WAV in, WAV out.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use umbel_media::{Clip, Codec, Message};
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

/// The recording of what is heard, written as it comes.
pub(super) struct Recording {
    path: PathBuf,
    file: File,
    format: Format,
    length: u32,
}

impl Recording {
    /// Begins a file in the form in which `codec` is kept.
    pub(super) fn begin(path: &Path, codec: Codec) -> Result<Self, Failure> {
        let format = codec.recording_format();
        let mut file = File::create(path).map_err(|error| at_path("write", path, &error))?;
        file.write_all(&umbel_wav::header(format, 0)).map_err(|error| at_path("write", path, &error))?;
        Ok(Recording { path: path.to_owned(), file, format, length: 0 })
    }

    /// Adds audio. What no longer fits a WAV file is left out.
    pub(super) fn keep(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let Some(length) = u32::try_from(chunk.len()).ok().and_then(|more| self.length.checked_add(more))
        else {
            return Ok(());
        };
        self.length = length;
        self.file.write_all(chunk).map_err(|error| at_path("write", &self.path, &error))
    }

    /// Writes the length into the header.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let wrong = |error| at_path("write", &self.path, &error);
        self.file.write_all(umbel_wav::padding(self.length)).map_err(wrong)?;
        self.file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        self.file.write_all(&umbel_wav::header(self.format, self.length)).map_err(wrong)?;
        self.file.flush().map_err(wrong)
    }
}
