//! Changing a session that stands: re-INVITE (RFC 3261 14), UPDATE (RFC 3311), and who gives way.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::StatusCode;
use umbel_ua::{Command, Config, Ending, ExtraHeaders, InfoBody};
use world::{World, body, reply};

const SECOND: Duration = Duration::from_secs(1);

/// Alice calls bob, and both talk. No session timers, so that nothing else happens.
fn talking() -> World {
    let mut world = World::new();
    for name in ["alice", "bob"] {
        world.agent(name, Config { session_expires: None, ..Config::default() });
    }
    world.call("alice", "bob");
    world.settle();
    world.answer("bob");
    world.settle();
    world.forget_ladder();
    world
}

/// A scripted caller that talks to um; gives the link and our tag.
fn scripted() -> (World, FlowId, String) {
    let mut world = World::new();
    world.agent("um", Config { session_expires: None, ..Config::default() });
    world.script("caller");
    let flow = world.connect("caller", "um");
    world.send("caller", flow, &message("INVITE sip:um@example.com", "", 1, CONTACT_AND_OFFER));
    world.settle();
    world.answer("um");
    world.settle();
    let tag = world.response("caller").headers().to().tag().unwrap().to_owned();
    world.send("caller", flow, &message("ACK sip:192.0.2.1", &tag, 1, ""));
    world.settle();
    world.forget_ladder();
    (world, flow, tag)
}

const CONTACT_AND_OFFER: &str = "Contact: <sip:caller@192.0.2.2:5060;transport=tcp>
    Content-Type: application/sdp

    v=0
    ";

fn message(start: &str, tag: &str, cseq: u32, extra: &str) -> String {
    let method = start.split(' ').next().unwrap();
    let to = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    format!(
        "{start} SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-{method}-{cseq}
        Max-Forwards: 70
        From: <sip:caller@example.com>;tag=c1
        To: <sip:um@example.com>{to}
        Call-ID: call-1
        CSeq: {cseq} {method}
        {extra}"
    )
}

fn status(world: &mut World) -> u16 {
    world.settle();
    world.response("caller").status().as_u16()
}

// PEER-15: hold is an offer like any other, and goes up as one.
#[test]
fn a_reinvite_goes_up_and_its_answer_comes_back() {
    let mut world = talking();
    world.reoffer("alice");
    world.settle();
    world.accept("bob");
    world.settle();
    world.expect(
        "
        0.040 alice -> bob: INVITE 2 sdp
        0.041 bob: Offered sdp
        0.060 bob -> alice: 200 (INVITE 2) sdp
        0.061 alice: Negotiated
        0.061 alice -> bob: ACK 2
        ",
    );
    world.hang_up("bob");
    world.expect_rest();
}

// RFC 3261 14.1: "the session parameters remain unchanged".
#[test]
fn a_refused_reinvite_leaves_all_as_it_was() {
    let mut world = talking();
    world.reoffer("bob");
    world.settle();
    let call = world.last_call("alice");
    let headers: ExtraHeaders = Vec::new();
    world.command("alice", Command::Reject { call, status: StatusCode::NOT_ACCEPTABLE_HERE, headers });
    world.settle();
    world.expect(
        "
        0.040 bob -> alice: INVITE 1 sdp
        0.041 alice: Offered sdp
        0.060 alice -> bob: 488 (INVITE 1)
        0.061 bob: Unchanged 488
        0.061 bob -> alice: ACK 1
        ",
    );
    // And the other side may offer at once.
    world.reoffer("alice");
    world.settle();
    world.accept("bob");
    world.settle();
    world.expect(
        "
        0.080 alice -> bob: INVITE 2 sdp
        0.081 bob: Offered sdp
        0.100 bob -> alice: 200 (INVITE 2) sdp
        0.101 alice: Negotiated
        0.101 alice -> bob: ACK 2
        ",
    );
}

// RFC 3261 14.1: both give way, and the waits do not overlap.
#[test]
fn two_reinvites_that_cross_both_get_491_and_are_tried_again() {
    let mut world = talking();
    world.reoffer("alice");
    world.reoffer("bob");
    world.run_for(Duration::from_millis(10));
    world.expect(
        "
        0.040 alice -> bob: INVITE 2 sdp
        0.040 bob -> alice: INVITE 1 sdp
        0.041 bob -> alice: 491 (INVITE 2)
        0.041 alice -> bob: 491 (INVITE 1)
        0.042 alice -> bob: ACK 2
        0.042 bob -> alice: ACK 1
        ",
    );
    // Bob, who does not own the Call-ID, comes first: within two seconds.
    world.run_for(SECOND * 2);
    world.accept("alice");
    world.settle();
    // Alice owns it, and waits from 2.1 to 4 seconds.
    world.run_for(SECOND * 2);
    world.accept("bob");
    world.settle();
    let negotiated = |world: &mut World, name: &str| {
        world.events(name).iter().filter(|event| matches!(event, umbel_ua::Event::Negotiated { .. })).count()
    };
    assert_eq!(negotiated(&mut world, "alice"), 1);
    assert_eq!(negotiated(&mut world, "bob"), 1);
    world.hang_up("alice");
    world.expect_rest();
}

