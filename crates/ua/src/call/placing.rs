//! A call that we place: RFC 3261 13.2.

use std::sync::Arc;

use bytes::Bytes;
use umbel_node::{Flow, FlowId};
use umbel_sip_endpoint::{ClientTransaction, Target};
use umbel_sip_message::StatusCode;
use umbel_sip_message::{Diagnostics, Draft, HeaderName, Headers, Method, Replaces, Request, Response};
use umbel_time::Instant;

use super::{Call, Path, Role, Wishes, add, description};
use crate::asked::Purpose;
use crate::dialog::Dialog;
use crate::evidence::Evidence;
use crate::invite::uac::{Action, Input, Uac};
use crate::negotiation::Negotiation;
use crate::shared::Shared;
use crate::tag::LocalTag;
use crate::{CallKey, Credentials, Ending, Event, Outgoing, Refused};

/// Forks that ring at once and are told apart; the rest ring untold, and their PRACK is left out.
const EARLY_DIALOGS_MAX: usize = 10;
/// Contacts of a redirection that are reported; it is not followed.
const CONTACTS_MAX: usize = 10;
/// Octets of a reason phrase that are kept.
const REASON_MAX: usize = 128;

/// An invitation that we sent.
pub(super) struct Placing {
    call_id: Box<str>,
    state: Uac,
    transaction: ClientTransaction,
    credentials: Option<Arc<Credentials>>,
    /// Where the INVITE went.
    first_hop: Target,
    /// One for each fork that sent a provisional response with a tag (RFC 3261 12.1.2).
    early: Vec<Early>,
    /// Whether anything but 100 has come before the final response.
    has_rung: bool,
    /// The answer, once there is one.
    answered: Option<(Box<Response>, FlowId, Option<Bytes>)>,
}

struct Early {
    dialog: Dialog,
    /// RFC 3262 4: the number of the last reliable response.
    rseq: Option<u32>,
    /// The answer, where a reliable response had it.
    answer: Option<Bytes>,
}

impl Placing {
    pub(super) fn is_confirmed(&self) -> bool {
        self.state == Uac::Confirmed
    }

    pub(super) fn call_id(&self) -> &str {
        &self.call_id
    }

    pub(super) fn credentials(&self) -> Option<Arc<Credentials>> {
        self.credentials.clone()
    }

    /// Whether requests of the dialog go first where the INVITE went. A flow that was given is that
    /// of an outbound proxy, and all requests go along it.
    fn leads_to(&self, dialog: &Dialog, flow: Option<&Flow>) -> bool {
        let Target::Uri(hop) = &self.first_hop else { return true };
        let port = hop.port().unwrap_or(crate::shared::transport_of(hop).default_port());
        let address = flow.map(|flow| flow.remote);
        dialog.goes_first_to(hop.host(), port)
            || address.is_some_and(|remote| dialog.goes_first_to(&remote.ip().to_string(), remote.port()))
    }

    /// Whether Replaces names one of the forks that ring.
    pub(super) fn has_early_dialog(&self, replaces: &Replaces<'_>) -> bool {
        self.early.iter().any(|early| early.dialog.is_named_by(replaces))
    }

    /// The early dialog that a request of the callee belongs to.
    pub(super) fn early_dialog(&mut self, request: &Request) -> Option<&mut Dialog> {
        self.early.iter_mut().map(|early| &mut early.dialog).find(|dialog| dialog.owns(request))
    }
}

impl Call {
    /// Sends the INVITE (RFC 3261 13.2.1).
    pub(crate) fn place(now: Instant, shared: &mut Shared, key: CallKey, outgoing: Outgoing) -> Self {
        let local_tag = LocalTag::random(&mut shared.rng);
        let Outgoing { target, from, from_name, to, way, headers, offer, credentials } = outgoing;
        let parties = crate::outside::Parties {
            target: &target,
            from: &from,
            from_name: from_name.as_deref(),
            to: &to,
        };
        let mut draft = crate::outside::draft(shared, Method::Invite, &parties, &way, local_tag);
        let call_id = draft.header(&HeaderName::CallId).map(|value| String::from_utf8_lossy(value).into());
        let call_id = call_id.unwrap_or_default();
        let (transport, flow) = shared.first_hop(&way, &target);
        let contact = shared.contact(transport, flow);
        shared.describe(&mut draft, contact);
        draft.push(HeaderName::Accept, crate::capabilities::ACCEPT);
        if let Some(interval) = shared.config.session_expires {
            draft.push(HeaderName::SessionExpires, interval.to_string());
        }
        add(&mut draft, &headers);
        draft.body(crate::capabilities::ACCEPT, offer.clone());
        let credentials = credentials.map(Arc::new);
        let purpose = Purpose::Invite { call: key, winner: None };
        let first_hop = crate::outside::target(&target, way);
        let transaction = shared.ask(now, purpose, draft, first_hop.clone(), credentials.as_ref());
        let placing = Placing {
            call_id,
            state: Uac::new(),
            transaction,
            credentials,
            first_hop,
            early: Vec::new(),
            has_rung: false,
            answered: None,
        };
        Call {
            key,
            local_tag,
            role: Role::Placing(Box::new(placing)),
            dialog: None,
            path: Path { flow, evidence: None, leads_to_next_hop: flow.is_some() },
            negotiation: Negotiation::OfferSent,
            local_description: offer,
            unacknowledged: None,
            theirs: None,
            ours: None,
            wishes: Wishes::default(),
            session: None,
            peer_takes_update: false,
            referred: false,
            refers: false,
            ending: None,
        }
    }

