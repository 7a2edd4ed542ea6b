//! What is asked of the unified messaging service.

use umbel_play_on_phone::{PhoneCallId, Played};
use umbel_store::{GreetingKind, MessageId};

use crate::ResponseCode;
use crate::entry_id;
use crate::envelope::{Envelope, Service};
use crate::fault::Fault;
use crate::xml::{Children, Element, Namespace, Violation};

/// An operation of the caller's on the own mailbox; no request names another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Whether the caller is enabled for unified messaging.
    IsUmEnabled,
    /// All settings.
    GetUmProperties,
    /// Whether the out-of-office greeting is played.
    SetOofStatus(bool),
    /// The number that is offered first; empty for none.
    SetPlayOnPhoneDialString(String),
    /// The folder that is read out on the telephone; empty for none.
    SetTelephoneAccessFolderEmail(String),
    /// Whether calls that left no message are noted.
    SetMissedCallNotificationEnabled(bool),
    /// A new PIN, by mail.
    ResetPin,
    /// Plays an item. `None`: an id that cannot be one.
    PlayOnPhone {
        /// Which.
        item: Option<MessageId>,
        /// Where.
        dial_string: String,
    },
    /// How a call stands. `None`: an id that cannot be one.
    GetCallInfo(Option<PhoneCallId>),
    /// Ends a call. `None`: an id that cannot be one, or none at all.
    Disconnect(Option<PhoneCallId>),
    /// Plays a greeting and lets its owner record it anew.
    PlayOnPhoneGreeting {
        /// Which.
        kind: GreetingKind,
        /// Where.
        dial_string: String,
    },
}

impl Operation {
    /// What is to be heard, where the operation places a call.
    pub fn played(&self) -> Option<Played> {
        match self {
            Operation::PlayOnPhone { item, .. } => item.map(Played::Message),
            Operation::PlayOnPhoneGreeting { kind, .. } => Some(Played::Greeting(*kind)),
            _ => None,
        }
    }
}

/// Reads a request. Whatever is not as [MS-OXWUMS]'s schema says is `ErrorInvalidRequest`, and had no effect.
pub fn read(envelope: &Envelope) -> Result<Operation, Fault> {
    // The service has no headers, so none that must be understood is.
    envelope.understand(&[])?;
    let operation = envelope.operation();
    if operation.namespace() != Namespace::Messages {
        return Err(Fault::Code(ResponseCode::ErrorInvalidRequest));
    }
    parameters(operation).map_err(|violation| envelope.refuse(Service::UnifiedMessaging, violation))
}

fn parameters(operation: &Element) -> Result<Operation, Violation> {
    let mut children = operation.children();
    let read = match operation.name() {
        "IsUMEnabled" => Operation::IsUmEnabled,
        "GetUMProperties" => Operation::GetUmProperties,
        "SetOofStatus" => Operation::SetOofStatus(required(&mut children, "status")?.boolean()?),
        "SetPlayOnPhoneDialString" => Operation::SetPlayOnPhoneDialString(text(&mut children, "dialString")?),
        "SetTelephoneAccessFolderEmail" => {
            // The reference spells it both ways.
            let other = children.optional(Namespace::Messages, "base64FolderId");
            let folder = other.map_or_else(|| required(&mut children, "base64FolderID"), Ok)?;
            Operation::SetTelephoneAccessFolderEmail(folder.simple()?.trim().to_owned())
        }
        "SetMissedCallNotificationEnabled" => {
            Operation::SetMissedCallNotificationEnabled(required(&mut children, "status")?.boolean()?)
        }
        "ResetPIN" => Operation::ResetPin,
        "PlayOnPhone" => {
            let item = entry_id::item(&text(&mut children, "entryId")?).ok();
            Operation::PlayOnPhone { item, dial_string: text(&mut children, "DialString")? }
        }
        "GetCallInfo" => Operation::GetCallInfo(text(&mut children, "CallId")?.trim().parse().ok()),
        // [MS-OXWUMS]: an invalid call id even where the element is missing.
        "Disconnect" => {
            let call = children.optional(Namespace::Messages, "CallId");
            let call = call.map(Element::simple).transpose()?;
            Operation::Disconnect(call.and_then(|call| call.trim().parse().ok()))
        }
        "PlayOnPhoneGreeting" => {
            let kind = required(&mut children, "GreetingType")?;
            let kind = match kind.simple()?.trim() {
                "NormalCustom" => GreetingKind::Standard,
                "OofCustom" => GreetingKind::OutOfOffice,
                _ => return Err(kind.violation("There is no such greeting.")),
            };
            Operation::PlayOnPhoneGreeting { kind, dial_string: text(&mut children, "DialString")? }
        }
        _ => return Err(operation.violation("There is no such operation.")),
    };
    children.end()?;
    Ok(read)
}

fn required<'a>(children: &mut Children<'a>, name: &str) -> Result<&'a Element, Violation> {
    children.required(Namespace::Messages, name)
}

fn text(children: &mut Children, name: &str) -> Result<String, Violation> {
    Ok(required(children, name)?.simple()?.to_owned())
}
