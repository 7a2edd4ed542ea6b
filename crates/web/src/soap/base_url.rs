//! Where the client reached us, for the addresses that are told back to it.

use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::Client;

/// RFC 1035 2.3.4: a name has at most 255 octets; a port follows.
const HOST_BYTES_MAX: usize = 262;

/// The scheme of the connection and the host that the client named, or `configured` where that is no host.
///
/// Nothing is repeated that is not a name or an address with a port: the answer is read by programs that
/// send their password to it.
pub(super) fn base_url(parts: &Parts, client: Option<Client>, configured: &str) -> String {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().filter(|host| is_host(host)),
        _ => None,
    };
    match (named, client) {
        (Some(host), Some(client)) => {
            format!("{}://{host}", if client.is_encrypted { "https" } else { "http" })
        }
        _ => configured.to_owned(),
    }
}

/// RFC 3986 3.2.2, without the forms that nobody uses: `name`, `192.0.2.1`, `[2001:db8::1]`, each with a port or not.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("", rest.strip_prefix(':').or(if rest.is_empty() { None } else { Some("x") }))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
    };
    let is_name = text.starts_with('[') || host.strip_suffix('.').unwrap_or(host).split('.').all(is_label);
    let is_port = port
        .is_none_or(|port| port.bytes().all(|octet| octet.is_ascii_digit()) && port.parse::<u16>().is_ok());
    text.len() <= HOST_BYTES_MAX && is_name && is_port
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::Request;

    use super::*;

    fn told(hosts: &[&str], is_encrypted: bool) -> String {
        let mut request = Request::builder();
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (remote, local) = ("127.0.0.1:5".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        base_url(&parts, Some(Client { remote, local, is_encrypted }), "http://configured:8080")
    }

    #[test]
    fn the_host_is_the_clients_own_word_for_us() {
        assert_eq!(told(&["um.example.test:8443"], true), "https://um.example.test:8443");
        for host in ["localhost", "127.0.0.1:8080", "[::1]:8080", "[2001:db8::1]", "um_1.example.test."] {
            assert_eq!(told(&[host], false), format!("http://{host}"));
        }
    }

    #[test]
    fn what_is_no_host_is_never_repeated() {
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "a@b",
            "a:b",
            "a:",
            "a:65536",
            "a:1:2",
            "<a>",
            "a\"",
            "..",
            "a..b",
            "[::1",
            "[x]",
            "[::1]x",
            "::1",
            "ä",
            &"a".repeat(300),
        ] {
            assert_eq!(told(&[host], false), "http://configured:8080", "{host}");
        }
        assert_eq!(told(&[], true), "http://configured:8080");
        assert_eq!(told(&["a", "b"], false), "http://configured:8080");
    }
}
