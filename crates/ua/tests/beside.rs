//! Beside calls: SUBSCRIBE and MESSAGE, which are handed up and answered from above.
#![allow(clippy::unwrap_used)]

mod world;

use umbel_node::FlowId;
use umbel_sip_message::{Draft, HeaderName, Method, Request, StatusCode};
use umbel_ua::{Command, Config, Event, RECEIVED_MAX, RequestKey, Ticket};
use world::{World, header, uri};

fn served() -> Config {
    Config { subscribe: true, message: true, ..Config::default() }
}

fn world() -> (World, FlowId) {
    let mut world = World::new();
    world.agent("um", served());
    world.script("phone");
    let flow = world.connect("phone", "um");
    (world, flow)
}

fn text(method: &str, number: usize, to_tag: &str, extra: &str) -> String {
    format!(
        "{method} sip:alice@example.com SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-{method}-{number}
        Max-Forwards: 70
        From: <sip:alice@example.com>;tag=p1
        To: <sip:alice@example.com>{to_tag}
        Call-ID: beside-1
        CSeq: {number} {method}
        Contact: <sip:alice@192.0.2.2:5060;transport=tcp>
        {extra}"
    )
}

const LAMP: &str = "Event: message-summary\n";

/// The requests that were handed up and not looked at yet.
fn handed_up(world: &mut World) -> Vec<(RequestKey, Request)> {
    let received = |event| match event {
        Event::Received { key, received } => Some((key, received.request)),
        _ => None,
    };
    world.events("um").into_iter().filter_map(received).collect()
}

fn respond(world: &mut World, request: RequestKey, response: Draft) {
    world.command("um", Command::Respond { request, response: Box::new(response) });
    world.settle();
}

/// RFC 6665 4.2.1: what is answered, and with which tag, is decided above; what comes later in the dialog goes there
/// too.
#[test]
fn a_subscribe_is_handed_up_and_answered_by_command() {
    let (mut world, flow) = world();
    world.send("phone", flow, &text("SUBSCRIBE", 1, "", LAMP));
    world.settle();
    let [(key, request)] = &handed_up(&mut world)[..] else { panic!() };
    assert!(world.received("phone").is_empty(), "nothing is said before it is decided");
    let mut response = Draft::reply(request, StatusCode::OK);
    response.to_tag("ours");
    respond(&mut world, *key, response);
    let response = world.response("phone");
    assert_eq!((response.status().as_u16(), response.headers().to().tag()), (200, Some("ours")));
    assert_eq!(header(response.headers(), &HeaderName::Server), "Umbel");

    world.send("phone", flow, &text("SUBSCRIBE", 2, ";tag=ours", LAMP));
    world.settle();
    let [(again, _)] = &handed_up(&mut world)[..] else { panic!() };
    let response = Draft::reply(request, StatusCode::FORBIDDEN);
    respond(&mut world, *key, response.clone());
    assert!(world.received("phone").is_empty(), "the first was answered already");
    respond(&mut world, *again, response);
    assert_eq!(world.response("phone").status().as_u16(), 403);
    assert!(world.agent_of("um").is_settled());
}

/// RFC 3428 7; RFC 3261 8.2.6.2: an answer without a tag gets one.
#[test]
fn a_message_is_handed_up_and_answered_by_command() {
    let (mut world, flow) = world();
    world.send("phone", flow, &text("MESSAGE", 1, "", "Content-Type: text/plain\n\nhello"));
    world.settle();
    let [(key, request)] = &handed_up(&mut world)[..] else { panic!() };
    assert_eq!(request.body().trim_ascii_end(), b"hello");
    respond(&mut world, *key, Draft::reply(request, StatusCode::UNSUPPORTED_MEDIA_TYPE));
    let response = world.response("phone");
    assert_eq!(response.status().as_u16(), 415);
    assert_eq!(response.headers().to().tag().unwrap().len(), 16);
}

/// RFC 6665 8.3.2, RFC 3261 8.2.2.3, 12.2.2; SEC-63.
#[test]
fn what_is_not_in_order_is_refused_before_anybody_hears_of_it() {
    let (mut world, flow) = world();
    let mut number = 0;
    let mut status = |method: &str, to_tag: &str, extra: &str| {
        number += 1;
        world.send("phone", flow, &text(method, number, to_tag, extra));
        world.settle();
        assert!(handed_up(&mut world).is_empty(), "{method} {extra}");
        let response = world.response("phone");
        let events = response.headers().get_text(&HeaderName::AllowEvents).map(std::borrow::Cow::into_owned);
        (response.status().as_u16(), events)
    };
    let bad_event = (489, Some("message-summary".to_owned()));
    assert_eq!(status("SUBSCRIBE", "", "Event: presence\n"), bad_event);
    assert_eq!(status("SUBSCRIBE", "", ""), bad_event);
    assert_eq!(status("SUBSCRIBE", ";tag=x", "Event: dialog\n"), bad_event);
    assert_eq!(status("SUBSCRIBE", "", "Event: message-summary\nRequire: unheard-of\n").0, 420);
    assert_eq!(status("MESSAGE", "", "Require: unheard-of\n").0, 420);
    assert_eq!(status("MESSAGE", "", "Content-Encoding: gzip\nContent-Type: text/plain\n\nx").0, 415);
    assert_eq!(status("MESSAGE", ";tag=x", "").0, 481);
}

