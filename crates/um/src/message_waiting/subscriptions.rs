//! Those who subscribed to a lamp (MWI-2): one mailbox each, the own one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use umbel_event_notification::Outgoing;
use umbel_event_notification::notifier::{Reason, Subscription};
use umbel_sip_message::Request;
use umbel_store::Address;
use umbel_time::{Instant, Timers};
use umbel_ua::Outcome;

/// Subscriptions at once; one more gets 503 with Retry-After.
pub(super) const SUBSCRIPTIONS_MAX: usize = 20_000;
/// Subscriptions to one mailbox; likewise. Nobody has more telephones.
pub(super) const SUBSCRIPTIONS_OF_MAILBOX_MAX: usize = 20;

/// All subscriptions, by our tag in their dialogs.
#[derive(Debug)]
pub(super) struct Subscriptions {
    by_tag: BTreeMap<String, Subscribed>,
    by_mailbox: BTreeMap<Address, BTreeSet<String>>,
    timers: Timers<String>,
    /// NOTIFYs that are to be sent, by the tags of their dialogs.
    outgoing: VecDeque<(String, Outgoing)>,
}

#[derive(Debug)]
struct Subscribed {
    mailbox: Address,
    subscription: Subscription,
    /// The store could not tell what is in the mailbox.
    is_unknown: bool,
}

impl Subscriptions {
    pub(super) fn new() -> Self {
        Subscriptions {
            by_tag: BTreeMap::new(),
            by_mailbox: BTreeMap::new(),
            timers: Timers::new(),
            outgoing: VecDeque::new(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.by_tag.len()
    }

    /// Whether there is room for one more to this mailbox.
    pub(super) fn has_room(&self, mailbox: &Address) -> bool {
        let of_mailbox = self.by_mailbox.get(mailbox).map_or(0, BTreeSet::len);
        self.by_tag.len() < SUBSCRIPTIONS_MAX && of_mailbox < SUBSCRIPTIONS_OF_MAILBOX_MAX
    }

    /// The subscription that a SUBSCRIBE within a dialog is of, and its mailbox.
    pub(super) fn find(&mut self, request: &Request) -> Option<(&mut Subscription, Address)> {
        let subscribed = self.by_tag.get_mut(request.headers().to().tag()?)?;
        let owned = subscribed.subscription.owns(request);
        owned.then(|| (&mut subscribed.subscription, subscribed.mailbox.clone()))
    }

    /// A subscription was accepted.
    pub(super) fn add(&mut self, mailbox: Address, subscription: Subscription, is_unknown: bool) {
        let tag = subscription.tag().to_owned();
        self.by_mailbox.entry(mailbox.clone()).or_default().insert(tag.clone());
        self.by_tag.insert(tag.clone(), Subscribed { mailbox, subscription, is_unknown });
        self.see_to(&tag);
    }

    /// A SUBSCRIBE within this dialog was answered.
    pub(super) fn refreshed(&mut self, tag: &str) {
        self.see_to(tag);
    }

    /// What is in a mailbox is this from now on.
    pub(super) fn change(&mut self, now: Instant, mailbox: &Address, content: &Bytes) {
        for tag in self.of(mailbox) {
            if let Some(subscribed) = self.by_tag.get_mut(&tag) {
                subscribed.is_unknown = false;
                subscribed.subscription.change(now, Some(content.clone()));
            }
            self.see_to(&tag);
        }
    }

    /// Ends all subscriptions to a mailbox that is no more.
    pub(super) fn end(&mut self, mailbox: &Address) {
        for tag in self.of(mailbox) {
            if let Some(subscribed) = self.by_tag.get_mut(&tag) {
                subscribed.subscription.terminate(Reason::NoResource);
            }
            self.see_to(&tag);
        }
    }

    /// Ends all subscriptions, for this reason.
    pub(super) fn end_all(&mut self, reason: Reason) {
        for tag in self.by_tag.keys().cloned().collect::<Vec<_>>() {
            if let Some(subscribed) = self.by_tag.get_mut(&tag) {
                subscribed.subscription.terminate(reason);
            }
            self.see_to(&tag);
        }
    }

    /// What became of a NOTIFY.
    pub(super) fn completed(&mut self, now: Instant, tag: &str, outcome: &Outcome) {
        // Of one that has ended meanwhile, nobody waits for the answer.
        let Some(subscribed) = self.by_tag.get_mut(tag) else { return };
        match outcome {
            Outcome::Final(response) => subscribed.subscription.responded(now, response),
            Outcome::NoResponse | Outcome::TransportFailed | Outcome::Abandoned => {
                subscribed.subscription.failed();
            }
        }
        self.see_to(tag);
    }

    /// Time has passed.
    pub(super) fn fire(&mut self, now: Instant) {
        while let Some(tag) = self.timers.expired(now) {
            if let Some(subscribed) = self.by_tag.get_mut(&tag) {
                subscribed.subscription.wake(now);
            }
            self.see_to(&tag);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next NOTIFY to be sent, and the tag of its dialog.
    pub(super) fn poll_request(&mut self) -> Option<(String, Outgoing)> {
        self.outgoing.pop_front()
    }

    /// All mailboxes that somebody subscribed to.
    pub(super) fn mailboxes(&self) -> impl Iterator<Item = &Address> {
        self.by_mailbox.keys()
    }

    /// The mailboxes of which the store could not tell what is in them.
    pub(super) fn unknown(&self) -> BTreeSet<Address> {
        let unknown = self.by_tag.values().filter(|subscribed| subscribed.is_unknown);
        unknown.map(|subscribed| subscribed.mailbox.clone()).collect()
    }

    fn of(&self, mailbox: &Address) -> BTreeSet<String> {
        self.by_mailbox.get(mailbox).cloned().unwrap_or_default()
    }

    /// Takes what a subscription wants sent, notes when it wants to be woken, and forgets it when it is over.
    fn see_to(&mut self, tag: &str) {
        let Some(subscribed) = self.by_tag.get_mut(tag) else { return };
        if let Some(outgoing) = subscribed.subscription.poll_request() {
            self.outgoing.push_back((tag.to_owned(), outgoing));
        }
        match subscribed.subscription.poll_timeout() {
            Some(at) => self.timers.arm(tag.to_owned(), at),
            None => {
                self.timers.disarm(&tag.to_owned());
            }
        }
        if subscribed.subscription.is_over() {
            let Some(Subscribed { mailbox, .. }) = self.by_tag.remove(tag) else { return };
            if let Some(tags) = self.by_mailbox.get_mut(&mailbox) {
                tags.remove(tag);
                if tags.is_empty() {
                    self.by_mailbox.remove(&mailbox);
                }
            }
        }
    }
}
