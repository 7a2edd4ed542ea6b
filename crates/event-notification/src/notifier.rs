//! The notifier's side of one subscription: RFC 6665 4.2.

use std::time::Duration;

use bytes::Bytes;
use umbel_node::FlowId;
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, StatusCode, Uri};
use umbel_time::Instant;

pub use crate::dialog::DIALOG_BYTES_MAX;
use crate::dialog::Dialog;
use crate::pace::{Action, Input, Pace};
use crate::{MESSAGE_SUMMARY, Outgoing, Package, Refusal};

/// RFC 3842 3.4, MWI-2: how long a subscription lasts where the subscriber does not say; no longer is
/// granted.
pub const EXPIRES: Duration = Duration::from_secs(3_600);
/// Shorter subscriptions are refused with 423, so that nobody asks all the time.
pub const EXPIRES_MIN: Duration = Duration::from_secs(60);
/// RFC 6665 4.2.2: how often in a row a NOTIFY is put off by a Retry-After before the subscription ends.
const POSTPONED_MAX: u8 = 3;
/// The longest that a Retry-After puts a NOTIFY off.
const POSTPONED_FOR_MAX: Duration = Duration::from_secs(60);

/// Why a subscription ended: RFC 6665 4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Subscribe again at once.
    Deactivated,
    /// Subscribe again, after so long.
    Probation(Duration),
    /// There is nothing here for the subscriber any more.
    Rejected,
    /// It was not refreshed, or given up by the subscriber.
    Timeout,
    /// Of what was subscribed to there is nothing any more.
    NoResource,
}

impl Reason {
    /// The parameters of `Subscription-State: terminated`.
    fn write(self) -> String {
        match self {
            Reason::Deactivated => "reason=deactivated".into(),
            Reason::Probation(wait) => format!("reason=probation;retry-after={}", wait.as_secs()),
            Reason::Rejected => "reason=rejected".into(),
            Reason::Timeout => "reason=timeout".into(),
            Reason::NoResource => "reason=noresource".into(),
        }
    }
}

/// How the notifier is reached, and what it calls itself, in one dialog.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// A tag with 64 random bits or more (SEC-54), that no other dialog has.
    pub tag: &'a str,
    /// The value of Contact.
    pub contact: &'a str,
    /// The flow that the SUBSCRIBE came on.
    pub flow: Option<FlowId>,
}

/// One subscription.
///
/// [`Subscription::accept`] makes it of a SUBSCRIBE; then what happens is told to it, and after each
/// method [`Subscription::poll_request`] gives the NOTIFY that is to be sent, if there is one. Once it
/// [`Subscription::is_over`] and the last NOTIFY is out, forget it: nobody waits for that one's answer.
#[derive(Clone, Debug)]
pub struct Subscription {
    package: &'static Package,
    dialog: Dialog,
    /// The `id` of Event (RFC 6665 8.2.1).
    id: Option<Box<str>>,
    contact: Box<str>,
    /// What the next NOTIFY tells; none: not known.
    content: Option<Bytes>,
    expires: Instant,
    pace: Pace,
    /// When [`Pace`] has rested.
    rested: Option<Instant>,
    postponed: u8,
    is_over: bool,
    outgoing: Option<Outgoing>,
}

impl Subscription {
    /// Accepts a SUBSCRIBE that creates a subscription to a message summary, and gives the response. A
    /// duration of zero asks once (RFC 6665 4.4.3): the subscription is over with its first NOTIFY.
    ///
    /// Whether the subscriber may see it has been asked before.
    pub fn accept(
        now: Instant,
        subscribe: &Request,
        local: Local<'_>,
        content: Option<Bytes>,
    ) -> Result<(Self, Draft), Refusal> {
        let package = &MESSAGE_SUMMARY;
        let expires = wanted(package, subscribe)?;
        let id = subscribe.headers().event().ok().flatten().and_then(|event| event.id().map(Box::from));
        let mut subscription = Subscription {
            package,
            dialog: Dialog::of_request(subscribe, local.tag, local.flow)?,
            id,
            contact: local.contact.into(),
            content,
            expires: now + expires,
            pace: Pace::default(),
            rested: None,
            postponed: 0,
            is_over: false,
            outgoing: None,
        };
        let response = subscription.granted(now, subscribe, expires);
        Ok((subscription, response))
    }

    /// Whether a request belongs to it (RFC 6665 4.5.1: dialog and Event with its `id`).
    pub fn owns(&self, subscribe: &Request) -> bool {
        let event = subscribe.headers().event().ok().flatten();
        let is_event =
            event.is_some_and(|event| event.package == self.package.name && event.id() == self.id.as_deref());
        is_event && self.dialog.owns(subscribe)
    }

    /// A SUBSCRIBE that [`Subscription::owns`] says is of this subscription: it is prolonged, or ended by
    /// a duration of zero. Gives the response; a refused one changes nothing.
    pub fn refresh(
        &mut self,
        now: Instant,
        subscribe: &Request,
        flow: Option<FlowId>,
    ) -> Result<Draft, Refusal> {
        if self.is_over || now >= self.expires {
            return Err(Refusal::NoSuchSubscription);
        }
        let expires = wanted(self.package, subscribe)?;
        self.dialog.receive(subscribe, flow)?;
        Ok(self.granted(now, subscribe, expires))
    }

    /// What is told is this from now on; the same again is no change.
    pub fn change(&mut self, now: Instant, content: Option<Bytes>) {
        if self.is_over || self.content == content {
            return;
        }
        self.content = content;
        self.step(now, Input::Changed);
    }

