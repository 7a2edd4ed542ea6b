//! `name-addr / addr-spec` with header parameters, as in From, To, Contact, Route and many more.

use std::borrow::Cow;
use std::fmt;

use crate::grammar::{self, Cursor, ParseError, TOKEN};
use crate::headers::Span;
use crate::params::{Param, Params};
use crate::uri::{Layout, UriRef};

/// An address with an optional display name, and the header parameters after it.
#[derive(Clone, Copy)]
pub struct NameAddr<'a> {
    display: &'a [u8],
    /// The address.
    pub uri: UriRef<'a>,
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one address that is all of `value`.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let address = NameAddr::read(&mut cursor)?;
        cursor.skip_lws();
        if cursor.is_end() { Ok(address) } else { Err(cursor.error("something after the address")) }
    }

    /// Reads From or To.
    pub(crate) fn parse_party(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let address = NameAddr::read_checked(&mut cursor, |param| {
            (param.is("tag") && param.plain_value().is_none()).then_some("tag is not a token")
        })?;
        cursor.skip_lws();
        if !cursor.is_end() {
            return Err(cursor.error("something after the address"));
        }
        // RFC 3261 19.1.1, table 1: no header component in From and To (M6).
        if address.uri.has_headers() {
            return Err(ParseError::new("header component in From or To", 0));
        }
        Ok(address)
    }

    /// Reads one address up to a comma or the end.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        NameAddr::read_checked(cursor, |_| None)
    }

    fn read_checked(
        cursor: &mut Cursor<'a>,
        check: impl Fn(Param<'a>) -> Option<&'static str>,
    ) -> Result<Self, ParseError> {
        cursor.skip_lws();
        let display = display_name(cursor)?;
        let (at, rest) = (cursor.at(), cursor.rest());
        let uri = if cursor.eat(b'<') {
            let end = memchr::memchr(b'>', rest).ok_or_else(|| cursor.error("unbalanced angle bracket"))?;
            cursor.skip(end);
            uri(rest.get(1..end).unwrap_or_default(), at + 1)?
        } else {
            // RFC 3261 20.10: without angle brackets, parameters are the header's, not the URI's.
            let end = rest.iter().position(|&c| matches!(c, b',' | b';') || grammar::is_lws(c));
            let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            // RFC 3261 20: "If the URI contains a comma, question mark or semicolon, the URI MUST be
            // enclosed in angle brackets".
            if memchr::memchr(b'?', text).is_some() {
                return Err(ParseError::new("question mark in a URI without angle brackets", at));
            }
            cursor.skip(text.len());
            uri(text, at)?
        };
        let params = Params::parse_checked(cursor, check)?;
        Ok(NameAddr { display, uri, params })
    }

    /// The display name, unquoted; `None` where there is none. Bad UTF-8 shows as replacement marks.
    pub fn display_name(&self) -> Option<Cow<'a, str>> {
        if self.display.is_empty() {
            return None;
        }
        Some(grammar::unquote(self.display)).filter(|name| !name.is_empty())
    }

    /// The `tag` parameter of From and To.
    pub fn tag(&self) -> Option<&'a str> {
        self.params.plain("tag")
    }

    /// What the value of the named parameter says; `Some(None)` for one without a value.
    pub fn param(&self, name: &str) -> Option<Option<Cow<'a, str>>> {
        self.params.get(name)
    }

    /// The header parameters. Those of the URI are on [`NameAddr::uri`].
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

impl fmt::Debug for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} <{}>", self.display_name().unwrap_or_default(), self.uri)?;
        self.params.iter().try_for_each(|param| match param.value() {
            Some(value) => write!(f, ";{}={value:?}", param.name()),
            None => write!(f, ";{}", param.name()),
        })
    }
}

/// `display-name = *(token LWS) / quoted-string`, and leaves the cursor where the address begins.
fn display_name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    if let Some(quoted) = cursor.quoted()? {
        cursor.skip_lws();
        if cursor.peek() != Some(b'<') {
            return Err(cursor.error("quoted display name without an address in angle brackets"));
        }
        return Ok(quoted);
    }
    let rest = cursor.rest();
    // Octets above ASCII belong into quotes; there is only one way to read them outside.
    let in_name = |&c: &u8| grammar::is(c, TOKEN) || grammar::is_lws(c) || !c.is_ascii();
    let length = rest.iter().position(|c| !in_name(c)).unwrap_or(rest.len());
    match rest.get(length) {
        Some(b'<') => {
            cursor.skip(length);
            Ok(grammar::trim(rest.get(..length).unwrap_or_default()))
        }
        _ => Ok(&[]),
    }
}

fn uri(text: &[u8], at: usize) -> Result<UriRef<'_>, ParseError> {
    let layout = Layout::of(text).map_err(|error| error.offset(at))?;
    Ok(UriRef::checked(text, layout))
}

/// Where a checked address stands in its message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameAddrLayout {
    display: Span,
    uri: Span,
    uri_layout: Layout,
    params: Span,
}

impl NameAddrLayout {
    pub(crate) fn of(message: &[u8], address: NameAddr<'_>) -> Self {
        NameAddrLayout {
            display: Span::within(message, address.display),
            uri: Span::within(message, address.uri.as_octets()),
            uri_layout: address.uri.layout(),
            params: Span::within(message, address.params.as_octets()),
        }
    }

    pub(crate) fn view<'a>(&self, message: &'a [u8]) -> NameAddr<'a> {
        NameAddr {
            display: self.display.of(message),
            uri: UriRef::checked(self.uri.of(message), self.uri_layout),
            params: Params::checked(self.params.of(message)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_brackets() {
        let full = NameAddr::parse(b"\"A \\\"q\\\" B\" <sip:a@b;x=1> ; tag = t ; y").unwrap();
        assert_eq!(full.display_name().unwrap(), "A \"q\" B");
        assert_eq!((full.uri.as_str(), full.tag()), ("sip:a@b;x=1", Some("t")));
        assert_eq!(full.param("Y"), Some(None));
        let bare = NameAddr::parse(b" sip:a@b;tag=t ").unwrap();
        assert_eq!((bare.display_name(), bare.uri.as_str(), bare.tag()), (None, "sip:a@b", Some("t")));
        let tokens = NameAddr::parse(b"Mr. A-B%c <tel:+1>").unwrap();
        assert_eq!(tokens.display_name().unwrap(), "Mr. A-B%c");
        assert_eq!(NameAddr::parse(b"\"\"<sip:a@b>").unwrap().display_name(), None);
    }

    #[test]
    fn octets_above_ascii_are_shown_as_well_as_they_can_be() {
        let name = |value: &'static [u8]| NameAddr::parse(value).unwrap().display_name().unwrap();
        assert_eq!(name("Jörg Müller <sip:a@b>".as_bytes()), "Jörg Müller");
        assert_eq!(name(b"\"caf\xe9\" <sip:a@b>"), "caf\u{FFFD}");
    }

    #[test]
    fn an_error_says_where() {
        assert_eq!(NameAddr::parse(b"<sip:a b@c>").unwrap_err().at, 6);
        assert_eq!(NameAddr::parse(b"\"x\" <sip:a@b> y").unwrap_err().at, 14);
        assert_eq!(NameAddr::parse(b"sip:a@b?x=y").unwrap_err().at, 0);
    }
}
