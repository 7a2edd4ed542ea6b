//! The subscriber and the messages that it writes, read again; and both sides against each other.
#![allow(clippy::unwrap_used)]

use rand_core::SeedableRng;
use umbel_sip_message::parse;

use super::*;
use crate::notifier::{Local, Reason, Subscription};
use crate::{Counts, MESSAGE_SUMMARY, MessageSummary};

/// A subscriber, its clock, and a notifier to talk to.
struct Both {
    now: Instant,
    rng: ChaCha20Rng,
    subscriber: Subscriber,
    notifier: Option<Subscription>,
    last: Option<Request>,
    notifies: u32,
}

fn account() -> Account {
    Account {
        package: &MESSAGE_SUMMARY,
        target: "sip:alice@example.test;opaque=app:voicemail".parse().unwrap(),
        from: "sip:alice@example.test".parse().unwrap(),
        to: "sip:alice@example.test".parse().unwrap(),
        hop: Hop::from("sip:um.test;transport=tls".parse::<Uri>().unwrap()),
        route: None,
        contact: "<sip:192.0.2.100:5061;transport=tls>".into(),
        headers: vec![(HeaderName::PAssertedIdentity, "<sip:alice@example.test>".into())],
        expires: Duration::from_secs(3_600),
    }
}

fn summary(new: u32) -> Bytes {
    MessageSummary::of(Counts { new, ..Counts::default() }, None).to_body()
}

fn printed(Outgoing { mut draft, .. }: Outgoing, branch: &str) -> Request {
    draft.push_via("TLS", "192.0.2.100", None, &format!("z9hG4bK{branch}"), false);
    draft.into_request().unwrap()
}

impl Both {
    fn new() -> Self {
        Both {
            now: Instant::ZERO,
            rng: ChaCha20Rng::seed_from_u64(3),
            subscriber: Subscriber::new(account()),
            notifier: None,
            last: None,
            notifies: 0,
        }
    }

    fn subscribed(new: u32) -> Self {
        let mut both = Both::new();
        both.subscriber.subscribe(both.now, &mut both.rng);
        both.exchange(Some(summary(new)));
        both
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The SUBSCRIBE that is to be sent.
    fn asked(&mut self) -> Request {
        let request = printed(self.subscriber.poll_request().unwrap(), "s");
        assert!(self.subscriber.poll_request().is_none());
        self.last = Some(request.clone());
        request
    }

    /// The SUBSCRIBE reaches the notifier, and its answers the subscriber: the 200 first.
    fn exchange(&mut self, content: Option<Bytes>) {
        let request = self.asked();
        let local = Local { tag: "um1", contact: "<sip:um1.test;transport=tls>", flow: None };
        let response = match &mut self.notifier {
            Some(notifier) if notifier.owns(&request) => notifier.refresh(self.now, &request, None).unwrap(),
            _ if request.headers().to().tag().is_some() => Refusal::NoSuchSubscription.draft(&request, ""),
            _ => {
                let (notifier, response) = Subscription::accept(self.now, &request, local, content).unwrap();
                self.notifier = Some(notifier);
                response
            }
        };
        let response = response.into_response().unwrap();
        self.subscriber.responded(self.now, &mut self.rng, &response);
        self.notify();
    }

    /// What the notifier has to tell reaches the subscriber.
    fn notify(&mut self) {
        let Some(outgoing) = self.notifier.as_mut().and_then(Subscription::poll_request) else { return };
        self.notifies += 1;
        let notify = printed(outgoing, "n");
        let response = self.hear(&notify);
        if let Some(notifier) = &mut self.notifier {
            notifier.responded(self.now, &response);
        }
    }

    fn hear(&mut self, notify: &Request) -> Response {
        assert!(self.subscriber.owns(notify));
        self.subscriber.notified(self.now, &mut self.rng, notify, None).into_response().unwrap()
    }

    /// A response to the last SUBSCRIBE.
    fn respond(&mut self, status: &str, lines: &str) {
        let request = self.last.clone().unwrap();
        let headers = request.headers();
        let text = format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/TLS 192.0.2.100;branch=z9hG4bKs\r\nFrom: <sip:a@b>;tag=x\r\n\
             To: <sip:a@b>;tag=y\r\nCall-ID: {}\r\nCSeq: {}\r\n{lines}Content-Length: 0\r\n\r\n",
            headers.call_id(),
            headers.cseq()
        );
        let response = parse(Bytes::from(text)).unwrap().into_response().unwrap();
        self.subscriber.responded(self.now, &mut self.rng, &response);
    }

    fn news(&mut self) -> Vec<News> {
        std::iter::from_fn(|| self.subscriber.poll_news()).collect()
    }
}

