//! The mailbox store as this program opens it.

use umbel_store::Author;
use umbel_store_sqlite::{OpenError, Options, Purpose, Recovery, SqliteStore};

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::runtime::now;

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
    options.config = settings(config);
    SqliteStore::open(options).map_err(|error| refused(&error))
}

/// Its settings, from the configuration.
fn settings(config: &Config) -> umbel_store::Config {
    let messages_max = config
        .um
        .as_ref()
        .map_or_else(|| crate::config::Recording::default().max_messages, |um| um.recording.max_messages);
    umbel_store::Config {
        messages_max,
        pin: umbel_store::PinPolicy {
            min_length: usize::from(config.pin.min_length),
            simple_patterns: config.pin.simple_patterns,
            lock_after: u32::from(config.pin.lock_after),
        },
        mail: config.mail.is_some(),
        ..Default::default()
    }
}

/// Who changes something from the command line, for the audit trail.
pub(crate) fn author() -> Author {
    Author::Administrator("command line".to_owned())
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
        OpenError::Store(error) => crate::refused::store(*error, "data"),
    }
}

fn is_permission(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}
