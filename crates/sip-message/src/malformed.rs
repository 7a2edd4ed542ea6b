//! What malformed bytes get: one table from defect to answer (M1 to M8).
//!
//! Whenever one Via can be read, a malformed request is answered with what of it could be read; the
//! connection is closed without an answer only where there is no Via, or where framing is lost. An ACK
//! is never answered, and neither is a response.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::grammar::{self, Cursor, TOKEN};
use crate::header_name::{HeaderName, Known};
use crate::name_addr::NameAddr;
use crate::status::StatusCode;
use crate::via::Via;

/// Octets that are no message, and what to do about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub what: &'static str,
    /// Where, counted from the beginning of the message.
    pub at: usize,
    /// The answer to send, ready to be sent; `None` where there is none to send.
    pub reply: Option<Bytes>,
    /// Whether the connection must be closed, after the answer if there is one.
    pub close: bool,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}", self.what, self.at)
    }
}

impl std::error::Error for Malformed {}

/// What is wrong with a message, before it is known what can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Defect {
    pub(crate) what: &'static str,
    pub(crate) at: usize,
    pub(crate) status: StatusCode,
    /// Whether what follows on the connection cannot be trusted any more.
    pub(crate) close: bool,
}

impl Defect {
    /// A defect of one message: the next one may be all right.
    pub(crate) const fn of_message(what: &'static str, at: usize) -> Self {
        Defect { what, at, status: StatusCode::BAD_REQUEST, close: false }
    }

    /// A defect after which nobody can be sure where messages begin, or who reads them how.
    pub(crate) const fn of_stream(what: &'static str, at: usize) -> Self {
        Defect { what, at, status: StatusCode::BAD_REQUEST, close: true }
    }

    pub(crate) const fn with_status(self, status: StatusCode) -> Self {
        Defect { status, ..self }
    }

    /// The verdict on a message that begins with `head`: start line and header fields, as far as known.
    pub(crate) fn of(self, head: &[u8]) -> Malformed {
        let Defect { what, at, status, close } = self;
        match Kind::of(head) {
            // RFC 3261 18.1.2, 17.1.1.3: a response is not answered, an ACK neither (M7).
            Kind::Response | Kind::Ack => Malformed { what, at, reply: None, close },
            Kind::Request => {
                let reply = echo(head, status);
                // DEC-3: without a Via nothing can be said, so the connection is all that is left.
                let close = close || reply.is_none();
                Malformed { what, at, reply, close }
            }
        }
    }
}

/// What a start line means to be, however broken it is.
enum Kind {
    Request,
    Ack,
    Response,
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        let head = grammar::trim(head);
        if head.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return Kind::Response;
        }
        let method = head.get(..grammar::span(head, TOKEN)).unwrap_or_default();
        if method == b"ACK" { Kind::Ack } else { Kind::Request }
    }
}

/// RFC 3261 8.2.6: a response made of what could be read; `None` where there is no Via to send it to.
fn echo(head: &[u8], status: StatusCode) -> Option<Bytes> {
    let fields = || Lines(head).skip(1).filter_map(Line::of);
    let first = |name: HeaderName| fields().find(|line| name.is(line.known, line.name));
    let is_via = |line: &Line<'_>| HeaderName::Via.is(line.known, line.name);
    let via = fields().find(is_via)?;
    Via::read_sent_by(&mut Cursor::new(via.value)).ok()?;

    let mut reply = BytesMut::with_capacity(512);
    reply.put_slice(format!("SIP/2.0 {status} {}\r\n", status.reason()).as_bytes());
    for line in fields().filter(is_via) {
        put_line(&mut reply, line.whole);
    }
    if let Some(from) = first(HeaderName::From) {
        put_line(&mut reply, from.whole);
    }
    if let Some(to) = first(HeaderName::To) {
        reply.put_slice(to.whole);
        // RFC 3261 8.2.6.2: without a dialog the tag only has to be the same for the same request.
        if NameAddr::parse(to.value).is_ok_and(|to| !to.params().has("tag")) {
            reply.put_slice(format!(";tag={:016x}", fingerprint(head)).as_bytes());
        }
        reply.put_slice(b"\r\n");
    }
    for name in [HeaderName::CallId, HeaderName::CSeq] {
        if let Some(line) = first(name) {
            put_line(&mut reply, line.whole);
        }
    }
    reply.put_slice(b"Content-Length: 0\r\n\r\n");
    Some(reply.freeze())
}

fn put_line(reply: &mut BytesMut, line: &[u8]) {
    reply.put_slice(line);
    reply.put_slice(b"\r\n");
}

/// FNV-1a, 64 bits: not a secret, just the same for the same octets.
fn fingerprint(octets: &[u8]) -> u64 {
    octets.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A field of a broken head that is itself in order, so that echoing it breaks nothing.
struct Line<'a> {
    known: Option<Known>,
    name: &'a [u8],
    value: &'a [u8],
    /// Without the line end and white space before it.
    whole: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        if !is_clean(line) {
            return None;
        }
        let name = line.get(..grammar::span(line, TOKEN)).filter(|name| !name.is_empty())?;
        let mut cursor = Cursor::new(line);
        cursor.skip(name.len());
        while matches!(cursor.peek(), Some(b' ' | b'\t')) {
            cursor.skip(1);
        }
        let whole = grammar::trim(line);
        cursor.eat(b':').then(|| Line {
            known: Known::from_octets(name),
            name,
            value: grammar::trim(cursor.rest()),
            whole,
        })
    }
}

/// Whether a field holds no NUL, and CR and LF only as folds.
fn is_clean(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
        match rest.get(at..) {
            Some([b'\r', b'\n', b' ' | b'\t', after @ ..]) => rest = after,
            _ => return false,
        }
    }
    true
}

/// The lines of a head up to its empty line, each with its continuations, without their line ends.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0;
        let end = memchr::memmem::find_iter(text, b"\r\n")
            .find(|&at| !matches!(text.get(at + 2), Some(b' ' | b'\t')))
            .unwrap_or(text.len());
        let line = text.get(..end).unwrap_or_default();
        self.0 = text.get(end + 2..).unwrap_or_default();
        if line.is_empty() { None } else { Some(line) }
    }
}
