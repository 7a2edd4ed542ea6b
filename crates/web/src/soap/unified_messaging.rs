//! The unified messaging service: its eleven operations on the mailbox of who signed in.

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use umbel_ews::envelope::Envelope;
use umbel_ews::fault::{Exception, Fault};
use umbel_ews::unified_messaging::{self, Operation, Properties};
use umbel_ews::{ResponseCode, refusal};
use umbel_play_on_phone::{PhoneCallId, Played};
use umbel_store::{ActiveGreeting, Author, Op, Reply, Settings, UserChange};

use super::request::{Admitted, admit_look};
use super::{answer as http, description};
use crate::Desk;

/// GET: the description for everybody, the service itself only for those who sign in.
pub(super) async fn look(State(desk): State<Desk>, request: Request<Body>) -> Response {
    if description::is_asked_for(request.uri()) {
        return description::unified_messaging(State(desk), request).await;
    }
    match admit_look(&desk, request).await {
        Ok(base_url) => description::unified_messaging_at(&base_url),
        Err(refused) => refused,
    }
}

/// POST: an operation.
pub(super) async fn answer(State(desk): State<Desk>, request: Request<Body>) -> Response {
    http::answer(&desk, request, async |request: &Admitted| respond(&desk, request).await).await
}

async fn respond(desk: &Desk, request: &Admitted) -> Result<String, Fault> {
    let operation = unified_messaging::read(&Envelope::read(&request.body)?)?;
    let settings = &request.user.settings;
    match &operation {
        Operation::IsUmEnabled => return Ok(unified_messaging::is_enabled(settings.enabled)),
        _ if !settings.enabled => {
            return Err(Fault::Code(ResponseCode::ErrorUserNotUnifiedMessagingEnabled));
        }
        Operation::GetUmProperties => return Ok(unified_messaging::properties(&properties(desk, request))),
        Operation::SetOofStatus(away) => choose_greeting(desk, request, *away).await?,
        Operation::SetPlayOnPhoneDialString(dial_string) => {
            change(desk, request, UserChange::PlayOnPhoneDialString(set(dial_string))).await?;
        }
        Operation::SetTelephoneAccessFolderEmail(folder) => {
            change(desk, request, UserChange::TelephoneAccessFolder(set(folder))).await?;
        }
        Operation::SetMissedCallNotificationEnabled(wanted) => {
            change(desk, request, UserChange::MissedCallNotices(*wanted)).await?;
        }
        Operation::ResetPin => reset_pin(desk, request).await?,
        Operation::PlayOnPhone { dial_string, .. } | Operation::PlayOnPhoneGreeting { dial_string, .. } => {
            let played = operation.played().ok_or(Fault::Exception(Exception::InvalidObjectId))?;
            let call = play(desk, request, played, dial_string).await?;
            return Ok(unified_messaging::call_placed(&operation, call));
        }
        Operation::GetCallInfo(call) => {
            let status = call.and_then(|call| desk.phone_calls.status(request.mailbox(), call));
            return status.as_ref().map(unified_messaging::call_info).ok_or(INVALID_CALL);
        }
        Operation::Disconnect(call) => {
            let ended = call.is_some_and(|call| desk.phone_calls.disconnect(request.mailbox(), call));
            return if ended { Ok(unified_messaging::done(&operation)) } else { Err(INVALID_CALL) };
        }
    }
    Ok(unified_messaging::done(&operation))
}

/// Unknown and another's: the same answer (SEC-99).
const INVALID_CALL: Fault = Fault::Exception(Exception::InvalidCallId);

fn properties(desk: &Desk, request: &Admitted) -> Properties {
    let user = &request.user;
    let Settings { missed_call_notices, play_on_phone_dial_string, telephone_access_folder, .. } =
        &user.settings;
    Properties {
        oof_status: user.greeting == ActiveGreeting::OutOfOffice,
        missed_call_notification_enabled: *missed_call_notices,
        play_on_phone_dial_string: play_on_phone_dial_string.clone().unwrap_or_default(),
        telephone_access_numbers: desk.settings().telephone_access_numbers.clone(),
        telephone_access_folder_email: telephone_access_folder.clone().unwrap_or_default(),
    }
}

/// An empty text takes a setting away.
fn set(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

async fn play(
    desk: &Desk,
    request: &Admitted,
    played: Played,
    dial_string: &str,
) -> Result<PhoneCallId, Fault> {
    let asked = desk.phone_calls.play(request.mailbox().clone(), played, Some(dial_string.to_owned()));
    asked.await.map_err(refusal::fault)
}

async fn change(desk: &Desk, request: &Admitted, change: UserChange) -> Result<(), Fault> {
    let (address, author, at) = (request.mailbox().clone(), Author::OwnerByWeb, desk.now());
    match desk.store.ask(Op::ChangeUser { address, changes: vec![change], author, at }).await {
        Reply::User(Some(_)) => Ok(()),
        reply => Err(desk.fault_of(&reply)),
    }
}

async fn choose_greeting(desk: &Desk, request: &Admitted, away: bool) -> Result<(), Fault> {
    let greeting = if away { ActiveGreeting::OutOfOffice } else { ActiveGreeting::Standard };
    let (mailbox, author, at) = (request.mailbox().clone(), Author::OwnerByWeb, desk.now());
    match desk.store.ask(Op::ChooseGreeting { mailbox, greeting, author, at }).await {
        Reply::Done => Ok(()),
        reply => Err(desk.fault_of(&reply)),
    }
}

/// A new PIN goes by mail and never into the answer; the store bounds how often. Where no mail can go out,
/// the old one stays.
async fn reset_pin(desk: &Desk, request: &Admitted) -> Result<(), Fault> {
    let (address, author, at) = (request.mailbox().clone(), Author::OwnerByWeb, desk.now());
    match desk.store.ask(Op::ResetPinByMail { address, author, at }).await {
        Reply::Done => Ok(()),
        reply => Err(desk.fault_of(&reply)),
    }
}
