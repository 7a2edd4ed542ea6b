//! One place that a request goes to: how it leaves, what comes back, and who is tried next.

use std::collections::VecDeque;
use std::time::Duration;

use umbel_node::{FlowId, Transport};
use umbel_sip_endpoint::{ClientTransaction, Failure, Target};
use umbel_sip_message::digest::Credentials;
use umbel_sip_message::{
    AddressOfRecord, DiversionReason, Draft, HeaderName, Method, Response, Scheme, StatusCode, Token, Uri,
};
use umbel_store::Routing;
use umbel_time::Instant;

use super::call::{Call, CallKey};
use super::dialogs::{decrement_hops, set_routes};
use super::record::destination;
use super::{Alarm, Proxy, Reason, servers};
use crate::authentication::credentials_header;
use crate::config::VoiceMailForm;
use crate::diversion::{self, Retarget};
use crate::identity;
use crate::record_route::record_routes;
use crate::refusal::Refusal;
use crate::response_context::{BranchId, Input, Kind};

/// DEC-4: branches of one request, in all its rounds.
const BRANCHES_MAX: usize = 10;
/// RFC 5393 5.3.3.1: Max-Breadth where there is none.
const MAX_BREADTH: u32 = 60;
/// EUMR-8: how long one of several servers may say nothing.
const ALTERNATIVE_AFTER: Duration = Duration::from_secs(3);
/// EUMR-9: how often one unified messaging server may point to another.
const REDIRECTS_MAX: u8 = 3;

/// Where a request goes next, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) request_uri: Uri,
    pub(super) next: Next,
    /// Route values to be written.
    pub(super) path: Vec<Uri>,
    /// It leaves the network of those who trust each other.
    pub(super) is_outside: bool,
}

/// The next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Flow(FlowId),
    Uri(Uri),
}

/// A place that a request was sent to.
pub(super) struct Branch {
    pub(super) client: ClientTransaction,
    /// EUMR-8: those it was before, which said nothing in time and may answer all the same.
    pub(super) former: Vec<ClientTransaction>,
    hop: Hop,
    /// Who is tried if this one fails, best first.
    pub(super) alternatives: VecDeque<Hop>,
    /// The final response, or what stands for it.
    pub(super) outcome: Option<Result<Response, Refusal>>,
    voice_mail: Option<VoiceMail>,
    redirects: u8,
}

/// What a branch to a unified messaging server asks for.
#[derive(Clone, Debug)]
struct VoiceMail {
    /// EUMR-1 to EUMR-4; none for the own mailbox.
    diversion: Option<Retarget>,
    /// EUMR-8: what the caller gets when none answers.
    otherwise: Refusal,
}

impl Proxy {
    /// Sends the request to one more place; whether it may go there.
    pub(super) fn branch(
        &mut self,
        now: Instant,
        key: CallKey,
        kind: Kind,
        hop: Hop,
        alternatives: Vec<Hop>,
    ) -> bool {
        self.add_branch(now, key, kind, hop, alternatives.into(), None)
    }

    fn add_branch(
        &mut self,
        now: Instant,
        key: CallKey,
        kind: Kind,
        hop: Hop,
        alternatives: VecDeque<Hop>,
        voice_mail: Option<VoiceMail>,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        // LOOP-3, SEC-53, RFC 5393 5: not where it has been, and not to more than are allowed.
        let breadth = call.request.headers().max_breadth().ok().flatten().unwrap_or(MAX_BREADTH);
        let most = BRANCHES_MAX.min(usize::try_from(breadth).unwrap_or(BRANCHES_MAX));
        let to = (hop.next.clone(), hop.request_uri.clone());
        if call.tried.contains(&to) || call.context.len() >= most {
            return false;
        }
        call.tried.push(to);
        let (id, actions) = call.context.add(kind);
        self.perform(now, key, actions, None);
        let rule =
            if voice_mail.is_some() { "EUMR-7: first of the voice mail servers" } else { "not one of ours" };
        self.launch(now, key, id, (hop, alternatives), voice_mail, (0, rule));
        true
    }

