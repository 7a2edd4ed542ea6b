//! What is deleted is fully gone or fully there, and what nobody names is removed (REL-07, REL-16).

use std::time::Duration;

use umbel_store::conformance::{DAY, NOON, admin, begin, deposit, id, speech};
use umbel_store::{Directory, Folder, Lookup, Mailboxes, Recordings, Upkeep};

use crate::disk::Disk;
use crate::disk::model::{Forgets, ModelDisk};
use crate::testing::{directory, open_for, open_on};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_purge_cut_at_every_step_leaves_no_message_without_audio() {
    // REL-07: kill at every step
    for forgets in [Forgets::Everything, Forgets::Nothing] {
        for step in 1.. {
            let dir = directory();
            let disk = ModelDisk::default();
            let (mut store, alice) = open_for(dir.path(), &disk, "alice");
            for number in 0..6 {
                deposit(&mut store, id(number), &alice).unwrap();
            }
            for number in 0..4 {
                store.delete_message(&alice, id(number), &admin(), NOON).unwrap();
            }
            disk.cut_power_at(step);
            let swept = store.sweep(NOON + 15 * DAY);
            drop(store);
            let disk = disk.after_power_cut(forgets);
            let (mut store, _) = open_on(dir.path(), &disk);
            let listed = store.messages(&alice, Folder::All, None).unwrap();
            assert!([2, 6].contains(&listed.len()), "step {step}: {} are left", listed.len());
            for message in listed {
                let audio = store.message_audio(&alice, message.id).unwrap();
                assert!(!audio.damaged, "step {step}: {} lost its audio", message.id);
            }
            // The next sweeps end what this one began; the files are a day old by then.
            store.sweep(NOON + 15 * DAY).unwrap();
            assert_eq!(disk.names().len(), 2, "step {step}");
            if swept.is_ok_and(|report| report.messages == 4 && step > 6) {
                break;
            }
        }
    }
}

#[test]
fn removing_a_user_is_all_or_nothing_at_every_step() {
    // REL-07
    for step in 1.. {
        let dir = directory();
        let disk = ModelDisk::default();
        let (mut store, alice) = open_for(dir.path(), &disk, "alice");
        for number in 0..3 {
            deposit(&mut store, id(number), &alice).unwrap();
        }
        store.begin(&begin(id(9), &alice)).unwrap();
        disk.cut_power_at(step);
        let removed = store.remove_user(&alice, &admin(), NOON);
        drop(store);
        let disk = disk.after_power_cut(Forgets::Nothing);
        let (mut store, _) = open_on(dir.path(), &disk);
        match store.find_user(&Lookup::Address(alice.clone())).unwrap() {
            Some(_) => {
                assert!(removed.is_err());
                for number in 0..3 {
                    assert!(!store.message_audio(&alice, id(number)).unwrap().damaged, "step {step}");
                }
            }
            None => {
                assert_eq!(store.find_message(id(0)).unwrap(), None);
                store.sweep(NOON + 2 * DAY).unwrap();
                assert_eq!(disk.names(), [""; 0], "step {step}");
            }
        }
        if removed.is_ok() && disk.names().is_empty() && step > 5 {
            break;
        }
    }
}

#[test]
fn what_a_batch_that_was_not_committed_would_have_removed_stays() {
    // REL-07: the worker commits many operations at once
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    deposit(&mut store, id(1), &alice).unwrap();
    deposit(&mut store, id(2), &alice).unwrap();
    store.delete_message(&alice, id(1), &admin(), NOON).unwrap();
    store.begin_batch().unwrap();
    assert_eq!(store.sweep(NOON + 15 * DAY).unwrap().messages, 1);
    store.remove_user(&alice, &admin(), NOON).unwrap();
    disk.cut_power_at(1);
    assert!(store.commit_batch().is_err());
    drop(store);
    let disk = disk.after_power_cut(Forgets::Nothing);
    let (mut store, _) = open_on(dir.path(), &disk);
    for number in [1, 2] {
        assert!(!store.message_audio(&alice, id(number)).unwrap().damaged, "{number}");
    }
}

#[test]
fn files_without_a_row_are_kept_a_day_and_those_with_one_for_good() {
    // REL-16
    let dir = directory();
    let mut disk = ModelDisk::default();
    let (mut store, alice) = open_for(dir.path(), &disk, "alice");
    deposit(&mut store, id(1), &alice).unwrap();
    store.begin(&begin(id(2), &alice)).unwrap();
    store.append(id(2), &speech(800)).unwrap();
    disk.create("orphan.wav").unwrap();
    // The disk of these tests says that every file was written at noon.
    assert_eq!(store.sweep(NOON + 24 * HOUR).unwrap().orphans, 0);
    assert_eq!(store.messages(&alice, Folder::All, None).unwrap().len(), 1, "an orphan is no message");
    assert_eq!(store.sweep(NOON + 24 * HOUR + Duration::from_millis(1)).unwrap().orphans, 1);
    assert_eq!(disk.names(), [format!("{}.wav", id(1)), format!("{}.wav", id(2))]);
    assert!(store.append(id(2), &speech(800)).is_ok());
}
