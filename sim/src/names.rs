//! The made-up name service: RFC 3263 from a table.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use umbel_node::{Destination, Transport, Unresolved};
use umbel_sip_message::{Scheme, Uri};

/// What names lead to.
#[derive(Default)]
pub(crate) struct Names {
    destinations: BTreeMap<String, Vec<Destination>>,
    pub(crate) is_down: bool,
}

impl Names {
    pub(crate) fn set(&mut self, host: &str, destinations: Vec<Destination>) {
        self.destinations.insert(host.to_ascii_lowercase(), destinations);
    }

    /// The table's answer; an address leads to itself (RFC 3263 4.1, 4.2).
    pub(crate) fn resolve(&self, uri: &Uri) -> Result<Vec<Destination>, Unresolved> {
        let host = uri.host().to_ascii_lowercase();
        if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![numeric(uri, ip)]);
        }
        if self.is_down {
            return Err(Unresolved::Unavailable);
        }
        let secure = uri.scheme() == Scheme::Sips;
        let wanted = uri.transport().map(str::to_ascii_lowercase);
        let fits = |to: &&Destination| {
            (!secure || to.transport == Transport::Tls)
                && wanted.as_ref().is_none_or(|wanted| wanted == to.transport.uri_parameter())
        };
        let mut found: Vec<_> =
            self.destinations.get(&host).into_iter().flatten().filter(fits).cloned().collect();
        // RFC 3263 4.2: a port that is given is the port.
        for (destination, port) in found.iter_mut().zip(uri.port().into_iter().cycle()) {
            destination.address.set_port(port);
        }
        if found.is_empty() { Err(Unresolved::NotFound) } else { Ok(found) }
    }
}

fn numeric(uri: &Uri, ip: IpAddr) -> Destination {
    let secure = uri.scheme() == Scheme::Sips
        || uri.transport().is_some_and(|transport| transport.eq_ignore_ascii_case("tls"));
    let transport = if secure { Transport::Tls } else { Transport::Tcp };
    let port = uri.port().unwrap_or(transport.default_port());
    Destination {
        transport,
        address: SocketAddr::new(ip, port),
        server_name: secure.then(|| uri.host().to_ascii_lowercase()),
    }
}
