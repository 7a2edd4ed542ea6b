//! A request that begins something, from its admission to its end: what is known of it, and what its
//! response context wants done.

use std::collections::{BTreeMap, BTreeSet};

use umbel_node::{FlowId, Transport};
use umbel_ocexum::Sensitivity;
use umbel_sip_endpoint::ServerTransaction;
use umbel_sip_message::{AddressOfRecord, Draft, HeaderName, Method, Request, Response, StatusCode, Uri};
use umbel_store::{CallOutcome, Routing, Ruling, User, clean_text};
use umbel_time::{Instant, UnixTime};

use super::admission::{Arrival, Passage, passage};
use super::afterwards::vias;
use super::branches::{Branch, Next};
use super::dialogs::upstream;
use super::record::{Subject, rule_of};
use super::targets::Purpose;
use super::{Alarm, Proxy, Reason};
use crate::diversion::Retarget;
use crate::forwarding::{self, Circumstances, Destination, Media};
use crate::gruu::Only;
use crate::identity::{self, Sender};
use crate::locality::{self, Meaning};
use crate::record_route;
use crate::refusal::Refusal;
use crate::response_context::{Action, BranchId, Input, Kind, ResponseContext, Timer};
use crate::routing::{CALL_FORWARDING, words};

/// Our own name for a request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallKey(pub(super) u64);

/// LOOP-5: diversions that a call may have behind it.
const DIVERSIONS_MAX: usize = 5;

/// A response, and the branch that it came by.
pub(super) type Came<'a> = (BranchId, &'a Response);

/// A request under way.
pub(super) struct Call {
    pub(super) transaction: ServerTransaction,
    pub(super) flow: FlowId,
    pub(super) transport: Transport,
    pub(super) request: Request,
    pub(super) sender: Sender,
    pub(super) peer: Option<String>,
    /// From, if it is one of ours.
    pub(super) caller: Option<AddressOfRecord>,
    /// Further names of caller and referrer; `None` until they have been asked for.
    pub(super) other_names: Option<Vec<AddressOfRecord>>,
    /// Whose call it is now: changes when it is forwarded to another user.
    pub(super) callee: Option<AddressOfRecord>,
    /// At whose telephones a stranger's call rings.
    pub(super) rings_at: Option<AddressOfRecord>,
    /// Those who were the callee.
    pub(super) visited: BTreeSet<AddressOfRecord>,
    pub(super) context: ResponseContext,
    pub(super) branches: BTreeMap<BranchId, Branch>,
    /// LOOP-3: where it has been sent.
    pub(super) tried: Vec<(Next, Uri)>,
    /// Away from whom it was diverted.
    pub(super) chain: Vec<Retarget>,
    pub(super) sensitivity: Sensitivity,
    /// Routes of others, which only peers may give.
    pub(super) routes: Vec<Uri>,
    pub(super) passage: Passage,
    /// Of our own provisional responses.
    pub(super) tag: String,
    /// By the wall's clock.
    pub(super) began: UnixTime,
    /// The rule of the callee's that decides what comes next, for those who ask why.
    pub(super) rule: Option<&'static str>,
    /// The callee has a mailbox that takes messages.
    pub(super) has_voice_mail: bool,
    /// MISS-2: who has missed the call, should nobody have answered it.
    pub(super) missed_by: Option<AddressOfRecord>,
    /// URI-6: which of the callee's telephones is meant, where not all are.
    pub(super) only: Option<Only>,
}

impl Call {
    /// Referred-By, of those whose word on it counts: nothing in it is proved (RFC 3892 5).
    pub(super) fn referrer(&self) -> Option<Uri> {
        let referrer = self.request.headers().address(&HeaderName::ReferredBy).ok().flatten();
        referrer.filter(|_| self.sender.may_refer()).map(|referrer| referrer.uri.to_uri())
    }
}

