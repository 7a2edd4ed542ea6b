//! Via: RFC 3261 20.42, RFC 3581 (`rport`), RFC 5923 (`alias`).

use std::borrow::Cow;

use crate::grammar::{self, Cursor, ParseError, TOKEN};
use crate::headers::Span;
use crate::params::Params;
use crate::uri;

/// RFC 3261 8.1.1.7: what a branch begins with that identifies a transaction.
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One `via-parm`.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    /// ASCII, like the host; text is made of what is asked for.
    transport: &'a [u8],
    host: &'a [u8],
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one Via that is all of `value`.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let via = Via::read(&mut cursor)?;
        cursor.skip_lws();
        if cursor.is_end() { Ok(via) } else { Err(cursor.error("something after the Via")) }
    }

    /// Reads one Via up to a comma or the end.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let mut via = Via::read_sent_by(cursor)?;
        via.params = Params::parse_checked(cursor, |param| {
            let is_bad = |value| grammar::port(value).is_none();
            (param.is("rport") && param.raw_value().is_some_and(is_bad)).then_some("bad rport")
        })?;
        Ok(via)
    }

    /// `sent-protocol LWS sent-by`: enough to say that there is a Via.
    pub(crate) fn read_sent_by(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.skip_lws();
        for what in ["Via without a protocol name", "Via without a protocol version"] {
            if cursor.take(TOKEN).is_empty() {
                return Err(cursor.error(what));
            }
            slash(cursor)?;
        }
        let transport = cursor.take(TOKEN);
        if transport.is_empty() {
            return Err(cursor.error("Via without a transport"));
        }
        if !cursor.peek().is_some_and(grammar::is_lws) {
            return Err(cursor.error("Via without white space before sent-by"));
        }
        cursor.skip_lws();
        let (at, rest) = (cursor.at(), cursor.rest());
        let length = uri::host_length(rest).map_err(|error| error.offset(at))?;
        cursor.skip(length);
        let host = rest.get(..length).unwrap_or_default();
        let mut port = None;
        if cursor.eat_separator(b':') {
            let rest = cursor.rest();
            let length = rest.iter().position(|c| !c.is_ascii_digit()).unwrap_or(rest.len());
            let digits = rest.get(..length).unwrap_or_default();
            port = Some(grammar::port(digits).ok_or_else(|| cursor.error("bad port in sent-by"))?);
            cursor.skip(length);
        }
        Ok(Via { transport, host, port, params: Params::default() })
    }

    /// The transport of the sent-protocol, as written: any token (RFC 4475 3.1.1.10).
    pub fn transport(&self) -> &'a str {
        grammar::text(self.transport)
    }

    /// The host of the sent-by, as written.
    pub fn host(&self) -> &'a str {
        grammar::text(self.host)
    }

    /// The port of the sent-by, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The `branch` parameter. One without [`MAGIC_COOKIE`], the bare cookie, or none at all identifies
    /// no transaction (RFC 3261 17.2.3, RFC 4475 3.2.1).
    pub fn branch(&self) -> Option<&'a str> {
        self.params.plain("branch")
    }

    /// The `received` parameter.
    pub fn received(&self) -> Option<&'a str> {
        self.params.plain("received")
    }

    /// RFC 3581 3: `Some(None)` asks for it, `Some(Some(port))` gives it.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.find("rport").map(|rport| rport.raw_value().and_then(grammar::port))
    }

    /// RFC 5923 5: whether the connection may be used for requests in the other direction.
    pub fn alias(&self) -> bool {
        self.params.has("alias")
    }

    /// What the value of the named parameter says; `Some(None)` for one without a value.
    pub fn param(&self, name: &str) -> Option<Option<Cow<'a, str>>> {
        self.params.get(name)
    }

    /// All parameters.
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

/// `SLASH = SWS "/" SWS`
fn slash(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    if cursor.eat_separator(b'/') { Ok(()) } else { Err(cursor.error("Via without a slash")) }
}

/// Where a checked Via stands in its message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViaLayout {
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
}

impl ViaLayout {
    pub(crate) fn of(message: &[u8], via: Via<'_>) -> Self {
        ViaLayout {
            transport: Span::within(message, via.transport),
            host: Span::within(message, via.host),
            port: via.port,
            params: Span::within(message, via.params.as_octets()),
        }
    }

    pub(crate) fn view<'a>(&self, message: &'a [u8]) -> Via<'a> {
        Via {
            transport: self.transport.of(message),
            host: self.host.of(message),
            port: self.port,
            params: Params::checked(self.params.of(message)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_via_says_where_the_answer_goes() {
        let via =
            Via::parse(b"SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bK-1;rport;alias;received=192.0.2.1")
                .unwrap();
        assert_eq!((via.transport(), via.host(), via.port()), ("TLS", "[2001:db8::9]", Some(5061)));
        assert_eq!((via.branch(), via.received()), (Some("z9hG4bK-1"), Some("192.0.2.1")));
        assert_eq!((via.rport(), via.alias()), (Some(None), true));
        let via = Via::parse(b"SIP / 2.0 / TCP a : 5070 ;rport=5").unwrap();
        assert_eq!(
            (via.port(), via.rport(), via.branch(), via.alias()),
            (Some(5070), Some(Some(5)), None, false)
        );
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for bad in [
            "",
            "SIP",
            "SIP/2.0",
            "SIP/2.0/TCP",
            "SIP/2.0/TCP ",
            "SIP/2.0/TCPa",
            "SIP/2.0 a",
            "/2.0/TCP a",
            "SIP/2.0/TCP :5060",
            "SIP/2.0/TCP a:",
            "SIP/2.0/TCP a:x",
            "SIP/2.0/TCP a:65536",
            "SIP/2.0/TCP a b",
            "SIP/2.0/TCP [::1",
            "SIP/2.0/TCP ::1",
            "SIP/2.0/TCP a;",
            "SIP/2.0/TCP a;rport=x",
            "SIP/2.0/TCP a;rport=65536",
            "SIP/2.0/TCP a,",
            "SIP/2.0/TCP a;branch=",
        ] {
            assert!(Via::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
