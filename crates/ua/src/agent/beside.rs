//! What is asked beside calls: SUBSCRIBE and NOTIFY (RFC 6665), MESSAGE (RFC 3428). They are handed up and answered by
//! command; subscriptions and their dialogs are known above.

use std::collections::BTreeMap;

use umbel_node::FlowId;
use umbel_sip_endpoint::{ServerTransaction, Target};
use umbel_sip_message::{Draft, Request};
use umbel_time::Instant;

use super::{Agent, REQUESTS_MAX};
use crate::asked::Purpose;
use crate::refusal::Refusal;
use crate::{Event, Outcome, Received, RequestKey, Ticket, capabilities, check};

/// Requests that await an answer from above; one more gets 503 with Retry-After.
pub const RECEIVED_MAX: usize = 1_000;

/// Requests that await an answer.
#[derive(Default)]
pub(super) struct Beside {
    pending: BTreeMap<RequestKey, (ServerTransaction, Request)>,
    by_transaction: BTreeMap<ServerTransaction, RequestKey>,
    last: u64,
}

impl Beside {
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Nobody waits for the answer to this any more.
    pub(super) fn forget(&mut self, transaction: ServerTransaction) {
        if let Some(key) = self.by_transaction.remove(&transaction) {
            self.pending.remove(&key);
        }
    }
}

impl Agent {
    /// RFC 6665 4.2.1.1: a SUBSCRIBE, within a dialog or to create one.
    pub(super) fn subscribed(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        check::scheme(request)?;
        check::require(request, self.shared.config.served())?;
        check::encoding(request)?;
        let event = request.headers().event().ok().flatten();
        if event.is_some_and(|event| event.package == capabilities::EVENT) {
            self.hand_up(transaction, flow, request)
        } else {
            Err(Refusal::BadEvent)
        }
    }

    /// RFC 6665 4.1.3: a NOTIFY of a subscription.
    pub(super) fn notified_within(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        check::require(request, self.shared.config.served())?;
        check::encoding(request)?;
        self.hand_up(transaction, flow, request)
    }

    /// RFC 3428 7: a MESSAGE. Its body is read above, where it is known what for.
    pub(super) fn messaged(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        check::scheme(request)?;
        check::require(request, self.shared.config.served())?;
        check::encoding(request)?;
        self.hand_up(transaction, flow, request)
    }

    fn hand_up(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(), Refusal> {
        let (key, received) = self.await_answer(transaction, flow, request)?;
        self.shared.tell(Event::Received { key, received });
        Ok(())
    }

    /// Keeps a request until it is answered from above.
    pub(super) fn await_answer(
        &mut self,
        transaction: ServerTransaction,
        flow: FlowId,
        request: &Request,
    ) -> Result<(RequestKey, Box<Received>), Refusal> {
        if self.beside.pending.len() >= RECEIVED_MAX {
            return Err(self.shared.unavailable());
        }
        // Whoever asked is gone again; nobody will hear this.
        let transport = self.shared.endpoint.flow(flow).cloned().ok_or(Refusal::NoDialog)?;
        self.beside.last += 1;
        let key = RequestKey(self.beside.last);
        self.beside.by_transaction.insert(transaction, key);
        self.beside.pending.insert(key, (transaction, request.clone()));
        Ok((key, Box::new(Received { flow, transport, request: request.clone() })))
    }

    /// [`crate::Command::Respond`]. Nobody waits for an answer that comes too late.
    pub(super) fn respond(&mut self, now: Instant, key: RequestKey, response: Draft) {
        let Some((transaction, request)) = self.beside.pending.remove(&key) else { return };
        self.beside.by_transaction.remove(&transaction);
        self.shared.respond(now, transaction, &request, response, None);
    }

    /// [`crate::Command::Send`].
    pub(super) fn send(&mut self, now: Instant, ticket: Ticket, request: Draft, target: Target) {
        if self.requests >= REQUESTS_MAX {
            return self.shared.tell(Event::Completed { ticket, outcome: Outcome::Abandoned });
        }
        self.requests += 1;
        self.shared.ask(now, Purpose::Request(ticket), request, target, None);
    }
}
