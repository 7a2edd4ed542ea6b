//! `umbel user`, without a server; `serve` repeats the main ones beside one.

use serde_json::{Value, json};

use crate::site::{ALICE_PIN, Site};
use crate::wait::until;

#[test]
fn a_user_is_added_shown_changed_unlocked_and_removed() {
    let site = Site::new();
    let pin = site.write("pin", format!("{ALICE_PIN}\n"));
    let added = site.umbel(&[
        "user",
        "add",
        "alice@example.test",
        "--extension",
        "101",
        "--name",
        "Alice Ng",
        "--email",
        "a@mail.example",
        "--pin-file",
        &pin,
        "--json",
    ]);
    assert_eq!(added.document(), json!({ "address": "alice@example.test", "pin": null }));

    let shown = site.umbel(&["user", "show", "101", "--json"]).document();
    let expected = json!({
        "address": "alice@example.test", "extension": "101", "name": "Alice Ng", "email": "a@mail.example",
        "enabled": true, "skip_pin": true, "language": "en", "time_zone": null, "role": "user",
        "pin": "own", "has_password": false, "greeting": "standard",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[key], value, "{key}");
    }
    assert!(shown["added"].as_str().unwrap().ends_with('Z'), "{shown}");
    for name in ["alice@example.test", "alice", "101"] {
        assert!(site.umbel(&["user", "show", name]).succeeded().contains("Alice Ng"), "{name}");
    }

    let settings = ["name=Alice", "extension=201", "email=", "skip_pin=no", "time_zone=Europe/Berlin"];
    site.umbel(&[["user", "set", "alice"].as_slice(), &settings, &["role=administrator"]].concat())
        .succeeded();
    let shown = site.umbel(&["user", "show", "201", "--json"]).document();
    assert_eq!(
        [&shown["name"], &shown["email"], &shown["skip_pin"], &shown["time_zone"], &shown["role"]],
        [&json!("Alice"), &Value::Null, &json!(false), &json!("Europe/Berlin"), &json!("administrator")]
    );

    site.umbel(&["user", "unlock", "alice@example.test"]).succeeded();
    site.umbel(&["user", "remove", "alice@example.test"]).succeeded();
    site.umbel(&["user", "show", "alice@example.test"])
        .failed(1, &["no user alice@example.test", "user list"]);
    assert_eq!(site.umbel(&["user", "list", "--json"]).succeeded(), "");
}

// SEC-89: no mailbox without a PIN.
#[test]
fn a_pin_that_was_made_is_printed_once() {
    let site = Site::new();
    let added = site.umbel(&["user", "add", "alice@example.test", "--json"]).document();
    let pin = added["pin"].as_str().unwrap();
    assert!(pin.len() >= 6 && pin.bytes().all(|byte| byte.is_ascii_digit()), "{added}");
    let shown = site.umbel(&["user", "show", "alice", "--json"]).document();
    assert_eq!(shown["pin"], "generated");
    let everything = [["user", "show", "alice"].as_slice(), &["user", "list"], &["user", "export"]];
    for arguments in everything {
        assert!(!site.umbel(arguments).succeeded().contains(pin), "{arguments:?}");
    }
}

/// DEC-14, SEC-89: what an administrator does for somebody who forgot the PIN, where no mail is sent.
#[test]
fn a_user_who_is_there_gets_a_new_pin_that_is_printed_once() {
    let site = Site::with_users();
    let set = site.umbel(&["user", "set", "alice", "name=Alice Other", "--new-pin", "--json"]).document();
    let pin = set["generated_pin"].as_str().unwrap();
    assert!(pin.len() >= 6 && pin.bytes().all(|byte| byte.is_ascii_digit()), "{set}");
    assert_eq!((&set["pin"], &set["name"]), (&json!("generated"), &json!("Alice Other")));
    let shown = site.umbel(&["user", "show", "alice", "--json"]).succeeded();
    assert!(!shown.contains(pin) && !shown.contains("generated_pin"), "{shown}");
    let told = site.umbel(&["user", "set", "alice", "--new-pin"]).succeeded();
    assert!(told.contains("alice@example.test  PIN ") && told.contains("shown once"), "{told}");
    assert!(!told.contains(pin), "another one each time");
    // In the words of an import: nothing for a PIN is a random one.
    let set = site.umbel(&["user", "set", "alice", "pin=", "enabled=yes", "--json"]).document();
    assert_eq!(set["generated_pin"].as_str().map(str::len), Some(pin.len()), "{set}");
    site.umbel(&["user", "set", "alice", "pin="]).succeeded();
    // Without being asked for, none is made.
    let set = site.umbel(&["user", "set", "alice", "name=Alice", "--json"]).document();
    assert_eq!(set.get("generated_pin"), None);
    let own = site.write("own", format!("{ALICE_PIN}\n"));
    site.umbel(&["user", "set", "alice", "--new-pin", "--pin-file", &own]).failed(64, &["--pin-file"]);
    site.umbel(&["user", "set", "alice", "pin=", "--pin-file", &own]).failed(64, &["--pin-file"]);
    site.umbel(&["user", "set", "alice", "pin=271828"]).failed(64, &["--new-pin"]);
    site.umbel(&["user", "set", "nobody", "--new-pin"]).failed(1, &["no user nobody"]);
}

