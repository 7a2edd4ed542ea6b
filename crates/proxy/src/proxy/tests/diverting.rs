//! Forwarding, team and second devices, deflection, loops: [MS-SIPRE] 3.9.5, 3.9.6.

use super::*;

fn ringing(office: &mut Office) {
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180");
}

// SIPRE-20, SIPRE-23, SIPRE-24, SIPRE-25; STD-3, RFC 5806, RFC 7044
#[test]
fn an_unanswered_call_is_forwarded_for_a_minute() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "forward-unanswered", "+15555550100");
    office.set("bob", "ring-time", "5s");
    ringing(&mut office);
    office.wait(5);
    office.expect("bob < CANCEL\nalice < 181\ngw < INVITE sip:+15555550100@gw.test;user=phone");
    let invite = office.request("gw", "INVITE");
    assert_eq!(values(&invite, &HeaderName::Diversion), ["<sip:bob@example.test>;reason=no-answer"]);
    assert_eq!(
        values(&invite, &HeaderName::HistoryInfo),
        [
            "<sip:bob@example.test?Reason=SIP%3Bcause%3D408>;index=1",
            "<sip:+15555550100@gw.test;user=phone>;index=1.1;mp=1",
        ]
    );
    office.answer("gw", "180 Ringing");
    office.expect("alice < 180");
    office.wait(59);
    office.expect("");
    office.wait(1);
    office.expect("gw < CANCEL\nalice < 480");
}

#[test]
fn who_is_forwarded_to_has_rules_of_the_own() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("bob", "forward-immediate", "202");
    office.call("alice", "sip:bob@example.test");
    office.answer("carol", "180 Ringing");
    office.expect("alice < 181\ncarol < INVITE sip:carol@192.0.2.3\nalice < 180");
    office.wait(20);
    office.expect("carol < CANCEL\nalice < 181\nvm1 < INVITE sip:carol@example.test;opaque=app:voicemail");
    let invite = office.request("vm1", "INVITE");
    // EUMR-2: one, and the last.
    assert_eq!(values(&invite, &HeaderName::Diversion), ["<sip:carol@example.test>;reason=no-answer"]);
    assert_eq!(values(&invite, &HeaderName::HistoryInfo).len(), 3);
}

// Row 29: LOOP-2, LOOP-3
#[test]
fn users_who_forward_to_each_other_end_the_call_at_once() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("bob", "forward-immediate", "carol@example.test");
    office.set("carol", "forward-immediate", "bob@example.test");
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 181\nalice < 181\nalice < 482");
    office.set("bob", "forward-immediate", "201");
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 181\nalice < 480");
    let diagnostics =
        office.response("alice").headers().get_text(&HeaderName::MsDiagnostics).unwrap().into_owned();
    assert!(diagnostics.starts_with("13000;"), "{diagnostics}");
}

// SIPRE-30
#[test]
fn a_telephone_pushes_the_call_elsewhere_and_the_caller_never_sees_it() {
    for status in ["302 Moved Temporarily", "303 See Other"] {
        let mut office = Office::where_registered(&["bob", "carol"]);
        office.register("bob-too", "<sip:bob@192.0.2.12>", "");
        office.expect("bob-too < 200");
        office.call("alice", "sip:bob@example.test");
        office.answer("bob-too", "180 Ringing");
        office.ladder.clear();
        office.answer_with("bob", status, "Contact: <sip:carol@example.test>\r\n");
        office.expect("bob-too < CANCEL\nalice < 181\ncarol < INVITE sip:carol@192.0.2.3");
        office.answer("carol", "200 OK");
        office.expect("alice < 200");
        let diversion = values(&office.request("carol", "INVITE"), &HeaderName::Diversion);
        assert_eq!(diversion, ["<sip:bob@example.test>;reason=deflection"]);
    }
}

