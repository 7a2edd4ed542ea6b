//! What an attempt costs, whoever it is for.

#![allow(clippy::unwrap_used)]

use umbel_store::conformance::{NOON, add, address, attempt};
use umbel_store::{Secrets, StoreError, Verdict};

use crate::SqliteStore;
use crate::testing::{CHEAP, options};

/// SEC-86: the work is the same, so that the time tells nothing; from the fifth attempt on the door is locked,
/// which must not be told by the time either.
#[test]
fn unknown_mailboxes_and_wrong_pins_cost_the_same_work() -> Result<(), StoreError> {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = SqliteStore::open(options(dir.path())).unwrap();
    let alice = add(&mut store, "alice");
    let spent = store.hasher.spent.clone();
    for (mailbox, caller) in [(alice, "a"), (address("nobody"), "b")] {
        spent.lock().unwrap().clear();
        for _ in 0..12 {
            let mut guess = attempt(&mailbox, "839164", NOON);
            guess.caller = caller.to_owned();
            assert!(!matches!(store.check_pin(&guess)?, Verdict::Right { .. }));
        }
        assert_eq!(*spent.lock().unwrap(), [CHEAP; 12], "{mailbox}");
    }
    Ok(())
}
