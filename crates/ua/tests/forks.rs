//! A call that reaches several: RFC 3261 13.2.2.4 and 12.1.2, with proxies in the path.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{HeaderName, Request};
use umbel_ua::{Command, Config, Ending, Way};
use world::{World, header, reply_as, uri};

fn calling() -> (World, FlowId, Request) {
    let mut world = World::new();
    world.agent("alice", Config { session_expires: None, ..Config::default() });
    world.script("proxy");
    world.call("alice", "proxy");
    world.settle();
    let (flow, invite) = world.request("proxy");
    world.forget_ladder();
    (world, flow, invite)
}

fn ok(invite: &Request, tag: &str) -> String {
    let extra = "Contact: <sip:fork@192.0.2.2:5060;transport=tcp>\nContent-Type: application/sdp\n\nv=0\n";
    reply_as(invite, "200 OK", tag, extra)
}

fn ringing(invite: &Request, tag: &str) -> String {
    reply_as(invite, "180 Ringing", tag, "Contact: <sip:192.0.2.2:5060;transport=tcp>\n")
}

// RFC 3261 13.2.2.4
#[test]
fn the_first_answer_wins_and_the_others_are_hung_up_on() {
    let (mut world, flow, invite) = calling();
    world.send("proxy", flow, &ringing(&invite, "a"));
    world.send("proxy", flow, &ringing(&invite, "b"));
    world.settle();
    world.send("proxy", flow, &ok(&invite, "b"));
    world.settle();
    world.send("proxy", flow, &ok(&invite, "a"));
    world.settle();
    world.send("proxy", flow, &ok(&invite, "b"));
    world.settle();
    world.expect(
        "
        0.020 proxy -> alice: 180 (INVITE 1)
        0.020 proxy -> alice: 180 (INVITE 1)
        0.021 alice: Progress 180
        0.021 alice: Progress 180
        0.040 proxy -> alice: 200 (INVITE 1) sdp
        0.041 alice: Answered sdp
        0.041 alice -> proxy: ACK 1
        0.060 proxy -> alice: 200 (INVITE 1) sdp
        0.061 alice -> proxy: ACK 1
        0.061 alice -> proxy: BYE 2
        0.080 proxy -> alice: 200 (INVITE 1) sdp
        0.081 alice -> proxy: ACK 1
        ",
    );
    let tags: Vec<(String, Option<String>)> = world
        .received("proxy")
        .into_iter()
        .filter_map(|(_, message)| message.into_request())
        .map(|request| (request.method().to_string(), request.headers().to().tag().map(str::to_owned)))
        .collect();
    let pair = |method: &str, tag: &str| (method.to_owned(), Some(tag.to_owned()));
    assert_eq!(tags, [pair("ACK", "b"), pair("ACK", "a"), pair("BYE", "a"), pair("ACK", "b")]);
}

#[test]
fn an_answer_after_the_call_is_over_is_hung_up_on_too() {
    let (mut world, flow, invite) = calling();
    world.send("proxy", flow, &ok(&invite, "a"));
    world.settle();
    world.hang_up("alice");
    world.settle();
    world.forget_ladder();
    world.send("proxy", flow, &ok(&invite, "b"));
    world.send("proxy", flow, &ok(&invite, "a"));
    world.settle();
    world.expect(
        "
        0.060 proxy -> alice: 200 (INVITE 1) sdp
        0.060 proxy -> alice: 200 (INVITE 1) sdp
        0.061 alice -> proxy: ACK 1
        0.061 alice -> proxy: BYE 2
        0.061 alice -> proxy: ACK 1
        ",
    );
    world.expect_rest();
}

// RFC 3261 12.1.2, 12.2.1.1: the route set is the Record-Route in reverse.
#[test]
fn requests_go_through_the_proxies_that_asked_for_it_in_their_order() {
    let (mut world, flow, invite) = calling();
    let routed = "Record-Route: <sip:far.example.com;lr>\n\
        Record-Route: \"Near\" <sip:192.0.2.2:5060;transport=tcp;lr;x=1>;y=2\n\
        Contact: <sip:callee@198.51.100.9;transport=tcp>\n";
    world.send("proxy", flow, &reply_as(&invite, "200 OK", "a", routed));
    world.settle();
    let (on, ack) = world.request("proxy");
    assert_eq!(on, flow);
    assert_eq!(ack.request_uri().as_str(), "sip:callee@198.51.100.9;transport=tcp");
    let routes: Vec<&[u8]> = ack.headers().elements(&HeaderName::Route).collect();
    assert_eq!(
        routes,
        [&b"\"Near\" <sip:192.0.2.2:5060;transport=tcp;lr;x=1>;y=2"[..], b"<sip:far.example.com;lr>"]
    );
}

