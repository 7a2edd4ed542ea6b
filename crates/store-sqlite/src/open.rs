//! Opening a data directory.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use umbel_store::{Config, StoreError};
use umbel_time::UnixTime;

use crate::database::{Database, HOW_TO_RESTORE};
use crate::disk::{Disk, RealDisk};
use crate::fault::Outcome;
use crate::hashing::{Cost, Hasher};
use crate::key::{PinSeal, Seal, SecretKey};
use crate::recovery::Recovery;
use crate::store::{Parts, SqliteStore};

/// How long a single operation waits for another program that holds the store (REL-12).
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a start waits for an upgrade by the command line to end.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
/// How often it looks.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// The database within the data directory.
const DATABASE: &str = "umbel.sqlite";

/// Whether there is a store in this directory; opening one makes it.
pub fn is_there(data: &Path) -> bool {
    data.join(DATABASE).exists()
}

/// What the store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To serve: the only one who records, recovers and upgrades.
    Server,
    /// To administer, beside a server or without one.
    Administration,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// What for.
    pub purpose: Purpose,
    /// Settings of the store.
    pub config: Config,
    /// What a hash costs.
    pub cost: Cost,
    /// Octets set aside for running recordings when the disk is full; new ones are refused when no
    /// more than so many are free besides (REL-11).
    pub reserve_bytes: u64,
    /// Now, for what recovery writes.
    pub now: UnixTime,
}

impl Options {
    /// The data directory at `data`, with the usual settings.
    pub fn new(data: impl Into<PathBuf>, purpose: Purpose, now: UnixTime) -> Self {
        let (config, cost) = (Config::default(), Cost::default());
        Options { data: data.into(), purpose, config, cost, reserve_bytes: 64 << 20, now }
    }
}

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A server runs on it already.
    #[error("{}: another server is running on this data directory", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// Made by a newer program (REL-20).
    #[error("the store has version {found}, this program knows {known}: use the newer program")]
    TooNew {
        /// Of the store.
        found: usize,
        /// Of the program.
        known: usize,
    },
    /// Made by an older program, which is still running on it.
    #[error(
        "the store has version {found}, this program needs {known}: restart the server with this program"
    )]
    TooOld {
        /// Of the store.
        found: usize,
        /// Of the program.
        known: usize,
    },
    /// Others can read the key (SEC-121).
    #[error("{}: others can read this key; make it private with chmod 600", path.display())]
    KeyReadable {
        /// The key.
        path: PathBuf,
    },
    /// Others can put files of theirs in the place of ours (SEC-121).
    #[error("{}: others can write into this directory; make it private with chmod 700", path.display())]
    DirectoryWritable {
        /// The data directory.
        path: PathBuf,
    },
    /// The key has another length.
    #[error("{}: this is not a key of 32 octets; bring the right one back from a backup", path.display())]
    KeyMalformed {
        /// The key.
        path: PathBuf,
    },
    /// The key is gone, or belongs to another store. Without it no PIN and no password can be checked.
    #[error("{}: the key of this store is missing or another one; bring it back from a backup", path.display())]
    KeyMissing {
        /// Where it is expected.
        path: PathBuf,
    },
    /// A file or directory could not be made or read.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The store itself says no.
    #[error(transparent)]
    Store(StoreError),
}

impl OpenError {
    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        OpenError::Io { path: path.to_owned(), error }
    }
}

impl SqliteStore {
    /// Opens a data directory, made where it is not there, and as a server recovers what a crash left.
    ///
    /// A damaged store is opened too, so that calls can still be answered; it says so by
    /// [`health`](umbel_store::Upkeep::health) and refuses to be written (REL-18).
    pub fn open(options: Options) -> Result<(Self, Recovery), OpenError> {
        let data = &options.data;
        make_directory(data)?;
        let audio = data.join("audio");
        let open = |alone| {
            let disk = RealDisk::open(&audio, &data.join("reserve"));
            let disk = disk.map_err(|error| OpenError::io(&audio, error))?;
            Self::open_on(&options, Box::new(disk), alone)
        };
        match options.purpose {
            Purpose::Server => {
                let lock = lock(data)?.ok_or_else(|| OpenError::InUse { path: data.join("lock") })?;
                let (mut store, recovery) = open(true)?;
                store.lock = Some(lock);
                Ok((store, recovery))
            }
            // The lock is taken only to upgrade, so that no server finds it taken without need.
            Purpose::Administration => match open(false) {
                Err(OpenError::TooOld { found, known }) => {
                    let _lock = lock(data)?.ok_or(OpenError::TooOld { found, known })?;
                    open(true)
                }
                opened => opened,
            },
        }
    }

