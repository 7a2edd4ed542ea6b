//! What is told outside SIP of requests: decisions for those who ask why, refusals for the log.

use umbel_node::{FlowId, Output, Transport};
use umbel_sip_message::{AddressOfRecord, HeaderName, Method, Request};
use umbel_store::{Decision, Op, Ruling, Ticket, call_id_on_record};
use umbel_time::Instant;

use super::call::Call;
use super::{Proxy, Wish};
use crate::refusal::{Refusal, Refused};

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
    /// Writes down what was decided about a call, for those who ask why.
    pub(super) fn decide(&mut self, now: Instant, subject: &Subject<'_>, ruling: Ruling, rule: &str) {
        let Subject { request, transport, peer, callee } = subject;
        if *request.method() != Method::Invite {
            return;
        }
        let decision = Decision {
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
            rule: rule.to_owned(),
        };
        let ticket = Ticket(self.number());
        self.outputs.push_back(Output::Wish(Wish::Store { ticket, op: Op::Decide(vec![decision]) }));
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
