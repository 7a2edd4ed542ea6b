//! 4.2: the INVITE of the Play-On-Phone example, as something that our reader must cope with: `epid` before
//! `tag`, two Allow lines in mixed case, parameters in mixed case, a feature tag on Contact, no Via.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use umbel_ocexum::{PlayOnPhone, Sensitivity};
use umbel_play_on_phone::{PhoneCallId, Played};
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, UM};
use umbel_sip_message::{HeaderName, Message, Method, Request, parse};
use umbel_um::Order;

/// The example with a Via, which the picture leaves out, and with this Contact.
fn example(contact: &str) -> Option<Request> {
    let text = format!(
        "INVITE sip:172.19.58.98:2280;transport=tls;ms-opaque=ce5f21cc9d;ms-received-cid=D0A300 SIP/2.0\r\n\
         Via: SIP/2.0/TLS 172.19.58.1:5061;branch=z9hG4bK42\r\n\
         Max-Forwards: 68\r\n\
         Content-Length: 0\r\n\
         From: <sip:alice@contoso.com>;epid=1944B98832;tag=7534fa434\r\n\
         To: <sip:alice@contoso.com>;epid=d793aff63a\r\n\
         CSeq: 5 INVITE\r\n\
         Call-ID: 7a7378c9-7b3c-4cec-b6da-ec27d752e904\r\n\
         Contact: {contact}\r\n\
         User-Agent: RTCC/3.0.0.0\r\n\
         Allow: UPDATE\r\n\
         Ms-Sensitivity: private-no-diversion\r\n\
         Allow: Ack, Cancel, Bye, Invite, Message, Info, Service, Options, BeNotify\r\n\r\n"
    );
    match parse(Bytes::from(text)) {
        Ok(Message::Request(request)) => Some(request),
        _ => None,
    }
}

const CONTACT: &str = "<sip:exchange.contoso.com:5066;transport=Tls;ms-opaque=a752506cbee22182>;automata";

/// OCEXUM-4-2, OCEXUM-4-3, OCEXUM-4-5, OCEXUM-4-6, OCEXUM-2.2.2-3, HDR-3.
#[test]
fn the_example_is_read_as_it_is_meant() {
    let request = example(CONTACT).unwrap();
    let headers = request.headers();
    assert_eq!(headers.from().tag(), Some("7534fa434"));
    assert_eq!(headers.from().uri.as_str(), headers.to().uri.as_str());
    assert_eq!(headers.max_forwards(), Some(68));
    assert_eq!(request.request_uri().param("ms-received-cid"), Some(Some("D0A300")));
    let contacts = headers.contacts().unwrap();
    let contact = contacts.first().unwrap();
    assert!(contact.param("automata").is_some());
    assert!(contact.uri.transport().unwrap().eq_ignore_ascii_case("tls"));
    let allowed = headers.allow().unwrap();
    for method in [Method::Update, Method::Ack, Method::Bye, Method::Invite, Method::Info] {
        assert!(allowed.has(&method), "{method}");
    }
    let sensitivity = Sensitivity::read(headers.all(&HeaderName::MsSensitivity));
    assert_eq!(sensitivity, Ok(Sensitivity::PrivateNoDiversion));
}

/// OCEXUM-4-4: "the example's Contact has a space after sip:; that is a typesetting error."
#[test]
fn the_blank_inside_the_examples_contact_may_be_refused_and_is_never_written() {
    let with_blank = example("<sip: exchange.contoso.com:5066;transport=Tls>;automata");
    assert!(with_blank.is_none_or(|request| request.headers().contacts().is_err()));
}

/// OCEXUM-3.2-6, OCEXUM-3.2-5: our own such call has the same parties and header.
#[test]
fn our_own_form_of_it_matches_in_parties_and_sensitivity() {
    let request = example(CONTACT).unwrap();
    let ours = PlayOnPhone::new(&request.request_uri().to_uri());
    assert!(ours.from().is_equivalent(ours.to()));
    let alice = PlayOnPhone::new(&request.headers().to().uri.to_uri());
    assert_eq!(alice.from().as_str(), "sip:alice@contoso.com");
    assert_eq!(alice.sensitivity().as_str(), "private-no-diversion");
}

/// The INVITE of a Play-On-Phone call of ours as it reaches the telephone: the second arrow of figure 2.
fn ours() -> Request {
    let mut company = Company::new(1);
    let um = company.unified_messaging("um", UM);
    company.telephone("alice", Manner::answers_after(1));
    let message = company.world[um].leave_message("alice@example.test", 1, &[0x91; 8_000]);
    company.open();
    let request = umbel_play_on_phone::Request {
        id: PhoneCallId::from_bytes([1; 16]),
        owner: "alice@example.test".parse().unwrap(),
        played: Played::Message(message),
        dial_string: None,
    };
    company.world.order(um, Order::PlayOnPhone(Box::new(request)).into());
    company.wait(20);
    company.invites("server", "alice")[0].clone()
}

/// Section 4.2, header for header, where the text is sound. The differences, and why:
///
/// * Request-URI: ours is what our telephone has registered; the example's has parameters of another registrar's.
/// * `epid` in From and To: belongs to the endpoints of that protocol ([MS-SIPRE] 3.1); header parameters are no part
///   of the comparison (OCEXUM-3.2-6), and ours leaves them out.
/// * CSeq 5: any number will do (RFC 3261 8.1.1.5); ours begins at 1.
/// * Allow: ours is one line in upper case, since methods compare with case (RFC 3261 7.1), and lists what we serve:
///   no SERVICE and no BENOTIFY.
/// * Contact: no blank within (OCEXUM-4-4).
/// * Via, Record-Route: the picture leaves them out; RFC 3261 8.1.1 does not.
#[test]
fn our_own_call_is_the_example_header_for_header() {
    let (theirs, ours) = (example(CONTACT).unwrap(), ours());
    let (there, here) = (theirs.headers(), ours.headers());
    // Theirs has passed two servers, ours one.
    assert_eq!((there.max_forwards(), here.max_forwards()), (Some(68), Some(69)));
    for headers in [there, here] {
        assert_eq!(headers.from().uri.as_str(), headers.to().uri.as_str());
        assert!(headers.from().tag().is_some() && headers.to().tag().is_none());
        let contacts = headers.contacts().unwrap();
        let contact = contacts.first().unwrap();
        assert!(contact.param("automata").is_some());
        assert!(contact.uri.transport().unwrap().eq_ignore_ascii_case("tls"));
        assert!(headers.allow().unwrap().has(&Method::Update));
        let values: Vec<_> = headers.all(&HeaderName::MsSensitivity).collect();
        assert_eq!(values, [b"private-no-diversion".as_slice()]);
    }
    assert!(!here.call_id().is_empty() && here.call_id() != there.call_id());
    assert_eq!(here.from().uri.as_str(), "sip:alice@example.test");
    assert!(here.has(&HeaderName::UserAgent));
    assert!(here.content_type().unwrap().unwrap().is("application", "sdp"));
    for method in [Method::Ack, Method::Cancel, Method::Bye, Method::Invite, Method::Message, Method::Info] {
        assert!(here.allow().unwrap().has(&method), "{method}");
    }
    let text = String::from_utf8_lossy(ours.as_bytes()).into_owned();
    assert!(!text.contains("<sip: "), "{text}");
    assert!(!here.has(&HeaderName::Diversion));
}
