//! Calls that would go round for ever.

use std::time::Duration;

use umbel_interop::sipp::Sipp;
use umbel_interop::stand_in::Manner;
use umbel_interop::trace;
use umbel_interop::umbel::DOMAIN;

use crate::world::{World, first_lines};

/// From the INVITE to its end, by SIPp's clock: far less than a call that goes round until somebody gives up (64 T1).
const AT_ONCE: Duration = Duration::from_secs(10);
/// Messages that a call of this kind may cost its caller: INVITE, 407, ACK, INVITE, 100, a 181 for each of
/// five diversions, the end, ACK.
const MESSAGES_MAX: usize = 12;

/// Dora calls: the call is over with `status` before anybody could notice, and nobody's telephone rang.
pub(crate) fn ends_at_once(world: &World, callee: &str, status: u16) {
    let call = Sipp::new(&world.umbel, "user_refused", &format!("round-{callee}"))
        .server(world.address)
        .caller(&format!("sip:dora@{DOMAIN}"))
        .target(&format!("sip:{callee}@{DOMAIN}"))
        .password_of("dora")
        .with("FINAL", &status.to_string())
        .traced();
    let (call_id, file) = (call.call_id(1), call.trace());
    call.run();
    let messages = trace::read(&file);
    let ladder = first_lines(&messages).join("\n");
    let begun = messages.iter().rfind(|message| message.first_line().starts_with("INVITE "));
    let ended = messages.iter().find(|message| message.is_received && message.status() == Some(status));
    let took = ended.expect("it has ended").at.saturating_sub(begun.expect("it has begun").at);
    assert!(took < AT_ONCE, "{took:?}\n{ladder}");
    assert!(messages.len() <= MESSAGES_MAX, "{ladder}");
    assert_eq!(world.rung_by(&call_id), [""; 0], "{ladder}");
}

// LOOP-2, SIPRE-31: each telephone pushes the call to the other.
#[test]
fn two_telephones_that_deflect_to_each_other_end_a_call_at_once() {
    let to = |user: &str| format!("sip:{user}@{DOMAIN}");
    let deflects = |elsewhere| Manner::Refuses { status: "302 Moved Temporarily", elsewhere };
    let (to_alice, to_bob) = (to("alice"), to("bob"));
    let world = World::umbel("").with("alice", deflects(&to_bob)).with("bob", deflects(&to_alice));
    let outcome = &world.call_as("dora", "alice", &["X-Nothing: here"], 482)[0];
    assert_eq!((outcome.rang.as_slice(), &outcome.voice_mail), (&["alice", "bob"][..], &None));
    world.stop();
}

// LOOP-3
#[test]
fn who_forwards_to_himself_is_not_to_be_reached() {
    let world = World::umbel("").with_rules("bob", &["forward-immediate=102"]).with("bob", Manner::Answers);
    ends_at_once(&world, "bob", 480);
    world.stop();
}
