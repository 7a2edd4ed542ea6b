//! Which transaction a request belongs to: RFC 3261 17.2.3, 8.2.2.2, and clients of RFC 2543.
#![allow(clippy::unwrap_used)]

mod pair;

use pair::*;
use umbel_sip_endpoint::{Config, Event};
use umbel_sip_message::{Method, StatusCode};

/// A pair with a flow on which alice's side says whatever a test wants.
fn connected(seed: u64, bob: Config) -> Pair {
    let mut pair = Pair::with(seed, config(ALICE), bob);
    pair.connect(ALICE, umbel_node::FlowId(99), &tcp(BOB));
    pair.take_events(ALICE);
    pair.take_events(BOB);
    pair
}

struct Message<'a> {
    method: &'a str,
    via: &'a str,
    to_tag: &'a str,
    call_id: &'a str,
    cseq: &'a str,
}

const INVITE: Message<'_> = Message {
    method: "INVITE",
    via: "192.0.2.1;branch=z9hG4bKone",
    to_tag: "",
    call_id: "call-1",
    cseq: "1 INVITE",
};

impl Message<'_> {
    fn print(&self) -> Vec<u8> {
        let Message { method, via, to_tag, call_id, cseq } = self;
        format!(
            "{method} sip:bob@bob.example SIP/2.0\r\n\
             Via: SIP/2.0/TCP {via}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:carol@example.com>;tag=c1\r\n\
             To: <sip:bob@bob.example>{to_tag}\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq}\r\n\
             Contact: <sip:carol@192.0.2.1>\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }
}

fn requests(pair: &mut Pair) -> usize {
    pair.take_events(BOB).iter().filter(|event| matches!(event, Event::Request { .. })).count()
}

// SEC-24
#[test]
fn a_retransmission_makes_no_second_call_and_gets_the_last_answer() {
    let mut pair = connected(1, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    let (transaction, _, request) = pair.request(BOB);
    pair.inject(ALICE, &INVITE.print());
    assert_eq!(requests(&mut pair), 0);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::RINGING));
    pair.inject(ALICE, &INVITE.print());
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::BUSY_HERE));
    pair.inject(ALICE, &INVITE.print());
    assert_eq!(requests(&mut pair), 0);
    pair.assert_said(&["bob: 180 INVITE", "bob: 180 INVITE", "bob: 486 INVITE", "bob: 486 INVITE"]);
    pair.inject(ALICE, &Message { method: "ACK", cseq: "1 ACK", to_tag: ";tag=b1", ..INVITE }.print());
    assert!(pair.take_events(BOB).is_empty());
    pair.assert_idle();
}

