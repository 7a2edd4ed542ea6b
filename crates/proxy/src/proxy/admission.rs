//! What a request must pass before it goes anywhere: RFC 3261 16.3, 22; RFC 5393; REG-3 to REG-5; SEC-47
//! to SEC-55.
//!
//! Loops: RFC 5393 4.2 has a proxy write a hash of all that decides on a request's way into its Via, to
//! know it when it comes round again. Here the same facts are kept as long as the request is under
//! way, which a request that goes in a circle is: a request with a Via of ours, and with a
//! [`Passage`] that is under way, has been here before.

use umbel_node::FlowId;
use umbel_ocexum::Sensitivity;
use umbel_sip_endpoint::{SentBy, ServerTransaction};
use umbel_sip_message::{AddressOfRecord, Draft, HeaderName, Headers, Method, Request, Scheme, StatusCode};
use umbel_store::{Address, Op, Reply, Ruling};
use umbel_time::Instant;

use super::call::Call;
use super::message_waiting::{Within, is_about_messages};
use super::record::Subject;
use super::{Alarm, GUESSER_WAITS, HELD_MAX, Proxy, Waiting, Wish};
use crate::authentication::{Candidate, Examined, Judgement};
use crate::config::Required;
use crate::identity::Sender;
use crate::known_users::Keepable;
use crate::locality::{self, Meaning};
use crate::record_route;
use crate::refusal::Refusal;

/// A request on its way in.
pub(super) struct Arrival {
    pub(super) transaction: ServerTransaction,
    pub(super) flow: FlowId,
    pub(super) request: Request,
    pub(super) sender: Sender,
    /// The name in the peer's certificate.
    pub(super) peer: Option<String>,
}

/// One whose password is being looked up.
pub(super) struct Answer {
    pub(super) arrival: Arrival,
    candidate: Candidate,
    /// Whether the store's answer may be remembered.
    keepable: Option<Keepable>,
}

/// What tells a request that comes round again from others: Call-ID, From tag, CSeq, Request-URI.
pub(super) type Passage = (String, String, u32, String);

/// The passage of a request.
pub(super) fn passage(request: &Request) -> Passage {
    let headers = request.headers();
    let tag = headers.from().tag().unwrap_or_default().to_owned();
    let uri = request.request_uri().as_str().to_owned();
    (headers.call_id().to_owned(), tag, headers.cseq().number, uri)
}

impl Proxy {
    pub(super) fn arrived(
        &mut self,
        now: Instant,
        transaction: ServerTransaction,
        flow: FlowId,
        request: Request,
    ) {
        let Some((sender, peer)) = self.peer(now, flow) else { return };
        let arrival = Arrival { transaction, flow, request, sender, peer };
        if let Err(refusal) = self.validate(&arrival) {
            return self.refuse_arrival(now, &arrival, refusal);
        }
        match self.within_subscription(&arrival.request) {
            Within::Upstream(address) => return self.notified(now, &arrival, &address),
            Within::Subscription(tag) if self.is_from_subscriber(&arrival, tag) => {
                return self.refresh_subscription(now, &arrival, tag);
            }
            // Over another flow it has to be proved who it is.
            Within::Subscription(_) => {}
            Within::Neither if arrival.request.headers().to().tag().is_some() => {
                return self.relay(now, arrival);
            }
            Within::Neither => {}
        }
        // SEC-56: the word of voice mail alone, whoever else has proved to be whom.
        if *arrival.request.method() == Method::Notify && is_about_messages(&arrival.request) {
            return self.notified_unasked(now, arrival);
        }
        // SEC-54: these have a dialog or nothing.
        if matches!(arrival.request.method(), Method::Bye | Method::Update | Method::Prack) {
            return self.refuse_arrival(now, &arrival, Refusal::NoSuchDialog);
        }
        if self.is_draining {
            return self.refuse_arrival(now, &arrival, Refusal::Draining);
        }
        match self.is_credible(now, &arrival) {
            Credibility::AsIs => self.admitted(now, arrival),
            Credibility::Claimed(user) => {
                let sender = Sender::Claimed(user);
                self.admitted(now, Arrival { sender, ..arrival });
            }
            Credibility::MustProve => self.examine(now, arrival),
            Credibility::No => self.refuse_arrival(now, &arrival, Refusal::FromOfAnother),
        }
    }

