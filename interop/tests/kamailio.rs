//! Kamailio in front, with the configuration of docs/operating/kamailio.cfg: it knows its users by
//! digest, shows Umbel a listed certificate, and relays the command of those whom it knows.

use std::process::Command;
use std::time::Duration;

use umbel_interop::certificates::issued;
use umbel_interop::kamailio::{GATEWAY, Kamailio};
use umbel_interop::our_telephone::OurTelephone;
use umbel_interop::process::Program;
use umbel_interop::sipp::{Sipp, listening_socket, receive_rtp};
use umbel_interop::sound::Sound;
use umbel_interop::speech::assert_contains;
use umbel_interop::umbel::{DOMAIN, LISTED, Umbel, binary};
use umbel_interop::wait::until;

/// A decision is on record within a second (SEC-32); the machine may be busy.
const DECIDED: Duration = Duration::from_secs(60);
/// How long a call is up: within it something is heard, also where the machine stands still for a while.
const UP: Duration = Duration::from_secs(4);
const COMMAND: &str = "Ms-Exchange-Command: skip-pin";

fn voice_mail_of(user: &str) -> String {
    format!("sip:{user}@{DOMAIN};opaque=app:voicemail")
}

/// A call by way of Kamailio, under `caller`'s name and password.
fn call(umbel: &Umbel, kamailio: &Kamailio, name: &str, caller: &str, password_of: &str) -> Sipp {
    scenario(umbel, kamailio, "by_call_server", name, caller, password_of)
}

fn scenario(
    umbel: &Umbel,
    kamailio: &Kamailio,
    scenario: &str,
    name: &str,
    caller: &str,
    password_of: &str,
) -> Sipp {
    Sipp::new(umbel, scenario, name)
        .server(kamailio.address())
        .caller(&format!("sip:{caller}@{DOMAIN}"))
        .option("-au", password_of)
        .option("-ap", &format!("{password_of}-password"))
        .length(UP)
}

fn pin_ruling(umbel: &Umbel, call_id: &str) -> String {
    until(&format!("the decision on {call_id}"), DECIDED, || umbel.pin_ruling(call_id))
}

// OCEXUM-3.1-2, 3.1-P-1: in over TCP with a password, on over mutual TLS.
#[test]
fn the_relayed_command_of_a_known_user_skips_the_pin() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start(&umbel);
    let socket = listening_socket(DECIDED);
    let with = call(&umbel, &kamailio, "with", "alice", "alice")
        .target(&voice_mail_of("alice"))
        .header(COMMAND)
        .audio(&socket);
    let call_id = with.call_id(1);
    with.run();
    receive_rtp(&socket);
    assert_eq!(pin_ruling(&umbel, &call_id), "skipped");
    let why = umbel.json(&["why", &call_id]);
    assert!(why.iter().all(|decision| decision["transport"] == "tls"), "{why:#?}");
    assert!(why.iter().any(|decision| decision["command_seen"] == true), "{why:#?}");

    let without = call(&umbel, &kamailio, "without", "alice", "alice").target(&voice_mail_of("alice"));
    let call_id = without.call_id(1);
    without.run();
    assert_eq!(pin_ruling(&umbel, &call_id), "prompted", "the same way without the command");
    kamailio.stop();
    umbel.stop();
}

// CMD-5: the command opens nobody's mailbox but one's own.
#[test]
fn the_command_does_not_open_the_mailbox_of_another_user() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start(&umbel);
    let other =
        call(&umbel, &kamailio, "other", "alice", "alice").target(&voice_mail_of("bob")).header(COMMAND);
    let call_id = other.call_id(1);
    other.run();
    // Alice hears bob's greeting: nothing was opened, so no PIN was a question.
    assert_eq!(pin_ruling(&umbel, &call_id), "none");
    kamailio.stop();
    umbel.stop();
}

