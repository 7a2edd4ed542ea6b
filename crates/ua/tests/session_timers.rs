//! Calls whose peer has silently gone: RFC 4028, PEER-16, REL-36.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{HeaderName, Response};
use umbel_ua::{Config, Ending};
use world::{World, header, reply, reply_as};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A scripted caller whose INVITE says this is answered by um and acknowledges; gives the 200.
fn answered(extra: &str) -> (World, FlowId, Response) {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("caller");
    let flow = world.connect("caller", "um");
    let contact = "Contact: <sip:caller@192.0.2.2:5060;transport=tcp>\n";
    let invite = format!("{contact}{extra}Content-Type: application/sdp\n\nv=0\n");
    world.send("caller", flow, &message("INVITE", "", 1, &invite));
    world.settle();
    world.answer("um");
    world.settle();
    let response = world.response("caller");
    world.send("caller", flow, &message("ACK", response.headers().to().tag().unwrap(), 1, ""));
    world.settle();
    world.forget_ladder();
    (world, flow, response)
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
        {extra}"
    )
}

#[track_caller]
fn check(asked: &str, expires: &str, require: &str) {
    let (_, _, response) = answered(asked);
    assert_eq!(header(response.headers(), &HeaderName::SessionExpires), expires, "{asked}");
    assert_eq!(header(response.headers(), &HeaderName::Require), require, "{asked}");
}

// PEER-16, RFC 4028 9
#[test]
fn the_200_says_what_was_agreed() {
    check("Supported: timer\nSession-Expires: 90\n", "90;refresher=uac", "timer");
    check("Supported: timer\nSession-Expires: 600;refresher=uas\n", "600;refresher=uas", "");
    check("Session-Expires: 600\n", "600;refresher=uas", "");
    check("", "1800;refresher=uas", "");
    check("Require: timer\nSupported: timer\nx: 3600;refresher=uac\n", "3600;refresher=uac", "timer");
}

// PEER-16: "no refresh from the refresher: BYE"; RFC 4028 10: 90 - 30 seconds.
#[test]
fn a_caller_who_does_not_refresh_is_hung_up_on() {
    let (mut world, _, _) = answered("Supported: timer\nSession-Expires: 90\n");
    world.run_for(seconds(59));
    assert_eq!(world.agent_of("um").call_count(), 1);
    world.run_for(seconds(1));
    assert_eq!(world.ending("um"), Ending::SessionExpired);
    assert_eq!(world.request("caller").1.method().as_str(), "BYE");
    world.expect_rest();
}

#[test]
fn a_caller_who_refreshes_is_not() {
    let (mut world, flow, response) = answered("Supported: timer\nSession-Expires: 90\n");
    let tag = response.headers().to().tag().unwrap().to_owned();
    for cseq in 2..10 {
        world.run_for(seconds(45));
        let update = message("UPDATE", &tag, cseq, "Supported: timer\nSession-Expires: 90;refresher=uac\n");
        world.send("caller", flow, &update);
        world.settle();
        let response = world.response("caller");
        assert_eq!(header(response.headers(), &HeaderName::SessionExpires), "90;refresher=uac");
    }
    assert_eq!(world.agent_of("um").call_count(), 1);
    world.run_for(seconds(60));
    assert_eq!(world.ending("um"), Ending::SessionExpired);
}

// RFC 4028 7.4, 10: at half time, by UPDATE where the peer takes it.
#[test]
fn we_refresh_by_update_where_the_caller_takes_it() {
    let (mut world, _, _) = answered("Allow: INVITE, ACK, BYE, UPDATE\n");
    for round in 0..3 {
        world.run_for(seconds(900));
        let (flow, update) = world.request("caller");
        assert_eq!(update.method().as_str(), "UPDATE", "{round}");
        assert!(update.body().is_empty());
        assert_eq!(header(update.headers(), &HeaderName::SessionExpires), "1800;refresher=uac");
        world.send("caller", flow, &reply(&update, "200 OK", "Session-Expires: 1800;refresher=uac\n"));
        world.settle();
    }
    assert_eq!(world.agent_of("um").call_count(), 1);
}

#[test]
fn we_refresh_by_the_same_offer_again_where_it_does_not() {
    let (mut world, _, first) = answered("Allow: INVITE, ACK, BYE\n");
    world.run_for(seconds(900));
    let (flow, invite) = world.request("caller");
    assert_eq!(invite.method().as_str(), "INVITE");
    assert_eq!(invite.body(), first.body());
    let extra = "Session-Expires: 1800;refresher=uac\nContent-Type: application/sdp\n\nv=0\n";
    world.send("caller", flow, &reply(&invite, "200 OK", extra));
    world.settle();
    assert_eq!(world.request("caller").1.method().as_str(), "ACK");
    assert_eq!(world.agent_of("um").call_count(), 1);
}

