//! Where calls go that the callee's telephone does not take, and where they do not go under
//! `Ms-Sensitivity`: [MS-OCEXUM] 3.2.2. One table for our protocol server and for Kamailio with our recipe.

use umbel_interop::stand_in::Manner;
use umbel_interop::umbel::DOMAIN;

use crate::world::{Outcome, World};

/// Values that change nothing.
const DIVERTABLE: [&str; 4] =
    ["X-Nothing: here", "Ms-Sensitivity: normal", "Ms-Sensitivity: private", "ms-sensitivity: NORMAL"];
/// Values that forbid diversion.
const UNDIVERTABLE: [&str; 3] = [
    "Ms-Sensitivity: private-no-diversion",
    "Ms-Sensitivity: normal-no-diversion",
    "MS-SENSITIVITY:   Private-No-Diversion  ",
];

/// What a call comes to: the final response, who rings, and why voice mail is asked.
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) rang: &'static [&'static str],
    pub(crate) voice_mail: Option<&'static str>,
}

const fn gets(status: u16, rang: &'static [&'static str]) -> Expected {
    Expected { status, rang, voice_mail: None }
}

const fn voice_mail(rang: &'static [&'static str], reason: &'static str) -> Expected {
    Expected { status: 200, rang, voice_mail: Some(reason) }
}

/// Calls with every value of `Ms-Sensitivity`.
pub(crate) fn check(world: World, divertable: &Expected, undivertable: &Expected) {
    for (headers, expected) in [(&DIVERTABLE[..], divertable), (&UNDIVERTABLE[..], undivertable)] {
        for (header, outcome) in headers.iter().zip(world.call(headers, expected.status)) {
            let Outcome { call_id, status, voice_mail, is_said_forwarded, .. } = outcome;
            assert_eq!(status, expected.status, "{header}");
            // A telephone may get to know that it rang after another has answered.
            world.await_rung(&call_id, expected.rang);
            assert_eq!(world.rung_by(&call_id), expected.rang, "{header}");
            assert_eq!(voice_mail.as_deref(), expected.voice_mail, "{header}");
            // 181 is never said of a call that may not be forwarded.
            assert!(!is_said_forwarded || headers[0] == DIVERTABLE[0], "{header}");
        }
    }
    world.stop();
}

/// The rows that both servers keep.
pub(crate) mod rows {
    use super::*;

    pub(crate) fn nothing_is_registered(world: World) {
        check(world, &voice_mail(&[], "unavailable"), &gets(480, &[]));
    }

    pub(crate) fn nobody_answers(world: World) {
        let world = world.with("bob", Manner::RingsInVain);
        check(world, &voice_mail(&["bob"], "no-answer"), &gets(480, &["bob"]));
    }

    pub(crate) fn busy(world: World) {
        let world = world.with("bob", refuses("486 Busy Here"));
        check(world, &voice_mail(&["bob"], "user-busy"), &gets(486, &["bob"]));
    }

    pub(crate) fn declined(world: World) {
        let world = world.with("bob", refuses("603 Decline"));
        check(world, &gets(603, &["bob"]), &gets(603, &["bob"]));
    }

    /// The telephone says that somebody else is to be rung: `code` is 302 or 303.
    pub(crate) fn deflected(world: World, code: &str) {
        let dora = format!("sip:dora@{DOMAIN}");
        let world = world
            .with("bob", Manner::Refuses { status: code, elsewhere: &dora })
            .with("dora", Manner::Answers);
        check(world, &gets(200, &["bob", "dora"]), &gets(480, &["bob"]));
    }

    /// The telephone says that its own voice mail is to take the call.
    pub(crate) fn deflected_to_voice_mail(world: World) {
        let own = format!("sip:bob@{DOMAIN};opaque=app:voicemail");
        let world = world.with("bob", Manner::Refuses { status: "303 See Other", elsewhere: &own });
        check(world, &voice_mail(&["bob"], "deflection"), &gets(480, &["bob"]));
    }

    /// Bob's calls go to voice mail at once.
    pub(crate) fn forwarded_to_voice_mail(world: World) {
        let world = world.with("bob", Manner::Answers);
        check(world, &voice_mail(&[], "unconditional"), &gets(200, &["bob"]));
    }
}

pub(crate) fn refuses(status: &str) -> Manner<'_> {
    Manner::Refuses { status, elsewhere: "sip:nobody@example.test" }
}

// SENS-13, SIPRE-26, SEC-35
#[test]
fn a_user_without_a_telephone_has_voice_mail_but_not_for_calls_that_may_not_be_diverted() {
    rows::nothing_is_registered(World::umbel(""));
}

// OCEXUM-3.2-2, SENS-6, SENS-11, SIPRE-21
#[test]
fn what_nobody_answers_goes_to_voice_mail_or_ends_with_480() {
    rows::nobody_answers(World::umbel("ring-time = \"1s\""));
}

// SENS-12
#[test]
fn a_busy_telephone_leads_to_voice_mail_or_is_said_to_be_busy() {
    rows::busy(World::umbel(""));
}

