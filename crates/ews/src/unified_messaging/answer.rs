//! What the unified messaging service answers: where there is a value, it sits in an inner element of the same name.

use umbel_play_on_phone::{PhoneCallId, Status};

use super::Operation;
use crate::envelope;
use crate::standing;

/// The settings, in [MS-OXWUMS]'s order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Whether the out-of-office greeting is played.
    pub oof_status: bool,
    /// Whether calls that left no message are noted.
    pub missed_call_notification_enabled: bool,
    /// The number that is offered first.
    pub play_on_phone_dial_string: String,
    /// What to dial for the own mailbox.
    pub telephone_access_numbers: Vec<String>,
    /// The folder that is read out on the telephone.
    pub telephone_access_folder_email: String,
}

/// `IsUMEnabled`.
pub fn is_enabled(enabled: bool) -> String {
    const NAME: &str = "m:IsUMEnabledResponse";
    envelope::unified_messaging(|body| body.element(NAME, &[], |answer| answer.boolean(NAME, enabled)))
}

/// `GetUMProperties`. What is not set is empty rather than missing.
pub fn properties(properties: &Properties) -> String {
    const NAME: &str = "m:GetUMPropertiesResponse";
    // Nothing says what separates the numbers.
    let numbers = properties.telephone_access_numbers.join(", ");
    envelope::unified_messaging(|body| {
        body.element(NAME, &[], |answer| {
            answer.element(NAME, &[], |value| {
                value.boolean("m:OofStatus", properties.oof_status);
                value.boolean("m:MissedCallNotificationEnabled", properties.missed_call_notification_enabled);
                value.text("m:PlayOnPhoneDialString", &properties.play_on_phone_dial_string);
                value.text("m:TelephoneAccessNumbers", &numbers);
                value.text("m:TelephoneAccessFolderEmail", &properties.telephone_access_folder_email);
            });
        });
    })
}

/// `PlayOnPhone` and `PlayOnPhoneGreeting`: the name of the call.
pub fn call_placed(operation: &Operation, call: PhoneCallId) -> String {
    let name = response(operation);
    envelope::unified_messaging(|body| body.element(name, &[], |answer| answer.text(name, &call.to_string())))
}

/// `GetCallInfo`.
pub fn call_info(status: &Status) -> String {
    const NAME: &str = "m:GetCallInfoResponse";
    envelope::unified_messaging(|body| {
        body.element(NAME, &[], |answer| {
            answer.element(NAME, &[], |value| {
                value.text("m:CallState", standing::state(status));
                value.text("m:EventCause", standing::cause(status));
            });
        });
    })
}

/// The operations without a value.
pub fn done(operation: &Operation) -> String {
    envelope::unified_messaging(|body| body.empty(response(operation), &[]))
}

fn response(operation: &Operation) -> &'static str {
    match operation {
        Operation::IsUmEnabled => "m:IsUMEnabledResponse",
        Operation::GetUmProperties => "m:GetUMPropertiesResponse",
        Operation::SetOofStatus(_) => "m:SetOofStatusResponse",
        Operation::SetPlayOnPhoneDialString(_) => "m:SetPlayOnPhoneDialStringResponse",
        Operation::SetTelephoneAccessFolderEmail(_) => "m:SetTelephoneAccessFolderEmailResponse",
        Operation::SetMissedCallNotificationEnabled(_) => "m:SetMissedCallNotificationEnabledResponse",
        Operation::ResetPin => "m:ResetPINResponse",
        Operation::PlayOnPhone { .. } => "m:PlayOnPhoneResponse",
        Operation::GetCallInfo(_) => "m:GetCallInfoResponse",
        Operation::Disconnect(_) => "m:DisconnectResponse",
        Operation::PlayOnPhoneGreeting { .. } => "m:PlayOnPhoneGreetingResponse",
    }
}
