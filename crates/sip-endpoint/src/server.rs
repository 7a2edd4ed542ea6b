//! The server side: requests that come in, and the way back for their responses.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use rand_core::Rng;
use umbel_node::{Destination, Flow, FlowId, Transport};
use umbel_sip_message::{Draft, Message, Method, Request, StatusCode};
use umbel_time::Instant;

use crate::connection::Way;
use crate::endpoint::{Owner, Parcel};
use crate::event::{Event, ServerTransaction};
use crate::message;
use crate::transaction::invite_server::{self, InviteServer, Last};
use crate::transaction::key::Key;
use crate::transaction::non_invite_server::{self, NonInviteServer};
use crate::transaction::{Action, Actions, Class, Failure, Timer};
use crate::{Config, Endpoint};

/// One server transaction: its machine, and what its responses need to find their way.
pub(crate) struct Server {
    key: Key,
    merged: Option<Key>,
    /// Where the request came from, or came from again after that flow was gone.
    flow: FlowId,
    transport: Transport,
    /// RFC 3261 18.2.1, RFC 3581: for `received` and `rport`.
    source: (IpAddr, u16),
    machine: Machine,
}

enum Machine {
    Invite(InviteServer),
    NonInvite(NonInviteServer),
}

/// What happens to a server transaction of either kind.
enum Input {
    Retransmission,
    Respond(Class, Bytes),
    Cancel,
    Ack,
    Timer(Timer),
    Undeliverable,
}

impl Machine {
    /// Steps in place.
    fn advance(&mut self, input: Input) -> Actions {
        let before = std::mem::replace(self, Machine::NonInvite(NonInviteServer::Terminated));
        let (after, actions) = before.step(input);
        *self = after;
        actions
    }

    fn step(self, input: Input) -> (Self, Actions) {
        match self {
            Machine::Invite(machine) => {
                use invite_server::Input as I;
                let (machine, actions) = machine.step(match input {
                    Input::Retransmission => I::Retransmission,
                    Input::Respond(class, response) => I::Respond(class, response),
                    Input::Cancel => I::Cancel,
                    Input::Ack => I::Ack,
                    Input::Timer(timer) => I::Timer(timer),
                    Input::Undeliverable => I::Undeliverable,
                });
                (Machine::Invite(machine), actions)
            }
            Machine::NonInvite(machine) => {
                use non_invite_server::Input as I;
                let input = match input {
                    Input::Retransmission => I::Retransmission,
                    Input::Respond(class, response) => I::Respond(class, response),
                    Input::Timer(timer) => I::Timer(timer),
                    Input::Undeliverable => I::Undeliverable,
                    // Only INVITE transactions are looked up for these two.
                    Input::Cancel | Input::Ack => return (Machine::NonInvite(machine), Actions::new()),
                };
                let (machine, actions) = machine.step(input);
                (Machine::NonInvite(machine), actions)
            }
        }
    }

    /// The To tag of what was answered last, as long as that is kept.
    fn to_tag(&self) -> Option<String> {
        let response = match self {
            Machine::Invite(
                InviteServer::Proceeding { last: Last::Provisional(response), .. }
                | InviteServer::Completed { sent: response },
            ) => response,
            _ => return None,
        };
        let response = umbel_sip_message::parse(response.clone()).ok()?;
        response.headers().to().tag().map(str::to_owned)
    }

    fn is_terminated(&self) -> bool {
        matches!(
            self,
            Machine::Invite(InviteServer::Terminated) | Machine::NonInvite(NonInviteServer::Terminated)
        )
    }

    /// A final response, or its ACK, is still due.
    fn is_unanswered(&self) -> bool {
        match self {
            Machine::Invite(machine) => {
                matches!(machine, InviteServer::Proceeding { .. } | InviteServer::Completed { .. })
            }
            Machine::NonInvite(machine) => *machine != NonInviteServer::Terminated,
        }
    }
}

