//! 3.9.5.2.2: the order of the rules for a call with audio, and the primary, delegate and team targets. Test
//! plan row 25.

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, NUMBER, UM, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite, Offer};

const VIDEO: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
    m=video 9000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";

/// What became of a call by bob to alice: whom it rang, in order; and the answer.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    invited: Vec<String>,
    answer: u16,
}

fn outcome(invited: &[&str], answer: u16) -> Outcome {
    Outcome { invited: invited.iter().map(|who| (*who).to_owned()).collect(), answer }
}

/// A call to alice, who has these rules and does not answer, where carol, dave, voice mail and the gateway do.
fn call(rules: &[(&str, &str)], call: Invite) -> Outcome {
    let mut company = Company::new(1);
    company.in_place_of_unified_messaging("um", UM, Manner::answers());
    company.gateway(Manner::answers_after(2));
    company.telephone("alice", Manner::rings());
    company.telephone("carol", Manner::answers_after(2));
    company.telephone("dave", Manner::answers_after(3));
    for (rule, value) in rules {
        company.set_rule("alice", rule, value);
    }
    let bob = company.user("bob", By::Tls);
    company.world[bob].has_sound = false;
    company.open();
    company.call(bob, call);
    company.wait(200);
    company.world.order(bob, Do::HangUp);
    company.wait(2);
    let invited = company.invited().into_iter().map(str::to_owned).collect();
    let [answer] = company.world[bob].answers[..] else { panic!("{:?}", company.world[bob].answers) };
    Outcome { invited, answer }
}

#[track_caller]
fn check(rules: &[(&str, &str)], invited: &[&str], answer: u16) {
    assert_eq!(call(rules, invite("bob", "alice")), outcome(invited, answer), "{rules:?}");
}

const TEAM: (&str, &str) = ("team", "carol@example.test");
const DELEGATES: (&str, &str) = ("delegates", "dave@example.test");
const ALSO: (&str, &str) = ("ring-also", NUMBER);
const FORWARD: (&str, &str) = ("forward-immediate", "carol@example.test");
const UNANSWERED: (&str, &str) = ("forward-unanswered", "carol@example.test");
const AFTER_HOURS: (&str, &str) = ("work-hours", "sat-sun 09:00-17:00");
const IN_HOURS: (&str, &str) = ("work-hours", "mon-fri 08:00-17:00");
const DISTURBED: (&str, &str) = ("do-not-disturb", "yes");
const SKIPPED: (&str, &str) = ("skip-own-telephones", "yes");
const BREAKS_THROUGH: (&str, &str) = ("breakthrough", "bob@example.test");
const BLOCK: (&str, &str) = ("block", "yes");
const EMERGENCY: (&str, &str) = ("emergency-call-back", "yes");

/// No rules: the endpoints, then voice mail.
#[test]
fn without_rules_the_endpoints_ring_and_then_voice_mail_answers() {
    check(&[], &["alice", "um"], 200);
    check(&[("no-voicemail", "yes")], &["alice"], 480);
}

/// Rule 1 comes before all others.
#[test]
fn a_blocked_user_is_called_by_nobody() {
    for more in [&[][..], &[EMERGENCY, TEAM], &[BREAKS_THROUGH], &[FORWARD, AFTER_HOURS], &[DISTURBED]] {
        check(&[&[BLOCK], more].concat(), &[], 480);
    }
}

/// Rule 2: the endpoints only, without a timer: the telephone rings until Timer C.
#[test]
fn in_an_emergency_the_endpoints_ring_and_nothing_else() {
    for more in [&[][..], &[TEAM, ALSO], &[FORWARD], &[DISTURBED, UNANSWERED], &[SKIPPED]] {
        check(&[&[EMERGENCY], more].concat(), &["alice"], 487);
    }
}

/// SIPRE-3: what has no audio is routed without rules.
#[test]
fn a_call_without_audio_is_under_no_rule() {
    for rules in [&[][..], &[BLOCK], &[FORWARD], &[TEAM, ALSO], &[DISTURBED]] {
        let video = invite("bob", "alice").offering(Offer::Text(VIDEO.to_owned()));
        assert_eq!(call(rules, video), outcome(&["alice"], 487), "{rules:?}");
    }
    // Without an offer it may become audio.
    let no_offer = invite("bob", "alice").offering(Offer::None);
    assert_eq!(call(&[], no_offer), outcome(&["alice", "um"], 200));
}

