//! The store: its parts, and what all of its rooms need.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_store::{Config, MessageId, StoreError};

use crate::database::Database;
use crate::disk::Disk;
use crate::fault::Outcome;
use crate::hashing::Hasher;
use crate::key::{PinSeal, Seal};
use crate::spool::Running;

/// A store in a data directory.
pub struct SqliteStore {
    pub(crate) database: Database,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) config: Config,
    pub(crate) hasher: Hasher,
    pub(crate) seal: Seal,
    pub(crate) pin_seal: PinSeal,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) recordings: BTreeMap<MessageId, Running>,
    /// Counts the syncs of the names of files that were begun.
    pub(crate) names_epoch: u64,
    /// The last of them that is done: names made before it survive a power cut.
    pub(crate) names_synced: u64,
    pub(crate) reserve_bytes: u64,
    /// The space set aside has been given back: the disk is full (REL-11).
    pub(crate) reserve_used: bool,
    /// What is left to do when the present transaction has been committed.
    pub(crate) aftermath: Vec<Aftermath>,
    /// Where the scrubber goes on.
    pub(crate) scrubbed: Option<MessageId>,
    /// Held while we serve, so that no second server does.
    pub(crate) lock: Option<File>,
}

/// What may be done only when the rows that demand it are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// The recording is a message or greeting now, or gone with its user.
    Forget(MessageId),
    /// No row names this file any more.
    Remove(String),
}

/// What a store is made of.
pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) config: Config,
    pub(crate) hasher: Hasher,
    pub(crate) seal: Seal,
    pub(crate) pin_seal: PinSeal,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) reserve_bytes: u64,
}

impl SqliteStore {
    pub(crate) fn assemble(parts: Parts) -> Self {
        SqliteStore {
            database: parts.database,
            disk: parts.disk,
            config: parts.config,
            hasher: parts.hasher,
            seal: parts.seal,
            pin_seal: parts.pin_seal,
            rng: parts.rng,
            recordings: BTreeMap::new(),
            names_epoch: 0,
            names_synced: 0,
            reserve_bytes: parts.reserve_bytes,
            reserve_used: false,
            aftermath: Vec::new(),
            scrubbed: None,
            lock: None,
        }
    }

    /// Uses other settings from now on, after a reload.
    pub fn set_config(&mut self, config: Config) {
        self.config = config;
    }

    /// How long a write waits for another program before it is [`StoreError::Busy`].
    pub fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        Ok(self.database.set_patience(patience)?)
    }

    /// Does what `change` asks, commits it, and then what can only be done afterwards. In a batch,
    /// both wait for the batch.
    pub(crate) fn commit<T>(&mut self, change: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        let planned = self.aftermath.len();
        let outcome = change(self);
        if outcome.is_err() {
            self.aftermath.truncate(planned);
        } else if !self.database.in_batch() {
            self.follow_up();
        }
        outcome
    }

    pub(crate) fn begin_batch(&mut self) -> Result<(), StoreError> {
        Ok(self.database.begin_batch()?)
    }

    pub(crate) fn commit_batch(&mut self) -> Result<(), StoreError> {
        match self.database.commit_batch() {
            Ok(()) => {
                self.follow_up();
                Ok(())
            }
            Err(fault) => {
                self.aftermath.clear();
                Err(fault.into())
            }
        }
    }

    /// Gives the batch up: nothing of it happened.
    pub(crate) fn abort_batch(&mut self) {
        self.database.abort_batch();
        self.aftermath.clear();
    }

    fn follow_up(&mut self) {
        for step in std::mem::take(&mut self.aftermath) {
            match step {
                Aftermath::Forget(id) => {
                    if let Some(running) = self.recordings.remove(&id) {
                        self.disk.close(running.file);
                    }
                }
                Aftermath::Remove(name) => self.remove_file(&name),
            }
        }
    }

    /// Removes a file that no row names. One that stays behind is an orphan, which a sweep removes.
    pub(crate) fn remove_file(&mut self, name: &str) {
        if let Err(error) = self.disk.remove(name) {
            tracing::warn!(name, %error, "a file that is not needed any more could not be removed");
        }
    }

    /// Random bits of the operating system's making.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}
