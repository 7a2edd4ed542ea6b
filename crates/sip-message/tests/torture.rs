//! RFC 4475: one message of our own for each of its 49 cases, each with its verdict; and the RFC's own
//! messages, where they lie beside the project. REL-48, STD-7
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "reads its messages from files")]

mod verdict;

use umbel_sip_message::{
    AddressOfRecord, Contacts, Framed, HeaderName, Message, Method, Request, Response, Scheme, UriRef, frame,
    parse,
};
use verdict::{Verdict, judge};

/// What each case gets. The first name is our file, the second the one in the RFC's archive.
const CASES: [(&str, &str, &str, Verdict); 49] = {
    use Verdict::*;
    [
        ("3.1.1.1", "folded_everywhere", "wsinv", Accepted),
        ("3.1.1.2", "wide_range_of_characters", "intmeth", Accepted),
        ("3.1.1.3", "valid_escapes", "esc01", Accepted),
        ("3.1.1.4", "escaped_nulls", "escnull", Accepted),
        ("3.1.1.5", "percent_that_is_no_escape", "esc02", Accepted),
        ("3.1.1.6", "no_blank_before_angle_bracket", "lwsdisp", Accepted),
        ("3.1.1.7", "long_values", "longreq", Accepted),
        ("3.1.1.8", "two_messages", "dblreq", Accepted),
        ("3.1.1.9", "semicolon_in_user_part", "semiuri", Accepted),
        ("3.1.1.10", "unknown_transports", "transports", Accepted),
        ("3.1.1.11", "multipart_with_nuls", "mpart01", Accepted),
        ("3.1.1.12", "unusual_reason_phrase", "unreason", Accepted),
        ("3.1.1.13", "empty_reason_phrase", "noreason", Accepted),
        ("3.1.2.1", "empty_list_elements", "badinv01", Refused(400)),
        ("3.1.2.2", "length_beyond_the_message", "clerr", Waited),
        ("3.1.2.3", "negative_length", "ncl", RefusedAndClosed(400)),
        ("3.1.2.4", "overlarge_request_numbers", "scalar02", Refused(400)),
        ("3.1.2.5", "overlarge_response_numbers", "scalarlg", Dropped),
        ("3.1.2.6", "unterminated_quote", "quotbal", Refused(400)),
        ("3.1.2.7", "angle_brackets_around_request_uri", "ltgtruri", Refused(400)),
        ("3.1.2.8", "blank_inside_request_uri", "lwsruri", Refused(400)),
        ("3.1.2.9", "two_blanks_in_request_line", "lwsstart", Refused(400)),
        ("3.1.2.10", "blanks_after_request_line", "trws", Refused(400)),
        ("3.1.2.11", "headers_in_request_uri", "escruri", Refused(400)),
        ("3.1.2.12", "foreign_time_zone", "baddate", Accepted),
        ("3.1.2.13", "question_mark_without_brackets", "regbadct", Refused(400)),
        ("3.1.2.14", "blanks_within_address", "badaspec", Refused(400)),
        ("3.1.2.15", "comma_in_display_name", "baddn", Refused(400)),
        ("3.1.2.16", "unknown_version", "badvers", Refused(505)),
        ("3.1.2.17", "cseq_of_another_method", "mismatch01", Refused(400)),
        ("3.1.2.18", "cseq_of_another_method_than_an_unknown", "mismatch02", Refused(400)),
        ("3.1.2.19", "overlarge_status_code", "bigcode", Dropped),
        ("3.2.1", "bare_magic_cookie", "badbranch", Accepted),
        ("3.3.1", "missing_required_fields", "insuf", Refused(400)),
        ("3.3.2", "unknown_scheme", "unkscm", Accepted),
        ("3.3.3", "atypical_scheme", "novelsc", Accepted),
        ("3.3.4", "unknown_schemes_in_fields", "unksm2", Accepted),
        ("3.3.5", "unknown_extensions_required", "bext01", Accepted),
        ("3.3.6", "unknown_content_type", "invut", Accepted),
        ("3.3.7", "unknown_authorization_scheme", "regaut01", Accepted),
        ("3.3.8", "single_fields_twice", "multi01", Refused(400)),
        ("3.3.9", "content_length_twice", "mcl01", RefusedAndClosed(400)),
        ("3.3.10", "response_for_a_broadcast_address", "bcast", Accepted),
        ("3.3.11", "max_forwards_zero", "zeromf", Accepted),
        ("3.3.12", "contact_parameter", "cparam01", Accepted),
        ("3.3.13", "uri_parameter", "cparam02", Accepted),
        ("3.3.14", "escaped_header_in_contact", "regescrt", Accepted),
        ("3.3.15", "unacceptable_accept", "sdp01", Accepted),
        // Without Content-Length: a message, but not one that a stream can carry (M5, STD-6).
        ("3.4.1", "rfc_2543_syntax", "inv2543", RefusedAndClosed(400)),
    ]
};

