//! From a URI to destinations: RFC 3263 4, for TCP and TLS.

use std::net::{IpAddr, SocketAddr};

use rand_core::Rng;
use umbel_node::{Destination, Transport, Unresolved};
use umbel_sip_message::Uri;

use super::first_step::{FirstStep, first_step};
use super::order::{Naptr, Srv, by_order_and_preference, by_priority_and_weight};
use crate::limits::DESTINATIONS_MAX;

/// Service records and pointers of one answer that are looked at.
const RECORDS_MAX: usize = 16;

/// The name service. No records is an answer; an error is the lack of one.
pub(super) trait NameService {
    async fn pointers(&self, domain: &str) -> Result<Vec<Naptr>, Unresolved>;
    async fn services(&self, name: &str) -> Result<Vec<Srv>, Unresolved>;
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved>;
}

/// Finds where requests for `uri` go, best first.
pub(super) async fn search(
    uri: &Uri,
    names: &impl NameService,
    rng: &mut impl Rng,
) -> Result<Vec<Destination>, Unresolved> {
    let mut found = Found { server_name: uri.as_ref().host().to_ascii_lowercase(), destinations: Vec::new() };
    match first_step(uri) {
        FirstStep::Nowhere => {}
        FirstStep::Known { transport, address } => found.add(transport, [address.ip()], address.port()),
        FirstStep::Addresses { transport, host, port } => {
            found.add(transport, names.addresses(&host).await?, port);
        }
        FirstStep::Service { transport, domain } => {
            let records = names.services(&service_name(transport, &domain)).await?;
            // RFC 3263 4.2: without service records, the host itself on the default port.
            if records.is_empty() {
                found.add(transport, names.addresses(&domain).await?, transport.default_port());
            } else {
                found.add_services(transport, records, names, rng).await?;
            }
        }
        FirstStep::Pointers { domain, secure_only } => {
            found.follow_pointers(&domain, secure_only, names, rng).await?;
        }
    }
    if found.destinations.is_empty() { Err(Unresolved::NotFound) } else { Ok(found.destinations) }
}

struct Found {
    /// RFC 5922 4: the certificate must bear the name that was asked for, not where it led.
    server_name: String,
    destinations: Vec<Destination>,
}

impl Found {
    fn add(&mut self, transport: Transport, addresses: impl IntoIterator<Item = IpAddr>, port: u16) {
        let server_name = (transport == Transport::Tls).then(|| self.server_name.clone());
        for address in addresses {
            let destination = Destination {
                transport,
                address: SocketAddr::new(address, port),
                server_name: server_name.clone(),
            };
            if self.destinations.len() < DESTINATIONS_MAX && !self.destinations.contains(&destination) {
                self.destinations.push(destination);
            }
        }
    }

    async fn add_services(
        &mut self,
        transport: Transport,
        mut records: Vec<Srv>,
        names: &impl NameService,
        rng: &mut impl Rng,
    ) -> Result<(), Unresolved> {
        // RFC 2782: a target of "." says that there is no such service here.
        records.retain(|record| !record.target.trim_end_matches('.').is_empty());
        let mut failed = None;
        for record in by_priority_and_weight(records, rng).into_iter().take(RECORDS_MAX) {
            // One host without an answer is no reason to leave out the others.
            match names.addresses(&record.target).await {
                Ok(addresses) => self.add(transport, addresses, record.port),
                Err(unresolved) => failed = Some(unresolved),
            }
        }
        match failed {
            Some(unresolved) if self.destinations.is_empty() => Err(unresolved),
            _ => Ok(()),
        }
    }

    /// RFC 3263 4.1: the domain says which transports it prefers, or which services it has.
    async fn follow_pointers(
        &mut self,
        domain: &str,
        secure_only: bool,
        names: &impl NameService,
        rng: &mut impl Rng,
    ) -> Result<(), Unresolved> {
        let pointers = by_order_and_preference(names.pointers(domain).await?);
        let mut points_to_sip = false;
        for pointer in pointers.iter().take(RECORDS_MAX) {
            let Some(service) = pointed_service(pointer) else { continue };
            points_to_sip = true;
            match service {
                PointedService::Ours(Transport::Tcp) if secure_only => {}
                PointedService::Ours(transport) => {
                    let records = names.services(&pointer.replacement).await?;
                    self.add_services(transport, records, names, rng).await?;
                }
                PointedService::Foreign => {}
            }
        }
        // A domain that points only to what we do not speak has no place for us (OCEXUM-2.1-2).
        if points_to_sip {
            return Ok(());
        }

        let mut has_service = false;
        for transport in [Transport::Tls, Transport::Tcp] {
            if secure_only && transport == Transport::Tcp {
                continue;
            }
            let records = names.services(&service_name(transport, domain)).await?;
            has_service |= !records.is_empty();
            self.add_services(transport, records, names, rng).await?;
        }
        // Nor has one that serves SIP over datagrams alone.
        if has_service || (!secure_only && !names.services(&format!("_sip._udp.{domain}")).await?.is_empty())
        {
            return Ok(());
        }
        let transport = if secure_only { Transport::Tls } else { Transport::Tcp };
        self.add(transport, names.addresses(domain).await?, transport.default_port());
        Ok(())
    }
}

