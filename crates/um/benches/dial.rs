//! From the request of a user to the INVITE, and until the call is refused: the brain's part of Play on Phone, with a
//! store in memory that answers at once.
//!
//! `cargo bench -p umbel-um`
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

#[path = "../tests/dialling/mod.rs"]
mod dialling;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};

fn dial(criterion: &mut Criterion) {
    let mut wire = dialling::Wire::new();
    let mut group = criterion.benchmark_group("play_on_phone");
    group.bench_function("order_to_invite", |bencher| {
        bencher.iter_custom(|count| {
            let mut taken = Duration::ZERO;
            for _ in 0..count {
                let begun = Instant::now();
                let invite = black_box(&mut wire).ask();
                taken += begun.elapsed();
                wire.refuse(invite);
            }
            taken
        });
    });
    group.finish();
}

fn call(criterion: &mut Criterion) {
    let mut wire = dialling::Wire::new();
    let mut group = criterion.benchmark_group("play_on_phone");
    group.bench_function("order_to_refused", |bencher| {
        bencher.iter(|| {
            let invite = black_box(&mut wire).ask();
            wire.refuse(invite);
        });
    });
    group.finish();
}

criterion_group!(benches, dial, call);
criterion_main!(benches);
