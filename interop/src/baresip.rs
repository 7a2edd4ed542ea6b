//! baresip, a softphone: started without a screen, driven through its control port.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::Program;
use crate::sound::Sound;
use crate::umbel::{DOMAIN, Umbel, password_of};
use crate::wait::until;

/// What a softphone on loopback may take for anything.
const PATIENCE: Duration = Duration::from_secs(90);
/// Ports for its sound.
const MEDIA_PORTS: u16 = 40;
/// Where the distribution keeps its modules.
const MODULES: [&str; 3] =
    ["/usr/lib/baresip/modules", "/usr/lib64/baresip/modules", "/usr/local/lib/baresip/modules"];

/// Which line it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// SIP over TCP, plain RTP.
    Tcp,
    /// SIP over TLS, SRTP with keys in the session description, and nothing else accepted.
    TlsSrtp,
    /// The same by way of the protocol server, where it registers with its password.
    Registered,
    /// The same with sessions described as RTP/AVP and keys beside it, which is what we offer (DEC-30).
    RegisteredAvp,
}

/// Which codec it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711, 8 kHz.
    G711,
    /// G.722, 16 kHz.
    G722,
}

impl Codec {
    fn module(self) -> &'static str {
        match self {
            Codec::G711 => "g711.so",
            Codec::G722 => "g722.so",
        }
    }

    /// Samples a second.
    pub fn rate(self) -> u32 {
        match self {
            Codec::G711 => 8_000,
            Codec::G722 => 16_000,
        }
    }

    /// Whether the packaged baresip has it.
    pub fn is_here(self) -> bool {
        modules().join(self.module()).is_file()
    }
}

fn modules() -> PathBuf {
    let mut folders = MODULES.iter().map(PathBuf::from);
    folders.find(|folder| folder.is_dir()).expect("baresip's modules are where packages put them")
}

/// A running softphone.
pub struct Baresip {
    control: TcpStream,
    /// Bytes of the control connection that are no whole message yet.
    unread: Vec<u8>,
    /// Events not asked for yet, with the time they came.
    events: Vec<(Instant, Value)>,
    program: Program,
    folder: PathBuf,
}

impl Baresip {
    /// A softphone of `user` that will say `sound` from the start of a call, and hang up at its end.
    pub fn start(umbel: &Umbel, user: &str, line: Line, codec: Codec, sound: &Sound) -> Self {
        assert_eq!(sound.rate, codec.rate(), "baresip plays files at the rate of its codec only");
        let folder = umbel.folder().join(format!("baresip-{user}"));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let say = sound.write(&folder.join("say.wav"));
        // TLS is one above its port.
        let port = umbel.take_ports(3 + MEDIA_PORTS);
        let (control, media) = (port + 2, port + 3);
        let config = config(&folder, codec, &say, &umbel.authority(), port, control, media);
        write(&folder.join("config"), &config);
        write(&folder.join("accounts"), &account(umbel, user, line));
        write(&folder.join("contacts"), "");
        let mut command = Command::new("baresip");
        // Without `-n` it looks for an interface other than loopback, and finds none.
        command.args(["-4", "-n", "127.0.0.1", "-s", "-f"]).arg(&folder);
        let mut program = Program::start(&mut command, &folder.join("log"));
        let control = until("baresip's control port", PATIENCE, || {
            if let Some(status) = program.ended() {
                panic!("baresip ended at its start: {status}\n{}", program.tail());
            }
            TcpStream::connect(("127.0.0.1", control)).ok()
        });
        control.set_read_timeout(Some(Duration::from_millis(20))).expect("a time limit can be set");
        let baresip = Baresip { control, unread: Vec::new(), events: Vec::new(), program, folder };
        if matches!(line, Line::Registered | Line::RegisteredAvp) {
            // Its event may be gone before anybody listens.
            until("baresip to be registered", PATIENCE, || baresip.log().contains(" binding]").then_some(()));
        }
        baresip
    }

    /// Waits for a call, and takes it; gives who calls.
    pub fn answer(&mut self) -> String {
        let caller = self.rung();
        self.command("accept", "");
        self.await_event("CALL_ESTABLISHED");
        caller
    }

