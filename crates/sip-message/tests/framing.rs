//! Properties: the same messages come out however the stream is cut, print then parse is the identity,
//! and no octets make anything panic. REL-51, REL-50
#![allow(clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use proptest::prelude::*;
use umbel_sip_message::{
    Awaiting, Draft, Framed, Framer, HeaderName, KeepAlive, Message, Method, StatusCode, parse,
};

/// What a reader of a stream hears.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Message(Bytes),
    Ping,
    Malformed(&'static str, Option<Bytes>),
}

/// Reads a stream that arrives in the given pieces, as a connection does.
fn hear(stream: &[u8], cuts: &[usize]) -> Vec<Heard> {
    let mut framer = Framer::new();
    let mut buffer = Vec::new();
    let mut heard = Vec::new();
    let mut from = 0;
    for &to in cuts.iter().chain([&stream.len()]) {
        buffer.extend_from_slice(&stream[from..to]);
        from = to;
        loop {
            match framer.next(&buffer) {
                Framed::Incomplete => break,
                Framed::Message { len } => heard.push(Heard::Message(buffer.drain(..len).collect())),
                Framed::KeepAlive { kind, len } => {
                    buffer.drain(..len);
                    if kind == KeepAlive::Ping {
                        heard.push(Heard::Ping);
                    }
                }
                Framed::Malformed(malformed) => {
                    heard.push(Heard::Malformed(malformed.what, malformed.reply));
                    return heard;
                }
            }
        }
    }
    heard
}

/// Field values of all sorts: words, folds, quotes, octets above ASCII.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~]{0,40}".prop_map(String::into_bytes),
        "[a-z ]{1,10}\r\n[ \t]{1,3}[a-z]{0,10}".prop_map(String::into_bytes),
        "\"[ !#-\\[\\]-~é☎]{0,20}\"".prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![Just(0xE9u8), 0x80..=0xFFu8, 0x20..=0x7Eu8], 0..20),
    ]
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let fields = prop::collection::vec(("X-[A-Za-z0-9.!%*_+`'~-]{1,12}", "[ \t]{0,2}", value()), 0..6);
    let body = prop::collection::vec(any::<u8>(), 0..200);
    let length_name = prop_oneof![Just("Content-Length"), Just("l"), Just("CONTENT-length \t"), Just("L")];
    let length_blank = prop_oneof![Just(""), Just(" "), Just("\r\n "), Just("\t  ")];
    let place = any::<prop::sample::Index>();
    (any::<bool>(), fields, body, length_name, length_blank, place).prop_map(
        |(request, fields, body, length_name, length_blank, place)| {
            let start = if request { "INVITE sip:erin@example.net SIP/2.0" } else { "SIP/2.0 200 OK" };
            let mut lines: Vec<Vec<u8>> = [
                "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-p",
                "f: <sip:dana@example.com>;tag=d",
                "To: <sip:erin@example.net>",
                "i: p@192.0.2.1",
                "CSeq: 1 INVITE",
                "Call-Info: <sip:x@y>",
            ]
            .map(|line| line.as_bytes().to_vec())
            .into();
            for (name, blank, value) in fields {
                lines.push([name.as_bytes(), blank.as_bytes(), b":", &value].concat());
            }
            let at = place.index(lines.len() + 1);
            lines.insert(at, format!("{length_name}:{length_blank}{}", body.len()).into_bytes());
            let mut octets = start.as_bytes().to_vec();
            for line in lines {
                octets.extend_from_slice(b"\r\n");
                octets.extend_from_slice(&line);
            }
            octets.extend_from_slice(b"\r\n\r\n");
            octets.extend_from_slice(&body);
            octets
        },
    )
}

