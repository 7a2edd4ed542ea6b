//! Calls that must not be diverted: [MS-OCEXUM] 3.2.2, [MS-SIPRE] 3.9.5.2.1; and the same calls without
//! the header, which are.

use umbel_store::{Op, Reply, Routing, Ruling};

use super::*;
use crate::forwarding::WhenForwarding;

const NOT: [&str; 2] =
    ["Ms-Sensitivity: private-no-diversion\r\n", "Ms-Sensitivity: Normal-No-Diversion\r\n"];
const DIVERTING: [&str; 3] = ["", "Ms-Sensitivity: normal\r\n", "Ms-Sensitivity: private\r\n"];
const TO_VOICE_MAIL: &str = "alice < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail";

fn ringing(office: &mut Office, lines: &str) {
    office.call_with("alice", "sip:bob@example.test", lines);
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180");
}

// Row 9: 2.2.2-2, 3.2-2, SENS-5, SENS-6, SENS-11, DEC-21
#[test]
fn unanswered_it_ends_with_480_and_otherwise_in_voice_mail() {
    for lines in NOT {
        let mut office = Office::where_registered(&["bob"]);
        ringing(&mut office, lines);
        let invite = String::from_utf8(office.request("bob", "INVITE").as_bytes().to_vec()).unwrap();
        assert_eq!(invite.matches(lines).count(), 1);
        office.wait(19);
        office.expect("");
        office.wait(1);
        office.expect("bob < CANCEL\nalice < 480");
        let reason = values(&office.request("bob", "CANCEL"), &HeaderName::Reason);
        assert!(reason[0].starts_with("SIP;cause=480"));
        office.wait(200);
        office.expect("");
    }
    for lines in DIVERTING {
        let mut office = Office::where_registered(&["bob"]);
        ringing(&mut office, lines);
        office.wait(20);
        office.expect(&format!("bob < CANCEL\n{TO_VOICE_MAIL}"));
        office.answer("vm1", "200 OK");
        office.expect("alice < 200");
    }
}

// Rows 10, 11: 3.2-3, SENS-10, DEC-20, DEC-22
#[test]
fn neither_kind_of_forwarding_applies() {
    for (rule, target) in [
        ("forward-unanswered", "carol@example.test"),
        ("forward-immediate", "carol@example.test"),
        ("forward-immediate", "voicemail"),
    ] {
        for lines in NOT {
            let mut office = Office::where_registered(&["bob", "carol"]);
            office.set("bob", rule, target);
            office.set("bob", "ring-also", "dave@example.test");
            if rule == "forward-unanswered" {
                office.set("bob", "ring-also", "off");
            }
            ringing(&mut office, lines);
            office.wait(20);
            office.expect("bob < CANCEL\nalice < 480");
        }
    }
    for lines in DIVERTING {
        let mut office = Office::where_registered(&["bob", "carol"]);
        office.set("bob", "forward-immediate", "carol@example.test");
        office.call_with("alice", "sip:bob@example.test", lines);
        office.expect("alice < 181\ncarol < INVITE sip:carol@192.0.2.3");
    }
}

// SENS-10, DEC-22
#[test]
fn where_that_is_wanted_it_fails_at_once_when_all_calls_are_forwarded() {
    let mut office = Office::with(|config| config.when_forwarding = WhenForwarding::Fail);
    office.register_all(&["bob"]);
    office.set("bob", "forward-immediate", "voicemail");
    office.call_with("alice", "sip:bob@example.test", NOT[0]);
    office.expect("alice < 480");
    let diagnostics =
        office.response("alice").headers().get_text(&HeaderName::MsDiagnostics).unwrap().into_owned();
    assert!(diagnostics.starts_with("13001;"), "{diagnostics}");
    office.call("alice", "sip:bob@example.test");
    office.expect(TO_VOICE_MAIL);
}

// Row 12: SENS-13
#[test]
fn with_nothing_registered_it_ends_at_once() {
    let mut office = Office::new();
    for lines in NOT {
        office.call_with("alice", "sip:bob@example.test", lines);
        office.expect("alice < 480");
    }
    for lines in DIVERTING {
        office.call_with("alice", "sip:bob@example.test", lines);
        office.expect(TO_VOICE_MAIL);
        office.hang_up_early("alice");
        office.ladder.clear();
    }
}

