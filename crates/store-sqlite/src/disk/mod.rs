//! The audio directory: all that the store does with files, in one small trait.
//!
//! It is a trait so that tests can put a disk under the store that fails, fills up or forgets
//! what was not synced. Names are ours, never anybody else's (SEC-104, SEC-119).

mod real;

#[cfg(test)]
pub(crate) mod model;

use std::io;

use umbel_time::UnixTime;

pub(crate) use real::RealDisk;

/// An open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileKey(pub(crate) u64);

/// A file in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) modified: UnixTime,
}

/// Syncs many files at once, on another thread.
pub(crate) type SyncJob = Box<dyn FnOnce() -> io::Result<()> + Send>;

pub(crate) trait Disk: Send {
    /// Makes a file that was not there.
    fn create(&mut self, name: &str) -> io::Result<FileKey>;
    /// Opens a file for reading and writing.
    fn open(&mut self, name: &str) -> io::Result<FileKey>;
    /// Forgets an open file; what was written stays.
    fn close(&mut self, file: FileKey);
    /// Writes all of `data` at `offset`. Doing it again after a failure is harmless.
    fn write_at(&mut self, file: FileKey, offset: u64, data: &[u8]) -> io::Result<()>;
    fn set_len(&mut self, file: FileKey, len: u64) -> io::Result<()>;
    fn len(&mut self, file: FileKey) -> io::Result<u64>;
    /// When this returns, what was written to the file survives a power cut.
    fn sync(&mut self, file: FileKey) -> io::Result<()>;
    /// When this returns, the names of all files survive a power cut.
    fn sync_names(&mut self) -> io::Result<()>;
    /// One sync for all of `files` and their names.
    fn sync_job(&mut self, files: &[FileKey]) -> io::Result<SyncJob>;
    /// At most `max` octets from the start of a file.
    fn read(&mut self, name: &str, max: u64) -> io::Result<Vec<u8>>;
    fn remove(&mut self, name: &str) -> io::Result<()>;
    fn list(&mut self) -> io::Result<Vec<Entry>>;
    /// Octets that we may still write.
    fn free(&mut self) -> io::Result<u64>;
    /// Sets `bytes` aside for running recordings; nothing where that is done already.
    fn reserve(&mut self, bytes: u64) -> io::Result<()>;
    /// Gives back what was set aside.
    fn release(&mut self) -> io::Result<()>;
}