#[test]
fn every_case_has_its_declared_outcome() {
    for (section, name, _, verdict) in CASES {
        assert_eq!(judge(&read(name)), verdict, "RFC 4475 {section}, {name}");
    }
}

#[test]
fn every_message_of_the_rfc_has_its_declared_outcome() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/testdata/rfc4475");
    for (section, _, name, verdict) in CASES {
        // The folder is no part of the project; our own messages test the same without it.
        let Ok(octets) = std::fs::read(format!("{folder}/{name}.dat")) else { return };
        assert_eq!(judge(&octets), verdict, "RFC 4475 {section}, {name}");
        if name == "inv2543" {
            assert!(parse(octets.into()).is_ok(), "RFC 4475 {section}: well formed but for its length");
        }
    }
}

#[test]
fn every_file_has_a_verdict() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torture")).unwrap();
    let files = folder.filter_map(|file| file.unwrap().file_name().into_string().ok());
    let mut files: Vec<String> =
        files.filter_map(|file| file.strip_suffix(".sip").map(str::to_owned)).collect();
    let mut named: Vec<&str> = CASES.iter().map(|case| case.1).collect();
    files.sort();
    named.sort_unstable();
    assert_eq!(files, named);
}

#[test]
fn an_accepted_message_is_relayed_byte_for_byte() {
    for (_, name, _, verdict) in CASES {
        let octets = read(name);
        if verdict == Verdict::Accepted {
            let Framed::Message { len } = frame(&octets) else { panic!("{name}") };
            let printed = match parse(octets.slice(..len)).unwrap() {
                Message::Request(request) => umbel_sip_message::Draft::forward(&request).print(),
                Message::Response(response) => umbel_sip_message::Draft::forward_response(&response).print(),
            };
            assert_eq!(printed, octets.slice(..len), "{name}");
        }
    }
}

#[test]
fn folds_blanks_and_quotes_do_not_change_what_is_said() {
    let request = request("folded_everywhere");
    let headers = request.headers();
    assert_eq!(request.request_uri().param("mood"), Some(Some("good")));
    assert_eq!(headers.to().tag(), Some("7771"));
    assert_eq!(headers.from().display_name().unwrap(), "Dana \\ \"D\"");
    assert_eq!(headers.from().tag(), Some("d1"));
    assert_eq!(headers.max_forwards(), Some(42));
    assert_eq!(headers.call_id(), "folds.1@198.51.100.7");
    assert_eq!((headers.cseq().number, &headers.cseq().method), (31, &Method::Invite));
    let vias: Vec<_> =
        headers.vias().map(|via| (via.transport(), via.host(), via.port(), via.branch())).collect();
    let expected = [
        ("TCP", "198.51.100.7", Some(5060), Some("one")),
        ("TLS", "edge.example.com", None, Some("z9hG4bK-two")),
        ("TCP", "inner.example.com", None, Some("z9hG4bK-three")),
    ];
    assert_eq!(vias, expected);
    assert_eq!(headers.get_text(&"X-Folded".parse().unwrap()).unwrap(), "first second third");
    assert_eq!(headers.subject(), None);
    let contacts = headers.contacts().unwrap();
    let contact = contacts.first().unwrap();
    assert_eq!(contact.display_name().unwrap(), "Dana \"\"");
    assert_eq!(contact.param("extra").unwrap().unwrap(), "yes");
    assert_eq!(contact.param("flag"), Some(None));
    assert_eq!(contact.param("q").unwrap().unwrap(), "0.5");
    assert!(headers.content_type().unwrap().unwrap().is("application", "sdp"));
}

#[test]
fn characters_of_every_kind_are_kept() {
    let request = request("wide_range_of_characters");
    let headers = request.headers();
    assert_eq!(request.method().as_str(), "odd!Method%*_+`'~.-09");
    assert_eq!(request.request_uri().user(), Some("user_0-.!~*'()&=+$,;?/"));
    assert_eq!(request.request_uri().password(), Some("pass&=+$,word!"));
    assert_eq!(request.request_uri().host(), "example.net");
    assert_eq!(headers.to().display_name().unwrap(), "\u{7} \0 \u{7f} \\ \"");
    assert_eq!(headers.from().display_name().unwrap(), "a'b c%d e~f");
    assert_eq!(headers.from().tag(), Some("_t~"));
    assert_eq!(headers.from().param("odd!%*_+`'~.-").unwrap().unwrap(), "Вечер");
    assert_eq!(headers.get_text(&"X!Name-.%*+_`'~".parse().unwrap()).unwrap(), "值");
    assert_eq!(headers.via().branch(), Some("z9hG4bK-.!%*_+`'~"));
}