impl Proxy {
    /// RFC 3261 16.5: where does it go?
    pub(super) fn begin(&mut self, now: Instant, arrival: Arrival, routes: Vec<Uri>) {
        let Some(transport) = self.endpoint.flow(arrival.flow).map(|flow| flow.transport) else { return };
        let request = &arrival.request;
        let meaning = locality::meaning(request.request_uri(), &self.config);
        let is_invite = *request.method() == Method::Invite;
        let sensitivity = Sensitivity::read(request.headers().all(&HeaderName::MsSensitivity));
        let passage = passage(request);
        *self.passing.entry(passage.clone()).or_insert(0) += 1;
        let key = CallKey(self.number());
        self.call_of.insert(arrival.transaction, key);
        self.in_use.enter(arrival.flow);
        let call = Call {
            transaction: arrival.transaction,
            flow: arrival.flow,
            transport,
            caller: locality::user(request.headers().from().uri, &self.config),
            other_names: None,
            callee: None,
            rings_at: None,
            visited: BTreeSet::new(),
            context: ResponseContext::new(is_invite),
            branches: BTreeMap::new(),
            tried: Vec::new(),
            chain: Vec::new(),
            sensitivity: sensitivity.unwrap_or_default(),
            passage,
            tag: self.tag(),
            began: self.clocks(now).wall,
            rule: None,
            has_voice_mail: false,
            missed_by: None,
            only: None,
            request: arrival.request,
            sender: arrival.sender,
            peer: arrival.peer,
            routes,
        };
        let may_relay = call.sender.may_relay();
        let is_subscribe = *call.request.method() == Method::Subscribe;
        let uri = call.request.request_uri().to_uri();
        let has_routes = !call.routes.is_empty();
        self.calls.insert(key, Box::new(call));
        match meaning {
            // Given by a peer: where its Route says.
            _ if has_routes => {
                self.send_to_uri(now, key, uri, Kind::Elsewhere);
                self.check(now, key);
            }
            // URI-6: all telephones of a user, or the one that is meant.
            Meaning::User(address) => self.find_user(now, key, &uri, address, Purpose::Callee),
            // URI-1.
            Meaning::VoiceMail(address) if is_invite => self.find(now, key, address, Purpose::VoiceMail),
            Meaning::Pilot if is_invite => self.send_to_voice_mail(now, key, None, None),
            // RFC 6665 8.3.2.
            Meaning::VoiceMail(_) | Meaning::Pilot | Meaning::Ourselves if is_subscribe => {
                self.give_up(now, key, Refusal::BadEvent);
            }
            Meaning::VoiceMail(_) | Meaning::Pilot | Meaning::Ourselves => {
                self.give_up(now, key, Refusal::MethodNotAllowed);
            }
            Meaning::Number(number) => self.find_number(now, key, &number, Purpose::Callee),
            Meaning::Foreign if !may_relay => self.give_up(now, key, Refusal::MayNotRelay),
            Meaning::Foreign => {
                self.send_to_uri(now, key, uri, Kind::Elsewhere);
                self.check(now, key);
            }
            Meaning::Unsupported => self.give_up(now, key, Refusal::NotFound),
        }
    }

    /// The callee is known: what does the plan say?
    pub(super) fn ring_user(&mut self, now: Instant, key: CallKey, user: &User) {
        let Some(callee) = AddressOfRecord::new(user.address().user(), user.address().domain()) else {
            return self.give_up(now, key, Refusal::NotFound);
        };
        // Without a voice mail server, the busy are busy: nothing is diverted to nowhere.
        let has_voice_mail = user.settings.enabled && !self.config.voice_mail.is_empty();
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.callee = Some(callee.clone());
        call.visited.insert(callee.clone());
        call.has_voice_mail = has_voice_mail;
        let Some(call) = self.calls.get(&key) else { return };
        if self.calls_as(call, user) && !self.may_call_self(now, call, &callee) {
            return self.give_up(now, key, Refusal::FromOfAnother);
        }
        let from = call.request.headers().from().uri.address_of_record();
        let referrer = call.referrer().and_then(|referrer| referrer.address_of_record());
        // SIPRE-5: rules that cannot be read are no rules at all.
        let rules = words::read(&user.settings.routing, &self.config.domain).ok();
        if let Some(unknown) = rules.as_ref().and_then(|rules| self.unknown_names(call, rules)) {
            return self.ask_for_names(key, user, unknown);
        }
        let local = self.config.clocks.local(user.settings.time_zone.as_deref(), self.clocks(now).wall);
        let plan = forwarding::plan(&Circumstances {
            rules: rules.as_ref(),
            callee: &callee,
            caller: call.caller.as_ref().or(from.as_ref()),
            referrer: referrer.as_ref(),
            other_names: call.other_names.as_deref().unwrap_or_default(),
            sensitivity: call.sensitivity,
            takes_a_place: call.request.headers().has(&HeaderName::Replaces),
            media: media(&call.request),
            // Members of a team are rung by their endpoints, without a plan of their own.
            rung_for_another: false,
            is_for_one_telephone: call.only.is_some(),
            has_mailbox: has_voice_mail,
            is_work_time: rules.as_ref().is_none_or(|rules| rules.work_hours.contains(local)),
            when_forwarding: self.config.when_forwarding,
            ring_time: self.config.ring_time,
        });
        self.explain(now, key, &plan);
        match plan.action {
            forwarding::Action::Refuse(refusal) => self.give_up(now, key, refusal),
            forwarding::Action::Divert(to, reason) => {
                self.perform(now, key, vec![Action::Divert(to, reason)], None);
            }
            forwarding::Action::Ring(ring) if !self.may_ring(now, key, &callee, &ring) => {
                self.give_up(now, key, Refusal::TooManyRing);
            }
            forwarding::Action::Ring(ring) => {
                let (endpoints, ring_also) = (ring.endpoints, ring.ring_also.clone());
                let actions = call_mut(&mut self.calls, key, |call| call.context.ring(ring));
                self.perform(now, key, actions, None);
                if endpoints {
                    self.send_to_bindings(now, key, &callee, Kind::Endpoint);
                }
                if let Some(uri) = ring_also {
                    self.send_to_target(now, key, &uri, Purpose::Also);
                }
                self.check(now, key);
            }
        }
    }

