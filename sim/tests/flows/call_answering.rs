//! A stranger leaves a message, in all the ways in which that goes well or does not.

use std::time::Duration;

use umbel_sim::Office;
use umbel_sim::office::{By, PROXY, invite};
use umbel_sim::telephone::{Do, Invite};
use umbel_store::{CallKind, CallOutcome, Importance, MessageState, UserChange};
use umbel_um::Config;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// HDR-1, HDR-2, PEER-14, D1: the way most messages come.
#[test]
fn a_caller_speaks_and_hangs_up_and_the_message_is_saved() {
    let mut office = Office::new(7);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice").line("Subject: Budget").line("Priority: urgent"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(4)), secs(5));
    office.order(erin, Do::HangUp, secs(2));
    office.world.expect_ladder(include_str!("call_answering.ladder"));

    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!((message.subject.as_str(), message.importance), ("Budget", Importance::High));
    assert_eq!((message.caller.id.as_str(), message.caller.verified), ("erin@example.test", false));
    assert_eq!(message.state, MessageState::New);
    assert!(message.duration >= secs(4) && message.duration <= secs(6), "{:?}", message.duration);
    assert!(!message.incomplete && !message.damaged);
    let call = &office.server().calls()[0];
    assert_eq!((call.kind, call.outcome), (CallKind::CallAnswering, CallOutcome::MessageLeft));
    assert!(call.ended.is_some());
    assert!(office.server().is_at_rest());
}

/// The review menu: "saved" is said only after the store has said so (D1).
#[test]
fn a_caller_presses_pound_hears_it_again_and_sends_it() {
    let mut office = Office::new(7);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(3)), secs(3));
    office.order(erin, Do::Press("#"), secs(1));
    assert!(!office.server().has_said("deposit-saved"));
    let menu = office.server().said.clone();
    assert!(menu.len() > 3, "{menu:?}");
    office.server().said.clear();
    office.order(erin, Do::Press("1"), secs(4));
    assert!(office.server().has_said("+"), "{:?}", office.server().said);
    assert!(office.server().messages("alice@example.test").is_empty());
    office.order(erin, Do::Press("#"), secs(5));
    assert!(office.server().has_said("deposit-saved"), "{:?}", office.server().said);
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    // The key that ended it is not in it.
    assert!(messages[0].duration >= secs(2) && messages[0].duration < secs(4), "{:?}", messages[0].duration);
    assert_eq!(office.world[erin].hung_up_on, 1);
}

/// MISS-1.
#[test]
fn a_caller_who_hangs_up_in_the_greeting_is_a_missed_call() {
    let mut office = Office::new(7);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.order(erin, Do::HangUp, secs(2));
    assert!(office.server().messages("alice@example.test").is_empty());
    let missed = office.server().missed_calls("alice@example.test");
    assert_eq!(missed.len(), 1);
    assert_eq!(missed[0].caller.id, "erin@example.test");
    let call = &office.server().calls()[0];
    assert_eq!((call.kind, call.outcome), (CallKind::MissedCall, CallOutcome::NothingLeft));
    assert!(office.server().is_at_rest());
}

/// DEC-31: "silence is measured on audio and comfort noise that arrived"; the recording ends and is kept.
#[test]
fn a_caller_who_falls_silent_has_left_a_message_without_the_silence() {
    let mut office = Office::new(7);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(3)), secs(20));
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].duration < secs(6), "{:?}", messages[0].duration);
    assert!(office.server().has_said("deposit-saved"));
}

/// REL-10: "cut at the limit, kept and said so".
#[test]
fn a_message_that_is_too_long_is_cut_and_kept() {
    let mut office = Office::with(7, |config: &mut Config| config.recording.max = secs(3));
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(1);
    assert!(office.server().has_said("your-message-can-last"), "{:?}", office.server().said);
    office.wait(2);
    office.order(erin, Do::Speak(secs(10)), secs(5));
    assert!(office.server().has_said("limit-reached"), "{:?}", office.server().said);
    office.order(erin, Do::HangUp, secs(2));
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].duration <= secs(3) && messages[0].duration > secs(2), "{:?}", messages[0].duration);
}

/// "shorter is dropped": nothing worth keeping was said, so that the owner hears of a call.
#[test]
fn a_message_that_is_too_short_is_a_missed_call() {
    let mut office = Office::new(7);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.world.run_for(Duration::from_millis(2_000));
    office.order(erin, Do::Speak(Duration::from_millis(300)), Duration::from_millis(400));
    office.order(erin, Do::HangUp, secs(2));
    assert!(office.server().messages("alice@example.test").is_empty());
    assert_eq!(office.server().missed_calls("alice@example.test").len(), 1);
}

