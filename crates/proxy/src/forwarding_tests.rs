//! Plans for the rows of the feature matrix: each in both directions.
#![allow(clippy::unwrap_used)]

use Sensitivity::{Normal, NormalNoDiversion, Private, PrivateNoDiversion};

use super::*;

const DIVERTING: [Sensitivity; 2] = [Normal, Private];
const NOT_DIVERTING: [Sensitivity; 2] = [NormalNoDiversion, PrivateNoDiversion];
const MINUTE: Duration = Duration::from_secs(60);

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn address(text: &str) -> AddressOfRecord {
    text.parse().unwrap()
}

fn rules(flags: &[Flag]) -> Rules {
    Rules {
        flags: flags.iter().copied().collect(),
        forward_to: Some(uri("sip:fwd@example.test")),
        ring_also: Some(uri("sip:also@example.test")),
        team: vec![uri("sip:team@example.test")],
        delegates: vec![uri("sip:delegate@example.test")],
        breakthrough: vec![uri("sip:boss@example.test")],
        ..Rules::default()
    }
}

/// A call by carol to alice, whose rules these are, changed as a test wants.
fn planned(
    rules: &Rules,
    sensitivity: Sensitivity,
    change: impl for<'a> FnOnce(&mut Circumstances<'a>, &'a AddressOfRecord, &'a AddressOfRecord),
) -> Plan {
    let (alice, carol, boss) =
        (address("alice@example.test"), address("carol@example.test"), address("boss@example.test"));
    let mut call = Circumstances {
        rules: Some(rules),
        callee: &alice,
        caller: Some(&carol),
        referrer: None,
        other_names: &[],
        sensitivity,
        takes_a_place: false,
        media: Media::Audio,
        rung_for_another: false,
        is_for_one_telephone: false,
        has_mailbox: true,
        is_work_time: true,
        when_forwarding: WhenForwarding::Ring,
        ring_time: Duration::from_secs(20),
    };
    change(&mut call, &alice, &boss);
    plan(&call)
}

fn simply(flags: &[Flag], sensitivity: Sensitivity) -> Action {
    planned(&rules(flags), sensitivity, |_, _, _| {}).action
}

fn ring(then: Then) -> Ring {
    let may_be_deflected = then != Then::GiveUp;
    Ring {
        may_be_deflected,
        endpoints: true,
        ring_also: None,
        time: Some(Duration::from_secs(20)),
        later: None,
        then,
    }
}

fn forward() -> Destination {
    Destination::Forward(uri("sip:fwd@example.test"))
}

// SENS-1, SENS-6, SIPRE-20 to SIPRE-22; 2.2.2-2, 3.2-2, 3.2-3
#[test]
fn unanswered_calls_are_diverted_unless_that_is_forbidden() {
    use Flag::EnableCallForwarding;
    for sensitivity in DIVERTING {
        assert_eq!(simply(&[], sensitivity), Action::Ring(ring(Then::Divert(Destination::VoiceMail))));
        let forwarded = simply(&[EnableCallForwarding], sensitivity);
        assert_eq!(forwarded, Action::Ring(ring(Then::Divert(forward()))));
    }
    for sensitivity in NOT_DIVERTING {
        assert_eq!(simply(&[], sensitivity), Action::Ring(ring(Then::GiveUp)));
        assert_eq!(simply(&[EnableCallForwarding], sensitivity), Action::Ring(ring(Then::GiveUp)));
    }
}

// SENS-6, SENS-10, DEC-20, DEC-22
#[test]
fn immediate_forwarding_becomes_ringing_or_failure() {
    use Flag::{EnableCallForwarding, ForwardImmediate, SimultaneousRing};
    for sensitivity in DIVERTING {
        let at_once = |to| Action::Divert(to, DiversionReason::Unconditional);
        assert_eq!(
            simply(&[ForwardImmediate, SimultaneousRing], sensitivity),
            at_once(Destination::VoiceMail)
        );
        assert_eq!(simply(&[ForwardImmediate, EnableCallForwarding], sensitivity), at_once(forward()));
    }
    for sensitivity in NOT_DIVERTING {
        for flags in [&[ForwardImmediate, SimultaneousRing][..], &[ForwardImmediate, EnableCallForwarding]] {
            assert_eq!(simply(flags, sensitivity), Action::Ring(ring(Then::GiveUp)));
            let failing = planned(&rules(flags), sensitivity, |call, _, _| {
                call.when_forwarding = WhenForwarding::Fail;
            });
            assert_eq!(failing.action, Action::Refuse(Refusal::Undivertable));
        }
    }
}

// SENS-7
#[test]
fn simultaneous_ring_is_no_diversion() {
    for sensitivity in [Normal, Private, NormalNoDiversion, PrivateNoDiversion] {
        let Action::Ring(ring) = simply(&[Flag::SimultaneousRing], sensitivity) else { panic!("no ring") };
        assert_eq!(ring.ring_also, Some(uri("sip:also@example.test")), "{sensitivity}");
        assert!(ring.endpoints);
    }
    let Action::Ring(ring) = simply(&[], Normal) else { panic!("no ring") };
    assert_eq!(ring.ring_also, None);
}

