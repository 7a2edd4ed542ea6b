//! Users at hand: known until the store counts a change, and what is not there is asked for each time.

#![allow(clippy::unwrap_used)]

use umbel_store::{ActiveGreeting, Password, PinState, Settings};
use umbel_time::UnixTime;

use super::*;

const FIRST: Ticket = Ticket(1);
const SECOND: Ticket = Ticket(2);

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

fn name(user: &str) -> AddressOfRecord {
    AddressOfRecord::new(user, "example.test").unwrap()
}

fn address(user: &str) -> Address {
    Address::new(user, "example.test").unwrap()
}

fn user(user: &str) -> Arc<User> {
    Arc::new(User {
        settings: Settings::new(address(user)),
        pin: PinState::Own,
        has_password: true,
        greeting: ActiveGreeting::default(),
        added: UnixTime::from_secs(0),
    })
}

fn hashes() -> DigestHashes {
    DigestHashes::new(&address("bob"), &Password::new("secret word").unwrap())
}

/// The count was asked for and told at this moment.
fn counted(known: &mut KnownUsers, now: Instant, ticket: Ticket, count: u64) {
    known.count_asked(now, ticket);
    assert!(known.count_told(ticket, Some(count)));
}

/// One who knows bob, by his address and his extension, and his password.
fn knowing_bob(now: Instant) -> KnownUsers {
    let mut known = KnownUsers::default();
    counted(&mut known, now, FIRST, 7);
    let keepable = known.keepable();
    known.learn_user(keepable, name("bob"), &user("bob"));
    known.learn_user(keepable, name("201"), &user("bob"));
    known.learn_hashes(keepable, &address("bob"), &hashes());
    known
}

fn knows_bob(known: &KnownUsers, now: Instant) -> bool {
    let all = [
        known.user(now, &name("bob")).is_some(),
        known.user(now, &name("201")).is_some(),
        known.hashes(now, &address("bob")).is_some(),
    ];
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
    all[0]
}

#[test]
fn who_was_asked_for_is_known_and_nobody_else() {
    let known = knowing_bob(at(0));
    assert!(knows_bob(&known, at(10)));
    assert_eq!(known.user(at(10), &name("201")).unwrap().address(), &address("bob"));
    assert!(known.user(at(10), &name("alice")).is_none());
    assert!(known.hashes(at(10), &address("alice")).is_none());
}

/// DEC-5
#[test]
fn nobody_is_believed_for_longer_than_a_second_after_the_question_for_the_count() {
    let mut known = knowing_bob(at(0));
    assert!(knows_bob(&known, at(999)));
    assert!(!knows_bob(&known, at(1_000)));
    // The answer took its time: what counts is when it was asked for.
    known.count_asked(at(1_000), SECOND);
    assert!(!knows_bob(&known, at(1_500)));
    assert!(known.count_told(SECOND, Some(7)));
    assert!(knows_bob(&known, at(1_999)));
    assert!(!knows_bob(&known, at(2_000)));
}

/// DEC-5
#[test]
fn another_count_makes_all_be_forgotten_and_the_same_count_does_not() {
    let mut known = knowing_bob(at(0));
    counted(&mut known, at(300), SECOND, 7);
    assert!(knows_bob(&known, at(300)));
    counted(&mut known, at(600), FIRST, 8);
    assert!(!knows_bob(&known, at(600)));
    // A count that went back, as of a store that was put in place of another, is another one.
    let mut known = knowing_bob(at(0));
    counted(&mut known, at(300), SECOND, 6);
    assert!(!knows_bob(&known, at(300)));
}

#[test]
fn what_was_asked_before_the_count_was_known_is_not_kept() {
    let mut known = KnownUsers::default();
    let keepable = known.keepable();
    assert_eq!(keepable, None);
    counted(&mut known, at(0), FIRST, 7);
    known.learn_user(keepable, name("bob"), &user("bob"));
    known.learn_hashes(keepable, &address("bob"), &hashes());
    assert!(known.user(at(1), &name("bob")).is_none() && known.hashes(at(1), &address("bob")).is_none());
}

