//! REL-25: a panic in one call is the end of that call, and of nothing else.

use std::time::Duration;

use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::Do;
use umbel_sim::{Office, Place, Telephone};
use umbel_store::CallOutcome;
use umbel_um::Alarm;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Two callers, both speaking; the first one's review menu will break.
fn two_callers() -> (Office, Place<Telephone>, Place<Telephone>) {
    let mut office = Office::new(25);
    let (erin, frank) = (office.caller("erin", By::Tcp), office.caller("frank", By::Tcp));
    office.call(erin, invite("erin", "alice"));
    office.call(frank, invite("frank", "bob"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(20)), secs(0));
    office.order(frank, Do::Speak(secs(20)), secs(5));
    office.server().break_at("choice/send");
    (office, erin, frank)
}

#[test]
fn a_media_event_that_breaks_a_call_leaves_its_recording_and_the_other_call() {
    let (mut office, erin, frank) = two_callers();
    office.order(erin, Do::Press("#"), secs(2));
    assert_eq!(office.world[erin].hung_up_on, 1);
    let kept = office.server().messages("alice@example.test");
    assert_eq!(kept.len(), 1);
    assert!(kept[0].duration > secs(4), "{:?}", kept[0].duration);
    assert!(matches!(office.server().alarms.as_slice(), [Alarm::CallBroke { .. }]));

    assert!(office.world[frank].is_talking());
    office.order(frank, Do::HangUp, secs(2));
    let whole = office.server().messages("bob@example.test");
    assert!(whole[0].duration > secs(6), "{:?}", whole[0].duration);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

#[test]
fn a_store_reply_that_breaks_a_call_leaves_the_other_call() {
    let (mut office, erin, frank) = two_callers();
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.server().break_at("you-have-no-new-messages");
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(1);
    assert_eq!(
        (office.world[alice].answers.as_slice(), office.world[alice].hung_up_on),
        ([200].as_slice(), 1)
    );
    for caller in [erin, frank] {
        assert!(office.world[caller].is_talking());
        office.order(caller, Do::HangUp, secs(2));
    }
    for mailbox in ["alice@example.test", "bob@example.test"] {
        assert_eq!(office.server().messages(mailbox).len(), 1);
    }
    let calls = office.server().calls();
    let broken = calls.iter().find(|call| call.from.starts_with("alice")).expect("alice called");
    assert!(broken.ended.is_some());
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// The answer has left by then, so that the caller is hung up on.
#[test]
fn a_call_that_breaks_at_its_first_word_is_hung_up() {
    let mut office = Office::new(25);
    office.server().break_at("leave-message");
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(1);
    assert_eq!((office.world[erin].answers.as_slice(), office.world[erin].hung_up_on), ([200].as_slice(), 1));
    assert_eq!(office.server().calls()[0].outcome, CallOutcome::Failed);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// Erin leaves alice a message, hears it again and sends it, unless something breaks on the way.
fn a_whole_deposit(breaks_at: &'static str) -> Office {
    let mut office = Office::new(26);
    let erin = office.caller("erin", By::Tcp);
    office.server().break_at(breaks_at);
    office.call(erin, invite("erin", "alice"));
    office.wait(3);
    office.order(erin, Do::Speak(secs(3)), secs(3));
    for keys in ["#", "1", "3", "#"] {
        office.order(erin, Do::Press(keys), secs(4));
    }
    office.order(erin, Do::HangUp, secs(40));
    office
}

/// I5, MISS-1: wherever a call breaks, it leaves either a message or a missed call, and nothing else.
#[test]
fn wherever_a_deposit_breaks_the_owner_learns_of_the_call_once() {
    let whole = a_whole_deposit("nowhere").server().said.clone();
    let prompts: std::collections::BTreeSet<&str> = [
        "leave-message",
        "choice/listen",
        "choice/urgent",
        "press",
        "marked-urgent",
        "deposit-saved",
        "goodbye",
    ]
    .into();
    for prompt in prompts {
        assert!(whole.iter().any(|said| said == prompt), "{prompt} is not said at all: {whole:?}");
        let mut office = a_whole_deposit(prompt);
        let messages = office.server().messages("alice@example.test").len();
        let missed = office.server().missed_calls("alice@example.test").len();
        assert_eq!(messages + missed, 1, "{prompt}: {messages} messages, {missed} missed calls");
        assert_eq!(office.server().alarms.len(), 1, "{prompt}");
        assert!(office.server().is_at_rest(), "{prompt}");
    }
}
