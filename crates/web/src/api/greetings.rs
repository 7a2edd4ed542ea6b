//! Greetings: heard, uploaded, chosen, removed.

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbel_store::{ActiveGreeting, Author, Greeting, GreetingKind, MailboxSummary, Op, Reply};
use umbel_wav::Fault;

use super::ApiError;
use super::audio;
use super::body::Body;
use super::time::iso_8601;
use crate::sound::{self, SoundRefused};
use crate::{Desk, SignedIn};

/// What a sound file may be called.
const SOUND_TYPES: [&str; 6] = [
    "audio/wav",
    "audio/x-wav",
    "audio/wave",
    "audio/vnd.wave",
    "audio/x-pn-wav",
    "application/octet-stream",
];

/// A greeting that is recorded.
#[derive(Serialize)]
struct GreetingDocument {
    kind: &'static str,
    recorded: String,
    duration_seconds: f64,
}

#[derive(Serialize)]
pub(super) struct Greetings {
    /// Which one callers hear.
    active: &'static str,
    greetings: Vec<GreetingDocument>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

impl From<MailboxSummary> for Greetings {
    fn from(mailbox: MailboxSummary) -> Self {
        let document = |greeting: &Greeting| GreetingDocument {
            kind: greeting.kind.as_str(),
            recorded: iso_8601(greeting.recorded),
            duration_seconds: greeting.format.duration(greeting.bytes).as_secs_f64(),
        };
        Greetings {
            active: mailbox.greeting.kind().as_str(),
            greetings: mailbox.greetings.iter().map(document).collect(),
            truncated: false,
        }
    }
}

fn kind(word: &str) -> Result<GreetingKind, ApiError> {
    GreetingKind::from_word(word).ok_or_else(ApiError::not_found)
}

async fn mailbox(desk: &Desk, owner: &SignedIn) -> Result<MailboxSummary, ApiError> {
    match desk.store.ask(Op::OpenMailbox { address: owner.address().clone(), at: desk.now() }).await {
        Reply::Mailbox(mailbox) => Ok(*mailbox),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

async fn done(desk: &Desk, op: Op) -> Result<(), ApiError> {
    match desk.store.ask(op).await {
        Reply::Done => Ok(()),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// `GET greetings`
pub(super) async fn list(State(desk): State<Desk>, owner: SignedIn) -> Result<Json<Greetings>, ApiError> {
    mailbox(&desk, &owner).await.map(|mailbox| Json(mailbox.into()))
}

/// `GET greetings/{kind}`
pub(super) async fn sound(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(word): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = kind(&word)?;
    let known = mailbox(&desk, &owner).await?;
    let greeting = known.greetings.iter().find(|greeting| greeting.kind == kind);
    let greeting = greeting.ok_or_else(ApiError::not_found)?;
    let tag = format!("\"{}-{}-{}\"", kind.as_str(), greeting.recorded.as_millis(), greeting.bytes);
    if let Some(unchanged) = audio::unchanged(&headers, &tag) {
        return Ok(unchanged);
    }
    match desk.store.ask(Op::FetchGreeting { mailbox: owner.address().clone(), kind }).await {
        Reply::Greeting(Some(stored)) => audio::answer(&desk, stored, &tag, &headers).await,
        Reply::Greeting(None) => Err(ApiError::not_found()),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// `PUT greetings/{kind}`: a WAV file, as `umbel mailbox greeting set` takes it.
pub(super) async fn put(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(word): Path<String>,
    headers: HeaderMap,
    body: HttpBody,
) -> Result<Response, ApiError> {
    let kind = kind(&word)?;
    let named = headers.get(CONTENT_TYPE).and_then(|named| named.to_str().ok()).unwrap_or_default();
    let named = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !SOUND_TYPES.contains(&named.as_str()) {
        return Err(unsupported("the body is to be a WAV file, audio/wav"));
    }
    let received = match desk.uploads.receive(owner.address(), body).await {
        Ok(received) => received,
        Err(not_received) => return Ok(not_received.into_response()),
    };
    // The file keeps its room and its turn until it is decoded.
    let reading = move || {
        let received = received;
        sound::read_wav(&received.octets)
    };
    let read = tokio::task::spawn_blocking(reading).await;
    let read = match read {
        Ok(read) => read.map_err(refused)?,
        Err(error) => return Err(ApiError::internal(&desk.random, &error)),
    };
    let (mailbox_of, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    done(&desk, Op::SetGreeting { mailbox: mailbox_of, kind, audio: read.audio, author, at }).await?;
    let mut greetings: Greetings = mailbox(&desk, &owner).await?.into();
    greetings.truncated = read.truncated;
    Ok(Json(greetings).into_response())
}

fn unsupported(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-audio", message)
}

fn too_large(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
}

/// SEC-105
fn refused(refused: SoundRefused) -> ApiError {
    match refused.fault {
        Fault::Unsupported => unsupported(refused.what),
        Fault::Malformed => ApiError::bad_request(refused.what),
        Fault::TooLarge => too_large(refused.what),
    }
}

/// `DELETE greetings/{kind}`
pub(super) async fn remove(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(word): Path<String>,
) -> Result<StatusCode, ApiError> {
    let kind = kind(&word)?;
    let (mailbox, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    done(&desk, Op::RemoveGreeting { mailbox, kind, author, at }).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    greeting: ActiveGreeting,
}

/// `PUT greetings/active`
pub(super) async fn choose(
    State(desk): State<Desk>,
    owner: SignedIn,
    Body(choice): Body<Choice>,
) -> Result<Response, ApiError> {
    let (mailbox_of, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    done(&desk, Op::ChooseGreeting { mailbox: mailbox_of, greeting: choice.greeting, author, at }).await?;
    let greetings: Greetings = mailbox(&desk, &owner).await?.into();
    Ok(Json(greetings).into_response())
}
