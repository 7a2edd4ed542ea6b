//! Calls that we place, what changes within any call, and how calls end.

use std::net::SocketAddr;

use bytes::Bytes;
use umbel_node::Transport;
use umbel_ocexum::ExchangeCommand;
use umbel_sdp::Direction;
use umbel_sip_message::{HeaderName, Response, StatusCode};
use umbel_time::Instant;
use umbel_ua::{CallKey, Command, Ending, ExtraHeaders, Outgoing};

use super::{ANSWERED_WITHIN, Telephone, Timer};
use crate::call::{Call, NoSession, Stage, capabilities};
use crate::incoming::is_automatic;
use crate::order::{Answered, Dial, How, Progress, Wish};
use crate::skip_pin::entitled;

impl Telephone {
    pub(super) fn dial(&mut self, dial: Dial) {
        let Dial { call, target, headers } = dial;
        if self.calls.contains_key(&call) {
            return;
        }
        let outgoing = Outgoing {
            to: target.clone(),
            target,
            from: self.config.owner.clone(),
            from_name: self.config.name.clone(),
            way: self.way(),
            headers,
            offer: Bytes::new(),
            credentials: self.config.credentials.clone(),
        };
        self.calls.insert(call, Call::outgoing(outgoing));
        self.wish(Wish::OpenMedia { call });
    }

    /// [MS-OCEXUM] 3.1.1, 4.1; CMD-11: our own voice mail GRUU. Nobody else's can be named here.
    pub(super) fn call_voice_mail(&mut self, call: CallKey, skip_pin: bool) {
        let target = self.config.owner.with_param("opaque", Some("app:voicemail"));
        let flow = self.registered_flow().map(|(_, flow)| flow);
        let entitled = entitled(self.transport(), flow, self.standing()).filter(|_| skip_pin);
        let command = entitled.map(|_| (HeaderName::MsExchangeCommand, ExchangeCommand::SKIP_PIN.to_owned()));
        self.dial(Dial { call, target, headers: command.into_iter().collect() });
    }

    /// The sockets are bound: the INVITE can say where.
    pub(super) fn place(&mut self, now: Instant, key: CallKey, at: SocketAddr) {
        let media = capabilities(&self.config, at);
        let over_tls = self.transport() == Transport::Tls;
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.describe(media, over_tls, &mut self.rng);
        let offer = match call.offer(Direction::SendRecv, &mut self.rng) {
            Ok(offer) => offer,
            Err(NoSession { status, why, .. }) => {
                return self.bury(now, key, How::NoSession { status, why });
            }
        };
        let Stage::Opening(mut outgoing) = std::mem::replace(&mut call.stage, Stage::Calling) else { return };
        call.dialled = Some(outgoing.clone());
        outgoing.offer = offer;
        self.timers.arm(Timer::GiveUp(key), now + ANSWERED_WITHIN);
        self.agent.command(now, Command::Invite { call: key, outgoing });
        self.has_call_id(key);
    }