impl Endpoint {
    /// Answers a request. `received` and `rport` are put into its topmost Via; the To tag is the
    /// caller's business. A transaction that is over swallows the answer.
    ///
    /// After a 2xx to an INVITE, the same again is sent again (RFC 3261 13.3.1.4).
    pub fn respond(&mut self, now: Instant, transaction: ServerTransaction, mut draft: Draft) {
        let Some(server) = self.servers.get(&transaction) else { return };
        let Some(status) = draft.status() else { return };
        message::stamp(&mut draft, SocketAddr::from(server.source));
        self.step_server(now, transaction, Input::Respond(Class::from(status), draft.print()));
    }

    pub(crate) fn received_request(&mut self, now: Instant, flow: FlowId, request: Request) {
        let Some(connection) = self.connections.up(flow) else { return };
        let standing = connection.standing;
        self.learn_alias(flow, &request);
        match request.method() {
            Method::Ack => {
                let key = self.keys.server(standing, &request, &Method::Invite);
                self.received_ack(now, flow, key, request);
            }
            Method::Cancel => {
                let key = self.keys.server(standing, &request, &Method::Invite);
                self.received_cancel(now, flow, key, &request);
            }
            method => {
                let key = self.keys.server(standing, &request, method);
                match self.server_of.get(&key) {
                    Some(&transaction) => {
                        self.follow(transaction, flow);
                        self.step_server(now, transaction, Input::Retransmission);
                    }
                    None => self.received_new(now, flow, key, request),
                }
            }
        }
    }

    fn received_ack(&mut self, now: Instant, flow: FlowId, key: Key, request: Request) {
        let Some(&transaction) = self.server_of.get(&key) else {
            // RFC 3261 17.1.1.3: the ACK to a 2xx has a branch of its own. M7: none is ever answered.
            self.events.push_back(Event::Ack { flow, request });
            return;
        };
        self.follow(transaction, flow);
        if self.step_server(now, transaction, Input::Ack) {
            self.events.push_back(Event::Ack { flow, request });
        }
    }

    /// RFC 3261 9.2: a CANCEL is answered here; the INVITE it means is answered by the user.
    fn received_cancel(&mut self, now: Instant, flow: FlowId, key: Key, request: &Request) {
        let Some(&transaction) = self.server_of.get(&key) else {
            let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            return self.answer(flow, message::answer(request, status, &self.keys.tag(key)));
        };
        self.follow(transaction, flow);
        // RFC 3261 9.2: the To tag is that of the response to the INVITE, if there was one.
        let tag = self.servers.get(&transaction).and_then(|server| server.machine.to_tag());
        let tag = tag.unwrap_or_else(|| self.keys.tag(key));
        self.answer(flow, message::answer(request, StatusCode::OK, &tag));
        self.step_server(now, transaction, Input::Cancel);
        // The machine tells that it was cancelled; only the CANCEL says why (RFC 3326). One that cannot be
        // read says nothing.
        if let Some(Event::Cancelled { transaction: told, reason }) = self.events.back_mut()
            && *told == transaction
        {
            *reason = request.headers().reason().ok().flatten().map(Box::new);
        }
    }