    /// EUMR-1 to EUMR-12: to the unified messaging servers, best first. Without a mailbox to the
    /// caller's own, by the pilot.
    pub(super) fn send_to_voice_mail(
        &mut self,
        now: Instant,
        key: CallKey,
        mailbox: Option<AddressOfRecord>,
        reason: Option<DiversionReason>,
    ) {
        let Some(call) = self.calls.get(&key) else { return };
        // EUMR-2, EUMR-3: user and host of From and callee.
        let from = call.caller.clone().or_else(|| call.request.headers().from().uri.address_of_record());
        let is_own = mailbox.is_none() || from == mailbox;
        let diversion = match (&mailbox, &reason) {
            (Some(mailbox), Some(reason)) if !is_own => {
                Some(Retarget { from: mailbox.clone(), reason: reason.clone() })
            }
            _ => None,
        };
        let pilot = self.config.pilots.first().map_or("voicemail", String::as_str);
        let target =
            mailbox.as_ref().filter(|_| !is_own || self.config.voice_mail_form == VoiceMailForm::Gruu);
        let hop = |server: &Uri| {
            let asked = (target, self.config.domain.as_str());
            let form = self.config.voice_mail_form;
            let request_uri = diversion::mailbox_uri(form, (server, pilot), asked, reason.as_ref())?;
            Some(Hop { request_uri, next: Next::Uri(server.clone()), path: Vec::new(), is_outside: false })
        };
        let hops = servers::voice_mail(&self.config).filter_map(hop).collect();
        let mut hops: VecDeque<Hop> = self.in_order(hops).into();
        let otherwise = if is_own { Refusal::Unavailable } else { Refusal::NoAnswer };
        match hops.pop_front() {
            Some(first) => {
                let voice_mail = Some(VoiceMail { diversion, otherwise });
                self.add_branch(now, key, Kind::Elsewhere, first, hops, voice_mail);
                self.check(now, key);
            }
            None => self.give_up(now, key, otherwise),
        }
    }

    fn launch(
        &mut self,
        now: Instant,
        key: CallKey,
        id: BranchId,
        (hop, alternatives): (Hop, VecDeque<Hop>),
        voice_mail: Option<VoiceMail>,
        (redirects, rule): (u8, &str),
    ) {
        if voice_mail.is_some() || hop.is_outside {
            self.note(now, key, Routing::Sent(destination(&hop)), rule);
        }
        let Some(call) = self.calls.get(&key) else { return };
        let draft = self.outgoing(call, &hop, voice_mail.as_ref());
        let target = match &hop.next {
            Next::Flow(flow) => Target::Flow(*flow),
            Next::Uri(uri) => Target::Uri(uri.clone()),
        };
        if alternatives.is_empty() {
            self.timers.disarm(&Alarm::Alternative(key, id));
        } else {
            self.timers.arm(Alarm::Alternative(key, id), now + ALTERNATIVE_AFTER);
        }
        let client = self.endpoint.request(now, draft, target);
        self.branch_of.insert(client, (key, id));
        let Some(call) = self.calls.get_mut(&key) else { return };
        let mut former = Vec::new();
        if let Some(before) = call.branches.remove(&id) {
            former = before.former;
            former.push(before.client);
        }
        let branch = Branch { client, former, hop, alternatives, outcome: None, voice_mail, redirects };
        call.branches.insert(id, branch);
    }

    /// RFC 3261 16.6: the request as it leaves. What is not named here leaves as it came, octet for octet.
    fn outgoing(&self, call: &Call, hop: &Hop, voice_mail: Option<&VoiceMail>) -> Draft {
        let headers = call.request.headers();
        let mut draft = Draft::forward(&call.request);
        draft.set_request_uri(&hop.request_uri);
        decrement_hops(&mut draft, headers.max_forwards());
        set_routes(&mut draft, &hop.path);
        self.remove_own_credentials(&mut draft, call);
        identity::cross_boundary(&mut draft, &call.sender);
        if hop.is_outside {
            identity::leave(&mut draft);
        } else if voice_mail.is_none() {
            identity::keep_private(&mut draft);
        }
        // RFC 5393 5.3.3: the breadth that is left is shared by the branches that there may be.
        if let Ok(Some(breadth)) = headers.max_breadth() {
            let share = (breadth / u32::try_from(BRANCHES_MAX).unwrap_or(u32::MAX)).max(1);
            draft.set(HeaderName::MaxBreadth, share);
        } else {
            draft.set(HeaderName::MaxBreadth, MAX_BREADTH / 10);
        }
        self.write_diversion(&mut draft, call, hop, voice_mail);
        if begins_dialog(call.request.method()) {
            let transports = (call.transport, self.transport(call.transport, &hop.next));
            let values = record_routes(&self.config, &self.seal, headers, call.flow, transports);
            for value in values.into_iter().rev() {
                draft.push_front(HeaderName::RecordRoute, value);
            }
        }
        draft
    }

