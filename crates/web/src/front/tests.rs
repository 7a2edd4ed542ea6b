//! Connections to the front, octet by octet, in virtual time.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use super::*;
use crate::testing::{PASSWORD, World};

/// One connection, with the front at its other end.
struct Line {
    stream: DuplexStream,
    _stop: watch::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

fn line_to(world: &World, is_encrypted: bool) -> Line {
    let (stream, other) = tokio::io::duplex(1 << 20);
    let (stop, stopping) = watch::channel(());
    let front = answer::Front::new(app(world.desk.clone()), world.desk.clone());
    let place = Places::default().take("127.0.0.1".parse().unwrap()).unwrap();
    let client = Client {
        remote: "127.0.0.1:50000".parse().unwrap(),
        local: "127.0.0.1:8080".parse().unwrap(),
        is_encrypted,
    };
    let served = tokio::spawn(Connection { front, stopping, place }.speak(other, client));
    Line { stream, _stop: stop, served }
}

fn line() -> Line {
    line_to(&World::new(), false)
}

/// An answer: its status, its header in lower case, its body.
#[derive(Debug)]
struct Heard {
    status: u16,
    head: String,
    body: String,
}

impl Line {
    async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
    }

    /// The next answer.
    async fn hear(&mut self) -> Heard {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.unwrap_or_else(|_| {
                panic!("the connection ended after {:?}", String::from_utf8_lossy(&head));
            }));
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body).await.unwrap();
        Heard { status, head, body: String::from_utf8(body).unwrap() }
    }

    async fn ask(&mut self, text: impl AsRef<[u8]>) -> Heard {
        self.send(text).await;
        self.hear().await
    }

    /// All that still comes until the front hangs up.
    async fn rest(mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        rest
    }
}

fn basic() -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("alice@example.test:{PASSWORD}")))
}

const ME: &str = "GET /api/v1/me HTTP/1.1\r\nHost: a\r\n";

/// Several programs send each request without credentials first, body and all, and again on the same connection.
#[tokio::test]
async fn a_connection_outlives_a_401_with_whatever_body() {
    let mut line = line();
    let long = "x".repeat(200_000);
    let head = "POST /api/v1/play-on-phone HTTP/1.1\r\nHost: a\r\n";
    let with_length = format!("{head}Content-Length: {}\r\n\r\n{long}", long.len());
    let in_chunks =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    for request in [&with_length, &in_chunks, &with_length] {
        let heard = line.ask(request).await;
        assert_eq!(heard.status, 401, "{heard:?}");
        assert!(
            heard.head.contains("www-authenticate: basic realm=")
                && !heard.head.contains("connection: close")
        );
    }
    assert_eq!(line.ask(format!("{ME}{}\r\n", basic())).await.status, 200);
}

/// SEC-107
#[tokio::test]
async fn what_others_may_read_differently_is_refused_and_nothing_after_it_is_heard() {
    let smuggled = format!("{ME}{}\r\n", basic());
    for request in [
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n{smuggled}"),
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n{smuggled}"),
        format!("GET / HTTP/1.1\nHost: a\r\n\r\n{smuggled}"),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n{smuggled}"),
    ] {
        let mut line = line();
        let heard = line.ask(&request).await;
        assert_eq!((heard.status, heard.body.as_str()), (400, ""), "{request:?}");
        assert!(heard.head.contains("connection: close"), "{heard:?}");
        assert_eq!(line.rest().await, "", "{request:?}");
    }
}

/// What comes after a good request is refused after its answer, and does not cut that off.
#[tokio::test]
async fn a_good_request_before_a_bad_one_is_answered() {
    let mut line = line();
    let heard = line.ask(format!("{ME}{}\r\nGET / HTTP/1.1\nbad\r\n\r\n", basic())).await;
    assert_eq!(heard.status, 200);
    assert_eq!(line.hear().await.status, 400);
    assert_eq!(line.rest().await, "");
}

