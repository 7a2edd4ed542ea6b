//! Tables of connections and what they are worth.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const NOW: UnixTime = UnixTime::from_secs(1_000);

fn flow(transport: Transport, remote: &str, certificate: Option<PeerCertificate>) -> Flow {
    Flow {
        transport,
        local: "192.0.2.1:5061".parse().unwrap(),
        remote: remote.parse().unwrap(),
        origin: Origin::Accepted,
        peer: certificate.map(Arc::new),
    }
}

fn certificate(names: &[PeerName]) -> PeerCertificate {
    PeerCertificate {
        names: names.to_vec(),
        fingerprint: [7; 32],
        not_before: UnixTime::from_secs(900),
        not_after: UnixTime::from_secs(1_100),
    }
}

fn dns(name: &str) -> PeerName {
    PeerName::Dns(name.to_owned())
}

fn sip(name: &str) -> PeerName {
    PeerName::SipDomain(name.to_owned())
}

fn listing(rules: &[&str]) -> Policy {
    Policy { peers: rules.iter().map(|rule| rule.parse().unwrap()).collect(), ..Policy::default() }
}

fn transport_of(flow: &Flow, policy: &Policy) -> Result<Basis, Missing> {
    trust(flow, policy, NOW).transport
}

fn tls(names: &[PeerName]) -> Flow {
    flow(Transport::Tls, "198.51.100.7:40000", Some(certificate(names)))
}

/// OCEXUM-3.1.2-1, CMD-4, PEER-3, SEC-03.
#[test]
fn a_listed_name_is_trusted_and_another_name_is_not() {
    let policy = listing(&["proxy.example.test"]);
    let trusted = trust(&tls(&[dns("proxy.example.test")]), &policy, NOW);
    assert_eq!(trusted.transport, Ok(Basis::ListedPeer));
    assert_eq!(trusted.identity, Identity::Listed);
    assert_eq!(trusted.peer.as_deref(), Some("proxy.example.test"));

    for name in
        ["stranger.example.test", "xproxy.example.test", "proxy.example.test.evil.test", "example.test", ""]
    {
        let stranger = trust(&tls(&[dns(name)]), &policy, NOW);
        assert_eq!(stranger.transport, Err(Missing::Listing), "{name}");
        assert_eq!(stranger.identity, Identity::Unlisted, "{name}");
    }
}

/// PEER-3: a wildcard in a certificate matches nothing, and none can be configured.
#[test]
fn wildcards_are_not_matched() {
    let policy = listing(&["proxy.example.test"]);
    assert_eq!(transport_of(&tls(&[dns("*.example.test")]), &policy), Err(Missing::Listing));
    assert_eq!("*.example.test".parse::<PeerRule>(), Err(UnreadableRule::Wildcard));
}

/// RFC 5922 7.1: "URI sip:domain, else DNS".
#[test]
fn the_sip_domain_of_a_certificate_goes_before_its_dns_names() {
    let policy = listing(&["proxy.example.test"]);
    assert_eq!(transport_of(&tls(&[sip("proxy.example.test")]), &policy), Ok(Basis::ListedPeer));
    assert_eq!(
        transport_of(&tls(&[dns("proxy.example.test"), sip("other.example.test")]), &policy),
        Err(Missing::Listing)
    );
    assert_eq!(
        transport_of(&tls(&[dns("other.example.test"), dns("Proxy.Example.Test")]), &policy),
        Ok(Basis::ListedPeer)
    );
}

#[test]
fn a_listed_fingerprint_is_trusted_whatever_the_names() {
    let policy = listing(&[&format!("sha256:{}", "07".repeat(32))]);
    assert_eq!(transport_of(&tls(&[dns("anything.test")]), &policy), Ok(Basis::ListedPeer));
    assert_eq!(transport_of(&tls(&[]), &policy), Ok(Basis::ListedPeer));
    let other = listing(&[&format!("SHA256:{}", ["08"; 32].join(":"))]);
    assert_eq!(transport_of(&tls(&[dns("anything.test")]), &other), Err(Missing::Listing));
}

