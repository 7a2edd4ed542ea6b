//! Replaces: RFC 3891 6.1.

use crate::grammar::{self, Cursor, ParseError};
use crate::params::Params;

/// Which dialog an INVITE is to take the place of, in the eyes of whom the INVITE goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Its Call-ID.
    pub call_id: &'a str,
    /// The tag of whom the INVITE goes to.
    pub to_tag: &'a str,
    /// The tag of whom that one talks to; `0` where that one has none (RFC 3891 3).
    pub from_tag: &'a str,
    /// Only while the dialog is an early one (RFC 3891 7.1).
    pub early_only: bool,
}

impl<'a> Replaces<'a> {
    /// `Replaces = callid *(SEMI replaces-param)`, with one `to-tag` and one `from-tag`.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        let rest = cursor.rest();
        // No character of a Call-ID is a semicolon or white space.
        let length = rest.iter().position(|c| *c == b';' || grammar::is_lws(*c)).unwrap_or(rest.len());
        let call_id = rest.get(..length).unwrap_or_default();
        if !is_call_id(call_id) {
            return Err(cursor.error("not a Call-ID"));
        }
        cursor.skip(length);
        let params = Params::parse(&mut cursor)?;
        cursor.skip_lws();
        if !cursor.is_end() {
            return Err(cursor.error("something after the value"));
        }
        let tag = |name| params.plain(name).ok_or(ParseError::new("a tag is missing", 0));
        let early_only = params.has("early-only");
        let call_id = grammar::text(call_id);
        Ok(Replaces { call_id, to_tag: tag("to-tag")?, from_tag: tag("from-tag")?, early_only })
    }
}

/// `word [ "@" word ]` (RFC 3261 25.1).
fn is_call_id(text: &[u8]) -> bool {
    let mut words = text.split(|c| *c == b'@');
    let is_word = |word: &[u8]| !word.is_empty() && grammar::all(word, grammar::WORD);
    words.next().is_some_and(is_word) && words.next().is_none_or(is_word) && words.next().is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    // RFC 3891 6.1: its examples.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        let read =
            Replaces::parse(b"98732@sip.example.com\r\n ;from-tag=r33th4x0r\r\n ;to-tag=ff87ff").unwrap();
        let expected = Replaces {
            call_id: "98732@sip.example.com",
            to_tag: "ff87ff",
            from_tag: "r33th4x0r",
            early_only: false,
        };
        assert_eq!(read, expected);
        let read = Replaces::parse(b"12adf2f34456gs5;to-tag=12345;from-tag=54321").unwrap();
        assert_eq!((read.call_id, read.to_tag, read.from_tag), ("12adf2f34456gs5", "12345", "54321"));
        assert!(
            Replaces::parse(b"87134@171.161.34.23;to-tag=24796;from-tag=0;early-only").unwrap().early_only
        );
    }

    // RFC 3891 6.1: "A Replaces header field MUST contain exactly one to-tag and exactly one from-tag".
    #[test]
    fn what_does_not_name_a_dialog_is_no_value() {
        for bad in [
            "",
            ";to-tag=1;from-tag=2",
            "a",
            "a;to-tag=1",
            "a;from-tag=1",
            "a;to-tag=1;to-tag=2;from-tag=3",
            "a;to-tag;from-tag=3",
            "a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a@b@c;to-tag=1;from-tag=2",
            "@b;to-tag=1;from-tag=2",
            "a\x00;to-tag=1;from-tag=2",
        ] {
            assert!(Replaces::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
