//! Recordings on their way to the disk.
//!
//! ```text
//! begin     file made, header that reads as unfinished            nothing synced
//! append    octets at their place                                  nothing synced
//! round     rows of new recordings committed, then all files synced: once a second (DEC-43)
//! seal      last header, file synced, its name synced              audio is safe
//! finish    row of the message committed                           saved (D1)
//! ```
//!
//! Every write goes to its own place in the file, so that one that failed half-way can be done again.

use std::io;

use sha2::{Digest, Sha256};
use umbel_store::{AudioFormat, Begin, MessageId, RECORDING_BYTES_MAX, Refusal, StoreError};
use umbel_wav::{Encoding, Format, UNFINISHED, header, padding};

use crate::disk::{FileKey, SyncJob};
use crate::fault::{Fault, Outcome};
use crate::store::SqliteStore;

/// How many names are tried for one recording: a second only after a sync that failed (REL-09).
const NAMES_MAX: u32 = 16;
/// Longest header of ours.
pub(crate) const HEADER_BYTES_MAX: u64 = 64;

/// A recording that has begun and is neither saved nor given up.
pub(crate) struct Running {
    pub(crate) begin: Begin,
    pub(crate) name: String,
    pub(crate) file: FileKey,
    /// Octets of audio in the file.
    pub(crate) bytes: u64,
    /// Of the audio so far.
    hasher: Sha256,
    /// Which sync of names will be the first to include this one.
    names_due: u64,
    /// Whether recovery would find it.
    row_kept: bool,
    /// Whether something was written since the last round.
    unsynced: bool,
    /// A sync failed, and the kernel may say so only once: no further sync of this file is believed.
    suspect: bool,
    /// Set when nothing more can be added and all of it is synced.
    pub(crate) sealed: Option<[u8; 32]>,
}

/// One sync of all running recordings, to be done on another thread.
pub(crate) struct Round {
    recordings: Vec<MessageId>,
    names: u64,
    pub(crate) job: SyncJob,
}

/// A round without its job: what to tell the store when the job is done.
pub(crate) struct RoundDone {
    recordings: Vec<MessageId>,
    names: u64,
    pub(crate) result: io::Result<()>,
}

impl Running {
    /// Whether a row was written that recovery would start from.
    pub(crate) fn has_row(&self) -> bool {
        self.row_kept
    }
}

impl Round {
    /// Does the job; it may take as long as the disk likes.
    pub(crate) fn run(self) -> RoundDone {
        let result = (self.job)();
        RoundDone { recordings: self.recordings, names: self.names, result }
    }
}

/// The WAV format of stored audio.
pub(crate) fn wav_format(format: AudioFormat) -> Format {
    let encoding = match format {
        AudioFormat::Pcmu => Encoding::Pcmu,
        AudioFormat::Pcma => Encoding::Pcma,
        AudioFormat::Pcm16At8k | AudioFormat::Pcm16At16k | AudioFormat::Pcm16At48k => Encoding::Pcm16,
    };
    Format { encoding, rate: format.rate() }
}

/// The header of a file with so many octets of audio.
pub(crate) fn finished_header(format: AudioFormat, bytes: u64) -> Vec<u8> {
    header(wav_format(format), u32::try_from(bytes).unwrap_or(UNFINISHED))
}

/// What follows the audio, so that the file has an even length.
pub(crate) fn finished_padding(bytes: u64) -> &'static [u8] {
    padding(u32::try_from(bytes).unwrap_or(UNFINISHED))
}

/// The length of every header of this format.
pub(crate) fn header_bytes(format: AudioFormat) -> u64 {
    header(wav_format(format), 0).len() as u64
}

/// The name of the file of a recording: generated from beginning to end (SEC-104, SEC-119).
pub(crate) fn file_name(id: MessageId, attempt: u32) -> String {
    if attempt == 0 { format!("{id}.wav") } else { format!("{id}-{attempt}.wav") }
}

impl SqliteStore {
    /// Makes the file of a recording.
    pub(crate) fn start_spooling(&mut self, begin: Begin) -> Outcome<()> {
        let (name, file) = self.create_file(begin.id)?;
        let head = finished_header(begin.format, u64::from(UNFINISHED));
        if let Err(error) = self.write(file, 0, &head) {
            self.disk.close(file);
            self.remove_file(&name);
            return Err(error.into());
        }
        let running = Running {
            name,
            file,
            bytes: 0,
            hasher: Sha256::new(),
            names_due: self.names_epoch,
            row_kept: false,
            unsynced: true,
            suspect: false,
            sealed: None,
            begin,
        };
        self.recordings.insert(running.begin.id, running);
        Ok(())
    }

