//! Stores for tests.

use std::path::Path;

use umbel_store::{Config, Store};

use crate::{Cost, Options, Purpose, SqliteStore};

/// A hash that costs next to nothing.
pub(crate) const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

pub(crate) fn options(data: &Path) -> Options {
    let now = umbel_store::conformance::NOON;
    Options { cost: CHEAP, reserve_bytes: 1 << 20, ..Options::new(data, Purpose::Server, now) }
}

pub(crate) fn open(data: &Path) -> SqliteStore {
    SqliteStore::open(options(data)).expect("the store opens").0
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
