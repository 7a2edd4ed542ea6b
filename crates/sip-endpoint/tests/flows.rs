//! Connections: RFC 3261 18, RFC 3263 4, RFC 3581, RFC 5923.
#![allow(clippy::unwrap_used)]

mod pair;

use std::net::SocketAddr;
use std::time::Duration;

use pair::*;
use umbel_node::{CloseReason, Destination, FlowId, Transport};
use umbel_sip_endpoint::{Config, Event, Failure, Input, SIXTY_FOUR_T1, Target};
use umbel_sip_message::{HeaderName, Message, Method, Request, StatusCode, parse};

fn failures(events: &[Event]) -> Vec<Failure> {
    let failure = |event: &Event| match event {
        Event::Failed { failure, .. } | Event::ServerFailed { failure, .. } => Some(*failure),
        _ => None,
    };
    events.iter().filter_map(failure).collect()
}

/// An address where nobody is.
fn nobody(last: u8) -> Destination {
    Destination { address: SocketAddr::from(([198, 51, 100, last], 5060)), ..tcp(BOB) }
}

fn sent_request(pair: &Pair, name: &str) -> Request {
    let (_, bytes) = pair.sent.iter().rev().find(|(_, bytes)| title(bytes) == name).unwrap();
    parse(bytes.clone()).unwrap().into_request().unwrap()
}

#[test]
fn requests_for_the_same_destination_share_a_flow() {
    let mut pair = Pair::new(1);
    for call in ["one", "two", "three"] {
        let (alice, now) = pair.alice();
        alice.request(now, request(Method::Options, call), to_bob());
    }
    pair.run();
    assert_eq!(pair.flow_count(), 1);
    assert_eq!(pair.said, ["alice: OPTIONS"; 3]);
}

// SEC-69
#[test]
fn a_flow_is_not_shared_between_server_names() {
    let mut pair = Pair::new(2);
    pair.certificates[BOB] = Some(certificate("bob.example"));
    for name in ["bob.example", "other.example", "bob.example"] {
        pair.names = vec![tls(BOB, name)];
        let (alice, now) = pair.alice();
        alice.request(now, request(Method::Options, name), to_bob());
        pair.run();
    }
    assert_eq!(pair.opened, [tls(BOB, "bob.example"), tls(BOB, "other.example")]);
}

// RFC 3263 4.3
#[test]
fn the_next_destination_is_tried_when_one_cannot_be_reached() {
    let mut pair = Pair::new(3);
    pair.names = vec![nobody(1), nobody(2), tcp(BOB)];
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    pair.request(BOB);
    assert_eq!(pair.opened, [nobody(1), nobody(2), tcp(BOB)]);
    assert_eq!(pair.said, ["alice: INVITE"]);
}

#[test]
fn destinations_that_were_dead_a_moment_ago_are_tried_last() {
    let mut pair = Pair::new(4);
    pair.names = vec![nobody(1), tcp(BOB)];
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    pair.run();
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "two"), to_bob());
    pair.run();
    assert_eq!(pair.opened, [nobody(1), tcp(BOB)]);
    assert_eq!(pair.said, ["alice: OPTIONS", "alice: OPTIONS"]);
}

#[test]
fn when_no_destination_is_left_the_request_fails() {
    let mut pair = Pair::new(5);
    pair.names = vec![nobody(1), nobody(2)];
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Transport]);
    pair.assert_idle();
}

#[test]
fn no_more_destinations_are_tried_than_allowed() {
    let mut pair = Pair::with(6, Config { destinations_max: 2, ..config(ALICE) }, config(BOB));
    pair.names = vec![nobody(1), nobody(2), tcp(BOB)];
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Transport]);
    assert_eq!(pair.opened.len(), 2);
}

#[test]
fn a_name_that_leads_nowhere_is_told() {
    let mut pair = Pair::new(7);
    pair.names = Vec::new();
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Unresolved]);
    pair.assert_idle();
}

#[test]
fn a_request_over_a_flow_that_is_gone_fails() {
    let mut pair = Pair::new(8);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), Target::Flow(FlowId(4)));
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Transport]);
    pair.assert_idle();
}

