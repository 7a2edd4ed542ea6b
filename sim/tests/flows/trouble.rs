//! Callers who vanish, stores that are slow or fail, sockets that are not to be had.

use std::time::Duration;

use umbel_sim::Office;
use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::{Do, Offer};
use umbel_store::{CallOutcome, StoreError};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// MED-8, REL-34, DEC-31: "RTP missing for 20 s while not on hold: recording saved, BYE".
#[test]
fn a_caller_whose_sound_stops_has_left_a_message() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(30)), secs(5));
    office.order(erin, Do::FallSilent, secs(30));
    assert_eq!(office.world[erin].hung_up_on, 1);
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].duration < secs(10), "{:?}", messages[0].duration);
}

/// REL-33: "freed within 40 s".
#[test]
fn a_caller_who_vanishes_leaves_nothing_behind() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(60)), secs(4));
    office.world.unplug(erin, true);
    office.wait(120);
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
    assert!(office.server().is_at_rest());
}

/// SEC-24: a caller who gives up before there is an answer leaves no session behind.
#[test]
fn a_call_that_is_cancelled_while_the_store_is_slow_leaves_nothing_behind() {
    let mut office = Office::new(6);
    office.server().store_is.slow = Duration::from_millis(900);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.order(erin, Do::Cancel, secs(5));
    assert_eq!(office.world[erin].answers, [487]);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// REL-38: "prompts keep going": a mailbox that cannot be read in time is said to be out of service, or the
/// call refused.
#[test]
fn a_store_that_falls_silent_in_mid_call_does_not_silence_us() {
    let mut office = Office::new(6);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(2);
    office.server().store_is.silent = true;
    office.order(alice, Do::Press("274950#"), secs(30));
    assert!(office.server().has_said("try-later"), "{:?}", office.server().said);
    assert!(!office.server().ops.iter().any(|op| op == "OpenMailbox"));
}

/// REL-12: "calls go on, saving waits, nothing lost".
#[test]
fn a_store_that_is_locked_for_half_a_minute_loses_nothing() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(5)), secs(2));
    office.server().store_is.failing = Some(StoreError::Busy);
    office.wait(3);
    office.order(erin, Do::HangUp, secs(25));
    assert!(office.server().messages("alice@example.test").is_empty());
    office.server().store_is.failing = None;
    office.wait(15);
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].duration >= secs(4), "{:?}", messages[0].duration);
    assert!(office.server().is_at_rest());
}

/// D1: nobody is told "saved" before the store has said so.
#[test]
fn a_caller_is_not_told_saved_by_a_store_that_does_not_save() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(3)), secs(3));
    office.order(erin, Do::Press("#"), secs(1));
    office.server().store_is.failing = Some(StoreError::Disk);
    office.order(erin, Do::Press("#"), secs(20));
    assert!(!office.server().has_said("deposit-saved"));
    assert!(office.server().has_said("deposit-not-saved"), "{:?}", office.server().said);
    // It is still kept when the disk comes back: better twice than never told, and never lost.
    office.server().store_is.failing = None;
    office.wait(20);
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
}

/// MISS-3: no notification "for calls that left a message", however late it was saved.
#[test]
fn a_message_that_is_saved_late_is_no_missed_call() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(3)), secs(3));
    office.order(erin, Do::Press("#"), secs(1));
    office.server().store_is.slow = secs(12);
    office.order(erin, Do::Press("#"), secs(20));
    assert!(office.server().has_said("deposit-not-saved"), "{:?}", office.server().said);
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
    assert!(office.server().missed_calls("alice@example.test").is_empty());
}

