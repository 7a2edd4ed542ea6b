//! A call that came to us: what its invitation machine wants, done.

use bytes::Bytes;
use umbel_node::FlowId;
use umbel_sip_endpoint::ServerTransaction;
use umbel_sip_message::{Draft, HeaderName, Method, Request, StatusCode};
use umbel_time::Instant;

use super::{Awaited, Call, Path, Role, Unacknowledged, add, description};
use crate::dialog::Dialog;
use crate::evidence::Evidence;
use crate::invite::uas::{Action, Input, Uas};
use crate::negotiation::Negotiation;
use crate::refusal::Refusal;
use crate::repetition::Repetition;
use crate::shared::Shared;
use crate::tag::LocalTag;
use crate::{CallKey, Ending, Event, ExtraHeaders, Invitation};

/// An invitation that we received, and how we answer it.
pub(super) struct Incoming {
    state: Uas,
    transaction: ServerTransaction,
    /// The number of the INVITE's CSeq.
    cseq: u32,
    /// The INVITE, until it has its final response.
    invite: Option<Box<Request>>,
    /// RFC 3262: the caller requires reliable provisional responses.
    wants_reliable: bool,
    /// RFC 3262 3: the number of our reliable response.
    rseq: u32,
    /// What was ordered and could not leave yet.
    held: Option<Held>,
}

enum Held {
    Answer { body: Bytes, headers: ExtraHeaders },
    Refusal { status: StatusCode, headers: ExtraHeaders },
}

impl Incoming {
    pub(super) fn is_confirmed(&self) -> bool {
        self.state == Uas::Confirmed
    }

    /// Whether a 2xx was sent.
    pub(super) fn is_accepted(&self) -> bool {
        self.state.is_accepted()
    }

    /// Whether a 2xx was sent, and nobody here has hung up since.
    pub(super) fn is_wanted(&self) -> bool {
        matches!(self.state, Uas::Accepted { hang_up: false } | Uas::Confirmed)
    }
}

impl Call {
    /// An INVITE that was found in order (RFC 3261 13.3.1).
    pub(crate) fn invited(
        key: CallKey,
        shared: &mut Shared,
        transaction: ServerTransaction,
        flow: FlowId,
        invite: &Request,
        replaces: Option<CallKey>,
    ) -> Result<Self, Refusal> {
        let local_tag = LocalTag::random(&mut shared.rng);
        let dialog = Dialog::of_invite(invite, local_tag)?;
        let headers = invite.headers();
        let offer = description(headers, invite.body());
        // Whoever asked is gone again; nobody will hear this.
        let Some(transport) = shared.endpoint.flow(flow).cloned() else { return Err(Refusal::NoDialog) };
        let mut call = Call {
            key,
            local_tag,
            path: Path {
                flow: Some(flow),
                evidence: Some(Evidence::of(&transport)),
                leads_to_next_hop: super::requests::comes_from_next_hop(invite, Some(&transport), &dialog),
            },
            dialog: Some(dialog),
            negotiation: if offer.is_some() { Negotiation::OfferReceived } else { Negotiation::Stable },
            local_description: Bytes::new(),
            unacknowledged: None,
            theirs: None,
            ours: None,
            wishes: super::Wishes::default(),
            session: None,
            peer_takes_update: false,
            referred: false,
            refers: false,
            ending: None,
            role: Role::Answering(Incoming {
                state: Uas::new(),
                transaction,
                cseq: headers.cseq().number,
                wants_reliable: headers.has_token(&HeaderName::Require, "100rel"),
                // RFC 3262 3: "a number uniformly distributed between 1 and 2**31 - 1"; half the
                // range leaves room to count.
                rseq: 1 + shared.random_up_to((1 << 30) - 1),
                invite: Some(Box::new(invite.clone())),
                held: None,
            }),
        };
        call.learn(headers);
        let invitation = Invitation {
            call_id: invite.headers().call_id().to_owned(),
            flow,
            transport,
            offer,
            request: invite.clone(),
            replaces,
        };
        shared.tell(Event::Invited { call: key, invitation: Box::new(invitation) });
        Ok(call)
    }