// Row 13: SENS-12, SENS-15, SEC-37
#[test]
fn refusals_and_deflections_of_telephones_lead_nowhere() {
    let contact = "Contact: <sip:bob@example.test;opaque=app:voicemail>\r\n";
    let elsewhere = "Contact: <sip:carol@example.test>\r\n";
    for lines in NOT {
        for (status, answered, contact) in [
            ("486 Busy Here", 486, ""),
            ("603 Decline", 603, ""),
            ("600 Busy Everywhere", 600, ""),
            ("480 Temporarily Unavailable", 480, ""),
            ("303 See Other", 480, contact),
            ("302 Moved Temporarily", 480, contact),
            ("302 Moved Temporarily", 480, elsewhere),
        ] {
            let mut office = Office::where_registered(&["bob", "carol"]);
            ringing(&mut office, lines);
            office.answer_with("bob", status, contact);
            office.expect(&format!("alice < {answered}"));
        }
    }
    for lines in DIVERTING {
        for (status, contact) in
            [("486 Busy Here", ""), ("600 Busy", ""), ("303 See Other", contact), ("302 Moved", contact)]
        {
            let mut office = Office::where_registered(&["bob"]);
            ringing(&mut office, lines);
            office.answer_with("bob", status, contact);
            office.expect(TO_VOICE_MAIL);
        }
        let mut office = Office::where_registered(&["bob", "carol"]);
        ringing(&mut office, lines);
        office.answer_with("bob", "302 Moved", elsewhere);
        office.expect("alice < 181\ncarol < INVITE sip:carol@192.0.2.3");
        // SIPRE-27.
        let mut office = Office::where_registered(&["bob"]);
        ringing(&mut office, lines);
        office.answer("bob", "603 Decline");
        office.expect("alice < 603");
    }
}

// Row 14: SENS-6, SENS-8, SENS-9
#[test]
fn team_and_delegates_stay_silent() {
    for rule in ["team", "delegates"] {
        for lines in NOT {
            let mut office = Office::where_registered(&["bob", "carol"]);
            office.set("bob", rule, "carol@example.test");
            ringing(&mut office, lines);
            office.wait(20);
            office.expect("bob < CANCEL\nalice < 480");
        }
        for lines in DIVERTING {
            let mut office = Office::where_registered(&["bob", "carol"]);
            office.set("bob", rule, "202");
            ringing(&mut office, lines);
            office.wait(10);
            office.expect("carol < INVITE sip:carol@192.0.2.3");
            office.wait(20);
            office.expect(&format!("bob < CANCEL\n{TO_VOICE_MAIL}"));
        }
    }
}

// Row 15: SENS-7
#[test]
fn simultaneous_ring_still_rings() {
    for lines in NOT.into_iter().chain(DIVERTING) {
        let mut office = Office::where_registered(&["bob", "carol"]);
        office.set("bob", "ring-also", "carol@example.test");
        office.call_with("alice", "sip:bob@example.test", lines);
        office.expect("bob < INVITE sip:bob@192.0.2.2\ncarol < INVITE sip:carol@192.0.2.3");
        office.answer("bob", "180 Ringing");
        office.answer("carol", "200 OK");
        office.expect("alice < 180\nalice < 200\nbob < CANCEL");
    }
}

// SENS-6: voice mail is not a second device, whatever the user calls it.
#[test]
fn voice_mail_by_another_name_does_not_ring_beside_telephones() {
    for target in ["sip:bob@vm1.test;transport=tls", "sip:bob@VM2.test:5065;transport=tcp"] {
        for lines in NOT {
            let mut office = Office::where_registered(&["bob"]);
            office.set("bob", "ring-also", target);
            ringing(&mut office, lines);
            office.wait(200);
            office.expect("bob < CANCEL\nalice < 480");
        }
    }
}

// SENS-6: nor a telephone, when the user's connection is gone and only its contact is left.
#[test]
fn voice_mail_that_was_registered_as_a_telephone_is_not_called() {
    let at_voice_mail = |config: &mut Config| {
        config.voice_mail = vec!["sip:192.0.2.2:5066;transport=tls".parse().unwrap()];
    };
    for (lines, ladder) in [
        (NOT[0], "alice < 480"),
        (NOT[1], "alice < 480"),
        ("", "192.0.2.2:5065 < INVITE sip:bob@192.0.2.2:5065;transport=tls"),
    ] {
        let mut office = Office::with(at_voice_mail);
        office.register("bob", "<sip:bob@192.0.2.2:5065;transport=tls>", "");
        office.expect("bob < 200");
        office.disconnect("bob");
        office.call_with("alice", "sip:bob@example.test", lines);
        office.expect(ladder);
    }
}

