//! The Exchange web services: the telephone, what mail programs ask when they start, and folders and items.

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use umbel_ews::envelope::Envelope;
use umbel_ews::exchange::{self, Operation, Person, TelephoneSettings};
use umbel_ews::fault::Fault;
use umbel_ews::{ResponseCode, item, refusal};
use umbel_play_on_phone::{PhoneCallId, Played};

use super::request::{Admitted, admit_look};
use super::{answer as http, description, items};
use crate::Desk;

/// GET: the description for everybody, the service itself only for those who sign in.
pub(super) async fn look(State(desk): State<Desk>, request: Request<Body>) -> Response {
    if description::is_asked_for(request.uri()) {
        return description::services().await;
    }
    match admit_look(&desk, request).await {
        Ok(_) => description::services().await,
        Err(refused) => refused,
    }
}

/// POST: an operation.
pub(super) async fn answer(State(desk): State<Desk>, request: Request<Body>) -> Response {
    http::answer(&desk, request, async |request: &Admitted| respond(&desk, request).await).await
}

async fn respond(desk: &Desk, request: &Admitted) -> Result<String, Fault> {
    let envelope = Envelope::read(&request.body)?;
    exchange::admit(&envelope)?;
    if let Some(operation) = exchange::read(&envelope) {
        return Ok(telephone(desk, request, operation?).await);
    }
    match item::read(&envelope, request.mailbox()) {
        Some(operation) => items::answer(desk, &request.user, operation?).await,
        None => Err(exchange::unknown_operation(&envelope)),
    }
}

async fn telephone(desk: &Desk, request: &Admitted, operation: Operation) -> String {
    let settings = &request.user.settings;
    let done = match &operation {
        Operation::PlayOnPhone { item, dial_string } => match item {
            Ok(item) => {
                let played = Played::Message(*item);
                let asked =
                    desk.phone_calls.play(request.mailbox().clone(), played, Some(dial_string.clone()));
                asked.await.map(exchange::call_placed).map_err(refusal::code)
            }
            Err(code) => Err(*code),
        },
        Operation::GetPhoneCallInformation(call) => {
            let status = call.and_then(|call| desk.phone_calls.status(request.mailbox(), call));
            status.as_ref().map(exchange::phone_call_information).ok_or(ResponseCode::ErrorInvalidPhoneCallId)
        }
        Operation::DisconnectPhoneCall(call) => {
            let end = |call: PhoneCallId| desk.phone_calls.disconnect(request.mailbox(), call);
            match call.is_some_and(end) {
                true => Ok(exchange::disconnected()),
                false => Err(ResponseCode::ErrorInvalidPhoneCallId),
            }
        }
        // SEC-97: for nobody else.
        Operation::GetServiceConfiguration { acting_as: Some(other), .. }
            if !other.eq_ignore_ascii_case(request.mailbox().as_str()) =>
        {
            Err(ResponseCode::ErrorAccessDenied)
        }
        Operation::GetServiceConfiguration { requested, .. } => {
            let dial_string = settings.play_on_phone_dial_string.clone().filter(|_| settings.enabled);
            let told = TelephoneSettings {
                um_enabled: settings.enabled,
                play_on_phone_dial_string: dial_string.unwrap_or_default(),
                play_on_phone_enabled: settings.enabled,
            };
            Ok(exchange::configurations(requested, &told))
        }
        Operation::ResolveNames(entry) => Ok(resolve(request, entry)),
        Operation::GetServerTimeZones { ids, full } => Ok(exchange::time_zones(ids.as_deref(), *full)),
    };
    done.unwrap_or_else(|code| exchange::refuse(&operation, code))
}

/// Only who asks is told of, by address, number or name.
fn resolve(request: &Admitted, entry: &str) -> String {
    let settings = &request.user.settings;
    let address = settings.address.as_str();
    let entry = entry.strip_prefix("smtp:").or(entry.strip_prefix("SMTP:")).unwrap_or(entry);
    let user_part = address.split('@').next().unwrap_or(address);
    let words = [Some(address), Some(user_part), Some(settings.name.as_str()), settings.extension.as_deref()];
    let mut words = words.into_iter().flatten().chain(settings.aliases.iter().map(String::as_str));
    match !entry.is_empty() && words.any(|word| word.eq_ignore_ascii_case(entry)) {
        true => {
            let name = if settings.name.is_empty() { address } else { &settings.name };
            exchange::resolution(&Person { name: name.to_owned(), address: address.to_owned() })
        }
        false => exchange::nobody(),
    }
}
