//! The notifier and the messages that it writes, read again.
#![allow(clippy::unwrap_used)]

use umbel_sip_message::{Message, parse};

use super::*;
use crate::{Counts, Hop, MessageSummary};

const CONTACT: &str = "<sip:192.0.2.100:5061;transport=tls>";
const LOCAL: Local<'_> = Local { tag: "ours", contact: CONTACT, flow: Some(FlowId(7)) };

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1_000)
}

fn read(text: &str) -> Message {
    parse(Bytes::from(text.to_owned())).unwrap()
}

/// A SUBSCRIBE by a telephone; `lines` come after those that all have.
fn subscribe(cseq: u32, to_tag: &str, lines: &str) -> Request {
    let text = format!(
        "SUBSCRIBE sip:alice@example.test SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK{cseq}\r\n\
         From: \"Alice\" <sip:alice@example.test>;tag=theirs\r\nTo: <sip:alice@example.test>{to_tag}\r\n\
         Call-ID: c1\r\nCSeq: {cseq} SUBSCRIBE\r\nContact: <sip:alice@192.0.2.1:5062>\r\n\
         Event: message-summary\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    read(&text).into_request().unwrap()
}

fn refreshing(cseq: u32, lines: &str) -> Request {
    subscribe(cseq, ";tag=ours", lines)
}

fn summary(new: u32) -> Option<Bytes> {
    Some(MessageSummary::of(Counts { new, ..Counts::default() }, None).to_body())
}

fn accepted(lines: &str, content: Option<Bytes>) -> (Subscription, Draft) {
    Subscription::accept(at(0), &subscribe(1, "", lines), LOCAL, content).unwrap()
}

/// The NOTIFY that is to be sent, as it would be read.
fn sent(subscription: &mut Subscription) -> Option<Request> {
    let Outgoing { mut draft, .. } = subscription.poll_request()?;
    draft.push_via("TLS", "192.0.2.100", None, "z9hG4bKn", false);
    Some(draft.into_request().unwrap())
}

/// The same as `state: body`, the way tests speak of it.
fn told(subscription: &mut Subscription) -> String {
    let Some(notify) = sent(subscription) else { return "nothing".into() };
    let state = notify.headers().get_text(&HeaderName::SubscriptionState).unwrap().into_owned();
    let new = MessageSummary::parse(notify.body()).ok().and_then(|summary| summary.voice);
    match new {
        Some(voice) => format!("{state}: {}", voice.new),
        None => {
            assert!(notify.body().is_empty() && !notify.headers().has(&HeaderName::ContentType));
            format!("{state}: unknown")
        }
    }
}

fn answer(subscription: &mut Subscription, now: Instant, status: &str) {
    let text = format!(
        "SIP/2.0 {status}\r\nVia: SIP/2.0/TLS 192.0.2.100;branch=z9hG4bKn\r\n\
         From: <sip:a@b>;tag=ours\r\nTo: <sip:a@b>;tag=theirs\r\nCall-ID: c1\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n"
    );
    subscription.responded(now, &read(&text).into_response().unwrap());
}

/// MWI-2, RFC 6665 4.2.1.2
#[test]
fn a_subscription_is_answered_and_told_of_at_once() {
    let (mut subscription, draft) = accepted("Record-Route: <sip:edge.test;lr>\r\n", summary(2));
    let response = draft.into_response().unwrap();
    let headers = response.headers();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!((headers.to().tag(), headers.expires().unwrap()), (Some("ours"), Some(3_600)));
    assert_eq!(headers.get_text(&HeaderName::Contact).unwrap(), CONTACT);
    assert_eq!(headers.get_text(&HeaderName::RecordRoute).unwrap(), "<sip:edge.test;lr>");

    let outgoing = subscription.clone().poll_request().unwrap();
    assert_eq!(outgoing.to, Hop { flow: Some(FlowId(7)), uri: "sip:edge.test;lr".parse().unwrap() });
    let notify = sent(&mut subscription).unwrap();
    let headers = notify.headers();
    assert_eq!(notify.request_uri().as_str(), "sip:alice@192.0.2.1:5062");
    assert_eq!((headers.from().tag(), headers.to().tag()), (Some("ours"), Some("theirs")));
    assert_eq!((headers.call_id(), headers.cseq().number), ("c1", 1));
    assert_eq!(headers.get_text(&HeaderName::Route).unwrap(), "<sip:edge.test;lr>");
    assert!(MESSAGE_SUMMARY.is_of(&notify));
    let state = headers.subscription_state().unwrap().unwrap();
    assert_eq!((state.state, state.expires()), ("active", Some(3_600)));
    assert!(headers.content_type().unwrap().unwrap().is("application", "simple-message-summary"));
    assert_eq!(&notify.body()[..], b"Messages-Waiting: yes\r\nVoice-Message: 2/0 (0/0)\r\n");
    assert_eq!(told(&mut subscription), "nothing");
}

/// REL-40
#[test]
fn what_is_not_known_is_not_zero() {
    let (mut subscription, _) = accepted("", None);
    assert_eq!(told(&mut subscription), "active;expires=3600: unknown");
    answer(&mut subscription, at(0), "200 OK");
    subscription.wake(at(1));
    subscription.change(at(5), summary(0));
    assert_eq!(told(&mut subscription), "active;expires=3595: 0");
}

/// MWI-2
#[test]
fn a_burst_of_changes_is_two_notifies_and_the_newest_state_wins() {
    let (mut subscription, _) = accepted("", summary(0));
    assert_eq!(told(&mut subscription), "active;expires=3600: 0");
    for new in 1..=50 {
        subscription.change(at(0), summary(new));
        assert_eq!(told(&mut subscription), "nothing");
    }
    answer(&mut subscription, at(0), "200 OK");
    assert_eq!((told(&mut subscription), subscription.poll_timeout()), ("nothing".into(), Some(at(1))));
    subscription.wake(at(1));
    assert_eq!(told(&mut subscription), "active;expires=3599: 50");
    answer(&mut subscription, at(2), "200 OK");
    subscription.wake(at(2));
    // The same again is no change.
    subscription.change(at(3), summary(50));
    assert_eq!((told(&mut subscription), subscription.poll_timeout()), ("nothing".into(), Some(at(3_600))));
}

/// MWI-2, RFC 6665 4.2.1.1
#[test]
fn a_refresh_prolongs_it_and_is_told_of_at_once() {
    let (mut subscription, _) = accepted("Expires: 600\r\n", summary(1));
    assert_eq!(told(&mut subscription), "active;expires=600: 1");
    answer(&mut subscription, at(0), "200 OK");
    let again = refreshing(2, "Expires: 900\r\n");
    assert!(subscription.owns(&again));
    let response = subscription.refresh(at(0), &again, Some(FlowId(9))).unwrap().into_response().unwrap();
    assert_eq!(response.headers().expires().unwrap(), Some(900));
    assert_eq!(subscription.flow(), Some(FlowId(9)));
    assert_eq!(told(&mut subscription), "active;expires=900: 1");
    subscription.wake(at(600));
    assert!(!subscription.is_over());
    subscription.wake(at(900));
    assert_eq!(told(&mut subscription), "terminated;reason=timeout: 1");
    assert!(subscription.is_over() && subscription.poll_timeout().is_none());
    let late = refreshing(3, "");
    assert_eq!(subscription.refresh(at(901), &late, None).unwrap_err(), Refusal::NoSuchSubscription);
}

/// RFC 6665 4.4.3
#[test]
fn expires_zero_asks_once_or_ends_it() {
    let (mut once, draft) = accepted("Expires: 0\r\n", summary(3));
    assert_eq!(draft.header(&HeaderName::Expires), Some(&b"0"[..]));
    assert_eq!(told(&mut once), "terminated;reason=timeout: 3");
    assert!(once.is_over());

    let (mut ended, _) = accepted("", summary(3));
    told(&mut ended);
    ended.refresh(at(9), &refreshing(2, "Expires: 0\r\n"), None).unwrap();
    assert_eq!(told(&mut ended), "terminated;reason=timeout: 3");
    assert!(ended.is_over());
    ended.change(at(10), summary(4));
    answer(&mut ended, at(10), "200 OK");
    assert_eq!(told(&mut ended), "nothing");
}

/// MWI-2, RFC 6665 4.2.1.1
#[test]
fn intervals_have_bounds() {
    let granted = |lines: &str| {
        let result = Subscription::accept(at(0), &subscribe(1, "", lines), LOCAL, None);
        result.map(|(_, draft)| {
            String::from_utf8_lossy(draft.header(&HeaderName::Expires).unwrap()).into_owned()
        })
    };
    assert_eq!(granted("Expires: 60\r\n").unwrap(), "60");
    assert_eq!(granted("Expires: 59\r\n").unwrap_err(), Refusal::IntervalTooBrief);
    assert_eq!(granted("Expires: 1\r\n").unwrap_err(), Refusal::IntervalTooBrief);
    assert_eq!(granted("Expires: 3600\r\n").unwrap(), "3600");
    assert_eq!(granted("Expires: 86400\r\n").unwrap(), "3600");
    assert_eq!(granted("Expires: soon\r\n").unwrap(), "3600");
    let brief = Refusal::IntervalTooBrief.draft(&subscribe(1, "", ""), "ours").into_response().unwrap();
    assert_eq!((brief.status().as_u16(), brief.headers().min_expires().unwrap()), (423, Some(60)));
}

#[test]
fn what_cannot_be_served_is_refused() {
    let refused = |text: String| {
        let request = read(&text).into_request().unwrap();
        Subscription::accept(at(0), &request, LOCAL, None).unwrap_err()
    };
    let text = String::from_utf8(subscribe(1, "", "").as_bytes().to_vec()).unwrap();
    let status = |text: String| refused(text).status().as_u16();
    assert_eq!(status(text.replace("message-summary", "presence")), 489);
    assert_eq!(status(text.replace("Event: message-summary\r\n", "")), 489);
    assert_eq!(status(text.replace("Event: ", "Accept: text/plain, application/sdp\r\nEvent: ")), 406);
    assert_eq!(status(text.replace("Contact: <sip:alice@192.0.2.1:5062>\r\n", "")), 400);
    assert_eq!(status(text.replace("<sip:alice@192.0.2.1:5062>", "<tel:+1>")), 400);
    assert_eq!(status(text.replace("<sip:alice@192.0.2.1:5062>", "<sip:a@b?Route=x>")), 400);
    let routes = "Record-Route: <sip:x.test;lr>\r\n".repeat(33);
    assert_eq!(status(text.replace("Event: ", &format!("{routes}Event: "))), 400);
    let long = "x".repeat(DIALOG_BYTES_MAX);
    assert_eq!(status(text.replace("Call-ID: c1", &format!("Call-ID: {long}"))), 400);
    for range in ["application/simple-message-summary", "APPLICATION/*;q=0.5", "text/plain, */*"] {
        accepted(&format!("Accept: {range}\r\n"), None);
    }
}

/// SEC-54, RFC 6665 4.5.1
#[test]
fn only_the_whole_dialog_is_the_subscription() {
    let (subscription, _) = accepted("", None);
    let text = String::from_utf8(refreshing(2, "").as_bytes().to_vec()).unwrap();
    let owns =
        |from: &str, to: &str| subscription.owns(&read(&text.replace(from, to)).into_request().unwrap());
    assert!(owns("", ""));
    for (from, to) in [
        ("tag=ours", "tag=other"),
        (";tag=ours", ""),
        ("tag=theirs", "tag=other"),
        ("Call-ID: c1", "Call-ID: c2"),
        ("Event: message-summary", "Event: message-summary;id=1"),
        ("Event: message-summary", "Event: presence"),
    ] {
        assert!(!owns(from, to), "{to}");
    }
}

/// RFC 6665 8.2.1
#[test]
fn the_id_of_an_event_comes_back() {
    let text = String::from_utf8(subscribe(1, "", "").as_bytes().to_vec()).unwrap();
    let request = read(&text.replace("message-summary", "message-summary;id=5")).into_request().unwrap();
    let (mut subscription, _) = Subscription::accept(at(0), &request, LOCAL, None).unwrap();
    let notify = sent(&mut subscription).unwrap();
    assert_eq!(notify.headers().event().unwrap().unwrap().id(), Some("5"));
}

#[test]
fn a_refresh_out_of_order_changes_nothing() {
    let (mut subscription, _) = accepted("Expires: 600\r\n", None);
    told(&mut subscription);
    assert_eq!(subscription.refresh(at(1), &refreshing(1, ""), None).unwrap_err(), Refusal::OutOfOrder);
    let brief = refreshing(2, "Expires: 5\r\n");
    assert_eq!(subscription.refresh(at(1), &brief, None).unwrap_err(), Refusal::IntervalTooBrief);
    assert_eq!((told(&mut subscription), subscription.flow()), ("nothing".into(), Some(FlowId(7))));
    subscription.wake(at(600));
    assert!(subscription.is_over());
}

/// RFC 6665 4.2.2
#[test]
fn a_subscriber_that_is_not_there_is_not_told_again() {
    for status in ["481 Gone", "404 Not Found", "500 Error", "489 Bad Event", "481 Gone\r\nRetry-After: 5"] {
        let (mut subscription, _) = accepted("", summary(1));
        told(&mut subscription);
        answer(&mut subscription, at(0), "100 Trying");
        assert!(!subscription.is_over());
        answer(&mut subscription, at(0), status);
        assert!(subscription.is_over(), "{status}");
        subscription.change(at(9), summary(2));
        assert_eq!(told(&mut subscription), "nothing");
    }
    let (mut subscription, _) = accepted("", summary(1));
    subscription.failed();
    assert!(subscription.is_over());
}

/// RFC 6665 4.2.2
#[test]
fn a_subscriber_that_asks_for_time_is_told_later_and_not_for_ever() {
    let busy = "503 Busy\r\nRetry-After: 20";
    let (mut subscription, _) = accepted("", summary(1));
    told(&mut subscription);
    let mut now = 0;
    for _ in 0..POSTPONED_MAX {
        answer(&mut subscription, at(now), busy);
        assert_eq!(subscription.poll_timeout(), Some(at(now + 20)));
        now += 20;
        subscription.change(at(now - 1), summary(9));
        assert_eq!(told(&mut subscription), "nothing");
        subscription.wake(at(now));
        assert_eq!(told(&mut subscription), format!("active;expires={}: 9", 3_600 - now));
    }
    answer(&mut subscription, at(now), busy);
    assert!(subscription.is_over());
    let (mut subscription, _) = accepted("", summary(1));
    told(&mut subscription);
    answer(&mut subscription, at(0), "503 Busy\r\nRetry-After: 86400");
    assert_eq!(subscription.poll_timeout(), Some(at(60)));
}

/// REL-40
#[test]
fn a_subscriber_that_is_back_over_another_flow_is_told_at_once() {
    let (mut subscription, _) = accepted("", summary(1));
    told(&mut subscription);
    subscription.postpone(at(0), Duration::from_secs(30));
    subscription.change(at(5), summary(2));
    assert_eq!((told(&mut subscription), subscription.poll_timeout()), ("nothing".into(), Some(at(30))));
    subscription.wake(at(30));
    assert_eq!(told(&mut subscription), "active;expires=3570: 2");
    subscription.postpone(at(30), Duration::from_secs(30));
    subscription.moves(at(41), FlowId(11));
    assert_eq!(subscription.clone().poll_request().unwrap().to.flow, Some(FlowId(11)));
    assert_eq!(told(&mut subscription), "active;expires=3559: 2");
}

/// RFC 6665 4.1.3
#[test]
fn the_end_has_a_reason() {
    let end = |reason| {
        let (mut subscription, _) = accepted("", None);
        told(&mut subscription);
        subscription.terminate(reason);
        subscription.terminate(Reason::Rejected);
        told(&mut subscription)
    };
    assert_eq!(end(Reason::Deactivated), "terminated;reason=deactivated: unknown");
    let probation = Reason::Probation(Duration::from_secs(7));
    assert_eq!(end(probation), "terminated;reason=probation;retry-after=7: unknown");
    assert_eq!(end(Reason::Rejected), "terminated;reason=rejected: unknown");
    assert_eq!(end(Reason::NoResource), "terminated;reason=noresource: unknown");
}
