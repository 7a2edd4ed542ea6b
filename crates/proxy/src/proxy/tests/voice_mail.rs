//! To the unified messaging servers: [MS-EUMR] 3.1.5, RFC 4458.

use super::*;
use crate::VoiceMailForm;

const OF_BOB: &str = "sip:bob@example.test;opaque=app:voicemail";

// Row 26: EUMR-1 to EUMR-4, EUMR-10, EUMR-11
#[test]
fn the_diversion_is_ours_and_tells_why() {
    for (answer, reason) in
        [("486 Busy Here", "user-busy"), ("480 Not Here", "no-answer"), ("", "unavailable")]
    {
        let mut office = if answer.is_empty() { Office::new() } else { Office::where_registered(&["bob"]) };
        let forged =
            "Diversion: <sip:forged@example.test>\r\nP-Asserted-Identity: <sip:forged@example.test>\r\n";
        office.call_with("alice", "sip:bob@example.test", forged);
        if !answer.is_empty() {
            office.answer("bob", answer);
        }
        let invite = office.request("vm1", "INVITE");
        assert_eq!(
            values(&invite, &HeaderName::Diversion),
            [format!("<sip:bob@example.test>;reason={reason}")]
        );
        assert_eq!(values(&invite, &HeaderName::PAssertedIdentity), ["<sip:alice@example.test>"]);
        assert_eq!(values(&invite, &HeaderName::To), ["<sip:bob@example.test>"]);
        // EUMR-5, EUMR-6, EUMR-12.
        assert_eq!(values(&invite, &HeaderName::HistoryInfo).len(), 2);
        assert!(!String::from_utf8_lossy(invite.as_bytes()).contains("Mras"));
        assert_eq!(values(&invite, &HeaderName::Supported), [""; 0]);
    }
}

// EUMR-5
#[test]
fn voice_mail_is_told_of_a_media_relay_if_there_is_one_and_nobody_else_is() {
    let mut office = Office::with(|config| config.media_relay = Some("sip:relay.test:5062".parse().unwrap()));
    office.register_all(&["bob"]);
    office.call_with("alice", "sip:bob@example.test", "Ms-Mras-Address: sip:forged.test\r\n");
    let name = HeaderName::Extension(umbel_sip_message::Token::new("Ms-Mras-Address").unwrap());
    assert!(!office.request("bob", "INVITE").headers().has(&name));
    office.answer("bob", "486 Busy Here");
    assert_eq!(values(&office.request("vm1", "INVITE"), &name), ["sip:relay.test:5062"]);
}

// EUMR-1: also what a peer says.
#[test]
fn the_diversions_of_peers_are_replaced_too() {
    let mut office = Office::new();
    office.call_with("um", "sip:bob@example.test", "Diversion: <sip:other@example.test>\r\n");
    let diversion = values(&office.request("vm1", "INVITE"), &HeaderName::Diversion);
    assert_eq!(diversion, ["<sip:bob@example.test>;reason=unavailable"]);
}

// EUMR-3, DEC-11
#[test]
fn the_own_mailbox_is_no_diversion() {
    let mut office = Office::new();
    for uri in ["sip:alice@example.test;opaque=app:voicemail;gruu", "sip:voicemail@example.test"] {
        office.call("alice", uri);
        let invite = office.request("vm1", "INVITE");
        assert!(!invite.headers().has(&HeaderName::Diversion));
        assert!(!invite.headers().has(&HeaderName::HistoryInfo));
    }
    office.expect(
        "vm1 < INVITE sip:alice@example.test;opaque=app:voicemail\nvm1 < INVITE sip:voicemail@example.test",
    );
}

// URI-1, URI-3, URI-4, URI-5
#[test]
fn a_message_can_be_left_without_ringing() {
    let mut office = Office::where_registered(&["bob"]);
    for (name, uri) in
        [("alice", OF_BOB), ("gateway", OF_BOB), ("alice", "sip:voicemail@example.test;target=bob")]
    {
        office.call_with(name, uri, if name == "gateway" { "From: <sip:+1@198.51.100.1>\r\n" } else { "" });
        office.expect(&format!("vm1 < INVITE {OF_BOB}"));
        let diversion = values(&office.request("vm1", "INVITE"), &HeaderName::Diversion);
        assert_eq!(diversion, ["<sip:bob@example.test>;reason=unconditional"]);
    }
    office.call("alice", "sip:nobody@example.test;opaque=app:voicemail");
    office.expect("alice < 404");
    let bob = "bob@example.test".parse().unwrap();
    office.store.change_user(&bob, &[UserChange::Enabled(false)], &author(), UnixTime::from_secs(0)).unwrap();
    office.call("alice", OF_BOB);
    office.expect("alice < 404");
}

