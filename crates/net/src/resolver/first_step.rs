//! What a URI itself says about where to go, before any name service is asked: RFC 3263 4.1, 4.2.

use std::net::{IpAddr, SocketAddr};

use umbel_node::Transport;
use umbel_sip_message::{Scheme, Uri};

/// How to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FirstStep {
    /// The URI gives an address.
    Known { transport: Transport, address: SocketAddr },
    /// The URI gives a port, so only addresses are looked up.
    Addresses { transport: Transport, host: String, port: u16 },
    /// The URI gives the transport, so one kind of service is looked up.
    Service { transport: Transport, domain: String },
    /// The URI leaves it to the domain, which may point to services.
    Pointers { domain: String, secure_only: bool },
    /// The URI asks for what we do not speak, or is no SIP URI.
    Nowhere,
}

/// Reads the first step from the URI of the next hop.
pub(super) fn first_step(uri: &Uri) -> FirstStep {
    let uri = uri.as_ref();
    let secure = match uri.scheme() {
        Scheme::Sip => false,
        Scheme::Sips => true,
        Scheme::Tel | Scheme::Other => return FirstStep::Nowhere,
    };
    // RFC 3261 26.2.2: in a SIPS URI "tcp" means TLS over TCP. [MS-OCEXUM] 2.1: TCP or TLS, so
    // whoever asks for anything else is not served.
    let transport = match uri.transport().map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("tls") => Some(Transport::Tls),
        Some("tcp") if secure => Some(Transport::Tls),
        Some("tcp") => Some(Transport::Tcp),
        Some(_) => return FirstStep::Nowhere,
    };
    let plain = if secure { Transport::Tls } else { Transport::Tcp };
    // RFC 3263 4: TARGET is the maddr parameter if there is one.
    let target = uri.param("maddr").flatten().unwrap_or(uri.host());
    if let Some(address) = numeric(target) {
        let transport = transport.unwrap_or(plain);
        let port = uri.port().unwrap_or(transport.default_port());
        return FirstStep::Known { transport, address: SocketAddr::new(address, port) };
    }
    let target = target.trim_end_matches('.').to_ascii_lowercase();
    match (uri.port(), transport) {
        _ if target.is_empty() => FirstStep::Nowhere,
        (Some(port), _) => FirstStep::Addresses { transport: transport.unwrap_or(plain), host: target, port },
        (None, Some(transport)) => FirstStep::Service { transport, domain: target },
        (None, None) => FirstStep::Pointers { domain: target, secure_only: secure },
    }
}

fn numeric(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: FirstStep) {
        assert_eq!(first_step(&uri.parse().unwrap()), expected, "{uri}");
    }

    fn known(transport: Transport, address: &str) -> FirstStep {
        FirstStep::Known { transport, address: address.parse().unwrap() }
    }

    fn addresses(transport: Transport, host: &str, port: u16) -> FirstStep {
        FirstStep::Addresses { transport, host: host.to_owned(), port }
    }

    fn service(transport: Transport, domain: &str) -> FirstStep {
        FirstStep::Service { transport, domain: domain.to_owned() }
    }

    fn pointers(domain: &str, secure_only: bool) -> FirstStep {
        FirstStep::Pointers { domain: domain.to_owned(), secure_only }
    }

    #[test]
    fn a_numeric_host_is_where_to_go() {
        check("sip:alice@192.0.2.1", known(Transport::Tcp, "192.0.2.1:5060"));
        check("sips:alice@192.0.2.1", known(Transport::Tls, "192.0.2.1:5061"));
        check("sip:192.0.2.1:5066;transport=tls", known(Transport::Tls, "192.0.2.1:5066"));
        check("sip:192.0.2.1;transport=TLS", known(Transport::Tls, "192.0.2.1:5061"));
        check("sip:[2001:db8::1]", known(Transport::Tcp, "[2001:db8::1]:5060"));
        check("sip:[2001:db8::1]:70", known(Transport::Tcp, "[2001:db8::1]:70"));
    }

    #[test]
    fn a_port_leaves_only_addresses_to_look_up() {
        check("sip:example.test:5070", addresses(Transport::Tcp, "example.test", 5070));
        check("sips:example.test:5070", addresses(Transport::Tls, "example.test", 5070));
        check("sip:Example.Test:5061;transport=tls", addresses(Transport::Tls, "example.test", 5061));
    }

    #[test]
    fn a_transport_leaves_one_kind_of_service_to_look_up() {
        check("sip:example.test;transport=tcp", service(Transport::Tcp, "example.test"));
        check("sips:example.test;transport=tcp", service(Transport::Tls, "example.test"));
        check("sip:example.test.;transport=tls", service(Transport::Tls, "example.test"));
    }

    #[test]
    fn a_bare_domain_decides_itself() {
        check("sip:alice@example.test", pointers("example.test", false));
        check("sips:alice@example.test", pointers("example.test", true));
    }

    #[test]
    fn maddr_takes_the_place_of_the_host() {
        check("sip:example.test;maddr=192.0.2.9", known(Transport::Tcp, "192.0.2.9:5060"));
        check("sip:192.0.2.1;maddr=other.test", pointers("other.test", false));
    }

    // OCEXUM-2.1-2
    #[test]
    fn other_transports_and_schemes_lead_nowhere() {
        check("sip:192.0.2.1;transport=udp", FirstStep::Nowhere);
        check("sip:example.test;transport=UDP", FirstStep::Nowhere);
        check("sip:example.test;transport=sctp", FirstStep::Nowhere);
        check("sip:example.test;transport=ws", FirstStep::Nowhere);
        check("tel:+15550100", FirstStep::Nowhere);
    }
}