/// Rule 5: members of a team are rung by their endpoints, whatever their own rules say.
#[test]
fn members_of_a_team_have_no_team_of_their_own() {
    let mut company = Company::new(1);
    company.telephone("alice", Manner::rings());
    company.telephone("carol", Manner::rings());
    company.telephone("dave", Manner::rings());
    company.set_rule("alice", "team", "carol@example.test");
    company.set_rule("carol", "team", "dave@example.test");
    company.set_rule("carol", "ring-also", NUMBER);
    company.set_rule("carol", "forward-immediate", "dave@example.test");
    company.gateway(Manner::rings());
    let bob = company.user("bob", By::Tls);
    company.open();
    company.call(bob, invite("bob", "alice"));
    company.wait(60);
    assert_eq!(company.invited(), ["alice", "carol"]);
    assert_eq!(company.world[bob].answers, [480]);
}

/// Rule 6 comes before 7 to 10: whoever breaks through has the primary targets.
#[test]
fn who_breaks_through_rings_the_endpoints() {
    for more in [&[][..], &[AFTER_HOURS], &[DISTURBED], &[TEAM], &[DELEGATES], &[SKIPPED]] {
        check(&[&[BREAKS_THROUGH], more].concat(), &["alice", "um"], 200);
    }
    check(&[BREAKS_THROUGH, ALSO], &["alice", "gateway"], 200);
    check(&[BREAKS_THROUGH, FORWARD], &["carol"], 200);
}

/// Rule 7 comes before 8 to 11.
#[test]
fn outside_working_hours_only_the_endpoints_ring() {
    for more in [&[][..], &[TEAM], &[DELEGATES], &[ALSO], &[FORWARD], &[UNANSWERED]] {
        check(&[&[AFTER_HOURS], more].concat(), &["alice", "um"], 200);
    }
    check(&[IN_HOURS, FORWARD], &["carol"], 200);
    check(&[IN_HOURS, UNANSWERED], &["alice", "carol"], 200);
}

/// Rules 8 and 9: the team before the delegates, and both before immediate forwarding.
#[test]
fn the_team_rings_or_else_the_delegates() {
    check(&[TEAM], &["alice", "carol"], 200);
    check(&[DELEGATES], &["alice", "dave"], 200);
    check(&[TEAM, DELEGATES], &["alice", "carol"], 200);
    check(&[TEAM, FORWARD], &["alice", "carol"], 200);
    // 3.9.5.2.2.2 and 3.9.5.2.2.3: do-not-disturb spares the user, not the others.
    check(&[TEAM, DISTURBED], &["carol"], 200);
    check(&[DELEGATES, DISTURBED], &["dave"], 200);
    check(&[TEAM, SKIPPED], &["carol"], 200);
}

/// 3.9.5.2.2.2, 3.9.5.2.2.3: "caller or referrer in `team`": primary targets.
#[test]
fn members_who_call_do_not_ring_the_team() {
    check(&[("team", "bob@example.test, carol@example.test")], &["alice", "um"], 200);
    check(&[("delegates", "bob@example.test, dave@example.test")], &["alice", "um"], 200);
    // An extension is as good as an address.
    check(&[("team", "1002, carol@example.test")], &["alice", "um"], 200);
    let referred = || invite("bob", "alice").line("Referred-By: <sip:carol@example.test>");
    assert_eq!(call(&[TEAM], referred()), outcome(&["alice", "um"], 200));
    // A delegate rings telephones that are to be skipped.
    check(&[("delegates", "bob@example.test"), SKIPPED], &["alice", "um"], 200);
}

/// Rule 10.
#[test]
fn who_is_not_to_be_disturbed_does_not_ring() {
    check(&[DISTURBED], &["um"], 200);
    check(&[DISTURBED, UNANSWERED], &["carol"], 200);
    check(&[DISTURBED, ("no-voicemail", "yes")], &[], 480);
}

/// Rule 11, 3.9.5.2.2.1.
#[test]
fn primary_targets_are_forwarded_or_rung_with_the_second_device() {
    check(&[FORWARD], &["carol"], 200);
    check(&[("forward-immediate", "voicemail")], &["um"], 200);
    check(&[("forward-immediate", NUMBER)], &["gateway"], 200);
    // "A simultaneous_ring target MUST NOT be honoured" together with it.
    check(&[FORWARD, ALSO], &["carol"], 200);
    check(&[ALSO], &["alice", "gateway"], 200);
    check(&[UNANSWERED], &["alice", "carol"], 200);
    // Nothing rings, so that it is unanswered at once.
    check(&[SKIPPED, ALSO], &["um"], 200);
    check(&[SKIPPED, UNANSWERED], &["carol"], 200);
}

/// SIPRE-8: of `forwardto` and `simultaneous_ring` there is one target.
#[test]
fn a_rule_that_cannot_be_read_leaves_the_endpoints_ringing() {
    // SIPRE-5.
    check(&[("ring-time", "nonsense"), FORWARD, TEAM], &["alice"], 487);
}
