//! The address of a user and of the user's mailbox, as people write it: `user@domain`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest address, in octets (RFC 5321 4.5.3.1 allows 64 + 1 + 255).
const ADDRESS_BYTES_MAX: usize = 320;

/// `user@domain`: the user part compares with case, the domain without (rule M8 of the threats).
///
/// It is a name, not a URI: percent escapes are decoded before one is made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: String,
    at: usize,
}

/// The text is not of the form `user@domain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address has the form user@domain, without spaces or control characters")]
pub struct NotAnAddress;

impl Address {
    /// The address of `user` in `domain`.
    pub fn new(user: &str, domain: &str) -> Result<Self, NotAnAddress> {
        let fits = user.len().saturating_add(domain.len()) < ADDRESS_BYTES_MAX;
        if user.is_empty() || domain.is_empty() || !fits {
            return Err(NotAnAddress);
        }
        let user_ok = user.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '@');
        let domain_ok = domain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
        if !user_ok || !domain_ok {
            return Err(NotAnAddress);
        }
        let mut text = String::with_capacity(user.len() + 1 + domain.len());
        text.push_str(user);
        text.push('@');
        text.extend(domain.chars().map(|letter| letter.to_ascii_lowercase()));
        Ok(Address { text, at: user.len() })
    }

    /// What stands before the `@`.
    pub fn user(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (user, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        Address::new(user, domain)
    }
}

impl TryFrom<String> for Address {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_compares_without_case_and_the_user_with_it() {
        let alice: Address = "alice@Example.TEST".parse().expect("an address");
        assert_eq!(alice.to_string(), "alice@example.test");
        assert_ne!(alice, "Alice@example.test".parse().expect("an address"));
        assert_eq!((alice.user(), alice.domain()), ("alice", "example.test"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "alice", "@example.test", "alice@", "a b@example.test", "a@b@c", "a@ex ample", "a\r@b"]
        {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text:?}");
        }
        assert_eq!(format!("{}@b", "a".repeat(319)).parse::<Address>(), Err(NotAnAddress));
        assert!(format!("{}@b", "a".repeat(318)).parse::<Address>().is_ok());
    }
}
