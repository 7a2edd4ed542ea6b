//! Reliable provisional responses: RFC 3262, both sides.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{HeaderName, Response};
use umbel_ua::{Config, Ending};
use world::{World, header, reply_as};

fn called() -> (World, FlowId) {
    let mut world = World::new();
    world.agent("um", Config { session_expires: None, ..Config::default() });
    world.script("caller");
    let flow = world.connect("caller", "um");
    (world, flow)
}

fn message(method: &str, tag: &str, cseq: u32, extra: &str) -> String {
    let to = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    format!(
        "{method} sip:um@example.com SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-{method}-{cseq}
        From: <sip:caller@example.com>;tag=c1
        To: <sip:um@example.com>{to}
        Call-ID: call-1
        CSeq: {cseq} {method}
        Contact: <sip:caller@192.0.2.2:5060;transport=tcp>
        {extra}"
    )
}

const WITH_OFFER: &str = "Content-Type: application/sdp\n\nv=0\n";

/// The caller requires 100rel, and um rings; gives the 180.
fn ringing(extra: &str) -> (World, FlowId, Response) {
    let (mut world, flow) = called();
    world.send("caller", flow, &message("INVITE", "", 1, extra));
    world.settle();
    world.ring("um");
    world.settle();
    let response = world.response("caller");
    world.forget_ladder();
    (world, flow, response)
}

fn required() -> String {
    format!("Require: 100rel\n{WITH_OFFER}")
}

fn prack(ringing: &Response, cseq: u32, extra: &str) -> String {
    let headers = ringing.headers();
    let rseq = headers.rseq().unwrap().unwrap();
    message("PRACK", headers.to().tag().unwrap(), cseq, &format!("RAck: {rseq} 1 INVITE\n{extra}"))
}

// RFC 3262 3
#[test]
fn a_caller_who_requires_it_gets_a_numbered_180_and_the_200_after_its_prack() {
    let (mut world, flow, ringing) = ringing(&required());
    assert_eq!(header(ringing.headers(), &HeaderName::Require), "100rel");
    world.answer("um");
    world.settle();
    world.send("caller", flow, &prack(&ringing, 2, ""));
    world.settle();
    world.expect(
        "
        0.061 caller -> um: PRACK 2
        0.062 um -> caller: 200 (PRACK 2)
        0.062 um -> caller: 200 (INVITE 1) sdp
        ",
    );
}

#[test]
fn after_its_prack_the_180_is_repeated_no_more() {
    let (mut world, flow, ringing) = ringing(&required());
    world.run_for(Duration::from_secs(2));
    world.send("caller", flow, &prack(&ringing, 2, ""));
    world.run_for(Duration::from_secs(10));
    world.answer("um");
    world.settle();
    world.expect(
        "
        0.521 um -> caller: 180 (INVITE 1)
        1.521 um -> caller: 180 (INVITE 1)
        2.041 caller -> um: PRACK 2
        2.042 um -> caller: 200 (PRACK 2)
        12.041 um -> caller: 200 (INVITE 1) sdp
        ",
    );
}

// RFC 3262 3: "the UAS SHOULD reject the original request with a 5xx response".
#[test]
fn without_prack_the_call_gets_504() {
    let (mut world, _, _) = ringing(&required());
    world.answer("um");
    world.run_for(Duration::from_secs(33));
    assert_eq!(world.response("caller").status().as_u16(), 504);
    assert_eq!(world.ending("um"), Ending::NoAck);
}

// STD: RFC 3262 "support, do not require".
#[test]
fn a_caller_who_only_supports_it_gets_a_plain_180() {
    let (_, _, ringing) = ringing(&format!("Supported: 100rel\n{WITH_OFFER}"));
    assert!(!ringing.headers().has(&HeaderName::RSeq));
    assert!(!ringing.headers().has(&HeaderName::Require));
}

// RFC 3262 5: our first reliable response would have to bear the offer, which the 200 does.
#[test]
fn a_caller_without_offer_who_requires_it_hears_of_us_with_the_200() {
    let (mut world, flow) = called();
    world.send("caller", flow, &message("INVITE", "", 1, "Require: 100rel\n"));
    world.settle();
    world.ring("um");
    world.answer("um");
    world.settle();
    let statuses: Vec<u16> = world
        .received("caller")
        .into_iter()
        .filter_map(|(_, message)| message.into_response())
        .map(|response| response.status().as_u16())
        .collect();
    assert_eq!(statuses, [200]);
}

