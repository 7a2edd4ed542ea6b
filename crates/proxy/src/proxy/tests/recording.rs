//! What `umbel calls` has to tell of calls between people. Voice mail keeps records of its own.

use umbel_store::{CallKind, CallOutcome, CallRecord, Op, Reply};

use super::dialogs::{answered, as_it_is, within};
use super::*;

#[track_caller]
fn records(office: &mut Office) -> Vec<CallRecord> {
    let Reply::Calls(calls) = execute(&mut office.store, Op::ListCalls { limit: 10 }) else {
        panic!("no calls")
    };
    calls
}

/// A call's parties, how it ended, and how many seconds it took.
fn line(call: &CallRecord) -> String {
    let ended = call.ended.map(|ended| ended.since(call.started).as_secs());
    let length = ended.map_or("still going on".to_owned(), |seconds| format!("{seconds} s"));
    format!("{} -> {} {} {length}", call.from, call.to, call.outcome.as_str())
}

#[test]
fn a_call_is_on_record_while_people_talk_and_afterwards() {
    let mut office = answered();
    let call = records(&mut office).pop().unwrap();
    assert_eq!(line(&call), "alice@example.test -> bob@example.test answered still going on");
    assert_eq!((call.kind, call.call_id.as_str()), (CallKind::Call, &*office.call_id()));
    // RFC 3261 13.3.1.4: a success that is repeated is no second call.
    office.answer("bob", "200 OK");
    office.wait(90);
    within(&mut office, "bob", "BYE", as_it_is);
    let lines: Vec<_> = records(&mut office).iter().map(line).collect();
    assert_eq!(lines, ["alice@example.test -> bob@example.test answered 90 s"]);
}

#[test]
fn a_call_that_nobody_takes_is_on_record_with_what_became_of_it() {
    for (status, outcome) in [
        ("486 Busy Here", CallOutcome::NotAnswered),
        ("603 Decline", CallOutcome::NotAnswered),
        ("488 Not Acceptable Here", CallOutcome::Refused),
        ("500 Server Internal Error", CallOutcome::Failed),
    ] {
        let mut office = Office::with(|config| config.voice_mail.clear());
        office.register_all(&["bob"]);
        office.call("alice", "sip:201@example.test");
        office.wait(5);
        office.answer("bob", status);
        let call = records(&mut office).pop().unwrap();
        assert_eq!(line(&call), format!("alice@example.test -> 201@example.test {} 5 s", outcome.as_str()));
    }
}

#[test]
fn a_caller_who_gives_up_is_on_record_and_a_challenge_is_not() {
    let mut office = Office::with(|config| config.voice_mail.clear());
    office.register_all(&["bob"]);
    assert!(records(&mut office).is_empty(), "registering is no call");
    office.call("alice", "sip:bob@example.test");
    assert!(records(&mut office).is_empty(), "nothing has become of it yet");
    office.answer("bob", "180 Ringing");
    office.hang_up_early("alice");
    let lines: Vec<_> = records(&mut office).iter().map(line).collect();
    assert_eq!(lines, ["alice@example.test -> bob@example.test not-answered 0 s"]);
}

#[test]
fn a_call_that_voice_mail_takes_is_left_to_its_records() {
    let mut office = Office::new();
    office.call("alice", "sip:bob@example.test");
    office.answer("vm1", "200 OK");
    assert!(records(&mut office).is_empty());
}