// SIPRE-27
#[test]
fn a_declined_call_is_declined_for_the_caller() {
    rows::declined(World::umbel(""));
}

// SIPRE-30, SENS-15, SEC-37
#[test]
fn a_deflection_by_302_is_followed_unless_the_call_may_not_be_diverted() {
    rows::deflected(World::umbel(""), "302 Moved Temporarily");
}

// SIPRE-30, SENS-15
#[test]
fn a_deflection_by_303_is_followed_unless_the_call_may_not_be_diverted() {
    rows::deflected(World::umbel(""), "303 See Other");
}

// SIPRE-30, SENS-15
#[test]
fn a_telephone_sends_a_call_to_its_voice_mail_unless_it_may_not_be_diverted() {
    rows::deflected_to_voice_mail(World::umbel(""));
}

// OCEXUM-3.2-3, OCEXUM-3.2.2-1, SENS-10
#[test]
fn immediate_forwarding_to_voice_mail_is_not_applied_to_calls_that_may_not_be_diverted() {
    let world = World::umbel("").with_rules("bob", &["forward-immediate=voicemail"]);
    rows::forwarded_to_voice_mail(world);
}

// OCEXUM-3.2-3, SENS-10
#[test]
fn immediate_forwarding_to_somebody_is_not_applied_to_calls_that_may_not_be_diverted() {
    let world = World::umbel("")
        .with_rules("bob", &["forward-immediate=dora@example.test"])
        .with("bob", Manner::Answers)
        .with("dora", Manner::Answers);
    check(world, &gets(200, &["dora"]), &gets(200, &["bob"]));
}

// DEC-22, SENS-10
#[test]
fn by_choice_a_call_fails_where_all_calls_are_forwarded_and_it_may_not_be() {
    let world = World::umbel("no-diversion-when-forwarding = \"fail\"")
        .with_rules("bob", &["forward-immediate=dora@example.test"])
        .with("bob", Manner::Answers)
        .with("dora", Manner::Answers);
    check(world, &gets(200, &["dora"]), &gets(480, &[]));
}

// OCEXUM-3.2-3, SIPRE-20
#[test]
fn unanswered_forwarding_is_not_applied_to_calls_that_may_not_be_diverted() {
    // Time enough for dora's telephone to answer.
    let world = World::umbel("ring-time = \"5s\"")
        .with_rules("bob", &["forward-unanswered=104"])
        .with("bob", Manner::RingsInVain)
        .with("dora", Manner::Answers);
    check(world, &gets(200, &["bob", "dora"]), &gets(480, &["bob"]));
}

// SENS-7, DEC-20
#[test]
fn simultaneous_ring_is_no_diversion() {
    let world = World::umbel("")
        .with_rules("bob", &["ring-also=dora@example.test"])
        .with("bob", Manner::RingsInVain)
        .with("dora", Manner::Answers);
    check(world, &gets(200, &["bob", "dora"]), &gets(200, &["bob", "dora"]));
}

// SENS-6
#[test]
fn the_team_does_not_ring_for_calls_that_may_not_be_diverted() {
    let world = World::umbel("").with_rules("bob", &["team=dora@example.test"]).with("dora", Manner::Answers);
    check(world, &gets(200, &["dora"]), &gets(480, &[]));
}

/// Values that are none, and the header twice, equal or not.
pub(crate) const MALFORMED: [&str; 6] = [
    "Ms-Sensitivity: secret",
    "Ms-Sensitivity: private-no-diversion;x=y",
    "Ms-Sensitivity: \"private-no-diversion\"",
    "Ms-Sensitivity: private-no-diversion, normal",
    "Ms-Sensitivity: normal\r\nMs-Sensitivity: normal",
    "Ms-Sensitivity: private-no-diversion\r\nX-Between: x\r\nms-sensitivity: private",
];

/// SENS-2: 400, and nobody rings.
pub(crate) fn refused_as_malformed(world: World) {
    let world = world.with("bob", Manner::Answers);
    for (header, outcome) in MALFORMED.iter().zip(world.call_malformed(&MALFORMED)) {
        assert_eq!((outcome.rang.as_slice(), outcome.voice_mail), (&[][..], None), "{header}");
    }
    world.stop();
}

// SENS-2, SENS-4, SEC-36
#[test]
fn another_value_or_a_second_header_is_refused_with_400() {
    refused_as_malformed(World::umbel(""));
}

// LOOP-2, LOOP-3
#[test]
fn two_users_who_forward_to_each_other_end_a_call_at_once() {
    let world = World::umbel("")
        .with_rules("alice", &["forward-immediate=bob@example.test"])
        .with_rules("bob", &["forward-immediate=alice@example.test"])
        .with("alice", Manner::Answers)
        .with("bob", Manner::Answers);
    for callee in ["alice", "bob"] {
        crate::loops::ends_at_once(&world, callee, 482);
    }
    world.stop();
}
