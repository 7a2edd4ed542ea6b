//! Contacts that have not subscribed, and are told unasked: MWI-1, REL-40.

use std::time::Duration;

use umbel_event_notification::pace::{Action, Input};
use umbel_event_notification::{MessageSummary, Unsolicited};
use umbel_node::{FlowId, Transport};
use umbel_sip_endpoint::Target;
use umbel_sip_message::{AddressOfRecord, HeaderName, Response, Uri};
use umbel_time::Instant;

use crate::message_waiting::lamp::{RETRIES_MAX, RETRY_AFTER, SUBSCRIBES_WITHIN, Verdict, judge};
use crate::message_waiting::{Asked, Lamp, Timer};
use crate::proxy::Proxy;

/// The longest that a Retry-After puts a NOTIFY off.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

impl Proxy {
    /// A contact that has just registered gets time to subscribe.
    pub(super) fn settle_lamp(&mut self, now: Instant, address: &AddressOfRecord, contact: Uri) {
        self.message_waiting.timers.arm(Timer::Lamp(address.clone(), contact), now + SUBSCRIBES_WITHIN);
    }

    pub(super) fn lamp_due(&mut self, now: Instant, address: &AddressOfRecord, contact: &Uri) {
        let Some(lamp) = self.lamp(address, contact) else { return };
        if std::mem::take(&mut lamp.is_settling) {
            self.tell_lamp(now, address, contact);
        } else {
            self.step_lamp(now, address, contact, Input::Rested);
        }
    }

    /// There is something to tell, if it is known and this contact is to be told.
    pub(super) fn tell_lamp(&mut self, now: Instant, address: &AddressOfRecord, contact: &Uri) {
        let Some(mailbox) = self.message_waiting.mailboxes.get(address) else { return };
        let Some(lamp) = mailbox.lamps.iter().find(|lamp| lamp.contact == *contact) else { return };
        let subscriptions = mailbox.subscriptions.iter();
        let has_subscribed = subscriptions
            .filter_map(|tag| self.message_waiting.subscriptions.get(tag))
            .any(|telephone| is_of(lamp, telephone.subscription.subscriber(), telephone.subscription.flow()));
        // Not known is never told unasked.
        if mailbox.summary.is_none() || lamp.is_settling || lamp.has_refused || has_subscribed {
            return;
        }
        self.step_lamp(now, address, contact, Input::Changed);
    }

    pub(super) fn lamp_answered(
        &mut self,
        now: Instant,
        address: &AddressOfRecord,
        contact: &Uri,
        response: &Response,
    ) {
        let Some(lamp) = self.lamp(address, contact) else { return };
        match judge(response.status()) {
            Verdict::Taken => lamp.retries = 0,
            Verdict::Never => lamp.has_refused = true,
            Verdict::Later => {
                let retry = response.headers().retry_after().ok().flatten();
                let wait = retry.map(|retry| Duration::from_secs(retry.seconds.into()));
                return self.lamp_not_reached(now, address, contact, wait);
            }
        }
        self.step_lamp(now, address, contact, Input::Over);
    }

    pub(super) fn lamp_not_reached(
        &mut self,
        now: Instant,
        address: &AddressOfRecord,
        contact: &Uri,
        wait: Option<Duration>,
    ) {
        let Some(lamp) = self.lamp(address, contact) else { return };
        if lamp.retries >= RETRIES_MAX {
            lamp.retries = 0;
            return self.step_lamp(now, address, contact, Input::Over);
        }
        lamp.retries += 1;
        let wait = wait.map_or(RETRY_AFTER, |wait| wait.min(RETRY_AFTER_MAX));
        self.step_lamp(now, address, contact, Input::Postponed(wait));
    }

    fn lamp(&mut self, address: &AddressOfRecord, contact: &Uri) -> Option<&mut Lamp> {
        let mailbox = self.message_waiting.mailboxes.get_mut(address)?;
        mailbox.lamps.iter_mut().find(|lamp| lamp.contact == *contact)
    }

    fn step_lamp(&mut self, now: Instant, address: &AddressOfRecord, contact: &Uri, input: Input) {
        let Some(lamp) = self.lamp(address, contact) else { return };
        let (pace, actions) = lamp.pace.step(input);
        lamp.pace = pace;
        let mut is_sent = true;
        for action in actions {
            match action {
                Action::Send => is_sent = self.send_to_lamp(now, address, contact),
                Action::Rest(wait) => {
                    let timer = Timer::Lamp(address.clone(), contact.clone());
                    self.message_waiting.timers.arm(timer, now + wait);
                }
            }
        }
        if !is_sent {
            // It registers before it can be told; then it is.
            self.step_lamp(now, address, contact, Input::Over);
        }
    }

    /// Says whether there is a way.
    fn send_to_lamp(&mut self, now: Instant, address: &AddressOfRecord, contact: &Uri) -> bool {
        let summary =
            self.message_waiting.mailboxes.get(address).and_then(|mailbox| mailbox.summary.as_ref());
        let Some(content) = summary.map(MessageSummary::to_body) else { return false };
        let Some((target, path)) = self.way_to_contact(now, address, contact) else { return false };
        let transport = match &target {
            Target::Flow(flow) => self.endpoint.flow(*flow).map_or(Transport::Tls, |flow| flow.transport),
            Target::Uri(uri) => super::transport_of(uri),
        };
        let pilot = self.config.pilots.first().map_or("voicemail", String::as_str);
        let to = address.to_uri();
        let from = Uri::sip(pilot, &self.config.domain).unwrap_or_else(|| to.clone());
        let own_contact = self.own_contact(transport);
        let (call_id, tag) = (format!("{}{}", self.tag(), self.tag()), self.tag());
        let notify = Unsolicited {
            target: contact,
            from: &from,
            to: &to,
            contact: &own_contact,
            call_id: &call_id,
            tag: &tag,
            content,
        };
        let mut draft = notify.draft();
        for route in &path {
            draft.push(HeaderName::Route, format_args!("<{route}>"));
        }
        let client = self.endpoint.request(now, draft, target);
        let asked = Asked::Lamp(address.clone(), contact.clone());
        self.message_waiting.asked.insert(client, asked);
        true
    }

    /// The way to a contact, and the Routes along it (RFC 3327). As with calls, a connection is opened
    /// only where the telephone registered from the contact's own address.
    fn way_to_contact(
        &self,
        now: Instant,
        address: &AddressOfRecord,
        contact: &Uri,
    ) -> Option<(Target, Box<[Uri]>)> {
        let mut bindings = self.location.bindings(now, address);
        let binding = bindings.find(|binding| binding.contact == *contact)?;
        let may_connect = binding.direct && !binding.is_outbound();
        let by_address = Some(binding.path.first().unwrap_or(contact)).filter(|_| may_connect);
        let target = self.way_to(now, address, (contact, binding.flow, by_address))?;
        Some((target, binding.path.clone()))
    }
}

/// Whether a subscriber is the telephone that has registered this contact.
fn is_of(lamp: &Lamp, subscriber: &Uri, flow: Option<FlowId>) -> bool {
    let shares_flow = lamp.flow.is_some() && lamp.flow == flow && !lamp.is_behind_edge;
    shares_flow || lamp.contact.is_equivalent(subscriber)
}
