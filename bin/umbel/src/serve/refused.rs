//! What the start-up's errors mean to whoever started the server.

use umbel_net::{FileError, ListenError, TlsError};

use crate::exit::{Exit, Failure};

pub(crate) fn file(error: &FileError) -> Failure {
    let exit = if error.is_permission() { Exit::NoPermission } else { Exit::Config };
    Failure::new(exit, "certificate", error.to_string())
}

pub(crate) fn tls(error: TlsError) -> Failure {
    Failure::new(Exit::Config, "certificate", format!("[tls]: {error}"))
}

pub(super) fn listen(role: &str, error: &ListenError) -> Failure {
    let (exit, code) = match error {
        ListenError::InUse(_) => (Exit::Unavailable, "address-in-use"),
        ListenError::NotPermitted(_) => (Exit::NoPermission, "permission"),
        ListenError::NoTls(_) => (Exit::Config, "certificate"),
        ListenError::Other { .. } => (Exit::Unavailable, "cannot-listen"),
    };
    Failure::new(exit, code, format!("[{role}] listen: {error}"))
}

pub(super) fn not_a_host(role: &str, host: &str) -> Failure {
    Failure::config(format!("[{role}] advertise: `{host}` is no host name or address; IPv6 goes in brackets"))
}
