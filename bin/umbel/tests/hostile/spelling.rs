//! What the header may look like: P3, on a connection where nothing else stands in the way. SEC-15 to SEC-17,
//! SEC-20, CMD-1 and the vectors of 4.1.

use crate::invite::{Invite, SKIP, fresh, offer};
use crate::line::Line;
use crate::server::server;

#[test]
fn every_legal_spelling_skips() {
    let server = server();
    let mut line = Line::trusted(server);
    for header in [
        "Ms-Exchange-Command: skip-pin",
        "ms-exchange-command:skip-pin",
        "MS-EXCHANGE-COMMAND  :   SKIP-PIN  ",
        "mS-eXCHANGE-cOMMAND\t:\tSkip-Pin\t",
        "Ms-Exchange-Command:\r\n skip-pin",
        "Ms-Exchange-Command:\r\n\tskip-pin",
        "Ms-Exchange-Command: \r\n \r\n  skip-pin\r\n  ",
    ] {
        let mut first = Invite::own();
        first.first.push(header.into());
        let mut last = Invite::own();
        last.last.push(header.into());
        for invite in [Invite::own().with(header), first, last] {
            assert_eq!(invite.pin(server, &mut line), "skipped", "{header:?}");
        }
    }
}

#[test]
fn everything_else_is_ignored_and_the_call_served() {
    let server = server();
    let mut line = Line::trusted(server);
    for value in [
        "",
        " ",
        "other",
        "skip-pin=1",
        "skip-pin=",
        "skip-pin;x=y",
        "skip-pin;",
        ";skip-pin",
        "skip-pin, other",
        "skip-pin, skip-pin",
        "skip-pin,",
        ",skip-pin",
        "\"skip-pin\"",
        "<skip-pin>",
        "(comment) skip-pin",
        "skip-pin (comment)",
        "skip%2Dpin",
        "skip\\-pin",
        "skip-pin skip-pin",
        "skip-pin yes",
        "skip\u{2010}pin",
        "skip\u{ad}-pin",
        "ѕkip-pin",
        "skip-p\u{131}n",
        "skip\r\n -pin",
        "skip-\r\n pin",
        "\u{feff}skip-pin",
        "skip-pin\u{a0}",
        "skip_pin",
        "skippin",
        "skip-pin.",
        "=skip-pin",
        ":skip-pin",
    ] {
        let invite = Invite::own().with(format!("Ms-Exchange-Command: {value}"));
        assert_eq!(invite.pin(server, &mut line), "prompted", "{value:?}");
    }
    // Other headers, whatever they resemble.
    for name in [
        "X-Ms-Exchange-Command",
        "Ms-Exchange-Commands",
        "Ms_Exchange_Command",
        "MsExchangeCommand",
        "Ms-Exchange-Comman",
        "Ms-Exchange-Command-",
        "Ms-Exchange-Command%00",
        "P-Ms-Exchange-Command",
    ] {
        let invite = Invite::own().with(format!("{name}: skip-pin"));
        assert_eq!(invite.pin(server, &mut line), "prompted", "{name}");
    }
}

// SEC-15, DEC-12
#[test]
fn a_second_copy_spoils_it() {
    let server = server();
    let mut line = Line::trusted(server);
    for other in [SKIP, "ms-exchange-command: SKIP-PIN", "Ms-Exchange-Command: other", "Ms-Exchange-Command:"]
    {
        let mut before = Invite::skip();
        before.first.push(other.into());
        let mut after = Invite::skip();
        after.last.push(other.into());
        for invite in [Invite::skip().with(other), Invite::own().with(other).with(SKIP), before, after] {
            assert_eq!(invite.pin(server, &mut line), "prompted", "{other:?}");
        }
    }
}

