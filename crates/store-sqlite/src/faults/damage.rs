//! Bits that flip, files that vanish, databases that are none (REL-05, REL-18, SEC-127).

use std::fs;

use umbel_store::conformance::{GOOD_PIN, NOON, WRONG_PIN, add, admin, attempt, begin, deposit, id};
use umbel_store::{
    Author, Config, Directory, Event, Folder, Lookup, Mailboxes, Recordings, StoreError, Upkeep, UserChange,
};

use crate::disk::Disk;
use crate::disk::model::ModelDisk;
use crate::testing::{directory, open_for, options};
use crate::{Options, SqliteStore};

#[test]
fn one_flipped_bit_in_any_place_of_a_file_is_found_and_the_message_stays_listed() {
    // REL-05
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    for number in 0..60 {
        deposit(&mut store, id(number), &alice).unwrap();
    }
    for number in 0..50_u128 {
        let name = format!("{}.wav", id(number));
        let length = disk.content(&name).len();
        // From the first octet of the header to the last of the audio.
        let byte = length.saturating_sub(1) * usize::try_from(number).unwrap() / 49;
        disk.flip(&name, byte, u8::try_from(number % 8).unwrap());
    }
    let report = store.scrub(40, NOON).unwrap();
    assert_eq!((report.checked, report.damaged, report.finished), (40, 40, false));
    let report = store.scrub(40, NOON).unwrap();
    assert_eq!((report.checked, report.damaged, report.finished), (20, 10, true));
    let messages = store.messages(&alice, Folder::Kept, None).unwrap();
    assert_eq!(messages.len(), 60, "never silently skipped");
    assert_eq!(messages.iter().filter(|message| message.damaged).count(), 50);
    for number in 0..60 {
        let audio = store.message_audio(&alice, id(number)).unwrap();
        assert_eq!(audio.damaged, number < 50, "{number}");
    }
    let mailbox = messages[0].mailbox.clone();
    let found = umbel_store::AuditTrail::audit_records(&mut store, &mailbox).unwrap();
    let found = found.iter().filter(|record| matches!(record.event, Event::DamageFound(_)));
    assert_eq!(found.count(), 50);
    assert_eq!(store.scrub(100, NOON).unwrap().damaged, 0, "found once");
}

#[test]
fn damage_is_found_on_the_way_to_the_listener_too() {
    // REL-05
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    deposit(&mut store, id(1), &alice).unwrap();
    deposit(&mut store, id(2), &alice).unwrap();
    disk.flip(&format!("{}.wav", id(1)), 5_000, 3);
    assert!(!store.find_message(id(1)).unwrap().unwrap().damaged);
    assert!(store.message_audio(&alice, id(1)).unwrap().damaged);
    assert!(store.find_message(id(1)).unwrap().unwrap().damaged, "it is marked");

    disk.clone().remove(&format!("{}.wav", id(2))).unwrap();
    assert_eq!(store.message_audio(&alice, id(2)), Err(StoreError::AudioMissing));
    assert!(store.find_message(id(2)).unwrap().unwrap().damaged);
}

/// A store with some content, closed.
fn filled(options: Options) {
    let (mut store, _) = SqliteStore::open(options).unwrap();
    let alice = add(&mut store, "alice");
    for number in 0..40 {
        deposit(&mut store, id(number), &alice).unwrap();
    }
    store.change_user(&alice, &[UserChange::Name("Alice".into())], &admin(), NOON).unwrap();
}

/// Opens a store whose file was changed: it must be found damaged, and must not be written.
fn check_damaged(data: &std::path::Path, before: &[u8]) {
    let (mut store, recovery) = SqliteStore::open(options(data)).unwrap();
    assert!(recovery.damaged);
    let health = store.health().unwrap();
    assert!(health.damaged && !health.writable);
    let alice = umbel_store::conformance::address("alice");
    assert_eq!(store.begin(&begin(id(999), &alice)), Err(StoreError::Damaged));
    let deleted = store.delete_message(&alice, id(1), &Author::OwnerByWeb, NOON);
    assert_eq!(deleted, Err(StoreError::Damaged));
    // No PIN is accepted without checking it, and none without counting it.
    let verdict = umbel_store::Secrets::check_pin(&mut store, &attempt(&alice, GOOD_PIN, NOON));
    assert_eq!(verdict, Err(StoreError::Damaged));
    drop(store);
    assert_eq!(fs::read(data.join("umbel.sqlite")).unwrap(), before, "it was written all the same");
}

