//! The table of what bad SIP gets (threats, section 5), row by row, on living connections.

use crate::invite::{Invite, OWN, fresh};
use crate::line::{Came, Line, options, serves, still_serves};
use crate::server::server;

/// A good OPTIONS in which `from` is `to`; gives the status, 0 for a connection that was closed without one.
/// Whatever comes, the server serves on.
#[track_caller]
fn options_with(from: &str, to: impl AsRef<[u8]>) -> u16 {
    let good = options(&fresh("table"));
    let (before, after) = good.split_once(from).unwrap_or_else(|| panic!("{from:?} is not in {good}"));
    status_of([before.as_bytes(), to.as_ref(), after.as_bytes()].concat())
}

#[track_caller]
fn status_of(message: impl AsRef<[u8]>) -> u16 {
    let mut line = Line::tcp(server());
    line.send(message);
    let status = match line.next() {
        Came::Message(answer) => answer.status(),
        Came::End => 0,
    };
    still_serves(server());
    status
}

#[track_caller]
fn check(expected: &[u16], cases: &[(&str, &[u8])]) {
    for (from, to) in cases {
        let status = options_with(from, to);
        assert!(expected.contains(&status), "{from:?} -> {:?}: {status}", String::from_utf8_lossy(to));
    }
}

#[test]
fn a_start_line_with_blanks_brackets_or_bad_escapes_is_refused_with_400() {
    check(
        &[400],
        &[
            ("OPTIONS sip", b"OPTIONS  sip"),
            ("test SIP/2.0", b"test  SIP/2.0"),
            ("test SIP/2.0", b"test SIP/2.0 "),
            ("sip:example.test SIP", b"<sip:example.test> SIP"),
            ("sip:example.test SIP", b"sip:ali%zzce@example.test SIP"),
            ("sip:example.test SIP", b"sip:alice@example.test%4 SIP"),
            ("sip:example.test SIP", b"sip:alice b@example.test SIP"),
            // M6
            ("sip:example.test SIP", b"sip:example.test?Ms-Exchange-Command=skip-pin SIP"),
        ],
    );
}

#[test]
fn another_version_gets_505_and_lower_case_is_sip_too() {
    check(&[505], &[("test SIP/2.0", b"test SIP/3.0"), ("test SIP/2.0", b"test SIP/7.0")]);
    assert_eq!(options_with("test SIP/2.0", "test sip/2.0"), 200);
}

#[test]
fn an_unknown_method_gets_405_or_501_and_lower_case_is_unknown() {
    for method in ["REGARDS", "options", "Options", "invite"] {
        let message = options(&fresh("table")).replace("OPTIONS", method);
        assert!([405, 501].contains(&status_of(message)), "{method}");
    }
}

#[test]
fn an_unknown_scheme_gets_416() {
    check(
        &[416],
        &[
            ("sip:example.test SIP", b"flurb:example.test SIP"),
            ("sip:example.test SIP", b"http://example.test/ SIP"),
        ],
    );
}

#[test]
fn a_missing_or_repeated_mandatory_header_gets_400() {
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let good = options(&fresh("table"));
        let header =
            good.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap().to_owned() + "\r\n";
        assert_eq!(status_of(good.replacen(&header, "", 1)), 400, "without {name}");
        assert_eq!(status_of(good.replacen(&header, &header.repeat(2), 1)), 400, "{name} twice");
    }
    // M4: long and compact form count together.
    check(
        &[400],
        &[
            ("To: <sip:example.test>", b"To: <sip:example.test>\r\nt: <sip:example.test>"),
            ("Max-Forwards: 70", b"Max-Forwards: 70\r\nMax-Forwards: 70"),
        ],
    );
}

// M7: "close when no Via".
#[test]
fn without_via_the_connection_is_closed_without_an_answer() {
    let good = options(&fresh("table"));
    let via = good.lines().find(|line| line.starts_with("Via")).unwrap().to_owned() + "\r\n";
    assert_eq!(status_of(good.replacen(&via, "", 1)), 0);
}

