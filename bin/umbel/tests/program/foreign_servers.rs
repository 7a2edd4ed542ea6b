//! `umbel phone` against servers that are not ours, played here.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use crate::site::{Ran, Site, program};

/// A registrar that lets nobody in but by the password of its own realm; for as long as the test runs.
fn registrar(realm: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            register(connection, realm);
        }
    });
    address
}

/// Answers REGISTER after REGISTER along one connection.
fn register(connection: TcpStream, realm: &str) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let (mut copied, mut contact, mut answered) = (String::new(), String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.split(':').next().unwrap_or_default() {
                "\r\n" if copied.is_empty() => continue,
                "\r\n" => break,
                "Via" | "From" | "Call-ID" | "CSeq" => copied += &line,
                "To" => copied += &line.replace("\r\n", ";tag=registrar\r\n"),
                "Contact" => contact = line,
                "Authorization" => answered = line,
                _ => {}
            }
        }
        let knows = answered.contains(&format!("realm=\"{realm}\""));
        let status = if knows { "200 OK" } else { "401 Unauthorized" };
        let more = match knows {
            true => contact,
            false => format!(
                "WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n"
            ),
        };
        write!(&connection, "SIP/2.0 {status}\r\n{copied}{more}Content-Length: 0\r\n\r\n").ok()?;
    }
}

fn registers(site: &Site, server: SocketAddr, more: &[&str]) -> Ran {
    let (server, password) = (format!("tcp:{server}"), site.write("password", "correct horse\n"));
    let common =
        ["--as", "alice@example.test", "--server", &server, "--password-file", &password, "--for", "1s"];
    let mut command = program();
    command.args(["phone", "register", "--json"]).args(common).args(more);
    Ran::of(command.output().unwrap())
}

/// SEC-50: and it is said how to give it to one who asks in another's name.
#[test]
fn a_password_is_given_to_the_realm_it_is_for_and_to_no_other() {
    let site = Site::new();
    let ours = registrar("example.test");
    registers(&site, ours, &[]).succeeded();
    let message = registers(&site, ours, &["--realm", "asterisk"]).failed_as_json(1, "not-registered");
    assert!(message.contains("--realm \"example.test\""), "{message}");

    let theirs = registrar("asterisk");
    let message = registers(&site, theirs, &[]).failed_as_json(1, "not-registered");
    assert!(message.contains("--realm \"asterisk\"") && message.contains("401"), "{message}");
    registers(&site, theirs, &["--realm", "asterisk"]).succeeded();
}
