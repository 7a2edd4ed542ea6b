//! What registrations and calls cost our protocol server, and what they cost Kamailio.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use umbel_interop::sipp::{Sipp, injection_file};
use umbel_interop::stand_in::{Manner, StandIn};
use umbel_interop::umbel::{DOMAIN, Umbel};

use crate::any_server::AnyServer;
use crate::figures::Figure;
use crate::prober::Prober;
use crate::process::{cpu, idle_share};
use crate::sides::{Pair, Side, Sides, Task, connect, register_on};

/// REGISTER requests of a round, and how many are outstanding at a time.
const REGISTERS: (u32, u32) = (20_000, 50);
/// Users with passwords.
const USERS: u32 = 500;
/// Registrations that are there at once.
const REGISTERED: u32 = 100_000;
/// Calls of a round, and how many begin a second.
const CALLS: (u32, u32) = (5_000, 500);
/// Users who are called: of one alone, no more than a few strangers may ring the telephones at a time.
const CALLEES: usize = 100;
/// Calls whose way is timed while the others go on.
const PROBES: usize = 400;
/// Connections with a full handshake of a round.
const HANDSHAKES: u32 = 1_000;

/// Plain REGISTER, with 50 outstanding on one connection; then memory, with 100,000 users.
pub(crate) fn registrar(rounds: usize) -> Vec<Figure> {
    let sides = Sides::start(Task::Open);
    let mut cost = Pair::new("CPU a REGISTER, us", 0.5);
    let mut idle = Figure::new("  (meanwhile: share of both cores left idle, %)", f64::NAN);
    for round in 0..rounds {
        for side in sides.in_turn(round) {
            let (used, left) = (side.cpu(), idle_share());
            load(&sides, &side, "load_register", &format!("register{round}"), REGISTERS).run();
            cost.add(&side, micros(side.cpu() - used, REGISTERS.0));
            idle.add(idle_share().since(&left));
        }
        cost.end_round();
    }
    sides.stop();
    let sides = Sides::start(Task::Open);
    let mut memory = Pair::with_goal("memory a registration, 100,000 of them, bytes", 700.0);
    for side in sides.in_turn(0) {
        load(&sides, &side, "load_register", "few", (1_000, 50)).run();
        let before = side.pss();
        load(&sides, &side, "load_register", "many", (REGISTERED, 50)).run();
        memory.add(&side, (side.pss() - before) * 1_024.0 / f64::from(REGISTERED - 1_000));
    }
    memory.end_round();
    sides.stop();
    cost.figures().into_iter().chain([idle]).chain(memory.figures()).collect()
}

/// REGISTER, 401, REGISTER, 200.
pub(crate) fn digest(rounds: usize) -> Vec<Figure> {
    let sides = Sides::start(Task::Digest);
    let users: Vec<String> = (0..USERS).map(|nth| format!("user{nth:03}")).collect();
    sides.umbel.import_many(&users);
    let file = injection_file(sides.umbel.folder(), &users);
    let mut cost = Pair::new("CPU a REGISTER with its challenge, us", 0.5);
    for round in 0..rounds {
        for side in sides.in_turn(round) {
            let used = side.cpu();
            load(&sides, &side, "register_many", &format!("digest{round}"), REGISTERS)
                .option("-inf", &file)
                .key("registrar", &format!("sip:{DOMAIN}"))
                .run();
            cost.add(&side, micros(side.cpu() - used, REGISTERS.0));
        }
        cost.end_round();
    }
    sides.stop();
    cost.figures().into()
}

