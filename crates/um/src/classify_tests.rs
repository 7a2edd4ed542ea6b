//! A table of calls and what they are: who calls whom, over what, and how it came here.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use umbel_node::{Flow, FlowId, Origin, PeerCertificate, PeerName, Transport};
use umbel_ocexum::{Policy, trust};
use umbel_sip_message::{Message, parse};
use umbel_store::{PinState, Settings};
use umbel_time::UnixTime;
use umbel_ua::Invitation;

use super::*;
use crate::names::Locality;

/// The users of these tests: alice 1001, bob 1002, carol (disabled) 1003, dora 1004 (must not skip).
fn users() -> Vec<User> {
    [
        ("alice", "1001", true, true),
        ("bob", "1002", true, true),
        ("carol", "1003", false, true),
        ("dora", "1004", true, false),
    ]
    .into_iter()
    .map(|(name, extension, enabled, skip_pin)| {
        let address = format!("{name}@example.test").parse().unwrap();
        let mut settings = Settings { enabled, skip_pin, ..Settings::new(address) };
        settings.name = format!("{name} of the directory");
        settings.extension = Some(extension.to_owned());
        settings.aliases.insert(format!("+1425555{extension}"));
        User {
            settings,
            pin: PinState::Own,
            has_password: false,
            greeting: umbel_store::ActiveGreeting::Standard,
            added: UnixTime::from_secs(0),
        }
    })
    .collect()
}

fn locality() -> Locality {
    Locality {
        domain: "example.test".to_owned(),
        hosts: ["192.0.2.1".to_owned()].into(),
        pilots: ["voicemail".to_owned(), "5000".to_owned()].into(),
    }
}

/// Where a call comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Peer {
    /// The listed proxy, over mutual TLS.
    Proxy,
    /// The listed TCP peer (DEC-29).
    Pbx,
    /// A gateway.
    Gateway,
    /// Somebody with a certificate that is not listed.
    Stranger,
    /// Somebody over plain TCP.
    Anybody,
}

impl Peer {
    fn flow(self) -> Flow {
        let certificate = |name: &str| {
            Some(Arc::new(PeerCertificate {
                names: vec![PeerName::Dns(name.to_owned())],
                fingerprint: [0; 32],
                not_before: UnixTime::from_secs(0),
                not_after: UnixTime::from_secs(1_000),
            }))
        };
        let (transport, remote, peer) = match self {
            Peer::Proxy => (Transport::Tls, "198.51.100.1:40000", certificate("proxy.example.test")),
            Peer::Stranger => (Transport::Tls, "198.51.100.2:40000", certificate("stranger.test")),
            Peer::Pbx => (Transport::Tcp, "198.51.100.3:40000", None),
            Peer::Gateway => (Transport::Tcp, "198.51.100.4:40000", None),
            Peer::Anybody => (Transport::Tcp, "198.51.100.5:40000", None),
        };
        Flow {
            transport,
            local: "192.0.2.1:5061".parse().unwrap(),
            remote: remote.parse().unwrap(),
            origin: Origin::Accepted,
            peer,
        }
    }
}

fn policy() -> Policy {
    Policy {
        peers: vec!["proxy.example.test".parse().unwrap(), "tcp:198.51.100.3".parse().unwrap()],
        gateways: vec!["198.51.100.4".parse().unwrap()],
        ..Policy::default()
    }
}

fn invitation(peer: Peer, request_uri: &str, lines: &str) -> Invitation {
    let lines: String = lines.lines().map(|line| format!("{}\r\n", line.trim())).collect();
    let text = format!(
        "INVITE {request_uri} SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         {lines}To: <sip:whoever@example.test>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:198.51.100.1>\r\nContent-Length: 0\r\n\r\n"
    );
    let Ok(Message::Request(request)) = parse(Bytes::from(text.clone())) else {
        panic!("not a request: {text}")
    };
    Invitation {
        call_id: "1".to_owned(),
        flow: FlowId(2),
        transport: peer.flow(),
        request,
        offer: None,
        replaces: None,
    }
}

/// Those whom a call names, as the store knows them.
fn people(call: &Particulars) -> People {
    let mut people = People::default();
    for named in call.names() {
        for lookup in named.lookups("example.test") {
            let found = users().into_iter().find(|user| match &lookup {
                umbel_store::Lookup::Address(address) => user.address() == address,
                umbel_store::Lookup::Extension(text) | umbel_store::Lookup::Alias(text) => {
                    user.settings.extension.as_ref() == Some(text) || user.settings.aliases.contains(text)
                }
            });
            if let Some(user) = found {
                people.add(named.clone(), user);
                break;
            }
        }
    }
    people
}

