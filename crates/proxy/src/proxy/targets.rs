//! From addresses to places: users are looked up, numbers go to gateways, all else by its name.

use std::sync::Arc;

use umbel_sip_message::{AddressOfRecord, Uri};
use umbel_store::{Address, Op, Reply, Routing, User};
use umbel_time::Instant;

use super::branches::{Hop, Next};
use super::call::{CallKey, call_mut};
use super::{Proxy, Waiting};
use crate::gruu::{self, NoGruu};
use crate::known_users::Keepable;
use crate::locality::{self, Meaning};
use crate::refusal::Refusal;
use crate::response_context::Kind;

/// Somebody who is being looked up.
pub(super) struct Lookup {
    call: CallKey,
    purpose: Purpose,
    /// As it was asked for.
    address: AddressOfRecord,
    /// Not an address; it may be an extension, or another name.
    is_by_extension: bool,
    /// Whether the answer may be remembered.
    keepable: Option<Keepable>,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To follow the rules of.
    Callee,
    /// To ring beside others: second device, team, delegates. By their endpoints only (rule 5).
    Also,
    /// To forward to: by rules of their own.
    Forward,
    /// To leave a message for.
    VoiceMail,
}

impl Purpose {
    /// Whose branch that becomes, where it is not a telephone of the callee's.
    fn kind(self) -> Kind {
        match self {
            Purpose::Also => Kind::Beside,
            Purpose::Callee | Purpose::Forward | Purpose::VoiceMail => Kind::Elsewhere,
        }
    }
}

impl Proxy {
    /// A user of ours, or one telephone of a user's (URI-6): RFC 5627 5.4.
    pub(super) fn find_user(
        &mut self,
        now: Instant,
        key: CallKey,
        uri: &Uri,
        address: AddressOfRecord,
        purpose: Purpose,
    ) {
        let (address, only) = match gruu::read(&self.seal, uri.as_ref(), &self.config.domain) {
            None => (address, None),
            Some(Ok((owner, only))) => (owner, Some(only)),
            Some(Err(NoGruu)) => return self.give_up(now, key, Refusal::NotFound),
        };
        if matches!(purpose, Purpose::Callee | Purpose::Forward) {
            call_mut(&mut self.calls, key, |call| call.only = only);
        }
        self.find(now, key, address, purpose);
    }

    /// A `tel` URI: somebody's extension, or a number outside.
    pub(super) fn find_number(&mut self, now: Instant, key: CallKey, number: &str, purpose: Purpose) {
        match AddressOfRecord::new(number, &self.config.domain) {
            Some(address) => self.find(now, key, address, purpose),
            None => self.give_up(now, key, Refusal::NotFound),
        }
    }

    /// Looks a user up, for the call to go on when the store has answered.
    pub(super) fn find(&mut self, now: Instant, call: CallKey, address: AddressOfRecord, purpose: Purpose) {
        call_mut(&mut self.calls, call, |call| call.context.expect());
        self.count_users(now);
        let keepable = self.known_users.keepable();
        let lookup = Lookup { call, purpose, address, is_by_extension: false, keepable };
        match self.known_users.user(now, &lookup.address) {
            Some(user) => self.recalled.push_back((lookup, user)),
            None => self.look_up(lookup),
        }
    }

    fn look_up(&mut self, lookup: Lookup) {
        let (user, host) = (lookup.address.user(), lookup.address.host());
        let by = match Address::new(user, host) {
            Ok(address) if !lookup.is_by_extension => umbel_store::Lookup::Address(address),
            // Written for the eye, as `5-12-34`, it is the same extension.
            _ => umbel_store::Lookup::Extension(locality::number(user).unwrap_or_else(|| user.to_owned())),
        };
        self.ask(Op::FindUser(by), Waiting::User(lookup));
    }

