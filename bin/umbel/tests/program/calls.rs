//! Calls from `umbel phone` to `umbel serve`: real SIP, real RTP, real time.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::site::{ALICE_PIN, LISTED, Ran, Server, Site, finished, program, umbel};
use crate::sound::{loud_seconds, read, write_tone};
use crate::wait::until;

/// The greeting is short, so that tests need not wait for the tone.
fn site() -> Site {
    let site = Site::with_users();
    let greeting = write_tone(site.folder(), "greeting.wav", 8_000, 300);
    site.umbel(&["mailbox", "greeting", "alice", "set", "standard", greeting.to_str().unwrap()]).succeeded();
    site
}

/// Bob says `millis` of tone to alice.
fn leave(site: &Site, millis: u32, more: &[&str]) -> Vec<Value> {
    let said = write_tone(site.folder(), "said.wav", 16_000, millis);
    site.leave(&said, &[&["--json"], more].concat()).documents()
}

/// The event of this name.
#[track_caller]
fn event<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name} in {events:?}"))
}

fn call_id(events: &[Value]) -> String {
    event(events, "answered")["call_id"].as_str().unwrap().to_owned()
}

/// Alice calls her voice mail; gives the events.
fn voicemail(server: &str, more: &[&str]) -> Ran {
    let call =
        ["phone", "voicemail", "--as", "alice@example.test", "--server", server, "--json", "--for", "3s"];
    umbel(&[call.as_slice(), more].concat())
}

/// A certificate that `site` issues, as the telephone's options.
fn certificate(site: &Site, name: &str) -> Vec<String> {
    let peers = site.path("peers");
    site.umbel(&["certificate", "issue", name, peers.to_str().unwrap()]).succeeded();
    let file = |name: String| peers.join(name).into_os_string().into_string().unwrap();
    vec![
        "--certificate".to_owned(),
        file(format!("{name}.pem")),
        "--private-key".to_owned(),
        file(format!("{name}-key.pem")),
        "--authority".to_owned(),
        file("authority.pem".to_owned()),
    ]
}

