//! RAck: RFC 3262 7.2.

use std::fmt;

use crate::Method;
use crate::cseq::CSeq;
use crate::grammar::{self, Cursor, ParseError};

/// What a PRACK acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The RSeq of the provisional response.
    pub rseq: u32,
    /// The number of its CSeq.
    pub cseq: u32,
    /// The method of its CSeq.
    pub method: Method,
}

impl RAck {
    /// `RAck = response-num LWS CSeq-num LWS Method`
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let rseq = grammar::number_u32(cursor.take(grammar::TOKEN))
            .ok_or(ParseError::new("bad response number", 0))?;
        cursor.skip_lws();
        let CSeq { number, method } =
            CSeq::parse(cursor.rest()).map_err(|error| error.offset(cursor.at()))?;
        Ok(RAck { rseq, cseq: number, method })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.cseq, self.method)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_rack_reads_as_it_is_written() {
        let rack = RAck::parse(b"776656 1 INVITE").unwrap();
        assert_eq!(rack, RAck { rseq: 776_656, cseq: 1, method: Method::Invite });
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        for bad in [&b""[..], b"1", b"1 2", b"1 INVITE", b"x 1 INVITE", b"1 2 INVITE x"] {
            assert!(RAck::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
