//! A request within the dialog: RFC 3261 12.2.2, and whose turn it is.

use umbel_node::{Flow, FlowId};
use umbel_sip_endpoint::ServerTransaction;
use umbel_sip_message::{HeaderName, Method, Request, StatusCode};
use umbel_time::Instant;

use super::{Call, Role};
use crate::dialog::Dialog;
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::{Event, InfoBody, invite};

impl Call {
    /// A request whose To tag is ours. Everything that is not served is refused here.
    pub(crate) fn requested(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        flow: FlowId,
        transaction: ServerTransaction,
        request: &Request,
    ) -> Result<(), Refusal> {
        // SEC-54: from somebody else than we talk to, the dialog does not exist.
        let transport = shared.endpoint.flow(flow);
        if !transport.is_some_and(|flow| self.path.evidence.as_ref().is_none_or(|peer| peer.covers(flow))) {
            return Err(Refusal::NoDialog);
        }
        let dialog = self.dialog_of(request).ok_or(Refusal::NoDialog)?;
        // RFC 3261 8.2.2 comes before anything that would change our state.
        crate::check::require(request, shared.config.served())?;
        dialog.receive(request)?;
        self.heard(shared, flow, request);
        match request.method() {
            Method::Invite => self.reinvited(now, shared, transaction, request),
            Method::Update => self.updated(now, shared, transaction, request),
            Method::Bye => self.bye(now, shared, transaction, request),
            Method::Prack => self.pracked(now, shared, transaction, request),
            Method::Info => self.informed(now, shared, transaction, request),
            Method::Options => {
                let draft = crate::outside::options(request, shared.config.served());
                shared.respond(now, transaction, request, draft, None);
                Ok(())
            }
            Method::Refer => self.referred(request),
            Method::Notify if self.refers => self.referral_notified(now, shared, transaction, request),
            // Any other NOTIFY belongs to a subscription, and we have none here.
            _ => Err(Refusal::NoDialog),
        }
    }

    /// Whether an ACK is of this dialog and from the peer.
    pub(crate) fn owns(&self, shared: &Shared, flow: FlowId, request: &Request) -> bool {
        let flow = shared.endpoint.flow(flow);
        let peer = flow.is_some_and(|flow| self.path.evidence.as_ref().is_none_or(|peer| peer.covers(flow)));
        peer && self.dialog.as_ref().is_some_and(|dialog| dialog.owns(request))
    }

    fn dialog_of(&mut self, request: &Request) -> Option<&mut Dialog> {
        let established = self.dialog.as_mut().filter(|dialog| dialog.owns(request));
        match (established, &mut self.role) {
            (Some(dialog), _) => Some(dialog),
            (None, Role::Placing(placing)) => placing.early_dialog(request),
            (None, Role::Answering(_)) => None,
        }
    }

    /// REL-35: the peer may have come over another flow; ours go there from now on.
    fn heard(&mut self, shared: &Shared, flow: FlowId, request: &Request) {
        if Some(flow) != self.path.flow
            && let Some(dialog) = &self.dialog
        {
            let transport = shared.endpoint.flow(flow);
            self.path.leads_to_next_hop = comes_from_next_hop(request, transport, dialog);
            self.path.flow = Some(flow);
        }
    }

    fn bye(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        request: &Request,
    ) -> Result<(), Refusal> {
        let early = matches!(&self.role, Role::Placing(placing) if !placing.is_confirmed());
        if early {
            // RFC 3261 15: the callee must not send BYE on an early dialog.
            return Err(Refusal::NoDialog);
        }
        // RFC 3261 15.1.2
        shared.reply(now, transaction, request, StatusCode::OK);
        match self.role {
            Role::Answering(_) => self.answering(now, shared, invite::uas::Input::Bye),
            Role::Placing(_) => self.placing(now, shared, invite::uac::Input::Bye),
        }
        Ok(())
    }

    /// RFC 6086, for digits only (MED-4).
    fn informed(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        request: &Request,
    ) -> Result<(), Refusal> {
        let headers = request.headers();
        if headers.has(&HeaderName::InfoPackage) {
            return Err(Refusal::BadInfoPackage);
        }
        crate::check::encoding(request)?;
        // RFC 2976 2.2: without a body there is nothing to understand.
        if !request.body().is_empty() {
            let kind = headers.content_type().ok().flatten().ok_or(Refusal::UnsupportedInfo)?;
            let content_type = format!("{}/{}", kind.kind, kind.subtype).to_ascii_lowercase();
            let taken = crate::capabilities::ACCEPT_INFO.split(", ").any(|ours| ours == content_type);
            if !taken {
                return Err(Refusal::UnsupportedInfo);
            }
            let body = InfoBody(request.body().clone());
            shared.tell(Event::Info { call: self.key, content_type, body });
        }
        shared.reply(now, transaction, request, StatusCode::OK);
        Ok(())
    }
}

/// Whether the flow that a request of the peer came on leads to where requests of ours go.
///
/// It does where nobody stands between (one Via), or where who handed us the request is the first
/// in the route set. A proxy that did not ask to stay in the path is not sent along (RFC 3261 16.6).
pub(super) fn comes_from_next_hop(request: &Request, flow: Option<&Flow>, dialog: &Dialog) -> bool {
    let headers = request.headers();
    if headers.vias().nth(1).is_none() {
        return true;
    }
    if !dialog.is_routed() {
        return false;
    }
    let Some(flow) = flow else { return false };
    let via = headers.via();
    let port = via.port().unwrap_or(flow.transport.default_port());
    dialog.goes_first_to(via.host(), port) || dialog.goes_first_to(&flow.remote.ip().to_string(), port)
}
