//! Kamailio with our recipe in the protocol server's place: the rows of `diversion` that it keeps.
//!
//! It has no rules of users but one, that all calls go to voice mail: a call server that an operator has
//! already has its own, and is to ask `MAY_DIVERT` before it follows them.

use umbel_interop::sipp::Sipp;
use umbel_interop::stand_in::Manner;
use umbel_interop::umbel::DOMAIN;

use crate::diversion::{refused_as_malformed, rows};
use crate::world::World;

fn world() -> World {
    World::kamailio(&[])
}

#[test]
fn by_kamailio_too_a_user_without_a_telephone_has_voice_mail_or_480() {
    rows::nothing_is_registered(world());
}

#[test]
fn by_kamailio_too_what_nobody_answers_goes_to_voice_mail_or_ends_with_480() {
    rows::nobody_answers(World::kamailio(&[("RING_TIME", "1000".to_owned())]));
}

#[test]
fn by_kamailio_too_a_busy_telephone_leads_to_voice_mail_or_is_said_to_be_busy() {
    rows::busy(world());
}

#[test]
fn by_kamailio_too_a_declined_call_is_declined() {
    rows::declined(world());
}

#[test]
fn by_kamailio_too_a_deflection_is_followed_unless_the_call_may_not_be_diverted() {
    rows::deflected(world(), "302 Moved Temporarily");
    rows::deflected(world(), "303 See Other");
}

#[test]
fn by_kamailio_too_a_telephone_sends_a_call_to_its_voice_mail_unless_it_may_not_be_diverted() {
    rows::deflected_to_voice_mail(world());
}

#[test]
fn by_kamailio_too_immediate_forwarding_is_not_applied_to_calls_that_may_not_be_diverted() {
    rows::forwarded_to_voice_mail(World::kamailio(&[("ALWAYS_VOICEMAIL", "\"bob\"".to_owned())]));
}

#[test]
fn by_kamailio_too_another_value_or_a_second_header_is_refused_with_400() {
    refused_as_malformed(world());
}

// REG-4, REG-5
#[test]
fn by_kamailio_too_nobody_calls_a_user_in_that_users_name() {
    crate::trust::nobody_calls_a_user_in_that_users_name(world().with("bob", Manner::Answers));
}

#[test]
fn by_kamailio_too_the_command_passes_from_its_owner_as_it_came() {
    crate::trust::the_command_passes_from_its_owner(world());
}

#[test]
fn by_kamailio_a_call_from_elsewhere_is_refused() {
    // Where our own server takes calls of strangers for users, the recipe takes none but its gateway's.
    let world = world();
    Sipp::new(&world.umbel, "stranger_refused", "stranger")
        .server(world.address)
        .caller("sip:somebody@elsewhere.test")
        .target(&format!("sip:bob@{DOMAIN}"))
        .with("FINAL", "403")
        .run();
    world.stop();
}
