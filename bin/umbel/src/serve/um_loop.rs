//! The event loop of the unified messaging server: one screen between the brain and the world.

use std::collections::BTreeSet;
use std::rc::Rc;

use tokio::sync::mpsc;
use umbel_net::{Clock, Flows};
use umbel_node::{FlowId, Input, Node};
use umbel_ocexum::{Policy, TrustedTransport};
use umbel_store::{Reply, StoreError};
use umbel_store_sqlite::Inbox;
use umbel_um::{MediaKey, NoSockets, Order, Um, Wish};

use super::media_worker::MediaWorkers;
use super::watch::Watch;

/// Orders that wait for the loop; beyond it their senders wait or drop what may be dropped.
pub(super) const ORDERS_MAX: usize = 16_384;
/// Orders taken in one turn, before connections get theirs.
const ORDERS_A_TURN: usize = 64;
/// How often the brain is told what the wall's clock shows.
const WALL_CLOCK: std::time::Duration = std::time::Duration::from_secs(1);

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// No call is left, and all that was recorded is saved.
    Drained,
    /// Every sender of orders is gone.
    Orphaned,
}

/// What the loop drives and carries between.
pub(super) struct UmLoop {
    pub(super) um: Um,
    pub(super) flows: Flows,
    pub(super) clock: Clock,
    pub(super) media: MediaWorkers<MediaKey>,
    pub(super) store: Inbox,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) watch: Watch,
    /// The flows that are not idle, because calls go along them.
    pub(super) kept: BTreeSet<FlowId>,
}

/// Who is exempt from the bounds on connections: listed peers, whatever else may skip the PIN.
pub(super) fn trusted_by(policy: Policy, clock: Clock) -> umbel_net::Trusts {
    let policy = Policy { transport: TrustedTransport::ListedPeer, networks: Vec::new(), ..policy };
    Rc::new(move |flow| umbel_ocexum::trust(flow, &policy, clock.unix_time()).transport.is_ok())
}

impl UmLoop {
    pub(super) async fn run(&mut self) -> Ended {
        let mut wall_clock = tokio::time::interval(WALL_CLOCK);
        loop {
            if let Some(ended) = self.perform() {
                return ended;
            }
            let wake = self.um.poll_timeout();
            let input = tokio::select! {
                input = self.flows.next() => input,
                order = self.orders.recv() => match order {
                    Some(order) => Input::Order(order),
                    None => return Ended::Orphaned,
                },
                () = self.clock.sleep_until(wake) => Input::Timeout,
                _ = wall_clock.tick() => {
                    self.keep_flows_of_calls();
                    self.watch.figures(&self.flows.stats(), &self.media.totals(), self.media.calls());
                    Input::Order(Order::Clock(self.clock.unix_time()))
                }
            };
            self.take(input);
            self.take_what_else_is_here();
        }
    }

    /// One turn takes all that has come meanwhile, within bounds, so that answers leave together.
    fn take_what_else_is_here(&mut self) {
        for _ in 0..umbel_net::limits::TURN_MAX {
            let Some(input) = self.flows.try_next() else { break };
            self.take(input);
        }
        for _ in 0..ORDERS_A_TURN {
            let Ok(order) = self.orders.try_recv() else { break };
            self.take(Input::Order(order));
        }
    }

    /// SEC-58: a connection that a call goes along is not idle, however quiet.
    fn keep_flows_of_calls(&mut self) {
        let in_use: BTreeSet<FlowId> = self.um.flows_in_use().collect();
        for id in in_use.difference(&self.kept) {
            self.flows.keep(*id, true);
        }
        for id in self.kept.difference(&in_use) {
            self.flows.keep(*id, false);
        }
        self.kept = in_use;
    }

    /// SEC-08, REL-32: what the new settings say of peers counts for connections that are open, too.
    fn judge_connections(&self, settings: &umbel_um::Config) {
        let (policy, clock) = (settings.trust.clone(), self.clock);
        self.flows.set_trusts(trusted_by(policy, clock));
        self.flows.reverify();
    }

    fn take(&mut self, input: Input<Order>) {
        if let Input::Order(Order::Reload(settings)) = &input {
            self.judge_connections(settings);
        }
        self.watch.arrived(&input);
        self.um.handle(self.clock.now(), input);
    }

    /// Does everything the brain wants done.
    fn perform(&mut self) -> Option<Ended> {
        while let Some(output) = self.um.poll_output() {
            self.watch.leaves(&output);
            match self.flows.perform(output) {
                Some(Wish::Drained) => return Some(Ended::Drained),
                Some(wish) => self.grant(wish),
                None => {}
            }
        }
        self.flows.flush();
        None
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::OpenMedia { key } => {
                let at = self.media.open(key).map_err(|error| {
                    tracing::warn!(%error, "no sockets for a call");
                    NoSockets
                });
                self.take(Input::Order(Order::MediaOpened { key, at }));
            }
            Wish::Media { key, command } => self.media.order(key, command),
            Wish::CloseMedia { key } => self.media.close(key),
            Wish::Store { ticket, op } => {
                if self.store.submit(ticket, op).is_err() {
                    let reply = Reply::Failed(StoreError::Overloaded);
                    self.take(Input::Order(Order::Stored { ticket, reply }));
                }
            }
            Wish::Alarm(alarm) => self.watch.alarm(&alarm),
            Wish::Gateway { gateway, standing } => self.watch.gateway(&gateway, standing),
            Wish::Drained => unreachable!("it ends the loop before it gets here"),
        }
    }
}
