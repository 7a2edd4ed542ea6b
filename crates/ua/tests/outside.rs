//! Beside calls: requests of our own, watched gateways, and the registration.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{HeaderName, Method, Request};
use umbel_ua::registration::{Account, EXPIRES, News};
use umbel_ua::{
    Command, Config, Credentials, Event, GATEWAYS_MAX, Outcome, OutsideRequest, REQUESTS_MAX, Ticket, Way,
};
use world::{World, body, header, reply, uri};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn world() -> World {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("peer");
    world
}

fn notify() -> OutsideRequest {
    OutsideRequest {
        method: Method::Notify,
        target: uri("sip:dana@example.com"),
        from: uri("sip:voicemail@example.com"),
        to: uri("sip:dana@example.com"),
        way: Way::Proxy(uri("sip:192.0.2.2:5060;transport=tcp")),
        headers: vec![
            (HeaderName::Event, "message-summary".into()),
            (HeaderName::SubscriptionState, "terminated".into()),
        ],
        body: Some(("application/simple-message-summary".into(), body("Messages-Waiting: yes\r\n"))),
        credentials: None,
    }
}

// MWI-1
#[test]
fn an_unsolicited_notify_is_sent_and_its_answer_reported() {
    let mut world = world();
    world.command("um", Command::Request { ticket: Ticket(1), request: Box::new(notify()) });
    world.settle();
    let (flow, request) = world.request("peer");
    assert_eq!(request.request_uri().as_str(), "sip:dana@example.com");
    assert_eq!(header(request.headers(), &HeaderName::Event), "message-summary");
    assert!(header(request.headers(), &HeaderName::Contact).ends_with(";automata"));
    assert_eq!(&request.body()[..], b"Messages-Waiting: yes\r\n");
    world.send("peer", flow, &reply(&request, "480 Not Now", ""));
    world.settle();
    world.expect(
        "
        0.001 um -> peer: NOTIFY 1 +
        0.020 peer -> um: 480 (NOTIFY 1)
        0.021 um: Completed 480
        ",
    );
    world.expect_rest();
}

#[test]
fn a_request_that_nobody_answers_or_that_cannot_leave_is_reported_too() {
    let mut world = world();
    world.deafen("peer");
    world.command("um", Command::Request { ticket: Ticket(1), request: Box::new(notify()) });
    world.run_for(seconds(33));
    let mut elsewhere = notify();
    elsewhere.way = Way::Proxy(uri("sip:198.51.100.1"));
    world.command("um", Command::Request { ticket: Ticket(2), request: Box::new(elsewhere) });
    let mut call = notify();
    call.method = Method::Invite;
    world.command("um", Command::Request { ticket: Ticket(3), request: Box::new(call) });
    world.settle();
    world.expect(
        "
        0.001 um -x peer: NOTIFY 1 +
        32.001 um: Completed NoResponse
        33.000 um: Completed Abandoned
        33.001 um: Completed TransportFailed
        ",
    );
    world.expect_rest();
}

/// Answers every OPTIONS that came.
fn answer_options(world: &mut World, status: &str) -> usize {
    let mut count = 0;
    for (flow, message) in world.received("peer") {
        let Some(request) = message.into_request() else { continue };
        assert_eq!(*request.method(), Method::Options);
        world.send("peer", flow, &reply(&request, status, ""));
        count += 1;
    }
    world.settle();
    count
}

