//! Parts of a message as the body of another: `message/sipfrag`, RFC 3420.

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::grammar::{self, ParseError};
use crate::header_name::HeaderName;
use crate::headers::{Field, Span, Table, fields};
use crate::limits;
use crate::message::Request;
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::parse::{StartLine, read_fragment};
use crate::status::StatusCode;
use crate::uri::{Layout, UriRef};

/// The media type, as we write it (RFC 3420 3).
pub const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// What of an INVITE tells of a call that ended before anybody answered it: who called whom, when, what about.
///
/// MISS-2: a protocol server sends a start line and these in a MESSAGE to the callee's voice mail address.
pub const MISSED_CALL_FIELDS: [HeaderName; 6] = [
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::Date,
    HeaderName::Subject,
    HeaderName::Priority,
];

/// Part of a message: perhaps its start line, some of its fields, perhaps its body.
///
/// Read by the same rules as a whole message; only nothing needs to be there.
#[derive(Clone)]
pub struct Fragment {
    octets: Bytes,
    start: Option<Start>,
    table: Table,
    body: Bytes,
}

/// What a start line says.
#[derive(Clone, Copy, Debug)]
pub enum FragmentStart<'a> {
    /// A request line.
    Request {
        /// The method.
        method: &'a Method,
        /// The Request-URI.
        uri: UriRef<'a>,
    },
    /// A status line.
    Response {
        /// The status code.
        status: StatusCode,
    },
}

#[derive(Clone)]
enum Start {
    Request { method: Method, uri: Span, uri_layout: Layout },
    Response { status: StatusCode },
}

impl Fragment {
    /// Reads the body of a message as a fragment.
    pub fn parse(octets: &Bytes) -> Result<Fragment, ParseError> {
        let octets = ended(octets);
        let mut table = Table::new();
        let head = octets.get(..limits::HEAD_MAX).unwrap_or(&octets);
        let (start, body) =
            read_fragment(head, &mut table).map_err(|defect| ParseError::new(defect.what, defect.at))?;
        let start = start.map(|start| match start {
            StartLine::Request { method, uri, uri_layout } => Start::Request { method, uri, uri_layout },
            StartLine::Response { status, reason: _ } => Start::Response { status },
        });
        let body = octets.slice(body.min(octets.len())..);
        Ok(Fragment { octets, start, table, body })
    }

    /// Writes a request's start line and its fields of these names, as they came and in the order of the names.
    pub fn of_request(request: &Request, names: &[HeaderName]) -> Bytes {
        let mut octets = BytesMut::with_capacity(512);
        octets.put_slice(format!("{} {} SIP/2.0\r\n", request.method(), request.request_uri()).as_bytes());
        for field in names.iter().flat_map(|name| request.headers().fields(name)) {
            octets.put_slice(field.line());
        }
        octets.freeze()
    }

    /// The start line, if there is one.
    pub fn start(&self) -> Option<FragmentStart<'_>> {
        self.start.as_ref().map(|start| match start {
            Start::Request { method, uri, uri_layout } => {
                FragmentStart::Request { method, uri: UriRef::checked(uri.of(&self.octets), *uri_layout) }
            }
            Start::Response { status } => FragmentStart::Response { status: *status },
        })
    }

    /// All fields, in wire order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        fields(&self.octets, &self.table)
    }

    /// The value of the first field of this name: unfolded, without white space around it.
    pub fn get(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>> {
        self.fields().find(|field| field.is(name)).map(|field| field.value())
    }

    /// The same as text, bad UTF-8 shown by replacement marks.
    pub fn get_text(&self, name: &HeaderName) -> Option<String> {
        self.get(name).map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// The address in the first field of this name, such as From or To.
    pub fn address(&self, name: &HeaderName) -> Result<Option<NameAddr<'_>>, ParseError> {
        let field = self.fields().find(|field| field.is(name));
        field.map(|field| NameAddr::parse_party(field.raw_value())).transpose()
    }

    /// What comes after the empty line.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Fragment {
    /// The start line only: fields may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.start())
    }
}

