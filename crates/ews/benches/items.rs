//! What a search of 10,000 messages costs without HTTP and store: restriction, order, page and print.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use umbel_ews::envelope::{self, Envelope};
use umbel_ews::item::find_item::find_item;
use umbel_ews::item::index::Index;
use umbel_ews::item::mailbox::Mailbox;
use umbel_ews::item::{Operation, read};
use umbel_store::{
    Address, AudioFormat, Caller, Importance, Item, ItemChanges, ItemContent, MessageId, MessageState,
    VoiceMessage,
};
use umbel_time::UnixTime;

const MESSAGES: u32 = 10_000;
const NEW_VOICE_MESSAGES: &str = "<m:Restriction><t:And><t:Contains ContainmentMode='Prefixed' \
    ContainmentComparison='IgnoreCase'><t:FieldURI FieldURI='item:ItemClass'/>\
    <t:Constant Value='IPM.Note.Microsoft.Voicemail'/></t:Contains><t:IsEqualTo><t:FieldURI FieldURI='message:IsRead'/>\
    <t:FieldURIOrConstant><t:Constant Value='false'/></t:FieldURIOrConstant></t:IsEqualTo></t:And></m:Restriction>";

fn alice() -> Address {
    Address::new("alice", "example.test").unwrap()
}

fn item(number: u32) -> Item {
    let id = MessageId::from_bytes((u128::from(number) << 64 | u128::from(number)).to_be_bytes());
    let seen = number.is_multiple_of(3);
    let message = VoiceMessage {
        id,
        mailbox: alice(),
        number: number.into(),
        caller: Caller {
            id: format!("+1555{number:07}"),
            name: Some(format!("Caller {number}")),
            verified: true,
        },
        subject: "Lunch".to_owned(),
        importance: Importance::Normal,
        received: UnixTime::from_secs(1_790_000_000 + i64::from(number) * 60),
        duration: Duration::from_secs(12),
        state: if seen { MessageState::Old } else { MessageState::New },
        deleted: None,
        incomplete: false,
        damaged: false,
        format: AudioFormat::Pcmu,
        bytes: 96_000,
        call_id: format!("{number}@192.0.2.7"),
    };
    let count = u64::from(number);
    Item { id, content: ItemContent::Message(message), seen, entered: count, placed: count, changed: count }
}

fn index() -> Index {
    let mut index = Index::default();
    index.apply(ItemChanges {
        mailbox_since: UnixTime::from_secs(1_790_000_000),
        items: (1..=MESSAGES).map(item).collect(),
        gone: Vec::new(),
        up_to: MESSAGES.into(),
        latest: MESSAGES.into(),
        forgotten: 0,
    });
    index
}

fn request(restriction: &str, order: &str) -> Vec<u8> {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:m='http://schemas.microsoft.com/exchange/services/2006/messages' \
         xmlns:t='http://schemas.microsoft.com/exchange/services/2006/types'><s:Body>\
         <m:FindItem Traversal='Shallow'><m:ItemShape><t:BaseShape>Default</t:BaseShape><t:AdditionalProperties>\
         <t:ExtendedFieldURI PropertyTag='0x6801' PropertyType='Integer'/></t:AdditionalProperties></m:ItemShape>\
         <m:IndexedPageItemView MaxEntriesReturned='50' Offset='0' BasePoint='Beginning'/>{restriction}\
         <m:SortOrder><t:FieldOrder Order='Descending'>{order}</t:FieldOrder></m:SortOrder>\
         <m:ParentFolderIds><t:DistinguishedFolderId Id='inbox'/></m:ParentFolderIds></m:FindItem></s:Body></s:Envelope>"
    )
    .into_bytes()
}

fn searching(criterion: &mut Criterion) {
    let index = index();
    let mailbox = Mailbox {
        owner: alice(),
        name: "Alice Example".to_owned(),
        mail_to: "alice@example.test".to_owned(),
        mail_from: "voicemail@example.test".to_owned(),
        zone: jiff::tz::TimeZone::UTC,
    };
    let received = "<t:FieldURI FieldURI='item:DateTimeReceived'/>";
    let article = "<t:ExtendedFieldURI PropertyTag='0x0E23' PropertyType='Integer'/>";
    for (name, octets) in [
        ("newest first", request("", received)),
        ("new voice messages, newest first", request(NEW_VOICE_MESSAGES, received)),
        ("by article number", request("", article)),
    ] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let envelope = Envelope::read(black_box(&octets)).unwrap();
                let Some(Ok(Operation::FindItem(Ok(find)))) = read(&envelope, &mailbox.owner) else {
                    unreachable!("it is one")
                };
                envelope::exchange(|writer| find_item(writer, &find, &index, &mailbox))
            });
        });
    }
}

criterion_group!(benches, searching);
criterion_main!(benches);