// 3.1-P-2: a sender whom nobody authenticated.
#[test]
fn the_command_of_a_gateway_is_taken_away() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start(&umbel);
    let from_gateway = Sipp::new(&umbel, "listen", "gateway")
        .server(kamailio.address())
        .from_address(GATEWAY)
        .caller(&format!("sip:alice@{DOMAIN}"))
        .target(&voice_mail_of("alice"))
        .header(COMMAND)
        .length(Duration::from_secs(1));
    let call_id = from_gateway.call_id(1);
    from_gateway.run();
    assert_eq!(pin_ruling(&umbel, &call_id), "prompted");
    let why = umbel.json(&["why", &call_id]);
    assert!(why.iter().all(|decision| decision["command_seen"] == false), "{why:#?}");
    kamailio.stop();
    umbel.stop();
}

#[test]
fn who_knows_no_password_gets_no_further_than_the_call_server() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start(&umbel);
    // Bob has a password, and calls as alice.
    let forged = scenario(&umbel, &kamailio, "refused_by_call_server", "forged", "alice", "bob")
        .target(&voice_mail_of("alice"))
        .header(COMMAND);
    let call_id = forged.call_id(1);
    forged.run();
    assert_eq!(umbel.pin_ruling(&call_id), None, "Umbel never saw the call");
    kamailio.stop();
    umbel.stop();
}

/// Alice's telephone, registered with Kamailio, doing this with the first call.
fn telephone(umbel: &Umbel, kamailio: &Kamailio, name: &str, does: &[&str]) -> Program {
    let password = umbel.folder().join("alice-password");
    std::fs::write(&password, "alice-password\n").expect("a file can be written");
    let mut command = Command::new(binary());
    command.args(["phone", "answer", "--as", &format!("alice@{DOMAIN}"), "--json", "--password-file"]);
    command.arg(&password).args(["--server", &format!("tcp:{}", kamailio.address())]).args(does);
    let telephone = Program::start(&mut command, &umbel.folder().join(name));
    until("the telephone to be registered", DECIDED, || telephone.log().contains("registered").then_some(()));
    telephone
}

/// The call by which a unified messaging server plays a message to alice, with these further arguments.
fn play_on_phone(umbel: &Umbel, kamailio: &Kamailio, name: &str, more: &[&str]) -> (Option<i32>, String) {
    let alice = format!("alice@{DOMAIN}");
    let server = format!("tls:localhost:{}", kamailio.over_tls().port());
    let mut command = Command::new(binary());
    command.args(["phone", "call", &alice, "--as", &alice, "--json", "--for", "3s", "--server", &server]);
    command.args(["--header", "Ms-Sensitivity: private-no-diversion", "--authority"]).arg(umbel.authority());
    let mut call = Program::start(command.args(more), &umbel.folder().join(name));
    (call.wait(Duration::from_secs(180)).code(), call.log())
}

// OCEXUM-3.2-2, REG-5: such a call is for its owner's telephone, and comes from who shows a certificate.
#[test]
fn a_message_is_played_on_the_owners_telephone_and_nowhere_else() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start_as(&umbel, "localhost");
    let papers = issued(&umbel, "um.example.test");
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let (certificate, key) = (text(&papers.certificate), text(&papers.key));
    let known = ["--certificate", certificate.as_str(), "--private-key", key.as_str()];

    let mut telephone_one = telephone(&umbel, &kamailio, "answers.log", &["--after", "1s"]);
    let (status, said) = play_on_phone(&umbel, &kamailio, "played.log", &known);
    assert_eq!(status, Some(0), "{said}");
    telephone_one.wait(DECIDED);
    let heard = telephone_one.log();
    assert!(heard.contains("\"play_on_phone\":true") && heard.contains("\"answered\""), "{heard}");

    // Busy: the caller is told so. Anybody else's call would be in voice mail now.
    let mut telephone_two = telephone(&umbel, &kamailio, "busy.log", &["--busy"]);
    let (_, said) = play_on_phone(&umbel, &kamailio, "refused.log", &known);
    assert!(said.contains("\"code\":486"), "{said}");
    telephone_two.wait(DECIDED);
    let (_, said) = play_on_phone(&umbel, &kamailio, "gone.log", &known);
    assert!(said.contains("\"code\":480"), "{said}");
    assert!(umbel.json(&["calls", "--all"]).is_empty(), "voice mail was called");

    // Without a certificate one has to know alice's password.
    let (_, said) = play_on_phone(&umbel, &kamailio, "stranger.log", &[]);
    assert!(said.contains("\"code\":407"), "{said}");
    kamailio.stop();
}

