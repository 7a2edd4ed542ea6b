//! Items for tests.

use std::time::Duration;

use umbel_store::{
    Address, AudioFormat, Caller, GoneItem, Importance, Item, ItemChanges, ItemContent, MessageId,
    MessageState, MissedCall, MissedCallId, VoiceMessage,
};
use umbel_time::UnixTime;

use super::index::Index;
use super::mailbox::Mailbox;
use crate::xml::{self, Element, Namespace, Writer};

/// 2026-11-21 13:40:13 UTC.
pub(crate) const RECEIVED: UnixTime = UnixTime::from_secs(1_795_268_413);

pub(crate) fn alice() -> Address {
    Address::new("alice", "example.test").expect("an address")
}

pub(crate) fn mailbox() -> Mailbox {
    Mailbox {
        owner: alice(),
        name: "Alice Example".to_owned(),
        mail_to: "alice@mail.example.test".to_owned(),
        mail_from: "voicemail@example.test".to_owned(),
        zone: jiff::tz::TimeZone::UTC,
    }
}

/// A new message of Bob's, of twelve seconds; the number tells it from others, and it came so many seconds later.
pub(crate) fn message_item(number: u32) -> Item {
    let id = MessageId::from_bytes(u128::from(number).to_be_bytes());
    let count = u64::from(number);
    let message = VoiceMessage {
        id,
        mailbox: alice(),
        number: count,
        caller: Caller { id: "+15551234567".to_owned(), name: Some("Bob".to_owned()), verified: true },
        subject: "Lunch".to_owned(),
        importance: Importance::Normal,
        received: UnixTime::from_secs(RECEIVED.as_secs() + i64::from(number) - 1),
        duration: Duration::from_secs(12),
        state: MessageState::New,
        deleted: None,
        incomplete: false,
        damaged: false,
        format: AudioFormat::Pcmu,
        bytes: 96_000,
        call_id: "a84b4c76e66710@example.test".to_owned(),
    };
    Item {
        id,
        content: ItemContent::Message(message),
        seen: false,
        entered: count,
        placed: count,
        changed: count,
    }
}

/// A notice of a call of Bob's.
pub(crate) fn missed_item(number: u32) -> Item {
    let message = message_item(number);
    let ItemContent::Message(left) = message.content else { unreachable!("it is one") };
    let call = MissedCall {
        id: MissedCallId(u64::from(number)),
        mailbox: alice(),
        caller: left.caller,
        subject: left.subject,
        at: left.received,
        call_id: left.call_id,
    };
    Item { content: ItemContent::MissedCall(call), ..message }
}

/// The index of a mailbox with these items, whose count is `up_to`.
pub(crate) fn index(items: Vec<Item>, gone: Vec<GoneItem>, up_to: u64) -> Index {
    let mut index = Index::default();
    let changes = ItemChanges { mailbox_since: RECEIVED, items, gone, up_to, latest: up_to, forgotten: 0 };
    index.apply(changes);
    index
}

/// A document in the namespaces of the services: `m` and `t` are declared, and `m` is the default.
pub(crate) fn parse(text: &str) -> Element {
    let (m, t) = (Namespace::Messages.name(), Namespace::Types.name());
    let whole = format!("<x xmlns='{m}' xmlns:m='{m}' xmlns:t='{t}'>{text}</x>");
    xml::read(whole.as_bytes()).expect(text).root().elements()[0].clone()
}

/// What was printed, as its one element.
pub(crate) fn printed(print: impl FnOnce(&mut Writer)) -> Element {
    let mut writer = Writer::default();
    let declared = [
        ("xmlns:m", Namespace::Messages.name()),
        ("xmlns:t", Namespace::Types.name()),
        ("xmlns:xsi", Namespace::SchemaInstance.name()),
    ];
    writer.element("m:Body", &declared, print);
    let text = writer.finish();
    xml::read(text.as_bytes()).expect(&text).root().elements()[0].clone()
}

/// The messages of an answer to a request for several things.
pub(crate) fn messages(answer: &Element) -> Vec<&Element> {
    answer.elements()[0].elements().iter().collect()
}

/// The code of one of them.
pub(crate) fn code(message: &Element) -> &str {
    message.child(Namespace::Messages, "ResponseCode").map_or("", Element::text)
}
