//! What errors of the rooms mean to whoever stands at the command line.

use umbel_net::{AuthorityError, FileError, ListenError, TlsError};
use umbel_store::{Refusal, StoreError};

use crate::exit::{Exit, Failure};

/// A file of certificates or keys.
pub(crate) fn file(error: &FileError) -> Failure {
    let exit = if error.is_permission() { Exit::NoPermission } else { Exit::Config };
    Failure::new(exit, "certificate", error.to_string())
}

/// Certificates that TLS does not take.
pub(crate) fn tls(error: TlsError) -> Failure {
    Failure::new(Exit::Config, "certificate", format!("[tls]: {error}"))
}

/// A listener of a role.
pub(crate) fn listen(role: &str, error: &ListenError) -> Failure {
    let (exit, code) = match error {
        ListenError::InUse(_) => (Exit::Unavailable, "address-in-use"),
        ListenError::NotPermitted(_) => (Exit::NoPermission, "permission"),
        ListenError::NoTls(_) => (Exit::Config, "certificate"),
        ListenError::Other { .. } => (Exit::Unavailable, "cannot-listen"),
    };
    Failure::new(exit, code, format!("[{role}] listen: {error}"))
}

/// What a role advertises.
pub(crate) fn not_a_host(role: &str, host: &str) -> Failure {
    Failure::config(format!("[{role}] advertise: `{host}` is no host name or address; IPv6 goes in brackets"))
}

/// What the local authority says.
pub(crate) fn authority(error: &AuthorityError) -> Failure {
    let message = error.to_string();
    match error {
        AuthorityError::File(file) if file.is_permission() => {
            Failure::new(Exit::NoPermission, "permission", message)
        }
        AuthorityError::File(_) => Failure::new(Exit::Config, "certificate", message),
        AuthorityError::NotWritten { reason, .. }
            if reason.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            Failure::new(Exit::NoPermission, "permission", message)
        }
        AuthorityError::NotWritten { .. } => Failure::new(Exit::CannotCreate, "cannot-create", message),
        AuthorityError::Exists(_) => Failure::new(Exit::Failed, "exists", message),
        AuthorityError::NoHostName(_) => Failure::usage(message),
        AuthorityError::NotMade(_) => Failure::new(Exit::Failed, "certificate", message),
    }
}

/// What the store says, about somebody or something.
pub(crate) fn store(error: StoreError, about: &str) -> Failure {
    let message = format!("{about}: {error}");
    match error {
        StoreError::Refused(refusal) => match refusal {
            Refusal::NoSuchUser
            | Refusal::NoSuchMessage(_)
            | Refusal::NoSuchRecording(_)
            | Refusal::NoSuchGreeting(_) => Failure::not_found(message),
            _ => Failure::new(Exit::Failed, "refused", message),
        },
        StoreError::Busy | StoreError::Overloaded => {
            Failure::new(Exit::TemporaryFailure, "busy", format!("{message}; try again"))
        }
        StoreError::DiskFull => {
            Failure::new(Exit::TemporaryFailure, "storage-full", format!("{message}; make room"))
        }
        StoreError::Disk => Failure::new(Exit::Failed, "input-output", message),
        StoreError::Damaged => Failure::new(
            Exit::CannotCreate,
            "damaged",
            format!("{message}; stop the server and restore a backup"),
        ),
        StoreError::AudioMissing => Failure::new(Exit::Failed, "audio-missing", message),
    }
}
