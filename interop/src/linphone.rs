//! linphonec, Linphone's telephone for the console: another stack of SIP, TLS and sound than baresip's.
//!
//! It is told what to do a line at a time, and what it did is in its log, which is what the tests wait by.

use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Command};
use std::time::Duration;

use crate::process::Program;
use crate::sound::Sound;
use crate::umbel::{DOMAIN, Umbel, password_of};
use crate::wait::until;

/// What a telephone on loopback may take for anything: Linphone's TLS alone takes seconds.
const PATIENCE: Duration = Duration::from_secs(90);
/// Ports for its sound.
const MEDIA_PORTS: u16 = 20;

/// A running telephone.
pub struct Linphone {
    input: ChildStdin,
    program: Program,
    folder: PathBuf,
}

impl Linphone {
    /// A telephone of `user`, registered over TLS with the user's password, with sound from and to files.
    pub fn registered(umbel: &Umbel, user: &str) -> Self {
        let folder = umbel.folder().join(format!("linphone-{user}"));
        // It does not make the folder of its own data.
        std::fs::create_dir_all(folder.join(".local/share/linphone")).expect("a folder can be made");
        let config = folder.join("linphonerc");
        std::fs::write(&config, settings(umbel, user)).expect("a file can be written");
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(&config).args(["-d", "6", "-l"]).arg(folder.join("log"));
        command.env("HOME", &folder).current_dir(&folder);
        let (program, input) = Program::start_with_input(&mut command, &folder.join("said"));
        let mut telephone = Linphone { input, program, folder };
        // It asks for a password that it has in its settings, and does nothing until it gets one.
        until("linphonec to ask for a password", PATIENCE, || {
            telephone.program.log().contains("Password for").then_some(())
        });
        telephone.tell(&password_of(user));
        telephone.await_times("to [LinphoneRegistrationOk]", 1);
        telephone.tell("soundcard use files");
        let heard = telephone.heard_file();
        telephone.tell(&format!("record {}", heard.display()));
        telephone
    }

    /// Calls `uri`, and waits until there is sound.
    pub fn call(&mut self, uri: &str) {
        self.tell(&format!("call {uri}"));
        self.await_times("to LinphoneCallStreamsRunning", 1);
    }

    /// Says what is in the sound; does not wait for its end.
    pub fn say(&mut self, sound: &Sound) {
        let file = sound.write(&self.folder.join("say.wav"));
        self.tell(&format!("play {}", file.display()));
    }

    /// Presses keys, each when the one before has been sent.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let sent = self.times(KEY_SENT);
            self.tell(&key.to_string());
            self.await_times(KEY_SENT, sent + 1);
        }
    }

    /// Ends the call, and the telephone, in order; gives what it heard in the call.
    pub fn hang_up(mut self) -> Sound {
        self.tell("terminate");
        self.await_times("to LinphoneCallReleased", 1);
        self.tell("quit");
        let status = self.program.wait(PATIENCE);
        assert!(status.success(), "linphonec ended as {status}");
        Sound::read(&self.heard_file())
    }

    /// What it noted, decrypted SIP included.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    fn heard_file(&self) -> PathBuf {
        self.folder.join("heard.wav")
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("linphonec takes commands");
    }

    fn times(&self, mark: &str) -> usize {
        self.log().matches(mark).count()
    }

    fn await_times(&mut self, mark: &str, times: usize) {
        until(&format!("linphonec to note `{mark}`"), PATIENCE, || {
            if let Some(status) = self.program.ended() {
                panic!("linphonec ended: {status}\n{}", self.program.tail());
            }
            (self.times(mark) >= times).then_some(())
        });
    }
}

const KEY_SENT: &str = "Finished sending RFC2833 dtmf";

fn settings(umbel: &Umbel, user: &str) -> String {
    let port = umbel.server_tls().port();
    let media = umbel.take_ports(MEDIA_PORTS);
    let (authority, password) = (umbel.authority(), password_of(user));
    // A port of 0 is none to call from, either; -1 is any. Its TLS knows names of servers, and no addresses.
    format!(
        "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\nverify_server_certs=1\nverify_server_cn=1\n\
         root_ca={}\nuse_ipv6=0\nguess_hostname=0\nmedia_encryption=srtp\nmedia_encryption_mandatory=1\n\
         default_proxy=0\n[sound]\nechocancellation=0\n[rtp]\naudio_rtp_port={media}\n\
         [auth_info_0]\nusername={user}\npasswd={password}\nrealm={DOMAIN}\n\
         [proxy_0]\nreg_proxy=<sip:localhost:{port};transport=tls>\n\
         reg_route=<sip:localhost:{port};transport=tls;lr>\nreg_identity=<sip:{user}@{DOMAIN}>\n\
         reg_expires=600\nreg_sendregister=1\n",
        authority.display()
    )
}
