//! The character classes and basic rules of RFC 3261 25.1.

use std::borrow::Cow;

/// What is wrong with somebody's bytes, and where: an offset into what was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at octet {at}")]
pub struct ParseError {
    /// What is wrong, in the words of the grammar.
    pub what: &'static str,
    /// Where, counted from the beginning of the text that was read.
    pub at: usize,
}

impl ParseError {
    pub(crate) const fn new(what: &'static str, at: usize) -> Self {
        ParseError { what, at }
    }

    /// The same error, seen from a text that begins `base` octets earlier.
    pub(crate) const fn offset(self, base: usize) -> Self {
        ParseError { what: self.what, at: self.at + base }
    }
}

/// RFC 3261 25.1 `token`.
pub(crate) const TOKEN: u16 = 1;
/// RFC 3261 25.1 `word`, of which a Call-ID is made.
pub(crate) const WORD: u16 = 1 << 1;
/// A label of a host name. An underscore is no part of the grammar, but part of many networks.
pub(crate) const LABEL: u16 = 1 << 2;
/// `unreserved / user-unreserved`, the unescaped characters of a user part.
pub(crate) const USER: u16 = 1 << 3;
/// The unescaped characters of a password.
pub(crate) const PASSWORD: u16 = 1 << 4;
/// `paramchar`, without its escapes.
pub(crate) const URI_PARAMETER: u16 = 1 << 5;
/// The same, and `=`, which pre-standard GRUUs leave in their values.
pub(crate) const URI_PARAMETER_VALUE: u16 = 1 << 6;
/// The unescaped characters of a URI's header component.
pub(crate) const URI_HEADER: u16 = 1 << 7;
/// What stands unescaped in URIs of other schemes.
pub(crate) const OPAQUE: u16 = 1 << 8;
/// What a header parameter's value may hold without quotes: `token / host`, and what stands in URIs.
pub(crate) const VALUE: u16 = 1 << 9;

static CLASSES: [u16; 256] = classes();

/// The classes of URIs have neither `%` nor what may follow them there: a part is looked at once, up to
/// where its class ends, and the octet there says what comes next.
const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    mark_alphanumeric(&mut table);
    mark(&mut table, b"-.!%*_+`'~", TOKEN | WORD);
    mark(&mut table, b"()<>:\\\"/[]?{}", WORD);
    mark(&mut table, b"-_", LABEL);
    mark(&mut table, b"-_.!~*'()&=+$,;?/", USER);
    mark(&mut table, b"-_.!~*'()&=+$,", PASSWORD);
    mark(&mut table, b"-_.!~*'()[]/:&+$", URI_PARAMETER | URI_PARAMETER_VALUE);
    mark(&mut table, b"=", URI_PARAMETER_VALUE);
    mark(&mut table, b"-_.!~*'()[]/?:+$", URI_HEADER);
    mark(&mut table, b"-_.!~*'()[]/?:+$&=,;`", OPAQUE);
    mark(&mut table, b"-.!%*_+`'~[]:/@&=$?(){}|^\\#", VALUE);
    table
}

const fn mark_alphanumeric(table: &mut [u16; 256]) {
    let mut c = 0u8;
    while c < 128 {
        if c.is_ascii_alphanumeric() {
            table[c as usize] = u16::MAX;
        }
        c += 1;
    }
}

const fn mark(table: &mut [u16; 256], characters: &[u8], class: u16) {
    let mut i = 0;
    while i < characters.len() {
        table[characters[i] as usize] |= class;
        i += 1;
    }
}

/// Whether `c` belongs to one of the classes.
#[inline]
pub(crate) fn is(c: u8, class: u16) -> bool {
    CLASSES[usize::from(c)] & class != 0
}

/// How many octets at the beginning belong to the class.
#[inline]
pub(crate) fn span(text: &[u8], class: u16) -> usize {
    text.iter().position(|&c| !is(c, class)).unwrap_or(text.len())
}

/// Whether all octets belong to the class, and there is at least one.
#[inline]
pub(crate) fn all(text: &[u8], class: u16) -> bool {
    !text.is_empty() && span(text, class) == text.len()
}

/// White space inside a header value. Line ends there are folds: the parser has made sure of it.
#[inline]
pub(crate) fn is_lws(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without white space at both ends.
#[inline]
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// Without white space at the beginning.
#[inline]
pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    text
}

/// Without white space at the end.
#[inline]
pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_lws(*last)
    {
        text = rest;
    }
    text
}

/// ASCII octets as text; what is none, which checked input never is, reads as empty.
#[inline]
pub(crate) fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}

/// RFC 3261 7.3.1: a fold, together with the white space around it, is one space.
pub(crate) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\r', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut unfolded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(end) = memchr::memchr(b'\r', rest) {
        let (line, fold) = rest.split_at(end);
        unfolded.extend_from_slice(trim(line));
        let blank = fold.iter().position(|&c| !is_lws(c)).unwrap_or(fold.len());
        unfolded.push(b' ');
        rest = fold.get(blank..).unwrap_or_default();
    }
    unfolded.extend_from_slice(rest);
    Cow::Owned(unfolded)
}

/// A decimal number of at most `digits_max` digits; `None` where there is anything but digits.
pub(crate) fn number(digits: &[u8], digits_max: usize) -> Option<u64> {
    if digits.is_empty() || digits.len() > digits_max || digits_max > 19 {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &c| c.is_ascii_digit().then(|| value * 10 + u64::from(c - b'0')))
}