    /// [`crate::Command::Ring`]
    pub(crate) fn ring(&mut self, now: Instant, shared: &mut Shared) {
        let Role::Answering(incoming) = &self.role else { return };
        // RFC 3262 5: the first reliable response to an INVITE without an offer must have one, and
        // ours is kept for the 200. The caller then hears of us when we answer.
        if incoming.wants_reliable && self.negotiation == Negotiation::Stable {
            return;
        }
        let reliably = incoming.wants_reliable;
        self.answering(now, shared, Input::Ring { reliably });
    }

    /// [`crate::Command::Answer`]
    pub(crate) fn answer(&mut self, now: Instant, shared: &mut Shared, body: Bytes, headers: ExtraHeaders) {
        if let Role::Answering(incoming) = &mut self.role {
            incoming.held.get_or_insert(Held::Answer { body, headers });
            self.answering(now, shared, Input::Answer);
        }
    }

    /// [`crate::Command::Refuse`]
    pub(crate) fn refuse(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        status: StatusCode,
        headers: ExtraHeaders,
    ) {
        if let Role::Answering(incoming) = &mut self.role {
            incoming.held = Some(Held::Refusal { status: super::refusing(status), headers });
            self.answering(now, shared, Input::Refuse);
        }
    }

    /// The caller took the INVITE back (RFC 3261 9.2).
    pub(crate) fn cancelled(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        elsewhere: bool,
    ) {
        match &self.role {
            Role::Answering(incoming) if incoming.transaction == transaction => {
                self.answering(now, shared, Input::Cancelled { elsewhere });
            }
            Role::Answering(_) | Role::Placing(_) => self.change_cancelled(now, shared, transaction),
        }
    }

    /// A response of ours did not get through, or the peer is gone.
    pub(crate) fn answer_lost(&mut self, now: Instant, shared: &mut Shared, transaction: ServerTransaction) {
        match &self.role {
            Role::Answering(incoming) if incoming.transaction == transaction => {
                if !incoming.is_accepted() {
                    self.answering(now, shared, Input::Lost(Ending::TransportFailed));
                }
            }
            Role::Answering(_) | Role::Placing(_) => self.change_lost(now, shared, transaction),
        }
    }

    /// A PRACK arrived (RFC 3262 3).
    pub(super) fn pracked(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        prack: &Request,
    ) -> Result<(), Refusal> {
        let rack = prack.headers().rack().ok().flatten().ok_or(Refusal::NoRAck)?;
        let matches = match &self.role {
            Role::Answering(incoming) => {
                rack.rseq == incoming.rseq && rack.cseq == incoming.cseq && rack.method == Method::Invite
            }
            Role::Placing(_) => false,
        };
        let waiting = self.unacknowledged.as_ref().is_some_and(|response| response.what == Awaited::Prack);
        if !(matches && waiting) {
            // RFC 3262 3: "If a PRACK request is received by the UA core that does not match any
            // unacknowledged reliable provisional response, the UAS MUST respond to the PRACK with
            // a 481 response."
            return Err(Refusal::NoDialog);
        }
        // RFC 3262 5 allows an offer here, but only where none is open: the INVITE's is, until the
        // 200. The response is acknowledged all the same.
        if prack.body().is_empty() {
            shared.reply(now, transaction, prack, StatusCode::OK);
        } else {
            let refusal = Refusal::StillBusy { retry_after: shared.busy_retry_after() };
            shared.refuse(now, transaction, prack, &refusal, None);
        }
        self.answering(now, shared, Input::Pracked);
        Ok(())
    }

    /// Steps the machine, and does what it wants.
    pub(super) fn answering(&mut self, now: Instant, shared: &mut Shared, input: Input) {
        let Role::Answering(incoming) = &mut self.role else { return };
        let (state, actions) = incoming.state.step(input);
        incoming.state = state;
        for action in actions {
            match action {
                Action::SendRinging => self.send_ringing(now, shared, false),
                Action::SendReliableRinging => self.send_ringing(now, shared, true),
                Action::StopRepeating => self.stop_repeating(shared),
                Action::SendAnswer => self.send_answer(now, shared),
                Action::SendRefusal => self.send_refusal(now, shared),
                Action::SendRequestTerminated => {
                    self.send_final(now, shared, StatusCode::REQUEST_TERMINATED, &[]);
                }
                Action::SendServerTimeout => {
                    self.send_final(now, shared, StatusCode::SERVER_TIME_OUT, &[]);
                }
                Action::SendUnavailable => {
                    self.send_final(now, shared, StatusCode::TEMPORARILY_UNAVAILABLE, &[]);
                }
                Action::SendBye => self.send_bye(now, shared),
                Action::End(ending) => self.end(ending),
            }
        }
    }

