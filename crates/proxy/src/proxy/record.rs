//! What is told outside SIP of requests: decisions for those who ask why, records of calls, refusals for
//! the log.

use umbel_node::{FlowId, Output, Transport};
use umbel_sip_message::{AddressOfRecord, DiversionReason, HeaderName, Method, Request};
use umbel_store::{
    Address, CallKind, CallOutcome, CallRecord, Decision, Op, PinOutcome, Routing, Ruling, Ticket,
    call_id_on_record, clean_text,
};
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
        // SEC-66: whoever sends nothing but what is refused must not fill the store, or keep it busy.
        if matches!(ruling, Ruling::Refusal(_)) && *subject.request.method() == Method::Invite {
            let Some(left) = self.refusals_left.checked_sub(1) else { return };
            self.refusals_left = left;
        }
        self.decided.extend(self.decision(now, subject, ruling, rule));
    }

    /// For those who ask why; of INVITEs only.
    fn decision(&self, now: Instant, subject: &Subject<'_>, ruling: Ruling, rule: &str) -> Option<Decision> {
        let Subject { request, transport, peer, callee } = subject;
        (*request.method() == Method::Invite).then(|| Decision {
            call_id: call_id_on_record(request.headers().call_id()).to_owned(),
            at: self.clocks(now).wall,
            mailbox: callee.and_then(|callee| Address::new(callee.user(), callee.host()).ok()),
            transport: on_record(*transport),
            peer: peer.map(str::to_owned),
            command_seen: request.headers().has(&HeaderName::MsExchangeCommand),
            ruling,
            rule: clean_text(rule),
        })
    }

    /// Writes down a step of a call's way.
    pub(super) fn note(&mut self, now: Instant, key: CallKey, step: Routing, rule: &str) {
        let Some(call) = self.calls.get(&key) else { return };
        self.decided.extend(self.decision(now, &Subject::of(call), Ruling::Routing(step), rule));
    }

    /// The decisions of one turn are one operation of the store.
    pub(super) fn write_decisions(&mut self) {
        if !self.decided.is_empty() {
            let (ticket, op) = (Ticket(self.number()), Op::Decide(std::mem::take(&mut self.decided)));
            self.outputs.push_back(Output::Wish(Wish::Store { ticket, op }));
        }
    }

    /// A call as `umbel calls` shows it; one that was answered goes on.
    pub(super) fn record(&self, now: Instant, call: &Call, outcome: CallOutcome) -> CallRecord {
        let headers = call.request.headers();
        let from = call.caller.clone().or_else(|| headers.from().uri.address_of_record());
        let to = call.request.request_uri();
        let party = |address: Option<AddressOfRecord>, uri: &str| {
            clean_text(&address.map_or_else(|| uri.to_owned(), |address| address.to_string()))
        };
        CallRecord {
            call_id: call_id_on_record(headers.call_id()).to_owned(),
            kind: CallKind::Call,
            from: party(from, headers.from().uri.as_str()),
            to: party(to.address_of_record(), to.as_str()),
            started: call.began,
            ended: (outcome != CallOutcome::Answered).then(|| self.clocks(now).wall),
            transport: on_record(call.transport),
            peer: call.peer.clone(),
            pin: PinOutcome::None,
            outcome,
        }
    }

    /// Writes down a call that nobody has answered: the caller was told this status code.
    pub(super) fn record_failure(&mut self, now: Instant, key: CallKey, status: u16) {
        let Some(call) = self.calls.get(&key) else { return };
        if *call.request.method() != Method::Invite {
            return;
        }
        let outcome = match status {
            // The caller proves first who it is, and then calls.
            401 | 407 => return,
            408 | 480 | 486 | 487 | 600 | 603 => CallOutcome::NotAnswered,
            500..=599 => CallOutcome::Failed,
            _ => CallOutcome::Refused,
        };
        let record = self.record(now, call, outcome);
        self.write_call(record);
    }

    /// Calls that have ended in this turn.
    pub(super) fn write_ended_calls(&mut self, now: Instant) {
        for record in self.in_use.take_ended() {
            let ended = Some(self.clocks(now).wall);
            self.write_call(CallRecord { ended, ..record });
        }
    }

    pub(super) fn write_call(&mut self, record: CallRecord) {
        let (ticket, op) = (Ticket(self.number()), Op::RecordCall(Box::new(record)));
        self.outputs.push_back(Output::Wish(Wish::Store { ticket, op }));
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

fn on_record(transport: Transport) -> umbel_store::Transport {
    match transport {
        Transport::Tcp => umbel_store::Transport::Tcp,
        Transport::Tls => umbel_store::Transport::Tls,
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
