//! Header parameters: `*( SEMI generic-param )` of RFC 3261 25.1.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::grammar::{self, Cursor, ParseError, TOKEN, VALUE};
use crate::limits;

/// The parameters after a header value, checked when they were read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    text: &'a [u8],
}

/// One parameter: its name and, after `=`, its value as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    name: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> Param<'a> {
    /// The name, as written; names are compared without case.
    pub fn name(&self) -> &'a str {
        grammar::text(self.name)
    }

    /// What the value says: quotes and escapes removed, bad UTF-8 shown by replacement marks.
    pub fn value(&self) -> Option<Cow<'a, str>> {
        self.value.map(grammar::unquote)
    }

    /// The value as it is written, with its quotes.
    pub fn raw_value(&self) -> Option<&'a [u8]> {
        self.value
    }

    /// Whether this is its name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value, if it is a token or a host rather than a quoted string.
    pub(crate) fn plain_value(&self) -> Option<&'a str> {
        self.value.filter(|value| value.first() != Some(&b'"')).map(grammar::text)
    }
}

impl<'a> Params<'a> {
    /// Text that was checked before, by [`Params::parse`].
    pub(crate) fn checked(text: &'a [u8]) -> Self {
        Params { text }
    }

    /// Reads and checks all parameters up to a comma or the end, and moves the cursor there.
    pub(crate) fn parse(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        Params::parse_checked(cursor, |_| None)
    }

    /// The same, with a check of their own for those who know what a parameter means: it says what is
    /// wrong with one.
    pub(crate) fn parse_checked(
        cursor: &mut Cursor<'a>,
        check: impl Fn(Param<'a>) -> Option<&'static str>,
    ) -> Result<Self, ParseError> {
        let (start, text) = (cursor.at(), cursor.rest());
        let mut names = Names::default();
        while cursor.eat_separator(b';') {
            let at = cursor.at();
            let param = next(cursor)?;
            names.add(param.name).map_err(|what| ParseError::new(what, at))?;
            if let Some(what) = check(param) {
                return Err(ParseError::new(what, at));
            }
        }
        let length = cursor.at() - start;
        Ok(Params { text: text.get(..length).unwrap_or_default() })
    }

    pub(crate) fn as_octets(&self) -> &'a [u8] {
        self.text
    }

    /// All parameters, in the order of writing.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.text);
        std::iter::from_fn(move || if cursor.eat_separator(b';') { next(&mut cursor).ok() } else { None })
    }

    /// The parameter with this name.
    pub fn find(&self, name: &str) -> Option<Param<'a>> {
        self.iter().find(|param| param.is(name))
    }

    /// Whether there is a parameter with this name, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// What the value of the named parameter says; `Some(None)` for one without a value.
    pub fn get(&self, name: &str) -> Option<Option<Cow<'a, str>>> {
        self.find(name).map(|param| param.value())
    }

    /// The named parameter's value, if it is a token or a host rather than a quoted string.
    pub(crate) fn plain(&self, name: &str) -> Option<&'a str> {
        self.find(name).and_then(|param| param.plain_value())
    }
}

/// The names of the parameters so far. RFC 3261 7.3.1 and 19.1.1: "any given parameter-name MUST NOT
/// appear more than once".
#[derive(Default)]
pub(crate) struct Names<'a>(SmallVec<[&'a [u8]; 8]>);

impl<'a> Names<'a> {
    /// Notes one more; the error says what is wrong with it.
    pub(crate) fn add(&mut self, name: &'a [u8]) -> Result<(), &'static str> {
        if self.0.len() == limits::PARAMETERS_MAX {
            return Err("too many parameters");
        }
        if self.0.iter().any(|earlier| earlier.eq_ignore_ascii_case(name)) {
            return Err("parameter twice");
        }
        self.0.push(name);
        Ok(())
    }
}

/// `generic-param = token [ EQUAL gen-value ]`
fn next<'a>(cursor: &mut Cursor<'a>) -> Result<Param<'a>, ParseError> {
    let name = cursor.take(TOKEN);
    if name.is_empty() {
        return Err(cursor.error("parameter without a name"));
    }
    if !cursor.eat_separator(b'=') {
        return Ok(Param { name, value: None });
    }
    if let Some(quoted) = cursor.quoted()? {
        return Ok(Param { name, value: Some(quoted) });
    }
    let value = cursor.take(VALUE);
    if value.is_empty() {
        return Err(cursor.error("parameter value is empty"));
    }
    Ok(Param { name, value: Some(value) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    type Read<'a> = Vec<(&'a str, Option<Cow<'a, str>>)>;

    fn parse(text: &[u8]) -> Result<Read<'_>, ParseError> {
        let mut cursor = Cursor::new(text);
        let params = Params::parse(&mut cursor)?;
        if !cursor.is_end() {
            return Err(cursor.error("left over"));
        }
        Ok(params.iter().map(|param| (param.name(), param.value())).collect())
    }

    #[test]
    fn parameters_are_read_with_and_without_values() {
        let read = parse(b" ; a\t=\r\n b ;c;d=\"x;\\\"y\";e=[2001:db8::1]").unwrap();
        let expected = [("a", Some("b")), ("c", None), ("d", Some("x;\"y")), ("e", Some("[2001:db8::1]"))];
        assert_eq!(read, expected.map(|(name, value)| (name, value.map(Cow::Borrowed))));
    }

    #[test]
    fn empty_and_repeated_parameters_are_refused() {
        for bad in [&b";"[..], b";;a", b";=b", b";a=", b";a=\"b", b";tag=1;x;TAG=2", b";a b"] {
            assert!(parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn more_parameters_than_the_limit_are_refused() {
        let text = |count: usize| (0..count).map(|i| format!(";p{i}")).collect::<String>();
        for (count, accepted) in [(63, true), (64, true), (65, false)] {
            assert_eq!(parse(text(count).as_bytes()).is_ok(), accepted, "{count}");
        }
    }
}
