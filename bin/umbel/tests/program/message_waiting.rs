//! The light of telephones: NOTIFYs that the program sends to peers, and that telephones subscribe to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::site::{Site, umbel};
use crate::sound::write_tone;
use crate::wait::{PATIENCE, until};

/// A peer that takes every NOTIFY.
struct Lamps {
    address: SocketAddr,
    notified: Receiver<(String, String)>,
}

impl Lamps {
    fn listen(listener: TcpListener) -> Lamps {
        let address = listener.local_addr().unwrap();
        let (tell, notified) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let tell = tell.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &tell));
            }
        });
        Lamps { address, notified }
    }

    /// The next NOTIFY: its Request-URI, and its body.
    #[track_caller]
    fn next(&self) -> (String, String) {
        self.notified.recv_timeout(PATIENCE).expect("a NOTIFY in time")
    }
}

/// Answers every request with 200 until the connection ends.
fn serve(mut stream: TcpStream, tell: &Sender<(String, String)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" if head.is_empty() => {}
                "" => break,
                field => head.push(field.to_owned()),
            }
        }
        let value = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let mut body = vec![0; value("Content-Length: ").parse().unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let mut answer = "SIP/2.0 200 OK\r\n".to_owned();
        for name in ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "] {
            let tag = if name == "To: " { ";tag=lamps" } else { "" };
            answer.push_str(&format!("{name}{}{tag}\r\n", value(name)));
        }
        stream.write_all(format!("{answer}Content-Length: 0\r\n\r\n").as_bytes()).unwrap();
        let mut start = head[0].split(' ');
        if start.next() == Some("NOTIFY") {
            let target = start.next().unwrap_or_default().to_owned();
            let _ = tell.send((target, String::from_utf8(body).unwrap()));
        }
    }
}

/// Bob leaves alice a message of two seconds.
fn leave(site: &Site) {
    let greeting = write_tone(site.folder(), "greeting.wav", 8_000, 300);
    site.umbel(&["mailbox", "greeting", "alice", "set", "standard", greeting.to_str().unwrap()]).succeeded();
    let said = write_tone(site.folder(), "said.wav", 8_000, 2_000);
    let server = site.over_tcp();
    let call = ["phone", "call", "alice@example.test", "--as", "bob@example.test", "--server", &server];
    let said = ["--json", "--play", said.to_str().unwrap(), "--play-after", "2s"];
    umbel(&[call.as_slice(), &said].concat()).documents();
}

fn voice(summary: &str) -> &str {
    summary.lines().find_map(|line| line.strip_prefix("Voice-Message: ")).unwrap_or_default()
}

/// MWI-1, REL-40: the light goes on with a message, and off when another program deletes it; and after a restart
/// all peers are told again.
#[test]
fn peers_are_told_of_every_change_whoever_made_it() {
    let proxy = Lamps::listen(TcpListener::bind("127.0.0.1:0").unwrap());
    // Gateways are at the usual port of an address of their own.
    let pid = std::process::id();
    let host = format!("127.77.{}.{}", pid / 250 % 250, pid % 250 + 1);
    let gateway = Lamps::listen(TcpListener::bind(format!("{host}:5060")).unwrap());
    let port = proxy.address.port();
    let site = Site::with(
        "",
        &format!("outbound-proxy = \"sip:127.0.0.1:{port};transport=tcp\"\ngateways = [\"{host}\"]"),
    );
    site.add_users();
    let mut server = site.serve();
    leave(&site);
    let (target, body) = proxy.next();
    assert_eq!(target, "sip:alice@example.test");
    assert!(body.starts_with("Messages-Waiting: yes\r\n"), "{body}");
    assert!(body.contains("Message-Account: sip:alice@example.test;opaque=app:voicemail\r\n"), "{body}");
    assert_eq!(voice(&body), "1/0 (0/0)");
    let (target, body) = gateway.next();
    assert_eq!((target, voice(&body)), (format!("sip:101@{host}:5060;transport=tcp"), "1/0 (0/0)"));

    let id = site.only_message()["id"].as_str().unwrap().to_owned();
    site.umbel(&["message", "delete", &id]).succeeded();
    for peer in [&proxy, &gateway] {
        let (_, body) = peer.next();
        assert!(body.starts_with("Messages-Waiting: no\r\n"), "{body}");
        assert_eq!(voice(&body), "0/0 (0/0)");
    }
    until("the figures", || (site.figure("umbel_message_waiting_notifications_total") >= 4.0).then_some(()));
    assert_eq!(site.figure("umbel_message_waiting_failures_total"), 0.0);

    site.umbel(&["message", "restore", &id]).succeeded();
    assert_eq!(voice(&proxy.next().1), "1/0 (0/0)");
    server.signal("TERM");
    server.ended();
    drop(server);
    let _server = site.serve();
    assert_eq!(voice(&proxy.next().1), "1/0 (0/0)", "after a restart");
}

/// Both roles: our own protocol server is told, which knows the telephones of its users.
#[test]
fn without_an_outbound_proxy_our_own_protocol_server_is_told() {
    let site = Site::with_telephones("");
    let _server = site.serve();
    leave(&site);
    until("the protocol server to be told", || {
        (site.figure("umbel_message_waiting_notifications_total") >= 1.0).then_some(())
    });
    assert_eq!(site.figure("umbel_message_waiting_failures_total"), 0.0);
    let answer = "umbel_sip_responses_total{role=\"server\",direction=\"out\",transport=\"tls\",method=\"NOTIFY\",code=\"200\"}";
    assert_eq!(site.figure(answer), 1.0);
}
