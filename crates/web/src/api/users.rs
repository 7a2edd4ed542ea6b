//! The user who signed in, and for administrators, all users: what is set, never what was left for them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use umbel_play_on_phone::Number;
use umbel_store::{
    Address, Author, Counts, IsPilot, Lock, LockedUser, Lookup, MailboxSummary, NewPin, Op, Password, Pin,
    PinState, Reply, Role, User, UserChange, UserEntry,
};

use super::ApiError;
use super::body::{Asked, Body};
use super::time::iso_8601;
use crate::{Administrator, AsWritten, Desk, Destination, Setting, SignedIn};

/// Which segment of the path is the address.
const ADDRESS: usize = 3;

/// What users may set for themselves. Who they are, how they are reached and where their messages are mailed to is
/// for administrators: a stolen password is not to redirect anybody's mail (SEC-92).
const OWN: [&str; 4] = ["language", "time_zone", "missed_call_notices", "play_on_phone_dial_string"];

/// A user as programs see it: the columns of the import, and what follows from them.
#[derive(Serialize)]
struct UserDocument {
    address: String,
    name: String,
    extension: Option<String>,
    email: Option<String>,
    role: &'static str,
    enabled: bool,
    skip_pin: bool,
    language: String,
    time_zone: Option<String>,
    missed_call_notices: bool,
    play_on_phone_dial_string: Option<String>,
    greeting: &'static str,
    pin_state: &'static str,
    has_password: bool,
    /// Sign-in by PIN or by password is not looked at now.
    locked: bool,
    /// When that ends by itself; absent where an administrator has to end it.
    locked_until: Option<String>,
    /// Routing rules that are set, in their own words.
    routing: BTreeMap<String, String>,
    added: String,
}

/// Numbers of messages.
#[derive(Serialize)]
pub(super) struct CountsDocument {
    new: u32,
    old: u32,
    deleted: u32,
}

impl From<Counts> for CountsDocument {
    fn from(counts: Counts) -> Self {
        CountsDocument { new: counts.new, old: counts.old, deleted: counts.deleted }
    }
}

#[derive(Serialize)]
pub(super) struct Me {
    #[serde(flatten)]
    user: UserDocument,
    counts: CountsDocument,
    /// No further message fits.
    full: bool,
}

fn document(desk: &Desk, user: &User, lock: Option<Lock>) -> UserDocument {
    let settings = &user.settings;
    UserDocument {
        address: settings.address.to_string(),
        name: settings.name.clone(),
        extension: settings.extension.clone(),
        email: settings.email.clone(),
        role: match settings.role {
            Role::User => "user",
            Role::Administrator => "administrator",
        },
        enabled: settings.enabled,
        skip_pin: settings.skip_pin,
        language: settings.language.clone().unwrap_or_else(|| desk.settings().language.clone()),
        time_zone: settings.time_zone.clone(),
        missed_call_notices: settings.missed_call_notices,
        play_on_phone_dial_string: settings.play_on_phone_dial_string.clone(),
        greeting: user.greeting.kind().as_str(),
        pin_state: match user.pin {
            PinState::Generated => "generated",
            PinState::Own => "own",
        },
        has_password: user.has_password,
        locked: lock.is_some(),
        locked_until: match lock {
            Some(Lock::Until(time)) => Some(iso_8601(time)),
            Some(Lock::ForGood) | None => None,
        },
        routing: settings.routing.clone(),
        added: iso_8601(user.added),
    }
}

