//! What a call costs. The bounds are for builds that are not optimised, on machines that are busy; for figures
//! run `cargo test --release -p umbel cost -- --nocapture --test-threads 1`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::io::Write;
use std::time::{Duration, Instant};

use umbel_media::{Clip, Command, PlayId, RecordId};

use super::tests::{LIMITS, Phone, bench_named, config, pass};

/// Of a core, for each call. Waking for every packet, or turning while there is nothing to do, costs more.
const SHARE_MAX: f64 = 0.005;
const CALLS: u64 = 50;

/// A file of each thread with this name. Those of other tests come and go meanwhile.
fn told_of(name: &str, file: &str) -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| Some(task.ok()?.path()));
    let named =
        tasks.filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
    named.filter_map(|task| std::fs::read_to_string(task.join(file)).ok()).collect()
}

/// Whether the kernel counts what threads cost; where it does not, says that nothing is shown.
fn is_counted() -> bool {
    let is_counted = std::fs::read_to_string("/proc/self/schedstat").is_ok();
    if !is_counted {
        let _ = std::io::stderr().write_all(b"skipped: the kernel does not count what threads cost\n");
    }
    is_counted
}

/// Time on a processor of the threads with this name, by the kernel's count.
fn cpu_of(name: &str) -> Duration {
    let nanos = |stat: &String| stat.split(' ').next().unwrap().parse().unwrap();
    let spent: u64 = told_of(name, "schedstat").iter().map(|stat| -> u64 { nanos(stat) }).sum();
    Duration::from_nanos(spent)
}

fn switches_of(name: &str) -> u64 {
    let switches = |status: &String| -> u64 {
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    told_of(name, "status").iter().map(switches).sum()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_recording_call_costs_little() {
    if !is_counted() {
        return;
    }
    let mut bench = bench_named("records", &config((40_000, 41_999)), 100_000);
    let before = resident_kib();
    let mut phones: Vec<Phone> = (0..CALLS)
        .map(|key| {
            let phone = bench.call(key);
            bench.workers.order(key, Command::Record { id: RecordId(key), limits: LIMITS });
            phone
        })
        .collect();
    // Every caller at a time of its own within the 20 ms, as on a line.
    let start = Instant::now();
    let mut measured = None;
    for n in 0..100_u32 {
        if n == 25 {
            measured = Some((Instant::now(), cpu_of("records-0")));
        }
        for (number, phone) in (0..).zip(&mut phones) {
            let at = start + Duration::from_millis(20) * n + Duration::from_micros(400) * number;
            pass(at.saturating_duration_since(Instant::now()));
            phone.sends(&[0x30; 160]);
        }
    }
    let (since, spent) = measured.unwrap();
    let share = (cpu_of("records-0") - spent).as_secs_f64() / since.elapsed().as_secs_f64() / CALLS as f64;
    println!("a recording call: {:.4} % of a core", 100.0 * share);
    println!(
        "memory a call, with the sockets of both ends: {} KiB",
        resident_kib().saturating_sub(before) / CALLS
    );
    assert!(share < SHARE_MAX, "{share}");
}

#[test]
fn a_playing_call_costs_little() {
    if !is_counted() {
        return;
    }
    let mut bench = bench_named("plays", &config((42_000, 43_999)), 100_000);
    let phones: Vec<Phone> = (0..CALLS).map(|key| bench.call(key)).collect();
    let prompt = std::sync::Arc::new(umbel_media::Prompt::new(&[1_000; 8_000 * 4], 8_000).unwrap());
    for key in 0..CALLS {
        let clips = vec![Clip::Prompt(prompt.clone())];
        bench.workers.order(key, Command::Play { id: PlayId(key), clips, from: Duration::ZERO });
        pass(Duration::from_micros(400));
    }
    let (since, spent) = (Instant::now(), cpu_of("plays-0"));
    pass(Duration::from_secs(2));
    let share = (cpu_of("plays-0") - spent).as_secs_f64() / since.elapsed().as_secs_f64() / CALLS as f64;
    println!("a playing call: {:.4} % of a core", 100.0 * share);
    assert!(share < SHARE_MAX, "{share}");
    drop(phones);
}

#[test]
fn without_calls_a_worker_sleeps() {
    let mut bench = bench_named("rests", &config((44_000, 44_999)), 1_000);
    bench.call(1);
    bench.workers.close(1);
    // A busy machine may be long about what goes before. Whoever turns or looks has no calm moment at all.
    let is_calm = || {
        let before = switches_of("rests-0");
        pass(Duration::from_millis(500));
        switches_of("rests-0") == before
    };
    assert!((0..20).any(|_| is_calm()), "it woke again and again");
}