    pub(super) fn user_told(&mut self, now: Instant, lookup: Lookup, reply: Reply) {
        let user = match reply {
            Reply::User(user) => user.map(|user| Arc::new(*user)),
            _ => {
                call_mut(&mut self.calls, lookup.call, |call| call.context.settle());
                return self.give_up(now, lookup.call, Refusal::StoreFailed);
            }
        };
        if user.is_none() && !lookup.is_by_extension {
            return self.look_up(Lookup { is_by_extension: true, ..lookup });
        }
        if let Some(user) = &user {
            self.known_users.learn_user(lookup.keepable, lookup.address.clone(), user);
        }
        self.user_looked_up(now, lookup, user);
    }

    /// It is known who it is; or that there is nobody.
    pub(super) fn user_looked_up(&mut self, now: Instant, lookup: Lookup, user: Option<Arc<User>>) {
        let Lookup { call: key, purpose, address, .. } = lookup;
        call_mut(&mut self.calls, key, |call| call.context.settle());
        // The caller has gone meanwhile, and may have waited for this alone.
        if self.calls.get(&key).is_none_or(|call| call.context.is_ending()) {
            return self.check(now, key);
        }
        match user {
            Some(user) => self.found(now, key, purpose, &user),
            None => self.not_found(now, key, purpose, &address),
        }
    }

    fn found(&mut self, now: Instant, key: CallKey, purpose: Purpose, user: &User) {
        let Some(address) = AddressOfRecord::new(user.address().user(), user.address().domain()) else {
            return self.give_up(now, key, Refusal::NotFound);
        };
        match purpose {
            Purpose::Callee => self.ring_user(now, key, user),
            Purpose::Also => {
                self.send_to_bindings(now, key, &address, Kind::Beside);
                self.check(now, key);
            }
            Purpose::Forward => {
                let Some(call) = self.calls.get(&key) else { return };
                // LOOP-3, SENS-14: only a call that was forwarded can come back.
                if call.callee.as_ref() == Some(&address) {
                    return self.give_up(now, key, Refusal::ForwardedToItself);
                }
                if call.visited.contains(&address) {
                    return self.give_up(now, key, Refusal::Loop);
                }
                self.ring_user(now, key, user);
            }
            // URI-4.
            Purpose::VoiceMail if !user.settings.enabled => self.give_up(now, key, Refusal::NotFound),
            Purpose::VoiceMail => {
                call_mut(&mut self.calls, key, |call| call.callee = Some(address.clone()));
                let reason = umbel_sip_message::DiversionReason::Unconditional;
                self.send_to_voice_mail(now, key, Some(address), Some(reason));
            }
        }
    }

    fn not_found(&mut self, now: Instant, key: CallKey, purpose: Purpose, address: &AddressOfRecord) {
        let number = locality::number(address.user());
        let has_gateway = number.as_deref().is_some_and(|number| self.config.gateways(number).is_some());
        let Some(call) = self.calls.get(&key) else { return };
        match (purpose, number) {
            // SEC-52: whose rules say so may do it, and who dials must be allowed to.
            (Purpose::Callee, Some(_)) if has_gateway && !call.sender.may_relay() => {
                self.give_up(now, key, Refusal::MayNotRelay);
            }
            (Purpose::Callee | Purpose::Forward | Purpose::Also, Some(number)) if has_gateway => {
                self.send_to_number(now, key, &number, purpose.kind());
                self.check(now, key);
            }
            (Purpose::Callee | Purpose::VoiceMail | Purpose::Forward, _) => {
                self.give_up(now, key, Refusal::NotFound);
            }
            (Purpose::Also, _) => self.check(now, key),
        }
    }

    /// A target of somebody's rules, or of a deflection.
    pub(super) fn send_to_target(&mut self, now: Instant, key: CallKey, uri: &Uri, purpose: Purpose) {
        let kind = purpose.kind();
        match locality::meaning(uri.as_ref(), &self.config) {
            Meaning::User(address) => self.find_user(now, key, uri, address, purpose),
            Meaning::VoiceMail(address) if purpose == Purpose::Forward => {
                self.find(now, key, address, Purpose::VoiceMail);
            }
            Meaning::Number(number) => self.find_number(now, key, &number, purpose),
            Meaning::Foreign if self.may_go_to(key, uri) => self.send_to_uri(now, key, uri.clone(), kind),
            // Nowhere that could ring.
            Meaning::Foreign
            | Meaning::VoiceMail(_)
            | Meaning::Pilot
            | Meaning::Ourselves
            | Meaning::Unsupported => {}
        }
    }