// REL-28: a slow name service or a slow connection does not hold a request for ever.
#[test]
fn a_flow_that_never_opens_is_given_up_with_the_request() {
    let mut pair = Pair::new(9);
    pair.held = Some(Vec::new());
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    alice.request(now, request(Method::Options, "two"), to_bob());
    pair.pass(SIXTY_FOUR_T1);
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Timeout, Failure::Timeout]);
    pair.assert_idle();
    let held = pair.held.take().unwrap();
    assert_eq!(held.len(), 1);
    let (side, id, to) = &held[0];
    pair.connect(*side, *id, to);
    pair.assert_said(&[]);
}

#[test]
fn a_stale_flow_is_replaced_for_requests_that_may_be_repeated() {
    let mut pair = Pair::new(10);
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    let (transaction, _, asked) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&asked, StatusCode::OK));
    pair.run();
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "two"), to_bob());
    // Bob's end had already closed it.
    pair.endpoints[BOB].handle(now, Input::Closed { id: FlowId(2), reason: CloseReason::Idle });
    pair.run();
    pair.take_events(BOB);
    pair.break_flows();
    let (_, _, asked) = pair.request(BOB);
    assert_eq!(asked.headers().call_id(), "two");
    assert_eq!(pair.said.last().unwrap(), "alice: OPTIONS");
    assert!(failures(&pair.take_events(ALICE)).is_empty());
}

// REL-39: "never dialled twice"
#[test]
fn an_invite_that_has_left_is_not_sent_again() {
    let mut pair = Pair::new(11);
    pair.names = vec![tcp(BOB), nobody(1)];
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    pair.run();
    pair.break_flows();
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Transport]);
    assert_eq!(pair.opened, [tcp(BOB)]);
}

// REL-35, RFC 3261 18.2.2
#[test]
fn a_response_finds_its_way_over_a_new_flow_when_the_old_is_gone() {
    let mut pair = Pair::new(12);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    pair.break_flows();
    pair.opened.clear();
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    let answers = responses(pair.take_events(ALICE));
    assert_eq!(answers.last().unwrap().status(), StatusCode::OK);
    assert_eq!(pair.opened, [tcp(ALICE)]);
    pair.pass(SIXTY_FOUR_T1);
    pair.assert_idle();
}

// REL-35: the refusal too, and its ACK comes back over the new flow.
#[test]
fn a_refusal_over_a_new_flow_is_acknowledged_over_it() {
    let mut pair = Pair::new(13);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    pair.break_flows();
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.assert_said(&["alice: INVITE", "bob: 180 INVITE", "bob: 486 INVITE", "alice: ACK"]);
    pair.assert_idle();
}

// A response must not leave in clear because its Via says so.
#[test]
fn a_response_to_a_request_over_tls_never_leaves_over_tcp() {
    let mut pair = Pair::new(14);
    pair.certificates = [Some(certificate("alice.example")), Some(certificate("bob.example"))];
    pair.names = vec![tls(BOB, "bob.example")];
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "opens-a-flow"), to_bob());
    pair.run();
    pair.take_events(BOB);
    pair.inject(
        ALICE,
        b"INVITE sip:bob@bob.example SIP/2.0\r\nVia: SIP/2.0/TCP Alice.example;branch=z9hG4bKx\r\n\
          From: <sip:c@d>;tag=1\r\nTo: <sip:bob@bob.example>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
          Content-Length: 0\r\n\r\n",
    );
    let (transaction, _, request) = pair.request(BOB);
    pair.break_flows();
    pair.opened.clear();
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.run();
    let address = SocketAddr::new(address(ALICE).ip(), 5061);
    let server_name = Some("alice.example".to_owned());
    let back = Destination { transport: Transport::Tls, address, server_name };
    assert_eq!(pair.opened, vec![back]);
}

