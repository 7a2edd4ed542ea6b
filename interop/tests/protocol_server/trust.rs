//! Who may say what: identities, and the command to skip the PIN.

use std::time::Duration;

use umbel_interop::sipp::Sipp;
use umbel_interop::stand_in::Manner;
use umbel_interop::umbel::{DOMAIN, Umbel};
use umbel_interop::wait::until;

use crate::world::World;

/// A decision is on record within a second (SEC-32); the machine may be busy.
const DECIDED: Duration = Duration::from_secs(60);
const COMMAND: &str = "Ms-Exchange-Command: skip-pin";

fn address(user: &str) -> String {
    format!("sip:{user}@{DOMAIN}")
}

fn voice_mail_of(user: &str) -> String {
    format!("sip:{user}@{DOMAIN};opaque=app:voicemail")
}

/// REG-4, REG-5: From = To is how Play-On-Phone is known, and rings who appears offline.
pub(crate) fn nobody_calls_a_user_in_that_users_name(world: World) {
    // Alice has a password, but not bob's.
    let forged = Sipp::new(&world.umbel, "user_refused", "forged")
        .server(world.address)
        .caller(&address("bob"))
        .target(&address("bob"))
        .option("-au", "alice")
        .option("-ap", "alice-password");
    let call_id = forged.call_id(1);
    // Our server knows whose password it was; Kamailio looks it up by From and asks again.
    let status = if world.is_kamailio() { "407" } else { "403" };
    forged.with("FINAL", status).run();
    assert_eq!(world.rung_by(&call_id), [""; 0]);
    // Who has none gets no further than the question for one.
    let stranger = Sipp::new(&world.umbel, "stranger_refused", "nobody")
        .server(world.address)
        .caller(&address("bob"))
        .target(&address("bob"));
    let call_id = stranger.call_id(1);
    stranger.with("FINAL", "407").run();
    assert_eq!(world.rung_by(&call_id), [""; 0]);
    world.stop();
}

// REG-4, REG-5, SEC-10
#[test]
fn nobody_calls_a_user_in_that_users_name_but_the_user() {
    nobody_calls_a_user_in_that_users_name(World::umbel("").with("bob", Manner::Answers));
}

// REG-5: without passwords, only from where the user is registered.
#[test]
fn without_passwords_too_a_spoofed_call_to_oneself_is_refused_with_403() {
    let world = World::umbel("authentication = \"none\"");
    let spoofed = Sipp::new(&world.umbel, "stranger_refused", "spoofed")
        .server(world.address)
        .caller(&address("bob"))
        .target(&address("bob"))
        .header("Ms-Sensitivity: private-no-diversion");
    let call_id = spoofed.call_id(1);
    spoofed.with("FINAL", "403").run();
    assert_eq!(world.voice_mail.invites(&call_id), []);
    world.stop();
}

/// OCEXUM-3.1-P-1: byte for byte, whatever else the call bears.
pub(crate) fn the_command_passes_from_its_owner(world: World) {
    for (nth, value) in ["skip-pin", "Skip-PIN", "something else;x=\"y\""].iter().enumerate() {
        let own = Sipp::new(&world.umbel, "user_answered", &format!("own{nth}"))
            .server(world.address)
            .caller(&address("alice"))
            .target(&voice_mail_of("alice"))
            .header(&format!("Ms-Exchange-Command: {value}"))
            .password_of("alice");
        let call_id = own.call_id(1);
        own.run();
        let invites = world.voice_mail.invites(&call_id);
        assert_eq!(invites.len(), 1, "{value}");
        assert_eq!(invites[0].headers("Ms-Exchange-Command"), [*value]);
        assert!(invites[0].headers("Diversion").is_empty(), "nobody has diverted it");
        assert!(invites[0].headers("Proxy-Authorization").is_empty(), "what was for us goes no further");
        assert!(invites[0].first_line().contains("alice@example.test;opaque=app:voicemail"));
    }
    world.stop();
}

// OCEXUM-3.1-P-1, DEC-15
#[test]
fn the_command_passes_from_its_owner_as_it_came() {
    the_command_passes_from_its_owner(World::umbel(""));
}

// OCEXUM-3.1-P-2, DEC-15
#[test]
fn the_command_of_a_stranger_is_taken_away() {
    let world = World::umbel("");
    for (nth, caller) in ["sip:alice@elsewhere.test", "sip:anonymous@anonymous.invalid"].iter().enumerate() {
        let call = Sipp::new(&world.umbel, "stranger_answered", &format!("stranger{nth}"))
            .server(world.address)
            .caller(caller)
            .target(&voice_mail_of("alice"))
            .header(&format!("{COMMAND}\r\nP-Asserted-Identity: <{}>", address("alice")));
        let call_id = call.call_id(1);
        call.run();
        let invites = world.voice_mail.invites(&call_id);
        assert_eq!(invites.len(), 1, "{caller}");
        assert_eq!(invites[0].headers("Ms-Exchange-Command"), [""; 0], "{caller}");
        assert_eq!(invites[0].headers("P-Asserted-Identity"), [""; 0], "{caller}");
        assert_eq!(invites[0].headers("Diversion").len(), 1, "it is a call for alice, and not hers");
    }
    world.stop();
}

// DEC-15
#[test]
fn without_passwords_the_command_is_everybodys_and_therefore_taken_away() {
    let world = World::umbel("authentication = \"none\"");
    let call = Sipp::new(&world.umbel, "stranger_answered", "claimed")
        .server(world.address)
        .caller(&address("alice"))
        .target("sip:voicemail@example.test")
        .header(COMMAND);
    let call_id = call.call_id(1);
    call.run();
    assert_eq!(world.voice_mail.invites(&call_id)[0].headers("Ms-Exchange-Command"), [""; 0]);
    world.stop();
}

// OCEXUM-3.1.2-1, OCEXUM-3.1-P-1: in over TCP with a password, on over our own TLS.
#[test]
fn by_way_of_our_own_server_the_owner_skips_the_pin_and_nobody_else_does() {
    let umbel = Umbel::with_server("digest = [\"MD5\"]", "");
    let call = |scenario: &str, name: &str, caller: &str, target: &str| {
        let sipp = Sipp::new(&umbel, scenario, name).server(umbel.server_tcp()).caller(caller).target(target);
        let sipp = sipp.header(COMMAND).length(Duration::from_secs(2));
        let sipp = if scenario == "user_answered" { sipp.password_of("alice") } else { sipp };
        let call_id = sipp.call_id(1);
        sipp.run();
        until(&format!("the decision on {call_id}"), DECIDED, || umbel.pin_ruling(&call_id))
    };
    let alice = address("alice");
    assert_eq!(call("user_answered", "own", &alice, &voice_mail_of("alice")), "skipped");
    assert_eq!(call("user_answered", "pilot", &alice, &address("voicemail")), "skipped");
    assert_eq!(call("user_answered", "other", &alice, &voice_mail_of("bob")), "none");
    let stranger = "sip:alice@elsewhere.test";
    assert_eq!(call("stranger_answered", "stranger", stranger, &address("voicemail")), "prompted");
    umbel.stop();
}
