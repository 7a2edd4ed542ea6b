//! The protocol server as a role: its brain and its store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use umbel_net::{Clock, Stats};
use umbel_node::{FlowId, Input, Output};
use umbel_ocexum::Policy;
use umbel_proxy::{Order, Proxy, Wish};
use umbel_store::{Reply, StoreError};
use umbel_store_sqlite::{TicketInbox, UserChanges};
use umbel_time::Instant;

use super::event_loop::{Role, ask};
use super::proxy_watch::ProxyWatch;
use super::registrations::Keeping;
use super::watch::Watch;

/// REL-23: after being told to stop, how long calls that ring, and requests of calls that others end, are
/// passed on.
const DRAIN_PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct ProxyLoop {
    pub(super) proxy: Proxy,
    pub(super) store: TicketInbox,
    /// How often users have changed, and as it was when the brain was last told.
    pub(super) user_changes: (UserChanges, u64),
    pub(super) traffic: Watch,
    pub(super) watch: ProxyWatch,
    pub(super) keeping: Keeping,
    pub(super) clock: Clock,
    /// When it was told to stop.
    pub(super) draining_since: Option<Instant>,
    /// Rings when no call can go to voice mail any more.
    pub(super) has_answered: Arc<Notify>,
}

impl Role for ProxyLoop {
    type Order = Order;
    type Wish = Wish;
    type Brain = Proxy;

    fn brain(&mut self) -> &mut Proxy {
        &mut self.proxy
    }

    /// DEC-5: whoever was told by this process that a user has changed may rely on it from then on.
    fn news(&mut self) -> Option<Order> {
        let (changes, told) = &mut self.user_changes;
        let count = changes.count();
        (std::mem::replace(told, count) != count).then_some(Order::UsersChanged)
    }

    fn arrives(&mut self, input: &Input<Order>) {
        self.traffic.arrived(input);
        match input {
            Input::Order(Order::Drain(true)) => self.draining_since = Some(self.clock.now()),
            Input::Order(Order::Reload(settings)) => self.watch.reloaded(settings),
            _ => {}
        }
    }

    fn leaves(&mut self, output: &Output<Wish>) {
        self.traffic.leaves(output);
    }

    fn grant(&mut self, wish: Wish) -> Option<Order> {
        match wish {
            Wish::Store { ticket, op } => {
                if ask(&self.store, ticket, op).is_err() {
                    return Some(Order::Stored { ticket, reply: Reply::Failed(StoreError::Overloaded) });
                }
            }
            Wish::Keep(address) => self.keeping.keep(address),
            Wish::Refused(refused) => self.watch.refused(*refused),
            Wish::Server { uri, is_up } => self.watch.server(&uri, is_up),
            Wish::GuesserLocked { source, name } => ProxyWatch::guesser(source, &name),
        }
        None
    }

    fn second(&mut self, clock: Clock, connections: &Stats) -> Order {
        self.traffic.figures(connections);
        let now = clock.now();
        self.keeping.write_some(|address| self.proxy.kept(now, address));
        self.watch.figures(&self.proxy, self.keeping.waiting());
        Order::Clock(clock.unix_time())
    }

    fn flows_in_use(&self) -> BTreeSet<FlowId> {
        self.proxy.flows_in_use().collect()
    }

    fn policy(order: &Order) -> Option<&Policy> {
        match order {
            Order::Reload(settings) => Some(&settings.trust),
            _ => None,
        }
    }

    fn leave(&mut self) {
        let now = self.clock.now();
        self.keeping.write_all(|address| self.proxy.kept(now, address));
    }

    /// As long as the unified messaging server has calls, their requests pass through here; and it waits for
    /// calls that still ring here, which may end in voice mail.
    fn is_over(&self, may_end: bool) -> bool {
        let Some(since) = self.draining_since else { return false };
        let is_late = self.clock.now().since(since) > DRAIN_PATIENCE;
        let has_answered = self.proxy.has_answered_all() || is_late;
        if has_answered {
            self.has_answered.notify_one();
        }
        may_end && has_answered
    }
}
