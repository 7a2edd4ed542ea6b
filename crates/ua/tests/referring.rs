//! Being sent on by the other side of a call: RFC 3515, RFC 4488. Whether we go is decided above.
#![allow(clippy::unwrap_used)]

mod world;

use umbel_node::FlowId;
use umbel_sip_message::{Draft, HeaderName, Method, Request, StatusCode};
use umbel_ua::{CallKey, Command, Config, Event, REFERRALS_MAX, RequestKey};
use world::{World, header, reply};

fn world() -> (World, FlowId) {
    let mut world = World::new();
    world.agent("phone", Config { refer: true, ..Config::default() });
    world.script("peer");
    let flow = world.connect("peer", "phone");
    (world, flow)
}

/// A request of the peer, in the call of this name.
fn text(method: &str, call: usize, number: u32, tag: &str, extra: &str) -> String {
    format!(
        "{method} sip:192.0.2.1:5060;transport=tcp SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-{method}-{call}-{number}
        Max-Forwards: 70
        From: <sip:peer@example.com>;tag=p{call}
        To: <sip:phone@example.com>{tag}
        Call-ID: call-{call}
        CSeq: {number} {method}
        Contact: <sip:peer@192.0.2.2:5060;transport=tcp>
        {extra}"
    )
}

/// A call of the peer that is up; gives the tag of its To.
fn talk(world: &mut World, flow: FlowId, call: usize) -> String {
    world.send("peer", flow, &text("INVITE", call, 1, "", "Content-Type: application/sdp\n\nv=0\n"));
    world.settle();
    world.answer("phone");
    world.settle();
    let tag = world.response("peer").headers().to().tag().unwrap().to_owned();
    let tag = format!(";tag={tag}");
    world.send("peer", flow, &text("ACK", call, 1, &tag, ""));
    world.settle();
    tag
}

const CAROL: &str = "Refer-To: <sip:carol@example.com>\n";

/// The REFERs that were handed up and not looked at yet.
fn handed_up(world: &mut World) -> Vec<(CallKey, RequestKey, Request)> {
    let referred = |event| match event {
        Event::Referred { call, key, received } => Some((call, key, received.request)),
        _ => None,
    };
    world.events("phone").into_iter().filter_map(referred).collect()
}

/// The peer sends us on, and it is accepted.
fn refer(world: &mut World, flow: FlowId, call: usize, tag: &str) -> CallKey {
    world.send("peer", flow, &text("REFER", call, 2, tag, CAROL));
    world.settle();
    let [(ours, key, request)] = &handed_up(world)[..] else { panic!() };
    let response = Box::new(Draft::reply(request, StatusCode::ACCEPTED));
    world.command("phone", Command::Respond { request: *key, response });
    world.settle();
    assert_eq!(world.response("peer").status(), StatusCode::ACCEPTED);
    *ours
}

fn notify(world: &mut World, call: CallKey, last: bool) {
    let headers = vec![(HeaderName::Event, "refer".to_owned())];
    let body = ("message/sipfrag".to_owned(), bytes::Bytes::from_static(b"SIP/2.0 100 Trying\r\n"));
    world.command("phone", Command::Notify { call, last, headers, body });
    world.settle();
}

/// The NOTIFYs that came, each answered with 200.
fn notified(world: &mut World) -> usize {
    let mut count = 0;
    for (flow, message) in world.received("peer") {
        if let umbel_sip_message::Message::Request(request) = message {
            assert_eq!(*request.method(), Method::Notify);
            assert_eq!(header(request.headers(), &HeaderName::Event), "refer");
            assert!(request.headers().has(&HeaderName::Contact), "RFC 6665 4.1.3");
            world.send("peer", flow, &reply(&request, "200 OK", ""));
            count += 1;
        }
    }
    world.settle();
    count
}

/// RFC 3515 2.4: what came of it is told in the dialog of the call, in order.
#[test]
fn a_refer_within_a_call_is_handed_up_and_answered_by_command() {
    let (mut world, flow) = world();
    let tag = talk(&mut world, flow, 1);
    let call = refer(&mut world, flow, 1, &tag);
    notify(&mut world, call, false);
    let (_, request) = world.request("peer");
    assert_eq!(request.headers().cseq().number, 1);
    assert_eq!(request.headers().call_id(), "call-1");
    assert!(tag.ends_with(request.headers().from().tag().unwrap()));
    world.send("peer", flow, &reply(&request, "200 OK", ""));
    notify(&mut world, call, true);
    assert_eq!(notified(&mut world), 1);
    assert_eq!(world.agent_of("phone").call_count(), 1, "the call goes on");
}

