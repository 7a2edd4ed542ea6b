//! The client side: requests of ours, the way to their destinations, and the responses.

use std::collections::VecDeque;

use bytes::Bytes;
use rand_core::Rng;
use umbel_node::{Destination, FlowId, Origin, Transport};
use umbel_sip_message::{Draft, HeaderName, MAGIC_COOKIE, Message, Method, NameAddr, Response};
use umbel_time::Instant;

use crate::config::SentBy;
use crate::endpoint::{Detached, Owner, Parcel};
use crate::event::{ClientTransaction, Event, Target};
use crate::message::{self, OwnVia};
use crate::transaction::invite_client::{self, InviteClient};
use crate::transaction::key::Key;
use crate::transaction::non_invite_client::{self, NonInviteClient};
use crate::transaction::{Action, Actions, Class, Failure, SIXTY_FOUR_T1, Timer};
use crate::{Config, Endpoint};

/// One client transaction: its machine, and where else its request may go.
pub(crate) struct Client {
    /// Of the latest try; none before the first.
    pub(crate) key: Option<Key>,
    /// The flow of the latest try.
    pub(crate) flow: Option<FlowId>,
    pub(crate) stage: Stage,
    /// A CANCEL is ours: nobody above asked for it or hears of it.
    has_user: bool,
    /// RFC 3326: what a CANCEL will say.
    reason: Option<Box<str>>,
}

pub(crate) enum Stage {
    /// Waiting for a name to be resolved, or for a flow.
    Unsent(Box<Unsent>),
    Invite(InviteClient),
    /// Until something comes back, the request is kept for the next destination.
    NonInvite(NonInviteClient, Option<Box<Unsent>>),
}

/// A request that may have to be sent, once more or for the first time.
pub(crate) struct Unsent {
    pub(crate) draft: Draft,
    /// Destinations not tried yet (RFC 3263 4.3).
    pub(crate) rest: VecDeque<Destination>,
}

/// What happens to a client transaction of either kind.
#[derive(Clone, Copy)]
enum Input {
    Response(Class),
    Cancel,
    Timer(Timer),
    FlowLost { reachable: bool },
}

impl Stage {
    /// Steps in place.
    fn advance(&mut self, input: Input) -> Actions {
        let over = Stage::NonInvite(NonInviteClient::Terminated, None);
        let (after, actions) = std::mem::replace(self, over).step(input);
        *self = after;
        actions
    }

    fn step(self, input: Input) -> (Self, Actions) {
        match self {
            Stage::Unsent(unsent) => (Stage::Unsent(unsent), Actions::new()),
            Stage::Invite(machine) => {
                use invite_client::Input as I;
                let (machine, actions) = machine.step(match input {
                    Input::Response(class) => I::Response(class),
                    Input::Cancel => I::Cancel,
                    Input::Timer(timer) => I::Timer(timer),
                    Input::FlowLost { reachable } => I::FlowLost { reachable },
                });
                (Stage::Invite(machine), actions)
            }
            Stage::NonInvite(machine, unsent) => {
                use non_invite_client::Input as I;
                let input = match input {
                    Input::Response(class) => I::Response(class),
                    // RFC 3261 9.1: "The CANCEL request SHOULD NOT be sent for requests other than INVITE".
                    Input::Cancel => return (Stage::NonInvite(machine, unsent), Actions::new()),
                    Input::Timer(timer) => I::Timer(timer),
                    Input::FlowLost { .. } => I::FlowLost,
                };
                let (machine, actions) = machine.step(input);
                // The server has it: no other destination may get it too.
                let unsent = unsent.filter(|_| machine == NonInviteClient::Trying);
                (Stage::NonInvite(machine, unsent), actions)
            }
        }
    }

    /// The request of a transaction that has not left, which is about to.
    pub(crate) fn take_unsent(&mut self) -> Option<Box<Unsent>> {
        match std::mem::replace(self, Stage::NonInvite(NonInviteClient::Terminated, None)) {
            Stage::Unsent(unsent) => Some(unsent),
            sent => {
                *self = sent;
                None
            }
        }
    }

