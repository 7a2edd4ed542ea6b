//! What an owner does with messages.

use super::{MINUTE, NOON, With, add, address, admin, begin, deposit, finish, id};
use crate::{
    Author, CHANGES_MAX, Caller, Config, Counts, Folder, Importance, MailboxChanges, MessageState,
    MissedCall, MissedCallId, Refusal, Store, StoreError, UserChange,
};

/// Oldest first, and each folder holds what it says.
pub fn messages_are_listed_by_number_and_state(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for n in [5, 3, 8, 1] {
            deposit(store, id(n), &alice).unwrap();
        }
        store.mark_heard(&alice, id(3), true).unwrap();
        store.delete_message(&alice, id(8), &admin(), NOON).unwrap();
        let mut list = |folder, after| -> Vec<u64> {
            store.messages(&alice, folder, after).unwrap().iter().map(|message| message.number).collect()
        };
        assert_eq!(list(Folder::All, None), [1, 2, 3, 4]);
        assert_eq!(list(Folder::Kept, None), [1, 2, 4]);
        assert_eq!(list(Folder::In(MessageState::New), None), [1, 4]);
        assert_eq!(list(Folder::In(MessageState::Old), None), [2]);
        assert_eq!(list(Folder::In(MessageState::Deleted), None), [3]);
        assert_eq!(list(Folder::All, Some(2)), [3, 4]);
        let nobody = store.messages(&address("nobody"), Folder::All, None);
        assert_eq!(nobody, Err(StoreError::Refused(Refusal::NoSuchUser)));
    });
}

/// Newest first, as pages of mailboxes show them.
pub fn the_latest_messages_come_first_and_in_pages(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for n in [5, 3, 8, 1] {
            deposit(store, id(n), &alice).unwrap();
        }
        store.mark_heard(&alice, id(3), true).unwrap();
        store.delete_message(&alice, id(8), &admin(), NOON).unwrap();
        let mut list = |folder, before, limit| -> Vec<u64> {
            let listed = store.latest_messages(&alice, folder, before, limit).unwrap();
            listed.iter().map(|message| message.number).collect()
        };
        assert_eq!(list(Folder::All, None, 10), [4, 3, 2, 1]);
        assert_eq!(list(Folder::Kept, None, 2), [4, 2]);
        assert_eq!(list(Folder::Kept, Some(2), 2), [1]);
        assert_eq!(list(Folder::Kept, Some(1), 2), [0; 0]);
        assert_eq!(list(Folder::In(MessageState::New), None, 1), [4]);
        assert_eq!(list(Folder::In(MessageState::Old), Some(u64::MAX), 2), [2]);
        assert_eq!(list(Folder::In(MessageState::Deleted), None, 2), [3]);
        assert_eq!(list(Folder::All, None, 0), [0; 0]);
        let nobody = store.latest_messages(&address("nobody"), Folder::All, None, 1);
        assert_eq!(nobody, Err(StoreError::Refused(Refusal::NoSuchUser)));
    });
}

/// REL-08
pub fn numbers_are_never_used_again(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let bob = add(store, "bob");
        assert_eq!(deposit(store, id(1), &alice).unwrap().number, 1);
        assert_eq!(deposit(store, id(2), &alice).unwrap().number, 2);
        store.delete_message(&alice, id(2), &admin(), NOON).unwrap();
        store.sweep(NOON + super::DAY * 15).unwrap();
        assert_eq!(store.find_message(id(2)).unwrap(), None);
        assert_eq!(deposit(store, id(3), &alice).unwrap().number, 3);
        assert_eq!(deposit(store, id(4), &bob).unwrap().number, 1, "each mailbox counts for itself");
    });
}

/// Heard, and kept as new.
pub fn heard_and_new_are_marked(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        for (heard, state) in
            [(true, MessageState::Old), (true, MessageState::Old), (false, MessageState::New)]
        {
            store.mark_heard(&alice, id(1), heard).unwrap();
            assert_eq!(store.find_message(id(1)).unwrap().unwrap().state, state);
        }
        let unknown = Err(StoreError::Refused(Refusal::NoSuchMessage(id(7))));
        assert_eq!(store.mark_heard(&alice, id(7), true), unknown);
    });
}

