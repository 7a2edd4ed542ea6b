//! `umbel user`: who has a mailbox, and what is set for them.

use std::collections::BTreeMap;

use serde::Serialize;
use umbel_store::{
    GreetingKind, LockedUser, NewPin, Pin, PinSet, PinState, Refusal, StoreError, User, UserChange, UserEntry,
};

use super::user_columns::{Setting, assignment, names};
use super::{Admin, password_and_pin, read_wav, routing};
use crate::cli::{RoutingCommand, SecretsFromFiles, UserCommand};
use crate::exit::Failure;
use crate::runtime::now;
use crate::store::author;
use crate::{output, refused};

pub(super) fn run(command: UserCommand, json: bool) -> Result<(), Failure> {
    match command {
        UserCommand::Add { place, address, extension, name, email, secrets } => {
            let mut admin = Admin::open_or_make(&place, json)?;
            let changes = [
                extension.map(|digits| UserChange::Extension(Some(digits))),
                name.map(UserChange::Name),
                email.map(|email| UserChange::Email(Some(email))),
            ];
            add(&mut admin, &address, changes.into_iter().flatten().collect(), &secrets)
        }
        UserCommand::Show { place, address } => {
            let mut admin = Admin::open(&place, json)?;
            let user = admin.user(&address)?;
            show(&mut admin, &user)
        }
        UserCommand::Remove { place, address } => {
            let mut admin = Admin::open(&place, json)?;
            let user = admin.user(&address)?;
            admin
                .store
                .remove_user(user.address(), &author(), now())
                .map_err(|error| refused::store(error, &address))?;
            admin.users_changed();
            done(&admin, &user, "removed")
        }
        UserCommand::ResetPin { place, address } => {
            let mut admin = Admin::open(&place, json)?;
            let user = admin.user(&address)?;
            let reset = admin.store.reset_pin_by_mail(user.address(), &author(), now());
            reset.map_err(|error| refused::store(error, &address))?;
            admin.users_changed();
            match json {
                true => done(&admin, &user, "pin-mailed"),
                false => output::line(format!("{} is mailed a new PIN", user.address())),
            }
        }
        UserCommand::Unlock { place, address } => {
            let mut admin = Admin::open(&place, json)?;
            let user = admin.user(&address)?;
            admin
                .store
                .unlock(user.address(), &author(), now())
                .map_err(|error| refused::store(error, &address))?;
            admin.users_changed();
            done(&admin, &user, "unlocked")
        }
        UserCommand::List(place) => list(&mut Admin::open(&place, json)?),
        UserCommand::Set { place, address, settings, new_pin, secrets } => {
            set(&mut Admin::open(&place, json)?, &address, &settings, new_pin, &secrets)
        }
        UserCommand::Import { place, file } => {
            let mut admin = Admin::open_or_make(&place, json)?;
            let imported = super::user_import::import(&mut admin, &file)?;
            admin.users_changed();
            // Whatever became of the greetings: the PINs are shown now or never.
            print_pins(&admin, &imported.pins)?;
            imported.rest
        }
        UserCommand::Routing { place, address, command } => {
            let mut admin = Admin::open(&place, json)?;
            let user = admin.user(&address)?;
            match command {
                RoutingCommand::Import { files } => {
                    let entry = routing::import(&admin, &user, &files)?;
                    put(&mut admin, entry, &address)?;
                    changed(&mut admin, &user, true, None)
                }
                RoutingCommand::Export => routing::export(&admin, &user),
            }
        }
        UserCommand::Export(place) => export(&mut Admin::open(&place, json)?),
    }
}

