//! Messages: listed newest first, heard, marked, deleted, brought back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbel_store::{
    Address, Author, Folder, Importance, LIST_MAX, MessageId, MessageState, Op, Reply, VoiceMessage,
};

use super::ApiError;
use super::audio;
use super::body::{Asked, Body};
use super::item::ItemDocument;
use crate::{Desk, SignedIn};

/// Messages in one answer, where nothing else is asked for.
const PAGE: usize = 50;
/// Most messages in one answer.
const PAGE_MAX: usize = 500;
/// Longest search; a longer one is refused.
const SEARCH_CHARS_MAX: usize = 256;

/// The largest number that every program's JSON can carry.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// A message as programs see it (contract, section 2).
#[derive(Serialize)]
struct MessageDocument {
    #[serde(flatten)]
    item: ItemDocument,
    importance: &'static str,
    duration_seconds: f64,
    incomplete: bool,
    damaged: bool,
}

impl From<VoiceMessage> for MessageDocument {
    fn from(message: VoiceMessage) -> Self {
        MessageDocument {
            importance: message.importance.as_str(),
            duration_seconds: message.duration.as_secs_f64(),
            incomplete: message.incomplete,
            damaged: message.damaged,
            item: message.into(),
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
    importance: Option<WantedImportance>,
    search: Option<String>,
    limit: Option<usize>,
    before: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WantedImportance {
    Low,
    Normal,
    High,
}

impl From<WantedImportance> for Importance {
    fn from(wanted: WantedImportance) -> Self {
        match wanted {
            WantedImportance::Low => Importance::Low,
            WantedImportance::Normal => Importance::Normal,
            WantedImportance::High => Importance::High,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WantedState {
    New,
    Old,
    Deleted,
    Kept,
}

/// How many of a list are wanted, where both that and the place to begin before are within their bounds.
pub(super) fn page_limit(limit: Option<usize>, before: Option<u64>) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit: from 1 to {PAGE_MAX}")));
    }
    if before.is_some_and(|before| before > NUMBER_MAX) {
        return Err(ApiError::bad_request(format!("before: at most {NUMBER_MAX}")));
    }
    Ok(limit)
}

/// `GET messages`
pub(super) async fn list(
    State(desk): State<Desk>,
    owner: SignedIn,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page>, ApiError> {
    let limit = page_limit(wanted.limit, wanted.before)?;
    let folder = match wanted.state.unwrap_or(WantedState::Kept) {
        WantedState::New => Folder::In(MessageState::New),
        WantedState::Old => Folder::In(MessageState::Old),
        WantedState::Deleted => Folder::In(MessageState::Deleted),
        WantedState::Kept => Folder::Kept,
    };
    let looked_for = Search {
        words: wanted.search.as_deref().map(words).transpose()?.unwrap_or_default(),
        importance: wanted.importance.map(Into::into),
    };
    let mut found = latest(&desk, owner.address(), folder, &looked_for, wanted.before, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let messages: Vec<MessageDocument> = found.into_iter().map(MessageDocument::from).collect();
    let next = messages.last().filter(|_| more).map(|message| message.item.number);
    Ok(Json(Page { messages, next }))
}

/// The words of a search, without regard to case.
fn words(text: &str) -> Result<Vec<String>, ApiError> {
    if text.chars().count() > SEARCH_CHARS_MAX {
        return Err(ApiError::bad_request(format!("search: at most {SEARCH_CHARS_MAX} characters")));
    }
    Ok(text.split_whitespace().map(str::to_lowercase).collect())
}

/// What a message has to have to be listed.
struct Search {
    /// Each is part of the caller's name or number, or of the subject.
    words: Vec<String>,
    importance: Option<Importance>,
}

impl Search {
    fn is_for_all(&self) -> bool {
        self.words.is_empty() && self.importance.is_none()
    }

    fn finds(&self, message: &VoiceMessage) -> bool {
        if self.importance.is_some_and(|importance| importance != message.importance) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        let caller = &message.caller;
        let name = caller.name.as_deref().unwrap_or_default();
        let text = format!("{name}\n{}\n{}", caller.id, message.subject).to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}

/// The newest messages of a folder that are looked for, at most `limit`. Without a search the store is asked once;
/// with one, page after page until enough are found: a mailbox ends.
async fn latest(
    desk: &Desk,
    mailbox: &Address,
    folder: Folder,
    looked_for: &Search,
    mut before: Option<u64>,
    limit: usize,
) -> Result<Vec<VoiceMessage>, ApiError> {
    let page_size = if looked_for.is_for_all() { limit } else { LIST_MAX };
    let mut found = Vec::new();
    loop {
        let op = Op::ListLatestMessages { mailbox: mailbox.clone(), folder, before, limit: page_size };
        let page = match desk.store.ask(op).await {
            Reply::Messages(page) => page,
            other => return Err(ApiError::store(&desk.random, &other)),
        };
        let is_last = page.len() < page_size;
        before = page.last().map(|message| message.number);
        found.extend(page.into_iter().filter(|message| looked_for.finds(message)));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
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

/// Heard or looked at, or not.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Heard {
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
