//! A message being written.

mod value;
mod via;

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

pub use value::Value;

use crate::grammar;
use crate::header_name::{HeaderName, Known};
use crate::headers::Headers;
use crate::malformed::Malformed;
use crate::message::{Message, Request, Response};
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::parse::parse;
use crate::status::StatusCode;
use crate::uri::Uri;

/// A request or response before it is printed: a start line, fields in order, a body.
///
/// Fields taken from a received message stay as they were, byte for byte. [`Draft::print`] sees to
/// Content-Length, so there is no way to write a wrong one.
#[derive(Clone)]
pub struct Draft {
    start: Start,
    fields: Vec<Line>,
    /// The received message that fields were taken from.
    source: Bytes,
    /// The fields that were written here.
    written: Vec<u8>,
    body: Bytes,
}

#[derive(Clone)]
enum Start {
    Request { method: Method, uri: Uri },
    Response { status: StatusCode, reason: Option<Box<[u8]>> },
}

/// One field with its line end, in one of the two places.
#[derive(Clone, Copy)]
struct Line {
    known: Option<Known>,
    place: Place,
    start: usize,
    end: usize,
    name_length: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Source,
    Written,
}

impl Draft {
    /// A request with nothing but its start line.
    pub fn request(method: Method, uri: &Uri) -> Self {
        Draft::new(Start::Request { method, uri: uri.clone() })
    }

    /// A response with nothing but its start line.
    pub fn response(status: StatusCode) -> Self {
        Draft::new(Start::Response { status, reason: None })
    }

