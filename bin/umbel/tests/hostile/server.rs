//! A server in a folder of its own, and the one that all tests share.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::{Certificates, LISTED};
use crate::ports::Ports;
use crate::wait::until;

/// So long that no time, tag or number in a log holds it by chance.
pub(crate) const ALICE_PIN: &str = "815624907351";
/// alice and bob are ordinary users; carol's settings forbid to skip the PIN, dora's mailbox is disabled; erin
/// and frank each belong to one test.
const USERS: &str = "address,extension,name,pin,skip_pin,enabled\n\
    alice@example.test,101,Alice,815624907351,yes,yes\n\
    bob@example.test,102,Bob,739206,yes,yes\n\
    carol@example.test,103,Carol,486159,no,yes\n\
    dora@example.test,104,Dora,620374,yes,no\n\
    erin@example.test,105,Erin,571938,yes,yes\n\
    frank@example.test,106,Frank,294817,yes,yes\n";

/// Runs until the process of the tests ends, however it ends: its standard input is a pipe from here. Then nobody
/// else is left to take the folder away, and calls that tests left up are not waited for (REL-23: a minute).
const UNTIL_WE_END: &str = "[ -z \"$FILES\" ] || ulimit -n $FILES; \"$@\" & child=$!; echo $child; read _; \
    kill -KILL $child; wait $child; cd /; rm -rf \"$FOLDER\"";

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
    _ports: Ports,
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
        open_files();
        let folder = tempfile::tempdir().unwrap();
        let ports = Ports::take();
        let [tcp, tls, admin, ..] = ports.numbers.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
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
            .env("FOLDER", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut process = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut process).unwrap();
        let process = process.trim().parse().unwrap();
        let http = OnceLock::new();
        let server =
            Server { folder, tcp, tls, admin, http, certificates, process, _shell: shell, _ports: ports };
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

    /// The record of a call, which is written with its decisions or a moment later.
    #[track_caller]
    pub(crate) fn record(&self, call_id: &str) -> Value {
        until("the record of the call", || {
            self.documents(&["calls", "--all"]).into_iter().find(|record| record["call_id"] == call_id)
        })
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

/// How many files this process may have open, after as many were allowed as can be: many connections are ours too.
fn open_files() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    // `None` stands for no limit.
    if raised { maximum.unwrap_or(u64::MAX) } else { current.unwrap_or(u64::MAX) }
}

/// Whether this process may have so many files open; where it may not, says that what needs them is left out.
pub(crate) fn may_open(files: u64) -> bool {
    let may = open_files() >= files;
    if !may {
        let _ = std::io::stderr()
            .write_all(format!("skipped: {files} open files are not allowed here\n").as_bytes());
    }
    may
}

/// `umbel certificate issue`, before there is a server.
pub(crate) fn issue(folder: &TempDir, name: &str) {
    run(umbel(folder, &["certificate", "issue", name, "peers"]));
}
