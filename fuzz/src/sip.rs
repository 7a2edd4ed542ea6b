//! The readers of SIP. Each function takes any octets, and panics where an invariant breaks. REL-50

use bytes::Bytes;
use umbel_sip_message::digest::{Algorithm, Challenge, Credentials, Ha1};
use umbel_sip_message::{
    CSeq, Diagnostics, Diversion, Draft, Framed, Framer, HistoryEntry, Message, Method, NameAddr, RAck,
    Reason, RetryAfter, SessionExpires, Uri, Via, frame, parse,
};

/// A stream: the same comes out in one piece and octet by octet.
pub fn framer(octets: &[u8]) {
    let lengths = |step: usize| {
        let (mut framer, mut start, mut lengths) = (Framer::new(), 0, Vec::new());
        let mut end = 0;
        while end < octets.len() {
            end = octets.len().min(end + step);
            loop {
                match framer.next(&octets[start..end]) {
                    Framed::Incomplete => break,
                    Framed::Message { len } => {
                        start += len;
                        lengths.push(Ok(len));
                    }
                    Framed::KeepAlive { len, .. } => start += len,
                    Framed::Malformed(malformed) => {
                        check_reply(malformed.reply.as_ref());
                        assert!(malformed.close, "framing is lost");
                        lengths.push(Err(malformed.what));
                        return lengths;
                    }
                }
            }
        }
        lengths
    };
    assert_eq!(lengths(octets.len().max(1)), lengths(1));
}

/// A frame: what is read is printed as it was, and every field can be read.
pub fn message(octets: &[u8]) {
    match parse(Bytes::copy_from_slice(octets)) {
        Ok(message) => {
            read_fields(&message);
            let printed = match &message {
                Message::Request(request) => Draft::forward(request).print(),
                Message::Response(response) => Draft::forward_response(response).print(),
            };
            // Content-Length may be corrected; all else stays, so that the second time nothing changes.
            let again = parse(printed.clone()).expect("what was printed can be read");
            assert_eq!(again.body(), message.body());
            let printed_again = match &again {
                Message::Request(request) => Draft::forward(request).print(),
                Message::Response(response) => Draft::forward_response(response).print(),
            };
            assert_eq!(printed_again, printed);
        }
        Err(malformed) => check_reply(malformed.reply.as_ref()),
    }
}

/// A URI: its parts are within it, it is equivalent to itself, and what is built from it is one.
pub fn uri(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(uri) = text.parse::<Uri>() else { return };
    assert_eq!(uri.as_str(), text);
    assert!(uri.is_equivalent(&uri));
    let _ = (uri.user_decoded(), uri.host(), uri.port(), uri.params().count(), uri.headers().count());
    let _ = (uri.as_ref().phone_context(), uri.as_ref().voicemail_target(), uri.as_ref().voicemail_cause());
    if let Some(address) = uri.address_of_record() {
        assert_eq!(address.to_uri().address_of_record(), Some(address));
    }
    let plain = uri.without_params_and_headers();
    assert_eq!(plain.params().count(), 0);
    assert_eq!((plain.user(), plain.host(), plain.port()), (uri.user(), uri.host(), uri.port()));
}

/// One address or one Via.
pub fn name_addr_via(octets: &[u8]) {
    if let Ok(address) = NameAddr::parse(octets) {
        let _ = (address.display_name(), address.tag(), address.params().iter().count());
        assert!(address.uri.is_equivalent(&address.uri));
    }
    if let Ok(via) = Via::parse(octets) {
        let _ = (via.branch(), via.received(), via.rport(), via.alias(), via.params().iter().count());
        assert!(!via.host().is_empty() && !via.transport().is_empty());
    }
}

/// Challenges and credentials: what is read is written so that it reads the same.
pub fn digest(octets: &[u8]) {
    if let Ok(Some(challenge)) = Challenge::parse(octets) {
        let printed = challenge.to_string();
        let again = Challenge::parse(printed.as_bytes()).expect("what was printed can be read");
        assert_eq!(again.map(|again| again.to_string()), Some(printed));
    }
    if let Ok(Some(credentials)) = Credentials::parse(octets) {
        let ha1 = Ha1::new(Algorithm::Sha256, "dana", "example.com", "no such password");
        assert!(!credentials.verify(&ha1, &Method::Register));
        assert!(Credentials::parse(credentials.to_string().as_bytes()).is_ok());
    }
}

/// The values of the fields that say where a call has been, and other small grammars.
pub fn diversion_history(octets: &[u8]) {
    if let Ok(diversion) = Diversion::parse(octets) {
        let _ = (diversion.privacy(), diversion.screen(), diversion.reason.as_str().len());
    }
    if let Ok(entry) = HistoryEntry::parse(octets) {
        let _ = (entry.reasons(), entry.privacy());
    }
    if let Ok(reason) = Reason::parse(octets) {
        let again = Reason::parse(reason.to_string().as_bytes()).expect("what was printed can be read");
        assert_eq!(again.cause, reason.cause);
    }
    if let Ok(diagnostics) = Diagnostics::parse(octets) {
        let again =
            Diagnostics::parse(diagnostics.to_string().as_bytes()).expect("what was printed can be read");
        assert_eq!(again.error_id, diagnostics.error_id);
    }
    let _ =
        (CSeq::parse(octets), RAck::parse(octets), RetryAfter::parse(octets), SessionExpires::parse(octets));
}

/// An answer is itself a whole message.
fn check_reply(reply: Option<&Bytes>) {
    if let Some(reply) = reply {
        assert_eq!(frame(reply), Framed::Message { len: reply.len() });
    }
}

fn read_fields(message: &Message) {
    let headers = message.headers();
    let _ = (headers.via().branch(), headers.from().tag(), headers.to().display_name(), headers.call_id());
    assert_eq!(headers.vias().next().map(|via| via.host()), Some(headers.via().host()));
    assert!(headers.contacts().is_ok() || headers.count(&umbel_sip_message::HeaderName::Contact) > 1);
    let _ = (headers.route(), headers.record_route(), headers.diversions(), headers.history_info());
    let _ = (
        headers.asserted_identities(),
        headers.session_expires(),
        headers.min_se(),
        headers.rack(),
        headers.replaces(),
    );
    let _ = (headers.reason(), headers.event(), headers.subscription_state(), headers.retry_after());
    let _ = (headers.content_type(), headers.expires(), headers.allow(), headers.subject());
    for field in headers.iter() {
        assert!(field.is(&field.name()));
        assert!(field.line().ends_with(b"\r\n"));
    }
}
