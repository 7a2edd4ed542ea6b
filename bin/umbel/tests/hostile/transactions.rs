//! One call however often it is asked for, and one answer to each request: SEC-24, SEC-25, I4.

use crate::certificates::Shown;
use crate::invite::{Call, Invite, fresh};
use crate::line::{Answer, Line, serves};
use crate::server::server;
use crate::wait::until;

/// The CANCEL of an INVITE.
fn cancel(invite: &Invite, header: &str) -> String {
    let Invite { uri, from, to, call_id, branch, cseq, .. } = invite;
    format!(
        "CANCEL {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5;branch={branch}\r\nMax-Forwards: 70\r\n\
         From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} CANCEL\r\n{header}Content-Length: 0\r\n\r\n"
    )
}

/// The final responses that come to this Call-ID, until the one to an OPTIONS that is sent now.
#[track_caller]
fn finals(line: &mut Line, call_id: &str) -> Vec<Answer> {
    let end = fresh("end");
    line.send(crate::line::options(&end));
    let mut all = Vec::new();
    loop {
        let answer = line.answer();
        if answer.header("Call-ID") == end {
            return all;
        }
        if !answer.is_request() && answer.status() >= 200 && answer.header("Call-ID") == call_id {
            all.push(answer);
        }
    }
}

#[test]
fn a_retransmitted_invite_is_one_call() {
    let server = server();
    let mut line = Line::trusted(server);
    let invite = Invite::skip();
    line.send(invite.written("TLS").repeat(3));
    let answer = line.response(&invite.call_id, "1 INVITE");
    let call = Call { to: answer.header("To").to_owned(), invite, answer };
    line.send(call.request("ACK", 1, "", ""));
    assert_eq!(server.pin(&call.invite.call_id), "skipped");
    // RFC 6026 7.1: copies of the 200 are the same 200.
    for copy in finals(&mut line, &call.invite.call_id) {
        assert_eq!((copy.status(), copy.header("To")), (200, call.to.as_str()));
    }
    server.record(&call.invite.call_id);
    let calls = server.documents(&["calls", "--all"]);
    let of_this = calls.iter().filter(|record| record["call_id"] == call.invite.call_id.as_str()).count();
    assert_eq!(of_this, 1);
    call.hang_up(&mut line);
}

// RFC 3261 8.2.2.2
#[test]
fn the_same_call_under_another_branch_is_482_and_the_first_goes_on() {
    let server = server();
    let mut line = Line::trusted(server);
    let call = Invite::skip().call(&mut line);
    // The transaction of the first is still known: its ACK has come a moment ago.
    let mut merged = call.invite.clone();
    merged.branch = fresh("z9hG4bK-merged");
    let answer = merged.send(&mut line);
    assert!([482, 481].contains(&answer.status()), "{answer:?}");
    assert_eq!(call.ask(&mut line, "INFO", 2, "", "").status(), 200);
    assert_eq!(server.pin(&call.invite.call_id), "skipped");
    call.hang_up(&mut line);
}

// SEC-21, SEC-24: the CANCEL comes before, with or after the answer; there is one final response, and the
// header on the CANCEL means nothing.
#[test]
fn a_cancel_that_races_the_answer_leaves_one_answer_and_no_call() {
    let server = server();
    let mut outcomes = Vec::new();
    for round in 0..12 {
        let mut line = Line::trusted(server);
        let invite = if round % 2 == 0 { Invite::skip() } else { Invite::own() };
        let cancel = cancel(&invite, "Ms-Exchange-Command: skip-pin\r\n");
        match round % 3 {
            0 => line.send([invite.written("TLS").as_slice(), cancel.as_bytes()].concat()),
            1 => {
                line.send(invite.written("TLS"));
                line.send(cancel);
            }
            _ => {
                line.send(invite.written("TLS"));
                serves(&mut line);
                line.send(cancel);
            }
        }
        let answer = line.response(&invite.call_id, "1 INVITE");
        outcomes.push(answer.status());
        match answer.status() {
            487 => {}
            200 => {
                let call = Call { to: answer.header("To").to_owned(), invite: invite.clone(), answer };
                line.send(call.request("ACK", 1, "", ""));
                let expected = if round % 2 == 0 { "skipped" } else { "prompted" };
                assert_eq!(server.pin(&invite.call_id), expected);
                call.hang_up(&mut line);
            }
            other => panic!("{other}"),
        }
        let second: Vec<Answer> = finals(&mut line, &invite.call_id)
            .into_iter()
            .filter(|a| a.header("CSeq") == "1 INVITE")
            .collect();
        // A copy of a 200 may have been on its way.
        assert!(second.iter().all(|copy| copy.status() == 200), "{second:?}");
        until("the call to be over", || {
            let running = server.documents(&["calls"]);
            let is_this = |record: &serde_json::Value| record["call_id"] == invite.call_id.as_str();
            running.iter().find(|record| is_this(record)).is_none_or(|r| r["ended"].is_string()).then_some(())
        });
    }
    server.never_panicked();
}

