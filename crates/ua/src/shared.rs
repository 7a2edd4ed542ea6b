//! What all calls of an agent have in common: the transaction layer, timers, chance, and who asked what.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_node::{FlowId, Transport};
use umbel_sip_endpoint::{ClientTransaction, Endpoint, ServerTransaction, Target};
use umbel_sip_message::{Draft, HeaderName, Request, StatusCode, Uri};
use umbel_time::{Instant, Timers};

use crate::asked::{Again, Asked, Purpose};
use crate::refusal::Refusal;
use crate::repetition::GIVE_UP_AFTER;
use crate::tag::LocalTag;
use crate::{CallKey, Config, Credentials, Event, Way};

/// Seconds of Retry-After, spread so that those refused do not return together (REL-43).
const RETRY_AFTER_MAX: u32 = 30;
/// RFC 3261 14.2: "Retry-After … with a randomly chosen value of between 0 and 10 seconds".
const BUSY_RETRY_AFTER_MAX: u32 = 10;

/// Every timer of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// One of a call.
    Call(CallKey, CallTimer),
    /// An answered INVITE of ours: no copy of its 2xx comes any more.
    InviteOver(ClientTransaction),
    /// The next OPTIONS to this gateway is due.
    Ping(usize),
    /// The registration wants to be woken.
    Registration,
    /// The flow of the registration wants a sign of life.
    KeepAlive,
}

/// The timers of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallTimer {
    /// A response of ours is to be repeated, or given up.
    Repeat,
    /// A change of ours that had to give way may be tried again.
    Retry,
    /// We have to refresh the session.
    Refresh,
    /// Nobody refreshed the session.
    Expire,
}

impl CallTimer {
    pub(crate) const ALL: [CallTimer; 4] =
        [CallTimer::Repeat, CallTimer::Retry, CallTimer::Refresh, CallTimer::Expire];
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) endpoint: Endpoint,
    pub(crate) timers: Timers<Timer>,
    pub(crate) events: VecDeque<Event>,
    /// Our requests that await something.
    pub(crate) asked: BTreeMap<ClientTransaction, Asked>,
    /// INVITEs and UPDATEs that wait for our final response.
    pub(crate) answering: BTreeMap<ServerTransaction, CallKey>,
    /// By whose tag a request within a dialog finds its call.
    pub(crate) by_tag: BTreeMap<LocalTag, CallKey>,
}