    fn explain(&mut self, now: Instant, key: CallKey, plan: &forwarding::Plan) {
        match &plan.action {
            forwarding::Action::Ring(ring) => {
                let step = Routing::Ring { may_be_diverted: ring.may_be_deflected };
                self.note(now, key, step, plan.rule);
            }
            // Written down together with what comes of it.
            forwarding::Action::Refuse(_) | forwarding::Action::Divert(..) => {
                call_mut(&mut self.calls, key, |call| call.rule = Some(plan.rule));
            }
        }
    }

    /// What if nothing of this round is there to wait for?
    pub(super) fn check(&mut self, now: Instant, key: CallKey) {
        let actions = call_mut(&mut self.calls, key, |call| call.context.check());
        self.perform(now, key, actions, None);
    }

    pub(super) fn give_up(&mut self, now: Instant, key: CallKey, refusal: Refusal) {
        let actions = call_mut(&mut self.calls, key, |call| call.context.give_up(refusal));
        self.perform(now, key, actions, None);
    }

    pub(super) fn step(&mut self, now: Instant, key: CallKey, input: Input, came: Option<Came<'_>>) {
        let actions = call_mut(&mut self.calls, key, |call| call.context.step(input));
        self.perform(now, key, actions, came);
    }

    pub(super) fn call_cancelled(&mut self, now: Instant, key: CallKey) {
        self.may_be_missed(key);
        self.step(now, key, Input::Cancelled, None);
    }

    pub(super) fn call_timer(&mut self, now: Instant, key: CallKey, timer: Timer) {
        self.step(now, key, Input::Timer(timer), None);
    }

    /// Does what the response context wants.
    pub(super) fn perform(
        &mut self,
        now: Instant,
        key: CallKey,
        actions: Vec<Action>,
        came: Option<Came<'_>>,
    ) {
        for action in actions {
            match action {
                Action::Forward => {
                    let Some(call) = self.calls.get(&key) else { return };
                    if let Some((id, response)) = came {
                        let draft = self.upstream_of(call, id, response);
                        self.endpoint.respond(now, call.transaction, draft);
                    }
                }
                Action::AnswerWith(id) => self.answer_with(now, key, id),
                Action::Refuse(refusal) => self.refuse(now, key, refusal),
                Action::Cancel(id, reason) => self.cancel_branch(now, key, id, &reason),
                Action::Widen(later) => {
                    for uri in &later.targets {
                        self.send_to_target(now, key, uri, Purpose::Also);
                    }
                    self.check(now, key);
                }
                Action::Divert(to, reason) => self.divert(now, key, to, reason),
                Action::Follow(id) => self.follow_deflection(now, key, id),
                Action::Arm(timer, after) => self.timers.arm(Alarm::Call(key, timer), now + after),
                Action::Disarm(timer) => {
                    self.timers.disarm(&Alarm::Call(key, timer));
                }
            }
        }
        self.settle_end(now, key);
    }

