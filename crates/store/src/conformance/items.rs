//! Items: what mail programs are told of a mailbox.

use umbel_time::UnixTime;

use super::{DAY, NOON, With, add, address, admin, begin, deposit, finish, id};
use crate::{
    Address, Caller, Config, GONE_ITEMS_MAX, GoneItem, Item, ItemContent, LIST_MAX, MessageId, MessageState,
    MissedCall, MissedCallId, Refusal, Store, StoreError,
};

fn miss(store: &mut dyn Store, mailbox: &Address, call_id: &str) {
    let notice = MissedCall {
        id: MissedCallId(0),
        mailbox: mailbox.clone(),
        caller: Caller { id: "+15550100".into(), name: None, verified: true },
        subject: "Lunch".into(),
        at: NOON,
        call_id: call_id.into(),
    };
    assert_eq!(store.note_missed_call(&notice), Ok(true));
}

fn all(store: &mut dyn Store, mailbox: &Address) -> Vec<Item> {
    store.items(mailbox, 0).unwrap().items
}

fn marks(items: &[Item]) -> Vec<(u64, u64, u64)> {
    items.iter().map(|item| (item.entered, item.placed, item.changed)).collect()
}

/// Messages and notices stand in one list, in the order in which they came.
pub fn messages_and_notices_are_items_of_one_count(with: With) {
    with(Config::default(), &|store| {
        let (alice, bob) = (add(store, "alice"), add(store, "bob"));
        assert_eq!(all(store, &alice), []);
        let first = deposit(store, id(1), &alice).unwrap();
        miss(store, &alice, "call-7");
        deposit(store, id(2), &alice).unwrap();
        deposit(store, id(3), &bob).unwrap();

        let changes = store.items(&alice, 0).unwrap();
        assert_eq!((changes.up_to, changes.latest, changes.forgotten), (3, 3, 0));
        assert_eq!(changes.mailbox_since, NOON);
        assert_eq!(changes.gone, []);
        assert_eq!(marks(&changes.items), [(1, 1, 1), (2, 2, 2), (3, 3, 3)]);
        assert_eq!(changes.items[0].id, id(1));
        assert_eq!(changes.items[0].content, ItemContent::Message(first));
        let notices = store.missed_calls(&alice).unwrap();
        assert_eq!(changes.items[1].content, ItemContent::MissedCall(notices[0].clone()));
        assert!(changes.items.iter().all(|item| !item.seen));
        assert_eq!(all(store, &bob).len(), 1);
    });
}

/// Only what changed after the count that one remembers is told.
pub fn items_that_changed_are_told_from_where_one_looked_last(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for n in 1..=3 {
            deposit(store, id(n), &alice).unwrap();
        }
        store.mark_heard(&alice, id(1), true).unwrap();
        let changes = store.items(&alice, 3).unwrap();
        assert_eq!(marks(&changes.items), [(1, 1, 4)]);
        assert!(changes.items[0].seen);

        store.delete_message(&alice, id(2), &admin(), NOON).unwrap();
        store.restore_message(&alice, id(2), &admin(), NOON).unwrap();
        let changes = store.items(&alice, 4).unwrap();
        assert_eq!(marks(&changes.items), [(2, 6, 6)], "it moved, and moved back");

        store.delete_message(&alice, id(1), &admin(), NOON).unwrap();
        store.mark_heard(&alice, id(1), false).unwrap();
        let changes = store.items(&alice, 6).unwrap();
        assert_eq!(marks(&changes.items), [(1, 7, 8)], "a deleted one can be marked too");
        let ItemContent::Message(message) = &changes.items[0].content else { panic!("{changes:?}") };
        assert_eq!((message.state, changes.items[0].seen), (MessageState::Deleted, false));

        // What changes nothing is no change.
        store.mark_heard(&alice, id(1), false).unwrap();
        store.mark_heard(&alice, id(3), false).unwrap();
        store.delete_message(&alice, id(1), &admin(), NOON).unwrap();
        store.restore_message(&alice, id(2), &admin(), NOON).unwrap();
        let changes = store.items(&alice, 8).unwrap();
        assert_eq!((changes.items, changes.latest), (vec![], 8));
    });
}

/// What is swept is told as gone.
pub fn swept_messages_are_gone_items(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        deposit(store, id(2), &alice).unwrap();
        store.delete_message(&alice, id(1), &admin(), NOON).unwrap();
        store.sweep(NOON + DAY * 15).unwrap();
        let changes = store.items(&alice, 3).unwrap();
        assert_eq!(changes.items, []);
        assert_eq!(changes.gone, [GoneItem { id: id(1), entered: 1, changed: 4 }]);
        assert_eq!(all(store, &alice).len(), 1);
    });
}

