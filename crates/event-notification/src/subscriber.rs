//! The subscriber's side of one subscription: RFC 6665 4.1. Subscribes, refreshes, and subscribes again
//! when the other side has forgotten.

mod machine;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_node::FlowId;
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, StatusCode, SubscriptionState, Uri};
use umbel_time::Instant;

use crate::dialog::Dialog;
use crate::{Hop, Outgoing, Package, Refusal};
use machine::{Action, Ended, Input, State, Told};

/// Challenges that are answered for one SUBSCRIBE; one more is a refusal.
const CHALLENGES_MAX: u8 = 2;
/// The longest interval that a 423 makes us ask for.
const EXPIRES_MAX: Duration = Duration::from_secs(24 * 3_600);

/// To what, as whom, and by which way.
#[derive(Clone, Debug)]
pub struct Account {
    /// What it is about.
    pub package: &'static Package,
    /// The Request-URI.
    pub target: Uri,
    /// The URI of From.
    pub from: Uri,
    /// The URI of To.
    pub to: Uri,
    /// The first place a SUBSCRIBE outside any dialog goes to.
    pub hop: Hop,
    /// The value of Route for that; none where the hop is no proxy of ours (RFC 3261 8.1.2).
    pub route: Option<Uri>,
    /// The value of Contact.
    pub contact: Box<str>,
    /// Header fields to add to each SUBSCRIBE.
    pub headers: Vec<(HeaderName, String)>,
    /// How long to ask for.
    pub expires: Duration,
}

/// A change of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// There is a subscription.
    Subscribed,
    /// A NOTIFY brought this.
    State(Bytes),
    /// There is none for now; had again by itself. What was known last is the best there is.
    Lost,
    /// Refused, and not tried again by itself.
    Refused(StatusCode),
    /// Ended by the notifier, which does not want it back (RFC 6665 4.1.3 `rejected`, `noresource`).
    Rejected,
    /// Given up, as ordered.
    Unsubscribed,
}

/// One subscription of ours.
///
/// What happens is told to it; after each method, poll the request and the news until there are none. It
/// takes the generator with each method that may need one, so that thousands of these are small.
#[derive(Clone, Debug)]
pub struct Subscriber {
    account: Account,
    state: State,
    identity: Option<Identity>,
    dialog: Option<Dialog>,
    due: Option<Instant>,
    /// What was last asked for.
    asked: Duration,
    challenges: u8,
    outgoing: Option<Outgoing>,
    news: VecDeque<News>,
}

/// What all our SUBSCRIBEs for one subscription have in common.
#[derive(Clone, Debug)]
struct Identity {
    call_id: Box<str>,
    tag: Box<str>,
    cseq: u32,
}

impl Subscriber {
    /// One that does nothing yet.
    pub fn new(account: Account) -> Self {
        Subscriber {
            asked: account.expires,
            account,
            state: State::Init,
            identity: None,
            dialog: None,
            due: None,
            challenges: 0,
            outgoing: None,
            news: VecDeque::new(),
        }
    }

    /// Subscribes, and stays subscribed.
    pub fn subscribe(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        self.step(now, rng, Input::Subscribe);
    }

    /// Gives it up.
    pub fn unsubscribe(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        self.step(now, rng, Input::Unsubscribe);
    }

    /// Refreshes now, or tries again now: something has happened that may have ended it. Also what to do
    /// when the time of [`Subscriber::poll_timeout`] has come.
    pub fn wake(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        self.step(now, rng, Input::Due);
    }

    /// Asks somebody else from the next subscription on; the present one stays where it is.
    pub fn redirect(&mut self, target: Uri, hop: Hop) {
        self.account.target = target;
        self.account.hop = hop;
    }

