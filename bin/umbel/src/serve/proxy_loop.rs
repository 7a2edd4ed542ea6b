//! The protocol server as a role: its brain and its store.

use std::collections::BTreeSet;
use std::time::Duration;

use umbel_net::{Clock, Stats};
use umbel_node::{FlowId, Input, Output};
use umbel_ocexum::Policy;
use umbel_proxy::{Order, Proxy, Wish};
use umbel_store::{Reply, StoreError};
use umbel_store_sqlite::TicketInbox;
use umbel_time::Instant;

use super::event_loop::Role;
use super::watch::Watch;

/// REL-23: after being told to stop, how long calls that ring, and requests of calls that others end, are
/// passed on.
const DRAIN_PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct ProxyLoop {
    pub(super) proxy: Proxy,
    pub(super) store: TicketInbox,
    pub(super) traffic: Watch,
    pub(super) clock: Clock,
    /// When it was told to stop.
    pub(super) draining_since: Option<Instant>,
}

impl Role for ProxyLoop {
    type Order = Order;
    type Wish = Wish;
    type Brain = Proxy;

    fn brain(&mut self) -> &mut Proxy {
        &mut self.proxy
    }

    fn arrives(&mut self, input: &Input<Order>) {
        self.traffic.arrived(input);
        if let Input::Order(Order::Drain(true)) = input {
            self.draining_since = Some(self.clock.now());
        }
    }

    fn leaves(&mut self, output: &Output<Wish>) {
        self.traffic.leaves(output);
    }

    fn grant(&mut self, wish: Wish) -> Option<Order> {
        match wish {
            Wish::Store { ticket, op } => {
                if self.store.submit(ticket, op).is_err() {
                    return Some(Order::Stored { ticket, reply: Reply::Failed(StoreError::Overloaded) });
                }
            }
            Wish::Keep { .. } => {}
            Wish::Refused(refused) => {
                let umbel_proxy::Refused { refusal, method, source, peer, call_id } = *refused;
                let (code, rule) = (refusal.answer().status.as_u16(), refusal.why());
                let peer = peer.unwrap_or_default();
                tracing::warn!(%source, peer, method, call_id, code, rule, "refused");
            }
            Wish::Server { uri, is_up: true } => tracing::info!(%uri, "answers"),
            Wish::Server { uri, is_up: false } => {
                tracing::warn!(%uri, "does not answer; calls are sent there last until it does");
            }
            Wish::GuesserLocked { source, name } => {
                tracing::warn!(%source, name, "somebody guesses passwords, and waits for answers now");
            }
        }
        None
    }

    fn second(&mut self, clock: Clock, connections: &Stats) -> Order {
        self.traffic.figures(connections);
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

    /// As long as the unified messaging server has calls, their requests pass through here.
    fn is_over(&self, may_end: bool) -> bool {
        let Some(since) = self.draining_since else { return false };
        let is_late = self.clock.now().since(since) > DRAIN_PATIENCE;
        may_end && (self.proxy.is_idle() || is_late)
    }
}