/// MISS-1: notices are marked and removed one by one, and by their ids only.
pub fn notices_are_marked_and_removed_as_items(with: With) {
    with(Config::default(), &|store| {
        let (alice, bob) = (add(store, "alice"), add(store, "bob"));
        for call in ["one", "two", "three"] {
            miss(store, &alice, call);
        }
        let ids: Vec<MessageId> = all(store, &alice).iter().map(|item| item.id).collect();
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);

        let absent = |id| Err(StoreError::Refused(Refusal::NoSuchMessage(id)));
        // SEC-46
        assert_eq!(store.mark_missed_call(&bob, ids[0], true), absent(ids[0]));
        assert_eq!(store.remove_missed_call(&bob, ids[0]), absent(ids[0]));
        assert_eq!(store.mark_missed_call(&alice, id(77), true), absent(id(77)));
        assert_eq!(store.remove_missed_call(&alice, id(77)), absent(id(77)));

        store.mark_missed_call(&alice, ids[0], true).unwrap();
        store.mark_missed_call(&alice, ids[0], true).unwrap();
        let changes = store.items(&alice, 3).unwrap();
        assert_eq!((marks(&changes.items), changes.latest), (vec![(1, 1, 4)], 4));
        assert!(changes.items[0].seen);
        assert_eq!(store.missed_calls(&alice).unwrap().len(), 3, "a telephone has not told of it");

        store.remove_missed_call(&alice, ids[1]).unwrap();
        assert_eq!(store.items(&alice, 4).unwrap().gone, [GoneItem { id: ids[1], entered: 2, changed: 5 }]);
        let last = store.missed_calls(&alice).unwrap()[1].id;
        store.clear_missed_calls(&alice, last).unwrap();
        let changes = store.items(&alice, 5).unwrap();
        let gone: Vec<_> = changes.gone.iter().map(|gone| (gone.id, gone.changed)).collect();
        assert_eq!(gone, [(ids[0], 6), (ids[2], 7)]);
        assert_eq!(all(store, &alice), []);
    });
}

/// A page has its bound, and the next one begins behind it.
pub fn items_come_in_pages(with: With) {
    let count = u64::try_from(LIST_MAX).unwrap() + 1;
    let config = Config { messages_max: u32::MAX, ..Config::default() };
    with(config, &|store| {
        let alice = add(store, "alice");
        for n in 1..=count {
            store.begin(&begin(id(n.into()), &alice)).unwrap();
            store.finish(&finish(id(n.into()))).unwrap();
        }
        miss(store, &alice, "call-7");
        let page = store.items(&alice, 0).unwrap();
        assert_eq!((page.items.len(), page.up_to, page.latest), (LIST_MAX, count - 1, count + 1));
        let rest = store.items(&alice, page.up_to).unwrap();
        assert_eq!((rest.items.len(), rest.up_to), (2, count + 1));
    });
}

/// Only so many are remembered, and who looked last before that is told.
pub fn items_long_gone_are_forgotten(with: With) {
    let most = u64::try_from(GONE_ITEMS_MAX).unwrap();
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for n in 0..=most {
            miss(store, &alice, &format!("call-{n}"));
        }
        let last = store.missed_calls(&alice).unwrap().last().unwrap().id;
        store.clear_missed_calls(&alice, MissedCallId(last.0 + 1)).unwrap();
        store.sweep(NOON).unwrap();
        let changes = store.items(&alice, 0).unwrap();
        // They came as 1 to `most` + 1 and went after that, one by one; the first of them is forgotten.
        assert_eq!(changes.forgotten, most + 2);
        assert_eq!(changes.gone.len(), GONE_ITEMS_MAX);
        assert_eq!(changes.gone[0].changed, most + 3);
        store.sweep(NOON).unwrap();
        assert_eq!(store.items(&alice, 0).unwrap(), changes, "nothing more is forgotten");
    });
}

/// A mailbox of the same address is another one, with another count.
pub fn a_new_mailbox_counts_anew(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        miss(store, &alice, "call-7");
        store.remove_user(&alice, &admin(), NOON).unwrap();
        assert_eq!(store.items(&alice, 0), Err(StoreError::Refused(Refusal::NoSuchUser)));
        let entry = crate::UserEntry::new(address("alice"));
        let later: UnixTime = NOON + DAY;
        store.add_user(&entry, &admin(), later).unwrap();
        let changes = store.items(&alice, 0).unwrap();
        assert_eq!((changes.items.len(), changes.gone.len(), changes.latest), (0, 0, 0));
        assert_eq!(changes.mailbox_since, later);
    });
}
