//! Our program, as users build it: started from a configuration file, asked by its commands.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::Papers;
use crate::ports::{self, Block};
use crate::process::Program;
use crate::sound::speech_folder;
use crate::wait::until;

/// The domain of all addresses here.
pub const DOMAIN: &str = "example.test";
/// A peer name that the server trusts.
pub const LISTED: &str = "proxy.example.test";
/// Alice's PIN; her extension is 101, and her greeting short.
pub const ALICE_PIN: &str = "493817";
/// Bob's PIN; his extension is 102, and he has no greeting of his own.
pub const BOB_PIN: &str = "704926";
/// Start, stop and recovery take a fraction of this, on a machine that has time for us.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server, its folder and its ports.
#[derive(Debug)]
pub struct Umbel {
    // Fields are dropped in this order: the server, then its folder.
    program: Option<Program>,
    folder: TempDir,
    ports: Block,
    /// How many of the ports for other programs are given away.
    taken: AtomicU16,
}

impl Umbel {
    /// A server with the users of this module, and nothing in its mailboxes.
    pub fn start() -> Self {
        Umbel::start_with("")
    }

    /// The same, with more lines in the `[um]` table, and tables after it.
    pub fn start_with(um: &str) -> Self {
        Umbel::with_roles(None, Some(um))
    }

    /// Both roles: with these lines in the `[server]` table, and these in the `[um]` table.
    pub fn with_server(server: &str, um: &str) -> Self {
        Umbel::with_roles(Some(server), Some(um))
    }

    /// The protocol server alone, in front of other people's voice mail.
    pub fn protocol_server(server: &str) -> Self {
        Umbel::with_roles(Some(server), None)
    }

    fn with_roles(server: Option<&str>, um: Option<&str>) -> Self {
        Umbel::unconfigured().configured(server, um).with_users().started()
    }

    /// A folder and ports, for a server to come.
    pub fn unconfigured() -> Self {
        let folder = tempfile::Builder::new().prefix("umbel-").tempdir().expect("a folder can be made");
        Umbel { program: None, folder, ports: Block::take(), taken: AtomicU16::new(0) }
    }

    /// With a configuration file: these lines in the `[server]` table, these in the `[um]` table.
    pub fn configured(self, server: Option<&str>, um: Option<&str>) -> Self {
        let mut config = format!(
            "domain = \"{DOMAIN}\"\n\
             [tls]\ntrusted-peers = [\"{LISTED}\"]\n\
             [http]\nlisten = \"{}\"\nadmin-listen = \"{}\"\n",
            self.http(),
            self.admin(),
        );
        if let Some(lines) = server {
            let (tcp, tls) = (self.server_tcp(), self.server_tls());
            config += &format!("[server]\nlisten = [\"tcp:{tcp}\", \"tls:{tls}\"]\n{lines}\n");
        }
        if let Some(lines) = um {
            let (first, last) = (self.ports.first + MEDIA, self.ports.first + ports::BLOCK - 2);
            let (tcp, tls) = (self.tcp(), self.tls());
            config += &format!(
                "[um]\nlisten = [\"tcp:{tcp}\", \"tls:{tls}\"]\nrtp-ports = \"{first}-{last}\"\n{lines}\n"
            );
        }
        std::fs::write(self.config(), config).expect("the configuration can be written");
        self
    }

    /// With the users of this module.
    pub fn with_users(self) -> Self {
        self.import_users();
        self
    }

    fn import_users(&self) {
        let greeting = speech_folder().join("greeting.wav");
        std::fs::copy(greeting, self.folder().join("greeting.wav")).expect("the greeting can be copied");
        self.import(&format!(
            "address,extension,name,pin,password,greeting\n\
             alice@{DOMAIN},101,Alice,{ALICE_PIN},{},greeting.wav\n\
             bob@{DOMAIN},102,Bob,{BOB_PIN},{},\n",
            password_of("alice"),
            password_of("bob"),
        ));
    }

    /// Imports users: the text of a CSV file.
    pub fn import(&self, users: &str) {
        let file = self.folder().join("users.csv");
        std::fs::write(&file, users).expect("the users can be written");
        self.run(&["user", "import", &file.to_string_lossy()]);
    }

    /// Imports users with passwords and nothing else.
    pub fn import_many(&self, users: &[String]) {
        let row = |user: &String| format!("{user}@{DOMAIN},{}\n", password_of(user));
        let rows: String = users.iter().map(row).collect();
        self.import(&format!("address,password\n{rows}"));
    }

