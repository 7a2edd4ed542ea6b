//! Every limit at it, one below and one above, with what is beyond. SEC-62
#![allow(clippy::unwrap_used, clippy::panic)]

mod verdict;

use umbel_sip_message::limits::{
    BODY_MAX, ELEMENTS_MAX, FIELD_MAX, FIELDS_MAX, HEAD_MAX, REQUEST_URI_MAX, URI_MAX,
};
use umbel_sip_message::{Framed, Framer, HeaderName, Uri, UriRef, frame, parse};
use verdict::Verdict::{self, *};
use verdict::judge;

const START: &str = "OPTIONS sip:erin@example.net SIP/2.0\r\n";
const FIELDS: &str = "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK-l\r\n\
    From: <sip:dana@example.com>;tag=d\r\n\
    To: <sip:erin@example.net>\r\n\
    Call-ID: l@192.0.2.1\r\n\
    CSeq: 7 OPTIONS\r\n";
const END: &str = "Content-Length: 0\r\n\r\n";

/// The verdicts one below, at, and one above a limit.
#[track_caller]
fn around(limit: usize, message: impl Fn(usize) -> String, beyond: Verdict) {
    for (size, expected) in [(limit - 1, Accepted), (limit, Accepted), (limit + 1, beyond)] {
        assert_eq!(judge(message(size).as_bytes()), expected, "{size} of {limit}");
    }
}

#[test]
fn a_request_uri_beyond_4096_octets_gets_414() {
    let request = |size: usize| {
        let uri = format!("sip:{}@example.net", "u".repeat(size - "sip:@example.net".len()));
        assert_eq!(uri.len(), size);
        format!("OPTIONS {uri} SIP/2.0\r\n{FIELDS}{END}")
    };
    around(REQUEST_URI_MAX, request, Refused(414));
}

#[test]
fn a_field_beyond_8192_octets_gets_400_and_close() {
    let request = |size: usize| format!("{START}{FIELDS}X: {}\r\n{END}", "x".repeat(size - "X: ".len()));
    around(FIELD_MAX, request, RefusedAndClosed(400));
}

#[test]
fn a_folded_field_is_measured_unfolded() {
    let request = |size: usize| {
        let value = format!("{}\r\n\t   y", "x".repeat(size - "X:  y".len()));
        format!("{START}{FIELDS}X: {value}\r\n{END}")
    };
    around(FIELD_MAX, request, RefusedAndClosed(400));
}

#[test]
fn more_than_256_fields_get_400_and_close() {
    let others = FIELDS.lines().count() + 1;
    let request = |count: usize| format!("{START}{FIELDS}{}{END}", "X: y\r\n".repeat(count - others));
    around(FIELDS_MAX, request, RefusedAndClosed(400));
}

#[test]
fn a_head_beyond_65536_octets_gets_400_and_close() {
    let request = |size: usize| {
        let mut head = format!("{START}{FIELDS}");
        let line = format!("X: {}\r\n", "x".repeat(8_000));
        while head.len() + line.len() + END.len() + 100 < size {
            head.push_str(&line);
        }
        let left = size - head.len() - END.len();
        head.push_str(&format!("Y: {}\r\n", "y".repeat(left - "Y: \r\n".len())));
        head.push_str(END);
        assert_eq!(head.len(), size);
        head
    };
    around(HEAD_MAX, request, RefusedAndClosed(400));
}

#[test]
fn a_head_without_an_end_is_refused_at_the_limit() {
    let endless = format!("{START}{FIELDS}X: {}", "x".repeat(HEAD_MAX));
    let octets = endless.as_bytes();
    assert_eq!(frame(&octets[..HEAD_MAX - 1]), Framed::Incomplete);
    assert_eq!(judge(&octets[..HEAD_MAX]), RefusedAndClosed(400));
}

#[test]
fn a_body_beyond_262144_octets_gets_413_and_close() {
    let request = |size: usize| {
        let end = format!("Content-Length: {size}\r\n\r\n{}", "b".repeat(size));
        format!("{START}{FIELDS}Content-Type: text/plain\r\n{end}")
    };
    around(BODY_MAX, request, RefusedAndClosed(413));
}

#[test]
fn a_uri_is_no_longer_than_the_field_that_may_hold_it() {
    for (size, accepted) in [(URI_MAX - 1, true), (URI_MAX, true), (URI_MAX + 1, false)] {
        let text = format!("sip:{}@example.net", "u".repeat(size - "sip:@example.net".len()));
        assert_eq!(text.parse::<Uri>().is_ok(), accepted, "{size}");
    }
}

#[test]
fn a_uri_has_at_most_64_parameters() {
    for (count, accepted) in [(63, true), (64, true), (65, false)] {
        let params: String = (0..count).map(|i| format!(";p{i}=v")).collect();
        assert_eq!(UriRef::parse(&format!("sip:a@b{params}")).is_ok(), accepted, "{count}");
    }
}

#[test]
fn a_list_of_more_than_256_elements_is_an_error_to_its_reader() {
    for (count, accepted) in [(ELEMENTS_MAX - 1, true), (ELEMENTS_MAX, true), (ELEMENTS_MAX + 1, false)] {
        let list = vec!["<sip:a@b>"; count].join(",");
        let message = format!("{START}{FIELDS}Diversion: {list}\r\nRoute: {list}\r\n{END}");
        let message = parse(message.into_bytes().into()).unwrap();
        assert_eq!(message.headers().diversions().is_ok(), accepted, "{count}");
        assert_eq!(message.headers().addresses(&HeaderName::Route).is_ok(), accepted, "{count}");
    }
}

#[test]
fn ten_digits_of_length_are_one_too_many() {
    for (digits, expected) in
        [("00000000", Accepted), ("000000000", Accepted), ("0000000000", RefusedAndClosed(400))]
    {
        let message = format!("{START}{FIELDS}Content-Length: {digits}\r\n\r\n");
        assert_eq!(judge(message.as_bytes()), expected, "{digits}");
    }
}

#[test]
fn octet_by_octet_costs_no_more_than_all_at_once() {
    // A framer that began anew each time would look at two thousand million octets here.
    let endless = format!("{START}X: {}", "x".repeat(HEAD_MAX));
    let mut framer = Framer::new();
    for end in 1..HEAD_MAX {
        assert_eq!(framer.next(&endless.as_bytes()[..end]), Framed::Incomplete);
    }
    assert!(matches!(framer.next(&endless.as_bytes()[..HEAD_MAX]), Framed::Malformed(_)));
}
