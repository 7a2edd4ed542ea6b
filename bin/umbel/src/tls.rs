//! What TLS shows and believes, from the configuration.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use umbel_net::{Authority, Clock, Identity, Tls, TlsConfig, TlsError, load_certificates, load_revocations};
use umbel_node::PeerName;

use crate::config::Config;
use crate::exit::Failure;
use crate::refused;

/// What our own certificate says of us.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// SHA-256.
    pub(crate) fingerprint: [u8; 32],
    /// Host names, in lower case.
    pub(crate) names: Vec<String>,
}

/// Puts the configuration's certificates in force.
pub(crate) fn start(config: &Config, clock: Clock) -> Result<(Tls, Own), Failure> {
    let mut tls = read(config, clock)?;
    let own = own(&tls);
    let tls = match Tls::new(&tls, clock) {
        // A machine without system authorities believes those of the configuration.
        Err(TlsError::NoSystemAuthorities) => {
            tls.system_authorities = false;
            Tls::new(&tls, clock)
        }
        other => other,
    };
    Ok((tls.map_err(refused::tls)?, own))
}

pub(crate) fn own(tls: &TlsConfig) -> Own {
    let identity = tls.identity.as_ref().expect("a server always has a certificate");
    let name = |name: &PeerName| match name {
        PeerName::Dns(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    };
    Own { fingerprint: identity.fingerprint(), names: identity.names().iter().filter_map(name).collect() }
}

/// Reads everything that the configuration names.
pub(crate) fn read(config: &Config, clock: Clock) -> Result<TlsConfig, Failure> {
    let now = clock.unix_time();
    let local = match (&config.tls.identity, &config.tls.client_authorities) {
        (Some(_), Some(_)) => None,
        _ => Some(Authority::load_or_create(&config.data, now).map_err(|error| refused::authority(&error))?),
    };
    let identity = match (&config.tls.identity, &local) {
        (Some(files), _) => Identity::load(&files.certificate, &files.private_key, now)
            .map_err(|error| refused::file(&error))?,
        (None, Some(authority)) => {
            let (names, addresses) = subjects(config);
            authority.identity(&names, &addresses, now).map_err(|error| refused::authority(&error))?
        }
        (None, None) => unreachable!("without an identity the local authority is there"),
    };
    let client_authorities = match (&config.tls.client_authorities, &local) {
        (Some(file), _) => load_certificates(file).map_err(|error| refused::file(&error))?,
        (None, Some(authority)) => vec![authority.certificate().clone()],
        (None, None) => Vec::new(),
    };
    let revocations = match &config.tls.client_revocations {
        Some(file) => load_revocations(file).map_err(|error| refused::file(&error))?,
        None => Vec::new(),
    };
    Ok(TlsConfig {
        identity: Some(Arc::new(identity)),
        server_authorities: client_authorities.clone(),
        client_authorities,
        system_authorities: config.tls.identity.is_some(),
        revocations,
    })
}

/// A certificate that our own authority made is made anew at a reload when it ends within this time.
const MADE_ANEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The same at a reload. A certificate that our own authority made stays as it is where it would say the same: our own
/// servers know each other by it, and the connections between them go on.
pub(crate) fn read_again(
    config: &Config,
    former: &Config,
    tls: &Tls,
    clock: Clock,
) -> Result<TlsConfig, Failure> {
    let mut certificates = read(config, clock)?;
    let is_made_here = |config: &Config| config.tls.identity.is_none();
    let says_the_same = is_made_here(config)
        && is_made_here(former)
        && config.data == former.data
        && subjects(config) == subjects(former);
    let lasts = |identity: &Arc<Identity>| identity.not_after() > clock.unix_time() + MADE_ANEW_BEFORE;
    if let Some(identity) = tls.identity().filter(|identity| says_the_same && lasts(identity)) {
        certificates.identity = Some(identity);
    }
    Ok(certificates)
}

/// The names and addresses under which peers reach us.
fn subjects(config: &Config) -> (Vec<String>, Vec<IpAddr>) {
    let (server, um) = (config.server.as_ref(), config.um.as_ref());
    let mut names = vec![config.domain.clone(), "localhost".to_owned()];
    let mut addresses: Vec<IpAddr> =
        vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)];
    let advertised =
        [server.and_then(|server| server.advertise.clone()), um.and_then(|um| um.advertise.clone())];
    for host in advertised.into_iter().flatten() {
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => addresses.push(address),
            Err(_) => names.push(host),
        }
    }
    let listeners = server.into_iter().flat_map(|server| &server.listen);
    let listeners = listeners.chain(um.into_iter().flat_map(|um| &um.listen));
    addresses.extend(listeners.map(|listener| listener.address.ip()));
    addresses.sort_unstable();
    addresses.dedup();
    names.sort_unstable();
    names.dedup();
    (names, addresses)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// REL-30, REL-32: a reload that changes nothing about our certificate leaves those who trust it, ourselves among
    /// them, with what they know.
    #[test]
    fn a_certificate_that_was_made_here_stays_at_a_reload_as_long_as_it_says_the_same() {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::start();
        let config = Config::embedded(data.path());
        let (tls, own) = start(&config, clock).unwrap();
        let again = |changed: &Config| super::own(&read_again(changed, &config, &tls, clock).unwrap());
        assert_eq!(again(&config).fingerprint, own.fingerprint);
        let renamed = Config { domain: "elsewhere.test".to_owned(), ..config.clone() };
        let other = again(&renamed);
        assert_ne!(other.fingerprint, own.fingerprint);
        assert!(other.names.contains(&"elsewhere.test".to_owned()));
    }
}