#[test]
fn escapes_are_decoded_once_and_only_in_uris() {
    let message = request("valid_escapes");
    // One user named like a URI, never a SIPS URI.
    assert_eq!(message.request_uri().scheme(), Scheme::Sip);
    assert_eq!(message.request_uri().user_decoded().unwrap(), "sips:erin@example.com");
    assert_eq!(message.headers().to().uri.address_of_record(), AddressOfRecord::new("erin", "example.net"));
    let contacts = message.headers().contacts().unwrap();
    assert_eq!(contacts.first().unwrap().uri.params().next(), Some(("p%61ram", Some("v%61lue%25%34%32"))));

    let message = request("escaped_nulls");
    assert_eq!(message.headers().to().uri.user_decoded().unwrap(), "zero-\0-byte");
    assert_eq!(message.headers().contacts().unwrap().addresses().len(), 2);

    let message = request("percent_that_is_no_escape");
    assert_ne!(*message.method(), Method::Register);
    assert_eq!(message.method().as_str(), "%52EGISTE%52");
    assert_eq!(message.headers().contacts().unwrap().addresses().len(), 2);
    assert_eq!(message.headers().to().display_name().unwrap(), "%Q%41");
}

#[test]
fn parameters_belong_to_what_the_brackets_say() {
    let message = request("contact_parameter");
    let contacts = message.headers().contacts().unwrap();
    let contact = contacts.first().unwrap();
    assert_eq!((contact.uri.param("flavour"), contact.param("flavour")), (None, Some(None)));
    let message = request("uri_parameter");
    let contacts = message.headers().contacts().unwrap();
    let contact = contacts.first().unwrap();
    assert_eq!((contact.uri.param("flavour"), contact.param("flavour")), (Some(None), None));
    let message = request("escaped_header_in_contact");
    let contacts = message.headers().contacts().unwrap();
    assert!(contacts.first().unwrap().uri.has_headers());
    // M6: header components never become headers.
    assert!(!message.headers().has(&HeaderName::Route));
}

#[test]
fn a_semicolon_in_the_user_part_stays_there() {
    let request = request("semicolon_in_user_part");
    assert_eq!(request.request_uri().user(), Some("erin;par=x%40example.org"));
    assert_eq!(request.request_uri().param("par"), None);
    assert_eq!(request.headers().elements(&HeaderName::Accept).count(), 3);
}

#[test]
fn what_follows_the_announced_length_is_the_next_message() {
    let octets = read("two_messages");
    let Framed::Message { len } = frame(&octets) else { panic!("no first message") };
    let rest = octets.slice(len..);
    assert!(matches!(frame(&rest), Framed::KeepAlive { len: 2, .. }));
    let rest = rest.slice(2..);
    let Framed::Message { len } = frame(&rest) else { panic!("no second message") };
    assert_eq!(len, rest.len());
    assert_eq!(parse(rest).unwrap().headers().call_id(), "dbl2@198.51.100.7");
}

#[test]
fn a_body_is_octets_and_a_phrase_is_whatever_it_is() {
    let message = request("multipart_with_nuls");
    assert!(message.body().contains(&0));
    assert_eq!(message.headers().count(&HeaderName::Via), 1);
    let phrase = response("unusual_reason_phrase");
    assert_eq!(phrase.reason(), "= 1*2*3*4*5*6 как дела? 100% \"ok\"".as_bytes());
    let phrase = response("empty_reason_phrase");
    assert_eq!((phrase.status().as_u16(), phrase.reason()), (183, &b""[..]));
}

#[test]
fn other_schemes_are_kept_for_a_higher_layer_to_judge() {
    assert_eq!(request("unknown_scheme").request_uri().scheme_name(), "flurb");
    assert_eq!(request("atypical_scheme").request_uri().scheme(), Scheme::Other);
    let message = request("unknown_schemes_in_fields");
    assert_eq!(message.headers().to().uri.as_str(), "urn:isbn:9780131103627");
    let Contacts::Addresses(contacts) = message.headers().contacts().unwrap() else { panic!("a star") };
    assert_eq!(contacts.first().map(|contact| contact.uri), UriRef::parse("xmpp:dana").ok());
}

#[test]
fn a_via_without_a_real_branch_is_served_as_before_rfc_3261() {
    // DEC-2, OCEXUM-4-1
    assert_eq!(request("bare_magic_cookie").headers().via().branch(), Some("z9hG4bK"));
    let old = parse(read("rfc_2543_syntax")).unwrap();
    assert_eq!(old.headers().via().branch(), None);
    assert_eq!(old.headers().from().tag(), None);
}

fn read(name: &str) -> bytes::Bytes {
    let path = format!("{}/tests/torture/{name}.sip", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")).into()
}

fn message(name: &str) -> Message {
    let octets = read(name);
    let Framed::Message { len } = frame(&octets) else { panic!("{name} is not framed") };
    parse(octets.slice(..len)).unwrap_or_else(|malformed| panic!("{name}: {malformed}"))
}

fn request(name: &str) -> Request {
    message(name).into_request().unwrap()
}

fn response(name: &str) -> Response {
    message(name).into_response().unwrap()
}
