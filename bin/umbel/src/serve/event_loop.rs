//! The event loop of a role: one screen between its brain and the world.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use umbel_net::{Alarm, Clock, Flows, Stats};
use umbel_node::{FlowId, Input, Node, Output};
use umbel_ocexum::{Policy, TrustedTransport};
use umbel_store::{Op, Ticket};
use umbel_store_sqlite::{Refused, TicketInbox};

/// Orders that wait for a loop; beyond it their senders wait or drop what may be dropped.
pub(super) const ORDERS_MAX: usize = 16_384;
/// Orders taken in one turn, before connections get theirs.
const ORDERS_A_TURN: usize = 64;
/// How often the brain is told what the wall's clock shows.
const WALL_CLOCK: Duration = Duration::from_secs(1);

/// Why a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The role has done what it had to do, and was told to stop.
    Drained,
    /// Every sender of orders is gone.
    Orphaned,
}

/// A brain, and what it has around it besides connections.
pub(super) trait Role {
    type Order: Send + 'static;
    type Wish;
    type Brain: Node<Order = Self::Order, Wish = Self::Wish>;

    fn brain(&mut self) -> &mut Self::Brain;

    /// What has to be told to the brain before anything else.
    fn news(&mut self) -> Option<Self::Order> {
        None
    }

    /// Looks at what the brain is about to be told.
    fn arrives(&mut self, input: &Input<Self::Order>);

    /// Looks at what the brain wants done.
    fn leaves(&mut self, output: &Output<Self::Wish>);

    /// Does what the brain wants done outside SIP; an answer that is there at once is given back.
    fn grant(&mut self, wish: Self::Wish) -> Option<Self::Order>;

    /// Once a second: what the wall's clock shows, to be told to the brain. Takes over the connections' figures.
    fn second(&mut self, clock: Clock, connections: &Stats) -> Self::Order;

    /// The flows that are not idle, however quiet (SEC-58).
    fn flows_in_use(&self) -> BTreeSet<FlowId>;

    /// Whose connections count for what from this order on, where it says so.
    fn policy(order: &Self::Order) -> Option<&Policy>;

    /// The loop has ended: what is left goes where it will be found again.
    fn leave(&mut self) {}

    /// Whether nothing is left to be done, so that the loop may end. `may_end`: nobody else needs it either.
    fn is_over(&self, may_end: bool) -> bool;
}

/// A role with its connections and orders.
pub(super) struct EventLoop<R: Role> {
    pub(super) role: R,
    pub(super) flows: Flows,
    pub(super) clock: Clock,
    pub(super) orders: mpsc::Receiver<R::Order>,
    /// Rings when nobody else needs the role any more.
    pub(super) end: Arc<Notify>,
    /// The flows that were said to be in use.
    pub(super) kept: BTreeSet<FlowId>,
}

/// Who is exempt from the bounds on connections: listed peers, whatever else may skip the PIN.
pub(super) fn trusted_by(policy: Policy, clock: Clock) -> umbel_net::Trusts {
    let policy = Policy { transport: TrustedTransport::ListedPeer, networks: Vec::new(), ..policy };
    Rc::new(move |flow| umbel_ocexum::trust(flow, &policy, clock.unix_time()).transport.is_ok())
}

/// Asks the store. What is only written down for people is not answered: a brain that waited for it would
/// be woken for nothing, some five times a call.
pub(super) fn ask(store: &TicketInbox, ticket: Ticket, op: Op) -> Result<(), Refused> {
    match op {
        Op::Decide(_) | Op::RecordCall(_) => store.note(op),
        _ => store.submit(ticket, op),
    }
}

impl<R: Role> EventLoop<R> {
    pub(super) async fn run(&mut self) -> Ended {
        let mut wall_clock = tokio::time::interval(WALL_CLOCK);
        let end = Arc::clone(&self.end);
        let mut may_end = false;
        let mut alarm = Alarm::new(self.clock);
        loop {
            self.perform();
            if self.role.is_over(may_end) {
                return Ended::Drained;
            }
            alarm.set(self.role.brain().poll_timeout());
            let input = tokio::select! {
                input = self.flows.next() => input,
                order = self.orders.recv() => match order {
                    Some(order) => Input::Order(order),
                    None => return Ended::Orphaned,
                },
                () = alarm.rung() => Input::Timeout,
                _ = wall_clock.tick() => {
                    self.keep_flows_in_use();
                    Input::Order(self.role.second(self.clock, &self.flows.stats()))
                }
                () = end.notified() => {
                    may_end = true;
                    continue;
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

    /// SEC-58: a connection that a call or a registration uses is not idle.
    fn keep_flows_in_use(&mut self) {
        let in_use = self.role.flows_in_use();
        for id in in_use.difference(&self.kept) {
            self.flows.keep(*id, true);
        }
        for id in self.kept.difference(&in_use) {
            self.flows.keep(*id, false);
        }
        self.kept = in_use;
    }

    fn take(&mut self, input: Input<R::Order>) {
        // SEC-08, REL-32: what new settings say of peers counts for connections that are open, too.
        if let Input::Order(order) = &input
            && let Some(policy) = R::policy(order)
        {
            self.flows.set_trusts(trusted_by(policy.clone(), self.clock));
            self.flows.reverify();
        }
        if let Some(news) = self.role.news() {
            self.role.brain().handle(self.clock.now(), Input::Order(news));
        }
        self.role.arrives(&input);
        self.role.brain().handle(self.clock.now(), input);
    }

    /// Does everything the brain wants done.
    fn perform(&mut self) {
        while let Some(output) = self.role.brain().poll_output() {
            self.role.leaves(&output);
            if let Some(wish) = self.flows.perform(output)
                && let Some(order) = self.role.grant(wish)
            {
                self.take(Input::Order(order));
            }
        }
        self.flows.flush();
    }
}