// Row 27: EUMR-7, EUMR-8
#[test]
fn the_next_server_is_tried() {
    let mut office = Office::new();
    office.down.insert("vm1.test");
    office.call("alice", OF_BOB);
    office.expect(&format!("vm2 < INVITE {OF_BOB}"));
    for status in ["503 Service Unavailable", "500 Server Error", "408 Request Timeout"] {
        let mut office = Office::new();
        office.call("alice", OF_BOB);
        office.answer("vm1", status);
        office.expect(&format!("vm1 < INVITE {OF_BOB}\nvm2 < INVITE {OF_BOB}"));
    }
    // Silence: within 4 s.
    let mut office = Office::new();
    office.call("alice", OF_BOB);
    office.expect(&format!("vm1 < INVITE {OF_BOB}"));
    office.wait(3);
    office.expect(&format!("vm2 < INVITE {OF_BOB}"));
    office.answer("vm2", "200 OK");
    office.expect("alice < 200");
    // Not for what another could not do better.
    for (status, code) in [("404 Not Found", 404), ("486 Busy Here", 486), ("603 Decline", 603)] {
        let mut office = Office::new();
        office.call("alice", OF_BOB);
        office.answer("vm1", status);
        office.expect(&format!("vm1 < INVITE {OF_BOB}\nalice < {code}"));
    }
}

// EUMR-8
#[test]
fn when_no_server_answers_it_depends_on_what_was_wanted() {
    let mut office = Office::new();
    office.down.extend(["vm1.test", "vm2.test"]);
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 181\nalice < 480");
    office.call("alice", "sip:alice@example.test;opaque=app:voicemail");
    office.expect("alice < 503");
}

// SIPRE-21
#[test]
fn where_there_is_no_voice_mail_nothing_is_forwarded_and_the_busy_are_busy() {
    let mut without = Office::with(|config| config.voice_mail.clear());
    without.call("alice", "sip:bob@example.test");
    without.expect("alice < 480");
    without.register_all(&["bob"]);
    without.call("alice", "sip:bob@example.test");
    without.answer("bob", "486 Busy Here");
    without.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 486");
}

// EUMR-9, CMD-3
#[test]
fn redirects_among_the_servers_are_followed_and_others_are_not() {
    let own = "sip:alice@example.test;opaque=app:voicemail";
    let mut office = Office::new();
    office.call_with("alice", own, "Ms-Exchange-Command: skip-pin\r\n");
    office.answer_with("vm1", "302 Moved", "Contact: <sip:vm1.test:5067;transport=tls>\r\n");
    office.expect(&format!("vm1 < INVITE {own}\nvm1 < INVITE {own}"));
    let line = "Ms-Exchange-Command: skip-pin\r\n";
    assert!(String::from_utf8_lossy(office.request("vm1", "INVITE").as_bytes()).contains(line));
    for _ in 0..2 {
        office.answer_with("vm1", "302 Moved", "Contact: <sip:vm2.test;transport=tls>\r\n");
        office.answer_with("vm2", "302 Moved", "Contact: <sip:vm1.test;transport=tls>\r\n");
    }
    // Three hops and no more, and the caller never sees where.
    let ladder = std::mem::take(&mut office.ladder);
    assert_eq!(ladder.iter().filter(|line| line.contains("INVITE")).count(), 2, "{ladder:?}");
    assert_eq!(ladder.last().unwrap(), "alice < 503");
    let mut office = Office::new();
    office.call("alice", OF_BOB);
    office.answer_with("vm1", "302 Moved", "Contact: <sip:elsewhere.test>\r\n");
    office.expect(&format!("vm1 < INVITE {OF_BOB}\nalice < 480"));
}

// STD-2
#[test]
fn foreign_voice_mail_is_asked_in_its_own_form() {
    let mut office = Office::with(|config| config.voice_mail_form = VoiceMailForm::Rfc4458);
    office.register_all(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "486 Busy Here");
    office.expect(
        "bob < INVITE sip:bob@192.0.2.2\nalice < 181\nvm1 < INVITE sip:voicemail@vm1.test;target=sip:bob%40example.test;cause=486",
    );
    office.call("alice", "sip:alice@example.test;opaque=app:voicemail");
    office.expect("vm1 < INVITE sip:voicemail@vm1.test");
}

// The caller hangs up before the store has answered, or the store does not.
#[test]
fn a_store_that_fails_is_503_for_the_caller() {
    let mut office = Office::where_registered(&["bob"]);
    office.call("um", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    let text = office.text("um", "INVITE", "sip:carol@example.test", "", 9, "");
    let message = umbel_sip_message::parse(bytes::Bytes::from(text)).unwrap();
    let id = *office.flows.get("um").unwrap();
    office.proxy.handle(office.now, Input::Received { id, message });
    let mut tickets = Vec::new();
    while let Some(output) = office.proxy.poll_output() {
        if let Output::Wish(Wish::Store { ticket, .. }) = output {
            tickets.push(ticket);
        }
    }
    assert_eq!(tickets.len(), 1);
    let reply = Reply::Failed(umbel_store::StoreError::Busy);
    office.order(Order::Stored { ticket: tickets[0], reply: reply.clone() });
    office.expect("um < 503");
    // A second answer to the same question is nobody's.
    office.order(Order::Stored { ticket: tickets[0], reply });
    office.expect("");
}
