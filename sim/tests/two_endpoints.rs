//! The example to begin with: two endpoints wrapped as nodes, a call between them, and what can happen
//! to it on the way.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use umbel_node::{FlowId, Input, Node, Output};
use umbel_sim::{Inhabitant, Place, Weather, World, address, certificate, tcp, tls};
use umbel_sip_endpoint::{Config, Endpoint, Event, SentBy, ServerTransaction, Target, separate, widen};
use umbel_sip_message::{CSeq, Draft, HeaderName, Method, Request, Response, StatusCode, Uri};
use umbel_time::Instant;

/// A user agent that fits on a page: it calls when ordered, rings when called, answers when ordered.
struct Telephone {
    name: &'static str,
    endpoint: Endpoint,
    ringing: Option<(ServerTransaction, Request)>,
    /// The dialog's 2xx, and the flow it came on.
    answer: Option<(FlowId, Response)>,
    /// What it was told, for the test to look at.
    heard: Vec<String>,
    outputs: VecDeque<Output<Infallible>>,
}

enum Order {
    Call(Uri),
    PickUp,
    HangUp,
}

impl Telephone {
    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { transaction, request, .. } if *request.method() == Method::Invite => {
                let mut ringing = Draft::reply(&request, StatusCode::RINGING);
                ringing.to_tag("b1");
                self.endpoint.respond(now, transaction, ringing);
                self.ringing = Some((transaction, request));
            }
            Event::Request { transaction, request, .. } => {
                self.endpoint.respond(now, transaction, Draft::reply(&request, StatusCode::OK));
            }
            Event::Response { flow, response, .. } => {
                self.heard.push(response.status().as_u16().to_string());
                if response.status().is_success() && *response.headers().method() == Method::Invite {
                    self.endpoint.send(now, in_dialog(Method::Ack, 1, &response), Target::Flow(flow));
                    self.answer = Some((flow, response));
                }
            }
            Event::Failed { failure, .. } => self.heard.push(format!("{failure:?}")),
            _ => {}
        }
    }

    fn obey(&mut self, now: Instant, order: Order) {
        match order {
            Order::Call(uri) => {
                let mut draft = Draft::request(Method::Invite, &uri);
                draft
                    .push(HeaderName::From, format_args!("<sip:{}@example.com>;tag=a1", self.name))
                    .push(HeaderName::To, format_args!("<{uri}>"))
                    .push(HeaderName::CallId, "call-1")
                    .push(HeaderName::CSeq, &CSeq { number: 1, method: Method::Invite });
                self.endpoint.request(now, draft, Target::Uri(uri));
            }
            Order::PickUp => {
                if let Some((transaction, request)) = self.ringing.take() {
                    let mut ok = Draft::reply(&request, StatusCode::OK);
                    ok.to_tag("b1");
                    self.endpoint.respond(now, transaction, ok);
                }
            }
            Order::HangUp => {
                if let Some((flow, response)) = self.answer.take() {
                    let bye = in_dialog(Method::Bye, 2, &response);
                    self.endpoint.request(now, bye, Target::Flow(flow));
                }
            }
        }
    }
}

impl Node for Telephone {
    type Order = Order;
    type Wish = Infallible;

    fn handle(&mut self, now: Instant, input: Input<Order>) {
        match separate(input) {
            Ok(input) => self.endpoint.handle(now, input),
            Err(order) => self.obey(now, order),
        }
        while let Some(event) = self.endpoint.poll_event() {
            self.handle_event(now, event);
        }
        while let Some(output) = self.endpoint.poll_output() {
            self.outputs.push_back(widen(output));
        }
    }

    fn poll_output(&mut self) -> Option<Output<Infallible>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }
}

/// It wishes for nothing beside SIP.
impl Inhabitant for Telephone {}

/// A request within the dialog of a response.
fn in_dialog(method: Method, number: u32, response: &Response) -> Draft {
    let mut draft = Draft::request(method.clone(), &"sip:bob@192.0.2.2".parse().unwrap());
    let headers = response.headers();
    draft
        .copy(headers, &HeaderName::From)
        .copy(headers, &HeaderName::To)
        .copy(headers, &HeaderName::CallId)
        .push(HeaderName::CSeq, &CSeq { number, method });
    draft
}

fn telephone(world: &mut World, name: &'static str, ip: IpAddr) -> Place<Telephone> {
    let sent_by = Some(SentBy { host: ip.to_string(), port: None });
    let config = Config { tcp: sent_by.clone(), tls: sent_by, ..Config::default() };
    let endpoint = Endpoint::new(config, world.rng());
    let telephone = Telephone {
        name,
        endpoint,
        ringing: None,
        answer: None,
        heard: Vec::new(),
        outputs: VecDeque::new(),
    };
    world.add(name, ip, telephone)
}