    fn received_new(&mut self, now: Instant, flow: FlowId, key: Key, request: Request) {
        let merged = self.keys.merged(request.headers());
        let is_in_dialog = merged.is_none();
        let merged = merged.filter(|_| self.config.refuses_merged_requests);
        // SEC-24, RFC 3261 8.2.2.2: the same request by another way.
        if merged.is_some_and(|merged| self.merged.contains_key(&merged)) {
            let tag = self.keys.tag(key);
            return self.answer(flow, message::answer(&request, StatusCode::LOOP_DETECTED, &tag));
        }
        if self.is_full(flow, is_in_dialog) {
            let retry_after = self.retry_after_secs();
            return self.answer(flow, message::overload(&request, &self.keys.tag(key), retry_after));
        }
        let Some(connection) = self.connections.up_mut(flow) else { return };
        connection.unanswered += 1;
        let (machine, actions) = match request.method() {
            Method::Invite => {
                let (machine, actions) = InviteServer::start(request.as_bytes().clone());
                (Machine::Invite(machine), actions)
            }
            _ => {
                let (machine, actions) = NonInviteServer::start();
                (Machine::NonInvite(machine), actions)
            }
        };
        let Flow { transport, remote, .. } = &connection.flow;
        let (transport, source) = (*transport, (remote.ip(), remote.port()));
        let transaction = ServerTransaction(self.next_transaction());
        self.server_of.insert(key, transaction);
        if let Some(merged) = merged {
            self.merged.insert(merged, transaction);
        }
        self.servers.insert(transaction, Server { key, merged, flow, transport, source, machine });
        self.perform_server(now, transaction, actions);
        self.events.push_back(Event::Request { transaction, flow, request });
    }

    /// Whether one more request is too many, for the endpoint or for its flow.
    fn is_full(&self, flow: FlowId, is_in_dialog: bool) -> bool {
        let Config { transactions_max, in_dialog_reserve, unanswered_per_flow_max, .. } = self.config;
        let (total, per_flow) = if is_in_dialog {
            (transactions_max.saturating_add(in_dialog_reserve), unanswered_per_flow_max.saturating_mul(2))
        } else {
            (transactions_max, unanswered_per_flow_max)
        };
        let unanswered = self.connections.up(flow).map_or(0, |connection| connection.unanswered);
        unanswered >= per_flow || self.transaction_count() >= total
    }

    /// REL-43: those refused together do not return together.
    fn retry_after_secs(&mut self) -> u32 {
        let (least, most) = self.config.retry_after_secs.clone().into_inner();
        let span = most.saturating_sub(least).saturating_add(1);
        least + self.rng.next_u32() % span
    }

    /// Answers without a transaction (RFC 3261 8.2.7).
    fn answer(&mut self, flow: FlowId, mut draft: Draft) {
        let Some(source) = self.flow(flow).map(|flow| flow.remote) else { return };
        message::stamp(&mut draft, source);
        self.transmit(flow, draft.print());
    }

    /// RFC 5923 4: remembers that the peer's flow may carry requests to it.
    fn learn_alias(&mut self, flow: FlowId, request: &Request) {
        let via = request.headers().via();
        if via.alias() {
            self.connections.alias(flow, via.port().unwrap_or(Transport::Tls.default_port()));
        }
    }

    /// REL-35: what matches a transaction on a new flow moves it there, if its own is gone.
    fn follow(&mut self, transaction: ServerTransaction, flow: FlowId) {
        let Some(server) = self.servers.get(&transaction) else { return };
        if self.connections.up(server.flow).is_none() {
            self.move_server(transaction, flow);
        }
    }

    pub(crate) fn move_server(&mut self, transaction: ServerTransaction, flow: FlowId) {
        let Some(server) = self.servers.get_mut(&transaction) else { return };
        let Some(connection) = self.connections.up_mut(flow) else { return };
        if server.flow != flow {
            server.flow = flow;
            connection.unanswered += u32::from(server.machine.is_unanswered());
        }
    }

    pub(crate) fn server_timer(&mut self, now: Instant, transaction: ServerTransaction, timer: Timer) {
        self.step_server(now, transaction, Input::Timer(timer));
    }

    /// RFC 3261 17.2.4: a response could not be delivered by any of the ways of 18.2.2.
    pub(crate) fn undeliverable(&mut self, now: Instant, transaction: ServerTransaction) {
        self.step_server(now, transaction, Input::Undeliverable);
    }

