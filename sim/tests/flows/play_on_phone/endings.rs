//! How a call ends, and what whoever asked for it is told: DEC-26, POP-6, SEC-42. Test plan 22.

use std::time::Duration;

use umbel_play_on_phone::{CallState, EventCause, PhoneCallId};
use umbel_sim::callee::{Audio, Do, Manner, Then};
use umbel_sim::company::invite;
use umbel_sim::telephone;
use umbel_sip_message::{HeaderName, Method};
use umbel_store::{CallOutcome, Ruling};
use umbel_um::Order;

use super::{Alone, end, standings};

/// DEC-26, SEC-42, test plan 22: each final response, and never a second INVITE.
#[test]
fn every_final_response_has_its_state_and_cause() {
    use EventCause::{NoAnswer, Other, Unavailable, UserBusy};
    for (status, cause) in [
        (300, Other),
        (301, Other),
        (302, Other),
        (305, Other),
        (380, Other),
        (400, Other),
        (401, Other),
        (402, Other),
        (403, Other),
        (404, Unavailable),
        (405, Other),
        (406, Other),
        (407, Other),
        (408, NoAnswer),
        (410, Unavailable),
        (415, Other),
        (420, Other),
        (421, Other),
        (423, Other),
        (480, NoAnswer),
        (481, Other),
        (482, Other),
        (483, Other),
        (484, Unavailable),
        (485, Other),
        (486, UserBusy),
        (487, NoAnswer),
        (488, Other),
        (491, Other),
        (493, Other),
        (500, Other),
        (501, Other),
        (502, Other),
        (503, Other),
        (504, Other),
        (513, Other),
        (580, Other),
        (600, UserBusy),
        (603, Other),
        (604, Unavailable),
        (606, Other),
        (699, Other),
    ] {
        let mut alone = Alone::new(Manner::refuses(status));
        let id = alone.ask();
        alone.wait(2);
        let news = alone.news(id);
        assert_eq!(end(&news), (cause, Some(status)), "{status}");
        assert_eq!(standings(&news).len(), 1, "{status}");
        assert_eq!(alone.invites(), 1, "{status}");
        let record = alone.office.server().calls()[0].clone();
        assert_eq!(record.outcome, CallOutcome::NotAnswered, "{status}");
        let rulings: Vec<Ruling> = alone
            .office
            .server()
            .decisions(&record.call_id)
            .into_iter()
            .map(|decision| decision.ruling)
            .collect();
        assert!(rulings.contains(&Ruling::Routing(umbel_store::Routing::Answered(status))), "{rulings:?}");
    }
}

/// SEC-42: a Contact of a 3xx is not called.
#[test]
fn a_call_that_is_pointed_elsewhere_ends() {
    for status in [301, 302] {
        let mut alone = Alone::new(Manner::redirects(status, "sip:192.0.2.99;transport=tcp"));
        let id = alone.ask();
        alone.wait(70);
        assert_eq!(end(&alone.news(id)), (EventCause::Other, Some(status)));
        assert_eq!(alone.office.world.ladder().requests(&Method::Invite).count(), 1);
        alone.rests();
    }
}

/// POP-6: "Own ring limit 60 s, then CANCEL"; just before it still rings.
#[test]
fn after_a_minute_of_ringing_the_call_is_taken_back() {
    let mut alone = Alone::new(Manner::rings());
    let id = alone.ask();
    alone.wait(59);
    assert_eq!(standings(&alone.news(id)), [(CallState::Alerted, EventCause::None, Some(180))]);
    assert_eq!(alone.office.world[alone.proxy].cancels.len(), 0);
    alone.wait(2);
    assert_eq!(end(&alone.news(id)).0, EventCause::NoAnswer);
    assert_eq!(alone.office.world[alone.proxy].cancels.len(), 1);
    assert_eq!(alone.invites(), 1);
    alone.rests();
}

/// RFC 3261 8.1.3.1: nobody says anything, or nobody is there.
#[test]
fn silence_is_no_answer_and_a_server_that_is_away_is_another_matter() {
    let mut alone = Alone::new(Manner::silent());
    let id = alone.ask();
    alone.wait(70);
    assert_eq!(end(&alone.news(id)).0, EventCause::NoAnswer);
    alone.rests();

    let mut alone = Alone::new(Manner::rings());
    alone.office.world.unplug(alone.proxy, true);
    let id = alone.ask();
    alone.wait(70);
    assert_eq!(end(&alone.news(id)), (EventCause::Other, None));
    assert_eq!(alone.office.server().calls()[0].outcome, CallOutcome::Failed);
    alone.rests();

    let mut alone = Alone::new(Manner::rings());
    let id = alone.ask();
    alone.wait(5);
    alone.office.world.break_all_flows(alone.office.um);
    alone.wait(70);
    assert!(matches!(end(&alone.news(id)).0, EventCause::Other | EventCause::NoAnswer));
    assert_eq!(alone.invites(), 1, "never dialled twice");
    alone.rests();
}

