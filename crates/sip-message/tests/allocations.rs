//! An ordinary message costs no allocation beyond the buffer it came in.
#![allow(clippy::unwrap_used)]

use bytes::{BufMut, Bytes, BytesMut};
use umbel_sip_message::{Framed, HeaderName, Message, Method, frame, parse};

/// As a connection has it: a part of a buffer that is shared already.
fn received(name: &str) -> Bytes {
    let octets: &[u8] = match name {
        "subscriber_access" => include_bytes!("examples/subscriber_access.sip"),
        _ => include_bytes!("examples/play_on_phone.sip"),
    };
    let mut buffer = BytesMut::with_capacity(octets.len() * 2);
    buffer.put_slice(octets);
    buffer.put_slice(b"\r\n");
    buffer.split_to(octets.len()).freeze()
}

#[test]
fn framing_reading_and_sharing_a_message_allocate_nothing() {
    for name in ["subscriber_access", "play_on_phone"] {
        let octets = received(name);
        let counted = allocation_counter::measure(|| use_ordinarily(octets));
        assert_eq!(counted.count_total, 0, "{name}: {counted:?}");
    }
}

/// What a server does with an INVITE before it decides anything.
fn use_ordinarily(octets: Bytes) {
    assert_eq!(frame(&octets), Framed::Message { len: octets.len() });
    let message = parse(octets).unwrap();
    let headers = message.headers();
    assert_eq!(headers.via().transport(), "TLS");
    assert!(headers.from().tag().is_some() && headers.to().tag().is_none());
    assert_eq!(headers.cseq().method, Method::Invite);
    assert_eq!(headers.contacts().unwrap().addresses().len(), 1);
    assert!(headers.content_type().unwrap().unwrap().is("application", "sdp"));
    assert!(headers.get(&HeaderName::UserAgent).is_some());
    let copy = message.clone();
    let Message::Request(request) = copy else { panic!("an INVITE") };
    assert!(!request.body().is_empty() && !request.request_uri().host().is_empty());
}
