//! The Exchange web services that concern the telephone, and the few that mail programs ask when they start.
//!
//! Folders and items are in [`item`](crate::item). Errors are normal answers here; faults are for what was
//! refused before it was begun.

mod configuration;
mod header;
mod names;
mod telephone;
mod time_zones;

pub use configuration::{ConfigurationName, TelephoneSettings, configurations, refuse_configurations};
pub use header::admit;
pub use names::{Person, nobody, resolution};
pub use telephone::{call_placed, disconnected, phone_call_information, refuse};
pub use time_zones::time_zones;

use umbel_play_on_phone::PhoneCallId;
use umbel_store::MessageId;

use crate::ResponseCode;
use crate::envelope::{Envelope, Service};
use crate::fault::Fault;
use crate::xml::{Element, Namespace, Violation};

/// An operation of this part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Plays an item.
    PlayOnPhone {
        /// Which, or why it cannot be one.
        item: Result<MessageId, ResponseCode>,
        /// Where.
        dial_string: String,
    },
    /// How a call stands. `None`: an id that cannot be one.
    GetPhoneCallInformation(Option<PhoneCallId>),
    /// Ends a call. `None`: an id that cannot be one.
    DisconnectPhoneCall(Option<PhoneCallId>),
    /// What is configured for the caller.
    GetServiceConfiguration {
        /// For whom, where the request says.
        acting_as: Option<String>,
        /// Which parts.
        requested: Vec<ConfigurationName>,
    },
    /// Who is meant.
    ResolveNames(String),
    /// The time zones that the server knows.
    GetServerTimeZones {
        /// Which; all where the request does not say.
        ids: Option<Vec<String>>,
        /// With their rules.
        full: bool,
    },
}

/// Reads an operation of this part; `None` where it is none. Nothing has been done when it is refused.
pub fn read(envelope: &Envelope) -> Option<Result<Operation, Fault>> {
    let operation = envelope.operation();
    let read = match operation.name() {
        "PlayOnPhone" => telephone::read_play_on_phone(operation),
        "GetPhoneCallInformation" => telephone::read_call(operation).map(Operation::GetPhoneCallInformation),
        "DisconnectPhoneCall" => telephone::read_call(operation).map(Operation::DisconnectPhoneCall),
        "GetServiceConfiguration" => configuration::read(operation),
        "ResolveNames" => names::read(operation).map(Operation::ResolveNames),
        "GetServerTimeZones" => time_zones::read(operation),
        _ => return None,
    };
    let read = read.and_then(|read| in_messages(operation).map(|()| read));
    Some(read.map_err(|violation| envelope.refuse(Service::Exchange, violation)))
}

/// The fault for an operation that nobody here knows. Not the code upon which clients try other versions.
pub fn unknown_operation(envelope: &Envelope) -> Fault {
    envelope.refuse(Service::Exchange, envelope.operation().violation("There is no such operation here."))
}

fn in_messages(operation: &Element) -> Result<(), Violation> {
    match operation.namespace() {
        Namespace::Messages => Ok(()),
        _ => Err(operation.violation("There is no such operation here.")),
    }
}

#[cfg(test)]
mod tests;
