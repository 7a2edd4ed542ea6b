//! 3.2.2: "If an INVITE contains the Ms-Sensitivity: private-no-diversion header, unanswered call forwarding
//! and immediate call forwarding MUST NOT be applied." Each case with both values that forbid diversion, and
//! with those that do not.

use umbel_proxy::forwarding::WhenForwarding;
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, NUMBER, UM, UM2, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite};
use umbel_sim::{Place, Telephone};
use umbel_sip_message::{HeaderName, Response};

/// The values that forbid diversion.
const FORBIDDING: [&str; 2] = ["private-no-diversion", "normal-no-diversion"];
/// The others; the empty one stands for no header.
const ALLOWING: [&str; 3] = ["", "normal", "private"];

/// A company in which alice has these rules, everybody has a telephone, and voice mail and the gateway answer.
struct Scene {
    company: Company,
    caller: Place<Telephone>,
}

impl Scene {
    fn new(alice: Manner, rules: &[(&str, &str)]) -> Scene {
        let mut company = Company::new(1);
        Scene::furnish(&mut company, rules);
        company.telephone("alice", alice);
        Scene::open(company, "bob")
    }

    fn furnish(company: &mut Company, rules: &[(&str, &str)]) {
        company.in_place_of_unified_messaging("um", UM, Manner::answers());
        company.gateway(Manner::answers_after(2));
        company.telephone("carol", Manner::answers_after(2));
        company.telephone("dave", Manner::answers_after(3));
        for (rule, value) in rules {
            company.set_rule("alice", rule, value);
        }
    }

    fn open(mut company: Company, caller: &str) -> Scene {
        let caller = company.user(caller, By::Tls);
        company.open();
        Scene { company, caller }
    }

    /// Play-On-Phone's shape: by a unified messaging server in alice's name. It is the second one's, so that
    /// nobody takes the call for one to `um`.
    fn by_a_unified_messaging_server(mut company: Company) -> Scene {
        let caller = company.somebody("um2", By::MutualTls(UM2));
        company.open();
        Scene { company, caller }
    }

    /// The call; what became of it after a minute and a half.
    fn call(mut self, from: &str, sensitivity: &str) -> Outcome {
        self.company.call(self.caller, sensitive(from, sensitivity));
        self.company.wait(26);
        self.company.world.order(self.caller, Do::HangUp);
        self.company.wait(64);
        let caller = &self.company.world[self.caller];
        let (answers, progress) = (caller.answers.clone(), caller.progress.clone());
        let response = caller.last_response.clone();
        Outcome {
            answers,
            progress,
            invited: self.company.invited().into_iter().map(str::to_owned).collect(),
            response,
            company: self.company,
        }
    }
}

struct Outcome {
    company: Company,
    answers: Vec<u16>,
    progress: Vec<u16>,
    invited: Vec<String>,
    response: Option<Response>,
}

impl Outcome {
    /// Those who were invited, and the answer.
    #[track_caller]
    fn is(&self, invited: &[&str], answer: u16) {
        assert_eq!(self.invited, invited);
        assert_eq!(self.answers, [answer]);
    }

    /// The same, for a call that could not be diverted: no 181 either.
    #[track_caller]
    fn is_undiverted(&self, invited: &[&str], answer: u16) {
        self.is(invited, answer);
        assert!(!self.progress.contains(&181), "{:?}", self.progress);
    }

    fn diagnostics(&self) -> String {
        let response = self.response.as_ref().expect("an answer");
        let value = response.headers().get(&HeaderName::MsDiagnostics).unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    }
}

fn sensitive(from: &str, sensitivity: &str) -> Invite {
    let call = invite(from, "alice");
    if sensitivity.is_empty() { call } else { call.line(&format!("Ms-Sensitivity: {sensitivity}")) }
}

/// OCEXUM-2.2.2-2, OCEXUM-3.2-2, SENS-11, LOOP-4. Row 9.
#[test]
fn an_unanswered_call_does_not_go_to_voice_mail() {
    for value in FORBIDDING {
        let outcome = Scene::new(Manner::rings(), &[]).call("bob", value);
        outcome.is_undiverted(&["alice"], 480);
        assert!(outcome.diagnostics().starts_with("13002;reason="), "{}", outcome.diagnostics());
        outcome
            .company
            .world
            .expect_ladder(&include_str!("s3_2_2_unanswered.ladder").replace("private-no-diversion", value));
    }
}

