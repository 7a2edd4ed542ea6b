//! Calls that come: ringing, answering, refusing, and whether one was missed.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use umbel_node::Transport;
use umbel_sdp::Direction;
use umbel_sip_message::{HeaderName, StatusCode, Uri};
use umbel_time::Instant;
use umbel_ua::{CallKey, Command, ExtraHeaders, Invitation};

use super::{RINGS_WITHIN, Telephone, Timer};
use crate::call::{Call, NoSession, Stage, capabilities};
use crate::config::Redirection;
use crate::incoming::{Decision, Incoming, Kind, Presence, decide};
use crate::order::{Answered, How, Progress, Refusal, Wish};

impl Telephone {
    pub(super) fn invited(&mut self, now: Instant, key: CallKey, invitation: Invitation) {
        let Invitation { call_id, flow, transport, request, offer, replaces } = invitation;
        let registered = self.registered_flow().is_some_and(|(id, _)| id == flow);
        let incoming = Incoming::of(&request, &self.config.owner, registered);
        let presence = Presence {
            appears_offline: self.config.appear_offline,
            is_busy: self.calls.len() >= self.config.lines,
        };
        let decision = match replaces.map(|old| self.may_replace(incoming.kind, &transport, old)) {
            None => decide(incoming.kind, presence, &self.config.answering),
            // It needs no line of its own, and the owner has answered already.
            Some(Ok(())) => Decision::Ring { answer_after: None },
            Some(Err(status)) => Decision::Refuse(status),
        };
        let answer_after = match &decision {
            Decision::Ring { answer_after } => *answer_after,
            Decision::Refuse(_) | Decision::Deflect(..) => None,
        };
        let over_tls = transport.transport == Transport::Tls;
        let stage = Stage::Arriving { offer, answer_after, over_tls };
        let mut call = Call::incoming(call_id, stage, incoming);
        call.replaces = replaces.filter(|_| matches!(decision, Decision::Ring { .. }));
        self.calls.insert(key, call);
        match decision {
            Decision::Ring { .. } => self.wish(Wish::OpenMedia { call: key }),
            Decision::Refuse(status) => self.refuse_with(now, key, status, Vec::new()),
            Decision::Deflect(to, by) => self.deflect(now, key, &to, by),
        }
    }

    /// The sockets are bound, so our answer can be worked out; only a call that can be answered rings.
    pub(super) fn ring(&mut self, now: Instant, key: CallKey, at: SocketAddr) {
        let media = capabilities(&self.config, at);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Stage::Arriving { offer, answer_after, over_tls } = &mut call.stage else { return };
        let (offer, answer_after, over_tls) = (offer.take(), *answer_after, *over_tls);
        call.describe(media, over_tls, &mut self.rng);
        let prepared = match offer {
            Some(offer) => {
                call.answer(&offer, &mut self.rng).map(|(body, settled)| (body, Some(Box::new(settled))))
            }
            None => call.offer(Direction::SendRecv, &mut self.rng).map(|body| (body, None)),
        };
        match prepared {
            Ok((body, parameters)) => {
                call.stage = Stage::Ringing { body, parameters };
                if let Some(old) = call.replaces {
                    return self.take_over(now, key, old);
                }
                let incoming = call.incoming.clone();
                self.agent.command(now, Command::Ring { call: key });
                if let Some(incoming) = incoming {
                    self.tell(key, Progress::Invited(incoming));
                }
                self.timers.arm(Timer::Rung(key), now + RINGS_WITHIN);
                if let Some(ringing) = answer_after {
                    self.timers.arm(Timer::Answer(key), now + ringing);
                }
            }
            Err(NoSession { status, why, warning }) => {
                call.because = Some(How::NoSession { status, why });
                self.refuse_with(now, key, status, vec![(HeaderName::Warning, warning)]);
            }
        }
    }

