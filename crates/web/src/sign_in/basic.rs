//! RFC 7617: an address and a password in a header.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use umbel_store::{Address, Password};
use zeroize::Zeroizing;

/// Longest value of the header that is looked at: an address, a password, and base64's third.
const VALUE_BYTES_MAX: usize = 2_048;

/// What a request says of who sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing, or by another scheme.
    Absent,
    /// Something that nobody can be.
    Unreadable,
    /// An address and a password.
    Basic(Address, Password),
}

/// Reads the header. A user without a domain is one of `domain`'s.
pub(super) fn read(headers: &HeaderMap, domain: &str) -> Credentials {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Credentials::Absent };
    if values.next().is_some() {
        return Credentials::Unreadable;
    }
    let Some((scheme, encoded)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return Credentials::Absent;
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Credentials::Absent;
    }
    match pair(encoded.trim(), domain) {
        Some((address, password)) => Credentials::Basic(address, password),
        None => Credentials::Unreadable,
    }
}

fn pair(encoded: &str, domain: &str) -> Option<(Address, Password)> {
    if encoded.len() > VALUE_BYTES_MAX {
        return None;
    }
    let octets = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    let text = Zeroizing::new(String::from_utf8(octets).ok()?);
    // RFC 7617 2: the user cannot have a colon, the password may.
    let (user, password) = text.split_once(':')?;
    let address = match user.contains('@') {
        true => user.parse().ok()?,
        false => Address::new(user, domain).ok()?,
    };
    Some((address, Password::new(password)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::HeaderValue;

    use super::*;

    fn header(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic(user.parse().unwrap(), Password::new(password).unwrap())
    }

    #[test]
    fn address_and_password_are_read() {
        // "alice@example.test:open:sesame"
        let value = "bAsIc YWxpY2VAZXhhbXBsZS50ZXN0Om9wZW46c2VzYW1l";
        assert_eq!(read(&header(value), "example.test"), basic("alice@example.test", "open:sesame"));
        // "alice:x": one of ours.
        assert_eq!(read(&header("Basic YWxpY2U6eA=="), "example.test"), basic("alice@example.test", "x"));
        assert_eq!(read(&header("Basic YWxpY2U6eA"), "example.test"), basic("alice@example.test", "x"));
    }

    #[test]
    fn other_schemes_are_no_credentials_and_nonsense_is_nobodys() {
        assert_eq!(read(&HeaderMap::new(), "example.test"), Credentials::Absent);
        assert_eq!(read(&header("Negotiate TlRMTVNTUAAB"), "example.test"), Credentials::Absent);
        // Not base64; no colon; no password; no user.
        for value in ["Basic !!", "Basic YWxpY2U=", "Basic YWxpY2U6", "Basic Ong="] {
            assert_eq!(read(&header(value), "example.test"), Credentials::Unreadable, "{value}");
        }
        let mut twice = header("Basic YWxpY2U6eA==");
        twice.append(AUTHORIZATION, HeaderValue::from_static("Basic YWxpY2U6eQ=="));
        assert_eq!(read(&twice, "example.test"), Credentials::Unreadable);
        let long = format!("Basic {}", STANDARD.encode(format!("alice:{}", "x".repeat(2_000))));
        assert_eq!(read(&header(&long), "example.test"), Credentials::Unreadable);
    }
}