    fn write_diversion(&self, draft: &mut Draft, call: &Call, hop: &Hop, voice_mail: Option<&VoiceMail>) {
        match voice_mail {
            Some(VoiceMail { diversion, .. }) => {
                // EUMR-1.
                draft.remove(&HeaderName::Diversion);
                if let Some(diversion) = diversion {
                    draft.push_front(HeaderName::Diversion, diversion.diversion());
                }
                // EUMR-5. Whatever the request came with is gone already.
                if let (Some(relay), Some(name)) = (&self.config.media_relay, Token::new("Ms-Mras-Address")) {
                    draft.push(HeaderName::Extension(name), relay);
                }
            }
            // RFC 5806: the newest on top.
            None => {
                for retarget in &call.chain {
                    draft.push_front(HeaderName::Diversion, retarget.diversion());
                }
            }
        }
        // EUMR-12, DEC-11: of calls that were retargeted only.
        for value in diversion::history(call.request.headers(), &call.chain, &hop.request_uri) {
            draft.push(HeaderName::HistoryInfo, value);
        }
    }

    /// RFC 3261 22.3: what was for us goes no further.
    fn remove_own_credentials(&self, draft: &mut Draft, call: &Call) {
        let headers = call.request.headers();
        let name = credentials_header(call.request.method());
        let is_ours = |value: &[u8]| {
            let credentials = Credentials::parse(value).ok().flatten();
            credentials.is_none_or(|credentials| credentials.realm == self.config.domain)
        };
        let others: Vec<_> = headers.all(&name).filter(|value| !is_ours(value)).collect();
        draft.remove(&name);
        for value in others {
            draft.push(name.clone(), value);
        }
    }

    /// The transport of a next hop, as far as it is known before its name is.
    fn transport(&self, from: Transport, next: &Next) -> Transport {
        match next {
            Next::Flow(flow) => self.endpoint.flow(*flow).map_or(from, |flow| flow.transport),
            Next::Uri(uri) if uri.scheme() == Scheme::Sips => Transport::Tls,
            Next::Uri(uri) => match uri.transport() {
                Some(word) if word.eq_ignore_ascii_case("tls") => Transport::Tls,
                Some(word) if word.eq_ignore_ascii_case("tcp") => Transport::Tcp,
                _ => from,
            },
        }
    }

    pub(super) fn branch_responded(
        &mut self,
        now: Instant,
        (key, id): (CallKey, BranchId),
        client: ClientTransaction,
        response: Response,
    ) {
        let status = response.status();
        if let Some(instead) = self.successor(key, id, client) {
            // RFC 3261 16.7, step 5: a success goes on, whoever it comes from. All else of a server that
            // was given up says nothing any more.
            if status.is_success() {
                let rule = "EUMR-8: a server that had been given up";
                self.note(now, key, Routing::Answered(status.as_u16()), rule);
                self.step(now, key, Input::Response(id, status), Some((id, &response)));
                let reason = Reason::sip(200, "Call completed elsewhere").to_string();
                self.endpoint.cancel(now, instead, Some(&reason));
            }
            return;
        }
        self.timers.disarm(&Alarm::Alternative(key, id));
        if status.is_redirection() && self.follow_redirect(now, key, id, &response) {
            return;
        }
        let is_failure = status.class() == 5 || status == StatusCode::REQUEST_TIMEOUT;
        if is_failure && self.try_alternative(now, key, id, "EUMR-8: the one before has failed") {
            return;
        }
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(branch) = call.branches.get_mut(&id) else { return };
        let mut told = status;
        if status.is_final() {
            // EUMR-8, EUMR-9: the caller does not hear of the troubles of voice mail, nor where it is.
            let otherwise = branch.voice_mail.as_ref().map(|voice_mail| voice_mail.otherwise);
            branch.outcome = Some(match otherwise {
                Some(otherwise) if is_failure || status.is_redirection() => {
                    told = otherwise.answer().status;
                    Err(otherwise)
                }
                _ => Ok(response.clone()),
            });
        }
        let by = branch.answerer();
        if call.context.refuses_deflection(id, status) {
            self.note(now, key, Routing::NotDeflected, "SENS-15: the call must not be diverted");
        }
        if status.is_success() {
            self.note(now, key, Routing::Answered(status.as_u16()), &by);
        }
        self.step(now, key, Input::Response(id, told), Some((id, &response)));
    }

    /// Who has taken the place of a server that was given up.
    fn successor(&self, key: CallKey, id: BranchId, client: ClientTransaction) -> Option<ClientTransaction> {
        let branch = self.calls.get(&key)?.branches.get(&id)?;
        (branch.client != client).then_some(branch.client)
    }

