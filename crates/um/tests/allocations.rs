//! What a call that a user asks for costs in allocations: a figure that may fall, and may not rise unseen.
#![allow(unreachable_pub)]

mod dialling;

use allocation_counter::measure;

/// From the order to the INVITE: the store's answers, the offer with its keys, the message, and the records of the call.
const PER_INVITE_MAX: u64 = 200;

#[test]
fn a_call_that_is_asked_for_allocates_little_and_leaves_nothing() {
    let mut wire = dialling::Wire::new();
    let warm_up = wire.ask();
    wire.refuse(warm_up);
    let mut invite = None;
    let counted = measure(|| invite = Some(wire.ask()));
    wire.refuse(invite.expect("an INVITE"));
    assert!(wire.is_at_rest());
    assert!(counted.count_total <= PER_INVITE_MAX, "{} allocations", counted.count_total);
}