    /// A response is still due, and lost if its flow is.
    fn is_awaited(&self) -> bool {
        match self {
            Stage::Unsent(_) => false,
            Stage::Invite(machine) => {
                matches!(machine, InviteClient::Calling { .. } | InviteClient::Proceeding { .. })
            }
            Stage::NonInvite(machine, _) => *machine != NonInviteClient::Terminated,
        }
    }

    fn is_terminated(&self) -> bool {
        matches!(
            self,
            Stage::Invite(InviteClient::Terminated) | Stage::NonInvite(NonInviteClient::Terminated, _)
        )
    }
}

impl Endpoint {
    /// Sends a request. A Via with a new branch is put on top, and Max-Forwards if there is none.
    ///
    /// Ends with a final response ([`Event::Response`]) or with [`Event::Failed`]. Where the target is
    /// a URI, the next destination is tried when one cannot be reached (RFC 3263 4.3). An INVITE that
    /// has left on a flow is never sent again by itself, since it may be ringing somewhere (REL-39).
    pub fn request(&mut self, now: Instant, mut draft: Draft, target: Target) -> ClientTransaction {
        let transaction = ClientTransaction(self.next_transaction());
        if self.is_full_for(&draft) {
            self.events.push_back(Event::Failed { transaction, failure: Failure::Limit });
            return transaction;
        }
        // However slow the resolver and the other ends are, the user hears of it in time.
        let patience = if draft.method() == Some(&Method::Invite) { Timer::B } else { Timer::F };
        message::limit_hops(&mut draft);
        let unsent = Unsent { draft, rest: VecDeque::new() };
        self.insert_client(transaction, Stage::Unsent(Box::new(unsent)));
        match target {
            Target::Flow(flow) => self.transmit_request(now, transaction, flow),
            Target::Uri(uri) => {
                self.timers.arm((Owner::Client(transaction), patience), now + SIXTY_FOUR_T1);
                self.resolve(now, uri, Parcel::Request(transaction));
            }
        }
        transaction
    }

    /// REL-43: who has too much to do begins nothing new, but can still hang up.
    fn is_full_for(&self, draft: &Draft) -> bool {
        let Config { transactions_max, in_dialog_reserve, .. } = self.config;
        let count = self.transaction_count();
        let is_in_dialog = || {
            let to = draft.header(&HeaderName::To).map(NameAddr::parse);
            to.is_some_and(|to| to.is_ok_and(|to| to.tag().is_some()))
        };
        count >= transactions_max
            && (count >= transactions_max.saturating_add(in_dialog_reserve) || !is_in_dialog())
    }

    /// Wants an INVITE cancelled; `reason` is the value of a Reason header field (RFC 3326).
    ///
    /// The CANCEL leaves when a provisional response has come (RFC 3261 9.1). The transaction ends
    /// as ever: with a final response, be it a 2xx that was faster, or with [`Event::Failed`].
    pub fn cancel(&mut self, now: Instant, transaction: ClientTransaction, reason: Option<&str>) {
        let Some(client) = self.clients.get_mut(&transaction) else { return };
        if let Stage::Unsent(_) = client.stage {
            self.fail_client(transaction, Failure::Cancelled);
            return;
        }
        client.reason = reason.map(Box::from);
        self.step_client(now, transaction, Input::Cancel, None);
    }

    /// Sends a request that has no transaction: an ACK to a 2xx (RFC 3261 13.2.2.4).
    ///
    /// Nobody hears whether it arrives; where it cannot be sent, the other side repeats its 2xx.
    pub fn send(&mut self, now: Instant, mut draft: Draft, target: Target) {
        message::limit_hops(&mut draft);
        match target {
            Target::Flow(flow) => self.transmit_detached(draft, flow),
            Target::Uri(uri) => {
                let parcel = Parcel::Detached(Box::new(Detached { draft, rest: VecDeque::new() }));
                self.resolve(now, uri, parcel);
            }
        }
    }

