//! A disk that fills up (REL-11).

use umbel_store::conformance::{NOON, admin, attempt, begin, deposit, finish, id, speech};
use umbel_store::{
    AudioFormat, Author, Folder, GreetingKind, Mailboxes, Recordings, Saved, Secrets, StoreError,
    StoredAudio, Upkeep, Verdict,
};

use crate::disk::model::ModelDisk;
use crate::testing::{directory, open_for};

#[test]
fn running_recordings_are_saved_new_ones_refused_and_the_rest_goes_on() {
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    deposit(&mut store, id(1_000), &alice).unwrap();
    for number in 0..100 {
        store.begin(&begin(id(number), &alice)).unwrap();
        store.append(id(number), &speech(4_000)).unwrap();
    }
    // The next octet is one too many.
    disk.set_capacity(Some(disk.used()));
    assert_eq!(store.begin(&begin(id(500), &alice)), Err(StoreError::DiskFull));
    for number in 0..100 {
        store.append(id(number), &speech(5_000)).unwrap();
    }
    assert!(store.health().unwrap().disk_full);
    // Whoever answers a call hears it before a caller speaks.
    assert!(store.mailbox(&alice, NOON).unwrap().disk_full);
    assert_eq!(store.begin(&begin(id(500), &alice)), Err(StoreError::DiskFull));
    let upload = StoredAudio { format: AudioFormat::Pcmu, data: speech(800), damaged: false };
    let refused = store.set_greeting(&alice, GreetingKind::Name, &upload, &Author::OwnerByWeb, NOON);
    assert_eq!(refused, Err(StoreError::DiskFull));

    // Log-in, playback and delete work.
    let verdict = store.check_pin(&attempt(&alice, umbel_store::conformance::GOOD_PIN, NOON)).unwrap();
    assert!(matches!(verdict, Verdict::Right { .. }));
    assert!(store.message_audio(&alice, id(1_000)).is_ok_and(|audio| !audio.damaged));
    store.delete_message(&alice, id(1_000), &admin(), NOON).unwrap();

    for number in 0..100 {
        let saved = store.finish(&finish(id(number))).unwrap();
        assert!(matches!(saved, Saved::Message(message) if message.bytes == 9_000), "{number}");
    }
    // It recovers alone: who looks finds the space.
    disk.set_capacity(None);
    assert!(!store.health().unwrap().disk_full && !store.mailbox(&alice, NOON).unwrap().disk_full);
    deposit(&mut store, id(501), &alice).unwrap();
    let expected = [speech(4_000), speech(5_000)].concat();
    for number in 0..100 {
        let audio = store.message_audio(&alice, id(number)).unwrap();
        assert!(!audio.damaged && audio.data == expected, "{number}");
    }
    assert_eq!(store.messages(&alice, Folder::Kept, None).unwrap().len(), 101);
}

// REL-11: "recovers alone", though no recording is running that could find out.
#[test]
fn when_there_is_space_again_the_next_recording_begins() {
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    store.begin(&begin(id(1), &alice)).unwrap();
    disk.set_capacity(Some(disk.used()));
    store.append(id(1), &speech(8_000)).unwrap();
    store.finish(&finish(id(1))).unwrap();
    assert_eq!(store.begin(&begin(id(2), &alice)), Err(StoreError::DiskFull));
    disk.set_capacity(None);
    deposit(&mut store, id(2), &alice).unwrap();
    // And what was set aside is set aside again.
    disk.set_capacity(Some(disk.used()));
    assert_eq!(store.begin(&begin(id(3), &alice)), Err(StoreError::DiskFull));
}

#[test]
fn when_even_the_reserve_is_used_up_what_was_said_so_far_is_kept() {
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    store.begin(&begin(id(1), &alice)).unwrap();
    store.append(id(1), &speech(8_000)).unwrap();
    disk.set_capacity(Some(disk.used()));
    let mut said = 8_000;
    let full = loop {
        match store.append(id(1), &speech(100_000)) {
            Ok(()) => said += 100_000,
            Err(error) => break error,
        }
    };
    assert_eq!(full, StoreError::DiskFull);
    assert!(said > 1_000_000, "the reserve of 1 MiB was used: {said}");
    let Saved::Message(message) = store.finish(&finish(id(1))).unwrap() else { panic!("no message") };
    assert_eq!(message.bytes, said);
    assert!(!store.message_audio(&alice, id(1)).unwrap().damaged);
}

#[test]
fn a_database_that_cannot_grow_refuses_and_later_saves_the_same_recording() {
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    let limit = |store: &mut crate::SqliteStore, pages: i64| {
        let connection = store.database.connection_mut().unwrap();
        connection.pragma_update(None, "max_page_count", pages).unwrap();
    };
    limit(&mut store, 1);
    let mut number = 0;
    let error = loop {
        number += 1;
        if let Err(error) = deposit(&mut store, id(number), &alice) {
            break error;
        }
        assert!(number < 500, "the database grows in spite of its limit");
    };
    assert_eq!(error, StoreError::DiskFull);
    assert_eq!(store.find_message(id(number)).unwrap(), None, "not called saved, not listed");
    limit(&mut store, 100_000);
    assert!(store.finish(&finish(id(number))).is_ok());
    let messages = store.messages(&alice, Folder::All, None).unwrap();
    assert_eq!(messages.len() as u128, number);
}