#[test]
fn numbers_beyond_their_range_get_400() {
    check(
        &[400],
        &[
            ("CSeq: 1 ", b"CSeq: 2147483648 "),
            ("CSeq: 1 ", b"CSeq: 36893488147419103232 "),
            ("CSeq: 1 ", b"CSeq: -1 "),
            ("CSeq: 1 ", b"CSeq: one "),
            ("CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"),
            ("Max-Forwards: 70", b"Max-Forwards: 256"),
            ("Max-Forwards: 70", b"Max-Forwards: many"),
            ("Max-Forwards: 70", b"Max-Forwards: -1"),
        ],
    );
    check(
        &[200],
        &[
            ("CSeq: 1 ", b"CSeq: 2147483647 "),
            ("Max-Forwards: 70", b"Max-Forwards: 255"),
            ("Max-Forwards: 70", b"Max-Forwards: 0"),
        ],
    );
}

// DEC-2
#[test]
fn old_forms_without_tag_and_branch_are_served() {
    check(&[200], &[(";tag=d", b""), ("branch=z9hG4bK-", b"branch=")]);
    let call_id = fresh("table");
    let good = options(&call_id);
    assert_eq!(status_of(good.replacen(&format!(";branch=z9hG4bK-{call_id}"), "", 1)), 200);
    assert_eq!(status_of(options(&fresh("table")).replacen("z9hG4bK-", "z9hG4bK\r\nX-Rest: ", 1)), 200);
}

#[test]
fn unterminated_quotes_and_unbalanced_brackets_get_400() {
    check(
        &[400],
        &[
            ("From: <sip", b"From: \"Dana <sip"),
            ("From: <sip:dana@elsewhere.test>", b"From: <sip:dana@elsewhere.test"),
            ("To: <sip:example.test>", b"To: \"x\\\" <sip:example.test>"),
        ],
    );
}

#[test]
fn bad_utf8_in_text_is_no_reason_to_fall() {
    check(
        &[200, 400],
        &[
            ("From: <sip", b"From: \"\xff\xfe\xc0\x80\" <sip"),
            ("Max-Forwards: 70", b"Max-Forwards: 70\r\nSubject: \xf0\x28\x8c\xbc"),
        ],
    );
}

#[test]
fn a_required_extension_that_we_lack_gets_420_and_its_name() {
    let mut line = Line::tcp(server());
    let answer = Invite::own().with("Require: tel-stroke, 100rel, worm-hole").send(&mut line);
    assert_eq!(answer.status(), 420);
    for tag in ["tel-stroke", "worm-hole"] {
        assert!(answer.header("Unsupported").contains(tag), "{answer:?}");
    }
    assert!(!answer.header("Unsupported").contains("100rel"), "{answer:?}");
    serves(&mut line);
}

// SEC-63, SEC-64
#[test]
fn bodies_of_other_types_compressed_or_nested_get_415_and_what_is_accepted() {
    let mut line = Line::tcp(server());
    let nested = |depth: u32| {
        (0..depth).fold("Content-Type: application/sdp\r\n\r\nv=0\r\n".to_owned(), |inside, level| {
            format!("Content-Type: multipart/mixed;boundary=b{level}\r\n\r\n--b{level}\r\n{inside}\r\n--b{level}--\r\n")
        })
    };
    let typed = |content_type: &str, body: &str| Invite {
        content_type: content_type.to_owned(),
        ..Invite::own().offering(body)
    };
    for invite in [
        typed("text/plain", "hello"),
        typed("application/nothing", "x"),
        typed("multipart/mixed;boundary=b5", &nested(5)),
        typed("multipart/mixed;boundary=b500", &nested(500)),
        Invite::own().with("Content-Encoding: gzip"),
        Invite::own().with("e: deflate"),
    ] {
        let answer = invite.send(&mut line);
        assert_eq!(answer.status(), 415, "{} {:?}", invite.content_type, invite.lines);
        assert!(answer.header("Accept").contains("application/sdp"), "{answer:?}");
    }
    serves(&mut line);
}

#[test]
fn an_invite_without_contact_gets_400() {
    let mut line = Line::tcp(server());
    let invite = Invite::own();
    let text = String::from_utf8(invite.written("TCP")).unwrap();
    let contact = text.lines().find(|line| line.starts_with("Contact")).unwrap().to_owned() + "\r\n";
    line.send(text.replacen(&contact, "", 1));
    assert_eq!(line.response(&invite.call_id, "1 INVITE").status(), 400);
    serves(&mut line);
}

