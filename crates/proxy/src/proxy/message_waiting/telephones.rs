//! Subscriptions of telephones: MWI-2, MWI-3, SEC-56.

use std::time::Duration;

use rand_core::Rng;
use umbel_event_notification::MessageSummary;
use umbel_event_notification::notifier::{Local, Subscription};
use umbel_node::Transport;
use umbel_sip_endpoint::Target;
use umbel_sip_message::AddressOfRecord;
use umbel_time::Instant;

use super::{Purpose, Within};
use crate::identity::Sender;
use crate::locality::{self, Meaning};
use crate::message_waiting::{Asked, SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_PER_USER_MAX, Tag, Telephone, Timer};
use crate::proxy::Proxy;
use crate::proxy::admission::Arrival;
use crate::refusal::Refusal;

/// How long a NOTIFY waits for a telephone whose flow is gone, and that has not registered again.
const UNREACHABLE_FOR: Duration = Duration::from_secs(60);

impl Proxy {
    /// A SUBSCRIBE to messages whose sender is known as far as it will be.
    pub(in crate::proxy) fn subscribe(&mut self, now: Instant, arrival: Arrival) {
        let owner = match &arrival.sender {
            Sender::User(address) | Sender::Claimed(address) => {
                AddressOfRecord::new(address.user(), address.domain())
            }
            Sender::Peer { .. } | Sender::Gateway | Sender::Stranger => None,
        };
        let Some(owner) = owner else {
            return self.refuse_arrival(now, &arrival, Refusal::MailboxOfAnother);
        };
        if let Within::Subscription(tag) = self.within_subscription(&arrival.request) {
            let telephone = self.message_waiting.subscriptions.get(&tag);
            return match telephone.is_some_and(|telephone| telephone.owner == owner) {
                true => self.refresh_subscription(now, &arrival, tag),
                false => self.refuse_arrival(now, &arrival, Refusal::MailboxOfAnother),
            };
        }
        match locality::meaning(arrival.request.request_uri(), &self.config) {
            Meaning::User(address) | Meaning::VoiceMail(address) if address == owner => {
                self.accept_subscription(now, arrival, owner);
            }
            Meaning::Pilot => self.accept_subscription(now, arrival, owner),
            // One's own extension is one's own.
            Meaning::User(address) | Meaning::VoiceMail(address) => {
                let by = umbel_store::Lookup::Extension(address.user().to_owned());
                self.ask_name(by, arrival, Purpose::Subscribe(owner));
            }
            Meaning::Ourselves | Meaning::Number(_) | Meaning::Foreign | Meaning::Unsupported => {
                self.refuse_arrival(now, &arrival, Refusal::MailboxOfAnother);
            }
        }
    }

    pub(super) fn accept_subscription(&mut self, now: Instant, arrival: Arrival, owner: AddressOfRecord) {
        if self.message_waiting.servers.is_empty() {
            return self.refuse_arrival(now, &arrival, Refusal::NotFound);
        }
        let mailbox = self.message_waiting.mailbox(&owner);
        let content = mailbox.summary.as_ref().map(MessageSummary::to_body);
        let tag = Tag(self.rng.next_u64());
        let transport = self.endpoint.flow(arrival.flow).map_or(Transport::Tls, |flow| flow.transport);
        let (name, contact) = (tag.to_string(), self.own_contact(transport));
        let local = Local { tag: &name, contact: &contact, flow: Some(arrival.flow) };
        let (subscription, response) = match Subscription::accept(now, &arrival.request, local, content) {
            Ok(accepted) => accepted,
            Err(refusal) => {
                let draft = refusal.draft(&arrival.request, &name);
                self.endpoint.respond(now, arrival.transaction, draft);
                return self.tidy(now, &owner);
            }
        };
        // A telephone that was switched off and on subscribes anew, and knows nothing of before.
        self.forget_subscriptions_of(&owner, &subscription);
        if let Err(refusal) = self.has_room_for_subscription(&owner) {
            self.refuse_arrival(now, &arrival, refusal);
            return self.tidy(now, &owner);
        }
        self.endpoint.respond(now, arrival.transaction, response);
        let is_direct = self.is_direct(&arrival, subscription.subscriber());
        self.in_use.enter(arrival.flow);
        self.message_waiting.mailbox(&owner).subscriptions.push(tag);
        let telephone = Telephone { owner: owner.clone(), subscription, is_direct };
        self.message_waiting.subscriptions.insert(tag, telephone);
        self.tell_telephone(now, tag);
        self.want_upstream(now, &owner);
    }

