//! What our requests get.

use umbel_node::FlowId;
use umbel_sip_endpoint::{ClientTransaction, Failure};
use umbel_sip_message::{Response, StatusCode};
use umbel_time::Instant;

use super::Agent;
use super::registering::Registrar;
use crate::asked::{Asked, Purpose};
use crate::call::dismiss;
use crate::{CallKey, Ending, Outcome, ping, registration};

impl Agent {
    pub(super) fn responded(
        &mut self,
        now: Instant,
        transaction: ClientTransaction,
        flow: FlowId,
        response: Response,
    ) {
        let Some(asked) = self.shared.asked.get(&transaction) else { return };
        let status = response.status();
        match asked.purpose.clone() {
            Purpose::Invite { call, .. } if status.is_provisional() => {
                self.with(now, call, |call, shared| call.progressed(now, shared, flow, &response));
            }
            _ if status.is_provisional() => {}
            Purpose::Invite { call, winner } if status.is_success() => {
                self.invite_accepted(now, transaction, flow, response, (call, winner));
            }
            Purpose::Reinvite { call, answered } if status.is_success() => {
                self.reinvite_accepted(now, transaction, &response, (call, answered));
            }
            _ => self.finally(now, transaction, flow, response),
        }
    }

    /// RFC 3261 13.2.2.4: the first 2xx makes the call, copies of it get another ACK, and those of
    /// other forks an ACK and a BYE.
    fn invite_accepted(
        &mut self,
        now: Instant,
        transaction: ClientTransaction,
        flow: FlowId,
        response: Response,
        (key, winner): (CallKey, Option<Box<str>>),
    ) {
        let authorization = self.authorization(transaction);
        let cseq = response.headers().cseq().number;
        let Some(winner) = winner else {
            let copy = response.clone();
            let tag =
                self.with(now, key, |call, shared| call.accepted(now, shared, flow, copy, &authorization));
            if tag.is_none() {
                dismiss(now, &mut self.shared, &response, &authorization, true);
            }
            let winner = tag.flatten().unwrap_or_default();
            if let Some(asked) = self.shared.asked.get_mut(&transaction) {
                asked.purpose = Purpose::Invite { call: key, winner: Some(winner) };
            }
            self.shared.expect_copies(now, transaction);
            return;
        };
        let is_copy = response.headers().to().tag().unwrap_or_default() == &*winner;
        let known = self.calls.contains_key(&key);
        if is_copy && known {
            self.with(now, key, |call, shared| call.acknowledge(now, shared, cseq, &authorization));
        } else {
            dismiss(now, &mut self.shared, &response, &authorization, !is_copy);
        }
    }

    fn reinvite_accepted(
        &mut self,
        now: Instant,
        transaction: ClientTransaction,
        response: &Response,
        (key, answered): (CallKey, bool),
    ) {
        let authorization = self.authorization(transaction);
        let cseq = response.headers().cseq().number;
        if !answered {
            if let Some(asked) = self.shared.asked.get_mut(&transaction) {
                asked.purpose = Purpose::Reinvite { call: key, answered: true };
            }
            self.shared.expect_copies(now, transaction);
        }
        let known = self.with(now, key, |call, shared| {
            call.acknowledge(now, shared, cseq, &authorization);
            if !answered {
                call.change_answered(now, shared, transaction, response);
            }
        });
        if known.is_none() {
            dismiss(now, &mut self.shared, response, &authorization, false);
        }
    }

    fn authorization(&self, transaction: ClientTransaction) -> crate::ExtraHeaders {
        let again = self.shared.asked.get(&transaction).and_then(|asked| asked.again.as_ref());
        again.map(|again| again.authorization()).unwrap_or_default()
    }

    /// A final response that ends its transaction.
    fn finally(&mut self, now: Instant, transaction: ClientTransaction, flow: FlowId, response: Response) {
        let Some(mut asked) = self.shared.asked.remove(&transaction) else { return };
        let satisfied = match asked.again.as_mut() {
            Some(again) => again.satisfy(&response, &mut self.shared.rng),
            None => false,
        };
        if satisfied {
            match self.ask_again(now, asked, &response) {
                Ok(()) => return,
                Err(unasked) => asked = *unasked,
            }
        }
        let status = response.status();
        match asked.purpose {
            Purpose::Invite { call, .. } => {
                self.with(now, call, |call, shared| call.refused(now, shared, &response));
            }
            Purpose::Reinvite { call, .. } | Purpose::Update { call } => {
                self.with(now, call, |call, shared| {
                    call.change_answered(now, shared, transaction, &response);
                });
            }
            Purpose::Info { call } => {
                // RFC 3261 12.2.1.2: the dialog is gone, or nobody is there.
                if matches!(
                    status,
                    StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST | StatusCode::REQUEST_TIMEOUT
                ) {
                    self.with(now, call, |call, shared| call.request_failed(now, shared, Ending::NoResponse));
                }
            }
            // RFC 3515 2.4.2: accepted or not; what follows is told by NOTIFY.
            Purpose::Refer { call } if !status.is_success() => {
                self.with(now, call, |call, shared| call.referring(shared, status, true));
            }
            Purpose::Refer { .. } => {}
            // RFC 3515: who does not want to hear what came of it still talks to us.
            Purpose::Prack { .. } | Purpose::Notify { .. } | Purpose::Bye => {}
            Purpose::Request(ticket) => self.complete(ticket, Outcome::Final(Box::new(response))),
            Purpose::Ping(gateway) => self.pinged(gateway, ping::Outcome::Final(status.as_u16())),
            Purpose::Register(tag) => {
                let authenticated = asked.again.is_some_and(|again| again.is_authorized());
                self.register_answered(now, tag, (flow, &response), authenticated);
            }
        }
    }

