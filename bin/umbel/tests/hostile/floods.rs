//! Too much of everything: SEC-45, SEC-58, SEC-65, SEC-70; others are served meanwhile.

use std::io::Write;

use socket2::{Domain, Socket, Type};

use crate::invite::{Call, Invite, fresh};
use crate::line::{Came, Line, options, serves, socket, still_serves};
use crate::server::{Server, may_open, server};
use crate::wait::{PATIENCE, until};

// SEC-65: 256 KiB queued, then close.
#[test]
fn a_peer_that_never_reads_our_answers_is_cut_off() {
    let server = server();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 * 1_024).unwrap();
    socket.connect(&server.tcp.into()).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut stream = std::net::TcpStream::from(socket);
    // The answers are about as long as the questions; the system holds some megabytes for us.
    let questions: String = (0..200).map(|_| options(&fresh("unread"))).collect();
    let cut_off = (0..400).any(|_| stream.write_all(questions.as_bytes()).is_err());
    assert!(cut_off, "{} bytes were asked for and never read", 400 * questions.len());
    still_serves(server);
}

// REL-45 in small: malformed messages, each on its own connection; others are served, and the log is bounded.
#[test]
fn a_flood_of_malformed_messages_fills_no_log_and_stops_nobody() {
    let server = server();
    let before = server.log().len();
    let mut honest = Line::tcp(server);
    for round in 0..10 {
        for _ in 0..100 {
            Line::tcp(server).send("INVITE sip:alice@example.test SIP/2.0\r\nContent-Length: -1\r\n\r\n");
        }
        serves(&mut honest);
        assert!(round < 10);
    }
    let written = server.log().len() - before;
    assert!(written < 1024 * 1024, "{written} bytes of log for a thousand messages");
    server.never_panicked();
}

// SEC-24, I5: calls that nobody means, given up at every moment, leave nothing behind.
#[test]
fn calls_given_up_at_any_moment_leave_nothing() {
    let server = server();
    for round in 0..40 {
        let mut line = Line::tcp(server);
        let invite = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test");
        let text = invite.written("TCP");
        match round % 4 {
            // In the middle of the message.
            0 => line.send(&text[..text.len() * round / 40]),
            // As soon as it is sent.
            1 => line.send(&text),
            // With a CANCEL in the same segment; the answers are not waited for.
            2 => line.send([text.as_slice(), cancel(&invite).as_bytes()].concat()),
            // With a hundred copies: one call at most.
            _ => line.send(text.repeat(100)),
        }
    }
    still_serves(server);
}

fn cancel(invite: &Invite) -> String {
    let text = String::from_utf8(invite.written("TCP")).unwrap();
    let kept = ["Via", "From", "To", "Call-ID", "Max-Forwards"];
    let lines: String = text
        .lines()
        .filter(|line| kept.iter().any(|name| line.starts_with(&format!("{name}:"))))
        .map(|line| format!("{line}\r\n"))
        .collect();
    format!(
        "CANCEL {} SIP/2.0\r\n{lines}CSeq: {} CANCEL\r\nContent-Length: 0\r\n\r\n",
        invite.uri, invite.cseq
    )
}

// A6: whoever calls chooses Call-ID and names, and what is kept of them is bounded and can be shown on a terminal.
#[test]
fn long_and_wild_names_are_kept_short_and_tame() {
    let server = server();
    let mut line = Line::tcp(server);
    let from = format!("\"\u{1b}]0;x\u{7}\" <sip:%1b%5b2J{}@elsewhere.test>", "d".repeat(3_000));
    let mut invite = Invite::from_to(&from, "sip:bob@example.test");
    invite.call_id = format!("{}-{}", fresh("long"), "c".repeat(7_000));
    invite.call(&mut line).hang_up(&mut line);
    // SEC-32: it is found by the Call-ID that it had.
    assert_eq!(server.pin(&invite.call_id), "none");
    let record = until("the record of the call", || {
        let is_this = |record: &serde_json::Value| record["from"].as_str().unwrap().contains("ddddd");
        server.documents(&["calls", "--all"]).into_iter().find(is_this)
    });
    for key in ["call_id", "from", "to"] {
        let text = record[key].as_str().unwrap();
        assert!(text.len() <= 255 && !text.contains(char::is_control), "{key}: {text:?}");
    }
    let shown = server.umbel(&["calls", "--all"]) + &server.umbel(&["why", &invite.call_id]) + &server.log();
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}

// SEC-59, REL-44: connections never take the descriptors that calls need.
#[test]
fn idle_connections_leave_calls_what_they_need() {
    // Twice as many as the server has.
    if !may_open(1_024) {
        return;
    }
    let server = Server::start_with_files("", "info", "256");
    let idle: Vec<Line> = (0..400).map(|_| Line::tcp(&server)).collect();
    let half_open: Vec<_> = (0..100).map(|_| socket(server.tls)).collect();
    // A table that is full turns newcomers away while everybody in it is as new as they.
    let (mut line, call) = until("a call that is answered", || {
        let mut line = Line::tcp(&server);
        let invite = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test");
        line.send(invite.written("TCP"));
        let answer = loop {
            match line.next() {
                // DEC-3: on a busy machine there is a 100 before it.
                Came::Message(answer) if answer.status() < 200 => {}
                Came::Message(answer) => break answer,
                Came::End => return None,
            }
        };
        assert_eq!(answer.status(), 200, "{answer:?}");
        let call = Call { to: answer.header("To").to_owned(), invite, answer };
        line.send(call.request("ACK", 1, "", ""));
        Some((line, call))
    });
    assert_eq!(server.pin(&call.invite.call_id), "none");
    call.hang_up(&mut line);
    drop((idle, half_open));
    still_serves(&server);
}
