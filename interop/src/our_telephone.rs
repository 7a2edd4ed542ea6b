//! Our own telephone, `umbel phone`, over TLS and with its user's password, beside other people's programs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::Program;
use crate::sound::Sound;
use crate::umbel::{DOMAIN, Umbel, binary, password_of};
use crate::wait::until;

/// What a call on loopback may take for anything but what is said in it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A telephone under way.
pub struct OurTelephone {
    program: Program,
    folder: PathBuf,
}

impl OurTelephone {
    /// `umbel phone WORDS` as `user`, at the server `host:port`; what it hears is recorded.
    pub fn start(umbel: &Umbel, server: &str, user: &str, words: &[&str]) -> Self {
        let folder = umbel.folder().join(format!("telephone-{user}-{}", umbel.take_ports(1)));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let password = folder.join("password");
        std::fs::write(&password, password_of(user)).expect("a file can be written");
        let mut command = Command::new(binary());
        command.args(["--json", "phone"]).args(words).args(["--as", &format!("{user}@{DOMAIN}")]);
        command.args(["--server", &format!("tls:{server}"), "--authority"]).arg(umbel.authority());
        command.arg("--password-file").arg(&password).arg("--record").arg(folder.join("heard.wav"));
        let program = Program::start(&mut command, &folder.join("log"));
        OurTelephone { program, folder }
    }

    /// The same, registered and waiting for calls.
    pub fn reachable(umbel: &Umbel, server: &str, user: &str, words: &[&str]) -> Self {
        let mut telephone = OurTelephone::start(umbel, server, user, words);
        telephone.tells("registered");
        telephone
    }

    /// What it has told so far.
    pub fn events(&self) -> Vec<Value> {
        self.program.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until it tells this.
    pub fn tells(&mut self, event: &str) -> Value {
        self.tells_of(event, |_| true)
    }

    /// Waits until it tells this of what is meant.
    pub fn tells_of(&mut self, event: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
        until(&format!("our telephone to tell {event}"), PATIENCE, || {
            let found = self.events().into_iter().find(|told| told["event"] == event && is_meant(told));
            let ended = found.is_none() && self.program.ended().is_some();
            assert!(!ended, "our telephone ended without telling {event}:\n{}", self.program.tail());
            found
        })
    }

    /// Waits for its end; gives its exit status and all that it told.
    pub fn finished(&mut self) -> (Option<i32>, Vec<Value>) {
        let status = self.program.wait(PATIENCE).code();
        (status, self.events())
    }

    /// What it heard in its first call.
    pub fn heard(&self) -> Sound {
        Sound::read(&self.folder.join("heard.wav"))
    }
}
