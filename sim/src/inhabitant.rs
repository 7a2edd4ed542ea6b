//! Who can live in the world, and what the world does for it beside SIP.

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use umbel_node::{Input, Node, Output};
use umbel_time::Instant;

/// A node that lives in a [`crate::World`].
///
/// A bare [`Node`] speaks SIP and nothing else; what it wishes for beside that (media, a store) is
/// carried out here, at once and in virtual time. The defaults are for nodes without wishes:
///
/// ```text
/// impl Inhabitant for Registrar {}
/// ```
pub trait Inhabitant: Node + 'static {
    /// Carries out a wish. What comes of it goes back as an order, now or later, or out as a datagram.
    fn carry_out(&mut self, now: Instant, wish: Self::Wish) -> Vec<Errand<Self::Order>> {
        let _ = (now, wish);
        Vec::new()
    }

    /// Makes a datagram that arrived an order; `None` drops it.
    fn datagram(&mut self, now: Instant, datagram: Datagram) -> Option<Self::Order> {
        let _ = (now, datagram);
        None
    }
}

/// What comes of a wish.
#[derive(Debug)]
pub enum Errand<O> {
    /// The node gets this order after this time: a store that answers, perhaps slowly.
    Order {
        /// How long it takes.
        after: Duration,
        /// What the node is told then.
        order: O,
    },
    /// A datagram leaves.
    Datagram(Datagram),
    /// A line for the ladder: "stored m1".
    Note(String),
}

/// A UDP packet: RTP or RTCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// What it carries.
    pub bytes: Bytes,
}

/// A node whose order and wish the world need not know: they stay inside.
pub(crate) trait Lodger {
    fn handle(&mut self, now: Instant, told: Told) -> Vec<Done>;
    fn poll_timeout(&self) -> Option<Instant>;
    fn node(&self) -> &dyn Any;
    fn node_mut(&mut self) -> &mut dyn Any;
}

/// What the world tells a lodger.
#[expect(clippy::large_enum_variant, reason = "it lives for one call")]
pub(crate) enum Told {
    Sip(Input<std::convert::Infallible>),
    /// An order of the lodger's own kind, which only its maker can name.
    Order(Box<dyn Any>),
    Datagram(Datagram),
    /// Nothing: it was changed by other means, and is only asked what it wants done.
    Nothing,
}

/// What a lodger did.
pub(crate) enum Done {
    Sip(Output<std::convert::Infallible>),
    Later(Duration, Box<dyn Any>),
    Datagram(Datagram),
    Note(String),
}

/// The one lodger: any inhabitant.
pub(crate) struct Lodging<N>(pub(crate) N);

impl<N: Inhabitant> Lodger for Lodging<N>
where
    N::Order: 'static,
{
    fn handle(&mut self, now: Instant, told: Told) -> Vec<Done> {
        let node = &mut self.0;
        match told {
            Told::Sip(input) => node.handle(now, with_orders(input)),
            Told::Order(order) => {
                let order = order.downcast().expect("a place gives orders of its own node's kind");
                node.handle(now, Input::Order(*order));
            }
            Told::Datagram(datagram) => {
                if let Some(order) = node.datagram(now, datagram) {
                    node.handle(now, Input::Order(order));
                }
            }
            Told::Nothing => {}
        }
        let mut done = Vec::new();
        while let Some(output) = node.poll_output() {
            match output {
                Output::Open { id, to } => done.push(Done::Sip(Output::Open { id, to })),
                Output::Transmit { id, bytes } => done.push(Done::Sip(Output::Transmit { id, bytes })),
                Output::Close { id } => done.push(Done::Sip(Output::Close { id })),
                Output::Resolve { query, uri } => done.push(Done::Sip(Output::Resolve { query, uri })),
                Output::Wish(wish) => done.extend(node.carry_out(now, wish).into_iter().map(Done::from)),
            }
        }
        done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn node(&self) -> &dyn Any {
        &self.0
    }

    fn node_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }
}

impl<O: 'static> From<Errand<O>> for Done {
    fn from(errand: Errand<O>) -> Self {
        match errand {
            Errand::Order { after, order } => Done::Later(after, Box::new(order)),
            Errand::Datagram(datagram) => Done::Datagram(datagram),
            Errand::Note(note) => Done::Note(note),
        }
    }
}

fn with_orders<O>(input: Input<std::convert::Infallible>) -> Input<O> {
    match input {
        Input::Opened { id, flow } => Input::Opened { id, flow },
        Input::Reverified { id, peer } => Input::Reverified { id, peer },
        Input::Received { id, message } => Input::Received { id, message },
        Input::Malformed { id, what } => Input::Malformed { id, what },
        Input::Closed { id, reason } => Input::Closed { id, reason },
        Input::Resolved { query, found } => Input::Resolved { query, found },
        Input::Timeout => Input::Timeout,
        Input::Order(never) => match never {},
    }
}