/// OCEXUM-2.2.2-2, SIPRE-21. Row 16: the control.
#[test]
fn an_unanswered_call_that_may_be_diverted_goes_to_voice_mail() {
    for value in ALLOWING {
        let outcome = Scene::new(Manner::rings(), &[]).call("bob", value);
        outcome.is(&["alice", "um"], 200);
        assert_eq!(outcome.progress, [180, 181]);
    }
    let outcome = Scene::new(Manner::rings(), &[]).call("bob", "");
    outcome.company.world.expect_ladder(include_str!("s3_2_2_unanswered_and_diverted.ladder"));
}

/// OCEXUM-3.2-3, OCEXUM-3.2.2-1. Row 10: unanswered call forwarding.
#[test]
fn an_unanswered_call_is_not_forwarded() {
    for (target, place) in [("carol@example.test", "carol"), (NUMBER, "gateway"), ("1004", "dave")] {
        let rules = [("forward-unanswered", target)];
        for value in FORBIDDING {
            Scene::new(Manner::rings(), &rules).call("bob", value).is_undiverted(&["alice"], 480);
        }
        for value in ALLOWING {
            Scene::new(Manner::rings(), &rules).call("bob", value).is(&["alice", place], 200);
        }
    }
}

/// OCEXUM-3.2-3, SENS-10, DEC-22. Row 11: immediate call forwarding.
#[test]
fn immediate_forwarding_is_not_applied() {
    for (target, place) in [("voicemail", "um"), ("carol@example.test", "carol"), (NUMBER, "gateway")] {
        let rules = [("forward-immediate", target)];
        for value in FORBIDDING {
            Scene::new(Manner::rings(), &rules).call("bob", value).is_undiverted(&["alice"], 480);
            Scene::new(Manner::answers_after(3), &rules).call("bob", value).is_undiverted(&["alice"], 200);
        }
        for value in ALLOWING {
            Scene::new(Manner::rings(), &rules).call("bob", value).is(&[place], 200);
        }
    }
}

/// SENS-10, DEC-22: what [MS-SIPRE] 3.9.5.2.2.1 recommends.
#[test]
fn by_the_other_policy_a_call_that_would_be_forwarded_fails_at_once() {
    for value in FORBIDDING {
        let mut company = Company::with(1, |config| config.when_forwarding = WhenForwarding::Fail);
        Scene::furnish(&mut company, &[("forward-immediate", "carol@example.test")]);
        company.telephone("alice", Manner::rings());
        let mut scene = Scene::open(company, "bob");
        scene.company.call(scene.caller, sensitive("bob", value));
        scene.company.wait(1);
        assert_eq!(scene.company.world[scene.caller].answers, [480]);
        assert_eq!(scene.company.invited(), [""; 0]);
    }
}

/// SENS-13. Row 12.
#[test]
fn whoever_is_not_registered_is_unavailable_at_once() {
    for value in FORBIDDING {
        let mut company = Company::new(1);
        Scene::furnish(&mut company, &[("forward-unanswered", "carol@example.test")]);
        let mut scene = Scene::open(company, "bob");
        scene.company.call(scene.caller, sensitive("bob", value));
        scene.company.wait(1);
        assert_eq!(scene.company.world[scene.caller].answers, [480]);
        assert_eq!(scene.company.invited(), [""; 0]);
    }
    for value in ALLOWING {
        let mut company = Company::new(1);
        Scene::furnish(&mut company, &[]);
        Scene::open(company, "bob").call("bob", value).is(&["um"], 200);
    }
}

