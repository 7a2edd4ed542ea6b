//! What the server works with beside calls: the time, the settings, the tray, and questions to the store.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_sip_message::{Draft, Request};
use umbel_store::{Op, Ticket};
use umbel_time::{Instant, Timers, UnixTime};
use umbel_ua::{Command, RequestKey};

use crate::Config;
use crate::desk::{REPLY_PATIENCE, RETRY_AFTER_MAX, Tray};
use crate::order::Wish;
use crate::refusal::Refusal;

/// The counter, for one turn: where those are served who do not call.
pub(crate) struct Counter<'a> {
    pub(crate) now: Instant,
    pub(crate) wall: UnixTime,
    pub(crate) config: &'a Config,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) tray: &'a mut Tray,
    /// REL-23: we are about to stop.
    pub(crate) is_draining: bool,
}

impl Counter<'_> {
    /// Orders something of the user agent.
    pub(crate) fn command(&mut self, command: Command) {
        self.tray.commands.push_back(command);
    }

    /// Answers a request.
    pub(crate) fn respond(&mut self, request: RequestKey, response: Draft) {
        self.command(Command::Respond { request, response: Box::new(response) });
    }

    /// Refuses a request.
    pub(crate) fn refuse(&mut self, key: RequestKey, request: &Request, refusal: &Refusal) {
        let mut response = Draft::reply(request, refusal.status());
        let retry_after = 1 + self.rng.next_u32() % RETRY_AFTER_MAX;
        for (name, value) in refusal.headers(retry_after, &self.config.locality.domain) {
            response.push(name, value);
        }
        self.respond(key, response);
    }
}

/// What the store was asked, and how long its answer is waited for.
#[derive(Debug)]
pub(crate) struct Questions<Q> {
    asked: BTreeMap<Ticket, Q>,
    patience: Timers<Ticket>,
}

impl<Q> Questions<Q> {
    pub(crate) fn new() -> Self {
        Questions { asked: BTreeMap::new(), patience: Timers::new() }
    }

    /// Asks the store.
    pub(crate) fn ask(&mut self, question: Q, op: Op, counter: &mut Counter<'_>) {
        let ticket = counter.tray.fresh_ticket();
        self.asked.insert(ticket, question);
        self.patience.arm(ticket, counter.now + REPLY_PATIENCE);
        counter.tray.wishes.push_back(Wish::Store { ticket, op });
    }

    /// What this is the answer to, if it is one to us, and was not given up.
    pub(crate) fn answered(&mut self, ticket: Ticket) -> Option<Q> {
        self.patience.disarm(&ticket);
        self.asked.remove(&ticket)
    }

    /// A question whose answer is overdue: it has failed.
    pub(crate) fn overdue(&mut self, now: Instant) -> Option<Q> {
        let ticket = self.patience.expired(now)?;
        self.asked.remove(&ticket)
    }

    /// When the next one is overdue.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.patience.next()
    }

    /// All that are open.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Q> {
        self.asked.values()
    }
}