/// What comes of a call, in one word or two.
fn outcome(peer: Peer, request_uri: &str, lines: &str, preference: DiversionPreference) -> String {
    let invitation = invitation(peer, request_uri, lines);
    let trust = trust(&invitation.transport, &policy(), UnixTime::from_secs(500));
    let call = match Particulars::read(&invitation, &trust, &locality()) {
        Ok(call) => call,
        Err(refusal) => return refusal.status().as_u16().to_string(),
    };
    let people = people(&call);
    match classify(&call, &trust, &people, preference) {
        Ok(Classified::CallAnswering { mailbox, .. }) => format!("answer {}", mailbox.address().user()),
        Ok(Classified::SubscriberAccess { owner, waiver: Ok(_), .. }) => {
            format!("skip {}", owner.address().user())
        }
        Ok(Classified::SubscriberAccess { owner, waiver: Err(failed), .. }) => {
            let rule = failed.to_string();
            format!("ask {} {}", owner.address().user(), rule.split(' ').next().unwrap())
        }
        Ok(Classified::AnonymousPilot) => "pilot".to_owned(),
        Err(refusal) => refusal.status().as_u16().to_string(),
    }
}

fn check(rows: &[(Peer, &str, &str, &str)]) {
    for (peer, request_uri, lines, expected) in rows {
        let actual = outcome(*peer, request_uri, lines, DiversionPreference::Last);
        assert_eq!(actual, *expected, "{peer:?} {request_uri}\n{lines}");
    }
}

const ALICE: &str = "From: <sip:alice@example.test>;tag=1";
const ERIN: &str = "From: \"Erin\" <sip:erin@elsewhere.test>;tag=1";
const SKIP: &str = "Ms-Exchange-Command: skip-pin";
const GRUU: &str = "sip:alice@example.test;opaque=app:voicemail";

fn lines(parts: &[&str]) -> String {
    parts.join("\n")
}

/// OCEXUM-3.1-1, OCEXUM-3.1.2-1, OCEXUM-3.1-2, OCEXUM-3.1.2-2, DEC-17.
#[test]
fn owners_reach_their_own_mailbox_with_the_pin_or_without() {
    use Peer::*;
    let with = lines(&[ALICE, SKIP]);
    check(&[
        (Proxy, GRUU, &with, "skip alice"),
        (Proxy, "sip:alice@example.test;gruu;opaque=app:voicemail", &with, "skip alice"),
        (Proxy, "sip:alice@example.test;opaque=APP:VoiceMail", &with, "skip alice"),
        (Proxy, "sip:voicemail@example.test", &with, "skip alice"),
        (Proxy, "sip:5000@192.0.2.1", &with, "skip alice"),
        (Proxy, "sip:alice@example.test", &with, "skip alice"),
        (Proxy, "sip:1001@192.0.2.1", &with, "skip alice"),
        (Proxy, GRUU, ALICE, "ask alice P3"),
        (Anybody, GRUU, &with, "ask alice P2"),
        (Stranger, GRUU, &with, "ask alice P2"),
        (Pbx, GRUU, &with, "ask alice P2"),
        (Gateway, GRUU, &with, "ask alice P2"),
        (Anybody, "sip:voicemail@example.test", ALICE, "ask alice P2"),
        (Proxy, GRUU, &lines(&[ALICE, SKIP, SKIP]), "ask alice P3"),
        (
            Proxy,
            "sip:1004@example.test",
            &lines(&["From: <sip:dora@example.test>;tag=1", SKIP]),
            "ask dora P6",
        ),
    ]);
}

