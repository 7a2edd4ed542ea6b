//! REGISTER: RFC 3261 10.3, RFC 3327, RFC 5626 6.

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_node::Output;
use umbel_sip_message::{
    AddressOfRecord, Contacts, Draft, HeaderName, NameAddr, Scheme, StatusCode, Uri, quoted_string,
};
use umbel_time::Instant;

use super::admission::Arrival;
use super::{Proxy, Wish};
use crate::gruu;
use crate::identity::Sender;
use crate::locality;
use crate::location::{Binding, Change, Contact, Device, EXPIRY_MAX, Q, Refused, Registration};
use crate::refusal::Refusal;
use crate::seal::Seal;

/// Option tags that a registrar like this may be required to know.
pub(super) const KNOWN: [&str; 3] = ["path", "outbound", "gruu"];

impl Proxy {
    pub(super) fn register(&mut self, now: Instant, arrival: Arrival) {
        let headers = arrival.request.headers();
        // RFC 3261 10.3, step 1: for another domain it would have to be passed on, and we do not.
        if !locality::is_ours(arrival.request.request_uri(), &self.config) {
            return self.refuse_arrival(now, &arrival, Refusal::ForeignDomain);
        }
        if headers.require().any(|tag| !KNOWN.contains(&tag)) {
            return self.refuse_arrival(now, &arrival, Refusal::BadExtension);
        }
        // Step 5.
        let Some(address) = locality::user(headers.to().uri, &self.config) else {
            return self.refuse_arrival(now, &arrival, Refusal::NotFound);
        };
        let registration = match self.registration(&arrival) {
            Ok(registration) => registration,
            Err(refusal) => return self.refuse_arrival(now, &arrival, refusal),
        };
        let is_query = matches!(registration.change, Change::Query);
        match self.location.register(now, &address, registration) {
            Ok(()) => {}
            Err(refused) => {
                let refusal = match refused {
                    Refused::TooBrief => Refusal::IntervalTooBrief,
                    // SEC-51.
                    Refused::TooMany => Refusal::TooManyContacts,
                    Refused::TooLong => Refusal::BadRequest,
                    Refused::OutOfOrder => Refusal::OutOfOrder,
                    Refused::Full => Refusal::Full,
                };
                return self.refuse_arrival(now, &arrival, refusal);
            }
        }
        if !is_query {
            self.outputs.push_back(Output::Wish(Wish::Keep(address.clone())));
        }
        let tag = self.tag();
        let mut draft = Draft::reply(&arrival.request, StatusCode::OK);
        draft.to_tag(&tag);
        let mut is_outbound = false;
        let gruus = Gruus::wanted(&arrival);
        for binding in self.location.bindings(now, &address) {
            // Rounded up: a client that refreshes in time must never find itself too late.
            let seconds = binding.expires.since(now).as_millis().div_ceil(1_000);
            let gruus = gruus.of(&self.seal, &address, binding, &mut self.rng);
            draft.push(
                HeaderName::Contact,
                format_args!("<{}>;expires={seconds}{}{gruus}", binding.contact, q(binding.q)),
            );
            is_outbound |= binding.is_outbound() && binding.flow == Some(arrival.flow);
        }
        draft.copy(arrival.request.headers(), &HeaderName::Path);
        draft.push(HeaderName::Supported, "path, outbound, gruu");
        // RFC 5626 6: the client may rely on its flow.
        if is_outbound && arrival.request.headers().supported().any(|tag| tag == "outbound") {
            draft.push(HeaderName::Require, "outbound");
        }
        self.endpoint.respond(now, arrival.transaction, draft);
        if !is_query {
            self.contacts_changed(now, &address);
        }
    }

    /// Reads what a REGISTER asks for.
    fn registration(&self, arrival: &Arrival) -> Result<Registration, Refusal> {
        let headers = arrival.request.headers();
        // RFC 3261 10.3, step 7: what cannot be read is an hour.
        let expires = headers.expires().ok().flatten();
        let change = match headers.contacts().map_err(|_| Refusal::BadRequest)? {
            // Step 6.
            Contacts::Star if expires == Some(0) => Change::RemoveAll,
            Contacts::Star => return Err(Refusal::BadRequest),
            Contacts::Addresses(addresses) if addresses.is_empty() => Change::Query,
            Contacts::Addresses(addresses) => {
                let outbound = headers.supported().any(|tag| tag == "outbound");
                let read = |contact: &NameAddr<'_>| self.contact(arrival, contact, expires, outbound);
                Change::Contacts(addresses.iter().map(read).collect::<Result<_, _>>()?)
            }
        };
        let path = headers.addresses(&HeaderName::Path).map_err(|_| Refusal::BadRequest)?;
        // RFC 3327 5.3: a path is written by servers on the way, and we believe those we know.
        if !path.is_empty() && !matches!(arrival.sender, Sender::Peer { .. }) {
            return Err(Refusal::ForeignPath);
        }
        // RFC 5626 6: whom the client reaches first must keep its flow, and says so in its Path.
        let first_hop = path.last().is_none_or(|first| first.uri.param("ob").is_some());
        let wants_outbound = matches!(&change, Change::Contacts(contacts)
            if contacts.iter().any(|contact| matches!(contact.device, Device::Outbound { .. })));
        if wants_outbound && !first_hop {
            return Err(Refusal::FirstHopLacksOutbound);
        }
        Ok(Registration {
            call_id: headers.call_id().into(),
            cseq: headers.cseq().number,
            flow: arrival.flow,
            path: path.iter().map(|address| address.uri.to_uri()).collect(),
            change,
        })
    }