    /// Sets a user's settings: `KEY=VALUE`.
    pub fn set(&self, user: &str, settings: &[&str]) {
        self.run(&[&["user", "set", &format!("{user}@{DOMAIN}")], settings].concat());
    }

    /// Starts the server's process, and waits for nothing.
    pub fn spawn(&mut self) {
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(self.config()).current_dir(self.folder());
        self.program = Some(Program::start(&mut command, &self.folder().join("umbel.log")));
    }

    /// Started, and ready.
    pub fn started(mut self) -> Self {
        self.spawn();
        let admin = self.admin();
        let program = self.program.as_mut().expect("it was started");
        until("the server to be ready", PATIENCE, || {
            if let Some(status) = program.ended() {
                panic!("the server ended at its start: {status}\n{}", program.tail());
            }
            (status_of(admin, "/readyz") == Some(200)).then_some(())
        });
        self
    }

    /// Takes the server away in the middle of what it does.
    pub fn kill(&mut self) {
        self.program.take().expect("the server runs").kill();
    }

    /// Starts it again on the same folder and ports.
    pub fn restart(self) -> Self {
        assert!(self.program.is_none(), "the server still runs");
        self.started()
    }

    /// Asks it to end, and wants it to end in order.
    pub fn stop(mut self) {
        let status = self.program.take().expect("the server runs").terminate(PATIENCE);
        assert_eq!(status.code(), Some(0), "the server ended as {status}");
    }

    /// The server's process id.
    pub fn id(&self) -> u32 {
        self.program.as_ref().expect("the server runs").id()
    }

