//! Many telephones at once, and registrations that outlive the server.

use std::time::{Duration, Instant};

use umbel_interop::sipp::{Sipp, injection_file};
use umbel_interop::stand_in::{Manner, StandIn, register};
use umbel_interop::umbel::{DOMAIN, Umbel};

/// REL-47, small.
const TELEPHONES: u32 = 500;
/// All of them are to be registered within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

fn users(umbel: &Umbel) -> String {
    let users: Vec<String> = (0..TELEPHONES).map(|nth| format!("user{nth:03}")).collect();
    umbel.import_many(&users);
    injection_file(umbel.folder(), &users)
}

/// All of them do this, at once.
fn all(umbel: &Umbel, scenario: &str, name: &str, users: &str) -> Sipp {
    Sipp::new(umbel, scenario, name)
        .server(umbel.server_tcp())
        .option("-inf", users)
        .key("registrar", &format!("sip:{DOMAIN}"))
        .calls(TELEPHONES, 2_000)
        .connection_each()
}

// REL-47, REG-1, REG-3: with a connection and a password each.
#[test]
fn five_hundred_telephones_that_register_at_once_are_all_registered() {
    let umbel = Umbel::with_server("digest = [\"MD5\"]", "");
    let users = users(&umbel);
    let begun = Instant::now();
    all(&umbel, "register_many", "first", &users).run();
    all(&umbel, "registered_many", "asked", &users).run();
    // And once more, from new connections, as after a power cut in the building.
    all(&umbel, "register_many", "again", &users).run();
    let passed = begun.elapsed();
    assert!(passed < PATIENCE, "{passed:?}");

    // Nor does a kill lose one that has been written.
    umbel.await_stored_registrations(TELEPHONES);
    let mut umbel = umbel;
    umbel.kill();
    let umbel = umbel.restart();
    all(&umbel, "registered_many", "after", &users).run();
    umbel.stop();
}

// REG-2: calls reach telephones by what was stored, before they have registered again.
#[test]
fn calls_reach_telephones_that_registered_before_a_kill() {
    let mut umbel = Umbel::with_server("digest = [\"MD5\"]", "");
    let port = umbel.take_ports(1);
    register(&umbel, umbel.server_tcp(), "bob", port);
    let bob = StandIn::start_at(&umbel, "bob", Manner::Answers, port);
    let call = |umbel: &Umbel, name: &str| {
        let call = Sipp::new(umbel, "user_answered", name)
            .server(umbel.server_tcp())
            .caller(&format!("sip:alice@{DOMAIN}"))
            .target(&format!("sip:bob@{DOMAIN}"))
            .password_of("alice");
        let call_id = call.call_id(1);
        call.run();
        bob.invites(&call_id).len()
    };
    assert_eq!(call(&umbel, "before"), 1);
    umbel.await_stored_registrations(1);
    umbel.kill();
    let umbel = umbel.restart();
    assert_eq!(call(&umbel, "after"), 1);
    umbel.stop();
}
