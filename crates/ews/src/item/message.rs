//! What a voice message, or a notice of a missed call, is to a mail program: its properties.
//!
//! [MS-OXOUM] says which there are, [MS-OXCMAIL] how they stand in headers. Texts come from the composer of mails, so
//! that an item, the mail that tells of it, and what IMAP makes of the item agree.

use umbel_mail::{attachment, compose};
use umbel_store::{Caller, Importance, Item, ItemContent, MissedCall, VoiceMessage};
use umbel_time::UnixTime;

use super::field::Field;
use super::id::ObjectId;
use super::mailbox::Mailbox;
use super::path::{Extended, Kind, Path, Property, PropertySet};
use super::value::{Sort, Value};
use crate::entry_id;

/// PidTagMessageFlags
const READ: i64 = 0x1;
const UNMODIFIED: i64 = 0x2;
const HAS_ATTACHMENT: i64 = 0x10;

/// `ItemClass` of an item.
pub fn class(item: &Item) -> &'static str {
    match &item.content {
        // Every call that leaves a message here was one that the server answered.
        ItemContent::Message(_) => "IPM.Note.Microsoft.Voicemail.UM.CA",
        ItemContent::MissedCall(_) => "IPM.Note.Microsoft.Missed.Voice",
    }
}

/// When it came.
pub fn received(item: &Item) -> UnixTime {
    match &item.content {
        ItemContent::Message(message) => message.received,
        ItemContent::MissedCall(call) => call.at,
    }
}

/// Its voice message, where it is one.
pub fn voice_message(item: &Item) -> Option<&VoiceMessage> {
    match &item.content {
        ItemContent::Message(message) => Some(message),
        ItemContent::MissedCall(_) => None,
    }
}

/// Who called.
pub(crate) fn caller(item: &Item) -> &Caller {
    match &item.content {
        ItemContent::Message(message) => &message.caller,
        ItemContent::MissedCall(call) => &call.caller,
    }
}

/// The caller's name, else the number, else nothing.
pub(crate) fn caller_name(caller: &Caller) -> &str {
    caller.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&caller.id)
}

/// An internet address is called by SMTP, a number by telephone.
pub(crate) fn address_type(caller: &Caller) -> &'static str {
    if caller.id.contains('@') { "SMTP" } else { "TEL" }
}

/// The whole mail: `wav` is the sound of a message, as the composer of mails wants it.
pub fn mime(item: &Item, mailbox: &Mailbox, wav: Option<&[u8]>) -> Vec<u8> {
    match &item.content {
        ItemContent::Message(message) => {
            compose::voice_mail(&mailbox.addressing(received(item)), message, wav)
        }
        ItemContent::MissedCall(call) => {
            compose::missed_call(&mailbox.addressing(received(item)), item.id, call)
        }
    }
}

/// The headers of the mail, in their order, unfolded.
pub(crate) fn headers(item: &Item, mailbox: &Mailbox) -> Vec<(String, String)> {
    let mail = mime(item, mailbox, Some(&[]));
    let text = String::from_utf8_lossy(&mail);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        match line.split_once(':') {
            // RFC 5322 2.2.3: a line that begins with white space goes on with the one before.
            _ if line.starts_with([' ', '\t']) => {
                if let Some((_, value)) = headers.last_mut() {
                    value.push_str(line);
                }
            }
            Some((name, value)) => headers.push((name.to_owned(), value.trim_start().to_owned())),
            None => {}
        }
    }
    headers
}

/// Octets of the whole mail, known without its sound.
pub(crate) fn size(item: &Item, mailbox: &Mailbox) -> u64 {
    match &item.content {
        ItemContent::Message(message) => {
            compose::voice_mail_bytes(&mailbox.addressing(received(item)), message)
        }
        ItemContent::MissedCall(_) => mime(item, mailbox, None).len() as u64,
    }
}