    /// RFC 3261 8.2.6: a response with the Vias, From, To, Call-ID and CSeq of its request. The To tag
    /// is still to be set, see [`Draft::to_tag`].
    pub fn reply(request: &Request, status: StatusCode) -> Self {
        let mut draft = Draft::response(status);
        draft.source = request.as_bytes().clone();
        let headers = request.headers();
        for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq]
        {
            draft.copy(headers, &name);
        }
        draft
    }

    /// A copy of a request, to be changed and sent on: all fields as they came.
    pub fn forward(request: &Request) -> Self {
        let uri = request.request_uri().to_uri();
        Draft::copy_of(
            Start::Request { method: request.method().clone(), uri },
            request.headers(),
            request.body(),
        )
    }

    /// A copy of a response, to be changed and sent back: all fields and the reason as they came.
    pub fn forward_response(response: &Response) -> Self {
        let start = Start::Response { status: response.status(), reason: Some(response.reason().into()) };
        Draft::copy_of(start, response.headers(), response.body())
    }

    fn new(start: Start) -> Self {
        Draft {
            start,
            fields: Vec::with_capacity(16),
            source: Bytes::new(),
            written: Vec::new(),
            body: Bytes::new(),
        }
    }

    fn copy_of(start: Start, headers: &Headers, body: &Bytes) -> Self {
        let mut draft = Draft::new(start);
        draft.source = headers.message.clone();
        draft.body = body.clone();
        draft.fields = headers.table.iter().map(Line::of).collect();
        draft
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI of a request.
    pub fn request_uri(&self) -> Option<&Uri> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// Replaces the Request-URI. A response has none, and stays as it is.
    pub fn set_request_uri(&mut self, new: &Uri) -> &mut Self {
        if let Start::Request { uri, .. } = &mut self.start {
            *uri = new.clone();
        }
        self
    }

    /// Replaces the reason phrase of a response. A request has none, and stays as it is.
    pub fn set_reason(&mut self, phrase: &str) -> &mut Self {
        if let Start::Response { reason, .. } = &mut self.start {
            *reason = Some(phrase.replace(['\r', '\n', '\0'], " ").into_bytes().into());
        }
        self
    }

    /// Adds a field after all others.
    pub fn push<'v>(&mut self, name: HeaderName, value: impl Into<Value<'v>>) -> &mut Self {
        let line = self.write(&name, &value.into());
        self.fields.push(line);
        self
    }

    /// Adds a field before all others.
    pub fn push_front<'v>(&mut self, name: HeaderName, value: impl Into<Value<'v>>) -> &mut Self {
        let line = self.write(&name, &value.into());
        self.fields.insert(0, line);
        self
    }

    /// Gives the field this value: the first of its name is replaced, others of its name go; where there
    /// is none, it is added after all others.
    pub fn set<'v>(&mut self, name: HeaderName, value: impl Into<Value<'v>>) -> &mut Self {
        let line = self.write(&name, &value.into());
        match self.fields.iter().position(|line| self.is(line, &name)) {
            Some(first) => {
                self.remove(&name);
                self.fields.insert(first, line);
            }
            None => self.fields.push(line),
        }
        self
    }

    /// Removes all fields of this name; says how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.fields.len();
        let mut fields = std::mem::take(&mut self.fields);
        fields.retain(|line| !self.is(line, name));
        self.fields = fields;
        before - self.fields.len()
    }

    /// Removes the first field of this name; says whether there was one.
    pub fn remove_first(&mut self, name: &HeaderName) -> bool {
        let first = self.fields.iter().position(|line| self.is(line, name));
        first.map(|first| self.fields.remove(first)).is_some()
    }

    /// Adds all fields of this name as they came, after all others.
    pub fn copy(&mut self, headers: &Headers, name: &HeaderName) -> &mut Self {
        let shared =
            self.source.as_ptr() == headers.message.as_ptr() && self.source.len() == headers.message.len();
        for entry in headers.table.iter() {
            let line = Line::of(entry);
            let octets = entry.line.of(&headers.message);
            if !name.is(entry.known, octets.get(..line.name_length).unwrap_or_default()) {
                continue;
            }
            let line = if shared { line } else { self.write_line(line.known, line.name_length, octets) };
            self.fields.push(line);
        }
        self
    }

    /// Adds `;tag=` to To, unless it has a tag (RFC 3261 8.2.6.2).
    pub fn to_tag(&mut self, tag: &str) -> &mut Self {
        let Some(value) = self.header(&HeaderName::To) else { return self };
        let tagged = NameAddr::parse(value).is_ok_and(|to| to.params().has("tag"));
        if !tagged {
            let value = [value, b";tag=", tag.as_bytes()].concat();
            self.set(HeaderName::To, value);
        }
        self
    }

    /// Gives the message this body, and the Content-Type that says what it is.
    pub fn body(&mut self, content_type: &str, body: impl Into<Bytes>) -> &mut Self {
        self.body = body.into();
        self.set(HeaderName::ContentType, content_type)
    }

    /// Takes the body away, with the fields that describe it (RFC 3261 7.4).
    pub fn remove_body(&mut self) -> &mut Self {
        self.body = Bytes::new();
        let described_by = [
            HeaderName::ContentType,
            HeaderName::ContentLength,
            HeaderName::ContentEncoding,
            HeaderName::ContentDisposition,
            HeaderName::ContentLanguage,
        ];
        for name in described_by {
            self.remove(&name);
        }
        self
    }

    /// The value of the first field of this name: without white space around it, folds inside are kept.
    pub fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        self.fields.iter().find(|line| self.is(line, name)).map(|line| self.value(line))
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &HeaderName) -> bool {
        self.fields.iter().any(|line| self.is(line, name))
    }

    /// The message as it is sent. Content-Length is that of the body, whatever was pushed.
    pub fn print(&self) -> Bytes {
        let length = self.body.len();
        let keeps_length = self.has_right_length();
        let head = self.start_length() + self.fields.iter().map(|line| line.end - line.start).sum::<usize>();
        let mut printed = BytesMut::with_capacity(head + length + "Content-Length: 123456789\r\n\r\n".len());
        self.print_start(&mut printed);
        let wanted = |line: &&Line| keeps_length || line.known != Some(Known::ContentLength);
        let mut lines = self.fields.iter().filter(wanted).peekable();
        while let Some(line) = lines.next() {
            // Neighbours in the source are one piece.
            let mut end = line.end;
            while let Some(next) = lines.next_if(|next| next.place == line.place && next.start == end) {
                end = next.end;
            }
            printed.put_slice(self.place(line.place).get(line.start..end).unwrap_or_default());
        }
        if !keeps_length {
            printed.put_slice(b"Content-Length: ");
            put_decimal(&mut printed, length);
            printed.put_slice(b"\r\n");
        }
        printed.put_slice(b"\r\n");
        printed.put_slice(&self.body);
        printed.freeze()
    }

    /// Reads the printed message again.
    pub fn into_message(self) -> Result<Message, Malformed> {
        parse(self.print())
    }

    /// Reads the printed message again; `None` where it is no request.
    pub fn into_request(self) -> Option<Request> {
        self.into_message().ok()?.into_request()
    }

    /// Reads the printed message again; `None` where it is no response.
    pub fn into_response(self) -> Option<Response> {
        self.into_message().ok()?.into_response()
    }

    fn start_length(&self) -> usize {
        match &self.start {
            Start::Request { method, uri } => {
                method.as_str().len() + uri.as_str().len() + " SIP/2.0\r\n".len() + 1
            }
            Start::Response { status, reason } => {
                reason.as_deref().unwrap_or(status.reason().as_bytes()).len() + "SIP/2.0 200 \r\n".len()
            }
        }
    }

    fn print_start(&self, printed: &mut BytesMut) {
        match &self.start {
            Start::Request { method, uri } => {
                printed.put_slice(method.as_str().as_bytes());
                printed.put_u8(b' ');
                printed.put_slice(uri.as_str().as_bytes());
                printed.put_slice(b" SIP/2.0\r\n");
            }
            Start::Response { status, reason } => {
                printed.put_slice(b"SIP/2.0 ");
                put_decimal(printed, usize::from(status.as_u16()));
                printed.put_u8(b' ');
                printed.put_slice(reason.as_deref().unwrap_or(status.reason().as_bytes()));
                printed.put_slice(b"\r\n");
            }
        }
    }

    /// Whether the fields have exactly one Content-Length, and it is the body's.
    fn has_right_length(&self) -> bool {
        let mut lengths = self.fields.iter().filter(|line| line.known == Some(Known::ContentLength));
        match (lengths.next(), lengths.next()) {
            (Some(line), None) => grammar::number(self.value(line), 9) == u64::try_from(self.body.len()).ok(),
            _ => false,
        }
    }

    fn place(&self, place: Place) -> &[u8] {
        match place {
            Place::Source => &self.source,
            Place::Written => &self.written,
        }
    }

    fn octets(&self, line: &Line) -> &[u8] {
        self.place(line.place).get(line.start..line.end).unwrap_or_default()
    }

    fn value(&self, line: &Line) -> &[u8] {
        let after_name = self.octets(line).get(line.name_length..).unwrap_or_default();
        let colon = memchr::memchr(b':', after_name).unwrap_or(after_name.len());
        grammar::trim(after_name.get(colon + 1..).unwrap_or_default())
    }

    fn is(&self, line: &Line, name: &HeaderName) -> bool {
        name.is(line.known, self.octets(line).get(..line.name_length).unwrap_or_default())
    }

    fn write(&mut self, name: &HeaderName, value: &Value<'_>) -> Line {
        let start = self.written.len();
        let text = name.as_str().as_bytes();
        for part in [text, b": ", value.as_octets(), b"\r\n"] {
            self.written.extend_from_slice(part);
        }
        let end = self.written.len();
        Line { known: name.known(), place: Place::Written, start, end, name_length: text.len() }
    }

    fn write_line(&mut self, known: Option<Known>, name_length: usize, octets: &[u8]) -> Line {
        let start = self.written.len();
        self.written.extend_from_slice(octets);
        Line { known, place: Place::Written, start, end: self.written.len(), name_length }
    }
}

impl Line {
    fn of(entry: &crate::headers::Entry) -> Self {
        let crate::headers::Entry { known, line, name_length, .. } = entry;
        let (start, end) = (line.start(), line.end());
        Line { known: *known, place: Place::Source, start, end, name_length: usize::from(*name_length) }
    }
}

/// Formatting machinery is slow where all that is wanted is a small number.
fn put_decimal(printed: &mut BytesMut, mut number: usize) {
    let mut digits = [0u8; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    printed.put_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

impl fmt::Debug for Draft {
    /// The start line: the rest may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            Start::Request { method, uri } => write!(f, "{method} {uri}"),
            Start::Response { status, .. } => write!(f, "{status:?}"),
        }
    }
}