fn borrowed(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

#[test]
fn a_message_is_left_and_its_owner_hears_it_with_a_pin() {
    let site = site();
    let _server = site.serve();
    let events = leave(&site, 3_000, &["--subject", "Lunch", "--priority", "urgent"]);
    for name in ["answered", "prompt-started", "ended"] {
        event(&events, name);
    }
    let id = call_id(&events);

    let message = until("the message", || {
        site.umbel(&["message", "list", "alice", "--json"]).documents().into_iter().next()
    });
    let expected = json!({
        "mailbox": "alice@example.test", "subject": "Lunch", "importance": "high", "state": "new",
        "incomplete": false, "call_id": id,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&message[key], value, "{key}");
    }
    let file = site.path("stored.wav");
    site.umbel(&["message", "export", message["id"].as_str().unwrap(), file.to_str().unwrap()]).succeeded();
    let stored = read(&file);
    let seconds = message["duration_seconds"].as_f64().unwrap();
    assert!((stored.duration().as_secs_f64() - seconds).abs() < 0.02, "{seconds}: {stored:?}");
    assert!((loud_seconds(&stored) - 3.0).abs() < 0.2, "said 3 s, kept {}", loud_seconds(&stored));
    assert_eq!(site.pin(&id), "none");
    let document = site.umbel(&["why", &id, "--field", "pin", "--json"]).document();
    assert_eq!(document, json!({ "call_id": id, "pin": "none" }));

    let calls = until("the call to be over", || {
        let calls = site.umbel(&["calls", "--json"]).documents();
        calls[0]["ended"].is_string().then_some(calls)
    });
    let expected = json!({
        "call_id": id, "kind": "call-answering", "transport": "tcp", "pin": "none", "outcome": "message-left",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&calls[0][key], value, "{key}");
    }
    for (key, name) in [("from", "bob"), ("to", "alice")] {
        assert!(calls[0][key].as_str().unwrap().contains(name), "{:?}", calls[0]);
    }
    for key in ["started", "ended"] {
        assert!(calls[0][key].as_str().unwrap().ends_with('Z'), "{:?}", calls[0]);
    }
    let table = site.umbel(&["calls"]).succeeded();
    assert!(table.contains("bob@example.test") && table.contains("alice@example.test"), "{table}");
    let why = site.umbel(&["why", &id]).succeeded();
    assert!(why.contains("call-answering") && why.contains("BECAUSE"), "{why}");
    for decision in site.umbel(&["why", &id, "--json"]).documents() {
        for key in ["call_id", "at", "transport", "topic", "ruling", "rule"] {
            assert!(decision[key].is_string(), "{key}: {decision}");
        }
    }

    // She hears it: the PIN, and `1` for new messages. Played to its end it is old, and she hangs up.
    let heard = site.path("heard.wav");
    let pin_file = site.write("pin", ALICE_PIN);
    let mut phone = program();
    phone.args(["phone", "voicemail", "--as", "alice@example.test", "--server", &site.over_tcp(), "--json"]);
    phone.args(["--pin-file", &pin_file, "--keys", "w1,P#,w1,1,w120", "--record"]).arg(&heard);
    let phone = phone.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the message to be old", || (site.only_message()["state"] == "old").then_some(()));
    crate::site::signal(&phone, "INT");
    let ran = finished(phone);
    assert!(!format!("{ran:?}").contains(ALICE_PIN), "{ran:?}");
    let events: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(site.pin(&call_id(&events)), "prompted");
    let heard = read(&heard);
    assert!(loud_seconds(&heard) > 5.0, "prompts and the message: {heard:?}");
    until("the second call to be over", || {
        let calls = site.umbel(&["calls", "--json"]).documents();
        (calls[0]["outcome"] == "mailbox-opened").then_some(())
    });
    // Figures follow the calls.
    until("packets of both calls to be counted", || {
        let packets =
            |direction| site.figure(&format!("umbel_rtp_packets_total{{direction=\"{direction}\"}}"));
        (packets("in") > 100.0 && packets("out") > 100.0).then_some(())
    });
}

// SEC-01, SEC-02, SEC-03 and the call that is let in.
#[test]
fn the_pin_is_skipped_for_a_listed_certificate_and_for_nobody_else() {
    let site = site();
    let _server = site.serve();
    let listed = certificate(&site, LISTED);
    let stranger = certificate(&site, "stranger.example.test");
    let (tcp, tls) = (site.over_tcp(), site.over_tls());
    let authority = borrowed(&listed[4..]);
    let header = ["--header", "Ms-Exchange-Command: skip-pin"];
    let own = "sip:alice@example.test;opaque=app:voicemail";
    let call = |server: &str, more: &[&str]| {
        let call =
            ["phone", "call", own, "--as", "alice@example.test", "--server", server, "--json", "--for", "2s"];
        umbel(&[call.as_slice(), more].concat()).documents()
    };
    for (what, expected, events) in [
        ("a listed peer", "skipped", voicemail(&tls, &borrowed(&listed)).documents()),
        ("a stranger", "prompted", voicemail(&tls, &borrowed(&stranger)).documents()),
        ("no certificate", "prompted", call(&tls, &[authority.as_slice(), &header].concat())),
        ("plain TCP", "prompted", call(&tcp, &header)),
        ("a listed peer without the header", "prompted", {
            voicemail(&tls, &[borrowed(&listed).as_slice(), &["--no-skip-pin"]].concat()).documents()
        }),
    ] {
        assert_eq!(site.pin(&call_id(&events)), expected, "{what}");
        assert_eq!(event(&events, "answered")["encrypted"], what != "plain TCP", "{what}");
    }
}

// SEC-04: the trusted name from another authority.
#[test]
fn the_listed_name_from_another_authority_is_never_let_in() {
    let (site, other) = (site(), Site::new());
    let _server = site.serve();
    let mut foreign = certificate(&other, LISTED);
    foreign[5] = site.path("data/authority.pem").into_os_string().into_string().unwrap();
    let ran = voicemail(&site.over_tls(), &borrowed(&foreign));
    if ran.status == Some(0) {
        assert_eq!(site.pin(&call_id(&ran.documents())), "prompted");
    }
}

// DEC-9: each setting that trusts more does so, and no more.
#[test]
fn settings_that_trust_more_than_usual_do_so() {
    let site = site();
    let server = site.serve();
    let authority = site.path("data/authority.pem");
    let authority = ["--authority", authority.to_str().unwrap()];
    let header = ["--header", "Ms-Exchange-Command: skip-pin"];
    let own = "sip:alice@example.test;opaque=app:voicemail";
    let outcome = |server: &str, more: &[&str]| {
        let call =
            ["phone", "call", own, "--as", "alice@example.test", "--server", server, "--json", "--for", "2s"];
        site.pin(&call_id(&umbel(&[call.as_slice(), &header, more].concat()).documents()))
    };
    let reload = |tls: &str| {
        site.configure(&site.configuration(tls, ""));
        site.umbel(&["reload"]).succeeded();
    };
    reload("trusted-transport = \"any-tls\"");
    assert_eq!(outcome(&site.over_tls(), &authority), "skipped");
    assert_eq!(outcome(&site.over_tcp(), &[]), "prompted");
    reload("trusted-networks = [\"127.0.0.0/8\"]\naccept-cleartext-trust = true");
    assert_eq!(outcome(&site.over_tcp(), &[]), "skipped");
    reload("trusted-networks = [\"192.0.2.0/24\"]\naccept-cleartext-trust = true");
    assert_eq!(outcome(&site.over_tcp(), &[]), "prompted");
    server.says("plain TCP from 192.0.2.0/24");
}

/// A call that talks to alice's mailbox for as long as it may; comes back once it is recorded.
fn talking(site: &Site) -> std::process::Child {
    let said = write_tone(site.folder(), "long.wav", 8_000, 60_000);
    let mut command = program();
    command.args(["phone", "call", "alice@example.test", "--as", "bob@example.test", "--json"]);
    command.args(["--server", &site.over_tcp(), "--play", said.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("three seconds of recording", || {
        let files = std::fs::read_dir(site.path("data/audio")).ok()?;
        let sizes = files.filter_map(|file| file.ok()?.metadata().ok()).map(|metadata| metadata.len());
        // Wideband: 32 kB a second. The greeting is smaller.
        sizes.into_iter().any(|size| size > 3 * 32_000).then_some(())
    });
    child
}

fn stop_talking(mut child: std::process::Child) {
    let _ = child.kill();
    let _ = child.wait();
}

// REL-23
#[test]
fn a_server_that_is_asked_to_stop_saves_what_is_being_said() {
    let site = site();
    let mut server = site.serve();
    let child = talking(&site);
    server.signal("TERM");
    server.says("stopping");
    assert!(site.get("/healthz").is_some(), "running calls go on");
    let refused =
        umbel(&["phone", "call", "alice", "--as", "bob@example.test", "--server", &site.over_tcp()]);
    refused.failed(1, &["503"]);
    crate::site::signal(&child, "INT");
    finished(child);
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    let message = site.only_message();
    assert_eq!(message["incomplete"], false);
    assert!(message["duration_seconds"].as_f64().unwrap() > 2.0, "{message}");
}

// REL-24: a hundred times, every other time with one that is refused.
#[test]
fn a_hundred_new_configurations_drop_no_call() {
    let site = site();
    let server = site.serve();
    let child = talking(&site);
    // One that the command can read, and the server not.
    let (good, bad) =
        (site.configuration("", ""), site.configuration("client-authorities = \"gone.pem\"", ""));
    for _ in 0..50 {
        site.configure(&bad);
        site.umbel(&["reload"]).failed(78, &["gone.pem", "the old configuration stays"]);
        site.configure(&good);
        site.umbel(&["reload"]).succeeded();
    }
    crate::site::signal(&child, "INT");
    finished(child);
    let message = until("the message", || site.umbel(&["message", "list", "--json"]).documents().pop());
    assert_eq!(message["incomplete"], false);
    assert!(message["duration_seconds"].as_f64().unwrap() > 3.0, "{message}");
    // SEC-123: a line is one object, and has no key twice.
    let is_plain = |line: &str| {
        let keys = line.matches("\"message\":").count();
        serde_json::from_str::<Value>(line).is_ok_and(|event| event.is_object()) && keys == 1
    };
    assert_eq!(server.log().lines().find(|line| !is_plain(line)), None);
}

// REL-01, REL-02
#[test]
fn a_killed_server_gives_back_what_was_said_until_a_second_before() {
    let site = site();
    let mut server: Server = site.serve();
    let child = talking(&site);
    server.signal("KILL");
    server.ended();
    drop(server);
    stop_talking(child);
    let _server = site.serve();
    let message = site.only_message();
    assert_eq!(message["incomplete"], true);
    assert!(message["duration_seconds"].as_f64().unwrap() >= 2.0, "{message}");
    let file = site.path("recovered.wav");
    site.umbel(&["message", "export", message["id"].as_str().unwrap(), file.to_str().unwrap()]).succeeded();
    assert!(loud_seconds(&read(&file)) > 1.5);
    // No call is left running by a server that is gone.
    let calls = site.umbel(&["calls", "--json"]).documents();
    assert_eq!(calls[0]["outcome"], "failed", "{calls:?}");
    assert!(calls[0]["ended"].is_string(), "{calls:?}");
}
