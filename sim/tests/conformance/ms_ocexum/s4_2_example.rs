//! 4.2: the INVITE of the Play-On-Phone example, as something that our reader must cope with: `epid` before
//! `tag`, two Allow lines in mixed case, parameters in mixed case, a feature tag on Contact, no Via.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use umbel_ocexum::{PlayOnPhone, Sensitivity};
use umbel_sip_message::{HeaderName, Message, Method, Request, parse};

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
