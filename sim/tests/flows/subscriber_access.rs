//! An owner at the mailbox, with the PIN and without.

use std::time::Duration;

use umbel_sim::Office;
use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::{Do, Invite};
use umbel_store::{CallKind, CallOutcome, MessageState};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An office in which erin has left alice a message of four seconds.
fn with_a_message(seed: u64) -> Office {
    let mut office = Office::new(seed);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(4)), secs(4));
    office.order(erin, Do::HangUp, secs(2));
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
    office.server().said.clear();
    office
}

/// OCEXUM-3.1.2-2.
#[test]
fn with_the_pin() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(1);
    office.order(alice, Do::Press("274950#"), secs(3));
    office.order(alice, Do::HangUp, secs(1));
    office.world.expect_ladder(include_str!("subscriber_access_with_pin.ladder"));
    let call = &office.server().calls()[0];
    assert_eq!((call.pin.as_str(), call.outcome), ("prompted", CallOutcome::MailboxOpened));
    assert!(office.server().is_at_rest());
}

/// OCEXUM-3.1.2-1, CMD-10.
#[test]
fn with_skip_pin_over_mutual_tls() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(2);
    office.order(alice, Do::HangUp, secs(1));
    office.world.expect_ladder(include_str!("subscriber_access_with_skip_pin.ladder"));
    let call = &office.server().calls()[0];
    assert_eq!((call.pin.as_str(), call.outcome), ("skipped", CallOutcome::MailboxOpened));
}

/// SEC-01.
#[test]
fn with_skip_pin_over_tcp() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(1);
    office.order(alice, Do::HangUp, secs(1));
    office.world.expect_ladder(include_str!("subscriber_access_with_skip_pin_over_tcp.ladder"));
    assert_eq!(office.server().calls()[0].outcome, CallOutcome::AccessDenied);
}

/// The message is heard whole, and is old after that.
#[test]
fn a_message_is_heard_to_its_end_and_counts_as_heard() {
    let mut office = with_a_message(5);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(3);
    let packets = office.world[alice].packets;
    office.order(alice, Do::Press("1"), secs(12));
    assert!(office.server().has_said("+"), "{:?}", office.server().said);
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages[0].state, MessageState::Old);
    // Four seconds of it are 200 packets.
    assert!(office.world[alice].packets - packets > 200, "{}", office.world[alice].packets);
}

/// CMD-7, 8.3: nothing is known of the caller: mailbox and PIN are asked.
#[test]
fn an_anonymous_caller_at_the_pilot_says_mailbox_and_pin() {
    let mut office = Office::new(3);
    let somebody = office.caller("erin", By::Tcp);
    office.call(somebody, Invite::new("sip:voicemail@example.test", "anonymous@anonymous.invalid"));
    office.wait(2);
    assert!(office.server().has_said("enter-mailbox"), "{:?}", office.server().said);
    office.order(somebody, Do::Press("1001#"), secs(3));
    office.order(somebody, Do::Press("274950#"), secs(4));
    assert!(office.server().ops.iter().any(|op| op == "OpenMailbox"), "{:?}", office.server().said);
    assert_eq!(office.why_pin(somebody).0, "prompted");
}

/// SEC-86: "unknown mailbox and wrong PIN: same prompts".
#[test]
fn an_unknown_mailbox_sounds_like_a_wrong_pin() {
    let mut heard = Vec::new();
    for (mailbox, pin) in [("1001#", "111222#"), ("9999#", "111222#")] {
        let mut office = Office::new(3);
        let somebody = office.caller("erin", By::Tcp);
        office.call(somebody, Invite::new("sip:voicemail@example.test", "anonymous@anonymous.invalid"));
        office.wait(2);
        office.order(somebody, Do::Press(mailbox), secs(3));
        office.order(somebody, Do::Press(pin), secs(4));
        let checks = office.server().ops.iter().filter(|op| *op == "CheckPin").count();
        assert_eq!(checks, 1, "{mailbox}");
        heard.push(office.server().said.clone());
    }
    assert_eq!(heard[0], heard[1]);
}

/// SEC-84: "3 tries, then goodbye".
#[test]
fn after_three_wrong_pins_the_call_is_over() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(1);
    for _try in 0..3 {
        office.order(alice, Do::Press("111222#"), secs(4));
    }
    office.wait(5);
    assert_eq!(office.world[alice].hung_up_on, 1);
    assert_eq!(office.server().ops.iter().filter(|op| *op == "CheckPin").count(), 3);
    assert!(!office.server().ops.iter().any(|op| op == "OpenMailbox"));
}

/// DEC-16: "none becomes prompted when * leads to the log-in".
#[test]
fn star_in_any_greeting_leads_to_the_log_in() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, Invite::new("sip:alice@example.test", "payphone@elsewhere.test"));
    assert_eq!(office.why_pin(alice).0, "none");
    office.order(alice, Do::Press("*"), secs(2));
    assert_eq!(office.why_pin(alice).0, "prompted");
    office.order(alice, Do::Press("274950#"), secs(3));
    assert!(office.server().ops.iter().filter(|op| *op == "OpenMailbox").count() > 1);
    assert!(office.server().messages("alice@example.test").is_empty());
    office.order(alice, Do::HangUp, secs(1));
    let call = &office.server().calls()[0];
    assert_eq!((call.kind, call.outcome), (CallKind::SubscriberAccess, CallOutcome::MailboxOpened));
}

