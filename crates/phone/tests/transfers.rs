//! Being sent on by the other side of a call: RFC 3515, RFC 3892, RFC 4488, RFC 5589; SEC-20, SEC-42.

mod stage;

use std::time::Duration;

use stage::{DESCRIPTION, Invite, Stage, config, uri};
use umbel_node::Transport;
use umbel_phone::{ANSWERED_WITHIN, Answering, Config, How, Order};
use umbel_sip_message::{Draft, HeaderName, Method, Request, StatusCode};

const BOB: &str = "sip:bob@example.test";
const CAROL: &str = "<sip:carol@example.test>";

fn answering() -> Config {
    let answering = Answering::After { ringing: Duration::ZERO, play_on_phone: true };
    Config { answering, ..config(Transport::Tls) }
}

/// In a call that this one made.
fn talking_with(config: Config, invite: &Invite) -> Stage {
    let mut stage = Stage::registered_with(config);
    stage.invite(invite);
    stage.wait(Duration::ZERO);
    stage.caller(invite, Method::Ack, |_| {});
    assert_eq!(stage.told().last(), Some(&"answered"));
    stage
}

fn talking(invite: &Invite) -> Stage {
    talking_with(answering(), invite)
}

/// The other side sends us there, as its request of this number; gives what we answer.
fn refer(
    stage: &mut Stage,
    invite: &Invite,
    number: u32,
    more: &[(HeaderName, &str)],
) -> (u16, Option<String>) {
    let answered = stage.responses.iter().find(|response| response.status() == StatusCode::OK).cloned();
    let mut draft = invite.within_again(Method::Refer, answered.as_ref(), number);
    draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
    for (name, value) in more {
        draft.push(name.clone(), *value);
    }
    stage.receive(draft);
    let (status, response) = stage.last_response();
    (status, response.headers().get_text(&HeaderName::ReferSub).map(std::borrow::Cow::into_owned))
}

fn refer_to(stage: &mut Stage, invite: &Invite, value: &str) -> u16 {
    refer(stage, invite, 2, &[(HeaderName::ReferTo, value)]).0
}

/// What the NOTIFYs say: Event, the word of Subscription-State, the status line.
fn notified(stage: &Stage) -> Vec<(String, String, String)> {
    let field = |request: &Request, name| request.headers().get_text(&name).unwrap_or_default().into_owned();
    let notifies = stage.requests.iter().filter(|request| *request.method() == Method::Notify);
    let told = notifies.map(|notify| {
        assert_eq!(field(notify, HeaderName::ContentType), "message/sipfrag;version=2.0");
        assert_eq!(notify.headers().call_id(), "a-call");
        let state = field(notify, HeaderName::SubscriptionState);
        let state = state.split(';').next().unwrap_or_default().to_owned();
        let line = String::from_utf8_lossy(notify.body()).trim_end().to_owned();
        (field(notify, HeaderName::Event), state, line)
    });
    told.collect()
}

fn told(event: &str, state: &str, line: &str) -> (String, String, String) {
    (event.to_owned(), state.to_owned(), line.to_owned())
}

fn invites(stage: &Stage) -> usize {
    stage.requests.iter().filter(|request| *request.method() == Method::Invite).count()
}

/// RFC 3515 2.4, RFC 3892 2.2, RFC 5589 6: the new call goes the way of all our calls, whoever sent us is named, and
/// the old one ends when the new one is answered.
#[test]
fn who_is_sent_on_calls_there_and_tells_what_came_of_it() {
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    let referred_by = (HeaderName::ReferredBy, "\"Bob\" <sip:bob@example.test>;cid=x@y");
    let answer = refer(&mut stage, &invite, 2, &[(HeaderName::ReferTo, CAROL), referred_by]);
    assert_eq!(answer, (202, None));
    assert_eq!(notified(&stage), [told("refer", "active", "SIP/2.0 100 Trying")]);
    assert_eq!(stage.told(), ["invited", "answered", "transferred"]);
    let placed = stage.last(&Method::Invite);
    assert_eq!(placed.request_uri().as_str(), "sip:carol@example.test");
    assert_eq!(placed.headers().get_text(&HeaderName::ReferredBy).as_deref(), Some("<sip:bob@example.test>"));
    assert_eq!(placed.headers().from().uri.to_uri(), uri(stage::OWNER));
    assert!(!placed.headers().has(&HeaderName::Replaces));
    assert_eq!(stage.telephone.calls().count(), 2, "the old call goes on until the new one is answered");

    stage.accept(DESCRIPTION);
    assert_eq!(notified(&stage).last(), Some(&told("refer", "terminated", "SIP/2.0 200 OK")));
    assert_eq!(stage.last(&Method::Bye).headers().call_id(), "a-call");
    assert_eq!(stage.told(), ["invited", "answered", "transferred", "answered", "ended"]);
    assert_eq!(stage.telephone.calls().count(), 1);
}