// SIPRE-30
#[test]
fn a_telephone_pushes_the_call_to_the_pilot_and_its_owners_voice_mail_answers() {
    let mut office = Office::where_registered(&["bob"]);
    ringing(&mut office);
    office.answer_with("bob", "302 Moved Temporarily", "Contact: <sip:voicemail@example.test>\r\n");
    office.expect("alice < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
    let diversion = values(&office.request("vm1", "INVITE"), &HeaderName::Diversion);
    assert_eq!(diversion, ["<sip:bob@example.test>;reason=deflection"]);
}

// SIPRE-31
#[test]
fn a_call_that_is_pushed_around_stops() {
    let mut office = Office::where_registered(&["alice", "bob", "carol", "dave"]);
    let mut ladder = String::new();
    office.call("um", "sip:alice@example.test");
    for (who, next) in [("alice", "bob"), ("bob", "carol"), ("carol", "dave"), ("dave", "alice")] {
        office.answer_with(who, "303 See Other", &format!("Contact: <sip:{next}@example.test>\r\n"));
    }
    for line in std::mem::take(&mut office.ladder) {
        ladder += &(line + "\n");
    }
    assert!(ladder.ends_with("um < 482\n"), "{ladder}");
    assert_eq!(ladder.matches("INVITE").count(), 4);
}

// 3.9.5.2.2.3, rule 5
#[test]
fn the_team_rings_beside_the_telephone_and_not_by_rules_of_its_own() {
    let mut office = Office::where_registered(&["bob", "carol", "dave"]);
    office.set("bob", "team", "carol@example.test, 203");
    office.set("carol", "forward-immediate", "voicemail");
    ringing(&mut office);
    office.wait(10);
    office.expect("carol < INVITE sip:carol@192.0.2.3\ndave < INVITE sip:dave@192.0.2.4");
    office.answer("dave", "180 Ringing");
    office.answer("carol", "180 Ringing");
    office.expect("alice < 180\nalice < 180");
    office.answer("dave", "200 OK");
    office.expect("alice < 200\nbob < CANCEL\ncarol < CANCEL");
    // A member of the team rings bob alone.
    office.call("carol", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.wait(11);
    office.expect("bob < INVITE sip:bob@192.0.2.2\ncarol < 180");
}

// 3.9.5.2.2.2, 3.9.5.2.2.3, rule 6: lists may name people by extension, callers have addresses.
#[test]
fn members_of_lists_are_known_by_extension_and_by_address() {
    let mut office = Office::where_registered(&["bob", "carol", "dave"]);
    for list in ["team", "delegates"] {
        for members in ["203", "dave@example.test", "+1555, 203"] {
            office.set("bob", "ring-time", "1s");
            office.set("bob", list, members);
            office.call("dave", "sip:bob@example.test");
            office.answer("bob", "180 Ringing");
            office.expect("bob < INVITE sip:bob@192.0.2.2\ndave < 180");
            // After ring-time, as if there were neither team nor delegates.
            office.wait(1);
            office.expect("bob < CANCEL\ndave < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
            office.wait(100);
            office.ladder.clear();
        }
        office.set("bob", list, "off");
    }
    office.set("bob", "skip-own-telephones", "yes");
    office.set("bob", "breakthrough", "203");
    office.call("dave", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    office.call("carol", "sip:bob@example.test");
    office.expect("carol < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
}

// SIPRE-9: from 0 seconds on.
#[test]
fn a_ring_time_of_nothing_goes_on_at_once() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "ring-time", "0");
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.wait(0);
    let ladder = std::mem::take(&mut office.ladder);
    let last = ladder.last().map(String::as_str);
    assert_eq!(last, Some("vm1 < INVITE sip:bob@example.test;opaque=app:voicemail"), "{ladder:?}");
}

// Rule 7
#[test]
fn outside_working_hours_the_rules_rest() {
    // 2023-11-14, a Tuesday, 22:13 UTC.
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("bob", "work-hours", "mon-fri 09:00-17:00");
    office.set("bob", "forward-immediate", "carol@example.test");
    ringing(&mut office);
    office.order(Order::Clock(UnixTime::from_secs(1_700_000_000 + 12 * 3_600)));
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 181\ncarol < INVITE sip:carol@192.0.2.3");
}

// Rules 1 and 10
#[test]
fn blocked_and_undisturbed_users_do_not_ring() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "do-not-disturb", "yes");
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
    let diversion = values(&office.request("vm1", "INVITE"), &HeaderName::Diversion);
    assert_eq!(diversion, ["<sip:bob@example.test>;reason=do-not-disturb"]);
    office.set("bob", "block", "yes");
    office.call("alice", "sip:bob@example.test");
    office.expect("alice < 480");
}

// SIPRE-5
#[test]
fn rules_that_cannot_be_read_ring_the_telephones_and_nothing_else() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "forward-immediate", "voicemail");
    office.set("bob", "ring-time", "for ever");
    ringing(&mut office);
    office.wait(170);
    office.expect("");
    office.answer("bob", "486 Busy Here");
    office.expect("alice < 486");
}

// SIPRE-3
#[test]
fn a_call_without_audio_is_not_diverted() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "forward-immediate", "voicemail");
    let body = "v=0\r\nm=video 1 RTP/AVP 96\r\n";
    let lines = "From: <sip:x@y.test>\r\nContent-Type: application/sdp\r\n";
    let text = office.text("stranger", "INVITE", "sip:bob@example.test", lines, 1, "");
    let video =
        text.replace("Content-Length: 0\r\n\r\n", &format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    office.say("stranger", &video);
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    let audio = video.replace("m=video", "m=audio").replace("z9hG4bK", "z9hG4bKa");
    office.say("stranger", &audio);
    office.expect("stranger < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
}

// LOOP-5
#[test]
fn a_call_that_was_diverted_too_often_is_not_diverted_again() {
    let mut office = Office::new();
    office.call_with("um", "sip:bob@example.test", "Diversion: <sip:x@y.test>;counter=5;limit=5\r\n");
    office.expect("um < 480");
    office.call_with("um", "sip:bob@example.test", "Diversion: <sip:x@y.test>;counter=6\r\n");
    office.expect("um < 480");
    office.call_with("um", "sip:bob@example.test", "Diversion: <sip:x@y.test>;counter=4;limit=5\r\n");
    office.expect("um < 181\nvm1 < INVITE sip:bob@example.test;opaque=app:voicemail");
}

// SIPRE-30: also for who has no mailbox.
#[test]
fn who_has_nowhere_to_be_forwarded_to_may_deflect() {
    let mut office = Office::where_registered(&["bob", "carol"]);
    office.set("bob", "no-voicemail", "yes");
    ringing(&mut office);
    office.answer_with("bob", "303 See Other", "Contact: <sip:carol@example.test>\r\n");
    office.expect("alice < 181\ncarol < INVITE sip:carol@192.0.2.3");
}

// SIPRE-30: nor by anybody whom the caller did not call.
#[test]
fn a_second_device_elsewhere_redirects_nobody() {
    let mut office = Office::where_registered(&["bob"]);
    office.set("bob", "no-voicemail", "yes");
    office.set("bob", "ring-also", "sip:bob@elsewhere.test;transport=tls");
    office.call("alice", "sip:bob@example.test");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nelsewhere < INVITE sip:bob@elsewhere.test;transport=tls");
    office.answer_with("elsewhere", "302 Moved Temporarily", "Contact: <sip:x@y.test>\r\n");
    office.answer("bob", "486 Busy Here");
    office.expect("alice < 486");
}