    /// Moves one transaction; says whether the message that came in is to be passed on.
    fn step_server(&mut self, now: Instant, transaction: ServerTransaction, input: Input) -> bool {
        let Some(server) = self.servers.get_mut(&transaction) else { return false };
        let was_unanswered = server.machine.is_unanswered();
        let actions = server.machine.advance(input);
        if was_unanswered
            && !server.machine.is_unanswered()
            && let Some(connection) = self.connections.up_mut(server.flow)
        {
            connection.unanswered = connection.unanswered.saturating_sub(1);
        }
        let pass = self.perform_server(now, transaction, actions);
        self.sweep_server(transaction);
        pass
    }

    fn perform_server(&mut self, now: Instant, transaction: ServerTransaction, actions: Actions) -> bool {
        let mut pass = false;
        for action in actions {
            match action {
                Action::Transmit(response) => self.deliver(now, transaction, response),
                Action::Try(request) => self.try_response(now, transaction, request),
                Action::Cancelled => self.events.push_back(Event::Cancelled { transaction, reason: None }),
                Action::Pass => pass = true,
                Action::Fail(failure) => self.events.push_back(Event::ServerFailed { transaction, failure }),
                Action::Arm(timer, after) => {
                    self.timers.arm((Owner::Server(transaction), timer), now + after);
                }
                Action::Disarm(timer) => {
                    self.timers.disarm(&(Owner::Server(transaction), timer));
                }
                Action::Acknowledge(_) | Action::Cancel(_) => {
                    unreachable!("only clients acknowledge and cancel")
                }
            }
        }
        pass
    }

    /// DEC-3: the 100 that goes out when 200 ms have passed in silence.
    fn try_response(&mut self, now: Instant, transaction: ServerTransaction, request: Bytes) {
        if let Ok(Message::Request(request)) = umbel_sip_message::parse(request) {
            self.respond(now, transaction, message::trying(&request));
        }
    }

    /// RFC 3261 18.2.2: over the flow of the request, else over a new one to where its Via says.
    fn deliver(&mut self, now: Instant, transaction: ServerTransaction, response: Bytes) {
        let Some(server) = self.servers.get(&transaction) else { return };
        if self.connections.up(server.flow).is_some() {
            self.transmit(server.flow, response);
            return;
        }
        let to = return_address(server.transport, server.source.0, &response);
        let parcel = Parcel::Response(transaction, response);
        match to.map(|to| (self.connections.way(&to), to)) {
            Some((Way::Up(flow), _)) => {
                self.move_server(transaction, flow);
                if let Parcel::Response(_, response) = parcel {
                    self.transmit(flow, response);
                }
            }
            Some((way, to)) => self.wait(now, way, to, parcel),
            None => self.refuse(now, parcel, Failure::Transport),
        }
    }

    fn sweep_server(&mut self, transaction: ServerTransaction) {
        let Some(server) = self.servers.get(&transaction) else { return };
        if server.machine.is_terminated() {
            self.server_of.remove(&server.key);
            if let Some(merged) = server.merged {
                self.merged.remove(&merged);
            }
            self.servers.remove(&transaction);
        }
    }
}

/// RFC 3261 18.2.2: the address that the request came from, the port that its Via states; always by
/// the transport that the request came by, whatever its Via claims.
fn return_address(transport: Transport, ip: IpAddr, response: &Bytes) -> Option<Destination> {
    let Ok(Message::Response(response)) = umbel_sip_message::parse(response.clone()) else { return None };
    let via = response.headers().via();
    let port = via.port().unwrap_or(transport.default_port());
    let server_name = match transport {
        Transport::Tcp => None,
        // RFC 5922 7.3: the certificate must be that of the host that the Via names.
        Transport::Tls => Some(via.host().to_ascii_lowercase()),
    };
    Some(Destination { transport, address: SocketAddr::new(ip, port), server_name })
}

#[cfg(test)]
mod tests {
    use super::*;

    // DEC-41
    #[test]
    fn a_transaction_that_waits_for_timer_l_costs_less_than_128_bytes() {
        assert!(size_of::<Server>() < 128, "{}", size_of::<Server>());
    }
}
