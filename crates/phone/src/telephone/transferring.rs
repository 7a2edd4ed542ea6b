//! The other side of a call sends us on to somebody else: RFC 3515, RFC 5589.

use umbel_sip_message::{Draft, HeaderName, Request, SIPFRAG, StatusCode};
use umbel_time::Instant;
use umbel_ua::{CallKey, Command, RequestKey};

use super::{ANSWERED_WITHIN, Telephone};
use crate::call::Stage;
use crate::incoming::Kind;
use crate::order::{Dial, How, Progress};
use crate::transfer::{self, Referral};

/// What the call that sent us on waits to hear.
pub(super) struct Transfer {
    /// The call that sent us.
    from: CallKey,
    /// The value of Event in what we tell; none where nothing is to be told (RFC 4488).
    event: Option<String>,
}

impl Telephone {
    pub(super) fn referred(&mut self, now: Instant, key: CallKey, request: RequestKey, refer: &Request) {
        match self.may_be_sent(key, refer) {
            Ok(referral) => self.transfer(now, key, request, refer, referral),
            Err(status) => {
                let response = Box::new(Draft::reply(refer, status));
                self.agent.command(now, Command::Respond { request, response });
            }
        }
    }

    fn may_be_sent(&self, key: CallKey, refer: &Request) -> Result<Referral, StatusCode> {
        let call = self.calls.get(&key).ok_or(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST)?;
        if !self.config.transfers || !matches!(call.stage, Stage::Up(_)) {
            return Err(StatusCode::FORBIDDEN);
        }
        let kind = call.incoming.as_ref().map_or(Kind::Call, |incoming| incoming.kind);
        let referral = transfer::read(refer, kind)?;
        // One at a time: the first has to be answered, or not, before there is another.
        let pending = self.transfers.contains_key(&key) || self.successor(key).is_some();
        if pending { Err(StatusCode::REQUEST_PENDING) } else { Ok(referral) }
    }

    /// The call that this one has sent us to, and that is not answered yet.
    pub(super) fn successor(&self, key: CallKey) -> Option<CallKey> {
        self.transfers.iter().find(|(_, transfer)| transfer.from == key).map(|(call, _)| *call)
    }

    fn transfer(
        &mut self,
        now: Instant,
        key: CallKey,
        request: RequestKey,
        refer: &Request,
        referral: Referral,
    ) {
        let Referral { to, headers, subscribes } = referral;
        let mut response = Draft::reply(refer, StatusCode::ACCEPTED);
        if let Some(subscribes) = subscribes {
            response.push(HeaderName::ReferSub, subscribes.to_string());
        }
        self.agent.command(now, Command::Respond { request, response: Box::new(response) });
        let Some(call) = self.calls.get_mut(&key) else { return };
        // RFC 3515 2.4.6: from the second REFER of a dialog on, its number says which one is meant.
        let number = refer.headers().cseq().number;
        let event = if call.referrals == 0 { "refer".to_owned() } else { format!("refer;id={number}") };
        call.referrals += 1;
        let event = subscribes.unwrap_or(true).then_some(event);
        let successor = self.agent.fresh_call();
        self.transfers.insert(successor, Transfer { from: key, event: event.clone() });
        if let Some(event) = event {
            // RFC 3515 2.4.4: "MUST immediately send a NOTIFY", and 2.4.5: "100 Trying" where nothing is known.
            self.tell_of_transfer(now, key, event, StatusCode::TRYING);
        }
        self.tell(key, Progress::Transferred { to: to.clone(), call: successor });
        self.dial(Dial { call: successor, target: to, headers });
    }

    /// Somebody answers whom another call has sent us to: that one has done its part.
    pub(super) fn transfer_answered(&mut self, now: Instant, key: CallKey, status: StatusCode) {
        let from = self.transfers.get(&key).map(|transfer| transfer.from);
        self.transfer_ended(now, key, status);
        if let Some(from) = from {
            self.hang_up(now, from, None);
        }
    }

    /// It is known what became of a call that another one has sent us to.
    pub(super) fn transfer_ended(&mut self, now: Instant, key: CallKey, status: StatusCode) {
        if let Some(Transfer { from, event: Some(event) }) = self.transfers.remove(&key) {
            self.tell_of_transfer(now, from, event, status);
        }
    }

    /// The owner has hung up, and does not want to be sent anywhere any more.
    pub(super) fn give_up_transfer(&mut self, now: Instant, key: CallKey) {
        if let Some(successor) = self.successor(key) {
            self.hang_up(now, successor, None);
        }
    }

    fn tell_of_transfer(&mut self, now: Instant, call: CallKey, event: String, status: StatusCode) {
        let last = status.is_final();
        // RFC 3515 2.4.7. We know the end of it when the call is given up at the latest.
        let state = if last {
            "terminated;reason=noresource".to_owned()
        } else {
            format!("active;expires={}", ANSWERED_WITHIN.as_secs())
        };
        let headers = vec![(HeaderName::Event, event), (HeaderName::SubscriptionState, state)];
        let body = format!("SIP/2.0 {} {}\r\n", status.as_u16(), status.reason());
        let body = (SIPFRAG.to_owned(), body.into());
        self.agent.command(now, Command::Notify { call, last, headers, body });
    }
}

/// The response that says how a call ended that was never answered.
pub(super) fn status_of(how: &How) -> StatusCode {
    match how {
        How::Refused { status, .. } | How::NoSession { status, .. } | How::RefusedByUs(status) => *status,
        How::NoAnswer | How::Lost => StatusCode::REQUEST_TIMEOUT,
        How::ByUs | How::ByPeer | How::Cancelled | How::CompletedElsewhere => StatusCode::REQUEST_TERMINATED,
        How::NoConnection | How::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
    }
}
