//! Mail servers that do as they are told by a script: obliging, refusing, hostile, silent.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use umbel_mail::courier::Delivery;

use super::Session;
use crate::config::{Mail, MailTls, Smtp};

const MAIL: &[u8] = b"Subject: x\r\n\r\n.\r\n..two\r\nend\r\n";

/// What the server does, in order.
enum Step {
    /// Says this.
    Say(&'static [u8]),
    /// Reads until what was read ends so.
    Hear(&'static str),
    /// Begins TLS.
    Encrypt(Arc<ServerConfig>),
    /// Says this over and over, until nobody listens.
    Repeat(&'static [u8]),
    /// Says nothing until the other side is gone.
    Wait,
}
use Step::{Encrypt, Hear, Repeat, Say, Wait};

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Starts a server for one connection; what it heard in all, when it is done.
async fn server(script: Vec<Step>) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let serving = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("somebody connects");
        serve(socket, script).await
    });
    (port, serving)
}

async fn serve(socket: TcpStream, script: Vec<Step>) -> String {
    let (mut wire, mut heard): (Box<dyn Wire>, _) = (Box::new(socket), Vec::new());
    for step in script {
        match step {
            Say(text) => {
                if wire.write_all(text).await.is_err() {
                    break;
                }
            }
            Hear(end) => {
                let before = heard.len();
                while !heard[before..].ends_with(end.as_bytes()) {
                    if wire.read_buf(&mut heard).await.unwrap_or(0) == 0 {
                        return String::from_utf8_lossy(&heard).into_owned();
                    }
                }
            }
            Encrypt(config) => {
                heard.extend_from_slice(b"<TLS>");
                match TlsAcceptor::from(config).accept(wire).await {
                    Ok(encrypted) => wire = Box::new(encrypted),
                    Err(_) => return String::from_utf8_lossy(&heard).into_owned(),
                }
            }
            Repeat(text) => while wire.write_all(text).await.is_ok() {},
            Wait => while wire.read_buf(&mut heard).await.unwrap_or(0) > 0 {},
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

fn mail_to(port: u16) -> Mail {
    let smtp = Smtp { implicit_tls: false, user: None, host: "127.0.0.1".into(), port };
    let from = "voicemail@example.test".into();
    Mail { smtp, tls: MailTls::Off, authorities: None, password_file: None, from }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test)
}

/// With a clock that jumps ahead where everybody waits.
fn run_fast<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(test)
}

async fn send(session: &mut Session, octets: &[u8]) -> Delivery {
    session.send("voicemail@example.test", "alice@mail.example.test", octets).await
}

/// Opens, sends one mail, says farewell; what came of it, and what the server heard.
async fn one_mail(script: Vec<Step>, change: impl FnOnce(&mut Mail)) -> (Result<Delivery, String>, String) {
    let (port, serving) = server(script).await;
    let mut mail = mail_to(port);
    change(&mut mail);
    let came = match Session::open(&mail, "um.example.test").await {
        Ok(mut session) => {
            let delivery = send(&mut session, MAIL).await;
            session.quit().await;
            Ok(delivery)
        }
        Err(reason) => Err(reason),
    };
    (came, serving.await.expect("the server ends"))
}

const GREETED: [Step; 3] = [
    Say(b"220 mail.test ESMTP\r\n"),
    Hear("EHLO um.example.test\r\n"),
    Say(b"250-mail.test\r\n250 8BITMIME\r\n"),
];

fn greeted(rest: impl IntoIterator<Item = Step>) -> Vec<Step> {
    GREETED.into_iter().chain(rest).collect()
}

/// SEC-114: what looks like the end of the mail is doubled.
#[test]
fn a_mail_is_handed_over_whole() {
    let script = greeted([
        Hear("MAIL FROM:<voicemail@example.test>\r\n"),
        Say(b"250 ok\r\n"),
        Hear("RCPT TO:<alice@mail.example.test>\r\n"),
        Say(b"250 ok\r\n"),
        Hear("DATA\r\n"),
        Say(b"354 go ahead\r\n"),
        Hear("\r\n.\r\n"),
        Say(b"250 queued\r\n"),
        Hear("QUIT\r\n"),
        Say(b"221 bye\r\n"),
    ]);
    let (came, heard) = run(one_mail(script, |_| {}));
    assert_eq!(came, Ok(Delivery::Taken));
    let content = "DATA\r\nSubject: x\r\n\r\n..\r\n...two\r\nend\r\n";
    assert!(heard.contains(content) && heard.ends_with("\r\n.\r\nQUIT\r\n"), "{heard}");
}

/// What the server hears and answers up to a command.
fn up_to(command: usize) -> Vec<Step> {
    let steps: [Vec<Step>; 4] = [
        vec![Hear("MAIL FROM:<voicemail@example.test>\r\n"), Say(b"250 ok\r\n")],
        vec![Hear("RCPT TO:<alice@mail.example.test>\r\n"), Say(b"250 ok\r\n")],
        vec![Hear("DATA\r\n"), Say(b"354 go ahead\r\n")],
        vec![Hear("\r\n.\r\n"), Say(b"250 queued\r\n")],
    ];
    let mut script: Vec<Step> = steps.into_iter().take(command + 1).flatten().collect();
    script.pop();
    greeted(script)
}

#[derive(Debug, PartialEq)]
enum Kind {
    Closed,
    Refused,
    PutOff,
}

fn kind(came: Result<Delivery, String>) -> Kind {
    match came {
        Err(_) | Ok(Delivery::Away(_)) => Kind::Closed,
        Ok(Delivery::Refused(_)) => Kind::Refused,
        Ok(Delivery::PutOff(_)) => Kind::PutOff,
        Ok(Delivery::Taken) => panic!("nothing was taken"),
    }
}

/// REL-41: at each command, for now and for good. That our own address is not liked is no mail's fault.
#[test]
fn a_refusal_is_known_by_the_command_it_answers() {
    let (not_now, never): (&[u8], &[u8]) = (b"450 not now\r\n", b"550 never\r\n");
    for (command, expected) in
        [Kind::PutOff, Kind::Refused, Kind::Refused, Kind::Refused].into_iter().enumerate()
    {
        for (reply, expected) in [(not_now, Kind::PutOff), (never, expected)] {
            let reply = reply.to_vec().leak();
            let mut script = up_to(command);
            script.extend([
                Say(reply),
                Hear("RSET\r\n"),
                Say(b"250 ok\r\n"),
                Hear("QUIT\r\n"),
                Say(b"221 bye\r\n"),
            ]);
            let (came, heard) = run(one_mail(script, |_| {}));
            assert!(heard.ends_with("RSET\r\nQUIT\r\n"), "the connection can still be used: {heard}");
            assert_eq!(kind(came), expected, "command {command}");
        }
    }
    for greeting in [b"554 no\r\n".as_slice(), b"421 busy\r\n"] {
        let (came, _) = run(one_mail(vec![Say(greeting), Wait], |_| {}));
        assert_eq!(kind(came), Kind::Closed, "no mail pays for a server that takes none");
    }
}

/// Disconnects, garbage, replies without end: at each step, and never a mail that is called sent.
#[test]
fn a_hostile_server_is_hung_up_on_at_each_step() {
    let garbage: [&[u8]; 6] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x16\x03\x01\x02\x00\xff\xfe\r\n",
        b"99 short\r\n",
        b"\r\n\r\n",
        b"250-never\r\n251 ends\r\n",
    ];
    for octets in garbage {
        for command in 0..4 {
            let mut script = up_to(command);
            script.push(Say(octets));
            let (came, _) = run(one_mail(script, |_| {}));
            // 250-251 is a reply that lettre refuses, or takes for a yes after which the server hangs up.
            let taken = came == Ok(Delivery::Taken);
            assert!(!taken || (command == 3 && octets.starts_with(b"250")), "{came:?} {command} {octets:?}");
        }
        let (came, _) = run(one_mail(vec![Say(octets)], |_| {}));
        assert_eq!(kind(came), Kind::Closed, "{octets:?}");
    }
    let endless: [&[u8]; 3] = [b"250-more and more\r\n", b"x", b"250 "];
    for octets in endless {
        for command in 0..4 {
            let mut script = up_to(command);
            script.push(Repeat(octets.repeat(1_000).leak()));
            let (came, _) = run(one_mail(script, |_| {}));
            assert_eq!(kind(came), Kind::PutOff, "{command}");
        }
        let (came, _) = run(one_mail(vec![Repeat(octets.repeat(1_000).leak())], |_| {}));
        assert_eq!(kind(came), Kind::Closed);
        let (came, _) =
            run(one_mail(vec![Repeat(octets.repeat(1_000).leak())], |mail| mail.tls = MailTls::Required));
        assert_eq!(kind(came), Kind::Closed);
    }
}

