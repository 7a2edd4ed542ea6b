//! What goes wrong below the store, and what its users are told of it.

use std::io;

use umbel_store::{Refusal, StoreError};

/// Anything that ends an operation.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Already in the words of the store.
    Store(StoreError),
    /// The database.
    Sql(rusqlite::Error),
    /// A file.
    Disk(io::Error),
    /// A row that no version of ours wrote (SEC-127).
    Nonsense(&'static str),
}

pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Store(error)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Fault::Store(StoreError::Refused(refusal))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Disk(error)
    }
}

impl From<Fault> for StoreError {
    /// The one table from faults to what the caller hears. The details go to the log, where no
    /// value of a user's ever is: SQLite's messages name tables and constraints, not contents.
    fn from(fault: Fault) -> StoreError {
        match fault {
            Fault::Store(error) => error,
            Fault::Sql(error) => {
                let told = of_sqlite(&error);
                // A lock is an everyday affair; the worker tries again.
                if told != StoreError::Busy {
                    tracing::error!(%error, "the database failed");
                }
                told
            }
            Fault::Disk(error) => {
                tracing::error!(%error, "the disk failed");
                of_io(&error)
            }
            Fault::Nonsense(what) => {
                tracing::error!(what, "the database holds what was never written");
                StoreError::Damaged
            }
        }
    }
}

fn of_sqlite(error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => StoreError::DiskFull,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged,
        _ => StoreError::Disk,
    }
}

fn of_io(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
        _ => StoreError::Disk,
    }
}
