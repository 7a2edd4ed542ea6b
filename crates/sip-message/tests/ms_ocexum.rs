//! [MS-OCEXUM]: the shapes of its two examples (section 4), with the SDP and the Content-Length that it
//! leaves out, and the vectors of its header fields.
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "reads its examples from files")]

use umbel_sip_message::{Draft, Framed, HeaderName, Method, Request, UriRef, frame, parse};

fn example(name: &str) -> Request {
    let path = format!("{}/tests/examples/{name}.sip", env!("CARGO_MANIFEST_DIR"));
    let octets = std::fs::read(path).unwrap();
    assert_eq!(frame(&octets), Framed::Message { len: octets.len() });
    let request = parse(octets.clone().into()).unwrap().into_request().unwrap();
    // OCEXUM-4-6: what is not understood is relayed as it is.
    assert_eq!(Draft::forward(&request).print(), octets);
    request
}

#[test]
fn subscriber_access_4_1_is_read_as_it_stands() {
    let request = example("subscriber_access");
    let headers = request.headers();
    // OCEXUM-4-1: the Via has no branch.
    assert_eq!((headers.via().host(), headers.via().branch()), ("192.0.2.40", None));
    assert!(request.request_uri().has_opaque("app:voicemail"));
    // The address-of-record of Request-URI, From and To is one.
    let owner = request.request_uri().address_of_record();
    assert_eq!(owner.as_ref().unwrap().to_string(), "alice@contoso.example");
    assert_eq!(headers.from().uri.address_of_record(), owner);
    assert_eq!(headers.to().uri.address_of_record(), owner);
    // OCEXUM-4-2: tag before epid.
    assert_eq!(headers.from().tag(), Some("4f3a9b"));
    assert_eq!(headers.from().param("epid").unwrap().unwrap(), "9d1e77a0c2");
    let contacts = headers.contacts().unwrap();
    let contact = contacts.first().unwrap();
    assert_eq!(contact.uri.param("opaque").unwrap(), Some("user:epid:k3VnZ2FfUlWx_-QbC9yJtQAA"));
    assert_eq!(contact.uri.param("gruu"), Some(None));
    assert_eq!(headers.get(&HeaderName::MsExchangeCommand).unwrap().as_ref(), b"skip-pin");
    assert_eq!(headers.supported().collect::<Vec<_>>(), ["timer", "ms-sender"]);
}

#[test]
fn play_on_phone_4_2_is_read_as_it_stands() {
    let request = example("play_on_phone");
    let headers = request.headers();
    // OCEXUM-4-2: epid before tag.
    assert_eq!(headers.from().tag(), Some("77e0d"));
    assert_eq!(headers.to().tag(), None);
    // OCEXUM-3.2-6: the parties are one; header parameters are no part of the comparison.
    assert!(headers.from().uri.is_equivalent(&headers.to().uri));
    let contacts = headers.contacts().unwrap();
    assert_eq!(contacts.first().unwrap().param("automata"), Some(None));
    assert_eq!(headers.max_forwards(), Some(68));
    // OCEXUM-4-3: two lines, and methods in mixed case.
    let allow = headers.allow().unwrap();
    for method in [Method::Update, Method::Ack, Method::Cancel, Method::Bye, Method::Invite, Method::Options]
    {
        assert!(allow.has(&method), "{method}");
    }
    assert!(allow.has(&"BeNotify".parse().unwrap()));
    // OCEXUM-4-5
    let contact = contacts.first().unwrap().uri;
    assert!(contact.transport().unwrap().eq_ignore_ascii_case("tls"));
    let same = UriRef::parse("sip:exchange.contoso.example:5061;Transport=tLS;ms-opaque=77").unwrap();
    assert!(contact.is_equivalent(&same));
    assert_eq!(headers.vias().count(), 2);
    assert_eq!(headers.get_text(&HeaderName::MsSensitivity).unwrap(), "private-no-diversion");
}

#[test]
fn the_blank_after_the_scheme_is_refused() {
    // OCEXUM-4-4
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/play_on_phone.sip");
    let printed = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let with_blank = printed.replace("<sip:exchange", "<sip: exchange");
    let malformed = parse(with_blank.into_bytes().into()).unwrap_err();
    assert!(malformed.reply.unwrap().starts_with(b"SIP/2.0 400 "));
    assert!(!malformed.close);
}

/// What each line of the vector table (sip-extensions 4.1) must look like to whoever decides; the value
/// of the only field of its name, or nothing.
#[test]
fn header_vectors_read_as_their_values() {
    let vectors: [(&[&str], usize, &str); 11] = [
        (&["Ms-Exchange-Command: skip-pin"], 1, "skip-pin"),
        (&["ms-exchange-command:skip-pin"], 1, "skip-pin"),
        (&["MS-EXCHANGE-COMMAND  :   SKIP-PIN  "], 1, "SKIP-PIN"),
        (&["Ms-Exchange-Command:\r\n skip-pin"], 1, "skip-pin"),
        (&["Ms-Exchange-Command: skip-pin", "ms-exchange-command: skip-pin"], 2, "skip-pin"),
        (&["Ms-Exchange-Command:"], 1, ""),
        (&["Ms-Exchange-Command: skip-pin=1"], 1, "skip-pin=1"),
        (&["Ms-Exchange-Command: skip-pin;x=y"], 1, "skip-pin;x=y"),
        (&["Ms-Exchange-Command: skip-pin, other"], 1, "skip-pin, other"),
        (&["Ms-Exchange-Command: \"skip-pin\""], 1, "\"skip-pin\""),
        (&["Ms-Exchange-Command: other"], 1, "other"),
    ];
    for (lines, count, value) in vectors {
        let lines = lines.join("\r\n");
        let request = format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\
             Call-ID: v\r\n{lines}\r\nCSeq: 1 INVITE\r\n\r\n"
        );
        let request = parse(request.into_bytes().into()).unwrap();
        let headers = request.headers();
        assert_eq!(headers.count(&HeaderName::MsExchangeCommand), count, "{lines}");
        assert_eq!(headers.get_text(&HeaderName::MsExchangeCommand).unwrap(), value, "{lines}");
    }
}
