//! 3.2 and 3.2.1: "A unified messaging server SHOULD send Ms-Sensitivity header with the private-no-diversion parameter
//! in Dial Out or Play-On-Phone scenarios", and "the URIs in the From header and the To header MUST match". What
//! follows from it on the protocol server is in `s3_2_2_protocol_server.rs`, the whole calls in `flows`.

use umbel_play_on_phone::{DiallingRules, PhoneCallId, Played, Request};
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, NUMBER, UM, to_voice_mail};
use umbel_sim::office::By;
use umbel_sim::{Place, UnifiedMessaging};
use umbel_sip_message::{HeaderName, Method};
use umbel_store::GreetingKind;
use umbel_um::{Identity, Order};

const ALICE: &str = "alice@example.test";

/// A company where alice's telephone and the gateway answer.
fn company(change: impl FnOnce(&mut umbel_um::Config)) -> (Company, Place<UnifiedMessaging>) {
    let mut company = Company::new(1);
    let um = company.unified_messaging_with("um", UM, |config| {
        config.play_on_phone.rules = DiallingRules::new(["+1555*".parse().expect("a rule")]);
        change(config);
    });
    company.telephone("alice", Manner::answers_after(1));
    company.gateway(Manner::answers_after(1));
    company.world[um].leave_message(ALICE, 1, &[0x91; 8_000]);
    company.open();
    (company, um)
}

/// Alice asks.
fn ask(company: &mut Company, um: Place<UnifiedMessaging>, played: Played, dial_string: Option<&str>) {
    let request = Request {
        id: PhoneCallId::from_bytes([1; 16]),
        owner: ALICE.parse().expect("an address"),
        played,
        dial_string: dial_string.map(str::to_owned),
    };
    company.world.order(um, Order::PlayOnPhone(Box::new(request)).into());
    company.wait(20);
}

const MESSAGE: Played = Played::Message(umbel_store::MessageId::from_bytes([1; 16]));

/// OCEXUM-3.2-1, OCEXUM-3.2-5, OCEXUM-3.2-6, OCEXUM-3.2.1-1, SEC-39, POP-1, test plan 20: whatever is played, wherever.
#[test]
fn every_call_of_ours_says_that_it_must_not_be_diverted_and_is_from_whom_it_is_to() {
    let greeting = Played::Greeting(GreetingKind::Standard);
    for identity in [Identity::Owner, Identity::Number] {
        for (played, dial_string) in [
            (MESSAGE, None),
            (MESSAGE, Some("alice@example.test")),
            (MESSAGE, Some("1001")),
            (MESSAGE, Some(NUMBER)),
            (greeting, None),
            (greeting, Some(NUMBER)),
        ] {
            let (mut company, um) = company(|config| config.play_on_phone.identity = identity);
            ask(&mut company, um, played, dial_string);
            let invites = company.invites("um", "server");
            let [invite] = &invites[..] else { panic!("{dial_string:?}: {} INVITEs", invites.len()) };
            let headers = invite.headers();
            let values: Vec<_> = headers.all(&HeaderName::MsSensitivity).collect();
            assert_eq!(values, [b"private-no-diversion".as_slice()], "{dial_string:?}");
            assert!(headers.from().uri.is_equivalent(&headers.to().uri), "{dial_string:?}");
            assert!(headers.to().tag().is_none());
            assert!(!headers.has(&HeaderName::Diversion) && !headers.has(&HeaderName::HistoryInfo));
            assert!(!headers.has(&HeaderName::MsExchangeCommand));
            let contacts = headers.contacts().expect("a Contact");
            assert!(contacts.first().expect("a Contact").param("automata").is_some());
            assert!(headers.content_type().expect("readable").expect("one").is("application", "sdp"));
            let sdp = String::from_utf8_lossy(invite.body()).into_owned();
            // POP-7
            assert!(sdp.contains("PCMU/8000") && sdp.contains("PCMA/8000"), "{sdp}");
            assert!(!sdp.to_ascii_lowercase().contains("x-msrta"), "{sdp}");
            // OCEXUM-2.1-2
            assert_eq!(headers.via().transport(), "TLS");
        }
    }
}

/// The other direction: the header is for these calls, and on nothing else that we send.
#[test]
fn nothing_else_of_ours_carries_the_header() {
    let (mut company, um) = company(|_| {});
    ask(&mut company, um, MESSAGE, None);
    let alice = company.user("alice", By::Tls);
    company.call(alice, to_voice_mail("alice", "alice").skip_pin());
    company.wait(60);
    let mut count = 0;
    for method in [Method::Ack, Method::Bye, Method::Cancel, Method::Options, Method::Notify] {
        for (rung, request) in company.world.ladder().requests(&method).filter(|(rung, _)| rung.from == "um")
        {
            count += 1;
            assert!(!request.headers().has(&HeaderName::MsSensitivity), "{method} to {}", rung.to);
        }
    }
    assert!(count >= 2, "ACK and BYE at least");
}

/// OCEXUM-2.1-3, test plan 21: a name service that prefers UDP changes nothing, since there is no such transport here.
#[test]
fn a_way_out_by_another_transport_is_not_taken() {
    let (mut company, um) = company(|config| {
        config.play_on_phone.outbound_proxy =
            Some("sip:proxy.example.test;transport=udp".parse().expect("a URI"));
    });
    ask(&mut company, um, MESSAGE, None);
    for (_, request) in company.world.ladder().requests(&Method::Invite) {
        assert!(matches!(request.headers().via().transport(), "TLS" | "TCP"));
    }
}

/// OCEXUM-3.2-4: "The trigger point for this is an event": without one there is no call.
#[test]
fn without_an_event_there_is_no_call() {
    let (mut company, _) = company(|_| {});
    company.wait(300);
    assert_eq!(company.invites("um", "server").len(), 0);
}
