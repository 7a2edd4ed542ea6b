//! What `umbel why` has to tell of a call: whom it rang, where it went, and by which rule.

use umbel_store::{Op, Reply, Routing, Ruling};

use super::*;
use crate::forwarding::WhenForwarding;

const NOT: &str = "Ms-Sensitivity: private-no-diversion\r\n";

/// The decisions on the last call, a line each, and how many operations of the store they came in.
#[track_caller]
fn check(office: &mut Office, expected: &str) {
    let op = Op::ListDecisions { call_id: office.call_id() };
    let Reply::Decisions(decisions) = execute(&mut office.store, op) else { panic!("no decisions") };
    let lines: Vec<String> = decisions
        .into_iter()
        .map(|decision| {
            let what = match decision.ruling {
                Ruling::Routing(Routing::Ring { may_be_diverted }) => {
                    format!("ring{}", if may_be_diverted { "" } else { ", never divert" })
                }
                Ruling::Routing(Routing::Rang { whom, telephones }) => format!("{telephones} of {whom}"),
                Ruling::Routing(Routing::Sent(to)) => format!("sent to {to}"),
                Ruling::Routing(Routing::Diverted(to)) => format!("diverted to {to}"),
                Ruling::Routing(Routing::NotDeflected) => "not deflected".to_owned(),
                Ruling::Routing(Routing::Answered(status)) => format!("answered {status}"),
                Ruling::Refusal(status) => format!("refused {status}"),
                other => panic!("{other:?}"),
            };
            format!("{what}: {}", decision.rule)
        })
        .collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_call_that_is_answered_says_by_whom() {
    let mut office = Office::where_registered(&["bob"]);
    office.register("bob-too", "<sip:bob@192.0.2.12>", "");
    office.call("alice", "sip:bob@example.test");
    office.answer("bob-too", "200 OK");
    office.answer("bob-too", "200 OK");
    check(
        &mut office,
        "ring: rule 11: endpoints
         2 of bob@example.test: registered
         answered 200: sip:bob@192.0.2.12",
    );
}

#[test]
fn a_call_that_nobody_answers_says_how_it_came_to_voice_mail() {
    let mut office = Office::where_registered(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.wait(20);
    office.answer("vm1", "503 Service Unavailable");
    office.answer("vm2", "200 OK");
    check(
        &mut office,
        "ring: rule 11: endpoints
         1 of bob@example.test: registered
         diverted to voice mail: SIPRE-20: nobody answered in time
         sent to sip:vm1.test: EUMR-7: first of the voice mail servers
         sent to sip:vm2.test: EUMR-8: the one before has failed
         answered 200: sip:vm2.test",
    );
}

#[test]
fn the_rules_of_the_callee_are_named() {
    let mut office = Office::where_registered(&["carol"]);
    office.set("bob", "forward-immediate", "carol@example.test");
    office.call("alice", "sip:bob@example.test");
    office.answer("carol", "486 Busy Here");
    office.answer("vm1", "486 Busy Here");
    check(
        &mut office,
        "diverted to sip:carol@example.test: forward_immediate
         ring: rule 11: endpoints
         1 of carol@example.test: registered
         diverted to voice mail: SIPRE-26: busy
         sent to sip:vm1.test: EUMR-7: first of the voice mail servers
         answered 486: sip:vm1.test",
    );
    office.set("bob", "forward-immediate", "off");
    office.set("bob", "do-not-disturb", "yes");
    office.set("bob", "forward-unanswered", "+15555550100");
    office.call("alice", "sip:bob@example.test");
    office.answer("gw", "200 OK");
    check(
        &mut office,
        "diverted to sip:+15555550100@example.test: rule 10: do not disturb
         sent to sip:+15555550100@gw.test: not one of ours
         answered 200: sip:+15555550100@gw.test",
    );
    office.set("bob", "block", "yes");
    office.call("alice", "sip:bob@example.test");
    check(&mut office, "refused 480: rule 1: block");
}

#[test]
fn a_team_is_said_to_ring_beside() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("bob", "team", "carol@example.test, 203");
    office.call("alice", "sip:bob@example.test");
    office.wait(10);
    office.answer("carol", "200 OK");
    check(
        &mut office,
        "ring: rule 8: team ringing
         1 of bob@example.test: registered
         1 of carol@example.test: rings beside the callee
         0 of dave@example.test: nothing is registered there
         answered 200: sip:carol@192.0.2.3",
    );
}

// SENS-6, SENS-10, SENS-15, DEC-22
#[test]
fn a_call_that_must_not_be_diverted_says_what_was_not_done() {
    let mut office = Office::where_registered(&["bob"]);
    office.call_with("alice", "sip:bob@example.test", NOT);
    office.answer_with("bob", "302 Moved", "Contact: <sip:carol@example.test>\r\n");
    check(
        &mut office,
        "ring, never divert: SENS-6: Ms-Sensitivity says no diversion, so the endpoints ring and nothing else
         1 of bob@example.test: registered
         not deflected: SENS-15: the call must not be diverted
         refused 480: nobody answered",
    );
    office.set("bob", "forward-immediate", "voicemail");
    office.call_with("alice", "sip:bob@example.test", NOT);
    office.answer("bob", "486 Busy Here");
    check(
        &mut office,
        "ring, never divert: DEC-22: all calls are forwarded, Ms-Sensitivity says no diversion, and the setting is to ring
         1 of bob@example.test: registered
         answered 486: sip:bob@192.0.2.2",
    );
    let mut office = Office::with(|config| config.when_forwarding = WhenForwarding::Fail);
    office.set("bob", "forward-immediate", "voicemail");
    office.call_with("alice", "sip:bob@example.test", NOT);
    check(&mut office, "refused 480: SENS-10: undivertable, and all calls are forwarded");
}

// SIPRE-30
#[test]
fn a_deflection_is_named() {
    let mut office = Office::where_registered(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.answer_with("bob", "303 See Other", "Contact: <sip:bob@example.test;opaque=app:voicemail>\r\n");
    office.answer("vm1", "200 OK");
    check(
        &mut office,
        "ring: rule 11: endpoints
         1 of bob@example.test: registered
         diverted to voice mail: SIPRE-30: a telephone has pushed it elsewhere
         sent to sip:vm1.test: EUMR-7: first of the voice mail servers
         answered 200: sip:vm1.test",
    );
}

#[test]
fn who_has_no_telephone_there_is_said_to_have_none() {
    let mut office = Office::new();
    office.call("alice", "sip:bob@example.test");
    office.hang_up_early("alice");
    check(
        &mut office,
        "ring: rule 11: endpoints
         0 of bob@example.test: nothing is registered there
         diverted to voice mail: SIPRE-26: no telephone is there
         sent to sip:vm1.test: EUMR-7: first of the voice mail servers",
    );
    // It has not answered yet, so that it cannot be told to stop.
    office.answer("vm1", "180 Ringing");
    office.ladder.clear();
    office.call("alice", "sip:somebody@elsewhere.test");
    office.answer("elsewhere", "404 Not Found");
    check(
        &mut office,
        "sent to sip:somebody@elsewhere.test: not one of ours
         answered 404: sip:somebody@elsewhere.test",
    );
}