// RFC 3261 13.2.1: an offer in the 200, the answer in the ACK.
#[test]
fn an_invite_without_offer_gets_ours_and_answers_in_the_ack() {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("caller");
    let flow = world.connect("caller", "um");
    let contact = "Contact: <sip:caller@192.0.2.2:5060;transport=tcp>\n";
    world.send("caller", flow, &message("INVITE sip:um@example.com", "", 1, contact));
    world.settle();
    world.answer("um");
    world.settle();
    let tag = world.response("caller").headers().to().tag().unwrap().to_owned();
    // RFC 3261 14.2, RFC 3311 5.2: our offer is open, so nobody else's may come.
    world.send("caller", flow, &message("UPDATE sip:192.0.2.1", &tag, 2, CONTACT_AND_OFFER));
    assert_eq!(status(&mut world), 491);
    world.send("caller", flow, &message("INVITE sip:192.0.2.1", &tag, 3, CONTACT_AND_OFFER));
    assert_eq!(status(&mut world), 491);
    world.send(
        "caller",
        flow,
        &message("ACK sip:192.0.2.1", &tag, 1, "Content-Type: application/sdp\n\nv=0\n"),
    );
    world.settle();
    world.expect(
        "
        0.001 caller -> um: INVITE 1
        0.002 um: Invited
        0.021 um -> caller: 200 (INVITE 1) sdp
        0.041 caller -> um: UPDATE 2 sdp
        0.042 um -> caller: 491 (UPDATE 2)
        0.061 caller -> um: INVITE 3 sdp
        0.062 um -> caller: 491 (INVITE 3)
        0.081 caller -> um: ACK 1 sdp
        0.082 um: Confirmed sdp
        ",
    );
}

#[test]
fn a_reinvite_without_offer_asks_for_ours() {
    let (mut world, flow, tag) = scripted();
    world.send("caller", flow, &message("INVITE sip:192.0.2.1", &tag, 2, ""));
    world.settle();
    world.accept("um");
    world.settle();
    world.send(
        "caller",
        flow,
        &message("ACK sip:192.0.2.1", &tag, 2, "Content-Type: application/sdp\n\nv=0\n"),
    );
    world.settle();
    world.expect(
        "
        0.061 caller -> um: INVITE 2
        0.062 um: Offered
        0.081 um -> caller: 200 (INVITE 2) sdp
        0.101 caller -> um: ACK 2 sdp
        0.102 um: Negotiated
        ",
    );
}

// RFC 3311 5.2
#[test]
fn an_update_with_an_offer_goes_up_and_one_without_is_answered_at_once() {
    let (mut world, flow, tag) = scripted();
    world.send("caller", flow, &message("UPDATE sip:192.0.2.1", &tag, 2, CONTACT_AND_OFFER));
    world.settle();
    world.accept("um");
    world.settle();
    world.send("caller", flow, &message("UPDATE sip:192.0.2.1", &tag, 3, ""));
    world.settle();
    world.expect(
        "
        0.061 caller -> um: UPDATE 2 sdp
        0.062 um: Offered by UPDATE sdp
        0.081 um -> caller: 200 (UPDATE 2) sdp
        0.101 caller -> um: UPDATE 3
        0.102 um -> caller: 200 (UPDATE 3)
        ",
    );
}

// RFC 3261 14.2, RFC 3311 5.2: 500 with Retry-After from 0 to 10.
#[test]
fn a_second_offer_has_to_wait_for_the_answer_to_the_first() {
    for (first, second) in
        [("INVITE", "UPDATE"), ("INVITE", "INVITE"), ("UPDATE", "INVITE"), ("UPDATE", "UPDATE")]
    {
        let (mut world, flow, tag) = scripted();
        world.send("caller", flow, &message(&format!("{first} sip:192.0.2.1"), &tag, 2, CONTACT_AND_OFFER));
        world.run_for(Duration::from_millis(5));
        world.send("caller", flow, &message(&format!("{second} sip:192.0.2.1"), &tag, 3, CONTACT_AND_OFFER));
        world.settle();
        let response = world.response("caller");
        assert_eq!(response.status().as_u16(), 500, "{first} {second}");
        assert!(response.headers().retry_after().unwrap().unwrap().seconds <= 10);
        world.accept("um");
        assert_eq!(status(&mut world), 200, "{first} {second}");
    }
}