    /// Sends a request once more, with what was missing (RFC 3261 22.2, RFC 4028 7.3); gives it back
    /// where nobody wants it any more.
    fn ask_again(&mut self, now: Instant, mut asked: Asked, response: &Response) -> Result<(), Box<Asked>> {
        let headers = response.headers();
        let number = match &asked.purpose {
            Purpose::Invite { call, .. } => {
                // RFC 4028 7.3 has in mind servers that look at an INVITE and at nothing else. A telephone that rang and
                // then wants another interval is not rung again (REL-39, SEC-46).
                let is_about_interval = response.status() == StatusCode::SESSION_INTERVAL_TOO_SMALL;
                let wanted = self
                    .calls
                    .get(call)
                    .is_some_and(|call| call.is_calling() && !(is_about_interval && call.has_rung()));
                wanted.then(|| headers.cseq().number.saturating_add(1))
            }
            Purpose::Reinvite { call, .. }
            | Purpose::Update { call }
            | Purpose::Info { call }
            | Purpose::Refer { call }
            | Purpose::Prack { call } => {
                self.calls.get_mut(call).and_then(|call| call.next_number(headers.to().tag()))
            }
            Purpose::Notify { call } => {
                let next = self.notifying(*call).and_then(|call| call.next_number(headers.to().tag()));
                // The last one of a call that is over: nothing else takes this number.
                next.or(Some(headers.cseq().number.saturating_add(1)))
            }
            Purpose::Register(tag) => self.registrar_of(*tag).map(Registrar::next_number),
            Purpose::Bye | Purpose::Request(_) | Purpose::Ping(_) => {
                Some(headers.cseq().number.saturating_add(1))
            }
        };
        let (Some(number), Some(again)) = (number, asked.again.as_mut()) else { return Err(Box::new(asked)) };
        let (draft, target) = again.renumbered(number);
        let transaction = self.shared.endpoint.request(now, draft, target);
        match &asked.purpose {
            Purpose::Invite { call, .. } => {
                self.with(now, *call, |call, _| call.invited_again(transaction));
            }
            Purpose::Reinvite { call, .. } | Purpose::Update { call } => {
                self.with(now, *call, |call, _| call.asked_again(transaction));
            }
            _ => {}
        }
        self.shared.asked.insert(transaction, asked);
        Ok(())
    }

    /// A request of ours got no final response.
    pub(super) fn failed(&mut self, now: Instant, transaction: ClientTransaction, failure: Failure) {
        let Some(asked) = self.shared.asked.remove(&transaction) else { return };
        let ending = match failure {
            Failure::Timeout => Ending::NoResponse,
            Failure::Transport | Failure::Unresolved => Ending::TransportFailed,
            Failure::Cancelled => Ending::Cancelled,
            Failure::Limit => Ending::Abandoned,
        };
        match asked.purpose {
            Purpose::Invite { call, winner: None } => {
                self.with(now, call, |call, shared| call.unanswered(now, shared, ending));
            }
            // After a 2xx there is nothing more that could fail.
            Purpose::Invite { winner: Some(_), .. } => {}
            Purpose::Reinvite { call, .. } | Purpose::Update { call } => {
                self.with(now, call, |call, shared| call.change_failed(now, shared, transaction, ending));
            }
            Purpose::Info { call } if failure == Failure::Timeout => {
                self.with(now, call, |call, shared| call.request_failed(now, shared, ending));
            }
            Purpose::Refer { call } => {
                let status = match failure {
                    Failure::Timeout | Failure::Cancelled => StatusCode::REQUEST_TIMEOUT,
                    Failure::Transport | Failure::Unresolved | Failure::Limit => {
                        StatusCode::SERVICE_UNAVAILABLE
                    }
                };
                self.with(now, call, |call, shared| call.referring(shared, status, true));
            }
            // REL-35: a broken connection is no reason to end a call.
            Purpose::Info { .. } | Purpose::Prack { .. } | Purpose::Notify { .. } | Purpose::Bye => {}
            Purpose::Request(ticket) => {
                let outcome = match failure {
                    Failure::Timeout | Failure::Cancelled => Outcome::NoResponse,
                    Failure::Transport | Failure::Unresolved => Outcome::TransportFailed,
                    Failure::Limit => Outcome::Abandoned,
                };
                self.complete(ticket, outcome);
            }
            Purpose::Ping(gateway) => self.pinged(gateway, ping::Outcome::Nothing),
            Purpose::Register(tag) => {
                if self.registrar_of(tag).is_some() {
                    self.step_registration(now, registration::Input::Failed);
                }
            }
        }
    }
}
