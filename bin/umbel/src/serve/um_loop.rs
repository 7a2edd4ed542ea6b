//! The unified messaging server as a role: its brain, its media threads and its store.

use std::collections::BTreeSet;

use umbel_net::{Clock, Stats};
use umbel_node::{FlowId, Input, Output};
use umbel_ocexum::Policy;
use umbel_store::{Reply, StoreError};
use umbel_store_sqlite::TicketInbox;
use umbel_um::{MediaKey, NoSockets, Order, Um, Wish};
use umbel_web::PhoneCalls;

use super::event_loop::{Role, ask};
use super::media_worker::MediaWorkers;
use super::watch::{UmWatch, Watch};

pub(super) struct UmLoop {
    pub(super) um: Um,
    pub(super) media: MediaWorkers<MediaKey>,
    pub(super) store: TicketInbox,
    pub(super) traffic: Watch,
    pub(super) watch: UmWatch,
    /// Whoever asked for calls hears of them here.
    pub(super) phone_calls: PhoneCalls,
    /// No call is left, and all that was recorded is saved.
    pub(super) is_drained: bool,
}

impl Role for UmLoop {
    type Order = Order;
    type Wish = Wish;
    type Brain = Um;

    fn brain(&mut self) -> &mut Um {
        &mut self.um
    }

    fn arrives(&mut self, input: &Input<Order>) {
        self.traffic.arrived(input);
        if let Input::Order(Order::Stored { reply, .. }) = input {
            self.watch.stored(reply);
        }
    }

    fn leaves(&mut self, output: &Output<Wish>) {
        self.traffic.leaves(output);
        if let Output::Wish(Wish::Store { op, .. }) = output {
            self.watch.stores(op);
        }
    }

    fn grant(&mut self, wish: Wish) -> Option<Order> {
        match wish {
            Wish::OpenMedia { key } => {
                let at = self.media.open(key).map_err(|error| {
                    tracing::warn!(%error, "no sockets for a call");
                    NoSockets
                });
                return Some(Order::MediaOpened { key, at });
            }
            Wish::Media { key, command } => self.media.order(key, command),
            Wish::CloseMedia { key } => self.media.close(key),
            Wish::Store { ticket, op } => {
                if ask(&self.store, ticket, op).is_err() {
                    return Some(Order::Stored { ticket, reply: Reply::Failed(StoreError::Overloaded) });
                }
            }
            Wish::Alarm(alarm) => self.watch.alarm(&alarm),
            Wish::Gateway { gateway, standing } => self.watch.gateway(&gateway, standing),
            Wish::PhoneCall { id, news } => {
                tracing::debug!(call = %id, ?news, "play on phone");
                self.phone_calls.news(id, news);
            }
            Wish::Drained => self.is_drained = true,
        }
        None
    }

    fn second(&mut self, clock: Clock, connections: &Stats) -> Order {
        self.traffic.figures(connections);
        self.watch.figures(&self.media.totals(), self.media.calls());
        self.watch.lamps(self.um.lamp_figures());
        Order::Clock(clock.unix_time())
    }

    fn flows_in_use(&self) -> BTreeSet<FlowId> {
        self.um.flows_in_use().collect()
    }

    fn policy(order: &Order) -> Option<&Policy> {
        match order {
            Order::Reload(settings) => Some(&settings.trust),
            _ => None,
        }
    }

    /// The brain says so itself, and nothing that others do keeps it.
    fn is_over(&self, _may_end: bool) -> bool {
        self.is_drained
    }
}