/// SENS-12. Row 13: 486 and 603 are the answer, and nothing else happens.
#[test]
fn busy_and_declined_are_told_to_the_caller() {
    for status in [486, 603, 600, 404, 480] {
        for value in FORBIDDING {
            let rules = [("forward-unanswered", "carol@example.test")];
            let alice = Manner::refuses_after(2, status);
            Scene::new(alice, &rules).call("bob", value).is_undiverted(&["alice"], status);
        }
    }
    for value in ALLOWING {
        Scene::new(Manner::refuses_after(2, 486), &[]).call("bob", value).is(&["alice", "um"], 200);
        // SIPRE-27: declined is declined.
        Scene::new(Manner::refuses_after(2, 603), &[]).call("bob", value).is(&["alice"], 603);
    }
}

/// SENS-15, SEC-37. Row 13: a telephone points elsewhere.
#[test]
fn a_deflection_is_not_followed() {
    let targets = [
        ("sip:alice@example.test;opaque=app:voicemail", "um"),
        ("sip:carol@example.test", "carol"),
        ("sip:+15555550100@example.test;user=phone", "gateway"),
    ];
    for status in [302, 303] {
        for (target, place) in targets {
            for value in FORBIDDING {
                let outcome = Scene::new(Manner::deflects_after(2, status, target), &[]).call("bob", value);
                outcome.is_undiverted(&["alice"], 480);
            }
            for value in ALLOWING {
                let outcome = Scene::new(Manner::deflects_after(2, status, target), &[]).call("bob", value);
                outcome.is(&["alice", place], 200);
                assert_eq!(outcome.progress.get(..2), Some(&[180, 181][..]));
            }
        }
    }
}

/// SENS-6, SENS-8. Row 14: a team and delegates.
#[test]
fn neither_team_nor_delegates_ring() {
    for rule in ["team", "delegates"] {
        let rules = [(rule, "carol@example.test, dave@example.test")];
        for value in FORBIDDING {
            Scene::new(Manner::rings(), &rules).call("bob", value).is_undiverted(&["alice"], 480);
        }
        for value in ALLOWING {
            let outcome = Scene::new(Manner::rings(), &rules).call("bob", value);
            assert_eq!(outcome.invited.first().map(String::as_str), Some("alice"));
            assert!(outcome.invited.iter().any(|who| who == "carol"), "{:?}", outcome.invited);
            assert!(outcome.invited.iter().any(|who| who == "dave"), "{:?}", outcome.invited);
            assert_eq!(outcome.answers, [200]);
        }
    }
}

/// SENS-9. Row 14: alice's own telephones, which she does not want to be rung by others.
#[test]
fn play_on_phone_rings_telephones_that_are_to_be_skipped() {
    let rules = [("team", "carol@example.test"), ("skip-own-telephones", "yes")];
    for value in FORBIDDING {
        let mut company = Company::new(1);
        Scene::furnish(&mut company, &rules);
        company.telephone("alice", Manner::answers_after(2));
        Scene::by_a_unified_messaging_server(company).call("alice", value).is_undiverted(&["alice"], 200);
        // Others than alice have nobody to ring.
        Scene::new(Manner::answers_after(2), &rules).call("bob", value).is_undiverted(&[], 480);
    }
    for value in ALLOWING {
        Scene::new(Manner::answers_after(2), &rules).call("bob", value).is(&["carol"], 200);
    }
}

/// SENS-7. Row 15.
#[test]
fn the_second_device_rings_all_the_same() {
    for value in FORBIDDING {
        let outcome = Scene::new(Manner::rings(), &[("ring-also", NUMBER)]).call("bob", value);
        outcome.is_undiverted(&["alice", "gateway"], 200);
        // DEC-20: but not while all calls are forwarded.
        let rules = [("ring-also", NUMBER), ("forward-immediate", "voicemail")];
        Scene::new(Manner::rings(), &rules).call("bob", value).is_undiverted(&["alice"], 480);
    }
    for value in ALLOWING {
        Scene::new(Manner::rings(), &[("ring-also", NUMBER)])
            .call("bob", value)
            .is(&["alice", "gateway"], 200);
    }
}

