//! What voice mail tells, asked and unasked: MWI-1, SEC-54, SEC-56, REL-40.

use std::time::Duration;

use rand_core::Rng;
use umbel_event_notification::subscriber::{Account, News};
use umbel_event_notification::{Hop, MESSAGE_SUMMARY, MessageSummary, Subscriber};
use umbel_node::FlowId;
use umbel_sip_endpoint::{ClientTransaction, Target};
use umbel_sip_message::{AddressOfRecord, Draft, HeaderName, Response, StatusCode, Uri};
use umbel_store::Address;
use umbel_time::Instant;

use super::Purpose;
use crate::config::{MailboxStates, VoiceMailForm};
use crate::identity::Sender;
use crate::locality::{self, Meaning, VOICE_MAIL};
use crate::message_waiting::{Asked, Choice, Servers, Tag, Timer};
use crate::proxy::Proxy;
use crate::proxy::admission::Arrival;
use crate::proxy::servers::voice_mail;
use crate::refusal::Refusal;

/// How long a user is not asked for whom voice mail has refused, as somebody without a mailbox; up to a
/// quarter longer.
const REFUSED_FOR: Duration = Duration::from_secs(3_600);

impl Proxy {
    /// A NOTIFY that we have not subscribed to: from voice mail only.
    pub(in crate::proxy) fn notified_unasked(&mut self, now: Instant, arrival: Arrival) {
        let is_listed = matches!(arrival.sender, Sender::Peer { .. });
        let flow = self.endpoint.flow(arrival.flow);
        let servers = &self.message_waiting.servers;
        if !flow.is_some_and(|flow| servers.is_one(arrival.flow, flow, is_listed)) {
            return self.refuse_arrival(now, &arrival, Refusal::MailboxOfAnother);
        }
        // To says whose lamp it is; where it is not of ours, where the request was sent to does.
        let request = &arrival.request;
        let by_target = || match locality::meaning(request.request_uri(), &self.config) {
            Meaning::User(address) | Meaning::VoiceMail(address) => Some(address),
            _ => None,
        };
        let address = locality::user(request.headers().to().uri, &self.config).or_else(by_target);
        match address {
            Some(address) if self.message_waiting.knows(&address) => {
                self.told_unasked(now, &arrival, &address);
            }
            Some(address) => {
                let by = match Address::new(address.user(), address.host()) {
                    Ok(address) => umbel_store::Lookup::Address(address),
                    Err(_) => umbel_store::Lookup::Extension(address.user().to_owned()),
                };
                self.ask_name(by, arrival, Purpose::Told { address, is_by_extension: false });
            }
            None => self.refuse_arrival(now, &arrival, Refusal::NotFound),
        }
    }

    pub(super) fn told_unasked(&mut self, now: Instant, arrival: &Arrival, address: &AddressOfRecord) {
        let body = arrival.request.body();
        let summary = MessageSummary::parse(body);
        if summary.is_err() && !body.is_empty() {
            return self.refuse_arrival(now, arrival, Refusal::BadRequest);
        }
        let mut draft = Draft::reply(&arrival.request, StatusCode::OK);
        draft.to_tag(&self.tag());
        self.endpoint.respond(now, arrival.transaction, draft);
        // Without a body nothing is said.
        if let Ok(summary) = summary {
            if let Some(mailbox) = self.message_waiting.mailboxes.get_mut(address) {
                mailbox.is_told_unasked = true;
            }
            self.told(now, address, summary);
        }
    }

    /// A NOTIFY within our subscription: both tags and the Call-ID are its proof (SEC-54).
    pub(in crate::proxy) fn notified(&mut self, now: Instant, arrival: &Arrival, address: &AddressOfRecord) {
        let Some(mailbox) = self.message_waiting.mailboxes.get_mut(address) else { return };
        let Some(upstream) = &mut mailbox.upstream else { return };
        let draft = upstream.notified(now, &mut self.rng, &arrival.request, Some(arrival.flow));
        if draft.status().is_some_and(StatusCode::is_success) {
            let server = mailbox.server;
            self.voice_mail_is_there(server, arrival.flow);
        }
        self.endpoint.respond(now, arrival.transaction, draft);
        self.tend_upstream(now, address);
    }