/// The text for people.
pub(crate) fn body(item: &Item, mailbox: &Mailbox) -> String {
    match &item.content {
        ItemContent::Message(message) => {
            compose::voice_mail_text(&mailbox.addressing(received(item)), message)
        }
        ItemContent::MissedCall(call) => compose::missed_call_text(&mailbox.addressing(received(item)), call),
    }
}

pub(crate) fn subject(item: &Item) -> String {
    match &item.content {
        ItemContent::Message(message) => compose::subject(message),
        ItemContent::MissedCall(call) => compose::missed_call_subject(call),
    }
}

fn internet_message_id(item: &Item, mailbox: &Mailbox) -> String {
    match &item.content {
        ItemContent::Message(message) => compose::message_id(&mailbox.owner, message),
        ItemContent::MissedCall(_) => {
            compose::missed_call_message_id(&mailbox.addressing(received(item)), item.id)
        }
    }
}

fn importance(item: &Item) -> Importance {
    voice_message(item).map_or(Importance::Normal, |message| message.importance)
}

/// The value of a property; `None` where the item has none, or one of another type.
pub fn value(item: &Item, path: &Path, mailbox: &Mailbox) -> Option<Value> {
    match path {
        Path::Field(field) => field_value(item, *field, mailbox),
        Path::Extended(extended) => extended_value(item, extended, mailbox),
        Path::Other(_) => None,
    }
}

/// The value of an extended property; `None` where the item has none, or one of another type.
pub(crate) fn extended_value(item: &Item, extended: &Extended, mailbox: &Mailbox) -> Option<Value> {
    let found = match &extended.property {
        Property::Tag(tag) => tagged(item, *tag, mailbox),
        Property::Named(PropertySet::InternetHeaders, name) => header(item, name, extended.kind, mailbox),
        // UMAudioNotes is what clients write, AsrData what a recogniser does: there is neither.
        Property::Named(..) | Property::Numbered(..) => None,
    };
    found.filter(|value| kind(value) == extended.kind)
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Text(_) => Kind::String,
        Value::Number(_) => Kind::Integer,
        Value::Flag(_) => Kind::Boolean,
        Value::Time(_) => Kind::SystemTime,
        Value::Octets(_) => Kind::Binary,
    }
}

/// The sort of values that a property has, if items can be searched and sorted by it.
pub fn sort(path: &Path) -> Option<Sort> {
    match path {
        Path::Field(field) => field_sort(*field),
        Path::Extended(extended) => match extended.kind {
            Kind::String => Some(Sort::Text),
            Kind::Integer => Some(Sort::Number),
            Kind::Boolean => Some(Sort::Flag),
            Kind::SystemTime => Some(Sort::Time),
            Kind::Binary => Some(Sort::Octets),
            Kind::Other => None,
        },
        Path::Other(_) => None,
    }
}

fn field_sort(field: Field) -> Option<Sort> {
    match field {
        Field::ItemClass
        | Field::Subject
        | Field::Sensitivity
        | Field::Body
        | Field::TextBody
        | Field::Preview
        | Field::Importance
        | Field::DisplayTo
        | Field::ConversationTopic
        | Field::Sender
        | Field::From
        | Field::ToRecipients
        | Field::InternetMessageId
        | Field::StoreEntryId
        | Field::ItemId
        | Field::ParentFolderId => Some(Sort::Text),
        Field::Size => Some(Sort::Number),
        Field::IsSubmitted
        | Field::IsDraft
        | Field::IsFromMe
        | Field::IsResend
        | Field::IsUnmodified
        | Field::ReminderIsSet
        | Field::HasAttachments
        | Field::IsAssociated
        | Field::IsReadReceiptRequested
        | Field::IsDeliveryReceiptRequested
        | Field::IsRead
        | Field::IsResponseRequested => Some(Sort::Flag),
        Field::DateTimeReceived | Field::DateTimeSent | Field::DateTimeCreated | Field::LastModifiedTime => {
            Some(Sort::Time)
        }
        Field::MimeContent
        | Field::Attachments
        | Field::InternetMessageHeaders
        | Field::EffectiveRights
        | Field::InstanceKey => None,
    }
}