/// REL-07: I9, a deleted message never comes back by itself.
pub fn a_deleted_message_can_be_brought_back_as_it_was(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let owner = Author::OwnerByPin { call_id: "call-2".into() };
        deposit(store, id(1), &alice).unwrap();
        store.mark_heard(&alice, id(1), true).unwrap();
        store.delete_message(&alice, id(1), &owner, NOON).unwrap();
        store.delete_message(&alice, id(1), &owner, NOON + MINUTE).unwrap();
        let message = store.find_message(id(1)).unwrap().unwrap();
        assert_eq!(
            (message.state, message.deleted),
            (MessageState::Deleted, Some(NOON)),
            "the first time counts"
        );
        store.mark_heard(&alice, id(1), true).unwrap();
        assert_eq!(store.find_message(id(1)).unwrap().unwrap().state, MessageState::Deleted);
        assert!(store.message_audio(&alice, id(1)).is_ok(), "it can still be heard");

        store.restore_message(&alice, id(1), &owner, NOON).unwrap();
        store.restore_message(&alice, id(1), &owner, NOON).unwrap();
        let message = store.find_message(id(1)).unwrap().unwrap();
        assert_eq!((message.state, message.deleted), (MessageState::Old, None));
        let records = store.audit_records(&alice).unwrap();
        let words: Vec<_> = records.iter().rev().take(2).map(|record| record.event.as_str()).collect();
        assert_eq!(words, ["message-restored", "message-deleted"], "once each");
    });
}

/// SEC-99: as if it were not there.
pub fn no_id_opens_anothers_message(with: With) {
    with(Config::default(), &|store| {
        let (alice, eve) = (add(store, "alice"), add(store, "eve"));
        deposit(store, id(1), &alice).unwrap();
        let unknown = StoreError::Refused(Refusal::NoSuchMessage(id(1)));
        assert_eq!(store.message_audio(&eve, id(1)), Err(unknown));
        assert_eq!(store.mark_heard(&eve, id(1), true), Err(unknown));
        assert_eq!(store.delete_message(&eve, id(1), &Author::OwnerByWeb, NOON), Err(unknown));
        assert_eq!(store.restore_message(&eve, id(1), &Author::OwnerByWeb, NOON), Err(unknown));
        assert_eq!(store.find_message(id(1)).unwrap().unwrap().state, MessageState::New);
    });
}

/// RFC 3842 5.2
pub fn counts_tell_urgent_ones_apart(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for (n, importance) in
            [(1, Importance::High), (2, Importance::High), (3, Importance::Normal), (4, Importance::Low)]
        {
            store.begin(&begin(id(n), &alice)).unwrap();
            store.finish(&crate::Finish { importance, ..finish(id(n)) }).unwrap();
        }
        store.mark_heard(&alice, id(1), true).unwrap();
        store.mark_heard(&alice, id(3), true).unwrap();
        deposit(store, id(5), &alice).unwrap();
        store.delete_message(&alice, id(5), &admin(), NOON).unwrap();
        let expected = Counts { new: 2, old: 2, deleted: 1, urgent_new: 1, urgent_old: 1 };
        assert_eq!(store.counts(&alice).unwrap(), expected);
        assert_eq!(store.mailbox(&alice, NOON).unwrap().counts, expected);
        assert_eq!(store.counts(&address("nobody")), Err(StoreError::Refused(Refusal::NoSuchUser)));
    });
}