/// SEC-02.
#[test]
fn tls_without_a_certificate_is_not_trusted() {
    let bare = flow(Transport::Tls, "198.51.100.7:40000", None);
    assert_eq!(transport_of(&bare, &listing(&["proxy.example.test"])), Err(Missing::Certificate));
}

/// SEC-01.
#[test]
fn plain_tcp_is_not_trusted_not_even_from_loopback() {
    for remote in ["127.0.0.1:5060", "[::1]:5060", "198.51.100.7:40000"] {
        let plain = flow(Transport::Tcp, remote, None);
        assert_eq!(transport_of(&plain, &listing(&["proxy.example.test"])), Err(Missing::Tls));
    }
}

/// T1: our own outgoing connection authenticates a server, not a client.
#[test]
fn a_connection_that_we_opened_is_not_trusted() {
    let mut outgoing = tls(&[dns("proxy.example.test")]);
    outgoing.origin = Origin::Opened;
    assert_eq!(transport_of(&outgoing, &listing(&["proxy.example.test"])), Err(Missing::Accepted));
}

/// SEC-05: T2 fails from the second on in which the certificate expires.
#[test]
fn validity_is_asked_of_the_present_moment() {
    let policy = listing(&["proxy.example.test"]);
    let flow = tls(&[dns("proxy.example.test")]);
    for (now, expected) in [
        (899, Err(Missing::Validity)),
        (900, Ok(Basis::ListedPeer)),
        (1_100, Ok(Basis::ListedPeer)),
        (1_101, Err(Missing::Validity)),
    ] {
        let trust = trust(&flow, &policy, UnixTime::from_secs(now));
        assert_eq!(trust.transport, expected, "{now}");
        assert_eq!(trust.identity == Identity::Listed, expected.is_ok(), "{now}");
    }
}

/// SEC-08: the list is asked for every INVITE, so a removed peer is a stranger at once.
#[test]
fn a_peer_removed_from_the_list_is_a_stranger() {
    let flow = tls(&[dns("proxy.example.test")]);
    assert!(transport_of(&flow, &listing(&["proxy.example.test"])).is_ok());
    assert_eq!(transport_of(&flow, &listing(&["other.example.test"])), Err(Missing::Listing));
}

/// DEC-29: for identity and diversion, never for the PIN.
#[test]
fn a_tcp_peer_is_believed_about_callers_but_not_trusted_for_the_pin() {
    let policy = listing(&["tcp:192.0.2.7"]);
    let peer = trust(&flow(Transport::Tcp, "192.0.2.7:5060", None), &policy, NOW);
    assert_eq!((peer.transport, peer.identity), (Err(Missing::Tls), Identity::Listed));
    let mapped = trust(&flow(Transport::Tcp, "[::ffff:192.0.2.7]:5060", None), &policy, NOW);
    assert_eq!(mapped.identity, Identity::Listed);
    let other = trust(&flow(Transport::Tcp, "192.0.2.8:5060", None), &policy, NOW);
    assert_eq!(other.identity, Identity::Unlisted);
    let over_tls = trust(&flow(Transport::Tls, "192.0.2.7:5060", None), &policy, NOW);
    assert_eq!(over_tls.identity, Identity::Unlisted);
}

/// CMD-14, DEC-9: any TLS connection serves for the PIN; asserted identities still need the list.
#[test]
fn any_tls_trusts_every_tls_connection_but_believes_only_listed_peers() {
    let policy = Policy { transport: TrustedTransport::AnyTls, ..listing(&["proxy.example.test"]) };
    let bare = trust(&flow(Transport::Tls, "198.51.100.7:40000", None), &policy, NOW);
    assert_eq!((bare.transport, bare.identity), (Ok(Basis::AnyTls), Identity::Unlisted));
    let stranger = trust(&tls(&[dns("stranger.test")]), &policy, NOW);
    assert_eq!((stranger.transport, stranger.identity), (Ok(Basis::AnyTls), Identity::Unlisted));
    let listed = trust(&tls(&[dns("proxy.example.test")]), &policy, NOW);
    assert_eq!((listed.transport, listed.identity), (Ok(Basis::ListedPeer), Identity::Listed));
    let plain = trust(&flow(Transport::Tcp, "198.51.100.7:40000", None), &policy, NOW);
    assert_eq!(plain.transport, Err(Missing::Tls));
}

