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

// SEC-40: voice mail is at home at its own hosts, and knows users by numbers.
#[test]
fn from_belongs_to_a_user_also_where_only_voice_mail_would_know() {
    let mut office = Office::new();
    for from in ["sip:alice@vm1.test", "sips:alice@VM2.test:5066", "tel:200", "tel:+15555550100"] {
        let text = office.text(
            "stranger",
            "INVITE",
            "sip:voicemail@example.test",
            &format!("From: <{from}>\r\n"),
            1,
            "",
        );
        office.say("stranger", &text.replace("z9hG4bK", &format!("z9hG4bK{}", from.len())));
        office.expect("stranger < 407");
        office.call_with("alice", "sip:voicemail@example.test", &format!("From: <{from}>\r\n"));
        office.expect("alice < 403");
    }
}

// REG-5
#[test]
fn nobody_calls_a_user_in_the_users_name_by_another_name_of_the_user() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("carol", "forward-immediate", "201");
    for called in ["sip:bob@example.test", "sip:201@example.test", "sip:carol@example.test"] {
        for from in ["sip:bob@example.test", "sip:201@example.test", "tel:201", "sip:201@192.0.2.100"] {
            office.call_with("gateway", called, &format!("From: <{from}>\r\n"));
            assert_eq!(office.response("gateway").status().as_u16(), 403, "{called} {from}");
        }
    }
    assert!(office.ladder.iter().all(|line| !line.contains("INVITE")), "{:?}", office.ladder);
    let mut office = Office::with(|config| config.authentication = crate::Required::None);
    office.register_all(&["bob"]);
    for from in ["sip:bob@example.test", "sip:201@example.test"] {
        office.call_with("stranger", "sip:201@example.test", &format!("From: <{from}>\r\n"));
        office.expect("stranger < 403");
    }
}

// 7.4, rule 6: who breaks through is known, and not only said.
#[test]
fn strangers_are_referred_by_nobody() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "do-not-disturb", "yes");
    office.set("bob", "breakthrough", "carol@example.test");
    let referred = "Referred-By: <sip:carol@example.test>\r\n";
    office.call_with("stranger", "sip:bob@example.test", &format!("From: <sip:x@y.test>\r\n{referred}"));
    office.expect("stranger < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
    office.call_with("alice", "sip:bob@example.test", referred);
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
    // What else somebody wants to know of a user is the user's telephones' business.
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

/// What was refused since the last look: status, method, rule, who.
fn refused(office: &mut Office) -> Vec<(u16, String, &'static str, String)> {
    let all = std::mem::take(&mut office.refused).into_iter();
    all.map(|refused| {
        let who = refused.peer.unwrap_or_else(|| refused.source.to_string());
        (refused.refusal.answer().status.as_u16(), refused.method, refused.refusal.why(), who)
    })
    .collect()
}

/// The decisions on the last call, oldest first.
fn decisions(office: &mut Office) -> Vec<(umbel_store::Ruling, String)> {
    let op = Op::ListDecisions { call_id: office.call_id() };
    let Reply::Decisions(decisions) = execute(&mut office.store, op) else { panic!("no decisions") };
    decisions.into_iter().map(|decision| (decision.ruling, decision.rule)).collect()
}

// DIAG-2: the operator learns what strangers do not.
#[test]
fn what_is_refused_is_told_with_its_rule_and_challenges_are_not() {
    let mut office = Office::where_registered(&["bob"]);
    office.call_with("alice", "sip:bob@example.test", "From: <sip:bob@example.test>\r\n");
    office.expect("alice < 403");
    let rule = "REG-4: From belongs to somebody else";
    assert_eq!(refused(&mut office), [(403, "INVITE".into(), rule, "192.0.2.1".into())]);
    assert_eq!(decisions(&mut office), [(umbel_store::Ruling::Refusal(403), rule.to_owned())]);
    office.call_with("um", "sip:nobody@example.test", "");
    office.expect("um < 404");
    assert_eq!(refused(&mut office), [(404, "INVITE".into(), "nobody of that name", UM_NAME.into())]);
    office.register("bob", "<sip:alice@example.test>", "");
    let rule = "SEC-51: the contact is an address of this server";
    assert_eq!(refused(&mut office), [(403, "REGISTER".into(), rule, "192.0.2.2".into())]);
    assert_eq!(decisions(&mut office), []);
    // How calls end every day is nothing for the log.
    office.ladder.clear();
    office.call_with("alice", "sip:carol@example.test", "Ms-Sensitivity: normal-no-diversion\r\n");
    office.expect("alice < 480");
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.hang_up_early("alice");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180\nbob < CANCEL\nalice < 487\nvm1 < MESSAGE sip:bob@example.test;opaque=app:voicemail");
    assert_eq!(refused(&mut office), []);
}

#[test]
fn calls_that_never_became_calls_can_be_asked_for() {
    let mut office = Office::where_registered(&["bob"]);
    for (lines, status) in [
        ("Max-Breadth: 0\r\n", 440),
        ("Proxy-Require: teleport\r\n", 420),
        ("Ms-Sensitivity: secret\r\n", 400),
        ("Route: <sip:elsewhere.test;lr>\r\n", 403),
    ] {
        office.call_with("alice", "sip:bob@example.test", lines);
        office.expect(&format!("alice < {status}"));
        let decisions = decisions(&mut office);
        assert_eq!(decisions.len(), 1, "{status}");
        assert_eq!(decisions[0].0, umbel_store::Ruling::Refusal(status));
    }
    // A wrong password: the challenge is no decision, what became of it is.
    let text = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 7, "");
    office.say("alice", &text);
    let challenged = office.response("alice");
    let made = office.credentials("alice", "INVITE", "sip:bob@example.test", &challenged, "another word");
    let text = office.text("alice", "INVITE", "sip:bob@example.test", ALICE, 8, &made);
    office.say("alice", &text.replace("Call-ID: call-", "Call-ID: call-x"));
    office.expect("alice < 407\nalice < 403");
    let op = Op::ListDecisions { call_id: "call-x5".into() };
    let Reply::Decisions(decisions) = execute(&mut office.store, op) else { panic!("no decisions") };
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].rule, "SEC-48: wrong password, or nobody of that name");
}

