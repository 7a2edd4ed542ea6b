//! The tour: every step of it holds, and what it leaves behind is nothing.

use serde_json::Value;

use crate::site::{Ran, program};
use crate::telephone::quiet;

/// The tour in a temporary folder of its own, so that what is left of it is seen.
fn tour(arguments: &[&str], folder: &std::path::Path) -> Ran {
    let mut command = program();
    command.args(["demo", "--once", "--json"]).args(arguments).env("TMPDIR", folder);
    Ran::of(command.output().unwrap())
}

fn steps(documents: &[Value]) -> Vec<&Value> {
    documents.iter().filter(|document| document["event"] == "step").collect()
}

#[track_caller]
fn held(ran: Ran) -> Vec<Value> {
    let documents = ran.documents();
    for step in steps(&documents) {
        assert_eq!(step["held"], true, "{step:#}");
        let checks = step["checks"].as_array().unwrap();
        assert!(checks.len() > 1 && checks.iter().all(|check| check["held"] == true), "{step:#}");
        assert!(step["ladder"].as_array().unwrap().len() > 4, "{step:#}");
    }
    assert_eq!(documents.last().unwrap()["held"], true, "{documents:?}");
    documents
}

/// The wires tell it: a message of this step, and a remark to it.
fn went(step: &Value, from: &str, to: &str, message: &str, remark: &str) -> bool {
    step["ladder"].as_array().unwrap().iter().any(|rung| {
        let remarks = rung["remarks"].as_array().unwrap();
        rung["from"] == from
            && rung["to"] == to
            && rung["message"].as_str().unwrap().starts_with(message)
            && (remark.is_empty() || remarks.iter().any(|found| found == remark))
    })
}

/// OCEXUM-3.1.1-1, OCEXUM-3.1.2-1, CMD-1, CMD-4, OCEXUM-3.2-1, SENS-2, POP-1, MWI-1: with the data in a directory that is kept, twice.
#[test]
fn every_step_of_the_tour_holds_and_once_more_with_the_same_data() {
    let _quiet = quiet();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("kept");
    let data = data.to_str().unwrap();
    let temporary = folder.path().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    for _ in 0..2 {
        let documents = held(tour(&["--data", data], &temporary));
        let steps = steps(&documents);
        assert_eq!(steps.iter().map(|step| &step["number"]).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let skip_pin = "Ms-Exchange-Command: skip-pin";
        assert!(went(steps[0], "server", "alice", "INVITE", ""));
        assert!(went(steps[0], "alice", "server", "180", ""));
        assert!(went(steps[0], "bob", "um", "SRTP", ""));
        assert!(went(steps[0], "server", "alice", "NOTIFY  Messages-Waiting: yes", ""));
        assert!(went(steps[1], "server", "um", "INVITE alice@example.test;opaque=app:voicemail", skip_pin));
        assert!(went(steps[2], "stranger-tcp", "um", "INVITE", skip_pin));
        assert!(went(steps[2], "stranger-tls", "um", "INVITE", skip_pin));
        let private = "Ms-Sensitivity: private-no-diversion";
        for step in &steps[3..] {
            assert!(went(step, "um", "server", "INVITE alice@example.test", private));
            assert!(went(step, "server", "alice", "INVITE", private));
            assert!(!went(step, "server", "bob", "INVITE", "") && !went(step, "server", "um", "INVITE", ""));
        }
        assert!(
            !went(steps[3], "alice", "server", "200", "") && went(steps[4], "alice", "server", "200", "")
        );
        assert!(went(steps[4], "um", "alice", "SRTP", ""));
    }
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "passwords and certificates are gone");
    // The message of the second tour is there, and that of the first is deleted.
    let listed = program().args(["message", "list", "alice", "--json", "--data", data]).output().unwrap();
    let messages = Ran::of(listed).documents();
    let states: Vec<_> = messages.iter().map(|message| &message["state"]).collect();
    assert!(
        matches!(states.as_slice(), [earlier @ .., last] if *last == "old" && !earlier.is_empty()),
        "{states:?}"
    );
    assert!(states[..states.len() - 1].iter().all(|state| **state == "deleted"), "{states:?}");
}

#[test]
fn data_that_no_tour_made_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("umbel.db"), "somebody's").unwrap();
    let data = folder.path().to_str().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let said = tour(&["--data", data], temporary.path()).failed_as_json(73, "not-a-demo");
    assert!(said.contains(data), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
