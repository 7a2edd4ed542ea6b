//! The table of what bad input gets: one reading of a message (M1 to M8), and who is answered.
//! SEC-61, STD-6
#![allow(clippy::unwrap_used, clippy::panic)]

mod verdict;

use umbel_sip_message::{Framed, frame, parse};
use verdict::Verdict::{self, *};
use verdict::judge;

/// A good request; `{method}` and one extra line are put in.
const GOOD: &str = "OPTIONS sip:erin@example.net SIP/2.0\r\n\
    Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-m\r\n\
    From: <sip:dana@example.com>;tag=d\r\n\
    To: <sip:erin@example.net>\r\n\
    Call-ID: m@192.0.2.1\r\n\
    CSeq: 7 OPTIONS\r\n\
    Max-Forwards: 70\r\n\
    Content-Length: 0\r\n\r\n";

/// The verdict on the good request after one change.
#[track_caller]
fn check(from: &str, to: &str, expected: Verdict) {
    assert!(GOOD.contains(from), "{from:?} is not in the message");
    let message = GOOD.replacen(from, to, 1);
    assert_eq!(judge(message.as_bytes()), expected, "{from:?} -> {to:?}");
}

/// The verdict on the good request with one line more.
#[track_caller]
fn with_line(line: &[u8], expected: Verdict) {
    let (head, tail) = GOOD.split_once("Content-Length").unwrap();
    let message = [head.as_bytes(), line, b"\r\nContent-Length", tail.as_bytes()].concat();
    assert_eq!(judge(&message), expected, "{}", String::from_utf8_lossy(line));
}

#[test]
fn m1_lines_end_with_crlf_only() {
    assert_eq!(judge(GOOD.as_bytes()), Accepted);
    with_line(b"Subject: a\rb", RefusedAndClosed(400));
    with_line(b"Subject: a\nb", RefusedAndClosed(400));
    with_line(b"Subject: a\nMs-Exchange-Command: skip-pin", RefusedAndClosed(400));
    with_line(b"Subject: a\0b", RefusedAndClosed(400));
    with_line(b"Subject: \\\0", RefusedAndClosed(400));
    with_line(b"Subject: \"a\0\"", RefusedAndClosed(400));
    // RFC 3261 25.1 quoted-pair, the one place for a NUL.
    with_line(b"Subject: \"a\\\0\"", Accepted);
    check("OPTIONS sip", "OPTIONS\0 sip", RefusedAndClosed(400));
    check("net SIP/2.0", "net\r SIP/2.0", RefusedAndClosed(400));
    // Where the Via is not on a line of its own, there is none that one could answer to.
    check("SIP/2.0\r\nVia", "SIP/2.0\nVia", Closed);
    assert_eq!(judge(GOOD.replace("\r\n", "\n").as_bytes()), Closed);
}

#[test]
fn m2_a_name_is_a_token_and_nothing_resembles_one() {
    for name in [
        "Sub ject",
        "Sub\tject",
        "Sub\x7fject",
        "Sub\x01ject",
        "Süb",
        "",
        "Sub@ject",
        "Sub(ject",
        "\"Subject\"",
    ] {
        with_line(format!("{name}: x").as_bytes(), RefusedAndClosed(400));
    }
    with_line(b"Sub\xA0ject: x", RefusedAndClosed(400));
    with_line(b"Ms-Exchange-Command", RefusedAndClosed(400));
    with_line(b"Ms-Exchange-Command \t : skip-pin", Accepted);
}

#[test]
fn m3_a_continuation_belongs_to_the_field_above() {
    with_line(b"Subject:\r\n\tone\r\n two", Accepted);
    check("SIP/2.0\r\nVia:", "SIP/2.0\r\n Subject: x\r\nVia:", RefusedAndClosed(400));
    // A folded field is not a Content-Length, whatever it says.
    with_line(b"Subject: x\r\n Content-Length: 99", Accepted);
}

