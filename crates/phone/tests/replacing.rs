//! Somebody takes the place of the other side of a call: RFC 3891, RFC 5589 7; SEC-42.

mod stage;

use std::time::Duration;

use stage::{DESCRIPTION, Invite, Stage, config, uri};
use umbel_node::{Flow, FlowId, Input, Origin, Transport};
use umbel_phone::{Answering, CallKey, Config, News, NoSockets, Order, Progress};
use umbel_sip_message::{HeaderName, Method, StatusCode};

const BOB: &str = "sip:bob@example.test";
const CAROL: &str = "sip:carol@example.test";
const AFTER: Answering = Answering::After { ringing: Duration::ZERO, play_on_phone: true };

/// Everybody is answered.
fn answering() -> Config {
    Config { answering: AFTER, ..config(Transport::Tls) }
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

fn talking() -> Stage {
    talking_with(answering(), &Invite::from(BOB))
}

/// The tag that the telephone gave itself in the last call that came.
fn our_tag(stage: &Stage) -> String {
    let response =
        stage.responses.iter().rev().find(|response| *response.headers().method() == Method::Invite);
    response.and_then(|response| response.headers().to().tag()).expect("a tag").to_owned()
}

/// Carol calls, with this Replaces.
fn replacing(value: &str) -> Invite {
    let mut invite = Invite::from(CAROL);
    invite.call_id = "b-call".to_owned();
    invite.lines.push((HeaderName::Replaces, value.to_owned()));
    invite
}

/// The Replaces that names the call of [`talking`].
fn of_the_call(stage: &Stage) -> String {
    format!("a-call;to-tag={};from-tag=caller", our_tag(stage))
}

/// What the telephone says to carol's INVITE.
fn status(stage: &mut Stage, value: &str) -> u16 {
    stage.invite(&replacing(value));
    stage.last_response().0
}

fn calls(stage: &Stage) -> usize {
    stage.telephone.calls().count()
}

fn ends(stage: &Stage) -> Vec<(Method, String)> {
    let ends =
        stage.requests.iter().filter(|request| matches!(request.method(), Method::Bye | Method::Cancel));
    ends.map(|request| (request.method().clone(), request.headers().call_id().to_owned())).collect()
}

/// RFC 3891 3: the new call is answered without ringing, the old one gets BYE, and only then; there is one line.
#[test]
fn whoever_takes_a_place_is_answered_at_once_and_the_old_call_is_hung_up() {
    let mut stage = talking();
    let value = of_the_call(&stage);
    // Nobody is let in by how calls are answered, or by being online: the owner is in this call.
    stage.order(Order::Answering(Answering::Busy));
    stage.order(Order::AppearOffline(true));
    stage.responses.clear();
    assert_eq!(status(&mut stage, &value), 200);
    let answer = stage.last_response().1;
    assert_eq!(answer.headers().call_id(), "b-call");
    assert!(answer.headers().supported().any(|tag| tag == "replaces"));
    assert_eq!(stage.responses.len(), 1, "nothing rings");
    assert_eq!(ends(&stage), [(Method::Bye, "a-call".to_owned())]);
    assert_eq!(stage.told(), ["invited", "answered", "replaced", "answered", "ended"]);
    let by = stage.news.iter().find_map(|news| match news {
        News::Call { call_id, change: Progress::Replaced { by, .. }, .. } => {
            Some((call_id.as_str(), &by.caller))
        }
        _ => None,
    });
    assert_eq!(by, Some(("a-call", &uri(CAROL))));
    assert!(!stage.ended().missed);
    assert_eq!((calls(&stage), stage.open_sockets.len()), (1, 1), "the old call's sockets are closed");
}

/// The offer of carol's own comes with the 200, and what she answers with her ACK.
#[test]
fn a_place_may_be_taken_without_an_offer() {
    let mut stage = talking();
    let mut invite = replacing(&of_the_call(&stage));
    invite.offer = None;
    stage.invite(&invite);
    assert_eq!(stage.last_response().0, 200);
    stage.caller(&invite, Method::Ack, |ack| {
        ack.body("application/sdp", DESCRIPTION);
    });
    assert_eq!(stage.told().last(), Some(&"answered"));
    assert_eq!(calls(&stage), 1);
}

/// RFC 3891 3: what names no dialog of ours, in any part of its name.
#[test]
fn a_call_that_is_not_known_gets_481() {
    let mut stage = talking();
    let tag = our_tag(&stage);
    for value in [
        "a-call;to-tag=0123456789abcdef;from-tag=caller".to_owned(),
        "a-call;to-tag=x;from-tag=caller".to_owned(),
        format!("another-call;to-tag={tag};from-tag=caller"),
        format!("a-call;to-tag={tag};from-tag=other"),
        format!("a-call;to-tag={tag};from-tag=0"),
        format!("a-call;to-tag=caller;from-tag={tag}"),
    ] {
        assert_eq!(status(&mut stage, &value), 481, "{value}");
    }
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0), "the call goes on");
    assert_eq!(stage.told(), ["invited", "answered"]);
}

