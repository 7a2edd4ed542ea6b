//! Telephones that call each other and their voice mail through the protocol server: real SIP, real RTP.

use serde_json::Value;

use crate::site::{Ran, Site, program, umbel};
use crate::sound::{read, seconds_of, write_tone_of};
use crate::telephone::{Telephone, common, quiet};
use crate::wait::until;

/// What alice and bob say.
const ALICE: u32 = 440;
const BOB: u32 = 1_000;

/// Runs `umbel phone` as this user to its end.
pub(crate) fn run(site: &Site, user: &str, arguments: &[&str]) -> Ran {
    Telephone::start(site, user, arguments).finished()
}

/// The event of this name.
#[track_caller]
fn event<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name} in {events:?}"))
}

fn events(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn call_id(events: &[Value]) -> String {
    event(events, "answered")["call_id"].as_str().unwrap().to_owned()
}

/// OCEXUM-2.1-1: two telephones, over TLS, with SRTP; each hears what the other says, and nothing else.
#[test]
fn two_registered_telephones_call_each_other_and_each_hears_the_other() {
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    let said = |name, hertz| write_tone_of(site.folder(), name, hertz, 3_000).into_os_string().into_string();
    let (by_alice, by_bob) = (said("alice.wav", ALICE).unwrap(), said("bob.wav", BOB).unwrap());
    let heard = |name: &str| site.path(name).into_os_string().into_string().unwrap();
    let (at_alice, at_bob) = (heard("at-alice.wav"), heard("at-bob.wav"));

    let mut bob = Telephone::start(
        &site,
        "bob",
        &["answer", "--after", "1s", "--play", &by_bob, "--record", &at_bob, "--for", "6s"],
    );
    assert_eq!(bob.tells("registered")["authenticated"], true);
    let alice = run(
        &site,
        "alice",
        &["call", "bob", "--play", &by_alice, "--record", &at_alice, "--subject", "Lunch"],
    );
    let alice = alice.documents();
    let bob = bob.finished().documents();

    let ringing = event(&bob, "ringing");
    assert_eq!(ringing["direction"], "incoming");
    assert_eq!(ringing["from"], "sip:alice@example.test");
    assert_eq!((&ringing["subject"], &ringing["play_on_phone"]), (&"Lunch".into(), &false.into()));
    for told in [&alice, &bob] {
        assert_eq!(event(told, "answered")["encrypted"], true);
        event(told, "prompt-started");
        assert_eq!(event(told, "ended")["missed"], false);
        assert!(event(told, "ended")["seconds"].as_f64().unwrap() > 2.0);
    }
    assert_eq!(call_id(&alice), call_id(&bob));
    for (file, theirs, own) in [(&at_alice, BOB, ALICE), (&at_bob, ALICE, BOB)] {
        let heard = read(std::path::Path::new(file));
        let seconds = seconds_of(&heard, theirs);
        // A machine that is busy makes gaps in it, but nothing that was not said.
        assert!((1.0..=3.1).contains(&seconds), "{file}: {seconds} s of what was said for 3 s");
        assert!(seconds_of(&heard, own) < 0.2, "{file}: nobody hears himself");
    }
}

/// OCEXUM-2.2.1-4, OCEXUM-3.1.1-1, OCEXUM-3.1.1-2, CMD-11, CMD-12: the registration by password over TLS makes the
/// difference.
#[test]
fn a_registered_telephone_skips_its_pin_over_tls_and_by_no_other_way() {
    let site = Site::with_telephones("");
    let _server = site.serve();
    let called = |ran: Ran| site.pin(&call_id(&ran.documents()));
    assert_eq!(called(run(&site, "alice", &["voicemail", "--for", "1s"])), "skipped");
    assert_eq!(called(run(&site, "alice", &["voicemail", "--for", "1s", "--no-skip-pin"])), "prompted");
    let tcp = format!("tcp:127.0.0.1:{}", site.server_tcp);
    let password = site.path("alice.password");
    let password = password.to_str().unwrap();
    let over_tcp = ["phone", "voicemail", "--as", "alice@example.test", "--server", &tcp, "--json"];
    let over_tcp = [over_tcp.as_slice(), &["--password-file", password, "--for", "1s"]].concat();
    assert_eq!(called(umbel(&over_tcp)), "prompted");
    // Another's mailbox: a message is left there, and nothing is opened.
    let other = run(&site, "alice", &["call", "sip:bob@example.test;opaque=app:voicemail", "--for", "1s"]);
    assert_eq!(called(other), "none");
}

#[test]
fn a_telephone_is_busy_declines_and_sends_on() {
    let site = Site::with_telephones("ring-time = \"5s\"");
    let _server = site.serve();
    let answering = |arguments: &[&str]| {
        let mut bob = Telephone::start(&site, "bob", &[&["answer"], arguments].concat());
        bob.tells("registered");
        let alice = run(&site, "alice", &["call", "bob", "--for", "1s"]);
        let told = bob.finished().documents();
        (alice, event(&told, "ended")["code"].as_u64().unwrap(), told)
    };
    let (alice, code, _) = answering(&["--decline"]);
    assert_eq!(code, 603);
    assert!(alice.failed_as_json(1, "refused").contains("603"));
    // SIPRE-30: bob's voice mail takes the call that he is too busy for, or sends there.
    for (arguments, expected) in [
        (&["--busy"][..], 486),
        (&["--deflect", "sip:bob@example.test;opaque=app:voicemail"], 303),
        (&["--deflect", "bob@example.test;opaque=app:voicemail", "--deflect-by", "302"], 302),
    ] {
        let (alice, code, _) = answering(arguments);
        assert_eq!(code, expected);
        let alice = alice.documents();
        assert_eq!(event(&alice, "answered")["automatic"], true, "{alice:?}");
    }
    // Rung in vain: the server turns to voice mail when the ring time is over.
    let (alice, _, told) = answering(&["--never"]);
    assert_eq!(event(&told, "ended")["missed"], true);
    assert_eq!(event(&alice.documents(), "answered")["automatic"], true);
}

/// OCEXUM-3.2-7, POP-12, POP-13, both directions: a call with From = To rings, and any other does not.
#[test]
fn who_appears_offline_is_rung_by_a_call_from_the_own_address_alone() {
    let site = Site::with_telephones("");
    let _server = site.serve();
    let mut phone = Telephone::start(
        &site,
        "alice",
        &["answer", "--appear-offline", "--after", "0s", "--within", "60s", "--for", "1s"],
    );
    phone.tells("registered");
    let bob = run(&site, "bob", &["call", "alice", "--for", "1s"]).documents();
    assert_eq!(event(&bob, "answered")["automatic"], true, "her voice mail answers: {bob:?}");
    assert!(phone.events().iter().all(|event| event["event"] != "ringing"), "{:?}", phone.events());
    let own = run(&site, "alice", &["call", "alice@example.test"]).documents();
    assert_eq!(event(&own, "answered")["automatic"], false);
    let told = phone.finished().documents();
    assert_eq!(event(&told, "ringing")["play_on_phone"], true);
}

/// SEC-50, REG-4: what is wrong is said, with the status that fits it.
#[test]
fn what_keeps_a_telephone_from_registering_is_said() {
    let site = Site::with_telephones("");
    let _server = site.serve();
    let wrong = site.write("wrong.password", "not the password");
    let common = common(&site, "alice");
    let with = |position: usize, value: &str| {
        let mut arguments = common.clone();
        arguments[position] = value.to_owned();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        umbel(&[&["phone", "register", "--for", "1s", "--json"], arguments.as_slice()].concat())
    };
    assert!(with(7, &wrong).failed_as_json(1, "not-registered").contains("--password-file"));
    assert!(with(1, "alice@elsewhere.test").failed_as_json(1, "not-registered").contains("--as"));
    let nobody = "tls:127.0.0.1:1";
    with(3, nobody).failed_as_json(69, "server-not-reachable");
    with(3, "tls:nowhere.invalid:5061").failed_as_json(69, "server-not-reachable");
    let um = format!("tls:127.0.0.1:{}", site.tls);
    assert!(with(3, &um).failed_as_json(1, "not-registered").contains("registers nobody"));
    let other = Site::new();
    other
        .umbel(&["certificate", "issue", "x.example.test", other.path("peers").to_str().unwrap()])
        .succeeded();
    let foreign = other.path("data/authority.pem");
    assert!(with(5, foreign.to_str().unwrap()).failed_as_json(78, "certificate").contains("--authority"));
    // And in the end, as it should be.
    let told = with(3, &common[3]).documents();
    assert_eq!(event(&told, "registered")["authenticated"], true);
    event(&told, "unregistered");
}

/// `--audio device` where there is no sound card: in a build that has no use for one, and on a machine without.
#[test]
fn without_a_sound_card_the_telephone_says_so_and_calls_nobody() {
    let server = ["--as", "alice@example.test", "--server", "tls:127.0.0.1:1"];
    let mut command = program();
    command.args(["phone", "call", "bob", "--audio", "device"]).args(server);
    // Where ALSA finds no settings it finds no card.
    let ran = Ran::of(command.env("ALSA_CONFIG_PATH", "/dev/null").output().unwrap());
    if cfg!(feature = "audio") {
        ran.failed(69, &["there is no microphone", "--play"]);
    } else {
        ran.failed(64, &["--audio device", "--features audio", "--play"]);
    }
}

#[test]
fn who_waits_for_a_call_in_vain_is_told_so() {
    let site = Site::with_telephones("");
    let _server = site.serve();
    run(&site, "alice", &["answer", "--within", "1s"]).failed_as_json(1, "nobody-called");
    // A caller who gives up is not an answered call.
    let mut bob = Telephone::start(&site, "bob", &["answer", "--after", "60s"]);
    bob.tells("registered");
    let mut alice = Telephone::start(&site, "alice", &["call", "bob"]);
    alice.tells("ringing");
    alice.interrupt();
    assert_eq!(alice.finished().status, Some(130));
    let ran = bob.finished();
    assert_eq!(event(&events(&ran), "ended")["missed"], true);
    ran.failed_as_json(1, "caller-gave-up");
}

/// "Never a hang beyond a named limit": the server vanishes in mid call, and 20 s later the call is given up.
#[test]
fn a_server_that_vanishes_in_mid_call_is_noticed() {
    let site = Site::with_telephones("");
    let mut server = site.serve();
    let mut alice = Telephone::start(&site, "alice", &["voicemail"]);
    alice.tells("prompt-started");
    server.signal("KILL");
    server.ended();
    let ran = alice.finished();
    ran.failed_as_json(69, "server-not-reachable");
}

/// A registered telephone takes one call after the other, and withdraws its registration when it is told to stop.
#[test]
fn a_registered_telephone_takes_one_call_after_the_other() {
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let _server = site.serve();
    let heard = site.path("heard.wav");
    let mut bob =
        Telephone::start(&site, "bob", &["register", "--after", "0s", "--record", heard.to_str().unwrap()]);
    bob.tells("registered");
    let said = write_tone_of(site.folder(), "said.wav", ALICE, 2_000);
    for _ in 0..2 {
        run(&site, "alice", &["call", "102", "--play", said.to_str().unwrap()]).succeeded();
    }
    until("both calls to be over", || {
        (bob.events().iter().filter(|event| event["event"] == "ended").count() == 2).then_some(())
    });
    bob.interrupt();
    let ran = bob.finished();
    assert_eq!(ran.status, Some(130));
    assert_eq!(event(&events(&ran), "unregistered")["reason"], "withdrawn");
    for file in ["heard.wav", "heard-2.wav"] {
        assert!(seconds_of(&read(&site.path(file)), ALICE) > 1.0, "{file}");
    }
}

/// MWI-2, MWI-4, MWI-5: the lamp, before and after a message.
#[test]
fn a_telephone_shows_what_waits_in_its_mailbox() {
    let site = Site::with_telephones("");
    let _server = site.serve();
    let told = run(&site, "bob", &["message-waiting"]).documents();
    let lamp = event(&told, "message-waiting");
    assert_eq!((&lamp["waiting"], &lamp["new"], &lamp["old"]), (&false.into(), &0.into(), &0.into()));
    assert_eq!(lamp["account"], "sip:bob@example.test;opaque=app:voicemail");

    let mut bob = Telephone::start(&site, "bob", &["message-waiting", "--for", "60s"]);
    bob.tells("message-waiting");
    let said = write_tone_of(site.folder(), "said.wav", ALICE, 3_000);
    let voice_mail = "sip:bob@example.test;opaque=app:voicemail";
    let said = said.to_str().unwrap();
    run(&site, "alice", &["call", voice_mail, "--play", said, "--play-after", "9s"]).succeeded();
    until("the lamp to go on", || {
        let told = bob.events();
        told.into_iter().find(|event| event["waiting"] == true && event["new"] == 1)
    });
    bob.interrupt();
    bob.finished();
}

/// OCEXUM-3.1-1, OCEXUM-3.1-2, OCEXUM-3.2-2, SENS-2, CMD-1: our own servers keep the whole table.
#[test]
fn our_own_servers_keep_every_row_that_check_can_see() {
    let _quiet = quiet();
    let site = Site::with_telephones("ring-time = \"5s\"");
    site.umbel(&["user", "set", "alice", "forward-unanswered=carol@example.test"]).succeeded();
    let _server = site.serve();
    let direct = [site.over_tls(), site.over_tcp()];
    let common = common(&site, "alice");
    let mut arguments = vec!["phone", "check", "--json", "--direct", &direct[0], "--direct", &direct[1]];
    arguments.extend(common.iter().map(String::as_str));
    let told = umbel(&arguments).documents();
    assert_eq!(told.len(), 21, "{told:?}");
    assert!(told.iter().all(|row| row["verdict"] == "kept"), "{told:?}");
}

/// The other direction: a server that trusts more than it should, or does not know the header, is found out.
#[test]
fn what_a_server_does_not_keep_is_found() {
    let _quiet = quiet();
    let site = Site::with_telephones("");
    let open = site.write("open.toml", {
        let text = std::fs::read_to_string(site.path("umbel.toml")).unwrap();
        text.replace("[tls]\n", "[tls]\ntrusted-transport = \"any-tls\"\n")
    });
    std::fs::rename(open, site.path("umbel.toml")).unwrap();
    let _server = site.serve();
    let direct = site.over_tls();
    let ran = run(&site, "alice", &["check", "--direct", &direct, "--row", "CMD-4"]);
    let told = events(&ran);
    assert_eq!(told.iter().map(|row| &row["verdict"]).collect::<Vec<_>>(), ["broken"], "{told:?}");
    ran.failed_as_json(1, "broken");
}