/// Alice and Bob, who listens on both transports and has a name.
fn world(seed: u64) -> (World, Place<Telephone>, Place<Telephone>) {
    let mut world = World::new(seed);
    let alice = telephone(&mut world, "alice", address(1));
    let bob = telephone(&mut world, "bob", address(2));
    world.listen_tcp(alice, 5060);
    world.listen_tcp(bob, 5060);
    world.listen_tls(bob, 5061, certificate(&["bob.example"]));
    world.resolve("bob.example", [tls(address(2), "bob.example"), tcp(address(2))]);
    (world, alice, bob)
}

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

/// Alice calls, Bob picks up after two seconds, Alice hangs up after ten.
fn call(world: &mut World, alice: Place<Telephone>, bob: Place<Telephone>, to: &str) {
    world.order(alice, Order::Call(uri(to)));
    world.order_after(bob, Duration::from_secs(2), Order::PickUp);
    world.order_after(alice, Duration::from_secs(10), Order::HangUp);
}

#[test]
fn a_call_between_two_endpoints() {
    let (mut world, alice, bob) = world(1);
    call(&mut world, alice, bob, "sip:bob@bob.example");
    world.run_until_idle();
    world.expect_ladder(include_str!("flows/call.ladder"));
    assert_eq!(world.ladder().not_answered_once(), Vec::<String>::new());
    assert_eq!(world[alice].heard, ["180", "200", "200"]);
}

// REL-35
#[test]
fn a_connection_that_breaks_while_ringing_is_replaced_by_the_answer() {
    let (mut world, alice, bob) = world(2);
    call(&mut world, alice, bob, "sip:bob@192.0.2.2");
    world.run_for(Duration::from_secs(1));
    world.break_flows(alice, bob);
    world.run_until_idle();
    world.expect_ladder(include_str!("flows/call_with_broken_connection.ladder"));
    assert_eq!(world.ladder().not_answered_once(), Vec::<String>::new());
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_weather_another() {
    let run = |seed, weather| {
        let (mut world, alice, bob) = world(seed);
        world.weather(weather);
        call(&mut world, alice, bob, "sip:bob@bob.example");
        world.run_until_idle();
        world.ladder().print()
    };
    let storm = Weather { jitter: Duration::from_millis(300), ..Weather::default() };
    assert_eq!(run(1, storm), run(1, storm));
    assert_ne!(run(1, storm), run(2, storm));
}

// SEC-69
#[test]
fn a_server_that_cannot_prove_its_name_is_not_called() {
    let (mut world, alice, _) = world(3);
    world.resolve("other.example", [tls(address(2), "other.example")]);
    world.order(alice, Order::Call(uri("sip:bob@other.example")));
    world.run_until_idle();
    assert_eq!(world[alice].heard, ["Transport"]);
    assert!(world.ladder().rungs().is_empty());
}

#[test]
fn nobody_answers_where_nobody_listens_or_nothing_has_that_name() {
    for (to, failure) in [
        ("sip:bob@192.0.2.2:5999", "Transport"),
        ("sip:bob@192.0.2.9", "Transport"),
        ("sip:x@nowhere", "Unresolved"),
    ] {
        let (mut world, alice, _) = world(4);
        world.order(alice, Order::Call(uri(to)));
        world.run_until_idle();
        assert_eq!(world[alice].heard, [failure], "{to}");
    }
}

#[test]
fn a_stalled_connection_delivers_late_and_an_unplugged_node_never() {
    let (mut world, alice, bob) = world(5);
    call(&mut world, alice, bob, "sip:bob@192.0.2.2");
    world.run_for(Duration::from_millis(1_500));
    world.stall(alice, bob, Duration::from_secs(3));
    world.run_for(Duration::from_millis(2_500));
    assert_eq!(world[alice].heard, ["180"]);
    world.run_for(Duration::from_millis(600));
    assert_eq!(world[alice].heard, ["180", "200"]);
    world.unplug(bob, true);
    world.run_until_idle();
    assert_eq!(world[alice].heard, ["180", "200", "Timeout"]);
}

#[test]
fn flows_that_lost_something_break_when_the_cable_is_back() {
    let (mut world, alice, bob) = world(8);
    call(&mut world, alice, bob, "sip:bob@192.0.2.2");
    world.run_for(Duration::from_secs(1));
    world.unplug(bob, true);
    world.run_for(Duration::from_secs(4));
    assert_eq!((world.flow_count(), world[alice].heard.len()), (1, 1));
    world.unplug(bob, false);
    world.run_until_quiet();
    assert_eq!(world.flow_count(), 0);
}

#[test]
#[should_panic(expected = "nobody rings: no longer at 0.012")]
fn an_invariant_that_breaks_stops_the_run() {
    let (mut world, alice, bob) = world(6);
    world.invariant("nobody rings", move |world| world[bob].ringing.is_none());
    call(&mut world, alice, bob, "sip:bob@192.0.2.2");
    world.run_until_idle();
}

#[test]
#[should_panic(expected = "the ladder differs in line 2")]
fn a_ladder_that_differs_says_where() {
    let (mut world, alice, bob) = world(7);
    call(&mut world, alice, bob, "sip:bob@192.0.2.2");
    world.run_until_idle();
    world.expect_ladder("0.008 alice bob INVITE sip:bob@192.0.2.2\n0.012 bob alice 603\n");
}