/// MWI-1: whoever looks from time to time misses no change of a lamp, whoever made it, and is told the counts
/// that hold.
pub fn changed_mailboxes_are_told_from_where_one_looked_last(with: With) {
    with(Config::default(), &|store| {
        let (alice, bob, carol) = (add(store, "alice"), add(store, "bob"), add(store, "carol"));
        assert_eq!(
            store.changed_mailboxes(0).unwrap(),
            MailboxChanges::default(),
            "nobody ever had a message"
        );
        deposit(store, id(1), &bob).unwrap();
        deposit(store, id(2), &alice).unwrap();
        deposit(store, id(3), &carol).unwrap();
        deposit(store, id(4), &bob).unwrap();

        let first = store.changed_mailboxes(0).unwrap();
        let told: Vec<_> = first.changed.iter().map(|c| (c.address.clone(), c.counts.new)).collect();
        assert_eq!(
            told,
            [(alice.clone(), 1), (carol.clone(), 1), (bob.clone(), 2)],
            "by their latest changes"
        );
        assert!(first.changed.is_sorted_by_key(|change| change.number));
        assert_eq!(first.latest, first.changed[2].number);
        assert_eq!(store.changed_mailboxes(first.changed[1].number).unwrap().changed, first.changed[2..]);
        let nothing = MailboxChanges { changed: Vec::new(), latest: first.latest };
        assert_eq!(store.changed_mailboxes(first.latest).unwrap(), nothing);
        assert_eq!(store.changed_mailboxes(u64::MAX).unwrap(), nothing);

        let mut seen = first.latest;
        let mut told = |store: &mut dyn Store, what: &str, new: u32, old: u32| {
            let changes = store.changed_mailboxes(seen).unwrap();
            let [change] = &changes.changed[..] else { panic!("{what}: {changes:?}") };
            assert_eq!((&change.address, change.counts.new, change.counts.old), (&alice, new, old), "{what}");
            assert!(change.number > seen, "{what}");
            seen = changes.latest;
        };
        store.mark_heard(&alice, id(2), true).unwrap();
        told(store, "heard", 0, 1);
        store.mark_heard(&alice, id(2), false).unwrap();
        told(store, "kept as new", 1, 0);
        store.delete_message(&alice, id(2), &admin(), NOON).unwrap();
        told(store, "deleted", 0, 0);
        store.restore_message(&alice, id(2), &admin(), NOON).unwrap();
        told(store, "brought back", 1, 0);
        store.change_user(&alice, &[UserChange::Extension(Some("4711".into()))], &admin(), NOON).unwrap();
        told(store, "with another extension", 1, 0);
        assert_eq!(store.changed_mailboxes(0).unwrap().changed[2].extension.as_deref(), Some("4711"));
    });
}

/// The same, in the other direction.
pub fn what_changes_no_lamp_is_no_change_of_a_mailbox(with: With) {
    with(Config::default(), &|store| {
        let (alice, bob) = (add(store, "alice"), add(store, "bob"));
        deposit(store, id(1), &alice).unwrap();
        deposit(store, id(2), &alice).unwrap();
        store.mark_heard(&alice, id(1), true).unwrap();
        store.delete_message(&alice, id(2), &admin(), NOON).unwrap();
        let before = store.changed_mailboxes(0).unwrap();

        store.mark_heard(&alice, id(1), true).unwrap();
        store.mark_heard(&alice, id(2), true).unwrap();
        store.delete_message(&alice, id(2), &admin(), NOON).unwrap();
        store.restore_message(&alice, id(1), &admin(), NOON).unwrap();
        assert!(store.mark_heard(&alice, id(7), true).is_err());
        store.begin(&begin(id(3), &alice)).unwrap();
        store.discard(id(3)).unwrap();
        store.change_user(&alice, &[UserChange::Name("Alice".into())], &admin(), NOON).unwrap();
        store.change_user(&bob, &[UserChange::Extension(Some("4712".into()))], &admin(), NOON).unwrap();
        store.sweep(NOON + super::DAY * 15).unwrap();
        let mut after = store.changed_mailboxes(0).unwrap();
        assert_eq!(after.changed[0].counts.deleted, 0, "the sweep took it");
        after.changed[0].counts.deleted = before.changed[0].counts.deleted;
        assert_eq!(after, before);

        let latest = before.latest;
        store.remove_user(&alice, &admin(), NOON).unwrap();
        assert_eq!(store.changed_mailboxes(0).unwrap(), MailboxChanges::default());
        deposit(store, id(4), &bob).unwrap();
        let changes = store.changed_mailboxes(latest).unwrap();
        assert_eq!(changes.changed[0].address, bob, "a number is never used again");
    });
}

