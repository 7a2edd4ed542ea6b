//! Where requests end: at the same place however the octets come, or nowhere.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use super::*;

/// Takes `text` in pieces of `piece` octets; what may be read.
fn read(text: &[u8], piece: usize) -> Result<Vec<u8>, Refused> {
    let (mut framing, mut ready) = (Framing::new(), Vec::new());
    for piece in text.chunks(piece) {
        framing.take(piece, &mut ready)?;
    }
    Ok(ready)
}

#[track_caller]
fn check(text: &str, expected: Result<&str, Refused>) {
    for piece in [1, 2, 3, 7, text.len().max(1)] {
        let found = read(text.as_bytes(), piece).map(|octets| String::from_utf8(octets).unwrap());
        assert_eq!(found.as_deref(), expected.as_ref().map(|text| *text), "in pieces of {piece}: {text:?}");
    }
}

#[track_caller]
fn passes(text: &str) {
    check(text, Ok(text));
}

#[track_caller]
fn refused(text: &str) {
    check(text, Err(Refused::Malformed));
}

#[test]
fn requests_pass_as_they_came_one_after_the_other() {
    passes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    passes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    passes("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    passes("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    passes("POST / HTTP/1.1\r\ncontent-length:5 \r\n\r\n\r\n\r\n\rGET / HTTP/1.1\r\n\r\n");
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n";
    passes(&format!("{chunked}5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
    passes(&format!("{chunked}a;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
}

#[test]
fn what_has_not_ended_is_held_back() {
    check("GET / HTTP/1.1\r\nHost: a\r\n", Ok(""));
    let mut framing = Framing::new();
    assert!(!framing.is_within_head());
    framing.take(b"GET", &mut Vec::new()).unwrap();
    assert!(framing.is_within_head());
    framing.take(b" / HTTP/1.1\r\n\r\n", &mut Vec::new()).unwrap();
    assert!(!framing.is_within_head());
}

#[test]
fn empty_lines_before_a_request_are_no_part_of_it() {
    check("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Ok("GET / HTTP/1.1\r\n\r\n"));
}

/// SEC-107
#[test]
fn whoever_gives_two_lengths_is_refused() {
    refused("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
    refused("POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello");
    refused("POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello");
    for length in ["", "-1", "+5", "5 5", "0x5", "18446744073709551615", "1000000000000000000", "５"] {
        refused(&format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\nhello"));
    }
}

/// SEC-107: an end of a line to some readers, and to others not.
#[test]
fn a_trailer_has_whole_line_ends() {
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    passes(&format!("{chunked}A: b\r\nC: d\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
    for trailer in ["X: a\n\nGET /b HTTP/1.1\r\n\r\n", "\n", "X: a\n\r\n", "X: a\r\r\n\r\n", "X: \ra\r\n\r\n"]
    {
        refused(&format!("{chunked}{trailer}"));
    }
}

/// SEC-107
#[test]
fn a_length_beside_a_coding_is_refused_in_either_order() {
    refused("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
    refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    for coding in ["gzip", "gzip, chunked", "chunked, identity", "identity", "xchunked", "", "chunked;q=1"] {
        refused(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"));
    }
    refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

/// SEC-107
#[test]
fn lines_that_end_elsewhere_for_others_are_refused() {
    refused("GET / HTTP/1.1\nHost: a\r\n\r\n");
    refused("GET / HTTP/1.1\r\nHost: a\n\r\n");
    refused("GET / HTTP/1.1\r\nX: a\rContent-Length: 5\r\n\r\n");
    refused("GET / HTTP/1.1\r\nX: a\r\n Content-Length: 5\r\n\r\n");
    refused("GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello");
    refused("GET / HTTP/1.1\r\nContent-Length\u{b}: 5\r\n\r\nhello");
    refused("GET / HTTP/1.1\r\n: 5\r\n\r\n");
    refused("GET / HTTP/1.1\r\nno colon\r\n\r\n");
    refused("GET / HTTP/1.1\r\nX: \0\r\n\r\n");
}

/// SEC-107
#[test]
fn chunks_that_others_would_measure_differently_are_refused() {
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX",
        "0x5\r\n",
        "-1\r\n",
        "\r\n",
        " 5\r\n",
        "5\rx\r\n",
        "5\r\nhello\n0",
    ] {
        refused(&format!("{chunked}{chunks}"));
    }
    refused(&format!("{chunked}{}\r\n", "0".repeat(17)));
    refused(&format!("{chunked}5;{}\r\n", "x".repeat(CHUNK_LINE_MAX)));
}

/// SEC-107: at the bound, and one octet over it.
#[test]
fn a_head_has_at_most_32_kibibytes() {
    let head = |length: usize| {
        let start = "GET / HTTP/1.1\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(length - start.len() - 4))
    };
    let longest = head(HEAD_BYTES_MAX);
    assert_eq!(read(longest.as_bytes(), 1_000), Ok(longest.clone().into_bytes()));
    assert_eq!(read(head(HEAD_BYTES_MAX + 1).as_bytes(), 1_000), Err(Refused::HeadTooLarge));
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let trailer = |length: usize| format!("{chunked}{}\r\n\r\n", "x".repeat(length - 4));
    assert!(read(trailer(TRAILER_BYTES_MAX).as_bytes(), 1_000).is_ok());
    let over = read(trailer(TRAILER_BYTES_MAX + 1).as_bytes(), 1_000);
    assert_eq!(over, Err(Refused::HeadTooLarge));
}
