//! A telephone's subscription to its own mailbox, and its lamp: RFC 6665 4.1, RFC 3842.

use std::time::Duration;

use bytes::Bytes;
use umbel_node::{FlowId, Output};
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, StatusCode};
use umbel_time::Instant;

use super::{Alarm, Callee, REGISTERS_AGAIN_AFTER};

/// What it asks for when it subscribes.
const EXPIRES: Duration = Duration::from_secs(600);

/// Where the subscription stands.
#[derive(Default)]
pub(super) struct Watching {
    pub(super) is_wanted: bool,
    is_proved: bool,
    /// How often it was begun; the number of the dialog.
    begun: u32,
    cseq: u32,
    /// The other end's tag: there is a subscription.
    to_tag: Option<String>,
}

impl Watching {
    /// The dialog is gone.
    pub(super) fn is_over(&mut self) {
        self.to_tag = None;
        self.is_proved = false;
    }

    pub(super) fn wants_to_begin(&self) -> bool {
        self.is_wanted && self.to_tag.is_none()
    }
}

impl Callee {
    pub(super) fn subscribe(&mut self, credentials: Option<&str>) {
        let (Some(registration), Some(id)) = (&self.registration, self.flow.filter(|_| self.is_up)) else {
            return;
        };
        let (user, domain, address) = (&registration.user, &registration.domain, self.address);
        let watching = &mut self.watching;
        if watching.to_tag.is_none() && credentials.is_none() {
            watching.begun += 1;
        }
        watching.cseq += 1;
        let Watching { begun, cseq, .. } = *watching;
        let tag = watching.to_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        let expires = if watching.is_wanted { EXPIRES } else { Duration::ZERO };
        let mut text = format!(
            "SUBSCRIBE sip:{user}@{domain} SIP/2.0\r\n\
             Via: SIP/2.0/{} {address};branch=z9hG4bK-s-{address}-{cseq}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{domain}>;tag=s{begun}\r\nTo: <sip:{user}@{domain}>{tag}\r\n\
             Call-ID: subscribe-{begun}@{address}\r\nCSeq: {cseq} SUBSCRIBE\r\nContact: <{}>\r\n\
             Event: message-summary\r\nAccept: application/simple-message-summary\r\nExpires: {}\r\n",
            registration.server.transport.via_token(),
            self.contact,
            expires.as_secs(),
        );
        if let Some(credentials) = credentials {
            text.push_str(credentials);
            text.push_str("\r\n");
        }
        text.push_str("Content-Length: 0\r\n\r\n");
        self.outputs.push_back(Output::Transmit { id, bytes: Bytes::from(text) });
    }

    pub(super) fn subscribed(&mut self, now: Instant, response: &Response) {
        let Some(registration) = &mut self.registration else { return };
        if !self.watching.is_proved {
            let uri = format!("sip:{}@{}", registration.user, registration.domain);
            if let Some(line) = registration.account.answer(response, &Method::Subscribe, &uri) {
                self.watching.is_proved = true;
                return self.subscribe(Some(&line));
            }
        }
        self.watching.is_proved = false;
        let is_done = response.status().is_success() && self.watching.is_wanted;
        self.watching.to_tag = response.headers().to().tag().filter(|_| is_done).map(str::to_owned);
        let next = if is_done { EXPIRES / 2 } else { REGISTERS_AGAIN_AFTER };
        self.timers.arm(Alarm::Subscribe, now + next);
    }

    pub(super) fn notified(&mut self, now: Instant, flow: FlowId, notify: &Request) {
        self.say(flow, Draft::reply(notify, StatusCode::OK));
        let text = String::from_utf8_lossy(notify.body()).into_owned();
        let counts = text.lines().find_map(|line| line.strip_prefix("Voice-Message:")).and_then(read);
        self.lamps.extend(counts);
        self.lamp = counts.or(self.lamp);
        let state = notify.headers().get(&HeaderName::SubscriptionState).unwrap_or_default();
        let is_ours = notify.headers().call_id().starts_with("subscribe-");
        if is_ours && state.starts_with(b"terminated") {
            self.watching.is_over();
            self.timers.arm(Alarm::Subscribe, now + REGISTERS_AGAIN_AFTER);
        }
    }
}

/// `2/8 (0/2)`: new and old ones.
fn read(counts: &str) -> Option<(u32, u32)> {
    let (new, old) = counts.split_whitespace().next()?.split_once('/')?;
    Some((new.parse().ok()?, old.parse().ok()?))
}