// SENS-6, SENS-8
#[test]
fn team_and_delegates_ring_unless_diversion_is_forbidden() {
    for (flags, who) in [
        (&[Flag::TeamRing][..], "sip:team@example.test"),
        (&[Flag::DelegateRing], "sip:delegate@example.test"),
        (&[Flag::TeamRing, Flag::DelegateRing], "sip:team@example.test"),
    ] {
        for sensitivity in DIVERTING {
            let Action::Ring(ring) = simply(flags, sensitivity) else { panic!("no ring") };
            assert_eq!(ring.time, Some(USER_DEFAULT));
            assert_eq!(ring.later, Some(Later { targets: vec![uri(who)], time: TEAM2_DEFAULT }));
            assert_eq!(ring.then, Then::Divert(Destination::VoiceMail));
        }
        for sensitivity in NOT_DIVERTING {
            assert_eq!(simply(flags, sensitivity), Action::Ring(ring(Then::GiveUp)));
        }
    }
}

#[test]
fn members_of_the_team_ring_the_user_and_not_the_team() {
    let mut rules = rules(&[Flag::TeamRing]);
    rules.team.push(uri("sip:carol@example.test"));
    let plan = planned(&rules, Normal, |_, _, _| {});
    assert_eq!(plan.action, Action::Ring(ring(Then::Divert(Destination::VoiceMail))));
}

// SENS-9
#[test]
fn skipping_the_own_telephones_spares_play_on_phone() {
    let rules = rules(&[Flag::SkipPrimary, Flag::SimultaneousRing]);
    let rings = |sensitivity, to_self: bool, by_boss: bool| {
        let plan = planned(&rules, sensitivity, |call, alice, boss| {
            if to_self {
                call.caller = Some(alice);
            }
            if by_boss {
                call.caller = None;
                call.referrer = Some(boss);
            }
        });
        let Action::Ring(ring) = plan.action else { panic!("no ring") };
        assert_eq!(ring.endpoints, ring.ring_also.is_some());
        ring.endpoints
    };
    for sensitivity in NOT_DIVERTING {
        assert!(rings(sensitivity, true, false));
        assert!(!rings(sensitivity, false, false));
    }
    for sensitivity in DIVERTING {
        assert!(!rings(sensitivity, true, false));
        assert!(!rings(sensitivity, false, false));
        assert!(rings(sensitivity, false, true), "breaks through");
    }
}

// 7.4, rules 1 to 7 in their order
#[test]
fn the_rules_are_asked_in_order() {
    use Flag::{Block, E911Active, ForwardImmediate, TeamRing, WorkHours};
    let all = rules(&[Block, E911Active, WorkHours, TeamRing, ForwardImmediate]);
    assert_eq!(planned(&all, Normal, |_, _, _| {}).action, Action::Refuse(Refusal::Blocked));
    let emergency = rules(&[E911Active, WorkHours, TeamRing, ForwardImmediate]);
    let only = Ring { time: None, may_be_deflected: true, ..ring(Then::GiveUp) };
    assert_eq!(planned(&emergency, Normal, |_, _, _| {}).action, Action::Ring(only.clone()));
    let team = rules(&[WorkHours, TeamRing]);
    let app = planned(&team, Normal, |call, _, _| call.media = Media::AudioAppInvite);
    assert_eq!(app.action, Action::Ring(only.clone()));
    let rung = planned(&team, Normal, |call, _, _| call.rung_for_another = true);
    assert_eq!(rung.action, Action::Ring(only));
    let boss = planned(&team, Normal, |call, _, boss| call.caller = Some(boss));
    assert_eq!(boss.action, Action::Ring(ring(Then::Divert(Destination::VoiceMail))));
    assert_eq!(boss.rule, "rule 6: caller breaks through");
    let evening = planned(&team, Normal, |call, _, _| call.is_work_time = false);
    assert_eq!(evening.action, Action::Ring(ring(Then::Divert(Destination::VoiceMail))));
    assert_eq!(evening.rule, "rule 7: outside working hours");
    assert_eq!(planned(&team, Normal, |_, _, _| {}).rule, "rule 8: team ringing");
}

#[test]
fn conference_invitations_follow_the_rules_where_that_is_wanted() {
    let rules = rules(&[Flag::ForwardAudioAppInvites, Flag::ForwardImmediate]);
    let plan = planned(&rules, Normal, |call, _, _| call.media = Media::AudioAppInvite);
    assert!(matches!(plan.action, Action::Divert(Destination::VoiceMail, _)));
}

// SIPRE-3, SIPRE-5
#[test]
fn without_audio_or_without_valid_rules_only_the_endpoints_ring() {
    let all = rules(&[Flag::Block, Flag::ForwardImmediate]);
    let only = Action::Ring(Ring { time: None, may_be_deflected: true, ..ring(Then::GiveUp) });
    assert_eq!(planned(&all, Normal, |call, _, _| call.media = Media::Other).action, only);
    assert_eq!(planned(&all, Normal, |call, _, _| call.rules = None).action, only);
}