/// Every wait has a bound.
#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    for command in 0..4 {
        let mut script = up_to(command);
        script.push(Wait);
        let (came, _) = run_fast(one_mail(script, |_| {}));
        assert!(came.is_err() || kind(came) == Kind::PutOff, "{command}");
    }
    for tls in [MailTls::Off, MailTls::Required, MailTls::Offered] {
        let (came, _) = run_fast(one_mail(vec![Wait], |mail| mail.tls = tls));
        assert!(came.is_err_and(|reason| reason.contains("takes longer")));
    }
}

/// A mail that is refused does not cost the next one a connection; a server that leaves does.
#[test]
fn mails_go_over_one_connection_until_the_server_leaves() {
    let script = greeted([
        Hear("MAIL FROM:<voicemail@example.test>\r\n"),
        Say(b"250 ok\r\n"),
        Hear("RCPT TO:<alice@mail.example.test>\r\n"),
        Say(b"550 unknown\r\n"),
        Hear("RSET\r\n"),
        Say(b"250 ok\r\n"),
        Hear("MAIL FROM:<voicemail@example.test>\r\n"),
        Say(b"250 ok\r\n"),
        Hear("RCPT TO:<alice@mail.example.test>\r\n"),
        Say(b"250 ok\r\n"),
        Hear("DATA\r\n"),
        Say(b"354 go ahead\r\n"),
        Hear("\r\n.\r\n"),
        Say(b"250 queued\r\n"),
    ]);
    run(async {
        let (port, serving) = server(script).await;
        let mut session = Session::open(&mail_to(port), "um.example.test").await.expect("open");
        assert!(
            matches!(send(&mut session, MAIL).await, Delivery::Refused(reason) if reason.contains("unknown"))
        );
        assert!(session.is_usable());
        assert_eq!(send(&mut session, MAIL).await, Delivery::Taken);
        assert!(session.is_usable());
        serving.await.expect("the server leaves");
        let delivery = send(&mut session, MAIL).await;
        assert!(matches!(delivery, Delivery::Away(_)), "no mail pays for it: {delivery:?}");
        assert!(!session.is_usable());
    });
}

