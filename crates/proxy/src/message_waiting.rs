//! The lamp: what the server knows of its users' mailboxes, and whom it tells (RFC 3842, MWI-1 to MWI-6,
//! REL-40).
//!
//! The server is the state agent of its users. It subscribes at voice mail for everybody who is
//! registered or has subscribed here, takes what voice mail tells unasked as well, and answers its
//! telephones from that:
//!
//! ```text
//!   telephone --SUBSCRIBE-->  subscriptions   [Mailbox: summary]   upstream  --SUBSCRIBE--> voice mail
//!             <---NOTIFY----                                                 <---NOTIFY----
//!   telephone <---NOTIFY----  lamps of contacts that have not subscribed     <---NOTIFY---- (unasked)
//! ```
//!
//! What is not known is never told as zero: a subscription gets a NOTIFY without a body, a contact
//! without a subscription gets none. While voice mail is away, what was known last stays.
//!
//! This room holds the tables; [`crate::proxy`] sends and receives.

pub(crate) mod lamp;
mod queue;
mod servers;

use std::collections::BTreeMap;

use umbel_event_notification::notifier::Subscription;
use umbel_event_notification::{MessageSummary, Subscriber};
use umbel_sip_endpoint::ClientTransaction;
use umbel_sip_message::{AddressOfRecord, Uri};
use umbel_time::Timers;

pub(crate) use lamp::Lamp;
pub(crate) use queue::Queue;
pub(crate) use servers::{Choice, Servers};

/// Subscriptions of one user; one more is refused. As many as there may be contacts.
pub(crate) const SUBSCRIPTIONS_PER_USER_MAX: usize = crate::location::CONTACTS_MAX;
/// Subscriptions of all users; one more gets 503.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 100_000;
/// Users whose summary is remembered though nobody of theirs is here to be told. Of one more it is
/// forgotten, and not known until voice mail is asked.
pub(crate) const REMEMBERED_MAX: usize = 200_000;

/// Everything about the lamps.
pub(crate) struct MessageWaiting {
    /// Users who are registered or have subscribed.
    pub(crate) mailboxes: BTreeMap<AddressOfRecord, Mailbox>,
    /// What voice mail has told unasked of users who are neither.
    pub(crate) remembered: BTreeMap<AddressOfRecord, MessageSummary>,
    /// By our tag.
    pub(crate) subscriptions: BTreeMap<Tag, Telephone>,
    /// Whose subscription of ours at voice mail has this tag.
    pub(crate) upstream_of: BTreeMap<Tag, AddressOfRecord>,
    pub(crate) asked: BTreeMap<ClientTransaction, Asked>,
    pub(crate) queue: Queue,
    pub(crate) servers: Servers,
    pub(crate) timers: Timers<Timer>,
}

/// A tag of ours: 64 random bits (SEC-54), written as sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(pub(crate) u64);

impl Tag {
    /// Reads a tag as we write them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == 16 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| is_ours).map(Tag)
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A user with somebody to tell.
#[derive(Default)]
pub(crate) struct Mailbox {
    /// What waits; none: not known.
    pub(crate) summary: Option<MessageSummary>,
    /// Voice mail tells it without being subscribed to, so that it is worth remembering.
    pub(crate) is_told_unasked: bool,
    /// Subscriptions of the user's telephones.
    pub(crate) subscriptions: Vec<Tag>,
    /// The user's contacts, for those that have not subscribed.
    pub(crate) lamps: Vec<Lamp>,
    /// Our subscription at voice mail.
    pub(crate) upstream: Option<Box<Subscriber>>,
    /// Under which tag it is in [`MessageWaiting::upstream_of`].
    pub(crate) upstream_tag: Option<Tag>,
    /// The voice mail server that it was last sent to.
    pub(crate) server: usize,
}

impl Mailbox {
    /// Whether nobody is there to be told.
    pub(crate) fn is_deserted(&self) -> bool {
        self.subscriptions.is_empty() && self.lamps.is_empty()
    }
}

/// A subscription of a telephone here.
pub(crate) struct Telephone {
    pub(crate) owner: AddressOfRecord,
    pub(crate) subscription: Subscription,
    /// See [`crate::location::Binding::direct`].
    pub(crate) is_direct: bool,
}

/// Whose request it was.
pub(crate) enum Asked {
    /// A NOTIFY of this subscription.
    Notify(Tag),
    /// A NOTIFY to a contact that has not subscribed.
    Lamp(AddressOfRecord, Uri),
    /// A SUBSCRIBE for this user at this server.
    Subscribe(AddressOfRecord, usize),
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The subscription of a telephone wants to be woken.
    Subscription(Tag),
    /// The lamp of a contact wants to be looked at.
    Lamp(AddressOfRecord, Uri),
    /// Our subscription for this user wants to be woken.
    Upstream(AddressOfRecord),
    /// The next of the queue may be sent.
    Queue,
}

impl MessageWaiting {
    /// Nothing is known, and these servers know it, best first.
    pub(crate) fn new<'a>(voice_mail: impl Iterator<Item = &'a Uri>) -> Self {
        MessageWaiting {
            mailboxes: BTreeMap::new(),
            remembered: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            upstream_of: BTreeMap::new(),
            asked: BTreeMap::new(),
            queue: Queue::default(),
            servers: Servers::new(voice_mail),
            timers: Timers::new(),
        }
    }

    /// Whether voice mail has told of this user before, so that there is one.
    pub(crate) fn knows(&self, address: &AddressOfRecord) -> bool {
        self.remembered.contains_key(address)
            || self.mailboxes.get(address).is_some_and(|mailbox| mailbox.summary.is_some())
    }

    /// A mailbox to write into; made with what is remembered of it.
    pub(crate) fn mailbox(&mut self, address: &AddressOfRecord) -> &mut Mailbox {
        let remembered = &mut self.remembered;
        self.mailboxes.entry(address.clone()).or_insert_with(|| {
            let summary = remembered.remove(address);
            Mailbox { is_told_unasked: summary.is_some(), summary, ..Mailbox::default() }
        })
    }

    /// Remembers a summary for later.
    pub(crate) fn remember(&mut self, address: AddressOfRecord, summary: MessageSummary) {
        if self.remembered.len() < REMEMBERED_MAX || self.remembered.contains_key(&address) {
            self.remembered.insert(address, summary);
        }
    }

    /// Whether nothing goes on: what is remembered does not.
    #[cfg(test)]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.mailboxes.is_empty()
            && self.subscriptions.is_empty()
            && self.upstream_of.is_empty()
            && self.asked.is_empty()
            && self.queue.is_empty()
            && self.timers.is_empty()
    }
}
