//! Mails that tell of messages and greetings: a mail server that is there, away, unwilling, and slow to say yes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::Value;

use crate::ports::Ports;
use crate::site::{Server, Site};
use crate::sound::{loud_seconds, read, write_tone};
use crate::wait::until;

/// What the mail server does with the next mail.
#[derive(Clone, Copy)]
enum Mood {
    Takes,
    /// No such recipient.
    Refuses,
    /// Takes the content and never says so.
    Silent,
}

/// A mail server in this process.
struct MailServer {
    port: u16,
    mood: Arc<AtomicU8>,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    fn start(mood: Mood) -> MailServer {
        MailServer::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), mood)
    }

    fn on(listener: TcpListener, mood: Mood) -> MailServer {
        let port = listener.local_addr().unwrap().port();
        let (mood, mails) = (Arc::new(AtomicU8::new(mood as u8)), Arc::default());
        let (its_mood, its_mails) = (Arc::clone(&mood), Arc::clone(&mails));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mood, mails) = (Arc::clone(&its_mood), Arc::clone(&its_mails));
                std::thread::spawn(move || serve(&stream.unwrap(), &mood, &mails));
            }
        });
        MailServer { port, mood, mails }
    }

    fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// The mails that came, when there are so many.
    #[track_caller]
    fn mails(&self, count: usize) -> Vec<String> {
        until("mails to arrive", || {
            let mails = self.mails.lock().unwrap();
            (mails.len() >= count).then(|| mails.clone())
        })
    }
}

