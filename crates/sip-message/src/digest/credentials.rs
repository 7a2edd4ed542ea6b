//! Authorization and Proxy-Authorization: RFC 7616 3.4.

use std::fmt;

use subtle::ConstantTimeEq;

use super::algorithm::{Algorithm, Ha1};
use super::challenge::Challenge;
use super::fields::Fields;
use crate::grammar::{ParseError, quoted_string};
use crate::method::Method;

/// How often a nonce was used, counting this time (RFC 7616 3.4 `nc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NonceCount(pub u32);

impl fmt::Display for NonceCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// What a client answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name in the realm.
    pub username: String,
    /// The realm of the challenge.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// What the response was computed with; in SIP the Request-URI, or what it once was.
    pub uri: String,
    /// The hash function.
    pub algorithm: Algorithm,
    /// The opaque of the challenge.
    pub opaque: Option<String>,
    /// `cnonce` and `nc`, present with `qop=auth`.
    pub qop_auth: Option<(String, NonceCount)>,
    response: String,
}

impl Credentials {
    /// Answers a challenge. Where it offers `qop=auth`, `cnonce` and `count` go into the answer.
    pub fn answer(
        challenge: &Challenge,
        (username, ha1): (&str, &Ha1),
        (method, uri): (&Method, &str),
        (cnonce, count): (&str, NonceCount),
    ) -> Self {
        let mut credentials = Credentials {
            username: username.to_owned(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: uri.to_owned(),
            algorithm: challenge.algorithm,
            opaque: challenge.opaque.clone(),
            qop_auth: challenge.qop_auth.then(|| (cnonce.to_owned(), count)),
            response: String::new(),
        };
        credentials.response = credentials.expected(ha1, method.as_str());
        credentials
    }

    /// Reads the value of one field. `None` where the scheme, the hash function or the kind of
    /// protection is not ours.
    pub fn parse(value: &[u8]) -> Result<Option<Self>, ParseError> {
        let Some(fields) = Fields::parse(value)? else { return Ok(None) };
        let algorithm = match fields.get("algorithm") {
            Some(token) => Algorithm::from_token(&token),
            None => Some(Algorithm::Md5),
        };
        let Some(algorithm) = algorithm else { return Ok(None) };
        let qop_auth = match fields.get("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let cnonce = fields.required("cnonce", "credentials without a cnonce")?;
                let count = fields.required("nc", "credentials without a nonce count")?;
                Some((cnonce, nonce_count(&count)?))
            }
            Some(_) => return Ok(None),
        };
        Ok(Some(Credentials {
            username: fields.required("username", "credentials without a username")?,
            realm: fields.required("realm", "credentials without a realm")?,
            nonce: fields.required("nonce", "credentials without a nonce")?,
            uri: fields.required("uri", "credentials without a uri")?,
            response: fields.required("response", "credentials without a response")?,
            opaque: fields.get("opaque").map(std::borrow::Cow::into_owned),
            algorithm,
            qop_auth,
        }))
    }

    /// Whether the response is the right one for this method; compared in constant time. Realm, nonce,
    /// count and URI are for the caller to judge.
    pub fn verify(&self, ha1: &Ha1, method: &Method) -> bool {
        let expected = self.expected(ha1, method.as_str());
        let given = self.response.to_ascii_lowercase();
        self.algorithm == ha1.algorithm() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
    }

    /// RFC 7616 3.4.1; without qop as RFC 2069 had it.
    pub(super) fn expected(&self, ha1: &Ha1, method: &str) -> String {
        let ha2 = self.algorithm.hash(&[method, &self.uri]);
        match &self.qop_auth {
            Some((cnonce, count)) => {
                let count = count.to_string();
                self.algorithm.hash(&[ha1.expose_hex(), &self.nonce, &count, cnonce, "auth", &ha2])
            }
            None => self.algorithm.hash(&[ha1.expose_hex(), &self.nonce, &ha2]),
        }
    }
}

/// `nc-value = 8LHEX`
fn nonce_count(text: &str) -> Result<NonceCount, ParseError> {
    let digits = text.len() == 8 && text.bytes().all(|c| c.is_ascii_hexdigit());
    let count = digits.then(|| u32::from_str_radix(text, 16).ok()).flatten();
    count.map(NonceCount).ok_or(ParseError::new("bad nonce count", 0))
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { username, realm, nonce, uri, algorithm, opaque, qop_auth, response } = self;
        write!(f, "Digest username={}, realm={}", quoted_string(username), quoted_string(realm))?;
        write!(f, ", nonce={}, uri={}", quoted_string(nonce), quoted_string(uri))?;
        write!(f, ", response=\"{response}\", algorithm={algorithm}")?;
        if let Some(opaque) = opaque {
            write!(f, ", opaque={}", quoted_string(opaque))?;
        }
        if let Some((cnonce, count)) = qop_auth {
            write!(f, ", qop=auth, nc={count}, cnonce={}", quoted_string(cnonce))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Credentials {
    /// Without what could be replayed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} in {}, {}, ****)", self.username, self.realm, self.algorithm)
    }
}
