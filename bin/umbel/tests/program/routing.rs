//! Routing rules: `umbel user set`, `show` and `routing`, without a server and beside one.

use serde_json::{Value, json};

use crate::site::{Ran, Site, umbel};
use crate::wait::until;

/// [MS-SIPRE] 2.2.9: forwarding after twenty seconds, and a second device.
const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<routing xmlns="http://schemas.microsoft.com/02/2006/sip/routing" name="rtcdefault" version="2">
  <preamble>
    <list name="forwardto"><target uri="sip:+15555550100@example.test;user=phone"/></list>
    <list name="simultaneous_ring"><target uri="sip:bob@example.test"/></list>
    <flags name="clientflags" value="simultaneous_ring enablecf"/>
    <wait name="total" seconds="20"/>
  </preamble>
</routing>
"#;

/// What a person is told about alice's calls.
fn calls(site: &Site) -> Vec<String> {
    let shown = site.umbel(&["user", "show", "alice"]).succeeded();
    let lines = shown.lines().skip_while(|line| !line.starts_with("calls "));
    lines.map(|line| line.trim_start_matches("calls").trim().to_owned()).collect()
}

fn rules(site: &Site) -> Value {
    site.umbel(&["user", "show", "alice", "--json"]).document()["routing"].clone()
}

fn set(site: &Site, settings: &[&str]) -> Ran {
    site.umbel(&[["user", "set", "alice"].as_slice(), settings].concat())
}

