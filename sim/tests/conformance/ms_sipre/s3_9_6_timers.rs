//! 3.9.6: what happens when a timer fires, to the millisecond, and what does when telephones are quicker. Test
//! plan row 25.

use std::time::Duration;

use umbel_sim::callee::{Manner, Then};
use umbel_sim::company::{Company, NUMBER, UM, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::Do;
use umbel_sim::{Place, Telephone};
use umbel_sip_message::{HeaderName, Method, Request};

/// Alice's telephones, all others of the house, and bob, who calls.
fn scene(alice: &[(&str, Manner)], rules: &[(&str, &str)]) -> (Company, Place<Telephone>) {
    let mut company = Company::new(1);
    company.in_place_of_unified_messaging("um", UM, Manner::answers());
    company.gateway(Manner::rings());
    for (name, manner) in alice {
        company.telephone(name, manner.clone());
    }
    company.telephone("carol", Manner::rings());
    company.telephone("dave", Manner::rings());
    for (rule, value) in rules {
        company.set_rule("alice", rule, value);
    }
    let bob = company.user("bob", By::Tls);
    company.world[bob].has_sound = false;
    company.open();
    (company, bob)
}

/// Bob calls, and all is over after a time.
fn called(alice: &[(&str, Manner)], rules: &[(&str, &str)], seconds: u64) -> (Company, Place<Telephone>) {
    let (mut company, bob) = scene(alice, rules);
    company.call(bob, invite("bob", "alice"));
    company.wait(seconds);
    (company, bob)
}

/// The CANCELs that somebody got, and when, in milliseconds.
fn cancels(company: &Company, who: &str) -> Vec<(u128, Request)> {
    let cancels = company.world.ladder().requests(&Method::Cancel).filter(|(rung, _)| rung.to == who);
    cancels
        .map(|(rung, request)| (rung.at.since(umbel_time::Instant::ZERO).as_millis(), request.clone()))
        .collect()
}

fn reason(request: &Request) -> String {
    String::from_utf8_lossy(&request.headers().get(&HeaderName::Reason).unwrap_or_default()).into_owned()
}

/// SIPRE-20, SIPRE-23, SIPRE-24: 181, then the target for a minute, then 480.
#[test]
fn an_unanswered_call_is_forwarded_for_a_minute() {
    let (company, bob) = called(&[("alice", Manner::rings())], &[("forward-unanswered", NUMBER)], 100);
    assert_eq!(company.world[bob].answers, [480]);
    company.world.expect_ladder(include_str!("s3_9_6_forwarded.ladder"));
}

/// 3.9.5.2.2.3, SIPRE-25: the team rings in addition to the endpoints, and voice mail comes after both.
#[test]
fn a_team_rings_beside_the_user_and_then_voice_mail_answers() {
    let (company, bob) =
        called(&[("alice", Manner::rings())], &[("team", "carol@example.test, dave@example.test")], 40);
    assert_eq!(company.world[bob].answers, [200]);
    company.world.expect_ladder(include_str!("s3_9_6_team.ladder"));
}

/// 7.3: the waits that a user sets.
#[test]
fn a_user_sets_how_long_it_rings() {
    for (rules, at) in [
        (&[][..], 21_030),
        (&[("ring-time", "5s")], 6_030),
        (&[("ring-time", "60s")], 61_030),
        (&[("ring-time", "5s"), ("team-after", "7s")], 6_030),
        (&[("team", "carol@example.test"), ("team-after", "7s"), ("team-time", "11s")], 19_030),
        (&[("delegates", "dave@example.test"), ("team-after", "2s")], 23_030),
    ] {
        let (company, _) = called(&[("alice", Manner::rings())], rules, 70);
        let at_alice: Vec<u128> = cancels(&company, "alice").into_iter().map(|(at, _)| at).collect();
        assert_eq!(at_alice, [at], "{rules:?}");
    }
}

/// SIPRE-26: when all endpoints have refused, it is over at once.
#[test]
fn nobody_waits_for_telephones_that_have_refused() {
    for status in [404, 480, 486, 488, 500] {
        let (company, bob) = called(&[("alice", Manner::refuses_after(3, status))], &[], 10);
        assert_eq!(company.world[bob].answers, [200], "{status}");
        assert_eq!(company.invited(), ["alice", "um"]);
    }
    // One has refused, the other rings on.
    let telephones = [("alice", Manner::refuses_after(3, 486)), ("alice2", Manner::rings())];
    let (company, bob) = called(&telephones, &[], 15);
    assert_eq!(company.world[bob].answers, [0; 0]);
    assert_eq!(company.invited(), ["alice", "alice2"], "SIPRE-28");
}

/// SIPRE-27: 603 is the answer; 600 leads to voice mail. Both end the ringing everywhere.
#[test]
fn declined_everywhere_is_declined() {
    for (status, invited, answer) in [
        (603, &["alice", "alice2"][..], 603),
        (604, &["alice", "alice2"], 604),
        (600, &["alice", "alice2", "um"], 200),
    ] {
        let telephones = [("alice", Manner::refuses_after(3, status)), ("alice2", Manner::rings())];
        let (company, bob) = called(&telephones, &[], 10);
        assert_eq!(company.invited(), invited, "{status}");
        assert_eq!(company.world[bob].answers, [answer]);
        assert_eq!(cancels(&company, "alice2").len(), 1);
    }
}

/// STD-3: why one is told to stop.
#[test]
fn telephones_are_told_why_they_stop() {
    let telephones = [("alice", Manner::answers_after(3)), ("alice2", Manner::rings())];
    let (company, _) = called(&telephones, &[], 10);
    let (_, cancel) = &cancels(&company, "alice2")[0];
    assert_eq!(reason(cancel), "SIP;cause=200;text=\"Call completed elsewhere\"");
    let (company, _) = called(&[("alice", Manner::rings())], &[], 30);
    let (_, cancel) = &cancels(&company, "alice")[0];
    assert!(reason(cancel).starts_with("SIP;cause=480"), "{}", reason(cancel));
}

/// SIPRE-29: Timer C ends what no other timer does, and each 18x begins it anew.
#[test]
fn timer_c_ends_what_rings_for_ever() {
    let rules = [("emergency-call-back", "yes")];
    let (company, _) = called(&[("alice", Manner::rings())], &rules, 178);
    assert!(cancels(&company, "alice").is_empty(), "larger than three minutes");
    let (company, bob) = called(&[("alice", Manner::rings())], &rules, 190);
    assert_eq!(cancels(&company, "alice").len(), 1);
    assert_eq!(company.world[bob].answers.len(), 1);
}

/// SIPRE-30: the caller sees 181 and then the answer of the new target; the other telephones stop.
#[test]
fn a_deflected_call_goes_where_the_telephone_says() {
    for status in [302, 303] {
        let deflects = Manner::deflects_after(3, status, "sip:carol@example.test");
        let (mut company, bob) = scene(&[("alice", deflects), ("alice2", Manner::rings())], &[]);
        let carol = company.telephone("carol2", Manner::answers_after(1));
        company.wait(1);
        company.call(bob, invite("bob", "alice"));
        company.wait(10);
        assert_eq!(company.world[bob].answers, [200]);
        assert_eq!(company.world[bob].progress.iter().filter(|status| **status == 181).count(), 1);
        assert_eq!(company.world[carol].talking(), 1);
        assert_eq!(cancels(&company, "alice2").len(), 1);
    }
}

/// SIPRE-31: telephones that push a call on and on.
#[test]
fn a_call_that_is_pushed_on_and_on_comes_to_an_end() {
    let mut company = Company::new(1);
    for (name, next) in [("alice", "bob"), ("bob", "carol"), ("carol", "dave"), ("dave", "alice")] {
        company.telephone(name, Manner::deflects_after(1, 303, &format!("sip:{next}@example.test")));
    }
    let erin = company.somebody("erin", By::Tls);
    company.open();
    let call = umbel_sim::telephone::Invite::new("sip:alice@example.test", "erin@elsewhere.test");
    company.call(erin, call);
    company.wait(30);
    assert_eq!(company.invited(), ["alice", "bob", "carol", "dave"]);
    assert_eq!(company.world[erin].answers.len(), 1);
    assert!(company.world[erin].answers[0] >= 400);
}

/// RFC 3261 9.1, 16.7: an answer and the end of the ringing, in both orders and at the same moment. Whoever
/// answers in time has the call; there is one, and it can be hung up.
#[test]
fn an_answer_that_crosses_with_the_end_of_the_ringing_is_settled_either_way() {
    let mut outcomes = Vec::new();
    // The telephone has the INVITE at 1.034 and the CANCEL, sent at 21.030, at 21.034.
    for after in (19_985..=20_015).step_by(2) {
        let manner = Manner { rings: true, after: Duration::from_millis(after), then: Then::Answer };
        let (mut company, bob) = called(&[("alice", manner)], &[], 25);
        let who: Vec<&str> = company.invited();
        outcomes.push(who.len());
        assert!(company.world[bob].answers.iter().all(|status| *status == 200), "{after}");
        company.world.order(bob, Do::HangUp);
        company.wait(80);
        let byes = company.world.ladder().requests(&Method::Bye).filter(|(rung, _)| rung.from == "bob'");
        assert_eq!(byes.count(), company.world[bob].answers.len(), "{after}");
        assert!(company.world[company.server].is_at_rest(), "{after}");
    }
    // Both happened: the telephone's answer only, and voice mail as well or instead.
    assert!(outcomes.contains(&1) && outcomes.contains(&2), "{outcomes:?}");
}

/// RFC 3261 16.7, 13.2.2.4: two answer at once; the caller leaves it to the first, and nobody talks on alone.
#[test]
fn two_answers_at_once_leave_one_call() {
    let telephones = [("alice", Manner::answers_after(3)), ("alice2", Manner::answers_after(3))];
    let (company, bob) = called(&telephones, &[], 10);
    assert_eq!(company.world[bob].answers, [200, 200]);
    let byes = company.world.ladder().requests(&Method::Bye).filter(|(rung, _)| rung.from == "server");
    assert_eq!(byes.count(), 1);
}
