//! SIPp, which plays scripts of SIP: the scenarios in `interop/sipp`, over TCP.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::ports::{self, Block};
use crate::process::Program;
use crate::sound::Sound;
use crate::umbel::{DOMAIN, Umbel, password_of};

/// What a scenario takes beside the calls themselves.
const PATIENCE: Duration = Duration::from_secs(180);

/// One run of SIPp, being prepared.
#[derive(Debug)]
pub struct Sipp {
    name: String,
    folder: PathBuf,
    scenario: PathBuf,
    server: SocketAddr,
    calls: u32,
    /// Of which so many at a time.
    at_once: Option<u32>,
    rate: u32,
    length: Duration,
    address: String,
    keys: Vec<(String, String)>,
    options: Vec<String>,
    /// The port to call from.
    port: Option<u16>,
    /// No calls of its own: it waits for those of others.
    waits: bool,
    /// Its calls have sound, each from a port of its own.
    speaks: bool,
}

impl Sipp {
    /// `scenario` played to Umbel itself. `name` begins its Call-IDs, and names its folder.
    pub fn new(umbel: &Umbel, scenario: &str, name: &str) -> Self {
        let folder = umbel.folder().join(format!("sipp-{name}"));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let sipp = Sipp {
            name: name.to_owned(),
            folder,
            scenario: scenario_file(scenario),
            server: umbel.tcp(),
            calls: 1,
            at_once: None,
            rate: 10,
            length: Duration::ZERO,
            address: "127.0.0.1".to_owned(),
            keys: Vec::new(),
            options: Vec::new(),
            port: None,
            waits: false,
            speaks: false,
        };
        sipp.caller(&format!("sip:carol@{DOMAIN}")).key("header", "X-Scenario: SIPp").key("audio", "9")
    }

    /// To another server than Umbel.
    pub fn server(mut self, server: SocketAddr) -> Self {
        self.server = server;
        self
    }

    /// From another address of loopback than the first.
    pub fn from_address(mut self, address: &str) -> Self {
        self.address = address.to_owned();
        self
    }

    /// Whom to call: a URI.
    pub fn target(self, uri: &str) -> Self {
        self.key("target", uri)
    }

    /// Whose name to call under: a URI.
    pub fn caller(self, uri: &str) -> Self {
        self.key("caller", uri)
    }

    /// Header lines to add to the INVITE.
    pub fn header(self, lines: &str) -> Self {
        self.key("header", lines)
    }

