//! The session's cookie (RFC 6265, DEC-36).

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use super::session_table::SessionId;
use crate::front::Client;

/// Longest value of the header that is looked at.
const HEADER_BYTES_MAX: usize = 4_096;

/// Which cookie a browser keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Where the page came over TLS, ours or that of a proxy on this machine.
    Secure,
    /// On plain loopback, where browsers do not keep the other.
    Plain,
}

impl Kind {
    /// The prefix makes browsers refuse such a cookie from any other host, path or connection (SEC-102).
    const fn name(self) -> &'static str {
        match self {
            Kind::Secure => "__Host-umbel-session",
            Kind::Plain => "umbel-session",
        }
    }

    fn of_name(name: &str, client: Client) -> Option<Kind> {
        // A plain one may have been planted on the way, so it counts for nothing under TLS.
        let kinds: &[Kind] = if client.is_encrypted { &[Kind::Secure] } else { &[Kind::Secure, Kind::Plain] };
        kinds.iter().copied().find(|kind| kind.name() == name)
    }
}

/// What a request shows by a session's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing: its sender is a program, or nobody signed in.
    Nothing,
    /// Something that names no session. Two of them are none, too: somebody planted one.
    Unreadable(Kind),
    /// A session, perhaps.
    Id(SessionId, Kind),
}

/// Reads what is shown.
pub(super) fn read(headers: &HeaderMap, client: Client) -> Shown {
    let values = headers.get_all(COOKIE).iter().filter(|value| value.len() <= HEADER_BYTES_MAX);
    let mut all = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, text)| Kind::of_name(name, client).map(|kind| (kind, text)));
    match (all.next(), all.next()) {
        (None, _) => Shown::Nothing,
        (Some((kind, text)), None) => match SessionId::parse(text) {
            Some(id) => Shown::Id(id, kind),
            None => Shown::Unreadable(kind),
        },
        (Some((kind, _)), Some(_)) => Shown::Unreadable(kind),
    }
}

/// Gives a browser its session; it forgets it when it is closed. Scripts do not see it, and other sites' links
/// and forms do not send it.
pub(super) fn set(id: &SessionId, kind: Kind) -> String {
    format!("{}={}; {}", kind.name(), id.text(), attributes(kind))
}

/// Takes it away.
pub(super) fn clear(kind: Kind) -> String {
    format!("{}=; {}; Max-Age=0", kind.name(), attributes(kind))
}

const fn attributes(kind: Kind) -> &'static str {
    match kind {
        Kind::Secure => "Path=/; Secure; HttpOnly; SameSite=Strict",
        Kind::Plain => "Path=/; HttpOnly; SameSite=Strict",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::HeaderValue;

    use super::*;

    fn client(is_encrypted: bool) -> Client {
        let (remote, local) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        Client { remote, local, is_encrypted }
    }

    fn shown(value: &str, is_encrypted: bool) -> Shown {
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(value).unwrap())]);
        read(&headers, client(is_encrypted))
    }

    fn id() -> SessionId {
        SessionId::from_octets([0xab; 32])
    }

    /// DEC-36, SEC-102
    #[test]
    fn under_tls_the_cookie_is_bound_to_the_host_and_on_loopback_it_has_a_plain_name() {
        let text = "ab".repeat(32);
        let secure = format!("__Host-umbel-session={text}; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(set(&id(), Kind::Secure), secure);
        assert_eq!(
            set(&id(), Kind::Plain),
            format!("umbel-session={text}; Path=/; HttpOnly; SameSite=Strict")
        );
        assert_eq!(
            clear(Kind::Secure),
            "__Host-umbel-session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
        );
        assert_eq!(clear(Kind::Plain), "umbel-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn a_session_is_read_among_other_cookies() {
        let text = "ab".repeat(32);
        let plain = Shown::Id(id(), Kind::Plain);
        assert_eq!(shown(&format!("umbel-session={text}"), false), plain);
        assert_eq!(shown(&format!("a=b; umbel-session={text};c"), false), plain);
        let secure = Shown::Id(id(), Kind::Secure);
        assert_eq!(shown(&format!("__Host-umbel-session={text}"), true), secure);
        // A proxy on this machine may have taken the TLS off.
        assert_eq!(shown(&format!("__Host-umbel-session={text}"), false), secure);
    }

    /// SEC-102
    #[test]
    fn a_plain_cookie_counts_for_nothing_under_tls_and_two_are_none() {
        let text = "ab".repeat(32);
        assert_eq!(shown(&format!("umbel-session={text}"), true), Shown::Nothing);
        let other = "cd".repeat(32);
        for name in ["umbel-session", "__Host-umbel-session"] {
            let twice = format!("umbel-session={text}; {name}={other}");
            assert_eq!(shown(&twice, false), Shown::Unreadable(Kind::Plain), "{name}");
        }
    }

    #[test]
    fn what_names_no_session_still_tells_that_our_page_asks() {
        for wrong in ["umbel-session=", "umbel-session=ab", "a=b; umbel-session=gone"] {
            assert_eq!(shown(wrong, false), Shown::Unreadable(Kind::Plain), "{wrong}");
        }
        let long = format!("pad={}; umbel-session={}", "x".repeat(HEADER_BYTES_MAX), "ab".repeat(32));
        for nothing in ["", "umbel-session", "xumbel-session=1", &long] {
            assert_eq!(shown(nothing, false), Shown::Nothing, "{nothing}");
        }
    }
}