    /// A final response to the last SUBSCRIBE. One to an earlier one is late. A challenge is to be
    /// answered by [`Subscriber::authorize`] before it gets here; here it is a refusal.
    pub fn responded(&mut self, now: Instant, rng: &mut ChaCha20Rng, response: &Response) {
        let (status, headers) = (response.status(), response.headers());
        let is_last = self.identity.as_ref().is_some_and(|identity| identity.cseq == headers.cseq().number);
        if !status.is_final() || !is_last {
            return;
        }
        let seconds = |seconds: Option<u32>| seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let input = match status {
            _ if status.is_success() => {
                // RFC 6665 4.1.2.1: never longer than asked for.
                let granted = seconds(headers.expires().ok().flatten()).unwrap_or(self.asked);
                Input::Accepted { expires: granted.min(self.asked) }
            }
            StatusCode::INTERVAL_TOO_BRIEF => {
                let min_expires = seconds(headers.min_expires().ok().flatten()).unwrap_or(EXPIRES_MAX);
                Input::TooBrief { min_expires: min_expires.min(EXPIRES_MAX) }
            }
            _ => {
                let retry = headers.retry_after().ok().flatten();
                Input::Refused { status, retry_after: seconds(retry.map(|retry| retry.seconds)) }
            }
        };
        self.step(now, rng, input);
    }

    /// The last SUBSCRIBE was not answered, or could not be sent.
    pub fn failed(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        self.step(now, rng, Input::Failed);
    }

