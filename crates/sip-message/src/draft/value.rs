//! The value of a field being written: no line can be broken out of.

use std::borrow::Cow;
use std::fmt;

use crate::grammar;
use crate::{CSeq, Diagnostics, Method, RAck, Reason, SessionExpires, Uri, UriRef};

/// A field value without CR, LF and NUL, and without white space around it.
#[derive(Clone, Debug)]
pub struct Value<'a>(Cow<'a, [u8]>);

impl<'a> Value<'a> {
    /// Octets that would end the line, or that no reader accepts, become blanks.
    fn new(octets: Cow<'a, [u8]>) -> Self {
        if memchr::memchr3(b'\r', b'\n', 0, &octets).is_some() {
            let blank = |&c: &u8| if matches!(c, b'\r' | b'\n' | 0) { b' ' } else { c };
            return Value(Cow::Owned(grammar::trim(&octets.iter().map(blank).collect::<Vec<u8>>()).to_vec()));
        }
        Value(match octets {
            Cow::Borrowed(octets) => Cow::Borrowed(grammar::trim(octets)),
            Cow::Owned(octets) if grammar::trim(&octets).len() == octets.len() => Cow::Owned(octets),
            Cow::Owned(octets) => Cow::Owned(grammar::trim(&octets).to_vec()),
        })
    }

    pub(super) fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::new(Cow::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::from(text.as_str())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::new(Cow::Owned(text.into_bytes()))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Value::from(text),
            Cow::Owned(text) => Value::from(text),
        }
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Value::new(Cow::Borrowed(octets))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Value::new(Cow::Owned(octets))
    }
}

impl<'a> From<Cow<'a, [u8]>> for Value<'a> {
    fn from(octets: Cow<'a, [u8]>) -> Self {
        Value::new(octets)
    }
}

impl From<fmt::Arguments<'_>> for Value<'_> {
    fn from(arguments: fmt::Arguments<'_>) -> Self {
        Value::from(arguments.to_string())
    }
}

impl<'a> From<UriRef<'a>> for Value<'a> {
    fn from(uri: UriRef<'a>) -> Self {
        Value::from(uri.as_str())
    }
}

impl<'a> From<&'a Uri> for Value<'a> {
    fn from(uri: &'a Uri) -> Self {
        Value::from(uri.as_str())
    }
}

impl<'a> From<&'a Method> for Value<'a> {
    fn from(method: &'a Method) -> Self {
        Value::from(method.as_str())
    }
}

macro_rules! from_display {
    ($($kind:ty),* $(,)?) => {
        $(impl From<$kind> for Value<'_> {
            fn from(value: $kind) -> Self {
                Value::from(value.to_string())
            }
        })*
    };
}

from_display!(u8, u16, u32, u64, usize, &CSeq, &RAck, &Reason, &SessionExpires, &Diagnostics);
