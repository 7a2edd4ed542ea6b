//! The columns of the import, which are also the keys of `umbel user set`.

use umbel_proxy::routing::words;
use umbel_store::{Role, UserChange};

use crate::exit::Failure;

/// What one column, or one `KEY=VALUE`, asks for.
pub(super) enum Setting {
    /// A change of the user's settings.
    Change(UserChange),
    /// A WAV file as the standard greeting.
    Greeting(String),
    /// A column that is read elsewhere: the address and the secrets.
    Elsewhere,
    /// An empty cell, which leaves things as they are.
    Nothing,
}

/// All columns, in the order in which they are exported.
pub(super) const COLUMNS: [&str; 15] = [
    "address",
    "extension",
    "name",
    "email",
    "pin",
    "password",
    "skip_pin",
    "enabled",
    "language",
    "greeting",
    "time_zone",
    "role",
    "missed_call_notices",
    "play-on-phone-dial-string",
    "telephone-access-folder",
];

/// All that `umbel user set` and the import know: the columns, and the routing rules.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().chain(words::NAMES)
}

/// What a value in a column means. Empty values take a setting away where it can be absent. `domain`
/// completes extensions in routing rules.
pub(super) fn setting(column: &str, value: &str, domain: &str) -> Result<Setting, String> {
    let optional = (!value.is_empty()).then(|| value.to_owned());
    let change = match column {
        "address" | "pin" | "password" => return Ok(Setting::Elsewhere),
        "greeting" if value.is_empty() => return Ok(Setting::Nothing),
        "greeting" => return Ok(Setting::Greeting(value.to_owned())),
        "extension" => UserChange::Extension(optional),
        "name" => UserChange::Name(value.to_owned()),
        "email" => UserChange::Email(optional),
        "skip_pin" => UserChange::SkipPin(yes_or_no(column, value)?),
        "missed_call_notices" => UserChange::MissedCallNotices(yes_or_no(column, value)?),
        "enabled" => UserChange::Enabled(yes_or_no(column, value)?),
        "language" => match value {
            "" | "en" => UserChange::Language(optional),
            other => return Err(format!("language: only en is spoken so far, not `{other}`")),
        },
        "time_zone" => {
            if !value.is_empty() && jiff::tz::TimeZone::get(value).is_err() {
                return Err(format!("time_zone: `{value}` is not known; write a name such as Europe/Berlin"));
            }
            UserChange::TimeZone(optional)
        }
        "role" => UserChange::Role(match value {
            "" | "user" => Role::User,
            "administrator" => Role::Administrator,
            other => return Err(format!("role: `{other}` is neither user nor administrator")),
        }),
        // The API spells them as it spells all names.
        "play-on-phone-dial-string" | "play_on_phone_dial_string" => {
            UserChange::PlayOnPhoneDialString(optional)
        }
        "telephone-access-folder" | "telephone_access_folder" => UserChange::TelephoneAccessFolder(optional),
        rule if words::NAMES.contains(&rule) => {
            let is_set = words::check(rule, value, domain)
                .map_err(|wrong| format!("{rule}: `{value}` is not understood; {}", wrong.what))?;
            let value = is_set.then(|| value.trim().to_owned());
            UserChange::Routing { key: rule.to_owned(), value }
        }
        other => {
            let names: Vec<_> = names().collect();
            return Err(format!("there is no setting `{other}`; there are {}", names.join(", ")));
        }
    };
    Ok(Setting::Change(change))
}

fn yes_or_no(column: &str, value: &str) -> Result<bool, String> {
    match value {
        "yes" | "" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("{column}: `{other}` is neither yes nor no")),
    }
}

const SECRET_SEEN: &str = "a secret given as an argument is seen by everybody on this machine";

/// Reads `KEY=VALUE` of the command line.
pub(super) fn assignment<'a>(text: &'a str, domain: &str) -> Result<(&'a str, Setting), Failure> {
    let (key, value) = text.split_once('=').ok_or_else(|| {
        Failure::usage(format!("`{text}` is no setting; write KEY=VALUE, for example enabled=no"))
    })?;
    match key {
        "pin" => Err(Failure::usage(format!("{SECRET_SEEN}; use --pin-file, or --new-pin for a random one"))),
        "password" => Err(Failure::usage(format!("{SECRET_SEEN}; use --password-file"))),
        "address" => Err(Failure::usage("the address is the user's name for good; add another user instead")),
        _ => Ok((key, setting(key, value, domain).map_err(Failure::usage)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(column: &str, value: &str) -> UserChange {
        match setting(column, value, "example.test") {
            Ok(Setting::Change(change)) => change,
            Ok(_) => panic!("{column} is no change"),
            Err(wrong) => panic!("{wrong}"),
        }
    }

    #[test]
    fn cells_become_changes() {
        assert_eq!(change("extension", "101"), UserChange::Extension(Some("101".to_owned())));
        assert_eq!(change("extension", ""), UserChange::Extension(None));
        assert_eq!(change("skip_pin", ""), UserChange::SkipPin(true));
        assert_eq!(change("enabled", "no"), UserChange::Enabled(false));
        assert_eq!(change("missed_call_notices", "no"), UserChange::MissedCallNotices(false));
        assert_eq!(change("role", "administrator"), UserChange::Role(Role::Administrator));
        assert_eq!(
            change("time_zone", "Europe/Berlin"),
            UserChange::TimeZone(Some("Europe/Berlin".to_owned()))
        );
        let dial_string = UserChange::PlayOnPhoneDialString(Some("+1555*".to_owned()));
        assert_eq!(change("play-on-phone-dial-string", "+1555*"), dial_string);
        assert_eq!(change("play-on-phone-dial-string", ""), UserChange::PlayOnPhoneDialString(None));
        let folder = UserChange::TelephoneAccessFolder(Some("AAAA".to_owned()));
        assert_eq!(change("telephone-access-folder", "AAAA"), folder);
        let rule = |key: &str, value: Option<&str>| UserChange::Routing {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        assert_eq!(change("ring-time", " 20s "), rule("ring-time", Some("20s")));
        for off in ["", "off"] {
            assert_eq!(change("forward-immediate", off), rule("forward-immediate", None));
        }
    }

    #[test]
    fn what_no_column_takes_is_refused_by_name() {
        for (column, value) in [
            ("enabled", "maybe"),
            ("role", "root"),
            ("language", "xx"),
            ("time_zone", "Mars/Base"),
            ("colour", "red"),
            ("ring-time", "soon"),
        ] {
            let wrong = setting(column, value, "example.test")
                .err()
                .unwrap_or_else(|| panic!("{column}={value} was taken"));
            assert!(wrong.contains(column), "{wrong}");
        }
    }

    #[test]
    fn a_secret_in_an_assignment_is_refused_without_repeating_it() {
        let failure = assignment("pin=864209", "example.test").err().expect("refused");
        assert!(!failure.message.contains("864209") && failure.message.contains("--pin-file"), "{failure}");
    }
}