    /// Whether we still want to be answered.
    pub(crate) fn is_calling(&self) -> bool {
        matches!(&self.role, Role::Placing(placing) if placing.state == Uac::Calling)
    }

    /// Whether a telephone may have rung already: who is called is called once.
    pub(crate) fn has_rung(&self) -> bool {
        matches!(&self.role, Role::Placing(placing) if placing.has_rung)
    }

    /// The next number for a request of the dialog with this remote tag.
    pub(crate) fn next_number(&mut self, remote_tag: Option<&str>) -> Option<u32> {
        if let Some(dialog) = &mut self.dialog {
            return Some(dialog.advance());
        }
        let Role::Placing(placing) = &mut self.role else { return None };
        let mut dialogs = placing.early.iter_mut().map(|early| &mut early.dialog);
        dialogs.find(|dialog| Some(dialog.remote_tag()) == remote_tag).map(Dialog::advance)
    }

    /// The INVITE was sent again, as another transaction.
    pub(crate) fn invited_again(&mut self, transaction: ClientTransaction) {
        if let Role::Placing(placing) = &mut self.role {
            placing.transaction = transaction;
            // RFC 3261 13.2.2.3: a final response ends the early dialogs of its INVITE.
            placing.early.clear();
        }
    }

    /// A 1xx came (RFC 3261 13.2.2.1).
    pub(crate) fn progressed(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        flow: FlowId,
        response: &Response,
    ) {
        let headers = response.headers();
        if response.status() == StatusCode::TRYING {
            return;
        }
        if let Role::Placing(placing) = &mut self.role {
            placing.has_rung = true;
        }
        self.learn(headers);
        self.heard_on(shared, flow);
        let is_reliable = headers.has_token(&HeaderName::Require, "100rel");
        let body = description(headers, response.body());
        let Some(early) = self.early_dialog_of(response) else {
            self.tell_progress(shared, response.status(), body, false);
            return;
        };
        let reliable = match headers.rseq().ok().flatten() {
            Some(rseq) if is_reliable => {
                // RFC 3262 4: a copy is not acknowledged again, and one that is not the next in
                // order is left for its copies.
                if early.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
                    return;
                }
                early.rseq = Some(rseq);
                if let Some(body) = &body {
                    early.answer.get_or_insert_with(|| Bytes::copy_from_slice(body));
                }
                let mut prack = early.dialog.request(Method::Prack);
                prack.push(HeaderName::RAck, format!("{rseq} {} INVITE", headers.cseq().number));
                let dialog = early.dialog.clone();
                let target = self.target(shared, &dialog);
                let credentials = self.credentials();
                shared.ask(now, Purpose::Prack { call: self.key }, prack, target, credentials.as_ref());
                true
            }
            _ => false,
        };
        self.tell_progress(shared, response.status(), body, reliable);
    }

    fn tell_progress(&self, shared: &mut Shared, status: StatusCode, body: Option<Bytes>, reliable: bool) {
        let wanted = matches!(&self.role, Role::Placing(placing) if placing.state == Uac::Calling);
        if wanted {
            shared.tell(Event::Progress { call: self.key, status, body, reliable });
        }
    }

    /// The early dialog that this response belongs to, made where it is the first of its fork.
    fn early_dialog_of(&mut self, response: &Response) -> Option<&mut Early> {
        let Role::Placing(placing) = &mut self.role else { return None };
        let tag = response.headers().to().tag()?;
        let known = placing.early.iter().position(|early| early.dialog.remote_tag() == tag);
        let index = match known {
            Some(index) => index,
            None if placing.early.len() < EARLY_DIALOGS_MAX => {
                let dialog = Dialog::of_response(response)?;
                placing.early.push(Early { dialog, rseq: None, answer: None });
                placing.early.len() - 1
            }
            None => return None,
        };
        placing.early.get_mut(index)
    }

    /// The first 2xx came: its fork has won (RFC 3261 13.2.2.4). Gives the tag of the winner, or
    /// nothing where the response makes no dialog.
    pub(crate) fn accepted(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        flow: FlowId,
        response: Response,
        authorization: &[(HeaderName, String)],
    ) -> Option<Box<str>> {
        self.heard_on(shared, flow);
        self.learn(response.headers());
        let Role::Placing(placing) = &mut self.role else { return None };
        let tag = response.headers().to().tag().unwrap_or_default();
        let early = placing.early.iter().position(|early| early.dialog.remote_tag() == tag);
        let early = early.map(|index| placing.early.swap_remove(index));
        let (dialog, answer) = match early {
            Some(Early { mut dialog, answer, .. }) => {
                dialog.confirm(&response);
                (Some(dialog), answer)
            }
            None => (Dialog::of_response(&response), None),
        };
        let Some(dialog) = dialog else {
            // A 2xx that does not say who answered, or where: there is nobody to talk to.
            self.placing(now, shared, Input::Refused(Ending::NoResponse));
            return None;
        };
        placing.early.clear();
        self.path.leads_to_next_hop = placing.leads_to(&dialog, shared.endpoint.flow(flow));
        let tag: Box<str> = dialog.remote_tag().into();
        self.dialog = Some(dialog);
        self.acknowledge(now, shared, response.headers().cseq().number, authorization);
        self.session_agreed(now, shared, response.headers());
        let answer = description(response.headers(), response.body()).or(answer);
        if answer.is_some() {
            self.negotiation.receive_answer();
        }
        // Without any answer the offer is void; there is no session to change, only a call to end.
        self.negotiation.settle();
        if let Role::Placing(placing) = &mut self.role {
            placing.answered = Some((Box::new(response), flow, answer));
        }
        self.placing(now, shared, Input::Accepted);
        Some(tag)
    }

    /// RFC 3261 13.2.2.4: every 2xx gets an ACK, and so does every copy of it.
    pub(crate) fn acknowledge(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        cseq: u32,
        authorization: &[(HeaderName, String)],
    ) {
        let Some(dialog) = &self.dialog else { return };
        let mut ack = dialog.ack(cseq);
        add(&mut ack, authorization);
        let target = self.target(shared, dialog);
        shared.endpoint.send(now, ack, target);
    }

    /// A final response other than 2xx came, and was not a question we could answer.
    pub(crate) fn refused(&mut self, now: Instant, shared: &mut Shared, response: &Response) {
        let ending = Ending::Refused(Box::new(Refused::of(response)));
        self.placing(now, shared, Input::Refused(ending));
    }

    /// The INVITE got no final response.
    pub(crate) fn unanswered(&mut self, now: Instant, shared: &mut Shared, ending: Ending) {
        self.placing(now, shared, Input::Refused(ending));
    }

    fn heard_on(&mut self, shared: &Shared, flow: FlowId) {
        self.path.flow = Some(flow);
        if let Some(flow) = shared.endpoint.flow(flow) {
            self.path.evidence = Some(Evidence::of(flow));
        }
    }

    /// Steps the machine, and does what it wants.
    pub(super) fn placing(&mut self, now: Instant, shared: &mut Shared, input: Input) {
        let Role::Placing(placing) = &mut self.role else { return };
        let (state, actions) = placing.state.step(input);
        placing.state = state;
        let transaction = placing.transaction;
        for action in actions {
            match action {
                Action::SendCancel => shared.endpoint.cancel(now, transaction, None),
                Action::Answered => self.tell_answered(shared),
                Action::SendBye => self.send_bye(now, shared),
                Action::End(ending) => self.end(ending),
            }
        }
    }

    fn tell_answered(&mut self, shared: &mut Shared) {
        let Role::Placing(placing) = &mut self.role else { return };
        if let Some((response, flow, answer)) = placing.answered.take() {
            shared.tell(Event::Answered { call: self.key, response, answer, flow });
        }
    }
}

