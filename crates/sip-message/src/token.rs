//! `token` of RFC 3261 25.1, owned: a method, header name or option tag that we have no word for.

use std::fmt;
use std::str::FromStr;

use crate::grammar::{self, ParseError, TOKEN};

/// A non-empty text of token characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(Box<str>);

impl Token {
    /// The token with this text; `None` where the text is no token.
    pub fn new(text: &str) -> Option<Self> {
        grammar::all(text.as_bytes(), TOKEN).then(|| Token(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Token::new(text).ok_or(ParseError::new("not a token", 0))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