    /// A response matches by the branch of its topmost Via and the method of its CSeq; what matches
    /// nothing is dropped (RFC 3261 17.1.3, M7).
    pub(crate) fn received_response(&mut self, now: Instant, flow: FlowId, response: Response) {
        let headers = response.headers();
        let Some(branch) = headers.via().branch() else { return };
        let key = self.keys.client(branch, headers.method());
        let Some(&transaction) = self.client_of.get(&key) else { return };
        self.follow_response(transaction, flow);
        let class = Class::from(response.status());
        self.step_client(now, transaction, Input::Response(class), Some((flow, response)));
    }

    /// RFC 3261 18.2.2: the server has opened a new flow for its response, since the old one is gone.
    fn follow_response(&mut self, transaction: ClientTransaction, flow: FlowId) {
        let Some(client) = self.clients.get_mut(&transaction) else { return };
        let Some(old) = client.flow else { return };
        if self.connections.up(old).is_none() {
            client.flow = Some(flow);
            if client.stage.is_awaited() {
                self.awaited_on.insert((flow, transaction));
            }
        }
    }

    /// A flow that was up is gone: what awaits an answer on it goes elsewhere, waits, or fails.
    pub(crate) fn flow_lost(&mut self, now: Instant, flow: FlowId, transport: Transport) {
        let reachable = self.sent_by(transport).is_some();
        let first = (flow, ClientTransaction(0));
        let last = (flow, ClientTransaction(u64::MAX));
        let lost: Vec<_> = self.awaited_on.range(first..=last).map(|(_, transaction)| *transaction).collect();
        for transaction in lost {
            self.awaited_on.remove(&(flow, transaction));
            if self.take_back(transaction) {
                self.try_next(now, transaction);
            } else {
                self.step_client(now, transaction, Input::FlowLost { reachable }, None);
            }
        }
    }

    /// Makes a request unsent again that was not answered and has other destinations.
    fn take_back(&mut self, transaction: ClientTransaction) -> bool {
        let Some(client) = self.clients.get_mut(&transaction) else { return false };
        let Stage::NonInvite(NonInviteClient::Trying, unsent) = &mut client.stage else { return false };
        let Some(unsent) = unsent.take() else { return false };
        client.stage = Stage::Unsent(unsent);
        client.flow = None;
        if let Some(key) = client.key.take() {
            self.client_of.remove(&key);
        }
        true
    }

    pub(crate) fn client_timer(&mut self, now: Instant, transaction: ClientTransaction, timer: Timer) {
        match self.clients.get(&transaction).map(|client| &client.stage) {
            Some(Stage::Unsent(_)) => self.fail_client(transaction, Failure::Timeout),
            Some(_) => self.step_client(now, transaction, Input::Timer(timer), None),
            None => {}
        }
    }

    /// Ends a transaction whose request has not left, or not left again.
    pub(crate) fn fail_client(&mut self, transaction: ClientTransaction, failure: Failure) {
        let Some(client) = self.clients.remove(&transaction) else { return };
        for timer in [Timer::B, Timer::F] {
            self.timers.disarm(&(Owner::Client(transaction), timer));
        }
        if let Some(key) = client.key {
            self.client_of.remove(&key);
        }
        if client.has_user {
            self.events.push_back(Event::Failed { transaction, failure });
        }
    }

    fn insert_client(&mut self, transaction: ClientTransaction, stage: Stage) {
        self.clients
            .insert(transaction, Client { key: None, flow: None, stage, has_user: true, reason: None });
    }

    fn step_client(
        &mut self,
        now: Instant,
        transaction: ClientTransaction,
        input: Input,
        came: Option<(FlowId, Response)>,
    ) {
        let Some(client) = self.clients.get_mut(&transaction) else { return };
        let actions = client.stage.advance(input);
        let is_terminated = client.stage.is_terminated();
        if !client.stage.is_awaited()
            && let Some(flow) = client.flow
        {
            self.awaited_on.remove(&(flow, transaction));
        }
        self.perform_client(now, transaction, actions, came);
        if is_terminated && let Some(Client { key: Some(key), .. }) = self.clients.remove(&transaction) {
            self.client_of.remove(&key);
        }
    }