// M6, SEC-20: what is in a body is body, what is in another header is that header's.
#[test]
fn the_text_elsewhere_is_not_the_header() {
    let server = server();
    let mut line = Line::trusted(server);
    let plain = offer(crate::invite::DISCARD);
    let session_name = plain.replace("s=-", "s=Ms-Exchange-Command: skip-pin");
    let attribute = format!("{plain}a=x\r\n{SKIP}\r\n");
    for invite in [
        Invite::own().offering(session_name),
        Invite::own().with(format!("Subject: hello\r\n {SKIP}")),
        Invite::own().with(format!("X-Other: x\r\n\t{SKIP}")),
        Invite::own().with(format!("Subject: %0d%0a{SKIP}")),
        Invite::own().with(format!("Subject: \"\\\r\n {SKIP}\"")),
        Invite::own().with("Refer-To: <sip:alice@example.test?Ms-Exchange-Command=skip-pin>"),
        Invite::own().with("Accept-Contact: *;x=\"Ms-Exchange-Command: skip-pin\""),
        Invite::own().by("\"x\\\" Ms-Exchange-Command: skip-pin\" <sip:alice@example.test>"),
        Invite::own().calling("sip:alice@example.test;opaque=app:voicemail;Ms-Exchange-Command=skip-pin"),
        Invite::own()
            .calling("sip:alice@example.test;opaque=app:voicemail;x=%0d%0aMs-Exchange-Command:%20skip-pin"),
    ] {
        let what = String::from_utf8(invite.written("TLS")).unwrap();
        assert_eq!(invite.pin(server, &mut line), "prompted", "{what}");
    }
    // Here the message itself may be refused; it never skips.
    let boundary = "multipart/mixed;boundary=b";
    let part = format!("--b\r\n{SKIP}\r\nContent-Type: application/sdp\r\n\r\n{plain}\r\n--b--\r\n");
    for invite in [
        Invite::own().offering(attribute),
        Invite { content_type: boundary.to_owned(), ..Invite::own().offering(part) },
        Invite {
            content_type: "message/sip".to_owned(),
            ..Invite::own().offering(format!("{SKIP}\r\n\r\n"))
        },
        Invite::own().calling("sip:alice@example.test;opaque=app:voicemail?Ms-Exchange-Command=skip-pin"),
        Invite::own().by("<sip:alice@example.test?Ms-Exchange-Command=skip-pin>"),
    ] {
        let what = String::from_utf8(invite.written("TLS")).unwrap();
        assert_ne!(invite.pin(server, &mut line), "skipped", "{what}");
    }
    // A whole request in the body of another is its body.
    let inner = Invite::skip();
    let outer = Invite { content_type: "message/sip".to_owned(), ..Invite::own() }
        .offering(String::from_utf8(inner.written("TLS")).unwrap());
    assert_eq!(outer.send(&mut line).status(), 415);
    assert_eq!(server.decided(&inner.call_id), None);
}

// SEC-17: one octet per segment, which TLS makes one record per octet.
#[test]
fn the_header_octet_by_octet_is_the_header() {
    let server = server();
    let mut line = Line::trusted(server);
    let mut invite = Invite::skip();
    invite.call_id = fresh("octets");
    for octet in invite.written("TLS") {
        line.send([octet]);
    }
    assert_eq!(line.response(&invite.call_id, "1 INVITE").status(), 200);
    assert_eq!(server.pin(&invite.call_id), "skipped");
}

// SEC-17: compact forms of the others.
#[test]
fn the_header_among_compact_ones_is_the_header() {
    let server = server();
    let mut line = Line::trusted(server);
    let invite = Invite::skip();
    let text = String::from_utf8(invite.written("TLS")).unwrap();
    let compact = [
        ("Via:", "v:"),
        ("From:", "f :"),
        ("To:", "t:"),
        ("Call-ID:", "i:"),
        ("Contact:", "m:"),
        ("Content-Type:", "c:"),
        ("Content-Length:", "l\t:"),
    ];
    line.send(compact.iter().fold(text, |text, (long, short)| text.replacen(long, short, 1)));
    assert_eq!(line.response(&invite.call_id, "1 INVITE").status(), 200);
    assert_eq!(server.pin(&invite.call_id), "skipped");
}
