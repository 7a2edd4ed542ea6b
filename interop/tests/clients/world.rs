//! A program with a message for each of two users, and their telephones: alice's answers, bob's is busy.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use umbel_interop::process::Program;
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{DOMAIN, Server, Umbel, binary, password_of};
use umbel_interop::wait::until;

/// Bob's extension: his telephone is busy.
const BUSY_NUMBER: &str = "102";
/// Registering takes a fraction of this.
const PATIENCE: Duration = Duration::from_secs(90);
/// Behind the greetings and the tone: alice's is short, bob's is the one that everybody has.
const SPOKEN_AFTER: [(&str, &str, &str); 2] = [("alice", "bob", "2500ms"), ("bob", "alice", "15s")];

pub(crate) struct World {
    umbel: Umbel,
    /// What bob said to alice, as it is in the store.
    left: PathBuf,
    telephones: Vec<Program>,
    imap: u16,
}

impl World {
    pub(crate) fn start() -> Self {
        let umbel = Umbel::with_server("", "");
        // Wrong passwords are given for her.
        umbel.import(&format!("address,password\ncarol@{DOMAIN},{}\n", password_of("carol")));
        let said = Sound::sentence("message").write(&umbel.folder().join("said.wav"));
        let said = said.to_string_lossy();
        for (callee, caller, after) in SPOKEN_AFTER {
            let (callee, caller) = (format!("{callee}@{DOMAIN}"), format!("{caller}@{DOMAIN}"));
            let words = ["call", &callee, "--as", &caller, "--play", &said, "--play-after", after];
            let (status, events) = umbel.phone(&words, &Server::Tcp);
            assert_eq!(status, Some(0), "{events:#?}");
        }
        let left = umbel.export(&umbel.await_messages("alice", 1)[0]);
        umbel.await_messages("bob", 1);
        let mut world = World { imap: umbel.take_ports(1), umbel, left, telephones: Vec::new() };
        world.telephone("alice", &["--after", "500ms"]);
        world.telephone("bob", &["--busy"]);
        world
    }

    /// A telephone that is registered and treats calls so.
    fn telephone(&mut self, user: &str, manner: &[&str]) {
        let folder = self.umbel.folder();
        let password = folder.join(format!("{user}.password"));
        std::fs::write(&password, format!("{}\n", password_of(user))).expect("the password can be written");
        let mut command = Command::new(binary());
        command.args(["--json", "phone", "register", "--as", &format!("{user}@{DOMAIN}")]);
        command.args(["--server", &format!("tcp:{}", self.umbel.server_tcp())]);
        command.arg("--password-file").arg(password).args(manner);
        let telephone = Program::start(&mut command, &folder.join(format!("{user}.log")));
        until("the telephone to be registered", PATIENCE, || {
            telephone.log().contains("\"registered\"").then_some(())
        });
        self.telephones.push(telephone);
    }

    /// The lamp of a user's telephone, followed.
    pub(crate) fn lamp(&mut self, user: &str) {
        let folder = self.umbel.folder();
        let mut command = Command::new(binary());
        command.args(["--json", "phone", "message-waiting", "--as", &format!("{user}@{DOMAIN}")]);
        command.args(["--server", &format!("tcp:{}", self.umbel.server_tcp()), "--for", "10m"]);
        command.arg("--password-file").arg(folder.join(format!("{user}.password")));
        self.telephones.push(Program::start(&mut command, &folder.join("lamp.log")));
    }

    /// Waits until the lamp shows so many new and old messages.
    pub(crate) fn await_lamp(&self, new: u32, old: u32) {
        let lamp = self.telephones.last().expect("the lamp is followed");
        let (new, old) = (format!("\"new\":{new},"), format!("\"old\":{old},"));
        until("the lamp to show it", PATIENCE, || {
            let log = lamp.log();
            let last = log.lines().rfind(|line| line.contains("message-waiting"))?;
            (last.contains(&new) && last.contains(&old)).then_some(())
        });
    }

    /// Starts the gateway from IMAP to our web services.
    pub(crate) fn davmail(&mut self) {
        let folder = self.umbel.folder();
        let settings = folder.join("davmail.properties");
        let lines = [
            "davmail.server=true".to_owned(),
            "davmail.mode=EWS".to_owned(),
            format!("davmail.url=http://{}/EWS/Exchange.asmx", self.umbel.http()),
            format!("davmail.imapPort={}", self.imap),
            "davmail.bindAddress=127.0.0.1".to_owned(),
            "davmail.disableUpdateCheck=true".to_owned(),
            format!("davmail.logFilePath={}", folder.join("davmail-own.log").display()),
        ];
        std::fs::write(&settings, lines.join("\n")).expect("the settings can be written");
        // The package's own script would leave the gateway behind when it is killed.
        let mut command = Command::new("java");
        command.args(["-jar", "/usr/share/davmail/davmail.jar", "-server"]).arg(&settings);
        self.telephones.insert(0, Program::start(&mut command, &folder.join("davmail.log")));
        until("DavMail to listen", PATIENCE, || {
            std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, self.imap)).ok().map(drop)
        });
    }

    /// Runs a script that needs nothing but Python, against DavMail.
    pub(crate) fn imap(&self, script: &str, words: &[&str]) {
        let mut command = Command::new("python3");
        command.arg(scripts().join(script)).args(words).env("UMBEL_IMAP", format!("127.0.0.1:{}", self.imap));
        self.run(&mut command);
    }

    /// What the client heard is what bob left, from beginning to end.
    pub(crate) fn assert_heard(&self) {
        let heard = Sound::read(&self.heard());
        let left = Sound::read(&self.left);
        assert_contains(&heard, &left.narrow());
        assert_lacks(&heard, &Sound::sentence("other").narrow());
        let longer = heard.duration().abs_diff(left.duration());
        assert!(longer < Duration::from_millis(50), "{:?} became {:?}", left.duration(), heard.duration());
    }

    fn heard(&self) -> PathBuf {
        self.umbel.folder().join("heard.wav")
    }

    /// Runs a script by the interpreter with exchangelib and zeep.
    pub(crate) fn python(&self, script: &str) {
        self.run(Command::new(installed("UMBEL_CLIENTS_PYTHON")).arg(scripts().join(script)));
    }

    /// Runs a script beside the folder with node-ews and ews-javascript-api, where node looks for them.
    pub(crate) fn node(&self, script: &str) {
        self.run(Command::new("node").arg(installed("UMBEL_CLIENTS_NODE").join(script)));
    }

    fn run(&self, command: &mut Command) {
        command.env("UMBEL_URL", format!("http://{}", self.umbel.http()));
        command.env("UMBEL_HEARD", self.heard());
        command.env("UMBEL_DOMAIN", DOMAIN).env("UMBEL_BUSY_NUMBER", BUSY_NUMBER);
        // Where the machine reaches others through a proxy, that is not the way to ourselves.
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        // Scripts are not to leave anything beside themselves.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("TMPDIR", self.umbel.folder());
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command:?}: {}\n{said}\n{complained}", output.status);
    }

    pub(crate) fn stop(self) {
        drop(self.telephones);
        self.umbel.stop();
    }
}

fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// What the test run has installed.
fn installed(name: &str) -> PathBuf {
    let path = std::env::var_os(name);
    path.unwrap_or_else(|| panic!("{name} is not set; `cargo xtask test clients` sets it")).into()
}