/// One connection, until either side leaves.
fn serve(stream: &TcpStream, mood: &AtomicU8, mails: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines();
    let mut out = stream;
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 mail.test");
    while let Some(Ok(line)) = lines.next() {
        let mood = mood.load(Ordering::SeqCst);
        let word = line.split(' ').next().unwrap_or_default();
        let reply = match word {
            "RCPT" if mood == Mood::Refuses as u8 => "550 5.1.1 nobody of this name",
            "DATA" => {
                say("354 go ahead");
                let mut mail = String::new();
                for line in lines.by_ref().map_while(Result::ok) {
                    if line == "." {
                        break;
                    }
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push_str("\r\n");
                }
                mails.lock().unwrap().push(mail);
                if mood == Mood::Silent as u8 {
                    while lines.next().is_some_and(|line| line.is_ok()) {}
                    return;
                }
                "250 queued"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if !say(reply) {
            return;
        }
    }
}

/// A site with alice, who reads mail, and a mail server on this port.
fn site(port: u16) -> Site {
    let site = Site::with(
        "",
        &format!("[mail]\nsmtp = \"smtp://127.0.0.1:{port}\"\nfrom = \"voicemail@example.test\""),
    );
    site.add_users();
    site.umbel(&["user", "set", "alice", "email=alice@mail.example.test", "time_zone=Europe/Berlin"])
        .succeeded();
    site
}

/// Something that alice gets a mail of (SEC-91).
fn change_greeting(site: &Site) {
    let greeting = write_tone(site.folder(), "greeting.wav", 8_000, 300);
    site.umbel(&["mailbox", "greeting", "alice", "set", "standard", greeting.to_str().unwrap()]).succeeded();
}

fn message_id(mail: &str) -> String {
    MessageParser::new().parse(mail).unwrap().message_id().unwrap().to_owned()
}

fn queue(site: &Site) -> Vec<Value> {
    site.umbel(&["mail", "list", "--json"]).documents()
}

fn queue_is_empty(site: &Site) {
    until("the queue to be empty", || queue(site).is_empty().then_some(()));
}

/// REL-41, DEC-32, SEC-113: by a caller whose name would be a header of its own.
#[test]
fn a_message_left_by_telephone_arrives_as_a_mail_with_its_sound() {
    let mail_server = MailServer::start(Mood::Takes);
    let site = site(mail_server.port);
    change_greeting(&site);
    let _server = site.serve();
    mail_server.mails(1);
    let said = write_tone(site.folder(), "said.wav", 16_000, 2_000);
    let subject = "=?utf-8?q?x=0D=0ABcc:_eve@example.test?=, \u{202e}dam";
    site.leave(&said, &["--subject", subject]).succeeded();
    let mail = mail_server.mails(2).remove(1);
    let message = site.only_message();
    let read_mail = MessageParser::new().parse(&mail).unwrap();
    assert!(read_mail.bcc().is_none() && read_mail.cc().is_none());
    assert_eq!(read_mail.to().unwrap().first().unwrap().address(), Some("alice@mail.example.test"));
    let subject = read_mail.subject().unwrap();
    assert!(subject.ends_with(": =?utf-8?q?x=0D=0ABcc:_eve@example.test?=, dam"), "{subject}");
    let id = message["id"].as_str().unwrap();
    assert_eq!(read_mail.message_id(), Some(format!("voice-message.{id}@example.test").as_str()));
    assert_eq!(read_mail.header_raw("Content-Class").map(str::trim), Some("voice-ca"));
    // Winter or summer, Berlin is not at Greenwich.
    assert!(read_mail.body_text(0).unwrap().contains("(UTC+0"), "{mail}");
    let file = read_mail.attachment(0).unwrap();
    assert!(file.attachment_name().unwrap().ends_with(" Voice Mail.wav"));
    let path = site.path("mailed.wav");
    std::fs::write(&path, file.contents()).unwrap();
    let sound = read(&path);
    assert_eq!(sound.rate, 8_000, "G.711, as every mail program plays it");
    // The very sound that is in the store, however late its packets came.
    let exported = site.path("exported.wav");
    site.umbel(&["message", "export", id, exported.to_str().unwrap()]).succeeded();
    let kept = read(&exported);
    assert_eq!(sound.duration(), kept.duration());
    let (heard, said) = (loud_seconds(&sound), loud_seconds(&kept));
    assert!((heard - said).abs() < 0.1 && heard > 1.0, "{heard} seconds of {said}");
    queue_is_empty(&site);
    until("the figures", || (site.figure("umbel_mails_sent_total") >= 2.0).then_some(()));
}

/// REL-41: saving waits for no mail server, and the mail goes when it is back.
#[test]
fn a_mail_server_that_was_away_gets_the_mail_when_it_is_back() {
    // A port that nobody else is given meanwhile.
    let ports = Ports::take();
    let port = ports.numbers[0];
    let site = site(port);
    let server = site.serve();
    change_greeting(&site);
    server.says("the mail server takes no mail");
    let queued = queue(&site);
    assert_eq!((queued.len(), &queued[0]["state"], &queued[0]["tries"]), (1, &"waiting".into(), &0.into()));
    assert!(site.get("/readyz").unwrap().starts_with("HTTP/1.1 200"), "calls are answered as ever");
    until("the figures", || (site.figure("umbel_mails_waiting") >= 1.0).then_some(()));
    site.umbel(&["check"]).failed(69, &["found something wrong"]);

    let mail_server = MailServer::on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap(), Mood::Takes);
    assert!(site.umbel(&["mail", "retry"]).succeeded().contains("1 mails"));
    let mail = mail_server.mails(1).remove(0);
    assert!(mail.contains("Subject: Your voice mail greeting was changed\r\n"), "{mail}");
    queue_is_empty(&site);
    let checked = site.umbel(&["check"]).succeeded();
    assert!(checked.contains("takes connections, unencrypted"), "{checked}");
}

/// REL-41: killed after the mail server has the mail and before that is noted.
#[test]
fn a_mail_that_is_sent_again_after_a_crash_is_the_same_mail() {
    let mail_server = MailServer::start(Mood::Silent);
    let site = site(mail_server.port);
    let mut server = site.serve();
    change_greeting(&site);
    let first = mail_server.mails(1).remove(0);
    server.signal("KILL");
    server.ended();
    mail_server.set(Mood::Takes);
    let _server = site.serve();
    let again = mail_server.mails(2).remove(1);
    assert_eq!(again, first);
    assert_eq!(message_id(&again), message_id(&first));
    queue_is_empty(&site);
}

/// What the server refuses is kept for people to see, and sent when they say so.
#[test]
fn a_refused_mail_is_kept_and_can_be_tried_again() {
    let mail_server = MailServer::start(Mood::Refuses);
    let site = site(mail_server.port);
    let _server = site.serve();
    change_greeting(&site);
    let failed = until("the mail to fail", || queue(&site).pop().filter(|mail| mail["state"] == "failed"));
    assert!(failed["reason"].as_str().unwrap().contains("nobody of this name"), "{failed}");
    assert_eq!((&failed["kind"], &failed["mailbox"]), (&"greeting".into(), &"alice@example.test".into()));
    let text = site.umbel(&["mail", "list"]).succeeded();
    assert!(text.contains("failed") && text.contains("550"), "{text}");
    until("the figures", || (site.figure("umbel_mails_failed_total") >= 1.0).then_some(()));
    site.umbel(&["mail", "retry", "999"]).failed(1, &["mail 999"]);
    mail_server.set(Mood::Takes);
    let number = failed["number"].to_string();
    assert_eq!(site.umbel(&["mail", "retry", &number, "--json"]).document()["mails"], 1);
    mail_server.mails(1);
    queue_is_empty(&site);
}

/// A new configuration counts from the next mail on.
#[test]
fn mails_go_to_another_server_after_a_reload() {
    let (old, new) = (MailServer::start(Mood::Takes), MailServer::start(Mood::Takes));
    let site = site(old.port);
    let _server = site.serve();
    change_greeting(&site);
    old.mails(1);
    let text = std::fs::read_to_string(site.path("umbel.toml")).unwrap();
    site.configure(&text.replace(&old.port.to_string(), &new.port.to_string()));
    assert_eq!(site.umbel(&["reload", "--json"]).document()["after_restart"], serde_json::json!([]));
    change_greeting(&site);
    new.mails(1);
    assert_eq!(old.mails(1).len(), 1);
}

/// The web front's answer to `ResetPIN` by alice.
fn reset_pin(server: &Server) -> String {
    const ASKED: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
        <ResetPIN xmlns=\"http://schemas.microsoft.com/exchange/services/2006/messages\"/></s:Body></s:Envelope>";
    let front = until("the web front", || {
        let log = server.log();
        let (_, rest) = log.rsplit_once("\"listeners\":\"http://")?;
        Some(rest.split('"').next()?.to_owned())
    });
    let mut stream = TcpStream::connect(front).unwrap();
    // base 64 of "alice@example.test:the password of alice".
    let request = format!(
        "POST /EWS/UM2007Legacy.asmx HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Basic YWxpY2VAZXhhbXBsZS50ZXN0OnRoZSBwYXNzd29yZCBvZiBhbGljZQ==\r\n\
         Content-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{ASKED}",
        ASKED.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The PIN that a mail tells.
fn pin_in(mail: &str) -> String {
    let text = MessageParser::new().parse(mail).unwrap().body_text(0).unwrap().into_owned();
    let is_pin = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    text.lines().map(str::trim).find(is_pin).unwrap_or_else(|| panic!("no PIN in {text}")).to_owned()
}

/// DEC-14, SEC-88: whoever resets it does not learn it. Where no server runs, it is mailed by the next one.
#[test]
fn a_pin_that_an_administrator_resets_is_told_its_owner_by_mail_alone() {
    let mail_server = MailServer::start(Mood::Takes);
    let site = site(mail_server.port);
    let reset = site.umbel(&["user", "reset-pin", "alice", "--json"]).document();
    assert_eq!(reset, serde_json::json!({"address": "alice@example.test", "done": "pin-mailed"}));
    let server = site.serve();
    let pin = pin_in(&mail_server.mails(1).remove(0));
    assert!(!server.has_told(&pin), "the PIN is told elsewhere");
    queue_is_empty(&site);
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["pin"], "generated");
    let said = site.umbel(&["user", "reset-pin", "alice"]).succeeded();
    assert_eq!(said.trim(), "alice@example.test is mailed a new PIN");
    site.umbel(&["user", "set", "alice", "email="]).succeeded();
    site.umbel(&["user", "reset-pin", "alice"]).failed(1, &["no mail address"]);
}

/// DEC-14, SEC-88: the PIN is in its mail, and nowhere else.
#[test]
fn a_pin_that_is_reset_by_the_web_service_is_told_by_mail_alone() {
    let mail_server = MailServer::start(Mood::Takes);
    let site = site(mail_server.port);
    let password = site.write("alice.password", "the password of alice");
    site.umbel(&["user", "set", "alice", "--password-file", &password]).succeeded();
    let server = site.serve();
    let answer = reset_pin(&server);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("ResetPINResponse"), "{answer}");
    let pin = pin_in(&mail_server.mails(1).remove(0));
    assert!(!answer.contains(&pin) && !server.has_told(&pin), "the PIN is told elsewhere");
    queue_is_empty(&site);
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["pin"], "generated");
    for _ in 0..2 {
        assert!(reset_pin(&server).starts_with("HTTP/1.1 200"));
    }
    let refused = reset_pin(&server);
    assert!(
        refused.starts_with("HTTP/1.1 500") && refused.contains("Fault"),
        "four within an hour: {refused}"
    );
}

/// REL-23: a mail server that never says yes does not keep ours from ending; the mail is sent after the next start.
#[test]
fn a_server_that_is_to_stop_does_not_wait_for_the_mail_server() {
    let mail_server = MailServer::start(Mood::Silent);
    let site = site(mail_server.port);
    let mut server = site.serve();
    change_greeting(&site);
    let first = mail_server.mails(1).remove(0);
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    assert_eq!(queue(&site).len(), 1, "it is not known to be sent");
    mail_server.set(Mood::Takes);
    let _server = site.serve();
    assert_eq!(mail_server.mails(2).remove(1), first);
}
