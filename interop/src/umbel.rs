//! Our program, as users build it: started from a configuration file, asked by its commands.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
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
/// Start, stop and recovery take a fraction of this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, its folder and its ports.
#[derive(Debug)]
pub struct Umbel {
    // Fields are dropped in this order: the server, then its folder.
    program: Option<Program>,
    folder: TempDir,
    ports: Block,
}

impl Umbel {
    /// A server with the users of this module, and nothing in its mailboxes.
    pub fn start() -> Self {
        Umbel::start_with("")
    }

    /// The same, with more lines in the `[um]` table, and tables after it.
    pub fn start_with(um: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("umbel-").tempdir().expect("a folder can be made");
        let ports = Block::take();
        let umbel = Umbel { program: None, folder, ports };
        let media = umbel.ports.first + MEDIA;
        let last = umbel.ports.first + ports::BLOCK - 2;
        let config = format!(
            "domain = \"{DOMAIN}\"\n\
             [tls]\ntrusted-peers = [\"{LISTED}\"]\n\
             [http]\nadmin-listen = \"{}\"\n\
             [um]\nlisten = [\"tcp:{}\", \"tls:{}\"]\nrtp-ports = \"{media}-{last}\"\n{um}\n",
            umbel.admin(),
            umbel.tcp(),
            umbel.tls(),
        );
        std::fs::write(umbel.config(), config).expect("the configuration can be written");
        umbel.import_users();
        umbel.started()
    }

    fn import_users(&self) {
        let greeting = speech_folder().join("greeting.wav");
        std::fs::copy(greeting, self.folder().join("greeting.wav")).expect("the greeting can be copied");
        let users = format!(
            "address,extension,name,pin,greeting\n\
             alice@{DOMAIN},101,Alice,{ALICE_PIN},greeting.wav\n\
             bob@{DOMAIN},102,Bob,{BOB_PIN},\n"
        );
        let file = self.folder().join("users.csv");
        std::fs::write(&file, users).expect("the users can be written");
        self.run(&["user", "import", &file.to_string_lossy()]);
    }

    /// Starts the server's process, and waits for nothing.
    pub fn spawn(&mut self) {
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(self.config()).current_dir(self.folder());
        self.program = Some(Program::start(&mut command, &self.folder().join("umbel.log")));
    }

    fn started(mut self) -> Self {
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

    /// Where it takes SIP over TCP.
    pub fn tcp(&self) -> SocketAddr {
        self.at(0)
    }

    /// Where it takes SIP over TLS.
    pub fn tls(&self) -> SocketAddr {
        self.at(1)
    }

    fn admin(&self) -> SocketAddr {
        self.at(2)
    }

    /// A port for another program of the same test: `nth` below 16.
    pub fn spare(&self, nth: u16) -> u16 {
        assert!(nth < 16);
        self.ports.first + 4 + nth
    }

    /// The first of the ports for other programs' media: about 200 are theirs.
    pub fn spare_media(&self) -> u16 {
        self.ports.first + 20
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

/// The server's own media ports begin this far into its block.
const MEDIA: u16 = 240;

/// The program: `UMBEL_BINARY`, or the release build of this checkout, made if it is stale.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("UMBEL_BINARY") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
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
fn status_of(address: SocketAddr, page: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET {page} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_ascii_whitespace().nth(1)?.parse().ok()
}
