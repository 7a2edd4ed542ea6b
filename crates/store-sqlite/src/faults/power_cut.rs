//! The power goes at every step of twenty calls (REL-01, REL-02, REL-04, REL-06, REL-16).

use std::collections::BTreeMap;

use bytes::Bytes;
use umbel_store::conformance::{begin, finish, id, speech};
use umbel_store::{
    Address, Author, Begin, Directory, Folder, GreetingKind, Lookup, MailKind, Mailboxes, MessageId, Outbox,
    Purpose, Recordings, Saved, StoreError, Upkeep,
};

use crate::SqliteStore;
use crate::disk::model::{Forgets, ModelDisk};
use crate::testing::{SECOND, assert_plays, directory, open_for, open_on};

/// What the callers know of one recording.
#[derive(Clone, Default)]
struct Told {
    said: Vec<u8>,
    /// Octets that the last round that ended had synced.
    synced: usize,
    saved: bool,
    given_up: bool,
}

/// Twenty calls that overlap, and what was said and told in them.
#[derive(Default)]
struct Calls {
    told: BTreeMap<MessageId, Told>,
    old_greeting: Option<Bytes>,
    new_greeting: Option<Bytes>,
}

impl Calls {
    fn begin(&mut self, store: &mut SqliteStore, number: u128, mailbox: &Address) -> Result<(), StoreError> {
        store.begin(&begin(id(number), mailbox))?;
        self.told.insert(id(number), Told::default());
        Ok(())
    }

    fn say(&mut self, store: &mut SqliteStore, number: u128, bytes: usize) -> Result<(), StoreError> {
        let said: Vec<u8> =
            speech(bytes + 7).iter().map(|b| b ^ u8::try_from(number % 251).unwrap()).collect();
        store.append(id(number), &said[..bytes])?;
        self.told.get_mut(&id(number)).unwrap().said.extend_from_slice(&said[..bytes]);
        Ok(())
    }

    fn round(&mut self, store: &mut SqliteStore) {
        let Ok(Some(round)) = store.begin_round() else { return };
        let done = round.run();
        let synced = done.result.is_ok();
        store.end_round(done);
        for (id, told) in self.told.iter_mut().filter(|_| synced) {
            if store.recordings.get(id).is_some_and(crate::spool::Running::has_row) {
                told.synced = told.said.len();
            }
        }
    }

    fn finish(&mut self, store: &mut SqliteStore, number: u128) -> Result<(), StoreError> {
        store.finish(&finish(id(number)))?;
        self.told.get_mut(&id(number)).unwrap().saved = true;
        Ok(())
    }

    /// Several at once, as the worker does it.
    fn finish_together(&mut self, store: &mut SqliteStore, numbers: &[u128]) -> Result<(), StoreError> {
        for number in numbers {
            store.seal_for(&finish(id(*number)))?;
        }
        store.begin_batch()?;
        for number in numbers {
            store.commit_finish(&finish(id(*number)))?;
        }
        store.commit_batch()?;
        for number in numbers {
            self.told.get_mut(&id(*number)).unwrap().saved = true;
        }
        Ok(())
    }

    fn record_greeting(
        &mut self,
        store: &mut SqliteStore,
        number: u128,
        bytes: usize,
    ) -> Result<(), StoreError> {
        let purpose = Purpose::Greeting { kind: GreetingKind::Standard, author: Author::OwnerByWeb };
        let mailbox = Address::new("alice", "example.test").unwrap();
        store.begin(&Begin { purpose, ..begin(id(number), &mailbox) })?;
        store.append(id(number), &speech(bytes))?;
        self.new_greeting = Some(speech(bytes));
        let saved = store.finish(&finish(id(number)))?;
        assert!(matches!(saved, Saved::Greeting { .. }));
        self.old_greeting = self.new_greeting.clone();
        Ok(())
    }

    /// The calls, until something fails.
    fn run(&mut self, store: &mut SqliteStore, mailbox: &Address) -> Result<(), StoreError> {
        self.record_greeting(store, 1_000, SECOND)?;
        for first in (0..20_u128).step_by(5) {
            let numbers: Vec<u128> = (first..first + 5).collect();
            for number in &numbers {
                self.begin(store, *number, mailbox)?;
                self.say(store, *number, SECOND)?;
            }
            self.round(store);
            self.finish(store, numbers[0])?;
            for number in &numbers[1..] {
                self.say(store, *number, 2 * SECOND + 1)?;
            }
            self.round(store);
            self.finish_together(store, &numbers[1..3])?;
            store.discard(id(numbers[3]))?;
            self.told.get_mut(&id(numbers[3])).unwrap().given_up = true;
            self.say(store, numbers[4], SECOND / 2)?;
            self.round(store);
        }
        // One of each four is still running: it is never finished.
        self.record_greeting(store, 1_001, 2 * SECOND)
    }