/// Users for whom a door is locked, from one to another.
async fn locked(desk: &Desk, first: &Address, last: &Address) -> Result<Vec<LockedUser>, ApiError> {
    let op = Op::ListLocked { first: first.clone(), last: last.clone(), at: desk.now() };
    match desk.store.ask(op).await {
        Reply::LockedUsers(locked) => Ok(locked),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// A user as administrators see them.
async fn full_document(desk: &Desk, user: &User) -> Result<UserDocument, ApiError> {
    let lock = locked(desk, user.address(), user.address()).await?.first().and_then(LockedUser::longest);
    Ok(document(desk, user, lock))
}

async fn summary(desk: &Desk, owner: &SignedIn) -> Result<MailboxSummary, ApiError> {
    match desk.store.ask(Op::OpenMailbox { address: owner.address().clone(), at: desk.now() }).await {
        Reply::Mailbox(mailbox) => Ok(*mailbox),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// `GET me`
pub(super) async fn me(State(desk): State<Desk>, owner: SignedIn) -> Result<Json<impl Serialize>, ApiError> {
    let mailbox = summary(&desk, &owner).await?;
    // Whoever signed in came by the other door.
    let user = document(&desk, &owner.user, mailbox.locked);
    Ok(Json(Me { user, counts: mailbox.counts.into(), full: mailbox.full }))
}

/// What a body sets: columns of the import and routing rules, by name.
type Wanted = BTreeMap<String, Value>;

/// Columns that are true or false here, and yes or no in the import.
const YES_OR_NO: [&str; 3] = ["enabled", "skip_pin", "missed_call_notices"];

/// The words of a value, as a column of the import has them.
fn words(column: &str, value: &Value) -> Result<String, ApiError> {
    let is_switch = YES_OR_NO.contains(&column);
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(true) if is_switch => Ok("yes".to_owned()),
        Value::Bool(false) if is_switch => Ok("no".to_owned()),
        Value::String(text) if !is_switch => Ok(text.clone()),
        _ if is_switch => Err(ApiError::bad_request(format!("{column}: true, false or null"))),
        _ => Err(ApiError::bad_request(format!("{column}: a text or null"))),
    }
}

/// The changes that a body asks for, and whom calls would be sent on to; `may` says of which columns.
fn changes(desk: &Desk, wanted: &Wanted, may: impl Fn(&str) -> bool) -> Result<Vec<Setting>, ApiError> {
    let domain = &desk.settings().domain;
    let mut changes = Vec::new();
    for (column, value) in wanted {
        if column == "routing" {
            let Value::Object(rules) = value else {
                return Err(ApiError::bad_request("routing: an object of rules"));
            };
            for (rule, value) in rules {
                let words = words(rule, value)?;
                match (desk.read_setting)(rule, &words, domain).map_err(invalid)? {
                    setting @ Setting { change: UserChange::Routing { .. }, .. } => changes.push(setting),
                    _ => return Err(invalid(format!("routing: there is no rule `{rule}`"))),
                }
            }
        } else if may(column) {
            let words = words(column, value)?;
            changes.push((desk.read_setting)(column, &words, domain).map_err(invalid)?);
        } else {
            return Err(ApiError::bad_request(format!("{column}: cannot be set here")));
        }
    }
    Ok(changes)
}

/// What an administrator asks for: calls may be sent anywhere.
fn changes_of_any(desk: &Desk, wanted: &Wanted) -> Result<Vec<UserChange>, ApiError> {
    let settings = changes(desk, wanted, |_| true)?;
    Ok(settings.into_iter().map(|setting| setting.change).collect())
}

/// SEC-90: whoever learns a password is not to send calls to numbers that cost money. What is so already, an
/// administrator may have set.
async fn may_send_on(desk: &Desk, owner: &User, setting: &Setting) -> Result<(), ApiError> {
    if let UserChange::Routing { key, value: Some(value) } = &setting.change
        && owner.settings.routing.get(key) == Some(value)
    {
        return Ok(());
    }
    for destination in &setting.sends_to {
        if !is_dialled(desk, destination).await? {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "not-allowed",
                "calls are sent on to users here, and to numbers that the dialling rules allow",
            ));
        }
    }
    Ok(())
}

/// Whether the owner could call there too (SEC-44).
async fn is_dialled(desk: &Desk, destination: &Destination) -> Result<bool, ApiError> {
    let Destination::Here(user) = destination else { return Ok(false) };
    let settings = desk.settings();
    let mut names = vec![Lookup::Extension(user.clone())];
    names.extend(Address::new(user, &settings.domain).ok().map(Lookup::Address));
    for name in names {
        match desk.store.ask(Op::FindUser(name)).await {
            Reply::User(Some(_)) => return Ok(true),
            Reply::User(None) => {}
            other => return Err(ApiError::store(&desk.random, &other)),
        }
    }
    Ok(Number::read(user).is_some_and(|number| settings.dialling.allowing(&number).is_some()))
}

pub(super) fn invalid(what: String) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", what)
}

