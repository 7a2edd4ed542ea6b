//! Successes that come too late for the plan: each is passed on as long as there is somebody to whom
//! (RFC 3261 16.7 step 5, RFC 6026), in both orders of each race.

use super::*;

const OF_BOB: &str = "sip:bob@example.test;opaque=app:voicemail";

/// Bob's telephone rings, and will not hear of a CANCEL in time.
fn ringing() -> Office {
    let mut office = Office::where_registered(&["bob"]);
    office.too_late.insert("bob");
    office.call("alice", "sip:bob@example.test");
    office.answer("bob", "180 Ringing");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 180");
    office
}

/// The same, and the call goes to voice mail just now.
fn diverted() -> Office {
    let mut office = ringing();
    office.wait(20);
    office.expect(&format!("bob < CANCEL\nalice < 181\nvm1 < INVITE {OF_BOB}"));
    office.answer("vm1", "180 Ringing");
    office.expect("alice < 180");
    office
}

fn over(mut office: Office) {
    office.wait(40);
    office.expect("");
    assert!(office.proxy.is_at_rest());
}

#[test]
fn a_telephone_that_answers_as_the_call_is_diverted_has_it() {
    let mut office = diverted();
    office.answer("bob", "200 OK");
    office.expect("alice < 200\nvm1 < CANCEL");
    over(office);
}

#[test]
fn both_answers_reach_the_caller_where_voice_mail_was_first() {
    let mut office = diverted();
    office.answer("vm1", "200 OK");
    office.expect("alice < 200");
    office.answer("bob", "200 OK");
    office.expect("alice < 200");
    over(office);
}

#[test]
fn voice_mail_may_answer_before_it_hears_that_somebody_else_has() {
    let mut office = diverted();
    office.too_late.insert("vm1");
    office.answer("bob", "200 OK");
    office.expect("alice < 200\nvm1 < CANCEL");
    office.answer("vm1", "200 OK");
    office.expect("alice < 200");
    over(office);
}

/// The first voice mail server says nothing, and the second is asked.
fn replaced() -> Office {
    let mut office = Office::new();
    office.too_late.extend(["vm1", "vm2"]);
    office.call("alice", OF_BOB);
    office.wait(3);
    office.expect(&format!("vm1 < INVITE {OF_BOB}\nvm2 < INVITE {OF_BOB}"));
    office
}

// EUMR-8
#[test]
fn a_server_that_was_given_up_and_answers_first_has_the_call() {
    let mut office = replaced();
    office.answer("vm2", "180 Ringing");
    office.expect("alice < 180");
    office.answer("vm1", "200 OK");
    office.expect("alice < 200\nvm2 < CANCEL");
    office.answer("vm1", "200 OK");
    office.expect("alice < 200");
    office.answer("vm2", "200 OK");
    office.expect("alice < 200");
    over(office);
}

// EUMR-8
#[test]
fn a_server_that_was_given_up_and_answers_last_is_passed_on_too() {
    let mut office = replaced();
    office.answer("vm2", "200 OK");
    office.expect("alice < 200");
    office.answer("vm1", "200 OK");
    office.expect("alice < 200");
    over(office);
}

// EUMR-8: nothing else of it counts.
#[test]
fn what_a_server_says_that_was_given_up_does_not_count_unless_it_is_a_success() {
    for status in ["180 Ringing", "486 Busy Here", "503 Service Unavailable", "302 Moved"] {
        let mut office = replaced();
        office.answer("vm1", status);
        office.ladder.retain(|line| line != "vm1 < CANCEL");
        office.expect("");
        office.answer("vm2", "200 OK");
        office.expect("alice < 200");
    }
}

#[test]
fn a_caller_who_gives_up_too_late_is_connected() {
    let mut office = ringing();
    office.hang_up_early("alice");
    office.expect("bob < CANCEL");
    office.answer("bob", "200 OK");
    office.expect("alice < 200");
    over(office);
    let mut office = ringing();
    office.answer("bob", "200 OK");
    office.expect("alice < 200");
    office.hang_up_early("alice");
    office.expect("");
}

// RFC 3261 17.2.1: after another final answer nothing goes on. RFC 3261 13.3.1.4: without an ACK the
// telephone ends its call by itself.
#[test]
fn an_answer_after_the_last_word_ends_here() {
    let mut office = ringing();
    office.hang_up_early("alice");
    office.wait(2);
    office.expect(&format!("bob < CANCEL\nalice < 487\nvm1 < MESSAGE {OF_BOB}"));
    let message = office.request("vm1", "MESSAGE");
    office.respond("vm1", &message, "200 OK", "");
    office.answer("bob", "200 OK");
    office.expect("");
    over(office);
}
