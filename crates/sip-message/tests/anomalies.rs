//! Generated INVITE anomalies: every element of a message empty, long, repeated, cut off, and filled
//! with format text, edges of integers and bad UTF-8. REL-49
//!
//! Each gets an outcome that the table of bad input knows, quickly, and leaves the reader able to read
//! the next message.
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "measures that nothing takes long")]

mod verdict;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use umbel_sip_message::{Framed, Message, frame, parse};
use verdict::Verdict::{self, *};
use verdict::judge;

const BODY: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// An INVITE taken apart: `{...}` is an element, everything else stands as it is.
const TEMPLATE: &str = "{INVITE}{ }{sip}:{erin}@{example.net}:{5060};{transport}={tcp}{ }{SIP}/{2.0}{\r\n}\
    {Via}: {SIP}/{2.0}/{TCP}{ }{192.0.2.1}:{5060};{branch}={z9hG4bK-an};{rport}{\r\n}\
    {Max-Forwards}:{ }{70}{\r\n}\
    {From}: {\"Dana D\"}{ }<{sip}:{dana}@{example.com}>;{tag}={d1};{epid}={0a}{\r\n}\
    {To}: <{sip:erin@example.net}>{\r\n}\
    {Call-ID}: {an}@{192.0.2.1}{\r\n}\
    {CSeq}: {1}{ }{INVITE}{\r\n}\
    {Contact}: {<}{sip:dana@192.0.2.1;transport=tcp}{>};{q}={0.5}{\r\n}\
    {Diversion}: {<sip:erin@example.net>};{reason}={no-answer};{counter}={1}{\r\n}\
    {History-Info}: <{sip:erin@example.net?Reason=SIP%3Bcause%3D408}>;{index}={1}{\r\n}\
    {P-Asserted-Identity}: {<sip:dana@example.com>}{\r\n}\
    {Session-Expires}: {1800};{refresher}={uac}{\r\n}\
    {Supported}: {timer}, {100rel}{\r\n}\
    {Ms-Exchange-Command}: {skip-pin}{\r\n}\
    {Subject}: {hello}{\r\n}\
    {Content-Type}: {application}/{sdp}{\r\n}\
    {Content-Length}: {LENGTH}{\r\n}\
    {\r\n}";

/// The template as pieces: whether it is an element, and its text.
fn pieces() -> Vec<(bool, String)> {
    let mut pieces = Vec::new();
    for part in TEMPLATE.split('}') {
        let (plain, element) = part.split_once('{').unwrap_or((part, ""));
        pieces.push((false, plain.to_owned()));
        if !element.is_empty() {
            pieces.push((true, element.replace("LENGTH", &BODY.len().to_string())));
        }
    }
    pieces
}

