//! A server that is about to stop, dies or breaks: REL-23, REL-25, REL-39.

use std::time::Duration;

use umbel_play_on_phone::{EventCause, News, Played, Refusal};
use umbel_sim::callee::Manner;
use umbel_sim::unified_messaging::Told;
use umbel_um::{Alarm, Order};

use super::{Alone, end};

/// REL-23: while it is looked into; while it rings; when it is up.
#[test]
fn a_server_that_is_to_stop_begins_no_calls_and_ends_those_that_are_up_within_a_minute() {
    let mut alone = Alone::new(Manner::rings());
    alone.order(Order::Drain);
    let id = alone.ask();
    alone.wait(1);
    assert_eq!(alone.refusal(id), Some(Refusal::Unavailable));
    assert_eq!(alone.invites(), 0);

    let mut alone = Alone::new(Manner::rings());
    alone.office.server().store_is.slow = Duration::from_secs(1);
    let id = alone.ask();
    alone.office.world.run_for(Duration::from_millis(500));
    alone.order(Order::Drain);
    alone.wait(5);
    assert_eq!(alone.refusal(id), Some(Refusal::Unavailable));
    assert_eq!(alone.invites(), 0);
    assert!(alone.office.server().is_drained);

    // Asked for ten seconds before, it would ring for fifty more.
    let mut alone =
        Alone::with(Manner::rings(), |config| config.play_on_phone.ring_max = Duration::from_secs(300));
    let id = alone.ask();
    alone.wait(10);
    alone.order(Order::Drain);
    alone.wait(59);
    assert!(!alone.office.server().is_drained);
    alone.wait(3);
    assert_eq!(end(&alone.news(id)).0, EventCause::NoAnswer);
    assert_eq!(alone.office.world[alone.proxy].cancels.len(), 1);
    assert!(alone.office.server().is_drained);

    let mut alone = Alone::new(Manner::answers_after(1));
    let id = alone.ask();
    alone.wait(2);
    alone.order(Order::Drain);
    alone.wait(62);
    assert_eq!(end(&alone.news(id)), (EventCause::None, Some(200)));
    assert!(alone.office.server().is_drained);
}

/// REL-39: "never dialled twice": killed at each step, and nothing is remembered that would dial again.
#[test]
fn a_server_that_died_does_not_dial_again() {
    for millis in [0, 1, 2, 4, 8, 12, 500, 1_500, 2_500, 4_000, 8_000] {
        let mut alone = Alone::new(Manner::answers_after(1));
        alone.ask();
        alone.office.world.run_for(Duration::from_millis(millis));
        alone.office.world.break_all_flows(alone.office.um);
        alone.office.world.order(alone.office.um, Told::Restart);
        alone.wait(200);
        assert!(alone.invites() <= 1, "{millis}: {}", alone.invites());
        assert!(alone.office.server().is_at_rest(), "{millis}");
        // And the mailbox is not held by a call that nobody knows any more.
        let next = alone.ask_for(2, Played::Message(alone.message), None);
        alone.wait(1);
        assert_eq!(alone.news(next).first(), Some(&News::Placed), "{millis}");
    }
}

/// REL-25: a fault of ours ends this call, whoever asked is told, and the next one is placed.
#[test]
fn a_call_that_breaks_ends_alone() {
    for prompt in ["this-is-your-voice-mail", "received", "goodbye"] {
        let mut alone = Alone::new(Manner::answers_after(1));
        alone.office.server().break_at(prompt);
        let id = alone.ask();
        alone.wait(20);
        assert_eq!(end(&alone.news(id)), (EventCause::Other, Some(200)), "{prompt}");
        let alarms = alone.office.server().alarms.clone();
        assert!(matches!(alarms[..], [Alarm::CallBroke { .. }]), "{prompt}: {alarms:?}");
        assert_eq!(alone.office.world[alone.proxy].talking(), 0);
        alone.office.server().break_at("none");
        alone.office.world[alone.proxy].manner = Manner::refuses(486);
        let next = alone.ask_for(2, Played::Message(alone.message), None);
        alone.wait(2);
        assert_eq!(end(&alone.news(next)), (EventCause::UserBusy, Some(486)));
        alone.rests();
    }
}
