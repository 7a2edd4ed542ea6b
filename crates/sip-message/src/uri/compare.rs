//! Equivalence of URIs: RFC 3261 19.1.4, with RFC 5954 4.2 for IPv6 addresses.

use std::net::Ipv6Addr;

use super::{Scheme, UriRef, escape};

/// Parameters that may not appear in one URI only. The text of 19.1.4 names the first four; its own
/// example tells apart a URI with and one without `transport`.
const NEVER_IGNORED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

pub(super) fn equivalent(a: UriRef<'_>, b: UriRef<'_>) -> bool {
    if a.scheme() != b.scheme() {
        return false;
    }
    match a.scheme() {
        Scheme::Sip | Scheme::Sips => sip(a, b),
        Scheme::Tel => tel(a, b),
        Scheme::Other => other(a, b),
    }
}

fn sip(a: UriRef<'_>, b: UriRef<'_>) -> bool {
    // "Comparison of the userinfo of SIP and SIPS URIs is case-sensitive."
    a.user().map(normal) == b.user().map(normal)
        && a.password().map(normal) == b.password().map(normal)
        && same_host(a.host(), b.host())
        // "An omitted port is not equivalent to an explicit default."
        && a.port() == b.port()
        && params(a, b)
        && params(b, a)
        && headers(a, b)
        && headers(b, a)
}

/// Whether every parameter of `a` that may not be ignored is in `b`, and those in both are the same.
fn params(a: UriRef<'_>, b: UriRef<'_>) -> bool {
    a.params().all(|(name, value)| match b.param(name) {
        Some(other) => match (value, other) {
            (Some(value), Some(other)) => normal(value).eq_ignore_ascii_case(&normal(other)),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        },
        None => !NEVER_IGNORED.iter().any(|never| never.eq_ignore_ascii_case(name)),
    })
}

/// "URI header components are never ignored."
fn headers(a: UriRef<'_>, b: UriRef<'_>) -> bool {
    a.headers().all(|(name, value)| {
        b.headers().any(|(other_name, other)| {
            normal(name).eq_ignore_ascii_case(&normal(other_name)) && normal(value) == normal(other)
        })
    })
}

fn same_host(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || matches!((ipv6(a), ipv6(b)), (Some(a), Some(b)) if a == b)
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// "Characters other than those in the 'reserved' set are equivalent to their '%' HEX HEX encoding":
/// decodes those, and writes the escapes of the others in one way.
fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, escaped) = rest.split_at(at);
        normal.push_str(before);
        let Some(octet) = escape::escape(escaped.as_bytes().get(1..3).unwrap_or_default()) else {
            normal.push_str(escaped);
            return normal;
        };
        if octet.is_ascii_graphic() && !b";/?:@&=+$,%".contains(&octet) {
            normal.push(char::from(octet));
        } else {
            normal.push_str(&escaped.get(..3).unwrap_or_default().to_ascii_uppercase());
        }
        rest = escaped.get(3..).unwrap_or_default();
    }
    normal.push_str(rest);
    normal
}

/// RFC 3966 4: visual separators do not count, parameters in any order, all of them.
fn tel(a: UriRef<'_>, b: UriRef<'_>) -> bool {
    let number = |uri: UriRef<'_>| -> String {
        let digits = uri.user().unwrap_or_default().chars().filter(|c| !"-.()".contains(*c));
        digits.map(|c| c.to_ascii_lowercase()).collect()
    };
    let within = |a: UriRef<'_>, b: UriRef<'_>| {
        a.params().all(|(name, value)| match (value, b.param(name)) {
            (Some(value), Some(Some(other))) => normal(value).eq_ignore_ascii_case(&normal(other)),
            (None, Some(None)) => true,
            _ => false,
        })
    };
    number(a) == number(b) && within(a, b) && within(b, a)
}

fn other(a: UriRef<'_>, b: UriRef<'_>) -> bool {
    let opaque = |uri: UriRef<'_>| uri.as_str().split_once(':').map(|(_, rest)| rest.to_owned());
    a.scheme_name().eq_ignore_ascii_case(b.scheme_name()) && opaque(a) == opaque(b)
}
