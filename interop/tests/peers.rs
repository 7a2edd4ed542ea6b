//! Who may skip the PIN: our own telephone as a listed peer, as an unlisted one, as a stranger.

use std::time::Duration;

use serde_json::Value;
use umbel_interop::certificates::{issued, strange};
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{ALICE_PIN, DOMAIN, LISTED, Server, Umbel};
use umbel_interop::wait::until;

/// A decision is on record within a second (SEC-32); the machine may be busy.
const DECIDED: Duration = Duration::from_secs(60);
const ALICE: &str = "alice@example.test";
const BOB: &str = "bob@example.test";
const COMMAND: &str = "Ms-Exchange-Command: skip-pin";

fn event<'a>(events: &'a [Value], kind: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == kind).unwrap_or_else(|| panic!("no {kind} in {events:#?}"))
}

/// What was decided about the PIN of a call that was answered.
fn ruling(umbel: &Umbel, (status, events): &(Option<i32>, Vec<Value>)) -> String {
    assert_eq!(*status, Some(0), "the call was taken: {events:#?}");
    event(events, "prompt-started");
    let call_id = event(events, "answered")["call_id"].as_str().expect("a Call-ID");
    until(&format!("the decision on {call_id}"), DECIDED, || umbel.pin_ruling(call_id))
}

/// How long a call is up: within it something is heard, also where the machine stands still for a while.
const UP: &str = "5s";

/// Calls alice's voice mail as alice.
fn voice_mail(umbel: &Umbel, server: &Server<'_>) -> (Option<i32>, Vec<Value>) {
    umbel.phone(&["voicemail", "--as", ALICE, "--for", UP], server)
}

/// The same as a plain call, with header lines of ours.
fn voice_mail_with(umbel: &Umbel, server: &Server<'_>, headers: &[&str]) -> (Option<i32>, Vec<Value>) {
    let target = format!("sip:{ALICE};opaque=app:voicemail");
    let mut words = vec!["call", &target, "--as", ALICE, "--for", UP];
    for header in headers {
        words.extend(["--header", header]);
    }
    umbel.phone(&words, server)
}

// OCEXUM-3.1.2-1
#[test]
fn a_listed_peer_skips_the_pin() {
    let umbel = Umbel::start();
    let papers = issued(&umbel, LISTED);
    let call = voice_mail(&umbel, &Server::Tls(&papers));
    assert_eq!(ruling(&umbel, &call), "skipped");
    assert_eq!(event(&call.1, "answered")["encrypted"], true);
    let without =
        umbel.phone(&["voicemail", "--no-skip-pin", "--as", ALICE, "--for", UP], &Server::Tls(&papers));
    assert_eq!(ruling(&umbel, &without), "prompted");
    umbel.stop();
}

// PEER-3, DEC-5
#[test]
fn whoever_is_not_listed_is_asked_for_the_pin() {
    let umbel = Umbel::start();
    let unlisted = issued(&umbel, "other.example.test");
    assert_eq!(ruling(&umbel, &voice_mail(&umbel, &Server::Tls(&unlisted))), "prompted");
    // The listed name, from an authority that nobody here knows.
    let strange = strange(&umbel, LISTED);
    assert_eq!(ruling(&umbel, &voice_mail(&umbel, &Server::Tls(&strange))), "prompted");
    for server in [Server::TlsWithoutCertificate, Server::Tcp] {
        let call = voice_mail_with(&umbel, &server, &[COMMAND]);
        assert_eq!(ruling(&umbel, &call), "prompted", "{server:?}");
    }
    umbel.stop();
}

// CMD-1
#[test]
fn of_a_listed_peer_too_only_the_exact_command_counts() {
    let umbel = Umbel::start();
    let papers = issued(&umbel, LISTED);
    let server = Server::Tls(&papers);
    let vectors: [(&[&str], &str); 8] = [
        (&[COMMAND], "skipped"),
        (&["ms-exchange-command:   skip-pin  "], "skipped"),
        (&["Ms-Exchange-Command: skip-pin=yes"], "prompted"),
        (&["Ms-Exchange-Command: \"skip-pin\""], "prompted"),
        (&["Ms-Exchange-Command: skip-pin;now"], "prompted"),
        (&["Ms-Exchange-Command: skip-pin, skip-pin"], "prompted"),
        (&[COMMAND, COMMAND], "prompted"),
        (&["X-Ms-Exchange-Command: skip-pin"], "prompted"),
    ];
    for (headers, expected) in vectors {
        let call = voice_mail_with(&umbel, &server, headers);
        assert_eq!(ruling(&umbel, &call), expected, "{headers:?}");
    }
    umbel.stop();
}

// CMD-5: a listed peer may say who calls, and opens that caller's mailbox only.
#[test]
fn a_listed_peer_opens_the_callers_own_mailbox_only() {
    let umbel = Umbel::start();
    let papers = issued(&umbel, LISTED);
    let target = format!("sip:{BOB};opaque=app:voicemail");
    let words = ["call", target.as_str(), "--as", ALICE, "--for", UP, "--header", COMMAND];
    assert_eq!(ruling(&umbel, &umbel.phone(&words, &Server::Tls(&papers))), "none");
    umbel.stop();
}

#[test]
fn the_owner_hears_the_message_without_the_pin_over_tls_and_with_it_over_tcp() {
    let umbel = Umbel::start();
    let said = Sound::sentence("message");
    let file = said.write(&umbel.folder().join("said.wav"));
    let file = file.to_string_lossy();
    let words = ["call", ALICE, "--as", BOB, "--play", &file, "--play-after", "5s"];
    let (status, events) = umbel.phone(&words, &Server::Tcp);
    assert_eq!(status, Some(0), "{events:#?}");
    let message = umbel.await_messages("alice", 1).remove(0);
    assert_contains(&Sound::read(&umbel.export(&message)), &said);

    let papers = issued(&umbel, LISTED);
    let heard = umbel.folder().join("heard.wav");
    let record = heard.to_string_lossy();
    let pin = umbel.folder().join("pin");
    std::fs::write(&pin, format!("{ALICE_PIN}\n")).expect("the PIN can be written");
    let pin = pin.to_string_lossy();
    let pilot = format!("voicemail@{DOMAIN}");
    let options = ["--as", ALICE, "--pin-file", &pin, "--record", &record, "--keys"];
    // New the first time, old the second. The message is over after 16 s; a busy machine gets more, and voice mail waits.
    let over_tls = ["voicemail"];
    let over_tcp = ["call", pilot.as_str()];
    for (words, keys, server, expected) in [
        (&over_tls[..], "1w36", Server::Tls(&papers), "skipped"),
        (&over_tcp[..], "P#2w36", Server::Tcp, "prompted"),
    ] {
        let call = umbel.phone(&[words, &options, &[keys]].concat(), &server);
        assert_eq!(ruling(&umbel, &call), expected);
        let sound = Sound::read(&heard);
        assert_contains(&sound, &said);
        assert_lacks(&sound, &Sound::sentence("other"));
    }
    umbel.stop();
}