    /// SEC-58: from now on nothing may come along these flows for as long as people talk.
    pub(super) fn note_answer(
        &mut self,
        now: Instant,
        (key, id): (CallKey, BranchId),
        flow: FlowId,
        response: &Response,
    ) {
        let Some(call) = self.calls.get(&key) else { return };
        if !response.status().is_success() || *call.request.method() != Method::Invite {
            return;
        }
        let is_by_voice_mail = call.branches.get(&id).is_some_and(Branch::is_voice_mail);
        let record = (!is_by_voice_mail).then(|| Box::new(self.record(now, call, CallOutcome::Answered)));
        let written = record.clone();
        if self.in_use.answered(now, call.request.headers(), [call.flow, flow], record)
            && let Some(record) = written
        {
            self.write_call(*record);
        }
    }

    /// RFC 3261 16.7, steps 6 to 9.
    fn answer_with(&mut self, now: Instant, key: CallKey, id: BranchId) {
        let Some(call) = self.calls.get(&key) else { return };
        let Some(branch) = call.branches.get(&id) else { return };
        let response = match &branch.outcome {
            Some(Ok(response)) => response,
            Some(Err(refusal)) => {
                let refusal = *refusal;
                return self.refuse(now, key, refusal);
            }
            None => return self.refuse(now, key, Refusal::NoResponse),
        };
        // RFC 3261 16.7, step 6: a 503 of somebody there is not ours.
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            return self.refuse(now, key, Refusal::UnavailableThere);
        }
        let mut draft = self.upstream_of(call, id, response);
        // Step 7: all challenges, so that the caller can answer all at once.
        if matches!(response.status().as_u16(), 401 | 407) {
            let others = call.branches.iter().filter(|(other, _)| **other != id);
            for (_, other) in others {
                if let Some(Ok(other)) = &other.outcome
                    && matches!(other.status().as_u16(), 401 | 407)
                {
                    for name in identity::CHALLENGES {
                        identity::copy_challenges(&mut draft, other.headers(), &name, &self.config.domain);
                    }
                }
            }
        }
        let (status, by) = (response.status().as_u16(), branch.answerer());
        self.endpoint.respond(now, call.transaction, draft);
        self.note(now, key, Routing::Answered(status), &by);
        self.record_failure(now, key, status);
    }

    /// A response of a branch as the caller gets it.
    fn upstream_of(&self, call: &Call, id: BranchId, response: &Response) -> Draft {
        let mut draft = upstream(&vias(&call.request), &call.sender, &self.config.domain, response);
        let flow = call.branches.get(&id).and_then(Branch::flow);
        record_route::rewrite(&mut draft, (&self.config, &self.seal), response, flow);
        draft
    }

    fn refuse(&mut self, now: Instant, key: CallKey, refusal: Refusal) {
        let Some(mut call) = self.calls.remove(&key) else { return };
        let draft = self.refusal(&call.request, &call.sender, refusal);
        self.endpoint.respond(now, call.transaction, draft);
        if let Some(callee) = call.missed_by.take() {
            self.missed(now, callee, &call.request);
        }
        self.tell_refused(&call.request, call.flow, call.peer.as_deref(), refusal);
        let ruling = Ruling::Refusal(refusal.answer().status.as_u16());
        self.decide(now, &Subject::of(&call), ruling, call.rule.unwrap_or(refusal.why()));
        self.calls.insert(key, call);
        self.record_failure(now, key, refusal.answer().status.as_u16());
    }

    /// SIPRE-20, SIPRE-21: away from the callee.
    fn divert(
        &mut self,
        now: Instant,
        key: CallKey,
        to: Destination,
        reason: umbel_sip_message::DiversionReason,
    ) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(callee) = call.callee.clone() else { return self.give_up(now, key, Refusal::NoAnswer) };
        call.context.divert();
        // What it rang at rings no more.
        let rang_at = call.rings_at.take();
        call.chain.push(Retarget { from: callee.clone(), reason: reason.clone() });
        let rule = call.rule.take().unwrap_or(rule_of(&reason));
        let target = match &to {
            Destination::VoiceMail => "voice mail".to_owned(),
            Destination::Forward(uri) => clean_text(uri.without_params_and_headers().as_str()),
        };
        let is_too_often = !call.context.may_retarget() || has_been_diverted_too_often(call);
        if let Some(rang_at) = rang_at {
            self.ringing.leave(&rang_at);
        }
        if is_too_often {
            return self.give_up(now, key, Refusal::TooManyDiversions);
        }
        self.note(now, key, Routing::Diverted(target), rule);
        self.say_forwarded(now, key);
        match to {
            Destination::VoiceMail => self.send_to_voice_mail(now, key, Some(callee), Some(reason)),
            Destination::Forward(uri) => {
                // SIPRE-23: one minute for all that comes, however often it is forwarded.
                if self.timers.deadline(&Alarm::Call(key, Timer::Forwarding)).is_none() {
                    self.timers.arm(Alarm::Call(key, Timer::Forwarding), now + CALL_FORWARDING);
                }
                self.send_to_target(now, key, &uri, Purpose::Forward);
                self.check(now, key);
            }
        }
    }

    /// SIPRE-20: 181.
    fn say_forwarded(&mut self, now: Instant, key: CallKey) {
        let Some(call) = self.calls.get(&key) else { return };
        let mut draft = Draft::reply(&call.request, StatusCode::CALL_IS_BEING_FORWARDED);
        draft.to_tag(&call.tag);
        self.endpoint.respond(now, call.transaction, draft);
    }

    /// SIPRE-30: a telephone has pushed the call elsewhere.
    fn follow_deflection(&mut self, now: Instant, key: CallKey, id: BranchId) {
        let Some(call) = self.calls.get(&key) else { return };
        let outcome = call.branches.get(&id).and_then(|branch| branch.outcome.as_ref());
        let contacts = match outcome {
            Some(Ok(response)) => response.headers().contacts().ok(),
            _ => None,
        };
        let contact = contacts.and_then(|contacts| contacts.first().map(|contact| contact.uri.to_uri()));
        let Some(uri) = contact.filter(|uri| uri.headers().next().is_none()) else {
            return self.give_up(now, key, Refusal::NoAnswer);
        };
        let reason = umbel_sip_message::DiversionReason::Deflection;
        let to = match locality::meaning(uri.as_ref(), &self.config) {
            Meaning::VoiceMail(address) if Some(&address) == call.callee.as_ref() => Destination::VoiceMail,
            // A telephone's key for voice mail knows the pilot: it means the mailbox of whoever was called.
            Meaning::Pilot if call.callee.is_some() => Destination::VoiceMail,
            _ => Destination::Forward(uri),
        };
        self.divert(now, key, to, reason);
    }

    fn cancel_branch(&mut self, now: Instant, key: CallKey, id: BranchId, reason: &Reason) {
        self.timers.disarm(&Alarm::Alternative(key, id));
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(branch) = call.branches.get_mut(&id) else { return };
        // Whoever is told to stop has no successor.
        branch.alternatives.clear();
        let client = branch.client;
        self.endpoint.cancel(now, client, Some(&reason.to_string()));
    }
}