#[test]
fn a_subscribe_says_what_it_is_about_and_for_whom() {
    let mut both = Both::new();
    both.subscriber.subscribe(both.now, &mut both.rng);
    let outgoing = both.subscriber.clone().poll_request().unwrap();
    assert_eq!(outgoing.to.uri.as_str(), "sip:um.test;transport=tls");
    let request = both.asked();
    let headers = request.headers();
    assert_eq!(request.request_uri().as_str(), "sip:alice@example.test;opaque=app:voicemail");
    assert_eq!(
        (headers.from().uri.as_str(), headers.to().uri.as_str()),
        ("sip:alice@example.test", "sip:alice@example.test")
    );
    assert_eq!((headers.from().tag(), headers.to().tag()), (both.subscriber.tag(), None));
    assert_eq!((headers.expires().unwrap(), headers.cseq().number), (Some(3_600), 1));
    assert_eq!(headers.get_text(&HeaderName::PAssertedIdentity).unwrap(), "<sip:alice@example.test>");
    assert!(MESSAGE_SUMMARY.is_of(&request) && MESSAGE_SUMMARY.is_acceptable(headers));
    assert!(!headers.has(&HeaderName::Route));
    let mut by_proxy = Subscriber::new(Account { route: "sip:p.test;lr".parse().ok(), ..account() });
    by_proxy.subscribe(both.now, &mut both.rng);
    let request = printed(by_proxy.poll_request().unwrap(), "s");
    assert_eq!(request.headers().get_text(&HeaderName::Route).unwrap(), "<sip:p.test;lr>");
}

/// REL-40
#[test]
fn each_notify_brings_the_state_and_none_without_a_body_does() {
    let mut both = Both::subscribed(2);
    assert_eq!(both.news(), [News::State(summary(2)), News::Subscribed]);
    assert!(both.subscriber.is_active());
    both.wait(5);
    if let Some(notifier) = &mut both.notifier {
        notifier.wake(both.now);
        notifier.change(both.now, Some(summary(3)));
    }
    both.notify();
    assert_eq!(both.news(), [News::State(summary(3))]);
    both.wait(5);
    if let Some(notifier) = &mut both.notifier {
        notifier.wake(both.now);
        notifier.change(both.now, None);
    }
    both.notify();
    assert_eq!((both.news(), both.notifies), (vec![], 3));
}

/// REL-40: refreshed in time, for a day.
#[test]
fn a_subscription_outlives_its_intervals() {
    let mut both = Both::subscribed(0);
    let mut refreshes = 0;
    while both.now < Instant::ZERO + Duration::from_secs(86_400) {
        let due = both.subscriber.poll_timeout().unwrap();
        assert!(
            due.since(both.now) >= Duration::from_secs(1_800)
                && due.since(both.now) <= Duration::from_secs(3_000)
        );
        both.now = due;
        both.subscriber.wake(both.now, &mut both.rng);
        both.exchange(None);
        refreshes += 1;
        assert!(both.notifier.as_ref().is_some_and(|notifier| !notifier.is_over()));
        let last = both.last.as_ref().unwrap().headers();
        assert_eq!((last.cseq().number, last.to().tag()), (refreshes + 1, Some("um1")));
    }
    assert!((28..=48).contains(&refreshes), "{refreshes}");
}

/// REL-40: after the notifier's restart.
#[test]
fn a_notifier_that_has_forgotten_is_subscribed_to_anew_at_once() {
    let mut both = Both::subscribed(1);
    both.news();
    let before = both.last.as_ref().unwrap().headers().call_id().to_owned();
    both.notifier = None;
    both.wait(10);
    both.subscriber.wake(both.now, &mut both.rng);
    both.exchange(None);
    both.exchange(Some(summary(4)));
    assert_eq!(both.news(), [News::State(summary(4)), News::Subscribed]);
    let last = both.last.as_ref().unwrap().headers();
    assert!(last.call_id() != before && last.cseq().number == 1 && last.to().tag().is_none());
}

/// RFC 6665 4.1.3
#[test]
fn the_reason_of_an_end_is_honoured() {
    let end = |reason: Reason| {
        let mut both = Both::subscribed(1);
        both.news();
        if let Some(notifier) = &mut both.notifier {
            notifier.terminate(reason);
        }
        both.notify();
        let waits = both.subscriber.poll_timeout().map(|due| due.since(both.now));
        (both.news().last().cloned().unwrap(), waits)
    };
    let (news, waits) = end(Reason::Deactivated);
    assert!(news == News::Lost && waits.unwrap() <= Duration::from_secs(1));
    let (news, waits) = end(Reason::Probation(Duration::from_secs(100)));
    assert!(news == News::Lost && (100..=125).contains(&waits.unwrap().as_secs()));
    assert_eq!(end(Reason::Rejected), (News::Rejected, None));
    assert_eq!(end(Reason::NoResource), (News::Rejected, None));
}

