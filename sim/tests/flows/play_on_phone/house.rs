//! Server, protocol server and telephone together: test plan 23 and 24, and all that might divert such a call.

use std::time::Duration;

use umbel_phone::{Answering, Config, Kind, Redirection};
use umbel_play_on_phone::{CallState, EventCause, News};
use umbel_sip_message::{HeaderName, Method, Uri};
use umbel_store::{CallKind, CallOutcome, MessageState, Ruling};

use super::{House, end, standings};

fn answers(config: &mut Config) {
    config.answering = Answering::After { ringing: Duration::from_secs(2), play_on_phone: true };
}

fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

/// Nobody but alice was invited, and nothing came back to voice mail.
#[track_caller]
fn stayed_at_alice(house: &mut House) {
    let invited = house.company.invited();
    assert!(invited.iter().all(|who| *who == "alice"), "{invited:?}");
    assert_eq!(house.company.invites("um", "server").len(), 1, "never dialled twice");
    let calls = house.server().calls();
    assert!(calls.iter().all(|call| call.kind == CallKind::PlayOnPhone), "{calls:?}");
    assert_eq!(house.server().messages("alice@example.test").len(), 1);
    house.wait(60);
    assert!(house.server().is_at_rest());
    let server = house.company.server;
    assert!(house.company.world[server].is_at_rest());
}

/// Test plan 24, 20; POP-1, POP-2, POP-5, POP-8, OCEXUM-3.2-1, OCEXUM-3.2-4, SEC-39, LOOP-4.
#[test]
fn an_answered_call_plays_the_message_and_ends_with_our_bye() {
    let mut house = House::new(answers);
    let id = house.ask();
    house.wait(30);
    let news = house.news(id);
    assert_eq!(news.first(), Some(&News::Placed));
    assert_eq!(
        standings(&news),
        [
            (CallState::Alerted, EventCause::None, Some(180)),
            (CallState::Connected, EventCause::None, Some(200)),
            (CallState::Disconnected, EventCause::None, Some(200)),
        ]
    );
    assert_eq!(house.heard_the_message(), 1);
    let invites = house.company.invites("um", "server");
    let headers = invites[0].headers();
    assert_eq!(invites[0].request_uri().as_str(), "sip:alice@example.test");
    assert!(headers.from().uri.is_equivalent(&headers.to().uri));
    assert_eq!(headers.all(&HeaderName::MsSensitivity).count(), 1);
    for name in [HeaderName::Diversion, HeaderName::HistoryInfo, HeaderName::Privacy] {
        assert!(!headers.has(&name), "{name}");
    }
    assert!(headers.contacts().expect("one").first().expect("one").param("automata").is_some());
    assert_eq!(
        house.company.world.ladder().requests(&Method::Bye).filter(|(rung, _)| rung.from == "um").count(),
        1
    );
    // SEC-32: what was decided, and how it went.
    let [record] = &house.server().calls()[..] else { panic!("one record") };
    assert_eq!((record.kind, record.outcome), (CallKind::PlayOnPhone, CallOutcome::Played));
    assert_eq!((record.from.as_str(), record.to.as_str()), ("alice@example.test", "alice@example.test"));
    assert!(record.ended.is_some());
    let call_id = record.call_id.clone();
    let rules: Vec<String> =
        house.server().decisions(&call_id).into_iter().map(|decision| decision.rule).collect();
    assert!(rules.iter().any(|rule| rule.starts_with("the owner asked for message")), "{rules:?}");
    assert!(rules.iter().any(|rule| rule == "it is the owner's own address"), "{rules:?}");
    assert!(rules.iter().any(|rule| rule == "somebody answered"), "{rules:?}");
    stayed_at_alice(&mut house);
    assert_eq!(house.server().messages("alice@example.test")[0].state, MessageState::Old);
    // POP-12
    assert_eq!(house.company.world[house.alice].rang, [Kind::PlayOnPhone]);
    assert_eq!(house.company.world[house.alice].missed(), [false]);
}

/// Test plan 24: LOOP-4, OCEXUM-3.2-2, SEC-41: unanswered, with every way by which a call might be diverted.
#[test]
fn an_unanswered_call_ends_as_no_answer_and_nothing_else_happens() {
    let ways: [&[(&str, &str)]; 6] = [
        &[],
        &[("forward-immediate", "voicemail")],
        &[("forward-immediate", "carol@example.test")],
        &[("forward-unanswered", "carol@example.test")],
        &[("forward-unanswered", "+15555550100")],
        &[("team", "carol@example.test"), ("delegates", "carol@example.test")],
    ];
    for rules in ways {
        let mut house = House::with(|_| {}, |_| {}, rules);
        let id = house.ask();
        house.wait(30);
        assert_eq!(end(&house.news(id)), (EventCause::NoAnswer, Some(480)), "{rules:?}");
        assert_eq!(house.heard_the_message(), 0);
        stayed_at_alice(&mut house);
        assert_eq!(house.server().messages("alice@example.test")[0].state, MessageState::New);
        assert_eq!(house.server().calls()[0].outcome, CallOutcome::NotAnswered);
        assert_eq!(house.company.world[house.alice].missed(), [false], "POP-12");
    }
}