    pub(crate) fn perform_client(
        &mut self,
        now: Instant,
        transaction: ClientTransaction,
        actions: Actions,
        mut came: Option<(FlowId, Response)>,
    ) {
        let Some(&Client { flow, has_user, .. }) = self.clients.get(&transaction) else { return };
        for action in actions {
            match action {
                Action::Pass => {
                    if let Some((flow, response)) = came.take().filter(|_| has_user) {
                        self.events.push_back(Event::Response { transaction, flow, response });
                    }
                }
                Action::Acknowledge(request) => {
                    if let (Some((_, response)), Some(flow)) = (&came, flow) {
                        self.acknowledge(flow, request, response);
                    }
                }
                Action::Cancel(request) => self.send_cancel(now, transaction, request),
                Action::Fail(failure) => {
                    if has_user {
                        self.events.push_back(Event::Failed { transaction, failure });
                    }
                }
                Action::Arm(timer, after) => {
                    self.timers.arm((Owner::Client(transaction), timer), now + after);
                }
                Action::Disarm(timer) => {
                    self.timers.disarm(&(Owner::Client(transaction), timer));
                }
                Action::Transmit(_) | Action::Try(_) | Action::Cancelled => {
                    unreachable!("only servers answer")
                }
            }
        }
    }

    /// RFC 3261 17.1.1.3: the ACK to a refusal is part of the INVITE's transaction.
    fn acknowledge(&mut self, flow: FlowId, request: Bytes, response: &Response) {
        if let Ok(Message::Request(request)) = umbel_sip_message::parse(request) {
            let ack = message::acknowledgement(&request, response);
            self.transmit(flow, ack.print());
        }
    }

    /// RFC 3261 9.1: a CANCEL has the branch of its INVITE and a transaction of its own.
    fn send_cancel(&mut self, now: Instant, invited: ClientTransaction, request: Bytes) {
        let Some(invite) = self.clients.get_mut(&invited) else { return };
        let reason = invite.reason.take();
        let Some(flow) = invite.flow.filter(|flow| self.connections.up(*flow).is_some()) else { return };
        let Ok(Message::Request(request)) = umbel_sip_message::parse(request) else { return };
        let Some(branch) = request.headers().via().branch() else { return };
        let key = self.keys.client(branch, &Method::Cancel);
        let transaction = ClientTransaction(self.next_transaction());
        let (machine, actions) = NonInviteClient::start();
        let cancel = Client {
            key: Some(key),
            flow: Some(flow),
            stage: Stage::NonInvite(machine, None),
            has_user: false,
            reason: None,
        };
        self.client_of.insert(key, transaction);
        self.awaited_on.insert((flow, transaction));
        self.clients.insert(transaction, cancel);
        self.perform_client(now, transaction, actions, None);
        self.transmit(flow, message::cancellation(&request, reason.as_deref()).print());
    }

    /// The Via of a request of ours over this flow, with a new branch; `None` if the flow is gone.
    pub(crate) fn own_via(&mut self, flow: FlowId) -> Option<OwnVia> {
        let flow = self.flow(flow)?;
        let transport = flow.transport;
        let ours = flow.origin == Origin::Opened && transport == Transport::Tls && flow.peer.is_some();
        let sent_by = match self.sent_by(transport) {
            Some(sent_by) => sent_by.clone(),
            None => SentBy::from(flow.local),
        };
        let branch = format!("{MAGIC_COOKIE}{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64());
        // RFC 5923 5: only where both ends have proved who they are.
        let alias = ours && self.config.presents_certificate;
        Some(OwnVia { transport, sent_by, branch, alias })
    }

    /// Where others can open flows to us.
    fn sent_by(&self, transport: Transport) -> Option<&SentBy> {
        match transport {
            Transport::Tcp => self.config.tcp.as_ref(),
            Transport::Tls => self.config.tls.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // DEC-41
    #[test]
    fn a_transaction_that_waits_for_timer_m_costs_less_than_128_bytes() {
        assert!(size_of::<Client>() < 128, "{}", size_of::<Client>());
    }
}
