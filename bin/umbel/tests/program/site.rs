//! A site: a folder with a configuration, the program on it, and the server where one is wanted.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::ports::Ports;
use crate::wait::{PATIENCE, until};

/// PINs that the rules allow.
pub(crate) const ALICE_PIN: &str = "815624";
pub(crate) const BOB_PIN: &str = "739206";
/// A peer that the server trusts.
pub(crate) const LISTED: &str = "proxy.example.test";

/// A folder with `umbel.toml` and, once it is used, the data.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) tcp: u16,
    pub(crate) tls: u16,
    pub(crate) admin: u16,
    /// The protocol server's, where there is one.
    pub(crate) server_tcp: u16,
    pub(crate) server_tls: u16,
    _ports: Ports,
}

impl Site {
    /// An empty store; both transports, one listed peer.
    pub(crate) fn new() -> Self {
        Site::with("", "")
    }

    /// The same with further lines in `[tls]`, and in `[um]` or tables after it.
    pub(crate) fn with(tls: &str, um: &str) -> Self {
        let ports = Ports::take();
        let [tcp, tls_port, admin, server_tcp, server_tls] = ports.numbers;
        let folder = tempfile::tempdir().unwrap();
        let site = Site { folder, tcp, tls: tls_port, admin, server_tcp, server_tls, _ports: ports };
        site.configure(&site.configuration(tls, um));
        site
    }

    /// With alice (101) and bob (102), who have PINs of their own.
    pub(crate) fn with_users() -> Self {
        let site = Site::new();
        site.add_users();
        site
    }

    pub(crate) fn add_users(&self) {
        let rows = format!(
            "address,extension,name,pin\n\
             alice@example.test,101,Alice,{ALICE_PIN}\n\
             bob@example.test,102,Bob,{BOB_PIN}\n"
        );
        self.umbel(&["user", "import", &self.write("users.csv", &rows)]).succeeded();
    }

    /// Both roles; alice, bob and carol have passwords, in files of their names. `server` is further lines of
    /// `[server]`. A telephone rings for longer than any machine needs to have it answered.
    pub(crate) fn with_telephones(server: &str) -> Self {
        let site = Site::new();
        let Site { server_tcp, server_tls, .. } = site;
        let table = format!(
            "[server]\nlisten = [\"tcp:127.0.0.1:{server_tcp}\", \"tls:127.0.0.1:{server_tls}\"]\n\
             {server}\n"
        );
        site.configure(&site.configuration("", &table));
        let mut rows = "address,extension,name,pin,password\n".to_owned();
        for (user, extension, pin) in
            [("alice", 101, ALICE_PIN), ("bob", 102, BOB_PIN), ("carol", 103, "628194")]
        {
            let password = format!("the password of {user}");
            rows.push_str(&format!("{user}@example.test,{extension},{user},{pin},{password}\n"));
            site.write(&format!("{user}.password"), &password);
        }
        site.umbel(&["user", "import", &site.write("users.csv", &rows)]).succeeded();
        site
    }

    /// The text of a configuration of this site.
    pub(crate) fn configuration(&self, tls: &str, um: &str) -> String {
        let Site { tcp, tls: tls_port, admin, .. } = self;
        format!(
            "domain = \"example.test\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\nadmin-listen = \"127.0.0.1:{admin}\"\n\
             [tls]\ntrusted-peers = [\"{LISTED}\"]\n{tls}\n\
             [um]\nlisten = [\"tcp:127.0.0.1:{tcp}\", \"tls:127.0.0.1:{tls_port}\"]\n{um}\n"
        )
    }

