//! Our times beside those of Sofia-SIP on the same messages in the same run.
//!
//! Builds `benches/sofia/sofia.c` where a C compiler and the library are at hand; without them only our
//! own times are shown. Rounds take turns, and the least mean of a short batch counts: whatever else the
//! machine does only ever adds to it, and a batch is shorter than a turn of its scheduler.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "measures time, runs a compiler, reads files"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use umbel_sip_message::{Draft, Request, frame, parse};

const ROUNDS: usize = 15;
const BATCHES: u32 = 40;
const TIMES: u32 = 300;

/// Nanoseconds for one message.
#[derive(Clone, Copy)]
struct Times {
    parse: f64,
    print: f64,
}

fn main() {
    let sofia = build();
    if sofia.is_none() {
        println!("Sofia-SIP is not here (cc, pkg-config sofia-sip-ua): no comparison");
    }
    for name in ["subscriber_access", "play_on_phone"] {
        compare(name, sofia.as_deref());
    }
}

fn compare(name: &str, sofia: Option<&Path>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/examples/{name}.sip"));
    let octets = std::fs::read(&path).unwrap();
    let (mut ours, mut framing) = (Times { parse: f64::MAX, print: f64::MAX }, f64::MAX);
    let mut theirs = sofia.map(|_| Times { parse: f64::MAX, print: f64::MAX });
    for _ in 0..ROUNDS {
        framing = framing.min(time(|| frame(black_box(&octets))));
        ours = least(ours, measure(&octets));
        if let (Some(program), Some(times)) = (sofia, &mut theirs) {
            *times = least(*times, run(program, &path));
        }
    }
    println!("{name}, {} octets (ns, least of {ROUNDS} rounds of {BATCHES} batches)", octets.len());
    println!("  frame            {framing:7.0}                     goal 250");
    match theirs {
        Some(theirs) => {
            let line = |what: &str, ours: f64, theirs: f64, goal: f64| {
                println!("  {what} {ours:7.0}  Sofia {theirs:7.0}  {:.2}  goal {goal}", ours / theirs);
            };
            line("parse and read  ", ours.parse, theirs.parse, 0.5);
            line("print           ", ours.print, theirs.print, 0.15);
        }
        None => println!("  parse and read   {:7.0}\n  print            {:7.0}", ours.parse, ours.print),
    }
}

/// The same work as in `sofia.c`: copy the octets, parse, read, drop; and print.
fn measure(octets: &[u8]) -> Times {
    let parse_and_read = || {
        let mut buffer = BytesMut::with_capacity(octets.len());
        buffer.put_slice(black_box(octets));
        let request = read(buffer.freeze());
        read_typed(&request);
        request
    };
    let draft = Draft::forward(&parse_and_read());
    Times { parse: time(parse_and_read), print: time(|| black_box(&draft).print()) }
}

fn read(octets: Bytes) -> Request {
    parse(octets).unwrap().into_request().unwrap()
}

fn read_typed(request: &Request) {
    let headers = request.headers();
    black_box(headers.via().host());
    black_box(headers.from().uri.user());
    black_box(headers.to().uri.host());
    black_box(headers.contacts().unwrap().first().map(|contact| contact.uri.host()));
    black_box(headers.cseq().method.as_str());
}

fn time<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut batch = || {
        let start = Instant::now();
        for _ in 0..TIMES {
            black_box(work());
        }
        start.elapsed().as_nanos() as f64 / f64::from(TIMES)
    };
    (0..BATCHES).map(|_| batch()).fold(f64::MAX, f64::min)
}

fn least(a: Times, b: Times) -> Times {
    Times { parse: a.parse.min(b.parse), print: a.print.min(b.print) }
}

fn run(program: &Path, message: &Path) -> Times {
    let output =
        Command::new(program).arg(message).args([BATCHES, TIMES].map(|n| n.to_string())).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap());
    Times { parse: numbers.next().unwrap(), print: numbers.next().unwrap() }
}

/// Compiles the other side; `None` where that cannot be done here.
fn build() -> Option<PathBuf> {
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", "sofia-sip-ua"]).output().ok()?;
    let flags = String::from_utf8(flags.stdout).ok().filter(|_| flags.status.success())?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/sofia/sofia.c");
    let program = std::env::current_exe().ok()?.with_file_name("sofia-timing");
    let mut compiler = Command::new("cc");
    compiler.arg("-O2").arg("-o").arg(&program).arg(source).args(flags.split_whitespace());
    compiler.status().ok()?.success().then_some(program)
}