    /// What must hold after the power came back.
    fn check(&self, store: &mut SqliteStore, disk: &ModelDisk, mailbox: &Address) {
        let messages = store.messages(mailbox, Folder::All, None).unwrap();
        let mut numbers: Vec<_> = messages.iter().map(|message| message.number).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), messages.len(), "I2: one recording makes at most one message");
        // REL-41: a message and its mail are kept together, and once.
        let mails = store.queued_mails(None).unwrap();
        let mailed = mails.iter().filter(|mail| mail.kind == MailKind::Message).count();
        assert_eq!(mailed, messages.len(), "a message without its mail, or a mail without its message");
        for (id, told) in &self.told {
            let found: Vec<_> = messages.iter().filter(|message| message.id == *id).collect();
            assert!(found.len() <= 1, "I2");
            let Some(message) = found.first() else {
                assert!(!told.saved, "I1: {id} was called saved and is gone");
                let two_seconds = told.synced >= 2 * SECOND;
                assert!(!two_seconds || told.given_up, "REL-02: {} octets of {id} are lost", told.synced);
                continue;
            };
            let audio = store.message_audio(mailbox, *id).unwrap();
            assert!(!audio.damaged, "{id}");
            assert!(told.said.starts_with(&audio.data), "{id} says something else");
            if message.incomplete {
                assert!(!told.saved, "I1: {id} was called saved and its end is gone");
                assert!(audio.data.len() >= 2 * SECOND.min(told.synced), "REL-02: too short to keep");
                assert!(audio.data.len() >= told.synced, "I8: more than the last second of {id} is lost");
            } else {
                assert_eq!(audio.data.len(), told.said.len(), "{id} is not whole");
            }
        }
        let greeting = store.greeting_audio(mailbox, GreetingKind::Standard).unwrap();
        let greeting = greeting.inspect(|audio| assert!(!audio.damaged)).map(|audio| audio.data);
        assert!(greeting == self.old_greeting || greeting == self.new_greeting, "a greeting is half there");
        // REL-06, REL-16: what is listed plays.
        for name in
            disk.names().iter().filter(|name| messages.iter().any(|m| name.starts_with(&m.id.to_string())))
        {
            assert_plays(&disk.content(name), name);
        }
        assert_eq!(store.health().unwrap().recordings, 0);
    }
}

/// Runs the calls with the power going at `step`; says whether it went before they ended.
fn cut_at(step: u64, forgets: Forgets) -> bool {
    let dir = directory();
    let disk = ModelDisk::default();
    let (mut store, mailbox) = open_for(dir.path(), &disk, "alice");
    let mut calls = Calls::default();
    disk.cut_power_at(step);
    let ended = calls.run(&mut store, &mailbox);
    drop(store);

    let disk = disk.after_power_cut(forgets);
    let (mut store, recovery) = open_on(dir.path(), &disk);
    assert!(store.find_user(&Lookup::Address(mailbox.clone())).unwrap().is_some());
    calls.check(&mut store, &disk, &mailbox);
    drop(store);

    // Recovering what was recovered changes nothing, even if the power goes in the midst of it.
    let (mut store, again) = open_on(dir.path(), &disk.after_power_cut(Forgets::Everything));
    assert_eq!((again.recovered.len(), again.dropped.len()), (0, 0), "after {recovery:?}");
    calls.check(&mut store, &disk, &mailbox);
    ended.is_err()
}

/// Cuts at every step until the calls end by themselves.
fn cut_everywhere(forgets: Forgets) {
    let cuts = (1..).take_while(|step| cut_at(*step, forgets)).count();
    assert!(cuts > 150, "only {cuts} steps were cut");
}

#[test]
fn nothing_saved_is_lost_when_the_power_goes_and_the_disk_forgets_what_was_not_synced() {
    // REL-01, REL-02
    cut_everywhere(Forgets::Everything);
}

#[test]
fn nothing_saved_is_lost_when_the_disk_keeps_half_of_what_was_not_synced() {
    // REL-02: torn files
    cut_everywhere(Forgets::Half);
}

#[test]
fn nothing_saved_is_lost_when_the_process_dies() {
    // REL-01, REL-16
    cut_everywhere(Forgets::Nothing);
}

#[test]
fn recovery_can_be_cut_at_every_step_too() {
    // REL-02, REL-04
    for step in 1.. {
        let dir = directory();
        let disk = ModelDisk::default();
        let (mut store, mailbox) = open_for(dir.path(), &disk, "alice");
        let mut calls = Calls::default();
        for number in 0..3 {
            calls.begin(&mut store, number, &mailbox).unwrap();
            calls.say(&mut store, number, (usize::try_from(number).unwrap() + 1) * SECOND).unwrap();
        }
        calls.round(&mut store);
        drop(store);

        let disk = disk.after_power_cut(Forgets::Everything);
        disk.cut_power_at(step);
        let options = crate::testing::options(dir.path());
        let opened = SqliteStore::open_on(&options, Box::new(disk.clone()), true);
        let ended = opened.is_ok();
        drop(opened);
        let disk = disk.after_power_cut(Forgets::Everything);
        let (mut store, _) = open_on(dir.path(), &disk);
        calls.check(&mut store, &disk, &mailbox);
        let found = store.messages(&mailbox, Folder::All, None).unwrap();
        assert_eq!(found.len(), 2, "the one of a second is dropped, the others are kept");
        assert!(found.iter().all(|message| message.incomplete));
        if ended {
            assert!(step > 5, "recovery took only {step} steps");
            break;
        }
    }
}
