//! Calls that come: [MS-OCEXUM] 3.2, SENS-16, POP-12 and POP-13, seen on the wire.

mod stage;

use std::time::Duration;

use stage::{DESCRIPTION, Invite, Stage, config, uri};
use umbel_node::Transport;
use umbel_phone::{Answering, Config, How, Order, Redirection, Refusal};
use umbel_sip_message::{HeaderName, Method, StatusCode};

const BOB: &str = "sip:bob@example.test";

fn answering(answering: Answering) -> Config {
    Config { answering, ..config(Transport::Tls) }
}

fn after(secs: u64, play_on_phone: bool) -> Answering {
    Answering::After { ringing: Duration::from_secs(secs), play_on_phone }
}

fn deflect(by: Redirection) -> Answering {
    Answering::Deflect { to: uri("sip:carol@example.test"), by }
}

fn offline() -> Config {
    Config { appear_offline: true, ..config(Transport::Tls) }
}

/// The statuses that were sent, 100 left out.
fn statuses(stage: &Stage) -> Vec<u16> {
    let all = stage.responses.iter().map(|response| response.status().as_u16());
    all.filter(|status| *status != 100).collect()
}

#[test]
fn a_call_rings_and_is_answered_after_the_time_that_was_asked_for() {
    let mut stage = Stage::registered_with(answering(after(2, false)));
    let invite = Invite::from(BOB);
    stage.invite(&invite);
    assert_eq!((statuses(&stage), stage.told()), (vec![180], vec!["invited"]));
    stage.wait(Duration::from_millis(1_999));
    assert_eq!(statuses(&stage), [180]);
    stage.wait(Duration::from_millis(1));
    assert_eq!(statuses(&stage), [180, 200]);
    assert!(matches!(stage.media.as_slice(), [umbel_media::Command::Update(_)]));
    stage.caller(&invite, Method::Ack, |_| {});
    stage.wait(Duration::from_secs(5));
    stage.caller(&invite, Method::Bye, |_| {});
    assert_eq!(stage.told(), ["invited", "answered", "ended"]);
    assert_eq!(stage.ended().how, How::ByPeer);
    assert_eq!(stage.ended().lasted, Some(Duration::from_secs(5)));
    assert!(!stage.ended().missed);
    assert!(stage.open_sockets.is_empty(), "sockets are given back");
}

/// OCEXUM-3.2-7, both directions.
#[test]
fn who_appears_offline_is_rung_by_play_on_phone_and_by_nobody_else() {
    let mut stage = Stage::registered_with(offline());
    stage.invite(&Invite::play_on_phone());
    assert_eq!((statuses(&stage), stage.told()), (vec![180], vec!["invited"]));

    let mut stage = Stage::registered_with(offline());
    stage.invite(&Invite::from(BOB));
    assert_eq!(statuses(&stage), [480]);
    assert_eq!(stage.told(), ["ended"]);
    assert!(stage.ended().missed);
}

/// OCEXUM-3.2-C-1: `Ms-Sensitivity` asks nothing of a client, whatever it says and whoever calls.
#[test]
fn the_sensitivity_of_a_call_changes_nothing() {
    for value in ["private-no-diversion", "normal", "nonsense"] {
        let mut stage = Stage::registered_with(answering(after(0, false)));
        let mut invite = Invite::from(BOB);
        invite.lines.push((HeaderName::MsSensitivity, value.to_owned()));
        stage.invite(&invite);
        stage.wait(Duration::ZERO);
        assert_eq!(statuses(&stage), [180, 200], "{value}");
    }
}

/// POP-13: without the two supporting signs it is still Play-On-Phone; along another connection it is not.
#[test]
fn play_on_phone_is_known_by_its_parties_along_the_registration() {
    let mut stage = Stage::registered_with(offline());
    let mut invite = Invite::play_on_phone();
    invite.lines.clear();
    stage.invite(&invite);
    assert_eq!(statuses(&stage), [180]);

    let mut stage = Stage::new(Transport::Tls, offline());
    stage.call(BOB);
    stage.answer(&Method::Invite, StatusCode::BUSY_HERE);
    stage.invite(&Invite::play_on_phone());
    assert_eq!(stage.last_response().0, 480, "not registered: nobody vouches for From");
}

