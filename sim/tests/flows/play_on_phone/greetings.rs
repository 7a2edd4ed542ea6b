//! Recording a greeting on a telephone that we called: POP-10, OCEXUM-3.2.1-1, SEC-91.

use std::time::Duration;

use umbel_phone::{Answering, Config};
use umbel_play_on_phone::{EventCause, PhoneCallId, Played};
use umbel_sim::handset::Told;
use umbel_sip_message::HeaderName;
use umbel_store::{AuditTrail, Author, Event, GreetingKind, Mailboxes};

use super::{ALICE, House, end};

fn answers(config: &mut Config) {
    config.answering = Answering::After { ringing: Duration::from_secs(1), play_on_phone: true };
}

/// Alice at the menu of her greeting, about to be recorded.
fn house(has_one: bool) -> (House, PhoneCallId) {
    let mut house = House::new(answers);
    if has_one {
        house.server().record_greeting(ALICE);
    }
    let id = house.ask_for(1, Played::Greeting(GreetingKind::Standard), None);
    house.wait(8);
    (house, id)
}

/// How long the stored greeting is, in tenths of a second; none: there is none.
fn greeting(house: &mut House) -> Option<usize> {
    let mailbox = ALICE.parse().expect("an address");
    let audio =
        house.server().store().greeting_audio(&mailbox, GreetingKind::Standard).expect("the store answers");
    audio.map(|audio| audio.data.len() / 800)
}

fn speak_for(house: &mut House, seconds: u64) {
    house.at_alice(Told::Speak(Duration::from_secs(seconds)));
    house.wait(seconds);
}

/// POP-10: heard, recorded, reviewed, kept by the key; SEC-91: on record as whose it is.
#[test]
fn a_greeting_is_recorded_and_kept_by_its_key() {
    let (mut house, id) = house(true);
    let invites = house.company.invites("um", "server");
    assert_eq!(invites[0].headers().all(&HeaderName::MsSensitivity).count(), 1);
    assert!(house.server().said.iter().any(|name| name == "+"), "the present one is heard");
    assert_eq!(greeting(&mut house), Some(10));
    house.at_alice(Told::Press("2"));
    house.wait(2);
    speak_for(&mut house, 4);
    house.at_alice(Told::Press("#"));
    house.wait(1);
    assert_eq!(greeting(&mut house), Some(10), "not before it is accepted");
    house.at_alice(Told::Press("#"));
    house.wait(10);
    assert!(matches!(greeting(&mut house), Some(35..=60)), "{:?}", greeting(&mut house));
    assert!(house.server().said.iter().any(|name| name == "greeting-saved"));
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    let mailbox = ALICE.parse().expect("an address");
    let audit = house.server().store().audit_records(&mailbox).expect("the store answers");
    let recorded = audit.iter().rev().find(|record| matches!(record.event, Event::GreetingRecorded(_)));
    assert!(
        matches!(recorded.and_then(|record| record.author.as_ref()), Some(Author::OwnerOnPhone { .. })),
        "{audit:?}"
    );
}

/// POP-10: "or on hang-up after a recording": while it is made, and while it is reviewed.
#[test]
fn hanging_up_after_speaking_keeps_it() {
    for finishes in [false, true] {
        let (mut house, id) = house(true);
        house.at_alice(Told::Press("2"));
        house.wait(2);
        speak_for(&mut house, 4);
        if finishes {
            house.at_alice(Told::Press("#"));
            house.wait(1);
        }
        house.at_alice(Told::HangUp);
        house.wait(5);
        assert!(matches!(greeting(&mut house), Some(35..=60)), "{finishes}: {:?}", greeting(&mut house));
        assert_eq!(end(&house.news(id)).0, EventCause::None);
        house.wait(60);
        assert!(house.server().is_at_rest());
    }
}

/// POP-10: "never an empty one"; hanging up before, and dropping it, keep the old one.
#[test]
fn nothing_and_what_is_dropped_do_not_replace_the_old_one() {
    let (mut before, _) = house(true);
    before.at_alice(Told::HangUp);
    before.wait(5);
    assert_eq!(greeting(&mut before), Some(10));

    let (mut silent, _) = house(true);
    silent.at_alice(Told::Press("2"));
    silent.wait(3);
    silent.at_alice(Told::HangUp);
    silent.wait(5);
    assert_eq!(greeting(&mut silent), Some(10), "nothing was said");

    let (mut dropped, _) = house(true);
    dropped.at_alice(Told::Press("2"));
    dropped.wait(2);
    speak_for(&mut dropped, 4);
    dropped.at_alice(Told::Press("#"));
    dropped.wait(1);
    dropped.at_alice(Told::Press("*"));
    dropped.wait(2);
    dropped.at_alice(Told::HangUp);
    dropped.wait(5);
    assert_eq!(greeting(&mut dropped), Some(10));
}

/// The first greeting of a mailbox, where there is none to be heard.
#[test]
fn the_first_greeting_can_be_recorded_too() {
    let (mut house, _) = house(false);
    assert!(house.server().said.iter().any(|name| name == "not-recorded"));
    assert_eq!(greeting(&mut house), None);
    house.at_alice(Told::Press("2"));
    house.wait(2);
    speak_for(&mut house, 3);
    house.at_alice(Told::HangUp);
    house.wait(5);
    assert!(greeting(&mut house).is_some());
}

/// REL-23: what was recorded when the server has to stop is what was recorded when one hangs up.
#[test]
fn what_is_being_recorded_when_the_server_stops_is_kept() {
    let (mut house, id) = house(true);
    house.at_alice(Told::Press("2"));
    house.wait(2);
    house.order(umbel_um::Order::Drain);
    speak_for(&mut house, 58);
    house.wait(8);
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    assert!(house.server().is_drained);
    assert!(greeting(&mut house).is_some_and(|tenths| tenths > 100), "{:?}", greeting(&mut house));
}
