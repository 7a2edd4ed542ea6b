//! Administration: commands that read and change the store, while the server runs and while it does not.

mod calls;
mod certificate;
mod mail;
mod mailbox;
mod message;
mod play_on_phone;
mod routing;
mod secrets;
mod sound;
mod user;
mod user_columns;
mod user_import;
mod why;

use std::path::{Path, PathBuf};

use umbel_sip_message::{Scheme, Uri};
use umbel_store::{Address, IsPilot, Lookup, Store, User, UserEntry};
use umbel_time::UnixTime;
use umbel_web::Destination;

use crate::cli::{Command, Place};
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::{control, refused};

pub(crate) use message::{all_of as all_messages, sound as stored_sound};
pub(crate) use secrets::{first_line, password_and_pin};
pub(crate) use sound::{StoredAudioExt, read_wav};
pub(crate) use user::all as all_users;
pub(crate) use why::of as decisions_of;

/// A configuration and the store it names, opened for administration.
pub(crate) struct Admin {
    pub(crate) config: Config,
    pub(crate) store: Box<dyn Store>,
    pub(crate) json: bool,
}

/// Runs one of the administration commands.
pub(crate) fn run(command: Command, json: bool) -> Result<(), Failure> {
    match command {
        Command::User { command } => user::run(command, json),
        Command::Mailbox { command } => mailbox::run(command, json),
        Command::Message { command } => message::run(command, json),
        Command::PlayOnPhone { place, message, number } => {
            play_on_phone::run(&place, &message, number.as_deref(), json)
        }
        Command::Why { place, call_id, field } => why::run(&mut Admin::open(&place, json)?, &call_id, field),
        Command::Calls { place, all } => calls::run(&mut Admin::open(&place, json)?, all),
        Command::Mail { command } => mail::run(command, json),
        Command::Certificate { command } => certificate::run(command, json),
        other => unreachable!("{other:?} is not about administration"),
    }
}

/// What one setting of a user means, in the words of the import and of `umbel user set`: a column or a routing rule.
pub(crate) fn read_setting(column: &str, value: &str, domain: &str) -> Result<umbel_web::Setting, String> {
    let user_columns::Setting::Change(change) = user_columns::setting(column, value, domain)? else {
        return Err(format!("{column}: cannot be set this way"));
    };
    let sends_to = umbel_proxy::routing::words::destinations(column, value, domain);
    let sends_to = sends_to.iter().map(|uri| destination(uri, domain)).collect();
    Ok(umbel_web::Setting { change, sends_to })
}

/// Whom a rule names: a number of a `tel` URI is dialled here too.
fn destination(uri: &Uri, domain: &str) -> Destination {
    let is_here = uri.scheme() == Scheme::Tel || uri.host().eq_ignore_ascii_case(domain);
    match uri.user_decoded() {
        Some(user) if is_here => Destination::Here(user.into_owned()),
        _ if uri.scheme() == Scheme::Tel => Destination::Here(uri.host().to_owned()),
        _ => Destination::Elsewhere,
    }
}

impl Admin {
    /// Opens the store that `place` leads to. Where no configuration file names it, it has to be there: who asks in the
    /// wrong folder is not to find an empty store, nor to leave one behind.
    pub(crate) fn open(place: &Place, json: bool) -> Result<Self, Failure> {
        let config = Config::at(place)?;
        if place.config.is_none() && !umbel_store_sqlite::is_there(&config.data) {
            return Err(Failure::not_found(format!(
                "there are no mailboxes in {}; name their folder by --data or --config, or make them by `umbel serve` or `umbel user add`",
                config.data.display()
            )));
        }
        Admin::open_or_make(place, json)
    }

    /// The same; a store that is not there is made.
    pub(crate) fn open_or_make(place: &Place, json: bool) -> Result<Self, Failure> {
        let config = Config::at(place)?;
        let store = crate::store::open(&config)?;
        Ok(Admin { config, store: Box::new(store), json })
    }

    /// The user whom `text` names: an address, the user part of one, or an extension.
    pub(crate) fn user(&mut self, text: &str) -> Result<User, Failure> {
        let mut lookups = Vec::new();
        if text.contains('@') {
            lookups.push(Lookup::Address(self.address(text)?));
        } else {
            lookups.push(Lookup::Extension(text.to_owned()));
            lookups.extend(Address::new(text, &self.config.domain).ok().map(Lookup::Address));
        }
        for lookup in &lookups {
            if let Some(user) = self.store.find_user(lookup).map_err(|error| refused::store(error, text))? {
                return Ok(user);
            }
        }
        Err(Failure::not_found(format!("there is no user {text}; `umbel user list` shows all")))
    }

    /// Tells the server that runs, where one does, so that a change of users counts when the command that made it has
    /// ended. A server that hears nothing finds out within a second (DEC-5).
    pub(crate) fn users_changed(&self) {
        let _nobody_runs = control::ask(&self.config.data, control::Request::UsersChanged);
    }

    /// Refuses names under which nobody could be called.
    pub(crate) fn can_be_called(&self, entry: &UserEntry, is_new: bool) -> Result<(), Failure> {
        umbel_store::no_pilot(entry.new_names(is_new), self.config.pilots())
            .map_err(|why| Failure::new(Exit::Failed, IsPilot::CODE, why.to_string()))
    }

    /// An address in the configured domain.
    pub(crate) fn address(&self, text: &str) -> Result<Address, Failure> {
        let address: Address = text.parse().map_err(|_| {
            Failure::usage(format!("`{text}` is no address; write user@{}", self.config.domain))
        })?;
        if address.domain() == self.config.domain {
            Ok(address)
        } else {
            Err(Failure::usage(format!("{address} is not in the configured domain {}", self.config.domain)))
        }
    }
}

/// UTC by ISO 8601, to the second.
pub(crate) fn iso_8601(time: UnixTime) -> String {
    jiff::Timestamp::from_second(time.as_secs())
        .map_or_else(|_| time.as_secs().to_string(), |time| time.to_string())
}

/// A path relative to the folder of another file.
pub(crate) fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}