/// EUMR-21: a caller whose own telephone is diverted hears the PIN prompt.
#[test]
fn an_own_call_that_was_diverted_asks_the_pin() {
    let mut office = Office::new(3);
    let proxy = office.caller("proxy", By::MutualTls(PROXY));
    let diverted =
        to_own_voice_mail("alice").skip_pin().line("Diversion: <sip:alice@example.test>;reason=user-busy");
    office.call(proxy, diverted);
    office.wait(1);
    assert!(office.server().has_said("enter-pin"));
    assert_eq!(
        office.why_pin(proxy),
        (
            "prompted".to_owned(),
            "P5 call-was-moved: the call was diverted or transferred on its way".to_owned()
        )
    );
}

/// MED-4: digits by INFO serve where there are no others.
#[test]
fn a_pin_may_be_keyed_by_info() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(1);
    for key in "274950#".chars() {
        office.order(alice, Do::PressByInfo(key), Duration::from_millis(300));
    }
    office.wait(2);
    assert!(office.server().ops.iter().any(|op| op == "OpenMailbox"), "{:?}", office.server().said);
}

/// SEC-88: the digits of a PIN are in no operation, no record and no ladder.
#[test]
fn no_digit_of_a_pin_is_ever_printed() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(1);
    office.order(alice, Do::Press("274950#"), secs(3));
    let call_id = office.world[alice].call_id();
    let decisions = format!("{:?}", office.server().decisions(&call_id));
    let calls = format!("{:?}", office.server().calls());
    let ladder = office.world.ladder().print();
    for text in [decisions, calls, ladder] {
        assert!(!text.contains("274950"), "{text}");
    }
}

/// Rewind and forward stay within the message, and what is paused goes on where it was.
#[test]
fn a_message_can_be_paused_and_rewound() {
    let mut office = with_a_message(5);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(3);
    office.order(alice, Do::Press("1"), secs(5));
    assert!(office.server().has_said("+"), "{:?}", office.server().said);
    office.order(alice, Do::Press("2"), secs(20));
    let before = office.server().messages("alice@example.test");
    assert_eq!(before[0].state, MessageState::New);
    office.order(alice, Do::Press("2"), secs(10));
    assert_eq!(office.server().messages("alice@example.test")[0].state, MessageState::Old);
    let played = office.server().said.iter().filter(|said| *said == "+").count();
    assert_eq!(played, 1, "{:?}", office.server().said);
}

/// Delete and undelete (REL-07): deleted ones can be brought back.
#[test]
fn a_message_is_deleted_by_a_key_and_kept_among_the_deleted() {
    let mut office = with_a_message(5);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(3);
    office.order(alice, Do::Press("1"), secs(2));
    office.order(alice, Do::Press("7"), secs(1));
    assert_eq!(office.server().messages("alice@example.test")[0].state, MessageState::Deleted);
    assert_eq!(office.server().mailbox("alice@example.test").counts.deleted, 1);
}

/// Greetings are recorded by telephone: a PIN-less call may, and it is recorded who did (SEC-91).
#[test]
fn an_owner_records_a_greeting_by_telephone() {
    let mut office = Office::new(5);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(2);
    office.order(alice, Do::Press("6"), secs(1));
    office.order(alice, Do::Press("1"), secs(1));
    office.order(alice, Do::Press("2"), secs(2));
    office.order(alice, Do::Speak(secs(3)), secs(3));
    office.order(alice, Do::Press("#"), secs(1));
    office.order(alice, Do::Press("#"), secs(2));
    assert!(office.server().has_said("greeting-saved"), "{:?}", office.server().said);
    assert_eq!(office.server().mailbox("alice@example.test").greetings.len(), 1);

    let erin = office.caller("erin", By::Tcp);
    office.server().said.clear();
    office.call(erin, invite("erin", "alice"));
    office.wait(1);
    assert_eq!(office.server().said.first().map(String::as_str), Some("+"));
}

/// SEC-29, DEC-13: changing the PIN in a call that skipped it asks for it once.
#[test]
fn changing_the_pin_in_a_call_that_skipped_it_asks_for_it() {
    let mut office = Office::new(5);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(2);
    office.order(alice, Do::Press("6"), secs(1));
    office.order(alice, Do::Press("4"), secs(2));
    assert!(office.server().has_said("enter-current-pin"), "{:?}", office.server().said);
    office.order(alice, Do::Press("274950#"), secs(3));
    office.order(alice, Do::Press("918273#"), secs(3));
    office.order(alice, Do::Press("918273#"), secs(3));
    assert!(office.server().has_said("pin-changed"), "{:?}", office.server().said);

    let again = office.caller("again", By::Tcp);
    office.call(again, to_own_voice_mail("alice"));
    office.wait(1);
    let opened = office.server().ops.iter().filter(|op| *op == "OpenMailbox").count();
    office.order(again, Do::Press("918273#"), secs(3));
    assert_eq!(office.server().ops.iter().filter(|op| *op == "OpenMailbox").count(), opened + 1);
}