    /// Our subscription for this user wants to be woken.
    pub(super) fn upstream_due(&mut self, now: Instant, address: &AddressOfRecord) {
        let Some(mailbox) = self.message_waiting.mailboxes.get_mut(address) else { return };
        match &mut mailbox.upstream {
            // Refreshes are spread as they are; only those who need a server have to queue for it.
            Some(upstream) if !needs_server(upstream) || upstream.is_terminating() => {
                upstream.wake(now, &mut self.rng);
                self.tend_upstream(now, address);
            }
            Some(_) | None => self.want_upstream(now, address),
        }
    }

    /// Voice mail is to be asked for this user, unless it has been, or has said not to.
    pub(super) fn want_upstream(&mut self, now: Instant, address: &AddressOfRecord) {
        let state = &mut self.message_waiting;
        let Some(mailbox) = state.mailboxes.get(address).filter(|mailbox| !mailbox.is_deserted()) else {
            return;
        };
        let is_resting = state.timers.deadline(&Timer::Upstream(address.clone())).is_some();
        let is_wanted = match &mailbox.upstream {
            Some(upstream) if upstream.is_terminating() => true,
            Some(upstream) => needs_server(upstream) && !is_resting,
            None => !is_resting,
        };
        if !is_wanted || self.config.mailbox_states == MailboxStates::Told {
            return;
        }
        // A telephone that waits goes before those that only refresh.
        if mailbox.summary.is_none() && !mailbox.subscriptions.is_empty() {
            state.queue.push_first(address);
        } else {
            state.queue.push(address);
        }
        self.ask_voice_mail(now);
    }

    /// Asks for those whose turn it is.
    pub(super) fn ask_voice_mail(&mut self, now: Instant) {
        while let Some(address) = self.message_waiting.queue.pop(now) {
            let state = &mut self.message_waiting;
            let Some(mailbox) = state.mailboxes.get_mut(&address) else { continue };
            if mailbox.is_deserted() {
                continue;
            }
            if let Some(upstream) = &mut mailbox.upstream
                && !needs_server(upstream)
            {
                upstream.wake(now, &mut self.rng);
                self.tend_upstream(now, &address);
                continue;
            }
            let server = match state.servers.choose(now) {
                Choice::Ask(server) => server,
                Choice::Wait(until) => {
                    state.queue.push_first(&address);
                    return state.timers.arm(Timer::Queue, until);
                }
                Choice::Nobody => {
                    state.queue.push_first(&address);
                    state.timers.disarm(&Timer::Queue);
                    return;
                }
            };
            mailbox.server = server;
            self.subscribe_upstream(now, &address, server);
        }
        match self.message_waiting.queue.next() {
            Some(at) => self.message_waiting.timers.arm(Timer::Queue, at),
            None => {
                self.message_waiting.timers.disarm(&Timer::Queue);
            }
        }
    }

    fn subscribe_upstream(&mut self, now: Instant, address: &AddressOfRecord, server: usize) {
        let Some(uri) = self.message_waiting.servers.uri(server).cloned() else { return };
        let target = match self.config.voice_mail_form {
            VoiceMailForm::Gruu => address.to_uri().with_param("opaque", Some(VOICE_MAIL)),
            // RFC 4458 is about calls; lamps of other people's voice mail bear the users' names there.
            VoiceMailForm::Rfc4458 => at_server(address.user(), &uri).unwrap_or_else(|| address.to_uri()),
        };
        let contact = self.own_contact(super::transport_of(&uri));
        let Some(mailbox) = self.message_waiting.mailboxes.get_mut(address) else { return };
        let upstream = mailbox.upstream.get_or_insert_with(|| {
            let user = address.to_uri();
            let identity = format!("<{user}>");
            Box::new(Subscriber::new(Account {
                package: &MESSAGE_SUMMARY,
                target: target.clone(),
                from: user.clone(),
                to: user,
                hop: Hop::from(uri.clone()),
                route: None,
                contact: contact.into(),
                headers: vec![(HeaderName::PAssertedIdentity, identity)],
                expires: umbel_event_notification::notifier::EXPIRES,
            }))
        });
        upstream.redirect(target, Hop::from(uri));
        match upstream.is_waiting() {
            true => upstream.wake(now, &mut self.rng),
            false => upstream.subscribe(now, &mut self.rng),
        }
        self.tend_upstream(now, address);
    }

