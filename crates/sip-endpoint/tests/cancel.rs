//! CANCEL: RFC 3261 9, and every order in which it can meet the answer.
#![allow(clippy::unwrap_used)]

mod pair;

use pair::*;
use umbel_sip_endpoint::{Event, Failure, SIXTY_FOUR_T1};
use umbel_sip_message::{HeaderName, Message, StatusCode, parse};

fn is_cancelled(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::Cancelled { .. }))
}

#[test]
fn a_ringing_call_is_cancelled() {
    let mut pair = Pair::new(1);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    assert!(is_cancelled(&pair.take_events(BOB)));
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::REQUEST_TERMINATED));
    pair.assert_said(&[
        "alice: INVITE",
        "bob: 180 INVITE",
        "alice: CANCEL",
        "bob: 200 CANCEL",
        "bob: 487 INVITE",
        "alice: ACK",
    ]);
    pair.assert_idle();
}

// RFC 3261 9.1
#[test]
fn a_cancel_waits_for_a_provisional_response() {
    let mut pair = Pair::new(2);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    pair.assert_said(&["alice: INVITE"]);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.assert_said(&["alice: INVITE", "bob: 180 INVITE", "alice: CANCEL", "bob: 200 CANCEL"]);
}

// SEC-24: the answer is faster.
#[test]
fn a_cancel_that_meets_a_200_on_the_way_has_no_effect() {
    let mut pair = Pair::new(3);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    // Both act before either hears of the other.
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    pair.run();
    assert!(!is_cancelled(&pair.take_events(BOB)));
    let answers = responses(pair.take_events(ALICE));
    assert_eq!(answers.last().unwrap().status(), StatusCode::OK);
    assert!(pair.said.contains(&"bob: 200 CANCEL".to_owned()));
    pair.pass(SIXTY_FOUR_T1);
    pair.assert_idle();
}

// SEC-24: the CANCEL is faster.
#[test]
fn an_answer_after_the_cancel_is_still_the_users_choice() {
    let mut pair = Pair::new(4);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    assert!(is_cancelled(&pair.take_events(BOB)));
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    bob.respond(now, transaction, reply(&request, StatusCode::REQUEST_TERMINATED));
    let answers = responses(pair.take_events(ALICE));
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses, [180, 200]);
    pair.pass(SIXTY_FOUR_T1);
    pair.assert_idle();
}

#[test]
fn a_cancel_for_nothing_gets_481() {
    let mut pair = Pair::new(5);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.run();
    let (_, bytes) = pair.sent.first().unwrap().clone();
    let cancel = String::from_utf8(bytes.to_vec()).unwrap().replace("INVITE", "CANCEL");
    pair.inject(ALICE, cancel.as_bytes());
    assert_eq!(pair.said.last().unwrap(), "bob: 481 CANCEL");
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    pair.run();
    assert_eq!(pair.said.last().unwrap(), "bob: 481 CANCEL");
    pair.assert_idle();
}

#[test]
fn a_cancel_that_is_repeated_is_answered_each_time_and_told_once() {
    let mut pair = Pair::new(6);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    pair.run();
    let (_, cancel) = pair.sent.iter().find(|(_, bytes)| title(bytes) == "CANCEL").unwrap().clone();
    pair.inject(ALICE, &cancel);
    let told = pair.take_events(BOB);
    assert_eq!(told.iter().filter(|event| matches!(event, Event::Cancelled { .. })).count(), 1);
    assert_eq!(pair.said.iter().filter(|said| *said == "bob: 200 CANCEL").count(), 2);
}

// RFC 3261 9.1
#[test]
fn the_cancel_is_that_of_the_standard_and_says_why() {
    let mut pair = Pair::new(7);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    let (alice, now) = pair.alice();
    alice.cancel(now, call, Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    pair.run();
    let (_, bytes) = pair.sent.iter().find(|(_, bytes)| title(bytes) == "CANCEL").unwrap();
    let Ok(Message::Request(cancel)) = parse(bytes.clone()) else { panic!("a CANCEL") };
    let (ours, invites) = (cancel.headers(), request.headers());
    assert_eq!(cancel.request_uri(), request.request_uri());
    assert_eq!(ours.via().branch(), invites.via().branch());
    assert_eq!(ours.cseq().number, invites.cseq().number);
    for name in [HeaderName::From, HeaderName::To, HeaderName::CallId] {
        assert_eq!(ours.get(&name), invites.get(&name));
    }
    assert!(ours.get(&HeaderName::Reason).unwrap().starts_with(b"SIP;cause=200"));
    // RFC 3261 9.2: the answer bears the tag of the response to the INVITE.
    let (_, bytes) = pair.sent.iter().find(|(_, bytes)| title(bytes) == "200 CANCEL").unwrap();
    assert_eq!(parse(bytes.clone()).unwrap().headers().to().tag(), Some("b1"));
}

// RFC 3261 9.1: "the client SHOULD then consider the original transaction cancelled".
#[test]
fn a_cancelled_call_whose_server_says_nothing_more_is_given_up() {
    let mut pair = Pair::new(8);
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.run();
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    pair.pass(SIXTY_FOUR_T1);
    let events = pair.take_events(ALICE);
    let expected = Event::Failed { transaction: call, failure: Failure::Timeout };
    assert_eq!(format!("{:?}", events.last().unwrap()), format!("{expected:?}"));
    assert_eq!(pair.endpoints[ALICE].transaction_count(), 0);
}

#[test]
fn a_call_cancelled_before_it_has_left_never_leaves() {
    let mut pair = Pair::new(9);
    pair.held = Some(Vec::new());
    let (alice, now) = pair.alice();
    let call = alice.request(now, invite("call-1"), to_bob());
    pair.run();
    let (alice, now) = pair.alice();
    alice.cancel(now, call, None);
    let held = pair.held.take().unwrap();
    let [(side, id, to)] = held.as_slice() else { panic!("one flow was to be opened") };
    pair.connect(*side, *id, to);
    pair.assert_said(&[]);
    let events = pair.take_events(ALICE);
    let expected = Event::Failed { transaction: call, failure: Failure::Cancelled };
    assert_eq!(format!("{:?}", events.first().unwrap()), format!("{expected:?}"));
    pair.assert_idle();
}
