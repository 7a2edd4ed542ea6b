//! Leaving a message.

use std::time::Duration;

use super::{NOON, With, add, address, admin, begin, deposit, finish, id, speech};
use crate::{
    AudioFormat, Author, CHUNK_BYTES_MAX, Caller, Config, Folder, Importance, MessageState, Purpose,
    RECORDING_BYTES_MAX, Refusal, Saved, StoreError, TEXT_CHARS_MAX, UserChange,
};

/// Envelope and audio, octet for octet.
pub fn what_was_said_is_what_is_kept(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for (number, format) in AudioFormat::ALL.into_iter().enumerate() {
            let id = id(number as u128 + 1);
            let said = speech(usize::try_from(format.bytes(Duration::from_millis(2_500))).unwrap());
            let start = crate::Begin { format, ..begin(id, &alice) };
            store.begin(&start).unwrap();
            for chunk in said.chunks(8_000) {
                store.append(id, chunk).unwrap();
            }
            let mut end = finish(id);
            end.importance = Importance::High;
            let Saved::Message(message) = store.finish(&end).unwrap() else { panic!("no message") };
            assert_eq!(message.id, id);
            assert_eq!(message.mailbox, alice);
            assert_eq!(message.number, number as u64 + 1);
            assert_eq!(message.caller.id, "+15550100");
            assert_eq!(message.caller.name.as_deref(), Some("Bob"));
            assert!(message.caller.verified);
            assert_eq!((message.subject.as_str(), message.call_id.as_str()), ("Lunch", "call-1"));
            assert_eq!((message.importance, message.state), (Importance::High, MessageState::New));
            assert_eq!((message.received, message.deleted), (NOON, None));
            assert_eq!(message.duration, Duration::from_millis(2_500));
            assert_eq!((message.bytes, message.format), (said.len() as u64, format));
            assert!(!message.incomplete && !message.damaged);
            assert_eq!(store.find_message(id).unwrap(), Some(*message));
            let audio = store.message_audio(&alice, id).unwrap();
            assert_eq!((audio.format, audio.damaged), (format, false));
            assert!(audio.data == said, "{format:?}: the audio differs");
        }
    });
}

/// REL-04: commit answers may be lost, and steps repeated.
pub fn a_deposit_finished_twice_is_one_message(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for n in 1..=100 {
            store.begin(&begin(id(n), &alice)).unwrap();
            store.begin(&begin(id(n), &alice)).unwrap();
            store.append(id(n), &speech(16_000)).unwrap();
            let saved = store.finish(&finish(id(n))).unwrap();
            assert_eq!(store.finish(&finish(id(n))).unwrap(), saved);
            store.begin(&begin(id(n), &alice)).unwrap();
            assert_eq!(store.finish(&finish(id(n))).unwrap(), saved);
        }
        store.discard(id(1)).unwrap();
        assert_eq!(store.messages(&alice, Folder::All, None).unwrap().len(), 100);
        assert_eq!(store.health().unwrap().recordings, 0);
    });
}

/// The menu after `#`: listen, record anew, cancel.
pub fn a_recording_can_be_reviewed_and_discarded(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        store.begin(&begin(id(1), &alice)).unwrap();
        store.append(id(1), &speech(8_000)).unwrap();
        assert!(store.recorded(id(1)).unwrap().data == speech(8_000));
        store.append(id(1), b"more").unwrap();
        assert_eq!(store.recorded(id(1)).unwrap().data.len(), 8_004);
        store.discard(id(1)).unwrap();
        store.discard(id(1)).unwrap();
        let gone = StoreError::Refused(Refusal::NoSuchRecording(id(1)));
        assert_eq!(store.recorded(id(1)), Err(gone));
        assert_eq!(store.finish(&finish(id(1))), Err(gone));
        assert_eq!(store.counts(&alice).unwrap().kept(), 0);
    });
}

/// What is cut off is gone, and the rest is whole samples.
pub fn silence_at_the_end_can_be_cut_off(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let mut check = |number: u128, keep: Option<Duration>, kept: usize| {
            let start = crate::Begin { format: AudioFormat::Pcm16At16k, ..begin(id(number), &alice) };
            store.begin(&start).unwrap();
            store.append(id(number), &speech(64_001)).unwrap();
            store.finish(&crate::Finish { keep, ..finish(id(number)) }).unwrap();
            let audio = store.message_audio(&alice, id(number)).unwrap();
            assert!(!audio.damaged);
            assert!(audio.data == speech(64_001).slice(..kept), "{keep:?} kept {}", audio.data.len());
        };
        check(1, None, 64_000);
        check(2, Some(Duration::from_millis(500)), 16_000);
        check(3, Some(Duration::from_secs(60)), 64_000);
        check(4, Some(Duration::ZERO), 0);
    });
}

