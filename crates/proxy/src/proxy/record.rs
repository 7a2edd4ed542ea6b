//! What is told outside SIP of requests: decisions for those who ask why, refusals for the log.

use umbel_node::{FlowId, Output, Transport};
use umbel_sip_message::{AddressOfRecord, DiversionReason, HeaderName, Method, Request};
use umbel_store::{Decision, Op, Routing, Ruling, Ticket, call_id_on_record, clean_text};
use umbel_time::Instant;

use super::branches::{Hop, Next};
use super::call::{Call, CallKey};
use super::{Proxy, Wish};
use crate::refusal::{Refusal, Refused};

/// Refusals of one second that are on record; of those beyond it only the log hears.
pub(super) const REFUSALS_MAX: u32 = 100;

/// The request that a decision is about.
pub(super) struct Subject<'a> {
    pub(super) request: &'a Request,
    pub(super) transport: Transport,
    pub(super) peer: Option<&'a str>,
    pub(super) callee: Option<&'a AddressOfRecord>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(call: &'a Call) -> Self {
        Subject {
            request: &call.request,
            transport: call.transport,
            peer: call.peer.as_deref(),
            callee: call.callee.as_ref(),
        }
    }
}

impl Proxy {
    /// Writes down what was decided about a call, for those who ask why: with all else of this turn.
    pub(super) fn decide(&mut self, now: Instant, subject: &Subject<'_>, ruling: Ruling, rule: &str) {
        let Subject { request, transport, peer, callee } = subject;
        if *request.method() != Method::Invite {
            return;
        }
        // SEC-66: whoever sends nothing but what is refused must not fill the store, or keep it busy.
        if matches!(ruling, Ruling::Refusal(_)) {
            let Some(left) = self.refusals_left.checked_sub(1) else { return };
            self.refusals_left = left;
        }
        self.decided.push(Decision {
            call_id: call_id_on_record(request.headers().call_id()).to_owned(),
            at: self.clocks(now).wall,
            mailbox: callee.and_then(|callee| callee.to_string().parse().ok()),
            transport: match transport {
                Transport::Tcp => umbel_store::Transport::Tcp,
                Transport::Tls => umbel_store::Transport::Tls,
            },
            peer: peer.map(str::to_owned),
            command_seen: request.headers().has(&HeaderName::MsExchangeCommand),
            ruling,
            rule: clean_text(rule),
        });
    }

    /// Writes down a step of a call's way.
    pub(super) fn note(&mut self, now: Instant, key: CallKey, step: Routing, rule: &str) {
        let Some(call) = self.calls.remove(&key) else { return };
        self.decide(now, &Subject::of(&call), Ruling::Routing(step), rule);
        self.calls.insert(key, call);
    }

    /// The decisions of one turn are one operation of the store.
    pub(super) fn write_decisions(&mut self) {
        if !self.decided.is_empty() {
            let (ticket, op) = (Ticket(self.number()), Op::Decide(std::mem::take(&mut self.decided)));
            self.outputs.push_back(Output::Wish(Wish::Store { ticket, op }));
        }
    }

    /// Tells of a request that goes no further because of a rule of ours. A flow that is gone says no
    /// more where it came from, and nobody waits for an answer there.
    pub(super) fn tell_refused(
        &mut self,
        request: &Request,
        flow: FlowId,
        peer: Option<&str>,
        refusal: Refusal,
    ) {
        let Some(source) = self.endpoint.flow(flow).map(|flow| flow.remote.ip()) else { return };
        if !refusal.is_ordinary() {
            let refused = Refused::new(refusal, request, source, peer.map(str::to_owned));
            self.outputs.push_back(Output::Wish(Wish::Refused(Box::new(refused))));
        }
    }
}

/// Where a hop leads to, for people: those who are not telephones of ours.
pub(super) fn destination(hop: &Hop) -> String {
    let uri = match &hop.next {
        Next::Uri(next) if !hop.is_outside => next,
        Next::Uri(_) | Next::Flow(_) => &hop.request_uri,
    };
    clean_text(uri.without_params_and_headers().as_str())
}

/// Why a call is diverted for this reason, where no rule of the callee's has said so at once.
pub(super) fn rule_of(reason: &DiversionReason) -> &'static str {
    match reason {
        DiversionReason::NoAnswer => "SIPRE-20: nobody answered in time",
        DiversionReason::UserBusy => "SIPRE-26: busy",
        DiversionReason::Unavailable => "SIPRE-26: no telephone is there",
        DiversionReason::Deflection => "SIPRE-30: a telephone has pushed it elsewhere",
        _ => "a rule of the callee's",
    }
}
