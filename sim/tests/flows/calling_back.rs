//! Calling back who left a message, from the telephone's menu: SEC-90, XFER-1, XFER-5, DEC-13. The telephone is sent on
//! by REFER and makes the call itself; each element by its real brain.

use umbel_phone::Config;
use umbel_play_on_phone::DiallingRules;
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, NUMBER, UM};
use umbel_sim::handset::{Handset, Told};
use umbel_sim::{Place, UnifiedMessaging};
use umbel_sip_message::{HeaderName, Method};

const ALICE: &str = "alice@example.test";

struct Scene {
    company: Company,
    um: Place<UnifiedMessaging>,
    alice: Place<Handset>,
}

/// Alice has called her voice mail without a PIN and has heard the one message, which this caller left.
fn scene(caller: &str, verified: bool, bob: Manner, alice: impl FnOnce(&mut Config)) -> Scene {
    let mut company = Company::new(1);
    let um = company.unified_messaging_with("um", UM, |config| {
        config.play_on_phone.rules = DiallingRules::new(["+1555*".parse().expect("a rule")]);
    });
    company.telephone("bob", bob);
    company.gateway(Manner::answers_after(1));
    let alice = company.handset("alice", |config| {
        config.lines = 2;
        alice(config);
    });
    company.world[um].leave_message_of(ALICE, 1, (caller, verified), &[0x91; 8_000]);
    company.open();
    company.world.order(alice, Told::CallVoiceMail);
    let mut scene = Scene { company, um, alice };
    scene.wait_for("you-have");
    scene.press("1");
    scene.wait_for("choice/call-back");
    scene.company.world.forget_ladder();
    scene
}

impl Scene {
    fn press(&mut self, keys: &'static str) {
        self.company.world.order(self.alice, Told::Press(keys));
    }

    #[track_caller]
    fn wait_for(&mut self, prompt: &str) {
        for _ in 0..600 {
            if self.company.world[self.um].has_said(prompt) {
                return;
            }
            self.company.world.run_for(std::time::Duration::from_millis(100));
        }
        panic!("{prompt}: {:?}", self.company.world[self.um].said);
    }

    fn refers(&self) -> Vec<String> {
        let refers =
            self.company.world.ladder().requests(&Method::Refer).filter(|(rung, _)| rung.from == "um");
        refers
            .map(|(_, refer)| refer.headers().get_text(&HeaderName::ReferTo).unwrap_or_default().into_owned())
            .collect()
    }

    /// Whom the protocol server has rung since.
    fn rung(&self) -> Vec<&str> {
        self.company.invited()
    }
}

/// A user here: no PIN; they talk, and we are out of it.
#[test]
fn a_user_is_called_back_and_they_talk() {
    for caller in ["bob@example.test", "1002"] {
        let mut scene = scene(caller, true, Manner::answers_after(2), |_| {});
        scene.press("8");
        scene.company.wait(6);
        assert_eq!(scene.refers(), ["<sip:bob@example.test>"], "{caller}");
        assert_eq!(scene.rung(), ["bob"]);
        assert!(!scene.company.world[scene.um].has_said("enter-current-pin"));
        let refer = scene.company.world.ladder().requests(&Method::Refer).next().expect("one").1.clone();
        assert_eq!(
            refer.headers().get_text(&HeaderName::ReferredBy).as_deref(),
            Some("<sip:alice@example.test>")
        );
        assert_eq!(scene.company.world[scene.um].call_count(), 0);
        assert_eq!(scene.company.world[scene.alice].call_count(), 1, "with bob");
        let call_id = scene.company.world[scene.um].calls()[0].call_id.clone();
        let decisions = scene.company.world[scene.um].decisions(&call_id);
        assert!(decisions.iter().any(|decision| decision.rule.contains("SEC-90")), "{decisions:?}");
    }
}

/// Nobody answers, or whoever it is is busy: it is said, and the mailbox is still there.
#[test]
fn who_does_not_answer_is_said_to_be_so() {
    let mut scene = scene("bob@example.test", true, Manner::refuses_after(1, 603), |_| {});
    scene.press("8");
    scene.wait_for("not-reached");
    scene.company.wait(3);
    assert_eq!(scene.company.world[scene.um].call_count(), 1, "the mailbox is still there");
    scene.press("7");
    scene.wait_for("deleted");
}

/// A telephone that sends nobody on says so, and so is it said.
#[test]
fn a_telephone_that_takes_no_refer_stays_in_the_mailbox() {
    let mut scene =
        scene("bob@example.test", true, Manner::answers_after(1), |config| config.transfers = false);
    scene.press("8");
    scene.wait_for("not-reached");
    assert!(scene.rung().is_empty());
    assert_eq!(scene.company.world[scene.um].call_count(), 1);
}

/// SEC-90, DEC-13: a number outside, by the rules and with the PIN.
#[test]
fn a_number_outside_is_called_back_with_the_pin() {
    let mut scene = scene(NUMBER, true, Manner::rings(), |_| {});
    scene.press("8");
    scene.wait_for("enter-current-pin");
    assert!(scene.refers().is_empty());
    scene.press("274950#");
    scene.company.wait(14);
    assert_eq!(scene.refers(), ["<sip:+15555550100@example.test;user=phone>"]);
    assert_eq!(scene.rung(), ["gateway"]);
}

/// SEC-44, SEC-90, DEC-18: what the rules do not allow, or nobody vouches for, or nobody knows, is not called.
#[test]
fn what_may_not_be_called_is_not_called() {
    for (caller, verified, said) in [
        ("+4930123456", true, "may-not-be-called"),
        (NUMBER, false, "may-not-be-called"),
        ("5551234", true, "may-not-be-called"),
        ("erin@elsewhere.test", true, "not-reached"),
        ("1002@elsewhere.test", true, "not-reached"),
        ("", false, "not-reached"),
    ] {
        let mut scene = scene(caller, verified, Manner::answers_after(1), |_| {});
        scene.press("8");
        scene.wait_for(said);
        assert!(scene.refers().is_empty(), "{caller}");
        assert!(scene.rung().is_empty(), "{caller}");
    }
}
