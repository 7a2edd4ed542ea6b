//! Made-up addresses and certificates.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use umbel_node::{Destination, PeerCertificate, PeerName, Transport};
use umbel_time::UnixTime;

/// The `number`th address of the network that RFC 5737 keeps for examples.
pub fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}

/// Where a TCP listener at the usual port is.
pub fn tcp(ip: IpAddr) -> Destination {
    let transport = Transport::Tcp;
    Destination { transport, address: SocketAddr::new(ip, transport.default_port()), server_name: None }
}

/// Where a TLS listener at the usual port is, and the name that its certificate must bear.
pub fn tls(ip: IpAddr, server_name: &str) -> Destination {
    let transport = Transport::Tls;
    Destination {
        transport,
        address: SocketAddr::new(ip, transport.default_port()),
        server_name: Some(server_name.to_owned()),
    }
}

/// A certificate with these names, valid as long as anybody counts. Equal names, equal fingerprint.
pub fn certificate(names: &[&str]) -> Arc<PeerCertificate> {
    let mut fingerprint = [0_u8; 32];
    for (at, octet) in names.join(",").bytes().enumerate() {
        if let Some(place) = fingerprint.get_mut(at % 32) {
            *place = place.rotate_left(1) ^ octet;
        }
    }
    Arc::new(PeerCertificate {
        names: names.iter().map(|name| PeerName::Dns(name.to_ascii_lowercase())).collect(),
        fingerprint,
        not_before: UnixTime::from_secs(0),
        not_after: UnixTime::from_secs(i64::from(u32::MAX)),
    })
}
