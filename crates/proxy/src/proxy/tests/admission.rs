//! Who may do what: digest, ownership, relaying, trust headers.

use super::*;

const ALICE: &str = "Contact: <sip:alice@192.0.2.1>\r\n";

// REG-3, SEC-47
#[test]
fn users_prove_who_they_are() {
    let mut office = Office::where_registered(&["bob"]);
    let first = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 1, "");
    office.say("alice", &first);
    office.expect("alice < 407");
    let challenged = office.response("alice");
    let offered: Vec<_> = challenged.headers().all(&HeaderName::ProxyAuthenticate).collect();
    assert_eq!(offered.len(), 2);
    assert!(String::from_utf8_lossy(&offered[0]).contains("algorithm=SHA-256"));
    let credentials = office.credentials("alice", "INVITE", "sip:bob@example.test", &challenged, PASSWORD);
    let second = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 2, &credentials);
    office.say("alice", &second);
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    // The same answer again is a replay.
    let third = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 3, &credentials);
    office.say("alice", &third);
    office.expect("alice < 407");
    let stale =
        office.response("alice").headers().get_text(&HeaderName::ProxyAuthenticate).unwrap().into_owned();
    assert!(stale.contains("stale=true"), "{stale}");
}

// SEC-48: only what is made anew each time differs.
#[test]
fn an_unknown_user_and_a_wrong_password_get_the_same_answers() {
    let mut office = Office::new();
    let mut attempt = |user: &str, branch: &str| {
        let mut heard = Vec::new();
        let from = format!("From: <sip:{user}@example.test>\r\n{ALICE}");
        let mut credentials = String::new();
        for cseq in 1..=2 {
            let text = office.text("alice", "INVITE", "sip:bob@example.test", &from, cseq, &credentials);
            office.say("alice", &text.replace("z9hG4bK", branch));
            let response = office.response("alice");
            let names: Vec<String> =
                response.headers().iter().map(|field| field.name().to_string()).collect();
            heard.push((response.status(), response.reason().to_vec(), names));
            credentials = if cseq == 1 {
                let made =
                    office.credentials("alice", "INVITE", "sip:bob@example.test", &response, "other word");
                made.replace("username=\"alice\"", &format!("username=\"{user}\""))
            } else {
                String::new()
            };
        }
        heard
    };
    let (known, unknown) = (attempt("alice", "z9hG4bKa"), attempt("nobody", "z9hG4bKb"));
    assert_eq!(known[1].0.as_u16(), 403);
    assert_eq!(known, unknown);
}

// SEC-49
#[test]
fn who_guesses_waits_for_the_answer() {
    let mut office = Office::new();
    for n in 1..=11 {
        let text = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 1, "");
        office.say("alice", &text.replace("z9hG4bK", &format!("z9hG4bK{n}a")));
        office.expect("alice < 407");
        let challenged = office.response("alice");
        let made = office.credentials(
            "alice",
            "INVITE",
            "sip:bob@example.test",
            &challenged,
            &format!("guess{n} word"),
        );
        let text = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 2, &made);
        office.say("alice", &text.replace("z9hG4bK", &format!("z9hG4bK{n}b")));
        office.expect(if n <= 10 { "alice < 403" } else { "" });
    }
    assert_eq!(office.locked, ["alice"]);
    office.wait(9);
    office.expect("");
    office.wait(1);
    office.expect("alice < 403");
}

// REG-4, REG-5, SEC-40
#[test]
fn from_belongs_to_who_has_the_password() {
    let mut office = Office::where_registered(&["bob"]);
    office.call_with("alice", "sip:carol@example.test", "From: <sip:bob@example.test>\r\n");
    office.expect("alice < 403");
    // One's own number is one's own.
    office.call("bob", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
}

// SEC-52, SEC-55
#[test]
fn strangers_may_call_users_and_nothing_else() {
    let mut office = Office::where_registered(&["bob"]);
    let from = "From: <sip:x@y.test>\r\n";
    let mut count = 0;
    let mut attempt = |method: &str, uri: &str, lines: &str, expected: &str| {
        let text = office.text("stranger", method, uri, &format!("{from}{lines}"), 1, "");
        count += 1;
        let unique = format!("z9hG4bK{count}a");
        office.say("stranger", &text.replace("z9hG4bK", &unique));
        office.expect(expected);
    };
    attempt("INVITE", "sip:bob@example.test", "", "bob < INVITE sip:bob@192.0.2.2");
    attempt("INVITE", "sip:somebody@elsewhere.test", "", "stranger < 407");
    attempt("INVITE", "tel:+15555550100", "", "stranger < 407");
    attempt("INVITE", "sip:+15555550100@example.test", "", "stranger < 403");
    attempt("INVITE", "sip:bob@example.test", "Route: <sip:elsewhere.test;lr>\r\n", "stranger < 403");
    for method in ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY"] {
        attempt(method, "sip:bob@example.test", "", "stranger < 407");
    }
    attempt("OPTIONS", "sip:example.test", "", "stranger < 200");
    attempt("INVITE", "sip:example.test", "", "stranger < 405");
    attempt("BYE", "sip:bob@example.test", "", "stranger < 481");
    attempt("INVITE", "sip:bob@example.test", "Proxy-Require: teleport\r\n", "stranger < 420");
    attempt("INVITE", "urn:x:y", "", "stranger < 416");
}