/// INVITE, 100, 180, 200, ACK, BYE, 200, 500 a second; and how much later an INVITE arrives meanwhile.
pub(crate) fn calls(rounds: usize) -> Vec<Figure> {
    let sides = Sides::start(Task::Open);
    let telephone = StandIn::quiet(&sides.umbel, "telephone", Manner::Answers);
    let callees: Vec<String> = (0..CALLEES).map(|nth| format!("callee{nth}")).collect();
    sides.umbel.import_many(&callees);
    let file = injection_file(sides.umbel.folder(), &callees);
    for side in sides.in_turn(0) {
        callees.iter().for_each(|callee| side.register(callee, &telephone.uri(callee)));
    }
    let mut cost = Pair::new("CPU a call passed on, us", 0.25);
    let mut half = Pair::new("INVITE in to INVITE out at 500 calls a second, p50, ms", f64::NAN);
    let mut late = Pair::with_goal("INVITE in to INVITE out at 500 calls a second, p99, ms", 2.0);
    let mut idle = Figure::new("  (meanwhile: share of both cores left idle, %)", f64::NAN);
    for round in 0..rounds {
        for side in sides.in_turn(round) {
            let (used, left) = (side.cpu(), idle_share());
            let calls = |name: &str| {
                let sipp = load(&sides, &side, "load_call", &format!("{name}{round}"), CALLS);
                sipp.rate(CALLS.1).option("-inf", &file)
            };
            calls("calls").run();
            cost.add(&side, micros(side.cpu() - used, CALLS.0));
            idle.add(idle_share().since(&left));
            let mut background = calls("background").start();
            let mut prober = Prober::new(&side);
            let mut waits: Vec<f64> =
                (0..PROBES).map(|_| prober.way_of_an_invite().as_secs_f64() * 1_000.0).collect();
            waits.sort_by(f64::total_cmp);
            half.add(&side, waits[PROBES / 2]);
            late.add(&side, waits[PROBES * 99 / 100]);
            let status = background.wait(Duration::from_secs(90));
            assert!(status.success(), "a call failed: {status}\n{}", background.tail());
        }
        for pair in [&mut cost, &mut half, &mut late] {
            pair.end_round();
        }
    }
    sides.stop();
    let figures = [cost.figures(), half.figures(), late.figures()];
    figures.into_iter().flatten().chain([idle]).collect()
}

/// A connection with a full handshake, and a REGISTER, one after the other: ours only.
pub(crate) fn tls(rounds: usize) -> Vec<Figure> {
    let lines = "authentication = \"none\"\nvoicemail = [\"sip:127.0.0.1:9\"]";
    let umbel = Umbel::unconfigured().configured(Some(lines), None).started();
    let config = client_config();
    let mut cost = Figure::new("CPU a full TLS handshake and a REGISTER, us", 300.0);
    for _ in 0..rounds {
        let used = cpu(umbel.id());
        for number in 1..=HANDSHAKES {
            let name = ServerName::try_from(DOMAIN).expect("a name");
            let connection = ClientConnection::new(config.clone(), name).expect("a client");
            let mut stream = StreamOwned::new(connection, connect(umbel.server_tls()));
            register_on(&mut stream, "secure", "sip:secure@127.0.0.1:9;transport=tls", number);
            assert_eq!(stream.conn.handshake_kind(), Some(rustls::HandshakeKind::Full));
        }
        cost.add(micros(cpu(umbel.id()).saturating_sub(used), HANDSHAKES));
    }
    umbel.stop();
    vec![cost]
}

/// How long until a server that was killed answers, with 100,000 registrations in its store.
pub(crate) fn start(rounds: usize) -> Vec<Figure> {
    let lines = "authentication = \"none\"\nvoicemail = [\"sip:127.0.0.1:9\"]";
    let mut umbel = Umbel::unconfigured().configured(Some(lines), None).started();
    Sipp::new(&umbel, "load_register", "many")
        .server(umbel.server_tcp())
        .calls(REGISTERED, 100_000)
        .at_once(50)
        .run();
    let mut start = Figure::new("start with 100,000 stored registrations, ms", 100.0);
    for _ in 0..rounds.max(5) {
        umbel.kill();
        let begun = Instant::now();
        umbel.spawn();
        let mut stream = loop {
            match TcpStream::connect(umbel.server_tcp()) {
                Ok(stream) => break stream,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "nobody listens: {error}"),
            }
            std::thread::park_timeout(Duration::from_millis(1));
        };
        crate::ask_options(&mut stream, 0);
        start.add(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    umbel.stop();
    vec![start]
}

/// Each handshake is a full one.
fn client_config() -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer::new()))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn load(sides: &Sides, side: &Side, scenario: &str, name: &str, (count, at_once): (u32, u32)) -> Sipp {
    Sipp::new(&sides.umbel, scenario, &format!("{}-{name}", side.name))
        .server(side.tcp)
        .calls(count, 100_000)
        .at_once(at_once)
}

fn micros(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}
