//! A server in a folder of its own, and the one that all tests share.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::{Certificates, LISTED};
use crate::wait::until;

pub(crate) const ALICE_PIN: &str = "815624";
/// alice and bob are ordinary users; carol's settings forbid to skip the PIN, dora's mailbox is disabled; erin
/// and frank each belong to one test.
const USERS: &str = "address,extension,name,pin,skip_pin,enabled\n\
    alice@example.test,101,Alice,815624,yes,yes\n\
    bob@example.test,102,Bob,739206,yes,yes\n\
    carol@example.test,103,Carol,486159,no,yes\n\
    dora@example.test,104,Dora,620374,yes,no\n\
    erin@example.test,105,Erin,571938,yes,yes\n\
    frank@example.test,106,Frank,294817,yes,yes\n";

/// Runs until the process of the tests ends, however it ends: its standard input is a pipe from here.
const UNTIL_WE_END: &str =
    "[ -z \"$FILES\" ] || ulimit -n $FILES; \"$@\" & child=$!; echo $child; read _; kill $child; wait $child";

/// A running server.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) tcp: SocketAddr,
    pub(crate) tls: SocketAddr,
    admin: SocketAddr,
    http: OnceLock<SocketAddr>,
    pub(crate) certificates: Certificates,
    process: u32,
    /// Killed by its standard input, at the latest when the tests end.
    _shell: Child,
}

/// The server that all tests share, with the settings that are usual.
pub(crate) fn server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start("", "info"))
}

impl Server {
    /// A server with further lines in `[tls]`, logging what `log` says.
    pub(crate) fn start(tls_settings: &str, log: &str) -> Server {
        Server::start_with_files(tls_settings, log, "")
    }

    /// The same where the system lets it have only so many open files.
    pub(crate) fn start_with_files(tls_settings: &str, log: &str, files: &str) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let [tcp, tls, admin] = free_ports();
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let configuration = |more: &str| {
            format!(
                "domain = \"example.test\"\n\
                 [http]\nlisten = \"127.0.0.1:0\"\nadmin-listen = \"{admin}\"\n\
                 [tls]\ntrusted-peers = [\"{LISTED}\"]\n{more}\n{tls_settings}\n\
                 [um]\nlisten = [\"tcp:{tcp}\", \"tls:{tls}\"]\n\
                 [um.recording]\nmin-length = \"0s\"\n"
            )
        };
        file("umbel.toml", &configuration(""));
        file("users.csv", USERS);
        run(umbel(&folder, &["user", "import", "users.csv"]));
        let certificates = Certificates::new(&folder);
        file(
            "umbel.toml",
            &configuration("client-authorities = \"authorities.pem\"\nclient-revocations = \"revoked.pem\""),
        );
        let output = File::create(folder.path().join("server.log")).unwrap();
        let mut shell = Command::new("sh")
            .args(["-c", UNTIL_WE_END, "sh", env!("CARGO_BIN_EXE_umbel"), "serve", "--config", "umbel.toml"])
            .current_dir(folder.path())
            .env("RUST_LOG", log)
            .env("FILES", files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut process = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut process).unwrap();
        let process = process.trim().parse().unwrap();
        let server =
            Server { folder, tcp, tls, admin, http: OnceLock::new(), certificates, process, _shell: shell };
        until("the server to be ready", || {
            assert!(server.is_alive(), "the server ended at its start:\n{}", server.log());
            server.get("/readyz").filter(|answer| answer.starts_with("HTTP/1.1 200"))
        });
        server
    }

    fn is_alive(&self) -> bool {
        // The shell waits for the server, so that a dead one is gone from here.
        std::fs::read_to_string(format!("/proc/{}/stat", self.process))
            .map_or(!cfg!(target_os = "linux"), |stat| !stat.contains(") Z "))
    }

    /// Where the web front is: the port that it chose stands in the log.
    pub(crate) fn http(&self) -> SocketAddr {
        *self.http.get_or_init(|| {
            let log = self.log();
            let address = log.split("http://").nth(1).unwrap_or_else(|| panic!("no web front in\n{log}"));
            address
                .chars()
                .take_while(|letter| !"\" \n".contains(*letter))
                .collect::<String>()
                .parse()
                .unwrap()
        })
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path("server.log")).unwrap_or_default()).into_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program on this server's configuration; it must do what it is asked for.
    #[track_caller]
    pub(crate) fn umbel(&self, arguments: &[&str]) -> String {
        run(umbel(&self.folder, arguments))
    }

    /// The JSON lines that the program prints.
    #[track_caller]
    pub(crate) fn documents(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.umbel(&[arguments, &["--json"]].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one word of `umbel why CALL-ID --field pin`, within a moment of the decision (SEC-32).
    #[track_caller]
    pub(crate) fn pin(&self, call_id: &str) -> String {
        until("the decision about the PIN", || self.decided(call_id))
    }

    /// The same where there may be no decision.
    pub(crate) fn decided(&self, call_id: &str) -> Option<String> {
        let output = umbel(&self.folder, &["why", call_id, "--field", "pin"]);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    /// What the administration listener answers.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.admin).ok()?;
        stream.set_read_timeout(Some(crate::wait::PATIENCE)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// A figure of `/metrics`, by its name with labels; 0 where it was never counted.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let metrics = self.get("/metrics").unwrap();
        let figures = metrics.lines().filter_map(|line| line.rsplit_once(' '));
        figures.filter(|(figure, _)| *figure == name).find_map(|(_, value)| value.parse().ok()).unwrap_or(0.0)
    }

    /// Memory of the server in KiB, where the system tells.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// SEC-70: whatever was sent, nothing in the server has come to a panic.
    #[track_caller]
    pub(crate) fn never_panicked(&self) {
        assert!(self.is_alive(), "the server has died:\n{}", self.log());
        assert_eq!(self.figure("umbel_panics_total"), 0.0, "{}", self.log());
        assert!(!self.log().contains("panicked at"), "{}", self.log());
    }
}

fn umbel(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_umbel"))
        .args(arguments)
        .args(["--config", "umbel.toml"])
        .current_dir(folder.path())
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
pub(crate) fn run(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `umbel certificate issue`, before there is a server.
pub(crate) fn issue(folder: &TempDir, name: &str) {
    run(umbel(folder, &["certificate", "issue", name, "peers"]));
}

/// Three ports that nobody listens on: below what systems give to outgoing connections, starting elsewhere in
/// each process of tests.
fn free_ports() -> [SocketAddr; 3] {
    const FIRST: u16 = 21_000;
    const TRIPLES: u16 = 2_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(TRIPLES)).unwrap();
    until("free ports", || {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        let first = FIRST + (start.wrapping_add(turn) % TRIPLES) * 3;
        let ports = [first, first + 1, first + 2].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        ports.iter().all(|address| TcpListener::bind(address).is_ok()).then_some(ports)
    })
}
