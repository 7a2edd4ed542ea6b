//! The load run: what a call, a deposit and a connection cost the server, by its own account in `/proc`.
//!
//! `cargo xtask load [--rounds N] [PART...]`. SIPp calls the release build over loopback; the parts named
//! `server-...` are about the protocol server, in turns with Kamailio. docs/performance.md has the method,
//! and what came out on one machine.

#![allow(clippy::print_stdout, reason = "a program that prints a table")]

mod any_server;
mod caller;
mod figures;
mod prober;
mod process;
mod protocol_server;
mod sides;
mod web_services;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use umbel_interop::sipp::Sipp;
use umbel_interop::sound::Sound;
use umbel_interop::umbel::{DOMAIN, Umbel};
use umbel_interop::wait::until;

use caller::Caller;
use figures::Figure;
use process::{cpu, idle_share, pss};

/// Calls at once.
const CALLS: u32 = 100;
/// How long the calls at once are watched.
const WATCHED: Duration = Duration::from_secs(20);
/// Calls whose first packet is awaited, while the others run.
const PROBES: usize = 300;
/// Short calls of one round, and how many begin a second.
const DEPOSITS: (u32, u32) = (400, 20);
/// Idle connections.
const CONNECTIONS: usize = 1_000;
/// No mailbox is to be full, and no call too short to be kept.
const SETTINGS: &str = "[um.recording]\nmin-length = \"0s\"\nmax-messages = 20000";

/// Measures so many rounds.
type Measure = fn(usize) -> Vec<Figure>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (rounds, parts) = match words.as_slice() {
        [option, count, parts @ ..] if option == "--rounds" => {
            (count.parse().expect("--rounds takes a number"), parts)
        }
        parts => (3, parts),
    };
    let known = [
        "start",
        "calls",
        "deposits",
        "polls",
        "server-registrar",
        "server-digest",
        "server-calls",
        "server-tls",
        "server-start",
    ];
    assert!(parts.iter().all(|part| known.contains(&part.as_str())), "usage: load [--rounds N] [{known:?}]");
    let wants = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    println!("| figure | min / median / max | goal |\n|---|---|---|");
    if wants("start") {
        start_up(rounds);
    }
    if wants("calls") {
        at_once(rounds);
    }
    if wants("deposits") {
        deposits(
            rounds,
            Duration::from_secs(2),
            Figure::new("CPU a call of 2 s, stored and synced, ms", 1.4),
        );
        let longer = Figure::new("CPU a call of 3 s (2.1 s of it recorded), ms", f64::NAN);
        deposits(rounds, Duration::from_secs(3), longer);
    }
    if wants("polls") {
        print(web_services::polls(rounds));
    }
    let of_the_server: [(&str, Measure); 5] = [
        ("server-registrar", protocol_server::registrar),
        ("server-digest", protocol_server::digest),
        ("server-calls", protocol_server::calls),
        ("server-tls", protocol_server::tls),
        ("server-start", protocol_server::start),
    ];
    for (part, measure) in of_the_server {
        if wants(part) {
            print(measure(rounds));
        }
    }
}

fn print(figures: impl IntoIterator<Item = Figure>) {
    for figure in figures {
        println!("{figure}");
    }
}

/// From the start of the process to the first answered OPTIONS; then memory, alone and with connections.
fn start_up(rounds: usize) {
    let mut start = Figure::new("start to first answered OPTIONS, ms", 200.0);
    let mut idle = Figure::new("idle memory, MiB of PSS", f64::NAN);
    let mut connection = Figure::new("memory an idle TCP connection, KiB of PSS", 6.0);
    let mut umbel = Umbel::start_with(SETTINGS);
    for _ in 0..rounds.max(5) {
        umbel.kill();
        let begun = Instant::now();
        umbel.spawn();
        let mut stream = connect(&umbel);
        ask_options(&mut stream, 0);
        start.add(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    for _ in 0..rounds {
        umbel.kill();
        umbel = umbel.restart();
        ask_options(&mut connect(&umbel), 0);
        let before = pss(umbel.id());
        idle.add(before / 1_024.0);
        let mut streams: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(&umbel)).collect();
        for (nth, stream) in streams.iter_mut().enumerate() {
            ask_options(stream, nth + 1);
        }
        connection.add((pss(umbel.id()) - before) / CONNECTIONS as f64);
    }
    umbel.stop();
    print([start, idle, connection]);
}

fn connect(umbel: &Umbel) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(umbel.tcp()) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "nobody listens: {error}"),
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn ask_options(stream: &mut TcpStream, nth: usize) {
    let request = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKload{nth}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:load@{DOMAIN}>;tag=load\r\nTo: <sip:{DOMAIN}>\r\n\
         Call-ID: load-{nth}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the server takes requests");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit can be set");
    let mut answer = [0; 2_048];
    let length = stream.read(&mut answer).expect("the server answers");
    assert!(answer[..length].starts_with(b"SIP/2.0 200"), "{}", String::from_utf8_lossy(&answer[..length]));
}

