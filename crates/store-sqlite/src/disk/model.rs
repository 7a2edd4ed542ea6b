//! A disk that fails on demand and forgets what was not synced. For tests only (SEC-128).
//!
//! Every operation that changes something counts as a step. A plan says at which step the power
//! goes, which steps fail, how much fits, and how unkind the disk is to what was not synced.

#![allow(clippy::unwrap_used, reason = "a tool of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use super::{Disk, Entry, FileKey, SyncJob};

/// What a disk keeps of writes that were not synced when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgets {
    /// All of them, and names that were not synced.
    Everything,
    /// Writes after the first half of each file, but no names.
    Half,
    /// Nothing: the process died, the machine did not.
    Nothing,
}

#[derive(Clone, Debug, Default)]
struct Content {
    data: Vec<u8>,
    synced: Vec<u8>,
    /// A sync failed: the kernel said so once, and takes what it holds for written from then on.
    lost: bool,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    synced_names: BTreeMap<String, u64>,
    last_inode: u64,
    steps: u64,
    syncs: u64,
    power_goes_at: Option<u64>,
    syncs_fail: BTreeSet<u64>,
    capacity: Option<u64>,
    reserved: u64,
}

/// A handle; clones see the same disk.
#[derive(Clone, Default)]
pub(crate) struct ModelDisk {
    state: Arc<Mutex<State>>,
    open: BTreeMap<FileKey, u64>,
    last: u64,
}

impl ModelDisk {
    /// The same disk as after the power came back, with no plan.
    pub(crate) fn after_power_cut(&self, forgets: Forgets) -> ModelDisk {
        let old = self.state.lock().unwrap();
        let mut state = State { last_inode: old.last_inode, ..State::default() };
        let names = if forgets == Forgets::Everything { &old.synced_names } else { &old.names };
        for (name, inode) in names {
            let Some(content) = old.files.get(inode) else { continue };
            let data = match forgets {
                Forgets::Everything => content.synced.clone(),
                Forgets::Half => {
                    let kept = content.synced.len().max(content.data.len() / 2);
                    let mut data = content.data.clone();
                    data.truncate(kept);
                    data
                }
                Forgets::Nothing => content.data.clone(),
            };
            state.files.insert(*inode, Content { synced: data.clone(), data, lost: false });
            state.names.insert(name.clone(), *inode);
        }
        state.synced_names = state.names.clone();
        ModelDisk { state: Arc::new(Mutex::new(state)), ..ModelDisk::default() }
    }

    /// The power goes at this step, counted from now: it and all after it fail.
    pub(crate) fn cut_power_at(&self, step: u64) {
        let mut state = self.state.lock().unwrap();
        state.power_goes_at = Some(state.steps + step);
    }

    /// Whether the power has gone; asked by what is cut together with the disk.
    pub(crate) fn step(&self) -> io::Result<()> {
        self.state.lock().unwrap().step()
    }

    /// These syncs fail, the first being 1, counted from the beginning.
    pub(crate) fn fail_syncs(&self, syncs: impl IntoIterator<Item = u64>) {
        self.state.lock().unwrap().syncs_fail.extend(syncs);
    }

    /// So many octets fit in all, those set aside included.
    pub(crate) fn set_capacity(&self, capacity: Option<u64>) {
        self.state.lock().unwrap().capacity = capacity;
    }

    pub(crate) fn used(&self) -> u64 {
        self.state.lock().unwrap().used()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state.lock().unwrap().names.keys().cloned().collect()
    }

    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let state = self.state.lock().unwrap();
        state.names.get(name).and_then(|inode| state.files.get(inode)).unwrap().data.clone()
    }

    /// Turns one bit of a file over.
    pub(crate) fn flip(&self, name: &str, byte: usize, bit: u8) {
        let mut state = self.state.lock().unwrap();
        let inode = *state.names.get(name).unwrap();
        state.files.get_mut(&inode).unwrap().data[byte] ^= 1 << bit;
    }

    fn inode(&self, file: FileKey) -> io::Result<u64> {
        self.open.get(&file).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn keep(&mut self, inode: u64) -> FileKey {
        self.last += 1;
        self.open.insert(FileKey(self.last), inode);
        FileKey(self.last)
    }
}

impl State {
    fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        if self.power_goes_at.is_some_and(|cut| self.steps >= cut) {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(())
    }

