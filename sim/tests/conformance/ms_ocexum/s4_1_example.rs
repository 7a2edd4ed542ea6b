//! 4.1: the INVITE of the example, as it stands there: a Via without branch, `epid` after `tag`, no
//! Content-Length (which a stream needs, and which was left out of the picture with the body).

use std::time::Duration;

use bytes::Bytes;
use umbel_sim::Office;
use umbel_sim::office::{By, PROXY};
use umbel_sim::telephone::Do;
use umbel_um::Config;

fn contoso(config: &mut Config) {
    config.locality.domain = "contoso.com".to_owned();
}

fn example(from: &str) -> Bytes {
    let sdp = "v=0\r\no=- 0 0 IN IP4 192.0.2.101\r\ns=session\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    Bytes::from(format!(
        "INVITE sip:alice@contoso.com;opaque=app:voicemail SIP/2.0\r\n\
         Via: SIP/2.0/TLS 10.56.65.37:33876\r\n\
         Max-Forwards: 70\r\n\
         From: {from}\r\n\
         To: <sip:alice@contoso.com;opaque=app:voicemail>\r\n\
         Call-ID: f7c2efff9240413cb6e5125fdca4b63a\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:alice@contoso.com;opaque=user:epid:ihclvAI6-FmKSGLKr_2rtAAA;gruu>\r\n\
         Ms-Exchange-Command: skip-pin\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    ))
}

/// OCEXUM-4-1, OCEXUM-4-2, OCEXUM-4-6, OCEXUM-2.2-1.
#[test]
fn the_example_opens_alices_mailbox_without_a_pin() {
    for from in [
        "<sip:alice@contoso.com>;tag=01742a55e6;epid=6b5d10e663",
        "<sip:alice@contoso.com>;epid=6b5d10e663;tag=01742a55e6",
    ] {
        let mut office = Office::with(1, contoso);
        office.server().add_user("alice@contoso.com", "1011", Some("274950"), &[]);
        let client = office.caller("client", By::MutualTls(PROXY));
        office.order(client, Do::Say(example(from)), Duration::from_secs(2));
        let answered: Vec<_> = office.world.ladder().responses().map(|(_, r)| r.status().as_u16()).collect();
        assert!(answered.contains(&200), "{answered:?}");
        let (pin, _) = office.server().why_pin("f7c2efff9240413cb6e5125fdca4b63a").expect("a decision");
        assert_eq!(pin.as_str(), "skipped");
        assert!(!office.server().has_said("enter-pin"));
    }
}

/// OCEXUM-4-1: matched by the rules of RFC 2543, so that the same request again is no second call.
#[test]
fn the_example_sent_twice_is_one_call() {
    let mut office = Office::with(1, contoso);
    office.server().add_user("alice@contoso.com", "1011", Some("274950"), &[]);
    let client = office.caller("client", By::MutualTls(PROXY));
    let from = "<sip:alice@contoso.com>;tag=01742a55e6;epid=6b5d10e663";
    office.order(client, Do::Say(example(from)), Duration::from_millis(20));
    office.order(client, Do::Say(example(from)), Duration::from_secs(2));
    assert_eq!(office.server().call_count(), 1);
}

/// SEC-03: the same octets from a stranger.
#[test]
fn the_example_from_a_stranger_is_asked_for_the_pin() {
    let mut office = Office::with(1, contoso);
    office.server().add_user("alice@contoso.com", "1011", Some("274950"), &[]);
    let client = office.caller("client", By::MutualTls("stranger.test"));
    let from = "<sip:alice@contoso.com>;tag=01742a55e6;epid=6b5d10e663";
    office.order(client, Do::Say(example(from)), Duration::from_secs(2));
    assert!(office.server().has_said("enter-pin"));
}
