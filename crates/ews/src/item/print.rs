//! Prints items: only what the shape asks for, in the order of the schema.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_mail::attachment;
use umbel_store::{Caller, Item, VoiceMessage};

use crate::xml::Writer;

use super::field::Field;
use super::folder::Folder;
use super::id::{ChangeKey, FolderId, ObjectId};
use super::mailbox::Mailbox;
use super::message;
use super::path::Path;
use super::shape::ItemShape;
use super::value::date_time;

/// PidTagAttachMimeTag of a sound, as [MS-OXOUM] 2.2.5 has it.
const SOUND: &str = "audio/WAV";

/// Prints `t:Message`. `mime` is the whole mail, where the shape wants it and it could be had.
pub fn item(writer: &mut Writer, item: &Item, shape: &ItemShape, mailbox: &Mailbox, mime: Option<&[u8]>) {
    writer.element("t:Message", &[], |message| {
        let (before, after) =
            shape.fields.split_at(shape.fields.partition_point(|f| *f <= Field::HasAttachments));
        for field in before {
            print_field(message, item, *field, mailbox, mime);
        }
        for extended in &shape.extended {
            let Some(value) = message::extended_value(item, extended, mailbox) else { continue };
            message.element("t:ExtendedProperty", &[], |property| {
                extended.print(property);
                property.text("t:Value", &value.print());
            });
        }
        for field in after {
            print_field(message, item, *field, mailbox, mime);
        }
    });
}

/// Prints `t:ItemId`.
pub(crate) fn item_id(writer: &mut Writer, item: &Item) {
    let (id, key) = (ObjectId::Item(item.id).text(), ChangeKey(item.changed).text());
    writer.empty("t:ItemId", &[("Id", &id), ("ChangeKey", &key)]);
}

fn print_field(writer: &mut Writer, item: &Item, field: Field, mailbox: &Mailbox, mime: Option<&[u8]>) {
    match field {
        Field::ItemId => item_id(writer, item),
        Field::MimeContent => {
            if let Some(mime) = mime {
                let text = STANDARD.encode(mime);
                writer.element("t:MimeContent", &[("CharacterSet", "UTF-8")], |within| {
                    within.characters(&text);
                });
            }
        }
        Field::ParentFolderId => {
            let id = ObjectId::Folder(FolderId::new(Folder::home(item), &mailbox.owner)).text();
            writer.empty("t:ParentFolderId", &[("Id", &id)]);
        }
        Field::Body | Field::TextBody => {
            let name = if field == Field::Body { "t:Body" } else { "t:TextBody" };
            let text = message::body(item, mailbox);
            writer.element(name, &[("BodyType", "Text")], |within| within.characters(&text));
        }
        Field::Attachments => {
            if let Some(message) = message::voice_message(item) {
                writer.element("t:Attachments", &[], |within| sound(within, message, None));
            }
        }
        Field::InternetMessageHeaders => {
            writer.element("t:InternetMessageHeaders", &[], |within| {
                for (name, value) in message::headers(item, mailbox) {
                    let named = [("HeaderName", name.as_str())];
                    within.element("t:InternetMessageHeader", &named, |header| header.characters(&value));
                }
            });
        }
        Field::EffectiveRights => effective_rights(writer, true),
        Field::From | Field::Sender => {
            let name = if field == Field::From { "t:From" } else { "t:Sender" };
            let caller = message::caller(item);
            if !message::caller_name(caller).is_empty() {
                writer.element(name, &[], |within| print_caller(within, caller));
            }
        }
        Field::ToRecipients => {
            writer.element("t:ToRecipients", &[], |within| {
                print_mailbox(within, mailbox.display_name(), mailbox.owner.as_str(), "SMTP", "Mailbox");
            });
        }
        field => {
            if let Some(value) = message::value(item, &Path::Field(field), mailbox) {
                writer.text(element_name(field), &value.print());
            }
        }
    }
}

