//! Greetings.

use std::time::Duration;

use super::{NOON, With, add, address, admin, begin, finish, id, speech};
use crate::{
    ActiveGreeting, AudioFormat, Author, Begin, Config, Event, GreetingKind, MessageId, Purpose, Refusal,
    Saved, Store, StoreError, StoredAudio,
};

fn begin_greeting(store: &mut dyn Store, id: MessageId, kind: GreetingKind) {
    let author = Author::OwnerByPin { call_id: "call-5".into() };
    let purpose = Purpose::Greeting { kind, author };
    store.begin(&Begin { purpose, ..begin(id, &address("alice")) }).unwrap();
}

/// By telephone and by upload.
pub fn a_greeting_is_recorded_replaced_and_removed(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let kind = GreetingKind::Standard;
        assert_eq!(store.greeting_audio(&alice, kind), Ok(None));
        begin_greeting(store, id(1), kind);
        store.append(id(1), &speech(24_000)).unwrap();
        let saved = store.finish(&finish(id(1))).unwrap();
        let duration = Duration::from_secs(3);
        assert_eq!(saved, Saved::Greeting { mailbox: alice.clone(), kind, duration });
        let audio = store.greeting_audio(&alice, kind).unwrap().unwrap();
        assert!(audio.data == speech(24_000) && audio.format == AudioFormat::Pcmu && !audio.damaged);
        assert_eq!(store.find_message(id(1)).unwrap(), None, "a greeting is no message");

        let upload = StoredAudio { format: AudioFormat::Pcm16At16k, data: speech(6_400), damaged: false };
        store.set_greeting(&alice, kind, &upload, &Author::OwnerByWeb, NOON).unwrap();
        assert_eq!(store.greeting_audio(&alice, kind).unwrap(), Some(upload.clone()));
        store.set_greeting(&alice, GreetingKind::Name, &upload, &Author::OwnerByWeb, NOON).unwrap();
        let listed = store.mailbox(&alice, NOON).unwrap().greetings;
        let lines: Vec<_> = listed.iter().map(|g| (g.kind, g.format, g.bytes, g.recorded)).collect();
        let line = |kind| (kind, AudioFormat::Pcm16At16k, 6_400, NOON);
        assert_eq!(lines, [line(GreetingKind::Standard), line(GreetingKind::Name)]);

        store.remove_greeting(&alice, kind, &admin(), NOON).unwrap();
        assert_eq!(store.greeting_audio(&alice, kind), Ok(None));
        let again = store.remove_greeting(&alice, kind, &admin(), NOON);
        assert_eq!(again, Err(StoreError::Refused(Refusal::NoSuchGreeting(kind))));
        let nobody = store.set_greeting(&address("nobody"), kind, &upload, &admin(), NOON);
        assert_eq!(nobody, Err(StoreError::Refused(Refusal::NoSuchUser)));
    });
}

/// Hanging up in the middle changes nothing.
pub fn an_unfinished_greeting_leaves_the_old_one(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let kind = GreetingKind::OutOfOffice;
        begin_greeting(store, id(1), kind);
        store.append(id(1), &speech(8_000)).unwrap();
        store.finish(&finish(id(1))).unwrap();
        begin_greeting(store, id(2), kind);
        store.append(id(2), &speech(16_000)).unwrap();
        assert_eq!(store.greeting_audio(&alice, kind).unwrap().unwrap().data.len(), 8_000);
        store.discard(id(2)).unwrap();
        assert_eq!(store.greeting_audio(&alice, kind).unwrap().unwrap().data.len(), 8_000);
    });
}

/// Chosen apart from recorded.
pub fn a_greeting_is_chosen(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        assert_eq!(store.mailbox(&alice, NOON).unwrap().greeting, ActiveGreeting::Standard);
        store.choose_greeting(&alice, ActiveGreeting::OutOfOffice, &Author::OwnerByWeb, NOON).unwrap();
        assert_eq!(store.mailbox(&alice, NOON).unwrap().greeting, ActiveGreeting::OutOfOffice);
        let user = store.find_user(&crate::Lookup::Address(alice)).unwrap().unwrap();
        assert_eq!(user.greeting.kind(), GreetingKind::OutOfOffice);
    });
}

/// SEC-91
pub fn every_change_of_a_greeting_is_audited(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let before = store.audit_records(&alice).unwrap().len();
        begin_greeting(store, id(1), GreetingKind::Name);
        store.append(id(1), &speech(8_000)).unwrap();
        store.finish(&finish(id(1))).unwrap();
        let upload = StoredAudio { format: AudioFormat::Pcmu, data: speech(160), damaged: false };
        let skip = Author::OwnerBySkip { call_id: "call-6".into() };
        store.set_greeting(&alice, GreetingKind::Standard, &upload, &Author::OwnerByWeb, NOON).unwrap();
        store.choose_greeting(&alice, ActiveGreeting::OutOfOffice, &skip, NOON).unwrap();
        store.remove_greeting(&alice, GreetingKind::Name, &skip, NOON).unwrap();
        let records = store.audit_records(&alice).unwrap().split_off(before);
        let lines: Vec<_> = records.iter().map(|r| (r.event.clone(), r.call_id.as_deref())).collect();
        assert_eq!(
            lines,
            [
                (Event::GreetingRecorded(GreetingKind::Name), Some("call-5")),
                (Event::GreetingRecorded(GreetingKind::Standard), None),
                (Event::GreetingChosen(ActiveGreeting::OutOfOffice), Some("call-6")),
                (Event::GreetingRemoved(GreetingKind::Name), Some("call-6")),
            ]
        );
        assert_eq!(records[2].author, Some(skip));
    });
}