// RFC 3262 3
#[test]
fn a_prack_of_nothing_gets_481_and_one_that_does_not_say_of_what_gets_400() {
    let (mut world, flow, ringing) = ringing(&required());
    let tag = ringing.headers().to().tag().unwrap();
    let rseq = ringing.headers().rseq().unwrap().unwrap();
    for (cseq, rack, status) in [
        (2, format!("RAck: {} 1 INVITE\n", rseq + 1), 481),
        (3, format!("RAck: {rseq} 2 INVITE\n"), 481),
        (4, format!("RAck: {rseq} 1 OPTIONS\n"), 481),
        (5, String::new(), 400),
        (6, format!("RAck: {rseq} 1 INVITE\n"), 200),
        (7, format!("RAck: {rseq} 1 INVITE\n"), 481),
    ] {
        world.send("caller", flow, &message("PRACK", tag, cseq, &rack));
        world.settle();
        assert_eq!(world.response("caller").status().as_u16(), status, "{rack}");
    }
}

// RFC 3262 5: the offer of the INVITE is still open.
#[test]
fn an_offer_in_a_prack_is_refused_and_the_prack_counts() {
    let (mut world, flow, ringing) = ringing(&required());
    world.send("caller", flow, &prack(&ringing, 2, WITH_OFFER));
    world.settle();
    assert_eq!(world.response("caller").status().as_u16(), 500);
    world.answer("um");
    world.settle();
    assert_eq!(world.response("caller").status().as_u16(), 200);
}

// RFC 3261 9, RFC 3262: the caller gives up while the 180 is repeated.
#[test]
fn a_cancel_stops_the_repetition() {
    let (mut world, flow, _) = ringing(&required());
    let cancel = message("CANCEL", "", 1, "").replace("bK-CANCEL", "bK-INVITE");
    world.send("caller", flow, &cancel);
    world.run_for(Duration::from_secs(10));
    world.expect(
        "
        0.041 caller -> um: CANCEL 1
        0.042 um: Ended Cancelled
        0.042 um -> caller: 200 (CANCEL 1)
        0.042 um -> caller: 487 (INVITE 1)
        ",
    );
}

/// Alice calls a scripted peer; gives its end of the link and the INVITE.
fn calling() -> (World, FlowId, umbel_sip_message::Request) {
    let mut world = World::new();
    world.agent("alice", Config { session_expires: None, ..Config::default() });
    world.script("peer");
    world.call("alice", "peer");
    world.settle();
    let (flow, invite) = world.request("peer");
    world.forget_ladder();
    (world, flow, invite)
}

const CONTACT: &str = "Contact: <sip:192.0.2.2:5060;transport=tcp>\n";

fn reliable(invite: &umbel_sip_message::Request, tag: &str, rseq: u32, body: &str) -> String {
    reply_as(invite, "183 Session Progress", tag, &format!("{CONTACT}Require: 100rel\nRSeq: {rseq}\n{body}"))
}

// RFC 3262 4: in order, once each.
#[test]
fn each_reliable_response_gets_one_prack_in_order() {
    let (mut world, flow, invite) = calling();
    for rseq in [7, 7, 9, 8, 9] {
        world.send("peer", flow, &reliable(&invite, "b", rseq, ""));
        world.settle();
    }
    world.expect(
        "
        0.020 peer -> alice: 183 (INVITE 1)
        0.021 alice: Progress 183 reliably
        0.021 alice -> peer: PRACK 2
        0.040 peer -> alice: 183 (INVITE 1)
        0.060 peer -> alice: 183 (INVITE 1)
        0.080 peer -> alice: 183 (INVITE 1)
        0.081 alice: Progress 183 reliably
        0.081 alice -> peer: PRACK 3
        0.100 peer -> alice: 183 (INVITE 1)
        0.101 alice: Progress 183 reliably
        0.101 alice -> peer: PRACK 4
        ",
    );
    let (_, prack) = world.request("peer");
    assert_eq!(header(prack.headers(), &HeaderName::RAck), "9 1 INVITE");
}

// RFC 3261 13.2.1: an answer in a reliable provisional response is the answer.
#[test]
fn the_answer_may_come_before_the_200() {
    let (mut world, flow, invite) = calling();
    world.send("peer", flow, &reliable(&invite, "b", 1, WITH_OFFER));
    world.settle();
    world.send("peer", flow, &reply_as(&invite, "200 OK", "b", CONTACT));
    world.settle();
    world.expect(
        "
        0.020 peer -> alice: 183 (INVITE 1) sdp
        0.021 alice: Progress 183 reliably sdp
        0.021 alice -> peer: PRACK 2
        0.040 peer -> alice: 200 (INVITE 1)
        0.041 alice: Answered sdp
        0.041 alice -> peer: ACK 1
        ",
    );
    // The dialog counts on where the early one was.
    world.hang_up("alice");
    world.settle();
    assert_eq!(world.request("peer").1.headers().cseq().number, 3);
}
