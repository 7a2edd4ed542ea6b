//! Who is meant: `user@host`, the identity behind a URI.

use std::fmt;
use std::str::FromStr;

use super::{Scheme, Uri, UriRef, escape};
use crate::grammar::ParseError;

/// An address-of-record (RFC 3261 6): the user decoded once, the host in lower case, nothing else.
///
/// Users are compared with case, hosts without (M8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressOfRecord {
    user: String,
    host: String,
}

impl AddressOfRecord {
    /// `None` where `host` is none, or `user` is empty.
    pub fn new(user: &str, host: &str) -> Option<Self> {
        Uri::sip(user, host)?.address_of_record()
    }

    pub(super) fn of(uri: UriRef<'_>) -> Option<Self> {
        match uri.scheme() {
            Scheme::Sip | Scheme::Sips => {
                let user = uri.user_decoded()?.into_owned();
                Some(AddressOfRecord { user, host: uri.host().to_ascii_lowercase() })
            }
            Scheme::Tel | Scheme::Other => None,
        }
    }

    /// The user, decoded.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `sip:user@host`, escaped as needed.
    pub fn to_uri(&self) -> Uri {
        let text = format!("sip:{}@{}", escape::encode_user(&self.user), self.host);
        match text.parse() {
            Ok(uri) => uri,
            Err(_) => unreachable!("made from a URI, or checked as one"),
        }
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

impl FromStr for AddressOfRecord {
    type Err = ParseError;

    /// Reads `user@host`, the user as people write it, not escaped; or a whole SIP URI.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = ParseError::new("not an address-of-record", 0);
        if let Ok(uri) = UriRef::parse(text)
            && matches!(uri.scheme(), Scheme::Sip | Scheme::Sips)
        {
            return uri.address_of_record().ok_or(error);
        }
        let (user, host) = text.rsplit_once('@').ok_or(error)?;
        AddressOfRecord::new(user, host).ok_or(error)
    }
}