fn field_value(item: &Item, field: Field, mailbox: &Mailbox) -> Option<Value> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    match field {
        Field::ItemClass => text(class(item)),
        Field::Subject | Field::ConversationTopic => Some(Value::Text(subject(item))),
        Field::Sensitivity => text("Normal"),
        Field::Body | Field::TextBody => Some(Value::Text(body(item, mailbox))),
        Field::Preview => Some(Value::Text(preview(item))),
        Field::DateTimeReceived | Field::DateTimeSent | Field::DateTimeCreated | Field::LastModifiedTime => {
            Some(Value::Time(received(item)))
        }
        Field::Size => Some(Value::Number(i64::try_from(size(item, mailbox)).unwrap_or(i64::MAX))),
        Field::Importance => text(match importance(item) {
            Importance::Low => "Low",
            Importance::Normal => "Normal",
            Importance::High => "High",
        }),
        Field::DisplayTo | Field::ToRecipients => text(mailbox.display_name()),
        Field::HasAttachments => Some(Value::Flag(voice_message(item).is_some())),
        // Whoever searches for a caller may know the name or the number.
        Field::From | Field::Sender => {
            let caller = caller(item);
            let name = caller_name(caller);
            Some(Value::Text(if name == caller.id {
                name.to_owned()
            } else {
                format!("{name} {}", caller.id)
            }))
        }
        Field::InternetMessageId => Some(Value::Text(internet_message_id(item, mailbox))),
        Field::StoreEntryId => Some(Value::Text(entry_id::of_item(item.id))),
        Field::ItemId => Some(Value::Text(ObjectId::Item(item.id).text())),
        Field::IsRead => Some(Value::Flag(item.seen)),
        Field::IsUnmodified => Some(Value::Flag(true)),
        Field::IsSubmitted
        | Field::IsDraft
        | Field::IsFromMe
        | Field::IsResend
        | Field::ReminderIsSet
        | Field::IsAssociated
        | Field::IsReadReceiptRequested
        | Field::IsDeliveryReceiptRequested
        | Field::IsResponseRequested => Some(Value::Flag(false)),
        Field::InstanceKey => Some(Value::Octets(item.id.as_bytes().to_vec())),
        Field::MimeContent
        | Field::ParentFolderId
        | Field::Attachments
        | Field::InternetMessageHeaders
        | Field::EffectiveRights => None,
    }
}

fn preview(item: &Item) -> String {
    let caller = caller(item);
    match &item.content {
        ItemContent::Message(message) => {
            format!("{} ({} s)", caller_name(caller), attachment::seconds(message)).trim_start().to_owned()
        }
        ItemContent::MissedCall(_) => caller_name(caller).to_owned(),
    }
}

