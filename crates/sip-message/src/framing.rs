//! Where a message ends on a stream: RFC 3261 18.3, RFC 5626 3.5.1.
//!
//! This is the one place that reads Content-Length (M5). Whatever it cannot be sure of is refused, and
//! the connection closed, before a body is waited for.

use crate::grammar;
use crate::header_name::Known;
use crate::limits;
use crate::malformed::{Defect, Malformed};
use crate::status::StatusCode;

/// What a client sends to keep its flow alive (RFC 5626 4.4.1).
pub const PING: &[u8] = b"\r\n\r\n";
/// What a server answers to [`PING`].
pub const PONG: &[u8] = b"\r\n";

/// What stands at the beginning of the unread octets of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Framed {
    /// Not yet anything whole.
    Incomplete,
    /// A message: the next `len` octets, to be given to [`crate::parse`].
    Message {
        /// Head and body.
        len: usize,
    },
    /// A keep-alive, or an empty line before a message: to be taken off.
    KeepAlive {
        /// Which one.
        kind: KeepAlive,
        /// Its octets.
        len: usize,
    },
    /// Framing is lost: nothing more can be read from this stream.
    Malformed(Malformed),
}

/// RFC 5626 3.5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// The second CR LF of two, whether or not they came together: to be answered with [`PONG`].
    Ping,
    /// A single CR LF.
    Pong,
}

/// What a stream is in the middle of, for the limits on slow peers (SEC-60).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    /// Between messages.
    Nothing,
    /// A message has begun, its head is not whole.
    Head,
    /// The head is whole, the body is not.
    Body,
}

/// Frames one stream, however it is cut. It remembers how far it looked, so that every octet is looked
/// at once.
///
/// After [`Framed::Message`] and [`Framed::KeepAlive`], drop that many octets from the buffer.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    state: State,
    /// A single CR LF was just taken.
    half_ping: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Start,
    /// Lines are being looked for.
    Head(Head),
    /// The head is whole; so many octets make the message.
    Body { message: usize },
}

/// What is known of a head that is not whole yet.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// Where the line that is not whole begins.
    line: usize,
    /// Where to look on for its end.
    scanned: usize,
    /// Content-Length fields so far.
    lengths: usize,
    /// Where the value of the last one begins; it ends with the line before the next field.
    length_value: usize,
    /// And where that field ends; 0 while the next line may still continue it.
    length_end: usize,
    /// Where a line ended without a CR (M1). The head is read on, so that a Via may be found.
    bare_lf: Option<usize>,
}

/// What the next whole line of a head says.
enum Line {
    NotYet,
    Field,
    /// The empty line; the head has so many octets.
    End(usize),
}

impl Framer {
    /// A framer for a stream of which nothing was read.
    pub fn new() -> Self {
        Framer::default()
    }

    /// What the stream is in the middle of, after the last [`Framer::next`].
    pub fn awaiting(&self) -> Awaiting {
        match self.state {
            State::Start => Awaiting::Nothing,
            State::Head(_) => Awaiting::Head,
            State::Body { .. } => Awaiting::Body,
        }
    }

    /// Looks at the unread octets of the stream, from the end of what was framed last.
    pub fn next(&mut self, buffer: &[u8]) -> Framed {
        if let State::Start = self.state {
            match start(buffer) {
                Start::Nothing => return Framed::Incomplete,
                Start::Garbage(what) => return Framed::Malformed(Defect::of_stream(what, 0).of(&[])),
                Start::LineEnd => return self.keep_alive(buffer),
                Start::Head => {
                    self.half_ping = false;
                    self.state = State::Head(Head::default());
                }
            }
        }
        if let State::Head(mut head) = self.state {
            match head.read(buffer) {
                Ok(Some(message)) => self.state = State::Body { message },
                Ok(None) => {
                    self.state = State::Head(head);
                    return Framed::Incomplete;
                }
                Err(malformed) => return Framed::Malformed(malformed),
            }
        }
        match self.state {
            State::Body { message } if message <= buffer.len() => {
                self.state = State::Start;
                Framed::Message { len: message }
            }
            State::Start | State::Head(_) | State::Body { .. } => Framed::Incomplete,
        }
    }

