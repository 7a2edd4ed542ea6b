//! The lamp: what voice mail tells, what telephones are told, and what happens when either side, or this
//! server, is started anew.

mod telephones;
mod voice_mail;

use umbel_event_notification::{Counts, MessageSummary};

use super::*;
use crate::MailboxStates;
use crate::message_waiting::SUBSCRIPTIONS_PER_USER_MAX;

const OF_ALICE: &str = "sip:alice@example.test;opaque=app:voicemail";
const ASKED_FOR_ALICE: &str = "vm1 < SUBSCRIBE sip:alice@example.test;opaque=app:voicemail";
const LAMP_OF_ALICE: &str = "alice < NOTIFY sip:alice@192.0.2.1";

/// An office that asks voice mail; the servers may also come over connections of their own.
fn office() -> Office {
    office_with(|_| {})
}

fn office_with(change: impl FnOnce(&mut Config)) -> Office {
    let mut office = Office::with(|config| {
        config.mailbox_states = MailboxStates::Subscribed;
        config.trust.peers.push("vm1.test".parse().unwrap());
        change(config);
    });
    office.connect("vm1-itself", IpAddr::from([203, 0, 113, 1]), Some("vm1.test"));
    office
}

/// Alice has registered, and voice mail has told of so many new messages.
fn lit(new: u32) -> Office {
    let mut office = office();
    register(&mut office, "alice");
    office.expect(&format!("alice < 200\n{ASKED_FOR_ALICE}"));
    grant(&mut office, "vm1", new);
    office.wait(2);
    office.expect(LAMP_OF_ALICE);
    taken(&mut office, "alice");
    office
}

fn register(office: &mut Office, name: &str) {
    let contact = format!("<sip:{name}@{}>", office.address(name));
    office.register(name, &contact, "");
}

/// The last NOTIFY is answered.
fn taken(office: &mut Office, name: &str) {
    answered(office, name, "200 OK");
}

fn answered(office: &mut Office, name: &str, status: &str) {
    let notify = office.request(name, "NOTIFY");
    office.respond(name, &notify, status, "");
}

fn summary(new: u32) -> String {
    MessageSummary::of(Counts { new, old: 8, ..Counts::default() }, "sip:x@um.test".parse().ok()).to_string()
}

/// A server grants the last SUBSCRIBE, and tells.
#[track_caller]
fn grant(office: &mut Office, server: &str, new: u32) {
    let subscribe = office.request(server, "SUBSCRIBE");
    office.respond(server, &subscribe, "200 OK", "Expires: 3600\r\n");
    notify(office, server, 1, "active;expires=3600", &summary(new));
    office.expect(&format!("{server} < 200"));
}

/// A NOTIFY within what the last SUBSCRIBE has begun.
fn notify(office: &mut Office, server: &str, cseq: u32, state: &str, body: &str) {
    let subscribe = office.request(server, "SUBSCRIBE");
    let headers = subscribe.headers();
    let (call_id, tag) = (headers.call_id().to_owned(), headers.from().tag().unwrap().to_owned());
    let text = format!(
        "NOTIFY sip:192.0.2.100:5061;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS {server}.test;branch=z9hG4bK{call_id}.{cseq}\r\n\
         From: <sip:alice@example.test>;tag={server}\r\nTo: <sip:alice@example.test>;tag={tag}\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} NOTIFY\r\nContact: <sip:{server}.test;transport=tls>\r\nEvent: message-summary\r\n\
         Subscription-State: {state}\r\n{}",
        content(body)
    );
    office.say(server, &text);
}

fn content(body: &str) -> String {
    if body.is_empty() {
        return "Content-Length: 0\r\n\r\n".into();
    }
    let length = body.len();
    format!("Content-Type: application/simple-message-summary\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A NOTIFY that nobody has subscribed to.
fn unasked(office: &mut Office, name: &str, to: &str, body: &str) {
    office.calls += 1;
    let call = office.calls;
    let text = format!(
        "NOTIFY {to} SIP/2.0\r\nVia: SIP/2.0/TLS {name}.test;branch=z9hG4bKu{call}\r\n\
         From: <sip:voicemail@example.test>;tag=n{call}\r\nTo: <{to}>\r\nCall-ID: u{call}\r\nCSeq: 1 NOTIFY\r\n\
         Max-Forwards: 70\r\nEvent: message-summary\r\nSubscription-State: terminated\r\n{}",
        content(body)
    );
    office.say(name, &text);
}

/// What the last NOTIFY to somebody told: its Subscription-State, and how many new messages there are.
fn told(office: &Office, name: &str) -> (String, Option<u32>) {
    let notify = office.request(name, "NOTIFY");
    let state = values(&notify, &HeaderName::SubscriptionState).join(", ");
    let summary = MessageSummary::parse(notify.body()).ok();
    assert_eq!(summary.is_none(), notify.body().is_empty());
    (state, summary.and_then(|summary| summary.voice).map(|voice| voice.new))
}

fn subscribe(office: &mut Office, name: &str, uri: &str, lines: &str) {
    let contact =
        format!("{lines}Event: message-summary\r\nContact: <sip:{name}@{}>\r\n", office.address(name));
    office.send(name, "SUBSCRIBE", uri, &contact);
}

/// A SUBSCRIBE within the subscription that a telephone has.
fn refresh(office: &mut Office, name: &str, lines: &str, more: &str, cseq: u32) -> String {
    let notify = office.request("alice", "NOTIFY");
    let headers = notify.headers();
    let (ours, theirs) = (headers.from().tag().unwrap(), headers.to().tag().unwrap());
    let text = format!(
        "SUBSCRIBE sip:192.0.2.100:5061;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS {name}.test;branch=z9hG4bKr{cseq}\r\n\
         From: <sip:alice@example.test>;tag={theirs}\r\nTo: <sip:alice@example.test>;tag={ours}\r\n\
         Call-ID: {}\r\nCSeq: {cseq} SUBSCRIBE\r\nMax-Forwards: 70\r\nContact: <sip:alice@192.0.2.1>\r\n\
         Event: message-summary\r\n{more}{lines}Content-Length: 0\r\n\r\n",
        headers.call_id()
    );
    office.say(name, &text);
    text
}

/// The same, heard by somebody who is to be told.
fn grant_after(office: &mut Office, server: &str, new: u32) {
    let subscribe = office.request(server, "SUBSCRIBE");
    office.respond(server, &subscribe, "200 OK", "Expires: 3600\r\n");
    notify(office, server, 1, "active;expires=3600", &summary(new));
}
