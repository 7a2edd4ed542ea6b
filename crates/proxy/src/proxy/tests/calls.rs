//! Calls between telephones: RFC 3261 16.

use super::*;

// REG-1, REG-2, STD-3, SIPRE-28
#[test]
fn all_telephones_ring_and_the_first_answer_wins() {
    let mut office = Office::where_registered(&["bob"]);
    office.register("bob-too", "<sip:bob@192.0.2.12>", "");
    office.expect("bob-too < 200");
    office.call("alice", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nbob-too < INVITE sip:bob@192.0.2.12");
    office.answer("bob", "180 Ringing");
    office.expect("alice < 180");
    assert!(!office.proxy.has_answered_all());
    office.answer("bob-too", "200 OK");
    office.expect("alice < 200\nbob < CANCEL");
    // REL-23: a server that is to stop waits for nothing of this call any more.
    assert!(office.proxy.has_answered_all() && !office.proxy.is_idle());
    let reason = values(&office.request("bob", "CANCEL"), &HeaderName::Reason);
    assert_eq!(reason, ["SIP;cause=200;text=\"Call completed elsewhere\""]);
    // RFC 3261 13.3.1.4: a 2xx is repeated until its ACK comes.
    office.answer("bob-too", "200 OK");
    office.expect("alice < 200");
    assert_eq!(office.proxy.call_count(), 1);
    office.wait(40);
    assert_eq!(office.proxy.call_count(), 0);
    assert!(office.proxy.is_idle());
}

// EUMR-10, SEC-38, and what is not named by a rule is relayed byte for byte
#[test]
fn what_is_untouched_is_relayed_byte_for_byte() {
    let mut office = Office::where_registered(&["bob"]);
    let lines = "Subject:  odd\t spacing \r\nX-Thing: a,  b\r\n c\r\nms-sensitivity: PRIVATE\r\nAllow: A\r\nALLOW: B\r\n";
    office.call_with("alice", "sip:bob@example.test", lines);
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    let invite = office.request("bob", "INVITE");
    let text = String::from_utf8(invite.as_bytes().to_vec()).unwrap();
    assert!(text.contains(lines), "{text}");
    assert_eq!(values(&invite, &HeaderName::PAssertedIdentity), ["<sip:alice@example.test>"]);
    assert_eq!(values(&invite, &HeaderName::MaxForwards), ["69"]);
    assert!(values(&invite, &HeaderName::ProxyAuthorization).is_empty());
    assert_eq!(values(&invite, &HeaderName::HistoryInfo), [""; 0]);
    assert_eq!(invite.headers().vias().count(), 2);
}

// URI-7
#[test]
fn a_user_is_found_by_extension_and_under_every_name_of_the_server() {
    let mut office = Office::where_registered(&["bob"]);
    for uri in [
        "sip:201@example.test",
        "sip:201@192.0.2.100",
        "sip:bob@192.0.2.100:5061",
        "sip:201;phone-context=dialstring@example.test;user=phone",
        "sip:2-01@example.test",
        "tel:201",
    ] {
        office.call("alice", uri);
        office.expect("bob < INVITE sip:bob@192.0.2.2");
        office.answer("bob", "486 Busy Here");
        office.expect("alice < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
        office.answer("vm1", "200 OK");
        office.expect("alice < 200");
    }
    office.call("alice", "sip:nobody@example.test");
    office.expect("alice < 404");
}

// RFC 3261 16.10
#[test]
fn the_caller_gives_up() {
    let mut office = Office::with(|config| config.voice_mail.clear());
    office.register_all(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180");
    office.hang_up_early("alice");
    office.expect("bob < CANCEL\nalice < 487");
    office.wait(60);
    office.expect("");
    assert!(office.proxy.is_idle());
}

// RFC 3261 16.7, step 5: a late 2xx of another branch.
#[test]
fn two_who_answer_at_once_are_both_passed_on() {
    let mut office = Office::where_registered(&["bob"]);
    office.register("bob-too", "<sip:bob@192.0.2.12>", "");
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "200 OK");
    office.answer("bob-too", "200 OK");
    let ladder = std::mem::take(&mut office.ladder);
    assert_eq!(ladder.iter().filter(|line| *line == "alice < 200").count(), 2, "{ladder:?}");
}

// REG-2
#[test]
fn a_telephone_whose_flow_is_gone_is_called_where_it_registered_from_or_not_at_all() {
    let mut office = Office::where_registered(&["bob"]);
    office.disconnect("bob");
    office.call("alice", "sip:bob@example.test");
    office.expect("192.0.2.2:5061 < INVITE sip:bob@192.0.2.2");
    office.connect("carol", "192.0.2.3".parse().unwrap(), None);
    office.register("carol", "<sip:carol@10.0.0.1>", "");
    office.expect("carol < 200");
    office.disconnect("carol");
    office.call_with("alice", "sip:carol@example.test", "Ms-Sensitivity: normal-no-diversion\r\n");
    office.expect("alice < 480");
}

// LOOP-1
#[test]
fn a_request_without_hops_left_goes_nowhere() {
    let mut office = Office::where_registered(&["bob"]);
    let text = office.text("stranger", "INVITE", "sip:bob@example.test", "From: <sip:x@y.test>\r\n", 1, "");
    office.say("stranger", &text.replace("Max-Forwards: 70", "Max-Forwards: 0"));
    office.expect("stranger < 483");
    office
        .say("stranger", &text.replace("Max-Forwards: 70", "Max-Forwards: 1").replace("z9hG4bK", "z9hG4bKx"));
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    assert_eq!(values(&office.request("bob", "INVITE"), &HeaderName::MaxForwards), ["0"]);
}

// LOOP-2, RFC 5393 4
#[test]
fn a_request_that_comes_round_again_is_a_loop_and_a_spiral_is_none() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.call("um", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    // Somebody passes it back to where it had been.
    let invite = office.request("bob", "INVITE");
    let back = |uri: &str| {
        let mut draft = Draft::forward(&invite);
        draft.set_request_uri(&uri.parse().unwrap()).push_via(
            "TLS",
            "192.0.2.50",
            None,
            "z9hG4bKround",
            false,
        );
        draft.remove(&HeaderName::Route);
        String::from_utf8(draft.print().to_vec()).unwrap()
    };
    office.say("um", &back("sip:bob@example.test"));
    office.expect("um < 482");
    office.say("um", &back("sip:carol@example.test").replace("z9hG4bKround", "z9hG4bKspiral"));
    office.expect("carol < INVITE sip:carol@192.0.2.3");
}

// LOOP-2, RFC 5393 5
#[test]
fn breadth_is_honoured() {
    let mut office = Office::where_registered(&["bob"]);
    office.register("bob-too", "<sip:bob@192.0.2.12>", "");
    office.expect("bob-too < 200");
    office.call_with("um", "sip:bob@example.test", "Max-Breadth: 0\r\n");
    office.expect("um < 440");
    office.call_with("um", "sip:bob@example.test", "Max-Breadth: 1\r\n");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    assert_eq!(values(&office.request("bob", "INVITE"), &HeaderName::MaxBreadth), ["1"]);
    office.call("um", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nbob-too < INVITE sip:bob@192.0.2.12");
    assert_eq!(values(&office.request("bob", "INVITE"), &HeaderName::MaxBreadth), ["6"]);
}

// SIPRE-29
#[test]
fn timer_c_ends_what_nothing_else_ends() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "ring-time", "1200");
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180");
    office.wait(170);
    office.answer("bob", "183 Session Progress");
    office.expect("alice < 183");
    office.wait(180);
    office.expect("");
    office.wait(2);
    office.expect("bob < CANCEL\nalice < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
}

// Gateways by prefix.
#[test]
fn numbers_go_to_the_gateway_of_their_prefix() {
    let mut office = Office::new();
    office.call("alice", "sip:+15555550100@example.test;user=phone");
    office.expect("gw < INVITE sip:+15555550100@gw.test;user=phone");
    assert!(values(&office.request("gw", "INVITE"), &HeaderName::MsExchangeCommand).is_empty());
    office.call("alice", "tel:+1-555-555-0100");
    office.expect("gw < INVITE sip:+15555550100@gw.test;user=phone");
    office.call("alice", "sip:+49301234567@example.test");
    office.expect("alice < 404");
    office.call_with("gateway", "sip:+15555550100@example.test", "From: <sip:+4930@198.51.100.1>\r\n");
    office.expect("gateway < 403");
}

// RFC 3261 16.7, step 7
#[test]
fn challenges_of_all_branches_reach_the_caller() {
    let mut office = Office::where_registered(&["bob"]);
    office.register("bob-too", "<sip:bob@192.0.2.12>", "");
    office.set("bob", "no-voicemail", "yes");
    office.call("alice", "sip:bob@example.test");
    let challenge = |realm: &str| format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n\"\r\n");
    office.answer_with("bob", "401 Unauthorized", &challenge("one"));
    office.answer_with("bob-too", "401 Unauthorized", &challenge("two"));
    assert_eq!(office.response("alice").headers().count(&HeaderName::WwwAuthenticate), 2);
}

// SEC-50: what a telephone answers to the nonce of somebody else helps that one to guess its password.
#[test]
fn nobody_asks_for_the_passwords_of_our_users_but_we() {
    for ours in [
        "Digest realm=\"example.test\", nonce=\"n\", qop=\"auth\"",
        "digest Realm=\"EXAMPLE.test\",nonce=\"n\"",
        "Digest realm=\"example.test\", nonce=\"n\", algorithm=SHA-512",
        "Digest realm=\"example.test\", nonce",
    ] {
        for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
            let mut office = Office::where_registered(&["bob"]);
            office.set("bob", "no-voicemail", "yes");
            office.call("alice", "sip:bob@example.test");
            let theirs = "Digest realm=\"elsewhere.test\", nonce=\"n\"";
            let lines = format!("{name}: {ours}\r\n{name}: {theirs}\r\n");
            office.answer_with("bob", "401 Unauthorized", &lines);
            office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 401");
            let response = office.response("alice");
            let name = name.parse().unwrap();
            let asked: Vec<_> = response.headers().all(&name).collect();
            assert_eq!(asked, [theirs.as_bytes()], "{ours}");
        }
    }
}

#[test]
fn other_requests_than_invite_are_passed_on_without_rules() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "forward-immediate", "voicemail");
    office.send("alice", "MESSAGE", "sip:bob@example.test", "");
    office.expect("bob < MESSAGE sip:bob@192.0.2.2");
    let message = office.request("bob", "MESSAGE");
    office.respond("bob", &message, "200 OK", "");
    office.expect("alice < 200");
    office.send("alice", "MESSAGE", "sip:carol@example.test", "");
    office.expect("alice < 480");
}