#[test]
fn a_mailbox_that_is_not_there_gets_404() {
    let mut line = Line::tcp(server());
    let cannot_be = format!("sip:{}@example.test", "x".repeat(3_000));
    for uri in [
        "sip:nobody@example.test",
        "sip:999@example.test",
        "sip:%00@example.test",
        "sip:..%2F..%2Fetc%2Fpasswd@example.test",
        "sip:'%20or%201=1--@example.test",
        "sip:alice@elsewhere.test",
        "sip:nobody@example.test;opaque=app:voicemail",
        &cannot_be,
    ] {
        assert_eq!(Invite::from_to("<sip:dana@elsewhere.test>", uri).send(&mut line).status(), 404, "{uri}");
    }
    // DEC-19
    let disabled = Invite::from_to("<sip:dana@elsewhere.test>", "sip:dora@example.test");
    assert_eq!(disabled.send(&mut line).status(), 480);
    serves(&mut line);
}

// SEC-25, SEC-54
#[test]
fn requests_for_calls_that_are_not_theirs_get_481() {
    let server = server();
    let mut line = Line::tcp(server);
    for method in ["BYE", "CANCEL", "UPDATE", "INFO", "PRACK"] {
        let call_id = fresh("table");
        line.send(options(&call_id).replace("OPTIONS", method));
        assert_eq!(line.response(&call_id, &format!("1 {method}")).status(), 481, "{method}");
    }
    let mut invite = Invite::skip();
    invite.to = format!("<{OWN}>;tag=of-no-call");
    assert_eq!(invite.send(&mut Line::trusted(server)).status(), 481);

    // A stranger on another connection who knows the Call-ID, and guesses tags, or even knows them.
    let call = Invite::own().calling("sip:bob@example.test").call(&mut line);
    let mut stranger = Line::tcp(server);
    let call_id = &call.invite.call_id;
    for (to, from) in [
        (format!("{}0", call.to), call.invite.from.clone()),
        (call.to.clone(), "<sip:alice@example.test>;tag=guessed".to_owned()),
    ] {
        let forged = call.request("BYE", 7, "", "").replace(&call.to, &to).replace(&call.invite.from, &from);
        stranger.send(forged);
        assert_eq!(stranger.response(call_id, "7 BYE").status(), 481, "{to} {from}");
    }
    // SEC-54: 64 random bits or more.
    let tag = call.to.split(";tag=").nth(1).unwrap();
    assert!(tag.len() >= 11, "{tag}");
    assert_eq!(call.ask(&mut line, "INFO", 8, "", "").status(), 200, "the call goes on");
    // An ACK for nothing, and responses to nothing: no answer.
    stranger.send(options(&fresh("table")).replace("OPTIONS", "ACK"));
    stranger.send(options(&fresh("table")).replace("OPTIONS sip:example.test SIP/2.0", "SIP/2.0 200 OK"));
    serves(&mut stranger);
    call.hang_up(&mut line);
}

// SEC-55
#[test]
fn what_needs_authentication_is_refused() {
    let mut line = Line::tcp(server());
    for method in ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "REGISTER"] {
        let call_id = fresh("table");
        let extra = "Event: message-summary\r\nRefer-To: <sip:alice@example.test>\r\nContent-Length: 0";
        line.send(options(&call_id).replace("OPTIONS", method).replace("Content-Length: 0", extra));
        let status = line.response(&call_id, &format!("1 {method}")).status();
        assert!([401, 403, 405, 501].contains(&status), "{method}: {status}");
    }
    serves(&mut line);
}

// PEER-10, PEER-12: each method that is listed works here or in a call, each that is not is refused.
#[test]
fn options_tell_what_is_served() {
    let mut line = Line::tcp(server());
    let call_id = fresh("table");
    line.send(options(&call_id));
    let answer = line.response(&call_id, "1 OPTIONS");
    for header in ["Allow", "Accept", "Supported"] {
        assert!(!answer.header(header).is_empty(), "{header}: {answer:?}");
    }
    for method in ["REFER", "REGISTER", "PUBLISH"] {
        assert!(!answer.header("Allow").contains(method), "{answer:?}");
    }
    // For what becomes of the calls that we send on, within their dialogs (RFC 3515 2.4.4).
    assert!(answer.header("Allow").contains("NOTIFY"), "{answer:?}");
    // For listed peers alone, which see it by the 403.
    for method in ["SUBSCRIBE", "MESSAGE"] {
        assert!(answer.header("Allow").contains(method), "{answer:?}");
    }
    assert_eq!(answer.header("Allow-Events"), "message-summary");
}