/// DEC-19: "full: 200, a notice, no tone, BYE".
#[test]
fn a_full_mailbox_is_said_to_be_full_and_takes_nothing() {
    let mut office = Office::new(7);
    let erin = office.caller("erin", By::Tcp);
    office.fill("alice@example.test");
    let before = office.server().messages("alice@example.test").len();
    office.call(erin, invite("erin", "alice"));
    office.wait(5);
    assert_eq!(office.world[erin].answers, [200]);
    assert!(office.server().has_said("mailbox-full"));
    assert!(!office.server().has_said("*"));
    assert_eq!(office.world[erin].hung_up_on, 1);
    assert_eq!(office.server().messages("alice@example.test").len(), before);
    assert_eq!(office.server().missed_calls("alice@example.test").len(), 1);
}

/// DEC-19, URI-4.
#[test]
fn an_unknown_mailbox_is_404_and_a_disabled_one_480() {
    let mut office = Office::new(7);
    office.server().change_user("bob@example.test", &[UserChange::Enabled(false)]);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "nobody"));
    office.call(erin, invite("erin", "bob"));
    office.wait(40);
    assert_eq!(office.world[erin].answers, [404, 480]);
    assert!(office.server().is_at_rest());
}

/// EUMR-20, DEC-18: whom a diversion names gets the message; a stranger's word leaves the number unverified.
#[test]
fn a_diverted_call_is_for_whom_it_was_for() {
    for (by, verified) in [(By::MutualTls(PROXY), true), (By::Tcp, false)] {
        let mut office = Office::new(7);
        let caller = office.caller("proxy", by);
        let diverted = Invite::new("sip:voicemail@example.test", "erin@elsewhere.test")
            .line("P-Asserted-Identity: <sip:erin@elsewhere.test>")
            .line("Diversion: <sip:alice@example.test>;reason=no-answer");
        office.call(caller, diverted);
        office.wait(2);
        office.order(caller, Do::Speak(secs(3)), secs(4));
        office.order(caller, Do::HangUp, secs(2));
        let messages = office.server().messages("alice@example.test");
        assert_eq!(messages.len(), 1, "{by:?}");
        assert_eq!(messages[0].caller.verified, verified, "{by:?}");
    }
}

/// EUMR-23.
#[test]
fn a_malformed_diversion_is_an_error() {
    let mut office = Office::new(7);
    let proxy = office.caller("proxy", By::MutualTls(PROXY));
    office.call(proxy, invite("erin", "voicemail").line("Diversion: <sip:alice@example.test"));
    assert_eq!(office.world[proxy].answers, [400]);
    let (pin, rule) = office.why_pin(proxy);
    assert_eq!(
        (pin.as_str(), rule.as_str()),
        ("none", "Diversion cannot be read, and is not guessed at (EUMR-23)")
    );
}

/// The owner's own greeting is heard in place of ours, from the first packet on (DEC-44).
#[test]
fn callers_hear_the_greeting_that_the_owner_recorded() {
    let mut office = Office::new(7);
    office.server().record_greeting("alice@example.test");
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(3);
    assert_eq!(office.server().said, ["+", "*"]);
    assert!(office.world[erin].packets > 50);
}

/// REL-38: a greeting that cannot be read must not cost the message.
#[test]
fn a_greeting_that_comes_too_late_is_done_without() {
    let mut office = Office::new(7);
    office.server().record_greeting("alice@example.test");
    let erin = office.caller("erin", By::Tcp);
    // Look-up and mailbox in time, the greeting not.
    office.server().store_is.slow = Duration::from_millis(800);
    office.call(erin, invite("erin", "alice"));
    office.wait(3);
    assert_eq!(office.world[erin].answers, [200]);
    assert!(office.server().has_said("leave-message"), "{:?}", office.server().said);
}

/// REL-08: two callers in one mailbox at once, each with a message of their own.
#[test]
fn two_callers_at_once_leave_two_messages() {
    let mut office = Office::new(7);
    let (erin, dan) = (office.caller("erin", By::Tcp), office.caller("dan", By::Tls));
    office.call(erin, invite("erin", "alice"));
    office.call(dan, invite("dan", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(3)), Duration::ZERO);
    office.order(dan, Do::Speak(secs(4)), secs(5));
    office.order(dan, Do::HangUp, Duration::ZERO);
    office.order(erin, Do::HangUp, secs(2));
    let messages = office.server().messages("alice@example.test");
    let mut callers: Vec<_> = messages.iter().map(|message| message.caller.id.clone()).collect();
    callers.sort();
    assert_eq!(callers, ["dan@example.test", "erin@example.test"]);
}

/// DEC-19: "a malformed Ms-Sensitivity at the UM server is ignored"; a good one asks nothing of us either.
#[test]
fn the_sensitivity_of_a_call_to_us_changes_nothing() {
    for value in ["secret", "private-no-diversion", "private;x=y"] {
        let mut office = Office::new(7);
        let erin = office.caller("erin", By::Tcp);
        office.call(erin, invite("erin", "alice").line(&format!("Ms-Sensitivity: {value}")));
        office.wait(3);
        assert_eq!(office.world[erin].answers, [200], "{value}");
        assert!(office.server().has_said("*"), "{value}");
    }
}