// RFC 3261 14.2: before the first INVITE has its final response.
#[test]
fn a_change_of_a_call_not_yet_answered_has_to_wait() {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("caller");
    let flow = world.connect("caller", "um");
    world.send("caller", flow, &message("INVITE sip:um@example.com", "", 1, CONTACT_AND_OFFER));
    world.settle();
    world.ring("um");
    world.settle();
    let tag = world.response("caller").headers().to().tag().unwrap().to_owned();
    for (cseq, method) in [(2, "INVITE"), (3, "UPDATE")] {
        world.send(
            "caller",
            flow,
            &message(&format!("{method} sip:192.0.2.1"), &tag, cseq, CONTACT_AND_OFFER),
        );
        assert_eq!(status(&mut world), 500, "{method}");
    }
    // Without an offer there is nothing to wait for.
    world.send("caller", flow, &message("UPDATE sip:192.0.2.1", &tag, 4, ""));
    assert_eq!(status(&mut world), 200);
    // RFC 3261 15.1.2: and BYE ends it, with 487 for the INVITE.
    world.send("caller", flow, &message("BYE sip:192.0.2.1", &tag, 5, ""));
    world.settle();
    let answers: Vec<u16> = world
        .received("caller")
        .into_iter()
        .filter_map(|(_, message)| message.into_response())
        .map(|response| response.status().as_u16())
        .collect();
    assert_eq!(answers, [200, 487]);
    assert_eq!(world.ending("um"), Ending::ByPeer);
}

// RFC 5407 3.1.4: a re-INVITE that overtook the ACK.
#[test]
fn a_reinvite_instead_of_the_ack_is_taken_for_both() {
    let mut world = World::new();
    world.agent("um", Config { session_expires: None, ..Config::default() });
    world.script("caller");
    let flow = world.connect("caller", "um");
    world.send("caller", flow, &message("INVITE sip:um@example.com", "", 1, CONTACT_AND_OFFER));
    world.settle();
    world.answer("um");
    world.settle();
    let tag = world.response("caller").headers().to().tag().unwrap().to_owned();
    world.forget_ladder();
    world.send("caller", flow, &message("INVITE sip:192.0.2.1", &tag, 2, CONTACT_AND_OFFER));
    world.settle();
    world.send("caller", flow, &message("ACK sip:192.0.2.1", &tag, 1, ""));
    world.settle();
    world.accept("um");
    world.settle();
    world.send("caller", flow, &message("ACK sip:192.0.2.1", &tag, 2, ""));
    world.settle();
    world.expect(
        "
        0.041 caller -> um: INVITE 2 sdp
        0.042 um: Confirmed
        0.042 um: Offered sdp
        0.061 caller -> um: ACK 1
        0.081 um -> caller: 200 (INVITE 2) sdp
        0.101 caller -> um: ACK 2
        ",
    );
}

// RFC 3261 9.2: a CANCEL of a re-INVITE ends the re-INVITE, not the call.
#[test]
fn a_reinvite_may_be_taken_back() {
    let (mut world, flow, tag) = scripted();
    let invite = message("INVITE sip:192.0.2.1", &tag, 2, CONTACT_AND_OFFER);
    world.send("caller", flow, &invite);
    world.settle();
    let cancel = message("CANCEL sip:192.0.2.1", &tag, 2, "").replace("z9hG4bK-CANCEL", "z9hG4bK-INVITE");
    world.send("caller", flow, &cancel);
    world.settle();
    world.accept("um");
    world.settle();
    world.expect(
        "
        0.061 caller -> um: INVITE 2 sdp
        0.062 um: Offered sdp
        0.081 caller -> um: CANCEL 2
        0.082 um -> caller: 200 (CANCEL 2)
        0.082 um -> caller: 487 (INVITE 2)
        ",
    );
    assert_eq!(world.agent_of("um").call_count(), 1);
}

// I4: what waits for an answer when the call ends gets one.
#[test]
fn a_call_that_ends_answers_what_was_asked() {
    let (mut world, flow, tag) = scripted();
    world.send("caller", flow, &message("INVITE sip:192.0.2.1", &tag, 2, CONTACT_AND_OFFER));
    world.settle();
    world.hang_up("um");
    world.settle();
    world.expect(
        "
        0.061 caller -> um: INVITE 2 sdp
        0.062 um: Offered sdp
        0.081 um: Ended ByUs
        0.081 um -> caller: BYE 1
        0.081 um -> caller: 487 (INVITE 2)
        ",
    );
}