/// Messages, keep-alives, and now and then garbage.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => message(),
        1 => Just(b"\r\n\r\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..30),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_messages_come_out_however_the_stream_is_cut(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 15),
    ) {
        let whole = hear(&stream, &[]);
        // Five ways to cut each of 2,000 streams.
        for count in 1..=5 {
            let cuts = cuts.iter().skip(count * (count - 1) / 2).take(count);
            let mut cuts: Vec<usize> = cuts.map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.sort_unstable();
            prop_assert_eq!(&hear(&stream, &cuts), &whole);
        }
    }

    #[test]
    fn print_then_parse_is_the_identity(octets in message()) {
        let octets = Bytes::from(octets);
        let printed = match parse(octets.clone()).unwrap() {
            Message::Request(request) => Draft::forward(&request).print(),
            Message::Response(response) => Draft::forward_response(&response).print(),
        };
        prop_assert_eq!(printed, octets);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_messages_come_out_octet_by_octet(stream in stream()) {
        let every: Vec<usize> = (0..stream.len()).collect();
        prop_assert_eq!(hear(&stream, &every), hear(&stream, &[]));
    }

    #[test]
    fn what_was_written_is_what_is_read(
        name in "X-[A-Za-z0-9.!%*_+`'~-]{1,20}",
        value in any::<String>(),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let uri = "sip:erin@example.net".parse().unwrap();
        let mut draft = Draft::request(Method::Message, &uri);
        draft
            .push(HeaderName::Via, "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-w")
            .push(HeaderName::From, "<sip:dana@example.com>;tag=d")
            .push(HeaderName::To, &uri)
            .push(HeaderName::CallId, "w@192.0.2.1")
            .push(HeaderName::CSeq, "1 MESSAGE")
            .push(name.parse().unwrap(), value.as_str())
            .body("application/octet-stream", body.clone());
        // Octets that would end the line become blanks: nothing else changes.
        let expected = value.replace(['\r', '\n', '\0'], " ");
        let expected = expected.trim_matches([' ', '\t']);
        let printed = draft.print();
        prop_assert_eq!(hear(&printed, &[]), [Heard::Message(printed.clone())]);
        let read = parse(printed).unwrap();
        prop_assert_eq!(read.body(), &body);
        let found = read.headers().get(&name.parse().unwrap());
        prop_assert_eq!(found.as_deref(), Some(expected.as_bytes()));
        prop_assert_eq!(read.headers().iter().count(), 8);
    }

    #[test]
    fn no_octets_make_a_reader_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        hear(&octets, &[]);
        let _ = parse(octets.into());
    }

    #[test]
    fn no_change_to_a_message_makes_a_reader_panic(
        octets in message(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
    ) {
        let mut octets = octets;
        for (place, octet, kind) in changes {
            let at = place.index(octets.len().max(1));
            match kind {
                0 if at < octets.len() => octets[at] = octet,
                1 => octets.insert(at, octet),
                2 if at < octets.len() => { octets.remove(at); }
                _ => octets.truncate(at),
            }
        }
        hear(&octets, &[]);
        if let Ok(message) = parse(octets.into()) {
            read_everything(&message);
        }
    }
}

/// Touches every typed reader.
fn read_everything(message: &Message) {
    let headers = message.headers();
    let _ = (headers.via().branch(), headers.from().tag(), headers.to().display_name(), headers.call_id());
    let _ = (headers.contacts(), headers.diversions(), headers.history_info(), headers.asserted_identities());
    let _ = (
        headers.session_expires(),
        headers.min_se(),
        headers.rack(),
        headers.replaces(),
        headers.reason(),
        headers.event(),
    );
    let _ = (headers.content_type(), headers.retry_after(), headers.allow(), headers.vias().count());
    for field in headers.iter() {
        let _ = (field.name(), field.value(), field.line());
    }
}

#[test]
fn a_ping_is_heard_once_however_it_is_cut() {
    for cuts in [&[][..], &[1], &[2], &[3], &[1, 2, 3]] {
        assert_eq!(hear(b"\r\n\r\n", cuts), [Heard::Ping], "{cuts:?}");
        assert_eq!(hear(b"\r\n\r\n\r\n\r\n", cuts), [Heard::Ping, Heard::Ping], "{cuts:?}");
    }
    assert_eq!(hear(b"\r\n", &[]), []);
}

#[test]
fn a_framer_says_what_it_waits_for() {
    let message = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nxy";
    let mut framer = Framer::new();
    let mut after = |end: usize| {
        framer.next(&message[..end]);
        framer.awaiting()
    };
    assert_eq!(after(0), Awaiting::Nothing);
    assert_eq!(after(1), Awaiting::Head);
    assert_eq!(after(message.len() - 3), Awaiting::Head);
    assert_eq!(after(message.len() - 2), Awaiting::Body);
    assert_eq!(after(message.len() - 1), Awaiting::Body);
    assert_eq!(after(message.len()), Awaiting::Nothing);
}

#[test]
fn a_response_is_written_from_its_request() {
    let request = b"OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/TLS h;branch=1\r\nFrom: <sip:c@d>;tag=1\r\nt: sip:a@b\r\nVia: SIP/2.0/TCP i\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nX: y\r\nl: 0\r\n\r\n";
    let request = parse(Bytes::from_static(request)).unwrap().into_request().unwrap();
    let mut draft = Draft::reply(&request, StatusCode::OK);
    draft.to_tag("t1").to_tag("t2").push(HeaderName::Allow, "OPTIONS");
    let expected = "SIP/2.0 200 OK\r\nv: SIP/2.0/TLS h;branch=1\r\nVia: SIP/2.0/TCP i\r\nFrom: <sip:c@d>;tag=1\r\nTo: sip:a@b;tag=t1\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nAllow: OPTIONS\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(draft.print(), expected);
    assert_eq!(draft.into_response().unwrap().headers().to().tag(), Some("t1"));
}
