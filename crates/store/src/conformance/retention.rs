//! How long things are kept.

use std::time::Duration;

use super::{DAY, NOON, With, add, admin, attempt, deposit, id};
use crate::{Config, Health, MessageState, ScrubReport, SweepReport};

/// DEC-37, REL-07
pub fn deleted_messages_are_kept_fourteen_days(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        deposit(store, id(2), &alice).unwrap();
        store.delete_message(&alice, id(1), &admin(), NOON).unwrap();
        assert_eq!(store.sweep(NOON + 14 * DAY).unwrap().messages, 0);
        assert_eq!(store.find_message(id(1)).unwrap().unwrap().state, MessageState::Deleted);
        assert_eq!(store.sweep(NOON + 14 * DAY + Duration::from_millis(1)).unwrap().messages, 1);
        assert_eq!(store.find_message(id(1)).unwrap(), None);
        assert!(store.message_audio(&alice, id(1)).is_err());
        assert!(store.message_audio(&alice, id(2)).is_ok(), "one that was not deleted never goes");
        assert_eq!(store.sweep(NOON + 50 * DAY).unwrap(), SweepReport::default());
    });
}

/// DEC-37
pub fn records_are_kept_ninety_days(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        store.check_pin(&attempt(&alice, super::GOOD_PIN, NOON + DAY)).unwrap();
        let before = store.audit_records(&alice).unwrap().len() as u64;
        assert_eq!(store.sweep(NOON + 90 * DAY).unwrap().records, 0);
        assert_eq!(store.sweep(NOON + 90 * DAY + Duration::from_millis(1)).unwrap().records, before - 1);
        let left = store.audit_records(&alice).unwrap();
        assert_eq!(left.len(), 1, "the younger one stays");
        assert_eq!(store.sweep(NOON + 92 * DAY).unwrap().records, 1);
        assert_eq!(store.audit_records(&alice).unwrap(), []);
    });
}

/// What was stored is what is there.
pub fn a_whole_store_is_healthy_and_scrubs_clean(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for n in 1..=5 {
            deposit(store, id(n), &alice).unwrap();
        }
        assert_eq!(store.scrub(100, NOON).unwrap(), ScrubReport { checked: 5, damaged: 0, finished: true });
        let healthy = Health { writable: true, disk_full: false, damaged: false, recordings: 0 };
        assert_eq!(store.health().unwrap(), healthy);
    });
}
