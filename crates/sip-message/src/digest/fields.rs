//! `auth-param` lists, which challenges and credentials share: RFC 7616 3.3 and 3.4.

use std::borrow::Cow;

use crate::grammar::{self, Cursor, ParseError, TOKEN};
use crate::limits;

/// The parameters after the word `Digest`.
pub(super) struct Fields<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> Fields<'a> {
    /// Reads `Digest LWS auth-param *( COMMA auth-param )`. `None` where the scheme is another one.
    pub(super) fn parse(value: &'a [u8]) -> Result<Option<Self>, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        let scheme = cursor.token("no authentication scheme")?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(12);
        loop {
            cursor.skip_lws();
            let at = cursor.at();
            let name = cursor.token("authentication parameter without a name")?;
            if !cursor.eat_separator(b'=') {
                return Err(cursor.error("authentication parameter without a value"));
            }
            let value = match cursor.quoted()? {
                Some(quoted) => quoted,
                None => cursor.take(grammar::VALUE | TOKEN),
            };
            if value.is_empty() {
                return Err(cursor.error("authentication parameter without a value"));
            }
            let twice = fields.iter().any(|(found, _): &(&str, &[u8])| found.eq_ignore_ascii_case(name));
            if twice || fields.len() == limits::PARAMETERS_MAX {
                return Err(ParseError::new("authentication parameter twice, or too many", at));
            }
            fields.push((name, value));
            if !cursor.eat_separator(b',') {
                break;
            }
        }
        cursor.skip_lws();
        if cursor.is_end() {
            Ok(Some(Fields(fields)))
        } else {
            Err(cursor.error("something after the parameters"))
        }
    }

    /// What the value of the named parameter says.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(grammar::unquote)
    }

    pub(super) fn required(&self, name: &str, what: &'static str) -> Result<String, ParseError> {
        self.get(name).map(Cow::into_owned).ok_or(ParseError::new(what, 0))
    }

    fn raw(&self, name: &str) -> Option<&'a [u8]> {
        self.0.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}
