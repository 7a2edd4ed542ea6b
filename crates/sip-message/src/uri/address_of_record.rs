//! Who is meant: `user@host`, the identity behind a URI.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Scheme, Uri, UriRef, escape, layout};
use crate::grammar::ParseError;
use crate::limits;

/// An address-of-record (RFC 3261 6): the user decoded once, the host in lower case, nothing else.
///
/// Users are compared with case, hosts without (M8). Copies share one text: tables are full of them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AddressOfRecord {
    /// `user@host`.
    text: Arc<str>,
    /// How long the user is.
    user: u32,
}

impl AddressOfRecord {
    /// `None` where `host` is none, or `user` is empty.
    pub fn new(user: &str, host: &str) -> Option<Self> {
        let is_host = layout::host(host.as_bytes()).is_ok_and(|length| length == host.len());
        let fits = "sip:@".len() + escape::encoded_user_length(user) + host.len() <= limits::URI_MAX;
        (!user.is_empty() && is_host && fits).then(|| AddressOfRecord::made(user, host)).flatten()
    }

    /// Of a user, decoded, and a host.
    fn made(user: &str, host: &str) -> Option<Self> {
        let mut text = String::with_capacity(user.len() + 1 + host.len());
        text.push_str(user);
        text.push('@');
        text.extend(host.chars().map(|letter| letter.to_ascii_lowercase()));
        // No URI is that long.
        let user = u32::try_from(user.len()).ok()?;
        Some(AddressOfRecord { text: text.into(), user })
    }

    pub(super) fn of(uri: UriRef<'_>) -> Option<Self> {
        match uri.scheme() {
            Scheme::Sip | Scheme::Sips => AddressOfRecord::made(&uri.user_decoded()?, uri.host()),
            Scheme::Tel | Scheme::Other => None,
        }
    }

    /// The user, decoded.
    pub fn user(&self) -> &str {
        self.parts().0
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let (user, host) = self.text.split_at_checked(self.user as usize).unwrap_or_default();
        (user, host.get(1..).unwrap_or_default())
    }

    /// `sip:user@host`, escaped as needed.
    pub fn to_uri(&self) -> Uri {
        let (user, host) = self.parts();
        let text = format!("sip:{}@{host}", escape::encode_user(user));
        match text.parse() {
            Ok(uri) => uri,
            Err(_) => unreachable!("made from a URI, or checked as one"),
        }
    }
}

/// By user, then by host.
impl Ord for AddressOfRecord {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for AddressOfRecord {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// What is made of its parts is what is read from the URI of the same parts.
    #[test]
    fn an_address_is_one_whose_uri_can_be_written() {
        let long = "u".repeat(limits::URI_MAX);
        let room = limits::URI_MAX - "sip:@example.test".len();
        let users = [
            "bob",
            "Bob",
            "",
            "b b",
            "a@b",
            "é",
            "100%",
            "+1;x",
            &long,
            &long[..room],
            &long[..room + 1],
            &"é".repeat(room / 6),
            &"é".repeat(room / 6 + 1),
        ];
        let hosts = [
            "example.test",
            "EXAMPLE.test",
            "",
            "192.0.2.1",
            "[2001:db8::1]",
            "2001:db8::1",
            "a b",
            "a:5060",
            "a;b",
            "a?b",
            "-a",
            "a_b",
            "a..b",
            "example.test.",
            "é",
            "1.2",
            "@a",
        ];
        for user in users {
            for host in hosts {
                let by_uri = Uri::sip(user, host).and_then(|uri| uri.address_of_record());
                assert_eq!(AddressOfRecord::new(user, host), by_uri, "{user} at {host}");
            }
        }
    }

    #[test]
    fn addresses_are_ordered_by_user_and_then_by_host() {
        let mut addresses = ["b@a.test", "a@b.test", "a!@a.test", "a@a.test", "B@z.test"]
            .map(|address| address.parse::<AddressOfRecord>().unwrap());
        addresses.sort();
        assert_eq!(
            addresses.map(|address| address.to_string()),
            ["B@z.test", "a@a.test", "a@b.test", "a!@a.test", "b@a.test"]
        );
    }
}