#[test]
fn what_is_told_of_a_refusal_is_bounded() {
    let mut office = Office::new();
    let method = "M".repeat(200);
    let text = office.text("stranger", &method, "sip:bob@example.test", "From: <sip:x@y.test>\r\n", 1, "");
    let long = "c".repeat(1_000);
    office.say(
        "stranger",
        &text
            .replace("Call-ID: ", &format!("Call-ID: {long}"))
            .replace("Max-Forwards: 70", "Max-Forwards: 0"),
    );
    let refused = office.refused.pop().unwrap();
    assert_eq!((refused.method.len(), refused.call_id.len()), (32, umbel_store::CALL_ID_BYTES_MAX));
}

// SEC-58
#[test]
fn flows_of_registrations_and_of_calls_are_in_use() {
    let mut office = Office::where_registered(&["bob"]);
    let flow = |office: &Office, name: &str| *office.flows.get(name).unwrap();
    let (bob, caller) = (flow(&office, "bob"), flow(&office, "stranger"));
    assert!(office.proxy.is_in_use(bob) && !office.proxy.is_in_use(caller));
    office.call_with("stranger", "sip:bob@example.test", "From: <sip:x@y.test>\r\n");
    assert!(office.proxy.is_in_use(caller));
    office.answer("bob", "200 OK");
    office.wait(3_000);
    office.register("bob", "*", "Expires: 0\r\n");
    // Talking, and registered no more.
    assert!(office.proxy.flows_in_use().any(|flow| flow == caller));
    assert!(office.proxy.is_in_use(bob));
    let invite = office.request("bob", "INVITE");
    let route = values(&invite, &HeaderName::RecordRoute).join(", ");
    let tag = invite.headers().from().tag().unwrap();
    let bye = format!(
        "BYE sip:x@192.0.2.66 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKbye\r\nRoute: {route}\r\n\
         From: <sip:bob@example.test>;tag=bob\r\nTo: <sip:x@y.test>;tag={tag}\r\n\
         Call-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        invite.headers().call_id()
    );
    office.say("bob", &bye);
    assert!(!office.proxy.is_in_use(caller) && !office.proxy.is_in_use(bob));
}