/// By our own telephone: registered over TLS with its password, and asked for its certificate's name.
fn over_tls(kamailio: &Kamailio) -> String {
    format!("localhost:{}", kamailio.over_tls().port())
}

// CMD-11, OCEXUM-3.1.1-1: it skips the PIN by somebody else's server, too, and only where it asks to.
#[test]
fn our_telephone_registers_and_fetches_its_voice_mail_without_a_pin() {
    // Kamailio shows one certificate to its callers, who know it by this name, and to voice mail, which lists it.
    let umbel = Umbel::unconfigured().configured(None, Some(""));
    let config = std::fs::read_to_string(umbel.config()).expect("it was written");
    std::fs::write(umbel.config(), config.replace(LISTED, "localhost")).expect("it can be written");
    let umbel = umbel.with_users().started();
    let kamailio = Kamailio::start_as(&umbel, "localhost");
    for (words, ruling) in [(&["voicemail"][..], "skipped"), (&["voicemail", "--no-skip-pin"], "prompted")] {
        let words = [words, &["--for", "5s"]].concat();
        let mut telephone = OurTelephone::start(&umbel, &over_tls(&kamailio), "alice", &words);
        let (status, told) = telephone.finished();
        assert_eq!(status, Some(0), "{told:#?}");
        let event = |name: &str| told.iter().find(|event| event["event"] == name).expect(name).clone();
        assert_eq!(event("registered")["authenticated"], true);
        let call_id = event("answered")["call_id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(pin_ruling(&umbel, &call_id), ruling, "{words:?}");
    }
    kamailio.stop();
    umbel.stop();
}

#[test]
fn two_of_our_telephones_call_each_other_and_each_hears_the_other() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start_as(&umbel, "localhost");
    let server = over_tls(&kamailio);
    let said = |sentence: &str| {
        let said = Sound::sentence(sentence).padded(Duration::from_millis(700), Duration::from_secs(3));
        said.write(&umbel.folder().join(sentence).with_extension("wav")).to_string_lossy().into_owned()
    };
    let (message, other) = (said("message"), said("other"));
    let mut bob =
        OurTelephone::reachable(&umbel, &server, "bob", &["answer", "--after", "1s", "--play", &other]);
    let mut alice = OurTelephone::start(&umbel, &server, "alice", &["call", "bob", "--play", &message]);
    assert_eq!(bob.tells("ringing")["from"], format!("sip:alice@{DOMAIN}"));
    assert_eq!(alice.finished().0, Some(0));
    assert_eq!(bob.finished().0, Some(0));
    assert_contains(&alice.heard().narrow(), &Sound::sentence("other").narrow());
    assert_contains(&bob.heard().narrow(), &Sound::sentence("message").narrow());
    kamailio.stop();
    umbel.stop();
}

// OCEXUM-3.2.2-1, in both directions: with the header nobody answers in bob's stead, and without it voice mail does.
#[test]
fn our_telephones_call_that_may_not_be_diverted_ends_where_nobody_is() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start_as(&umbel, "localhost");
    let call = |more: &[&str]| {
        let words = [&["call", "bob", "--for", "3s"], more].concat();
        OurTelephone::start(&umbel, &over_tls(&kamailio), "alice", &words).finished()
    };
    let (status, told) = call(&["--header", "Ms-Sensitivity: private-no-diversion"]);
    assert_eq!(status, Some(1), "{told:#?}");
    assert!(told.iter().any(|event| event["event"] == "ended" && event["code"] == 480), "{told:#?}");
    let (status, told) = call(&[]);
    assert_eq!(status, Some(0), "{told:#?}");
    assert!(told.iter().any(|event| event["event"] == "answered" && event["automatic"] == true), "{told:#?}");
    kamailio.stop();
    umbel.stop();
}