/// A page has its bound, and the next one begins behind it.
pub fn changed_mailboxes_come_in_pages(with: With) {
    with(Config::default(), &|store| {
        let count = u128::try_from(CHANGES_MAX).unwrap() + 1;
        for n in 0..count {
            let mailbox = add(store, &format!("user{n}"));
            store.begin(&begin(id(n), &mailbox)).unwrap();
            store.finish(&finish(id(n))).unwrap();
        }
        let first = store.changed_mailboxes(0).unwrap();
        assert_eq!(first.changed.len(), CHANGES_MAX);
        let second = store.changed_mailboxes(first.changed[CHANGES_MAX - 1].number).unwrap();
        assert_eq!(second.changed.len(), 1);
        assert_eq!((second.changed[0].number, second.latest), (first.latest, first.latest));
    });
}

/// `umbel mailbox list`
pub fn all_mailboxes_are_listed_with_counts(with: With) {
    with(Config::default(), &|store| {
        let (alice, bob) = (add(store, "alice"), add(store, "bob"));
        deposit(store, id(1), &bob).unwrap();
        deposit(store, id(2), &bob).unwrap();
        let list = store.mailboxes(None, NOON).unwrap();
        let lines: Vec<_> = list.iter().map(|m| (&m.address, m.counts.new, m.bytes)).collect();
        assert_eq!(lines, [(&alice, 0, 0), (&bob, 2, 32_000)]);
        assert_eq!(list[1], store.mailbox(&bob, NOON).unwrap());
        assert_eq!(store.mailboxes(Some(&alice), NOON).unwrap(), list[1..]);
    });
}

/// MISS-1, MISS-3
pub fn missed_calls_are_noted_where_wanted(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let notice = |subject: &str| MissedCall {
            id: MissedCallId(0),
            mailbox: address("alice"),
            caller: Caller { id: "+15550100".into(), name: None, verified: true },
            subject: subject.into(),
            at: NOON,
            call_id: format!("call-{subject}"),
        };
        assert_eq!(store.note_missed_call(&notice("one")), Ok(true));
        assert_eq!(store.note_missed_call(&notice("two")), Ok(true));
        let kept = store.missed_calls(&alice).unwrap();
        let subjects: Vec<_> = kept.iter().map(|notice| notice.subject.as_str()).collect();
        assert_eq!(subjects, ["one", "two"]);
        assert_eq!(kept[0].caller, notice("").caller);
        assert!(kept[0].id < kept[1].id);
        assert_eq!(store.counts(&alice).unwrap().kept(), 0, "a notice is no message");
        store.clear_missed_calls(&alice, kept[0].id).unwrap();
        assert_eq!(store.missed_calls(&alice).unwrap(), kept[1..]);

        // MISS-3
        assert_eq!(store.note_missed_call(&notice("two")), Ok(false), "it was noted before");
        deposit(store, id(1), &alice).unwrap();
        let left = MissedCall { call_id: begin(id(1), &alice).call_id, ..notice("message") };
        assert_eq!(store.note_missed_call(&left), Ok(false), "it left a message");
        let bob = add(store, "bob");
        assert_eq!(store.note_missed_call(&MissedCall { mailbox: bob, ..left }), Ok(true), "not with him");
        assert_eq!(store.missed_calls(&alice).unwrap(), kept[1..]);

        store.change_user(&alice, &[UserChange::MissedCallNotices(false)], &admin(), NOON).unwrap();
        assert_eq!(store.note_missed_call(&notice("three")), Ok(false));
        assert_eq!(store.missed_calls(&alice).unwrap(), kept[1..]);
    });
}