    /// Sends what our subscription wants sent, and hears what it has to tell.
    pub(super) fn tend_upstream(&mut self, now: Instant, address: &AddressOfRecord) {
        let state = &mut self.message_waiting;
        let Some(mailbox) = state.mailboxes.get_mut(address) else { return };
        let Some(upstream) = &mut mailbox.upstream else { return self.tidy(now, address) };
        let tag = upstream.tag().and_then(Tag::parse);
        if tag != mailbox.upstream_tag {
            if let Some(before) = mailbox.upstream_tag {
                state.upstream_of.remove(&before);
            }
            if let Some(tag) = tag {
                state.upstream_of.insert(tag, address.clone());
            }
            mailbox.upstream_tag = tag;
        }
        match upstream.poll_timeout() {
            Some(at) => state.timers.arm(Timer::Upstream(address.clone()), at),
            None => {
                state.timers.disarm(&Timer::Upstream(address.clone()));
            }
        }
        let (outgoing, server) = (upstream.poll_request(), mailbox.server);
        let news: Vec<News> = std::iter::from_fn(|| upstream.poll_news()).collect();
        if let Some(outgoing) = outgoing {
            state.queue.sent(now);
            let flow = outgoing.to.flow.filter(|flow| self.endpoint.flow(*flow).is_some());
            let target = flow.map_or(Target::Uri(outgoing.to.uri), Target::Flow);
            let client = self.endpoint.request(now, outgoing.draft, target);
            self.message_waiting.asked.insert(client, Asked::Subscribe(address.clone(), server));
        }
        for news in news {
            self.hear(now, address, news);
        }
        self.tidy(now, address);
    }

    fn hear(&mut self, now: Instant, address: &AddressOfRecord, news: News) {
        match news {
            News::State(body) => {
                // What cannot be read is not known, and what was known last is the best there is.
                if let Ok(summary) = MessageSummary::parse(&body) {
                    self.told(now, address, summary);
                }
            }
            News::Refused(status) if has_no_subscriptions(status) => self.want_upstream(now, address),
            News::Refused(_) | News::Rejected => {
                let spread = self.rng.next_u64() % (REFUSED_FOR.as_secs() / 4);
                let at = now + REFUSED_FOR + Duration::from_secs(spread);
                self.message_waiting.timers.arm(Timer::Upstream(address.clone()), at);
            }
            News::Unsubscribed => self.want_upstream(now, address),
            News::Subscribed | News::Lost => {}
        }
    }

