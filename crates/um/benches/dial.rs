//! From the request of a user to the INVITE, and until the call is refused: the brain's part of Play on Phone, with a
//! store in memory that answers at once.
//!
//! `cargo bench -p umbel-um`
#![allow(missing_docs, unreachable_pub)]

#[path = "../tests/dialling/mod.rs"]
mod dialling;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn dial(criterion: &mut Criterion) {
    let wire = std::cell::RefCell::new(dialling::Wire::new());
    let mut group = criterion.benchmark_group("play_on_phone");
    group.bench_function("order_to_invite", |bencher| {
        bencher.iter_batched(|| (), |()| black_box(wire.borrow_mut().ask()), BatchSize::PerIteration);
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
