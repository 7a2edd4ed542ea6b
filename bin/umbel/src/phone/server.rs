//! `--server tls:HOST:PORT`: where the telephone calls.

use umbel_node::Transport;

use crate::exit::Failure;

/// The configured next hop of every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) transport: Transport,
    /// A host name or an address; IPv6 in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Server {
    /// Reads `tls:HOST:PORT` or `tcp:HOST:PORT`; the port may be left out.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::usage(format!(
                "`{text}` is no server; write tls:HOST:PORT or tcp:HOST:PORT, for example tls:127.0.0.1:5066"
            ))
        };
        let (transport, place) = text.split_once(':').ok_or_else(wrong)?;
        let transport = match transport {
            "tls" => Transport::Tls,
            "tcp" => Transport::Tcp,
            _ => return Err(wrong()),
        };
        let bracketed = place.starts_with('[');
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !bracketed || host.ends_with(']') => {
                (host, port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?)
            }
            _ => (place, transport.default_port()),
        };
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let addressed = plain.parse::<std::net::Ipv6Addr>().is_ok() && bracketed;
        if host.is_empty() || !(named || addressed) {
            return Err(wrong());
        }
        Ok(Server { transport, host: host.to_owned(), port })
    }

    /// The next hop as a URI.
    pub(crate) fn uri_text(&self) -> String {
        format!("sip:{}:{};transport={}", self.host, self.port, self.transport.uri_parameter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_both_families_are_read() {
        for (text, uri) in [
            ("tls:127.0.0.1:5066", "sip:127.0.0.1:5066;transport=tls"),
            ("tcp:um.example.test:5065", "sip:um.example.test:5065;transport=tcp"),
            ("tls:um.example.test", "sip:um.example.test:5061;transport=tls"),
            ("tcp:[::1]:5065", "sip:[::1]:5065;transport=tcp"),
            ("tcp:[::1]", "sip:[::1]:5060;transport=tcp"),
        ] {
            assert_eq!(Server::parse(text).expect(text).uri_text(), uri);
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            "tls",
            "udp:127.0.0.1:5060",
            "tls:",
            "tls:host:0",
            "tls:host:70000",
            "tls:ho st:1",
            "tcp:::1:5060",
            "tls:[x]:1",
        ] {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }
}