/// RFC 5321 3.8
#[test]
fn after_421_the_connection_is_not_used_again() {
    let mut script = up_to(1);
    script.push(Say(b"421 shutting down\r\n"));
    run(async {
        let (port, _serving) = server(script).await;
        let mut session = Session::open(&mail_to(port), "um.example.test").await.expect("open");
        assert!(matches!(send(&mut session, MAIL).await, Delivery::PutOff(_)));
        assert!(!session.is_usable());
    });
}

/// SEC-123: what a server says comes into logs and lists.
#[test]
fn what_the_server_says_is_told_without_controls() {
    let mut script = up_to(1);
    script.push(Say(b"550 \x1b[31mred\x07\r\n"));
    let (came, _) = run(one_mail(script, |_| {}));
    let Ok(Delivery::Refused(reason)) = came else { panic!("{came:?}") };
    assert!(reason.contains("red") && !reason.contains(char::is_control), "{reason:?}");
}

/// An authority, and a certificate of its for 127.0.0.1 or for a name.
struct Certified {
    folder: tempfile::TempDir,
    server: Arc<ServerConfig>,
}

impl Certified {
    fn new(subject: &str) -> Certified {
        let ca_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).expect("an authority");
        let issuer = Issuer::from_params(&params, &ca_key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![subject.to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), ca.pem()).expect("written");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate and its key");
        Certified { folder, server: Arc::new(server) }
    }

    fn authorities(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn password(&self, mode: u32) -> PathBuf {
        let path = self.folder.path().join("password");
        std::fs::write(&path, "correct horse\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        path
    }
}

const OFFER: &[u8] = b"250-mail.test\r\n250-STARTTLS\r\n250 8BITMIME\r\n";

fn offered(rest: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let begin = [Say(b"220 mail.test\r\n"), Hear("EHLO um.example.test\r\n"), Say(OFFER)];
    begin.into_iter().chain(rest).collect()
}

fn required(certified: &Certified) -> impl FnOnce(&mut Mail) {
    let authorities = certified.authorities();
    move |mail| {
        mail.tls = MailTls::Required;
        mail.authorities = Some(authorities);
    }
}

/// What is said after TLS has begun: as if nothing had been said before (RFC 3207 4.2).
fn encrypted_mail(auth: bool) -> Vec<Step> {
    let mut script = vec![Hear("EHLO um.example.test\r\n")];
    if auth {
        // base 64 of "\0um@example.test\0correct horse".
        script.extend([
            Say(b"250-mail.test\r\n250 AUTH LOGIN PLAIN\r\n"),
            Hear("AUTH PLAIN AHVtQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNl\r\n"),
            Say(b"235 welcome\r\n"),
        ]);
    } else {
        script.push(Say(b"250 mail.test\r\n"));
    }
    script.extend(up_to(3).into_iter().skip(GREETED.len()));
    script.extend([Say(b"250 queued\r\n"), Hear("QUIT\r\n"), Say(b"221 bye\r\n")]);
    script
}

/// SEC-115
#[test]
fn with_starttls_the_mail_and_the_password_are_told_to_the_right_server_only() {
    let certified = Certified::new("127.0.0.1");
    let mut script = offered([Hear("STARTTLS\r\n"), Say(b"220 go\r\n"), Encrypt(certified.server.clone())]);
    script.extend(encrypted_mail(true));
    let password = certified.password(0o600);
    let (came, heard) = run(one_mail(script, |mail| {
        required(&certified)(mail);
        mail.smtp.user = Some("um@example.test".into());
        mail.password_file = Some(password);
    }));
    assert_eq!(came, Ok(Delivery::Taken), "{heard}");
    let (before, _) = heard.split_once("<TLS>").expect("TLS began");
    assert_eq!(before, "EHLO um.example.test\r\nSTARTTLS\r\n");
}

/// SEC-115
#[test]
fn with_smtps_tls_comes_first() {
    let certified = Certified::new("127.0.0.1");
    let mut script = vec![Encrypt(certified.server.clone()), Say(b"220 mail.test\r\n")];
    script.extend(encrypted_mail(false));
    let (came, heard) = run(one_mail(script, |mail| {
        required(&certified)(mail);
        mail.smtp.implicit_tls = true;
    }));
    assert_eq!(came, Ok(Delivery::Taken));
    assert!(heard.starts_with("<TLS>EHLO"), "{heard}");
}

/// SEC-115: another name, or another authority.
#[test]
fn a_server_that_is_not_the_right_one_gets_nothing() {
    let (right, other) = (Certified::new("127.0.0.1"), Certified::new("127.0.0.1"));
    let named = Certified::new("mail.elsewhere.test");
    for (shown, believed, part) in
        [(&named, &named, "not valid for"), (&right, &other, "invalid peer certificate")]
    {
        for implicit in [false, true] {
            let encrypt = Encrypt(shown.server.clone());
            let script = match implicit {
                true => vec![encrypt, Wait],
                false => offered([Hear("STARTTLS\r\n"), Say(b"220 go\r\n"), encrypt, Wait]),
            };
            let (came, heard) = run(one_mail(script, |mail| {
                required(believed)(mail);
                mail.smtp.implicit_tls = implicit;
            }));
            let reason = came.expect_err("the certificate is not believed");
            assert!(reason.contains(part), "{reason}");
            assert!(heard.ends_with("<TLS>"), "{heard}");
        }
    }
}

/// SEC-115, CVE-2011-0411: what came before TLS does not count after it.
#[test]
fn what_is_injected_before_tls_ends_the_connection() {
    let certified = Certified::new("127.0.0.1");
    let injected: [&[u8]; 2] = [b"220 go\r\n250 AUTH PLAIN\r\n", b"220 go\r\n2"];
    for reply in injected {
        let script = offered([Hear("STARTTLS\r\n"), Say(reply), Encrypt(certified.server.clone()), Wait]);
        let (came, _) = run(one_mail(script, required(&certified)));
        assert!(came.is_err_and(|reason| reason.contains("before TLS began")));
    }
    let early = [Say(b"220 hi\r\n250 early\r\n".as_slice()), Wait];
    let (came, _) = run(one_mail(early.into_iter().collect(), required(&certified)));
    assert!(came.is_err_and(|reason| reason.contains("out of turn")));
}

/// SEC-115: no fallback to plain when TLS is asked for; where it is only wished for, a certificate still counts.
#[test]
fn without_starttls_nothing_is_sent_where_it_is_required() {
    let certified = Certified::new("127.0.0.1");
    let (came, heard) = run(one_mail(greeted([Wait]), required(&certified)));
    assert!(came.is_err_and(|reason| reason.contains("offers no STARTTLS")));
    assert!(!heard.contains("MAIL"), "{heard}");
    let refused = offered([Hear("STARTTLS\r\n"), Say(b"454 not now\r\n"), Wait]);
    let (came, heard) = run(one_mail(refused, required(&certified)));
    assert!(came.is_err_and(|reason| reason.contains("454")));
    assert!(!heard.contains("MAIL"), "{heard}");

    let mut script = greeted([Hear("EHLO um.example.test\r\n"), Say(b"250 mail.test\r\n")]);
    script.extend(up_to(3).into_iter().skip(GREETED.len()));
    script.extend([Say(b"250 queued\r\n"), Hear("QUIT\r\n"), Say(b"221 bye\r\n")]);
    let (came, _) = run(one_mail(script, |mail| mail.tls = MailTls::Offered));
    assert_eq!(came, Ok(Delivery::Taken));
    let other = Certified::new("127.0.0.1");
    let script = offered([Hear("STARTTLS\r\n"), Say(b"220 go\r\n"), Encrypt(other.server.clone()), Wait]);
    let (came, heard) = run(one_mail(script, |mail| {
        required(&certified)(mail);
        mail.tls = MailTls::Offered;
    }));
    assert!(came.is_err() && heard.ends_with("<TLS>"), "{heard}");
}

/// SEC-120, SEC-121
#[test]
fn a_password_is_read_from_a_file_of_ours_and_told_to_nobody_else() {
    let certified = Certified::new("127.0.0.1");
    let with = |file: PathBuf| {
        move |mail: &mut Mail| {
            mail.smtp.user = Some("um@example.test".into());
            mail.password_file = Some(file);
        }
    };
    let auth = b"250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n";
    let script = |rest: Vec<Step>| {
        let begin = [Say(b"220 mail.test\r\n".as_slice()), Hear("EHLO um.example.test\r\n"), Say(auth)];
        begin.into_iter().chain(rest).collect::<Vec<_>>()
    };
    let (came, heard) = run(one_mail(script(vec![Wait]), with(certified.password(0o644))));
    assert!(came.is_err_and(|reason| reason.contains("chmod 600")));
    assert!(!heard.contains("AUTH"), "{heard}");
    let (came, _) = run(one_mail(script(vec![Wait]), with(Path::new("/nowhere/password").to_owned())));
    assert!(came.is_err_and(|reason| reason.contains("/nowhere/password")));

    let refusal = vec![
        Hear("AHVtQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNl\r\n"),
        Say(b"535 AHVtQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNl?\r\n"),
        Wait,
    ];
    let (came, _) = run(one_mail(script(refusal), with(certified.password(0o600))));
    let reason = came.expect_err("not let in");
    assert!(reason.contains("does not let us in") && reason.contains("535"), "{reason}");
    let (came, _) = run(one_mail(greeted([Wait]), with(certified.password(0o600))));
    assert!(came.is_err_and(|reason| reason.contains("does not let us in")));
}