    pub(super) fn answered(
        &mut self,
        now: Instant,
        key: CallKey,
        response: &Response,
        answer: Option<Bytes>,
    ) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        self.timers.disarm(&Timer::GiveUp(key));
        // RFC 3261 13.2.1: an offer in the INVITE is answered in the 2xx, or reliably before.
        match call.complete(&answer.unwrap_or_default()) {
            Ok(parameters) => {
                call.stage = Stage::Up(now);
                let answered = Answered {
                    status: response.status(),
                    codec: parameters.codec,
                    encrypted: parameters.srtp.is_some(),
                    automatic: is_automatic(response.headers()),
                    takes_keys: parameters.telephone_event.is_some(),
                };
                self.tell(key, Progress::Answered(answered));
                self.changed(key, parameters);
                self.transfer_answered(now, key, response.status());
            }
            Err(NoSession { status, why, .. }) => {
                self.hang_up(now, key, Some(How::NoSession { status, why }));
            }
        }
    }

    /// It rings there, or something else happens on the way. A server that says the same again, to keep the call alive
    /// (RFC 3261 16.6, Timer C), says nothing new.
    pub(super) fn progressed(&mut self, key: CallKey, status: StatusCode) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.progress.replace(status) != Some(status) {
            self.tell(key, Progress::Ringing { status });
        }
    }

    /// Ends a call, however far it is; `because` is why, where we have a reason of our own.
    pub(super) fn hang_up(&mut self, now: Instant, key: CallKey, because: Option<How>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.because.is_none() {
            call.because = because;
        }
        match call.stage {
            // No request was sent, so nobody will answer one.
            Stage::Opening(_) => self.bury(now, key, How::ByUs),
            _ => {
                self.forget_waits(key);
                self.agent.command(now, Command::HangUp { call: key });
            }
        }
    }

    /// Our side of a hold (RFC 3264 8.4).
    pub(super) fn hold(&mut self, now: Instant, key: CallKey, held: bool) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if !matches!(call.stage, Stage::Up(_)) {
            return;
        }
        let direction = if held { Direction::SendOnly } else { Direction::SendRecv };
        if let Ok(body) = call.offer(direction, &mut self.rng) {
            self.agent.command(now, Command::Reoffer { call: key, body });
        }
    }

    /// The other side changes the session: hold, another codec, another address.
    pub(super) fn offered(&mut self, now: Instant, key: CallKey, offer: Option<Bytes>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let answer = match offer {
            Some(offer) => {
                call.answer(&offer, &mut self.rng).map(|(body, parameters)| (body, Some(parameters)))
            }
            None => call.offer(Direction::SendRecv, &mut self.rng).map(|body| (body, None)),
        };
        match answer {
            Ok((body, settled)) => {
                self.agent.command(now, Command::Accept { call: key, body });
                if let Some(parameters) = settled {
                    self.changed(key, parameters);
                }
            }
            Err(NoSession { status, warning, .. }) => {
                let headers: ExtraHeaders = vec![(HeaderName::Warning, warning)];
                self.agent.command(now, Command::Reject { call: key, status, headers });
            }
        }
    }

    /// The other side answered an offer that we made within the call.
    pub(super) fn negotiated(&mut self, now: Instant, key: CallKey, answer: &[u8]) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        match call.complete(answer) {
            Ok(parameters) => self.changed(key, parameters),
            // RFC 3264 5: an answer that does not fit leaves no session to go on with.
            Err(NoSession { status, why, .. }) => {
                self.hang_up(now, key, Some(How::NoSession { status, why }));
            }
        }
    }

    pub(super) fn changed(&mut self, key: CallKey, parameters: umbel_media::Parameters) {
        self.wish(Wish::Media { call: key, command: umbel_media::Command::Update(parameters) });
        if let Some(held) = self.calls.get_mut(&key).and_then(Call::hold_to_tell) {
            self.tell(key, Progress::Held { held });
        }
    }

    pub(super) fn ended(&mut self, now: Instant, key: CallKey, ending: Ending) {
        if let Ending::Refused(refused) = &ending
            && self.redirect(now, key, refused)
        {
            return;
        }
        let ours = self.calls.get(&key).is_some_and(|call| call.incoming.is_none());
        let how = match ending {
            Ending::ByPeer => How::ByPeer,
            Ending::ByUs => How::ByUs,
            Ending::Cancelled if ours => How::ByUs,
            Ending::Cancelled => How::Cancelled,
            Ending::CompletedElsewhere => How::CompletedElsewhere,
            Ending::Refused(refused) => How::Refused {
                status: refused.status,
                reason: refused.reason.chars().filter(|c| !c.is_control()).collect(),
                error_id: refused.error_id,
            },
            Ending::NoAck | Ending::NoResponse | Ending::SessionExpired => How::Lost,
            Ending::TransportFailed => How::NoConnection,
            Ending::Abandoned => How::NoRoom,
        };
        self.bury(now, key, how);
    }
}
