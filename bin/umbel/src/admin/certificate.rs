//! `umbel certificate`: certificates of the local authority, for peers.

use umbel_net::{Authority, AuthorityError};
use umbel_ocexum::PeerRule;

use super::{configuration, now};
use crate::cli::CertificateCommand;
use crate::exit::{Exit, Failure};
use crate::output;

pub(super) fn run(command: CertificateCommand, json: bool) -> Result<(), Failure> {
    let CertificateCommand::Issue { place, name, directory } = command;
    let config = configuration(&place)?;
    let authority = Authority::load_or_create(&config.data, now()).map_err(|error| refused(&error))?;
    let issued = authority.issue(&name, &directory, now()).map_err(|error| refused(&error))?;
    if json {
        return output::json(&serde_json::json!({
            "name": name,
            "certificate": issued.certificate,
            "private_key": issued.private_key,
            "authority": issued.authority,
        }));
    }
    output::facts(&[
        ("certificate", issued.certificate.display().to_string()),
        ("private key", issued.private_key.display().to_string()),
        ("authority", issued.authority.display().to_string()),
    ])?;
    if config.tls.trusted_peers.contains(&PeerRule::Name(name.to_ascii_lowercase())) {
        return Ok(());
    }
    output::line(format!("\n{name} is not listed: add it to trusted-peers in [tls] to let it skip the PIN"))
}

/// What an error of the authority means to somebody at the command line.
pub(crate) fn refused(error: &AuthorityError) -> Failure {
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
