//! What reaches us: requests, and the news of the transaction layer.

use umbel_node::FlowId;
use umbel_sip_endpoint::{Event as Below, ServerTransaction};
use umbel_sip_message::{Method, Reason, Request, StatusCode};
use umbel_time::Instant;

use super::Agent;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::tag::LocalTag;
use crate::{CallKey, Event, capabilities, check, outside};

impl Agent {
    /// Takes everything that the transaction layer has to tell.
    pub(super) fn pump(&mut self, now: Instant) {
        while let Some(event) = self.shared.endpoint.poll_event() {
            match event {
                Below::Request { transaction, flow, request } => {
                    self.requested(now, transaction, flow, request);
                }
                Below::Ack { flow, request } => self.acknowledged(now, flow, &request),
                Below::Cancelled { transaction, reason } => {
                    if let Some(key) = self.shared.answering.get(&transaction).copied() {
                        let elsewhere = reason.is_some_and(|reason| is_completed_elsewhere(&reason));
                        self.with(now, key, |call, shared| {
                            call.cancelled(now, shared, transaction, elsewhere);
                        });
                    }
                }
                Below::ServerFailed { transaction, .. } => {
                    if let Some(key) = self.shared.answering.remove(&transaction) {
                        self.with(now, key, |call, shared| call.answer_lost(now, shared, transaction));
                    }
                    self.beside.forget(transaction);
                }
                Below::Response { transaction, flow, response } => {
                    self.responded(now, transaction, flow, response);
                }
                Below::Failed { transaction, failure } => self.failed(now, transaction, failure),
                Below::FlowOpened { .. } => {}
                Below::FlowClosed { flow } => {
                    self.step_registration(now, crate::registration::Input::FlowClosed(flow));
                }
            }
        }
    }

    fn requested(&mut self, now: Instant, transaction: ServerTransaction, flow: FlowId, request: Request) {
        let outcome = match request.headers().to().tag() {
            // RFC 3261 8.2.1: the method comes first.
            _ if !self.shared.config.served().serves(request.method()) => Err(Refusal::MethodNotAllowed),
            // RFC 3891 3: "If the Replaces header field is present in a request other than INVITE, the UAS MUST reject
            // the request with a 400 Bad Request response."
            _ if self.replaces_without_invite(&request) => Err(Refusal::BadReplaces),
            Some(tag) => match self.call_of(tag) {
                Some(key) => {
                    let taken = self.with(now, key, |call, shared| {
                        call.requested(now, shared, flow, transaction, &request)
                    });
                    match request.method() {
                        Method::Refer => taken
                            .unwrap_or(Err(Refusal::NoDialog))
                            .and_then(|()| self.referred(transaction, flow, key, &request)),
                        _ => taken.unwrap_or(Err(Refusal::NoDialog)),
                    }
                }
                // RFC 6665 4.4.1: of a subscription, which is known above or not at all.
                None if *request.method() == Method::Subscribe => {
                    self.subscribed(transaction, flow, &request)
                }
                // RFC 6665 4.1.3: its dialog is the subscriber's, above.
                None if *request.method() == Method::Notify && self.shared.config.notify => {
                    self.notified_within(transaction, flow, &request)
                }
                None => Err(Refusal::NoDialog),
            },
            None => self.requested_outside(now, transaction, flow, &request),
        };
        if let Err(refusal) = outcome {
            self.shared.refuse(now, transaction, &request, &refusal, None);
            self.tell_turned_away(flow, request, &refusal);
        }
    }

    /// Says of an INVITE that it got no further than here.
    fn tell_turned_away(&mut self, flow: FlowId, request: Request, refusal: &Refusal) {
        let is_told = self.shared.config.tell_turned_away
            && *request.method() == Method::Invite
            && !refusal.is_for_want_of_room();
        if let Some(transport) = self.shared.endpoint.flow(flow).cloned().filter(|_| is_told) {
            let (status, why) = (refusal.status(), refusal.why());
            self.shared.tell(Event::TurnedAway { transport, request: Box::new(request), status, why });
        }
    }

    fn call_of(&self, tag: &str) -> Option<CallKey> {
        self.shared.by_tag.get(&LocalTag::parse(tag)?).copied()
    }

    fn acknowledged(&mut self, now: Instant, flow: FlowId, ack: &Request) {
        // M7: an ACK is never answered. One for nothing is dropped (SEC-54).
        let Some(key) = ack.headers().to().tag().and_then(|tag| self.call_of(tag)) else { return };
        self.with(now, key, |call, shared| {
            if call.owns(shared, flow, ack) {
                call.acknowledged(now, shared, ack);
            }
        });
    }

    fn requested_outside(
        &mut self,
        now: Instant,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        match request.method() {
            Method::Invite => self.invited(transaction, flow, request),
            Method::Options => {
                // PEER-10, RFC 3261 11.2: "chosen the same as the response code that would have been
                // chosen had the request been an INVITE".
                if self.draining {
                    return Err(self.shared.unavailable());
                }
                check::scheme(request)?;
                check::require(request, self.shared.config.served())?;
                let draft = outside::options(request, self.shared.config.served());
                self.shared.respond(now, transaction, request, draft, None);
                Ok(())
            }
            // What is told of a REFER of ours has a dialog.
            Method::Notify if self.shared.config.notify => self.notified(now, transaction, flow, request),
            Method::Subscribe => self.subscribed(transaction, flow, request),
            Method::Message => self.messaged(transaction, flow, request),
            // These live in dialogs only (RFC 3261 15.1.2, RFC 3262 3, RFC 3311 5.2, RFC 6086 4.2.2), and so does REFER for us.
            _ => Err(Refusal::NoDialog),
        }
    }

    /// RFC 3261 13.3.1: what must be in order before anybody hears of a call.
    fn invited(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        if self.draining || self.calls.len() >= self.shared.config.calls_max {
            return Err(self.shared.unavailable());
        }
        check::scheme(request)?;
        check::require(request, self.shared.config.served())?;
        let replaces = self.replaced(request)?;
        check::body(request)?;
        check::accept(request)?;
        Call::check_interval(&self.shared, request.headers())?;
        self.last_incoming += 1;
        let key = CallKey(self.last_incoming * 2);
        let call = Call::invited(key, &mut self.shared, transaction, flow, request, replaces)?;
        self.shared.by_tag.insert(call.local_tag(), key);
        self.shared.answering.insert(transaction, key);
        self.calls.insert(key, call);
        Ok(())
    }

    /// RFC 3842 as deployed: message waiting without a subscription.
    fn notified(
        &mut self,
        now: Instant,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        check::require(request, self.shared.config.served())?;
        check::encoding(request)?;
        let event = request.headers().event().ok().flatten();
        if !event.is_some_and(|event| event.package.eq_ignore_ascii_case(capabilities::EVENT)) {
            return Err(Refusal::BadEvent);
        }
        self.shared.reply(now, transaction, request, StatusCode::OK);
        self.shared.tell(Event::Notified { flow, request: Box::new(request.clone()) });
        Ok(())
    }
}

/// RFC 3326 3.1: "SIP ;cause=200 ;text="Call completed elsewhere"": another telephone answered.
fn is_completed_elsewhere(reason: &Reason) -> bool {
    reason.protocol.eq_ignore_ascii_case("SIP") && reason.cause == Some(StatusCode::OK.as_u16())
}
