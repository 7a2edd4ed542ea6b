//! The mailbox store as this program opens it.

use umbel_store_sqlite::{OpenError, Options, Purpose, Recovery, SqliteStore};

use crate::admin::now;
use crate::config::Config;
use crate::exit::{Exit, Failure};

/// Opens the store for a command, beside a server that may be running.
pub(crate) fn open(config: &Config) -> Result<SqliteStore, Failure> {
    open_for(config, Purpose::Administration).map(|(store, _)| store)
}

/// Opens the store for the server, which has it alone, and recovers what an earlier run left.
pub(crate) fn open_for_server(config: &Config) -> Result<(SqliteStore, Recovery), Failure> {
    open_for(config, Purpose::Server)
}

fn open_for(config: &Config, purpose: Purpose) -> Result<(SqliteStore, Recovery), Failure> {
    let mut options = Options::new(&config.data, purpose, now());
    options.config = crate::serve::store_settings(config);
    SqliteStore::open(options).map_err(|error| refused(&error))
}

/// What an error of opening means to whoever started the program.
fn refused(error: &OpenError) -> Failure {
    let message = format!("data: {error}");
    match error {
        OpenError::InUse { .. } => Failure::new(
            Exit::CannotCreate,
            "store-in-use",
            format!("{message}; stop it, or give another --data"),
        ),
        OpenError::KeyReadable { .. } | OpenError::DirectoryWritable { .. } => {
            Failure::new(Exit::NoPermission, "permission", message)
        }
        OpenError::Io { error, .. } if is_permission(error) => {
            Failure::new(Exit::NoPermission, "permission", message)
        }
        OpenError::TooNew { .. } | OpenError::TooOld { .. } => {
            Failure::new(Exit::CannotCreate, "store-version", message)
        }
        OpenError::KeyMalformed { .. } | OpenError::KeyMissing { .. } => {
            Failure::new(Exit::CannotCreate, "store-key", message)
        }
        OpenError::Io { .. } => Failure::new(Exit::CannotCreate, "cannot-create", message),
        OpenError::Store(error) => crate::admin::failed(*error, "data"),
    }
}

fn is_permission(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}