/// DEC-26, OCEXUM-3.2-2, SENS-12: busy, declining, and a telephone that points elsewhere (SENS-15, SENS-16, SEC-37).
#[test]
fn a_refused_call_ends_with_its_cause_and_goes_nowhere_else() {
    let deflect = |by| Answering::Deflect { to: uri("sip:carol@example.test"), by };
    for (answering, cause, code) in [
        (Answering::Busy, EventCause::UserBusy, 486),
        (Answering::Decline, EventCause::Other, 603),
        // DEC-28: a telephone that knows Play on Phone declines instead.
        (deflect(Redirection::MovedTemporarily), EventCause::Other, 603),
        (deflect(Redirection::SeeOther), EventCause::Other, 603),
    ] {
        for rules in
            [&[][..], &[("forward-unanswered", "voicemail")], &[("forward-immediate", "carol@example.test")]]
        {
            let mut house = House::with(|config| config.answering = answering.clone(), |_| {}, rules);
            let id = house.ask();
            house.wait(5);
            assert_eq!(end(&house.news(id)), (cause, Some(code)), "{answering:?} {rules:?}");
            stayed_at_alice(&mut house);
        }
    }
}

/// SENS-13: nobody is registered.
#[test]
fn an_absent_owner_is_told_so_at_once() {
    let mut house = House::with(|_| {}, |_| {}, &[("forward-unanswered", "carol@example.test")]);
    house.at_alice(umbel_sim::handset::Told::Phone(Box::new(umbel_phone::Order::Unregister)));
    house.wait(1);
    house.company.world.forget_ladder();
    let id = house.ask();
    house.wait(1);
    assert_eq!(end(&house.news(id)), (EventCause::NoAnswer, Some(480)));
    stayed_at_alice(&mut house);
}

/// Test plan 23: OCEXUM-3.2-7: "rings even if the user has set the presence state to Appear Offline".
#[test]
fn who_appears_offline_is_rung_all_the_same() {
    let mut house = House::new(|config| {
        config.appear_offline = true;
        answers(config);
    });
    let id = house.ask();
    house.wait(30);
    assert_eq!(end(&house.news(id)).0, EventCause::None);
    assert_eq!(house.heard_the_message(), 1);
    stayed_at_alice(&mut house);
}

/// MED-5, DEC-30: keys by SDES over TLS as `[um] srtp` says.
#[test]
fn sound_is_encrypted_as_is_set() {
    use umbel_sdp::Srtp;
    for (ours, encrypted) in [(Srtp::Offered, true), (Srtp::Required, true), (Srtp::Off, false)] {
        let mut house = House::with(answers, |config| config.media.srtp = ours, &[]);
        house.ask();
        house.wait(30);
        let answered = house.company.world[house.alice].news.iter().find_map(|news| match news {
            umbel_phone::News::Call { change: umbel_phone::Progress::Answered(answered), .. } => {
                Some(answered.encrypted)
            }
            _ => None,
        });
        assert_eq!(answered, Some(encrypted), "{ours:?}");
        assert_eq!(house.heard_the_message(), 1, "{ours:?}");
    }
}

/// POP-3, DEC-24: a number outside goes to the gateway with the owner in From and To.
#[test]
fn a_number_outside_is_called_where_the_rules_allow_it() {
    let mut house = House::with(answers, super::allow_number, &[]);
    let id = house.ask_for(1, umbel_play_on_phone::Played::Message(house.message), super::OUTSIDE);
    house.wait(5);
    assert_eq!(standings(&house.news(id)).last().map(|last| last.0), Some(CallState::Connected));
    assert_eq!(house.company.invited(), ["gateway"]);
    let invites = house.company.invites("um", "server");
    assert_eq!(invites[0].request_uri().as_str(), "sip:+15555550100@example.test;user=phone");
    assert_eq!(invites[0].headers().to().uri.as_str(), "sip:alice@example.test");
    let rules: Vec<String> = {
        let call_id = house.server().calls()[0].call_id.clone();
        house
            .server()
            .decisions(&call_id)
            .into_iter()
            .filter(|decision| matches!(decision.ruling, Ruling::Routing(_)))
            .map(|decision| decision.rule)
            .collect()
    };
    assert!(rules[0].contains("[dialling] allow has +1555*"), "{rules:?}");
}

/// POP-3, DEC-24: an extension of a user, which needs no rule.
#[test]
fn an_extension_is_called_without_any_rule() {
    for (dialled, invited) in [("1001", "alice"), ("1003", "carol"), ("sip:carol@example.test", "carol")] {
        let mut house = House::new(answers);
        let id = house.ask_for(1, umbel_play_on_phone::Played::Message(house.message), Some(dialled));
        house.wait(20);
        assert_eq!(house.company.invited(), [invited], "{dialled}");
        assert_eq!(end(&house.news(id)).0, EventCause::None, "{dialled}");
        let to = house.company.invites("um", "server")[0].headers().to().uri.as_str().to_owned();
        assert_eq!(to, "sip:alice@example.test");
    }
}

/// SEC-58: the lamp goes out because the message was heard.
#[test]
fn the_message_is_marked_heard_when_it_was_heard_to_its_end_and_not_before() {
    let mut house = House::new(answers);
    house.ask();
    house.wait_for("+");
    house.wait(1);
    house.at_alice(umbel_sim::handset::Told::HangUp);
    house.wait(5);
    assert_eq!(house.server().messages("alice@example.test")[0].state, MessageState::New);
    house.ask_for(2, umbel_play_on_phone::Played::Message(house.message), None);
    house.wait(30);
    assert_eq!(house.server().messages("alice@example.test")[0].state, MessageState::Old);
}