/// SEC-107: ten seconds for a header, however its octets trickle.
#[tokio::test(start_paused = true)]
async fn a_header_that_trickles_is_given_up_after_ten_seconds() {
    let mut line = line();
    let began = Instant::now();
    let trickle = async |line: &mut Line| {
        for octet in ME.bytes().chain("X: ".bytes()).chain(std::iter::repeat(b'x')) {
            if line.stream.write_all(&[octet]).await.is_err() || began.elapsed() >= HEAD_WITHIN {
                return;
            }
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    };
    trickle(&mut line).await;
    let heard = line.hear().await;
    assert_eq!(heard.status, 408, "{heard:?}");
    assert!(began.elapsed() < HEAD_WITHIN + Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(line.rest().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_header_within_ten_seconds_is_served() {
    let mut line = line();
    let request = format!("{ME}{}\r\n", basic());
    let (first, last) = request.split_at(request.len() - 1);
    line.send(first).await;
    tokio::time::sleep(HEAD_WITHIN - Duration::from_millis(10)).await;
    assert_eq!(line.ask(last).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up_after_half_a_minute() {
    let mut line = line();
    let began = Instant::now();
    let heard = line.ask("POST /api/v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello").await;
    assert_eq!(heard.status, 408, "{heard:?}");
    assert!(heard.head.contains("connection: close") && heard.body.contains("too-slow"));
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let began = Instant::now();
    assert_eq!(line().rest().await, "");
    assert_eq!(began.elapsed().as_secs(), 75);
    let mut line = line();
    assert_eq!(line.ask(format!("{ME}{}\r\n", basic())).await.status, 200);
    assert_eq!(line.rest().await, "", "after an answer too");
}

/// SEC-95: at the bound, and one octet over it.
#[tokio::test]
async fn a_body_has_at_most_256_kibibytes() {
    let head =
        |coding: &str| format!("POST /api/v1/users HTTP/1.1\r\nHost: a\r\n{}{coding}\r\n\r\n", basic());
    let at = 256 * 1024;
    let heard = line().ask(head(&format!("Content-Length: {at}")) + &"x".repeat(at)).await;
    assert_eq!(heard.status, 403, "a user is no administrator; the body was taken: {heard:?}");
    // Refused by its length alone, before any of it has come.
    let mut over = line();
    let heard = over.ask(head(&format!("Content-Length: {}", at + 1))).await;
    assert_eq!((heard.status, heard.body.contains("too-large")), (413, true), "{heard:?}");
    assert_eq!(over.rest().await, "");
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", at + 1, "x".repeat(at + 1));
    assert_eq!(line().ask(head("Transfer-Encoding: chunked") + &chunks).await.status, 413);
}

/// SEC-107
#[tokio::test]
async fn a_header_has_at_most_32_kibibytes_and_a_hundred_fields() {
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(33_000));
    let mut line = line();
    assert_eq!(line.ask(&long).await.status, 431);
    assert_eq!(line.rest().await, "");
    let fields = |count: usize| format!("GET /x HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert_eq!(self::line().ask(fields(FIELDS_MAX)).await.status, 404);
    assert_eq!(self::line().ask(fields(FIELDS_MAX + 1)).await.status, 431);
}

#[tokio::test]
async fn one_connection_serves_a_thousand_requests() {
    let mut line = line();
    for n in 1..=REQUESTS_MAX {
        let heard = line.ask("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(heard.head.contains("connection: close"), n == REQUESTS_MAX, "{n}");
    }
    assert_eq!(line.rest().await, "");
}

/// RFC 9112 3.2
#[tokio::test]
async fn a_request_names_one_host() {
    for (request, status) in [
        ("GET /x HTTP/1.1\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /x HTTP/1.0\r\n\r\n", 404),
        ("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ] {
        assert_eq!(line().ask(request).await.status, status, "{request:?}");
    }
}

/// SEC-106
#[tokio::test]
async fn every_answer_tells_browsers_what_not_to_do() {
    let world = World::new();
    for path in ["/", "/api/v1/me", "/api/v1/nothing", "/x", "/api/v1/openapi.json"] {
        for is_encrypted in [false, true] {
            let mut line = line_to(&world, is_encrypted);
            let heard = line.ask(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            for header in [
                "x-content-type-options: nosniff\r\n",
                "x-frame-options: deny\r\n",
                "referrer-policy: ",
                "cache-control: no-",
                "frame-ancestors 'none'",
            ] {
                assert!(heard.head.contains(header), "{path} lacks {header}: {heard:?}");
            }
            assert_eq!(heard.head.contains("strict-transport-security: "), is_encrypted, "{path}");
        }
    }
    let mut line = line_to(&world, false);
    let heard = line.ask(format!("{ME}{}\r\n", basic())).await;
    assert!(heard.status == 200 && heard.head.contains("cache-control: no-store"), "{heard:?}");
}

#[tokio::test]
async fn nonsense_is_answered_and_ends_the_connection() {
    for nonsense in [
        "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n",
        "INVITE sip:alice@example.test SIP/2.0\r\nHost: a\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n",
        "GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
        "G\u{1}T / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let mut line = line();
        let heard = line.ask(nonsense).await;
        assert_eq!(heard.status, 400, "{nonsense:?}: {heard:?}");
        assert_eq!(line.rest().await, "");
    }
}

#[tokio::test]
async fn the_front_stops_when_it_is_told_to() {
    let world = World::new();
    let front = Front::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
    let address = front.address().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(front.serve(world.desk.clone(), async { drop(stopped.await) }));
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);
    drop(stop);
    serving.await.unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0, "idle connections are closed");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_connection_ends_when_its_other_end_leaves() {
    let Line { stream, served, _stop } = line();
    drop(stream);
    served.await.unwrap();
}