    /// A step that is a sync.
    fn sync_step(&mut self) -> io::Result<()> {
        self.step()?;
        self.syncs += 1;
        if self.syncs_fail.contains(&self.syncs) {
            return Err(io::Error::other("the disk could not be written"));
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        self.reserved + self.files.values().map(|content| content.data.len() as u64).sum::<u64>()
    }

    /// Syncs files, or fails; a file whose sync failed reports success ever after and keeps nothing.
    fn sync_files(&mut self, inodes: &[u64]) -> io::Result<()> {
        let synced = self.sync_step();
        for inode in inodes {
            let Some(content) = self.files.get_mut(inode) else { continue };
            content.lost |= synced.is_err();
            if !content.lost {
                content.synced = content.data.clone();
            }
        }
        synced
    }
}

impl Disk for ModelDisk {
    fn create(&mut self, name: &str) -> io::Result<FileKey> {
        let inode = {
            let mut state = self.state.lock().unwrap();
            state.step()?;
            if state.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.last_inode += 1;
            let inode = state.last_inode;
            state.files.insert(inode, Content::default());
            state.names.insert(name.to_owned(), inode);
            inode
        };
        Ok(self.keep(inode))
    }

    fn open(&mut self, name: &str) -> io::Result<FileKey> {
        let inode = self.state.lock().unwrap().names.get(name).copied();
        Ok(self.keep(inode.ok_or(io::ErrorKind::NotFound)?))
    }

    fn close(&mut self, file: FileKey) {
        self.open.remove(&file);
    }

    fn write_at(&mut self, file: FileKey, offset: u64, data: &[u8]) -> io::Result<()> {
        let inode = self.inode(file)?;
        let mut state = self.state.lock().unwrap();
        state.step()?;
        let (used, capacity) = (state.used(), state.capacity);
        let content = state.files.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?;
        let offset = usize::try_from(offset).unwrap();
        let end = offset + data.len();
        let grows = end.saturating_sub(content.data.len()) as u64;
        // A full disk takes the first part of a write and then says so.
        let room = capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(used));
        let fits =
            if grows <= room { data.len() } else { data.len() - usize::try_from(grows - room).unwrap() };
        if content.data.len() < offset + fits {
            content.data.resize(offset + fits, 0);
        }
        content.data[offset..offset + fits].copy_from_slice(&data[..fits]);
        if fits < data.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn set_len(&mut self, file: FileKey, len: u64) -> io::Result<()> {
        let inode = self.inode(file)?;
        let mut state = self.state.lock().unwrap();
        state.step()?;
        let content = state.files.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?;
        content.data.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn len(&mut self, file: FileKey) -> io::Result<u64> {
        let inode = self.inode(file)?;
        let state = self.state.lock().unwrap();
        Ok(state.files.get(&inode).ok_or(io::ErrorKind::NotFound)?.data.len() as u64)
    }

    fn sync(&mut self, file: FileKey) -> io::Result<()> {
        let inode = self.inode(file)?;
        self.state.lock().unwrap().sync_files(&[inode])
    }

    fn sync_names(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.sync_step()?;
        state.synced_names = state.names.clone();
        Ok(())
    }

    fn sync_job(&mut self, files: &[FileKey]) -> io::Result<SyncJob> {
        let inodes = files.iter().map(|file| self.inode(*file)).collect::<io::Result<Vec<_>>>()?;
        let state = Arc::clone(&self.state);
        Ok(Box::new(move || {
            let mut state = state.lock().unwrap();
            state.sync_files(&inodes)?;
            state.synced_names = state.names.clone();
            Ok(())
        }))
    }

    fn read(&mut self, name: &str, max: u64) -> io::Result<Vec<u8>> {
        let state = self.state.lock().unwrap();
        let inode = state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        let mut data = state.files.get(inode).ok_or(io::ErrorKind::NotFound)?.data.clone();
        data.truncate(usize::try_from(max).unwrap_or(usize::MAX));
        Ok(data)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.step()?;
        let inode = state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        if !state.synced_names.values().any(|synced| *synced == inode) {
            state.files.remove(&inode);
        }
        Ok(())
    }

    fn list(&mut self) -> io::Result<Vec<Entry>> {
        let modified = umbel_store::conformance::NOON;
        let entry = |name: &String| Entry { name: name.clone(), modified };
        Ok(self.state.lock().unwrap().names.keys().map(entry).collect())
    }

    fn free(&mut self) -> io::Result<u64> {
        let state = self.state.lock().unwrap();
        Ok(state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(state.used())))
    }

    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.step()?;
        state.reserved = bytes;
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.step()?;
        state.reserved = 0;
        Ok(())
    }
}