    pub(super) fn answer(&mut self, now: Instant, key: CallKey) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Stage::Ringing { body, parameters } = &mut call.stage else { return };
        let (body, parameters) = (std::mem::take(body), parameters.take());
        call.stage = if parameters.is_some() { Stage::Up(now) } else { Stage::Confirming };
        self.forget_waits(key);
        self.agent.command(now, Command::Answer { call: key, body, headers: Vec::new() });
        if let Some(parameters) = parameters {
            self.up(key, *parameters);
        }
    }

    /// The ACK came, with the answer where ours was the offer (RFC 3261 13.2.1).
    pub(super) fn confirmed(&mut self, now: Instant, key: CallKey, answer: Option<Bytes>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if !matches!(call.stage, Stage::Confirming) {
            return;
        }
        match call.complete(&answer.unwrap_or_default()) {
            Ok(parameters) => {
                call.stage = Stage::Up(now);
                self.up(key, parameters);
            }
            Err(NoSession { status, why, .. }) => {
                self.hang_up(now, key, Some(How::NoSession { status, why }));
            }
        }
    }

    fn up(&mut self, key: CallKey, parameters: umbel_media::Parameters) {
        let incoming = self.calls.get(&key).and_then(|call| call.incoming.as_ref());
        let answered = Answered {
            status: StatusCode::OK,
            codec: parameters.codec,
            encrypted: parameters.srtp.is_some(),
            automatic: incoming.is_some_and(|incoming| incoming.automatic),
            takes_keys: parameters.telephone_event.is_some(),
        };
        self.tell(key, Progress::Answered(answered));
        self.changed(key, parameters);
    }

    pub(super) fn refuse(&mut self, now: Instant, key: CallKey, how: Refusal) {
        let Some(Call { stage: Stage::Arriving { .. } | Stage::Ringing { .. }, incoming, .. }) =
            self.calls.get(&key)
        else {
            return;
        };
        let kind = incoming.as_ref().map_or(Kind::Call, |incoming| incoming.kind);
        match (how, kind) {
            (Refusal::Busy, _) => self.refuse_with(now, key, StatusCode::BUSY_HERE, Vec::new()),
            // SENS-16: "decline is 603 (everywhere)"; a Play-On-Phone call is not sent on to anybody.
            (Refusal::Decline, _) | (Refusal::Deflect { .. }, Kind::PlayOnPhone) => {
                self.refuse_with(now, key, StatusCode::DECLINE, Vec::new());
            }
            (Refusal::Deflect { to, by }, Kind::Call) => self.deflect(now, key, &to, by),
        }
    }

    /// SIPRE-30: "a client can push a ringing call elsewhere".
    fn deflect(&mut self, now: Instant, key: CallKey, to: &Uri, by: Redirection) {
        let contact = vec![(HeaderName::Contact, format!("<{to}>"))];
        self.refuse_with(now, key, by.status(), contact);
    }

    /// Nobody is there, and the caller does not give up.
    pub(super) fn rung_in_vain(&mut self, now: Instant, key: CallKey) {
        if let Some(call) = self.calls.get_mut(&key) {
            call.because = Some(How::NoAnswer);
        }
        self.refuse_with(now, key, StatusCode::TEMPORARILY_UNAVAILABLE, Vec::new());
    }

    pub(super) fn refuse_with(
        &mut self,
        now: Instant,
        key: CallKey,
        status: StatusCode,
        headers: ExtraHeaders,
    ) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.because.get_or_insert(How::RefusedByUs(status));
        call.stage = Stage::Ending;
        self.forget_waits(key);
        self.agent.command(now, Command::Refuse { call: key, status, headers });
    }
}

/// Whether a call belongs to the missed ones: somebody called, and the owner never knew.
///
/// POP-12: Play-On-Phone never does. RFC 3326 3.1: neither does what another telephone answered.
pub(super) fn is_missed(incoming: Option<&Incoming>, lasted: Option<Duration>, how: &How) -> bool {
    let Some(incoming) = incoming.filter(|_| lasted.is_none()) else { return false };
    match (incoming.kind, how) {
        (Kind::PlayOnPhone, _) => false,
        (Kind::Call, How::Cancelled | How::NoAnswer | How::Lost | How::NoConnection | How::NoRoom) => true,
        (Kind::Call, How::NoSession { .. }) => true,
        // By a telephone that is in use, or that is not there for anybody.
        (Kind::Call, How::RefusedByUs(status)) => {
            *status == StatusCode::BUSY_HERE || *status == StatusCode::TEMPORARILY_UNAVAILABLE
        }
        (Kind::Call, How::CompletedElsewhere | How::ByPeer | How::ByUs) => false,
        (Kind::Call, How::Refused { .. }) => false,
    }
}
