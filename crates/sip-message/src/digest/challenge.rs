//! WWW-Authenticate and Proxy-Authenticate: RFC 7616 3.3.

use std::fmt;

use super::algorithm::Algorithm;
use super::fields::Fields;
use crate::grammar::{ParseError, quoted_string};

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose names and passwords are meant.
    pub realm: String,
    /// What the server will recognise.
    pub nonce: String,
    /// To be sent back as it is.
    pub opaque: Option<String>,
    /// The password was right, only the nonce was too old.
    pub stale: bool,
    /// The hash function.
    pub algorithm: Algorithm,
    /// Whether `qop=auth` is offered; servers older than RFC 2617 offer none.
    pub qop_auth: bool,
}

impl Challenge {
    /// Reads the value of one field. `None` where it is nothing that we could answer: another scheme,
    /// another hash function, or only other kinds of protection.
    pub fn parse(value: &[u8]) -> Result<Option<Self>, ParseError> {
        let Some(fields) = Fields::parse(value)? else { return Ok(None) };
        let realm = fields.required("realm", "challenge without a realm")?;
        let nonce = fields.required("nonce", "challenge without a nonce")?;
        // RFC 7616 3.3: "If this is not present, it is assumed to be 'MD5'."
        let algorithm = match fields.get("algorithm") {
            Some(token) => Algorithm::from_token(&token),
            None => Some(Algorithm::Md5),
        };
        let Some(algorithm) = algorithm else { return Ok(None) };
        let qop = fields.get("qop");
        let qop_auth =
            qop.as_ref().is_some_and(|list| list.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !qop_auth {
            return Ok(None);
        }
        let opaque = fields.get("opaque").map(std::borrow::Cow::into_owned);
        let stale = fields.get("stale").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        Ok(Some(Challenge { realm, nonce, opaque, stale, algorithm, qop_auth }))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Challenge { realm, nonce, opaque, stale, algorithm, qop_auth } = self;
        write!(f, "Digest realm={}, nonce={}", quoted_string(realm), quoted_string(nonce))?;
        if let Some(opaque) = opaque {
            write!(f, ", opaque={}", quoted_string(opaque))?;
        }
        if *stale {
            f.write_str(", stale=true")?;
        }
        write!(f, ", algorithm={algorithm}")?;
        if *qop_auth { f.write_str(", qop=\"auth\"") } else { Ok(()) }
    }
}