/// RFC 3891 3, 6.1: what does not say clearly what to replace.
#[test]
fn an_unclear_replaces_gets_400() {
    let mut stage = talking();
    let value = of_the_call(&stage);
    for bad in ["a-call", "a-call;to-tag=1", ""] {
        assert_eq!(status(&mut stage, bad), 400, "{bad}");
    }
    for (name, more) in [(HeaderName::Replaces, value.as_str()), (HeaderName::Join, value.as_str())] {
        let mut invite = replacing(&value);
        invite.call_id = format!("{name}-too");
        invite.lines.push((name, more.to_owned()));
        stage.invite(&invite);
        assert_eq!(stage.last_response().0, 400);
    }
    let answered = stage.responses.iter().find(|response| response.status() == StatusCode::OK).cloned();
    let mut bye = Invite::from(BOB).within_again(Method::Bye, answered.as_ref(), 3);
    bye.push(HeaderName::Replaces, value);
    stage.receive(bye);
    assert_eq!(stage.last_response().0, 400, "only an INVITE replaces");
    assert_eq!(calls(&stage), 1, "the call goes on");
}

/// RFC 3891 3: "If the flag is present, the UA rejects the request with a 486 Busy response."
#[test]
fn who_wants_an_early_call_only_does_not_get_one_that_is_up() {
    let mut stage = talking();
    let value = format!("{};early-only", of_the_call(&stage));
    assert_eq!(status(&mut stage, &value), 486);
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0));
}

/// RFC 3891 3: "If the Replaces header field matches a dialog which has already terminated, the UA SHOULD decline".
#[test]
fn who_comes_after_the_call_hears_603() {
    for ours in [true, false] {
        let mut stage = talking();
        let value = of_the_call(&stage);
        if ours {
            let call = stage.telephone.calls().next().expect("a call");
            stage.order(Order::HangUp { call });
        } else {
            stage.caller(&Invite::from(BOB), Method::Bye, |_| {});
        }
        assert_eq!(calls(&stage), 0);
        assert_eq!(status(&mut stage, &value), 603);
        assert_eq!(calls(&stage), 0);
    }
}

/// RFC 3891 3: "If the Replaces header field matches an early dialog that was not initiated by this UA, it returns a
/// 481".
#[test]
fn a_call_that_rings_here_is_nobodys_to_take() {
    let mut stage = Stage::registered_with(config(Transport::Tls));
    stage.invite(&Invite::from(BOB));
    assert_eq!(stage.last_response().0, 180);
    let value = of_the_call(&stage);
    assert_eq!(status(&mut stage, &value), 481);
    assert_eq!((calls(&stage), stage.told()), (1, vec!["invited"]), "it rings on");
}

/// A call of ours that rings at bob: its name, as carol would write it.
fn ringing_at_bob() -> (Stage, CallKey, String) {
    let mut stage = Stage::registered_with(config(Transport::Tls));
    let call = stage.call(BOB);
    stage.answer_with(&Method::Invite, StatusCode::RINGING, |draft| {
        draft.push(HeaderName::Contact, "<sip:192.0.2.1:5061;transport=tls>");
    });
    let headers = stage.last(&Method::Invite).headers();
    let value =
        format!("{};to-tag={};from-tag=server", headers.call_id(), headers.from().tag().expect("a tag"));
    (stage, call, value)
}

/// RFC 3891 3: an early dialog of ours is replaced, and taken back with CANCEL; early-only is for this.
#[test]
fn a_call_of_ours_that_rings_is_replaced_and_taken_back() {
    for flag in ["", ";early-only"] {
        let (mut stage, _, value) = ringing_at_bob();
        assert_eq!(status(&mut stage, &format!("{value}{flag}")), 200);
        let call_id = stage.last(&Method::Invite).headers().call_id().to_owned();
        assert_eq!(ends(&stage), [(Method::Cancel, call_id)]);
        assert_eq!(stage.told(), ["ringing", "replaced", "answered"]);
        stage.answer(&Method::Invite, StatusCode::REQUEST_TERMINATED);
        assert_eq!(stage.told().last(), Some(&"ended"));
        assert_eq!((calls(&stage), stage.open_sockets.len()), (1, 1));
    }
}

/// Bob answers while we take the call back: he is hung up on, and carol stays.
#[test]
fn an_answer_that_crosses_the_cancel_is_hung_up_on() {
    let (mut stage, _, value) = ringing_at_bob();
    assert_eq!(status(&mut stage, &value), 200);
    stage.accept(DESCRIPTION);
    let bye = stage.last(&Method::Bye);
    assert_eq!(bye.headers().call_id(), stage.last(&Method::Invite).headers().call_id());
    assert_eq!(calls(&stage), 1);
    // Once more, and too late: the owner does not talk to bob any more.
    assert_eq!(status_again(&mut stage, &value), 603);
}

