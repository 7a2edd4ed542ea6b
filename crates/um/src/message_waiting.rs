//! Message waiting: telephones show what is in the mailbox (9.5, RFC 3842).
//!
//! The store is what lamps follow, not the calls: a message that another program deletes turns the light off, too
//! (REL-40, I6). It is looked at every second for what changed, and walked through at the start and every six hours
//! for what may have been missed. What is known goes two ways:
//!
//! | to | how |
//! |---|---|
//! | the peers of [`crate::Config::notified`] | NOTIFY without a subscription (MWI-1), see `lamps` |
//! | whoever subscribed to the own mailbox | NOTIFY within a subscription (MWI-2), see `subscriptions` |
//!
//! While the store cannot tell, nobody is told anything: not known is not zero.

mod changes;
mod lamps;
mod subscriptions;
mod summary;

use std::collections::BTreeMap;
use std::time::Duration;

use umbel_event_notification::notifier::{Local, Reason, Subscription};
use umbel_ocexum::{Identity, trust};
use umbel_sip_message::Uri;
use umbel_store::{Address, Op, Refusal as StoreRefusal, Reply, StoreError, Ticket};
use umbel_time::{Instant, Timers};
use umbel_ua::{Command, Outcome, Received, RequestKey, Standing};

use crate::counter::{Counter, Questions};
use crate::names::Named;
use crate::refusal::Refusal;
use crate::search::Search;

use changes::{Changes, Looked};
use lamps::{Lamps, PeerNumber};
use subscriptions::Subscriptions;

/// How often the store is asked for what changed: MWI-1 gives two seconds for all of it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// REL-40: a walk asks for a page of [`umbel_store::CHANGES_MAX`] mailboxes so often, so that telephones get
/// 400 notifications a second at the most.
const WALK_STEP_EVERY: Duration = Duration::from_millis(250);
/// MWI-6: "Refresh every 6 h".
const WALK_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// When the server stops: after so long, subscribers may try again.
const RESUBSCRIBE_AFTER: Duration = Duration::from_secs(10);
/// Mailboxes whose counts are asked for at once after the store was away; the others have their turn a second later.
const RECOUNTS_MAX: usize = 100;

/// All lamps.
#[derive(Debug)]
pub(crate) struct MessageWaiting {
    changes: Changes,
    lamps: Lamps,
    subscriptions: Subscriptions,
    /// SUBSCRIBEs that are being looked into. Their bound is that of the user agent
    /// ([`umbel_ua::RECEIVED_MAX`]).
    subscribing: BTreeMap<RequestKey, Subscribing>,
    questions: Questions<Question>,
    /// What our requests are, by the names they were given.
    sent: BTreeMap<umbel_ua::Ticket, Sent>,
    last_sent: u64,
    timers: Timers<Timer>,
    /// Gateways that are down: of [`umbel_ua::GATEWAYS_MAX`] that are watched at the most.
    down: Vec<Uri>,
}

/// What an operator wants to know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LampFigures {
    /// Subscriptions that are active.
    pub subscriptions: usize,
    /// Notifications without a subscription that were taken.
    pub told: u64,
    /// Those that were not.
    pub failed: u64,
    /// Lamps that are not as they should be yet.
    pub waiting: usize,
}

#[derive(Debug)]
enum Question {
    /// What changed?
    Look,
    /// What is in the next mailboxes of the walk, after this change?
    Step { after: u64 },
    /// Who has this name?
    Who { key: RequestKey, named: Named, rank: usize },
    /// What is in the mailbox that somebody subscribes to?
    Count { key: RequestKey, mailbox: Address },
    /// What is in this mailbox now?
    Recount { mailbox: Address },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Look,
    Step,
    Walk,
}

#[derive(Debug)]
enum Sent {
    /// In the subscription with this tag.
    Subscribed(String),
    /// Without a subscription.
    Unsolicited(PeerNumber, Address),
}

/// A SUBSCRIBE outside a dialog.
struct Subscribing {
    received: Box<Received>,
    /// Whose mailbox: the Request-URI.
    wanted: Named,
    /// Who asks: an identity that a listed peer asserts.
    by: Named,
    search: Search,
    address: OurAddress,
}

impl std::fmt::Debug for Subscribing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} wants {:?}", self.by, self.wanted)
    }
}

/// What we call ourselves in a dialog.
#[derive(Clone, Debug)]
pub(crate) struct OurAddress {
    /// A tag that was never used.
    pub(crate) tag: String,
    /// The value of Contact.
    pub(crate) contact: String,
}

impl MessageWaiting {
    pub(crate) fn new() -> Self {
        MessageWaiting {
            changes: Changes::default(),
            lamps: Lamps::default(),
            subscriptions: Subscriptions::new(),
            subscribing: BTreeMap::new(),
            questions: Questions::new(),
            sent: BTreeMap::new(),
            last_sent: 0,
            timers: Timers::new(),
            down: Vec::new(),
        }
    }