/// RFC 3420 2: the empty line is missing where there is no body; seen in the field, the last line end too.
fn ended(octets: &Bytes) -> Bytes {
    if octets.starts_with(b"\r\n") || memchr::memmem::find(octets, b"\r\n\r\n").is_some() {
        return octets.clone();
    }
    let text = grammar::trim_end(octets);
    [text, if text.is_empty() { b"\r\n" } else { b"\r\n\r\n" }].concat().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(text: &'static str) -> Result<Fragment, ParseError> {
        Fragment::parse(&Bytes::from_static(text.as_bytes()))
    }

    const INVITE: &str = "INVITE sip:alice@example.test SIP/2.0\r\n\
        Via: SIP/2.0/TLS client.test;branch=z9hG4bK1\r\n\
        s: Lunch,\r\n at noon\r\n\
        Max-Forwards: 70\r\n\
        From: \"Bob\" <sip:bob@example.test>;tag=1\r\n\
        To: <sip:alice@example.test>\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 7 INVITE\r\n\
        Authorization: Digest username=\"bob\"\r\n\
        Content-Length: 0\r\n\r\n";

    #[test]
    fn what_is_taken_of_a_request_is_read_again_as_it_was_and_nothing_else_is() {
        let request = crate::parse(Bytes::from_static(INVITE.as_bytes())).unwrap().into_request().unwrap();
        let names = [HeaderName::From, HeaderName::CallId, HeaderName::Date, HeaderName::Subject];
        let written = Fragment::of_request(&request, &names);
        assert_eq!(
            std::str::from_utf8(&written).unwrap(),
            "INVITE sip:alice@example.test SIP/2.0\r\n\
             From: \"Bob\" <sip:bob@example.test>;tag=1\r\n\
             Call-ID: a84b4c76e66710\r\n\
             s: Lunch,\r\n at noon\r\n"
        );
        let fragment = Fragment::parse(&written).unwrap();
        assert!(matches!(
            fragment.start(),
            Some(FragmentStart::Request { method: Method::Invite, uri }) if uri.as_str() == "sip:alice@example.test"
        ));
        assert_eq!(fragment.get_text(&HeaderName::CallId).unwrap(), "a84b4c76e66710");
        assert_eq!(fragment.get_text(&HeaderName::Subject).unwrap(), "Lunch, at noon");
        assert_eq!(fragment.get_text(&HeaderName::Date), None);
        let from = fragment.address(&HeaderName::From).unwrap().unwrap();
        assert_eq!(
            (from.uri.as_str(), from.display_name().unwrap().as_ref()),
            ("sip:bob@example.test", "Bob")
        );
        assert!(fragment.address(&HeaderName::To).unwrap().is_none());
        assert!(fragment.body().is_empty());
    }

    /// RFC 3420 2: everything is optional; the example of RFC 3515 4.1 is a status line alone.
    #[test]
    fn every_part_may_be_missing() {
        for text in ["SIP/2.0 100 Trying", "SIP/2.0 100 Trying\r\n", "SIP/2.0 100 Trying\r\n\r\n"] {
            let fragment = read(text).unwrap();
            assert!(
                matches!(fragment.start(), Some(FragmentStart::Response { status }) if status.as_u16() == 100)
            );
            assert_eq!(fragment.fields().count(), 0, "{text:?}");
        }
        for text in ["Call-ID: 1", "Call-ID : 1\r\n", "i:1\r\n\r\n"] {
            let fragment = read(text).unwrap();
            assert!(fragment.start().is_none(), "{text:?}");
            assert_eq!(fragment.get_text(&HeaderName::CallId).unwrap(), "1", "{text:?}");
        }
        for text in ["", "\r\n"] {
            let fragment = read(text).unwrap();
            assert!(fragment.start().is_none() && fragment.fields().next().is_none(), "{text:?}");
        }
        let fragment = read("\r\nv=0\r\n").unwrap();
        assert_eq!(fragment.body().as_ref(), b"v=0\r\n");
        let fragment = read("Subject: x\r\n\r\nbody: no field\r\n").unwrap();
        assert_eq!((fragment.fields().count(), fragment.body().as_ref()), (1, &b"body: no field\r\n"[..]));
    }

    #[test]
    fn what_would_not_be_read_in_a_message_is_not_read_here() {
        for text in [
            "no start line",
            "INVITE sip:a@b",
            "INVITE sip:a@b SIP/3.0\r\n",
            "INVITE sip:a@b SIP/2.0\r\nno field\r\n",
            "INVITE sip:a@b SIP/2.0\r\nCall-ID: 1\r\nCall-ID: 2\r\n",
            "INVITE sip:a@b SIP/2.0\nCall-ID: 1\n",
            "SIP/2.0 99 Low\r\n",
            ": x\r\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(read("From: <<>").unwrap().address(&HeaderName::From).is_err());
    }

    proptest! {
        /// Nothing that a peer sends makes the reader panic, and what was read is within the octets.
        #[test]
        fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(fragment) = Fragment::parse(&Bytes::from(octets)) {
                let _ = fragment.start();
                let _ = fragment.address(&HeaderName::From);
                prop_assert!(fragment.fields().all(|field| field.line().len() > 1));
            }
        }

        /// The same for what looks like a head.
        #[test]
        fn any_head_is_read(text in "(INVITE sip:a@b SIP/2\\.0\r\n)?([A-Za-z]{1,8} ?: ?[ -~]{0,20}\r\n ?){0,4}\r?\n?") {
            let _ = Fragment::parse(&Bytes::from(text));
        }
    }
}