/// Speech without a pause, so that silence ends nothing.
fn calls(umbel: &Umbel, name: &str, length: Duration) -> Sipp {
    Sipp::new(umbel, "leave", name)
        .target(&format!("sip:alice@{DOMAIN}"))
        .say(&Sound::sentence("message"))
        .length(length)
}

/// Recording calls at once, and callers who come in meanwhile.
fn at_once(rounds: usize) {
    let mut share = Figure::new("CPU a recording call, 100 at once, % of a core", 0.025);
    let mut memory = Figure::new("memory a recording call, 100 at once, KiB of PSS", 32.0);
    let mut median = Figure::new("INVITE to first RTP packet at 100 calls, p50, ms", 2.0);
    let mut tail = Figure::new("INVITE to first RTP packet at 100 calls, p99, ms", 20.0);
    let mut others = Figure::new("  (meanwhile: share of both cores left idle, %)", f64::NAN);
    for _ in 0..rounds {
        let umbel = Umbel::start_with(SETTINGS);
        // What the first calls bring in once and for all (code, caches) is no cost of the later ones.
        calls(&umbel, "before", Duration::from_secs(4)).calls(10, 10).run();
        let before = pss(umbel.id());
        let mut sipp = calls(&umbel, "at-once", WATCHED + Duration::from_secs(25)).calls(CALLS, 50).start();
        until("all calls to be recorded", Duration::from_secs(20), || {
            let calls = umbel.json(&["calls", "--all"]);
            let running = calls.iter().filter(|call| call["outcome"] == "running").count();
            (running >= CALLS as usize).then_some(())
        });
        // Behind the greeting and the tone: two seconds after the last call began.
        watch(Duration::from_secs(3));
        memory.add((pss(umbel.id()) - before) / f64::from(CALLS));
        let (used, left, begun) = (cpu(umbel.id()), idle_share(), Instant::now());
        watch(WATCHED);
        let passed = begun.elapsed().as_secs_f64();
        let spent = (cpu(umbel.id()) - used).as_secs_f64();
        share.add(spent / passed / f64::from(CALLS) * 100.0);
        others.add(idle_share().since(&left));
        let mut caller = Caller::connect(umbel.tcp());
        let mut waits: Vec<f64> =
            (0..PROBES).map(|_| caller.first_packet(DOMAIN).as_secs_f64() * 1_000.0).collect();
        waits.sort_by(f64::total_cmp);
        median.add(waits[PROBES / 2]);
        tail.add(waits[PROBES * 99 / 100]);
        let status = sipp.wait(Duration::from_secs(90));
        assert!(status.success(), "a call failed: {status}\n{}", sipp.tail());
        umbel.stop();
    }
    print([share, others, memory, median, tail]);
}

/// Short calls, one after the other: all they cost, from the INVITE to the synced message.
fn deposits(rounds: usize, length: Duration, mut cost: Figure) {
    let (count, rate) = DEPOSITS;
    for _ in 0..rounds {
        let umbel = Umbel::start_with(SETTINGS);
        let greeting = Sound::sentence("greeting").part(Duration::ZERO, Duration::from_millis(500));
        greeting.write(&umbel.folder().join("greeting.wav"));
        let users = umbel.folder().join("shorter.csv");
        std::fs::write(&users, format!("address,greeting\nalice@{DOMAIN},greeting.wav\n")).expect("a file");
        umbel.run(&["user", "import", &users.to_string_lossy()]);
        let used = cpu(umbel.id());
        calls(&umbel, "deposit", length).calls(count, rate).run();
        let messages = umbel.await_messages("alice", count as usize);
        let spent = cpu(umbel.id()) - used;
        assert!(messages.iter().all(|message| message["incomplete"] == false), "all were stored whole");
        cost.add(spent.as_secs_f64() * 1_000.0 / f64::from(count));
        umbel.stop();
    }
    print([cost]);
}

/// Lets time pass while the server is being watched: here time itself is what is measured over.
fn watch(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}
