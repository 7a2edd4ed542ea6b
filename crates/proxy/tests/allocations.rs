//! What registrations and calls cost in allocations and in memory: figures that may fall, and may not rise
//! unseen. Reading and printing the messages on the wire are part of them.

mod office;

use allocation_counter::measure;
use office::Office;

/// Allocations of a REGISTER and its 200.
const PER_REGISTRATION_MAX: u64 = 32;
/// Allocations of INVITE, 180, 200, ACK, BYE and 200 through the server, writing and reading them at both
/// ends included.
const PER_CALL_MAX: u64 = 290;
/// What an answered call leaves until no success of it can come any more: two transactions, and whom to
/// pass it on to.
const BYTES_PER_CALL_MAX: i64 = 1_300;

#[test]
fn a_registration_allocates_little() {
    let mut office = Office::new();
    (0..50).for_each(|_| office.register());
    let counted = measure(|| (0..200).for_each(|_| office.register()));
    let per_registration = counted.count_total / 200;
    assert!(per_registration <= PER_REGISTRATION_MAX, "{per_registration} allocations a registration");
}

#[test]
fn a_call_allocates_little() {
    let mut office = Office::new();
    let mut call = || {
        office.pass(40);
        office.call();
    };
    (0..50).for_each(|_| call());
    let counted = measure(|| (0..200).for_each(|_| call()));
    let per_call = counted.count_total / 200;
    assert!(per_call <= PER_CALL_MAX, "{per_call} allocations a call");
}

// DEC-41
#[test]
fn a_call_that_was_answered_pins_no_messages() {
    let mut office = Office::new();
    (0..100).for_each(|_| office.call());
    office.pass(40);
    let counted = measure(|| (0..1_000).for_each(|_| office.call()));
    let per_call = counted.bytes_current / 1_000;
    assert!(per_call <= BYTES_PER_CALL_MAX, "{per_call} bytes a call");
}

// REL-26
#[test]
fn when_all_is_over_the_memory_is_back() {
    let mut office = Office::new();
    let run = |office: &mut Office| {
        (0..500).for_each(|_| office.call());
        office.pass(40);
        assert!(office.proxy.is_at_rest());
    };
    run(&mut office);
    let counted = measure(|| run(&mut office));
    assert!(counted.bytes_current.abs() < 4_096, "{} bytes", counted.bytes_current);
}
