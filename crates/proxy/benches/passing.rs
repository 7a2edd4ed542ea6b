//! What one registration and one call cost the brain, messages read and printed, sockets left out.
#![allow(missing_docs, reason = "a benchmark has no callers")]

#[path = "../tests/office/mod.rs"]
mod office;

use criterion::{Criterion, criterion_group, criterion_main};
use office::Office;

fn passing(criterion: &mut Criterion) {
    let mut office = Office::new();
    criterion.bench_function("register", |bencher| bencher.iter(|| office.register()));
    let mut office = Office::new();
    criterion.bench_function("call", |bencher| {
        bencher.iter(|| {
            office.pass(40);
            office.call();
        });
    });
}

criterion_group!(benches, passing);
criterion_main!(benches);
