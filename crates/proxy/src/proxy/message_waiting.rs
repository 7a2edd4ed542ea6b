//! Message waiting, as the server carries it out: what [`crate::message_waiting`] knows, told and asked.

mod lamps;
mod telephones;
mod voice_mail;

use umbel_event_notification::{MESSAGE_SUMMARY, MessageSummary};
use umbel_node::{FlowId, Transport};
use umbel_sip_endpoint::{ClientTransaction, Target};
use umbel_sip_message::{AddressOfRecord, Method, Request, Response, Scheme, Uri};
use umbel_store::{Op, Reply};
use umbel_time::Instant;

use super::admission::Arrival;
use super::{Proxy, Waiting};
use crate::locality::VOICE_MAIL;
use crate::message_waiting::{Asked, Lamp, Tag, Timer};
use crate::refusal::Refusal;

/// Somebody about whose name the store was asked.
pub(super) struct Named {
    arrival: Arrival,
    purpose: Purpose,
}

/// What for.
enum Purpose {
    /// This user subscribes to a mailbox by what may be the own extension.
    Subscribe(AddressOfRecord),
    /// Voice mail tells of this user; not by an address, but perhaps by an extension.
    Told { address: AddressOfRecord, is_by_extension: bool },
}

/// Whom a request within a dialog belongs to.
pub(super) enum Within {
    /// The subscription of a telephone here.
    Subscription(Tag),
    /// Our subscription for this user at voice mail.
    Upstream(AddressOfRecord),
    /// None of them.
    Neither,
}

impl Proxy {
    /// Whether a request is one of a subscription, in either direction.
    pub(super) fn within_subscription(&self, request: &Request) -> Within {
        let tag = request.headers().to().tag().and_then(Tag::parse);
        let state = &self.message_waiting;
        match (request.method(), tag) {
            (Method::Subscribe, Some(tag)) => match state.subscriptions.get(&tag) {
                Some(telephone) if telephone.subscription.owns(request) => Within::Subscription(tag),
                _ => Within::Neither,
            },
            (Method::Notify, Some(tag)) => {
                let address = state.upstream_of.get(&tag);
                let upstream = address.and_then(|address| state.mailboxes.get(address)?.upstream.as_ref());
                match (address, upstream) {
                    (Some(address), Some(upstream)) if upstream.owns(request) => {
                        Within::Upstream(address.clone())
                    }
                    _ => Within::Neither,
                }
            }
            _ => Within::Neither,
        }
    }

    /// The contacts of a user have changed, or were registered anew.
    pub(super) fn contacts_changed(&mut self, now: Instant, address: &AddressOfRecord) {
        let is_registered = self.location.bindings(now, address).next().is_some();
        let is_known = self.message_waiting.mailboxes.contains_key(address);
        if self.message_waiting.servers.is_empty() || !(is_registered || is_known) {
            return;
        }
        let lamps = &mut self.message_waiting.mailbox(address).lamps;
        let before = std::mem::take(lamps);
        let mut settling = Vec::new();
        for binding in self.location.bindings(now, address) {
            let known = before.iter().find(|lamp| lamp.contact == binding.contact);
            let lamp = match known {
                Some(lamp) if lamp.flow == binding.flow => lamp.clone(),
                Some(lamp) => {
                    settling.push(binding.contact.clone());
                    lamp.clone().moved_to(binding.flow)
                }
                None => {
                    settling.push(binding.contact.clone());
                    Lamp::of(binding)
                }
            };
            lamps.push(lamp);
        }
        let gone = before.iter().filter(|lamp| lamps.iter().all(|other| other.contact != lamp.contact));
        let gone: Vec<Uri> = gone.map(|lamp| lamp.contact.clone()).collect();
        for contact in gone {
            self.message_waiting.timers.disarm(&Timer::Lamp(address.clone(), contact));
        }
        for contact in settling {
            self.settle_lamp(now, address, contact);
        }
        self.telephones_are_back(now, address);
        self.want_upstream(now, address);
        self.tidy(now, address);
    }