    /// RFC 3261 16.3.
    fn validate(&self, arrival: &Arrival) -> Result<(), Refusal> {
        let request = &arrival.request;
        let headers = request.headers();
        if request.request_uri().scheme() == Scheme::Other {
            return Err(Refusal::UnsupportedScheme);
        }
        // LOOP-1.
        if headers.max_forwards() == Some(0) && !self.is_for_us(request) {
            return Err(Refusal::TooManyHops);
        }
        // LOOP-2.
        if self.has_our_via(headers) && self.passing.contains_key(&passage(request)) {
            return Err(Refusal::Loop);
        }
        if headers.max_breadth().map_err(|_| Refusal::BadRequest)? == Some(0) {
            return Err(Refusal::MaxBreadthExceeded);
        }
        if headers.proxy_require().next().is_some() {
            return Err(Refusal::BadExtension);
        }
        // SENS-2, SENS-3.
        if *request.method() == Method::Invite
            && Sensitivity::read(headers.all(&HeaderName::MsSensitivity)).is_err()
        {
            return Err(Refusal::BadSensitivity);
        }
        Ok(())
    }

    /// Answered here, so that hops do not matter.
    fn is_for_us(&self, request: &Request) -> bool {
        *request.method() == Method::Register
            || locality::meaning(request.request_uri(), &self.config) == Meaning::Ourselves
    }