    /// The ACK of our 2xx came, with the answer where we had made the offer.
    pub(super) fn confirmed(&mut self, now: Instant, shared: &mut Shared, answer: Option<Bytes>) {
        self.answering(now, shared, Input::Acknowledged);
        if self.ending.is_none() {
            shared.tell(Event::Confirmed { call: self.key, answer });
        }
    }

    /// What every response of ours that makes a dialog has (RFC 3261 12.1.1).
    fn dialog_response(&self, shared: &Shared, invite: &Request, status: StatusCode) -> Draft {
        let mut draft = Draft::reply(invite, status);
        draft.to_tag(&self.local_tag.to_string());
        draft.copy(invite.headers(), &HeaderName::RecordRoute);
        shared.describe(&mut draft, self.contact(shared));
        draft.push(HeaderName::Server, shared.config.user_agent.as_str());
        draft
    }

    fn send_ringing(&mut self, now: Instant, shared: &mut Shared, reliably: bool) {
        let Role::Answering(incoming) = &self.role else { return };
        let Some(invite) = &incoming.invite else { return };
        let (transaction, cseq, rseq) = (incoming.transaction, incoming.cseq, incoming.rseq);
        let mut draft = self.dialog_response(shared, invite, StatusCode::RINGING);
        if !reliably {
            shared.endpoint.respond(now, transaction, draft);
            return;
        }
        // RFC 3262 3
        draft.push(HeaderName::Require, "100rel");
        draft.push(HeaderName::RSeq, rseq.to_string());
        let repetition = Repetition::of_reliable_provisional();
        let response = Unacknowledged { transaction, draft, repetition, what: Awaited::Prack, cseq };
        self.send_until_acknowledged(now, shared, response);
    }

    fn send_answer(&mut self, now: Instant, shared: &mut Shared) {
        let Role::Answering(incoming) = &mut self.role else { return };
        let (transaction, cseq) = (incoming.transaction, incoming.cseq);
        let (Some(invite), Some(Held::Answer { body, headers })) =
            (incoming.invite.take(), incoming.held.take())
        else {
            return;
        };
        let mut draft = self.dialog_response(shared, &invite, StatusCode::OK);
        draft.push(HeaderName::Accept, crate::capabilities::ACCEPT);
        self.grant_session(now, shared, invite.headers(), &mut draft);
        add(&mut draft, &headers);
        draft.body(crate::capabilities::ACCEPT, body.clone());
        self.describe_session(body);
        shared.answering.remove(&transaction);
        let repetition = Repetition::of_success();
        let response = Unacknowledged { transaction, draft, repetition, what: Awaited::Ack, cseq };
        self.send_until_acknowledged(now, shared, response);
    }

    /// A description of ours leaves in a 2xx: the answer to the peer's offer, else an offer.
    pub(super) fn describe_session(&mut self, body: Bytes) {
        self.local_description = body;
        match self.negotiation {
            Negotiation::OfferReceived => self.negotiation.settle(),
            Negotiation::Stable | Negotiation::OfferSent => {
                self.negotiation.send_offer();
            }
        }
    }

    fn send_refusal(&mut self, now: Instant, shared: &mut Shared) {
        let Role::Answering(incoming) = &mut self.role else { return };
        if let Some(Held::Refusal { status, headers }) = incoming.held.take() {
            self.send_final(now, shared, status, &headers);
        }
    }

    fn send_final(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        status: StatusCode,
        headers: &[(HeaderName, String)],
    ) {
        let Role::Answering(incoming) = &mut self.role else { return };
        let Some(invite) = incoming.invite.take() else { return };
        let transaction = incoming.transaction;
        let mut draft = Draft::reply(&invite, status);
        add(&mut draft, headers);
        shared.answering.remove(&transaction);
        shared.respond(now, transaction, &invite, draft, Some(self.local_tag));
    }
}
