//! Where the parts of a URI stand in its text: the grammar of RFC 3261 25.1 `SIP-URI` and RFC 3966 3.

use std::net::Ipv6Addr;

use super::Scheme;
use crate::grammar::{
    self, LABEL, OPAQUE, PASSWORD, ParseError, URI_HEADER, URI_PARAMETER, URI_PARAMETER_VALUE, USER,
};
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
        if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sip:")) {
            return sip(text, Scheme::Sip, 4);
        }
        let colon = memchr::memchr(b':', text).ok_or(ParseError::new("URI without a scheme", 0))?;
        let (scheme, rest) = (text.get(..colon).unwrap_or_default(), colon + 1);
        if scheme.eq_ignore_ascii_case(b"sips") {
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
        let userinfo_end = start + length;
        let user_end = escaped_end(text, start, USER)?;
        layout.has_password = text.get(user_end) == Some(&b':');
        if layout.has_password {
            let password_end = escaped_end(text, user_end + 1, PASSWORD)?;
            if password_end != userinfo_end {
                return Err(ParseError::new("character not allowed in a password", password_end));
            }
        } else if user_end != userinfo_end {
            return Err(ParseError::new("character not allowed in a user part", user_end));
        }
        if user_end == start {
            return Err(ParseError::new("empty user part", start));
        }
        layout.user = Some((offset(start), offset(user_end)));
        at = userinfo_end + 1;
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
    let mut length = 0;
    loop {
        let label = grammar::span(text.get(length..).unwrap_or_default(), LABEL);
        let dot = text.get(length + label) == Some(&b'.');
        if label == 0 && (dot || length == 0) {
            return Err(ParseError::new("bad host", length));
        }
        length += label;
        if !dot {
            return Ok(length);
        }
        length += 1;
    }
}

/// `uri-parameters = *( ";" uri-parameter )`; gives where they end.
fn params(text: &[u8], start: usize) -> Result<usize, ParseError> {
    let mut at = start;
    let mut names = Names::default();
    while text.get(at) == Some(&b';') {
        let from = at + 1;
        at = escaped_end(text, from, URI_PARAMETER)?;
        let name = text.get(from..at).unwrap_or_default();
        if text.get(at) == Some(&b'=') {
            at = escaped_end(text, at + 1, URI_PARAMETER_VALUE)?;
        }
        if !matches!(text.get(at), None | Some(b';' | b'?')) {
            return Err(ParseError::new("character not allowed in a URI parameter", at));
        }
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
    let fragment = text.iter().position(|&c| c == b'#').unwrap_or(text.len());
    check_escaped(text, colon + 1, fragment, OPAQUE, "character not allowed in a URI")?;
    if fragment < text.len() {
        check_escaped(text, fragment + 1, text.len(), OPAQUE, "character not allowed in a URI")?;
    }
    Ok(Layout::new(Scheme::Other, colon, text.len()))
}

/// Checks that a part consists of a class and of whole escapes.
fn check_escaped(
    text: &[u8],
    start: usize,
    end: usize,
    class: u16,
    what: &'static str,
) -> Result<(), ParseError> {
    let found = escaped_end(text.get(..end).unwrap_or_default(), start, class)?;
    if found == end { Ok(()) } else { Err(ParseError::new(what, found)) }
}

/// Where the run of a class and of whole escapes (`escaped = "%" HEXDIG HEXDIG`) ends that begins at
/// `start`. None of the classes has the `%`.
fn escaped_end(text: &[u8], start: usize, class: u16) -> Result<usize, ParseError> {
    let mut at = start;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let plain = grammar::span(rest, class);
        at += plain;
        match rest.get(plain..) {
            Some([b'%', first, second, ..]) if first.is_ascii_hexdigit() && second.is_ascii_hexdigit() => {
                at += 3;
            }
            Some([b'%', ..]) => return Err(ParseError::new("bad escape", at)),
            _ => return Ok(at),
        }
    }
}