/// SEC-33, DEC-9: a network alone opens nothing; the second setting is needed.
#[test]
fn a_trusted_network_needs_both_settings() {
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let inside = flow(Transport::Tcp, "192.0.2.7:5060", None);
    let outside = flow(Transport::Tcp, "192.0.3.7:5060", None);
    let half = Policy { networks, ..Policy::default() };
    assert_eq!(transport_of(&inside, &half), Err(Missing::Tls));
    assert_eq!(trust(&inside, &half, NOW).identity, Identity::Unlisted);
    let whole = Policy { accept_cleartext: true, ..half };
    assert_eq!(transport_of(&inside, &whole), Ok(Basis::TrustedNetwork));
    assert_eq!(trust(&inside, &whole, NOW).identity, Identity::Listed);
    assert_eq!(transport_of(&outside, &whole), Err(Missing::Tls));
}

/// DEC-18.
#[test]
fn a_gateway_is_believed_about_numbers_and_never_trusted_for_the_pin() {
    let policy = Policy { gateways: vec!["192.0.2.0/24".parse().unwrap()], ..Policy::default() };
    for transport in [Transport::Tcp, Transport::Tls] {
        let gateway = trust(&flow(transport, "192.0.2.7:5060", None), &policy, NOW);
        assert_eq!(gateway.identity, Identity::Gateway);
        assert!(gateway.transport.is_err());
    }
}

#[test]
fn networks_are_compared_by_their_leading_bits() {
    for (network, address, inside) in [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.1.2.3/32", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ] {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), inside, "{network} {address}");
    }
    for bad in ["10.0.0.0/33", "::/129", "10.0.0", "example.test/8", "10.0.0.0/", "10.0.0.0/-1", ""] {
        assert_eq!(bad.parse::<Network>(), Err(UnreadableRule::Network), "{bad}");
    }
}

#[test]
fn what_cannot_be_a_peer_is_refused_with_a_reason() {
    for (text, why) in [
        ("", UnreadableRule::Name),
        ("proxy example", UnreadableRule::Name),
        ("sip:proxy.test", UnreadableRule::Name),
        ("*", UnreadableRule::Wildcard),
        ("tcp:proxy.test", UnreadableRule::Address),
        ("tcp:192.0.2.0/24", UnreadableRule::Address),
        ("sha256:", UnreadableRule::Fingerprint),
        ("sha256:07", UnreadableRule::Fingerprint),
        (&format!("sha256:{}", "07".repeat(33)), UnreadableRule::Fingerprint),
        (&format!("sha256:{}", "0g".repeat(32)), UnreadableRule::Fingerprint),
    ] {
        assert_eq!(text.parse::<PeerRule>(), Err(why), "{text}");
    }
}

proptest! {
    /// Configuration text never panics, whatever it is.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = text.parse::<PeerRule>();
        let _ = text.parse::<Network>();
    }

    /// T1: no setting but the two for cleartext makes plain TCP a trusted transport.
    #[test]
    fn tcp_is_trusted_only_by_both_cleartext_settings(any_tls: bool, accept: bool, in_network: bool, gateway: bool) {
        let everywhere = || vec!["0.0.0.0/0".parse().unwrap()];
        let policy = Policy {
            peers: vec!["tcp:198.51.100.7".parse().unwrap(), "proxy.example.test".parse().unwrap()],
            transport: if any_tls { TrustedTransport::AnyTls } else { TrustedTransport::ListedPeer },
            networks: if in_network { everywhere() } else { Vec::new() },
            accept_cleartext: accept,
            gateways: if gateway { everywhere() } else { Vec::new() },
            own: None,
        };
        let plain = flow(Transport::Tcp, "198.51.100.7:5060", None);
        prop_assert_eq!(transport_of(&plain, &policy).is_ok(), accept && in_network);
    }
}