/// CMD-5, CMD-7, DEC-10, SEC-12, SEC-13, SEC-14: who the caller is.
#[test]
fn identity_is_what_a_listed_peer_asserts_and_else_from() {
    use Peer::*;
    let pai = |who: &str| format!("P-Asserted-Identity: <sip:{who}@example.test>");
    let tel = "P-Asserted-Identity: <sip:alice@example.test>, <tel:+14255551001>";
    let pilot = "sip:voicemail@example.test";
    let anonymous = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1";
    let bob = "From: <sip:bob@example.test>;tag=1";
    check(&[
        (Proxy, pilot, &lines(&[anonymous, &pai("alice"), SKIP]), "skip alice"),
        (Proxy, pilot, &lines(&[ERIN, &pai("alice"), SKIP]), "skip alice"),
        (Proxy, pilot, &lines(&[ALICE, tel, SKIP]), "skip alice"),
        (Proxy, pilot, &lines(&[bob, &pai("alice"), SKIP]), "ask alice P4"),
        (Proxy, GRUU, &lines(&[ALICE, &pai("bob"), SKIP]), "answer alice"),
        (Proxy, GRUU, &lines(&[bob, &pai("bob"), SKIP]), "answer alice"),
        (Proxy, pilot, &lines(&[ALICE, &pai("alice"), &pai("bob"), SKIP]), "ask alice P4"),
        (Proxy, pilot, &lines(&[ALICE, &pai("nobody"), SKIP]), "pilot"),
        (Proxy, pilot, &lines(&[ERIN, SKIP]), "pilot"),
        (Proxy, pilot, &lines(&[anonymous, SKIP]), "pilot"),
        (Proxy, pilot, &lines(&[ERIN, "P-Preferred-Identity: <sip:alice@example.test>", SKIP]), "pilot"),
        (Proxy, pilot, &lines(&["From: \"alice@example.test\" <sip:x@y.test>;tag=1", SKIP]), "pilot"),
        (Proxy, pilot, &lines(&["From: <sip:alice@example.test.evil.test>;tag=1", SKIP]), "pilot"),
        (Proxy, pilot, &lines(&["From: <sip:alice%2540@example.test>;tag=1", SKIP]), "pilot"),
        // Nobody believes what these assert.
        (Anybody, pilot, &lines(&[ERIN, &pai("alice"), SKIP]), "pilot"),
        (Stranger, GRUU, &lines(&[ERIN, &pai("alice"), SKIP]), "answer alice"),
        (Anybody, pilot, "From: <sip:erin@x.test>;tag=1\nP-Asserted-Identity: <<<", "pilot"),
        // And what cannot be read from those who are believed is an error.
        (Proxy, pilot, &lines(&[ALICE, "P-Asserted-Identity: <<<", SKIP]), "400"),
        // DEC-18: a gateway's numbers, as gateways write them.
        (Gateway, pilot, "From: <sip:1001@198.51.100.4>;tag=1", "ask alice P2"),
        (Anybody, pilot, "From: <sip:1001@198.51.100.5>;tag=1", "pilot"),
    ]);
}

/// EUMR-20, EUMR-21, EUMR-22, STD-1, CMD-6, DEC-11, DEC-18, SEC-23, SEC-26.
#[test]
fn a_diverted_call_is_for_whom_it_was_diverted_from() {
    use Peer::*;
    let pilot = "sip:voicemail@example.test";
    let by_bob = lines(&[ERIN, "Diversion: <sip:bob@example.test>;reason=no-answer", SKIP]);
    let by_alice = lines(&[ALICE, "Diversion: <sip:alice@example.test>;reason=no-answer", SKIP]);
    let by_number = lines(&[ERIN, "Diversion: <sip:1002@198.51.100.4>;reason=user-busy"]);
    let history = lines(&[
        ERIN,
        "History-Info: <sip:bob@example.test?Reason=SIP%3Bcause%3D408>;index=1, <sip:voicemail@example.test>;index=1.1;mp=1",
    ]);
    let own_history = lines(&[
        ALICE,
        SKIP,
        "History-Info: <sip:alice@example.test>;index=1, <sip:alice@example.test;opaque=app:voicemail>;index=1.1",
    ]);
    let others_history = lines(&[
        ALICE,
        SKIP,
        "History-Info: <sip:bob@example.test>;index=1, <sip:alice@example.test;opaque=app:voicemail>;index=1.1",
    ]);
    let target = "sip:voicemail@example.test;target=bob%40example.test;cause=408";
    for peer in [Proxy, Pbx, Gateway, Stranger, Anybody] {
        check(&[
            (peer, pilot, &by_bob, "answer bob"),
            (peer, GRUU, &by_bob, "answer bob"),
            (peer, pilot, &history, "answer bob"),
            (peer, target, ERIN, "answer bob"),
        ]);
    }
    check(&[
        (Proxy, GRUU, &by_alice, "ask alice P5"),
        (Gateway, pilot, &by_alice, "ask alice P2"),
        (Anybody, pilot, &by_alice, "ask alice P2"),
        (Gateway, pilot, &by_number, "answer bob"),
        (Anybody, pilot, &by_number, "pilot"),
        (Proxy, GRUU, &own_history, "skip alice"),
        (Proxy, GRUU, &others_history, "answer bob"),
        (
            Proxy,
            "sip:voicemail@example.test;target=alice%40example.test",
            &lines(&[ALICE, SKIP]),
            "ask alice P5",
        ),
        (Proxy, GRUU, &lines(&[ALICE, SKIP, "Referred-By: <sip:bob@example.test>"]), "ask alice P5"),
        (Proxy, GRUU, &lines(&[ALICE, SKIP, "Replaces: 1;to-tag=2;from-tag=3"]), "ask alice P5"),
        (Proxy, GRUU, &lines(&[ALICE, SKIP, "Diversion: <sip:erin@elsewhere.test>"]), "ask alice P5"),
        // Nobody of ours diverted it: it is for whom it is addressed to.
        (Proxy, GRUU, &lines(&[ERIN, "Diversion: <sip:nobody@elsewhere.test>"]), "answer alice"),
        (Proxy, pilot, &lines(&[ERIN, "Diversion: <sip:voicemail@example.test>"]), "pilot"),
    ]);
}