// RFC 3261 12.2.1.2: the peer no longer knows the call.
#[test]
fn a_change_that_gets_481_ends_the_call() {
    let (mut world, _, tag) = scripted();
    world.reoffer("um");
    world.settle();
    let (flow, invite) = world.request("caller");
    world.send("caller", flow, &reply(&invite, "481 Gone", ""));
    world.settle();
    let _ = tag;
    assert_eq!(world.ending("um"), Ending::NoResponse);
}

// RFC 3261 14.1: the change is tried five times in all, and then the session stays as it was.
#[test]
fn a_change_that_never_fits_is_given_up() {
    let (mut world, _, _) = scripted();
    world.reoffer("um");
    let mut tries = 0;
    for _ in 0..20 {
        world.run_for(SECOND * 3);
        for (flow, message) in world.received("caller") {
            let Some(invite) = message.into_request() else { continue };
            if invite.method().as_str() == "INVITE" {
                tries += 1;
                world.send("caller", flow, &reply(&invite, "491 Request Pending", ""));
            }
        }
    }
    assert_eq!(tries, 5);
    let events = world.events("um");
    let unchanged = |event: &&umbel_ua::Event| {
        matches!(event, umbel_ua::Event::Unchanged { status: StatusCode::REQUEST_PENDING, .. })
    };
    assert_eq!(events.iter().filter(unchanged).count(), 1);
    assert_eq!(world.agent_of("um").call_count(), 1);
}

// REL-35
#[test]
fn a_change_survives_a_broken_connection() {
    let mut world = talking();
    world.reoffer("alice");
    world.run_for(Duration::ZERO);
    world.break_links("alice");
    world.run_for(SECOND * 5);
    world.accept("bob");
    world.settle();
    let negotiated = |event: &umbel_ua::Event| matches!(event, umbel_ua::Event::Negotiated { .. });
    assert!(world.events("alice").iter().any(negotiated));
    world.hang_up("alice");
    world.expect_rest();
}

// RFC 3261 13.3.1.4, for a re-INVITE.
#[test]
fn an_accepted_change_that_is_never_acknowledged_ends_the_call() {
    let (mut world, flow, tag) = scripted();
    world.send("caller", flow, &message("INVITE sip:192.0.2.1", &tag, 2, CONTACT_AND_OFFER));
    world.settle();
    world.accept("um");
    world.run_for(SECOND * 33);
    assert_eq!(world.ending("um"), Ending::NoAck);
}

// RFC 3261 12.2.1.1: Contact of a target refresh request is where we send from then on.
#[test]
fn a_reinvite_tells_where_the_peer_is_now() {
    let (mut world, flow, tag) = scripted();
    let moved = CONTACT_AND_OFFER.replace("caller@192.0.2.2", "moved@192.0.2.2");
    world.send("caller", flow, &message("INVITE sip:192.0.2.1", &tag, 2, &moved));
    world.settle();
    world.accept("um");
    world.settle();
    world.send("caller", flow, &message("ACK sip:192.0.2.1", &tag, 2, ""));
    world.settle();
    world.received("caller");
    world.hang_up("um");
    world.settle();
    let (_, bye) = world.request("caller");
    assert_eq!(bye.request_uri().as_str(), "sip:moved@192.0.2.2:5060;transport=tcp");
}

#[test]
fn info_is_sent_beside_the_session() {
    let mut world = talking();
    let call = world.last_call("alice");
    let content_type = "application/dtmf-relay".to_owned();
    world.command("alice", Command::SendInfo { call, content_type, body: InfoBody(body("Signal=5\r\n")) });
    world.settle();
    world.expect(
        "
        0.040 alice -> bob: INFO 2 +
        0.041 bob: Info application/dtmf-relay
        0.041 bob -> alice: 200 (INFO 2)
        ",
    );
}

// RFC 3261 17.1.1.2: an INVITE with a provisional response has no timer; found by exploration.
#[test]
fn a_reinvite_under_way_is_taken_back_when_the_call_ends() {
    let (mut world, _, _) = scripted();
    world.reoffer("um");
    world.settle();
    let (flow, invite) = world.request("caller");
    world.send("caller", flow, &reply(&invite, "100 Trying", ""));
    world.settle();
    world.hang_up("um");
    world.settle();
    world.expect(
        "
        0.061 um -> caller: INVITE 1 sdp
        0.081 caller -> um: 100 (INVITE 1)
        0.101 um: Ended ByUs
        0.101 um -> caller: BYE 2
        0.101 um -> caller: CANCEL 1
        ",
    );
    world.expect_rest();
}