// SEC-52
#[test]
fn users_may_call_outside_and_peers_may_say_by_which_way() {
    let mut office = Office::new();
    office.call("alice", "sip:somebody@elsewhere.test");
    office.expect("elsewhere < INVITE sip:somebody@elsewhere.test");
    let routes = "Route: <sip:192.0.2.100:5061;lr>, <sip:elsewhere.test;lr>\r\n";
    office.call_with("alice", "sip:somebody@far.test", routes);
    office.expect("alice < 403");
    office.call_with("um", "sip:somebody@far.test", routes);
    office.expect("elsewhere < INVITE sip:somebody@far.test");
    assert_eq!(
        values(&office.request("elsewhere", "INVITE"), &HeaderName::Route),
        ["<sip:elsewhere.test;lr>"]
    );
}

// Row 7: OCEXUM-3.1-P-1, 3.1-P-2, DEC-15, SEC-10
#[test]
fn the_command_passes_from_users_and_from_nobody_else() {
    let own = "sip:alice@example.test;opaque=app:voicemail";
    let line = "Ms-Exchange-Command: skip-pin\r\n";
    let mut office = Office::new();
    office.call_with("alice", own, line);
    office.expect("vm1 < INVITE sip:alice@example.test;opaque=app:voicemail");
    assert!(String::from_utf8_lossy(office.request("vm1", "INVITE").as_bytes()).contains(line));
    let forged = format!("From: <sip:x@y.test>\r\n{line}P-Asserted-Identity: <sip:alice@example.test>\r\n");
    for name in ["stranger", "gateway"] {
        office.call_with(name, own, &forged);
        office.expect("vm1 < INVITE sip:alice@example.test;opaque=app:voicemail");
        assert!(!office.request("vm1", "INVITE").headers().has(&HeaderName::MsExchangeCommand), "{name}");
    }
    let mut open = Office::with(|config| config.authentication = crate::Required::None);
    open.register_all(&["alice"]);
    open.call_with("alice", own, line);
    open.expect("vm1 < INVITE sip:alice@example.test;opaque=app:voicemail");
    let invite = open.request("vm1", "INVITE");
    assert!(!invite.headers().has(&HeaderName::MsExchangeCommand));
    assert!(!invite.headers().has(&HeaderName::PAssertedIdentity));
}

// REG-5 without passwords.
#[test]
fn without_passwords_only_a_registered_flow_calls_its_user() {
    let mut office = Office::with(|config| config.authentication = crate::Required::None);
    office.register_all(&["bob"]);
    office.call_with("stranger", "sip:bob@example.test", "From: <sip:bob@example.test>\r\n");
    office.expect("stranger < 403");
    office.call("bob", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
}

// REL-23
#[test]
fn a_draining_server_begins_nothing_new() {
    let mut office = Office::where_registered(&["bob"]);
    office.order(Order::Drain(true));
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 503");
    assert!(office.response("alice").headers().retry_after().unwrap().is_some());
    office.order(Order::Drain(false));
    office.call("alice", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
}

// SEC-56, MWI-3
#[test]
fn the_lamp_of_another_mailbox_is_nobodys_business() {
    let mut office = Office::where_registered(&["alice", "bob"]);
    let lines = "Event: message-summary\r\nContact: <sip:alice@192.0.2.1>\r\n";
    office.send("alice", "SUBSCRIBE", "sip:bob@example.test", lines);
    office.expect("alice < 403");
    office.send("alice", "SUBSCRIBE", "sip:bob@example.test;opaque=app:voicemail", lines);
    office.expect("alice < 403");
    office.send("alice", "SUBSCRIBE", "sip:alice@example.test", lines);
    office.expect("vm1 < SUBSCRIBE sip:alice@example.test;opaque=app:voicemail");
    let subscribe = office.request("vm1", "SUBSCRIBE");
    assert_eq!(values(&subscribe, &HeaderName::PAssertedIdentity), ["<sip:alice@example.test>"]);
    office.respond("vm1", &subscribe, "200 OK", "Expires: 3600\r\n");
    office.expect("alice < 200");
    office.send("alice", "SUBSCRIBE", "sip:bob@example.test", "Event: presence\r\n");
    office.expect("bob < SUBSCRIBE sip:bob@192.0.2.2");
}

// RFC 3325 7
#[test]
fn a_private_identity_reaches_voice_mail_and_no_telephone() {
    let mut office = Office::where_registered(&["bob"]);
    office.call_with("alice", "sip:bob@example.test", "Privacy: id\r\n");
    office.answer("bob", "486 Busy Here");
    assert!(!office.request("bob", "INVITE").headers().has(&HeaderName::PAssertedIdentity));
    assert!(office.request("vm1", "INVITE").headers().has(&HeaderName::PAssertedIdentity));
}

// DIAG-2
#[test]
fn diagnostics_of_others_reach_insiders_only() {
    for (name, seen) in [("alice", 1), ("stranger", 0)] {
        let mut office = Office::where_registered(&["bob"]);
        let lines = if name == "alice" { "" } else { "From: <sip:x@y.test>\r\n" };
        office.call_with(name, "sip:bob@example.test", lines);
        office.answer_with("bob", "603 Decline", "ms-diagnostics: 1;reason=\"x\";source=\"inside\"\r\n");
        office.expect(&format!("bob < INVITE sip:bob@192.0.2.2\n{name} < 603"));
        assert_eq!(office.response(name).headers().count(&HeaderName::MsDiagnostics), seen);
    }
}