#[test]
fn what_is_given_up_ends_with_the_last_notify() {
    let mut both = Both::subscribed(1);
    both.news();
    both.wait(9);
    both.subscriber.unsubscribe(both.now, &mut both.rng);
    both.exchange(None);
    assert_eq!(both.last.as_ref().unwrap().headers().expires().unwrap(), Some(0));
    assert_eq!(both.news(), [News::State(summary(1)), News::Unsubscribed]);
    assert!(both.subscriber.is_idle() && both.subscriber.tag().is_none());
    assert_eq!(both.subscriber.poll_timeout(), None);
}

/// SEC-54
#[test]
fn a_notify_of_another_dialog_is_nobodys() {
    let mut both = Both::subscribed(1);
    if let Some(notifier) = &mut both.notifier {
        notifier.terminate(Reason::Rejected);
    }
    let outgoing = both.notifier.as_mut().and_then(Subscription::poll_request).unwrap();
    let notify = printed(outgoing, "n");
    let text = String::from_utf8(notify.as_bytes().to_vec()).unwrap();
    let read = |text: String| parse(Bytes::from(text)).unwrap().into_request().unwrap();
    let tag = both.subscriber.tag().unwrap().to_owned();
    assert!(!both.subscriber.owns(&read(text.replace(&tag, "x"))));
    assert!(!both.subscriber.owns(&read(text.replace("Call-ID: ", "Call-ID: x"))));
    let status = |both: &mut Both, text: String| both.hear(&read(text)).status().as_u16();
    assert_eq!(status(&mut both, text.replace("tag=um1", "tag=um2")), 481);
    assert_eq!(status(&mut both, text.replace("Event: message-summary", "Event: presence")), 489);
    assert_eq!(status(&mut both, text.replace("Subscription-State: terminated", "X: x")), 400);
    assert_eq!(status(&mut both, text.replace("CSeq: 2", "CSeq: 1")), 500);
    assert!(both.subscriber.is_active());
    both.news();
    let other_body = text.replace("application/simple-message-summary", "text/plain");
    assert_eq!(status(&mut both, other_body), 200);
    assert_eq!(both.news(), [News::Rejected]);
}

#[test]
fn a_challenge_is_answered_with_the_next_number_and_not_for_ever() {
    let mut both = Both::new();
    both.subscriber.subscribe(both.now, &mut both.rng);
    let first = both.asked();
    for number in 2..=3 {
        assert!(both.subscriber.authorize(HeaderName::Authorization, "Digest x=\"y\""));
        let again = both.asked();
        assert_eq!(again.headers().cseq().number, number);
        assert_eq!(again.headers().call_id(), first.headers().call_id());
        assert_eq!(again.headers().get_text(&HeaderName::Authorization).unwrap(), "Digest x=\"y\"");
    }
    assert!(!both.subscriber.authorize(HeaderName::Authorization, "Digest x=\"y\""));
    both.respond("401 Unauthorized", "");
    assert_eq!(both.news(), [News::Refused(StatusCode::UNAUTHORIZED)]);
}

#[test]
fn answers_to_earlier_requests_are_late() {
    let mut both = Both::new();
    both.subscriber.subscribe(both.now, &mut both.rng);
    both.asked();
    let first = both.last.clone();
    assert!(both.subscriber.authorize(HeaderName::Authorization, "x"));
    both.asked();
    both.last = first;
    both.respond("403 Forbidden", "");
    assert_eq!(both.news(), []);
}

#[test]
fn intervals_are_as_the_notifier_says() {
    let mut both = Both::new();
    both.subscriber.subscribe(both.now, &mut both.rng);
    both.asked();
    both.respond("423 Interval Too Brief", "Min-Expires: 7200\r\n");
    assert_eq!(both.asked().headers().expires().unwrap(), Some(7_200));
    both.respond("423 Interval Too Brief", "Min-Expires: 4000000000\r\n");
    assert_eq!(both.asked().headers().expires().unwrap(), Some(86_400));
    both.respond("423 Interval Too Brief", "");
    assert_eq!(both.news(), [News::Refused(StatusCode::INTERVAL_TOO_BRIEF)]);
}

#[test]
fn another_way_is_taken_from_the_next_subscription_on() {
    let mut both = Both::subscribed(1);
    both.subscriber.redirect(account().target, Hop::from("sip:um2.test".parse::<Uri>().unwrap()));
    both.subscriber.wake(both.now, &mut both.rng);
    let refresh = both.subscriber.poll_request().unwrap();
    assert_eq!(refresh.to.uri.as_str(), "sip:um1.test;transport=tls");
    both.subscriber.failed(both.now, &mut both.rng);
    both.subscriber.wake(both.now, &mut both.rng);
    assert_eq!(both.subscriber.poll_request().unwrap().to.uri.as_str(), "sip:um2.test");
}
