//! What is sent to harm: storms, oversized and malformed messages, questions for our credentials. Passwords,
//! relaying and forged identities are in `admission` and `registering`.

use umbel_sip_message::{Method, Uri};

use super::*;

const FROM: &str = "From: <sip:x@y.test>\r\n";

// SEC-50: nobody gets an answer to a challenge from us, as we have nothing to answer with.
#[test]
fn servers_that_ask_us_for_a_password_get_none() {
    let mut office = Office::new();
    office.deaf.insert("vm1");
    office.wait(5);
    let ping = office.request("vm1", "OPTIONS");
    let challenge = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n\", qop=\"auth\"\r\n";
    office.respond("vm1", &ping, "401 Unauthorized", challenge);
    let pings = office.pings.len();
    office.wait(50);
    assert_eq!(office.pings.len(), pings);
    assert!(!ping.headers().has(&HeaderName::Authorization));
    // A challenge of a callee's is for the caller, who has the password or has not.
    office.register_all(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.answer_with("bob", "401 Unauthorized", challenge);
    office.ladder.clear();
    office.wait(1);
    assert!(office.ladder.iter().all(|line| !line.starts_with("bob <")), "{:?}", office.ladder);
}

// SEC-51
#[test]
fn five_hundred_contacts_are_refused_and_ten_are_not() {
    let mut office = Office::new();
    let contacts = |numbers: std::ops::Range<usize>| {
        numbers.map(|n| format!("<sip:b{n}@192.0.2.2>")).collect::<Vec<_>>().join(", ")
    };
    let lines: String = (1..10).map(|n| format!("Contact: {}\r\n", contacts(50 * n..50 * (n + 1)))).collect();
    office.register("bob", &contacts(0..50), &lines);
    office.expect("bob < 403");
    assert_eq!(office.proxy.registered_count(), 0);
    office.register("bob", &contacts(0..10), "Expires: 4294967295\r\n");
    office.expect("bob < 200");
    let seconds = office.kept[&"bob@example.test".parse().unwrap()]
        .iter()
        .map(|kept| kept.expires.since(UnixTime::from_secs(1_700_000_000)).as_secs());
    assert!(seconds.into_iter().all(|seconds| seconds <= 3_600));
}

// SEC-51: a foreign contact is called along the telephone's own connection, or not at all.
#[test]
fn nobody_has_us_call_somewhere_else() {
    let mut office = Office::new();
    office.register("bob", "<sip:victim@elsewhere.test>", "");
    office.expect("bob < 200");
    office.call("alice", "sip:bob@example.test");
    office.expect("bob < INVITE sip:victim@elsewhere.test");
    office.answer("bob", "603 Decline");
    office.expect("alice < 603");
    office.disconnect("bob");
    office.call_with("alice", "sip:bob@example.test", "Ms-Sensitivity: normal-no-diversion\r\n");
    office.expect("alice < 480");
}

// SEC-53, DEC-4
#[test]
fn a_call_rings_at_ten_places_at_most() {
    let mut office = Office::new();
    let contacts: Vec<String> = (0..8).map(|n| format!("<sip:b{n}@192.0.2.2>")).collect();
    office.register("bob", &contacts.join(", "), "");
    let contacts: Vec<String> = (0..8).map(|n| format!("<sip:c{n}@192.0.2.3>")).collect();
    office.register("carol", &contacts.join(", "), "");
    office.ladder.clear();
    office.call("alice", "sip:bob@example.test");
    assert_eq!(office.ladder.len(), 8);
    office.ladder.clear();
    office.set("bob", "ring-also", "carol@example.test");
    office.call("alice", "sip:bob@example.test");
    assert_eq!(office.ladder.iter().filter(|line| line.contains("INVITE")).count(), 10);
}

// LOOP-5: six entries of History-Info that were changes of target, and one less.
#[test]
fn a_history_of_six_diversions_is_long_enough() {
    let history = |entries: usize| {
        let first = "<sip:u0@example.test>;index=1".to_owned();
        let rest = (1..=entries).map(|n| {
            let before = vec!["1"; n].join(".");
            format!("<sip:u{n}@example.test>;index={before}.1;mp={before}")
        });
        let all: Vec<String> = [first].into_iter().chain(rest).collect();
        format!("History-Info: {}\r\n", all.join(", "))
    };
    let mut office = Office::new();
    office.call_with("um", "sip:bob@example.test", &history(5));
    office.expect("um < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
    office.call_with("um", "sip:bob@example.test", &history(6));
    office.expect("um < 480");
    // Who is not believed has no history.
    office.call_with("alice", "sip:bob@example.test", &history(6));
    office.expect("alice < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
}

// SEC-61: what cannot be read as a request is refused where a Via can be, and nothing else happens.
#[test]
fn malformed_messages_get_400_and_the_next_is_served() {
    let mut office = Office::where_registered(&["bob"]);
    let good = office.text("stranger", "INVITE", "sip:bob@example.test", FROM, 1, "");
    for (from, to) in [
        ("Max-Forwards: 70", "Max-Forwards: 256"),
        ("Max-Forwards: 70", "Max-Forwards: many"),
        ("Content-Length: 0", "Content-Length: 0\r\nContent-Length: 0"),
        ("INVITE sip:bob", "INVITE  sip:bob"),
    ] {
        let bad = good.replace(from, to);
        let Err(what) = umbel_sip_message::parse(bytes::Bytes::from(bad)) else { panic!("{to} is read") };
        let id = *office.flows.get("stranger").unwrap();
        office.tell(Input::Malformed { id, what });
        office.expect("stranger < 400");
    }
    office.say("stranger", &good);
    office.expect("bob < INVITE sip:bob@192.0.2.2");
}

// SEC-66: an answer goes where the question came from, whatever its Via says.
#[test]
fn answers_are_not_sent_to_where_a_via_points() {
    let mut office = Office::new();
    let text = office.text("stranger", "INVITE", "sip:nobody@example.test", FROM, 1, "");
    office.say(
        "stranger",
        &text.replace("SIP/2.0/TLS 192.0.2.66", "SIP/2.0/TLS elsewhere.test;received=203.0.113.4"),
    );
    office.expect("stranger < 404");
    // Who has gone meanwhile gets none.
    let text = office.text("stranger", "INVITE", "sip:bob@example.test", FROM, 2, "");
    office.say("stranger", &text);
    office.ladder.clear();
    office.disconnect("stranger");
    office.wait(200);
    // RFC 3261 18.2.2: it may be looked for where it really came from, and nowhere else.
    let is_there = |line: &String| line.starts_with("vm") || line.starts_with("192.0.2.66:");
    assert!(office.ladder.iter().all(is_there), "{:?}", office.ladder);
}

// SEC-63, SEC-64: bodies are not ours to read; what does not look like audio is called as it is.
#[test]
fn bodies_pass_untouched_however_odd_they_are() {
    for (kind, coding, body) in [
        ("application/sdp", "Content-Encoding: gzip\r\n", "\u{1f}not really".to_owned()),
        ("multipart/mixed;boundary=x", "", "--x\r\n".repeat(2_000)),
    ] {
        let mut office = Office::where_registered(&["bob"]);
        let lines = format!("{FROM}Content-Type: {kind}\r\n{coding}");
        let text = office.text("stranger", "INVITE", "sip:bob@example.test", &lines, 1, "");
        let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        office.say("stranger", &text.replace("Content-Length: 0\r\n\r\n", &length));
        office.expect("bob < INVITE sip:bob@192.0.2.2");
        assert_eq!(office.request("bob", "INVITE").body(), body.as_bytes());
    }
}

// SEC-47: very long parameters, missing qop, and what is no Authorization at all.
#[test]
fn credentials_that_make_no_sense_are_challenged_again() {
    let long = "a".repeat(7_000);
    for value in [
        "Digest".to_owned(),
        "Basic YWxpY2U6c2VjcmV0".to_owned(),
        format!(
            "Digest username=\"{long}\", realm=\"example.test\", nonce=\"n\", uri=\"sip:x\", response=\"r\""
        ),
        "Digest username=\"alice\", realm=\"example.test\", nonce=\"\", uri=\"\", response=\"\"".to_owned(),
        "\u{e9}\u{e9}\u{e9}".to_owned(),
    ] {
        let mut office = Office::new();
        let more = format!("Proxy-Authorization: {value}\r\n");
        let text = office.text("alice", "INVITE", "sip:bob@example.test", "", 1, &more);
        office.say("alice", &text);
        office.expect("alice < 407");
    }
    // Without qop nothing counts, and so nothing is replayed.
    let mut office = Office::new();
    let text = office.text("alice", "INVITE", "sip:bob@example.test", "", 1, "");
    office.say("alice", &text);
    let challenged = office.response("alice");
    let made = office.credentials("alice", "INVITE", "sip:bob@example.test", &challenged, PASSWORD);
    let without = made.replace("qop=auth, ", "").replace(", qop=auth", "");
    assert_ne!(without, made);
    let text = office.text("alice", "INVITE", "sip:bob@example.test", "", 2, &without);
    office.say("alice", &text);
    office.expect("alice < 407\nalice < 407");
}

// SEC-54: answers that belong to nothing of ours.
#[test]
fn responses_that_nobody_waits_for_go_nowhere() {
    let mut office = Office::where_registered(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    let invite = office.request("bob", "INVITE");
    let stray = format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.100:5061;branch=z9hG4bKguessed\r\n\
         From: <sip:alice@example.test>;tag=x\r\nTo: <sip:bob@example.test>;tag=y\r\n\
         Call-ID: {}\r\nCSeq: 2 INVITE\r\nContent-Length: 0\r\n\r\n",
        invite.headers().call_id()
    );
    for name in ["stranger", "bob"] {
        office.say(name, &stray);
        office.expect("");
    }
    office.answer("bob", "200 OK");
    office.expect("alice < 200");
}

#[test]
fn no_request_of_ours_carries_what_only_callers_may_say() {
    let mut office = Office::new();
    let uri: Uri = "sip:vm1.test".parse().unwrap();
    let draft = office.proxy.own_request(Method::Options, &uri, &uri);
    for name in [HeaderName::MsExchangeCommand, HeaderName::PAssertedIdentity, HeaderName::MsSensitivity] {
        assert!(!draft.has(&name));
    }
}

// SEC-66
#[test]
fn a_storm_of_refused_calls_does_not_fill_the_store() {
    let mut office = Office::where_registered(&["bob"]);
    let on_record = |office: &mut Office, name: &str| {
        let text = office.text("stranger", "INVITE", "sip:nobody@example.test", FROM, 1, "");
        let text = text.replace("z9hG4bK", name);
        office.say("stranger", &text.replace("Call-ID: call-", &format!("Call-ID: {name}")));
        let op = Op::ListDecisions { call_id: name.to_owned() + &office.call_id()["call-".len()..] };
        let umbel_store::Reply::Decisions(decisions) = execute(&mut office.store, op) else {
            panic!("no list")
        };
        !decisions.is_empty()
    };
    let recorded = (0..150).filter(|n| on_record(&mut office, &format!("z9hG4bKs{n}x"))).count();
    assert_eq!(recorded, 100);
    assert_eq!(office.ladder.iter().filter(|line| *line == "stranger < 404").count(), 150);
    // Calls that are none of theirs are on record as ever.
    office.ladder.clear();
    office.call("um", "sip:bob@example.test");
    let op = Op::ListDecisions { call_id: office.call_id() };
    let umbel_store::Reply::Decisions(decisions) = execute(&mut office.store, op) else { panic!("no list") };
    assert_eq!(decisions.len(), 2);
    office.wait(2);
    assert!(on_record(&mut office, "z9hG4bKlater"));
}

// SEC-53: nobody's telephone rings, so that nobody is disturbed; and a message that is not taken is lost.
#[test]
fn strangers_leave_messages_where_no_telephone_is_however_many_call_at_once() {
    let mut office = Office::new();
    for _ in 0..20 {
        office.call_with("stranger", "sip:bob@example.test", "From: <sip:x@y.test>\r\n");
        office.expect("stranger < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
    }
}

// SEC-53: eight ring, the ninth does not, and those that went on to voice mail ring no more.
#[test]
fn calls_that_went_on_to_voice_mail_keep_no_stranger_from_ringing() {
    let mut office = Office::where_registered(&["bob"]);
    let call = |office: &mut Office| {
        office.ladder.clear();
        office.call_with("stranger", "sip:bob@example.test", "From: <sip:x@y.test>\r\n");
        office.ladder.join("\n")
    };
    for _ in 0..8 {
        assert_eq!(call(&mut office), "bob < INVITE sip:bob@192.0.2.2");
    }
    assert_eq!(call(&mut office), "stranger < 486");
    office.wait(21);
    assert_eq!(call(&mut office), "bob < INVITE sip:bob@192.0.2.2");
}
