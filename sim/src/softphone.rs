//! A telephone for people in the world: the brain of `umbel phone`, registered at the protocol server.
//!
//! Unlike [`crate::Telephone`] and [`crate::Callee`] it is a user agent, and does what the standards say. It has no
//! sound: its packets are nobody's.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use umbel_node::{Input, Node, Output};
use umbel_phone::{CallKey, Config, Dial, How, News, Order, Progress, Registration, Telephone, Wish};
use umbel_sip_message::Uri;
use umbel_time::Instant;

use crate::{Errand, Inhabitant};

/// The first port for sound; each call has two.
const PORT: u16 = 4_000;

/// A telephone, and what it has told.
pub struct Softphone {
    telephone: Telephone,
    address: IpAddr,
    sockets: u16,
    /// Sockets that were bound and not closed.
    pub open_sockets: BTreeSet<CallKey>,
    /// All news, in order.
    pub news: Vec<News>,
}

impl Softphone {
    /// A telephone with these settings at this address.
    pub fn new(address: IpAddr, config: Config, rng: rand_chacha::ChaCha20Rng) -> Softphone {
        let telephone = Telephone::new(config, rng);
        Softphone { telephone, address, sockets: 0, open_sockets: BTreeSet::new(), news: Vec::new() }
    }

    /// A call to place, and its name.
    pub fn dial(&mut self, target: &Uri) -> (CallKey, Order) {
        let call = self.telephone.fresh_call();
        let dial = Dial { call, target: target.clone(), headers: Vec::new() };
        (call, Order::Call(Box::new(dial)))
    }

    /// Whether the server has its registration.
    pub fn is_registered(&self) -> bool {
        let last = self.news.iter().rev().find_map(|news| match news {
            News::Registration { change, .. } => Some(*change),
            News::Call { .. } | News::MessageWaiting { .. } => None,
        });
        matches!(last, Some(Registration::Registered { .. }))
    }

    /// The Call-IDs of the calls that are up, oldest first.
    pub fn talks_in(&self) -> Vec<&str> {
        let of = |wanted: CallKey| {
            self.news.iter().find_map(move |news| match news {
                News::Call { call, call_id, change: Progress::Answered(_) } if *call == wanted => {
                    Some(call_id.as_str())
                }
                _ => None,
            })
        };
        self.telephone.calls().filter_map(of).collect()
    }

    /// How the calls ended that are over, with their Call-IDs.
    pub fn ended(&self) -> Vec<(&str, &How)> {
        let ended = self.news.iter().filter_map(|news| match news {
            News::Call { call_id, change: Progress::Ended(ended), .. } => {
                Some((call_id.as_str(), &ended.how))
            }
            _ => None,
        });
        ended.collect()
    }
}

impl Node for Softphone {
    type Order = Order;
    type Wish = Wish;

    fn handle(&mut self, now: Instant, input: Input<Order>) {
        self.telephone.handle(now, input);
    }

    fn poll_output(&mut self) -> Option<Output<Wish>> {
        self.telephone.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.telephone.poll_timeout()
    }
}

impl Inhabitant for Softphone {
    fn carry_out(&mut self, _: Instant, wish: Wish) -> Vec<Errand<Order>> {
        match wish {
            Wish::OpenMedia { call } => {
                let at = SocketAddr::new(self.address, PORT + self.sockets % 1_000 * 2);
                self.sockets = self.sockets.wrapping_add(1);
                self.open_sockets.insert(call);
                let order = Order::MediaOpened { call, at: Ok(at) };
                vec![Errand::Order { after: std::time::Duration::ZERO, order }]
            }
            Wish::CloseMedia { call } => {
                self.open_sockets.remove(&call);
                Vec::new()
            }
            Wish::Tell(news) => {
                self.news.push(news);
                Vec::new()
            }
            Wish::Media { .. } => Vec::new(),
        }
    }
}