    /// Opens the store with its audio on `disk`; `alone` where no server runs on it.
    pub(crate) fn open_on(
        options: &Options,
        disk: Box<dyn Disk>,
        alone: bool,
    ) -> Result<(Self, Recovery), OpenError> {
        let path = options.data.join(DATABASE);
        let new = make_file(&path)?;
        let (mut seed, mut random) = ([0; 32], [0; 32]);
        for bytes in [&mut seed, &mut random] {
            let filled = getrandom::fill(bytes);
            filled.map_err(|error| OpenError::io(&options.data, io::Error::other(error.to_string())))?;
        }
        // Before the database gets its tables: whoever is cut off here leaves a file that is still new.
        let key = find_key(&options.data, new, random)?;
        let mut database = Database::open(&path, PATIENCE, alone)?;
        if options.purpose == Purpose::Server {
            database.check();
        }
        check_key(&mut database, &key, &options.data)?;
        let mut store = SqliteStore::assemble(Parts {
            database,
            disk,
            config: options.config,
            hasher: Hasher::new(&key, options.cost),
            seal: Seal::new(&key),
            pin_seal: PinSeal::new(&key),
            rng: ChaCha20Rng::from_seed(seed),
            reserve_bytes: options.reserve_bytes,
        });
        let mut recovery = Recovery::default();
        if store.database.is_damaged() {
            tracing::error!("{HOW_TO_RESTORE}");
            recovery.damaged = true;
        } else if options.purpose == Purpose::Server {
            recovery = store.recover(options.now).map_err(|fault| OpenError::Store(fault.into()))?;
            store.make_reserve();
        }
        Ok((store, recovery))
    }
}

fn make_directory(path: &Path) -> Result<(), OpenError> {
    // SEC-121
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    let metadata = made.and_then(|()| fs::metadata(path)).map_err(|error| OpenError::io(path, error))?;
    if metadata.permissions().mode() & 0o002 != 0 {
        return Err(OpenError::DirectoryWritable { path: path.to_owned() });
    }
    Ok(())
}

/// Makes the database file for its owner only, before SQLite makes it for everybody; its log files
/// take over its mode. Says whether it was not there.
fn make_file(path: &Path) -> Result<bool, OpenError> {
    // SEC-121
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let empty = fs::metadata(path).map(|metadata| metadata.len() == 0);
            empty.map_err(|error| OpenError::io(path, error))
        }
        Err(error) => Err(OpenError::io(path, error)),
    }
}

/// Takes the lock of the server; `None` where a server has it. An upgrade by the command line holds
/// it for a moment only, so we wait for that long.
fn lock(data: &Path) -> Result<Option<File>, OpenError> {
    let path = data.join("lock");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(|error| OpenError::io(&path, error))?;
    let patience = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => std::thread::sleep(LOCK_RETRY),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(OpenError::io(&path, error)),
        }
    }
}

/// The key of the store; made only together with a new database.
fn find_key(data: &Path, new: bool, random: [u8; 32]) -> Result<SecretKey, OpenError> {
    let path = data.join("secret.key");
    match SecretKey::read(&path)? {
        Some(key) => Ok(key),
        None if new => SecretKey::create(&path, random),
        None => Err(OpenError::KeyMissing { path }),
    }
}

/// Whether key and database belong together; a new database remembers its key by a tag.
fn check_key(database: &mut Database, key: &SecretKey, data: &Path) -> Result<(), OpenError> {
    let tag = key.derive("umbel key check");
    if database.is_damaged() {
        return Ok(());
    }
    let find = |database: &mut Database| -> Outcome<Option<Vec<u8>>> {
        let known = database.read(|connection| {
            let sql = "SELECT value FROM meta WHERE key = 'key check'";
            Ok(rusqlite::OptionalExtension::optional(connection.query_row(sql, [], |row| row.get(0)))?)
        })?;
        if known.is_none() {
            database.write(|connection| {
                let sql = "INSERT INTO meta (key, value) VALUES ('key check', ?1)";
                Ok(connection.execute(sql, [tag.as_slice()])?)
            })?;
        }
        Ok(known)
    };
    match find(database) {
        Ok(Some(known)) if known != tag.as_slice() => {
            Err(OpenError::KeyMissing { path: data.join("secret.key") })
        }
        Ok(_) => Ok(()),
        Err(fault) => match StoreError::from(fault) {
            StoreError::Damaged => Ok(()),
            error => Err(OpenError::Store(error)),
        },
    }
}
