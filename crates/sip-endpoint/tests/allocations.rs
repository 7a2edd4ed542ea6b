//! What a call costs in allocations and in memory: figures that may fall, and may not rise unseen.

mod call;

use std::time::Duration;

use allocation_counter::measure;
use umbel_sip_endpoint::SIXTY_FOUR_T1;

/// Allocations of one call, on both sides together, drafts and parsing included.
const PER_CALL_MAX: u64 = 90;

/// What a call leaves on both sides until timers L and M fire: two transactions, their keys and timers.
const BYTES_PER_CALL_MAX: i64 = 2 * 448;

#[test]
fn a_call_allocates_little() {
    let mut wire = call::Wire::new();
    (0..200).for_each(|_| wire.call());
    let counted = measure(|| (0..200).for_each(|_| wire.call()));
    let per_call = counted.count_total / 200;
    assert!(per_call <= PER_CALL_MAX, "{per_call} allocations a call");
}

// DEC-41
#[test]
fn a_call_that_waits_for_its_timers_pins_no_messages() {
    let mut wire = call::Wire::new();
    (0..200).for_each(|_| wire.call());
    let counted = measure(|| (0..2_000).for_each(|_| wire.call()));
    let per_call = counted.bytes_current / 2_000;
    assert!(per_call <= BYTES_PER_CALL_MAX, "{per_call} bytes a call");
}

// REL-26
#[test]
fn when_all_is_over_the_memory_is_back() {
    let mut wire = call::Wire::new();
    let run = |wire: &mut call::Wire| {
        (0..500).for_each(|_| wire.call());
        wire.pass(SIXTY_FOUR_T1 + Duration::from_secs(1));
        assert_eq!(wire.transactions(), 0);
    };
    run(&mut wire);
    let counted = measure(|| run(&mut wire));
    assert!(counted.bytes_current.abs() < 4_096, "{} bytes", counted.bytes_current);
}
