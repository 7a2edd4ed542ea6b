//! CSeq: RFC 3261 20.16.

use std::fmt;

use crate::Method;
use crate::grammar::{self, Cursor, ParseError};
use crate::limits;

/// A sequence number and the method it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31 (RFC 3261 8.1.1.5).
    pub number: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// `CSeq = 1*DIGIT LWS Method`
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let digits = cursor.take(grammar::TOKEN);
        let number = grammar::number_u32(digits).filter(|&number| number <= limits::CSEQ_MAX);
        let number = number.ok_or(ParseError::new("bad CSeq number", 0))?;
        if !cursor.peek().is_some_and(grammar::is_lws) {
            return Err(cursor.error("CSeq without a method"));
        }
        cursor.skip_lws();
        let method = Method::from_octets(cursor.rest()).ok_or_else(|| cursor.error("bad CSeq method"))?;
        Ok(CSeq { number, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_below_two_to_the_31st() {
        let number = |value: &[u8]| CSeq::parse(value).ok().map(|cseq| cseq.number);
        assert_eq!(number(b"2147483646 INVITE"), Some(2_147_483_646));
        assert_eq!(number(b"2147483647 INVITE"), Some(2_147_483_647));
        assert_eq!(number(b"2147483648 INVITE"), None);
        assert_eq!(number(b"0009\r\n  INVITE"), Some(9));
        for bad in [&b""[..], b"1", b"1 ", b"INVITE 1", b"-1 INVITE", b"1INVITE", b"1 INV ITE", b"1.5 INVITE"]
        {
            assert_eq!(number(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }
}