    /// A fresh file for the recording `id`.
    pub(crate) fn create_file(&mut self, id: MessageId) -> io::Result<(String, FileKey)> {
        for attempt in 0..NAMES_MAX {
            let name = file_name(id, attempt);
            match self.disk.create(&name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map(|file| (name, file)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Writes, and if the disk is full, once more with the space that was set aside (REL-11).
    pub(crate) fn write(&mut self, file: FileKey, offset: u64, data: &[u8]) -> io::Result<()> {
        let written = self.disk.write_at(file, offset, data);
        if !is_full(&written) || !self.release_reserve() {
            return written;
        }
        self.disk.write_at(file, offset, data)
    }

    /// Gives the reserve back; says whether there was any.
    pub(crate) fn release_reserve(&mut self) -> bool {
        if self.reserve_used {
            return false;
        }
        tracing::warn!("the disk is full: running recordings use the reserve, new ones are refused");
        self.reserve_used = true;
        self.disk.release().is_ok()
    }

    /// Sets space aside, now or again when there is enough.
    pub(crate) fn make_reserve(&mut self) {
        let enough = self.disk.free().is_ok_and(|free| free > self.reserve_bytes.saturating_mul(2));
        let reserved = enough && self.disk.reserve(self.reserve_bytes).is_ok();
        if self.reserve_used && reserved {
            tracing::info!("there is space on the disk again");
        }
        self.reserve_used = !reserved;
    }

    /// Whether a new recording may begin. On a full disk none is running after a while, so that whoever asks for one is
    /// who finds that there is space again (REL-11).
    pub(crate) fn has_room(&mut self) -> Outcome<bool> {
        if self.reserve_used {
            self.make_reserve();
        }
        Ok(!self.reserve_used && self.disk.free()? > self.reserve_bytes)
    }

    /// Adds audio to a recording.
    pub(crate) fn spool(&mut self, id: MessageId, chunk: &[u8]) -> Outcome<()> {
        let running = self.recordings.get(&id).filter(|running| running.sealed.is_none());
        let running = running.ok_or(Refusal::NoSuchRecording(id))?;
        if running.bytes.saturating_add(chunk.len() as u64) > RECORDING_BYTES_MAX {
            return Err(Refusal::RecordingTooLong.into());
        }
        let offset = header_bytes(running.begin.format) + running.bytes;
        self.write(running.file, offset, chunk)?;
        if let Some(running) = self.recordings.get_mut(&id) {
            running.hasher.update(chunk);
            running.bytes += chunk.len() as u64;
            running.unsynced = true;
        }
        Ok(())
    }

    /// Ends a recording after `keep` octets and makes its audio safe. Doing it again does no harm.
    pub(crate) fn seal(&mut self, id: MessageId, keep: u64) -> Outcome<()> {
        let running = self.recordings.get(&id).ok_or(Refusal::NoSuchRecording(id))?;
        if running.sealed.is_some() {
            return Ok(());
        }
        let format = running.begin.format;
        let (file, head) = (running.file, header_bytes(format));
        // A sample that was cut off in its middle is none.
        let keep = keep.min(running.bytes);
        let keep = keep - keep % format.bytes_per_sample();
        if keep < running.bytes {
            self.cut(id, keep)?;
        }
        // The header first: whoever finds it finished does not take the padding for audio.
        self.write(file, 0, &finished_header(format, keep))?;
        self.write(file, head + keep, finished_padding(keep))?;
        self.sync_whole(id)?;
        if let Some(running) = self.recordings.get_mut(&id) {
            running.sealed = Some(running.hasher.clone().finalize().into());
        }
        Ok(())
    }

    /// Makes the file and its name survive a power cut; in a fresh file where a sync fails.
    fn sync_whole(&mut self, id: MessageId) -> Outcome<()> {
        let Some(running) = self.recordings.get_mut(&id) else { return Ok(()) };
        if !running.suspect {
            match self.disk.sync(running.file) {
                Ok(()) => return self.sync_name(id),
                Err(error) => {
                    tracing::error!(%id, %error, "a sync failed; the recording is written again");
                    running.suspect = true;
                }
            }
        }
        self.rewrite(id)
    }

    /// Makes the name of a recording survive a power cut, unless some round did so already.
    fn sync_name(&mut self, id: MessageId) -> Outcome<()> {
        let names_due = self.recordings.get(&id).map_or(0, |running| running.names_due);
        if self.names_synced <= names_due {
            self.disk.sync_names()?;
            self.names_epoch += 1;
            self.names_synced = self.names_epoch;
        }
        Ok(())
    }

    /// Shortens the audio of a recording.
    fn cut(&mut self, id: MessageId, keep: u64) -> Outcome<()> {
        let Some(running) = self.recordings.get(&id) else { return Ok(()) };
        let head = header_bytes(running.begin.format);
        let (name, file) = (running.name.clone(), running.file);
        let audio = self.disk.read(&name, head + keep)?;
        let audio = audio.get(usize::try_from(head).unwrap_or(usize::MAX)..).unwrap_or_default();
        self.disk.set_len(file, head + keep)?;
        if let Some(running) = self.recordings.get_mut(&id) {
            running.hasher = Sha256::new_with_prefix(audio);
            running.bytes = keep;
        }
        Ok(())
    }

    /// After a sync that failed nobody knows what of a file is on the disk, and a further sync would
    /// not tell. So what we still read is compared with what was said, written to a fresh file and
    /// synced there; or it is refused (REL-09).
    fn rewrite(&mut self, id: MessageId) -> Outcome<()> {
        let Some(running) = self.recordings.get(&id) else { return Ok(()) };
        let head = header_bytes(running.begin.format);
        let (bytes, expected) = (running.bytes, running.hasher.clone().finalize());
        let (old, name) = (running.file, running.name.clone());
        let whole = self.disk.read(&name, HEADER_BYTES_MAX + RECORDING_BYTES_MAX)?;
        let audio = usize::try_from(head).ok().zip(usize::try_from(head + bytes).ok());
        let audio = audio.and_then(|(from, to)| whole.get(from..to)).unwrap_or_default();
        if Sha256::digest(audio) != expected {
            return Err(StoreError::Disk.into());
        }
        let (name, file) = self.create_file(id)?;
        let names_due = self.names_epoch;
        let copied = self.write(file, 0, &whole).and_then(|()| self.disk.sync(file));
        let copied = copied.and_then(|()| self.disk.sync_names());
        if let Err(error) = copied {
            self.disk.close(file);
            self.remove_file(&name);
            return Err(error.into());
        }
        // The old file stays until a sweep finds it an orphan: the row may still name it.
        self.disk.close(old);
        if let Some(running) = self.recordings.get_mut(&id) {
            running.file = file;
            running.name = name;
            running.names_due = names_due;
            running.row_kept = false;
            running.suspect = false;
        }
        self.names_epoch += 1;
        self.names_synced = self.names_epoch;
        Ok(())
    }

    /// Prepares the sync of a second: commits the rows of new recordings, and gives the job of
    /// syncing what was written. `None` where nothing was.
    pub(crate) fn begin_round(&mut self) -> Outcome<Option<Round>> {
        let open = |running: &&Running| running.sealed.is_none();
        let new = self.recordings.values().filter(open).any(|running| !running.row_kept);
        if new {
            // Another program may hold the store; the audio is synced all the same.
            match self.keep_rows().map_err(StoreError::from) {
                Ok(()) | Err(StoreError::Busy) => {}
                Err(StoreError::DiskFull) => {
                    self.release_reserve();
                }
                Err(_) => tracing::error!("running recordings could not be noted for recovery"),
            }
        }
        let unsynced = self.recordings.values().filter(open).filter(|running| running.unsynced);
        let (recordings, files): (Vec<_>, Vec<_>) =
            unsynced.map(|running| (running.begin.id, running.file)).unzip();
        if files.is_empty() {
            return Ok(None);
        }
        let job = self.disk.sync_job(&files).map_err(Fault::Disk)?;
        for id in &recordings {
            if let Some(running) = self.recordings.get_mut(id) {
                running.unsynced = false;
            }
        }
        self.names_epoch += 1;
        Ok(Some(Round { recordings, names: self.names_epoch, job }))
    }

    /// Takes in what came of a round.
    pub(crate) fn end_round(&mut self, done: RoundDone) {
        match done.result {
            Ok(()) => self.names_synced = self.names_synced.max(done.names),
            Err(error) => {
                tracing::error!(%error, "a sync of running recordings failed; they are written again");
                for id in done.recordings {
                    if let Some(running) = self.recordings.get_mut(&id) {
                        running.suspect = true;
                    }
                    // If that fails too, it is tried again when the recording ends, and then refused.
                    if let Err(error) = self.rewrite(id).map_err(StoreError::from) {
                        tracing::error!(%id, %error, "a running recording is not safe");
                    }
                }
            }
        }
    }

    fn keep_rows(&mut self) -> Outcome<()> {
        let new: Vec<_> = self
            .recordings
            .values()
            .filter(|running| running.sealed.is_none() && !running.row_kept)
            .map(|running| (running.begin.clone(), running.name.clone()))
            .collect();
        self.database.write(|connection| {
            new.iter().try_for_each(|(begin, name)| crate::recovery::keep_row(connection, begin, name))
        })?;
        for (begin, _) in new {
            if let Some(running) = self.recordings.get_mut(&begin.id) {
                running.row_kept = true;
            }
        }
        Ok(())
    }
}

fn is_full(written: &io::Result<()>) -> bool {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    written.as_ref().is_err_and(|error| full.contains(&error.kind()))
}