/// A user as scripts see it.
#[derive(Serialize)]
struct UserDocument<'a> {
    address: &'a str,
    extension: Option<&'a str>,
    name: &'a str,
    email: Option<&'a str>,
    enabled: bool,
    skip_pin: bool,
    language: &'a str,
    time_zone: Option<&'a str>,
    role: &'static str,
    missed_call_notices: bool,
    play_on_phone_dial_string: Option<&'a str>,
    telephone_access_folder: Option<&'a str>,
    pin: &'static str,
    has_password: bool,
    greeting: &'static str,
    /// The rules that are set, in their words.
    routing: &'a BTreeMap<String, String>,
    added: String,
}

fn document(user: &User) -> UserDocument<'_> {
    let settings = &user.settings;
    UserDocument {
        address: settings.address.as_str(),
        extension: settings.extension.as_deref(),
        name: &settings.name,
        email: settings.email.as_deref(),
        enabled: settings.enabled,
        skip_pin: settings.skip_pin,
        language: settings.language.as_deref().unwrap_or("en"),
        time_zone: settings.time_zone.as_deref(),
        role: role(user),
        missed_call_notices: settings.missed_call_notices,
        play_on_phone_dial_string: settings.play_on_phone_dial_string.as_deref(),
        telephone_access_folder: settings.telephone_access_folder.as_deref(),
        pin: pin_state(user.pin),
        has_password: user.has_password,
        greeting: user.greeting.kind().as_str(),
        routing: &settings.routing,
        added: super::iso_8601(user.added),
    }
}

fn role(user: &User) -> &'static str {
    match user.settings.role {
        umbel_store::Role::User => "user",
        umbel_store::Role::Administrator => "administrator",
    }
}

fn pin_state(state: PinState) -> &'static str {
    match state {
        PinState::Generated => "generated",
        PinState::Own => "own",
    }
}

const fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn add(
    admin: &mut Admin,
    address: &str,
    changes: Vec<UserChange>,
    secrets: &SecretsFromFiles,
) -> Result<(), Failure> {
    let (password, pin) = password_and_pin(secrets)?;
    let mut entry = UserEntry::new(admin.address(address)?);
    entry.changes = changes;
    entry.pin = Some(pin.map_or(NewPin::Generate, NewPin::Own));
    entry.password = password;
    admin.can_be_called(&entry, true)?;
    let set =
        admin.store.add_user(&entry, &author(), now()).map_err(|error| refused::store(error, address))?;
    admin.users_changed();
    print_pins(admin, &[set])
}

/// Prints the PINs that were made. They cannot be shown again.
fn print_pins(admin: &Admin, set: &[PinSet]) -> Result<(), Failure> {
    if admin.json {
        let documents: Vec<_> = set
            .iter()
            .map(|set| {
                serde_json::json!({
                    "address": set.address.as_str(),
                    "pin": set.generated.as_ref().map(umbel_store::Pin::reveal),
                })
            })
            .collect();
        return output::json_lines(&documents);
    }
    for set in set {
        match &set.generated {
            Some(pin) => made_pin(set.address.as_str(), pin)?,
            None => output::line(set.address.as_str())?,
        }
    }
    Ok(())
}

fn made_pin(address: &str, pin: &Pin) -> Result<(), Failure> {
    output::line(format!("{address}  PIN {}  (shown once; to be changed at the first log-in)", pin.reveal()))
}