fn status_again(stage: &mut Stage, value: &str) -> u16 {
    let mut invite = replacing(value);
    invite.call_id = "c-call".to_owned();
    stage.invite(&invite);
    stage.last_response().0
}

/// RFC 3891 3: "If the UA cannot accept the new INVITE … it MUST leave the matched dialog unchanged."
#[test]
fn a_call_that_cannot_be_taken_leaves_the_old_one_as_it_was() {
    let mut stage = talking();
    let value = of_the_call(&stage);
    let mut invite = replacing(&value);
    invite.offer = Some(
        DESCRIPTION.replace("RTP/AVP 0 101", "RTP/AVP 97").replace("101 telephone-event", "97 nonsense"),
    );
    stage.invite(&invite);
    assert_eq!(stage.last_response().0, 488);
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0));
    // Without sockets, too.
    stage.sockets = false;
    assert!(status_again(&mut stage, &value) >= 400);
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0));
    // And the next one may.
    stage.sockets = true;
    let mut invite = replacing(&value);
    invite.call_id = "d-call".to_owned();
    stage.invite(&invite);
    assert_eq!(stage.last_response().0, 200);
}

/// SEC-42: the owner's voice mail takes nobody's place, and nobody takes its.
#[test]
fn play_on_phone_is_not_replaced_and_replaces_nobody() {
    let mut stage = talking_with(answering(), &Invite::play_on_phone());
    let value = of_the_call(&stage);
    assert_eq!(status(&mut stage, &value), 603);
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0));

    let mut stage = talking();
    let mut invite = Invite::play_on_phone();
    invite.call_id = "b-call".to_owned();
    invite.lines.push((HeaderName::Replaces, of_the_call(&stage)));
    stage.invite(&invite);
    assert_eq!(stage.last_response().0, 603);
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0));
}

/// RFC 3891 8: the right to do it is shown by coming from our server, along the connection that we opened to it.
#[test]
fn who_comes_along_another_connection_takes_no_call() {
    let mut stage = talking();
    let value = of_the_call(&stage);
    let id = FlowId(2);
    let (local, remote) = (([192, 0, 2, 10], 40_000).into(), ([203, 0, 113, 9], 5_061).into());
    let flow = Flow { transport: Transport::Tls, local, remote, origin: Origin::Accepted, peer: None };
    stage.input(Input::Opened { id, flow });
    stage.receive_on(id, replacing(&value).draft());
    assert_eq!(stage.last_response().0, 403);
    assert_eq!((calls(&stage), ends(&stage).len()), (1, 0));
}

/// Who does not want to be sent on keeps the calls that there are, and does not say otherwise.
#[test]
fn without_transfers_nobody_is_replaced() {
    let mut stage = talking_with(Config { transfers: false, ..answering() }, &Invite::from(BOB));
    let value = of_the_call(&stage);
    assert_eq!(status(&mut stage, &value), 403);
    let response =
        stage.responses.iter().find(|response| response.status() == StatusCode::OK).expect("an answer");
    assert!(!response.headers().supported().any(|tag| tag == "replaces"));
    assert_eq!(calls(&stage), 1);
}

/// RFC 3891 6.2: who requires it of us is understood, and is not where nobody is replaced.
#[test]
fn replaces_may_be_required() {
    for (transfers, expected) in [(true, 200), (false, 420)] {
        let mut stage = talking_with(Config { transfers, ..answering() }, &Invite::from(BOB));
        let mut invite = replacing(&of_the_call(&stage));
        invite.lines.push((HeaderName::Require, "replaces".to_owned()));
        stage.invite(&invite);
        assert_eq!(stage.last_response().0, expected);
    }
}

/// Sockets come later than the wish for them: whoever hangs up meanwhile talks to nobody, and a second one who
/// wants the same place waits.
#[test]
fn between_the_call_and_its_sockets_the_owner_may_hang_up() {
    let mut stage = talking();
    let value = of_the_call(&stage);
    let old = stage.telephone.calls().next().expect("a call");
    stage.slow_sockets = true;
    stage.invite(&replacing(&value));
    assert_eq!(status_again(&mut stage, &value), 491);
    stage.order(Order::HangUp { call: old });
    let new = stage.telephone.calls().next().expect("the new call");
    let at = Ok(([192, 0, 2, 10], 31_000).into());
    stage.order(Order::MediaOpened { call: new, at });
    assert_eq!(stage.last_response().0, 603);
    assert_eq!(calls(&stage), 0);
    // What comes after that changes nothing.
    stage.order(Order::MediaOpened { call: new, at: Err(NoSockets) });
    assert_eq!(calls(&stage), 0);
}
