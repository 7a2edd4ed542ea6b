//! Where the parts of a URI stand in its text: the grammar of RFC 3261 25.1 `SIP-URI` and RFC 3966 3.

use std::net::Ipv6Addr;

use super::Scheme;
use crate::grammar::{self, HOST, PASSWORD, ParseError, TOKEN, URI_HEADER, URI_PARAMETER, USER};
use crate::limits;
use crate::params::Names;

/// Offsets into a URI that was checked; 16 bits are enough for [`limits::URI_MAX`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) scheme: Scheme,
    pub(crate) has_password: bool,
    /// Where the colon after the scheme is.
    pub(crate) scheme_end: u16,
    pub(crate) user: Option<(u16, u16)>,
    pub(crate) host: (u16, u16),
    pub(crate) port: Option<u16>,
    /// Where the first parameter's semicolon is, or would be.
    pub(crate) params: u16,
    /// Where the question mark is, or would be.
    pub(crate) headers: u16,
    pub(crate) end: u16,
}

impl Layout {
    /// Checks that all of `text` is a URI.
    pub(crate) fn of(text: &[u8]) -> Result<Self, ParseError> {
        if text.len() > limits::URI_MAX {
            return Err(ParseError::new("URI too long", limits::URI_MAX));
        }
        let colon = memchr::memchr(b':', text).ok_or(ParseError::new("URI without a scheme", 0))?;
        let (scheme, rest) = (text.get(..colon).unwrap_or_default(), colon + 1);
        if scheme.eq_ignore_ascii_case(b"sip") {
            sip(text, Scheme::Sip, rest)
        } else if scheme.eq_ignore_ascii_case(b"sips") {
            sip(text, Scheme::Sips, rest)
        } else if scheme.eq_ignore_ascii_case(b"tel") {
            tel(text, rest)
        } else {
            other(text, colon)
        }
    }

    fn new(scheme: Scheme, scheme_end: usize, end: usize) -> Self {
        let end = offset(end);
        Layout {
            scheme,
            has_password: false,
            scheme_end: offset(scheme_end),
            user: None,
            host: (end, end),
            port: None,
            params: end,
            headers: end,
            end,
        }
    }
}