#[test]
fn m4_single_fields_occur_once_in_either_form() {
    for line in
        ["From: <sip:x@y>;tag=1", "f: <sip:x@y>;tag=1", "To: <sip:x@y>", "t: <sip:x@y>", "Call-ID: x", "I: x"]
    {
        with_line(line.as_bytes(), Refused(400));
    }
    with_line(b"CSeq: 7 OPTIONS", Refused(400));
    with_line(b"Max-Forwards: 70", Refused(400));
    with_line(b"Content-Type: text/plain\r\nc: text/plain", Refused(400));
    with_line(b"Content-Type: text/plain", Accepted);
    with_line(b"Content-Length: 0", RefusedAndClosed(400));
    with_line(b"L: 0", RefusedAndClosed(400));
    with_line(b"Via: SIP/2.0/TCP 192.0.2.9", Accepted);
}

#[test]
fn m5_content_length_is_digits_and_nothing_else() {
    for bad in [
        "",
        "-1",
        "+1",
        "0x10",
        "1,2",
        "1 2",
        "1\r\n 2",
        "1.0",
        "1e3",
        "١",
        "1234567890",
        "a",
        "0;0",
        "\"0\"",
    ] {
        check("Content-Length: 0", &format!("Content-Length: {bad}"), RefusedAndClosed(400));
    }
    check("Content-Length: 0\r\n", "", RefusedAndClosed(400));
    check("Content-Length: 0", "Content-Length\r\n : 0", RefusedAndClosed(400));
    check("Content-Length: 0", "Content-Length 0", RefusedAndClosed(400));
    // Compared in more than 32 bits.
    check("Content-Length: 0", "Content-Length: 4294967328", RefusedAndClosed(400));
    check("Content-Length: 0", "Content-Length: 999999999", RefusedAndClosed(413));
    for good in ["\t000000000 ", "\r\n 0", "0\r\n\t"] {
        check("Content-Length: 0", &format!("cOnTeNt-LeNgTh : {good}"), Accepted);
        check("Content-Length: 0", &format!("l:{good}"), Accepted);
    }
}

#[test]
fn m5_a_bad_length_is_refused_without_waiting_for_a_body() {
    let message = GOOD.replace("Content-Length: 0", "Content-Length: 2000000000");
    assert_eq!(judge(message.as_bytes()), RefusedAndClosed(400));
    let message = GOOD.replace("Content-Length: 0", "Content-Length: 262145");
    assert_eq!(judge(message.as_bytes()), RefusedAndClosed(413));
}

#[test]
fn m6_header_components_have_no_place_in_requests_and_parties() {
    check("sip:erin@example.net SIP", "sip:erin@example.net?Subject=x SIP", Refused(400));
    check("<sip:dana@example.com>", "<sip:dana@example.com?Subject=x>", Refused(400));
    check("<sip:erin@example.net>", "<sip:erin@example.net?Subject=x>", Refused(400));
    with_line(b"Contact: <sip:dana@192.0.2.1?Ms-Exchange-Command=skip-pin>", Accepted);
    let smuggled = GOOD.replace("Max-Forwards: 70", "Subject: a%0D%0AMs-Exchange-Command: skip-pin");
    let message = parse(smuggled.into_bytes().into()).unwrap();
    assert!(!message.headers().has(&umbel_sip_message::HeaderName::MsExchangeCommand));
}

#[test]
fn m7_an_ack_is_never_answered() {
    let ack = |message: &str| message.replace("OPTIONS", "ACK");
    assert_eq!(judge(ack(GOOD).as_bytes()), Accepted);
    assert_eq!(judge(ack(&GOOD.replace("tag=d", "tag=")).as_bytes()), Dropped);
    assert_eq!(judge(ack(&GOOD.replace("CSeq: 7", "CSeq: x")).as_bytes()), Dropped);
    assert_eq!(judge(ack(&GOOD.replace("Length: 0", "Length: x")).as_bytes()), Closed);
    // It is ACK that is not answered, not everything that resembles it.
    assert_eq!(judge(GOOD.replace("OPTIONS", "ack").replace("tag=d", "tag=").as_bytes()), Refused(400));
}