// REL-35: a client that has lost its flow cancels over a new one.
#[test]
fn a_request_that_matches_on_a_new_flow_of_the_same_standing_is_understood() {
    let mut pair = Pair::new(15);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    pair.break_flows();
    pair.take_events(BOB);
    pair.connect(ALICE, FlowId(77), &tcp(BOB));
    let (_, bytes) = pair.sent.first().unwrap().clone();
    let cancel = String::from_utf8(bytes.to_vec()).unwrap().replace("INVITE", "CANCEL");
    pair.inject(ALICE, cancel.as_bytes());
    let told = pair.take_events(BOB);
    assert!(told.iter().any(|event| matches!(event, Event::Cancelled { .. })));
    pair.opened.clear();
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::REQUEST_TERMINATED));
    pair.run();
    assert!(pair.opened.is_empty());
    assert!(pair.said.contains(&"bob: 487 INVITE".to_owned()));
}

// A stranger who has learnt a branch cancels nothing.
#[test]
fn a_cancel_from_somebody_else_gets_481() {
    let mut pair = Pair::new(16);
    pair.certificates = [Some(certificate("alice.example")), Some(certificate("bob.example"))];
    pair.names = vec![tls(BOB, "bob.example")];
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    pair.request(BOB);
    let (_, bytes) = pair.sent.first().unwrap().clone();
    pair.break_flows();
    pair.certificates[ALICE] = Some(certificate("mallory.example"));
    pair.connect(ALICE, FlowId(77), &tls(BOB, "bob.example"));
    let cancel = String::from_utf8(bytes.to_vec()).unwrap().replace("INVITE", "CANCEL");
    pair.inject(ALICE, cancel.as_bytes());
    let told = pair.take_events(BOB);
    assert!(!told.iter().any(|event| matches!(event, Event::Cancelled { .. })));
    assert_eq!(pair.said.last().unwrap(), "bob: 481 CANCEL");
}

// RFC 3261 18.2.1, RFC 3581
#[test]
fn the_answer_says_where_the_request_came_from() {
    let mut pair = Pair::new(17);
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    let answers = responses(pair.take_events(ALICE));
    let via = answers[0].headers().via();
    assert_eq!(via.received(), Some("192.0.2.1"));
    assert_eq!(via.rport(), Some(Some(40_001)));
}

// PEER-5, RFC 5923
#[test]
fn over_mutual_tls_the_flow_serves_in_both_directions() {
    let alice = Config { presents_certificate: true, ..config(ALICE) };
    let mut pair = Pair::with(18, alice, config(BOB));
    pair.certificates = [Some(certificate("alice.example")), Some(certificate("bob.example"))];
    pair.names = vec![tls(BOB, "bob.example")];
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    pair.run();
    assert!(sent_request(&pair, "OPTIONS").headers().via().alias());
    pair.opened.clear();
    pair.names = vec![tls(ALICE, "alice.example")];
    let (bob, now) = pair.bob();
    bob.request(now, request(Method::Options, "back"), to_bob());
    pair.run();
    assert!(pair.opened.is_empty());
    assert_eq!(pair.said, ["alice: OPTIONS", "bob: OPTIONS"]);
}

// PEER-5: not without certificates on both sides.
#[test]
fn without_mutual_tls_nobody_offers_an_alias() {
    let alice = Config { presents_certificate: true, ..config(ALICE) };
    let mut pair = Pair::with(19, alice, config(BOB));
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    pair.run();
    assert!(!sent_request(&pair, "OPTIONS").headers().via().alias());
    pair.opened.clear();
    pair.names = vec![tcp(ALICE)];
    let (bob, now) = pair.bob();
    bob.request(now, request(Method::Options, "back"), to_bob());
    pair.run();
    assert_eq!(pair.opened, [tcp(ALICE)]);
}

// RFC 3261 18.1.1
#[test]
fn who_does_not_listen_names_its_end_of_the_flow() {
    let mut pair = Pair::with(20, Config::default(), config(BOB));
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    pair.run();
    let asked = sent_request(&pair, "OPTIONS");
    let via = asked.headers().via();
    assert_eq!((via.transport(), via.host(), via.port()), ("TCP", "192.0.2.1", Some(40_001)));
    assert_eq!(asked.headers().max_forwards(), Some(70));
}