/// Whether the command did what it was asked for, and said all of this on standard error, a line each.
#[track_caller]
fn warned(ran: Ran, codes: &[&str]) {
    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let said: Vec<String> =
        ran.err.lines().map(|line| read(line)["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said, codes, "{ran:?}");
    ran.succeeded();
}

/// Does it without a server, and then beside one.
fn both_ways(check: impl Fn(&Site)) {
    check(&Site::with_users());
    let site = Site::with_users();
    let server = site.serve();
    check(&site);
    drop(server);
}

#[test]
fn rules_are_set_shown_in_words_and_taken_away() {
    both_ways(|site| {
        assert_eq!(rules(site), json!({}));
        assert_eq!(calls(site), ["when unanswered: voice mail after 20 s"]);
        set(site, &["forward-unanswered=bob@example.test", "ring-time=25s", "ring-also=102"]).succeeded();
        let expected =
            json!({ "forward-unanswered": "bob@example.test", "ring-time": "25s", "ring-also": "102" });
        assert_eq!(rules(site), expected);
        assert_eq!(
            calls(site),
            ["ring also: 102", "when unanswered: forward to bob@example.test after 25 s"]
        );
        set(site, &["forward-unanswered=off", "ring-time=", "ring-also=off:102", "do-not-disturb=no"])
            .succeeded();
        assert_eq!(rules(site), json!({ "ring-also": "off:102" }));
        assert_eq!(calls(site), ["when unanswered: voice mail after 20 s"]);
    });
}

#[test]
fn what_is_no_rule_is_refused_with_what_is_expected_and_nothing_is_done() {
    let site = Site::with_users();
    set(&site, &["ring-time=5s"]).succeeded();
    for (setting, word) in [
        ("forward-immediate=bob", "expected an address, an extension, a number or a SIP URI"),
        ("ring-time=20m", "expected 0 to 1200 seconds"),
        ("ring-time=1201", "expected 0 to 1200 seconds"),
        ("team=102,,103", "expected an address"),
        ("work-hours=mornings", "mon-fri 09:00-17:00"),
        ("do-not-disturb=perhaps", "expected yes or no"),
        ("forward=102", "there is no setting `forward`"),
        ("Ring-Time=20s", "there is no setting `Ring-Time`"),
    ] {
        let ran = set(&site, &["block=yes", setting]).failed(64, &[word]);
        assert!(ran.err.contains(setting.split('=').next().unwrap()), "{ran:?}");
    }
    assert_eq!(rules(&site), json!({ "ring-time": "5s" }));
}

#[test]
fn what_is_odd_is_told_and_done_all_the_same() {
    let site = Site::with_users();
    for (settings, codes) in [
        (["forward-immediate=101", "--json"].as_slice(), ["contradiction"].as_slice()),
        (&["forward-immediate=off", "team=102", "delegates=102", "--json"], &["contradiction"]),
        (&["delegates=off", "team=bob@example.test, sip:102@example.test", "--json"], &[]),
        (
            &["team=nobody@example.test, 999, +15555550100, x@elsewhere.test", "--json"],
            &["unknown-target"; 3],
        ),
        (&["team=", "ring-also=voicemail@example.test", "--json"], &[]),
        // No rule is changed.
        (&["ring-also=nobody@example.test", "--json"], &["unknown-target"]),
        (&["name=Alice", "--json"], &[]),
    ] {
        warned(set(&site, settings), codes);
    }
    assert_eq!(rules(&site), json!({ "ring-also": "nobody@example.test" }));
    let ran = set(&site, &["forward-immediate=alice@example.test", "ring-also=off"]);
    assert!(ran.err.starts_with("umbel: warning: alice@example.test: forward-immediate leads to"), "{ran:?}");
    let import = ["user", "import", &site.write("u.csv", "address,team\nbob@example.test,999\n"), "--json"];
    warned(site.umbel(&import), &["unknown-target"]);
}

/// SIPRE-1, SIPRE-6
#[test]
fn a_document_becomes_rules_and_rules_a_document() {
    both_ways(|site| {
        let file = site.write("rules.xml", DOCUMENT);
        set(site, &["do-not-disturb=yes", "block=yes", "work-hours=mon-fri 09:00-17:00"]).succeeded();
        let shown = site.umbel(&["user", "routing", "alice", "import", &file, "--json"]).document();
        let expected = json!({
            "forward-unanswered": "+15555550100", "ring-also": "bob@example.test", "ring-time": "20s",
            "do-not-disturb": "yes", "work-hours": "off:mon-fri 09:00-17:00",
        });
        assert_eq!(shown["routing"], expected);
        let exported = site.umbel(&["user", "routing", "101", "export"]);
        for what in ["no place for do-not-disturb", "no place for work-hours"] {
            assert!(exported.err.contains(what), "{exported:?}");
        }
        let exported = exported.succeeded();
        let import = ["user", "routing", "bob", "import", "-"];
        site.umbel_reading(&import, &exported).succeeded();
        assert_eq!(site.umbel(&["user", "routing", "bob", "export"]).succeeded(), exported);

        let team = |member: &str| {
            let list = format!("<list name=\"team\"><target uri=\"sip:{member}@example.test\"/></list>");
            let start = DOCUMENT.find("<list").unwrap();
            DOCUMENT.replace(&DOCUMENT[start..DOCUMENT.find("  </preamble>").unwrap()], &list)
        };
        let flags = team("").replace(
            "<list name=\"team\"><target uri=\"sip:@example.test\"/></list>",
            "<flags name=\"clientflags\" value=\"team_ring future\"/><list name=\"add_voice\"/>",
        );
        let files = [team("alice"), flags, team("bob")];
        let files: Vec<_> =
            files.iter().enumerate().map(|(n, text)| site.write(&format!("{n}.xml"), text)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let arguments = [["user", "routing", "alice", "import", "--json"].as_slice(), &files].concat();
        let ran = site.umbel(&arguments);
        warned(ran, &["left-out", "left-out"]);
        assert_eq!(rules(site)["team"], "alice@example.test, bob@example.test");
        assert_eq!(rules(site)["forward-unanswered"], Value::Null);
    });
}

/// SIPRE-4, SIPRE-10
#[test]
fn a_document_that_is_none_changes_nothing() {
    let site = Site::with_users();
    set(&site, &["ring-time=5s"]).succeeded();
    let good = site.write("good.xml", DOCUMENT);
    for (text, word) in [
        (
            DOCUMENT.replace("seconds=\"20\"", "seconds=\"soon\""),
            "bad.xml:7: seconds of `wait` is not a number",
        ),
        (DOCUMENT.replace("<preamble>", "<preamble>&bomb;"), "bad.xml:3: the entity `bomb`"),
        (format!("<!DOCTYPE routing SYSTEM \"file:///etc/passwd\">{DOCUMENT}"), "bad.xml:1: "),
        (DOCUMENT.replace("<preamble>", "<preamble><list name=\"forwardto\"/>"), "two lists of one name"),
        ("{}".to_owned(), "bad.xml:1: "),
        (" ".repeat(70_000), "longer than 64 KiB"),
    ] {
        let bad = site.write("bad.xml", text);
        let ran = site.umbel(&["user", "routing", "alice", "import", &bad, "--json"]);
        let message = ran.failed_as_json(1, "refused");
        assert!(message.contains(word) && message.contains("nothing was changed"), "{word}: {message}");
    }
    // Twice the same instance: its names are there twice.
    site.umbel(&["user", "routing", "alice", "import", &good, &good]).failed(1, &["contradict"]);
    site.umbel(&["user", "routing", "alice", "import", "nowhere.xml", "--json"])
        .failed_as_json(1, "not-found");
    site.umbel(&["user", "routing", "nobody", "import", &good, "--json"]).failed_as_json(1, "not-found");
    site.umbel(&["user", "routing", "nobody", "export", "--json"]).failed_as_json(1, "not-found");
    site.umbel(&["user", "routing", "alice", "import"]).failed(64, &["FILE.xml"]);
    assert_eq!(rules(&site), json!({ "ring-time": "5s" }));
}

/// The rules count for the next call: nothing is reloaded, nobody is restarted.
#[test]
fn a_running_protocol_server_follows_the_rules_of_the_moment() {
    let site = Site::with_users();
    let port = site.server_tcp;
    let server = format!("[server]\nlisten = [\"tcp:127.0.0.1:{port}\"]\nauthentication = \"none\"\n");
    site.configure(&site.configuration("", &server));
    let _server = site.serve();
    let call = || {
        let server = format!("tcp:127.0.0.1:{port}");
        umbel(&["phone", "call", "101", "--as", "carol@example.test", "--server", &server, "--for", "1s"])
    };
    // Alice has no telephone: her voice mail answers.
    call().succeeded();
    set(&site, &["no-voicemail=yes"]).succeeded();
    call().failed(1, &["480"]);
    set(&site, &["no-voicemail=off", "block=yes"]).succeeded();
    call().failed(1, &["480"]);
    set(&site, &["block=off", "forward-unanswered=102"]).succeeded();
    call().succeeded();
    let calls = until("the records of four calls", || {
        let calls = site.umbel(&["calls", "--json"]).documents();
        (calls.len() == 4 && calls.iter().all(|call| call["ended"].is_string())).then_some(calls)
    });
    // Alice's voice mail at first; then nobody, twice; now that of bob.
    let taken = calls.iter().filter(|call| call["kind"] == "missed-call");
    let by_bobs: Vec<_> = taken.map(|call| why(&site, call).contains("bob@example.test")).collect();
    assert_eq!(by_bobs.iter().filter(|by_his| **by_his).count(), 1, "{calls:?}");
    assert_eq!(by_bobs.len(), 2, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call["kind"] == "call").count(), 2, "{calls:?}");
}

fn why(site: &Site, call: &Value) -> String {
    site.umbel(&["why", call["call_id"].as_str().unwrap()]).succeeded()
}
