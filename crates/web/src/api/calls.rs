//! Calls, for administrators; and why one went as it did, for whose mailbox it was.

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use umbel_store::{CallRecord, Decision, LIST_MAX, Op, Reply, Role, Ruling, call_id_on_record};

use super::ApiError;
use super::body::Asked;
use super::time::iso_8601;
use crate::{Administrator, AsWritten, Desk, SignedIn};

/// Calls in one answer, where nothing else is asked for.
const PAGE: usize = 100;
/// Which segment of the path is the Call-ID.
const CALL_ID: usize = 3;

/// A call as programs see it (contract, section 2).
#[derive(Serialize)]
struct CallDocument {
    call_id: String,
    kind: &'static str,
    from: String,
    to: String,
    started: String,
    ended: Option<String>,
    transport: &'static str,
    peer: Option<String>,
    pin: &'static str,
    outcome: &'static str,
}

impl From<CallRecord> for CallDocument {
    fn from(call: CallRecord) -> Self {
        CallDocument {
            call_id: call.call_id,
            kind: call.kind.as_str(),
            from: call.from,
            to: call.to,
            started: iso_8601(call.started),
            ended: call.ended.map(iso_8601),
            transport: call.transport.as_str(),
            peer: call.peer,
            pin: call.pin.as_str(),
            outcome: call.outcome.as_str(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Calls {
    calls: Vec<CallDocument>,
}

/// `GET calls`
pub(super) async fn list(
    State(desk): State<Desk>,
    _administrator: Administrator,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Calls>, ApiError> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=LIST_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit: from 1 to {LIST_MAX}")));
    }
    match desk.store.ask(Op::ListCalls { limit }).await {
        Reply::Calls(calls) => Ok(Json(Calls { calls: calls.into_iter().map(CallDocument::from).collect() })),
        other => Err(ApiError::store(&desk.random, &other)),
    }
}

/// One decision about a call.
#[derive(Serialize)]
struct DecisionDocument {
    at: String,
    mailbox: Option<String>,
    transport: &'static str,
    peer: Option<String>,
    command_seen: bool,
    topic: &'static str,
    ruling: serde_json::Value,
    rule: String,
}

#[derive(Serialize)]
pub(super) struct Why {
    call_id: String,
    /// SEC-32: `skipped`, `prompted` or `none`.
    pin: &'static str,
    decisions: Vec<DecisionDocument>,
}

fn document(decision: Decision) -> DecisionDocument {
    let ruling = match &decision.ruling {
        Ruling::Who(kind) => serde_json::json!(kind.as_str()),
        Ruling::Trust(trusted) => serde_json::json!(trusted),
        Ruling::Pin(outcome) => serde_json::json!(outcome.as_str()),
        Ruling::Diversion(from) => serde_json::json!(from),
        Ruling::Recording(end) => serde_json::json!(end),
        Ruling::Refusal(status) => serde_json::json!(status),
        Ruling::Routing(step) => serde_json::json!(step),
    };
    DecisionDocument {
        at: iso_8601(decision.at),
        mailbox: decision.mailbox.map(String::from),
        transport: decision.transport.as_str(),
        peer: decision.peer,
        command_seen: decision.command_seen,
        topic: decision.ruling.topic().as_str(),
        ruling,
        rule: decision.rule,
    }
}

/// `GET calls/{call-id}/why`: what was decided about the own mailbox; for administrators all of it. Callers choose the
/// names of calls, so that one name may be of calls to several people (SEC-97).
pub(super) async fn why(
    State(desk): State<Desk>,
    signed_in: SignedIn,
    Extension(written): Extension<AsWritten>,
) -> Result<Json<Why>, ApiError> {
    let call_id = written.segment(CALL_ID).ok_or_else(ApiError::not_found)?;
    let call_id = call_id_on_record(&call_id).to_owned();
    let mut decisions = match desk.store.ask(Op::ListDecisions { call_id: call_id.clone() }).await {
        Reply::Decisions(decisions) => decisions,
        other => return Err(ApiError::store(&desk.random, &other)),
    };
    if signed_in.user.settings.role != Role::Administrator {
        decisions.retain(|decision| decision.mailbox.as_ref() == Some(signed_in.address()));
    }
    if decisions.is_empty() {
        return Err(ApiError::not_found());
    }
    let pin = decisions.iter().rev().find_map(|decision| match &decision.ruling {
        Ruling::Pin(outcome) => Some(outcome.as_str()),
        _ => None,
    });
    let decisions = decisions.into_iter().map(document).collect();
    Ok(Json(Why { call_id, pin: pin.unwrap_or("none"), decisions }))
}
