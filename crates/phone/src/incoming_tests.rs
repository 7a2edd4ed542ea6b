//! Which calls ring, and which do not: the tables of SENS-16, POP-12 and OCEXUM-3.2-7.

use super::*;

const HERE: Presence = Presence { appears_offline: false, is_busy: false };
const OFFLINE: Presence = Presence { appears_offline: true, is_busy: false };
const IN_USE: Presence = Presence { appears_offline: false, is_busy: true };

fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

fn deflect() -> Answering {
    Answering::Deflect { to: uri("sip:carol@example.test"), by: Redirection::SeeOther }
}

fn after(secs: u64, play_on_phone: bool) -> Answering {
    Answering::After { ringing: Duration::from_secs(secs), play_on_phone }
}

fn ring(secs: Option<u64>) -> Decision {
    Decision::Ring { answer_after: secs.map(Duration::from_secs) }
}

fn invite(from: &str, to: &str, more: &str) -> Request {
    let text = format!(
        "INVITE sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n\
         From: {from};tag=1\r\nTo: {to}\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
         {more}Content-Length: 0\r\n\r\n"
    );
    match umbel_sip_message::parse(text.into()) {
        Ok(umbel_sip_message::Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn read(from: &str, to: &str, more: &str, registered: bool) -> Incoming {
    Incoming::of(&invite(from, to, more), &uri("sip:alice@example.test"), registered)
}

/// POP-13: From, To and the owner are one; the two supporting signs are not needed.
#[test]
fn play_on_phone_is_from_and_to_being_the_owner() {
    let own = "<sip:alice@example.test>";
    for (from, to) in [
        (own, own),
        ("\"Alice\" <sip:alice@EXAMPLE.test;user=phone>", "<sip:alice@example.test>;epid=01"),
        ("sip:alice@example.test", "<sips:alice@example.test>"),
    ] {
        assert_eq!(read(from, to, "", true).kind, Kind::PlayOnPhone, "{from} {to}");
    }
    for (from, to) in [
        ("<sip:bob@example.test>", own),
        (own, "<sip:bob@example.test>"),
        ("<sip:bob@example.test>", "<sip:bob@example.test>"),
        ("<sip:Alice@example.test>", own),
        ("<sip:alice@example.org>", "<sip:alice@example.org>"),
        ("<tel:+15550100>", "<tel:+15550100>"),
        ("<sip:example.test>", "<sip:example.test>"),
    ] {
        let signs = "Ms-Sensitivity: private-no-diversion\r\nContact: <sip:um.example.test>;automata\r\n";
        assert_eq!(read(from, to, signs, true).kind, Kind::Call, "{from} {to}");
    }
    // Not from our own server: what anybody can write is not believed.
    assert_eq!(read(own, own, "", false).kind, Kind::Call);
}

/// HDR-1, HDR-2, HDR-3: shown, and nothing depends on it.
#[test]
fn what_the_caller_says_of_the_call_is_shown_on_one_line() {
    let said = "Subject: Lunch\x1b[2J?\r\nPriority: urgent\r\nContact: <sip:um.example.test>;automata\r\n";
    let call = read("\"Bob\x07 Builder\" <sip:bob@example.test>", "<sip:alice@example.test>", said, true);
    assert_eq!(call.subject.as_deref(), Some("Lunch[2J?"));
    assert_eq!(call.priority.as_deref(), Some("urgent"));
    assert_eq!(call.caller_name.as_deref(), Some("Bob Builder"));
    assert!(call.automatic);
    let call = read("<sip:bob@example.test>", "<sip:alice@example.test>", "", true);
    assert_eq!((call.subject, call.priority, call.caller_name, call.automatic), (None, None, None, false));
    let long = format!("Subject: {}\r\n", "x".repeat(1_000));
    let call = read("<sip:bob@example.test>", "<sip:alice@example.test>", &long, true);
    assert_eq!(call.subject.map(|subject| subject.len()), Some(TEXT_MAX));
}

/// HDR-3: RFC 3840 10.5 writes a boolean feature in three ways.
#[test]
fn an_automatic_system_says_so_in_contact() {
    for (contact, automatic) in [
        (";automata", true),
        (";automata=\"TRUE\"", true),
        (";automata=\"FALSE\"", false),
        (";expires=60", false),
    ] {
        let line = format!("Contact: <sip:um.example.test>{contact}\r\n");
        let call = read("<sip:bob@example.test>", "<sip:alice@example.test>", &line, true);
        assert_eq!(call.automatic, automatic, "{contact}");
    }
}

/// OCEXUM-3.2-7, both directions: appearing offline, From = To rings and everything else does not.
#[test]
fn one_who_appears_offline_is_rung_by_play_on_phone_alone() {
    for answering in [Answering::Ring, after(2, true), Answering::Busy, Answering::Decline, deflect()] {
        let decision = decide(Kind::Call, OFFLINE, &answering);
        assert_eq!(decision, Decision::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE), "{answering:?}");
        assert_eq!(
            decide(Kind::PlayOnPhone, OFFLINE, &answering),
            decide(Kind::PlayOnPhone, HERE, &answering),
            "{answering:?}"
        );
    }
    assert_eq!(decide(Kind::PlayOnPhone, OFFLINE, &Answering::Ring), ring(None));
}

/// POP-12, DEC-28: answered by itself only where somebody asked for just that.
#[test]
fn play_on_phone_is_answered_by_itself_only_where_that_was_asked_for() {
    assert_eq!(decide(Kind::Call, HERE, &after(2, false)), ring(Some(2)));
    assert_eq!(decide(Kind::PlayOnPhone, HERE, &after(2, false)), ring(None));
    assert_eq!(decide(Kind::PlayOnPhone, HERE, &after(2, true)), ring(Some(2)));
    assert_eq!(decide(Kind::PlayOnPhone, HERE, &Answering::Ring), ring(None));
}

/// SENS-16, DEC-28
#[test]
fn play_on_phone_is_never_redirected() {
    assert_eq!(decide(Kind::PlayOnPhone, HERE, &deflect()), Decision::Refuse(StatusCode::DECLINE));
    let carol = uri("sip:carol@example.test");
    assert_eq!(decide(Kind::Call, HERE, &deflect()), Decision::Deflect(carol, Redirection::SeeOther));
}

#[test]
fn refusals_are_486_and_603_whoever_calls() {
    for kind in [Kind::Call, Kind::PlayOnPhone] {
        assert_eq!(decide(kind, HERE, &Answering::Busy), Decision::Refuse(StatusCode::BUSY_HERE));
        assert_eq!(decide(kind, HERE, &Answering::Decline), Decision::Refuse(StatusCode::DECLINE));
        assert_eq!(decide(kind, IN_USE, &after(0, true)), Decision::Refuse(StatusCode::BUSY_HERE));
    }
}

/// SIPRE-30
#[test]
fn the_two_redirections_have_their_status() {
    assert_eq!(Redirection::MovedTemporarily.status().as_u16(), 302);
    assert_eq!(Redirection::SeeOther.status().as_u16(), 303);
}
