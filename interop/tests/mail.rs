//! Mails to a mail server that is not ours (aiosmtpd), read by a library that is not ours (Python's email), their
//! sound by a player that is not ours (SoX).

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use umbel_interop::certificates::{Papers, issued};
use umbel_interop::process::Program;
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{Server, Umbel};
use umbel_interop::wait::until;

/// A mail goes within seconds; the machine may be busy.
const SENT: Duration = Duration::from_secs(120);
/// The distribution's, which has aiosmtpd.
const PYTHON: &str = "/usr/bin/python3";
const USER: &str = "um@example.test";
const PASSWORD: &str = "correct horse battery";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mail").join(name)
}

/// A mail server, and the folder of its mails.
struct MailServer {
    port: u16,
    folder: PathBuf,
    program: Option<Program>,
}

impl MailServer {
    /// One that does not run yet.
    fn new(umbel: &Umbel) -> MailServer {
        let folder = umbel.folder().join("mails");
        std::fs::create_dir(&folder).expect("a folder can be made");
        MailServer { port: umbel.take_ports(1), folder, program: None }
    }

    /// Starts it; with papers, it wants STARTTLS and a password.
    fn start(&mut self, papers: Option<&Papers>) {
        let mut command = Command::new(PYTHON);
        command.arg(script("server.py")).arg(self.port.to_string()).arg(&self.folder);
        if let Some(papers) = papers {
            command.arg(&papers.certificate).arg(&papers.key).args([USER, PASSWORD]);
        }
        self.program = Some(Program::start(&mut command, &self.folder.join("server.log")));
        until("the mail server", SENT, || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok());
    }

    /// The nth mail, when it has come.
    fn mail(&self, number: usize) -> Vec<u8> {
        let file = self.folder.join(format!("{number}.eml"));
        until("a mail", SENT, || std::fs::read(&file).ok())
    }

    /// What Python's library finds in the nth mail.
    fn read(&self, number: usize) -> Value {
        self.mail(number);
        let file = self.folder.join(format!("{number}.eml"));
        let output = Command::new(PYTHON).arg(script("read.py")).arg(file).arg(&self.folder).output();
        let output = output.expect("Python is here");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mail: Value = serde_json::from_slice(&output.stdout).expect("a JSON document");
        assert_eq!((&mail["defects"], &mail["lone"]), (&serde_json::json!([]), &0.into()), "{mail:#}");
        mail
    }

    fn hold(&self, holds: bool) {
        let file = self.folder.join("hold");
        let done = if holds { std::fs::write(file, "") } else { std::fs::remove_file(file) };
        done.expect("a file comes and goes");
    }
}

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array().expect("a list");
    let mut of_name = headers.iter().filter(|header| header[0] == name);
    let value = of_name.next().and_then(|header| header[1].as_str());
    assert!(of_name.next().is_none(), "{name} twice: {mail:#}");
    value
}

/// A configured server whose users read mail; it does not run yet. `table` is further lines of `[mail]`.
fn configured(table: impl FnOnce(&Umbel, u16) -> String) -> (Umbel, MailServer) {
    let umbel = Umbel::unconfigured();
    let mail_server = MailServer::new(&umbel);
    let table = table(&umbel, mail_server.port);
    let lines = format!("[mail]\nfrom = \"voicemail@example.test\"\n{table}");
    let umbel = umbel.configured(None, Some(&lines)).with_users();
    umbel.set("alice", &["email=alice@mail.example.test", "time_zone=Europe/Berlin"]);
    (umbel, mail_server)
}

fn plain() -> (Umbel, MailServer) {
    configured(|_, port| format!("smtp = \"smtp://127.0.0.1:{port}\""))
}

/// Bob tells alice a sentence.
fn leave(umbel: &Umbel, subject: &str) {
    let said = umbel.folder().join("said.wav");
    Sound::sentence("message").padded(Duration::ZERO, Duration::from_millis(300)).write(&said);
    let said = said.to_string_lossy();
    let call = ["call", "alice@example.test", "--as", "bob@example.test", "--subject", subject];
    let (status, events) =
        umbel.phone(&[&call[..], &["--play", &said, "--play-after", "4s"]].concat(), &Server::Tcp);
    assert_eq!(status, Some(0), "{events:#?}");
}

/// Waits until no mail is left to send. That one was taken is noted a moment after it is there.
fn await_sent(umbel: &Umbel) {
    until("the mail to be noted as sent", SENT, || umbel.json(&["mail", "list"]).is_empty().then_some(()));
}