    /// MWI-2: no more than there may be contacts, and no more than there is room for.
    fn has_room_for_subscription(&self, owner: &AddressOfRecord) -> Result<(), Refusal> {
        let of_owner = self.message_waiting.mailboxes.get(owner);
        if of_owner.is_some_and(|mailbox| mailbox.subscriptions.len() >= SUBSCRIPTIONS_PER_USER_MAX) {
            return Err(Refusal::TooManyContacts);
        }
        if self.message_waiting.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Forgets, without a word, what another subscription from the same contact takes the place of.
    fn forget_subscriptions_of(&mut self, owner: &AddressOfRecord, subscription: &Subscription) {
        let Some(mailbox) = self.message_waiting.mailboxes.get(owner) else { return };
        let is_same = |tag: &&Tag| {
            let other = self.message_waiting.subscriptions.get(tag);
            other
                .is_some_and(|other| other.subscription.subscriber().is_equivalent(subscription.subscriber()))
        };
        let same: Vec<Tag> = mailbox.subscriptions.iter().filter(is_same).copied().collect();
        for tag in same {
            self.forget_subscription(tag);
        }
    }

    /// A SUBSCRIBE within a subscription, from somebody who may.
    pub(in crate::proxy) fn refresh_subscription(&mut self, now: Instant, arrival: &Arrival, tag: Tag) {
        let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) else { return };
        let before = telephone.subscription.flow();
        match telephone.subscription.refresh(now, &arrival.request, Some(arrival.flow)) {
            Ok(response) => {
                self.in_use.enter(arrival.flow);
                if let Some(before) = before {
                    self.in_use.leave(before);
                }
                self.endpoint.respond(now, arrival.transaction, response);
            }
            Err(refusal) => {
                let draft = refusal.draft(&arrival.request, &tag.to_string());
                self.endpoint.respond(now, arrival.transaction, draft);
            }
        }
        self.tell_telephone(now, tag);
    }

    /// Whether a SUBSCRIBE within a subscription comes from where the subscription came from, so that
    /// nothing need be proved again.
    pub(in crate::proxy) fn is_from_subscriber(&self, arrival: &Arrival, tag: Tag) -> bool {
        let telephone = self.message_waiting.subscriptions.get(&tag);
        telephone.is_some_and(|telephone| telephone.subscription.flow() == Some(arrival.flow))
    }

    /// Sends what a subscription has to tell, and buries it where it is over.
    pub(super) fn tell_telephone(&mut self, now: Instant, tag: Tag) {
        let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) else { return };
        let outgoing = telephone.subscription.poll_request();
        let is_over = telephone.subscription.is_over();
        if let Some(outgoing) = outgoing {
            let Some(telephone) = self.message_waiting.subscriptions.get(&tag) else { return };
            let by_address = Some(&outgoing.to.uri).filter(|_| telephone.is_direct);
            let contact = telephone.subscription.subscriber();
            let way = self.way_to(now, &telephone.owner, (contact, outgoing.to.flow, by_address));
            match way {
                Some(target) => {
                    let client = self.endpoint.request(now, outgoing.draft, target);
                    if !is_over {
                        self.message_waiting.asked.insert(client, Asked::Notify(tag));
                    }
                }
                None => self.postpone(now, tag),
            }
        }
        let Some(telephone) = self.message_waiting.subscriptions.get(&tag) else { return };
        match telephone.subscription.poll_timeout() {
            Some(at) => self.message_waiting.timers.arm(Timer::Subscription(tag), at),
            None => {
                let owner = telephone.owner.clone();
                self.forget_subscription(tag);
                self.tidy(now, &owner);
            }
        }
    }

    fn postpone(&mut self, now: Instant, tag: Tag) {
        if let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) {
            telephone.subscription.postpone(now, UNREACHABLE_FOR);
        }
    }

    /// The user has registered: telephones whose flow was lost are there again, and may have missed
    /// something.
    pub(super) fn telephones_are_back(&mut self, now: Instant, owner: &AddressOfRecord) {
        let Some(mailbox) = self.message_waiting.mailboxes.get(owner) else { return };
        let back = |tag: &Tag| {
            let subscription = &self.message_waiting.subscriptions.get(tag)?.subscription;
            let is_up = subscription.flow().is_some_and(|flow| self.endpoint.flow(flow).is_some());
            let way = self.way_to(now, owner, (subscription.subscriber(), None, None));
            match way {
                Some(Target::Flow(flow)) if !is_up => Some((*tag, flow)),
                _ => None,
            }
        };
        let back: Vec<_> = mailbox.subscriptions.iter().filter_map(back).collect();
        for (tag, flow) in back {
            if let Some(telephone) = self.message_waiting.subscriptions.get_mut(&tag) {
                let before = telephone.subscription.flow();
                telephone.subscription.moves(now, flow);
                self.in_use.enter(flow);
                if let Some(before) = before {
                    self.in_use.leave(before);
                }
            }
            self.tell_telephone(now, tag);
        }
    }

    fn forget_subscription(&mut self, tag: Tag) {
        let Some(telephone) = self.message_waiting.subscriptions.remove(&tag) else { return };
        self.message_waiting.timers.disarm(&Timer::Subscription(tag));
        if let Some(flow) = telephone.subscription.flow() {
            self.in_use.leave(flow);
        }
        if let Some(mailbox) = self.message_waiting.mailboxes.get_mut(&telephone.owner) {
            mailbox.subscriptions.retain(|other| *other != tag);
        }
    }
}
