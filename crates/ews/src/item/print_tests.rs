//! Items as they are printed.

use super::super::field::BaseShape;
use super::super::testing::{mailbox, message_item, missed_item};
use super::*;
use crate::xml::{self, Element, Namespace};

fn printed(which: &Item, shape: &ItemShape, mime: Option<&[u8]>) -> Element {
    let mut writer = Writer::default();
    let declared = [("xmlns:t", Namespace::Types.name())];
    writer.element("t:Items", &declared, |within| item(within, which, shape, &mailbox(), mime));
    let text = writer.finish();
    xml::read(text.as_bytes()).expect(&text).root().elements()[0].clone()
}

fn shape(within: &str) -> ItemShape {
    let text = format!("<ItemShape xmlns='{}'>{within}</ItemShape>", Namespace::Types.name());
    ItemShape::read(xml::read(text.as_bytes()).expect(&text).root(), false).expect(&text)
}

fn names(element: &Element) -> Vec<&str> {
    element.elements().iter().map(Element::name).collect()
}

#[test]
fn only_what_is_asked_for_is_printed() {
    let found = printed(&message_item(1), &shape("<BaseShape>IdOnly</BaseShape>"), None);
    assert_eq!((found.name(), names(&found)), ("Message", vec!["ItemId"]));
    let id = &found.elements()[0];
    assert_eq!(id.attribute("Id"), Some(ObjectId::Item(message_item(1).id).text().as_str()));
    assert_eq!(id.attribute("ChangeKey"), Some(ChangeKey(1).text().as_str()));
}

#[test]
fn all_properties_stand_in_the_order_of_the_schema() {
    // The order of `t:ItemType` and `t:MessageType`, as far as messages here go.
    const ORDER: [&str; 38] = [
        "MimeContent",
        "ItemId",
        "ParentFolderId",
        "ItemClass",
        "Subject",
        "Sensitivity",
        "Body",
        "Attachments",
        "DateTimeReceived",
        "Size",
        "Importance",
        "IsSubmitted",
        "IsDraft",
        "IsFromMe",
        "IsResend",
        "IsUnmodified",
        "InternetMessageHeaders",
        "DateTimeSent",
        "DateTimeCreated",
        "ReminderIsSet",
        "DisplayTo",
        "HasAttachments",
        "ExtendedProperty",
        "EffectiveRights",
        "LastModifiedTime",
        "IsAssociated",
        "StoreEntryId",
        "InstanceKey",
        "Preview",
        "TextBody",
        "Sender",
        "ToRecipients",
        "IsReadReceiptRequested",
        "IsDeliveryReceiptRequested",
        "ConversationTopic",
        "From",
        "InternetMessageId",
        "IsRead",
    ];
    let all = shape(
        "<BaseShape>AllProperties</BaseShape><IncludeMimeContent>true</IncludeMimeContent><AdditionalProperties>\
         <ExtendedFieldURI PropertyTag='0x6801' PropertyType='Integer'/><FieldURI FieldURI='item:TextBody'/>\
         <FieldURI FieldURI='item:StoreEntryId'/></AdditionalProperties>",
    );
    let found = printed(&message_item(1), &all, Some(b"the mail"));
    assert_eq!(names(&found), [&ORDER[..], &["IsResponseRequested"]].concat());
    assert_eq!(found.elements()[0].text(), "dGhlIG1haWw=");
}

#[test]
fn an_extended_property_that_an_item_lacks_is_left_out() {
    let wanted = shape(
        "<BaseShape>IdOnly</BaseShape><AdditionalProperties>\
         <ExtendedFieldURI PropertyTag='0x6804' PropertyType='Integer'/>\
         <ExtendedFieldURI PropertyTag='0x6801' PropertyType='Integer'/></AdditionalProperties>",
    );
    let found = printed(&message_item(1), &wanted, None);
    assert_eq!(names(&found), ["ItemId", "ExtendedProperty"]);
    let property = &found.elements()[1];
    assert_eq!(property.elements()[0].attribute("PropertyTag"), Some("0x6801"));
    assert_eq!(property.elements()[1].text(), "12");
    assert_eq!(names(&printed(&missed_item(1), &wanted, None)), ["ItemId"]);
}

#[test]
fn the_sound_is_an_attachment_of_messages_alone() {
    let wanted = ItemShape { fields: vec![Field::Attachments, Field::HasAttachments], extended: vec![] };
    let found = printed(&message_item(1), &wanted, None);
    let file = &found.elements()[0].elements()[0];
    assert_eq!(
        names(file),
        ["AttachmentId", "Name", "ContentType", "Size", "LastModifiedTime", "IsInline", "IsContactPhoto"]
    );
    assert_eq!(file.elements()[1].text(), "15551234567 (12 seconds) Voice Mail.wav");
    assert_eq!(file.elements()[2].text(), "audio/WAV");
    assert_eq!(names(&printed(&missed_item(1), &wanted, None)), ["HasAttachments"]);
}

#[test]
fn the_caller_is_the_sender() {
    let wanted = ItemShape { fields: vec![Field::From], extended: vec![] };
    let sender = |item: &Item| {
        let found = printed(item, &wanted, None);
        let from = found.child(Namespace::Types, "From").cloned()?;
        let mailbox = from.elements()[0].elements().iter();
        Some(mailbox.map(|part| part.text().to_owned()).collect::<Vec<_>>())
    };
    let mut item = message_item(1);
    assert_eq!(sender(&item), Some(["Bob", "+15551234567", "TEL", "OneOff"].map(str::to_owned).to_vec()));
    let umbel_store::ItemContent::Message(message) = &mut item.content else { panic!("it is one") };
    (message.caller.id, message.caller.name) = ("bob@example.test".to_owned(), None);
    let expected = ["bob@example.test", "bob@example.test", "SMTP", "Mailbox"];
    assert_eq!(sender(&item), Some(expected.map(str::to_owned).to_vec()));
    let umbel_store::ItemContent::Message(message) = &mut item.content else { panic!("it is one") };
    message.caller = Caller::default();
    assert_eq!(sender(&item), None);
}

#[test]
fn every_field_can_be_printed() {
    for field in Field::ALL {
        let wanted = ItemShape { fields: vec![*field], extended: vec![] };
        assert_eq!(printed(&message_item(1), &wanted, Some(b"x")).elements().len(), 1, "{field:?}");
    }
    assert!(Field::ItemId.is_in(BaseShape::IdOnly, true));
}