/// DEC-5: the answer may have been read before the change.
#[test]
fn an_answer_that_was_on_its_way_when_users_changed_is_not_kept() {
    for told in [true, false] {
        let mut known = knowing_bob(at(0));
        let keepable = known.keepable();
        if told {
            known.forget();
        } else {
            counted(&mut known, at(300), SECOND, 8);
        }
        known.learn_user(keepable, name("carol"), &user("carol"));
        known.learn_hashes(keepable, &address("carol"), &hashes());
        counted(&mut known, at(400), Ticket(3), 8);
        assert!(known.user(at(400), &name("carol")).is_none());
        assert!(known.hashes(at(400), &address("carol")).is_none());
        // Asked for after it, the answer holds.
        let keepable = known.keepable();
        known.learn_user(keepable, name("carol"), &user("carol"));
        assert!(known.user(at(400), &name("carol")).is_some());
    }
}

/// DEC-5: the count may be from before the change as well.
#[test]
fn a_count_that_was_on_its_way_when_users_changed_is_not_heard() {
    let mut known = knowing_bob(at(0));
    known.count_asked(at(300), SECOND);
    known.forget();
    assert!(!known.count_told(SECOND, Some(7)));
    assert_eq!(known.keepable(), None);
    assert!(known.wants_count(at(300)));
}

#[test]
fn the_count_is_asked_for_four_times_a_second_at_most_and_one_question_at_a_time() {
    let mut known = KnownUsers::default();
    assert!(known.wants_count(at(0)));
    known.count_asked(at(0), FIRST);
    assert!(!known.wants_count(at(0)));
    assert!(known.count_told(FIRST, Some(7)));
    assert!(!known.wants_count(at(249)));
    assert!(known.wants_count(at(250)));
    // A store that is silent is asked again after a second.
    known.count_asked(at(250), SECOND);
    assert!(!known.wants_count(at(1_249)));
    assert!(known.wants_count(at(1_250)));
    known.count_asked(at(1_250), Ticket(3));
    assert!(!known.count_told(SECOND, Some(7)), "nobody waits for the first answer any more");
    assert!(known.count_told(Ticket(3), Some(7)));
}

#[test]
fn a_store_that_does_not_know_its_count_makes_nobody_be_believed() {
    let mut known = knowing_bob(at(0));
    known.count_asked(at(900), SECOND);
    assert!(known.count_told(SECOND, None));
    assert!(knows_bob(&known, at(999)) && !knows_bob(&known, at(1_000)));
    assert!(!known.count_told(Ticket(9), None), "other answers are no count");
}

#[test]
fn for_one_more_than_there_is_room_for_another_is_forgotten() {
    let mut known = KnownUsers { users: Known::new(3), hashes: Known::new(3), ..KnownUsers::default() };
    counted(&mut known, at(0), FIRST, 7);
    let keepable = known.keepable();
    for who in ["a", "b", "c", "c", "d"] {
        known.learn_user(keepable, name(who), &user(who));
        known.learn_hashes(keepable, &address(who), &hashes());
    }
    assert_eq!((known.users.map.len(), known.hashes.map.len()), (3, 3));
    let is_known = |who: &str| known.user(at(0), &name(who)).is_some();
    assert_eq!(["a", "b", "c", "d"].map(is_known), [true, true, false, true]);
    // Before the first there is the last.
    known.learn_user(keepable, name("0"), &user("0"));
    let is_known = |who: &str| known.user(at(0), &name(who)).is_some();
    assert_eq!(["0", "a", "b", "d"].map(is_known), [true, true, true, false]);
}

/// SEC-120
#[test]
fn passwords_do_not_print() {
    let known = knowing_bob(at(0));
    assert!(format!("{:?}", known.hashes).ends_with(": ***}, max: 50000 }"), "{:?}", known.hashes);
}