impl Shared {
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) fn arm(&mut self, now: Instant, call: CallKey, timer: CallTimer, after: Duration) {
        self.timers.arm(Timer::Call(call, timer), now + after);
    }

    pub(crate) fn disarm(&mut self, call: CallKey, timer: CallTimer) {
        self.timers.disarm(&Timer::Call(call, timer));
    }

    /// A whole number from `0` to `max`.
    pub(crate) fn random_up_to(&mut self, max: u32) -> u32 {
        // The bias of the remainder is below 2^-24 for what is asked for here.
        self.rng.next_u32() % max.saturating_add(1)
    }

    /// A time from `least` to `most`, in whole steps of 10 ms (RFC 3261 14.1 asks for these).
    pub(crate) fn random_between(&mut self, least: Duration, most: Duration) -> Duration {
        const STEP: Duration = Duration::from_millis(10);
        let steps = most.saturating_sub(least).as_millis() / STEP.as_millis();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        least + STEP * self.random_up_to(steps)
    }

    /// PEER-18, REL-23.
    pub(crate) fn unavailable(&mut self) -> Refusal {
        Refusal::Unavailable { retry_after: 1 + self.random_up_to(RETRY_AFTER_MAX - 1) }
    }

    /// Something of the peer's is still under way.
    pub(crate) fn busy_retry_after(&mut self) -> u32 {
        self.random_up_to(BUSY_RETRY_AFTER_MAX)
    }

    /// Refuses a request, with `tag` as ours where the call has one.
    pub(crate) fn refuse(
        &mut self,
        now: Instant,
        transaction: ServerTransaction,
        request: &Request,
        refusal: &Refusal,
        tag: Option<LocalTag>,
    ) {
        let draft = refusal.draft(request, self.config.served());
        self.respond(now, transaction, request, draft, tag);
    }

    /// Answers a request of a dialog with nothing but a status.
    pub(crate) fn reply(
        &mut self,
        now: Instant,
        transaction: ServerTransaction,
        request: &Request,
        status: StatusCode,
    ) {
        self.respond(now, transaction, request, Draft::reply(request, status), None);
    }

    /// Sends a response. RFC 3261 8.2.6.2: every response but 100 has a tag in To.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        transaction: ServerTransaction,
        request: &Request,
        mut draft: Draft,
        tag: Option<LocalTag>,
    ) {
        if request.headers().to().tag().is_none() {
            let tag = tag.unwrap_or_else(|| LocalTag::random(&mut self.rng));
            draft.to_tag(&tag.to_string());
        }
        draft.push(HeaderName::Server, self.config.user_agent.as_str());
        self.endpoint.respond(now, transaction, draft);
    }

    /// Sends a request that awaits a response, with what it takes to send it once more.
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        purpose: Purpose,
        mut draft: Draft,
        target: Target,
        credentials: Option<&Arc<Credentials>>,
    ) -> ClientTransaction {
        draft.push(HeaderName::UserAgent, self.config.user_agent.as_str());
        let again = Again::keep(&purpose, &draft, &target, credentials);
        let transaction = self.endpoint.request(now, draft, target);
        self.asked.insert(transaction, Asked { purpose, again });
        transaction
    }

    /// An INVITE of ours was answered with 2xx: copies may come for as long as they are repeated.
    pub(crate) fn expect_copies(&mut self, now: Instant, transaction: ClientTransaction) {
        self.timers.arm(Timer::InviteOver(transaction), now + GIVE_UP_AFTER);
    }

    /// The value of Contact for a peer that we talk to over this transport, or along this flow.
    pub(crate) fn contact(&self, transport: Transport, flow: Option<FlowId>) -> String {
        let automata = if self.config.automata { ";automata" } else { "" };
        match (self.config.contacts.over(transport), flow.and_then(|flow| self.endpoint.flow(flow))) {
            (Some(uri), _) => format!("<{uri}>{automata}"),
            (None, Some(flow)) => {
                format!("<sip:{};transport={}>{automata}", flow.local, transport.uri_parameter())
            }
            (None, None) => format!("<sip:invalid.invalid>{automata}"),
        }
    }

    /// What every INVITE, UPDATE and their 2xx say of us.
    pub(crate) fn describe(&self, draft: &mut Draft, contact: String) {
        draft.push(HeaderName::Contact, contact);
        let served = self.config.served();
        draft.push(HeaderName::Allow, served.allow());
        draft.push(HeaderName::Supported, served.supported());
    }

    /// The transport of the first hop, and the flow where that is the way.
    pub(crate) fn first_hop(&self, way: &Way, request_uri: &Uri) -> (Transport, Option<FlowId>) {
        match way {
            Way::Direct => (transport_of(request_uri), None),
            Way::Proxy(proxy) => (transport_of(proxy), None),
            Way::Flow(flow) => {
                let transport = self.endpoint.flow(*flow).map(|flow| flow.transport);
                (transport.unwrap_or(Transport::Tcp), Some(*flow))
            }
        }
    }

    /// Who asks, where nobody in particular does.
    pub(crate) fn identity(&self, peer: &Uri) -> Uri {
        let ours = self.config.contacts.over(transport_of(peer));
        ours.map(Uri::without_params_and_headers).unwrap_or_else(|| peer.clone())
    }

    /// Whether a request may go along this flow.
    pub(crate) fn is_up(&self, flow: FlowId) -> bool {
        self.endpoint.flow(flow).is_some()
    }
}

/// The transport that a request to this URI will use (RFC 3263 4.1, with TCP where it says nothing).
pub(crate) fn transport_of(uri: &Uri) -> Transport {
    let tls = uri.scheme() == umbel_sip_message::Scheme::Sips
        || uri.transport().is_some_and(|transport| transport.eq_ignore_ascii_case("tls"));
    if tls { Transport::Tls } else { Transport::Tcp }
}