/// POP-12: never missed, however it ends without an answer.
#[test]
fn play_on_phone_is_never_a_missed_call() {
    for (invite, missed) in [(Invite::play_on_phone(), false), (Invite::from(BOB), true)] {
        let mut stage = Stage::registered();
        stage.invite(&invite);
        stage.wait(Duration::from_secs(60));
        assert_eq!(statuses(&stage), [180], "it is not answered by itself");
        stage.caller(&invite, Method::Cancel, |_| {});
        assert_eq!(stage.ended().how, How::Cancelled);
        assert_eq!(stage.ended().missed, missed);
    }
}

/// POP-12, DEC-28
#[test]
fn play_on_phone_is_answered_by_itself_only_where_that_was_asked_for() {
    for (asked, expected) in [(true, vec![180, 200]), (false, vec![180])] {
        let mut stage = Stage::registered_with(answering(after(2, asked)));
        stage.invite(&Invite::play_on_phone());
        stage.wait(Duration::from_secs(30));
        let mut seen = statuses(&stage);
        seen.dedup();
        assert_eq!(seen, expected, "{asked}");
    }
}

// RFC 3326 3.1
#[test]
fn what_another_telephone_answered_is_not_missed() {
    for (reason, missed) in [
        (Some("SIP;cause=200;text=\"Call completed elsewhere\""), false),
        (Some("Q.850;cause=16, SIP ;cause=200"), false),
        (Some("SIP;cause=480"), true),
        (Some("Q.850;cause=200"), true),
        (Some(";;;"), true),
        (None, true),
    ] {
        let mut stage = Stage::registered();
        let invite = Invite::from(BOB);
        stage.invite(&invite);
        stage.caller(&invite, Method::Cancel, |draft| {
            if let Some(reason) = reason {
                draft.push(HeaderName::Reason, reason);
            }
        });
        assert_eq!(stage.ended().missed, missed, "{reason:?}");
        assert_eq!(stage.last_response().0, 487);
    }
}

/// SENS-16, DEC-28: 302 and 303 for a call, 603 for Play-On-Phone, by setting and by order.
#[test]
fn a_call_is_sent_on_and_play_on_phone_is_declined_instead() {
    for (by, status) in [(Redirection::SeeOther, 303), (Redirection::MovedTemporarily, 302)] {
        let mut stage = Stage::registered_with(answering(deflect(by)));
        stage.invite(&Invite::from(BOB));
        let (sent, response) = stage.last_response();
        assert_eq!(sent, status);
        let contact = response.headers().get_text(&HeaderName::Contact).expect("a contact");
        assert_eq!(contact, "<sip:carol@example.test>");

        let mut stage = Stage::registered_with(answering(deflect(by)));
        stage.invite(&Invite::play_on_phone());
        let (sent, response) = stage.last_response();
        assert_eq!((sent, response.headers().has(&HeaderName::Contact)), (603, false));

        for (invite, status) in [(Invite::from(BOB), status), (Invite::play_on_phone(), 603)] {
            let mut stage = Stage::registered();
            stage.invite(&invite);
            let call = stage.telephone.calls().next().expect("it rings");
            let how = Refusal::Deflect { to: uri("sip:carol@example.test"), by };
            stage.order(Order::Refuse { call, how });
            assert_eq!(stage.last_response().0, status);
        }
    }
}

#[test]
fn busy_and_declined_are_said_as_such() {
    for (setting, status, missed) in [(Answering::Busy, 486, true), (Answering::Decline, 603, false)] {
        let mut stage = Stage::registered_with(answering(setting));
        stage.invite(&Invite::from(BOB));
        assert_eq!(statuses(&stage), [status]);
        assert_eq!(stage.ended().missed, missed);
    }
}

