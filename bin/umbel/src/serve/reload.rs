//! Reading the configuration again while calls go on.

use umbel_net::{Clock, Listener, Tls};
use umbel_um::Prompts;

use super::{prompts, refused, settings};
use crate::config::{self, Config, Um};
use crate::control::Answer;
use crate::exit::Failure;

/// What a new configuration turns into.
pub(super) struct Reloaded {
    pub(super) config: Config,
    pub(super) um: umbel_um::Config,
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
    listeners: &[Listener],
    loaded: &Prompts,
    tls: &Tls,
    clock: Clock,
) -> Result<Reloaded, Failure> {
    let config = match &current.source {
        Some(file) => config::load(file)?,
        None => current.clone(),
    };
    let um = config
        .um
        .as_ref()
        .ok_or_else(|| Failure::config("the new configuration has no [um] table; stop the server instead"))?;
    let prompts = if config.prompts == current.prompts {
        loaded.clone()
    } else {
        let loaded = prompts::load(&config)?;
        loaded.prepare();
        loaded.prompts
    };
    let settings = settings::um(&config, um, listeners, prompts)?;
    let certificates = crate::tls::read(&config, clock)?;
    tls.reload(&certificates).map_err(refused::tls)?;
    let after_restart = after_restart(current, &config);
    Ok(Reloaded { config, um: settings, after_restart })
}

fn after_restart(old: &Config, new: &Config) -> Vec<String> {
    let pairs: [(&str, bool); 8] = [
        ("data", old.data != new.data),
        ("[pin] min-length, simple-patterns, lock-after", old.pin != new.pin),
        ("[http] admin-listen", old.admin_listen != new.admin_listen),
        ("[limits]", old.limits != new.limits),
        ("[um] listen", differ(old, new, |um| &um.listen)),
        ("[um] rtp-address", differ(old, new, |um| &um.rtp_address)),
        ("[um] rtp-ports", differ(old, new, |um| &um.rtp_ports)),
        ("[um] dscp", differ(old, new, |um| &um.dscp)),
    ];
    pairs.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name.to_owned()).collect()
}

fn differ<T: PartialEq>(old: &Config, new: &Config, setting: impl Fn(&Um) -> &T) -> bool {
    old.um.as_ref().map(&setting) != new.um.as_ref().map(&setting)
}