/// EUMR-30: the last diverting party, or the original one.
#[test]
fn of_several_diverting_parties_the_preferred_one_with_a_mailbox_counts() {
    let twice = lines(&[ERIN, "Diversion: <sip:bob@example.test>, <sip:alice@example.test>"]);
    let attendant = lines(&[ERIN, "Diversion: <sip:bob@example.test>, <sip:voicemail@example.test>"]);
    let history = lines(&[
        ERIN,
        "History-Info: <sip:alice@example.test>;index=1, <sip:bob@example.test>;index=1.1, <sip:5000@example.test>;index=1.1.1",
    ]);
    let pilot = "sip:5000@example.test";
    for (call, last, first) in [
        (&twice, "answer bob", "answer alice"),
        (&attendant, "answer bob", "answer bob"),
        (&history, "answer bob", "answer alice"),
    ] {
        assert_eq!(outcome(Peer::Proxy, pilot, call, DiversionPreference::Last), last, "{call}");
        assert_eq!(outcome(Peer::Proxy, pilot, call, DiversionPreference::First), first, "{call}");
    }
}

/// DEC-17, DEC-19, URI-4, 11.3.
#[test]
fn a_direct_call_is_answered_for_the_one_it_is_for() {
    use Peer::*;
    check(&[
        (Anybody, "sip:bob@example.test", ERIN, "answer bob"),
        (Anybody, "sip:1002@192.0.2.1:5065", ERIN, "answer bob"),
        (Anybody, "sip:+14255551002@example.test;user=phone", ERIN, "answer bob"),
        (Anybody, "tel:+1-425-555-1002", ERIN, "answer bob"),
        (Anybody, "sip:bob@example.test;opaque=app:voicemail", ALICE, "answer bob"),
        (Proxy, "sip:bob@example.test;opaque=app:voicemail", &lines(&[ALICE, SKIP]), "answer bob"),
        (Anybody, "sip:nobody@example.test", ERIN, "404"),
        (Anybody, "sip:nobody@example.test;opaque=app:voicemail", ERIN, "404"),
        (Anybody, "sip:bob@elsewhere.test", ERIN, "404"),
        (Anybody, "sip:example.test", ERIN, "404"),
        (Anybody, "sip:carol@example.test", ERIN, "480"),
        (Proxy, "sip:carol@example.test", &lines(&["From: <sip:carol@example.test>;tag=1", SKIP]), "480"),
    ]);
}

/// EUMR-23: "malformed Diversion: 400. It is not guessed at."
#[test]
fn what_cannot_be_read_about_a_diversion_is_an_error() {
    for peer in [Peer::Proxy, Peer::Anybody] {
        check(&[
            (peer, GRUU, &lines(&[ERIN, "Diversion: <sip:bob@example.test"]), "400"),
            (peer, GRUU, &lines(&[ERIN, "Diversion: "]), "400"),
            (peer, GRUU, &lines(&[ERIN, "Diversion: <sip:bob@example.test>;counter=abc"]), "400"),
            (peer, GRUU, &lines(&[ERIN, "History-Info: <sip:bob@example.test>"]), "400"),
        ]);
    }
}

/// LOOP-5.
#[test]
fn a_call_that_goes_round_is_stopped() {
    let entries = |count: usize| {
        let entries: Vec<_> = (1..=count).map(|n| format!("<sip:user{n}@example.test>;index={n}")).collect();
        lines(&[ERIN, &format!("History-Info: {}", entries.join(", "))])
    };
    check(&[
        (Peer::Proxy, GRUU, &lines(&[ERIN, "Diversion: <sip:bob@example.test>;counter=5;limit=5"]), "480"),
        (
            Peer::Proxy,
            GRUU,
            &lines(&[ERIN, "Diversion: <sip:bob@example.test>;counter=4;limit=5"]),
            "answer bob",
        ),
        (Peer::Proxy, GRUU, &entries(6), "480"),
        (Peer::Proxy, GRUU, &entries(5), "answer alice"),
    ]);
}