// SEC-22, SEC-21, CMD-2, CMD-14: the first INVITE decides, and nothing else in the call.
#[test]
fn the_header_in_later_requests_changes_nothing() {
    let server = server();
    for (first, expected) in [(Invite::own(), "prompted"), (Invite::skip(), "skipped")] {
        let mut line = Line::trusted(server);
        let call = first.call(&mut line);
        assert_eq!(server.pin(&call.invite.call_id), expected);
        let offer = call.invite.body.clone();
        let header = if expected == "prompted" { crate::invite::SKIP } else { "" };
        assert_eq!(call.reinvite(&mut line, 2, header, &offer).status(), 200);
        let update = [header, "Content-Type: application/sdp"].join("\r\n");
        assert_eq!(call.ask(&mut line, "UPDATE", 3, update.trim_start(), &offer).status(), 200);
        let info = [header, "Content-Type: application/dtmf-relay"].join("\r\n");
        assert_eq!(call.ask(&mut line, "INFO", 4, info.trim_start(), "Signal=A\r\n").status(), 200);
        let refer = [header, "Refer-To: <sip:bob@example.test?Ms-Exchange-Command=skip-pin>"].join("\r\n");
        assert!([403, 405].contains(&call.ask(&mut line, "REFER", 5, refer.trim_start(), "").status()));
        for method in ["PRACK", "OPTIONS", "NOTIFY", "MESSAGE"] {
            call.ask(&mut line, method, 6, header, "");
        }
        assert_eq!(server.pin(&call.invite.call_id), expected);
        let record = server.record(&call.invite.call_id);
        assert_eq!(record["pin"], expected, "{record}");
        if expected == "prompted" {
            assert_ne!(record["outcome"], "mailbox-opened", "{record}");
        }
        call.hang_up(&mut line);
    }
}

// SEC-21: outside a call.
#[test]
fn the_header_on_other_requests_has_no_effect() {
    let server = server();
    let mut line = Line::trusted(server);
    for method in ["OPTIONS", "MESSAGE", "REGISTER", "BYE", "CANCEL", "SUBSCRIBE"] {
        let call_id = fresh("other");
        let request = crate::line::options(&call_id)
            .replace("OPTIONS", method)
            .replace("sip:example.test", crate::invite::OWN)
            .replace("Max-Forwards", "Ms-Exchange-Command: skip-pin\r\nMax-Forwards");
        line.send(request);
        line.response(&call_id, &format!("1 {method}"));
        assert_eq!(server.decided(&call_id), None, "{method}");
    }
    serves(&mut line);
}

// REL-35, SEC-54: whoever can read the tags of a call on TCP cannot take over one that began over TLS.
#[test]
fn a_call_of_a_listed_peer_is_not_changed_from_other_connections() {
    let server = server();
    let mut line = Line::trusted(server);
    let call = Invite::skip().call(&mut line);
    let (socket, theirs) = crate::invite::sound();
    for shown in [None, Some(Shown::Nothing), Some(Shown::Stranger)] {
        let mut other = shown.map_or_else(|| Line::tcp(server), |shown| Line::tls(server, shown));
        assert_eq!(call.reinvite(&mut other, 50, "", &theirs).status(), 481, "{shown:?}");
        let dtmf = "Content-Type: application/dtmf-relay";
        assert_eq!(call.ask(&mut other, "INFO", 51, dtmf, "Signal=1\r\n").status(), 481, "{shown:?}");
        assert_eq!(call.ask(&mut other, "BYE", 52, "", "").status(), 481, "{shown:?}");
    }
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 2_000]).is_err(), "the sound of the mailbox is sent to a stranger");
    // The peer itself, on another connection.
    assert_eq!(call.ask(&mut Line::trusted(server), "INFO", 53, "", "").status(), 200);
    call.hang_up(&mut line);
}