#[test]
fn a_database_whose_header_is_gone_is_not_written() {
    // REL-18
    let dir = directory();
    filled(options(dir.path()));
    let path = dir.path().join("umbel.sqlite");
    let mut content = fs::read(&path).unwrap();
    content[..100].fill(0x5a);
    fs::write(&path, &content).unwrap();
    check_damaged(dir.path(), &content);
}

#[test]
fn a_database_with_a_damaged_page_is_not_written() {
    // REL-18
    let dir = directory();
    filled(options(dir.path()));
    let path = dir.path().join("umbel.sqlite");
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4_096;
    let mut found = 0;
    for page in 1..pages {
        let mut content = whole.clone();
        content[page * 4_096..page * 4_096 + 512].fill(0x5a);
        fs::write(&path, &content).unwrap();
        let (mut store, _) = SqliteStore::open(options(dir.path())).unwrap();
        if store.health().unwrap().damaged {
            found += 1;
            drop(store);
            check_damaged(dir.path(), &content);
        }
        for log in ["umbel.sqlite-wal", "umbel.sqlite-shm"] {
            let _ = fs::remove_file(dir.path().join(log));
        }
    }
    // A free page or the unused part of one harms nobody.
    assert!(found > pages / 2, "{found} of {pages} damaged pages were found");
}

#[test]
fn rows_that_we_never_wrote_are_errors_and_not_panics() {
    // SEC-127
    let dir = directory();
    let (mut store, _) =
        SqliteStore::open(Options { config: Config::default(), ..options(dir.path()) }).unwrap();
    let alice = add(&mut store, "alice");
    deposit(&mut store, id(1), &alice).unwrap();
    for (damage, repair) in [
        ("UPDATE message SET format = 'mp3'", "UPDATE message SET format = 'pcmu'"),
        ("UPDATE message SET importance = ''", "UPDATE message SET importance = 'low'"),
        ("UPDATE message SET bytes = -1", "UPDATE message SET bytes = 16000"),
        ("UPDATE message SET bytes = 9223372036854775807", "UPDATE message SET bytes = 16000"),
        ("UPDATE message SET checksum = x''", "UPDATE message SET checksum = x'00'"),
        ("UPDATE user SET routing = '[1]'", "UPDATE user SET routing = '{}'"),
        ("UPDATE user SET address = 'nobody'", "UPDATE user SET address = 'alice@example.test'"),
        ("UPDATE pin SET salt = x'00'", "DELETE FROM pin"),
        ("UPDATE pin SET memory_kib = 4000000000", "DELETE FROM pin"),
        ("UPDATE audit SET event = 'null'", "DELETE FROM audit"),
        ("UPDATE audit SET author = '{\"x\":'", "DELETE FROM audit"),
    ] {
        let sql = |store: &mut SqliteStore, text: &str| {
            store.database.connection_mut().unwrap().execute_batch(text).unwrap();
        };
        sql(&mut store, damage);
        let _ = store.messages(&alice, Folder::All, None);
        let _ = store.items(&alice, 0);
        let _ = store.message_audio(&alice, id(1));
        let _ = store.find_user(&Lookup::Address(alice.clone()));
        let _ = store.mailbox(&alice, NOON);
        let _ = umbel_store::Secrets::check_pin(&mut store, &attempt(&alice, WRONG_PIN, NOON));
        let _ = umbel_store::AuditTrail::audit_records(&mut store, &alice);
        sql(&mut store, repair);
        sql(&mut store, "DELETE FROM caller_failure; DELETE FROM lock_out;");
        assert!(store.find_user(&Lookup::Address(alice.clone())).unwrap().is_some(), "after {damage}");
    }
}