fn show(admin: &mut Admin, user: &User) -> Result<(), Failure> {
    if admin.json {
        return output::json(&document(user));
    }
    let locked = admin.store.locked_users(user.address(), user.address(), now());
    let locked = locked.map_err(|error| refused::store(error, user.address().as_str()))?;
    let settings = &user.settings;
    let mut facts = vec![
        ("address", settings.address.to_string()),
        ("extension", settings.extension.clone().unwrap_or_default()),
        ("name", settings.name.clone()),
        ("email", settings.email.clone().unwrap_or_default()),
        ("enabled", yes_or_no(settings.enabled).to_owned()),
        ("skip_pin", yes_or_no(settings.skip_pin).to_owned()),
        ("language", settings.language.clone().unwrap_or_else(|| "en".to_owned())),
        ("time_zone", settings.time_zone.clone().unwrap_or_default()),
        ("role", role(user).to_owned()),
        ("missed_call_notices", yes_or_no(settings.missed_call_notices).to_owned()),
        ("play-on-phone-dial-string", settings.play_on_phone_dial_string.clone().unwrap_or_default()),
        ("telephone-access-folder", settings.telephone_access_folder.clone().unwrap_or_default()),
        (
            "PIN",
            match user.pin {
                PinState::Generated => "generated, to be changed at the first log-in".to_owned(),
                PinState::Own => "the user's own".to_owned(),
            },
        ),
        ("locked", locked.first().map_or("no".to_owned(), lock_text)),
        ("added", super::iso_8601(user.added)),
    ];
    let sentences = routing::sentences(admin, user).into_iter().enumerate();
    facts.extend(sentences.map(|(line, sentence)| (if line == 0 { "calls" } else { "" }, sentence)));
    output::facts(&facts)
}

/// Which doors are locked, and until when.
fn lock_text(user: &LockedUser) -> String {
    let doors = [("PIN", user.telephone), ("password", user.web)];
    let locked = doors.into_iter().filter_map(|(door, lock)| {
        let lock = super::mailbox::lock_text(lock?);
        Some(format!("{door} {lock}"))
    });
    locked.collect::<Vec<_>>().join("; ")
}

/// All users, page by page.
pub(crate) fn all(admin: &mut Admin) -> Result<Vec<User>, Failure> {
    let mut users: Vec<User> = Vec::new();
    loop {
        let after = users.last().map(User::address).cloned();
        let page = admin.store.users(after.as_ref()).map_err(|error| refused::store(error, "users"))?;
        if page.is_empty() {
            return Ok(users);
        }
        users.extend(page);
    }
}

fn list(admin: &mut Admin) -> Result<(), Failure> {
    let users = all(admin)?;
    if admin.json {
        return output::json_lines(&users.iter().map(document).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            vec![
                user.address().to_string(),
                user.settings.extension.clone().unwrap_or_default(),
                yes_or_no(user.settings.enabled).to_owned(),
                yes_or_no(user.settings.skip_pin).to_owned(),
                pin_state(user.pin).to_owned(),
                user.settings.name.clone(),
            ]
        })
        .collect();
    output::table(&["ADDRESS", "EXTENSION", "ENABLED", "SKIP PIN", "PIN", "NAME"], &rows)
}

fn set(
    admin: &mut Admin,
    text: &str,
    settings: &[String],
    new_pin: bool,
    secrets: &SecretsFromFiles,
) -> Result<(), Failure> {
    let (password, pin) = password_and_pin(secrets)?;
    // As in the column of an import, nothing for a PIN is a random one, and no secret.
    let (random, settings): (Vec<&String>, Vec<&String>) =
        settings.iter().partition(|setting| *setting == "pin=");
    let new_pin = new_pin || !random.is_empty();
    if new_pin && pin.is_some() {
        return Err(Failure::usage("a PIN is a random one or that of --pin-file, and not both"));
    }
    if settings.is_empty() && password.is_none() && pin.is_none() && !new_pin {
        return Err(Failure::usage(format!(
            "nothing to set; write KEY=VALUE with one of {}",
            names().collect::<Vec<_>>().join(", ")
        )));
    }
    let mut greeting = None;
    let user = admin.user(text)?;
    let address = user.address();
    let mut entry = UserEntry::new(address.clone());
    for setting in settings {
        match assignment(setting, &admin.config.domain)?.1 {
            Setting::Change(change) => entry.changes.push(change),
            Setting::Greeting(path) => greeting = Some(read_wav(std::path::Path::new(&path), admin.json)?),
            Setting::Elsewhere | Setting::Nothing => {}
        }
    }
    entry.pin = if new_pin { Some(NewPin::Generate) } else { pin.map(NewPin::Own) };
    entry.password = password;
    admin.can_be_called(&entry, false)?;
    let has_rules = entry.changes.iter().any(routing::is_rule);
    let made = put(admin, entry, text)?;
    let greeting = match greeting {
        Some(audio) => {
            let kind = GreetingKind::Standard;
            admin.store.set_greeting(address, kind, &audio, &author(), now())
        }
        None => Ok(()),
    };
    // Whatever became of the greeting: the PIN is shown now or never.
    changed(admin, &user, has_rules, made.as_ref())?;
    greeting.map_err(|error| refused::store(error, text))
}