/// By tag: [MS-OXPROPS].
fn tagged(item: &Item, tag: u16, mailbox: &Mailbox) -> Option<Value> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let number = |number: u64| Some(Value::Number(i64::try_from(number).unwrap_or(i64::MAX)));
    let caller = caller(item);
    let message = voice_message(item);
    match tag {
        // PidTagMessageClass
        0x001a => text(class(item)),
        // PidTagImportance, PidTagPriority
        0x0017 => number(importance(item) as u64),
        0x0026 => Some(Value::Number(importance(item) as i64 - 1)),
        // PidTagSensitivity
        0x0036 => number(0),
        // PidTagSubject, PidTagNormalizedSubject, PidTagConversationTopic
        0x0037 | 0x0e1d | 0x0070 => Some(Value::Text(subject(item))),
        // PidTagClientSubmitTime, PidTagMessageDeliveryTime, PidTagCreationTime, PidTagLastModificationTime
        0x0039 | 0x0e06 | 0x3007 | 0x3008 => Some(Value::Time(received(item))),
        // PidTagTransportMessageHeaders
        0x007d => {
            let lines =
                headers(item, mailbox).into_iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            Some(Value::Text(lines.collect()))
        }
        // PidTagSenderName, PidTagSentRepresentingName
        0x0c1a | 0x0042 => text(caller_name(caller)).filter(|_| !caller_name(caller).is_empty()),
        // PidTagSenderAddressType, PidTagSentRepresentingAddressType
        0x0c1e | 0x0064 => text(address_type(caller)).filter(|_| !caller.id.is_empty()),
        // PidTagSenderEmailAddress, PidTagSentRepresentingEmailAddress
        0x0c1f | 0x0065 => text(&caller.id).filter(|_| !caller.id.is_empty()),
        // PidTagDisplayTo
        0x0e04 => text(mailbox.display_name()),
        // PidTagMessageFlags
        0x0e07 => {
            let read = if item.seen { READ } else { 0 };
            let attachment = if message.is_some() { HAS_ATTACHMENT } else { 0 };
            Some(Value::Number(read | UNMODIFIED | attachment))
        }
        // PidTagMessageSize
        0x0e08 => number(size(item, mailbox)),
        // PidTagHasAttachments
        0x0e1b => Some(Value::Flag(message.is_some())),
        // PidTagInternetArticleNumber, the UID of IMAP: RFC 3501 2.3.1.1 wants it unique in a folder and rising
        // there, so a message that comes back to a folder comes back under a new one.
        0x0e23 => number(item.placed),
        // PidTagRecordKey, PidTagEntryId
        0x0ff9 => Some(Value::Octets(item.id.as_bytes().to_vec())),
        0x0fff => Some(Value::Octets(entry_id::bytes(ObjectId::Item(item.id)))),
        // PidTagBody
        0x1000 => Some(Value::Text(body(item, mailbox))),
        // PidTagInternetMessageId
        0x1035 => Some(Value::Text(internet_message_id(item, mailbox))),
        // PidTagUrlCompName
        0x10f3 => Some(Value::Text(format!("{}.EML", item.id))),
        // PidTagVoiceMessageDuration
        0x6801 => message.and_then(|message| number(attachment::seconds(message))),
        // PidTagSenderTelephoneNumber
        0x6802 => text(&caller.id).filter(|_| !caller.id.is_empty()),
        // PidTagVoiceMessageSenderName
        0x6803 => caller.name.clone().filter(|name| !name.is_empty()).map(Value::Text),
        // PidTagVoiceMessageAttachmentOrder
        0x6805 => message.map(|message| Value::Text(attachment::name(message))),
        // PidTagCallId
        0x6806 => text(call_id(item)).filter(|_| !call_id(item).is_empty()),
        // PidTagFaxNumberOfPages is 0x6804, and nobody sends a fax here.
        _ => None,
    }
}

fn call_id(item: &Item) -> &str {
    match &item.content {
        ItemContent::Message(VoiceMessage { call_id, .. })
        | ItemContent::MissedCall(MissedCall { call_id, .. }) => call_id,
    }
}

/// A header of internet mail. Those of voice mail are written from the properties, the others are the mail's.
fn header(item: &Item, name: &str, kind: Kind, mailbox: &Mailbox) -> Option<Value> {
    const SAME: [(&str, u16); 5] = [
        ("X-CallingTelephoneNumber", 0x6802),
        ("X-VoiceMessageDuration", 0x6801),
        ("X-VoiceMessageSenderName", 0x6803),
        ("X-AttachmentOrder", 0x6805),
        ("X-CallID", 0x6806),
    ];
    let as_asked = |value: Value| match (value, kind) {
        (Value::Number(number), Kind::String) => Value::Text(number.to_string()),
        (value, _) => value,
    };
    if let Some((_, tag)) = SAME.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return tagged(item, *tag, mailbox).map(as_asked);
    }
    if name.eq_ignore_ascii_case("Content-Class") {
        let class = if voice_message(item).is_some() { "voice-ca" } else { "missedcall" };
        return Some(Value::Text(class.to_owned()));
    }
    let found = headers(item, mailbox).into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| Value::Text(value))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
