//! A protocol server tells of callers who gave up before any diversion (MISS-2, MISS-3).
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use umbel_sim::office::{By, PROXY, invite};
use umbel_sim::switchboard::Do as Ask;
use umbel_sim::telephone::Do;
use umbel_sim::{Office, Place, Switchboard, address, certificate, tls};
use umbel_sip_message::{Draft, HeaderName, Method, SIPFRAG, Uri};
use umbel_store::{StoreError, UserChange};

const ALICE: &str = "alice@example.test";
const VOICE_MAIL: &str = "sip:alice@example.test;gruu;opaque=app:voicemail";
const NOTICE: &str = "INVITE sip:alice@example.test SIP/2.0\r\n\
    From: \"Bob\" <sip:bob@example.test>;tag=1\r\n\
    To: <sip:alice@example.test>\r\n\
    Call-ID: gave-up@client\r\n\
    Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
    Subject: Lunch\r\n\
    Priority: urgent\r\n";

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

struct Teller {
    office: Office,
    proxy: Place<Switchboard>,
}

impl Teller {
    fn by(name: Option<&str>) -> Teller {
        let mut office = Office::new(11);
        office.world.resolve("um.example.test", [tls(address(1), "um.example.test")]);
        let rng = office.world.rng();
        let proxy = office.world.add("proxy", address(50), Switchboard::new(rng));
        if let Some(name) = name {
            office.world.show_certificate(proxy, certificate(&[name]));
        }
        Teller { office, proxy }
    }

    fn tell(&mut self, to: &str, content_type: &str, body: &str) -> u16 {
        let mut draft = Draft::request(Method::Message, &uri(to));
        draft.push(HeaderName::From, "<sip:example.test>;tag=p1");
        draft.push(HeaderName::To, format!("<{to}>"));
        draft.push(HeaderName::CallId, format!("notice-{}", self.office.world[self.proxy].responses.len()));
        draft.body(content_type, body.to_owned());
        let um = uri("sip:um.example.test;transport=tls");
        self.office.world.order(self.proxy, Ask::Ask(Box::new(draft), um));
        self.office.world.run_for(Duration::from_millis(200));
        self.office.world[self.proxy].responses.last().unwrap().status().as_u16()
    }
}

/// MISS-2: "notification delivered once".
#[test]
fn a_caller_who_gave_up_is_noted_once() {
    let mut teller = Teller::by(Some(PROXY));
    for _ in 0..2 {
        assert_eq!(teller.tell(VOICE_MAIL, SIPFRAG, NOTICE), 200);
    }
    let [missed] = &teller.office.server().missed_calls(ALICE)[..] else { panic!() };
    assert_eq!((missed.caller.id.as_str(), missed.caller.name.as_deref()), ("bob@example.test", Some("Bob")));
    assert_eq!((missed.subject.as_str(), missed.call_id.as_str()), ("Lunch", "gave-up@client"));
    assert!(missed.caller.verified);
    let since_morning = missed.at.as_secs() - umbel_sim::unified_messaging::MORNING.as_secs();
    assert!((0..5).contains(&since_morning), "the caller's clock is not believed");
    assert!(teller.office.server().is_at_rest());
}

/// MISS-3: none for calls that left a message, none for Play on Phone, none where they are not wanted.
#[test]
fn what_is_no_missed_call_is_not_noted() {
    let mut teller = Teller::by(Some(PROXY));
    let erin = teller.office.caller("erin", By::Tcp);
    teller.office.call(erin, invite("erin", "alice"));
    teller.office.wait(2);
    teller.office.order(erin, Do::Speak(Duration::from_secs(5)), Duration::from_secs(6));
    teller.office.order(erin, Do::HangUp, Duration::from_secs(2));
    assert_eq!(teller.office.server().messages(ALICE).len(), 1);
    let call_id = teller.office.world[erin].call_id();
    let left = NOTICE.replace("gave-up@client", &call_id);
    assert_eq!(teller.tell(VOICE_MAIL, SIPFRAG, &left), 200);

    let own = NOTICE.replace("\"Bob\" <sip:bob@example.test>;tag=1", "<sip:alice@example.test>;tag=1");
    assert_eq!(teller.tell(VOICE_MAIL, SIPFRAG, &own), 200);
    assert_eq!(teller.office.server().missed_calls(ALICE), []);

    teller.office.server().change_user("bob@example.test", &[UserChange::MissedCallNotices(false)]);
    assert_eq!(teller.tell("sip:1002@example.test", SIPFRAG, NOTICE), 200);
    assert_eq!(teller.office.server().missed_calls("bob@example.test"), []);
    assert_eq!(teller.tell(VOICE_MAIL, SIPFRAG, NOTICE), 200);
    assert_eq!(teller.office.server().missed_calls(ALICE).len(), 1, "while this one is");
}

#[test]
fn a_notice_that_is_not_in_order_is_refused() {
    let without = |line: &str| -> String {
        NOTICE
            .lines()
            .filter(|found| !found.starts_with(line))
            .fold(String::new(), |text, line| text + line + "\r\n")
    };
    for (peer, to, content_type, body, status) in [
        (None, VOICE_MAIL, SIPFRAG, NOTICE.to_owned(), 403),
        (Some("stranger.test"), VOICE_MAIL, SIPFRAG, NOTICE.to_owned(), 403),
        (Some(PROXY), VOICE_MAIL, "text/plain", NOTICE.to_owned(), 415),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, without("From"), 400),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, without("To"), 400),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, without("Call-ID"), 400),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, without("INVITE"), 400),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, NOTICE.replace("INVITE", "OPTIONS"), 400),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, "SIP/2.0 200 OK\r\n".to_owned(), 400),
        (Some(PROXY), VOICE_MAIL, SIPFRAG, "nothing of the kind".to_owned(), 400),
        (Some(PROXY), "sip:nobody@example.test;opaque=app:voicemail", SIPFRAG, NOTICE.to_owned(), 404),
        (Some(PROXY), "sip:voicemail@example.test", SIPFRAG, NOTICE.to_owned(), 404),
        (Some(PROXY), VOICE_MAIL, "Message/SipFrag ; version=\"2.0\"", without("Date"), 200),
    ] {
        let mut teller = Teller::by(peer);
        assert_eq!(teller.tell(to, content_type, &body), status, "{peer:?} {to} {content_type}\n{body}");
        let noted = teller.office.server().missed_calls(ALICE).len();
        assert_eq!(noted, usize::from(status == 200), "{body}");
        let accept = teller.office.world[teller.proxy].responses[0].headers().get_text(&HeaderName::Accept);
        assert_eq!(accept.as_deref(), (status == 415).then_some("message/sipfrag"));
        assert!(teller.office.server().is_at_rest());
    }
}

/// SEC-31
#[test]
fn while_the_store_is_away_the_teller_is_asked_to_come_back() {
    let mut teller = Teller::by(Some(PROXY));
    teller.office.server().store_is.failing = Some(StoreError::Busy);
    assert_eq!(teller.tell(VOICE_MAIL, SIPFRAG, NOTICE), 503);
    let response = &teller.office.world[teller.proxy].responses[0];
    assert!(response.headers().has(&HeaderName::RetryAfter));
    teller.office.server().store_is.failing = None;
    assert_eq!(teller.tell(VOICE_MAIL, SIPFRAG, NOTICE), 200);
    assert_eq!(teller.office.server().missed_calls(ALICE).len(), 1);
}
