//! Rounds of ringing, told as what comes and what is done.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use super::*;

const NONE: Ring = Ring {
    may_be_deflected: false,
    endpoints: true,
    ring_also: None,
    time: None,
    later: None,
    then: Then::GiveUp,
};

fn ring(then: Then) -> Ring {
    let may_be_deflected = then != Then::GiveUp;
    Ring { time: Some(Duration::from_secs(20)), may_be_deflected, then, ..NONE }
}

fn voice_mail() -> Then {
    Then::Divert(Destination::VoiceMail)
}

fn context(ring: Ring, branches: u32) -> ResponseContext {
    let mut context = ResponseContext::new(true);
    context.ring(ring);
    for _ in 0..branches {
        context.add(Kind::Endpoint);
    }
    assert_eq!(context.check().is_empty(), branches > 0);
    context
}

fn shown(actions: Vec<Action>) -> String {
    let mut text = String::new();
    for action in actions {
        match action {
            Action::Forward => write!(text, "forward "),
            Action::AnswerWith(BranchId(n)) => write!(text, "answer({n}) "),
            Action::Refuse(refusal) => write!(text, "{refusal:?} "),
            Action::Cancel(BranchId(n), reason) => write!(text, "cancel({n},{}) ", reason.cause.unwrap()),
            Action::Widen(_) => write!(text, "widen "),
            Action::Divert(Destination::VoiceMail, reason) => write!(text, "voicemail({}) ", reason.as_str()),
            Action::Divert(Destination::Forward(uri), reason) => write!(text, "{uri}({}) ", reason.as_str()),
            Action::Follow(BranchId(n)) => write!(text, "follow({n}) "),
            Action::Arm(Timer::C(_), _) | Action::Disarm(_) => Ok(()),
            Action::Arm(timer, time) => write!(text, "{timer:?}={} ", time.as_secs()),
        }
        .unwrap();
    }
    text.trim_end().to_owned()
}

/// `1:180` is a response of branch 1; `ring`, `forwarding`, `grace`, `c1` are timers; `cancel` is the
/// caller's.
#[track_caller]
fn check(context: &mut ResponseContext, steps: &[(&str, &str)]) {
    for (step, expected) in steps {
        let input = match *step {
            "ring" => Input::Timer(Timer::Ring),
            "forwarding" => Input::Timer(Timer::Forwarding),
            "grace" => Input::Timer(Timer::Grace),
            "c1" => Input::Timer(Timer::C(BranchId(1))),
            "cancel" => Input::Cancelled,
            response => {
                let (branch, status) = response.split_once(':').unwrap();
                let status = StatusCode::new(status.parse().unwrap()).unwrap();
                Input::Response(BranchId(branch.parse().unwrap()), status)
            }
        };
        assert_eq!(shown(context.step(input)), *expected, "after {step} of {steps:?}");
    }
}

// RFC 3261 16.7, STD-3, SIPRE-28
#[test]
fn the_first_success_wins_and_late_ones_are_passed_on_too() {
    check(
        &mut context(ring(voice_mail()), 3),
        &[
            ("1:100", ""),
            ("1:180", "forward"),
            ("2:486", ""),
            ("1:200", "forward cancel(3,200)"),
            ("3:200", "forward"),
            ("1:200", "forward"),
            ("2:200", "forward"),
            ("ring", ""),
            ("cancel", ""),
        ],
    );
}

// SIPRE-20, SIPRE-21, SIPRE-25, SIPRE-26
#[test]
fn unanswered_and_failed_calls_go_on_with_the_reason() {
    let to_bob = Then::Divert(Destination::Forward("sip:bob@x.test".parse().unwrap()));
    check(
        &mut context(ring(to_bob), 2),
        &[
            ("1:180", "forward"),
            ("ring", "cancel(1,480) cancel(2,480) sip:bob@x.test(no-answer)"),
            ("1:487", ""),
        ],
    );
    check(&mut context(ring(voice_mail()), 2), &[("1:486", ""), ("2:480", "voicemail(user-busy)")]);
    check(&mut context(ring(voice_mail()), 1), &[("1:404", "voicemail(no-answer)")]);
    assert_eq!(shown(voicemail_without_endpoints()), "voicemail(unavailable)");
}

fn voicemail_without_endpoints() -> Vec<Action> {
    let mut context = ResponseContext::new(true);
    context.ring(ring(voice_mail()));
    context.check()
}

// SENS-11, SENS-12, SENS-13, 5.6
#[test]
fn who_may_not_be_diverted_gets_the_best_response_or_480() {
    check(
        &mut context(ring(Then::GiveUp), 2),
        &[
            ("1:180", "forward"),
            ("ring", "cancel(1,480) cancel(2,480) Grace=2"),
            ("1:487", ""),
            ("2:487", "NoAnswer"),
        ],
    );
    check(&mut context(ring(Then::GiveUp), 1), &[("1:486", "answer(1)")]);
    check(&mut context(ring(Then::GiveUp), 2), &[("1:486", ""), ("2:480", "answer(1)")]);
    check(
        &mut context(ring(Then::GiveUp), 2),
        &[("2:486", ""), ("ring", "cancel(1,480) Grace=2"), ("1:487", "answer(2)")],
    );
    let mut nobody = ResponseContext::new(true);
    nobody.ring(ring(Then::GiveUp));
    assert_eq!(shown(nobody.check()), "NotRegistered");
}

