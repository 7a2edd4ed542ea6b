//! What whoever answered hears and may do: POP-8, POP-11, DEC-27, SEC-43.

use std::time::Duration;

use umbel_phone::{Answering, Config};
use umbel_play_on_phone::{CallState, EventCause, Played};
use umbel_sim::handset::Told;
use umbel_store::MessageState;
use umbel_um::ConfirmPlayback;

use super::{ALICE, House, end, spoken, standings};

fn answers(config: &mut Config) {
    config.answering = Answering::After { ringing: Duration::from_secs(1), play_on_phone: true };
}

/// The prompts that were played since the beginning.
fn said(house: &mut House) -> Vec<String> {
    house.server().said.clone()
}

/// A message of eight seconds, each unlike the others.
fn long(house: &mut House) -> Played {
    let second = |number: u8| std::iter::repeat_n(0x90 + number, 8_000);
    let audio: Vec<u8> = (0..8).flat_map(second).collect();
    Played::Message(house.server().leave_message(ALICE, 5, &audio))
}

/// Which seconds of the long message were heard, in order, at least half of each.
fn seconds(house: &House) -> Vec<u8> {
    let mut heard: Vec<u8> = Vec::new();
    for part in house.heard().chunks(160) {
        if part.iter().all(|octet| *octet == part[0]) && (0x90..0x98).contains(&part[0]) {
            let second = part[0] - 0x90;
            if heard.last() != Some(&second) {
                heard.push(second);
            }
        }
    }
    heard
}