    /// SENS-6: whatever a user's rules or contacts call it, a call that must not be diverted does not go
    /// where voice mail is.
    fn may_go_to(&self, key: CallKey, uri: &Uri) -> bool {
        let call = self.calls.get(&key);
        call.is_none_or(|call| call.sensitivity.allows_diversion())
            || !locality::is_at_voice_mail(uri.as_ref(), &self.config)
    }

    /// All endpoints of a user.
    pub(super) fn send_to_bindings(
        &mut self,
        now: Instant,
        key: CallKey,
        address: &AddressOfRecord,
        kind: Kind,
    ) {
        let endpoint = &self.endpoint;
        let only =
            self.calls.get(&key).and_then(|call| call.only.as_ref()).filter(|_| kind == Kind::Endpoint);
        let mut targets = self.location.targets(now, address, |flow| endpoint.flow(flow).is_some());
        targets.retain(|binding| only.is_none_or(|only| only.is(binding)));
        let hop = |binding: &&crate::location::Binding| {
            let flow = binding.flow.filter(|flow| endpoint.flow(*flow).is_some());
            Hop {
                request_uri: binding.contact.clone(),
                next: match flow {
                    Some(flow) => Next::Flow(flow),
                    None => Next::Uri(binding.path.first().unwrap_or(&binding.contact).clone()),
                },
                path: binding.path.to_vec(),
                is_outside: false,
            }
        };
        let may_go = |hop: &Hop| match &hop.next {
            Next::Flow(_) => true,
            Next::Uri(uri) => self.may_go_to(key, uri),
        };
        let hops: Vec<Hop> = targets.iter().map(hop).filter(may_go).collect();
        let mut telephones = 0;
        for hop in hops {
            telephones += u8::from(self.branch(now, key, kind, hop, Vec::new()));
        }
        let rule = match kind {
            _ if telephones == 0 => "nothing is registered there",
            Kind::Beside => "rings beside the callee",
            Kind::Endpoint | Kind::Elsewhere => "registered",
        };
        self.note(now, key, Routing::Rang { whom: address.to_string(), telephones }, rule);
    }

    /// A number: to its gateways, best first. Without one, nowhere.
    pub(super) fn send_to_number(&mut self, now: Instant, key: CallKey, number: &str, kind: Kind) {
        let Some(route) = self.config.gateways(number) else { return };
        let hop = |gateway: &Uri| {
            let uri = Uri::sip(number, gateway.host())?;
            let uri = gateway.port().map_or(uri.clone(), |port| uri.with_port(port));
            // URI-7.
            let request_uri =
                if number.starts_with('+') { uri.with_param("user", Some("phone")) } else { uri };
            Some(Hop { request_uri, next: Next::Uri(gateway.clone()), path: Vec::new(), is_outside: true })
        };
        let mut hops = self.in_order(route.to.iter().filter_map(hop).collect()).into_iter();
        if let Some(first) = hops.next() {
            self.branch(now, key, kind, first, hops.collect());
        }
    }

    /// Elsewhere; along the Routes that a peer has given, if it has.
    pub(super) fn send_to_uri(&mut self, now: Instant, key: CallKey, uri: Uri, kind: Kind) {
        let routes = call_mut(&mut self.calls, key, |call| call.routes.clone());
        let next = routes.first().unwrap_or(&uri).clone();
        let hop = Hop { request_uri: uri, next: Next::Uri(next), path: routes, is_outside: true };
        self.branch(now, key, kind, hop, Vec::new());
    }
}