/// PEER-12: what is served is told, and what is told is served.
#[test]
fn only_what_is_configured_is_served() {
    for (config, subscribe, message, allow) in [
        (Config::default(), 405, 405, ""),
        (Config { message: true, ..Config::default() }, 405, 0, ", MESSAGE"),
        (Config { subscribe: true, ..Config::default() }, 0, 405, ", SUBSCRIBE"),
        (served(), 0, 0, ", SUBSCRIBE, MESSAGE"),
    ] {
        let mut world = World::new();
        world.agent("um", config);
        world.script("phone");
        let flow = world.connect("phone", "um");
        for (method, expected) in [("SUBSCRIBE", subscribe), ("MESSAGE", message)] {
            world.send("phone", flow, &text(method, 1, "", LAMP));
            world.settle();
            let refused = world.received("phone").into_iter().find_map(|(_, found)| found.into_response());
            assert_eq!(
                refused.map_or(0, |response| response.status().as_u16()),
                expected,
                "{method} {allow}"
            );
        }
        world.send("phone", flow, &text("OPTIONS", 1, "", ""));
        world.settle();
        let options = world.response("phone");
        let expected = format!("INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK{allow}");
        assert_eq!(header(options.headers(), &HeaderName::Allow), expected);
        assert_eq!(options.headers().has(&HeaderName::AllowEvents), subscribe == 0);
    }
}

/// The bound, and what happens at it; an answer makes room.
#[test]
fn so_many_requests_wait_for_an_answer_and_one_more_is_told_to_come_back() {
    let (mut world, flow) = world();
    for number in 1..=RECEIVED_MAX {
        world.send("phone", flow, &text("MESSAGE", number, "", ""));
    }
    world.settle();
    let waiting = handed_up(&mut world);
    assert_eq!(waiting.len(), RECEIVED_MAX);
    world.send("phone", flow, &text("MESSAGE", RECEIVED_MAX + 1, "", ""));
    world.settle();
    let refused = world.response("phone");
    assert_eq!(refused.status().as_u16(), 503);
    assert!(refused.headers().has(&HeaderName::RetryAfter));

    let (key, request) = &waiting[0];
    respond(&mut world, *key, Draft::reply(request, StatusCode::OK));
    world.send("phone", flow, &text("MESSAGE", RECEIVED_MAX + 2, "", ""));
    world.settle();
    assert_eq!(handed_up(&mut world).len(), 1);
}

/// RFC 5626: back along the connection while it is up, and wherever the peer is when it is not.
#[test]
fn a_request_that_is_written_already_goes_along_its_flow_or_else_to_its_hop() {
    let (mut world, flow) = world();
    world.send("phone", flow, &text("SUBSCRIBE", 1, "", LAMP));
    world.settle();
    let received = world.events("um").into_iter().find_map(|event| match event {
        Event::Received { received, .. } => Some(received),
        _ => None,
    });
    let theirs = received.unwrap().flow;
    assert!(world.agent_of("um").contact(theirs).ends_with("192.0.2.1:5060;transport=tcp>;automata"));
    let mut notify = Draft::request(Method::Notify, &uri("sip:alice@192.0.2.2:5060;transport=tcp"));
    for (name, value) in [
        (HeaderName::From, "<sip:alice@example.com>;tag=ours"),
        (HeaderName::To, "<sip:alice@example.com>;tag=p1"),
        (HeaderName::CallId, "beside-1"),
        (HeaderName::CSeq, "1 NOTIFY"),
    ] {
        notify.push(name, value);
    }
    let send = |ticket| Command::Send {
        ticket: Ticket(ticket),
        request: Box::new(notify.clone()),
        flow: Some(theirs),
        hop: uri("sip:192.0.2.2:5060;transport=tcp"),
    };
    world.command("um", send(1));
    world.settle();
    assert_eq!(world.request("phone").0, flow, "on the connection that is there");
    world.break_links("um");
    world.settle();
    world.command("um", send(2));
    world.settle();
    assert_ne!(world.request("phone").0, flow, "on another one");
}

/// RFC 6665 4.1.3: a NOTIFY of a subscription is its holder's to answer; where nobody holds any, it is not served.
#[test]
fn a_notify_of_a_subscription_is_handed_up_where_notifications_are_wanted() {
    let mut world = World::new();
    world.agent("um", Config { notify: true, ..Config::default() });
    world.script("phone");
    let flow = world.connect("phone", "um");
    let notify = |number| text("NOTIFY", number, ";tag=ours", "Event: message-summary\n");
    world.send("phone", flow, &notify(1));
    world.settle();
    let [(key, request)] = &handed_up(&mut world)[..] else { panic!() };
    respond(&mut world, *key, Draft::reply(request, StatusCode::OK));
    assert_eq!(world.response("phone").status().as_u16(), 200);

    let (mut world, flow) = self::world();
    world.send("phone", flow, &notify(2));
    world.settle();
    assert!(handed_up(&mut world).is_empty());
    assert_eq!(world.response("phone").status().as_u16(), 405);
}
