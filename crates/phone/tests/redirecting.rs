//! Calls that we place, and that are to be found elsewhere: RFC 3261 8.1.3.4, 21.3.

mod stage;

use std::time::Duration;

use stage::{DESCRIPTION, Stage, config};
use umbel_node::Transport;
use umbel_phone::{ANSWERED_WITHIN, Config, How, News, Order, Progress, REDIRECTIONS_MAX};
use umbel_sip_message::{HeaderName, Method, StatusCode};

const BOB: &str = "sip:bob@example.test";
const CAROL: &str = "sip:carol@example.test";

fn status(code: u16) -> StatusCode {
    StatusCode::new(code).expect("a status")
}

/// Points the last INVITE there.
fn point(stage: &mut Stage, code: u16, contacts: &[&str]) {
    stage.answer_with(&Method::Invite, status(code), |draft| {
        for contact in contacts {
            draft.push(HeaderName::Contact, format!("<{contact}>"));
        }
    });
}

fn targets(stage: &Stage) -> Vec<String> {
    let invites = stage.requests.iter().filter(|request| *request.method() == Method::Invite);
    invites.map(|invite| invite.request_uri().as_str().to_owned()).collect()
}

#[test]
fn a_call_is_made_where_it_is_pointed_to_and_goes_on_under_its_name() {
    for code in [300, 301, 302, 303] {
        let mut stage = Stage::registered();
        let call = stage.call(BOB);
        point(&mut stage, code, &[CAROL]);
        let again = stage.last(&Method::Invite);
        assert_eq!(again.request_uri().as_str(), CAROL, "{code}");
        assert_eq!(again.headers().to().uri.as_str(), BOB, "RFC 3261 8.1.3.4: To stays");
        assert!(!again.body().is_empty(), "it has an offer");
        stage.accept(DESCRIPTION);
        assert_eq!(stage.told(), ["redirected", "answered"], "{code}");
        let redirected = stage.news.iter().find_map(|news| match news {
            News::Call { call: told, change: Progress::Redirected { status, to }, .. } => {
                Some((*told, status.as_u16(), to.as_str()))
            }
            _ => None,
        });
        assert_eq!(redirected, Some((call, code, CAROL)));
        stage.order(Order::HangUp { call });
        stage.answer(&Method::Bye, StatusCode::OK);
        assert_eq!(stage.ended().how, How::ByUs);
        assert!(stage.open_sockets.is_empty());
    }
}

/// Each of these ends the call as any refusal does.
#[test]
fn where_it_points_nowhere_that_can_be_called_the_call_has_been_refused() {
    let to_itself = "sip:bob@example.test";
    for (code, contacts) in [
        (302, &[][..]),
        (302, &["tel:+15550100"]),
        (302, &["sip:carol@example.test;method=BYE"]),
        (302, &[to_itself]),
        (305, &[CAROL]),
        (380, &[CAROL]),
        (486, &[CAROL]),
    ] {
        let mut stage = Stage::registered();
        stage.call(BOB);
        point(&mut stage, code, contacts);
        assert_eq!(targets(&stage), [BOB], "{code} {contacts:?}");
        assert!(matches!(&stage.ended().how, How::Refused { status, .. } if status.as_u16() == code));
    }
}

#[test]
fn of_several_the_first_that_can_be_called_is_taken_without_its_header_fields() {
    let mut stage = Stage::registered();
    stage.call(BOB);
    point(&mut stage, 300, &["tel:+15550100", "sip:carol@example.test?Ms-Exchange-Command=skip-pin", BOB]);
    assert_eq!(targets(&stage), [BOB, CAROL]);
    assert!(!stage.last(&Method::Invite).headers().has(&HeaderName::MsExchangeCommand));
}

#[test]
fn two_who_point_at_each_other_and_one_who_always_points_on_end_it() {
    let mut stage = Stage::registered();
    stage.call(BOB);
    point(&mut stage, 302, &[CAROL]);
    point(&mut stage, 302, &[BOB]);
    assert_eq!(targets(&stage), [BOB, CAROL]);
    assert!(matches!(&stage.ended().how, How::Refused { .. }));

    let mut stage = Stage::registered();
    stage.call(BOB);
    for number in 0..=REDIRECTIONS_MAX {
        point(&mut stage, 302, &[&format!("sip:further-{number}@example.test")]);
    }
    assert_eq!(targets(&stage).len(), 1 + REDIRECTIONS_MAX);
    assert!(matches!(&stage.ended().how, How::Refused { .. }));
}

/// OCEXUM-3.1.1-2: what was asked of our own voice mail is asked of nobody else.
#[test]
fn the_command_to_skip_the_pin_is_not_taken_along() {
    let mut stage = Stage::registered();
    stage.call_voice_mail(true);
    assert!(stage.last(&Method::Invite).headers().has(&HeaderName::MsExchangeCommand));
    point(&mut stage, 302, &["sip:bob@example.test;opaque=app:voicemail"]);
    let again = stage.last(&Method::Invite);
    assert_eq!(again.request_uri().as_str(), "sip:bob@example.test;opaque=app:voicemail");
    assert!(!again.headers().has(&HeaderName::MsExchangeCommand));
}

#[test]
fn who_wants_not_to_be_sent_on_is_not() {
    let mut stage = Stage::registered_with(Config { transfers: false, ..config(Transport::Tls) });
    stage.call(BOB);
    point(&mut stage, 302, &[CAROL]);
    assert_eq!(targets(&stage), [BOB]);
    assert!(matches!(&stage.ended().how, How::Refused { .. }));
}

/// The owner has hung up meanwhile: a redirection that crosses the CANCEL calls nobody.
#[test]
fn a_call_that_was_given_up_is_not_made_again() {
    let mut stage = Stage::registered();
    let call = stage.call(BOB);
    stage.answer(&Method::Invite, StatusCode::RINGING);
    stage.order(Order::HangUp { call });
    point(&mut stage, 302, &[CAROL]);
    assert_eq!(targets(&stage), [BOB]);
    assert_eq!(stage.told().last(), Some(&"ended"));
}

/// "Never a hang beyond a named limit": the time to be answered is counted from the first INVITE.
#[test]
fn redirections_do_not_lengthen_the_wait_for_an_answer() {
    let mut stage = Stage::registered();
    stage.call(BOB);
    stage.answer(&Method::Invite, StatusCode::RINGING);
    stage.wait(ANSWERED_WITHIN - Duration::from_secs(10));
    point(&mut stage, 302, &[CAROL]);
    stage.answer(&Method::Invite, StatusCode::RINGING);
    stage.wait(Duration::from_secs(11));
    stage.answer(&Method::Cancel, StatusCode::OK);
    stage.answer(&Method::Invite, StatusCode::REQUEST_TERMINATED);
    assert_eq!(stage.ended().how, How::NoAnswer);
}