#[test]
fn a_secret_is_read_from_standard_input() {
    let site = Site::new();
    let add = ["user", "add", "alice@example.test", "--pin-file", "-", "--json"];
    site.umbel_reading(&add, &format!("{ALICE_PIN}\n")).succeeded();
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["pin"], "own");
    let set = ["user", "set", "alice", "--password-file", "-"];
    site.umbel_reading(&set, "correct horse\n").succeeded();
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["has_password"], true);
    let both = ["user", "set", "alice", "--password-file", "-", "--pin-file", "-"];
    site.umbel_reading(&both, "x\n").failed(64, &["only one secret"]);
}

#[test]
fn what_breaks_a_rule_is_refused_by_name_and_nothing_is_done() {
    let site = Site::with_users();
    let weak = site.write("weak", "123456\n");
    let letters = site.write("letters", "swordfish\n");
    let refused = [
        (["add", "carol@elsewhere.test"].as_slice(), 64, "not in the configured domain example.test"),
        (&["add", "carol"], 64, "write user@example.test"),
        (&["add", "carol@"], 64, "example.test"),
        (&["add", "@example.test"], 64, "example.test"),
        (&["add", "alice@example.test"], 1, "there already"),
        (&["add", "ALICE@EXAMPLE.TEST", "--extension", "101"], 1, "belongs to another user"),
        (&["add", "carol@example.test", "--extension", "101"], 1, "belongs to another user"),
        (&["add", "carol@example.test", "--extension", "x1"], 1, "1 to 20 digits"),
        (&["add", "carol@example.test", "--email", "nobody"], 1, "user@domain"),
        (&["add", "voicemail@example.test"], 1, "voicemail is a pilot"),
        (&["add", "carol@example.test", "--pin-file", &weak], 1, "it is a sequence"),
        (&["add", "carol@example.test", "--pin-file", &letters], 64, "a PIN is 1 to 24 digits"),
        (&["add", "carol@example.test", "--pin-file", "/nowhere/pin"], 1, "/nowhere/pin"),
        (&["set", "alice"], 64, "KEY=VALUE"),
        (&["set", "alice", "enabled"], 64, "KEY=VALUE"),
        (&["set", "alice", "enabled=maybe"], 64, "neither yes nor no"),
        (&["set", "alice", "colour=red"], 64, "there is no setting `colour`"),
        (&["set", "alice", "time_zone=Mars/Base"], 64, "Mars/Base"),
        (&["set", "alice", "role=root"], 64, "neither user nor administrator"),
        (&["set", "alice", "language=xx"], 64, "only en"),
        (&["set", "alice", "extension=102"], 1, "belongs to another user"),
        (&["set", "alice", "address=a@example.test"], 64, "name for good"),
        (&["set", "nobody", "enabled=no"], 1, "no user nobody"),
        (&["remove", "nobody"], 1, "no user nobody"),
        (&["unlock", "999"], 1, "no user 999"),
        (&["reset-pin", "999"], 1, "no user 999"),
        (&["reset-pin", "alice"], 1, "no mail server is configured"),
    ];
    let before = site.umbel(&["user", "list", "--json"]).succeeded();
    for (arguments, status, word) in refused {
        let arguments = [&["user"], arguments].concat();
        let ran = site.umbel(&arguments).failed(status, &[word]);
        assert!(!ran.err.contains("swordfish") && !ran.err.contains("123456"), "{ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
    assert_eq!(site.umbel(&["user", "list", "--json"]).succeeded(), before);
}

#[test]
fn settings_of_one_command_are_made_all_or_none() {
    let site = Site::with_users();
    let weak = site.write("weak", "111111\n");
    site.umbel(&["user", "set", "alice", "name=Changed", "--pin-file", &weak]).failed(1, &["repeats itself"]);
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["name"], "Alice");
    let no_sound = site.write("no.wav", "hello");
    let greeting = format!("greeting={no_sound}");
    site.umbel(&["user", "set", "alice", "name=Changed", &greeting]).failed(1, &["no.wav"]);
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["name"], "Alice");
}

#[test]
fn an_error_is_one_json_document_with_a_stable_code() {
    let site = Site::with_users();
    for (arguments, status, code) in [
        (["user", "show", "nobody"].as_slice(), 1, "not-found"),
        (&["user", "add", "alice@example.test"], 1, "refused"),
        (&["user", "add", "voicemail@example.test"], 1, "name-is-pilot"),
        (&["user", "set", "alice", "extension=voicemail"], 1, "name-is-pilot"),
        (&["user", "add", "carol@elsewhere.test"], 64, "usage"),
        (&["mailbox", "show", "nobody"], 1, "not-found"),
        (&["message", "show", "nothing"], 1, "not-found"),
        (&["why", "nothing"], 1, "not-found"),
        (&["user", "import", "nowhere.csv"], 1, "not-found"),
    ] {
        let arguments = [arguments, &["--json"]].concat();
        let message = site.umbel(&arguments).failed_as_json(status, code);
        assert!(!message.is_empty());
    }
}

#[test]
fn two_commands_at_once_both_do_their_work() {
    let site = Site::with_users();
    let names: Vec<String> = (0..4).map(|n| format!("user{n}@example.test")).collect();
    let children: Vec<_> =
        names.iter().map(|name| site.command(&["user", "add", name, "--json"]).spawn().unwrap()).collect();
    for mut child in children {
        let status = until("a command to end", || child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
    assert_eq!(site.umbel(&["user", "list", "--json"]).documents().len(), 6);
}