// RFC 4028 10: a refresh that fails is no reason to hang up before the session expires.
#[test]
fn a_refused_refresh_lets_the_session_expire() {
    let (mut world, _, _) = answered("Allow: INVITE, ACK, BYE, UPDATE\n");
    world.run_for(seconds(900));
    let (flow, update) = world.request("caller");
    world.send("caller", flow, &reply(&update, "488 Not Acceptable Here", ""));
    world.run_for(seconds(860));
    assert_eq!(world.agent_of("um").call_count(), 1);
    world.run_for(seconds(10));
    assert_eq!(world.ending("um"), Ending::SessionExpired);
}

// RFC 3261 12.2.1.2, REL-36: the peer is gone.
#[test]
fn a_refresh_without_answer_ends_the_call() {
    let (mut world, _, _) = answered("");
    world.deafen("caller");
    world.run_for(seconds(900 + 33));
    assert_eq!(world.ending("um"), Ending::NoResponse);
    world.expect_rest();
}

/// Alice calls a scripted peer, which answers like this.
fn placed(answer: &str) -> (World, FlowId) {
    let mut world = World::new();
    world.agent("alice", Config::default());
    world.script("peer");
    world.call("alice", "peer");
    world.settle();
    let (flow, invite) = world.request("peer");
    assert_eq!(header(invite.headers(), &HeaderName::SessionExpires), "1800");
    let extra = format!(
        "Contact: <sip:192.0.2.2:5060;transport=tcp>\n{answer}Content-Type: application/sdp\n\nv=0\n"
    );
    world.send("peer", flow, &reply_as(&invite, "200 OK", "b", &extra));
    world.settle();
    (world, flow)
}

// RFC 4028 7.2: the callee's word decides.
#[test]
fn whom_the_answer_names_refreshes() {
    let (mut world, _) = placed("Session-Expires: 100;refresher=uac\nAllow: UPDATE\n");
    world.run_for(seconds(50));
    assert_eq!(world.request("peer").1.method().as_str(), "UPDATE");

    let (mut world, _) = placed("Session-Expires: 100;refresher=uas\n");
    world.run_for(seconds(68));
    assert_eq!(world.ending("alice"), Ending::SessionExpired);

    // RFC 4028 7.2: no word, no timer.
    let (mut world, _) = placed("");
    world.run_for(seconds(10_000));
    assert_eq!(world.agent_of("alice").call_count(), 1);
}

// REL-39, SEC-46: who is called is called once.
#[test]
fn a_telephone_that_rang_and_then_wants_a_longer_interval_is_not_rung_again() {
    let mut world = World::new();
    world.agent("alice", Config { session_expires: Some(90), ..Config::default() });
    world.script("peer");
    world.call("alice", "peer");
    world.settle();
    let (flow, invite) = world.request("peer");
    world.send("peer", flow, &reply(&invite, "180 Ringing", ""));
    world.settle();
    world.send("peer", flow, &reply(&invite, "422 Session Interval Too Small", "Min-SE: 300\n"));
    world.settle();
    assert!(matches!(world.ending("alice"), Ending::Refused(refused) if refused.status.as_u16() == 422));
    world.expect_rest();
}

// RFC 4028 7.3
#[test]
fn a_longer_interval_is_proposed_when_the_callee_asks_for_it() {
    let mut world = World::new();
    world.agent("alice", Config { session_expires: Some(90), ..Config::default() });
    world.script("peer");
    world.call("alice", "peer");
    world.settle();
    let (flow, invite) = world.request("peer");
    world.send("peer", flow, &reply(&invite, "422 Session Interval Too Small", "Min-SE: 300\n"));
    world.settle();
    let (_, again) = world.request("peer");
    assert_eq!(header(again.headers(), &HeaderName::SessionExpires), "300");
    assert_eq!(header(again.headers(), &HeaderName::MinSe), "300");
    assert_eq!(again.headers().cseq().number, 2);
    assert_eq!(again.headers().call_id(), invite.headers().call_id());
    assert_eq!(again.body(), invite.body());
    // Twice, but not for ever.
    world.send("peer", flow, &reply(&again, "422 Session Interval Too Small", "Min-SE: 400\n"));
    world.settle();
    let (_, again) = world.request("peer");
    assert_eq!(header(again.headers(), &HeaderName::SessionExpires), "400");
    world.send("peer", flow, &reply(&again, "422 Session Interval Too Small", "Min-SE: 500\n"));
    world.settle();
    assert!(matches!(world.ending("alice"), Ending::Refused(refused) if refused.status.as_u16() == 422));
    world.expect_rest();
}