/// POP-8: rewind, pause, forward, repeat and end, by both habits.
#[test]
fn keys_control_what_is_played() {
    use umbel_ivr::KeyProfile::{Asterisk, Exchange};
    for (profile, forward, rewind, pause, repeat, finish) in
        [(Exchange, "3", "1", "2", "4", "*"), (Asterisk, "#", "*", "0", "2", "6")]
    {
        let play = |press: &[(u64, &'static str)]| {
            let mut house = House::with(answers, |config| config.conversation.keys = profile, &[]);
            let message = long(&mut house);
            let id = house.ask_for(1, message, None);
            house.wait_for("+");
            for (millis, key) in press {
                house.wait_millis(*millis);
                house.at_alice(Told::Press(key));
            }
            house.wait(60);
            assert_eq!(end(&house.news(id)).0, EventCause::None);
            house
        };
        let all = play(&[]);
        assert_eq!(seconds(&all), [0, 1, 2, 3, 4, 5, 6, 7], "{profile:?}");
        let skipped = seconds(&play(&[(500, forward)]));
        assert!(skipped.len() < 6 && skipped.last() == Some(&7), "{profile:?}: {skipped:?}");
        let back = seconds(&play(&[(4_000, rewind)]));
        assert!(back.windows(2).any(|pair| pair[1] < pair[0]), "{profile:?}: {back:?}");
        let again = seconds(&play(&[(4_000, repeat)]));
        assert_eq!(again.iter().filter(|second| **second == 0).count(), 2, "{profile:?}: {again:?}");
        let held = play(&[(1_000, pause), (10_000, pause)]);
        assert_eq!(seconds(&held), [0, 1, 2, 3, 4, 5, 6, 7], "{profile:?}");
        assert!(held.heard().len() > all.heard().len() + 8_000 * 8, "{profile:?}: ten seconds longer");
        let ended = play(&[(2_000, finish)]);
        assert!(seconds(&ended).len() < 6, "{profile:?}: {:?}", seconds(&ended));
    }
}

/// SEC-43, POP-11: "Keys outside playback do nothing": none of them leads anywhere, deletes or asks for a PIN.
#[test]
fn no_key_leads_into_the_mailbox() {
    for keys in ["7", "0", "5", "6", "8", "9", "#", "274950#"] {
        let mut house = House::new(answers);
        let message = long(&mut house);
        let id = house.ask_for(1, message, None);
        house.wait_for("+");
        house.at_alice(Told::Press(keys));
        house.wait(40);
        assert_eq!(end(&house.news(id)).0, EventCause::None, "{keys}");
        let said = said(&mut house);
        for forbidden in
            ["enter-pin", "you-have", "deleted", "choice/delete", "choice/options", "enter-mailbox"]
        {
            assert!(!said.iter().any(|name| name == forbidden), "{keys}: {said:?}");
        }
        let messages = house.server().messages(ALICE);
        assert!(messages.iter().all(|message| message.state != MessageState::Deleted), "{keys}");
        let ops = house.server().ops.clone();
        let allowed = ["FindUser", "FindMessage", "FetchMessage", "MarkHeard", "Decide", "RecordCall"];
        assert!(ops.iter().all(|op| allowed.contains(&op.as_str())), "{keys}: {ops:?}");
    }
}

/// After the message one key plays it again; nothing pressed ends the call.
#[test]
fn the_message_can_be_heard_again() {
    let mut house = House::new(answers);
    let id = house.ask();
    house.wait_for("choice/repeat");
    house.at_alice(Told::Press("1"));
    house.wait(30);
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    assert_eq!(house.heard_the_message(), 2);
}

/// DEC-27: a key before anything is played, where it is set; nothing of the message without it.
#[test]
fn a_key_is_asked_for_where_it_is_set() {
    for (confirm, dialled, asked) in [
        (ConfirmPlayback::Numbers, None, false),
        (ConfirmPlayback::Numbers, Some("1001"), false),
        (ConfirmPlayback::Always, None, true),
        (ConfirmPlayback::Never, None, false),
    ] {
        for pressed in [None, Some("1"), Some("5")] {
            let mut house = House::with(answers, |config| config.play_on_phone.confirm = confirm, &[]);
            let id = house.ask_for(1, Played::Message(house.message), dialled);
            house.wait(4);
            if let Some(key) = pressed {
                house.at_alice(Told::Press(key));
            }
            house.wait(60);
            assert_eq!(end(&house.news(id)).0, EventCause::None);
            let is_played = !asked || pressed == Some("1");
            assert!(said(&mut house).iter().any(|name| name == "choice/confirm") == asked, "{confirm:?}");
            // A key during the message that is none of the menu's does nothing; "1" goes back in it.
            assert_eq!(house.heard_the_message() > 0, is_played, "{confirm:?} {pressed:?}");
            let state = house.server().messages(ALICE)[0].state;
            assert_eq!(state == MessageState::Old, is_played);
            let outcome = house.server().calls()[0].outcome;
            assert_eq!(outcome == umbel_store::CallOutcome::Played, is_played, "{outcome:?}");
        }
    }
}

/// DEC-27: `numbers` means numbers outside.
#[test]
fn a_number_outside_is_asked_for_a_key() {
    for (confirm, asked) in
        [(ConfirmPlayback::Numbers, true), (ConfirmPlayback::Always, true), (ConfirmPlayback::Never, false)]
    {
        let mut house = House::with(
            answers,
            |config| {
                super::allow_number(config);
                config.play_on_phone.confirm = confirm;
            },
            &[],
        );
        house.ask_for(1, Played::Message(house.message), super::OUTSIDE);
        house.wait(20);
        assert_eq!(said(&mut house).iter().any(|name| name == "choice/confirm"), asked, "{confirm:?}");
        assert_eq!(said(&mut house).iter().any(|name| name == "+"), !asked, "{confirm:?}");
    }
}

/// PEER-15: on hold the message waits, and goes on after it.
#[test]
fn on_hold_the_message_waits() {
    let mut house = House::new(answers);
    let message = long(&mut house);
    let id = house.ask_for(1, message, None);
    house.wait_for("+");
    house.wait(2);
    house.at_alice(Told::Hold(true));
    house.wait(30);
    assert_eq!(standings(&house.news(id)).last().map(|last| last.0), Some(CallState::Connected));
    house.at_alice(Told::Hold(false));
    house.wait(40);
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    assert_eq!(seconds(&house).last(), Some(&7), "{:?}", seconds(&house));
}

/// REL-38: what cannot be read is said, and stays new.
#[test]
fn a_message_that_cannot_be_read_is_said_to_be_so() {
    let mut house = House::new(answers);
    let id = house.ask();
    house.wait_millis(500);
    house.server().store_is.failing = Some(umbel_store::StoreError::Overloaded);
    house.wait(20);
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    assert_eq!(house.heard_the_message(), 0);
    assert_eq!(house.server().messages(ALICE)[0].state, MessageState::New);
    let said = said(&mut house);
    assert!(said.iter().any(|name| name == "try-later"), "{said:?}");
}

/// The content of the sound is compared, and the comparison can fail.
#[test]
fn another_message_is_not_taken_for_this_one() {
    let mut house = House::new(answers);
    let mut other = spoken();
    other.reverse();
    let message = house.server().leave_message(ALICE, 6, &other);
    house.ask_for(1, Played::Message(message), None);
    house.wait(30);
    assert_eq!(house.heard_the_message(), 0);
}