/// SEC-50: our server is shown who we are, and nobody else is.
#[test]
fn the_new_call_proves_who_we_are_to_our_own_realm_alone() {
    for (realm, again) in [("example.test", 2), ("elsewhere.test", 1)] {
        let invite = Invite::from(BOB);
        let mut stage = talking(&invite);
        assert_eq!(refer_to(&mut stage, &invite, CAROL), 202);
        stage.challenge(&Method::Invite, realm);
        assert_eq!(invites(&stage), again, "{realm}");
        let proves = stage.last(&Method::Invite).headers().has(&HeaderName::ProxyAuthorization);
        assert_eq!(proves, again == 2, "{realm}");
    }
}

/// The call that could not be made leaves the old one as it was, and another transfer may come. RFC 3515 2.4.6: from
/// the second on, what is told says of which.
#[test]
fn a_transfer_that_fails_leaves_the_call_as_it_was() {
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    assert_eq!(refer_to(&mut stage, &invite, CAROL), 202);
    stage.answer(&Method::Invite, StatusCode::BUSY_HERE);
    assert_eq!(notified(&stage).last(), Some(&told("refer", "terminated", "SIP/2.0 486 Busy Here")));
    assert!(stage.requests.iter().all(|request| *request.method() != Method::Bye));
    assert_eq!(stage.telephone.calls().count(), 1);

    assert_eq!(refer(&mut stage, &invite, 3, &[(HeaderName::ReferTo, CAROL)]).0, 202);
    assert_eq!(notified(&stage).last(), Some(&told("refer;id=3", "active", "SIP/2.0 100 Trying")));
    stage.wait(ANSWERED_WITHIN);
    assert_eq!(
        notified(&stage).last(),
        Some(&told("refer;id=3", "terminated", "SIP/2.0 408 Request Timeout"))
    );
}

/// RFC 5057 4: a blind transfer, where the other side hangs up without waiting.
#[test]
fn who_has_hung_up_still_hears_what_came_of_it() {
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    assert_eq!(refer_to(&mut stage, &invite, CAROL), 202);
    let answered = stage.responses.iter().find(|response| response.status() == StatusCode::OK).cloned();
    let bye = invite.within_again(Method::Bye, answered.as_ref(), 3);
    stage.receive(bye);
    assert_eq!(stage.last_response().0, 200);
    assert_eq!(stage.ended().how, How::ByPeer);
    stage.accept(DESCRIPTION);
    assert_eq!(notified(&stage).last(), Some(&told("refer", "terminated", "SIP/2.0 200 OK")));
    assert_eq!(stage.told(), ["invited", "answered", "transferred", "ended", "answered"]);
    stage.answer(&Method::Notify, StatusCode::OK);
}

/// RFC 4488: nobody is told who does not want to know.
#[test]
fn without_a_subscription_nothing_is_told() {
    let quiet =
        [(HeaderName::ReferTo, CAROL), (HeaderName::ReferSub, "false"), (HeaderName::Require, "norefersub")];
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    assert_eq!(refer(&mut stage, &invite, 2, &quiet), (202, Some("false".to_owned())));
    stage.accept(DESCRIPTION);
    assert_eq!(notified(&stage), []);
    assert_eq!(stage.last(&Method::Bye).headers().call_id(), "a-call");

    let mut stage = talking(&invite);
    let asked =
        refer(&mut stage, &invite, 2, &[(HeaderName::ReferTo, CAROL), (HeaderName::ReferSub, "true")]);
    assert_eq!(asked, (202, Some("true".to_owned())));
    assert_eq!(notified(&stage).len(), 1);
}

/// RFC 3891: an attended transfer.
#[test]
fn replaces_is_passed_on_and_nothing_else_is_left_in_the_address() {
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    let to = "<sip:carol@example.test;method=INVITE;x=y?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>";
    assert_eq!(refer_to(&mut stage, &invite, to), 202);
    let placed = stage.last(&Method::Invite);
    assert_eq!(placed.request_uri().as_str(), "sip:carol@example.test;x=y");
    let replaces = placed.headers().get_text(&HeaderName::Replaces);
    assert_eq!(replaces.as_deref(), Some("a@b;to-tag=1;from-tag=2"));
}