async fn change(
    desk: &Desk,
    address: Address,
    changes: Vec<UserChange>,
    author: Author,
) -> Result<User, ApiError> {
    match desk.store.ask(Op::ChangeUser { address, changes, author, at: desk.now() }).await {
        Reply::User(Some(user)) => Ok(*user),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// `PATCH me`
pub(super) async fn change_me(
    State(desk): State<Desk>,
    owner: SignedIn,
    Body(wanted): Body<Wanted>,
) -> Result<Json<impl Serialize>, ApiError> {
    let settings = changes(&desk, &wanted, |column| OWN.contains(&column))?;
    for setting in &settings {
        may_send_on(&desk, &owner.user, setting).await?;
    }
    let changes = settings.into_iter().map(|setting| setting.change).collect();
    let user = change(&desk, owner.address().clone(), changes, Author::OwnerByWeb).await?;
    let mailbox = summary(&desk, &owner).await?;
    let user = document(&desk, &user, mailbox.locked);
    Ok(Json(Me { user, counts: mailbox.counts.into(), full: mailbox.full }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    after: Option<Address>,
}

#[derive(Serialize)]
pub(super) struct Users {
    users: Vec<UserDocument>,
    /// The last address, where there may be more after it.
    next: Option<String>,
}

/// `GET users`
pub(super) async fn list(
    State(desk): State<Desk>,
    _administrator: Administrator,
    Asked(After { after }): Asked<After>,
) -> Result<Json<impl Serialize>, ApiError> {
    match desk.store.ask(Op::ListUsers { after }).await {
        Reply::Users(users) => {
            let next = users.last().filter(|_| users.len() >= umbel_store::LIST_MAX);
            let next = next.map(|user| user.address().to_string());
            let locked = match (users.first(), users.last()) {
                (Some(first), Some(last)) => locked(&desk, first.address(), last.address()).await?,
                _ => Vec::new(),
            };
            let locks: BTreeMap<_, _> = locked.iter().map(|user| (&user.address, user.longest())).collect();
            let lock = |user: &User| locks.get(user.address()).copied().flatten();
            let users = users.iter().map(|user| document(&desk, user, lock(user))).collect();
            Ok(Json(Users { users, next }))
        }
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// The user whom the path names, by address or by extension of ours.
pub(super) async fn named(desk: &Desk, written: &AsWritten) -> Result<User, ApiError> {
    let text = written.segment(ADDRESS).ok_or_else(ApiError::not_found)?;
    let address = text.parse::<Address>().or_else(|_| Address::new(&text, &desk.settings().domain));
    let lookup = Lookup::Address(address.map_err(|_| ApiError::not_found())?);
    match desk.store.ask(Op::FindUser(lookup)).await {
        Reply::User(user) => user.map(|user| *user).ok_or_else(ApiError::not_found),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

pub(super) fn author(administrator: &Administrator) -> Author {
    Author::Administrator(administrator.0.address().to_string())
}

/// `GET users/{address}`
pub(super) async fn show(
    State(desk): State<Desk>,
    _administrator: Administrator,
    Extension(written): Extension<AsWritten>,
) -> Result<Json<impl Serialize>, ApiError> {
    let user = named(&desk, &written).await?;
    full_document(&desk, &user).await.map(Json)
}

/// A user who was added or changed.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    user: UserDocument,
    /// A PIN that was made, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_pin: Option<String>,
}

/// The secrets of a body, taken out of it.
fn secrets(wanted: &mut Wanted) -> Result<(Option<NewPin>, Option<Password>), ApiError> {
    let mut text = |key: &str| match wanted.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::bad_request(format!("{key}: a text or null"))),
    };
    let pin = match text("pin")?.as_deref() {
        None => None,
        // As in the import: an empty cell makes one.
        Some("") => Some(NewPin::Generate),
        Some(digits) => Some(NewPin::Own(Pin::new(digits).map_err(|error| invalid(error.to_string()))?)),
    };
    let password = text("password")?;
    let password = password.map(|text| {
        Password::new(&text).ok_or_else(|| invalid("password: from 1 to 1,024 octets".to_owned()))
    });
    Ok((pin, password.transpose()?))
}

/// Refuses names under which nobody could be called.
fn can_be_called(desk: &Desk, entry: &UserEntry, is_new: bool) -> Result<(), ApiError> {
    let names = entry.new_names(is_new);
    umbel_store::no_pilot(names, &desk.settings().telephone_access_numbers)
        .map_err(|why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, IsPilot::CODE, why.to_string()))
}

/// `POST users`
pub(super) async fn add(
    State(desk): State<Desk>,
    administrator: Administrator,
    Body(mut wanted): Body<Wanted>,
) -> Result<Response, ApiError> {
    let address = match wanted.remove("address") {
        Some(Value::String(text)) => text.parse::<Address>().map_err(|error| invalid(error.to_string()))?,
        _ => return Err(ApiError::bad_request("address: a text is needed")),
    };
    if address.domain() != desk.settings().domain {
        return Err(invalid(format!("address: users are in {}", desk.settings().domain)));
    }
    let (pin, password) = secrets(&mut wanted)?;
    let mut entry = UserEntry::new(address.clone());
    entry.changes = changes_of_any(&desk, &wanted)?;
    entry.pin = Some(pin.unwrap_or(NewPin::Generate));
    entry.password = password;
    can_be_called(&desk, &entry, true)?;
    let op = Op::AddUser { entry: Box::new(entry), author: author(&administrator), at: desk.now() };
    let set = match desk.store.ask(op).await {
        Reply::PinSet(set) => set,
        other => return Err(ApiError::store(&desk.random, &other)),
    };
    let user = match desk.store.ask(Op::FindUser(Lookup::Address(address.clone()))).await {
        Reply::User(Some(user)) => full_document(&desk, &user).await?,
        other => return Err(ApiError::store(&desk.random, &other)),
    };
    let generated_pin = set.generated.map(|pin| pin.reveal().to_owned());
    let location = format!("/api/v1/users/{}", encoded(&address));
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(Made { user, generated_pin })).into_response())
}

/// An address as a segment of a path.
fn encoded(address: &Address) -> String {
    percent_encoding::utf8_percent_encode(address.as_str(), percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// `PATCH users/{address}`
pub(super) async fn change_other(
    State(desk): State<Desk>,
    administrator: Administrator,
    Extension(written): Extension<AsWritten>,
    Body(mut wanted): Body<Wanted>,
) -> Result<Json<impl Serialize>, ApiError> {
    let user = named(&desk, &written).await?;
    let address = user.address().clone();
    let (pin, password) = secrets(&mut wanted)?;
    let changes = changes_of_any(&desk, &wanted)?;
    let mut entry = UserEntry::new(address.clone());
    (entry.changes, entry.pin, entry.password) = (changes, pin, password);
    can_be_called(&desk, &entry, false)?;
    let op = Op::PutUsers { entries: vec![entry], author: author(&administrator), at: desk.now() };
    let set = match desk.store.ask(op).await {
        Reply::PinsSet(set) => set,
        other => return Err(ApiError::store(&desk.random, &other)),
    };
    let generated_pin = set.into_iter().find_map(|set| set.generated).map(|pin| pin.reveal().to_owned());
    let user = named(&desk, &written).await?;
    Ok(Json(Made { user: full_document(&desk, &user).await?, generated_pin }))
}

/// `DELETE users/{address}`: with the mailbox and everything in it.
pub(super) async fn remove(
    State(desk): State<Desk>,
    administrator: Administrator,
    Extension(written): Extension<AsWritten>,
) -> Result<StatusCode, ApiError> {
    let user = named(&desk, &written).await?;
    if user.address() == administrator.0.address() {
        // Whoever removes the last administrator by mistake has nobody left to add one.
        return Err(ApiError::new(StatusCode::CONFLICT, "own-account", "nobody removes himself here"));
    }
    let op =
        Op::RemoveUser { address: user.address().clone(), author: author(&administrator), at: desk.now() };
    match desk.store.ask(op).await {
        Reply::Done => Ok(StatusCode::NO_CONTENT),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}
