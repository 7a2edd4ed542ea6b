//! URIs: RFC 3261 19.1, RFC 3966, RFC 4458 and the GRUU forms of [MS-SIPRE].
#![allow(clippy::unwrap_used)]

use umbel_sip_message::{AddressOfRecord, Scheme, Uri, UriRef};

#[track_caller]
fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|error| unreachable!("{text}: {error}"))
}

#[track_caller]
fn equivalent(a: &str, b: &str) -> bool {
    let there = uri(a).is_equivalent(&uri(b));
    assert_eq!(there, uri(b).is_equivalent(&uri(a)), "comparison has no direction: {a} {b}");
    there
}

#[test]
fn the_parts_of_a_uri_are_found() {
    let uri = uri("sips:alice:secret@[2001:db8::9:1]:5061;transport=tls;lr;x=%41?Subject=a%20b&p=1");
    let borrowed = uri.as_ref();
    assert_eq!(uri.scheme(), Scheme::Sips);
    assert_eq!((uri.user(), borrowed.password()), (Some("alice"), Some("secret")));
    assert_eq!((uri.host(), uri.port()), ("[2001:db8::9:1]", Some(5061)));
    assert_eq!(uri.transport(), Some("tls"));
    assert_eq!((uri.param("LR"), uri.param("y")), (Some(None), None));
    assert_eq!(uri.param_decoded("x").unwrap(), "A");
    assert_eq!(uri.headers().collect::<Vec<_>>(), [("Subject", "a%20b"), ("p", "1")]);
    assert_eq!(uri.without_params_and_headers().as_str(), "sips:alice:secret@[2001:db8::9:1]:5061");
}

#[test]
fn a_user_part_may_hold_what_looks_like_something_else() {
    // RFC 3261 25.1 user-unreserved
    assert_eq!(uri("sip:user;par=u@example.net").user(), Some("user;par=u"));
    assert_eq!(uri("sip:a?b/c;d,e@example.net").user(), Some("a?b/c;d,e"));
    assert_eq!(uri("sip:a?b@c?d=e").headers().collect::<Vec<_>>(), [("d", "e")]);
    assert_eq!(uri("sip:example.net").user(), None);
    assert_eq!(uri("sip:a:@example.net").as_ref().password(), Some(""));
}

#[test]
fn what_is_no_uri_is_refused() {
    for bad in [
        "",
        ":",
        "sip",
        "sip:",
        "sip:@b",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@b;x=@c",
        "sip:a b@c",
        "sip:a@b c",
        "sip: a@b",
        "sip:a%@b",
        "sip:a%4@b",
        "sip:a%zz@b",
        "sip:a@b%41",
        "sip:a@b:",
        "sip:a@b:x",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:-1",
        "sip:a@[::1",
        "sip:a@[::1]x",
        "sip:a@[1.2.3.4]",
        "sip:a@[]",
        "sip:a@[::g]",
        "sip:a@b;",
        "sip:a@b;;x",
        "sip:a@b;=x",
        "sip:a@b;x=1;X=2",
        "sip:a@b?",
        "sip:a@b?x",
        "sip:a@b?=x",
        "sip:a@b?x=1&",
        "sip:<a@b>",
        "sip:a@b\"",
        "sip:é@b",
        "sip:a@é",
        "sip:a@b..c",
        "sip:a@.b",
        "1sip:x",
        "s p:x",
        "http:",
        "http://exa mple",
        "tel:",
        "tel:+",
        "tel:x",
        "tel:+1;",
        "tel:+1?x=y",
        "sip:a@b\r\nc",
        "sip:a@b\0",
        "x:%4",
        "x:a#b#c",
    ] {
        assert!(UriRef::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn other_schemes_are_kept() {
    for text in [
        "urn:uuid:0b5e0a8e-1111-4a4a-9a9a-0123456789ab",
        "http://www.example.com/a?b=c#d",
        "coap+tcp://192.0.2.1:1/x",
        "isbn:2983792873",
    ] {
        let uri = uri(text);
        assert_eq!((uri.scheme(), uri.as_str(), uri.user(), uri.host()), (Scheme::Other, text, None, ""));
        assert_eq!(uri.address_of_record(), None);
    }
}

#[test]
fn telephone_numbers_are_read_in_both_schemes() {
    // URI-7
    let e164 = uri("sip:+14255550123@example.com;user=phone");
    assert_eq!((e164.user(), e164.param("user")), (Some("+14255550123"), Some(Some("phone"))));
    let private = uri("sip:51234;phone-context=dp1.example.com@example.com;user=phone");
    assert_eq!(private.user(), Some("51234;phone-context=dp1.example.com"));
    assert_eq!(private.as_ref().phone_context(), Some("dp1.example.com"));
    assert_eq!(private.param("phone-context"), None);
    let tel = uri("tel:+1-201-555-0123;phone-context=+44;ext=7");
    assert_eq!((tel.scheme(), tel.user()), (Scheme::Tel, Some("+1-201-555-0123")));
    assert_eq!(tel.as_ref().phone_context(), Some("+44"));
    assert!(equivalent("tel:+12015550123", "TEL:+1-(201).555-0123"));
    assert!(equivalent(
        "tel:7042;phone-context=Example.com;ext=1",
        "tel:7042;ext=1;phone-context=example.COM"
    ));
    assert!(!equivalent("tel:7042;phone-context=a", "tel:7042"));
}

#[test]
fn equivalent_uris_of_rfc_3261_19_1_4_are_equivalent() {
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::0:1]"),
    ] {
        assert!(equivalent(a, b), "{a} {b}");
    }
}

#[test]
fn different_uris_of_rfc_3261_19_1_4_are_different() {
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b;user=phone", "sip:a@b"),
        ("sip:a@b;maddr=c", "sip:a@b"),
        ("sip:a@b;x=1", "sip:a@b;x=2"),
        ("sip:a@b;x", "sip:a@b;x=2"),
        ("sip:a:b@c", "sip:a@c"),
        // A reserved character and its escape are two things.
        ("sip:%2B1425@b", "sip:+1425@b"),
    ] {
        assert!(!equivalent(a, b), "{a} {b}");
    }
}