// PEER-11: at start and every 60 s; down after two failures, up after one answer.
#[test]
fn a_gateway_is_watched() {
    let mut world = world();
    let gateway = uri("sip:192.0.2.2:5060;transport=tcp");
    world.command("um", Command::Watch { gateways: vec![gateway.clone()] });
    world.settle();
    assert_eq!(answer_options(&mut world, "200 OK"), 1);
    for _ in 0..3 {
        world.run_for(seconds(60));
        assert_eq!(answer_options(&mut world, "404 Not Found"), 1);
    }
    world.deafen("peer");
    world.run_for(seconds(180));
    world.undeafen("peer");
    world.run_for(seconds(60));
    assert_eq!(answer_options(&mut world, "200 OK"), 1);
    let news: Vec<String> = world
        .events("um")
        .iter()
        .map(|event| match event {
            Event::Gateway { gateway: whose, standing } if *whose == gateway => format!("{standing:?}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(news, ["Up", "Down", "Up"]);
    world.command("um", Command::Watch { gateways: Vec::new() });
    world.expect_rest();
}

#[test]
fn watching_the_same_gateway_again_starts_nothing_anew() {
    let mut world = world();
    let gateway = uri("sip:192.0.2.2:5060;transport=tcp");
    for _ in 0..3 {
        world.command("um", Command::Watch { gateways: vec![gateway.clone(), gateway.clone()] });
    }
    world.settle();
    assert_eq!(answer_options(&mut world, "200 OK"), 1);
}

fn account() -> Account {
    Account {
        address_of_record: uri("sip:alice@example.com"),
        registrar: uri("sip:example.com"),
        way: Way::Proxy(uri("sip:192.0.2.2:5060;transport=tcp")),
        instance: Some("urn:uuid:00000000-0000-1000-8000-000A95A0E128".into()),
        expires: EXPIRES,
        credentials: Some(Credentials {
            realm: "example.com".into(),
            username: "alice".into(),
            password: "secret".into(),
        }),
    }
}

/// A telephone that was ordered to register, and its first REGISTER.
fn registering() -> (World, FlowId, Request) {
    let mut world = World::new();
    world.agent("phone", Config { automata: false, ..Config::default() });
    world.script("peer");
    world.command("phone", Command::Register { account: Box::new(account()) });
    world.settle();
    let (flow, register) = world.request("peer");
    (world, flow, register)
}

fn news(world: &mut World) -> Vec<News> {
    let events = world.events("phone");
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Registration(news) => Some(news),
            _ => None,
        })
        .collect()
}

const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\n";
/// The registrar lists what somebody else registered, too.
const BINDINGS: &str =
    "Contact: <sip:other@192.0.2.9>;expires=30, <sip:192.0.2.1:5060;transport=tcp>;expires=600\n";

// RFC 3261 10.2, RFC 5626 4.2
#[test]
fn a_telephone_registers_is_challenged_and_stays_registered() {
    let (mut world, flow, first) = registering();
    assert_eq!(first.request_uri().as_str(), "sip:example.com");
    assert_eq!(
        header(first.headers(), &HeaderName::Contact),
        "<sip:192.0.2.1:5060;transport=tcp>;reg-id=1;\
         +sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\""
    );
    assert_eq!(header(first.headers(), &HeaderName::Expires), "3600");
    world.send("peer", flow, &reply(&first, "401 Unauthorized", CHALLENGE));
    world.settle();
    let (flow, second) = world.request("peer");
    assert!(second.headers().has(&HeaderName::Authorization));
    assert_eq!(second.headers().cseq().number, 2);
    world.send("peer", flow, &reply(&second, "200 OK", BINDINGS));
    world.settle();
    let granted = News::Registered { flow: FlowId(1), expires: seconds(600), authenticated: true };
    assert_eq!(news(&mut world), [granted]);

    // Refreshed at half time, with the same Call-ID and a higher number.
    world.run_for(seconds(301));
    let (_, third) = world.request("peer");
    assert_eq!(*third.method(), Method::Register);
    assert_eq!(third.headers().call_id(), first.headers().call_id());
    assert_eq!(third.headers().cseq().number, 3);
}

// OCEXUM-2.2.1-4: who was let in without being asked is not authenticated.
#[test]
fn a_registration_without_challenge_is_not_authenticated() {
    let (mut world, flow, first) = registering();
    world.send("peer", flow, &reply(&first, "200 OK", BINDINGS));
    world.settle();
    assert!(matches!(news(&mut world)[..], [News::Registered { authenticated: false, .. }]));
}

// DEC-7, RFC 3261 10.2.8
#[test]
fn a_registration_too_brief_is_asked_for_longer() {
    let (mut world, flow, first) = registering();
    world.send("peer", flow, &reply(&first, "423 Interval Too Brief", "Min-Expires: 7200\n"));
    world.settle();
    assert_eq!(header(world.request("peer").1.headers(), &HeaderName::Expires), "7200");
}

// RFC 5626 4.4.1: between 80 % and 100 % of what the registrar says.
#[test]
fn the_flow_of_the_registration_is_kept_alive() {
    let (mut world, flow, first) = registering();
    world.send("peer", flow, &reply(&first, "200 OK", &format!("{BINDINGS}Flow-Timer: 60\n")));
    world.settle();
    world.forget_ladder();
    for _ in 0..3 {
        world.run_for(seconds(47));
        assert!(world.passed().is_empty());
        // The next one counts from when this one left.
        while world.passed().is_empty() {
            world.run_for(Duration::from_millis(10));
        }
    }
    world.run_for(seconds(61));
    assert_eq!(world.passed(), ["phone -> peer: keep-alive"]);
}

// RFC 5626 4.5: at once would be everybody at once.
#[test]
fn a_broken_flow_is_replaced_after_a_while() {
    let (mut world, flow, first) = registering();
    world.send("peer", flow, &reply(&first, "200 OK", BINDINGS));
    world.settle();
    world.break_links("peer");
    world.run_for(seconds(14));
    assert!(world.received("peer").is_empty());
    world.run_for(seconds(17));
    let (flow, again) = world.request("peer");
    world.send("peer", flow, &reply(&again, "200 OK", BINDINGS));
    world.settle();
    let news = news(&mut world);
    assert!(matches!(
        news[..],
        [News::Registered { flow: first, .. }, News::Lost { status: None }, News::Registered { flow: second, .. }] if first != second
    ));
}

#[test]
fn a_telephone_that_leaves_says_so() {
    let (mut world, flow, first) = registering();
    world.send("peer", flow, &reply(&first, "200 OK", BINDINGS));
    world.settle();
    world.command("phone", Command::Unregister);
    world.settle();
    let (flow, last) = world.request("peer");
    assert_eq!(header(last.headers(), &HeaderName::Expires), "0");
    world.send("peer", flow, &reply(&last, "200 OK", ""));
    world.settle();
    assert!(matches!(news(&mut world)[..], [News::Registered { .. }, News::Unregistered]));
    world.expect_rest();
}

// REG-2: a call comes along the flow of the registration, and is answered there.
#[test]
fn a_call_comes_along_the_flow_of_the_registration() {
    let (mut world, flow, first) = registering();
    world.send("peer", flow, &reply(&first, "200 OK", BINDINGS));
    world.settle();
    world.send(
        "peer",
        flow,
        "INVITE sip:192.0.2.1:5060;transport=tcp SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-1
        From: <sip:bob@example.com>;tag=b
        To: <sip:alice@example.com>
        Call-ID: call-2
        CSeq: 1 INVITE
        Contact: <sip:bob@192.0.2.2:5060;transport=tcp>
        ",
    );
    world.settle();
    world.ring("phone");
    world.settle();
    assert_eq!(world.response("peer").status().as_u16(), 180);
}

// The bound on requests at once: at it, and one above.
#[test]
fn one_request_too_many_is_not_even_tried() {
    let mut world = world();
    for number in 0..=REQUESTS_MAX {
        let ticket = Ticket(u64::try_from(number).unwrap());
        world.command("um", Command::Request { ticket, request: Box::new(notify()) });
    }
    world.settle();
    assert_eq!(world.received("peer").len(), REQUESTS_MAX);
    let abandoned: Vec<Ticket> = world
        .events("um")
        .into_iter()
        .filter_map(|event| match event {
            Event::Completed { ticket, outcome: Outcome::Abandoned } => Some(ticket),
            _ => None,
        })
        .collect();
    assert_eq!(abandoned, [Ticket(1_000)]);
}

// The bound on watched gateways: those beyond are not watched.
#[test]
fn one_gateway_too_many_is_not_watched() {
    let mut world = world();
    let gateway = |port: usize| uri(&format!("sip:192.0.2.2:{};transport=tcp", 10_000 + port));
    world.command("um", Command::Watch { gateways: (0..=GATEWAYS_MAX).map(gateway).collect() });
    world.settle();
    assert_eq!(world.received("peer").len(), GATEWAYS_MAX);
}