#[test]
fn one_call_more_than_there_are_lines_is_busy() {
    let mut stage = Stage::registered();
    stage.invite(&Invite::from(BOB));
    let mut second = Invite::from("sip:carol@example.test");
    second.call_id = "another-call".to_owned();
    stage.invite(&second);
    assert_eq!(statuses(&stage), [180, 486]);
    assert_eq!(stage.telephone.calls().count(), 1);
}

// RFC 3261 13.2.1: the caller leaves the offer to us.
#[test]
fn an_offer_is_made_where_the_caller_made_none() {
    let mut stage = Stage::registered_with(answering(after(0, false)));
    let mut invite = Invite::from(BOB);
    invite.offer = None;
    stage.invite(&invite);
    stage.wait(Duration::ZERO);
    assert_eq!(statuses(&stage), [180, 200]);
    assert_eq!(stage.told(), ["invited"], "nothing is agreed on yet");
    stage.caller(&invite, Method::Ack, |draft| {
        draft.body("application/sdp", bytes::Bytes::from_static(DESCRIPTION.as_bytes()));
    });
    assert_eq!(stage.told(), ["invited", "answered"]);
}

// RFC 3264, RFC 3261 21.4.26
#[test]
fn a_call_that_could_not_be_answered_does_not_ring() {
    for (offer, status) in [
        (DESCRIPTION.replace("RTP/AVP 0 101", "RTP/AVP 98"), 488),
        (DESCRIPTION.replace("m=audio", "m=video"), 488),
        (DESCRIPTION.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"), 488),
        ("not a description".to_owned(), 400),
    ] {
        let mut stage = Stage::registered_with(answering(after(0, true)));
        let mut invite = Invite::from(BOB);
        invite.offer = Some(offer.clone());
        stage.invite(&invite);
        assert_eq!(statuses(&stage), [status], "{offer}");
        assert_eq!(stage.told(), ["ended"], "{offer}");
        assert!(stage.open_sockets.is_empty());
    }
    let mut stage = Stage::registered_with(answering(after(0, true)));
    stage.sockets = false;
    stage.invite(&Invite::from(BOB));
    assert_eq!(statuses(&stage), [480]);
    assert_eq!(stage.ended().how, How::NoRoom);
}

// RFC 3264 8.4: hold, by either side.
#[test]
fn a_hold_is_told_and_made() {
    let mut stage = Stage::registered_with(answering(after(0, false)));
    let invite = Invite::from(BOB);
    stage.invite(&invite);
    stage.wait(Duration::ZERO);
    stage.caller(&invite, Method::Ack, |_| {});
    for (attribute, told) in [("a=sendonly\r\n", "held"), ("", "resumed")] {
        let mut second = Invite::from(BOB);
        let version = 1 + stage.responses.len();
        second.offer =
            Some(format!("{DESCRIPTION}{attribute}").replace("1 1 IN", &format!("1 {version} IN")));
        let response = stage.responses.iter().find(|response| response.status() == StatusCode::OK).cloned();
        let mut draft =
            invite.within_again(Method::Invite, response.as_ref(), u32::try_from(version).expect("few"));
        draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
        draft.body("application/sdp", bytes::Bytes::from(second.offer.expect("one")));
        stage.receive(draft);
        assert_eq!(stage.last_response().0, 200);
        let response = stage.responses.last().cloned();
        let ack = invite.within_again(Method::Ack, response.as_ref(), u32::try_from(version).expect("few"));
        stage.receive(ack);
        assert_eq!(stage.told().last(), Some(&told));
    }
    let call = stage.telephone.calls().next().expect("a call");
    stage.order(Order::Hold { call, held: true });
    let offer = String::from_utf8_lossy(stage.last(&Method::Invite).body()).into_owned();
    assert!(offer.contains("a=sendonly"), "{offer}");
    stage.accept(&format!("{DESCRIPTION}a=recvonly\r\n"));
    assert!(matches!(
        stage.media.last(),
        Some(umbel_media::Command::Update(parameters))
            if parameters.direction == umbel_media::Direction::SendOnly
    ));
}
