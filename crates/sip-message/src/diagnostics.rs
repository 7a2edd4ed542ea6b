//! ms-diagnostics and ms-diagnostics-public: [MS-OCER] 2.2.1.

use std::fmt;

use crate::grammar::{self, Cursor, ParseError, quoted_string};
use crate::params::Params;

/// Why a request failed, for programs of the same family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// What happened; behaviour depends on this, never on the text (DIAG-4).
    pub error_id: u32,
    /// For people.
    pub reason: Option<String>,
    /// The name of the server that reports; never in ms-diagnostics-public (DIAG-2).
    pub source: Option<String>,
}

impl Diagnostics {
    /// The form of ms-diagnostics.
    pub fn new(error_id: u32, reason: &str, source: &str) -> Self {
        Diagnostics { error_id, reason: Some(reason.into()), source: Some(source.into()) }
    }

    /// The form of ms-diagnostics-public: without the source.
    #[must_use]
    pub fn public(&self) -> Self {
        Diagnostics { source: None, ..self.clone() }
    }

    /// Reads `ErrorId [ "." SubErrorId ] *( SEMI param )`, parameters in any order.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        let id = cursor.take(grammar::TOKEN);
        let mut parts = id.splitn(2, |&c| c == b'.');
        let error_id = parts.next().and_then(grammar::number_u32).ok_or(ParseError::new("bad ErrorId", 0))?;
        // An older description has a SubErrorId; nothing depends on it.
        if parts.next().is_some_and(|sub| grammar::number_u32(sub).is_none()) {
            return Err(ParseError::new("bad SubErrorId", 0));
        }
        let params = Params::parse(&mut cursor)?;
        cursor.skip_lws();
        if !cursor.is_end() {
            return Err(cursor.error("something after the diagnostics"));
        }
        let text = |name: &str| params.get(name).flatten().map(std::borrow::Cow::into_owned);
        Ok(Diagnostics { error_id, reason: text("reason"), source: text("source") })
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error_id)?;
        for (name, text) in [("reason", &self.reason), ("source", &self.source)] {
            if let Some(text) = text {
                write!(f, ";{name}={}", quoted_string(text))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_order_written_is_id_reason_source() {
        let written = Diagnostics::new(13002, "No \"target\"", "proxy.example.com").to_string();
        assert_eq!(written, r#"13002;reason="No \"target\"";source="proxy.example.com""#);
        let read = Diagnostics::parse(written.as_bytes()).unwrap();
        assert_eq!(read, Diagnostics::new(13002, "No \"target\"", "proxy.example.com"));
        assert_eq!(read.public().to_string(), r#"13002;reason="No \"target\"""#);
    }

    #[test]
    fn any_order_and_a_sub_id_are_read() {
        let read = Diagnostics::parse(b"1001.2 ; source=\"s\" ;x=y; reason=\"r\"").unwrap();
        assert_eq!(read, Diagnostics::new(1001, "r", "s"));
        for bad in [&b""[..], b"x", b"4294967296", b"1.x", b"1;reason=\"r", b"-1"] {
            assert!(Diagnostics::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        assert_eq!(Diagnostics::parse(b"4294967295").unwrap().error_id, u32::MAX);
    }
}