fn answers_wanting(audio: Audio) -> Manner {
    Manner { rings: true, after: Duration::from_secs(1), then: Then::AnswerWith(audio) }
}

/// RFC 3264 6, DEC-26: whoever answers with port 0 wants nothing of what the call is for.
#[test]
fn an_answer_without_audio_ends_the_call_at_once() {
    let mut alone = Alone::new(answers_wanting(Audio::Refused));
    let id = alone.ask();
    alone.wait(2);
    let news = alone.news(id);
    assert_eq!(end(&news), (EventCause::Other, Some(200)));
    assert!(standings(&news).iter().all(|standing| standing.0 != CallState::Connected), "{news:?}");
    assert_eq!(alone.office.world.ladder().requests(&Method::Bye).count(), 1);
    assert_eq!(alone.office.server().calls()[0].outcome, CallOutcome::Failed);
    alone.rests();
}

/// PEER-15, DEC-26: an answer on hold may be followed by what takes it off, and is not waited for without end.
#[test]
fn an_answer_that_stays_on_hold_ends_the_call_in_half_a_minute() {
    for audio in [Audio::Inactive, Audio::SendOnly] {
        let mut alone = Alone::new(answers_wanting(audio));
        let id = alone.ask();
        alone.wait(29);
        let last = standings(&alone.news(id)).last().copied();
        assert_eq!(last, Some((CallState::Connected, EventCause::None, Some(200))), "{audio:?}");
        alone.wait(4);
        assert_eq!(end(&alone.news(id)), (EventCause::Other, Some(200)), "{audio:?}");
        assert_eq!(alone.office.world.ladder().requests(&Method::Bye).count(), 1, "{audio:?}");
        assert_eq!(alone.office.server().calls()[0].outcome, CallOutcome::Failed, "{audio:?}");
        alone.rests();
    }
}

/// What is asked of a call that is at this point, and what came of it.
fn disconnected_after(manner: Manner, millis: u64) -> (Alone, PhoneCallId) {
    let mut alone = Alone::new(manner);
    let id = alone.ask();
    alone.office.world.run_for(Duration::from_millis(millis));
    alone.order(Order::Disconnect(id));
    // It is told at once, whatever the other side does.
    alone.office.world.run_for(Duration::from_millis(1));
    assert_eq!(end(&alone.news(id)).0, EventCause::None);
    (alone, id)
}

/// OXWUMS Disconnect, at every moment of a call; twice does no harm, and the next call may follow at once.
#[test]
fn a_call_can_be_ended_at_any_moment() {
    // Before any response; while it rings; when it is up.
    for (manner, millis, byes) in [
        (Manner::silent(), 2, 0),
        (Manner::silent(), 3_000, 0),
        (Manner::rings(), 2, 0),
        (Manner::rings(), 3_000, 0),
        (Manner::answers_after(1), 2_000, 1),
    ] {
        let what = format!("{manner:?} after {millis} ms");
        let (mut alone, id) = disconnected_after(manner, millis);
        alone.order(Order::Disconnect(id));
        alone.wait(2);
        assert_eq!(alone.office.world.ladder().requests(&Method::Bye).count(), byes, "{what}");
        alone.office.world[alone.proxy].manner = Manner::refuses(486);
        let next = alone.ask_for(2, umbel_play_on_phone::Played::Message(alone.message), None);
        alone.wait(2);
        assert_eq!(end(&alone.news(next)), (EventCause::UserBusy, Some(486)), "{what}");
        alone.rests();
        if !what.contains("rings: false") {
            assert_eq!(alone.office.world[alone.proxy].ringing(), 0, "{what}");
        }
    }
}

/// RFC 3261 9.1: the answer and our CANCEL pass each other; whoever answered is hung up on.
#[test]
fn an_answer_that_crosses_our_cancel_is_hung_up_on() {
    // Latency is 2 ms: the CANCEL leaves before the 200 arrives.
    for millis in 1_004..=1_016 {
        let mut alone = Alone::new(Manner::answers_after(1));
        let id = alone.ask();
        alone.office.world.run_for(Duration::from_millis(millis));
        alone.order(Order::Disconnect(id));
        alone.wait(5);
        let (cause, _) = end(&alone.news(id));
        assert_eq!(cause, EventCause::None, "{millis}");
        assert_eq!(alone.office.world[alone.proxy].talking(), 0, "{millis}");
        assert_eq!(alone.office.world[alone.proxy].ringing(), 0, "{millis}");
        alone.rests();
    }
}