// RFC 3261 12.2.1.1: a strict router.
#[test]
fn a_strict_router_gets_its_own_address_in_the_request_uri() {
    let (mut world, flow, invite) = calling();
    let routed = "Record-Route: <sip:far.example.com;lr>\n\
        Record-Route: <sip:192.0.2.2:5060;transport=tcp>\n\
        Contact: <sip:callee@198.51.100.9>\n";
    world.send("proxy", flow, &reply_as(&invite, "200 OK", "a", routed));
    world.settle();
    let (_, ack) = world.request("proxy");
    assert_eq!(ack.request_uri().as_str(), "sip:192.0.2.2:5060;transport=tcp");
    let routes: Vec<&[u8]> = ack.headers().elements(&HeaderName::Route).collect();
    assert_eq!(routes, [&b"<sip:far.example.com;lr>"[..], b"<sip:callee@198.51.100.9>"]);
}

// POP-5, RFC 3261 8.1.2
#[test]
fn an_outbound_proxy_is_the_only_route() {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("proxy");
    let mut outgoing = world.outgoing("um", "proxy");
    outgoing.target = uri("sip:dana@example.com");
    outgoing.from = uri("sip:dana@example.com");
    outgoing.to = outgoing.from.clone();
    outgoing.from_name = Some("Voice \"mail\"".into());
    outgoing.way = Way::Proxy(uri("sip:192.0.2.2:5060;transport=tcp"));
    outgoing.headers = vec![(HeaderName::MsSensitivity, "private-no-diversion".into())];
    world.call_with("um", outgoing);
    world.settle();
    let (_, invite) = world.request("proxy");
    assert_eq!(invite.request_uri().as_str(), "sip:dana@example.com");
    assert_eq!(header(invite.headers(), &HeaderName::Route), "<sip:192.0.2.2:5060;transport=tcp;lr>");
    assert_eq!(header(invite.headers(), &HeaderName::MsSensitivity), "private-no-diversion");
    // OCEXUM-3.2-6, POP-1
    assert!(invite.headers().from().uri.is_equivalent(&invite.headers().to().uri));
    assert_eq!(invite.headers().from().display_name().unwrap(), "Voice \"mail\"");
    assert!(header(invite.headers(), &HeaderName::Contact).ends_with(";automata"));
    assert_eq!(invite.headers().max_forwards(), Some(70));
}

// RFC 3261 8.1.3.4: a redirection is reported and not followed (SENS-15, SEC-42).
#[test]
fn a_redirection_is_reported_and_not_followed() {
    let (mut world, flow, invite) = calling();
    let contacts = "Contact: <sip:elsewhere@example.net>;q=0.5, <sip:other@example.net>\n";
    world.send("proxy", flow, &reply_as(&invite, "302 Moved", "a", contacts));
    world.settle();
    match world.ending("alice") {
        Ending::Refused(refused) => {
            assert_eq!(refused.status.as_u16(), 302);
            assert_eq!(refused.reason, "Moved");
            let contacts = [uri("sip:elsewhere@example.net"), uri("sip:other@example.net")];
            assert_eq!(refused.contacts, contacts);
        }
        other => panic!("{other:?}"),
    }
    world.expect_rest();
}

// A 2xx that does not say who answered makes no dialog to talk in.
#[test]
fn an_answer_without_contact_ends_the_call() {
    let (mut world, flow, invite) = calling();
    world.send("proxy", flow, &reply_as(&invite, "200 OK", "a", ""));
    world.settle();
    assert_eq!(world.ending("alice"), Ending::NoResponse);
    world.expect_rest();
}

// Forks beyond what we tell apart still ring, and may still win.
#[test]
fn the_eleventh_fork_may_answer() {
    let (mut world, flow, invite) = calling();
    for fork in 0..15 {
        world.send("proxy", flow, &ringing(&invite, &format!("fork{fork}")));
    }
    world.settle();
    world.send("proxy", flow, &ok(&invite, "fork14"));
    world.settle();
    let answered = |event: &umbel_ua::Event| matches!(event, umbel_ua::Event::Answered { .. });
    assert!(world.events("alice").iter().any(answered));
}

// RFC 3311 5.2: the callee updates an early dialog without an offer.
#[test]
fn the_callee_may_update_an_early_dialog() {
    let (mut world, flow, invite) = calling();
    world.send("proxy", flow, &ringing(&invite, "a"));
    world.settle();
    let from = header(invite.headers(), &HeaderName::From);
    let update = |extra: &str, cseq: u32| {
        format!(
            "UPDATE sip:192.0.2.1:5060 SIP/2.0
            Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-u{cseq}
            From: <sip:proxy@example.com>;tag=a
            To: {from}
            Call-ID: {}
            CSeq: {cseq} UPDATE
            Contact: <sip:192.0.2.2:5060;transport=tcp>
            {extra}",
            invite.headers().call_id()
        )
    };
    world.send("proxy", flow, &update("", 1));
    world.settle();
    assert_eq!(world.response("proxy").status().as_u16(), 200);
    // Our own offer is open: 491.
    world.send("proxy", flow, &update("Content-Type: application/sdp\n\nv=0\n", 2));
    world.settle();
    assert_eq!(world.response("proxy").status().as_u16(), 491);
}

#[test]
fn a_key_in_use_places_no_second_call() {
    let (mut world, flow, _) = calling();
    let call = umbel_ua::CallKey(1);
    let outgoing = Box::new(world.outgoing("alice", "proxy"));
    world.command("alice", Command::Invite { call, outgoing });
    world.run_for(Duration::from_millis(5));
    world.expect("");
    let _ = flow;
}