    /// The test's own folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder().join("umbel.toml")
    }

    /// Who vouches for the server's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder().join("data").join("authority.pem")
    }

    /// Where the protocol server takes SIP over TCP.
    pub fn server_tcp(&self) -> SocketAddr {
        self.at(3)
    }

    /// Where the protocol server takes SIP over TLS.
    pub fn server_tls(&self) -> SocketAddr {
        self.at(4)
    }

    /// Where the unified messaging server takes SIP over TCP.
    pub fn tcp(&self) -> SocketAddr {
        self.at(0)
    }

    /// Where the unified messaging server takes SIP over TLS.
    pub fn tls(&self) -> SocketAddr {
        self.at(1)
    }

    /// Where the web front is.
    pub fn http(&self) -> SocketAddr {
        self.at(5)
    }

    fn admin(&self) -> SocketAddr {
        self.at(2)
    }

    /// So many ports in a row for another program of the same test.
    ///
    /// # Panics
    ///
    /// When there are none left.
    pub fn take_ports(&self, count: u16) -> u16 {
        let taken = self.taken.fetch_add(count, Ordering::Relaxed);
        assert!(OWN + taken + count <= MEDIA, "too many programs in one test");
        self.ports.first + OWN + taken
    }

    fn at(&self, nth: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.first + nth).into()
    }

    /// Runs a command of administration; gives what it printed.
    ///
    /// # Panics
    ///
    /// When it failed.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "umbel {words:?}: {}: {complaint}", output.status);
        String::from_utf8(output.stdout).expect("text")
    }

    fn output(&self, words: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(words).arg("--config").arg(self.config());
        command.output().expect("umbel can be started")
    }

    /// Runs it with `--json`; gives the documents it printed.
    pub fn json(&self, words: &[&str]) -> Vec<Value> {
        let text = self.run(&[words, &["--json"]].concat());
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON document a line")).collect()
    }

    /// The messages of a mailbox, oldest first.
    pub fn messages(&self, user: &str) -> Vec<Value> {
        let mut messages = self.json(&["message", "list", &format!("{user}@{DOMAIN}")]);
        messages.sort_by_key(|message| message["number"].as_u64());
        messages
    }

    /// Waits until a mailbox holds this many messages, and gives them.
    pub fn await_messages(&self, user: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} messages for {user}"), PATIENCE, || {
            Some(self.messages(user)).filter(|messages| messages.len() >= count)
        })
    }

    /// The sound of a message, as a user exports it.
    pub fn export(&self, message: &Value) -> PathBuf {
        let id = message["id"].as_str().expect("a message has an id");
        let file = self.folder().join(format!("{id}.wav"));
        self.run(&["message", "export", id, &file.to_string_lossy()]);
        file
    }

    /// The lengths of all files of sound in the store.
    pub fn audio_files(&self) -> Vec<u64> {
        let mut lengths = Vec::new();
        let mut folders = vec![self.folder().join("data").join("audio")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
                match entry.metadata() {
                    Ok(data) if data.is_dir() => folders.push(entry.path()),
                    Ok(data) => lengths.push(data.len()),
                    Err(_) => {}
                }
            }
        }
        lengths
    }

    /// How much sound the store has, in octets: it grows with what is being recorded.
    pub fn stored_sound(&self) -> u64 {
        self.audio_files().into_iter().sum()
    }

    /// Waits until so many users are registered, and all that is in the store: it is written behind, once a
    /// second, and told as often.
    pub fn await_stored_registrations(&self, count: u32) {
        until("registrations to be stored", PATIENCE, || {
            let page = page(self.admin(), "/metrics")?;
            let value = |name: &str| -> Option<u32> {
                let line = page.lines().find(|line| line.starts_with(name))?;
                line.rsplit(' ').next()?.parse().ok()
            };
            let waiting = value("umbel_queue_depth{queue=\"registrations\"}")?;
            (value("umbel_registrations ")? >= count && waiting == 0).then_some(())
        });
    }

    /// What `umbel why CALL-ID --field pin` says, if it knows the call.
    pub fn pin_ruling(&self, call_id: &str) -> Option<String> {
        let output = self.output(&["why", call_id, "--field", "pin"]);
        match output.status.code() {
            Some(0) => Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            Some(1) => None,
            _ => panic!("umbel why: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// Calls with our own telephone, in JSON; gives its exit status and its events.
    pub fn phone(&self, words: &[&str], server: &Server<'_>) -> (Option<i32>, Vec<Value>) {
        let mut command = self.phone_command(words, server);
        let output = command.output().expect("umbel can be started");
        let text = String::from_utf8(output.stdout).expect("text");
        let events = text.lines().map(|line| serde_json::from_str(line).expect("an event a line")).collect();
        (output.status.code(), events)
    }

    /// The command line of our own telephone.
    pub fn phone_command(&self, words: &[&str], server: &Server<'_>) -> Command {
        let mut command = Command::new(binary());
        command.args(["--json", "phone"]).args(words);
        match server {
            Server::Tcp => {
                command.args(["--server", &format!("tcp:{}", self.tcp())]);
            }
            Server::Tls(papers) => {
                command.args(["--server", &format!("tls:{}", self.tls())]);
                command.arg("--authority").arg(&papers.authority);
                command.arg("--certificate").arg(&papers.certificate);
                command.arg("--private-key").arg(&papers.key);
            }
            Server::TlsWithoutCertificate => {
                command.args(["--server", &format!("tls:{}", self.tls())]);
                command.arg("--authority").arg(self.authority());
            }
        }
        command
    }
}

/// How our telephone reaches the server.
#[derive(Clone, Copy, Debug)]
pub enum Server<'a> {
    /// Plain TCP.
    Tcp,
    /// TLS, showing a certificate.
    Tls(&'a Papers),
    /// TLS, showing none.
    TlsWithoutCertificate,
}

/// The server's own ports for signalling: the first ones of its block.
const OWN: u16 = 6;
/// The server's own media ports begin this far into its block.
const MEDIA: u16 = 440;

/// The password of a user, for SIP and for the web.
pub fn password_of(user: &str) -> String {
    format!("{user}-password")
}

/// The program: `UMBEL_BINARY`, or the release build of this checkout, made if it is stale.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("UMBEL_BINARY") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    // What Cargo tells a test about its own package is nothing to a build script: ring's looks at it, and would be
    // run and built again with all that stands on it.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| text.starts_with(own)) {
            command.env_remove(&name);
        }
    }
    let output = command
        .args(["build", "--release", "--locked", "--package", "umbel", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo is here");
    assert!(
        output.status.success(),
        "the program does not build: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8(output.stdout).expect("text");
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next_back().expect("the build says where the program is")
}

/// The status of a page, if it is answered.
fn status_of(address: SocketAddr, name: &str) -> Option<u16> {
    page(address, name)?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A page with its head, if it is answered.
fn page(address: SocketAddr, page: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let request = format!("GET {page} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
