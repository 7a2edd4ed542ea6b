//! Who may ask, for what, to be played where: POP-4, POP-9, DEC-23 to DEC-25, SEC-44 to SEC-46.

use umbel_play_on_phone::{EventCause, News, PhoneCallId, Played, Refusal};
use umbel_sim::callee::Manner;
use umbel_store::{GreetingKind, MessageId, Op, StoreError, UserChange, execute};
use umbel_um::Order;

use super::{ALICE, Alone, OUTSIDE, allow_number, are_well_formed, end, request};

/// Refused in this way, and no SIP was sent.
#[track_caller]
fn refused(alone: &mut Alone, id: PhoneCallId, refusal: Refusal) {
    alone.wait(10);
    assert_eq!(alone.refusal(id), Some(refusal), "{:?}", alone.news(id));
    assert_eq!(alone.invites(), 0);
    assert!(alone.office.server().is_at_rest());
}

/// SEC-46: "same answer for absent and foreign".
#[test]
fn messages_that_are_not_there_or_anothers_are_unknown() {
    let mut alone = Alone::new(Manner::rings());
    let foreign = alone.office.server().leave_message("bob@example.test", 7, &[0x80; 8_000]);
    let deleted = alone.office.server().leave_message(ALICE, 8, &[0x80; 8_000]);
    let author = umbel_store::Author::OwnerByWeb;
    let at = umbel_sim::unified_messaging::MORNING;
    let mailbox = ALICE.parse().expect("an address");
    execute(alone.office.server().store(), Op::DeleteMessage { mailbox, id: deleted, author, at });
    for (number, message) in [(1, foreign), (2, deleted), (3, MessageId::from_bytes([99; 16]))] {
        let id = alone.ask_for(number, Played::Message(message), None);
        refused(&mut alone, id, Refusal::UnknownItem);
    }
}

/// SEC-44, SEC-45, POP-4.
#[test]
fn what_may_not_be_dialled_is_not_dialled() {
    let mut alone = Alone::with(Manner::rings(), allow_number);
    let message = Played::Message(alone.message);
    for (number, dial_string, refusal) in [
        (1, "1001\r\nX: y", Refusal::NotANumber),
        (2, "bob@elsewhere.test", Refusal::NotANumber),
        (3, "nobody@example.test", Refusal::NotANumber),
        (4, "voicemail@example.test", Refusal::NotANumber),
        (5, "+1555;ext=1", Refusal::NotANumber),
        (6, "+15545550100", Refusal::NotAllowed),
        (7, "9999", Refusal::NotAllowed),
        (8, "15555550100", Refusal::NotAllowed),
    ] {
        let id = alone.ask_for(number, message, Some(dial_string));
        refused(&mut alone, id, refusal);
    }
}

/// LOOP-4: a pilot's number is our own, whatever the rules allow.
#[test]
fn our_own_pilot_is_not_called() {
    let mut alone = Alone::with(Manner::rings(), |config| {
        config.locality.pilots.insert("5000".to_owned());
        config.play_on_phone.rules = umbel_play_on_phone::DiallingRules::new(["*".parse().expect("a rule")]);
    });
    let id = alone.ask_for(1, Played::Message(alone.message), Some("5000"));
    refused(&mut alone, id, Refusal::NotAllowed);
}

/// CMD-8 for this door: nobody hears anything of a mailbox that is disabled, or not there.
#[test]
fn a_disabled_mailbox_calls_nobody() {
    let mut alone = Alone::new(Manner::rings());
    alone.office.server().change_user(ALICE, &[UserChange::Enabled(false)]);
    let id = alone.ask();
    refused(&mut alone, id, Refusal::NotEnabled);
    let mut other = Alone::new(Manner::rings());
    let id = PhoneCallId::from_bytes([3; 16]);
    let owner = "nobody@example.test".parse().expect("an address");
    let played = Played::Message(other.message);
    let request = umbel_play_on_phone::Request { id, owner, played, dial_string: None };
    other.order(Order::PlayOnPhone(Box::new(request)));
    refused(&mut other, id, Refusal::NotEnabled);
}

/// POP-5: without a server to go through nobody is called directly.
#[test]
fn without_a_way_out_there_is_no_call() {
    let mut alone = Alone::with(Manner::rings(), |config| config.play_on_phone.outbound_proxy = None);
    let id = alone.ask();
    refused(&mut alone, id, Refusal::NoGateway);
}

/// DEC-25, POP-9: while it rings, and while it is up; another owner's call does not count.
#[test]
fn a_second_call_for_the_same_mailbox_is_refused() {
    let mut alone = Alone::new(Manner::answers_after(20));
    let first = alone.ask();
    alone.wait(1);
    let greeting = Played::Greeting(GreetingKind::Standard);
    let second = alone.ask_for(2, greeting, None);
    alone.wait(20);
    let third = alone.ask_for(3, greeting, None);
    alone.wait(1);
    for id in [second, third] {
        assert_eq!(alone.refusal(id), Some(Refusal::CallInProgress));
    }
    let message = alone.office.server().leave_message("bob@example.test", 9, &[0x80; 8_000]);
    let bobs = PhoneCallId::from_bytes([4; 16]);
    let owner = "bob@example.test".parse().expect("an address");
    let request =
        umbel_play_on_phone::Request { id: bobs, owner, played: Played::Message(message), dial_string: None };
    alone.order(Order::PlayOnPhone(Box::new(request)));
    alone.wait(1);
    assert_eq!(alone.news(bobs).first(), Some(&News::Placed));
    assert_eq!(alone.invites(), 2);
    alone.wait(100);
    are_well_formed(&alone.news(first));
    alone.office.world[alone.proxy].manner = Manner::refuses(486);
    let fourth = alone.ask_for(5, greeting, None);
    alone.wait(2);
    assert_eq!(end(&alone.news(fourth)), (EventCause::UserBusy, Some(486)));
    alone.rests();
}