impl Refused {
    fn of(response: &Response) -> Self {
        let headers = response.headers();
        let reason = response.reason();
        let kept = reason.get(..REASON_MAX).unwrap_or(reason);
        let addresses = headers.contacts().ok();
        let addresses = addresses.as_ref().map(umbel_sip_message::Contacts::addresses).unwrap_or_default();
        Refused {
            status: response.status(),
            reason: String::from_utf8_lossy(kept).into_owned(),
            retry_after: headers.retry_after().ok().flatten().map(|retry| retry.seconds),
            contacts: addresses.iter().take(CONTACTS_MAX).map(|contact| contact.uri.to_uri()).collect(),
            error_id: error_id(headers),
        }
    }
}

/// What the servers on the way say of themselves; the one for outsiders where there is no other.
fn error_id(headers: &Headers) -> Option<u32> {
    let read = |name| Diagnostics::parse(&headers.get(&name)?).ok();
    let found = read(HeaderName::MsDiagnostics).or_else(|| read(HeaderName::MsDiagnosticsPublic));
    found.map(|diagnostics| diagnostics.error_id)
}

/// RFC 3261 13.2.2.4: another fork answered too late, or after the call was over. It is
/// acknowledged and hung up on. Everything needed for that is in its 2xx.
pub(crate) fn dismiss(
    now: Instant,
    shared: &mut Shared,
    response: &Response,
    authorization: &[(HeaderName, String)],
    hang_up: bool,
) {
    let Some(mut dialog) = Dialog::of_response(response) else { return };
    let mut ack: Draft = dialog.ack(response.headers().cseq().number);
    add(&mut ack, authorization);
    let target = Target::Uri(dialog.next_hop().clone());
    shared.endpoint.send(now, ack, target.clone());
    if hang_up {
        let bye = dialog.request(Method::Bye);
        shared.ask(now, Purpose::Bye, bye, target, None);
    }
}
