//! A mail program that follows calls: `GetPhoneCallInformation` a thousand times a second, beside recording calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use umbel_interop::process::Program;
use umbel_interop::umbel::{DOMAIN, Umbel, binary, password_of};
use umbel_interop::wait::until;

use crate::figures::Figure;
use crate::process::{cpu, idle_share};
use crate::{CALLS, SETTINGS, calls, watch};

/// Polls a second, over so many connections, and for how long; a telephone rings for longer.
const POLLS: (u32, u32) = (1_000, 4);
const POLLED: Duration = Duration::from_secs(15);

pub(crate) fn polls(rounds: usize) -> Vec<Figure> {
    let mut cost = Figure::new("CPU of 1,000 polls of a call a second, beside 100 calls, % of a core", 100.0);
    let mut rate = Figure::new("  (polls a second that were answered)", f64::NAN);
    let mut median = Figure::new("a poll, p50, ms", f64::NAN);
    let mut tail = Figure::new("a poll, p99, ms", f64::NAN);
    let mut others = Figure::new("  (meanwhile: share of both cores left idle, %)", f64::NAN);
    for _ in 0..rounds {
        let umbel = Umbel::with_server("", SETTINGS);
        calls(&umbel, "before", Duration::from_secs(4)).calls(1, 1).run();
        let _telephone = telephone(&umbel);
        let mut sipp =
            calls(&umbel, "at-once", POLLED * 2 + Duration::from_secs(30)).calls(CALLS, 50).start();
        // Behind the greetings and the tones.
        watch(Duration::from_secs(8));
        let (used, begun) = (cpu(umbel.id()), Instant::now());
        watch(POLLED);
        let alone = (cpu(umbel.id()) - used).as_secs_f64() / begun.elapsed().as_secs_f64();

        let call = Client::connect(&umbel).play();
        let (used, left, begun) = (cpu(umbel.id()), idle_share(), Instant::now());
        let mut waits = follow(&umbel, &call);
        let passed = begun.elapsed().as_secs_f64();
        let both = (cpu(umbel.id()) - used).as_secs_f64() / passed;
        others.add(idle_share().since(&left));
        cost.add((both - alone) * 100.0);
        rate.add(waits.len() as f64 / passed);
        waits.sort();
        median.add(waits[waits.len() / 2].as_secs_f64() * 1_000.0);
        tail.add(waits[waits.len() * 99 / 100].as_secs_f64() * 1_000.0);
        let status = sipp.wait(Duration::from_secs(120));
        assert!(status.success(), "a call failed: {status}\n{}", sipp.tail());
        umbel.stop();
    }
    vec![cost, rate, median, tail, others]
}

/// Alice's, which rings and is not answered.
fn telephone(umbel: &Umbel) -> Program {
    let password = umbel.folder().join("password");
    std::fs::write(&password, password_of("alice")).expect("a file");
    let mut command = Command::new(binary());
    command.args(["--json", "phone", "register", "--never", "--as", &format!("alice@{DOMAIN}")]);
    command.args(["--server", &format!("tcp:{}", umbel.server_tcp())]).arg("--password-file").arg(&password);
    let telephone = Program::start(&mut command, &umbel.folder().join("telephone.log"));
    until("the telephone to be registered", Duration::from_secs(20), || {
        telephone.log().contains("\"registered\"").then_some(())
    });
    telephone
}

/// All connections poll at their share of the rate; gives how long each poll took.
fn follow(umbel: &Umbel, call: &str) -> Vec<Duration> {
    let (rate, connections) = POLLS;
    let pause = Duration::from_secs(1) * connections / rate;
    std::thread::scope(|scope| {
        let followers: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(umbel);
                    let (begun, mut waits) = (Instant::now(), Vec::new());
                    while begun.elapsed() < POLLED {
                        let asked = Instant::now();
                        assert_eq!(client.state(call), "Connecting");
                        waits.push(asked.elapsed());
                        // One that is late does not pause.
                        let due = begun + pause * u32::try_from(waits.len()).expect("few enough");
                        watch(due.saturating_duration_since(Instant::now()));
                    }
                    waits
                })
            })
            .collect();
        followers.into_iter().flat_map(|follower| follower.join().expect("it polls to the end")).collect()
    })
}

/// One connection of alice's.
struct Client {
    stream: BufReader<TcpStream>,
    server: SocketAddr,
    head: String,
}

impl Client {
    fn connect(umbel: &Umbel) -> Self {
        let server = umbel.http();
        // "alice@example.test:alice-password"
        let credentials = "YWxpY2VAZXhhbXBsZS50ZXN0OmFsaWNlLXBhc3N3b3Jk";
        let head = format!(
            "POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {credentials}\r\n\
             Content-Type: text/xml; charset=utf-8\r\n",
            umbel.http()
        );
        Client { stream: connected(server), server, head }
    }

    /// Asks for the newest message on the own telephone; gives the name of the call.
    fn play(&mut self) -> String {
        let inbox = "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>\
             <m:ParentFolderIds><t:DistinguishedFolderId Id=\"inbox\"/></m:ParentFolderIds></m:FindItem>";
        let found = self.ask(inbox);
        let item = between(&found, "ItemId Id=\"", "\"");
        let number = format!("<m:DialString>alice@{DOMAIN}</m:DialString>");
        let placed = self.ask(&format!("<m:PlayOnPhone><m:ItemId Id=\"{item}\"/>{number}</m:PlayOnPhone>"));
        between(&placed, "PhoneCallId Id=\"", "\"").to_owned()
    }

    /// How a call stands.
    fn state(&mut self, call: &str) -> String {
        let operation = "GetPhoneCallInformation";
        let told = self.ask(&format!("<m:{operation}><m:PhoneCallId Id=\"{call}\"/></m:{operation}>"));
        between(&told, "PhoneCallState>", "<").to_owned()
    }

    fn ask(&mut self, operation: &str) -> String {
        let namespace = "http://schemas.microsoft.com/exchange/services/2006";
        let body = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:m=\"{namespace}/messages\" \
             xmlns:t=\"{namespace}/types\"><s:Body>{operation}</s:Body></s:Envelope>"
        );
        let request = format!("{}Content-Length: {}\r\n\r\n{body}", self.head, body.len());
        self.stream.get_mut().write_all(request.as_bytes()).expect("the front takes requests");
        let (mut length, mut closes, mut line) = (0, false, String::new());
        while self.stream.read_line(&mut line).expect("the front answers") > 2 {
            if let Some((name, value)) = line.split_once(':') {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().expect("a number"),
                    "connection" => closes = value.trim() == "close",
                    _ => {}
                }
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("the front answers");
        // After so many requests the front wants a new connection.
        if closes {
            self.stream = connected(self.server);
        }
        String::from_utf8(answer).expect("text")
    }
}

fn connected(server: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(server).expect("the web front listens");
    stream.set_nodelay(true).expect("an option can be set");
    BufReader::new(stream)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before} in {text}")).0
}