/// POP-8: "A far-end BYE ends the operation."
#[test]
fn whoever_hangs_up_ends_it() {
    let mut alone = Alone::new(Manner::answers_after(1));
    let id = alone.ask();
    alone.wait(2);
    alone.office.world.order(alone.proxy, Do::HangUp);
    alone.wait(1);
    assert_eq!(end(&alone.news(id)), (EventCause::None, Some(200)));
    assert_eq!(alone.office.world.ladder().requests(&Method::Bye).count(), 1);
    alone.rests();
}

/// RFC 3261 13.2.2.4: an answer without a session, or none that can be used.
#[test]
fn an_answer_that_cannot_be_used_ends_the_call() {
    use umbel_sdp::Srtp;
    // The callee answers in clear.
    let mut alone = Alone::with(Manner::answers_after(1), |config| {
        config.media.codecs = vec![umbel_sdp::Codec::G722];
        config.media.srtp = Srtp::Off;
    });
    let id = alone.ask();
    alone.wait(3);
    assert_eq!(end(&alone.news(id)), (EventCause::Other, Some(200)));
    assert_eq!(alone.office.world[alone.proxy].talking(), 0);
    alone.rests();
}

/// DEC-30: `srtp = "required"` and a server that is reached over TCP do not go together.
#[test]
fn sound_that_must_be_encrypted_is_not_offered_in_clear() {
    let mut alone =
        Alone::with(Manner::answers_after(1), |config| config.media.srtp = umbel_sdp::Srtp::Required);
    let id = alone.ask();
    alone.wait(3);
    assert_eq!(end(&alone.news(id)), (EventCause::Other, None));
    assert_eq!(alone.invites(), 0);
    alone.rests();
}

/// MED-8, DEC-31: no packets come for twenty seconds, and the call ends.
#[test]
fn a_call_without_sound_from_there_ends() {
    let mut alone = Alone::with(Manner::answers_after(1), |config| {
        config.play_on_phone.confirm = umbel_um::ConfirmPlayback::Never;
    });
    let long = vec![0x91_u8; 8_000 * 60];
    let message = alone.office.server().leave_message(super::ALICE, 2, &long);
    let id = alone.ask_for(1, umbel_play_on_phone::Played::Message(message), None);
    alone.wait(40);
    assert_eq!(end(&alone.news(id)), (EventCause::Other, Some(200)));
    alone.rests();
}

/// SEC-42: whoever was called is not followed anywhere, and nobody takes the other side's place.
#[test]
fn refer_and_replaces_are_refused() {
    let mut alone = Alone::new(Manner::answers_after(1));
    let id = alone.ask();
    alone.wait(3);
    let invite_of_ours = alone.office.world[alone.proxy].invites[0].clone();
    let headers = invite_of_ours.headers();
    let tags = (headers.call_id().to_owned(), headers.from().tag().unwrap_or_default().to_owned());
    let erin = alone.office.caller("erin", umbel_sim::office::By::Tcp);
    let replaces = format!("Replaces: {};to-tag={};from-tag=x", tags.0, tags.1);
    alone.office.call(erin, invite("erin", "alice").line(&replaces).line("Require: replaces"));
    alone.wait(1);
    assert!(
        matches!(alone.office.world[erin].answers[..], [400..=699]),
        "{:?}",
        alone.office.world[erin].answers
    );
    let refer = vec!["Refer-To: <sip:mallory@elsewhere.test>".to_owned()];
    alone.office.order(erin, telephone::Do::Request(Method::Refer, refer), Duration::from_secs(1));
    assert_eq!(standings(&alone.news(id)).last().map(|last| last.0), Some(CallState::Connected));
    assert!(!invite_of_ours.headers().has_token(&HeaderName::Supported, "replaces"));
    let outgoing =
        alone.office.world.ladder().requests(&Method::Invite).filter(|(rung, _)| rung.from == "um");
    assert_eq!(outgoing.count(), 1);
}

/// RFC 3261 13.2.2.4: two telephones answer at once; the second is hung up on.
#[test]
fn of_two_that_answer_the_second_is_hung_up_on() {
    let mut house = super::House::new(|config| {
        config.answering =
            umbel_phone::Answering::After { ringing: Duration::from_secs(2), play_on_phone: true };
    });
    house.company.telephone("alice2", Manner::answers_after(2));
    house.wait(1);
    house.company.world.forget_ladder();
    let id = house.ask();
    house.wait(30);
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    assert_eq!(house.company.world[house.alice].call_count(), 0);
    house.wait(60);
    assert!(house.server().is_at_rest());
}

/// Early media is nobody's answer: the state is that it rings, and nothing is played.
#[test]
fn early_media_is_not_listened_to() {
    let manner = Manner { rings: true, after: Duration::from_secs(30), then: Then::Answer };
    let mut alone = Alone::new(manner);
    let id = alone.ask();
    alone.wait(20);
    assert_eq!(standings(&alone.news(id)), [(CallState::Alerted, EventCause::None, Some(180))]);
    assert!(alone.office.server().said.is_empty());
}