/// RFC 3263 4.2, RFC 3261 26.2.2: TLS is the "sips" service.
fn service_name(transport: Transport, domain: &str) -> String {
    match transport {
        Transport::Tcp => format!("_sip._tcp.{domain}"),
        Transport::Tls => format!("_sips._tcp.{domain}"),
    }
}

enum PointedService {
    Ours(Transport),
    /// SIP over something else.
    Foreign,
}

/// `None` where the pointer is not for SIP, or of a form that RFC 3263 does not use.
fn pointed_service(pointer: &Naptr) -> Option<PointedService> {
    if !pointer.flags.eq_ignore_ascii_case("s") {
        return None;
    }
    let services = pointer.services.to_ascii_uppercase();
    match services.as_str() {
        "SIP+D2T" => Some(PointedService::Ours(Transport::Tcp)),
        "SIPS+D2T" => Some(PointedService::Ours(Transport::Tls)),
        _ if services.starts_with("SIP+D2") || services.starts_with("SIPS+D2") => {
            Some(PointedService::Foreign)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    /// A name service on paper; what is not written down does not exist.
    #[derive(Default)]
    struct Paper {
        pointers: Vec<Naptr>,
        services: BTreeMap<&'static str, Vec<Srv>>,
        addresses: BTreeMap<&'static str, &'static str>,
        /// Names for which the servers fail.
        failing: Vec<&'static str>,
        asked: RefCell<Vec<String>>,
    }

    impl Paper {
        fn ask(&self, name: &str) -> Result<(), Unresolved> {
            self.asked.borrow_mut().push(name.to_owned());
            if self.failing.contains(&name) { Err(Unresolved::Unavailable) } else { Ok(()) }
        }
    }

    impl NameService for Paper {
        async fn pointers(&self, domain: &str) -> Result<Vec<Naptr>, Unresolved> {
            self.ask(domain).map(|()| self.pointers.clone())
        }

        async fn services(&self, name: &str) -> Result<Vec<Srv>, Unresolved> {
            self.ask(name).map(|()| self.services.get(name).cloned().unwrap_or_default())
        }

        async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved> {
            self.ask(host)?;
            Ok(self.addresses.get(host).iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    fn srv(priority: u16, target: &str) -> Srv {
        Srv { priority, weight: 0, port: 5999, target: target.to_owned() }
    }

    fn pointer(order: u16, services: &str, replacement: &str) -> Naptr {
        let (flags, services, replacement) = ("S".to_owned(), services.to_owned(), replacement.to_owned());
        Naptr { order, preference: 0, flags, services, replacement }
    }

    /// Destinations as one line each; a search on paper never waits.
    #[track_caller]
    fn check(uri: &str, paper: &Paper, expected: Result<&[&str], Unresolved>) {
        let uri: Uri = uri.parse().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(search(&uri, paper, &mut rng));
        let lines = found.map(|found| {
            found
                .iter()
                .map(|to| {
                    let name =
                        to.server_name.as_deref().map(|name| format!(" as {name}")).unwrap_or_default();
                    format!("{} {}{name}", to.transport.uri_parameter(), to.address)
                })
                .collect::<Vec<_>>()
        });
        let expected = expected.map(|lines| lines.iter().map(ToString::to_string).collect());
        assert_eq!(lines, expected, "{uri}");
    }

    #[test]
    fn a_secure_uri_follows_only_secure_pointers() {
        let paper = Paper {
            pointers: vec![pointer(1, "SIP+D2T", "plain"), pointer(2, "sips+d2t", "secure")],
            services: [("plain", vec![srv(1, "p")]), ("secure", vec![srv(1, "s")])].into(),
            addresses: [("p", "192.0.2.1"), ("s", "192.0.2.2")].into(),
            ..Paper::default()
        };
        check("sips:example.test", &paper, Ok(&["tls 192.0.2.2:5999 as example.test"]));
        check("sip:example.test", &paper, Ok(&["tcp 192.0.2.1:5999", "tls 192.0.2.2:5999 as example.test"]));
    }

    #[test]
    fn a_secure_uri_without_pointers_never_falls_back_to_tcp() {
        let paper = Paper {
            services: [("_sip._tcp.example.test", vec![srv(1, "p")])].into(),
            addresses: [("p", "192.0.2.1"), ("example.test", "192.0.2.9")].into(),
            ..Paper::default()
        };
        check("sips:example.test", &paper, Ok(&["tls 192.0.2.9:5061 as example.test"]));
    }

    #[test]
    fn without_pointers_both_services_are_looked_up_the_secure_one_first() {
        let paper = Paper {
            services: [
                ("_sips._tcp.example.test", vec![srv(1, "s")]),
                ("_sip._tcp.example.test", vec![srv(1, "p")]),
            ]
            .into(),
            addresses: [("p", "192.0.2.1"), ("s", "192.0.2.2")].into(),
            ..Paper::default()
        };
        check("sip:example.test", &paper, Ok(&["tls 192.0.2.2:5999 as example.test", "tcp 192.0.2.1:5999"]));
    }

    // RFC 2782: "A Target of "." means that the service is decidedly not available at this domain."
    #[test]
    fn a_service_that_says_no_is_believed() {
        let paper = Paper {
            services: [("_sip._tcp.example.test", vec![srv(0, ".")])].into(),
            addresses: [("example.test", "192.0.2.9")].into(),
            ..Paper::default()
        };
        check("sip:example.test;transport=tcp", &paper, Err(Unresolved::NotFound));
    }

    #[test]
    fn pointers_of_other_kinds_are_as_good_as_none() {
        let paper = Paper {
            pointers: vec![
                pointer(1, "E2U+sip", "enum"),
                Naptr { flags: "u".to_owned(), ..pointer(2, "SIP+D2T", "by-regexp") },
            ],
            addresses: [("example.test", "192.0.2.9")].into(),
            ..Paper::default()
        };
        check("sip:example.test", &paper, Ok(&["tcp 192.0.2.9:5060"]));
    }

    // OCEXUM-2.1-2
    #[test]
    fn services_over_other_transports_alone_lead_nowhere() {
        let with_sctp = Paper {
            pointers: vec![pointer(1, "SIP+D2S", "_sip._sctp.example.test"), pointer(2, "SIP+D2W", "ws")],
            addresses: [("example.test", "192.0.2.9")].into(),
            ..Paper::default()
        };
        check("sip:example.test", &with_sctp, Err(Unresolved::NotFound));
        let with_udp = Paper {
            services: [("_sip._udp.example.test", vec![srv(1, "example.test")])].into(),
            addresses: [("example.test", "192.0.2.9")].into(),
            ..Paper::default()
        };
        check("sip:example.test", &with_udp, Err(Unresolved::NotFound));
    }

    #[test]
    fn a_host_that_cannot_be_looked_up_does_not_hide_the_others() {
        let paper = Paper {
            services: [("_sip._tcp.example.test", vec![srv(1, "broken"), srv(2, "whole")])].into(),
            addresses: [("whole", "192.0.2.2")].into(),
            failing: vec!["broken"],
            ..Paper::default()
        };
        check("sip:example.test;transport=tcp", &paper, Ok(&["tcp 192.0.2.2:5999"]));
    }

    #[test]
    fn where_nothing_could_be_looked_up_it_is_unavailable() {
        let paper = Paper {
            services: [("_sip._tcp.example.test", vec![srv(1, "broken")])].into(),
            failing: vec!["broken", "other.test"],
            ..Paper::default()
        };
        check("sip:example.test;transport=tcp", &paper, Err(Unresolved::Unavailable));
        check("sip:other.test", &paper, Err(Unresolved::Unavailable));
        check("sip:other.test:5060", &paper, Err(Unresolved::Unavailable));
    }

    #[test]
    fn destinations_are_bounded_and_none_comes_twice() {
        let hosts: Vec<String> = (0..40).map(|n| format!("h{n}")).collect();
        let records = hosts.iter().map(|host| srv(1, host)).collect();
        let twice = vec![srv(1, "h1"), srv(2, "h1")];
        let mut addresses = BTreeMap::new();
        for (n, host) in hosts.iter().enumerate() {
            let (host, address) = (host.clone().leak(), format!("192.0.2.{n}").leak());
            addresses.insert(&*host, &*address);
        }
        let paper = Paper {
            services: [("_sip._tcp.many.test", records), ("_sip._tcp.twice.test", twice)].into(),
            addresses,
            ..Paper::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let many = "sip:many.test;transport=tcp".parse().unwrap();
        let found = runtime.block_on(search(&many, &paper, &mut ChaCha20Rng::seed_from_u64(1))).unwrap();
        assert_eq!(found.len(), DESTINATIONS_MAX);
        check("sip:twice.test;transport=tcp", &paper, Ok(&["tcp 192.0.2.1:5999"]));
    }

    #[test]
    fn what_needs_no_lookup_asks_nobody() {
        let paper = Paper::default();
        check(
            "sip:[2001:db8::1]:5070;transport=tls",
            &paper,
            Ok(&["tls [2001:db8::1]:5070 as [2001:db8::1]"]),
        );
        check("sip:example.test;transport=udp", &paper, Err(Unresolved::NotFound));
        assert!(paper.asked.borrow().is_empty());
    }
}