    /// The final response to our NOTIFY. RFC 6665 4.2.2: 481 ends the subscription, and so does every
    /// other failure but one that asks for time.
    pub fn responded(&mut self, now: Instant, response: &Response) {
        let status = response.status();
        if !status.is_final() || self.is_over {
            return;
        }
        let retry_after = response.headers().retry_after().ok().flatten();
        match retry_after {
            _ if status.is_success() => {
                self.postponed = 0;
                self.step(now, Input::Over);
            }
            Some(retry) if status.as_u16() != 481 && self.postponed < POSTPONED_MAX => {
                self.postponed += 1;
                let wait = Duration::from_secs(retry.seconds.into()).min(POSTPONED_FOR_MAX);
                self.step(now, Input::Postponed(wait));
            }
            _ => self.is_over = true,
        }
    }

    /// Our NOTIFY was not answered, or could not be sent: nobody is there any more (RFC 6665 4.2.2).
    pub fn failed(&mut self) {
        self.is_over = true;
    }

    /// Our NOTIFY could not be sent for now, since nobody knows where the subscriber is: once more after
    /// this, or as soon as it [`Subscription::moves`]. Without either the subscription runs out.
    pub fn postpone(&mut self, now: Instant, wait: Duration) {
        if !self.is_over {
            self.step(now, Input::Postponed(wait));
        }
    }

    /// The subscriber is there over another flow now, and may have missed what was told to the old one.
    pub fn moves(&mut self, now: Instant, flow: FlowId) {
        if !self.is_over {
            self.dialog.flow = Some(flow);
            self.pace = Pace::default();
            self.step(now, Input::Asked);
        }
    }

    /// Ends it, and says why.
    pub fn terminate(&mut self, reason: Reason) {
        if self.is_over {
            return;
        }
        self.is_over = true;
        let outgoing = self.notify(&format!("terminated;{}", reason.write()));
        self.outgoing = Some(outgoing);
    }

    /// The time of [`Subscription::poll_timeout`] has come.
    pub fn wake(&mut self, now: Instant) {
        if now >= self.expires {
            self.terminate(Reason::Timeout);
        } else if self.rested.is_some_and(|rested| now >= rested) {
            self.rested = None;
            self.step(now, Input::Rested);
        }
    }

    /// The NOTIFY to be sent.
    pub fn poll_request(&mut self) -> Option<Outgoing> {
        self.outgoing.take()
    }

    /// When [`Subscription::wake`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = self.rested.map_or(self.expires, |rested| rested.min(self.expires));
        (!self.is_over).then_some(next)
    }

    /// Whether it has ended. A NOTIFY that says so may still be to be sent.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Our tag, by which a request within the dialog finds it.
    pub fn tag(&self) -> &str {
        self.dialog.local_tag()
    }

    /// Where the subscriber is: the URI of its Contact.
    pub fn subscriber(&self) -> &Uri {
        self.dialog.remote_target()
    }

    /// The flow that the subscriber was last heard on.
    pub fn flow(&self) -> Option<FlowId> {
        self.dialog.flow
    }

    /// The response to a SUBSCRIBE, and the NOTIFY that follows.
    fn granted(&mut self, now: Instant, subscribe: &Request, expires: Duration) -> Draft {
        let mut draft = Draft::reply(subscribe, StatusCode::OK);
        draft.to_tag(self.dialog.local_tag());
        // RFC 3261 12.1.1: the route set of the subscriber.
        draft.copy(subscribe.headers(), &HeaderName::RecordRoute);
        draft.push(HeaderName::Contact, &*self.contact);
        draft.push(HeaderName::Expires, expires.as_secs());
        self.expires = now + expires;
        if expires.is_zero() {
            // RFC 6665 4.4.3: "in the same way", with the state.
            self.terminate(Reason::Timeout);
        } else {
            self.step(now, Input::Asked);
        }
        draft
    }

    fn step(&mut self, now: Instant, input: Input) {
        let (pace, actions) = self.pace.step(input);
        self.pace = pace;
        for action in actions {
            match action {
                Action::Send => {
                    let left = self.expires.since(now).as_secs();
                    let outgoing = self.notify(&format!("active;expires={left}"));
                    self.outgoing = Some(outgoing);
                }
                Action::Rest(wait) => self.rested = Some(now + wait),
            }
        }
    }

    fn notify(&mut self, state: &str) -> Outgoing {
        let mut draft = self.dialog.request(Method::Notify);
        draft.push(HeaderName::Contact, &*self.contact);
        self.package.write(&mut draft, self.id.as_deref());
        draft.push(HeaderName::SubscriptionState, state);
        // Not known is not zero: a NOTIFY without a body says nothing of the state.
        if let Some(content) = &self.content {
            draft.body(self.package.content_type, content.clone());
        }
        Outgoing { draft, to: self.dialog.hop() }
    }
}

/// How long a SUBSCRIBE asks for, as it will be granted.
fn wanted(package: &Package, subscribe: &Request) -> Result<Duration, Refusal> {
    if !package.is_of(subscribe) {
        return Err(Refusal::BadEvent);
    }
    let headers = subscribe.headers();
    if !package.is_acceptable(headers) {
        return Err(Refusal::NotAcceptable);
    }
    // What cannot be read is as good as absent, as with registrations (RFC 3261 10.3).
    let expires = headers.expires().ok().flatten();
    let expires = expires.map_or(EXPIRES, |seconds| Duration::from_secs(seconds.into()));
    match expires {
        _ if !expires.is_zero() && expires < EXPIRES_MIN => Err(Refusal::IntervalTooBrief),
        _ => Ok(expires.min(EXPIRES)),
    }
}

#[cfg(test)]
#[path = "notifier/tests.rs"]
mod tests;
