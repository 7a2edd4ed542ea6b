//! What a registrar finds again.

use std::time::Duration;

use super::{NOON, With};
use crate::{Config, KeptRegistration, LIST_MAX};

fn kept(address: &str, bindings: &str, seconds: u64) -> KeptRegistration {
    KeptRegistration {
        address: address.to_owned(),
        bindings: bindings.to_owned(),
        ends: NOON + Duration::from_secs(seconds),
    }
}

/// The latest state of an address counts, whatever it was before.
pub fn registrations_are_kept_by_address(with: With) {
    with(Config::default(), &|store| {
        assert_eq!(store.registrations(None, NOON).unwrap(), []);
        let (alice, bob) = (kept("alice@example.test", "a", 60), kept("bob@example.test", "b", 60));
        store.keep_registrations(&[bob.clone(), alice.clone()]).unwrap();
        assert_eq!(store.registrations(None, NOON).unwrap(), [alice.clone(), bob]);
        let moved = kept("bob@example.test", "elsewhere", 90);
        store.keep_registrations(std::slice::from_ref(&moved)).unwrap();
        assert_eq!(store.registrations(None, NOON).unwrap(), [alice.clone(), moved.clone()]);
        store.keep_registrations(&[kept("alice@example.test", "", 0), kept("nobody@x", "", 0)]).unwrap();
        assert_eq!(store.registrations(None, NOON).unwrap(), [moved]);
    });
}

/// One that has ended is neither told nor kept for long.
pub fn registrations_that_have_ended_are_forgotten(with: With) {
    with(Config::default(), &|store| {
        let (brief, long) = (kept("alice@example.test", "a", 60), kept("bob@example.test", "b", 600));
        store.keep_registrations(&[brief.clone(), long.clone()]).unwrap();
        let at = |seconds| NOON + Duration::from_secs(seconds);
        assert_eq!(store.registrations(None, at(59)).unwrap(), [brief, long.clone()]);
        assert_eq!(store.registrations(None, at(60)).unwrap(), std::slice::from_ref(&long));
        store.sweep(at(60)).unwrap();
        assert_eq!(store.registrations(None, NOON).unwrap(), [long], "the sweep has removed the other");
    });
}

/// Many are told page by page.
pub fn registrations_come_in_pages(with: With) {
    with(Config::default(), &|store| {
        let all: Vec<_> = (0..=LIST_MAX).map(|n| kept(&format!("u{n:05}@example.test"), "b", 60)).collect();
        store.keep_registrations(&all).unwrap();
        let page = store.registrations(None, NOON).unwrap();
        assert_eq!(page, all[..LIST_MAX]);
        let last = &page.last().unwrap().address;
        assert_eq!(store.registrations(Some(last), NOON).unwrap(), all[LIST_MAX..]);
    });
}
