//! The properties of voice messages and notices, as [MS-OXOUM] has them.

use umbel_store::MessageState;

use super::super::testing::{RECEIVED, mailbox, message_item, missed_item};
use super::*;
use crate::xml;

const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

fn extended(attributes: &str) -> Path {
    let text = format!("<t:ExtendedFieldURI xmlns:t='{TYPES}' {attributes}/>");
    Path::required(xml::read(text.as_bytes()).expect(&text).root()).expect(&text)
}

fn tag(item: &Item, tag: &str, kind: &str) -> Option<String> {
    let path = extended(&format!("PropertyTag='{tag}' PropertyType='{kind}'"));
    value(item, &path, &mailbox()).map(|value| value.print())
}

fn internet_header(item: &Item, name: &str, kind: &str) -> Option<String> {
    let path = extended(&format!(
        "DistinguishedPropertySetId='InternetHeaders' PropertyName='{name}' PropertyType='{kind}'"
    ));
    value(item, &path, &mailbox()).map(|value| value.print())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_voice_message_has_its_properties_by_tag() {
    let item = message_item(7);
    assert_eq!(tag(&item, "0x6801", "Integer"), some("12"));
    assert_eq!(tag(&item, "26625", "Integer"), some("12"));
    assert_eq!(tag(&item, "0x6802", "String"), some("+15551234567"));
    assert_eq!(tag(&item, "0x6803", "String"), some("Bob"));
    assert_eq!(tag(&item, "0x6804", "Integer"), None, "it is no fax");
    assert_eq!(tag(&item, "0x6805", "String"), some("15551234567 (12 seconds) Voice Mail.wav"));
    assert_eq!(tag(&item, "0x6806", "String"), some("a84b4c76e66710@example.test"));
    assert_eq!(tag(&item, "0x001A", "String"), some("IPM.Note.Microsoft.Voicemail.UM.CA"));
    assert_eq!(tag(&item, "0x0E06", "SystemTime"), some("2026-11-21T13:40:19Z"));
    assert_eq!(tag(&item, "0x10F3", "String"), some("00000000000000000000000000000007.EML"));
    assert_eq!(tag(&item, "0x6801", "String"), None, "it has another type");
}

#[test]
fn the_headers_of_a_voice_message_say_the_same_as_its_properties() {
    let item = message_item(1);
    assert_eq!(internet_header(&item, "X-CallingTelephoneNumber", "String"), some("+15551234567"));
    assert_eq!(internet_header(&item, "x-callingtelephonenumber", "String"), some("+15551234567"));
    assert_eq!(internet_header(&item, "X-VoiceMessageDuration", "Short"), some("12"));
    assert_eq!(internet_header(&item, "X-VoiceMessageDuration", "String"), some("12"));
    assert_eq!(internet_header(&item, "X-VoiceMessageSenderName", "String"), some("Bob"));
    assert_eq!(
        internet_header(&item, "X-AttachmentOrder", "String"),
        some("15551234567 (12 seconds) Voice Mail.wav")
    );
    assert_eq!(internet_header(&item, "X-CallID", "String"), some("a84b4c76e66710@example.test"));
    assert_eq!(internet_header(&item, "Content-Class", "String"), some("voice-ca"));
    assert_eq!(
        internet_header(&item, "message-id", "String"),
        some("<voice-message.00000000000000000000000000000001@example.test>")
    );
    assert_eq!(internet_header(&item, "X-FaxNumberOfPages", "Short"), None);
    // What is written by name is what stands in the mail.
    for (name, value) in headers(&item, &mailbox()) {
        if name.starts_with("X-Voice") || name.starts_with("X-Call") || name == "Content-Class" {
            assert_eq!(internet_header(&item, &name, "String"), Some(value), "{name}");
        }
    }
}

#[test]
fn a_notice_has_no_sound() {
    let item = missed_item(1);
    assert_eq!(class(&item), "IPM.Note.Microsoft.Missed.Voice");
    assert_eq!(tag(&item, "0x6801", "Integer"), None);
    assert_eq!(tag(&item, "0x6805", "String"), None);
    assert_eq!(tag(&item, "0x6802", "String"), some("+15551234567"));
    assert_eq!(internet_header(&item, "content-class", "String"), some("missedcall"));
    let has = value(&item, &Path::Field(Field::HasAttachments), &mailbox());
    assert_eq!(has, Some(Value::Flag(false)));
    assert_eq!(received(&item), RECEIVED);
}

#[test]
fn an_anonymous_caller_has_neither_name_nor_number() {
    let mut item = message_item(1);
    if let ItemContent::Message(message) = &mut item.content {
        message.caller = Caller::default();
    }
    for number in ["0x6802", "0x6803", "0x0C1A", "0x0C1F"] {
        assert_eq!(tag(&item, number, "String"), None, "{number}");
    }
}

/// What IMAP gateways read: RFC 3501 2.3.1.1 of the UID.
#[test]
fn the_article_number_is_that_of_the_place() {
    let mut item = message_item(3);
    assert_eq!(tag(&item, "0xe23", "Integer"), some("3"));
    assert_eq!(tag(&item, "0x0e07", "Integer"), some("18"));
    item.seen = true;
    (item.placed, item.changed) = (9, 11);
    if let ItemContent::Message(message) = &mut item.content {
        message.state = MessageState::Old;
    }
    assert_eq!(tag(&item, "0x0E23", "Integer"), some("9"));
    assert_eq!(tag(&item, "3591", "Integer"), some("19"));
}

#[test]
fn the_size_is_that_of_the_mail_with_its_sound() {
    let item = message_item(1);
    let wav =
        vec![0; usize::try_from(attachment::wav_bytes(voice_message(&item).expect("one"))).expect("fits")];
    let mail = mime(&item, &mailbox(), Some(&wav));
    assert_eq!(tag(&item, "0x0E08", "Integer"), Some(mail.len().to_string()));
    let notice = missed_item(1);
    assert_eq!(tag(&notice, "0xe08", "Integer"), Some(mime(&notice, &mailbox(), None).len().to_string()));
}

#[test]
fn what_can_be_searched_has_values_of_its_sort() {
    let (message, notice) = (message_item(1), missed_item(1));
    for field in Field::ALL {
        let path = Path::Field(*field);
        for item in [&message, &notice] {
            if let (Some(sort), Some(value)) = (sort(&path), value(item, &path, &mailbox())) {
                assert_eq!(value.sort(), sort, "{field:?}");
            }
        }
    }
}
