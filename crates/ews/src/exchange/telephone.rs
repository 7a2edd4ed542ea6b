//! `PlayOnPhone`, `GetPhoneCallInformation`, `DisconnectPhoneCall` ([MS-OXWUMS]; there `PlayOnPhone2`).

use umbel_play_on_phone::{PhoneCallId, Status};

use super::Operation;
use crate::item::id::ObjectId;
use crate::xml::{Element, Namespace, Violation};
use crate::{ResponseCode, envelope, response, standing};

pub(super) fn read_play_on_phone(operation: &Element) -> Result<Operation, Violation> {
    let mut children = operation.children();
    let item = children.required(Namespace::Messages, "ItemId")?;
    let id = item.required_attribute("Id")?;
    if !item.simple()?.trim().is_empty() {
        return Err(item.violation("The element has no content."));
    }
    let dial_string = children.required(Namespace::Messages, "DialString")?.simple()?.to_owned();
    children.end()?;
    let item = match ObjectId::read(id) {
        Ok(ObjectId::Item(item)) => Ok(item),
        Ok(ObjectId::Folder(_)) => Err(ResponseCode::ErrorCannotUseFolderIdForItemId),
        Ok(ObjectId::Attachment(_)) => Err(ResponseCode::ErrorInvalidIdMalformed),
        Err(_) if id.is_empty() => Err(ResponseCode::ErrorInvalidIdEmpty),
        Err(_) => Err(ResponseCode::ErrorInvalidIdMalformed),
    };
    Ok(Operation::PlayOnPhone { item, dial_string })
}

pub(super) fn read_call(operation: &Element) -> Result<Option<PhoneCallId>, Violation> {
    let mut children = operation.children();
    let call = children.required(Namespace::Messages, "PhoneCallId")?.required_attribute("Id")?;
    children.end()?;
    Ok(call.parse().ok())
}

/// `PlayOnPhone`: the name of the call.
pub fn call_placed(call: PhoneCallId) -> String {
    envelope::exchange(|body| {
        response::success(body, "m:PlayOnPhoneResponse", |answer| {
            answer.empty("m:PhoneCallId", &[("Id", &call.to_string())]);
        });
    })
}

/// `GetPhoneCallInformation`. A successful answer MUST NOT have the SIP response in it: clients fill in
/// `200 OK` themselves. Code and reason phrase are in the API (DEC-26).
pub fn phone_call_information(status: &Status) -> String {
    envelope::exchange(|body| {
        response::success(body, "m:GetPhoneCallInformationResponse", |answer| {
            answer.element("m:PhoneCallInformation", &[], |call| {
                call.text("t:PhoneCallState", standing::state(status));
                call.text("t:ConnectionFailureCause", standing::cause(status));
            });
        });
    })
}

/// `DisconnectPhoneCall`.
pub fn disconnected() -> String {
    envelope::exchange(|body| response::success(body, "m:DisconnectPhoneCallResponse", |_| {}))
}

/// What was asked is not done.
pub fn refuse(operation: &Operation, code: ResponseCode) -> String {
    let name = match operation {
        Operation::PlayOnPhone { .. } => "m:PlayOnPhoneResponse",
        Operation::GetPhoneCallInformation(_) => "m:GetPhoneCallInformationResponse",
        Operation::DisconnectPhoneCall(_) => "m:DisconnectPhoneCallResponse",
        Operation::GetServiceConfiguration { .. } => "m:GetServiceConfigurationResponse",
        Operation::ResolveNames(_) => {
            return envelope::exchange(|body| super::names::refuse(body, code));
        }
        Operation::GetServerTimeZones { .. } => {
            return envelope::exchange(|body| super::time_zones::refuse(body, code));
        }
    };
    envelope::exchange(|body| response::error(body, name, code))
}
