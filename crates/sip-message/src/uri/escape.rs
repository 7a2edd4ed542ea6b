//! Percent escapes: decoded once, after splitting (M8); written where the grammar needs them.

use std::borrow::Cow;

use crate::grammar::{self, URI_PARAMETER, USER};

/// Decodes escapes once. `None` where the result is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    String::from_utf8(octets(text)).ok().map(Cow::Owned)
}

/// Decodes escapes once, to octets. What is no escape stays as it is.
pub(crate) fn octets(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&c, after)) = rest.split_first() {
        rest = after;
        match (c, escape(after)) {
            (b'%', Some(octet)) => {
                decoded.push(octet);
                rest = after.get(2..).unwrap_or_default();
            }
            (c, _) => decoded.push(c),
        }
    }
    decoded
}

/// The octet that two hexadecimal digits stand for.
pub(crate) fn escape(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| digits.get(at).and_then(|&c| char::from(c).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Writes a user part: escapes whatever the grammar does not allow there.
pub fn encode_user(user: &str) -> String {
    encode(user, |c| grammar::is(c, USER))
}

/// How long that is.
pub(crate) fn encoded_user_length(user: &str) -> usize {
    user.bytes().map(|octet| if grammar::is(octet, USER) && octet != b'%' { 1 } else { 3 }).sum()
}

/// Writes a URI parameter's name or value.
pub fn encode_parameter(value: &str) -> String {
    encode(value, |c| grammar::is(c, URI_PARAMETER) && c != b'=')
}

fn encode(text: &str, allowed: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if allowed(octet) && octet != b'%' {
            encoded.push(char::from(octet));
        } else {
            encoded.push('%');
            for digit in [octet >> 4, octet & 15] {
                encoded.push(char::from(DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0')));
            }
        }
    }
    encoded
}
