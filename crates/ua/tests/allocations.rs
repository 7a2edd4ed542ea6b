//! What a call costs in allocations, counted on each side.
//!
//! One test in a program of its own: a counter of allocations counts those of all threads.
#![allow(clippy::unwrap_used)]

mod wire;

use stats_alloc::{INSTRUMENTED_SYSTEM, Stats, StatsAlloc};
use wire::{Watch, Wire};

#[global_allocator]
static COUNTED: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// So many allocations (growing an old one counts) are what a call may cost its server.
const SERVER_MAX: usize = 65;
/// And its caller, who keeps what it may have to send again.
const CALLER_MAX: usize = 95;

#[derive(Default)]
struct Count {
    since: Option<Stats>,
    allocations: [usize; 2],
}

impl Watch for Count {
    fn before(&mut self, _: usize) {
        self.since = Some(COUNTED.stats());
    }

    fn after(&mut self, side: usize) {
        let change = COUNTED.stats() - self.since.take().unwrap();
        self.allocations[side] += change.allocations + change.reallocations;
    }
}

#[test]
fn a_call_costs_few_allocations() {
    const CALLS: usize = 1_000;
    let mut wire = Wire::new();
    // Tables grow to the size that they keep.
    for _ in 0..CALLS {
        wire.call(&mut ());
    }
    let mut count = Count::default();
    for _ in 0..CALLS {
        wire.call(&mut count);
    }
    let [caller, server] = count.allocations.map(|all| all / CALLS);
    assert!(server <= SERVER_MAX && caller <= CALLER_MAX, "server {server}, caller {caller}");
    // The counter counts.
    assert!(server > 0 && caller > 0);
}