// RFC 6026 7.1
#[test]
fn a_copy_of_an_invite_that_was_answered_with_200_is_absorbed() {
    let mut pair = connected(2, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    pair.inject(ALICE, &INVITE.print());
    assert_eq!(requests(&mut pair), 0);
    pair.assert_said(&["bob: 200 INVITE"]);
}

// RFC 3261 17.2.3: "the sent-by value in the top Via of the request is equal".
#[test]
fn two_clients_with_the_same_branch_have_two_calls() {
    let mut pair = connected(3, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    pair.inject(
        ALICE,
        &Message { via: "192.0.2.1:5070;branch=z9hG4bKone", call_id: "call-2", ..INVITE }.print(),
    );
    pair.inject(
        ALICE,
        &Message { via: "other.example;branch=z9hG4bKone", call_id: "call-3", ..INVITE }.print(),
    );
    assert_eq!(requests(&mut pair), 3);
    // Hosts are compared without case.
    pair.inject(
        ALICE,
        &Message { via: "OTHER.example;branch=z9hG4bKone", call_id: "call-3", ..INVITE }.print(),
    );
    assert_eq!(requests(&mut pair), 0);
}

// SEC-24, RFC 3261 8.2.2.2
#[test]
fn a_merged_request_gets_482() {
    let mut pair = connected(4, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    pair.inject(ALICE, &Message { via: "192.0.2.1;branch=z9hG4bKtwo", ..INVITE }.print());
    assert_eq!(requests(&mut pair), 1);
    pair.assert_said(&["bob: 482 INVITE"]);
}

// SEC-24: also while the first lives on after its 200.
#[test]
fn a_replay_under_another_branch_after_the_answer_gets_482() {
    let mut pair = connected(5, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    let (transaction, _, request) = pair.request(BOB);
    let (bob, now) = pair.bob();
    bob.respond(now, transaction, reply(&request, StatusCode::OK));
    pair.inject(ALICE, &Message { via: "192.0.2.1;branch=z9hG4bKtwo", ..INVITE }.print());
    assert_eq!(requests(&mut pair), 0);
    pair.assert_said(&["bob: 200 INVITE", "bob: 482 INVITE"]);
}

#[test]
fn what_is_not_merged_passes() {
    let mut pair = connected(6, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    let via = "192.0.2.1;branch=z9hG4bKtwo";
    pair.inject(ALICE, &Message { via, call_id: "call-2", ..INVITE }.print());
    let via = "192.0.2.1;branch=z9hG4bKthree";
    pair.inject(ALICE, &Message { via, cseq: "2 INVITE", ..INVITE }.print());
    // A request within a dialog is never merged.
    let via = "192.0.2.1;branch=z9hG4bKfour";
    pair.inject(ALICE, &Message { via, to_tag: ";tag=b1", ..INVITE }.print());
    assert_eq!(requests(&mut pair), 4);
}

#[test]
fn a_proxy_lets_merged_requests_pass() {
    let mut pair = connected(7, Config { refuses_merged_requests: false, ..config(BOB) });
    pair.inject(ALICE, &INVITE.print());
    pair.inject(ALICE, &Message { via: "192.0.2.1;branch=z9hG4bKtwo", ..INVITE }.print());
    assert_eq!(requests(&mut pair), 2);
}

// OCEXUM-4-1, DEC-2
#[test]
fn a_client_without_branches_is_served_by_the_rules_of_rfc_2543() {
    for via in ["192.0.2.1", "192.0.2.1;branch=z9hG4bK", "192.0.2.1;branch=1"] {
        let mut pair = connected(8, config(BOB));
        pair.inject(ALICE, &Message { via, ..INVITE }.print());
        let (transaction, _, request) = pair.request(BOB);
        pair.inject(ALICE, &Message { via, ..INVITE }.print());
        assert_eq!(requests(&mut pair), 0, "{via}: a copy");
        pair.inject(ALICE, &Message { via, method: "CANCEL", cseq: "1 CANCEL", ..INVITE }.print());
        let told = pair.take_events(BOB);
        assert!(matches!(told.as_slice(), [Event::Cancelled { .. }]), "{via}: {told:?}");
        let (bob, now) = pair.bob();
        bob.respond(now, transaction, reply(&request, StatusCode::REQUEST_TERMINATED));
        let acknowledged = Message { via, method: "ACK", cseq: "1 ACK", to_tag: ";tag=b1", ..INVITE };
        pair.inject(ALICE, &acknowledged.print());
        assert!(pair.take_events(BOB).is_empty(), "{via}: the ACK belongs to the refusal");
        pair.assert_idle();
        pair.inject(ALICE, &Message { via, call_id: "call-2", ..INVITE }.print());
        assert_eq!(requests(&mut pair), 1, "{via}: another call");
    }
}

#[test]
fn the_ack_to_a_success_is_passed_on_whatever_its_branch() {
    for via in ["192.0.2.1;branch=z9hG4bKone", "192.0.2.1;branch=z9hG4bKother", "192.0.2.1"] {
        let mut pair = connected(9, config(BOB));
        pair.inject(ALICE, &INVITE.print());
        let (transaction, _, request) = pair.request(BOB);
        let (bob, now) = pair.bob();
        bob.respond(now, transaction, reply(&request, StatusCode::OK));
        let ack = Message { via, method: "ACK", cseq: "1 ACK", to_tag: ";tag=b1", ..INVITE };
        pair.inject(ALICE, &ack.print());
        let told = pair.take_events(BOB);
        assert!(matches!(told.as_slice(), [Event::Ack { .. }]), "{via}: {told:?}");
    }
}

// M7
#[test]
fn an_ack_is_never_answered() {
    let mut pair = connected(10, config(BOB));
    pair.inject(ALICE, &Message { method: "ACK", cseq: "1 ACK", to_tag: ";tag=x", ..INVITE }.print());
    pair.inject(ALICE, &Message { method: "ACK", cseq: "1 BYE", ..INVITE }.print());
    pair.assert_said(&[]);
    pair.assert_idle();
}

// SEC-25: the answer is the user agent's; here it is only not taken for a copy.
#[test]
fn methods_of_one_branch_are_transactions_of_their_own() {
    let mut pair = connected(11, config(BOB));
    pair.inject(ALICE, &INVITE.print());
    pair.inject(ALICE, &Message { method: "BYE", cseq: "2 BYE", to_tag: ";tag=b1", ..INVITE }.print());
    pair.inject(ALICE, &Message { method: "invite", cseq: "3 invite", call_id: "lower", ..INVITE }.print());
    let methods: Vec<_> = pair
        .take_events(BOB)
        .iter()
        .filter_map(|event| match event {
            Event::Request { request, .. } => Some(request.method().clone()),
            _ => None,
        })
        .collect();
    assert_eq!(methods.len(), 3);
    assert_eq!(methods.iter().filter(|method| **method == Method::Invite).count(), 1);
}
