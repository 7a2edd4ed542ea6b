//! URI-6: addresses of one telephone, RFC 5627 and [MS-SIPRE] 2.2.2.

use umbel_sip_message::NameAddr;

use super::*;

const INSTANCE: &str = "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";
const PUBLIC: &str = "sip:bob@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

/// Bob's two telephones; the first has an instance.
fn office() -> Office {
    let mut office = Office::where_registered(&["carol"]);
    register(&mut office);
    office.expect("bob < 200");
    office.register("bob-too", "<sip:bob@192.0.2.12>", "");
    office.expect("bob-too < 200");
    office
}

fn register(office: &mut Office) {
    let contact = format!("<sip:bob@192.0.2.2>;+sip.instance=\"{INSTANCE}\"");
    office.register("bob", &contact, "Supported: gruu\r\n");
}

/// A parameter of the first Contact that somebody was told and that has it.
fn told(office: &Office, name: &str, param: &str) -> Option<String> {
    let response = office.response(name);
    let mut contacts = response.headers().all(&HeaderName::Contact);
    contacts.find_map(|contact| {
        let contact = NameAddr::parse(&contact).unwrap();
        contact.param(param).flatten().map(std::borrow::Cow::into_owned)
    })
}

#[test]
fn a_client_that_supports_them_is_told_both_and_others_none() {
    let mut office = office();
    assert_eq!(office.response("bob").headers().count(&HeaderName::Contact), 1);
    assert_eq!(told(&office, "bob", "pub-gruu").unwrap(), PUBLIC);
    assert_eq!(told(&office, "bob", "+sip.instance").unwrap(), INSTANCE);
    let temporary = told(&office, "bob", "temp-gruu").unwrap();
    assert!(temporary.starts_with("sip:t~") && temporary.ends_with("@example.test;gr"), "{temporary}");
    assert!(!temporary.contains("bob") && !temporary.contains("f81d"));
    assert_eq!(told(&office, "bob-too", "pub-gruu"), None);
    // RFC 5627 5.3: another one each time.
    register(&mut office);
    assert_ne!(told(&office, "bob", "temp-gruu").unwrap(), temporary);
}

#[test]
fn a_request_for_one_telephone_reaches_that_one_and_is_not_diverted() {
    let mut office = office();
    office.set("bob", "forward-immediate", "carol@example.test");
    let temporary = told(&office, "bob", "temp-gruu").unwrap();
    for uri in [PUBLIC, &temporary] {
        office.call("alice", uri);
        office.expect("bob < INVITE sip:bob@192.0.2.2");
        office.answer("bob", "486 Busy Here");
        office.expect("alice < 486");
    }
    office.call("alice", "sip:bob@example.test;gr=urn:uuid:0");
    office.expect("alice < 480");
    office.set("bob", "block", "yes");
    office.call("alice", PUBLIC);
    office.expect("alice < 480");
}

// RFC 5627 3.1
#[test]
fn temporary_ones_end_with_the_registration_and_cannot_be_made_up() {
    let mut office = office();
    let temporary = told(&office, "bob", "temp-gruu").unwrap();
    let changed =
        if temporary.contains('0') { temporary.replace('0', "1") } else { temporary.replace('1', "0") };
    for forged in [&changed, "sip:t~@example.test;gr", "sip:bob@example.test;gr"] {
        office.call("alice", forged);
        office.expect("alice < 404");
    }
    // By another Call-ID.
    register(&mut office);
    office.ladder.clear();
    office.call("alice", &temporary);
    office.expect("alice < 480");
}

#[test]
fn requests_within_a_dialog_find_the_telephone_behind_its_address() {
    let mut office = office();
    office.call("carol", PUBLIC);
    office.answer("bob", "200 OK");
    office.expect("bob < INVITE sip:bob@192.0.2.2\ncarol < 200");
    let invite = office.request("bob", "INVITE");
    let route = office.routes("carol");
    let headers = invite.headers();
    let bye = format!(
        "BYE {PUBLIC} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.3;branch=z9hG4bKbye\r\nRoute: {route}\r\n\
         From: <sip:carol@example.test>;tag={}\r\nTo: <{PUBLIC}>;tag=bob\r\n\
         Call-ID: {}\r\nCSeq: 7 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        headers.from().tag().unwrap(),
        headers.call_id()
    );
    office.say("carol", &bye);
    office.expect("bob < BYE sip:bob@192.0.2.2");
}

// REG-6: only for clients that need it.
#[test]
fn older_clients_are_told_the_older_form() {
    let mut office = Office::new();
    let register = |office: &mut Office, epid: &str, contact: &str, lines: &str| {
        let lines = format!("From: <sip:bob@example.test>;epid={epid}\r\nContact: <{contact}>\r\n{lines}");
        office.send("bob", "REGISTER", "sip:example.test", &lines);
        office.expect("bob < 200");
    };
    register(&mut office, "b2", "sip:bob@192.0.2.2;x=2", "");
    assert_eq!(told(&office, "bob", "gruu"), None);
    register(&mut office, "b2", "sip:bob@192.0.2.2;x=2", "Supported: gruu-10\r\n");
    let gruu = told(&office, "bob", "gruu").unwrap();
    assert_eq!(gruu, "sip:bob@example.test;opaque=user:epid:b2;gruu");
    assert_eq!(told(&office, "bob", "pub-gruu"), None);
    register(&mut office, "a1", "sip:bob@192.0.2.2;x=1", "");
    office.call("alice", &gruu);
    office.expect("bob < INVITE sip:bob@192.0.2.2;x=2");
}

// RFC 5627 5.1: nobody registers a GRUU as a contact.
#[test]
fn an_address_of_ours_is_no_contact() {
    let mut office = office();
    office.register("bob", &format!("<{PUBLIC}>"), "Supported: gruu\r\n");
    office.expect("bob < 403");
    office.register("bob", "<sip:bob@192.0.2.2>", "Require: gruu\r\n");
    office.expect("bob < 200");
}