    /// Whether all lamps are as they should be, and nobody waits for an answer. Subscriptions may go on.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.subscribing.is_empty() && self.lamps.is_at_rest() && self.sent.is_empty()
    }

    pub(crate) fn figures(&self) -> LampFigures {
        LampFigures {
            subscriptions: self.subscriptions.count(),
            told: self.lamps.told,
            failed: self.lamps.failed,
            waiting: self.lamps.waiting(),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [
            self.timers.next(),
            self.questions.next(),
            self.subscriptions.poll_timeout(),
            self.lamps.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The settings are these from now on. Who is new among those to be told is told everything.
    pub(crate) fn configure(&mut self, counter: &mut Counter<'_>) {
        self.down.retain(|gateway| counter.config.gateways.contains(gateway));
        // Before the first look there is nothing to walk over; it begins a walk itself.
        if self.lamps.set_peers(&counter.config.notified) && self.changes.has_looked() {
            self.begin_walk(counter.now);
        }
        self.follow(counter.now);
    }

    /// A gateway is up or down. When one is up again, what its telephones show may be old.
    pub(crate) fn gateway(&mut self, now: Instant, gateway: &Uri, standing: Standing) {
        match standing {
            Standing::Down if !self.down.contains(gateway) => self.down.push(gateway.clone()),
            Standing::Down => {}
            Standing::Up => {
                let before = self.down.len();
                self.down.retain(|down| down != gateway);
                if self.down.len() < before && self.lamps.has_peers() {
                    self.begin_walk(now);
                }
            }
        }
    }

    /// REL-23: we are about to stop. Those who subscribed come back to whoever runs then.
    pub(crate) fn drain(&mut self, counter: &mut Counter<'_>) {
        self.subscriptions.end_all(Reason::Probation(RESUBSCRIBE_AFTER));
        self.send(counter);
    }

    /// A SUBSCRIBE came.
    pub(crate) fn received(
        &mut self,
        key: RequestKey,
        received: Box<Received>,
        address: OurAddress,
        counter: &mut Counter<'_>,
    ) {
        let identity = trust(&received.transport, &counter.config.trust, counter.wall).identity;
        let refusal = match identity {
            // DEC-8: nobody is challenged; strangers are told nothing of anybody's mailbox.
            Identity::Unlisted | Identity::Gateway => Some(Refusal::Unlisted),
            Identity::Listed if counter.is_draining => Some(Refusal::Draining),
            Identity::Listed => None,
        };
        match refusal {
            Some(refusal) => counter.refuse(key, &received.request, &refusal),
            None if received.request.headers().to().tag().is_some() => self.refresh(key, &received, counter),
            None => self.subscribe(key, received, address, counter),
        }
        self.send(counter);
    }

    /// RFC 6665 4.2.1.2: a SUBSCRIBE within a dialog.
    fn refresh(&mut self, key: RequestKey, received: &Received, counter: &mut Counter<'_>) {
        let request = &received.request;
        let Some((subscription, mailbox)) = self.subscriptions.find(request) else {
            let refusal = umbel_event_notification::Refusal::NoSuchSubscription;
            return counter.respond(key, refusal.draft(request, ""));
        };
        let tag = subscription.tag().to_owned();
        match subscription.refresh(counter.now, request, Some(received.flow)) {
            Ok(response) => {
                counter.respond(key, response);
                self.subscriptions.refreshed(&tag);
                // The mailbox may be gone, of which no change tells.
                self.questions.ask(
                    Question::Recount { mailbox: mailbox.clone() },
                    Op::CountMessages(mailbox),
                    counter,
                );
            }
            Err(refusal) => counter.respond(key, refusal.draft(request, &tag)),
        }
    }

    /// MWI-3: who asks, and for whose mailbox?
    fn subscribe(
        &mut self,
        key: RequestKey,
        received: Box<Received>,
        address: OurAddress,
        counter: &mut Counter<'_>,
    ) {
        let locality = &counter.config.locality;
        let asserted = received.request.headers().asserted_identities().unwrap_or_default();
        // Without somebody who vouches for the caller it is nobody: From can be written by anybody.
        let Some(by) = asserted.first().map(|address| locality.named(address.uri)) else {
            return counter.refuse(key, &received.request, &Refusal::NotOwner);
        };
        // A pilot is everybody's own mailbox.
        let wanted = match locality.named(received.request.request_uri()) {
            Named::Pilot => by.clone(),
            named => named,
        };
        let mut questions = Vec::new();
        let search = Search::begin([&by, &wanted], &locality.domain, |named, rank, lookup| {
            questions.push((Question::Who { key, named, rank }, Op::FindUser(lookup)));
        });
        self.subscribing.insert(key, Subscribing { received, wanted, by, search, address });
        for (question, op) in questions {
            self.questions.ask(question, op, counter);
        }
        self.judge(key, counter);
    }

    /// Once it is known who is who, the own mailbox is looked into, and any other refused.
    fn judge(&mut self, key: RequestKey, counter: &mut Counter<'_>) {
        let Some(subscribing) = self.subscribing.get_mut(&key) else { return };
        let people = match subscribing.search.people() {
            None => return,
            Some(people) => people,
        };
        let mailbox = people.and_then(|people| {
            let wanted = people.user(&subscribing.wanted).ok_or(Refusal::NoSuchMailbox)?;
            let by = people.user(&subscribing.by).ok_or(Refusal::NotOwner)?;
            let is_own = wanted.address() == by.address();
            if is_own { Ok(wanted.address().clone()) } else { Err(Refusal::NotOwner) }
        });
        let mailbox = mailbox.and_then(|mailbox| {
            if self.subscriptions.has_room(&mailbox) { Ok(mailbox) } else { Err(Refusal::Busy) }
        });
        match mailbox {
            Ok(mailbox) => {
                let question = Question::Count { key, mailbox: mailbox.clone() };
                self.questions.ask(question, Op::CountMessages(mailbox), counter);
            }
            Err(refusal) => {
                counter.refuse(key, &subscribing.received.request, &refusal);
                self.subscribing.remove(&key);
            }
        }
    }

    /// MWI-2: 200, and a NOTIFY at once; without a body where the store cannot tell.
    fn accept(&mut self, key: RequestKey, mailbox: Address, reply: &Reply, counter: &mut Counter<'_>) {
        let Some(Subscribing { received, address, .. }) = self.subscribing.remove(&key) else { return };
        let request = &received.request;
        let content = match reply {
            Reply::Counts(counts) => Some(summary::body(&mailbox, *counts)),
            Reply::Failed(StoreError::Refused(StoreRefusal::NoSuchUser)) => {
                return counter.refuse(key, request, &Refusal::NoSuchMailbox);
            }
            _ => None,
        };
        let is_unknown = content.is_none();
        let local = Local { tag: &address.tag, contact: &address.contact, flow: Some(received.flow) };
        match Subscription::accept(counter.now, request, local, content) {
            Ok((subscription, response)) => {
                counter.respond(key, response);
                self.subscriptions.add(mailbox, subscription, is_unknown);
                self.follow(counter.now);
            }
            Err(refusal) => counter.respond(key, refusal.draft(request, &address.tag)),
        }
    }

    /// The store replied; gives the reply back where it was not to us.
    pub(crate) fn replied(
        &mut self,
        ticket: Ticket,
        reply: Reply,
        counter: &mut Counter<'_>,
    ) -> Option<Reply> {
        let Some(question) = self.questions.answered(ticket) else { return Some(reply) };
        self.answered(question, reply, counter);
        self.send(counter);
        None
    }

    fn answered(&mut self, question: Question, reply: Reply, counter: &mut Counter<'_>) {
        match (question, reply) {
            (Question::Look, Reply::MailboxChanges(changes)) => {
                for change in &changes.changed {
                    self.lamps.tell(change);
                    let content = summary::body(&change.address, change.counts);
                    self.subscriptions.change(counter.now, &change.address, &content);
                }
                match self.changes.looked(&changes) {
                    Looked::More => self.look(counter),
                    Looked::AllSeen => self.recount(counter),
                    Looked::First => self.looked_first(counter),
                }
            }
            (Question::Step { after }, Reply::MailboxChanges(changes)) => {
                for change in self.changes.stepped(after, changes) {
                    self.lamps.tell(&change);
                }
            }
            (Question::Who { key, named, rank }, reply) => {
                if let Some(subscribing) = self.subscribing.get_mut(&key) {
                    subscribing.search.replied(named, rank, reply);
                    self.judge(key, counter);
                }
            }
            (Question::Count { key, mailbox }, reply) => self.accept(key, mailbox, &reply, counter),
            (Question::Recount { mailbox }, Reply::Counts(counts)) => {
                let content = summary::body(&mailbox, counts);
                self.subscriptions.change(counter.now, &mailbox, &content);
            }
            (Question::Recount { mailbox }, Reply::Failed(StoreError::Refused(StoreRefusal::NoSuchUser))) => {
                self.subscriptions.end(&mailbox);
            }
            // The store is away: what it could not tell is asked for again by the next look or step.
            (Question::Look | Question::Step { .. } | Question::Recount { .. }, _) => {}
        }
    }

    /// What was subscribed to before it was known where to look from may have changed in between.
    fn looked_first(&mut self, counter: &mut Counter<'_>) {
        let mailboxes: Vec<Address> = self.subscriptions.mailboxes().take(RECOUNTS_MAX).cloned().collect();
        for mailbox in mailboxes {
            let question = Question::Recount { mailbox: mailbox.clone() };
            self.questions.ask(question, Op::CountMessages(mailbox), counter);
        }
        if self.lamps.has_peers() {
            self.begin_walk(counter.now);
        }
    }

    /// The store is there, and may know what it did not tell before.
    fn recount(&mut self, counter: &mut Counter<'_>) {
        for mailbox in self.subscriptions.unknown().into_iter().take(RECOUNTS_MAX) {
            let question = Question::Recount { mailbox: mailbox.clone() };
            self.questions.ask(question, Op::CountMessages(mailbox), counter);
        }
    }

    /// What became of a request of ours.
    pub(crate) fn completed(
        &mut self,
        ticket: umbel_ua::Ticket,
        outcome: &Outcome,
        counter: &mut Counter<'_>,
    ) {
        let has_missed_something = match self.sent.remove(&ticket) {
            Some(Sent::Subscribed(tag)) => {
                self.subscriptions.completed(counter.now, &tag, outcome);
                false
            }
            Some(Sent::Unsolicited(peer, mailbox)) => {
                self.lamps.completed(counter.now, peer, &mailbox, outcome)
            }
            None => false,
        };
        if has_missed_something {
            self.begin_walk(counter.now);
        }
        self.send(counter);
    }

    /// Time has passed.
    pub(crate) fn fire(&mut self, counter: &mut Counter<'_>) {
        while let Some(question) = self.questions.overdue(counter.now) {
            self.answered(question, Reply::Failed(StoreError::Overloaded), counter);
        }
        self.subscriptions.fire(counter.now);
        while let Some(timer) = self.timers.expired(counter.now) {
            match timer {
                Timer::Look => self.look(counter),
                Timer::Step => self.step(counter),
                Timer::Walk => self.begin_walk(counter.now),
            }
        }
        self.send(counter);
    }

    /// Begins to look at the store, unless that goes on already.
    fn follow(&mut self, now: Instant) {
        if self.is_needed() && self.timers.deadline(&Timer::Look).is_none() {
            self.timers.arm(Timer::Look, now);
        }
    }

    /// Whether anybody is told anything.
    fn is_needed(&self) -> bool {
        self.lamps.has_peers() || self.subscriptions.count() > 0
    }

    fn look(&mut self, counter: &mut Counter<'_>) {
        if !self.is_needed() {
            // A server without lamps leaves the store alone.
            self.timers.disarm(&Timer::Look);
            return self.changes.forget();
        }
        self.timers.arm(Timer::Look, counter.now + LOOK_EVERY);
        let is_asked = self.questions.iter().any(|question| matches!(question, Question::Look));
        if !is_asked {
            let op = Op::ListChangedMailboxes { after: self.changes.after() };
            self.questions.ask(Question::Look, op, counter);
        }
    }

    /// MWI-6, REL-40: all lamps are set anew.
    fn begin_walk(&mut self, now: Instant) {
        self.changes.walk();
        self.timers.arm(Timer::Walk, now + WALK_EVERY);
        self.timers.arm(Timer::Step, now);
    }

    fn step(&mut self, counter: &mut Counter<'_>) {
        let Some(after) = self.changes.walked_to() else { return };
        self.timers.arm(Timer::Step, counter.now + WALK_STEP_EVERY);
        let is_asked = self.questions.iter().any(|question| matches!(question, Question::Step { .. }));
        if !is_asked && self.lamps.has_room() {
            self.questions.ask(Question::Step { after }, Op::ListChangedMailboxes { after }, counter);
        }
    }

    /// Sends what may be sent now.
    fn send(&mut self, counter: &mut Counter<'_>) {
        while let Some((tag, outgoing)) = self.subscriptions.poll_request() {
            let ticket = self.note(Sent::Subscribed(tag));
            counter.command(Command::Send {
                ticket,
                request: Box::new(outgoing.draft),
                flow: outgoing.to.flow,
                hop: outgoing.to.uri,
            });
        }
        while let Some(notice) = self.lamps.next(counter.now) {
            let Some(request) = summary::unsolicited(&notice, &counter.config.locality) else {
                self.lamps.unwritable(notice.peer, &notice.mailbox);
                continue;
            };
            let ticket = self.note(Sent::Unsolicited(notice.peer, notice.mailbox));
            counter.command(Command::Request { ticket, request: Box::new(request) });
        }
    }

    fn note(&mut self, sent: Sent) -> umbel_ua::Ticket {
        self.last_sent += 1;
        let ticket = umbel_ua::Ticket(self.last_sent);
        self.sent.insert(ticket, sent);
        ticket
    }
}