/// SEC-20: a REFER never makes a call with other header fields; SEC-42: nor any other request, nor leads out of SIP.
#[test]
fn what_a_refer_may_not_ask_for_is_refused_and_the_call_goes_on() {
    for (to, status) in [
        ("<sip:alice@example.test;opaque=app:voicemail?Ms-Exchange-Command=skip-pin>", 403),
        ("<sip:carol@example.test?%4ds-Exchange-Command=skip-pin>", 403),
        ("<sip:carol@example.test?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=x>", 403),
        ("<sip:carol@example.test?body=x>", 403),
        ("<sip:carol@example.test?Replaces=a%0D%0AMs-Exchange-Command:%20skip-pin>", 400),
        ("<sip:carol@example.test?Replaces=>", 400),
        ("<sip:carol@example.test;method=BYE>", 403),
        ("<tel:+15550100>", 416),
        ("<https://example.test/>", 416),
        ("nonsense", 400),
    ] {
        let invite = Invite::from(BOB);
        let mut stage = talking(&invite);
        assert_eq!(refer_to(&mut stage, &invite, to), status, "{to}");
        assert_eq!((invites(&stage), notified(&stage).len()), (0, 0), "{to}");
        assert_eq!(stage.telephone.calls().count(), 1, "{to}");
        assert_eq!(stage.told(), ["invited", "answered"], "{to}");
    }
    let invite = Invite::from(BOB);
    assert_eq!(refer(&mut talking(&invite), &invite, 2, &[]).0, 400, "no Refer-To");
    let twice = [(HeaderName::ReferTo, CAROL), (HeaderName::ReferTo, CAROL)];
    assert_eq!(refer(&mut talking(&invite), &invite, 2, &twice).0, 400, "two of them");
    let quiet = Config { transfers: false, ..answering() };
    assert_eq!(refer_to(&mut talking_with(quiet, &invite), &invite, CAROL), 405, "not wanted by the owner");
}

/// SEC-42: what plays the owner's voice mail sends the owner nowhere.
#[test]
fn play_on_phone_sends_nobody_anywhere() {
    let invite = Invite::play_on_phone();
    let mut stage = talking(&invite);
    assert_eq!(refer_to(&mut stage, &invite, CAROL), 603);
    assert_eq!((invites(&stage), stage.telephone.calls().count()), (0, 1));
}

#[test]
fn there_is_one_transfer_at_a_time() {
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    assert_eq!(refer_to(&mut stage, &invite, CAROL), 202);
    assert_eq!(refer(&mut stage, &invite, 3, &[(HeaderName::ReferTo, "<sip:dan@example.test>")]).0, 491);
    assert_eq!(invites(&stage), 1);
}

/// A person who hangs up wants no other call either.
#[test]
fn hanging_up_gives_up_the_transfer() {
    let invite = Invite::from(BOB);
    let mut stage = talking(&invite);
    let call = stage.telephone.calls().next().expect("a call");
    assert_eq!(refer_to(&mut stage, &invite, CAROL), 202);
    stage.answer(&Method::Invite, StatusCode::RINGING);
    stage.order(Order::HangUp { call });
    assert_eq!(stage.last(&Method::Cancel).headers().method(), &Method::Cancel);
    stage.answer(&Method::Invite, StatusCode::REQUEST_TERMINATED);
    assert_eq!(notified(&stage).last(), Some(&told("refer", "terminated", "SIP/2.0 487 Request Terminated")));
    assert_eq!(stage.telephone.calls().count(), 0);
}

/// The call that we placed: the called party sends us on.
#[test]
fn the_called_party_may_send_us_on_once_it_has_answered() {
    let mut stage = Stage::registered();
    stage.call(BOB);
    let placed = stage.last(&Method::Invite).clone();
    let headers = placed.headers();
    let refer = |number: u32| {
        let mut draft = Draft::request(Method::Refer, &uri("sip:alice@192.0.2.10:40000;transport=tls"));
        draft.push(HeaderName::Via, format!("SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK-refer-{number}"));
        draft.push(HeaderName::MaxForwards, "68");
        draft.push(HeaderName::From, format!("<{BOB}>;tag=server"));
        draft.copy(headers, &HeaderName::CallId);
        let to = headers.get_text(&HeaderName::From).unwrap_or_default().into_owned();
        draft.push(HeaderName::To, to);
        draft.push(HeaderName::CSeq, format!("{number} REFER"));
        draft.push(HeaderName::ReferTo, CAROL);
        draft
    };
    stage.answer_with(&Method::Invite, StatusCode::RINGING, |draft| {
        draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
    });
    stage.receive(refer(1));
    assert_eq!(stage.last_response().0, 481, "nobody has answered yet");
    stage.accept(DESCRIPTION);
    stage.receive(refer(2));
    assert_eq!(stage.last_response().0, 202);
    assert_eq!(stage.last(&Method::Invite).request_uri().as_str(), "sip:carol@example.test");
}