#[test]
fn m7_a_response_is_never_answered() {
    let response = |message: &str| message.replace("OPTIONS sip:erin@example.net SIP/2.0", "SIP/2.0 200 OK");
    assert_eq!(judge(response(GOOD).as_bytes()), Accepted);
    assert_eq!(judge(response(&GOOD.replace("tag=d", "tag=")).as_bytes()), Dropped);
    assert_eq!(judge(response(&GOOD.replace("Via", "X-Via")).as_bytes()), Dropped);
    assert_eq!(judge(response(&GOOD.replace("Length: 0", "Length: x")).as_bytes()), Closed);
    for bad in [
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 20 x",
        "SIP/2.0 2000 x",
        "SIP/2.0 -20 x",
        "SIP/2.0",
        "SIP/3.0 200 OK",
    ] {
        let message = GOOD.replace("OPTIONS sip:erin@example.net SIP/2.0", bad);
        assert_eq!(judge(message.as_bytes()), Dropped, "{bad}");
    }
}

#[test]
fn without_a_via_the_connection_is_closed() {
    check("Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-m\r\n", "", Closed);
    check("Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-m", "Via: nonsense", Closed);
    check("Via:", "Via", Closed);
    // DEC-3: its beginning could be read, so there is somebody to answer.
    check("192.0.2.1;branch=z9hG4bK-m", "192.0.2.1;;", Refused(400));
}

#[test]
fn missing_fields_are_refused_with_what_is_there() {
    for line in [
        "From: <sip:dana@example.com>;tag=d\r\n",
        "To: <sip:erin@example.net>\r\n",
        "Call-ID: m@192.0.2.1\r\n",
        "CSeq: 7 OPTIONS\r\n",
    ] {
        check(line, "", Refused(400));
    }
    check("Max-Forwards: 70\r\n", "", Accepted);
    check(";tag=d", "", Accepted);
    check(";branch=z9hG4bK-m", "", Accepted);
}

#[test]
fn start_lines_have_one_form() {
    for bad in [
        "OPTIONS  sip:erin@example.net SIP/2.0",
        "OPTIONS sip:erin@example.net  SIP/2.0",
        "OPTIONS sip:erin@example.net SIP/2.0 ",
        " OPTIONS sip:erin@example.net SIP/2.0",
        "OPTIONS\tsip:erin@example.net SIP/2.0",
        "OPTIONS sip:erin@example.net",
        "OPTIONS sip:erin@example.net SIP/2.",
        "OPTIONS sip:erin@example.net SIP/x.0",
        "OPTIONS SIP/2.0",
        "OPTIONS",
        "OPTIONS <sip:erin@example.net> SIP/2.0",
        "OPTIONS sip:er%in@example.net SIP/2.0",
        "OPTIONS sip:er%4@example.net SIP/2.0",
        "OPT(IONS sip:erin@example.net SIP/2.0",
        "OPTIONS erin SIP/2.0",
        "OPTIONS sip: SIP/2.0",
        "OPTIONS sip:@example.net SIP/2.0",
        "OPTIONS sip:erin@ SIP/2.0",
        "OPTIONS sip:erin@example.net:0 SIP/2.0",
        "OPTIONS sip:erin@example.net:65536 SIP/2.0",
        "OPTIONS sip:erin@a@b SIP/2.0",
        "GET / HTTP/1.1",
        "OPTIONS sip:erin@example.net; SIP/2.0",
    ] {
        check("OPTIONS sip:erin@example.net SIP/2.0", bad, Refused(400));
    }
    for (version, expected) in [
        ("sip/2.0", Accepted),
        ("SIP/2.1", Refused(505)),
        ("SIP/1.0", Refused(505)),
        ("SIP/02.0", Refused(505)),
    ] {
        check("net SIP/2.0", &format!("net {version}"), expected);
    }
    // Open methods: what they mean is not for a reader of bytes to say.
    assert_eq!(judge(GOOD.replace("OPTIONS", "BENOTIFY").as_bytes()), Accepted);
}

#[test]
fn numbers_have_their_range() {
    for (cseq, expected) in [
        ("2147483647", Accepted),
        ("2147483648", Refused(400)),
        ("x", Refused(400)),
        ("-1", Refused(400)),
        ("0", Accepted),
    ] {
        check("CSeq: 7", &format!("CSeq: {cseq}"), expected);
    }
    for (hops, expected) in [
        ("0", Accepted),
        ("255", Accepted),
        ("256", Refused(400)),
        ("-1", Refused(400)),
        ("x", Refused(400)),
        ("", Refused(400)),
    ] {
        check("Forwards: 70", &format!("Forwards: {hops}"), expected);
    }
    check("CSeq: 7 OPTIONS", "CSeq: 7 INVITE", Refused(400));
}