// RFC 3261 18.2.2: nobody can answer over another flow to who does not listen.
#[test]
fn who_does_not_listen_fails_with_its_flow() {
    let mut pair = Pair::with(21, Config::default(), config(BOB));
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    pair.break_flows();
    assert_eq!(failures(&pair.take_events(ALICE)), [Failure::Transport]);
    assert_eq!(pair.endpoints[ALICE].transaction_count(), 0);
}

#[test]
fn what_was_sent_while_a_flow_opens_leaves_in_order() {
    let mut pair = Pair::new(22);
    pair.held = Some(Vec::new());
    for (number, method) in [(1, Method::Options), (2, Method::Info), (3, Method::Message)] {
        let (alice, now) = pair.alice();
        alice.request(now, request(method, &format!("call-{number}")), to_bob());
        pair.run();
    }
    let held = pair.held.take().unwrap();
    assert_eq!(held.len(), 1);
    let (side, id, to) = &held[0];
    pair.connect(*side, *id, to);
    pair.assert_said(&["alice: OPTIONS", "alice: INFO", "alice: MESSAGE"]);
}

// DEC-3, M1, M7
#[test]
fn malformed_messages_are_answered_on_their_flow_which_is_closed_where_framing_is_lost() {
    let mut pair = Pair::new(23);
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "opens-a-flow"), to_bob());
    pair.run();
    let fields = "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKm\r\nFrom: <sip:c@d>;tag=1\r\n\
                  To: <sip:b@bob.example>\r\nCall-ID: m\r\n";
    let bad_cseq =
        format!("INFO sip:b@bob.example SIP/2.0\r\n{fields}CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
    pair.inject(ALICE, bad_cseq.as_bytes());
    assert_eq!(pair.said.last().unwrap(), "bob: 400 BYE");
    assert_eq!(pair.flow_count(), 1);
    let no_length = format!("INFO sip:b@bob.example SIP/2.0\r\n{fields}CSeq: 1 INFO\r\n\r\n");
    pair.inject(ALICE, no_length.as_bytes());
    assert_eq!(pair.said.iter().rev().take(2).collect::<Vec<_>>(), ["bob: closes", "bob: 400 INFO"]);
    assert_eq!(pair.flow_count(), 0);
}

#[test]
fn a_response_that_matches_nothing_is_dropped() {
    let mut pair = Pair::new(24);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.take_events(ALICE);
    let (_, bytes) = pair.sent.last().unwrap().clone();
    let ringing = String::from_utf8(bytes.to_vec()).unwrap();
    for other in [ringing.replace("z9hG4bK", "z9hG4bKx"), ringing.replace("CSeq: 1 INVITE", "CSeq: 1 BYE")] {
        let flow = pair.only_flow(ALICE);
        let message = parse(other.into_bytes().into()).unwrap();
        let (alice, now) = pair.alice();
        alice.handle(now, Input::Received { id: flow, message });
    }
    assert!(pair.take_events(ALICE).is_empty());
    let Ok(Message::Response(again)) = parse(bytes) else { panic!("a response") };
    assert_eq!(again.headers().get(&HeaderName::CallId).unwrap().as_ref(), b"call-1");
    let flow = pair.only_flow(ALICE);
    let (alice, now) = pair.alice();
    alice.handle(now, Input::Received { id: flow, message: Message::Response(again) });
    assert_eq!(pair.take_events(ALICE).len(), 1);
}

#[test]
fn flows_are_told_when_they_open_and_when_they_close() {
    let mut pair = Pair::new(25);
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "one"), to_bob());
    let told = pair.take_events(ALICE);
    assert!(matches!(told.as_slice(), [Event::FlowOpened { flow: FlowId(1) }]));
    assert_eq!(pair.endpoints[ALICE].flow(FlowId(1)).unwrap().remote, address(BOB));
    pair.pass(Duration::from_secs(40));
    pair.take_events(ALICE);
    pair.break_flows();
    let told = pair.take_events(ALICE);
    assert!(matches!(told.as_slice(), [Event::FlowClosed { flow: FlowId(1) }]));
    assert!(pair.endpoints[ALICE].flow(FlowId(1)).is_none());
}