#[test]
fn who_is_not_to_be_disturbed_is_not_but_for_the_own_play_on_phone() {
    let mut rules = rules(&[]);
    rules.do_not_disturb = true;
    let diverted = Action::Divert(Destination::VoiceMail, DiversionReason::DoNotDisturb);
    assert_eq!(planned(&rules, Normal, |_, _, _| {}).action, diverted);
    let refused = Action::Refuse(Refusal::NoAnswer);
    assert_eq!(planned(&rules, PrivateNoDiversion, |_, _, _| {}).action, refused);
    let own = planned(&rules, PrivateNoDiversion, |call, alice, _| call.caller = Some(alice));
    assert_eq!(own.action, Action::Ring(ring(Then::GiveUp)));
    rules.flags.insert(Flag::TeamRing);
    let Action::Ring(team) = planned(&rules, Normal, |_, _, _| {}).action else { panic!("no ring") };
    assert_eq!((team.endpoints, team.time), (false, Some(Duration::ZERO)));
}

#[test]
fn who_has_no_mailbox_is_not_diverted_to_it() {
    let plan = planned(&rules(&[]), Normal, |call, _, _| call.has_mailbox = false);
    let alone = Action::Ring(Ring { may_be_deflected: true, ..ring(Then::GiveUp) });
    assert_eq!(plan.action, alone);
    let mut unwanted = rules(&[]);
    unwanted.voice_mail = false;
    assert_eq!(planned(&unwanted, Normal, |_, _, _| {}).action, alone);
    let plan = planned(&rules(&[Flag::ForwardImmediate]), Normal, |call, _, _| call.has_mailbox = false);
    assert_eq!(plan.action, Action::Refuse(Refusal::NoAnswer));
}

#[test]
fn users_choose_how_long_it_rings() {
    let mut rules = rules(&[]);
    rules.total = Some(MINUTE);
    let Action::Ring(ring) = planned(&rules, Normal, |_, _, _| {}).action else { panic!("no ring") };
    assert_eq!(ring.time, Some(MINUTE));
}

/// RFC 3891 3: a call that takes a place in another one is for the telephones alone, whatever the rules; and the same call
/// without it is diverted.
#[test]
fn who_takes_a_place_in_a_call_is_neither_forwarded_nor_sent_to_voice_mail() {
    for flags in [&[][..], &[Flag::EnableCallForwarding], &[Flag::ForwardImmediate], &[Flag::TeamRing]] {
        let plan = |takes| planned(&rules(flags), Normal, move |call, _, _| call.takes_a_place = takes);
        match plan(true).action {
            Action::Ring(ring) => {
                assert!(ring.endpoints && !ring.may_be_deflected, "{flags:?}: {ring:?}");
                assert_eq!((ring.then, ring.later), (Then::GiveUp, None), "{flags:?}");
            }
            other => panic!("{flags:?}: {other:?}"),
        }
        assert!(plan(true).rule.starts_with("RFC 3891"), "{flags:?}");
        match plan(false).action {
            Action::Divert(..) => {}
            Action::Ring(ring) => assert!(ring.then != Then::GiveUp, "{flags:?}: {ring:?}"),
            other @ Action::Refuse(_) => panic!("{flags:?}: {other:?}"),
        }
    }
    // Whoever does not want to be disturbed is not.
    let mut rules = rules(&[]);
    rules.do_not_disturb = true;
    let plan = planned(&rules, Normal, |call, _, _| call.takes_a_place = true);
    assert!(matches!(plan.action, Action::Refuse(_)), "{plan:?}");
}

/// SENS-6 over all flags at once: no plan of an undivertable call leads anywhere but to telephones.
#[test]
fn no_combination_of_rules_diverts_what_may_not_be() {
    let flags = [
        Flag::WorkHours,
        Flag::ForwardImmediate,
        Flag::SimultaneousRing,
        Flag::EnableCallForwarding,
        Flag::DelegateRing,
        Flag::TeamRing,
        Flag::SkipPrimary,
    ];
    for bits in 0..1u32 << (flags.len() + 2) {
        let on: Vec<Flag> =
            flags.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, f)| *f).collect();
        let mut rules = rules(&on);
        rules.do_not_disturb = bits >> flags.len() & 1 == 1;
        let is_work_time = bits >> (flags.len() + 1) & 1 == 1;
        for sensitivity in NOT_DIVERTING {
            match planned(&rules, sensitivity, |call, _, _| call.is_work_time = is_work_time).action {
                Action::Refuse(_) => {}
                Action::Divert(..) => panic!("{on:?} diverts"),
                Action::Ring(ring) => {
                    assert_eq!((ring.then, ring.later), (Then::GiveUp, None), "{on:?}");
                    assert!(!ring.may_be_deflected);
                }
            }
        }
    }
}
