//! Reading the configuration again while calls go on.

use std::sync::Arc;

use umbel_net::{Clock, Tls};
use umbel_um::Prompts;
use umbel_web::ServerConfig;

use super::supervisor::Roles;
use super::{http, prompts, settings};
use crate::config::{self, Config, Server, Um};
use crate::control::Answer;
use crate::exit::Failure;
use crate::refused;

/// What a new configuration turns into.
pub(super) struct Reloaded {
    pub(super) config: Config,
    pub(super) server: Option<umbel_proxy::Config>,
    pub(super) um: Option<umbel_um::Config>,
    /// What the web front shows from now on, where it speaks TLS.
    pub(super) web: Option<Arc<ServerConfig>>,
    /// Settings that are read at the start only, where they changed.
    pub(super) after_restart: Vec<String>,
}

impl Reloaded {
    pub(super) fn answer(&self) -> Answer {
        Answer::Done { after_restart: self.after_restart.clone() }
    }
}

/// Reads the file again and puts certificates, authorities and revocations in force. Where anything is
/// wrong, everything stays as it was.
pub(super) fn reload(
    current: &Config,
    roles: &Roles,
    loaded: &Prompts,
    tls: &Tls,
    clock: Clock,
) -> Result<Reloaded, Failure> {
    let config = match &current.source {
        Some(file) => config::load(file)?,
        None => current.clone(),
    };
    let certificates = crate::tls::read_again(&config, current, tls, clock)?;
    let own = crate::tls::own(&certificates);
    let um_listeners = roles.um.as_ref().map(|running| running.listeners.as_slice()).unwrap_or_default();
    let um = match (&roles.um, &config.um) {
        (Some(_), Some(um)) => {
            let prompts = if config.prompts == current.prompts {
                loaded.clone()
            } else {
                let loaded = prompts::load(&config)?;
                loaded.prepare();
                loaded.prompts
            };
            let server =
                roles.server.as_ref().map(|running| running.listeners.as_slice()).unwrap_or_default();
            let listening = settings::Bound { um: um_listeners, server };
            Some(settings::um(&config, um, listening, prompts, &own)?)
        }
        (Some(_), None) => return Err(gone("um")),
        (None, _) => None,
    };
    let server = match (&roles.server, &config.server) {
        (Some(running), Some(server)) => {
            Some(settings::server(&config, server, &running.listeners, um_listeners, &own)?)
        }
        (Some(_), None) => return Err(gone("server")),
        (None, _) => None,
    };
    let web = http::certificate(&config, clock)?;
    tls.reload(&certificates).map_err(refused::tls)?;
    let after_restart = after_restart(current, &config);
    Ok(Reloaded { config, server, um, web, after_restart })
}

fn gone(role: &str) -> Failure {
    Failure::config(format!("the new configuration has no [{role}] table; stop the server instead"))
}

fn after_restart(old: &Config, new: &Config) -> Vec<String> {
    let pairs: [(&str, bool); 14] = [
        ("data", old.data != new.data),
        ("[pin] min-length, simple-patterns, lock-after", old.pin != new.pin),
        ("[http] listen", old.http.listen != new.http.listen),
        ("[http] tls", old.http.tls != new.http.tls),
        ("[http] admin-listen", old.admin_listen != new.admin_listen),
        // The rest of it counts at once.
        ("[mail]", old.mail.is_some() != new.mail.is_some()),
        ("[limits]", old.limits != new.limits),
        ("[server]", old.server.is_none() && new.server.is_some()),
        ("[server] listen", servers_differ(old, new, |server| &server.listen)),
        ("[um]", old.um.is_none() && new.um.is_some()),
        ("[um] listen", differ(old, new, |um| &um.listen)),
        ("[um] rtp-address", differ(old, new, |um| &um.rtp_address)),
        ("[um] rtp-ports", differ(old, new, |um| &um.rtp_ports)),
        ("[um] dscp", differ(old, new, |um| &um.dscp)),
    ];
    pairs.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name.to_owned()).collect()
}

/// Whether a setting changed, of a role that there was and is.
fn servers_differ<T: PartialEq>(old: &Config, new: &Config, setting: impl Fn(&Server) -> &T) -> bool {
    old.server.as_ref().zip(new.server.as_ref()).is_some_and(|(old, new)| setting(old) != setting(new))
}

fn differ<T: PartialEq>(old: &Config, new: &Config, setting: impl Fn(&Um) -> &T) -> bool {
    old.um.as_ref().zip(new.um.as_ref()).is_some_and(|(old, new)| setting(old) != setting(new))
}
