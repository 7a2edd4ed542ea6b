//! A role's thread: it binds, runs, ends in order, and is missed when it breaks.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use umbel_net::{Authority, Identity, Stats, TlsConfig};
use umbel_node::{FlowId, Input, Node, Output};
use umbel_time::Instant;

use super::*;

/// A brain that does as it is told.
#[derive(Default)]
struct Obedient {
    is_drained: bool,
    outputs: VecDeque<Output<()>>,
}

#[derive(Debug)]
enum Order {
    Second,
    Drain,
    Break,
}

impl Node for Obedient {
    type Order = Order;
    type Wish = ();

    fn handle(&mut self, _now: Instant, input: Input<Order>) {
        match input {
            Input::Order(Order::Drain) => self.is_drained = true,
            Input::Order(Order::Break) => panic!("a fault, on purpose"),
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output<()>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// `left` hears that the role was left in order.
struct Test {
    brain: Obedient,
    left: Option<oneshot::Sender<()>>,
}

impl Role for Test {
    type Order = Order;
    type Wish = ();
    type Brain = Obedient;

    fn brain(&mut self) -> &mut Obedient {
        &mut self.brain
    }
    fn arrives(&mut self, _input: &Input<Order>) {}
    fn leaves(&mut self, _output: &Output<()>) {}
    fn grant(&mut self, (): ()) -> Option<Order> {
        None
    }
    fn second(&mut self, _clock: Clock, _connections: &Stats) -> Order {
        Order::Second
    }
    fn flows_in_use(&self) -> BTreeSet<FlowId> {
        BTreeSet::new()
    }
    fn policy(_order: &Order) -> Option<&Policy> {
        None
    }
    fn leave(&mut self) {
        let _ = self.left.take().unwrap().send(());
    }
    fn is_over(&self, may_end: bool) -> bool {
        self.brain.is_drained && may_end
    }
}

fn connections() -> Connections {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let authority = Authority::load_or_create(folder.path(), clock.unix_time()).unwrap();
    let identity: Identity = authority.identity(&["localhost".to_owned()], &[], clock.unix_time()).unwrap();
    let tls = TlsConfig {
        identity: Some(Arc::new(identity)),
        client_authorities: Vec::new(),
        server_authorities: Vec::new(),
        system_authorities: false,
        revocations: Vec::new(),
    };
    let tls = Tls::new(&tls, clock).unwrap();
    Connections { limits: Limits::default(), tls, trust: Policy::default(), clock }
}

fn on_loopback() -> Vec<Listener> {
    vec!["tcp:127.0.0.1:0".parse().unwrap()]
}

/// Runs a role through `life`; whether it was left in order comes with the outcome.
fn through(life: impl AsyncFnOnce(&mut Running<Order>)) -> (Result<Ended, Failure>, bool) {
    let mut outcome = None;
    runtime::run(async {
        let bound = bind::<Test>("test", on_loopback(), connections()).await?;
        assert_ne!(bound.listeners[0].address.port(), 0, "it says which port it was given");
        let (left, mut was_left) = oneshot::channel();
        let mut running = bound.start("test", Test { brain: Obedient::default(), left: Some(left) })?;
        life(&mut running).await;
        let ended = running.ended().await;
        running.join();
        outcome = Some((ended, was_left.try_recv().is_ok()));
        Ok(())
    })
    .unwrap();
    outcome.unwrap()
}

/// REL-23: it ends when it has nothing to do and nobody else needs it, whichever comes first.
#[test]
fn a_role_ends_when_it_is_drained_and_nobody_needs_it() {
    let (ended, was_left) = through(async |running| {
        running.order(Order::Drain);
        running.may_end();
    });
    assert_eq!((ended.unwrap(), was_left), (Ended::Drained, true));
}

/// Half a server helps nobody: whoever watches the threads is told, and the process can end with an error.
#[test]
fn a_role_that_breaks_is_missed() {
    let (ended, was_left) = through(async |running| running.order(Order::Break));
    let failure = ended.unwrap_err();
    assert_eq!((failure.exit, failure.code), (Exit::Failed, "internal"));
    assert!(failure.message.contains("[test]"), "{failure:?}");
    assert!(!was_left);
}

#[test]
fn an_address_in_use_is_named_with_its_role() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = vec![format!("tcp:{}", taken.local_addr().unwrap()).parse().unwrap()];
    runtime::run(async {
        let Err(failure) = bind::<Test>("test", listen, connections()).await else { panic!("it was bound") };
        assert_eq!(failure.exit, Exit::Unavailable);
        assert!(failure.message.contains("[test] listen"), "{failure:?}");
        Ok(())
    })
    .unwrap();
}
