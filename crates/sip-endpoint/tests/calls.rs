//! Whole exchanges between two endpoints: RFC 3261 17 as it is seen on the wire.
#![allow(clippy::unwrap_used)]

mod pair;

use std::time::Duration;

use pair::*;
use umbel_sip_endpoint::{Event, Failure, SIXTY_FOUR_T1};
use umbel_sip_message::{HeaderName, Message, Method, StatusCode, parse};

const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn a_call_is_set_up_and_ended_and_leaves_nothing() {
    let mut pair = Pair::new(1);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    let answers = responses(pair.take_events(ALICE));
    let ok = answers.last().unwrap();
    let flow = pair.only_flow(ALICE);
    let (alice, now) = pair.alice();
    alice.send(now, ack(ok), umbel_sip_endpoint::Target::Flow(flow));
    alice.request(now, in_dialog(Method::Bye, 2, ok), to_bob());
    let events = pair.take_events(BOB);
    let [Event::Ack { .. }, Event::Request { transaction, request, .. }] = events.as_slice() else {
        panic!("an ACK and a BYE: {events:?}")
    };
    let (bob, now) = pair.bob();
    bob.respond(now, *transaction, reply(request, StatusCode::OK));
    pair.assert_said(&[
        "alice: INVITE",
        "bob: 180 INVITE",
        "bob: 200 INVITE",
        "alice: ACK",
        "alice: BYE",
        "bob: 200 BYE",
    ]);
    // RFC 6026: both INVITE transactions stay for timers L and M, and nothing else does.
    assert_eq!(pair.endpoints.each_ref().map(umbel_sip_endpoint::Endpoint::transaction_count), [1, 1]);
    pair.pass(SIXTY_FOUR_T1);
    pair.assert_idle();
}

#[test]
fn a_refused_call_is_acknowledged_below_and_leaves_nothing_at_once() {
    let mut pair = Pair::new(2);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.assert_said(&["alice: INVITE", "bob: 486 INVITE", "alice: ACK"]);
    assert_eq!(responses(pair.take_events(ALICE)).len(), 1);
    assert!(pair.take_events(BOB).is_empty());
    pair.assert_idle();
}

// RFC 3261 17.1.1.3
#[test]
fn the_ack_to_a_refusal_is_that_of_the_standard() {
    let mut pair = Pair::new(3);
    let (alice, now) = pair.alice();
    let mut draft = invite("call-1");
    draft.push(HeaderName::Route, "<sip:p1.example;lr>").push(HeaderName::Route, "<sip:p2.example;lr>");
    alice.request(now, draft, to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.run();
    let (_, bytes) = pair.sent.last().unwrap();
    let Ok(Message::Request(ack)) = parse(bytes.clone()) else { panic!("an ACK") };
    let (ours, invites) = (ack.headers(), request.headers());
    assert_eq!(ack.request_uri(), request.request_uri());
    assert_eq!(ours.via().branch(), invites.via().branch());
    assert_eq!(ours.count(&HeaderName::Via), 1);
    assert_eq!(ours.get(&HeaderName::From), invites.get(&HeaderName::From));
    assert_eq!(ours.to().tag(), Some("b1"));
    assert_eq!(ours.call_id(), "call-1");
    assert_eq!((ours.cseq().number, &ours.cseq().method), (1, &Method::Ack));
    assert!(ours.all(&HeaderName::Route).eq(invites.all(&HeaderName::Route)));
    assert_eq!(ours.max_forwards(), Some(70));
}

// DEC-3
#[test]
fn a_100_goes_out_only_after_200_ms_of_silence() {
    let mut pair = Pair::new(4);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    pair.pass(199 * MILLISECOND);
    pair.assert_said(&["alice: INVITE"]);
    pair.pass(MILLISECOND);
    pair.assert_said(&["alice: INVITE", "bob: 100 INVITE"]);
    pair.pass(SIXTY_FOUR_T1);
    pair.assert_said(&["alice: INVITE", "bob: 100 INVITE"]);
}

// DEC-3
#[test]
fn whoever_answers_within_200_ms_sends_no_100() {
    let mut pair = Pair::new(5);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    pair.pass(150 * MILLISECOND);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.pass(Duration::from_secs(5));
    pair.assert_said(&["alice: INVITE", "bob: 180 INVITE"]);
}

#[test]
fn a_request_that_nobody_answers_times_out_on_both_sides() {
    let mut pair = Pair::new(6);
    let (alice, now) = pair.alice();
    let transaction = alice.request(now, request(Method::Options, "ping"), to_bob());
    let (asked, ..) = pair.request(BOB);
    pair.pass(SIXTY_FOUR_T1);
    let events = pair.take_events(ALICE);
    let expected = Event::Failed { transaction, failure: Failure::Timeout };
    assert_eq!(format!("{:?}", events.last().unwrap()), format!("{expected:?}"));
    let events = pair.take_events(BOB);
    let expected = Event::ServerFailed { transaction: asked, failure: Failure::Timeout };
    assert_eq!(format!("{:?}", events.last().unwrap()), format!("{expected:?}"));
    pair.assert_idle();
}

// REL-33
#[test]
fn an_ack_that_never_comes_is_told_within_40_s() {
    let mut pair = Pair::new(7);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    pair.break_flows();
    pair.take_events(BOB);
    // Alice is gone for good.
    pair.dead.insert(address(ALICE));
    pair.certificates = [None, None];
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.pass(Duration::from_secs(40));
    let events = pair.take_events(BOB);
    let expected = Event::ServerFailed { transaction, failure: Failure::Transport };
    assert_eq!(format!("{events:?}"), format!("[{expected:?}]"));
    assert_eq!(pair.endpoints[BOB].transaction_count(), 0);
}

// REL-33
#[test]
fn a_silent_peer_is_given_up_after_timer_h() {
    let mut pair = Pair::new(8);
    let (alice, now) = pair.alice();
    alice.request(now, request(Method::Options, "opens-a-flow"), to_bob());
    let (transaction, _, asked) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&asked, StatusCode::OK));
    pair.run();
    pair.inject(ALICE, &foreign_invite("z9hG4bKsilent"));
    let (transaction, _, invite) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&invite, StatusCode::BUSY_HERE));
    pair.pass(SIXTY_FOUR_T1);
    let events = pair.take_events(BOB);
    let expected = Event::ServerFailed { transaction, failure: Failure::Timeout };
    assert_eq!(format!("{events:?}"), format!("[{expected:?}]"));
    pair.assert_idle();
}

// RFC 3261 13.3.1.4, RFC 6026 7.1
#[test]
fn a_success_may_be_repeated_until_timer_l_and_each_copy_is_passed_on() {
    let mut pair = Pair::new(9);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    for _ in 0..3 {
        let (bob, now) = pair.bob();
        bob.respond(now, transaction, reply(&request, StatusCode::OK));
        pair.pass(Duration::from_secs(4));
    }
    assert_eq!(responses(pair.take_events(ALICE)).len(), 3);
    pair.pass(SIXTY_FOUR_T1);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    pair.run();
    assert!(pair.take_events(ALICE).is_empty());
    pair.assert_idle();
}

/// An INVITE of somebody who does not do what endpoints do.
fn foreign_invite(branch: &str) -> Vec<u8> {
    format!(
        "INVITE sip:bob@bob.example SIP/2.0\r\n\
         Via: SIP/2.0/TCP 192.0.2.1;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:carol@example.com>;tag=c1\r\n\
         To: <sip:bob@bob.example>\r\n\
         Call-ID: foreign-{branch}\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:carol@192.0.2.1>\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
