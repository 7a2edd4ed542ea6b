//! The web front among people who mean no good: what the tables of threats say of HTTP (sections 3.7 and 5).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::{Server, may_open, server};
use crate::wait::until;

/// Longest time any answer may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.http()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Sends `octets`, and hears all until the front hangs up.
fn hear(server: &Server, octets: &[u8]) -> String {
    let mut stream = connect(server);
    // The front may hang up before it has heard all of it.
    let _ = stream.write_all(octets);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(server: &Server, path: &str) -> String {
    hear(server, format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn is_served(server: &Server) -> bool {
    status(&get(server, "/api/v1/openapi.json")) == "200"
}

/// SEC-107: of what others may read as two requests, not even one is.
#[test]
fn ambiguous_requests_are_answered_once_and_the_connection_ends() {
    let second = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 0\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length : 4\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        "X: y\rContent-Length: 4\r\n",
        "X: y\n",
        "X: y\r\n Content-Length: 4\r\n",
    ] {
        let request = format!("POST /api/v1/me HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n{second}");
        let answer = hear(server(), request.as_bytes());
        assert_eq!(status(&answer), "400", "{headers:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {answer}");
    }
    assert!(is_served(server()));
}

/// SEC-107: slow ones lose their place after ten seconds, and others are served meanwhile.
#[test]
fn headers_that_never_end_do_not_keep_others_out() {
    let mut slow: Vec<TcpStream> = (0..200).map(|_| connect(server())).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").unwrap();
    }
    assert!(is_served(server()));
    for stream in &mut slow {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(status(&answer), "408", "{answer}");
    }
}

#[test]
fn long_requests_are_refused_with_the_bound_that_they_exceed() {
    let head = |field: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {field}\r\n\r\n");
    assert_eq!(status(&hear(server(), head(&"x".repeat(64 * 1024)).as_bytes())), "431");
    let path = format!("/{}", "x".repeat(40_000));
    assert!(["414", "431"].contains(&status(&get(server(), &path))));
    let post = |headers: &str| format!("POST /api/v1/users HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n");
    assert_eq!(status(&hear(server(), post("Content-Length: 262145").as_bytes())), "413");
    assert_eq!(status(&hear(server(), post("Content-Length: 999999999999999999").as_bytes())), "413");
    assert_eq!(status(&hear(server(), post("Content-Length: 18446744073709551615").as_bytes())), "400");
    let chunk = format!("{}fffffffffffffffff\r\n", post("Transfer-Encoding: chunked"));
    assert_eq!(status(&hear(server(), chunk.as_bytes())), "400");
    assert!(is_served(server()));
}

/// SEC-104: a path is a name in our tables, and never one in the file system.
#[test]
fn paths_lead_nowhere_but_to_routes() {
    for path in [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/page/../../umbel.toml",
        "/page/..%2f..%2fumbel.toml",
        "/page/page.css%00.html",
        "//etc/passwd",
        "/api/v1/../../umbel.toml",
        "/umbel.toml",
        "/data/secret.key",
        "http://elsewhere.test/umbel.toml",
    ] {
        let answer = get(server(), path);
        assert!(["400", "404"].contains(&status(&answer)), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("trusted-peers"), "{path}: {answer}");
    }
    // Those that need somebody ask who it is before they look for anything.
    for path in
        ["messages/..%2f..%2f..%2fetc%2fpasswd", "calls/..%2F..%2Fetc%2Fpasswd/why", "greetings/..%2fx"]
    {
        assert_eq!(status(&get(server(), &format!("/api/v1/{path}"))), "401", "{path}");
    }
}

#[test]
fn methods_that_nobody_takes_are_refused() {
    for method in ["TRACE", "CONNECT", "PROPFIND", "X-UMBEL", "OPTIONS"] {
        let request = format!("{method} /api/v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = hear(server(), request.as_bytes());
        assert!(["400", "404", "405"].contains(&status(&answer)), "{method}: {answer}");
    }
}

/// SEC-100, SEC-120: what is refused is not told back, and what the log says holds no secret.
#[test]
fn answers_and_the_log_hold_nothing_that_was_sent() {
    // "mallory@example.test:a very secret word"
    let credentials = "bWFsbG9yeUBleGFtcGxlLnRlc3Q6YSB2ZXJ5IHNlY3JldCB3b3Jk";
    let request = format!(
        "GET /api/v1/messages/%3Cscript%3E?state=%3Cscript%3E HTTP/1.1\r\nHost: <script>\r\n\
         Authorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    );
    // SEC-66: in a second in which others make it write much, the log leaves lines out.
    until("the failure to be logged", || {
        let answer = hear(server(), request.as_bytes());
        assert!(["400", "401"].contains(&status(&answer)), "{answer}");
        assert!(!answer.contains("<script>") && !answer.contains("mallory"), "{answer}");
        std::thread::park_timeout(Duration::from_millis(300));
        server().log().contains("authentication failure").then_some(())
    });
    let log = server().log();
    let line = log.lines().find(|line| line.contains("authentication failure")).unwrap();
    assert!(line.contains("127.0.0.1") && line.contains("password"), "for those who watch logs: {line}");
    for secret in ["a very secret word", credentials, "mallory"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// Whoever opens connections without end takes their own places, and those who are let in are served.
#[test]
fn more_connections_than_there_are_places_end_in_order() {
    // We and the server have as many each.
    if !may_open(4_096) {
        return;
    }
    let server = Server::start("", "info");
    let mut taken: Vec<TcpStream> = Vec::new();
    for _ in 0..1_100 {
        taken.push(connect(&server));
    }
    until("the bound to be reached", || {
        (server.figure("umbel_http_connections_refused_total") >= 70.0).then_some(())
    });
    assert!(server.figure("umbel_http_connections_open") <= 1_024.0);
    drop(taken);
    until("the front to serve again", || is_served(&server).then_some(()));
}

/// A web front in which a program speaks SIP, TLS or nothing at all goes on.
#[test]
fn octets_that_are_no_http_end_their_connection_only() {
    for octets in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = hear(server(), octets);
        assert!(answer.is_empty() || ["400", "505"].contains(&status(&answer)), "{octets:?}: {answer}");
    }
    assert!(is_served(server()));
}