    pub(crate) fn configure(&self, text: &str) {
        self.write("umbel.toml", text);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; gives its path as an argument.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// The program with these arguments and this site's configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).arg("--config").arg(self.path("umbel.toml"));
        command.current_dir(self.folder()).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn umbel(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// The same with something on standard input.
    pub(crate) fn umbel_reading(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        let server = self.start(&mut self.command(&["serve"]));
        self.ready(server)
    }

    /// Starts the server without waiting.
    pub(crate) fn start(&self, command: &mut Command) -> Server {
        let log = self.path("server.log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Server { child, log }
    }

    /// Waits until a started server is ready.
    pub(crate) fn ready(&self, mut server: Server) -> Server {
        until("the server to be ready", || {
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("the server ended at its start: {status}\n{}", server.log());
            }
            self.get("/readyz").filter(|answer| answer.starts_with("HTTP/1.1 200"))
        });
        server
    }

    /// What the administration listener answers.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.admin)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// A figure of `/metrics`, by its name with labels.
    #[track_caller]
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let metrics = until("the figures", || self.get("/metrics"));
        let lines = metrics.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.filter(|(figure, _)| *figure == name).find_map(|(_, value)| value.parse().ok());
        found.unwrap_or_else(|| panic!("there is no figure {name} in\n{metrics}"))
    }

    /// Arguments of the telephone for a call over TCP.
    pub(crate) fn over_tcp(&self) -> String {
        format!("tcp:127.0.0.1:{}", self.tcp)
    }

    /// Arguments of the telephone for a call over TLS.
    pub(crate) fn over_tls(&self) -> String {
        format!("tls:127.0.0.1:{}", self.tls)
    }

    /// Bob says this recording to alice, over TCP and straight to voice mail; her greeting is long over by then. Gives
    /// the run.
    pub(crate) fn leave(&self, said: &Path, more: &[&str]) -> Ran {
        let server = self.over_tcp();
        let call = ["phone", "call", "alice@example.test", "--as", "bob@example.test", "--server", &server];
        let says = ["--play", said.to_str().unwrap(), "--play-after", "5s"];
        umbel(&[call.as_slice(), &says, more].concat())
    }

    /// The only message in the store, as scripts see it. It is there a moment after its caller has hung up.
    #[track_caller]
    pub(crate) fn only_message(&self) -> Value {
        let messages = until("a message", || {
            let messages = self.umbel(&["message", "list", "--json"]).documents();
            (!messages.is_empty()).then_some(messages)
        });
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.into_iter().next().unwrap()
    }

    /// The one word of `umbel why CALL-ID --field pin`: the decision is written a moment after it was made.
    #[track_caller]
    pub(crate) fn pin(&self, call_id: &str) -> String {
        until("the decision about the PIN", || {
            let ran = self.umbel(&["why", call_id, "--field", "pin"]);
            (ran.status == Some(0)).then(|| ran.out.trim_end().to_owned())
        })
    }
}

/// The program alone, as `umbel phone` and wrong uses need it.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_umbel"));
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn umbel(arguments: &[&str]) -> Ran {
    Ran::of(program().args(arguments).output().unwrap())
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Ran {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It must have done what it was asked for; gives what it printed.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.out
    }

    /// It must have failed with this status, and said so with all of these words on standard error.
    #[track_caller]
    pub(crate) fn failed(self, status: i32, words: &[&str]) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not said: {self:?}");
        }
        self
    }

    /// It must have failed with this status, saying so in a last line with this code after nothing but JSON lines;
    /// gives its message.
    #[track_caller]
    pub(crate) fn failed_as_json(self, status: i32, code: &str) -> String {
        assert_eq!(self.status, Some(status), "{self:?}");
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let mut lines: Vec<Value> = self.err.lines().map(read).collect();
        let document = lines.pop().unwrap_or_else(|| panic!("nothing is said: {self:?}"));
        assert!(lines.iter().all(|line| line["code"].is_null()), "{self:?}");
        assert_eq!(document["code"], code, "{self:?}");
        document["message"].as_str().unwrap_or_else(|| panic!("no message: {document}")).to_owned()
    }

    /// The JSON lines that it printed.
    #[track_caller]
    pub(crate) fn documents(self) -> Vec<Value> {
        let text = self.succeeded();
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        text.lines().map(read).collect()
    }

    /// The one JSON document that it printed.
    #[track_caller]
    pub(crate) fn document(self) -> Value {
        let mut documents = self.documents();
        assert_eq!(documents.len(), 1, "{documents:?}");
        documents.remove(0)
    }
}

/// A running program; taken away when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Server {
    /// Whether it has written this number, but for the times at which its lines were written.
    pub(crate) fn has_told(&self, number: &str) -> bool {
        let told = |line: &str| line.split_once("\"level\"").map_or(line, |(_, rest)| rest).contains(number);
        self.log().lines().any(told)
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        until("the program to end", || self.child.try_wait().unwrap())
    }

    /// Waits until its log says this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        until(text, || self.log().contains(text).then_some(()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "a failed test shows what the server said")]
            {
                eprintln!("── the server's log ──\n{}", self.log());
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a program a signal by name.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success(), "kill -s {name}: {status}");
}

/// Waits for a program's end and gives what it wrote to its pipes.
#[track_caller]
pub(crate) fn finished(mut child: Child) -> Ran {
    until("the program to end", || child.try_wait().unwrap());
    Ran::of(child.wait_with_output().unwrap())
}