    /// The buffer begins with CR LF.
    fn keep_alive(&mut self, buffer: &[u8]) -> Framed {
        let whole = buffer.starts_with(PING);
        let ping = self.half_ping || whole;
        let len = if whole && !self.half_ping { PING.len() } else { PONG.len() };
        self.half_ping = !ping;
        Framed::KeepAlive { kind: if ping { KeepAlive::Ping } else { KeepAlive::Pong }, len }
    }
}

/// Frames the beginning of a buffer without a memory of earlier looks.
pub fn frame(buffer: &[u8]) -> Framed {
    Framer::new().next(buffer)
}

enum Start {
    Nothing,
    LineEnd,
    Head,
    Garbage(&'static str),
}

/// Tells by the first octets what begins there.
fn start(buffer: &[u8]) -> Start {
    match buffer {
        [] | [b'\r'] => Start::Nothing,
        [b'\r', b'\n', ..] => Start::LineEnd,
        [b'\r', ..] | [b'\n', ..] => Start::Garbage("bare CR or bare LF before a message"),
        // The first octet of a TLS record is 22.
        [0..=0x1F | 0x7F.., ..] => Start::Garbage("octets that are not SIP"),
        _ => Start::Head,
    }
}

impl Head {
    /// Reads on, up to the end of the head; then gives the length of the whole message.
    fn read(&mut self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        let window = buffer.get(..limits::HEAD_MAX).unwrap_or(buffer);
        loop {
            match self.next_line(window) {
                Line::Field => {}
                Line::End(length) => {
                    let head = window.get(..length).unwrap_or_default();
                    return self.message_length(head).map(Some).map_err(|defect| defect.of(head));
                }
                Line::NotYet if window.len() == limits::HEAD_MAX => {
                    return Err(Defect::of_stream("head too long", limits::HEAD_MAX).of(window));
                }
                Line::NotYet => return Ok(None),
            }
        }
    }

    fn next_line(&mut self, window: &[u8]) -> Line {
        let rest = window.get(self.scanned..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'\n', rest) else {
            self.scanned = window.len();
            return Line::NotYet;
        };
        let lf = self.scanned + found;
        let line = window.get(self.line..lf).unwrap_or_default();
        let (line, bare) = match line {
            [line @ .., b'\r'] => (line, false),
            line => (line, true),
        };
        if bare && self.bare_lf.is_none() {
            self.bare_lf = Some(lf);
        }
        let is_start_line = self.line == 0;
        self.note_length(line);
        self.line = lf + 1;
        self.scanned = lf + 1;
        if line.is_empty() && !is_start_line { Line::End(lf + 1) } else { Line::Field }
    }

    /// Notes the field if it is a Content-Length, or the end of one.
    fn note_length(&mut self, line: &[u8]) {
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if self.lengths > 0 && self.length_end == 0 && !continues {
            self.length_end = self.line;
        }
        // The one field that matters here begins with one of four letters.
        if !matches!(line.first(), Some(b'c' | b'C' | b'l' | b'L')) || self.line == 0 {
            return;
        }
        let name = line.get(..grammar::span(line, grammar::TOKEN)).unwrap_or_default();
        if Known::from_octets(name) != Some(Known::ContentLength) {
            return;
        }
        let after = line.get(name.len()..).unwrap_or_default();
        let blanks = after.iter().take_while(|&&c| matches!(c, b' ' | b'\t')).count();
        // A name without its colon is refused when the message is read.
        if after.get(blanks) == Some(&b':') {
            self.lengths += 1;
            self.length_value = self.line + name.len() + blanks + 1;
            self.length_end = 0;
        }
    }

    /// M5: exactly one Content-Length of `1*9DIGIT`, within the limit.
    fn message_length(&self, head: &[u8]) -> Result<usize, Defect> {
        if let Some(at) = self.bare_lf {
            return Err(Defect::of_stream("bare LF", at));
        }
        match self.lengths {
            0 => return Err(Defect::of_stream("no Content-Length", head.len())),
            1 => {}
            _ => return Err(Defect::of_stream("Content-Length twice", self.length_value)),
        }
        let value = head.get(self.length_value..self.length_end).unwrap_or_default();
        let length = grammar::number(grammar::trim(value), limits::CONTENT_LENGTH_DIGITS_MAX);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(Defect::of_stream("bad Content-Length", self.length_value))?;
        if length > limits::BODY_MAX {
            let defect = Defect::of_stream("body too large", self.length_value);
            return Err(defect.with_status(StatusCode::REQUEST_ENTITY_TOO_LARGE));
        }
        Ok(head.len() + length)
    }
}
