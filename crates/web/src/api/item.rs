//! What messages and missed calls tell by the same names.

use serde::Serialize;
use umbel_store::{Item, MissedCall, VoiceMessage};

use super::time::iso_8601;

/// Who called, when, and whether it was looked at: all that there is of a missed call, and part of a message (contract,
/// section 2).
#[derive(Serialize)]
pub(super) struct ItemDocument {
    id: String,
    mailbox: String,
    /// Rises from item to item.
    pub(super) number: u64,
    caller: String,
    caller_name: Option<String>,
    caller_verified: bool,
    subject: String,
    received: String,
    state: &'static str,
    call_id: String,
}

impl From<VoiceMessage> for ItemDocument {
    fn from(message: VoiceMessage) -> Self {
        ItemDocument {
            id: message.id.to_string(),
            mailbox: message.mailbox.to_string(),
            number: message.number,
            caller: message.caller.id,
            caller_name: message.caller.name,
            caller_verified: message.caller.verified,
            subject: message.subject,
            received: iso_8601(message.received),
            state: message.state.as_str(),
            call_id: message.call_id,
        }
    }
}

impl ItemDocument {
    /// A missed call, and the item that it is in its mailbox.
    pub(super) fn of_missed_call(item: &Item, call: MissedCall) -> Self {
        ItemDocument {
            id: item.id.to_string(),
            mailbox: call.mailbox.to_string(),
            number: item.entered,
            caller: call.caller.id,
            caller_name: call.caller.name,
            caller_verified: call.caller.verified,
            subject: call.subject,
            received: iso_8601(call.at),
            state: if item.seen { "old" } else { "new" },
            call_id: call.call_id,
        }
    }
}
