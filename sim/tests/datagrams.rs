//! What a node wishes for beside SIP: datagrams, answers that take time, and lines in the ladder.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use umbel_node::{Input, Node, Output};
use umbel_sim::{Datagram, Errand, Inhabitant, Place, Weather, World, address};
use umbel_time::Instant;

/// Sends packets when ordered, counts those that come, and has each tenth stored.
struct Sender {
    to: SocketAddr,
    from: SocketAddr,
    came: Vec<Instant>,
    stored: u32,
    wishes: VecDeque<Wish>,
}

enum Order {
    Send(u32),
    Came,
    Stored,
}

enum Wish {
    Send,
    Store,
}

impl Node for Sender {
    type Order = Order;
    type Wish = Wish;

    fn handle(&mut self, now: Instant, input: Input<Order>) {
        match input {
            Input::Order(Order::Send(count)) => (0..count).for_each(|_| self.wishes.push_back(Wish::Send)),
            Input::Order(Order::Came) => {
                self.came.push(now);
                if self.came.len().is_multiple_of(10) {
                    self.wishes.push_back(Wish::Store);
                }
            }
            Input::Order(Order::Stored) => self.stored += 1,
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output<Wish>> {
        self.wishes.pop_front().map(Output::Wish)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

impl Inhabitant for Sender {
    fn carry_out(&mut self, _: Instant, wish: Wish) -> Vec<Errand<Order>> {
        match wish {
            Wish::Send => {
                let bytes = Bytes::from_static(b"packet");
                vec![Errand::Datagram(Datagram { from: self.from, to: self.to, bytes })]
            }
            Wish::Store => {
                let after = Duration::from_secs(30);
                vec![Errand::Note("stores".to_owned()), Errand::Order { after, order: Order::Stored }]
            }
        }
    }

    fn datagram(&mut self, _: Instant, datagram: Datagram) -> Option<Order> {
        (datagram.to == self.from).then_some(Order::Came)
    }
}

fn sender(world: &mut World, name: &str, number: u8) -> Place<Sender> {
    let here = |number| SocketAddr::new(address(number), 4_000);
    let (from, to) = (here(number), here(3 - number));
    let node = Sender { to, from, came: Vec::new(), stored: 0, wishes: VecDeque::new() };
    world.add(name, address(number), node)
}

#[test]
fn datagrams_arrive_after_the_latency_and_slow_answers_after_their_time() {
    let mut world = World::new(1);
    let alice = sender(&mut world, "alice", 1);
    let bob = sender(&mut world, "bob", 2);
    world.order(alice, Order::Send(10));
    world.run_for(Duration::from_secs(20));
    assert_eq!(world[bob].came, [Instant::from_millis(4); 10]);
    assert_eq!(world[bob].stored, 0);
    world.run_until_idle();
    assert_eq!(world[bob].stored, 1);
    assert_eq!(world.now(), Instant::from_millis(30_004));
    world.expect_ladder("0.004 bob bob (stores)");
}

// REL-37
#[test]
fn a_bad_network_loses_and_reorders_as_told() {
    let mut world = World::new(2);
    let alice = sender(&mut world, "alice", 1);
    let bob = sender(&mut world, "bob", 2);
    let jitter = Duration::from_millis(60);
    world.weather(Weather { jitter, datagram_loss_percent: 5, ..Weather::default() });
    world.order(alice, Order::Send(10_000));
    world.run_until_idle();
    let came = world[bob].came.len();
    assert!((9_300..9_700).contains(&came), "{came}");
    let last = world[bob].came.last().unwrap();
    assert!((60..65).contains(&(last.as_micros() / 1_000)), "{last}");
}

#[test]
fn changes_from_outside_are_seen_to_at_once() {
    let mut world = World::new(3);
    let alice = sender(&mut world, "alice", 1);
    let bob = sender(&mut world, "bob", 2);
    world.with(alice, |alice, _| alice.wishes.push_back(Wish::Send));
    world.run_until_quiet();
    assert_eq!(world[bob].came.len(), 1);
}