/// REL-41, DEC-32, SEC-113 to SEC-116: STARTTLS by the local authority, a password, and a subject that would be a
/// header of its own.
#[test]
fn a_message_arrives_encrypted_with_the_sound_that_was_said() {
    let (umbel, mut mail_server) = configured(|umbel, port| {
        let password = umbel.folder().join("mail.password");
        std::fs::write(&password, format!("{PASSWORD}\n")).expect("written");
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).expect("set");
        format!(
            "smtp = \"smtp://{USER}@localhost:{port}\"\ntls = \"required\"\n\
             authorities = \"data/authority.pem\"\npassword-file = \"mail.password\""
        )
    });
    mail_server.start(Some(&issued(&umbel, "localhost")));
    let umbel = umbel.started();
    assert!(umbel.run(&["check"]).contains("knows us, by STARTTLS"));
    leave(&umbel, "=?utf-8?q?x=0D=0ABcc:_eve@example.test?= \u{202e}dne, <eve@example.test>");
    let mail = mail_server.read(1);
    assert_eq!(
        (&mail["to"], &mail["from"]),
        (&["alice@mail.example.test"].into(), &["voicemail@example.test"].into())
    );
    let recipients = std::fs::read_to_string(mail_server.folder.join("recipients")).expect("recipients");
    assert_eq!(recipients, "alice@mail.example.test\n");
    for absent in ["Bcc", "Cc", "Reply-To"] {
        assert_eq!(header(&mail, absent), None, "{mail:#}");
    }
    let subject = header(&mail, "Subject").expect("a subject");
    assert!(
        subject.ends_with("=?utf-8?q?x=0D=0ABcc:_eve@example.test?= dne, <eve@example.test>"),
        "{subject}"
    );
    let message = &umbel.messages("alice")[0];
    let id = message["id"].as_str().expect("an id");
    assert_eq!(header(&mail, "Message-ID"), Some(format!("<voice-message.{id}@example.test>").as_str()));
    assert_eq!(header(&mail, "Message-Context"), Some("voice-message"));
    assert_eq!(header(&mail, "Content-Class"), Some("voice-ca"));
    assert!(mail["text"].as_str().expect("a text").contains("you have a voice message"));

    let attached = &mail["attachments"][0];
    assert_eq!(attached["type"], "audio/wav");
    assert_eq!(header(&mail, "X-AttachmentOrder"), attached["name"].as_str());
    let played = mail_server.folder.join("played.wav");
    let sox = Command::new("sox")
        .arg(attached["file"].as_str().expect("a file"))
        .args(["-b", "16", "-e", "signed"])
        .arg(&played)
        .output()
        .expect("SoX is here");
    assert!(sox.status.success(), "{}", String::from_utf8_lossy(&sox.stderr));
    let heard = Sound::read(&played);
    assert_eq!(heard.rate, 8_000);
    // The mail has what is in the store, and the store what was said.
    let stored = Sound::read(&umbel.export(message));
    assert!(heard.duration().abs_diff(stored.duration()) < Duration::from_millis(1));
    let stored_narrow = if stored.rate == 8_000 { stored.clone() } else { stored.narrow() };
    assert_contains(&heard, &stored_narrow);
    let said = Sound::sentence("message");
    assert_contains(&stored, &if stored.rate == said.rate { said } else { said.narrow() });
    assert_lacks(&heard, &Sound::sentence("other").narrow());
    await_sent(&umbel);
    umbel.stop();
}

/// REL-41: the mail server comes after the message; then it is left in doubt by a crash.
#[test]
fn mails_wait_for_a_server_that_is_away_and_are_the_same_after_a_crash() {
    let (umbel, mut mail_server) = plain();
    let mut umbel = umbel.started();
    leave(&umbel, "while the mail server is away");
    umbel.await_messages("alice", 1);
    let waiting = umbel.json(&["mail", "list"]);
    assert_eq!((waiting.len(), &waiting[0]["state"]), (1, &"waiting".into()), "{waiting:?}");

    mail_server.start(None);
    mail_server.hold(true);
    umbel.run(&["mail", "retry"]);
    let first = mail_server.mail(1);
    umbel.kill();
    mail_server.hold(false);
    let umbel = umbel.restart();
    assert_eq!(mail_server.mail(2), first, "the very same mail");
    let mail = mail_server.read(2);
    let subject = header(&mail, "Subject").expect("a subject");
    assert!(subject.ends_with("while the mail server is away"), "{subject}");
    await_sent(&umbel);
    umbel.stop();
}
