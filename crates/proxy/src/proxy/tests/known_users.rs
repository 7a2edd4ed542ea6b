//! DEC-5: who was looked up is not looked up again, and every change of users counts: at once where it was made by
//! this process, within a second where it was made by another.

use umbel_store::Secrets;

use super::*;

const OTHER_PASSWORD: &str = "another word";
/// The bound of DEC-5, and a step towards it.
const SECOND: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(50);

/// An office in which alice has called bob twice: they are known.
fn acquainted() -> Office {
    let mut office = Office::where_registered(&["bob"]);
    for _ in 0..2 {
        call_and_give_up(&mut office);
    }
    office.asked.clear();
    office
}

/// Whether the call goes to bob's telephone; to voice mail otherwise.
fn rings(office: &mut Office) -> bool {
    office.call("alice", "sip:bob@example.test");
    let rings = office.ladder.iter().any(|line| line == "bob < INVITE sip:bob@192.0.2.2");
    office.hang_up_early("alice");
    office.ladder.clear();
    rings
}

fn call_and_give_up(office: &mut Office) {
    assert!(rings(office));
}

fn looked_up(office: &mut Office) -> Vec<String> {
    let mut asked = std::mem::take(&mut office.asked);
    asked.retain(|op| op.starts_with("FindUser") || op.starts_with("DigestHashes"));
    asked
}

fn counted(office: &Office) -> usize {
    office.asked.iter().filter(|op| *op == "CountUserChanges").count()
}

/// Whether bob may register with this password.
fn may_register(office: &mut Office, password: &'static str) -> bool {
    office.password = password;
    office.register("bob", "<sip:bob@192.0.2.2>", "");
    let ladder = std::mem::take(&mut office.ladder);
    office.password = PASSWORD;
    ladder.iter().any(|line| line == "bob < 200")
}

fn set_password(office: &mut Office) {
    let password = Password::new(OTHER_PASSWORD).unwrap();
    let bob = "bob@example.test".parse().unwrap();
    office.store.set_password(&bob, &password, &author(), UnixTime::from_secs(0)).unwrap();
}

fn remove_bob(office: &mut Office) {
    let bob = "bob@example.test".parse().unwrap();
    office.store.remove_user(&bob, &author(), UnixTime::from_secs(0)).unwrap();
}

#[test]
fn whoever_is_known_is_not_asked_for_again() {
    let mut office = acquainted();
    for _ in 0..3 {
        call_and_give_up(&mut office);
    }
    assert_eq!(looked_up(&mut office).len(), 0, "alice and her password are known, and so is bob");
    // When he registered at first, the count was not known yet.
    for expected in [1, 0, 0] {
        assert!(may_register(&mut office, PASSWORD));
        assert_eq!(looked_up(&mut office).len(), expected);
    }
}

#[test]
fn an_extension_leads_to_who_is_known_by_it() {
    let mut office = acquainted();
    for expected in [2, 0] {
        office.call("alice", "sip:201@example.test");
        office.hang_up_early("alice");
        office.ladder.clear();
        assert_eq!(looked_up(&mut office).len(), expected, "by address, then by extension; then not at all");
    }
}

#[test]
fn the_store_is_asked_for_its_count_while_there_are_calls_and_not_otherwise() {
    let mut office = acquainted();
    for _ in 0..20 {
        office.pass(STEP);
        call_and_give_up(&mut office);
    }
    let often = counted(&office);
    assert!((3..=5).contains(&often), "{often} times in a second");
    office.wait(3_000);
    assert_eq!(counted(&office), often, "nobody calls");
}

/// DEC-5
#[test]
fn a_rule_set_by_this_process_counts_from_the_next_call_on() {
    let mut office = acquainted();
    office.set("bob", "forward-immediate", "+15555550100");
    assert!(!rings(&mut office));
}

/// DEC-5
#[test]
fn a_rule_set_by_another_process_counts_within_a_second() {
    // However long ago the count was asked for.
    for since in 0..20_u32 {
        let mut office = acquainted();
        office.pass(STEP * since);
        office.set_elsewhere("bob", "forward-immediate", "+15555550100");
        let changed = office.now;
        while rings(&mut office) {
            office.pass(STEP);
            assert!(office.now.since(changed) <= SECOND, "{:?}", office.now.since(changed));
        }
    }
    // A single call after a second is no exception.
    let mut office = acquainted();
    office.set_elsewhere("bob", "forward-immediate", "+15555550100");
    office.pass(SECOND);
    assert!(!rings(&mut office));
}

/// DEC-5
#[test]
fn an_old_password_is_good_for_a_second_at_most_and_a_new_one_at_once() {
    for elsewhere in [false, true] {
        let mut office = acquainted();
        assert!(may_register(&mut office, PASSWORD));
        set_password(&mut office);
        if elsewhere {
            office.nobody_is_told();
        }
        assert!(may_register(&mut office, OTHER_PASSWORD), "nobody is refused by memory");
        let changed = office.now;
        while may_register(&mut office, PASSWORD) {
            office.pass(STEP);
            assert!(elsewhere && office.now.since(changed) <= SECOND, "{:?}", office.now.since(changed));
        }
        assert!(may_register(&mut office, OTHER_PASSWORD));
    }
}

/// DEC-5
#[test]
fn who_is_removed_is_gone_within_a_second_and_who_is_added_is_there_at_once() {
    for elsewhere in [false, true] {
        let mut office = acquainted();
        remove_bob(&mut office);
        if elsewhere {
            office.nobody_is_told();
            office.pass(SECOND);
        }
        office.call("alice", "sip:bob@example.test");
        office.expect("alice < 404");
        assert!(!may_register(&mut office, PASSWORD));
        let entry = UserEntry::new("bob@example.test".parse().unwrap());
        office.store.add_user(&entry, &author(), UnixTime::from_secs(0)).unwrap();
        if elsewhere {
            office.nobody_is_told();
        }
        assert!(rings(&mut office), "that there is nobody is not remembered");
    }
}

/// SEC-48: a wrong password takes a question to the store, whether there is such a user or not.
#[test]
fn a_wrong_password_is_judged_by_the_store_alone() {
    let mut office = acquainted();
    assert!(may_register(&mut office, PASSWORD));
    looked_up(&mut office);
    assert!(!may_register(&mut office, "a guess"));
    assert_eq!(looked_up(&mut office), ["DigestHashes(<bob@example.test>)"]);
}

/// REL-12: a store that says nothing makes calls wait, as without memory; what is known does not last.
#[test]
fn a_store_that_fails_is_not_replaced_by_memory_for_long() {
    let mut office = acquainted();
    office.store_fails = true;
    assert!(rings(&mut office), "for a second");
    office.pass(SECOND);
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 503");
    office.store_fails = false;
    assert!(rings(&mut office));
}