/// SEC-85: a locked mailbox looks at no PIN, not even the right one.
#[test]
fn a_locked_mailbox_lets_nobody_in_by_pin() {
    let mut office = Office::new(5);
    let alice = office.caller("alice", By::Tcp);
    for _call in 0..2 {
        office.call(alice, to_own_voice_mail("alice"));
        office.wait(1);
        for _try in 0..3 {
            office.order(alice, Do::Press("111222#"), secs(4));
        }
        office.wait(5);
    }
    office.server().said.clear();
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(1);
    office.order(alice, Do::Press("274950#"), secs(3));
    assert!(office.server().has_said("pin-locked"), "{:?}", office.server().said);
    assert!(!office.server().ops.iter().any(|op| op == "OpenMailbox"));
}

/// MED-4, SEC-76: a telephone that sends each key in two ways enters it once.
#[test]
fn keys_that_come_in_two_ways_count_once() {
    let mut office = Office::new(3);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(1);
    for (event, info) in [("2", '2'), ("7", '7'), ("4", '4'), ("9", '9'), ("5", '5'), ("0", '0'), ("#", '#')]
    {
        office.order(alice, Do::Press(event), Duration::from_millis(150));
        office.order(alice, Do::PressByInfo(info), Duration::from_millis(300));
    }
    office.wait(2);
    assert!(office.server().ops.iter().any(|op| op == "OpenMailbox"), "{:?}", office.server().said);
    assert!(!office.server().has_said("wrong-pin"));
}

/// What alice hears of who left a message, called by `from` in this way.
fn announced(by: By, from: &str) -> Vec<String> {
    let mut office = Office::new(3);
    let caller = office.caller("caller", by);
    office.call(caller, Invite::new("sip:alice@example.test", from));
    office.wait(2);
    office.order(caller, Do::Speak(secs(3)), secs(3));
    office.order(caller, Do::HangUp, secs(2));
    office.server().said.clear();
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.wait(1);
    office.order(alice, Do::Press("1"), secs(6));
    let said = office.server().said.iter();
    let from = said.skip_while(|prompt| !prompt.starts_with("from"));
    from.take_while(|prompt| *prompt != "received").cloned().collect()
}

/// DEC-18: an extension is said, and that nobody vouches for it.
#[test]
fn a_caller_who_says_to_be_a_user_of_ours_is_announced_by_extension() {
    let digits = ["digits/1", "digits/0", "digits/0", "digits/2"].map(str::to_owned);
    let with = |words: &str| [vec![words.to_owned()], digits.to_vec()].concat();
    for from in ["bob@example.test", "1002@example.test", "bob@192.0.2.1"] {
        assert_eq!(announced(By::Tcp, from), with("from-unverified-number"), "{from}");
        assert_eq!(announced(By::MutualTls(PROXY), from), with("from-extension"), "{from}");
    }
    assert_eq!(announced(By::Tcp, "1002@elsewhere.test"), with("from-unverified-number"));
    assert_eq!(announced(By::MutualTls(PROXY), "1002@elsewhere.test"), with("from-number"));
    assert_eq!(announced(By::Tcp, "bob@elsewhere.test"), ["from-unknown"]);
    assert_eq!(announced(By::Tcp, "nobody@example.test"), ["from-unknown"]);
}

/// I5, I9: whenever an owner hangs up, nothing of the call is left, and no message is lost but one that was deleted.
#[test]
fn an_owner_may_hang_up_at_any_moment() {
    for slow in [1, 700] {
        for moment in 1..24 {
            let mut office = with_a_message(3);
            office.server().store_is.slow = Duration::from_millis(slow);
            let alice = office.caller("alice", By::MutualTls(PROXY));
            office.call(alice, to_own_voice_mail("alice").skip_pin());
            // Messages, hold, go on, options, the standard greeting, record it, accept it.
            for (second, keys) in
                [(1, "1"), (3, "2"), (4, "2"), (5, "*"), (6, "6"), (7, "1"), (8, "2"), (11, "#")]
            {
                office.world.order_after(alice, secs(second), Do::Press(keys));
            }
            office.world.order_after(alice, Duration::from_millis(600 * moment), Do::HangUp);
            office.wait(60);
            let when = format!("hung up after {moment} times 600 ms, store takes {slow} ms");
            assert!(office.server().is_at_rest(), "{when}");
            assert!(office.server().calls().iter().all(|call| call.ended.is_some()), "{when}");
            assert_eq!(office.server().messages("alice@example.test").len(), 1, "{when}");
            assert!(office.server().missed_calls("alice@example.test").is_empty(), "{when}");
        }
    }
}