/// A decimal number that fits 32 bits, with any leading zeros (RFC 4475 3.1.1.1 has `0068`).
pub(crate) fn number_u32(digits: &[u8]) -> Option<u32> {
    let zeros = digits.iter().position(|&c| c != b'0').unwrap_or(digits.len());
    let significant = digits.get(zeros..).unwrap_or_default();
    if zeros > 0 && significant.is_empty() {
        return Some(0);
    }
    number(significant, 10).and_then(|value| u32::try_from(value).ok())
}

/// A port of `sent-by` or `hostport`.
pub(crate) fn port(digits: &[u8]) -> Option<u16> {
    number(digits, 5).and_then(|value| u16::try_from(value).ok()).filter(|&port| port != 0)
}

/// A place in a header value; skips white space and folds alike.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Cursor { text, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    #[inline]
    pub(crate) fn skip(&mut self, octets: usize) {
        self.at = (self.at + octets).min(self.text.len());
    }

    pub(crate) fn error(&self, what: &'static str) -> ParseError {
        ParseError::new(what, self.at)
    }

    /// RFC 3261 25.1 `SWS`.
    #[inline]
    pub(crate) fn skip_lws(&mut self) {
        while self.peek().is_some_and(is_lws) {
            self.at += 1;
        }
    }

    /// Takes `wanted`, if it is next.
    #[inline]
    pub(crate) fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes `wanted` with white space around it, as the separators of 25.1 (`SEMI`, `EQUAL`, ...) are.
    #[inline]
    pub(crate) fn eat_separator(&mut self, wanted: u8) -> bool {
        let before = self.at;
        self.skip_lws();
        if self.eat(wanted) {
            self.skip_lws();
            return true;
        }
        self.at = before;
        false
    }

    /// The longest run of a class, possibly empty.
    #[inline]
    pub(crate) fn take(&mut self, class: u16) -> &'a [u8] {
        let rest = self.rest();
        let taken = rest.get(..span(rest, class)).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// A token, at least one character of it.
    pub(crate) fn token(&mut self, what: &'static str) -> Result<&'a str, ParseError> {
        let token = self.take(TOKEN);
        if token.is_empty() { Err(self.error(what)) } else { Ok(text(token)) }
    }

    /// A quoted string, with its quotes; `None` where none begins here.
    pub(crate) fn quoted(&mut self) -> Result<Option<&'a [u8]>, ParseError> {
        let rest = self.rest();
        if rest.first() != Some(&b'"') {
            return Ok(None);
        }
        let length = quoted_length(rest).ok_or_else(|| self.error("unterminated quoted string"))?;
        self.at += length;
        Ok(rest.get(..length))
    }
}

/// The length of the quoted string at the beginning of `text`, with its quotes.
pub(crate) fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            // RFC 3261 25.1 quoted-pair: anything of seven bits but CR and LF.
            b'\\' => {
                if matches!(text.get(at + 1)?, b'\r' | b'\n' | 0x80..) {
                    return None;
                }
                at += 2;
            }
            _ => at += 1,
        }
    }
}

/// What a quoted string says: without quotes, escapes and folds, bad UTF-8 shown by replacement marks.
pub(crate) fn unquote(quoted: &[u8]) -> Cow<'_, str> {
    let inner = quoted.strip_prefix(b"\"").map_or(quoted, |rest| rest.strip_suffix(b"\"").unwrap_or(rest));
    if memchr::memchr2(b'\\', b'\r', inner).is_none() {
        return String::from_utf8_lossy(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut octets = inner.iter().copied();
    while let Some(c) = octets.next() {
        match c {
            b'\\' => plain.extend(octets.next()),
            b'\r' | b'\n' => {}
            _ => plain.push(c),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// Writes `text` as a quoted string; control characters, which have no place in one, become spaces.
pub fn quoted_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_reads_as_one_space() {
        assert_eq!(unfold(b"a\r\n\t  b  \r\n c").as_ref(), b"a b c");
        assert_eq!(unfold(b"a  b").as_ref(), b"a  b");
        assert_eq!(trim(b" \t\r\n a \r\n "), b"a");
    }

    #[test]
    fn a_quoted_string_ends_at_its_own_quote() {
        assert_eq!(quoted_length(br#""a\"b"c"#), Some(6));
        assert_eq!(quoted_length(br#""a\""#), None);
        assert_eq!(quoted_length(b"\"a"), None);
        assert_eq!(quoted_length(b"\"a\\\r\n \""), None);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "plain", "J \"R\" \\ é", "\\\\\""] {
            assert_eq!(unquote(quoted_string(text).as_bytes()), text);
        }
        assert_eq!(quoted_string("a\r\nVia: b"), "\"a  Via: b\"");
        assert_eq!(unquote(b"\"\xff\""), "\u{FFFD}");
    }

    #[test]
    fn numbers_do_not_wrap() {
        assert_eq!(number_u32(b"4294967295"), Some(u32::MAX));
        assert_eq!(number_u32(b"4294967296"), None);
        assert_eq!(number_u32(b"36893488147419103232"), None);
        assert_eq!(number_u32(b"0068"), Some(68));
        assert_eq!(number_u32(b"000"), Some(0));
        assert_eq!(number_u32(b""), None);
        assert_eq!(number_u32(b"+5"), None);
        assert_eq!(port(b"65535"), Some(65535));
        assert_eq!(port(b"65536"), None);
        assert_eq!(port(b"0"), None);
    }
}
