//! Where messages end, and what happens to a stream on which nobody can tell any more: M1 to M6, SEC-60 to SEC-62.

use std::time::Duration;

use crate::invite::{Invite, fresh};
use crate::line::{Came, Line, options, serves, still_serves};
use crate::server::server;

/// Gives the status that came before the server closed the connection, which it must; 0 for none.
#[track_caller]
fn refused(message: impl AsRef<[u8]>) -> u16 {
    let mut line = Line::tcp(server());
    line.send(&message);
    let rest = line.rest();
    assert!(rest.len() <= 1, "{rest:?}");
    still_serves(server());
    rest.first().map_or(0, crate::line::Answer::status)
}

// M5: "refuse with 400, 413 or 513 and close at once, without waiting for a body".
#[test]
fn a_content_length_that_is_none_closes_the_connection_at_once() {
    let with = |value: &str| options(&fresh("frame")).replace("Content-Length: 0", value);
    for value in [
        "Content-Length: -1",
        "Content-Length: +5",
        "Content-Length: 0x10",
        "Content-Length: 1,2",
        "Content-Length: 1 2",
        "Content-Length: ",
        "Content-Length: five",
        "Content-Length: 262145",
        "Content-Length: 999999999",
        "Content-Length: 2147483648",
        // 2^32 + 32 is not 32.
        "Content-Length: 4294967328",
        "Content-Length: 18446744073709551616",
        "Content-Length: 0\r\nContent-Length: 0",
        "Content-Length: 0\r\nl: 0",
        "Content-Length: 5\r\n l: 0",
        "X-Other: x",
    ] {
        let status = refused(with(value));
        assert!([400, 413, 513].contains(&status), "{value:?}: {status}");
    }
}

// M5, SEC-62: nothing is reserved for what is only announced.
#[test]
fn fifty_announcements_of_two_gigabytes_cost_nothing() {
    let server = server();
    let before = server.resident_kib();
    let lines: Vec<Line> = (0..50)
        .map(|_| {
            let mut line = Line::tcp(server);
            line.send(options(&fresh("huge")).replace("Content-Length: 0", "Content-Length: 2000000000"));
            line
        })
        .collect();
    for mut line in lines {
        for answer in line.rest() {
            assert!([400, 413, 513].contains(&answer.status()), "{answer:?}");
        }
    }
    // And fifty that are allowed, and stay away.
    let waiting: Vec<Line> = (0..50)
        .map(|_| {
            let mut line = Line::tcp(server);
            line.send(options(&fresh("huge")).replace("Content-Length: 0", "Content-Length: 262144"));
            line
        })
        .collect();
    still_serves(server);
    if let (Some(before), Some(after)) = (before, server.resident_kib()) {
        // Other tests run beside this one; what is announced here is a hundred gigabytes.
        assert!(after < before + 200 * 1_024, "{before} KiB before, {after} after");
    }
    drop(waiting);
}

// M1, SEC-19
#[test]
fn bare_line_ends_and_nuls_close_the_connection() {
    for octets in [
        &b"Subject: a\nMs-Exchange-Command: skip-pin"[..],
        b"Subject: a\rMs-Exchange-Command: skip-pin",
        b"Subject: a\r\r\nX: y",
        b"Subject: a\0b",
        b"Subject\0: a",
        b"\r\x0bX: y",
    ] {
        let good = options(&fresh("frame"));
        let (before, after) = good.split_once("Max-Forwards").unwrap();
        let message = [before.as_bytes(), octets, b"\r\nMax-Forwards", after.as_bytes()].concat();
        let status = refused(&message);
        assert!([0, 400].contains(&status), "{:?}: {status}", String::from_utf8_lossy(octets));
    }
    // M3: a continuation of the start line.
    let status = refused(options(&fresh("frame")).replacen("SIP/2.0\r\nVia", "SIP/2.0\r\n X: y\r\nVia", 1));
    assert!([0, 400].contains(&status), "{status}");
}

// M2, SEC-18, DEC-12
#[test]
fn names_that_are_no_tokens_close_the_connection() {
    for name in [
        &b"Ms-Exchange\x01-Command"[..],
        b"Ms-Exchange-Command\x7f",
        b"Ms-Exchange-Command\xc2\xa0",
        b"Ms-Exch\xd0\xb0nge-Command",
        b"Ms-Exchange-Command\xef\xbc\x9a",
        b"Ms-Exchange-Command;x",
        b"Ms-Exchange Command",
        b"(Ms-Exchange-Command)",
        b"",
    ] {
        let server = server();
        let invite = Invite::own().with([name, b": skip-pin"].concat());
        let mut line = Line::trusted(server);
        line.send(invite.written("TLS"));
        for answer in line.rest() {
            assert_eq!(answer.status(), 400, "{:?}", String::from_utf8_lossy(name));
        }
        assert_eq!(server.decided(&invite.call_id), None, "{:?}", String::from_utf8_lossy(name));
    }
    still_serves(server());
}