// SIPRE-27
#[test]
fn six_hundreds_end_it_but_busy_everywhere_goes_to_voice_mail() {
    for code in [603, 604, 606] {
        let declined = format!("1:{code}");
        let cancel = format!("cancel(2,{code}) Grace=2");
        check(&mut context(ring(voice_mail()), 2), &[(&declined, &cancel), ("2:487", "answer(1)")]);
        check(&mut context(ring(Then::GiveUp), 1), &[(&declined, "answer(1)")]);
    }
    check(&mut context(ring(voice_mail()), 2), &[("1:600", "cancel(2,480) voicemail(user-busy)")]);
    check(&mut context(ring(Then::GiveUp), 1), &[("1:600", "answer(1)")]);
}

// SIPRE-30, SENS-15
#[test]
fn deflections_are_followed_unless_diversion_is_forbidden() {
    for code in ["302", "303"] {
        let deflected = format!("1:{code}");
        check(&mut context(ring(voice_mail()), 2), &[(&deflected, "cancel(2,302) follow(1)"), ("2:487", "")]);
        check(&mut context(ring(Then::GiveUp), 2), &[(&deflected, ""), ("2:486", "answer(2)")]);
        check(&mut context(ring(Then::GiveUp), 1), &[(&deflected, "NoAnswer")]);
    }
}

// 3.9.5.2.2.3
#[test]
fn the_team_rings_beside_the_telephones() {
    let later = Later { targets: Vec::new(), time: Duration::from_secs(15) };
    let mut context = context(Ring { later: Some(later), ..ring(voice_mail()) }, 1);
    check(&mut context, &[("1:180", "forward"), ("ring", "Ring=15 widen")]);
    context.add(Kind::Elsewhere);
    check(
        &mut context,
        &[("2:180", "forward"), ("ring", "cancel(1,480) cancel(2,480) voicemail(no-answer)"), ("2:487", "")],
    );
}

#[test]
fn the_team_rings_at_once_when_no_telephone_does() {
    let later = Later { targets: Vec::new(), time: Duration::from_secs(15) };
    let mut context = context(Ring { later: Some(later), ..ring(voice_mail()) }, 1);
    check(&mut context, &[("1:486", "Ring=15 widen")]);
    context.expect();
    assert_eq!(shown(context.check()), "");
    context.settle();
    assert_eq!(shown(context.check()), "voicemail(user-busy)");
}

// SIPRE-23, SIPRE-24
#[test]
fn a_forwarded_call_is_given_up_after_its_timer() {
    let mut context = context(ring(voice_mail()), 1);
    check(&mut context, &[("ring", "cancel(1,480) voicemail(no-answer)")]);
    context.add(Kind::Elsewhere);
    check(
        &mut context,
        &[
            ("1:487", ""),
            ("2:180", "forward"),
            ("forwarding", "cancel(2,480) Grace=2"),
            ("grace", "NoAnswer"),
            ("2:487", ""),
        ],
    );
}

// RFC 3261 16.10
#[test]
fn the_callers_cancel_reaches_every_branch_and_ends_as_487() {
    check(
        &mut context(ring(voice_mail()), 2),
        &[
            ("1:180", "forward"),
            ("cancel", "cancel(1,487) cancel(2,487) Grace=2"),
            ("cancel", "Grace=2"),
            ("1:487", ""),
            ("ring", ""),
            ("2:487", "Cancelled"),
        ],
    );
    // The race: somebody answered first.
    check(
        &mut context(ring(voice_mail()), 2),
        &[("cancel", "cancel(1,487) cancel(2,487) Grace=2"), ("1:200", "forward"), ("2:487", "")],
    );
}

// SIPRE-29, RFC 3261 16.8
#[test]
fn timer_c_cancels_a_branch_that_rings_for_ever() {
    check(
        &mut context(NONE, 1),
        &[("1:180", "forward"), ("c1", "cancel(1,408)"), ("1:487", "answer(1)"), ("c1", "")],
    );
}

// RFC 3261 16.7, step 6
#[test]
fn the_best_response_is_what_the_caller_can_act_on() {
    for (one, other, best) in [
        ("1:404", "2:407", "answer(2)"),
        ("1:407", "2:404", "answer(1)"),
        ("1:500", "2:404", "answer(2)"),
        ("1:408", "2:480", "answer(2)"),
        ("1:404", "2:488", "answer(1)"),
        ("1:415", "2:486", "answer(1)"),
        ("1:503", "2:500", "answer(2)"),
    ] {
        check(&mut context(NONE, 2), &[(one, ""), (other, best)]);
    }
}

// SIPRE-31
#[test]
fn five_changes_of_target_are_allowed() {
    let mut context = context(NONE, 1);
    let allowed: Vec<bool> = (0..7).map(|_| context.may_retarget()).collect();
    assert_eq!(allowed, [true, true, true, true, true, false, false]);
}

#[test]
fn other_requests_than_invite_are_not_cancelled() {
    let mut context = ResponseContext::new(false);
    context.ring(NONE);
    context.add(Kind::Endpoint);
    context.add(Kind::Endpoint);
    check(&mut context, &[("1:180", ""), ("1:200", "forward"), ("2:404", "")]);
    assert!(context.is_over());
}

// SIPRE-30
#[test]
fn the_caller_sees_redirections_only_of_whom_it_called_outside() {
    let with = |kind, retargeted| {
        let mut context = ResponseContext::new(true);
        context.ring(NONE);
        if retargeted {
            context.may_retarget();
        }
        context.add(kind);
        shown(context.step(Input::Response(BranchId(1), StatusCode::new(302).unwrap())))
    };
    assert_eq!(with(Kind::Elsewhere, false), "answer(1)");
    assert_eq!(with(Kind::Elsewhere, true), "NoAnswer");
    assert_eq!(with(Kind::Beside, false), "NoAnswer");
    assert_eq!(with(Kind::Endpoint, false), "NoAnswer");
}