/// The length was checked before, so nothing saturates.
fn offset(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// `SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ]`
fn sip(text: &[u8], scheme: Scheme, start: usize) -> Result<Layout, ParseError> {
    let mut layout = Layout::new(scheme, start - 1, text.len());
    // The first unescaped "@" ends the userinfo. A second one is allowed nowhere, so that no two
    // readers can disagree on which host is meant.
    let rest = text.get(start..).unwrap_or_default();
    let mut at = start;
    if let Some(length) = memchr::memchr(b'@', rest) {
        at = start + length + 1;
        let userinfo = rest.get(..length).unwrap_or_default();
        let colon = memchr::memchr(b':', userinfo).unwrap_or(length);
        check_escaped(text, start, start + colon, USER, "character not allowed in a user part")?;
        if colon == 0 {
            return Err(ParseError::new("empty user part", start));
        }
        layout.has_password = colon < length;
        if layout.has_password {
            check_escaped(text, start + colon + 1, at - 1, PASSWORD, "character not allowed in a password")?;
        }
        layout.user = Some((offset(start), offset(start + colon)));
    }
    let host_length = host(text.get(at..).unwrap_or_default()).map_err(|error| error.offset(at))?;
    layout.host = (offset(at), offset(at + host_length));
    at += host_length;
    if text.get(at) == Some(&b':') {
        let digits = text.get(at + 1..).unwrap_or_default();
        let length = digits.iter().position(|c| !c.is_ascii_digit()).unwrap_or(digits.len());
        let port = grammar::port(digits.get(..length).unwrap_or_default());
        layout.port = Some(port.ok_or(ParseError::new("bad port", at))?);
        at += 1 + length;
    }
    layout.params = offset(at);
    at = params(text, at)?;
    layout.headers = offset(at);
    headers(text, at)?;
    Ok(layout)
}

/// The length of the host at the beginning of `text`.
pub(crate) fn host(text: &[u8]) -> Result<usize, ParseError> {
    if text.first() == Some(&b'[') {
        let end = memchr::memchr(b']', text).ok_or(ParseError::new("unbalanced bracket", 0))?;
        let address = grammar::text(text.get(1..end).unwrap_or_default());
        // RFC 3261 25.1 IPv6reference.
        return match address.parse::<Ipv6Addr>() {
            Ok(_) => Ok(end + 1),
            Err(_) => Err(ParseError::new("bad IPv6 address", 1)),
        };
    }
    // No label is empty; the last may be, after the dot of the root.
    let (mut length, mut in_label) = (0, false);
    while let Some(&c) = text.get(length)
        && grammar::is(c, HOST)
    {
        if c == b'.' && !in_label {
            return Err(ParseError::new("bad host", length));
        }
        in_label = c != b'.';
        length += 1;
    }
    if length == 0 { Err(ParseError::new("bad host", 0)) } else { Ok(length) }
}

/// `uri-parameters = *( ";" uri-parameter )`; gives where they end.
fn params(text: &[u8], start: usize) -> Result<usize, ParseError> {
    let mut at = start;
    let mut names = Names::default();
    while text.get(at) == Some(&b';') {
        let from = at + 1;
        let mut name_end = None;
        at = from;
        while let Some(&c) = text.get(at) {
            match c {
                b';' | b'?' => break,
                b'%' if is_escape(text.get(at + 1..at + 3)) => at += 2,
                b'%' => return Err(ParseError::new("bad escape", at)),
                b'=' => name_end = name_end.or(Some(at)),
                c if grammar::is(c, URI_PARAMETER) => {}
                _ => return Err(ParseError::new("character not allowed in a URI parameter", at)),
            }
            at += 1;
        }
        let name = text.get(from..name_end.unwrap_or(at)).unwrap_or_default();
        if name.is_empty() {
            return Err(ParseError::new("URI parameter without a name", from));
        }
        names.add(name).map_err(|what| ParseError::new(what, from))?;
    }
    match text.get(at) {
        None | Some(b'?') => Ok(at),
        Some(_) => Err(ParseError::new("character not allowed after the host", at)),
    }
}

fn is_escape(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// `headers = "?" header *( "&" header )`
fn headers(text: &[u8], start: usize) -> Result<(), ParseError> {
    if text.get(start) != Some(&b'?') {
        return Ok(());
    }
    let mut at = start + 1;
    for header in text.get(at..).unwrap_or_default().split(|&c| c == b'&') {
        let equals = memchr::memchr(b'=', header).ok_or(ParseError::new("URI header without a value", at))?;
        if equals == 0 {
            return Err(ParseError::new("URI header without a name", at));
        }
        check_escaped(text, at, at + equals, URI_HEADER, "character not allowed in a URI header")?;
        let value = at + equals + 1;
        // `=` is no part of hvalue, yet `cause=408` inside an escaped Reason is seen unescaped.
        check_escaped(
            text,
            value,
            at + header.len(),
            URI_HEADER | PASSWORD,
            "character not allowed in a URI header",
        )?;
        at += header.len() + 1;
    }
    Ok(())
}

/// RFC 3966 3: a number, with visual separators, and parameters.
fn tel(text: &[u8], start: usize) -> Result<Layout, ParseError> {
    let mut layout = Layout::new(Scheme::Tel, start - 1, text.len());
    let rest = text.get(start..).unwrap_or_default();
    let digit = |c: &u8| c.is_ascii_hexdigit() || b"+-.()*#".contains(c);
    let length = rest.iter().position(|c| !digit(c)).unwrap_or(rest.len());
    let number = rest.get(..length).unwrap_or_default();
    if !number.iter().any(|c| c.is_ascii_hexdigit() || matches!(c, b'*' | b'#')) {
        return Err(ParseError::new("tel URI without a digit", start));
    }
    layout.user = Some((offset(start), offset(start + length)));
    layout.params = offset(start + length);
    let end = params(text, start + length)?;
    if end < text.len() {
        return Err(ParseError::new("tel URI with a header component", end));
    }
    Ok(layout)
}

/// `absoluteURI`: a scheme, and characters of `uric`. What they mean is that scheme's business.
fn other(text: &[u8], colon: usize) -> Result<Layout, ParseError> {
    let scheme = text.get(..colon).unwrap_or_default();
    let letters = |c: &u8| c.is_ascii_alphanumeric() || b"+-.".contains(c);
    if !scheme.first().is_some_and(u8::is_ascii_alphabetic) || !scheme.iter().all(letters) {
        return Err(ParseError::new("bad URI scheme", 0));
    }
    if colon + 1 == text.len() {
        return Err(ParseError::new("URI with nothing but a scheme", colon));
    }
    let any = TOKEN | USER | URI_PARAMETER | URI_HEADER;
    let fragment = text.iter().position(|&c| c == b'#').unwrap_or(text.len());
    check_escaped(text, colon + 1, fragment, any, "character not allowed in a URI")?;
    if fragment < text.len() {
        check_escaped(text, fragment + 1, text.len(), any, "character not allowed in a URI")?;
    }
    Ok(Layout::new(Scheme::Other, colon, text.len()))
}

/// Checks that a part consists of a class and of whole escapes (`escaped = "%" HEXDIG HEXDIG`).
fn check_escaped(
    text: &[u8],
    start: usize,
    end: usize,
    class: u8,
    what: &'static str,
) -> Result<(), ParseError> {
    let mut rest = text.get(start..end).unwrap_or_default();
    loop {
        // `%` begins an escape, also where the class has it.
        let plain = rest.iter().position(|&c| c == b'%' || !grammar::is(c, class)).unwrap_or(rest.len());
        let at = end - rest.len() + plain;
        match rest.get(plain..) {
            None | Some([]) => return Ok(()),
            Some([b'%', first, second, after @ ..])
                if first.is_ascii_hexdigit() && second.is_ascii_hexdigit() =>
            {
                rest = after;
            }
            Some([b'%', ..]) => return Err(ParseError::new("bad escape", at)),
            Some(_) => return Err(ParseError::new(what, at)),
        }
    }
}