/// DEC-45, 11.3.
#[test]
fn without_sockets_another_server_may_do_better() {
    let mut office = Office::new(6);
    office.server().has_sockets = false;
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    assert_eq!(office.world[erin].answers, [503]);
    let call = &office.server().calls()[0];
    assert!(call.ended.is_some(), "a call that is over is not on record as running");
    assert_eq!(call.outcome, CallOutcome::Refused);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// RFC 3261 13.2.2.4: an ACK whose answer cannot be used ends the call, on record too.
#[test]
fn a_caller_who_acknowledges_without_an_answer_is_let_go() {
    let mut office = Office::with(6, |config| config.media.codecs = vec![umbel_sdp::Codec::G722]);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice").offering(Offer::None));
    office.wait(1);
    assert_eq!((office.world[erin].answers.as_slice(), office.world[erin].hung_up_on), ([200].as_slice(), 1));
    let call = &office.server().calls()[0];
    assert!(call.ended.is_some());
    assert_eq!(call.outcome, CallOutcome::Failed);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// REL-10: somebody else's message took the last place between the greeting and the tone.
#[test]
fn a_mailbox_that_fills_up_during_the_greeting_is_said_to_be_full() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.fill("alice@example.test");
    office.order(erin, Do::Speak(secs(5)), secs(10));
    assert!(office.server().has_said("mailbox-full"), "{:?}", office.server().said);
    assert_eq!(office.world[erin].hung_up_on, 1);
    assert_eq!(office.server().missed_calls("alice@example.test").len(), 1);
}

/// REL-11: nobody speaks for nothing. What was recorded before can be heard, and space that is there again is used.
#[test]
fn on_a_full_disk_the_caller_hears_so_before_any_tone() {
    let mut office = Office::new(6);
    office.server().store_is.full = true;
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(15);
    assert!(office.server().has_said("out-of-service"), "{:?}", office.server().said);
    assert!(!office.server().has_said("*"), "{:?}", office.server().said);
    assert!(!office.server().ops.iter().any(|op| op == "Begin"));
    assert_eq!(office.world[erin].hung_up_on, 1);
    assert_eq!(office.server().missed_calls("alice@example.test").len(), 1);

    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(2);
    office.order(alice, Do::Press("274950#"), secs(5));
    assert!(office.server().has_said("you-have-no-new-messages"), "{:?}", office.server().said);
    office.order(alice, Do::HangUp, secs(5));

    office.server().store_is.full = false;
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(4)), secs(5));
    office.order(erin, Do::HangUp, secs(3));
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
}

/// MISS-1: nobody is left to be told, so the owner is.
#[test]
fn a_caller_who_hung_up_before_the_store_said_full_is_a_missed_call() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.fill("alice@example.test");
    office.server().store_is.slow = secs(4);
    office.wait(2);
    office.order(erin, Do::Speak(secs(2)), secs(2));
    office.order(erin, Do::HangUp, secs(1));
    assert!(office.server().missed_calls("alice@example.test").is_empty());
    office.wait(10);
    assert_eq!(office.server().missed_calls("alice@example.test").len(), 1);
    office.wait(40);
    assert!(office.server().is_at_rest());
}

/// REL-35: "call and recording go on" when the connection breaks.
#[test]
fn a_broken_connection_does_not_end_the_recording() {
    let mut office = Office::new(6);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(2);
    office.order(erin, Do::Speak(secs(6)), secs(2));
    office.world.break_flows(erin, office.um);
    office.wait(5);
    office.order(erin, Do::HangUp, secs(3));
    let messages = office.server().messages("alice@example.test");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].duration > secs(5), "{:?}", messages[0].duration);
}

/// I1, I5, MISS-1, MISS-3: whenever a caller hangs up, and however slow the store is, there is either a message
/// or a missed call, and nothing else is left.
#[test]
fn a_caller_may_hang_up_at_any_moment() {
    let mut outcomes = std::collections::BTreeSet::new();
    for slow in [1, 700] {
        for moment in 1..36 {
            let mut office = Office::new(6);
            let erin = office.caller("erin", By::Tcp);
            office.call(erin, invite("erin", "alice"));
            office.server().store_is.slow = Duration::from_millis(slow);
            let at = |tenths: u64| Duration::from_millis(100 * tenths);
            office.world.order_after(erin, at(12), Do::Speak(secs(4)));
            office.world.order_after(erin, at(50), Do::Press("#"));
            office.world.order_after(erin, at(70), Do::Press("2"));
            office.world.order_after(erin, at(90), Do::Speak(secs(2)));
            office.world.order_after(erin, at(115), Do::Press("#"));
            office.world.order_after(erin, at(130), Do::Press("#"));
            office.world.order_after(erin, at(5 * moment), Do::HangUp);
            office.wait(60);
            let messages = office.server().messages("alice@example.test").len();
            let missed = office.server().missed_calls("alice@example.test").len();
            let when = format!("hung up after {moment} times half a second, store takes {slow} ms");
            assert_eq!(messages + missed, 1, "{when}: {messages} messages, {missed} missed calls");
            assert!(office.server().is_at_rest(), "{when}");
            assert!(office.server().calls()[0].ended.is_some(), "{when}");
            outcomes.insert((messages, missed));
        }
    }
    assert_eq!(outcomes.len(), 2, "otherwise only one thing was tried");
}
