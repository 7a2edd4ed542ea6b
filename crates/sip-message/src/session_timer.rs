//! Session-Expires and Min-SE: RFC 4028 4 and 5.

use std::fmt;

use crate::grammar::{self, Cursor, ParseError};
use crate::params::Params;

/// Who refreshes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The caller of this transaction.
    Uac,
    /// The called party of this transaction.
    Uas,
}

/// Session-Expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session interval in seconds.
    pub seconds: u32,
    /// Who refreshes, if it is said.
    pub refresher: Option<Refresher>,
}

/// Min-SE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MinSe {
    pub(crate) seconds: u32,
}

impl SessionExpires {
    /// Reads the value.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let (seconds, params) = seconds(value)?;
        let refresher = match params.plain("refresher") {
            Some(word) if word.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(word) if word.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return Err(ParseError::new("refresher is neither uac nor uas", 0)),
            None => None,
        };
        Ok(SessionExpires { seconds, refresher })
    }
}

impl MinSe {
    pub(crate) fn parse(value: &[u8]) -> Result<Self, ParseError> {
        seconds(value).map(|(seconds, _)| MinSe { seconds })
    }
}

/// `delta-seconds *( SEMI generic-param )`
fn seconds(value: &[u8]) -> Result<(u32, Params<'_>), ParseError> {
    let mut cursor = Cursor::new(value);
    cursor.skip_lws();
    let seconds =
        grammar::number_u32(cursor.take(grammar::TOKEN)).ok_or_else(|| cursor.error("not a number"))?;
    let params = Params::parse(&mut cursor)?;
    cursor.skip_lws();
    if cursor.is_end() { Ok((seconds, params)) } else { Err(cursor.error("something after the interval")) }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_interval_reads_as_it_is_written() {
        for text in ["1800", "90;refresher=uac", "4294967295;refresher=uas"] {
            assert_eq!(SessionExpires::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        assert_eq!(
            SessionExpires::parse(b"90 ; Refresher = UAS ;x").unwrap().refresher,
            Some(Refresher::Uas)
        );
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        for bad in [&b""[..], b"x", b"-1", b"4294967296", b"90;refresher=me", b"90 90"] {
            assert!(SessionExpires::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
