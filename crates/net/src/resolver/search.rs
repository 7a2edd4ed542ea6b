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