/// One entry of an import: all of it, or none. Gives the PIN that was made, where one was.
fn put(admin: &mut Admin, entry: UserEntry, text: &str) -> Result<Option<Pin>, Failure> {
    let set = admin.store.put_users(&[entry], &author(), now()).map_err(|error| match error {
        StoreError::Refused(Refusal::Entry { refusal, .. }) => {
            refused::store(Refusal::from(refusal).into(), text)
        }
        other => refused::store(other, text),
    })?;
    admin.users_changed();
    Ok(set.into_iter().find_map(|set| set.generated))
}

/// The user with a PIN that was made: as the API tells both.
#[derive(Serialize)]
struct Changed<'a> {
    #[serde(flatten)]
    user: UserDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_pin: Option<&'a str>,
}

/// Says how the user is now; where routing rules were changed, with what is odd about them. A PIN that was made is shown
/// this once.
fn changed(admin: &mut Admin, before: &User, has_rules: bool, made: Option<&Pin>) -> Result<(), Failure> {
    let user = admin.user(before.address().as_str())?;
    if has_rules {
        routing::remark(admin, &user)?;
    }
    if admin.json {
        return output::json(&Changed { user: document(&user), generated_pin: made.map(Pin::reveal) });
    }
    match made {
        Some(pin) => made_pin(user.address().as_str(), pin),
        None => done(admin, &user, "changed"),
    }
}

/// The users as the import reads them, without secrets.
fn export(admin: &mut Admin) -> Result<(), Failure> {
    let users = all(admin)?;
    if admin.json {
        return output::json_lines(&users.iter().map(document).collect::<Vec<_>>());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns: Vec<&str> =
        names().filter(|column| !["pin", "password", "greeting"].contains(column)).collect();
    let internal = |error: csv::Error| Failure::new(crate::exit::Exit::Failed, "internal", error.to_string());
    writer.write_record(&columns).map_err(internal)?;
    for user in &users {
        let settings = &user.settings;
        let cell = |column: &&str| match *column {
            "address" => settings.address.as_str(),
            "extension" => settings.extension.as_deref().unwrap_or_default(),
            "name" => &settings.name,
            "email" => settings.email.as_deref().unwrap_or_default(),
            "skip_pin" => yes_or_no(settings.skip_pin),
            "enabled" => yes_or_no(settings.enabled),
            "language" => settings.language.as_deref().unwrap_or_default(),
            "time_zone" => settings.time_zone.as_deref().unwrap_or_default(),
            "role" => role(user),
            "missed_call_notices" => yes_or_no(settings.missed_call_notices),
            "play-on-phone-dial-string" => settings.play_on_phone_dial_string.as_deref().unwrap_or_default(),
            "telephone-access-folder" => settings.telephone_access_folder.as_deref().unwrap_or_default(),
            rule => settings.routing.get(rule).map(String::as_str).unwrap_or_default(),
        };
        writer.write_record(columns.iter().map(cell)).map_err(internal)?;
    }
    let bytes =
        writer.into_inner().map_err(|error| Failure::from(std::io::Error::other(error.to_string())))?;
    output::write(&bytes)
}

fn done(admin: &Admin, user: &User, what: &str) -> Result<(), Failure> {
    if admin.json {
        output::json(&serde_json::json!({ "address": user.address().as_str(), "done": what }))
    } else {
        output::line(format!("{} {what}", user.address()))
    }
}