    /// A value for the scenario.
    pub fn key(mut self, name: &str, value: &str) -> Self {
        self.keys.retain(|(known, _)| known != name);
        self.keys.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An option of SIPp itself, and its value.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Where sound comes to: this socket, and nobody hears it but us.
    pub fn audio(self, socket: &UdpSocket) -> Self {
        let port = socket.local_addr().expect("a socket has an address").port();
        self.key("audio", &port.to_string())
    }

    /// So many calls, so many of them begun a second.
    pub fn calls(mut self, calls: u32, rate: u32) -> Self {
        (self.calls, self.rate) = (calls, rate);
        self
    }

    /// Of which no more than so many at a time.
    pub fn at_once(mut self, most: u32) -> Self {
        self.at_once = Some(most);
        self
    }

    /// So many begun a second.
    pub fn rate(mut self, rate: u32) -> Self {
        self.rate = rate;
        self
    }

    /// How long each call is up.
    pub fn length(mut self, length: Duration) -> Self {
        self.length = length;
        self
    }

    /// What is said, again and again.
    pub fn say(mut self, sound: &Sound) -> Self {
        std::fs::write(self.folder.join("say.ul"), sound.mu_law()).expect("a file can be written");
        self.speaks = true;
        self
    }

    /// Replaces a word of the scenario, where SIPp takes no variable.
    pub fn with(mut self, word: &str, value: &str) -> Self {
        let text = std::fs::read_to_string(&self.scenario).expect("the scenario is there");
        assert!(text.contains(word), "{} has no {word}", self.scenario.display());
        self.scenario = self.folder.join("scenario.xml");
        std::fs::write(&self.scenario, text.replace(word, value)).expect("a file can be written");
        self
    }

    /// With this user's password, where one is asked for.
    pub fn password_of(self, user: &str) -> Self {
        self.option("-au", user).option("-ap", &password_of(user))
    }

    /// With every message written down.
    pub fn traced(self) -> Self {
        let file = self.trace().to_string_lossy().into_owned();
        self.option("-message_file", &file).flag("-trace_msg")
    }

    /// Where messages are written down.
    pub fn trace(&self) -> PathBuf {
        self.folder.join("messages")
    }

    /// An option of SIPp without a value.
    pub fn flag(mut self, name: &str) -> Self {
        self.options.push(name.to_owned());
        self
    }

    /// Calls from this port.
    pub fn from_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Waits for calls on this port, until it is stopped.
    pub fn waits_at(mut self, port: u16) -> Self {
        (self.port, self.waits) = (Some(port), true);
        self
    }

    /// A connection for each call, as telephones have one each.
    pub fn connection_each(self) -> Self {
        let most = (self.calls + 10).to_string();
        self.option("-t", "tn").option("-max_socket", &most)
    }

    /// The Call-ID of the `nth` call, from 1.
    pub fn call_id(&self, nth: u32) -> String {
        call_id(&self.name, nth)
    }

    /// Starts it.
    pub fn start(self) -> Program {
        let mut command = Command::new("sipp");
        command
            .current_dir(&self.folder)
            .args(["-t", "t1", "-nostdin", "-i", &self.address, "-mi", "127.0.0.1"])
            .args(["-trace_err", "-error_file", "errors", "-sf"])
            .arg(&self.scenario);
        command.args(["-p", &self.port.unwrap_or_else(local_port).to_string()]);
        // Left alone, it writes the server's address into the credentials, and not the Request-URI.
        let asked = self.keys.iter().find(|(name, _)| matches!(name.as_str(), "target" | "registrar"));
        if let Some(uri) = asked.and_then(|(_, uri)| uri.strip_prefix("sip:")) {
            command.args(["-auth_uri", uri]);
        }
        if !self.waits {
            command
                .arg(self.server.to_string())
                .arg("-cid_str")
                .arg(call_id(&self.name, "%u"))
                .args(["-m", &self.calls.to_string(), "-l", &self.at_once.unwrap_or(self.calls).to_string()])
                .args(["-r", &self.rate.to_string(), "-d", &self.length.as_millis().to_string()])
                .args(["-timeout", &(self.length + PATIENCE).as_secs().to_string(), "-timeout_error"]);
        }
        if self.speaks {
            command.args(["-mp", &media_ports(self.calls).to_string()]);
        }
        command.args(&self.options);
        for (name, value) in &self.keys {
            command.args(["-key", name, value]);
        }
        Program::start(&mut command, &self.folder.join("log"))
    }

    /// Runs it to its end; every call has to go as the scenario says.
    ///
    /// # Panics
    ///
    /// When one did not, with SIPp's own account of it.
    pub fn run(self) {
        let (errors, length) = (self.folder.join("errors"), self.length);
        let status: ExitStatus = self.start().wait(length + PATIENCE + Duration::from_secs(10));
        let account = std::fs::read_to_string(&errors).unwrap_or_default();
        assert!(status.success(), "SIPp: {status}\n{}", account.chars().take(1_500).collect::<String>());
    }
}

/// Writes the file for `-inf` in which each of these users is named beside the credentials. SIPp takes a
/// field within a keyword for text, but a keyword within a field for a keyword.
pub fn injection_file(folder: &Path, users: &[String]) -> String {
    let row = |user: &String| {
        let password = password_of(user);
        format!("{user};[authentication username={user} password={password}]\n")
    };
    let rows: String = users.iter().map(row).collect();
    let file = folder.join("telephones.csv");
    std::fs::write(&file, format!("SEQUENTIAL\n{rows}")).expect("a file can be written");
    file.to_string_lossy().into_owned()
}

fn call_id(name: &str, nth: impl std::fmt::Display) -> String {
    format!("{name}-{nth}@interop")
}

fn scenario_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp").join(name).with_extension("xml")
}

/// A port of its own for each run: SIPp listens on the one it calls from.
fn local_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static BLOCK: OnceLock<Block> = OnceLock::new();
    BLOCK.get_or_init(Block::take).first + NEXT.fetch_add(1, Ordering::Relaxed) % (ports::BLOCK - 1)
}

/// Where the ports begin from which a run with so many calls speaks. SIPp gives up a call's sound, and says so in a
/// warning only, where the hundred pairs are taken that it tries: two runs must not begin at the same port.
fn media_ports(calls: u32) -> u16 {
    static BLOCKS: Mutex<Vec<(Block, u16)>> = Mutex::new(Vec::new());
    // A pair each, and what SIPp keeps for an echo.
    let wanted = u16::try_from(2 * calls).unwrap_or(u16::MAX).saturating_add(10);
    assert!(wanted < ports::BLOCK, "{calls} calls with sound are too many for one run");
    let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    let has_room = blocks.last().is_some_and(|(_, used)| used + wanted < ports::BLOCK);
    if !has_room {
        blocks.push((Block::take(), 0));
    }
    let (block, used) = blocks.last_mut().expect("there is one");
    let first = block.first + *used;
    *used += wanted;
    first
}

/// A socket for the sound of a call, to see that some comes.
pub fn listening_socket(within: Duration) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.set_read_timeout(Some(within)).expect("a time limit can be set");
    socket
}

/// The payload of the next RTP packet (RFC 3550 5.1): its payload type and its octets.
pub fn receive_rtp(socket: &UdpSocket) -> (u8, Vec<u8>) {
    let mut packet = [0; 1_500];
    let (length, _) = socket.recv_from(&mut packet).expect("sound comes in time");
    assert!(length > 12 && packet[0] >> 6 == 2, "{length} bytes are no RTP packet of version 2");
    (packet[1] & 0x7f, packet[12..length].to_vec())
}
