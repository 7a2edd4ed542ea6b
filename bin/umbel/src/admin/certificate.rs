//! `umbel certificate`: certificates of the local authority, for peers.

use umbel_net::Authority;
use umbel_ocexum::PeerRule;

use crate::cli::CertificateCommand;
use crate::config::Config;
use crate::exit::Failure;
use crate::runtime::now;
use crate::{output, refused};

pub(super) fn run(command: CertificateCommand, json: bool) -> Result<(), Failure> {
    let CertificateCommand::Issue { place, name, directory } = command;
    let config = Config::at(&place)?;
    let authority =
        Authority::load_or_create(&config.data, now()).map_err(|error| refused::authority(&error))?;
    let issued = authority.issue(&name, &directory, now()).map_err(|error| refused::authority(&error))?;
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
