//! The lamp: RFC 6665 and RFC 3842, by subscription and unasked.

mod stage;

use std::time::Duration;

use stage::{OWNER, Stage, uri};
use umbel_phone::{Counts, MessageWaiting, News, Order};
use umbel_sip_message::{Draft, HeaderName, Method, StatusCode};

const BODY: &str = "Messages-Waiting: yes\r\nMessage-Account: sip:alice@example.test;opaque=app:voicemail\r\n\
                    Voice-Message: 2/8 (1/0)\r\n";

/// A NOTIFY: of our subscription where there is one, else of none.
fn notify(stage: &Stage, subscribed: bool, state: &str, number: u32, body: &str) -> Draft {
    let mut draft = Draft::request(Method::Notify, &uri("sip:alice@192.0.2.10:40000;transport=tls"));
    draft.push(HeaderName::Via, format!("SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK-n{number}"));
    draft.push(HeaderName::MaxForwards, "70");
    draft.push(HeaderName::From, format!("<{OWNER}>;tag=notifier"));
    draft.push(HeaderName::CSeq, format!("{number} NOTIFY"));
    if subscribed {
        let subscribe = stage.last(&Method::Subscribe).headers();
        let tag = subscribe.from().tag().expect("a tag").to_owned();
        draft.push(HeaderName::To, format!("<{OWNER}>;tag={tag}"));
        draft.push(HeaderName::CallId, subscribe.call_id());
    } else {
        draft.push(HeaderName::To, format!("<{OWNER}>"));
        draft.push(HeaderName::CallId, format!("unasked-{number}"));
    }
    draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
    draft.push(HeaderName::Event, "message-summary");
    draft.push(HeaderName::SubscriptionState, state);
    draft.body("application/simple-message-summary", bytes::Bytes::copy_from_slice(body.as_bytes()));
    draft
}

fn told(stage: &Stage) -> Vec<MessageWaiting> {
    let told = stage.news.iter().filter_map(|news| match news {
        News::MessageWaiting { change, .. } => Some(change.clone()),
        _ => None,
    });
    told.collect()
}

/// Subscribed, with credentials where they are asked for.
fn subscribed() -> Stage {
    let mut stage = Stage::registered();
    stage.order(Order::WatchMailbox);
    stage.challenge(&Method::Subscribe, "example.test");
    stage.answer_with(&Method::Subscribe, StatusCode::OK, |draft| {
        draft.push(HeaderName::Expires, "3600");
        draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
    });
    stage
}

/// MWI-2, MWI-4
#[test]
fn it_subscribes_to_the_own_mailbox_and_tells_what_waits() {
    let mut stage = subscribed();
    let subscribe = stage.last(&Method::Subscribe);
    assert_eq!(subscribe.request_uri().as_str(), OWNER);
    let headers = subscribe.headers();
    assert_eq!(headers.get_text(&HeaderName::Event).as_deref(), Some("message-summary"));
    assert!(headers.has(&HeaderName::Authorization));
    stage.receive(notify(&stage, true, "active;expires=3600", 1, BODY));
    assert_eq!(stage.last_response().0, 200);
    let counts = Counts { new: 2, old: 8, urgent_new: 1, urgent_old: 0 };
    match told(&stage).as_slice() {
        [MessageWaiting::Summary { summary, subscribed: true }] => {
            assert!(summary.waiting);
            assert_eq!(summary.voice, Some(counts));
        }
        other => panic!("{other:?}"),
    }
    stage.wait(Duration::from_secs(3_600));
    let subscribes = stage.methods().iter().filter(|method| *method == "SUBSCRIBE").count();
    assert!(subscribes > 2, "it is refreshed: {subscribes}");
}

/// MWI-1: unasked, from the server that we are registered with.
#[test]
fn what_the_server_tells_unasked_is_told_too() {
    let mut stage = Stage::registered();
    stage.receive(notify(&stage, false, "terminated", 1, BODY));
    assert_eq!(stage.last_response().0, 200);
    assert!(
        matches!(told(&stage).as_slice(), [MessageWaiting::Summary { subscribed: false, .. }]),
        "{:?}",
        told(&stage)
    );
    stage.receive(notify(&stage, false, "terminated", 2, "nonsense"));
    assert_eq!(told(&stage).len(), 1, "what cannot be read is left alone");
}

#[test]
fn what_somebody_else_tells_is_not_believed() {
    let mut stage = Stage::new(umbel_node::Transport::Tls, stage::config(umbel_node::Transport::Tls));
    stage.call("sip:bob@example.test");
    stage.answer(&Method::Invite, StatusCode::BUSY_HERE);
    stage.receive(notify(&stage, false, "terminated", 1, BODY));
    assert_eq!(told(&stage), []);
    // Of a subscription that we do not have: 481 (RFC 6665 4.1.3).
    let mut stage = subscribed();
    let mut foreign = notify(&stage, true, "active", 1, BODY);
    foreign.set(HeaderName::CallId, "another");
    stage.receive(foreign);
    assert_eq!(stage.last_response().0, 481);
    assert_eq!(told(&stage), []);
}

#[test]
fn a_refusal_is_told_and_final() {
    let mut stage = Stage::registered();
    stage.order(Order::WatchMailbox);
    stage.answer(&Method::Subscribe, StatusCode::BAD_EVENT);
    assert_eq!(told(&stage), [MessageWaiting::Refused(StatusCode::BAD_EVENT)]);
    // SEC-50: and other realms get nothing.
    let mut stage = Stage::registered();
    stage.order(Order::WatchMailbox);
    stage.challenge(&Method::Subscribe, "elsewhere.test");
    assert_eq!(told(&stage), [MessageWaiting::Refused(StatusCode::UNAUTHORIZED)]);
    assert_eq!(stage.methods().iter().filter(|method| *method == "SUBSCRIBE").count(), 1);
}

#[test]
fn a_subscription_that_is_given_up_is_withdrawn() {
    let mut stage = subscribed();
    stage.receive(notify(&stage, true, "active;expires=3600", 1, BODY));
    stage.order(Order::UnwatchMailbox);
    assert_eq!(stage.last(&Method::Subscribe).headers().expires(), Ok(Some(0)));
    stage.answer_with(&Method::Subscribe, StatusCode::OK, |draft| {
        draft.push(HeaderName::Expires, "0");
    });
    stage.receive(notify(&stage, true, "terminated;reason=timeout", 2, BODY));
    assert_eq!(told(&stage).len(), 1, "nobody wants to know any more");
    let sent = stage.requests.len();
    stage.wait(Duration::from_secs(1_200));
    assert!(stage.requests[sent..].iter().all(|request| *request.method() != Method::Subscribe));
}

/// A new connection after the old one broke: the subscription is had again.
#[test]
fn a_new_registration_brings_the_subscription_back() {
    let mut stage = subscribed();
    stage.receive(notify(&stage, true, "active;expires=3600", 1, BODY));
    stage.cut();
    let sent = stage.requests.len();
    let again = (0..120).any(|_| {
        stage.wait(Duration::from_secs(1));
        stage.requests.len() > sent
    });
    assert!(again);
    stage.challenge(&Method::Register, "example.test");
    stage.accept_registration();
    let subscribes = stage.requests[sent..].iter().filter(|request| *request.method() == Method::Subscribe);
    assert!(subscribes.count() >= 1, "{:?}", stage.methods());
}