    /// Waits for a call, and lets it ring; gives who calls.
    pub fn rung(&mut self) -> String {
        self.wait_for("CALL_INCOMING").1["peeruri"].as_str().unwrap_or_default().to_owned()
    }

    /// Calls `uri`, and does not wait for what becomes of it.
    pub fn start_call(&mut self, uri: &str) {
        self.command("dial", uri);
    }

    /// Waits for this key.
    pub fn await_key(&mut self, key: char) {
        let key = key.to_string();
        until(&format!("baresip to hear the key {key}"), PATIENCE, || {
            self.listen();
            let is_it = |event: &Value| event["type"] == "CALL_DTMF_START" && event["param"] == key;
            let place = self.events.iter().position(|(_, event)| is_it(event))?;
            Some(self.events.remove(place))
        });
    }

    /// Ends the call without waiting for the other side; a call that rings is refused as busy.
    pub fn refuse(&mut self) {
        self.command("hangup", "");
    }

    /// Calls `uri`; gives the time at which the call was up.
    pub fn dial(&mut self, uri: &str) -> Instant {
        self.command("dial", uri);
        self.await_event("CALL_ESTABLISHED")
    }

    /// Presses keys, with time between them as a finger takes.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.command("sndcode", &key.to_string());
            let said = self.said();
            // baresip's clock is the sound it sends: the tone, and a pause after it.
            self.await_said(said + Duration::from_millis(400));
        }
    }

    /// Ends the call; gives the time at which it was over.
    pub fn hang_up(&mut self) -> Instant {
        self.command("hangup", "");
        self.await_event("CALL_CLOSED")
    }

    /// Puts the call on hold, or goes on with it.
    pub fn hold(&mut self, held: bool) {
        self.command(if held { "hold" } else { "resume" }, "");
    }

    /// Sends the other side of the call on to `uri`.
    pub fn transfer(&mut self, uri: &str) {
        self.command("transfer", uri);
    }

    /// Waits for the end of the call; gives what was said about it, a refusal's status first.
    pub fn closed(&mut self) -> String {
        self.wait_for("CALL_CLOSED").1["param"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for an event of the call; gives the time at which it came.
    pub fn await_event(&mut self, kind: &str) -> Instant {
        self.wait_for(kind).0
    }

    fn wait_for(&mut self, kind: &str) -> (Instant, Value) {
        until(&format!("baresip to tell {kind}"), PATIENCE, || {
            self.listen();
            let place = self.events.iter().position(|(_, event)| event["type"] == kind)?;
            Some(self.events.remove(place))
        })
    }

    /// Waits until it has sent this much sound since the start of the call.
    pub fn await_said(&mut self, length: Duration) {
        until(&format!("baresip to send {length:?} of sound"), length + PATIENCE, || {
            (self.said() >= length).then_some(())
        });
    }

    /// How much sound it has sent in this call: what its recording of itself has grown to.
    pub fn said(&self) -> Duration {
        let Some(file) = self.dump("-enc.wav") else { return Duration::ZERO };
        let length = std::fs::metadata(&file).map_or(0, |data| data.len());
        Duration::from_secs_f64(length as f64 / 2.0 / f64::from(self.rate()))
    }

    fn rate(&self) -> u32 {
        if self.folder.join("wide").exists() { 16_000 } else { 8_000 }
    }

    /// What it heard in this call.
    pub fn heard(&self) -> Sound {
        // It completes the file some time after it has told that the call is over.
        until("baresip to complete its recording", PATIENCE, || Sound::whole(&self.dump("-dec.wav")?))
    }

    fn dump(&self, ending: &str) -> Option<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).expect("the folder can be read");
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.to_string_lossy().ends_with(ending))
            .collect();
        files.sort();
        files.pop()
    }

    /// What it wrote, decrypted SIP included.
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// Ends the program.
    pub fn stop(mut self) {
        self.program.terminate(PATIENCE);
    }

    /// A command, and its answer.
    fn command(&mut self, command: &str, parameters: &str) -> Value {
        let message = json!({ "command": command, "params": parameters, "token": command }).to_string();
        let frame = format!("{}:{message},", message.len());
        self.control.write_all(frame.as_bytes()).expect("baresip takes commands");
        let answer = until(&format!("baresip to answer {command}"), PATIENCE, || {
            self.listen();
            let answers = |event: &Value| event["response"] == true && event["token"] == command;
            let place = self.events.iter().position(|(_, event)| answers(event))?;
            Some(self.events.remove(place).1)
        });
        assert_eq!(answer["ok"], true, "baresip refused {command}: {answer}");
        answer
    }

    /// Takes in what the control port has sent: netstrings of JSON.
    fn listen(&mut self) {
        let mut bytes = [0; 4_096];
        match self.control.read(&mut bytes) {
            Ok(0) => panic!("baresip has closed its control port; it wrote\n{}", self.program.tail()),
            Ok(length) => self.unread.extend_from_slice(&bytes[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => panic!("baresip's control port: {error}"),
        }
        while let Some((message, used)) = netstring(&self.unread) {
            let value = serde_json::from_slice(message).expect("baresip sends JSON");
            self.events.push((Instant::now(), value));
            self.unread.drain(..used);
        }
    }
}

/// The first netstring, and how many bytes it takes.
fn netstring(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().expect("a netstring's length");
    let message = bytes.get(colon + 1..colon + 1 + length)?;
    (bytes.get(colon + 1 + length) == Some(&b',')).then_some((message, colon + length + 2))
}

fn account(umbel: &Umbel, user: &str, line: Line) -> String {
    const SRTP: &str = ";mediaenc=srtp-mandf";
    const SRTP_AVP: &str = ";mediaenc=srtp";
    let (server, transport, more) = match line {
        Line::Tcp => (umbel.tcp(), "tcp", ";regint=0".to_owned()),
        Line::TlsSrtp => (umbel.tls(), "tls", format!(";regint=0{SRTP}")),
        Line::Registered | Line::RegisteredAvp => {
            let password = password_of(user);
            let srtp = if line == Line::Registered { SRTP } else { SRTP_AVP };
            let more = format!(";regint=600;auth_user={user};auth_pass={password}{srtp}");
            (umbel.server_tls(), "tls", more)
        }
    };
    format!(
        "<sip:{user}@{DOMAIN};transport={transport}>{more};outbound=\"sip:{server};transport={transport}\"\n"
    )
}

fn config(
    folder: &Path,
    codec: Codec,
    say: &Path,
    authority: &Path,
    port: u16,
    control: u16,
    media: u16,
) -> String {
    if codec == Codec::G722 {
        write(&folder.join("wide"), "");
    }
    let rate = codec.rate();
    let modules = modules();
    let mut lines = vec![
        "poll_method epoll".to_owned(),
        format!("sip_listen 127.0.0.1:{port}"),
        format!("sip_cafile {}", authority.display()),
        format!("audio_source aufile,{}", say.display()),
        format!("ausrc_srate {rate}"),
        format!("auplay_srate {rate}"),
        "ausrc_channels 1".to_owned(),
        "auplay_channels 1".to_owned(),
        format!("rtp_ports {media}-{}", media + MEDIA_PORTS - 1),
        "jitter_buffer_delay 5-10".to_owned(),
        "rtp_stats yes".to_owned(),
        format!("module_path {}", modules.display()),
        format!("module {}", codec.module()),
    ];
    for module in ["uuid.so", "aufile.so", "sndfile.so", "srtp.so"] {
        lines.push(format!("module {module}"));
    }
    lines.push("module_tmp account.so".to_owned());
    for module in ["menu.so", "ctrl_tcp.so", "debug_cmd.so"] {
        lines.push(format!("module_app {module}"));
    }
    lines.push(format!("ctrl_tcp_listen 127.0.0.1:{control}"));
    lines.push(format!("snd_path {}", folder.display()));
    lines.join("\n") + "\n"
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_netstring_is_taken_when_it_is_whole() {
        assert_eq!(netstring(b"5:hello,4:"), Some((&b"hello"[..], 8)));
        assert_eq!(netstring(b"5:hello"), None);
        assert_eq!(netstring(b"5:hel"), None);
        assert_eq!(netstring(b"5"), None);
    }
}