    fn has_our_via(&self, headers: &Headers) -> bool {
        let ours = |SentBy { host, port }: &SentBy, via: &umbel_sip_message::Via<'_>| {
            via.host().eq_ignore_ascii_case(host) && via.port() == *port
        };
        let sent_by = || [&self.config.tcp, &self.config.tls].into_iter().flatten();
        headers.vias().any(|via| sent_by().any(|sent_by| ours(sent_by, &via)))
    }

    /// How far the sender is believed to be who From says.
    fn is_credible(&self, now: Instant, arrival: &Arrival) -> Credibility {
        let request = &arrival.request;
        let headers = request.headers();
        let from = locality::user(headers.from().uri, &self.config);
        let is_to_self = from.is_some() && from == locality::user(request.request_uri(), &self.config);
        match (&arrival.sender, self.config.authentication) {
            // REG-5: a trusted peer may call a user in the user's name.
            (Sender::Peer { .. }, _) => Credibility::AsIs,
            (Sender::Gateway, _) if is_to_self => Credibility::No,
            (Sender::Gateway, _) => Credibility::AsIs,
            // SEC-40.
            (_, Required::Digest)
                if locality::may_mean_a_user(headers.from().uri, &self.config)
                    || self.must_be_known(request) =>
            {
                Credibility::MustProve
            }
            (_, Required::Digest) => Credibility::AsIs,
            (_, Required::None) => match from {
                // REG-5 without passwords: only from where the user is registered.
                Some(user)
                    if is_to_self
                        && *request.method() != Method::Register
                        && !self.location.is_registered_on(now, &user, arrival.flow) =>
                {
                    Credibility::No
                }
                Some(user) => match Address::new(user.user(), user.host()) {
                    Ok(address) => Credibility::Claimed(address),
                    Err(_) => Credibility::No,
                },
                None => Credibility::AsIs,
            },
        }
    }

    /// REG-5: whether a call to this user in the user's own name is believed, by whatever name of the user's
    /// and over whomever it came here.
    pub(super) fn may_call_self(&self, now: Instant, call: &Call, callee: &AddressOfRecord) -> bool {
        match call.sender {
            Sender::Peer { .. } | Sender::User(_) => true,
            Sender::Claimed(_) => self.location.is_registered_on(now, callee, call.flow),
            Sender::Gateway | Sender::Stranger => false,
        }
    }

    /// SEC-52, SEC-55: what nobody may do who is not a user. Calls and questions to users are all.
    fn must_be_known(&self, request: &Request) -> bool {
        let is_open = matches!(request.method(), Method::Invite | Method::Options);
        let is_to_us = match locality::meaning(request.request_uri(), &self.config) {
            Meaning::Ourselves | Meaning::User(_) | Meaning::VoiceMail(_) | Meaning::Pilot => true,
            Meaning::Number(_) | Meaning::Foreign | Meaning::Unsupported => false,
        };
        !is_open || !is_to_us
    }

    fn examine(&mut self, now: Instant, arrival: Arrival) {
        let Some(source) = self.endpoint.flow(arrival.flow).map(|flow| flow.remote.ip()) else { return };
        match self.authentication.examine(now, &arrival.request, source) {
            Examined::Challenge { stale } => self.challenge(now, &arrival, stale),
            // SEC-49.
            Examined::Locked => self.hold_refusal(now, &arrival),
            Examined::Candidate(candidate) => {
                self.count_users(now);
                let known = self.known_users.hashes(now, &candidate.address);
                match self.authentication.recall(now, candidate, arrival.request.method(), known) {
                    Ok(judgement) => self.judged(now, arrival, judgement),
                    // What is known proves nobody wrong.
                    Err(candidate) => {
                        let op = Op::DigestHashes(candidate.address.clone());
                        let keepable = self.known_users.keepable();
                        let answer = Answer { arrival, candidate: *candidate, keepable };
                        self.ask(op, Waiting::Password(Box::new(answer)));
                    }
                }
            }
        }
    }

    pub(super) fn password_told(&mut self, now: Instant, answer: Answer, reply: Reply) {
        let Answer { arrival, candidate, keepable } = answer;
        let hashes = match reply {
            Reply::DigestHashes(hashes) => hashes,
            // The store does not know, rather than knowing that there is none.
            _ => return self.refuse_arrival(now, &arrival, Refusal::StoreFailed),
        };
        let address = candidate.address.clone();
        let judgement = self.authentication.judge(now, candidate, arrival.request.method(), hashes.as_ref());
        if let Some(hashes) = hashes.filter(|_| !matches!(judgement, Judgement::Wrong { .. })) {
            self.known_users.learn_hashes(keepable, &address, &hashes);
        }
        self.judged(now, arrival, judgement);
    }

    fn judged(&mut self, now: Instant, arrival: Arrival, judgement: Judgement) {
        match judgement {
            Judgement::Granted(address) => self.proved(now, arrival, address),
            Judgement::Challenge { stale } => self.challenge(now, &arrival, stale),
            Judgement::Wrong { locks } => {
                if let Some(name) = locks
                    && let Some(flow) = self.endpoint.flow(arrival.flow)
                {
                    let wish = Wish::GuesserLocked { source: flow.remote.ip(), name };
                    self.outputs.push_back(umbel_node::Output::Wish(wish));
                }
                // SEC-48: the same for no user and for a wrong password.
                self.refuse_arrival(now, &arrival, Refusal::WrongPassword);
            }
        }
    }

    /// REG-4: the user owns From, and for a REGISTER To as well.
    fn proved(&mut self, now: Instant, arrival: Arrival, address: Address) {
        let user = AddressOfRecord::new(address.user(), address.domain());
        let headers = arrival.request.headers();
        let owns = |uri| user.is_some() && locality::user(uri, &self.config) == user;
        let is_register = *arrival.request.method() == Method::Register;
        if !owns(headers.from().uri) || (is_register && !owns(headers.to().uri)) {
            return self.refuse_arrival(now, &arrival, Refusal::FromOfAnother);
        }
        self.admitted(now, Arrival { sender: Sender::User(address), ..arrival });
    }

    /// The sender is known as far as it will be.
    fn admitted(&mut self, now: Instant, arrival: Arrival) {
        let routes = arrival.request.headers().route();
        let Ok(routes) = routes else { return self.refuse_arrival(now, &arrival, Refusal::BadRequest) };
        let routes: Vec<_> = routes.iter().map(|route| route.uri).collect();
        let (_, rest) = record_route::pop_own(&routes, &self.config);
        // SEC-52: others' Routes only from peers.
        if !rest.is_empty() && !matches!(arrival.sender, Sender::Peer { .. }) {
            return self.refuse_arrival(now, &arrival, Refusal::ForeignRoute);
        }
        match arrival.request.method() {
            Method::Register => self.register(now, arrival),
            Method::Subscribe if rest.is_empty() && is_about_messages(&arrival.request) => {
                self.subscribe(now, arrival);
            }
            Method::Options if rest.is_empty() && self.is_for_us(&arrival.request) => {
                let mut draft = Draft::reply(&arrival.request, StatusCode::OK);
                draft.to_tag(&self.tag()).push(HeaderName::Allow, super::ALLOW);
                draft.push(HeaderName::Supported, "path, outbound, gruu");
                self.endpoint.respond(now, arrival.transaction, draft);
            }
            _ => self.begin(now, arrival, rest),
        }
    }

    fn challenge(&mut self, now: Instant, arrival: &Arrival, stale: bool) {
        let is_register = *arrival.request.method() == Method::Register;
        let (code, name) = if is_register {
            (StatusCode::UNAUTHORIZED, HeaderName::WwwAuthenticate)
        } else {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, HeaderName::ProxyAuthenticate)
        };
        let mut draft = Draft::reply(&arrival.request, code);
        draft.to_tag(&self.tag());
        for challenge in self.authentication.challenges(now, stale) {
            draft.push(name.clone(), challenge.to_string());
        }
        self.endpoint.respond(now, arrival.transaction, draft);
    }

    /// SEC-49: late, and the same as ever.
    fn hold_refusal(&mut self, now: Instant, arrival: &Arrival) {
        if self.held.len() >= HELD_MAX {
            return;
        }
        let draft = self.refusal(&arrival.request, &arrival.sender, Refusal::Guesser);
        self.tell_refused(&arrival.request, arrival.flow, arrival.peer.as_deref(), Refusal::Guesser);
        self.held.insert(arrival.transaction, draft);
        self.timers.arm(Alarm::Held(arrival.transaction), now + GUESSER_WAITS);
    }

    pub(super) fn refuse_arrival(&mut self, now: Instant, arrival: &Arrival, refusal: Refusal) {
        let Arrival { transaction, flow, request, sender, peer } = arrival;
        let mut draft = self.refusal(request, sender, refusal);
        if refusal == Refusal::BadExtension {
            let required = request.headers().require().filter(|tag| !super::registrar::KNOWN.contains(tag));
            let tags: Vec<&str> = match request.method() {
                Method::Register => required.collect(),
                _ => request.headers().proxy_require().collect(),
            };
            draft.push(HeaderName::Unsupported, tags.join(", "));
        }
        self.endpoint.respond(now, *transaction, draft);
        self.tell_refused(request, *flow, peer.as_deref(), refusal);
        if let Some(transport) = self.endpoint.flow(*flow).map(|flow| flow.transport) {
            let subject = Subject { request, transport, peer: peer.as_deref(), callee: None };
            self.decide(now, &subject, Ruling::Refusal(refusal.answer().status.as_u16()), refusal.why());
        }
    }

    /// The caller has gone while its password was being looked up, or its answer was held back.
    pub(super) fn admission_cancelled(&mut self, now: Instant, transaction: ServerTransaction) {
        self.timers.disarm(&Alarm::Held(transaction));
        if let Some(draft) = self.held.remove(&transaction) {
            return self.endpoint.respond(now, transaction, draft);
        }
        let is_it = |waiting: &Waiting| match waiting {
            Waiting::Password(answer) => answer.arrival.transaction == transaction,
            Waiting::Named(_) => false,
            Waiting::User(_) | Waiting::Names(_) => false,
        };
        let ticket = self.waiting.iter().find(|(_, waiting)| is_it(waiting)).map(|(ticket, _)| *ticket);
        if let Some(Waiting::Password(answer)) = ticket.and_then(|ticket| self.waiting.remove(&ticket)) {
            self.refuse_arrival(now, &answer.arrival, Refusal::Cancelled);
        }
    }
}

/// How far From is believed.
enum Credibility {
    /// By the connection, or it claims nothing of ours.
    AsIs,
    /// Under `authentication = "none"`.
    Claimed(Address),
    /// By digest.
    MustProve,
    No,
}
