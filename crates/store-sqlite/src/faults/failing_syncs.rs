//! Syncs that fail (REL-09).

use umbel_store::conformance::{begin, deposit, finish, id, speech};
use umbel_store::{Folder, Mailboxes, Recordings, Saved, StoreError};

use crate::disk::model::{Forgets, ModelDisk};
use crate::testing::{directory, open_for, open_on};

#[test]
fn what_a_failed_sync_left_in_doubt_is_written_again_before_it_is_called_saved() {
    // One sync alone, then that one and the first attempt to mend it.
    for (nth, in_a_row) in (1..=50).flat_map(|nth| [(nth, 1), (nth, 2)]) {
        let dir = directory();
        let disk = ModelDisk::default();
        let (mut store, alice) = open_for(dir.path(), &disk, "alice");
        disk.fail_syncs(nth..nth + in_a_row);
        let mut saved = Vec::new();
        for number in 0..12 {
            store.begin(&begin(id(number), &alice)).unwrap();
            store.append(id(number), &speech(8_000)).unwrap();
            if let Ok(Some(round)) = store.begin_round() {
                store.end_round(round.run());
            }
            store.append(id(number), &speech(16_001)).unwrap();
            // It may be the name that could not be synced, or the fresh file; then it says so, and
            // asking again helps.
            let mut kept = store.finish(&finish(id(number)));
            for _ in 0..in_a_row {
                kept = kept.or_else(|error| {
                    assert_eq!(error, StoreError::Disk);
                    store.finish(&finish(id(number)))
                });
            }
            assert!(matches!(kept, Ok(Saved::Message(_))), "sync {nth}: {kept:?}");
            saved.push(id(number));
        }
        drop(store);

        let disk = disk.after_power_cut(Forgets::Everything);
        let (mut store, _) = open_on(dir.path(), &disk);
        let expected = [speech(8_000), speech(16_001)].concat();
        for id in saved {
            let audio = store.message_audio(&alice, id).unwrap();
            assert!(!audio.damaged && audio.data == expected, "sync {nth}: {id} is not what was said");
        }
        assert_eq!(store.messages(&alice, Folder::All, None).unwrap().len(), 12);
    }
}

#[test]
fn while_no_sync_succeeds_nothing_is_called_saved_and_afterwards_it_is() {
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    disk.fail_syncs(1..=20);
    store.begin(&begin(id(1), &alice)).unwrap();
    store.append(id(1), &speech(24_000)).unwrap();
    let mut failures = 0;
    let saved = loop {
        match store.finish(&finish(id(1))) {
            Ok(saved) => break saved,
            Err(error) => {
                assert_eq!(error, StoreError::Disk);
                assert_eq!(store.messages(&alice, Folder::All, None).unwrap(), [], "not even listed");
                failures += 1;
            }
        }
    };
    assert!(failures > 5, "{failures}");
    assert!(matches!(saved, Saved::Message(message) if message.bytes == 24_000));
    let disk = disk.after_power_cut(Forgets::Everything);
    let (mut store, _) = open_on(dir.path(), &disk);
    let audio = store.message_audio(&alice, id(1)).unwrap();
    assert!(!audio.damaged && audio.data == speech(24_000));
}

#[test]
fn a_commit_that_fails_is_not_called_saved_and_can_be_asked_for_again() {
    // REL-04, REL-09
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    let connection = store.database.connection_mut().unwrap();
    connection.commit_hook(Some(|| true)).unwrap();
    assert_eq!(deposit(&mut store, id(1), &alice), Err(StoreError::Disk));
    let connection = store.database.connection_mut().unwrap();
    connection.commit_hook(None::<fn() -> bool>).unwrap();
    assert_eq!(store.messages(&alice, Folder::All, None).unwrap(), []);
    assert!(store.finish(&finish(id(1))).is_ok());
    assert_eq!(store.messages(&alice, Folder::All, None).unwrap().len(), 1);
}
