//! `umbel user import` and `export`: all rows or none.

use std::collections::BTreeSet;

use crate::site::{Ran, Site};
use crate::sound::write_tone;

fn import(site: &Site, rows: &str) -> Ran {
    let file = site.write("users.csv", rows);
    site.umbel(&["user", "import", &file, "--json"])
}

fn addresses(site: &Site) -> BTreeSet<String> {
    let users = site.umbel(&["user", "list", "--json"]).documents();
    users.iter().map(|user| user["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn columns_stand_in_any_order_and_every_one_is_read() {
    let site = Site::new();
    write_tone(site.folder(), "hello.wav", 8_000, 500);
    let rows = "pin,address,role,time_zone,greeting,language,enabled,skip_pin,password,email,name,extension\n\
                815624,alice@example.test,administrator,Europe/Berlin,hello.wav,en,no,no,secret word,\
                a@mail.example,\"Ng, Alice\",101\n";
    let made = import(&site, rows).document();
    assert_eq!((&made["address"], &made["pin"]), (&"alice@example.test".into(), &serde_json::Value::Null));
    let user = site.umbel(&["user", "show", "101", "--json"]).document();
    let expected = serde_json::json!({
        "name": "Ng, Alice", "email": "a@mail.example", "enabled": false, "skip_pin": false, "language": "en",
        "time_zone": "Europe/Berlin", "role": "administrator", "pin": "own", "has_password": true,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&user[key], value, "{key}");
    }
    let greeting = site.umbel(&["mailbox", "greeting", "101", "show", "standard", "--json"]).document();
    assert_eq!(greeting["duration_seconds"], 0.5);
}

#[test]
fn pins_that_were_made_are_printed_once() {
    let site = Site::new();
    let rows = "address,pin\nalice@example.test,\nbob@example.test,739206\ncarol@example.test,\n";
    let made = import(&site, rows).documents();
    let pins: Vec<Option<&str>> = made.iter().map(|made| made["pin"].as_str()).collect();
    assert!(matches!(pins.as_slice(), [Some(_), None, Some(_)]), "{made:?}");
    assert_ne!(pins[0], pins[2]);
    let again = import(&site, "address,pin\nalice@example.test,\n").document();
    assert_eq!(again["pin"], serde_json::Value::Null, "a user who is there keeps the PIN");
    let text =
        site.umbel(&["user", "import", &site.write("more.csv", "address\ndan@example.test\n")]).succeeded();
    assert!(text.contains("dan@example.test  PIN ") && text.contains("shown once"), "{text}");
}

#[test]
fn an_address_that_is_there_is_updated() {
    let site = Site::with_users();
    import(&site, "address,name,extension\nalice@example.test,Alice Ng,301\ncarol@example.test,Carol,303\n")
        .documents();
    let alice = site.umbel(&["user", "show", "301", "--json"]).document();
    assert_eq!((&alice["name"], &alice["pin"]), (&"Alice Ng".into(), &"own".into()));
    assert_eq!(addresses(&site).len(), 3);
}

/// Each file has a good first row, so that "none" can be seen.
#[test]
fn what_breaks_a_rule_is_refused_with_its_line_and_nothing_is_imported() {
    let site = Site::with_users();
    write_tone(site.folder(), "good.wav", 8_000, 300);
    site.write("bad.wav", "no sound");
    let cases = [
        ("address,colour\ncarol@example.test,red\n", 1, "no column `colour`"),
        ("address,name,name\ncarol@example.test,a,b\n", 1, "twice"),
        ("name\nCarol\n", 1, "`address` is missing"),
        ("address,pin\ncarol@example.test,604817\ndan@example.test,123456\n", 3, "it is a sequence"),
        ("address,pin\ncarol@example.test,604817\ndan@example.test,swordfish\n", 3, "1 to 24 digits"),
        ("address,extension\ncarol@example.test,103\ndan@example.test,103\n", 3, "belongs to another user"),
        ("address,extension\ncarol@example.test,103\ndan@example.test,101\n", 3, "belongs to another user"),
        ("address\ncarol@example.test\n\ncarol@example.test\n", 4, "earlier row"),
        ("address\ncarol@example.test\ndan@elsewhere.test\n", 3, "not in the configured domain"),
        ("address\ncarol@example.test\ndan\n", 3, "is no address"),
        ("address\ncarol@example.test\nvoicemail@example.test\n", 3, "voicemail is a pilot"),
        ("address,name\ncarol@example.test,Carol\n,Dan\n", 3, "is no address"),
        ("address,name\ncarol@example.test,Carol\ndan@example.test,Dan,more\n", 3, ""),
        ("address,enabled\ncarol@example.test,yes\ndan@example.test,perhaps\n", 3, "neither yes nor no"),
        ("address,skip_pin\ncarol@example.test,no\ndan@example.test,1\n", 3, "neither yes nor no"),
        (
            "address,role\ncarol@example.test,user\ndan@example.test,root\n",
            3,
            "neither user nor administrator",
        ),
        ("address,time_zone\ncarol@example.test,UTC\ndan@example.test,Mars\n", 3, "Mars"),
        ("address,forward\ncarol@example.test,\n", 1, "no column `forward`"),
        (
            "address,ring-time\ncarol@example.test,20s\ndan@example.test,soon\n",
            3,
            "expected 0 to 1200 seconds",
        ),
        ("address,email\ncarol@example.test,c@x.test\ndan@example.test,nobody\n", 3, "user@domain"),
        ("address,greeting\ncarol@example.test,good.wav\ndan@example.test,bad.wav\n", 3, "not a RIFF/WAVE"),
        ("address,greeting\ncarol@example.test,good.wav\ndan@example.test,gone.wav\n", 3, "gone.wav"),
    ];
    let before = addresses(&site);
    for (rows, line, word) in cases {
        let message = import(&site, rows).failed_as_json(1, "refused");
        assert!(message.contains(&format!("users.csv:{line}: ")), "line {line} of {rows:?}: {message}");
        assert!(message.contains(word) && message.contains("nothing was imported"), "{rows:?}: {message}");
        assert!(!message.contains("swordfish") && !message.contains("604817"), "{message}");
        assert_eq!(addresses(&site), before, "{rows:?}");
    }
    import(&site, "").failed_as_json(1, "refused");
    site.umbel(&["user", "import", "nowhere.csv"]).failed(1, &["nowhere.csv"]);
}

#[test]
fn what_was_exported_is_imported_elsewhere_as_it_was() {
    let site = Site::with_users();
    let settings = ["name=Zoë \"Z\" Ng, jr.", "email=z@mail.example", "skip_pin=no", "time_zone=Asia/Tokyo"];
    site.umbel(
        &[["user", "set", "bob"].as_slice(), &settings, &["role=administrator", "enabled=no"]].concat(),
    )
    .succeeded();
    let rules = ["forward-immediate=off", "team=alice@example.test, 103", "work-hours=mon-fri 09:00-17:00"];
    site.umbel(&[["user", "set", "bob"].as_slice(), &rules, &["ring-also=off:+15555550100"]].concat())
        .succeeded();
    let mail = ["play-on-phone-dial-string=+1 555 555 0199", "telephone-access-folder=AAAAAG1hcGk="];
    site.umbel(&[["user", "set", "bob"].as_slice(), &mail, &["missed_call_notices=no"]].concat()).succeeded();
    let exported = site.umbel(&["user", "export"]).succeeded();
    assert!(!exported.contains("pin,") || exported.contains("skip_pin"), "{exported}");
    let other = Site::new();
    import(&other, &exported).documents();
    assert_eq!(other.umbel(&["user", "export"]).succeeded(), exported);
    let bob = other.umbel(&["user", "show", "bob", "--json"]).document();
    assert_eq!(bob["missed_call_notices"], false);
    // Into the same store it changes nothing, and nobody's PIN.
    assert!(import(&site, &exported).documents().iter().all(|made| made["pin"].is_null()));
    assert_eq!(site.umbel(&["user", "export"]).succeeded(), exported);
}

#[test]
fn an_export_for_scripts_is_a_document_for_each_user() {
    let site = Site::with_users();
    let exported = site.umbel(&["user", "export", "--json"]).documents();
    assert_eq!(exported, site.umbel(&["user", "list", "--json"]).documents());
    assert_eq!(exported[0]["address"], "alice@example.test");
}

// SEC-101: a cell that a spreadsheet would run.
#[test]
fn names_that_look_like_formulas_come_back_as_text() {
    let site = Site::new();
    import(&site, "address,name\nalice@example.test,\"=cmd|' /C calc'!A0\"\n").documents();
    assert_eq!(site.umbel(&["user", "show", "alice", "--json"]).document()["name"], "=cmd|' /C calc'!A0");
}