/// DIAG-2, section 5.6. Row 17: insiders are told why, strangers a number without the server's name.
#[test]
fn diagnostics_are_for_those_inside() {
    for value in FORBIDDING {
        let inside = Scene::new(Manner::rings(), &[]).call("bob", value);
        assert!(inside.diagnostics().contains("source=\"proxy.example.test\""), "{}", inside.diagnostics());
        let mut company = Company::new(1);
        Scene::furnish(&mut company, &[]);
        company.telephone("alice", Manner::rings());
        let erin = company.somebody("erin", By::Tls);
        company.open();
        let call = sensitive("erin", value);
        let call = Invite { from: "<sip:erin@elsewhere.test>".to_owned(), ..call };
        company.call(erin, call);
        company.wait(30);
        assert_eq!(company.world[erin].answers, [480]);
        let response = company.world[erin].last_response.as_ref().expect("an answer").as_bytes().to_vec();
        let text = String::from_utf8_lossy(&response).to_ascii_lowercase();
        assert!(text.contains("\r\nms-diagnostics-public: 13002;reason="), "{text}");
        assert!(!text.contains("\r\nms-diagnostics:") && !text.contains("source="), "{text}");
    }
}

/// SENS-14, REG-5, SEC-40. Row 18: From = To by a unified messaging server rings; by anybody else it does not.
#[test]
fn a_call_in_the_callees_own_name_is_for_those_who_may() {
    for value in FORBIDDING {
        let scene = || {
            let mut company = Company::new(1);
            Scene::furnish(&mut company, &[]);
            company.telephone("alice", Manner::answers_after(2));
            company
        };
        Scene::by_a_unified_messaging_server(scene()).call("alice", value).is_undiverted(&["alice"], 200);
        // Alice herself, from another of her telephones.
        Scene::open(scene(), "alice").call("alice", value).is_undiverted(&["alice"], 200);
        // Bob, who has a password, and in alice's name.
        Scene::open(scene(), "bob").call("alice", value).is_undiverted(&[], 403);
        // Somebody with a certificate of his own, without a password.
        let mut company = scene();
        let caller = company.somebody("mallory", By::MutualTls("mallory.test"));
        company.open();
        Scene { company, caller }.call("alice", value).is_undiverted(&[], 407);
    }
}

/// SENS-2, SENS-3, SENS-4, SEC-36. Row 19.
#[test]
fn what_is_not_one_of_the_four_values_is_refused() {
    let twice = |value: &str| format!("{value}\r\nMs-Sensitivity: {value}");
    for value in [
        "secret".to_owned(),
        "private-no-diversion;x=y".to_owned(),
        "\"private-no-diversion\"".to_owned(),
        "normal, private-no-diversion".to_owned(),
        twice("private-no-diversion"),
        twice("normal"),
    ] {
        let outcome = Scene::new(Manner::answers_after(2), &[]).call("bob", &value);
        outcome.is_undiverted(&[], 400);
        let response = outcome.response.as_ref().expect("an answer").as_bytes().to_vec();
        let text = String::from_utf8_lossy(&response).to_ascii_lowercase();
        // Nobody has been authenticated yet.
        assert!(text.contains("\r\nms-diagnostics-public: 13003;"), "{value}: {text}");
    }
    for value in ["Private-No-Diversion", "NORMAL-NO-DIVERSION"] {
        Scene::new(Manner::rings(), &[]).call("bob", value).is_undiverted(&["alice"], 480);
    }
}

/// SENS-5, SEC-38, OCEXUM-4-6: as it came, on every branch.
#[test]
fn every_branch_carries_the_header_unchanged() {
    for value in ["private-no-diversion", "Normal-NO-diversion", "private"] {
        let mut company = Company::new(1);
        Scene::furnish(&mut company, &[("ring-also", NUMBER)]);
        company.telephone("alice", Manner::rings());
        company.telephone("alice2", Manner::rings());
        let outcome = Scene::open(company, "bob").call("bob", value);
        for who in ["alice", "alice2", "gateway"] {
            let invites = outcome.company.invites("server", who);
            assert_eq!(invites.len(), 1, "{who}");
            let text = String::from_utf8_lossy(invites[0].as_bytes()).into_owned();
            assert_eq!(text.matches(&format!("\r\nMs-Sensitivity: {value}\r\n")).count(), 1, "{text}");
        }
    }
}