// SENS-13: a telephone that cannot be called back is one that is not there, rather than trouble of ours.
#[test]
fn a_telephone_that_does_not_take_connections_is_not_there() {
    let mut office = Office::new();
    office.connect("bob-too", IpAddr::from([203, 0, 113, 4]), None);
    office.register("bob-too", "<sip:bob@203.0.113.4:5061;transport=tls>", "");
    office.expect("bob-too < 200");
    office.disconnect("bob-too");
    office.down.insert("elsewhere.test");
    office.call_with("alice", "sip:bob@example.test", NOT[0]);
    office.expect("alice < 480");
}

// Row 17: 5.6, DIAG-1, DIAG-2, DIAG-5
#[test]
fn only_insiders_are_told_where_and_nobody_hears_181() {
    let mut office = Office::new();
    office.call_with("alice", "sip:bob@example.test", NOT[0]);
    office.expect("alice < 480");
    let inside = office.response("alice");
    assert_eq!(inside.headers().count(&HeaderName::MsDiagnostics), 1);
    assert_eq!(inside.headers().count(&HeaderName::MsDiagnosticsPublic), 0);
    assert!(inside.headers().get_text(&HeaderName::Warning).unwrap().starts_with("399 192.0.2.100 "));
    office.call_with("stranger", "sip:bob@example.test", &format!("From: <sip:x@y.test>\r\n{}", NOT[0]));
    office.expect("stranger < 480");
    let outside = office.response("stranger");
    assert_eq!(outside.headers().count(&HeaderName::MsDiagnostics), 0);
    let public = outside.headers().get_text(&HeaderName::MsDiagnosticsPublic).unwrap();
    assert!(public.starts_with("13002;") && !public.contains("source"), "{public}");
}

// Row 18: SENS-9, SENS-14, REG-5, SEC-40, LOOP-4
#[test]
fn a_play_on_phone_call_rings_and_a_forged_one_does_not() {
    let from_bob = format!("From: <sip:bob@example.test>\r\n{}", NOT[0]);
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "skip-own-telephones", "yes");
    office.set("bob", "do-not-disturb", "yes");
    office.call_with("um", "sip:bob@example.test", &from_bob);
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\num < 180");
    office.wait(60);
    office.expect("bob < CANCEL\num < 480");
    for name in ["stranger", "gateway"] {
        let text = office.text(name, "INVITE", "sip:bob@example.test", &from_bob, 1, "");
        office.say(name, &text);
        office.expect(&format!("{name} < {}", if name == "gateway" { 403 } else { 407 }));
    }
    // REG-4: with a password, but of somebody else.
    office.call_with("alice", "sip:bob@example.test", &from_bob);
    office.expect("alice < 403");
}

// Row 19: SENS-2, SENS-3, SENS-4, SEC-36
#[test]
fn a_header_that_is_malformed_is_refused_before_anybody_rings() {
    let mut office = Office::where_registered(&["bob"]);
    for value in ["secret", "", "private;x=y", "normal, private", "\"private\""] {
        office.call_with("alice", "sip:bob@example.test", &format!("Ms-Sensitivity: {value}\r\n"));
        office.expect("alice < 400");
    }
    office.call_with("um", "sip:bob@example.test", &format!("{0}{0}", NOT[0]));
    office.expect("um < 400");
    let diagnostics =
        office.response("um").headers().get_text(&HeaderName::MsDiagnostics).unwrap().into_owned();
    assert!(diagnostics.starts_with("13003;"));
}

// 5.3: nothing is diverted when voice mail is what was called.
#[test]
fn a_call_to_voice_mail_itself_arrives_there() {
    let mut office = Office::where_registered(&["bob"]);
    office.call_with("alice", "sip:bob@example.test;opaque=app:voicemail", NOT[0]);
    office.expect("vm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
}

#[test]
fn why_it_was_not_diverted_is_written_down() {
    let mut office = Office::where_registered(&["bob"]);
    office.call_with("alice", "sip:bob@example.test", NOT[0]);
    let op = Op::ListDecisions { call_id: office.call_id() };
    let Reply::Decisions(decisions) = execute(&mut office.store, op) else { panic!("no decisions") };
    assert!(decisions[0].rule.starts_with("SENS-6"), "{}", decisions[0].rule);
    assert_eq!(decisions[0].ruling, Ruling::Routing(Routing::Ring { may_be_diverted: false }));
}