/// The element of a field that has a plain value.
fn element_name(field: Field) -> &'static str {
    match field {
        Field::ItemClass => "t:ItemClass",
        Field::Subject => "t:Subject",
        Field::Sensitivity => "t:Sensitivity",
        Field::DateTimeReceived => "t:DateTimeReceived",
        Field::Size => "t:Size",
        Field::Importance => "t:Importance",
        Field::IsSubmitted => "t:IsSubmitted",
        Field::IsDraft => "t:IsDraft",
        Field::IsFromMe => "t:IsFromMe",
        Field::IsResend => "t:IsResend",
        Field::IsUnmodified => "t:IsUnmodified",
        Field::DateTimeSent => "t:DateTimeSent",
        Field::DateTimeCreated => "t:DateTimeCreated",
        Field::ReminderIsSet => "t:ReminderIsSet",
        Field::DisplayTo => "t:DisplayTo",
        Field::HasAttachments => "t:HasAttachments",
        Field::LastModifiedTime => "t:LastModifiedTime",
        Field::IsAssociated => "t:IsAssociated",
        Field::StoreEntryId => "t:StoreEntryId",
        Field::InstanceKey => "t:InstanceKey",
        Field::Preview => "t:Preview",
        Field::IsReadReceiptRequested => "t:IsReadReceiptRequested",
        Field::IsDeliveryReceiptRequested => "t:IsDeliveryReceiptRequested",
        Field::ConversationTopic => "t:ConversationTopic",
        Field::InternetMessageId => "t:InternetMessageId",
        Field::IsRead => "t:IsRead",
        Field::IsResponseRequested => "t:IsResponseRequested",
        Field::MimeContent
        | Field::ItemId
        | Field::ParentFolderId
        | Field::Body
        | Field::TextBody
        | Field::Attachments
        | Field::InternetMessageHeaders
        | Field::EffectiveRights
        | Field::From
        | Field::Sender
        | Field::ToRecipients => unreachable!("these have more than a value, and arms of their own"),
    }
}

/// Prints `t:EffectiveRights`: what an owner may do. Nothing can be made here by writing to it.
pub(crate) fn effective_rights(writer: &mut Writer, may_change: bool) {
    writer.element("t:EffectiveRights", &[], |rights| {
        rights.boolean("t:CreateAssociated", false);
        rights.boolean("t:CreateContents", false);
        rights.boolean("t:CreateHierarchy", false);
        rights.boolean("t:Delete", may_change);
        rights.boolean("t:Modify", may_change);
        rights.boolean("t:Read", true);
    });
}

/// Prints `t:FileAttachment`; its octets where they are given.
pub(crate) fn sound(writer: &mut Writer, message: &VoiceMessage, wav: Option<&[u8]>) {
    writer.element("t:FileAttachment", &[], |file| {
        file.empty("t:AttachmentId", &[("Id", &ObjectId::Attachment(message.id).text())]);
        file.text("t:Name", &attachment::name(message));
        file.text("t:ContentType", SOUND);
        file.number("t:Size", i64::try_from(attachment::wav_bytes(message)).unwrap_or(i64::MAX));
        file.text("t:LastModifiedTime", &date_time(message.received));
        file.boolean("t:IsInline", false);
        file.boolean("t:IsContactPhoto", false);
        if let Some(wav) = wav {
            file.text("t:Content", &STANDARD.encode(wav));
        }
    });
}

fn print_caller(writer: &mut Writer, caller: &Caller) {
    let kind = if caller.id.contains('@') { "Mailbox" } else { "OneOff" };
    print_mailbox(writer, message::caller_name(caller), &caller.id, message::address_type(caller), kind);
}

fn print_mailbox(writer: &mut Writer, name: &str, address: &str, routing: &str, kind: &str) {
    writer.element("t:Mailbox", &[], |mailbox| {
        mailbox.text("t:Name", name);
        if !address.is_empty() {
            mailbox.text("t:EmailAddress", address);
            mailbox.text("t:RoutingType", routing);
        }
        mailbox.text("t:MailboxType", kind);
    });
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