#[test]
fn two_messages_in_one_segment_are_served_once_each() {
    let mut line = Line::tcp(server());
    let ids: Vec<String> = (0..20).map(|_| fresh("pipelined")).collect();
    line.send(ids.iter().map(|id| options(id)).collect::<String>());
    let answered: Vec<String> = ids.iter().map(|_| line.answer().header("Call-ID").to_owned()).collect();
    assert_eq!(answered, ids);
    serves(&mut line);
}

#[test]
fn one_message_in_as_many_segments_as_octets_is_served_once() {
    let mut line = Line::tcp(server());
    let invite = Invite::from_to("<sip:dana@elsewhere.test>", "sip:alice@example.test");
    for octet in invite.written("TCP") {
        line.send([octet]);
    }
    let answer = line.response(&invite.call_id, "1 INVITE");
    assert_eq!(answer.status(), 200);
    let call = crate::invite::Call { to: answer.header("To").to_owned(), invite, answer };
    line.send(call.request("ACK", 1, "", ""));
    call.hang_up(&mut line);
}

// RFC 5626 3.5.1
#[test]
fn empty_lines_are_skipped_and_two_are_answered() {
    let mut line = Line::tcp(server());
    line.send("\r\n\r\n");
    assert_eq!(line.octets(2), b"\r\n");
    line.send(format!("\r\n{}", options(&fresh("frame"))));
    assert_eq!(line.answer().status(), 200);
    serves(&mut line);
}

// "Body longer than announced: the rest is the next message; garbage there: 400, close."
#[test]
fn what_follows_the_announced_length_is_no_body() {
    let mut line = Line::tcp(server());
    line.send(format!("{}garbage that is no SIP\r\n\r\n", options(&fresh("frame"))));
    let statuses: Vec<u16> = line.rest().iter().map(crate::line::Answer::status).collect();
    assert!(statuses == [200] || statuses == [200, 400], "{statuses:?}");
    still_serves(server());
}

// The limits of section 5: at each, and one above.
#[test]
fn long_things_are_served_up_to_their_limit_and_refused_beyond() {
    let status = |message: String| {
        let mut line = Line::tcp(server());
        line.send(message);
        let status = match line.next() {
            Came::Message(answer) => answer.status(),
            Came::End => 0,
        };
        still_serves(server());
        status
    };
    let uri = |length: usize| {
        let uri = format!("sip:{}@example.test", "u".repeat(length - "sip:@example.test".len()));
        status(options(&fresh("long")).replacen("sip:example.test", &uri, 1))
    };
    assert_eq!(uri(4_096), 200);
    assert_eq!(uri(4_097), 414);
    let field = |length: usize| {
        let field = format!("X-Long: {}", "x".repeat(length - "X-Long: ".len()));
        status(options(&fresh("long")).replacen("Max-Forwards", &format!("{field}\r\nMax-Forwards"), 1))
    };
    assert_eq!(field(8_100), 200);
    assert_eq!(field(8_300), 400);
    // Seven fields are there already.
    let fields = |count: usize| {
        let fields = "X-Many: x\r\n".repeat(count - 7);
        status(options(&fresh("long")).replacen("Max-Forwards", &format!("{fields}Max-Forwards"), 1))
    };
    assert_eq!(fields(256), 200);
    assert_eq!(fields(257), 400);
    let head = |length: usize| {
        let good = options(&fresh("long"));
        let mut left = length - good.len();
        let mut fields = String::new();
        while left > 0 {
            let now = if left > 8_100 { 8_000 } else { left };
            fields += &format!("X: {}\r\n", "x".repeat(now - "X: \r\n".len()));
            left -= now;
        }
        status(good.replacen("Max-Forwards", &format!("{fields}Max-Forwards"), 1))
    };
    assert_eq!(head(65_536), 200);
    assert!([0, 400].contains(&head(65_537)));
    let body = |length: usize| {
        let length_is = format!("Content-Type: text/plain\r\nContent-Length: {length}");
        status(options(&fresh("long")).replacen("Content-Length: 0", &length_is, 1) + &"b".repeat(length))
    };
    // Nobody reads it: an OPTIONS with a body that means nothing here is served or refused as such.
    assert!([200, 415].contains(&body(262_144)));
    assert!([413, 513].contains(&body(262_145)));
}

// SEC-60: the header within 10 s.
#[test]
fn a_header_that_trickles_in_is_cut_off_and_nobody_waits_for_it() {
    let server = server();
    let begun = std::time::Instant::now();
    let mut line = Line::tcp(server);
    line.send("OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5;branch=z9hG4bK-slow\r\n");
    still_serves(server);
    for answer in line.rest() {
        assert_eq!(answer.status(), 408, "{answer:?}");
    }
    assert!(begun.elapsed() > Duration::from_secs(9), "{:?}", begun.elapsed());
}

// SEC-60: the body within 30 s of its header.
#[test]
fn a_body_that_never_comes_is_cut_off() {
    let server = server();
    let begun = std::time::Instant::now();
    let mut line = Line::tcp(server);
    line.send(options(&fresh("slow")).replace("Content-Length: 0", "Content-Length: 10"));
    for answer in line.rest() {
        assert!([400, 408].contains(&answer.status()), "{answer:?}");
    }
    assert!(begun.elapsed() > Duration::from_secs(29), "{:?}", begun.elapsed());
}
