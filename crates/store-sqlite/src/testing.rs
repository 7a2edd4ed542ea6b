//! Stores for tests.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use umbel_store::conformance::NOON;
use umbel_store::{Address, Author, Config, Directory, Store, UserChange};

use crate::disk::model::ModelDisk;
use crate::{Cost, Options, Purpose, Recovery, SqliteStore};

/// A hash that costs next to nothing.
pub(crate) const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

/// A directory in memory where there is such a file system: these tests bring their own disk.
pub(crate) fn directory() -> TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).expect("a directory can be made")
}

/// In these tests a second is a hundredth of one, so that they take as long.
pub(crate) const SECOND: usize = 80;

/// Cheap hashes, a reserve of one MiB, short seconds.
pub(crate) fn options(data: &Path) -> Options {
    let config = Config { incomplete_min: Duration::from_millis(20), mail: true, ..Config::default() };
    Options { cost: CHEAP, reserve_bytes: 1 << 20, config, ..Options::new(data, Purpose::Server, NOON) }
}

/// The store in `data`, with its audio on `disk`. Its commits are steps of that disk, so that the
/// power goes for both at once.
pub(crate) fn open_on(data: &Path, disk: &ModelDisk) -> (SqliteStore, Recovery) {
    let opened = SqliteStore::open_on(&options(data), Box::new(disk.clone()), true);
    let (mut store, recovery) = opened.expect("the store opens");
    let power = disk.clone();
    let connection = store.database.connection_mut().expect("the store is whole");
    connection.commit_hook(Some(move || power.step().is_err())).expect("a hook can be set");
    (store, recovery)
}

/// Like [`open_on`], with a user who reads mail.
pub(crate) fn open_for(data: &Path, disk: &ModelDisk, user: &str) -> (SqliteStore, Address) {
    let (mut store, _) = open_on(data, disk);
    let address = umbel_store::conformance::add(&mut store, user);
    let email = UserChange::Email(Some("owner@mail.example.test".into()));
    store.change_user(&address, &[email], &Author::Store, NOON).expect("the user is there");
    (store, address)
}

/// REL-06: the file plays in an ordinary player, and has all that it says it has.
pub(crate) fn assert_plays(file: &[u8], name: &str) {
    let sound = umbel_wav::read(file, umbel_wav::Limits::default());
    assert!(!sound.expect("the file is a WAV file").truncated, "{name} is cut off");
}

/// The suite of every store, on a real disk.
mod conformance {
    use super::*;

    fn with(config: Config, check: &dyn Fn(&mut dyn Store)) {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options { config, ..options(dir.path()) };
        let (mut store, _) = SqliteStore::open(options).expect("the store opens");
        check(&mut store);
    }

    umbel_store::conformance!(with);
}
