//! What a call costs. Run by hand, optimised: `cargo test --release -p umbel cost -- --ignored --nocapture`.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use super::*;

/// Time on a processor of the threads with this name, by the kernel's count.
fn cpu_of(name: &str) -> Duration {
    let mut spent = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        if std::fs::read_to_string(path.join("comm")).unwrap().trim() == name {
            let stat = std::fs::read_to_string(path.join("schedstat")).unwrap();
            spent += Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    spent
}

fn switches_of(name: &str) -> u64 {
    let mut switches = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        if std::fs::read_to_string(path.join("comm")).unwrap().trim() == name {
            let status = std::fs::read_to_string(path.join("status")).unwrap();
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
            switches += line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
        }
    }
    switches
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[ignore = "a measurement, of 20 seconds"]
fn a_recording_call_costs_little() {
    const CALLS: u64 = 100;
    let mut config = config((40_000, 41_999));
    config.threads = Some(1);
    let mut bench = bench(&config, 100_000);
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
    for n in 0..1_000_u32 {
        if n == 100 {
            measured = Some((Instant::now(), cpu_of("media-0")));
        }
        for (number, phone) in phones.iter_mut().enumerate() {
            let at = start + Duration::from_millis(20) * n + Duration::from_micros(200) * number as u32;
            let wait = at.saturating_duration_since(Instant::now());
            if wait > Duration::from_micros(60) {
                std::thread::sleep(wait);
            }
            phone.sends(&[0x30; 160]);
        }
        while bench.events.try_recv().is_ok() {}
    }
    let (since, spent) = measured.unwrap();
    let share = (cpu_of("media-0") - spent).as_secs_f64() / since.elapsed().as_secs_f64();
    println!("a recording call: {:.4} % of a core", 100.0 * share / CALLS as f64);
    println!("memory a call, with sockets of both ends: {} KiB", (resident_kib() - before) / CALLS);
    drop(bench.workers);
}

#[test]
#[ignore = "a measurement, of 10 seconds"]
fn a_playing_call_costs_little() {
    const CALLS: u64 = 100;
    let mut bench = bench(&config((42_000, 43_999)), 100_000);
    let phones: Vec<Phone> = (0..CALLS).map(|key| bench.call(key)).collect();
    let samples = vec![1_000; 8_000 * 15];
    let prompt = std::sync::Arc::new(umbel_media::Prompt::new(&samples, 8_000).unwrap());
    for key in 0..CALLS {
        let clips = vec![Clip::Prompt(prompt.clone())];
        bench.workers.order(key, Command::Play { id: PlayId(key), clips, from: Duration::ZERO });
        std::thread::sleep(Duration::from_micros(200));
    }
    let (since, spent) = (Instant::now(), cpu_of("media-0"));
    std::thread::sleep(Duration::from_secs(10));
    let share = (cpu_of("media-0") - spent).as_secs_f64() / since.elapsed().as_secs_f64();
    println!("a playing call: {:.4} % of a core", 100.0 * share / CALLS as f64);
    drop(phones);
}

#[test]
#[ignore = "a measurement, of 3 seconds"]
fn without_calls_it_sleeps() {
    let mut bench = bench(&config((44_000, 44_999)), 1_000);
    bench.call(1);
    bench.workers.close(1);
    std::thread::sleep(Duration::from_millis(200));
    let before = switches_of("media-0");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(switches_of("media-0"), before, "it did not wake once");
}
