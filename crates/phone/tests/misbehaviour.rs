//! Servers and callers that do what they should not: the telephone stays within its limits and says what is wrong.

mod stage;

use std::time::Duration;

use stage::{DESCRIPTION, Invite, Stage, config};
use umbel_node::Transport;
use umbel_phone::{Config, How, News, Order, Progress, RINGS_WITHIN, Registration};
use umbel_sip_message::{HeaderName, Method, StatusCode};

const BOB: &str = "sip:bob@example.test";
const MINUTE: Duration = Duration::from_secs(60);

fn described(line: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{line}\r\n")
}

/// A registrar that grants no time, or next to none, is not asked without end.
#[test]
fn a_registration_for_no_time_is_lost_and_one_for_a_second_is_refreshed_in_moderation() {
    for (granted, at_most) in [(0, 3), (1, 15)] {
        let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
        stage.order(Order::Register);
        let until = stage.now + MINUTE;
        let mut answered = 0;
        while stage.now < until {
            if stage.methods().len() > answered {
                answered = stage.methods().len();
                stage.answer_with(&Method::Register, StatusCode::OK, |draft| {
                    draft.push(HeaderName::Expires, granted.to_string());
                });
            }
            stage.wait(Duration::from_secs(1));
        }
        assert!(stage.methods().len() <= at_most, "{granted} s: {} in a minute", stage.methods().len());
        let lost = stage.registrations().contains(&Registration::Lost { status: Some(StatusCode::OK) });
        assert_eq!(lost, granted == 0, "{:?}", stage.registrations());
    }
}

/// What the server answered is told with the loss.
#[test]
fn a_server_in_trouble_is_told_with_its_status() {
    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.order(Order::Register);
    stage.answer(&Method::Register, StatusCode::SERVICE_UNAVAILABLE);
    let lost = Registration::Lost { status: Some(StatusCode::SERVICE_UNAVAILABLE) };
    assert_eq!(stage.registrations(), [lost]);
}

/// RFC 3264 6: sound that was refused altogether is no call. 0.0.0.0 is a hold, and told as such.
#[test]
fn an_answer_without_sound_ends_the_call_and_one_that_holds_does_not() {
    let mut stage = Stage::registered();
    stage.call(BOB);
    stage.accept(&described("m=audio 0 RTP/AVP 0"));
    stage.answer(&Method::Bye, StatusCode::OK);
    assert_eq!(stage.told(), ["ended"]);
    assert!(matches!(stage.ended().how, How::NoSession { .. }), "{:?}", stage.ended());

    let mut stage = Stage::registered();
    stage.call(BOB);
    stage.accept(&DESCRIPTION.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0"));
    assert_eq!(stage.told(), ["answered", "held"]);
}

/// The same where the offer is theirs: nobody is rung for a call in which nothing can be heard.
#[test]
fn a_call_without_sound_does_not_ring() {
    let mut stage = Stage::registered();
    let mut invite = Invite::from(BOB);
    invite.offer = Some(described("m=audio 0 RTP/AVP 0"));
    stage.invite(&invite);
    assert_eq!(stage.last_response().0, 488);
    assert_eq!(stage.told(), ["ended"]);
}

/// Within a call, port 0 is a kind of hold, as ever.
#[test]
fn sound_that_is_taken_back_within_a_call_holds_it() {
    let mut stage = Stage::registered();
    let invite = Invite::from(BOB);
    stage.invite(&invite);
    let call = stage.telephone.calls().next().expect("a call");
    stage.order(Order::Answer { call });
    let answer = stage.responses.last().cloned();
    let ack = invite.within_again(Method::Ack, answer.as_ref(), 1);
    stage.receive(ack);
    let mut again = invite.within_again(Method::Invite, answer.as_ref(), 2);
    again.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
    let body = described("m=audio 0 RTP/AVP 0");
    again.body("application/sdp", body.into_bytes());
    stage.receive(again);
    assert_eq!(stage.last_response().0, 200);
    assert_eq!(stage.told(), ["invited", "answered", "held"]);
}

/// CMD-13: keys are sent where they are taken, and it is told where they are not.
#[test]
fn whether_the_other_side_takes_keys_is_told() {
    for (description, takes) in
        [(DESCRIPTION.to_owned(), true), (described("m=audio 20000 RTP/AVP 0"), false)]
    {
        let mut stage = Stage::registered();
        stage.call(BOB);
        stage.accept(&description);
        let told = stage.news.iter().find_map(|news| match news {
            News::Call { change: Progress::Answered(answered), .. } => Some(answered.takes_keys),
            _ => None,
        });
        assert_eq!(told, Some(takes), "{description}");
    }
}

/// A server that repeats a provisional response keeps the call alive, and says nothing new.
#[test]
fn a_provisional_response_is_told_once() {
    let mut stage = Stage::registered();
    stage.call(BOB);
    for code in [180, 180, 181, 180, 180] {
        stage.answer(&Method::Invite, StatusCode::new(code).expect("a status"));
    }
    assert_eq!(stage.told(), ["ringing", "ringing", "ringing"]);
}

/// "Never a hang beyond a named limit": a caller who never gives up.
#[test]
fn it_does_not_ring_for_ever() {
    let mut stage = Stage::registered();
    let invite = Invite::from(BOB);
    stage.invite(&invite);
    stage.wait(RINGS_WITHIN - Duration::from_secs(1));
    assert_eq!(stage.last_response().0, 180);
    stage.wait(Duration::from_secs(1));
    assert_eq!(stage.last_response().0, 480);
    stage.caller(&invite, Method::Ack, |_| {});
    assert_eq!(stage.ended().how, How::NoAnswer);
    assert!(stage.ended().missed);
    assert!(stage.open_sockets.is_empty());

    // One that was answered in time goes on.
    let answering = umbel_phone::Answering::After { ringing: MINUTE, play_on_phone: false };
    let mut stage = Stage::registered_with(Config { answering, ..config(Transport::Tls) });
    stage.invite(&invite);
    stage.wait(MINUTE);
    assert_eq!(stage.last_response().0, 200);
    stage.caller(&invite, Method::Ack, |_| {});
    stage.wait(RINGS_WITHIN);
    assert_eq!(stage.told(), ["invited", "answered"]);
}