    /// What waits for a user is this from now on.
    fn told(&mut self, now: Instant, address: &AddressOfRecord, summary: MessageSummary) {
        let account = Some(address.to_uri().with_param("opaque", Some(VOICE_MAIL)));
        // MWI-5: whatever voice mail calls itself, the message key leads there by us.
        let summary = MessageSummary { account, ..summary };
        let Some(mailbox) = self.message_waiting.mailboxes.get_mut(address) else {
            return self.message_waiting.remember(address.clone(), summary);
        };
        if mailbox.summary.as_ref() == Some(&summary) {
            return;
        }
        let body = summary.to_body();
        mailbox.summary = Some(summary);
        let subscriptions = mailbox.subscriptions.clone();
        let contacts: Vec<Uri> = mailbox.lamps.iter().map(|lamp| lamp.contact.clone()).collect();
        for tag in subscriptions {
            if let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) {
                telephone.subscription.change(now, Some(body.clone()));
            }
            self.tell_telephone(now, tag);
        }
        for contact in contacts {
            self.tell_lamp(now, address, &contact);
        }
    }

    /// A mailbox that nobody is told of any more is given up.
    fn tidy(&mut self, now: Instant, address: &AddressOfRecord) {
        let state = &mut self.message_waiting;
        let Some(mailbox) = state.mailboxes.get_mut(address).filter(|mailbox| mailbox.is_deserted()) else {
            return;
        };
        match &mut mailbox.upstream {
            Some(upstream) if upstream.is_terminating() => return,
            Some(upstream) if !upstream.is_idle() => {
                upstream.unsubscribe(now, &mut self.rng);
                // Comes back here where there was nobody to tell.
                return self.tend_upstream(now, address);
            }
            Some(_) | None => {}
        }
        let Some(mailbox) = state.mailboxes.remove(address) else { return };
        if let Some(tag) = mailbox.upstream_tag {
            state.upstream_of.remove(&tag);
        }
        state.timers.disarm(&Timer::Upstream(address.clone()));
        state.queue.remove(address);
        if let Some(summary) = mailbox.summary.filter(|_| mailbox.is_told_unasked) {
            state.remember(address.clone(), summary);
        }
    }

    /// The time of some timers has come.
    pub(super) fn message_waiting_due(&mut self, now: Instant) {
        while let Some(timer) = self.message_waiting.timers.expired(now) {
            match timer {
                Timer::Subscription(tag) => {
                    if let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) {
                        telephone.subscription.wake(now);
                    }
                    self.tell_telephone(now, tag);
                }
                Timer::Lamp(address, contact) => self.lamp_due(now, &address, &contact),
                Timer::Upstream(address) => self.upstream_due(now, &address),
                Timer::Queue => self.ask_voice_mail(now),
            }
        }
    }

    /// A response, if it is one to a request of these; says whether it was.
    pub(super) fn message_waiting_responded(
        &mut self,
        now: Instant,
        transaction: ClientTransaction,
        flow: FlowId,
        response: &Response,
    ) -> bool {
        if !response.status().is_final() {
            return self.message_waiting.asked.contains_key(&transaction);
        }
        match self.message_waiting.asked.remove(&transaction) {
            Some(Asked::Notify(tag)) => {
                if let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) {
                    telephone.subscription.responded(now, response);
                }
                self.tell_telephone(now, tag);
            }
            Some(Asked::Lamp(address, contact)) => self.lamp_answered(now, &address, &contact, response),
            Some(Asked::Subscribe(address, server)) => {
                self.voice_mail_answered(now, &address, server, flow, response);
            }
            None => return false,
        }
        true
    }

    /// The same for a request that gets none.
    pub(super) fn message_waiting_failed(&mut self, now: Instant, transaction: ClientTransaction) -> bool {
        match self.message_waiting.asked.remove(&transaction) {
            Some(Asked::Notify(tag)) => {
                if let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) {
                    telephone.subscription.failed();
                }
                self.tell_telephone(now, tag);
            }
            Some(Asked::Lamp(address, contact)) => self.lamp_not_reached(now, &address, &contact, None),
            Some(Asked::Subscribe(address, server)) => self.voice_mail_failed(now, &address, server),
            None => return false,
        }
        true
    }

    /// The store has answered about a name.
    pub(super) fn name_told(&mut self, now: Instant, named: Named, reply: Reply) {
        let Named { arrival, purpose } = named;
        let Reply::User(user) = reply else {
            return self.refuse_arrival(now, &arrival, Refusal::StoreFailed);
        };
        let user = user.and_then(|user| AddressOfRecord::new(user.address().user(), user.address().domain()));
        match (purpose, user) {
            (Purpose::Subscribe(owner), Some(user)) if owner == user => {
                self.accept_subscription(now, arrival, owner);
            }
            (Purpose::Subscribe(_), _) => self.refuse_arrival(now, &arrival, Refusal::MailboxOfAnother),
            (Purpose::Told { .. }, Some(user)) => self.told_unasked(now, &arrival, &user),
            (Purpose::Told { address, is_by_extension: false }, None) => {
                let purpose = Purpose::Told { address: address.clone(), is_by_extension: true };
                self.ask_name(umbel_store::Lookup::Extension(address.user().to_owned()), arrival, purpose);
            }
            (Purpose::Told { .. }, None) => self.refuse_arrival(now, &arrival, Refusal::NotFound),
        }
    }

    fn ask_name(&mut self, by: umbel_store::Lookup, arrival: Arrival, purpose: Purpose) {
        self.ask(Op::FindUser(by), Waiting::Named(Box::new(Named { arrival, purpose })));
    }

    /// A way to a telephone of a user: along the flow where it was last heard, or that it has registered
    /// over since; by its address only where that is its own.
    fn way_to(
        &self,
        now: Instant,
        address: &AddressOfRecord,
        (contact, flow, by_address): (&Uri, Option<FlowId>, Option<&Uri>),
    ) -> Option<Target> {
        let is_up = |flow: &FlowId| self.endpoint.flow(*flow).is_some();
        if let Some(flow) = flow.filter(is_up) {
            return Some(Target::Flow(flow));
        }
        let mut bindings = self.location.bindings(now, address);
        let binding = bindings.find(|binding| binding.contact.is_equivalent(contact));
        let registered = binding.and_then(|binding| binding.flow).filter(is_up);
        registered.map(Target::Flow).or_else(|| by_address.map(|uri| Target::Uri(uri.clone())))
    }

    /// The value of Contact in what we send over this transport.
    fn own_contact(&self, transport: Transport) -> String {
        let host = match self.config.sent_by(transport) {
            Some(sent_by) => {
                let port = sent_by.port.map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}{port}", sent_by.host)
            }
            None => self.config.domain.clone(),
        };
        format!("<sip:{host};transport={}>", transport.uri_parameter())
    }
}

/// Whether a request is about messages.
pub(super) fn is_about_messages(request: &Request) -> bool {
    MESSAGE_SUMMARY.is_of(request)
}

/// The transport that a request to this URI goes over.
fn transport_of(uri: &Uri) -> Transport {
    let is_tls = uri.scheme() == Scheme::Sips
        || uri.transport().is_some_and(|transport| transport.eq_ignore_ascii_case("tls"));
    if is_tls { Transport::Tls } else { Transport::Tcp }
}
