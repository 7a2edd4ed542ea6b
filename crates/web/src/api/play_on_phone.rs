//! Play on Phone by JSON: asked for, followed, ended (sip-extensions 10, DEC-23 to DEC-26).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use umbel_play_on_phone::{CallState, EventCause, PhoneCallId, Played, Refusal, Status};
use umbel_store::{GreetingKind, MessageId};

use super::ApiError;
use super::body::Body;
use crate::{Desk, SignedIn};

/// Longest number or address that is asked for; no dial string of ours is longer.
const NUMBER_CHARS_MAX: usize = 256;

/// How a call stands, with SIP's own words (DEC-26).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneCallDocument {
    /// The name of the call.
    pub id: String,
    /// `UMCallState`.
    pub state: CallState,
    /// `UMEventCause`.
    pub cause: EventCause,
    /// The latest response's code.
    pub sip_code: Option<u16>,
    /// Its reason phrase.
    pub sip_reason: Option<String>,
}

impl PhoneCallDocument {
    /// How the call of this id stands.
    pub fn new(id: PhoneCallId, status: Status) -> Self {
        let (sip_code, sip_reason) = status.response.unzip();
        PhoneCallDocument {
            id: id.to_string(),
            state: status.state,
            cause: status.cause,
            sip_code,
            sip_reason,
        }
    }
}

/// What is asked for: a message or a greeting, and where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    message_id: Option<String>,
    greeting: Option<GreetingKind>,
    number: Option<String>,
}

/// `POST play-on-phone`
pub(super) async fn play(
    State(desk): State<Desk>,
    owner: SignedIn,
    Body(wanted): Body<Wanted>,
) -> Result<Response, ApiError> {
    let played = match (wanted.message_id, wanted.greeting) {
        (Some(id), None) => {
            let id: MessageId = id.parse().map_err(|_| refused(Refusal::UnknownItem))?;
            Played::Message(id)
        }
        (None, Some(kind)) => Played::Greeting(kind),
        _ => return Err(ApiError::bad_request("either message_id or greeting, and not both")),
    };
    let number = wanted.number.filter(|number| !number.is_empty());
    if number.as_ref().is_some_and(|number| number.chars().count() > NUMBER_CHARS_MAX) {
        return Err(refused(Refusal::NotANumber));
    }
    let id = desk.phone_calls.play(owner.address().clone(), played, number).await.map_err(refused)?;
    let document = status(&desk, &owner, id)?;
    let location = format!("/api/v1/play-on-phone/{id}");
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(document)).into_response())
}

/// One table: what each refusal is to a program.
fn refused(refusal: Refusal) -> ApiError {
    let (status, code) = match refusal {
        Refusal::UnknownItem => (StatusCode::NOT_FOUND, "unknown-item"),
        Refusal::NotANumber => (StatusCode::UNPROCESSABLE_ENTITY, "not-a-number"),
        Refusal::NotAllowed => (StatusCode::FORBIDDEN, "not-allowed"),
        Refusal::CallInProgress => (StatusCode::CONFLICT, "call-in-progress"),
        Refusal::TooManyCalls => (StatusCode::TOO_MANY_REQUESTS, "too-many-calls"),
        Refusal::NotEnabled => (StatusCode::CONFLICT, "not-enabled"),
        Refusal::NoGateway => (StatusCode::CONFLICT, "no-gateway"),
        Refusal::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    ApiError::new(status, code, refusal.to_string())
}

fn status(desk: &Desk, owner: &SignedIn, id: PhoneCallId) -> Result<PhoneCallDocument, ApiError> {
    let status = desk.phone_calls.status(owner.address(), id).ok_or_else(ApiError::not_found)?;
    Ok(PhoneCallDocument::new(id, status))
}

fn read(id: &str) -> Result<PhoneCallId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found())
}

/// `GET play-on-phone/{id}`
pub(super) async fn show(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<PhoneCallDocument>, ApiError> {
    status(&desk, &owner, read(&id)?).map(Json)
}

/// `DELETE play-on-phone/{id}`: hangs up.
pub(super) async fn end(
    State(desk): State<Desk>,
    owner: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match desk.phone_calls.disconnect(owner.address(), read(&id)?) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found()),
    }
}
