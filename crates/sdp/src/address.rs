//! Where a description asks us to send, and where we do.

use std::net::IpAddr;

use crate::Refusal;

/// What the connection data of a media line come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An address that media may be sent to.
    Unicast(IpAddr),
    /// RFC 2543's way to put a call on hold (RFC 3264 8.4).
    Unspecified,
    /// Nowhere that we send to: a name, which is not resolved, or a broadcast or multicast address.
    Nowhere,
}

/// Reads one `c=` line. `ours` is the address that we tell the peer, whose family we have.
pub(crate) fn place(connection: &sdp_types::Connection, ours: IpAddr) -> Result<Place, Refusal> {
    if connection.nettype != sdp_types::NetType::In {
        return Err(Refusal::NetworkType);
    }
    // SEC-80: a name in a description would make us ask name servers of the peer's choice.
    let address = connection.connection_address.split('/').next().unwrap_or_default();
    let Ok(address) = address.parse::<IpAddr>() else { return Ok(Place::Nowhere) };
    let address = address.to_canonical();
    if address.is_unspecified() {
        return Ok(Place::Unspecified);
    }
    if !is_unicast(address) {
        return Ok(Place::Nowhere);
    }
    if address.is_ipv4() != ours.to_canonical().is_ipv4() {
        return Err(Refusal::AddressFamily);
    }
    Ok(Place::Unicast(address))
}

/// SEC-80. The broadcast address of a distant subnet looks like any other; routers drop those.
fn is_unicast(address: IpAddr) -> bool {
    match address {
        // 0.0.0.0/8 is "this network" (RFC 6890), 240.0.0.0/4 is reserved and ends in the broadcast.
        IpAddr::V4(address) => {
            let first = address.octets()[0];
            first != 0 && first < 224
        }
        IpAddr::V6(address) => !address.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(network: &str, kind: &str, address: &str, ours: &str) -> Result<Place, Refusal> {
        let connection = sdp_types::Connection {
            nettype: network.parse().unwrap(),
            addrtype: kind.parse().unwrap(),
            connection_address: address.to_owned(),
        };
        place(&connection, ours.parse().unwrap())
    }

    /// SEC-80.
    #[test]
    fn media_go_to_unicast_addresses_of_our_family_only() {
        let ours = "192.0.2.1";
        for nowhere in
            ["255.255.255.255", "224.2.1.1/127", "239.0.0.1", "240.0.0.1", "0.1.2.3", "host.example.test", ""]
        {
            assert_eq!(read("IN", "IP4", nowhere, ours), Ok(Place::Nowhere), "{nowhere}");
        }
        for nowhere in ["ff02::1", "ff0e::1/3", "fe80::1%eth0", "host.example.test"] {
            assert_eq!(read("IN", "IP6", nowhere, "2001:db8::1"), Ok(Place::Nowhere), "{nowhere}");
        }
        assert_eq!(read("IN", "IP4", "0.0.0.0", ours), Ok(Place::Unspecified));
        assert_eq!(read("IN", "IP6", "::", ours), Ok(Place::Unspecified));
        assert_eq!(
            read("IN", "IP4", "198.51.100.7", ours),
            Ok(Place::Unicast("198.51.100.7".parse().unwrap()))
        );
        assert_eq!(read("IN", "IP4", "127.0.0.1", ours), Ok(Place::Unicast("127.0.0.1".parse().unwrap())));
        assert_eq!(
            read("IN", "IP6", "::ffff:198.51.100.7", ours),
            Ok(Place::Unicast("198.51.100.7".parse().unwrap()))
        );
        assert_eq!(read("IN", "IP6", "::ffff:255.255.255.255", ours), Ok(Place::Nowhere));
    }

    #[test]
    fn another_family_or_network_is_refused() {
        assert_eq!(read("IN", "IP6", "2001:db8::7", "192.0.2.1"), Err(Refusal::AddressFamily));
        assert_eq!(read("IN", "IP4", "198.51.100.7", "2001:db8::1"), Err(Refusal::AddressFamily));
        assert_eq!(read("ATM", "NSAP", "47.0091.8100", "192.0.2.1"), Err(Refusal::NetworkType));
    }
}