    pub(super) fn branch_failed(
        &mut self,
        now: Instant,
        (key, id): (CallKey, BranchId),
        client: ClientTransaction,
        failure: Failure,
    ) {
        if self.successor(key, id, client).is_some() {
            return;
        }
        self.timers.disarm(&Alarm::Alternative(key, id));
        if let Some(branch) = self.calls.get(&key).and_then(|call| call.branches.get(&id)) {
            let next = branch.hop.next.clone();
            self.call_failed_at(&next, Some(failure));
        }
        let rule = "EUMR-8: the one before cannot be reached";
        if failure != Failure::Cancelled && self.try_alternative(now, key, id, rule) {
            return;
        }
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(branch) = call.branches.get_mut(&id) else { return };
        let otherwise = branch.voice_mail.as_ref().map(|voice_mail| voice_mail.otherwise);
        let refusal = match (failure, otherwise) {
            (Failure::Cancelled, _) => Refusal::Cancelled,
            (_, Some(otherwise)) => otherwise,
            (Failure::Timeout, None) => Refusal::NoResponse,
            // RFC 3261 16.9; a telephone that cannot be reached is one that is not there.
            (Failure::Transport, None) if !branch.hop.is_outside => Refusal::NotRegistered,
            (Failure::Transport | Failure::Unresolved | Failure::Limit, None) => Refusal::Unavailable,
        };
        branch.outcome = Some(Err(refusal));
        self.step(now, key, Input::Response(id, refusal.answer().status), None);
    }

    /// EUMR-8: nothing has come from one of several.
    pub(super) fn silent(&mut self, now: Instant, key: CallKey, id: BranchId) {
        let branch = self.calls.get(&key).and_then(|call| call.branches.get(&id));
        let Some(branch) = branch else { return };
        let (client, next) = (branch.client, branch.hop.next.clone());
        self.call_failed_at(&next, None);
        if self.try_alternative(now, key, id, "EUMR-8: the one before says nothing") {
            self.endpoint.cancel(now, client, None);
        }
    }

    /// Sends the request to the next of several; whether there was one.
    fn try_alternative(&mut self, now: Instant, key: CallKey, id: BranchId, rule: &str) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        if call.context.is_ending() {
            return false;
        }
        let Some(branch) = call.branches.get_mut(&id) else { return false };
        let Some(hop) = branch.alternatives.pop_front() else { return false };
        let alternatives = std::mem::take(&mut branch.alternatives);
        let (voice_mail, redirects) = (branch.voice_mail.clone(), branch.redirects);
        self.launch(now, key, id, (hop, alternatives), voice_mail, (redirects, rule));
        true
    }

    /// EUMR-9: a unified messaging server points to another of the same. Whether that was followed.
    fn follow_redirect(&mut self, now: Instant, key: CallKey, id: BranchId, response: &Response) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        let Some(branch) = call.branches.get_mut(&id) else { return false };
        let Ok(contacts) = response.headers().contacts() else { return false };
        let Some(contact) = contacts.first().map(|contact| contact.uri.to_uri()) else { return false };
        let is_known = |server: &Uri| server.host().eq_ignore_ascii_case(contact.host());
        if branch.voice_mail.is_none()
            || branch.redirects >= REDIRECTS_MAX
            || call.context.is_ending()
            || contact.headers().next().is_some()
            || !self.config.voice_mail.iter().any(is_known)
        {
            return false;
        }
        let mut alternatives = std::mem::take(&mut branch.alternatives);
        // LOOP-3: whom this one points to is not tried once more after it.
        alternatives.retain(|hop| match &hop.next {
            Next::Uri(server) => !is_same_server(server, &contact),
            Next::Flow(_) => true,
        });
        let hop = Hop { next: Next::Uri(contact), ..branch.hop.clone() };
        let (voice_mail, redirects) = (branch.voice_mail.clone(), branch.redirects + 1);
        let rule = "EUMR-9: the one before points there";
        self.launch(now, key, id, (hop, alternatives), voice_mail, (redirects, rule));
        true
    }
}

impl Branch {
    pub(super) fn is_voice_mail(&self) -> bool {
        self.voice_mail.is_some()
    }

    /// The flow that it was sent along, if it was sent by none but that.
    pub(super) fn flow(&self) -> Option<FlowId> {
        match self.hop.next {
            Next::Flow(flow) => Some(flow),
            Next::Uri(_) => None,
        }
    }

    /// Who answers, for those who ask.
    pub(super) fn answerer(&self) -> String {
        match self.voice_mail {
            Some(_) => destination(&self.hop),
            None => self.hop.request_uri.without_params_and_headers().to_string(),
        }
    }
}

/// Host and port; the transport is that of the host.
fn is_same_server(one: &Uri, other: &Uri) -> bool {
    one.host().eq_ignore_ascii_case(other.host()) && one.port() == other.port()
}

/// RFC 3261 16.6, step 4: what later requests may belong to.
fn begins_dialog(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Subscribe | Method::Notify | Method::Refer)
}