/// RFC 5057 4: the dialog is there for as long as somebody waits to be told.
#[test]
fn what_came_of_it_is_told_after_the_call_and_then_nothing_is_left() {
    let (mut world, flow) = world();
    let tag = talk(&mut world, flow, 1);
    let call = refer(&mut world, flow, 1, &tag);
    notify(&mut world, call, false);
    assert_eq!(notified(&mut world), 1);
    world.send("peer", flow, &text("BYE", 1, 3, &tag, ""));
    world.settle();
    assert_eq!(world.response("peer").status(), StatusCode::OK);
    assert_eq!(world.agent_of("phone").call_count(), 0);
    // The call itself is gone.
    world.send("peer", flow, &text("INFO", 1, 4, &tag, ""));
    world.settle();
    assert_eq!(world.response("peer").status().as_u16(), 481);
    notify(&mut world, call, true);
    assert_eq!(notified(&mut world), 1);
    notify(&mut world, call, true);
    assert_eq!(notified(&mut world), 0, "it was the last");
    world.expect_rest();
}

/// The peer who does not want to hear of it, or does not know any more, still talks to us.
#[test]
fn a_notify_that_is_refused_ends_no_call() {
    let (mut world, flow) = world();
    let tag = talk(&mut world, flow, 1);
    let call = refer(&mut world, flow, 1, &tag);
    notify(&mut world, call, false);
    let (_, request) = world.request("peer");
    world.send("peer", flow, &reply(&request, "481 Subscription does not exist", ""));
    world.settle();
    assert_eq!(world.agent_of("phone").call_count(), 1);
}

/// At the bound, and one more.
#[test]
fn so_many_dialogs_are_kept_for_what_is_to_be_told() {
    let (mut world, flow) = world();
    let mut calls = Vec::new();
    for number in 0..=REFERRALS_MAX {
        let tag = talk(&mut world, flow, number);
        let call = refer(&mut world, flow, number, &tag);
        notify(&mut world, call, false);
        assert_eq!(notified(&mut world), 1);
        world.send("peer", flow, &text("BYE", number, 3, &tag, ""));
        world.settle();
        assert_eq!(world.response("peer").status(), StatusCode::OK);
        calls.push(call);
    }
    let told: Vec<usize> = calls
        .into_iter()
        .map(|call| {
            notify(&mut world, call, true);
            notified(&mut world)
        })
        .collect();
    assert_eq!(told.iter().sum::<usize>(), REFERRALS_MAX);
    assert_eq!(told.first(), Some(&0));
    world.expect_rest();
}

/// PEER-12, XFER-4, RFC 4488 5: what is served is told; RFC 3261 12.2.2, 8.2.2.3, SEC-63: what is not in order is
/// refused before anybody hears of it.
#[test]
fn what_is_not_in_order_is_refused_before_anybody_hears_of_it() {
    let (mut world, flow) = world();
    let tag = talk(&mut world, flow, 1);
    let mut number = 1;
    let mut status = |method: &str, tag: &str, extra: &str| {
        number += 1;
        world.send("peer", flow, &text(method, 1, number, tag, extra));
        world.settle();
        assert!(handed_up(&mut world).is_empty(), "{extra}");
        let response = world.response("peer");
        let supported = header(response.headers(), &HeaderName::Supported);
        (response.status().as_u16(), supported, header(response.headers(), &HeaderName::Allow))
    };
    let (options, supported, allow) = status("OPTIONS", &tag, "");
    assert_eq!((options, supported.as_str()), (200, "100rel, timer, norefersub"));
    assert!(allow.split(", ").any(|method| method == "REFER"), "{allow}");
    assert_eq!(status("REFER", "", CAROL).0, 481, "outside a call");
    assert_eq!(status("REFER", ";tag=0123456789abcdef", CAROL).0, 481, "of another");
    assert_eq!(status("REFER", &tag, &format!("{CAROL}Require: unheard-of\n")).0, 420);
    assert_eq!(
        status("REFER", &tag, &format!("{CAROL}Content-Encoding: gzip\nContent-Type: a/b\n\nx")).0,
        415
    );
    assert_eq!(status("INFO", &tag, "Require: norefersub\n").0, 420, "of REFER alone");
}

/// As [`world`], with an agent that sends its peers on; gives the call that is up, its flow and its tag.
fn sending_on() -> (World, FlowId, CallKey, String) {
    let mut world = World::new();
    world.agent("phone", Config { refers: true, ..Config::default() });
    world.script("peer");
    let flow = world.connect("peer", "phone");
    let tag = talk(&mut world, flow, 1);
    let confirmed = |event| match event {
        Event::Confirmed { call, .. } => Some(call),
        _ => None,
    };
    let call = world.events("phone").into_iter().find_map(confirmed).unwrap();
    (world, flow, call, tag)
}

