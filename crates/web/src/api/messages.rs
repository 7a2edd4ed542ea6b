//! Messages: listed newest first, heard, marked, deleted, brought back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbel_store::{Address, Author, Folder, LIST_MAX, MessageId, MessageState, Op, Reply, VoiceMessage};

use super::ApiError;
use super::audio;
use super::body::{Asked, Body};
use super::time::iso_8601;
use crate::{Desk, SignedIn};

/// Messages in one answer, where nothing else is asked for.
const PAGE: usize = 50;
/// Most messages in one answer.
const PAGE_MAX: usize = 500;

/// The largest number that every program's JSON can carry.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// A message as programs see it (contract, section 2).
#[derive(Serialize)]
struct MessageDocument {
    id: String,
    mailbox: String,
    number: u64,
    caller: String,
    caller_name: Option<String>,
    caller_verified: bool,
    subject: String,
    importance: &'static str,
    received: String,
    duration_seconds: f64,
    state: &'static str,
    incomplete: bool,
    damaged: bool,
    call_id: String,
}

impl From<VoiceMessage> for MessageDocument {
    fn from(message: VoiceMessage) -> Self {
        MessageDocument {
            id: message.id.to_string(),
            mailbox: message.mailbox.to_string(),
            number: message.number,
            caller: message.caller.id,
            caller_name: message.caller.name,
            caller_verified: message.caller.verified,
            subject: message.subject,
            importance: message.importance.as_str(),
            received: iso_8601(message.received),
            duration_seconds: message.duration.as_secs_f64(),
            state: message.state.as_str(),
            incomplete: message.incomplete,
            damaged: message.damaged,
            call_id: message.call_id,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Page {
    messages: Vec<MessageDocument>,
    /// Where the next page begins; none where this is the last.
    next: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    state: Option<WantedState>,
    limit: Option<usize>,
    before: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WantedState {
    New,
    Old,
    Deleted,
    Kept,
}

/// `GET messages`
pub(super) async fn list(
    State(desk): State<Desk>,
    owner: SignedIn,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page>, ApiError> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit: from 1 to {PAGE_MAX}")));
    }
    if wanted.before.is_some_and(|before| before > NUMBER_MAX) {
        return Err(ApiError::bad_request(format!("before: at most {NUMBER_MAX}")));
    }
    let folder = match wanted.state.unwrap_or(WantedState::Kept) {
        WantedState::New => Folder::In(MessageState::New),
        WantedState::Old => Folder::In(MessageState::Old),
        WantedState::Deleted => Folder::In(MessageState::Deleted),
        WantedState::Kept => Folder::Kept,
    };
    let mut found = all(&desk, owner.address(), folder).await?;
    if let Some(before) = wanted.before {
        found.retain(|message| message.number < before);
    }
    let more = found.len() > limit;
    let newest_first = found.into_iter().rev().take(limit);
    let messages: Vec<MessageDocument> = newest_first.map(MessageDocument::from).collect();
    let next = messages.last().filter(|_| more).map(|message| message.number);
    Ok(Json(Page { messages, next }))
}

/// All messages of a folder, oldest first. A mailbox has some hundreds (REL-10).
async fn all(desk: &Desk, mailbox: &Address, folder: Folder) -> Result<Vec<VoiceMessage>, ApiError> {
    let mut found: Vec<VoiceMessage> = Vec::new();
    loop {
        let after = found.last().map(|message| message.number);
        match desk.store.ask(Op::ListMessages { mailbox: mailbox.clone(), folder, after }).await {
            Reply::Messages(page) => {
                let is_last = page.len() < LIST_MAX;
                found.extend(page);
                if is_last {
                    return Ok(found);
                }
            }
            other => return Err(ApiError::store(&desk.random, &other)),
        }
    }
}

/// A message of the owner's. Another's is as unknown as one that never was (SEC-99).
async fn find(desk: &Desk, owner: &SignedIn, id: &str) -> Result<VoiceMessage, ApiError> {
    let id: MessageId = id.parse().map_err(|_| ApiError::not_found())?;
    match desk.store.ask(Op::FindMessage(id)).await {
        Reply::Message(Some(message)) if message.mailbox == *owner.address() => Ok(*message),
        Reply::Message(_) => Err(ApiError::not_found()),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// `GET messages/{id}`
pub(super) async fn show(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<impl Serialize>, ApiError> {
    find(&desk, &owner, &id).await.map(|message| Json(MessageDocument::from(message)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    state: Heard,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Heard {
    New,
    Old,
}

/// `PATCH messages/{id}`: the one way by which a message is marked as heard.
pub(super) async fn change(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
    Body(change): Body<Change>,
) -> Result<Json<impl Serialize>, ApiError> {
    let message = find(&desk, &owner, &id).await?;
    if message.state == MessageState::Deleted {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "deleted",
            "the message is deleted; restore it first",
        ));
    }
    let heard = matches!(change.state, Heard::Old);
    let op = Op::MarkHeard { mailbox: owner.address().clone(), id: message.id, heard };
    done(&desk, op).await?;
    find(&desk, &owner, &id).await.map(|message| Json(MessageDocument::from(message)))
}

/// `DELETE messages/{id}`: it can be restored for 14 days.
pub(super) async fn delete(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let message = find(&desk, &owner, &id).await?;
    let (mailbox, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    done(&desk, Op::DeleteMessage { mailbox, id: message.id, author, at }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST messages/{id}/restore`
pub(super) async fn restore(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<impl Serialize>, ApiError> {
    let message = find(&desk, &owner, &id).await?;
    let (mailbox, author, at) = (owner.address().clone(), Author::OwnerByWeb, desk.now());
    done(&desk, Op::RestoreMessage { mailbox, id: message.id, author, at }).await?;
    find(&desk, &owner, &id).await.map(|message| Json(MessageDocument::from(message)))
}

/// `GET messages/{id}/audio`
pub(super) async fn sound(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let message = find(&desk, &owner, &id).await?;
    // What was recorded is never changed.
    let tag = format!("\"{}\"", message.id);
    if let Some(unchanged) = audio::unchanged(&headers, &tag) {
        return Ok(unchanged);
    }
    match desk.store.ask(Op::FetchMessage { mailbox: owner.address().clone(), id: message.id }).await {
        Reply::Audio(stored) => audio::answer(&desk, stored, &tag, &headers).await,
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

async fn done(desk: &Desk, op: Op) -> Result<(), ApiError> {
    match desk.store.ask(op).await {
        Reply::Done => Ok(()),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}
