//! Media types: RFC 3261 25.1 `media-type`, as in Content-Type and Accept.

use std::borrow::Cow;

use crate::grammar::{Cursor, ParseError};
use crate::params::Params;

/// A media type with its parameters.
#[derive(Clone, Copy, Debug)]
pub struct MediaType<'a> {
    /// Such as `application`, as written.
    pub kind: &'a str,
    /// Such as `sdp`, as written.
    pub subtype: &'a str,
    params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// `m-type SLASH m-subtype *( SEMI m-parameter )`
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        let kind = cursor.token("media type without a type")?;
        if !cursor.eat_separator(b'/') {
            return Err(cursor.error("media type without a slash"));
        }
        let subtype = cursor.token("media type without a subtype")?;
        let params = Params::parse(&mut cursor)?;
        cursor.skip_lws();
        if cursor.is_end() {
            Ok(MediaType { kind, subtype, params })
        } else {
            Err(cursor.error("something after the media type"))
        }
    }

    /// Whether this is the named type, compared without case and without parameters.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// What the value of the named parameter says.
    pub fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        self.params.get(name).flatten()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_media_type_is_compared_without_case() {
        let sdp = MediaType::parse(b"Application / SDP ; charset=\"utf-8\"").unwrap();
        assert!(sdp.is("application", "sdp"));
        assert!(!sdp.is("application", "sdpx"));
        assert_eq!(sdp.param("Charset").unwrap(), "utf-8");
        for bad in [&b""[..], b"application", b"application/", b"/sdp", b"a/b c", b"a/b;;"] {
            assert!(MediaType::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