/// REL-39, DEC-25: an HTTP request that is repeated places one call, also where the first is not decided yet.
#[test]
fn the_same_request_again_is_the_same_call() {
    let mut alone = Alone::new(Manner::rings());
    alone.office.server().store_is.slow = std::time::Duration::from_secs(1);
    let first = alone.ask();
    let while_it_is_decided = alone.ask_for(2, Played::Message(alone.message), None);
    alone.wait(2);
    let while_it_rings = alone.ask_for(3, Played::Message(alone.message), None);
    alone.wait(1);
    assert_eq!(alone.news(first).first(), Some(&News::Placed));
    for id in [while_it_is_decided, while_it_rings] {
        assert_eq!(alone.news(id), [News::Repeats(first)]);
    }
    assert_eq!(alone.invites(), 1);
    alone.wait(8);
    let later = alone.ask_for(4, Played::Message(alone.message), None);
    alone.wait(1);
    assert_eq!(alone.refusal(later), Some(Refusal::CallInProgress));
}

/// What repeats a request that comes to nothing hears the same.
#[test]
fn repetitions_of_a_refused_request_are_refused() {
    let mut alone = Alone::new(Manner::rings());
    alone.office.server().store_is.slow = std::time::Duration::from_secs(1);
    let unknown = Played::Message(MessageId::from_bytes([99; 16]));
    let ids: Vec<PhoneCallId> = (1..=20).map(|number| alone.ask_for(number, unknown, None)).collect();
    alone.wait(3);
    for (at, id) in ids.into_iter().enumerate() {
        // Sixteen repetitions wait; what is more is told at once that it cannot be.
        let expected = if at <= 16 { Refusal::UnknownItem } else { Refusal::Unavailable };
        assert_eq!(alone.refusal(id), Some(expected), "{at}");
    }
}

/// SEC-46, DEC-24: ten an hour outside; users are called as often as one likes.
#[test]
fn ten_calls_an_hour_go_to_numbers_outside() {
    let mut alone = Alone::with(Manner::refuses(486), allow_number);
    let message = Played::Message(alone.message);
    for number in 0..10 {
        let id = alone.ask_for(number, message, OUTSIDE);
        alone.wait(1);
        assert_eq!(end(&alone.news(id)), (EventCause::UserBusy, Some(486)), "{number}");
    }
    let eleventh = alone.ask_for(11, message, OUTSIDE);
    let inside = {
        alone.wait(1);
        alone.ask_for(12, message, Some("1002"))
    };
    alone.wait(1);
    assert_eq!(alone.refusal(eleventh), Some(Refusal::TooManyCalls));
    assert_eq!(end(&alone.news(inside)), (EventCause::UserBusy, Some(486)));
    alone.wait(3_600);
    let later = alone.ask_for(13, message, OUTSIDE);
    alone.wait(1);
    assert_eq!(end(&alone.news(later)), (EventCause::UserBusy, Some(486)));
}

/// SEC-31, REL-38: a store that fails or does not say anything places no call.
#[test]
fn without_the_store_nobody_is_called() {
    let mut failing = Alone::new(Manner::rings());
    failing.office.server().store_is.failing = Some(StoreError::Overloaded);
    let id = failing.ask();
    failing.wait(1);
    assert_eq!(failing.refusal(id), Some(Refusal::Unavailable));
    let mut silent = Alone::new(Manner::rings());
    silent.office.server().store_is.silent = true;
    let id = silent.ask();
    silent.wait(3);
    assert_eq!(silent.refusal(id), Some(Refusal::Unavailable));
    assert_eq!((failing.invites(), silent.invites()), (0, 0));
}

/// PEER-18 and DEC-45 for calls of ours: no room, no sockets.
#[test]
fn without_room_or_sockets_nobody_is_called() {
    let mut full = Alone::with(Manner::rings(), |config| config.calls_max = 1);
    full.ask();
    full.wait(1);
    let (id, order) = request(2, Played::Greeting(GreetingKind::Name), None);
    full.order(order);
    full.wait(1);
    assert_eq!(full.refusal(id), Some(Refusal::Unavailable));
    let mut deaf = Alone::new(Manner::rings());
    deaf.office.server().has_sockets = false;
    let id = deaf.ask();
    deaf.wait(1);
    assert_eq!(end(&deaf.news(id)), (EventCause::Other, None));
    assert_eq!(deaf.invites(), 0);
    deaf.rests();
}

/// OCEXUM-3.2-4, DEC-23: "No event, no INVITE."
#[test]
fn nobody_is_called_unasked() {
    let mut alone = Alone::new(Manner::rings());
    alone.wait(600);
    assert_eq!(alone.invites(), 0);
    alone.order(Order::Disconnect(PhoneCallId::from_bytes([1; 16])));
    alone.wait(10);
    assert_eq!(alone.invites(), 0);
    assert!(alone.office.server().news.is_empty());
}