/// Changes a call that may be gone.
pub(super) fn call_mut<T: Default>(
    calls: &mut BTreeMap<CallKey, Box<Call>>,
    key: CallKey,
    change: impl FnOnce(&mut Call) -> T,
) -> T {
    calls.get_mut(&key).map(|call| change(call)).unwrap_or_default()
}

/// LOOP-5.
fn has_been_diverted_too_often(call: &Call) -> bool {
    if !call.sender.is_believed_about_diversions() {
        return false;
    }
    match crate::identity::diversions(call.request.headers()) {
        Some((count, limit)) => count > DIVERSIONS_MAX || limit.is_some_and(|limit| count >= limit),
        // What cannot be read is not made longer.
        None => true,
    }
}

/// SIPRE-3: what is offered, as far as routing needs it: a line that begins an audio stream.
fn media(request: &Request) -> Media {
    if *request.method() != Method::Invite {
        return Media::Other;
    }
    let body = request.body();
    // An offer may still come, and then it is most likely audio.
    if body.is_empty() {
        return Media::Audio;
    }
    let has_audio_line = body.split(|octet| *octet == b'\n').any(|line| line.starts_with(b"m=audio "));
    let kind = request.headers().get(&HeaderName::ContentType).unwrap_or_default();
    let kind = String::from_utf8_lossy(&kind).to_ascii_lowercase();
    if kind.contains("application/ms-conf-invite") {
        let text = String::from_utf8_lossy(body);
        let audio = text
            .split('<')
            .any(|element| element.starts_with("audio") && element.contains("available=\"true\""));
        return if audio { Media::AudioAppInvite } else { Media::Other };
    }
    if has_audio_line { Media::Audio } else { Media::Other }
}