/// Sends the peer on to carol; gives the REFER.
fn send_on(world: &mut World, call: CallKey) -> Request {
    let to = "sip:carol@example.com".parse().unwrap();
    let headers = vec![(HeaderName::ReferredBy, "<sip:alice@example.com>".to_owned())];
    world.command("phone", Command::Refer { call, to, headers });
    world.settle();
    let (_, refer) = world.request("peer");
    assert_eq!(*refer.method(), Method::Refer);
    refer
}

/// What was told of sending the peer on.
fn told(world: &mut World) -> Vec<(u16, bool)> {
    let referring = |event| match event {
        Event::Referring { status, last, .. } => Some((status.as_u16(), last)),
        _ => None,
    };
    world.events("phone").into_iter().filter_map(referring).collect()
}

/// The peer says what came of it; gives the answer to that.
fn says(world: &mut World, flow: FlowId, number: u32, tag: &str, state: &str, line: &str) -> u16 {
    let extra = format!(
        "Event: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag;version=2.0\n\n{line}\n"
    );
    world.send("peer", flow, &text("NOTIFY", 1, number, tag, &extra));
    world.settle();
    world.response("peer").status().as_u16()
}

/// RFC 3515 2.4, XFER-1: REFER in the dialog, then NOTIFYs until one says the end.
#[test]
fn what_comes_of_sending_the_peer_on_is_told() {
    let (mut world, flow, call, tag) = sending_on();
    let refer = send_on(&mut world, call);
    assert_eq!(header(refer.headers(), &HeaderName::ReferTo), "<sip:carol@example.com>");
    assert_eq!(header(refer.headers(), &HeaderName::ReferredBy), "<sip:alice@example.com>");
    assert_eq!(refer.headers().call_id(), "call-1");
    world.send("peer", flow, &reply(&refer, "202 Accepted", ""));
    world.settle();
    assert_eq!(told(&mut world), [], "accepted is not done");
    assert_eq!(says(&mut world, flow, 2, &tag, "active;expires=60", "SIP/2.0 180 Ringing"), 200);
    assert_eq!(says(&mut world, flow, 3, &tag, "terminated;reason=noresource", "SIP/2.0 200 OK"), 200);
    assert_eq!(told(&mut world), [(180, false), (200, true)]);
    // What comes after the last belongs to nothing.
    assert_eq!(says(&mut world, flow, 4, &tag, "terminated", "SIP/2.0 486 Busy Here"), 481);
    assert_eq!(told(&mut world), []);
}

/// The other direction: who refuses, ends without a word, or says something else.
#[test]
fn a_peer_that_is_not_sent_on_is_told_as_such() {
    let (mut world, flow, call, _) = sending_on();
    let refer = send_on(&mut world, call);
    world.send("peer", flow, &reply(&refer, "405 Method Not Allowed", ""));
    world.settle();
    assert_eq!(told(&mut world), [(405, true)]);
    assert_eq!(world.agent_of("phone").call_count(), 1, "the call goes on");

    let (mut world, flow, call, tag) = sending_on();
    let refer = send_on(&mut world, call);
    world.send("peer", flow, &reply(&refer, "202 Accepted", ""));
    world.settle();
    assert_eq!(says(&mut world, flow, 2, &tag, "active", "nothing that could be read"), 200);
    assert_eq!(told(&mut world), []);
    assert_eq!(says(&mut world, flow, 3, &tag, "terminated;reason=timeout", ""), 200);
    assert_eq!(told(&mut world), [(408, true)]);
}

/// PEER-12: NOTIFY is taken for what was asked for, and for nothing else.
#[test]
fn a_notify_that_nobody_asked_for_is_of_no_dialog() {
    let (mut world, flow, call, tag) = sending_on();
    assert_eq!(says(&mut world, flow, 2, &tag, "active", "SIP/2.0 200 OK"), 481);
    assert_eq!(says(&mut world, flow, 3, "", "terminated", "SIP/2.0 200 OK"), 481);
    send_on(&mut world, call);
    let other = "Event: message-summary\nSubscription-State: active\n";
    world.send("peer", flow, &text("NOTIFY", 1, 4, &tag, other));
    world.settle();
    assert_eq!(world.response("peer").status().as_u16(), 489);
    assert_eq!(told(&mut world), []);
}
