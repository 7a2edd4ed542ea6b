//! Requests within dialogs: along the Record-Route, one in and one out (RFC 3261 16.4, 16.6, 16.11).

use umbel_node::FlowId;
use umbel_sip_endpoint::ClientTransaction;
use umbel_sip_endpoint::{Failure, ServerTransaction, Target};
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, Uri};
use umbel_time::Instant;

use super::admission::Arrival;
use super::afterwards::vias;
use super::{Alarm, Proxy, SIXTY_FOUR_T1};
use crate::identity::{self, Sender};
use crate::record_route::{self, Onward};
use crate::refusal::Refusal;
use crate::{gruu, locality};

/// A request that was passed on to one place.
pub(super) struct Relay {
    transaction: ServerTransaction,
    request: Request,
    sender: Sender,
}

impl Proxy {
    /// Passes on a request within a dialog.
    pub(super) fn relay(&mut self, now: Instant, arrival: Arrival) {
        let (mut draft, target) = match self.onward(now, &arrival.request) {
            Ok(onward) => onward,
            Err(refusal) => return self.refuse_arrival(now, &arrival, refusal),
        };
        let Arrival { transaction, request, sender, .. } = arrival;
        // Nobody has proved anything for this one request: no trust header of it counts.
        identity::cross_boundary(&mut draft, &sender);
        let client = self.endpoint.request(now, draft, target);
        self.relays.insert(client, Box::new(Relay { transaction, request, sender }));
        self.relay_of.insert(transaction, client);
    }

    /// The ACK to a success. M7: it is never answered, however bad it is.
    pub(super) fn acknowledged(&mut self, now: Instant, flow: FlowId, request: &Request) {
        let Some((sender, _)) = self.peer(now, flow) else { return };
        if request.headers().max_forwards() == Some(0) {
            return;
        }
        if let Ok((mut draft, target)) = self.onward(now, request) {
            identity::cross_boundary(&mut draft, &sender);
            self.endpoint.send(now, draft, target);
        }
    }

    /// The request as it leaves, and where to. SEC-54: only for dialogs that we have a part in.
    fn onward(&mut self, now: Instant, request: &Request) -> Result<(Draft, Target), Refusal> {
        let headers = request.headers();
        let routes = headers.route().map_err(|_| Refusal::BadRequest)?;
        let routes: Vec<_> = routes.iter().map(|route| route.uri).collect();
        let (own, rest) = record_route::pop_own(&routes, &self.config);
        let onward = own.and_then(|own| record_route::onward(&self.seal, own, headers));
        let Onward { flow, caller } = onward.ok_or(Refusal::NoSuchDialog)?;
        self.in_use.passed(now, request.method(), headers.call_id(), caller);
        let mut draft = Draft::forward(request);
        set_routes(&mut draft, &rest);
        decrement_hops(&mut draft, headers.max_forwards());
        let mut uri = request.request_uri().to_uri();
        // RFC 5627 5.4: a GRUU in a Contact is for us to resolve, within dialogs too.
        if let Some(contact) = self.contact_of(now, &uri) {
            draft.set_request_uri(&contact);
            uri = contact;
        }
        let target = match (rest.into_iter().next(), flow) {
            // SEC-52: first, so that Routes which somebody has added lead nowhere else. Who is at the other
            // end goes by those that are left.
            (_, Some(flow)) if self.endpoint.flow(flow).is_some() => Target::Flow(flow),
            (Some(next), _) => Target::Uri(next),
            // RFC 5626 5.3.1: `ob` says that there is no other way than the flow.
            (None, Some(_)) if uri.param("ob").is_some() => return Err(Refusal::FlowFailed),
            (None, _) => Target::Uri(uri),
        };
        Ok((draft, target))
    }

    /// Where the telephone is whose GRUU this is.
    fn contact_of(&self, now: Instant, uri: &Uri) -> Option<Uri> {
        let is_ours = locality::is_ours(uri.as_ref(), &self.config);
        let gruu = gruu::read(&self.seal, uri.as_ref(), &self.config.domain).filter(|_| is_ours)?;
        let (address, only) = gruu.ok()?;
        let bindings = self.location.bindings(now, &address).filter(|binding| only.is(binding));
        bindings.last().map(|binding| binding.contact.clone())
    }

    pub(super) fn relay_responded(&mut self, now: Instant, client: ClientTransaction, response: &Response) {
        let Some(relay) = self.relays.get(&client) else { return };
        if response.status() != umbel_sip_message::StatusCode::TRYING {
            let draft = upstream(&vias(&relay.request), &relay.sender, &self.config.domain, response);
            self.endpoint.respond(now, relay.transaction, draft);
        }
        if response.status().is_success() && *relay.request.method() == Method::Invite {
            // RFC 3261 13.3.1.4: it may be repeated.
            self.timers.arm(Alarm::ForgetRelay(client), now + SIXTY_FOUR_T1);
        } else if response.status().is_final() {
            self.end_relay(client);
        }
    }

    pub(super) fn relay_failed(&mut self, now: Instant, client: ClientTransaction, failure: Failure) {
        let Some(relay) = self.end_relay(client) else { return };
        let Relay { transaction, request, sender } = *relay;
        let refusal = match failure {
            Failure::Timeout => Refusal::NoResponse,
            Failure::Cancelled => Refusal::Cancelled,
            // RFC 3261 12.2.1.2: what is gone is gone.
            Failure::Transport | Failure::Unresolved => Refusal::NoSuchDialog,
            Failure::Limit => Refusal::Unavailable,
        };
        let draft = self.refusal(&request, &sender, refusal);
        self.endpoint.respond(now, transaction, draft);
    }

    pub(super) fn end_relay(&mut self, client: ClientTransaction) -> Option<Box<Relay>> {
        self.timers.disarm(&Alarm::ForgetRelay(client));
        let relay = self.relays.remove(&client)?;
        self.relay_of.remove(&relay.transaction);
        Some(relay)
    }
}

/// RFC 3261 16.7, steps 3 and 9: a response as it goes on to who asked. Its Vias are those that the
/// request came with, whatever others have made of them.
pub(super) fn upstream(vias: &[Box<[u8]>], sender: &Sender, domain: &str, response: &Response) -> Draft {
    let mut draft = Draft::forward_response(response);
    draft.remove(&HeaderName::Via);
    for via in vias.iter().rev() {
        draft.push_front(HeaderName::Via, &**via);
    }
    for name in identity::CHALLENGES {
        draft.remove(&name);
        identity::copy_challenges(&mut draft, response.headers(), &name, domain);
    }
    identity::leave_response(&mut draft, sender);
    draft
}

/// The Routes that are left, in place of those that were there.
pub(super) fn set_routes(draft: &mut Draft, rest: &[Uri]) {
    draft.remove(&HeaderName::Route);
    for route in rest {
        draft.push(HeaderName::Route, format_args!("<{route}>"));
    }
}

/// RFC 3261 16.6, step 3. Where there is none, the endpoint adds one.
pub(super) fn decrement_hops(draft: &mut Draft, max_forwards: Option<u8>) {
    if let Some(hops) = max_forwards {
        draft.set(HeaderName::MaxForwards, hops.saturating_sub(1));
    }
}