    fn contact(
        &self,
        arrival: &Arrival,
        contact: &NameAddr<'_>,
        expires: Option<u32>,
        outbound: bool,
    ) -> Result<Contact, Refusal> {
        let uri = contact.uri;
        if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) || uri.has_headers() {
            return Err(Refusal::BadRequest);
        }
        // SEC-51: to be reached at an address of ours would be a way round the routing rules, or a circle.
        let config = &self.config;
        if uri.host().eq_ignore_ascii_case(&config.domain) || locality::is_our_socket(uri, config, false) {
            return Err(Refusal::OwnContact);
        }
        let own = contact.param("expires").flatten().map(|seconds| seconds.parse::<u32>().ok());
        let seconds = match own {
            Some(Some(seconds)) => Some(seconds),
            Some(None) => None,
            None => expires,
        };
        let expires = seconds.map_or(EXPIRY_MAX, |seconds| Duration::from_secs(seconds.into()));
        let q = contact.param("q").flatten().map_or(Q::DEFAULT, |q| Q::parse(&q));
        Ok(Contact {
            uri: uri.to_uri(),
            expires,
            q,
            device: device(arrival, contact, outbound),
            direct: self.is_direct(arrival, &uri.to_uri()),
        })
    }

    /// Whether the REGISTER came from the contact's own address.
    pub(super) fn is_direct(&self, arrival: &Arrival, contact: &Uri) -> bool {
        let host = contact.host().trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let remote = self.endpoint.flow(arrival.flow).map(|flow| flow.remote.ip().to_canonical());
        host.is_ok_and(|host| Some(host.to_canonical()) == remote)
    }
}

fn supports(arrival: &Arrival, option: &str) -> bool {
    arrival.request.headers().supported().any(|tag| tag == option)
}

/// URI-6: which forms of GRUU a client understands.
struct Gruus {
    standard: bool,
    older: bool,
}

impl Gruus {
    fn wanted(arrival: &Arrival) -> Self {
        Gruus { standard: supports(arrival, "gruu"), older: supports(arrival, "gruu-10") }
    }

    /// The parameters that tell a contact's. RFC 5627 5.3.
    fn of(&self, seal: &Seal, address: &AddressOfRecord, binding: &Binding, rng: &mut ChaCha20Rng) -> String {
        let mut params = String::new();
        if let Some(instance) = binding.instance().filter(|_| self.standard) {
            let public = gruu::public(address, instance);
            params += &format!(";pub-gruu=\"{public}\"");
            if let Some(temporary) = gruu::new_temporary(seal, address, binding, rng.next_u64()) {
                params += &format!(";temp-gruu=\"{temporary}\"");
            }
            params += &format!(";+sip.instance={}", quoted_string(instance));
        }
        if let Some(epid) = binding.epid().filter(|_| self.older) {
            params += &format!(";gruu=\"{}\"", gruu::older(address, epid));
        }
        params
    }
}

fn device(arrival: &Arrival, contact: &NameAddr<'_>, outbound: bool) -> Device {
    let instance = contact.param("+sip.instance").flatten();
    let reg_id = contact.param("reg-id").flatten().and_then(|id| id.parse::<u32>().ok());
    // RFC 5626 6: only for a client that says that it keeps its flows.
    if let (Some(instance), Some(reg_id @ 1..), true) = (instance, reg_id, outbound) {
        return Device::Outbound { instance: instance.into_owned().into(), reg_id };
    }
    // RFC 5627 5.1.
    if let Some(instance) = contact.param("+sip.instance").flatten()
        && supports(arrival, "gruu")
    {
        return Device::Instance(instance.into_owned().into());
    }
    // REG-6.
    match arrival.request.headers().from().param("epid").flatten() {
        Some(epid) => Device::Epid(epid.into_owned().into()),
        None => Device::Contact,
    }
}

fn q(q: Q) -> String {
    if q == Q::DEFAULT { String::new() } else { format!(";q={q}") }
}
