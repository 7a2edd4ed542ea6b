//! Every bound of an endpoint: one below, one at it.
#![allow(clippy::unwrap_used)]

mod pair;

use std::collections::BTreeSet;

use pair::*;
use umbel_sip_endpoint::{Config, Event, Failure, Target};
use umbel_sip_message::{HeaderName, Method, StatusCode, parse};

fn invite_many(pair: &mut Pair, count: usize) {
    for number in 0..count {
        let (alice, now) = pair.alice();
        alice.request(now, invite(&format!("call-{number}")), to_bob());
    }
    pair.run();
}

fn refused(pair: &Pair) -> usize {
    pair.said.iter().filter(|said| *said == "bob: 503 INVITE").count()
}

fn limit_failures(pair: &mut Pair) -> usize {
    let is_limit = |event: &&Event| matches!(event, Event::Failed { failure: Failure::Limit, .. });
    pair.take_events(ALICE).iter().filter(is_limit).count()
}

// REL-43, IN SIP "overload"
#[test]
fn requests_beyond_the_bound_get_503_with_a_retry_after_that_is_spread() {
    let bob = Config { transactions_max: 3, ..config(BOB) };
    let mut pair = Pair::with(1, config(ALICE), bob);
    invite_many(&mut pair, 3);
    assert_eq!(refused(&pair), 0);
    invite_many(&mut pair, 0);
    for number in 3..23 {
        let (alice, now) = pair.alice();
        alice.request(now, invite(&format!("call-{number}")), to_bob());
    }
    pair.run();
    assert_eq!(refused(&pair), 20);
    let seconds: BTreeSet<u32> = pair
        .sent
        .iter()
        .filter(|(_, bytes)| title(bytes) == "503 INVITE")
        .map(|(_, bytes)| {
            let message = parse(bytes.clone()).unwrap();
            let value = message.headers().get(&HeaderName::RetryAfter).unwrap().into_owned();
            String::from_utf8(value).unwrap().parse().unwrap()
        })
        .collect();
    assert!(seconds.len() > 5, "{seconds:?}");
    assert!(seconds.iter().all(|seconds| (1..=30).contains(seconds)), "{seconds:?}");
}

// REL-43: "in-dialog requests never refused"
#[test]
fn a_full_endpoint_can_still_be_hung_up_on() {
    let bob = Config { transactions_max: 1, in_dialog_reserve: 1, ..config(BOB) };
    let mut pair = Pair::with(2, config(ALICE), bob);
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    let ok = responses(pair.take_events(ALICE)).pop().unwrap();
    invite_many(&mut pair, 1);
    assert_eq!(refused(&pair), 1);
    for number in 2..4 {
        let (alice, now) = pair.alice();
        alice.request(now, in_dialog(Method::Bye, number, &ok), to_bob());
    }
    pair.run();
    assert_eq!(pair.said.last().unwrap(), "bob: 503 BYE");
    assert_eq!(pair.said.iter().filter(|said| *said == "bob: 503 BYE").count(), 1);
}

#[test]
fn one_flow_cannot_use_up_the_endpoint() {
    let bob = Config { unanswered_per_flow_max: 2, ..config(BOB) };
    let mut pair = Pair::with(3, config(ALICE), bob);
    invite_many(&mut pair, 2);
    assert_eq!(refused(&pair), 0);
    let waiting = pair.take_events(BOB);
    let (alice, now) = pair.alice();
    alice.request(now, invite("one-more"), to_bob());
    pair.run();
    assert_eq!(refused(&pair), 1);
    // Answering makes room again.
    for event in waiting {
        if let Event::Request { transaction, request, .. } = event {
            let (bob, now) = pair.bob();
            bob.respond(now, transaction, reply(&request, StatusCode::OK));
        }
    }
    pair.run();
    let (alice, now) = pair.alice();
    alice.request(now, invite("now"), to_bob());
    pair.run();
    assert_eq!(refused(&pair), 1);
}

#[test]
fn requests_of_our_own_beyond_the_bound_fail() {
    let mut pair = Pair::with(4, Config { transactions_max: 2, ..config(ALICE) }, config(BOB));
    invite_many(&mut pair, 3);
    assert_eq!(limit_failures(&mut pair), 1);
    assert_eq!(pair.said.len(), 2);
}

// REL-43
#[test]
fn a_full_endpoint_can_still_hang_up() {
    let alice = Config { transactions_max: 1, in_dialog_reserve: 1, ..config(ALICE) };
    let mut pair = Pair::with(9, alice, config(BOB));
    let (alice, now) = pair.alice();
    alice.request(now, invite("call-1"), to_bob());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    let ok = responses(pair.take_events(ALICE)).pop().unwrap();
    invite_many(&mut pair, 1);
    assert_eq!(limit_failures(&mut pair), 1);
    for (number, failures) in [(2, 0), (3, 1)] {
        let (alice, now) = pair.alice();
        alice.request(now, in_dialog(Method::Bye, number, &ok), to_bob());
        assert_eq!(limit_failures(&mut pair), failures);
    }
}

#[test]
fn no_more_messages_wait_for_a_flow_than_allowed() {
    let mut pair = Pair::with(5, Config { waiting_max: 2, ..config(ALICE) }, config(BOB));
    pair.held = Some(Vec::new());
    for number in 0..3 {
        let (alice, now) = pair.alice();
        alice.request(now, invite(&format!("call-{number}")), to_bob());
        pair.run();
    }
    assert_eq!(limit_failures(&mut pair), 1);
}

#[test]
fn no_more_flows_are_opened_at_once_than_allowed() {
    let mut pair = Pair::with(6, Config { opening_max: 1, ..config(ALICE) }, config(BOB));
    pair.held = Some(Vec::new());
    for name in ["a.example", "b.example"] {
        pair.names = vec![tls(BOB, name)];
        let (alice, now) = pair.alice();
        alice.request(now, invite(name), Target::Uri(uri(&format!("sip:bob@{name}"))));
        pair.run();
    }
    assert_eq!(limit_failures(&mut pair), 1);
    assert_eq!(pair.opened.len(), 1);
}

// The failure comes while the response is being sent: no timer may be armed after it.
#[test]
fn a_response_for_which_no_flow_may_be_opened_fails_and_leaves_nothing() {
    for status in [StatusCode::RINGING, StatusCode::BUSY_HERE] {
        let mut pair = Pair::with(7, config(ALICE), Config { opening_max: 0, ..config(BOB) });
        let (alice, now) = pair.alice();
        alice.request(now, invite("call-1"), to_bob());
        let (transaction, _, request) = pair.request(BOB);
        pair.break_flows();
        pair.take_events(BOB);
        let (bob, now) = pair.bob();
        bob.respond(now, transaction, reply(&request, status));
        let told = pair.take_events(BOB);
        assert!(
            matches!(told.as_slice(), [Event::ServerFailed { failure: Failure::Transport, .. }]),
            "{told:?}"
        );
        pair.assert_idle();
    }
}

// REL-24
#[test]
fn new_bounds_count_from_the_next_request_and_end_nothing() {
    let mut pair = Pair::new(8);
    invite_many(&mut pair, 2);
    let (bob, _) = pair.bob();
    bob.reconfigure(Config { transactions_max: 2, ..config(BOB) });
    let (alice, now) = pair.alice();
    alice.request(now, invite("one-more"), to_bob());
    pair.run();
    assert_eq!(refused(&pair), 1);
    assert_eq!(pair.endpoints[BOB].transaction_count(), 2);
}