/// What an element is replaced by.
fn variants(element: &str) -> Vec<Vec<u8>> {
    let mut variants: Vec<Vec<u8>> = vec![
        Vec::new(),
        element.repeat(2).into_bytes(),
        element.repeat(9_000 / element.len()).into_bytes(),
        format!("{element}{element},{element};{element}").into_bytes(),
        element.as_bytes()[..element.len() / 2].to_vec(),
        element.to_uppercase().into_bytes(),
        format!("{element}\0").into_bytes(),
        format!("{element}\r").into_bytes(),
        format!("{element}\n").into_bytes(),
        format!("{element}\r\n ").into_bytes(),
        format!("\r\n\t{element}").into_bytes(),
        format!("{element}\r\nX-Injected: y").into_bytes(),
    ];
    let texts = [
        " ",
        "\t",
        "%",
        "%s%s%s%n",
        "%00",
        "%zz",
        "\"",
        "\\",
        "<",
        ">",
        "<>",
        "(",
        ",",
        ";",
        ";;",
        ":",
        "=",
        "@",
        "?",
        "/",
        "*",
        "0",
        "-1",
        "+1",
        "00000000000000000001",
        "255",
        "256",
        "65535",
        "65536",
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775808",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "1.5",
        "1e9",
        "0x10",
        "../../etc/passwd",
        "$(id)",
        "' OR 1=1",
        "a".repeat(300).as_str(),
        "[",
        "[::1]",
        "[::1",
        "é",
        "\u{202e}",
        "\u{feff}",
    ]
    .map(|text| text.as_bytes().to_vec());
    variants.extend(texts);
    let octets: [&[u8]; 8] =
        [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x82", b"\x7f", b"\x01"];
    variants.extend(octets.map(<[u8]>::to_vec));
    variants
}

/// All anomalies, in order; the name says which element became what.
fn anomalies() -> Vec<(String, Vec<u8>)> {
    let pieces = pieces();
    let mut anomalies = Vec::new();
    for (place, (is_element, element)) in pieces.iter().enumerate() {
        if !is_element {
            continue;
        }
        for variant in variants(element) {
            let mut message = Vec::new();
            for (other, (_, text)) in pieces.iter().enumerate() {
                message.extend_from_slice(if other == place { &variant } else { text.as_bytes() });
            }
            message.extend_from_slice(BODY.as_bytes());
            let shown: String = String::from_utf8_lossy(&variant).chars().take(30).collect();
            anomalies.push((format!("element {place} {element:?} became {shown:?}"), message));
        }
    }
    anomalies
}

/// Runs one; touches every reader where the message was accepted.
fn run(name: &str, message: &[u8]) -> Verdict {
    let start = Instant::now();
    let verdict = judge(message);
    if let Framed::Message { len } = frame(message)
        && let Ok(message) = parse(message[..len].to_vec().into())
    {
        read_everything(&message);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{name}: took too long");
    match verdict {
        Accepted | Waited | Closed | Dropped | Refused(400 | 414 | 505) | RefusedAndClosed(400 | 413) => {
            verdict
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn read_everything(message: &Message) {
    let headers = message.headers();
    let uris = [headers.from().uri, headers.to().uri];
    let _ = uris
        .map(|uri| (uri.user_decoded().is_some(), uri.address_of_record().is_some(), uri.params().count()));
    assert!(uris[0].is_equivalent(&uris[0]), "a URI is equivalent to itself");
    let _ = (headers.via().rport(), headers.vias().count(), headers.contacts().is_ok(), headers.subject());
    let _ = (
        headers.diversions().is_ok(),
        headers.history_info().map(|entries| entries.iter().all(|entry| entry.reasons().is_empty())),
    );
    let _ = (
        headers.asserted_identities().is_ok(),
        headers.session_expires().is_ok(),
        headers.supported().count(),
    );
    let _ = (headers.content_type().is_ok(), headers.expires().is_ok(), headers.allow());
}

#[test]
fn an_unchanged_message_is_no_anomaly() {
    let message: String = pieces().into_iter().map(|(_, text)| text).collect();
    let message = [message.as_bytes(), BODY.as_bytes()].concat();
    assert_eq!(judge(&message), Accepted);
    let headers = parse(message.into()).unwrap();
    assert_eq!(headers.headers().iter().count(), 16);
    assert_eq!(headers.body(), BODY.as_bytes());
}

#[test]
fn every_anomaly_gets_an_outcome_of_the_table() {
    let anomalies = anomalies();
    assert!(anomalies.len() >= 4_500, "only {}", anomalies.len());
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (name, message) in &anomalies {
        *outcomes.entry(format!("{:?}", run(name, message))).or_default() += 1;
    }
    // Neither too strict nor too lenient: all three happen often.
    for outcome in ["Accepted", "Refused(400)", "RefusedAndClosed(400)"] {
        assert!(outcomes.get(outcome).is_some_and(|&count| count > 300), "{outcomes:?}");
    }
}

#[test]
fn a_message_cut_off_anywhere_is_waited_for_or_refused() {
    let message: String = pieces().into_iter().map(|(_, text)| text).collect();
    let message = [message.as_bytes(), BODY.as_bytes()].concat();
    for end in 0..message.len() {
        assert_eq!(judge(&message[..end]), Waited, "cut at {end}");
        // And as a frame that somebody else cut there.
        if parse(message[..end].to_vec().into()).is_ok() {
            assert!(end + BODY.len() >= message.len(), "cut at {end}");
        }
    }
}

#[test]
fn the_next_message_is_read_after_one_that_was_refused() {
    let good: String = pieces().into_iter().map(|(_, text)| text).collect();
    let good = [good.as_bytes(), BODY.as_bytes()].concat();
    let mut followed = 0;
    for (name, bad) in anomalies().iter().step_by(7) {
        let Framed::Message { len } = frame(bad) else { continue };
        if !matches!(judge(bad), Refused(_)) || len != bad.len() {
            continue;
        }
        let stream = [&bad[..], &good].concat();
        assert_eq!(frame(&stream), Framed::Message { len }, "{name}");
        assert_eq!(judge(&stream[len..]), Accepted, "{name}");
        followed += 1;
    }
    assert!(followed > 100, "only {followed}");
}
