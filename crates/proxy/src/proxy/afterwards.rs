//! What is kept of a call that was answered, as long as successes may come: repeated ones, and those of
//! other branches (RFC 3261 13.3.1.4, 16.7 step 5). Not its messages (DEC-41).

use umbel_node::FlowId;
use umbel_sip_endpoint::{ClientTransaction, ServerTransaction};
use umbel_sip_message::{HeaderName, Request, Response};
use umbel_time::Instant;

use super::branches::Branch;
use super::call::{Call, CallKey};
use super::dialogs::upstream;
use super::{Alarm, Proxy, SIXTY_FOUR_T1};
use crate::identity::Sender;
use crate::record_route;
use crate::response_context::Timer;

/// An answered call.
pub(super) struct Afterwards {
    transaction: ServerTransaction,
    flow: FlowId,
    sender: Sender,
    /// Of the request, as it came.
    vias: Box<[Box<[u8]>]>,
    /// With the flow that each was sent along, if it was by none but that.
    clients: Box<[(ClientTransaction, Option<FlowId>)]>,
}

/// The Vias of a request, as it came.
pub(super) fn vias(request: &Request) -> Box<[Box<[u8]>]> {
    request.headers().all(&HeaderName::Via).map(|via| via.into_owned().into()).collect()
}

impl Proxy {
    /// The last thing that a caller hears from us is behind it, unless it is a success.
    pub(super) fn settle_end(&mut self, now: Instant, key: CallKey) {
        if !self.calls.get(&key).is_some_and(|call| call.context.is_over()) {
            return;
        }
        let Some(call) = self.calls.remove(&key) else { return };
        // What goes in a circle finds its passage only while it is under way.
        if let Some(count) = self.passing.get_mut(&call.passage) {
            *count -= 1;
            if *count == 0 {
                self.passing.remove(&call.passage);
            }
        }
        if let Some(callee) = &call.rings_at {
            self.ringing.leave(callee);
        }
        for id in call.branches.keys() {
            self.timers.disarm(&Alarm::Call(key, Timer::C(*id)));
            self.timers.disarm(&Alarm::Alternative(key, *id));
        }
        let is_answered = call.context.is_answered();
        let Call { transaction, flow, sender, request, branches, .. } = *call;
        let of_branch = |branch: Branch| {
            let flow = branch.flow();
            branch.former.into_iter().map(|former| (former, None)).chain([(branch.client, flow)])
        };
        let clients = branches.into_values().flat_map(of_branch).collect();
        let afterwards = Afterwards { transaction, flow, sender, vias: vias(&request), clients };
        self.afterwards.insert(key, afterwards);
        if is_answered {
            self.timers.arm(Alarm::Forget(key), now + SIXTY_FOUR_T1);
        } else {
            self.forget(key);
        }
    }

    /// A response to a request whose call was answered already.
    pub(super) fn answered_again(
        &mut self,
        now: Instant,
        (key, client): (CallKey, ClientTransaction),
        response: &Response,
    ) {
        let Some(call) = self.afterwards.get(&key) else { return };
        if response.status().is_success() {
            let mut draft = upstream(&call.vias, &call.sender, &self.config.domain, response);
            let flow = call.clients.iter().find(|(of, _)| *of == client).and_then(|(_, flow)| *flow);
            record_route::rewrite(&mut draft, (&self.config, &self.seal), response, flow);
            self.endpoint.respond(now, call.transaction, draft);
        }
    }

    pub(super) fn forget(&mut self, key: CallKey) {
        let Some(call) = self.afterwards.remove(&key) else { return };
        self.call_of.remove(&call.transaction);
        self.in_use.leave(call.flow);
        for (client, _) in call.clients {
            self.branch_of.remove(&client);
        }
    }
}