/// HDR-1, HDR-2.
#[test]
fn subject_and_priority_go_with_the_message() {
    let read = |lines: &str| {
        let invitation = invitation(Peer::Anybody, GRUU, &format!("{ERIN}\n{lines}"));
        let trust = trust(&invitation.transport, &policy(), UnixTime::from_secs(500));
        Particulars::read(&invitation, &trust, &locality()).unwrap()
    };
    use umbel_store::Importance::{High, Low, Normal};
    for (priority, expected) in
        [("urgent", High), ("Emergency", High), ("non-urgent", Low), ("normal", Normal), ("whatever", Normal)]
    {
        assert_eq!(read(&format!("Priority: {priority}")).importance, expected, "{priority}");
    }
    assert_eq!(read("X: y").importance, Normal);
    assert_eq!(read("Subject: Budget").subject, "Budget");
    assert_eq!(read("s: Budget für März").subject, "Budget für März");
    assert_eq!(read("X: y").subject, "");
    assert_eq!(read(&format!("Subject: {}", "x".repeat(1_000))).subject.len(), umbel_store::TEXT_CHARS_MAX);
}

/// DEC-18: the caller's number is marked unless somebody believed stated it.
#[test]
fn a_callers_number_is_verified_only_by_those_who_are_believed() {
    for (peer, verified) in [
        (Peer::Proxy, true),
        (Peer::Pbx, true),
        (Peer::Gateway, true),
        (Peer::Stranger, false),
        (Peer::Anybody, false),
    ] {
        let invitation =
            invitation(peer, GRUU, &lines(&[ERIN, "P-Asserted-Identity: \"Dana\" <tel:+1-425-555-0100>"]));
        let trust = trust(&invitation.transport, &policy(), UnixTime::from_secs(500));
        let caller = Particulars::read(&invitation, &trust, &locality()).unwrap().caller;
        assert_eq!(caller.verified, verified, "{peer:?}");
        let expected = if verified { ("+14255550100", "Dana") } else { ("erin@elsewhere.test", "Erin") };
        assert_eq!((caller.id.as_str(), caller.name.as_deref().unwrap()), expected, "{peer:?}");
    }
}

/// SEC-90, DEC-18: what our own protocol server lets through is verified where it says who calls, or where From is ours.
#[test]
fn our_own_protocol_server_vouches_only_for_whom_it_knows() {
    for (lines, verified) in [
        ("From: \"Your bank\" <sip:+15551112222@elsewhere.test>;tag=1", false),
        ("From: <sip:bob@example.test>;tag=1", true),
        (
            "From: <sip:+15551112222@elsewhere.test>;tag=1\nP-Asserted-Identity: <sip:+15551112222@elsewhere.test>",
            true,
        ),
    ] {
        let invitation = invitation(Peer::Proxy, "sip:alice@example.test", lines);
        let own = Policy { own: Some([0; 32]), ..policy() };
        assert!(own.is_own(&invitation.transport));
        assert!(!policy().is_own(&invitation.transport));
        let trust = trust(&invitation.transport, &own, UnixTime::from_secs(500));
        let mut call = Particulars::read(&invitation, &trust, &locality()).unwrap();
        call.doubt_who_is_not_vouched_for();
        assert_eq!(call.caller.verified, verified, "{lines}");
    }
}

/// The name that the administrator gave stands where a believed caller's telephone tells none, and nowhere else.
#[test]
fn a_caller_of_ours_is_known_by_name_where_he_is_believed() {
    for (peer, from, expected) in [
        (Peer::Proxy, "<sip:bob@example.test>", Some("bob of the directory")),
        (Peer::Gateway, "<sip:+14255551002@example.test;user=phone>", Some("bob of the directory")),
        (Peer::Proxy, "\"Robert\" <sip:bob@example.test>", Some("Robert")),
        (Peer::Proxy, "<sip:erin@elsewhere.test>", None),
        (Peer::Anybody, "<sip:bob@example.test>", None),
        (Peer::Stranger, "<sip:bob@example.test>", None),
    ] {
        let invitation = invitation(peer, "sip:alice@example.test", &format!("From: {from};tag=1"));
        let trust = trust(&invitation.transport, &policy(), UnixTime::from_secs(500));
        let call = Particulars::read(&invitation, &trust, &locality()).unwrap();
        let caller = call.caller_among(&people(&call));
        assert_eq!(caller.name.as_deref(), expected, "{peer:?} {from}");
    }
}