    /// The last SUBSCRIBE was challenged: sends it again with this header field (RFC 3261 22.2). Says
    /// whether it does; it does not where that was tried before, and then the challenge is a refusal.
    #[must_use]
    pub fn authorize(&mut self, name: HeaderName, value: &str) -> bool {
        if self.challenges >= CHALLENGES_MAX || matches!(self.state, State::Init | State::Waiting(_)) {
            return false;
        }
        self.challenges += 1;
        self.send();
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.draft.push(name, value);
        }
        self.outgoing.is_some()
    }

    /// Whether a NOTIFY is meant for it: Call-ID and our tag (RFC 6665 4.1.2.4).
    pub fn owns(&self, notify: &Request) -> bool {
        let headers = notify.headers();
        self.identity.as_ref().is_some_and(|identity| {
            headers.call_id() == &*identity.call_id && headers.to().tag() == Some(&*identity.tag)
        })
    }

    /// Takes a NOTIFY that [`Subscriber::owns`] says is meant for it, and gives the response.
    pub fn notified(
        &mut self,
        now: Instant,
        rng: &mut ChaCha20Rng,
        notify: &Request,
        flow: Option<FlowId>,
    ) -> Draft {
        match self.receive(notify, flow) {
            Ok(input) => {
                let is_readable =
                    notify.headers().content_type().ok().flatten().is_some_and(|content_type| {
                        let (kind, subtype) =
                            self.account.package.content_type.split_once('/').unwrap_or_default();
                        content_type.is(kind, subtype)
                    });
                if is_readable && !notify.body().is_empty() {
                    self.news.push_back(News::State(notify.body().clone()));
                }
                self.step(now, rng, input);
                Draft::reply(notify, StatusCode::OK)
            }
            Err(refusal) => refusal.draft(notify, ""),
        }
    }

    /// The SUBSCRIBE to be sent.
    pub fn poll_request(&mut self) -> Option<Outgoing> {
        self.outgoing.take()
    }

    /// What there is to tell.
    pub fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// When [`Subscriber::wake`] is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Our tag, by which a NOTIFY finds it; none while there is no subscription, and none asked for.
    pub fn tag(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| &*identity.tag)
    }

    /// Whether there is a subscription.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Active { .. })
    }

    /// Whether the next attempt waits for its time, which [`Subscriber::wake`] may cut short.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether it was given up, and the last NOTIFY is still to come.
    pub fn is_terminating(&self) -> bool {
        self.state == State::Terminating
    }

    /// Whether nothing is wanted, and nothing awaited.
    pub fn is_idle(&self) -> bool {
        self.state == State::Init
    }

    /// Reads a NOTIFY.
    fn receive(&mut self, notify: &Request, flow: Option<FlowId>) -> Result<Input, Refusal> {
        let identity = self.identity.as_ref().ok_or(Refusal::NoSuchSubscription)?;
        if !self.account.package.is_of(notify) {
            return Err(Refusal::BadEvent);
        }
        let state = notify.headers().subscription_state();
        let state = state.ok().flatten().ok_or(Refusal::NoState)?;
        let input = read(&state);
        match &mut self.dialog {
            // RFC 6665 4.4.1: of several notifiers that a forked SUBSCRIBE found, the first one.
            Some(dialog) if !dialog.owns(notify) => return Err(Refusal::NoSuchSubscription),
            Some(dialog) => dialog.receive(notify, flow)?,
            // The NOTIFY makes the dialog, not the 2xx.
            None => {
                let dialog = Dialog::of_request(notify, &identity.tag, flow)?;
                self.dialog = Some(dialog.counting_from(identity.cseq));
            }
        }
        Ok(input)
    }

    fn step(&mut self, now: Instant, rng: &mut ChaCha20Rng, input: Input) {
        let (state, actions) = self.state.step(input);
        self.state = state;
        for action in actions {
            match action {
                Action::Begin => {
                    self.dialog = None;
                    self.identity = Some(Identity {
                        call_id: format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64()).into(),
                        tag: format!("{:016x}", rng.next_u64()).into(),
                        cseq: 0,
                    });
                    self.asked = self.account.expires;
                    self.challenges = 0;
                    self.send();
                }
                Action::Send { expires } => {
                    self.asked = expires.unwrap_or(self.account.expires);
                    self.challenges = 0;
                    self.send();
                }
                Action::Forget => {
                    self.dialog = None;
                    self.identity = None;
                    self.outgoing = None;
                }
                Action::Wake { least, most } => self.due = Some(now + between(rng, least, most)),
                Action::Rest => self.due = None,
                Action::Tell(told) => self.news.push_back(match told {
                    Told::Subscribed => News::Subscribed,
                    Told::Lost => News::Lost,
                    Told::Refused(status) => News::Refused(status),
                    Told::Rejected => News::Rejected,
                    Told::Unsubscribed => News::Unsubscribed,
                }),
            }
        }
    }

    fn send(&mut self) {
        let Some(identity) = &mut self.identity else { return };
        let account = &self.account;
        let (mut draft, to) = match &mut self.dialog {
            Some(dialog) => {
                let draft = dialog.request(Method::Subscribe);
                identity.cseq = dialog.local_cseq();
                (draft, dialog.hop())
            }
            None => {
                identity.cseq = identity.cseq.saturating_add(1);
                let mut draft = Draft::request(Method::Subscribe, &account.target);
                if let Some(route) = &account.route {
                    draft.push(HeaderName::Route, format_args!("<{route}>"));
                }
                draft.push(HeaderName::From, format_args!("<{}>;tag={}", account.from, identity.tag));
                draft.push(HeaderName::To, format_args!("<{}>", account.to));
                draft.push(HeaderName::CallId, &*identity.call_id);
                draft.push(HeaderName::CSeq, format_args!("{} {}", identity.cseq, Method::Subscribe));
                (draft, account.hop.clone())
            }
        };
        draft.push(HeaderName::Contact, &*account.contact);
        account.package.write(&mut draft, None);
        draft.push(HeaderName::Accept, account.package.content_type);
        draft.push(HeaderName::Expires, self.asked.as_secs());
        for (name, value) in &account.headers {
            draft.push(name.clone(), value.as_str());
        }
        self.outgoing = Some(Outgoing { draft, to });
    }
}

/// RFC 6665 4.1.3.
fn read(state: &SubscriptionState<'_>) -> Input {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    if !state.is_terminated() {
        return Input::Notified { expires: state.expires().map(seconds) };
    }
    let reason = state.reason().unwrap_or_default().to_ascii_lowercase();
    Input::Ended(match &*reason {
        // "If a retry-after parameter is also present … SHOULD wait", but not for these two.
        "deactivated" | "timeout" => Ended::Again,
        "rejected" | "noresource" | "invariant" => Ended::Never,
        _ => Ended::Later(state.retry_after().map(seconds)),
    })
}

/// A time between these two, in steps of a millisecond.
fn between(rng: &mut ChaCha20Rng, least: Duration, most: Duration) -> Duration {
    let steps = u32::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u32::MAX - 1);
    // The bias of the remainder is nothing that a wait would show.
    least + Duration::from_millis((rng.next_u32() % (steps + 1)).into())
}

#[cfg(test)]
#[path = "subscriber/tests.rs"]
mod tests;
