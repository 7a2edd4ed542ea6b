//! Kamailio in front, with the configuration of docs/operating/kamailio.cfg: it knows its users by
//! digest, shows Umbel a listed certificate, and relays the command of those whom it knows.

use std::time::Duration;

use umbel_interop::kamailio::{GATEWAY, Kamailio};
use umbel_interop::sipp::{Sipp, listening_socket, receive_rtp};
use umbel_interop::umbel::{DOMAIN, Umbel};
use umbel_interop::wait::until;

/// A decision is on record within a second (SEC-32); the machine may be busy.
const DECIDED: Duration = Duration::from_secs(10);
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
        .length(Duration::from_secs(1))
}

fn pin_ruling(umbel: &Umbel, call_id: &str) -> String {
    until(&format!("the decision on {call_id}"), DECIDED, || umbel.pin_ruling(call_id))
}

// OCEXUM-3.1-2, 3.1-P-1: in over TCP with a password, on over mutual TLS.
#[test]
fn the_relayed_command_of_a_known_user_skips_the_pin() {
    let umbel = Umbel::start();
    let kamailio = Kamailio::start(&umbel);
    let socket = listening_socket(Duration::from_secs(5));
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