/// REL-10: limits ± 1.
pub fn a_full_mailbox_takes_no_further_message(with: With) {
    with(Config { messages_max: 3, ..Config::default() }, &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        deposit(store, id(2), &alice).unwrap();
        assert!(!store.mailbox(&alice, NOON).unwrap().full);
        // The third is running, so there is no room for a fourth.
        store.begin(&begin(id(3), &alice)).unwrap();
        let full = Err(StoreError::Refused(Refusal::MailboxFull));
        assert_eq!(store.begin(&begin(id(4), &alice)), full);
        store.append(id(3), &speech(16_000)).unwrap();
        store.finish(&finish(id(3))).unwrap();
        assert!(store.mailbox(&alice, NOON).unwrap().full);
        assert_eq!(store.begin(&begin(id(4), &alice)), full);

        store.delete_message(&alice, id(2), &admin(), NOON).unwrap();
        assert!(!store.mailbox(&alice, NOON).unwrap().full);
        store.begin(&begin(id(4), &alice)).unwrap();
        store.discard(id(4)).unwrap();
        deposit(store, id(5), &alice).unwrap();
        // A greeting is no message.
        let kind = crate::GreetingKind::Name;
        let author = Author::OwnerByWeb;
        let greeting = crate::Begin { purpose: Purpose::Greeting { kind, author }, ..begin(id(6), &alice) };
        assert_eq!(store.begin(&greeting), Ok(()));
    });
}

/// DEC-19
pub fn unknown_and_disabled_mailboxes_take_none(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let nobody = Err(StoreError::Refused(Refusal::NoSuchUser));
        assert_eq!(store.begin(&begin(id(1), &address("nobody"))), nobody);
        store.change_user(&alice, &[UserChange::Enabled(false)], &admin(), NOON).unwrap();
        assert_eq!(store.begin(&begin(id(1), &alice)), Err(StoreError::Refused(Refusal::Disabled)));
        store.change_user(&alice, &[UserChange::Enabled(true)], &admin(), NOON).unwrap();
        assert_eq!(store.begin(&begin(id(1), &alice)), Ok(()));
    });
}

/// What is over the bound is refused, what there is can be kept.
pub fn a_recording_has_a_longest_length(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        store.begin(&begin(id(1), &alice)).unwrap();
        let long = Err(StoreError::Refused(Refusal::RecordingTooLong));
        let second = vec![0x55; CHUNK_BYTES_MAX];
        assert_eq!(store.append(id(1), &vec![0x55; CHUNK_BYTES_MAX + 1]), long);
        let mut left = RECORDING_BYTES_MAX;
        while left > 0 {
            let chunk = usize::try_from(left).unwrap().min(second.len());
            store.append(id(1), &second[..chunk]).unwrap();
            left -= chunk as u64;
        }
        assert_eq!(store.append(id(1), &[0]), long);
        let Saved::Message(message) = store.finish(&finish(id(1))).unwrap() else { panic!("no message") };
        assert_eq!(message.bytes, RECORDING_BYTES_MAX);
    });
}

/// HDR-1, SEC-123
pub fn texts_of_callers_are_made_fit(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let mut start = begin(id(1), &alice);
        start.purpose = Purpose::Message {
            caller: Caller { id: "a\r\nb".into(), name: Some("\u{1b}[31mEve".into()), verified: false },
            subject: "x".repeat(TEXT_CHARS_MAX + 1),
            importance: Importance::Low,
        };
        store.begin(&start).unwrap();
        let Saved::Message(message) = store.finish(&finish(id(1))).unwrap() else { panic!("no message") };
        assert_eq!(message.caller, Caller { id: "ab".into(), name: Some("[31mEve".into()), verified: false });
        assert_eq!(message.subject.len(), TEXT_CHARS_MAX);
        assert_eq!(store.find_message(id(1)).unwrap(), Some(*message));
    });
}

/// An id from nowhere changes nothing.
pub fn a_recording_that_nobody_began_is_refused(with: With) {
    with(Config::default(), &|store| {
        let unknown = StoreError::Refused(Refusal::NoSuchRecording(id(9)));
        assert_eq!(store.append(id(9), b"x"), Err(unknown));
        assert_eq!(store.recorded(id(9)), Err(unknown));
        assert_eq!(store.finish(&finish(id(9))), Err(unknown));
        assert_eq!(store.discard(id(9)), Ok(()));
    });
}