#[test]
fn equivalence_is_not_transitive_and_text_equality_is() {
    let (plain, five, on) =
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=6");
    assert!(equivalent(plain, five) && equivalent(five, on) && !equivalent(plain, on));
    assert_ne!(uri(plain), uri(five));
}

#[test]
fn a_voice_mail_gruu_is_recognised_in_every_form() {
    // URI-1, URI-2
    for text in [
        "sip:alice@contoso.com;opaque=app:voicemail",
        "sip:alice@contoso.com;opaque=app:voicemail;gruu",
        "sip:alice@contoso.com;gruu;opaque=app:voicemail",
        "sip:alice@contoso.com;OPAQUE=App:VoiceMail",
        "sip:alice@contoso.com;opaque=app%3avoicemail",
    ] {
        assert!(uri(text).has_opaque("app:voicemail"), "{text}");
        assert_eq!(uri(text).address_of_record(), AddressOfRecord::new("alice", "contoso.com"), "{text}");
    }
    for text in [
        "sip:alice@contoso.com",
        "sip:alice@contoso.com;opaque",
        "sip:alice@contoso.com;opaque=user:epid:x",
        "sip:opaque=app:voicemail@contoso.com",
        "sip:alice@contoso.com;opaque=app%253avoicemail",
    ] {
        assert!(!uri(text).has_opaque("app:voicemail"), "{text}");
    }
}

#[test]
fn rfc_4458_says_whose_mailbox_and_why() {
    let service = uri("sip:voicemail@example.com;target=bob%40example.com;cause=408");
    assert_eq!(service.as_ref().voicemail_target().unwrap(), "bob@example.com");
    assert_eq!(service.as_ref().voicemail_cause(), Some(408));
    for bad in ["cause=40", "cause=4080", "cause=x08", "cause"] {
        assert_eq!(uri(&format!("sip:v@example.com;{bad}")).as_ref().voicemail_cause(), None, "{bad}");
    }
    assert_eq!(uri("sip:v@example.com").as_ref().voicemail_target(), None);
}

#[test]
fn users_are_decoded_once_and_compared_with_case() {
    // M8
    let address = |text: &str| uri(text).address_of_record();
    assert_eq!(address("sip:%61lice@Example.COM:5070;x=y"), AddressOfRecord::new("alice", "example.com"));
    assert_ne!(address("sip:Alice@example.com"), address("sip:alice@example.com"));
    // Twice encoded is decoded once.
    assert_eq!(uri("sip:a%2540b@c").user_decoded().unwrap(), "a%40b");
    // What is not UTF-8 names nobody, rather than somebody else.
    assert_eq!(address("sip:a%ffb@c"), None);
    assert_eq!(address("sip:example.com"), None);
    let odd = address("sip:a%00%40b@c").unwrap();
    assert_eq!((odd.user(), odd.to_string().as_str()), ("a\0@b", "a\0@b@c"));
    assert_eq!(odd.to_uri().as_str(), "sip:a%00%40b@c");
    assert_eq!(
        "a b@Example.com".parse::<AddressOfRecord>().unwrap().to_uri().as_str(),
        "sip:a%20b@example.com"
    );
    assert_eq!(
        "sip:dana@Example.com;gruu".parse::<AddressOfRecord>().unwrap().to_string(),
        "dana@example.com"
    );
    for bad in ["", "dana", "@example.com", "dana@", "dana@exa mple", "tel:+1"] {
        assert!(bad.parse::<AddressOfRecord>().is_err(), "{bad}");
    }
}

#[test]
fn uris_are_built_escaped_and_stay_what_they_were() {
    assert_eq!(Uri::sip("+14255550123", "example.com").unwrap().as_str(), "sip:+14255550123@example.com");
    assert_eq!(Uri::sip("a@b c", "example.com").unwrap().as_str(), "sip:a%40b%20c@example.com");
    assert_eq!(Uri::sip("a", "exa mple"), None);
    assert_eq!(Uri::sip("a", "b;c=d"), None);
    let uri = uri("sip:a@b;x=1;lr?h=v");
    assert_eq!(uri.with_port(5061).as_str(), "sip:a@b:5061;x=1;lr?h=v");
    assert_eq!(uri.with_port(5061).with_port(5062).as_str(), "sip:a@b:5062;x=1;lr?h=v");
    assert_eq!(uri.with_param("X", Some("a;b")).as_str(), "sip:a@b;lr;X=a%3Bb?h=v");
    assert_eq!(uri.with_param("ob", None).as_str(), "sip:a@b;x=1;lr;ob?h=v");
    assert_eq!(uri.without_param("LR").as_str(), "sip:a@b;x=1?h=v");
    assert_eq!(uri.without_params_and_headers().as_str(), "sip:a@b");
    assert_eq!(uri.without_headers().as_str(), "sip:a@b;x=1;lr");
}