    pub(super) fn voice_mail_answered(
        &mut self,
        now: Instant,
        address: &AddressOfRecord,
        server: usize,
        flow: FlowId,
        response: &Response,
    ) {
        self.message_waiting.queue.answered();
        let status = response.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.message_waiting.servers.failed(now, server);
        } else {
            self.voice_mail_is_there(server, flow);
        }
        if has_no_subscriptions(status) {
            self.message_waiting.servers.refuses(now, server);
        }
        if let Some((upstream, rng)) = self.upstream(address) {
            upstream.responded(now, rng, response);
        }
        self.tend_upstream(now, address);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.ask_another(address);
        }
        self.ask_voice_mail(now);
    }

    pub(super) fn voice_mail_failed(&mut self, now: Instant, address: &AddressOfRecord, server: usize) {
        self.message_waiting.queue.answered();
        self.message_waiting.servers.failed(now, server);
        if let Some((upstream, rng)) = self.upstream(address) {
            upstream.failed(now, rng);
        }
        self.tend_upstream(now, address);
        self.ask_another(address);
        self.ask_voice_mail(now);
    }

    /// The trouble is the server's, which rests for it: the user does not, but waits for the next server
    /// that is there.
    fn ask_another(&mut self, address: &AddressOfRecord) {
        let state = &mut self.message_waiting;
        let upstream = state.mailboxes.get(address).and_then(|mailbox| mailbox.upstream.as_ref());
        if upstream.is_some_and(|upstream| upstream.is_waiting()) {
            state.queue.push(address);
        }
    }

    fn upstream(
        &mut self,
        address: &AddressOfRecord,
    ) -> Option<(&mut Subscriber, &mut rand_chacha::ChaCha20Rng)> {
        let mailbox = self.message_waiting.mailboxes.get_mut(address)?;
        Some((mailbox.upstream.as_deref_mut()?, &mut self.rng))
    }

    /// A response has come on a flow. If it answers an OPTIONS to a voice mail server, that server sits at
    /// its end, and may tell along it as well (RFC 5923).
    pub(in crate::proxy) fn heard_on(&mut self, transaction: ClientTransaction, id: FlowId) {
        let Some(uri) = self.pinged(transaction).cloned() else { return };
        if let Some(flow) = self.endpoint.flow(id) {
            self.message_waiting.servers.met(&uri, id, flow);
        }
    }

    fn voice_mail_is_there(&mut self, server: usize, flow: FlowId) {
        self.message_waiting.servers.answered(server, flow, self.endpoint.flow(flow));
    }

    /// A flow is gone. If it was one of a voice mail server's, that may have been started anew: what it
    /// has forgotten is subscribed to again, one after the other (REL-40).
    pub(in crate::proxy) fn flow_closed(&mut self, now: Instant, flow: FlowId) {
        let state = &mut self.message_waiting;
        let Some(server) = state.servers.flow_closed(flow) else { return };
        for (address, mailbox) in &state.mailboxes {
            let is_there = mailbox.server == server;
            if is_there && mailbox.upstream.as_ref().is_some_and(|upstream| upstream.is_active()) {
                state.queue.push(address);
            }
        }
        self.ask_voice_mail(now);
    }

    /// Other settings: where the servers have changed, all users are asked for anew.
    pub(in crate::proxy) fn voice_mail_changed(&mut self, now: Instant) {
        if self.message_waiting.servers.are(voice_mail(&self.config)) {
            return;
        }
        self.message_waiting.servers = Servers::new(voice_mail(&self.config));
        let addresses: Vec<AddressOfRecord> = self.message_waiting.mailboxes.keys().cloned().collect();
        for address in addresses {
            let state = &mut self.message_waiting;
            if let Some(mailbox) = state.mailboxes.get_mut(&address) {
                // The old server hears 481 to its next NOTIFY.
                mailbox.upstream = None;
                if let Some(tag) = mailbox.upstream_tag.take() {
                    state.upstream_of.remove(&tag);
                }
            }
            state.timers.disarm(&Timer::Upstream(address.clone()));
            self.want_upstream(now, &address);
        }
    }
}

/// The user of this name at a server.
fn at_server(user: &str, server: &Uri) -> Option<Uri> {
    let uri = Uri::sip(user, server.host())?;
    Some(server.port().map_or(uri.clone(), |port| uri.with_port(port)))
}

/// Whether the next SUBSCRIBE goes outside any dialog.
fn needs_server(upstream: &Subscriber) -> bool {
    upstream.is_idle() || upstream.is_waiting() || upstream.is_terminating()
}

/// Whether this is the answer of a server that knows no SUBSCRIBE, or no such event.
fn has_no_subscriptions(status: StatusCode) -> bool {
    matches!(status.as_u16(), 405 | 489 | 501)
}
