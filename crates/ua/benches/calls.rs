//! Calls a CPU second: INVITE, 200, ACK, BYE, 200 through transactions and dialogs, both ends counted,
//! every message printed and parsed.
//!
//! `cargo bench -p umbel-ua`. The clock moves by 1 ms a call, so that some 32,000 transactions wait for
//! timers L and M on each side, as they would at 1,000 calls a second.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/wire/mod.rs"]
mod wire;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn calls(criterion: &mut Criterion) {
    let mut wire = wire::Wire::new();
    for _ in 0..32_000 {
        wire.call(&mut ());
    }
    let mut group = criterion.benchmark_group("agent");
    group.throughput(Throughput::Elements(1));
    group.bench_function("call", |bencher| bencher.iter(|| black_box(&mut wire).call(&mut ())));
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
