//! The way of a request to its destination: RFC 3263, with failover to the next (4.3).

use umbel_node::{Destination, FlowId, Output, QueryId, Unresolved};
use umbel_sip_message::{Draft, Method, Uri};
use umbel_time::Instant;

use crate::Endpoint;
use crate::client::{Client, Stage, Unsent};
use crate::connection::Way;
use crate::endpoint::{Detached, Parcel};
use crate::event::ClientTransaction;
use crate::transaction::Failure;
use crate::transaction::invite_client::InviteClient;
use crate::transaction::non_invite_client::NonInviteClient;

impl Endpoint {
    /// Sends a parcel that is not bound to a flow: the resolver is asked, or has been.
    pub(crate) fn resolve(&mut self, now: Instant, uri: Uri, parcel: Parcel) {
        match self.questions.ask(&uri, parcel) {
            Ok(Some(query)) => self.output(Output::Resolve { query, uri }),
            Ok(None) => {}
            Err(parcel) => self.refuse(now, parcel, Failure::Limit),
        }
    }

    pub(crate) fn resolved(
        &mut self,
        now: Instant,
        query: QueryId,
        found: Result<Vec<Destination>, Unresolved>,
    ) {
        let mut found = found.unwrap_or_default();
        found.truncate(self.config.destinations_max);
        self.connections.prefer_rested(now, &mut found);
        for parcel in self.questions.answered(query) {
            match parcel {
                Parcel::Request(transaction) => {
                    if found.is_empty() {
                        self.fail_client(transaction, Failure::Unresolved);
                    } else {
                        self.set_destinations(transaction, found.iter().cloned());
                        self.try_next(now, transaction);
                    }
                }
                Parcel::Detached(mut detached) => {
                    detached.rest = found.iter().cloned().collect();
                    self.try_next_detached(now, *detached);
                }
                Parcel::Response(..) => unreachable!("responses go to addresses, not to names"),
            }
        }
    }

    fn set_destinations(&mut self, transaction: ClientTransaction, found: impl Iterator<Item = Destination>) {
        if let Some(Client { stage: Stage::Unsent(unsent), .. }) = self.clients.get_mut(&transaction) {
            unsent.rest = found.collect();
        }
    }

    /// Sends a request to the next destination of its list.
    pub(crate) fn try_next(&mut self, now: Instant, transaction: ClientTransaction) {
        let Some(Client { stage: Stage::Unsent(unsent), .. }) = self.clients.get_mut(&transaction) else {
            return;
        };
        let Some(to) = unsent.rest.pop_front() else {
            self.fail_client(transaction, Failure::Transport);
            return;
        };
        match self.connections.way(&to) {
            Way::Up(flow) => {
                // A flow that has served before may turn out to be dead: then a new one is due.
                unsent.rest.push_front(to);
                self.transmit_request(now, transaction, flow);
            }
            way => self.wait(now, way, to, Parcel::Request(transaction)),
        }
    }

    pub(crate) fn try_next_detached(&mut self, now: Instant, mut detached: Detached) {
        let Some(to) = detached.rest.pop_front() else { return };
        match self.connections.way(&to) {
            Way::Up(flow) => self.transmit_detached(detached.draft, flow),
            way => self.wait(now, way, to, Parcel::Detached(Box::new(detached))),
        }
    }

    /// Lets a parcel wait for the flow that leads to a destination, and has it opened if need be.
    pub(crate) fn wait(&mut self, now: Instant, way: Way, to: Destination, parcel: Parcel) {
        let id = match way {
            Way::New(id) => {
                self.output(Output::Open { id, to });
                id
            }
            Way::Up(id) | Way::Opening(id) => id,
            Way::Full => return self.refuse(now, parcel, Failure::Limit),
        };
        if let Err(parcel) = self.connections.wait(id, parcel) {
            self.refuse(now, parcel, Failure::Limit);
        }
    }

    /// Sends the request of a transaction over a flow: here its branch is made and its machine starts.
    pub(crate) fn transmit_request(&mut self, now: Instant, transaction: ClientTransaction, flow: FlowId) {
        let Some(via) = self.own_via(flow) else { return self.fail_client(transaction, Failure::Transport) };
        let Some(client) = self.clients.get_mut(&transaction) else { return };
        let Some(unsent) = client.stage.take_unsent() else { return };
        let Unsent { draft, rest } = *unsent;
        let method = draft.method().cloned().unwrap_or(Method::Options);
        let key = self.keys.client(&via.branch, &method);
        let (stage, actions, bytes) = if method == Method::Invite {
            let bytes = via.put_on(draft);
            let (machine, actions) = InviteClient::start(bytes.clone());
            (Stage::Invite(machine), actions, bytes)
        } else {
            let unsent = (!rest.is_empty()).then(|| Box::new(Unsent { draft: draft.clone(), rest }));
            let (machine, actions) = NonInviteClient::start();
            (Stage::NonInvite(machine, unsent), actions, via.put_on(draft))
        };
        client.stage = stage;
        client.key = Some(key);
        client.flow = Some(flow);
        self.client_of.insert(key, transaction);
        self.awaited_on.insert((flow, transaction));
        self.perform_client(now, transaction, actions, None);
        self.transmit(flow, bytes);
    }

    /// Sends a request without a transaction over a flow.
    pub(crate) fn transmit_detached(&mut self, draft: Draft, flow: FlowId) {
        if let Some(via) = self.own_via(flow) {
            let bytes = via.put_on(draft);
            self.transmit(flow, bytes);
        }
    }
}
