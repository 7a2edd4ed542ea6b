//! Requests within dialogs: along the Record-Route, one in and one out (RFC 3261 16.4, 16.6, 16.11).

use umbel_node::FlowId;
use umbel_sip_endpoint::ClientTransaction;
use umbel_sip_endpoint::{Failure, ServerTransaction, Target};
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, Uri};
use umbel_time::Instant;

use super::admission::Arrival;
use super::afterwards::vias;
use super::remote_targets::{DialogId, RemoteTargets, refreshes_target};
use super::{Alarm, Proxy, SIXTY_FOUR_T1};
use crate::identity::{self, Sender};
use crate::record_route::{self, Onward, Place, Side};
use crate::refusal::Refusal;
use crate::seal::Seal;
use crate::{gruu, locality};

/// A request that was passed on to one place.
pub(super) struct Relay {
    transaction: ServerTransaction,
    request: Request,
    sender: Sender,
    /// To whom.
    side: Side,
}

/// A request within a dialog as it goes on.
struct Passed {
    draft: Draft,
    target: Target,
    side: Side,
}

impl Proxy {
    /// Passes on a request within a dialog.
    pub(super) fn relay(&mut self, now: Instant, arrival: Arrival) {
        let Passed { mut draft, target, side } = match self.onward(now, &arrival.request) {
            Ok(passed) => passed,
            Err(refusal) => return self.refuse_arrival(now, &arrival, refusal),
        };
        let Arrival { transaction, request, sender, .. } = arrival;
        // Nobody has proved anything for this one request: no trust header of it counts.
        identity::cross_boundary(&mut draft, &sender);
        let client = self.endpoint.request(now, draft, target);
        self.relays.insert(client, Box::new(Relay { transaction, request, sender, side }));
        self.relay_of.insert(transaction, client);
    }

    /// The ACK to a success. M7: it is never answered, however bad it is.
    pub(super) fn acknowledged(&mut self, now: Instant, flow: FlowId, request: &Request) {
        let Some((sender, _)) = self.peer(now, flow) else { return };
        if request.headers().max_forwards() == Some(0) {
            return;
        }
        if let Ok(Passed { mut draft, target, .. }) = self.onward(now, request) {
            identity::cross_boundary(&mut draft, &sender);
            self.endpoint.send(now, draft, target);
        }
    }

    /// The request as it leaves, and where to. SEC-54: only for dialogs that we have a part in.
    fn onward(&mut self, now: Instant, request: &Request) -> Result<Passed, Refusal> {
        let headers = request.headers();
        let routes = headers.route().map_err(|_| Refusal::BadRequest)?;
        let routes: Vec<_> = routes.iter().map(|route| route.uri).collect();
        let (own, rest) = record_route::pop_own(&routes, &self.config);
        let onward = own.and_then(|own| record_route::onward(&self.seal, own, headers));
        let onward = onward.ok_or(Refusal::NoSuchDialog)?;
        let flow = onward.flow().filter(|flow| self.endpoint.flow(*flow).is_some());
        self.stays_in_dialog(now, request, &onward, (flow, &rest))?;
        self.in_use.passed(now, request.method(), headers.call_id(), onward.caller);
        let mut draft = Draft::forward(request);
        set_routes(&mut draft, &rest);
        decrement_hops(&mut draft, headers.max_forwards());
        let mut uri = request.request_uri().to_uri();
        // RFC 5627 5.4: a GRUU in a Contact is for us to resolve, within dialogs too.
        if let Some(contact) = self.contact_of(now, &uri) {
            draft.set_request_uri(&contact);
            uri = contact;
        }
        let target = match (flow, rest.into_iter().next()) {
            (Some(flow), _) => Target::Flow(flow),
            (None, Some(next)) => Target::Uri(next),
            // RFC 5626 5.3.1: `ob` says that there is no other way than the flow.
            (None, None) if onward.flow().is_some() && uri.param("ob").is_some() => {
                return Err(Refusal::FlowFailed);
            }
            (None, None) => Target::Uri(uri),
        };
        Ok(Passed { draft, target, side: onward.side })
    }

    /// SEC-52: who is in a dialog reaches its other side by it, and nobody else. Routes and Request-URI are
    /// what the sender writes; both have to be those that the dialog has given it.
    fn stays_in_dialog(
        &mut self,
        now: Instant,
        request: &Request,
        onward: &Onward<'_>,
        (flow, rest): (Option<FlowId>, &[Uri]),
    ) -> Result<(), Refusal> {
        if !onward.is_past(&self.seal, rest) {
            return Err(Refusal::ForeignRoute);
        }
        // Whoever is at the other end of the flow itself is reached whatever the Request-URI says.
        if flow.is_some() && rest.is_empty() {
            return Ok(());
        }
        let place = Place::of(&self.seal, request.request_uri()).ok_or(Refusal::ForeignTarget)?;
        let dialog = dialog_id(request, onward.side);
        if onward.began_at(place) || self.remote_targets.is_at(now, dialog, onward.side, place) {
            Ok(())
        } else {
            Err(Refusal::ForeignTarget)
        }
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
        if response.status().is_success() {
            follow_targets(&mut self.remote_targets, (&self.seal, now), relay, response);
        }
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
        let Relay { transaction, request, sender, .. } = *relay;
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

/// What a request to that side and within a dialog says of whose dialog it is.
fn dialog_id(request: &Request, side: Side) -> DialogId<'_> {
    let headers = request.headers();
    let (from, to) = (headers.from().tag(), headers.to().tag());
    let (caller, callee) = match side {
        Side::Caller => (to, from),
        Side::Callee => (from, to),
    };
    DialogId { call_id: headers.call_id(), caller, callee }
}

/// A request within a dialog has succeeded: where both sides are from now on.
fn follow_targets(
    targets: &mut RemoteTargets,
    (seal, now): (&Seal, Instant),
    relay: &Relay,
    response: &Response,
) {
    let method = relay.request.method();
    let dialog = dialog_id(&relay.request, relay.side);
    if *method == Method::Bye {
        return targets.ended(dialog);
    }
    if !refreshes_target(method) {
        return;
    }
    let sides = [(relay.side.other(), relay.request.headers()), (relay.side, response.headers())];
    for (side, headers) in sides {
        if let Some(place) = Place::of_contact(seal, headers) {
            targets.refreshed(now, dialog, side, place);
        }
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
