//! PINs and passwords: changed by whoever knows the one in force, or a new PIN mailed to its owner.
//!
//! That somebody signed in is not enough: the old secret is asked again, at the same door and with the same locks as
//! at sign-in (SEC-85, SEC-103). A new one ends every session and every remembered password at once (SEC-102, DEC-34).

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use umbel_store::{Address, Author, Lock, NewPin, Op, Password, Pin, Reply, Verdict};

use super::ApiError;
use super::body::Body;
use super::users::{author, invalid, named};
use crate::{Administrator, AsWritten, Client, Desk, NotSignedIn, SignedIn};

/// Shortest password that users choose for themselves, in characters. Administrators may set any.
const PASSWORD_CHARS_MIN: usize = 8;

/// The secret in force, and the one in its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    #[serde(deserialize_with = "text")]
    current: String,
    #[serde(deserialize_with = "text")]
    new: String,
}

/// A text. What is none is not repeated in the refusal: it may be a PIN that lacks its quotes.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        _ => Err(serde::de::Error::custom("a text is needed")),
    }
}

/// Why a secret stays as it is.
pub(super) enum Unchanged {
    /// The old one was not looked at: too many wrong ones came, or the store does not answer.
    NotTried(NotSignedIn),
    /// The old one was wrong, or the new one breaks a rule.
    Refused(ApiError),
    /// Too many wrong ones in a row: the door is locked for so many seconds, or until it is unlocked.
    Locked(Option<u64>),
}

impl IntoResponse for Unchanged {
    fn into_response(self) -> Response {
        let locked = |how| {
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "locked", format!("too many wrong ones: {how}"))
        };
        match self {
            Unchanged::NotTried(why) => why.into_response(),
            Unchanged::Refused(error) => error.into_response(),
            Unchanged::Locked(Some(seconds)) => {
                ([(RETRY_AFTER, seconds.to_string())], locked("try again later")).into_response()
            }
            Unchanged::Locked(None) => locked("an administrator has to unlock it").into_response(),
        }
    }
}

impl From<NotSignedIn> for Unchanged {
    fn from(why: NotSignedIn) -> Self {
        Unchanged::NotTried(why)
    }
}

impl From<ApiError> for Unchanged {
    fn from(error: ApiError) -> Self {
        Unchanged::Refused(error)
    }
}

/// `PUT me/pin`: the rules are those of `[pin]`, as by telephone.
pub(super) async fn change_pin(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    owner: SignedIn,
    Body(change): Body<Change>,
) -> Result<StatusCode, Unchanged> {
    let read = |digits: &str| Pin::new(digits).map_err(|error| invalid(error.to_string()));
    let (current, new) = (read(&change.current)?, read(&change.new)?);
    let verdict = desk.try_pin(client, owner.address().clone(), current).await?;
    admit(&desk, verdict, "wrong-pin", "the current PIN is another one")?;
    let (address, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    match desk.store.ask(Op::SetPin { address, pin: NewPin::Own(new), author, at }).await {
        Reply::PinSet(_) => Ok(StatusCode::NO_CONTENT),
        other => Err(ApiError::store(&desk.random, &other).into()),
    }
}

/// `PUT me/password`: telephones use it too, by digest, from then on.
pub(super) async fn change_password(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    owner: SignedIn,
    Body(change): Body<Change>,
) -> Result<StatusCode, Unchanged> {
    let read = |text: &str| Password::new(text).ok_or_else(|| invalid("from 1 to 1,024 octets".to_owned()));
    let (current, new) = (read(&change.current)?, read(&change.new)?);
    let is_same = current == new;
    let verdict = desk.try_password(client, owner.address().clone(), current).await?;
    admit(&desk, verdict, "wrong-password", "the current password is another one")?;
    let weak = |why: String| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak-password", why);
    if new.reveal().chars().count() < PASSWORD_CHARS_MIN {
        return Err(weak(format!("a password has at least {PASSWORD_CHARS_MIN} characters")).into());
    }
    if is_same {
        return Err(weak("this is the current password".to_owned()).into());
    }
    let (address, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    match desk.store.ask(Op::SetPassword { address, password: new, author, at }).await {
        Reply::Done => Ok(StatusCode::NO_CONTENT),
        other => Err(ApiError::store(&desk.random, &other).into()),
    }
}

/// Whoever is signed in knows that the user exists: a lock may be told.
fn admit(desk: &Desk, verdict: Verdict, code: &'static str, wrong: &'static str) -> Result<(), Unchanged> {
    let seconds = |until: umbel_time::UnixTime| until.since(desk.now()).as_secs().saturating_add(1);
    match verdict {
        Verdict::Right { .. } => Ok(()),
        Verdict::Wrong { .. } => Err(ApiError::new(StatusCode::FORBIDDEN, code, wrong).into()),
        Verdict::Locked(Lock::Until(until)) => Err(Unchanged::Locked(Some(seconds(until)))),
        Verdict::Locked(Lock::ForGood) => Err(Unchanged::Locked(None)),
        Verdict::CallerLocked { until } => Err(NotSignedIn::TooMany(seconds(until)).into()),
    }
}

/// `POST me/pin/reset`: a new PIN by mail, as `ResetPIN` of [MS-OXWUMS].
pub(super) async fn reset_own_pin(State(desk): State<Desk>, owner: SignedIn) -> Result<StatusCode, ApiError> {
    reset_pin(&desk, owner.address().clone(), Author::OwnerByWeb).await
}

/// `POST users/{address}/pin/reset`: the administrator does not learn it.
pub(super) async fn reset_pin_of_other(
    State(desk): State<Desk>,
    administrator: Administrator,
    Extension(written): Extension<AsWritten>,
) -> Result<StatusCode, ApiError> {
    let user = named(&desk, &written).await?;
    reset_pin(&desk, user.address().clone(), author(&administrator)).await
}

/// `POST users/{address}/unlock`: both doors, whatever was wrong at them before (SEC-85).
pub(super) async fn unlock(
    State(desk): State<Desk>,
    administrator: Administrator,
    Extension(written): Extension<AsWritten>,
) -> Result<StatusCode, ApiError> {
    let user = named(&desk, &written).await?;
    let (address, author, at) = (user.address().clone(), author(&administrator), desk.now());
    match desk.store.ask(Op::Unlock { address, author, at }).await {
        Reply::Done => Ok(StatusCode::NO_CONTENT),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

async fn reset_pin(desk: &Desk, address: Address, author: Author) -> Result<StatusCode, ApiError> {
    match desk.store.ask(Op::ResetPinByMail { address, author, at: desk.now() }).await {
        Reply::Done => Ok(StatusCode::NO_CONTENT),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
