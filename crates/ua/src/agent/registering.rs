//! Keeping our registration: what its machine wants, done.

use std::sync::Arc;
use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{HeaderName, Headers, Method, Response, StatusCode, Uri};
use umbel_time::Instant;

use super::Agent;
use crate::asked::Purpose;
use crate::outside::{self, Parties};
use crate::registration::{Account, Action, Input, Registration};
use crate::shared::{Shared, Timer};
use crate::tag::LocalTag;
use crate::{Credentials, Event, Way};

/// A registration and what all its requests have in common.
pub(super) struct Registrar {
    account: Account,
    credentials: Option<Arc<Credentials>>,
    state: Registration,
    tag: LocalTag,
    /// RFC 3261 10.2: "All registrations from a UAC SHOULD use the same Call-ID".
    call_id: Option<Vec<u8>>,
    cseq: u32,
    asked_for: Duration,
}

impl Registrar {
    pub(super) fn call_id(&self) -> Option<&str> {
        std::str::from_utf8(self.call_id.as_deref()?).ok()
    }

    /// RFC 3261 10.2: "A UA MUST increment the CSeq value by one for each REGISTER request".
    pub(super) fn next_number(&mut self) -> u32 {
        self.cseq = self.cseq.saturating_add(1);
        self.cseq
    }
}

impl Agent {
    pub(super) fn register(&mut self, now: Instant, mut account: Account) {
        let credentials = account.credentials.take().map(Arc::new);
        let tag = LocalTag::random(&mut self.shared.rng);
        let asked_for = account.expires;
        let state = Registration::Idle;
        self.registrar =
            Some(Registrar { account, credentials, state, tag, call_id: None, cseq: 0, asked_for });
        self.step_registration(now, Input::Register);
    }

    /// The registration with this tag, unless another took its place.
    pub(super) fn registrar_of(&mut self, tag: LocalTag) -> Option<&mut Registrar> {
        self.registrar.as_mut().filter(|registrar| registrar.tag == tag)
    }

    pub(super) fn unregister(&mut self, now: Instant) {
        self.step_registration(now, Input::Unregister);
    }

    pub(super) fn step_registration(&mut self, now: Instant, input: Input) {
        let Some(registrar) = &mut self.registrar else { return };
        let (state, actions) = registrar.state.step(input);
        registrar.state = state;
        for action in actions {
            match action {
                Action::Send { expires } => self.send_register(now, expires),
                Action::WakeAfter(wait) => self.shared.timers.arm(Timer::Registration, now + wait),
                Action::WakeWithin(wait) => {
                    // RFC 5626 4.5: "a uniform random time between 50 and 100% of W".
                    let wait = self.shared.random_between(wait / 2, wait);
                    self.shared.timers.arm(Timer::Registration, now + wait);
                }
                Action::Ping(flow) => self.pings.push_back(flow),
                Action::KeepAliveWithin(wait) => {
                    // RFC 5626 4.4.1: "between 80% and 100% of the time".
                    let wait = self.shared.random_between(wait / 5 * 4, wait);
                    self.shared.timers.arm(Timer::KeepAlive, now + wait);
                }
                Action::Rest => {
                    self.shared.timers.disarm(&Timer::Registration);
                    self.shared.timers.disarm(&Timer::KeepAlive);
                }
                Action::Tell(news) => self.shared.tell(Event::Registration(news)),
            }
        }
    }

    fn send_register(&mut self, now: Instant, expires: Option<Duration>) {
        let Some(registrar) = &mut self.registrar else { return };
        let cseq = registrar.next_number();
        let expires = expires.unwrap_or(registrar.account.expires);
        registrar.asked_for = expires;
        let Account { address_of_record, registrar: target, way, instance, .. } = &registrar.account;
        let parties = Parties { target, from: address_of_record, from_name: None, to: address_of_record };
        let mut draft = outside::draft(&mut self.shared, Method::Register, &parties, way, registrar.tag);
        draft.set(HeaderName::CSeq, format!("{cseq} {}", Method::Register));
        match &registrar.call_id {
            Some(call_id) => {
                draft.set(HeaderName::CallId, &**call_id);
            }
            None => registrar.call_id = draft.header(&HeaderName::CallId).map(<[u8]>::to_vec),
        }
        draft.push(HeaderName::Contact, contact(&self.shared, way, target, instance.as_deref()));
        draft.push(HeaderName::Expires, expires.as_secs().to_string());
        // RFC 5626 4.2.1, RFC 3327 5.1
        draft.push(HeaderName::Supported, if instance.is_some() { "outbound, path" } else { "path" });
        let target = outside::target(target, way.clone());
        let (credentials, tag) = (registrar.credentials.clone(), registrar.tag);
        self.shared.ask(now, Purpose::Register(tag), draft, target, credentials.as_ref());
    }

    pub(super) fn register_answered(
        &mut self,
        now: Instant,
        tag: LocalTag,
        (flow, response): (FlowId, &Response),
        authenticated: bool,
    ) {
        let Some(registrar) = self.registrar.as_ref().filter(|registrar| registrar.tag == tag) else {
            return;
        };
        let headers = response.headers();
        let status = response.status();
        let input = if status.is_success() {
            let ours = contact_uri(&self.shared, &registrar.account.way, &registrar.account.registrar);
            let expires = granted(headers, ours.as_ref()).unwrap_or(registrar.asked_for);
            let flow_timer = headers.get_text(&HeaderName::FlowTimer).and_then(|text| text.parse().ok());
            let flow_timer = flow_timer.filter(|&secs| secs > 0).map(Duration::from_secs);
            Input::Accepted { flow, expires, authenticated, flow_timer }
        } else if status == StatusCode::INTERVAL_TOO_BRIEF {
            match headers.min_expires().ok().flatten() {
                Some(secs) => Input::TooBrief { min_expires: Duration::from_secs(u64::from(secs)) },
                None => Input::Refused { status, retry_after: None },
            }
        } else {
            let retry = headers.retry_after().ok().flatten();
            let retry_after = retry.map(|retry| Duration::from_secs(u64::from(retry.seconds)));
            Input::Refused { status, retry_after }
        };
        self.step_registration(now, input);
    }
}

/// Where calls are to reach us.
fn contact(shared: &Shared, way: &Way, registrar: &Uri, instance: Option<&str>) -> String {
    let (transport, flow) = shared.first_hop(way, registrar);
    let contact = shared.contact(transport, flow);
    match instance {
        // RFC 5626 4.2: one flow, so one `reg-id`.
        Some(instance) => format!("{contact};reg-id=1;+sip.instance=\"<{instance}>\""),
        None => contact,
    }
}

fn contact_uri(shared: &Shared, way: &Way, registrar: &Uri) -> Option<Uri> {
    let (transport, _) = shared.first_hop(way, registrar);
    shared.config.contacts.over(transport).cloned()
}

/// RFC 3261 10.2.4: for how long our binding was granted; a registrar lists all of them.
fn granted(headers: &Headers, ours: Option<&Uri>) -> Option<Duration> {
    let contacts = headers.contacts().ok()?;
    let binding = contacts.addresses().iter().find(|contact| match ours {
        Some(ours) => contact.uri.is_equivalent(&ours.as_ref()),
        None => true,
    });
    let stated = binding.and_then(|contact| contact.param("expires").flatten()?.parse::<u32>().ok());
    let seconds = stated.or_else(|| headers.expires().ok().flatten())?;
    Some(Duration::from_secs(u64::from(seconds)))
}
