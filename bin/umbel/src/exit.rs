//! How the program ends: one exit status and one sentence for everything that can go wrong.

use std::fmt;

/// Exit statuses, by the names of `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The thing asked for failed or was not found.
    Failed = 1,
    /// Wrong use of a command; also a secret given as an argument.
    Usage = 64,
    /// An address is in use, or a server cannot be reached.
    Unavailable = 69,
    /// The store is in use or cannot be made.
    CannotCreate = 73,
    /// It may work later.
    TemporaryFailure = 75,
    /// The system does not permit it.
    NoPermission = 77,
    /// The configuration or a certificate is wrong.
    Config = 78,
    /// Interrupted from the keyboard.
    Interrupted = 130,
    /// Whoever read our output is gone.
    OutputClosed = 141,
}

/// Why a command did not do what it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The process's exit status.
    pub(crate) exit: Exit,
    /// A word for scripts that never changes.
    pub(crate) code: &'static str,
    /// What is wrong, where, and what to do.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Failure { exit, code, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::new(Exit::Usage, "usage", message)
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Failure::new(Exit::Config, "configuration", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Failure::new(Exit::Failed, "not-found", message)
    }

    /// What a later version will do.
    pub(crate) fn not_yet(message: impl Into<String>) -> Self {
        Failure::new(Exit::Failed, "not-in-this-version", message)
    }

    /// Writes the failure for a person, or as one JSON document, to standard error.
    pub(crate) fn report(&self, json: bool) {
        let line = if json {
            serde_json::json!({ "code": self.code, "message": self.message }).to_string()
        } else {
            format!("umbel: {}", self.message)
        };
        // Where even standard error is closed, the exit status has to do.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// A system error at a path, with the exit status that fits it.
pub(crate) fn at_path(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let (exit, code) = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (Exit::NoPermission, "permission"),
        ErrorKind::NotFound => (Exit::Failed, "not-found"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (Exit::TemporaryFailure, "storage-full"),
        _ => (Exit::Failed, "input-output"),
    };
    Failure::new(exit, code, format!("cannot {doing} {}: {error}", path.display()))
}

/// Standard output that turned out to be closed ends the program quietly, with the status of SIGPIPE.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Failure::new(Exit::OutputClosed, "output-closed", "the reader of the output is gone")
        } else {
            Failure::new(Exit::Failed, "input-output", error.to_string())
        }
    }
}
