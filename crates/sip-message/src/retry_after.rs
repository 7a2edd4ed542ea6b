//! Retry-After: RFC 3261 20.33.

use crate::grammar::{self, Cursor, ParseError};
use crate::params::Params;

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds from now.
    pub seconds: u32,
    /// How long the called party will then be reachable, in seconds.
    pub duration: Option<u32>,
}

impl RetryAfter {
    /// `delta-seconds [ comment ] *( SEMI retry-param )`; the comment is for people and is skipped.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        let seconds =
            grammar::number_u32(cursor.take(grammar::TOKEN)).ok_or_else(|| cursor.error("not a number"))?;
        cursor.skip_lws();
        skip_comment(&mut cursor)?;
        let params = Params::parse(&mut cursor)?;
        cursor.skip_lws();
        if !cursor.is_end() {
            return Err(cursor.error("something after the seconds"));
        }
        let duration = params.plain("duration").and_then(|digits| grammar::number_u32(digits.as_bytes()));
        Ok(RetryAfter { seconds, duration })
    }
}

/// `comment = LPAREN *(ctext / quoted-pair / comment) RPAREN`
fn skip_comment(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    let mut depth = 0usize;
    loop {
        match cursor.peek() {
            Some(b'(') => depth += 1,
            Some(b')') if depth == 1 => {
                cursor.skip(1);
                return Ok(());
            }
            Some(b')') if depth > 1 => depth -= 1,
            Some(b'\\') if depth > 0 => cursor.skip(1),
            Some(_) if depth > 0 => {}
            None if depth > 0 => return Err(cursor.error("unterminated comment")),
            _ => return Ok(()),
        }
        cursor.skip(1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn comments_are_skipped_and_durations_read() {
        let parse = |value: &str| RetryAfter::parse(value.as_bytes()).ok();
        assert_eq!(parse("120"), Some(RetryAfter { seconds: 120, duration: None }));
        let with_comment = "18000 (in a (nested \\) ) meeting);duration=3600";
        assert_eq!(parse(with_comment), Some(RetryAfter { seconds: 18_000, duration: Some(3600) }));
        for bad in ["", "x", "120 (", "120 )", "949302838503028349304023988", "1 2"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