#[test]
fn quotes_and_brackets_are_closed() {
    for bad in [
        "\"Dana <sip:dana@example.com>",
        "<sip:dana@example.com",
        "\"Dana\\\" <sip:dana@example.com>",
        "Dana sip:dana@example.com",
        "<>",
        "\"Dana\" sip:dana@example.com",
        "sip:dana@example.com>",
    ] {
        check("<sip:dana@example.com>", bad, Refused(400));
    }
    // OCEXUM-4-4
    with_line(b"Contact: <sip: um.example.com;transport=tls>;automata", Refused(400));
    with_line(b"Contact: *", Accepted);
    with_line(b"Contact: *, <sip:a@b>", Refused(400));
    with_line(b"Contact:", Refused(400));
}

#[test]
fn parameters_that_two_readers_would_read_differently_are_refused() {
    check(";tag=d", ";tag=d;tag=e", Refused(400));
    check(";branch=z9hG4bK-m", ";branch=z9hG4bK-m;Branch=z9hG4bK-n", Refused(400));
    check("sip:erin@example.net SIP", "sip:erin@example.net;opaque=app:voicemail;opaque=x SIP", Refused(400));
    check(";tag=d", ";tag=\"d\"", Refused(400));
}

#[test]
fn octets_that_are_no_text_are_kept() {
    with_line(b"Subject: caf\xe9 \xff\xfe", Accepted);
    with_line(b"Contact: \"caf\xe9\" <sip:dana@192.0.2.1>", Accepted);
    with_line(b"Contact: <sip:caf\xe9@192.0.2.1>", Refused(400));
    check("Call-ID: m@", "Call-ID: mé@", Refused(400));
}

#[test]
fn other_protocols_on_the_plain_port_are_closed() {
    // SEC-57
    assert_eq!(judge(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), Closed);
    assert_eq!(judge(b"\x16"), Closed);
    assert_eq!(judge(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), Closed);
    assert_eq!(judge(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\r\n"), Closed);
    let proxied = format!("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n{GOOD}");
    assert_eq!(judge(proxied.as_bytes()), RefusedAndClosed(400));
    // The second version begins like a keep-alive.
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    assert!(matches!(frame(signature), Framed::KeepAlive { len: 4, .. }));
    assert_eq!(judge(&signature[4..]), Closed);
    for garbage in [&b"\0"[..], b"\n", b"\rX", b"\xff\xff", b"\x80\x46\x01"] {
        assert_eq!(judge(garbage), Closed, "{garbage:?}");
    }
}

#[test]
fn an_answer_echoes_what_could_be_read() {
    let message = GOOD.replace(
        "Call-ID: m@192.0.2.1\r\n",
        "Via: SIP/2.0/UDP 192.0.2.2 ;\r\n received=192.0.2.3\r\nCall-ID: a b\r\n",
    );
    let malformed = parse(message.into_bytes().into()).unwrap_err();
    let reply = String::from_utf8(malformed.reply.unwrap().to_vec()).unwrap();
    let (start, tag_on) = reply.split_once(";tag=").unwrap();
    let expected_start = "SIP/2.0 400 Bad Request\r\n\
        Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-m\r\n\
        Via: SIP/2.0/UDP 192.0.2.2 ;\r\n received=192.0.2.3\r\n\
        From: <sip:dana@example.com>";
    assert_eq!(start, expected_start);
    let rest = tag_on.strip_prefix("d\r\nTo: <sip:erin@example.net>;tag=").unwrap();
    let (tag, rest) = rest.split_once("\r\n").unwrap();
    assert_eq!(tag.len(), 16);
    assert_eq!(rest, "Call-ID: a b\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn an_answer_repeats_no_line_that_could_split_it() {
    let message =
        GOOD.replace("Call-ID: m@192.0.2.1", "Call-ID: x\nX-Injected: y").replace("tag=d", "tag=d\0");
    let Framed::Malformed(malformed) = frame(message.as_bytes()) else { panic!("framed") };
    let reply = String::from_utf8(malformed.reply.unwrap().to_vec()).unwrap();
    assert!(!reply.contains("Injected") && !reply.contains('\0') && !reply.contains("From"));
    assert!(reply.contains("CSeq: 7 OPTIONS\r\n"));
}
