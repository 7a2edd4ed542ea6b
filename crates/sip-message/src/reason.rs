//! Reason: RFC 3326 2.

use std::fmt;

use crate::grammar::{self, Cursor, ParseError, quoted_string};
use crate::params::Params;

/// Why a request was sent, or a call diverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850` or another word.
    pub protocol: String,
    /// For `SIP` a status code, for `Q.850` a cause value.
    pub cause: Option<u16>,
    /// For people.
    pub text: Option<String>,
}

impl Reason {
    /// `Reason: SIP;cause=...;text="..."`
    pub fn sip(cause: u16, text: &str) -> Self {
        Reason { protocol: "SIP".into(), cause: Some(cause), text: Some(text.into()) }
    }

    /// Reads one `reason-value`.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        let protocol = cursor.token("Reason without a protocol")?.to_owned();
        let params = Params::parse(&mut cursor)?;
        cursor.skip_lws();
        if !cursor.is_end() {
            return Err(cursor.error("something after the Reason"));
        }
        let cause = match params.find("cause") {
            None => None,
            Some(cause) => {
                let number = cause.raw_value().and_then(grammar::number_u32);
                let number = number.and_then(|number| u16::try_from(number).ok());
                Some(number.ok_or(ParseError::new("bad cause in a Reason", 0))?)
            }
        };
        let text = params.get("text").flatten().map(std::borrow::Cow::into_owned);
        Ok(Reason { protocol, cause, text })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        match &self.text {
            Some(text) => write!(f, ";text={}", quoted_string(text)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_reason_reads_as_it_is_written() {
        let text = r#"SIP;cause=200;text="Call completed elsewhere""#;
        let reason = Reason::parse(text.as_bytes()).unwrap();
        assert_eq!(reason, Reason::sip(200, "Call completed elsewhere"));
        assert_eq!(reason.to_string(), text);
        assert_eq!(Reason::parse(b"Q.850 ; cause=16").unwrap().cause, Some(16));
        assert_eq!(Reason::parse(b"preemption").unwrap().to_string(), "preemption");
    }

    #[test]
    fn a_cause_is_a_number() {
        for bad in [&b"SIP;cause=x"[..], b"SIP;cause=99999", b"SIP;cause", b";cause=1", b"", b"SIP cause"] {
            assert!(Reason::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
