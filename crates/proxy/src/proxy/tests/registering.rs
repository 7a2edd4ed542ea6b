//! REGISTER: RFC 3261 10.3, RFC 3327, RFC 5626, and what a registrar refuses.

use super::*;

fn contacts(office: &Office, name: &str) -> Vec<String> {
    let response = office.response(name);
    response
        .headers()
        .all(&HeaderName::Contact)
        .map(|value| String::from_utf8_lossy(&value).into_owned())
        .collect()
}

// REG-1, DEC-7
#[test]
fn a_registration_is_answered_with_all_bindings() {
    let mut office = Office::new();
    office.register("bob", "<sip:bob@192.0.2.2>;q=0.5", "Expires: 600\r\n");
    office.register("bob-too", "<sip:bob@192.0.2.12>;expires=100000", "");
    office.expect("bob < 200\nbob-too < 200");
    assert_eq!(
        contacts(&office, "bob-too"),
        ["<sip:bob@192.0.2.2>;expires=600;q=0.500", "<sip:bob@192.0.2.12>;expires=3600"]
    );
    office.register("bob", "<sip:bob@192.0.2.9>;expires=59", "");
    office.expect("bob < 423");
    assert_eq!(office.response("bob").headers().min_expires().unwrap(), Some(60));
    office.send("bob", "REGISTER", "sip:example.test", "");
    office.expect("bob < 200");
    assert_eq!(contacts(&office, "bob").len(), 2);
    office.register("bob", "*", "Expires: 0\r\n");
    office.expect("bob < 200");
    assert_eq!(contacts(&office, "bob").len(), 0);
    assert_eq!(office.proxy.registered_count(), 0);
}

// SEC-51
#[test]
fn what_a_registrar_refuses() {
    let mut office = Office::new();
    office.register("bob", "*", "Expires: 600\r\n");
    office.expect("bob < 400");
    office.register("bob", "<sip:alice@example.test>", "");
    office.expect("bob < 403");
    office.register("bob", "<sip:alice@192.0.2.100:5061>", "");
    office.expect("bob < 403");
    office.register("bob", "<tel:+15555550100>", "");
    office.expect("bob < 400");
    let eleven: Vec<String> = (0..11).map(|n| format!("<sip:b{n}@192.0.2.2>")).collect();
    office.register("bob", &eleven.join(", "), "");
    office.expect("bob < 403");
    office.register("bob", &eleven[1..].join(", "), "");
    office.expect("bob < 200");
    office.register("bob", "<sip:bob@192.0.2.2>", "Require: teleport\r\n");
    office.expect("bob < 420");
    office.register("bob", "<sip:bob@192.0.2.2>", "Path: <sip:edge.test;lr>\r\n");
    office.expect("bob < 403");
    office.send("bob", "REGISTER", "sip:elsewhere.test", "Contact: <sip:bob@192.0.2.2>\r\n");
    office.expect("bob < 403");
}

// REG-4, SEC-51
#[test]
fn nobody_registers_for_somebody_else() {
    let mut office = Office::new();
    let text = |office: &Office, more: &str, cseq| {
        let contact = "Contact: <sip:mallory@192.0.2.1>\r\n";
        let text = office.text("alice", "REGISTER", "sip:example.test", contact, cseq, more);
        text.replace("To: <sip:alice@", "To: <sip:bob@")
    };
    let first = text(&office, "", 1);
    office.say("alice", &first);
    office.expect("alice < 401");
    let challenged = office.response("alice");
    let credentials = office.credentials("alice", "REGISTER", "sip:example.test", &challenged, PASSWORD);
    let second = text(&office, &credentials, 2);
    office.say("alice", &second);
    office.expect("alice < 403");
    assert_eq!(office.proxy.registered_count(), 0);
}

// RFC 5626
#[test]
fn an_outbound_client_is_told_that_its_flow_is_relied_on() {
    let mut office = Office::new();
    let contact = "<sip:bob@10.0.0.9>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"";
    office.register("bob", contact, "Supported: path, outbound\r\n");
    office.expect("bob < 200");
    assert_eq!(office.response("bob").headers().require().collect::<Vec<_>>(), ["outbound"]);
    office.register("bob", contact, "");
    office.expect("bob < 200");
    assert_eq!(office.response("bob").headers().require().count(), 0);
}

// RFC 5626 6
#[test]
fn a_client_that_keeps_flows_is_told_of_a_first_server_that_does_not() {
    let mut office = Office::new();
    for (path, status) in [("sip:edge.test;lr", 439), ("sip:edge.test;lr;ob", 200)] {
        let lines = format!(
            "From: <sip:bob@example.test>\r\nContact: <sip:bob@10.0.0.9>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n\
             Supported: path, outbound\r\nPath: <{path}>\r\n"
        );
        let text = office.text("um", "REGISTER", "sip:example.test", &lines, status, "");
        office.say("um", &text.replace("To: <sip:um@", "To: <sip:bob@"));
        office.expect(&format!("um < {status}"));
    }
}

// RFC 3327
#[test]
fn the_path_of_a_known_edge_server_is_kept_and_used() {
    let mut office = Office::new();
    let lines = "From: <sip:bob@example.test>\r\nContact: <sip:bob@10.0.0.9>\r\nSupported: path\r\nPath: <sip:edge.test;lr>\r\n";
    let text = office.text("um", "REGISTER", "sip:example.test", lines, 1, "");
    office.say("um", &text.replace("To: <sip:um@", "To: <sip:bob@"));
    office.expect("um < 200");
    assert_eq!(office.response("um").headers().count(&HeaderName::Path), 1);
    office.call("alice", "sip:bob@example.test");
    office.expect("um < INVITE sip:bob@10.0.0.9");
    assert_eq!(values(&office.request("um", "INVITE"), &HeaderName::Route), ["<sip:edge.test;lr>"]);
}

// REG-6, OCEXUM-4: epid in whatever place.
#[test]
fn clients_with_an_epid_are_tolerated() {
    let mut office = Office::new();
    for epid in ["a1", "b2"] {
        let lines = format!("From: <sip:bob@example.test>;epid={epid}\r\nContact: <sip:bob@192.0.2.2>\r\n");
        office.send("bob", "REGISTER", "sip:example.test", &lines);
        office.expect("bob < 200");
    }
    assert_eq!(contacts(&office, "bob").len(), 2);
}

#[test]
fn registrations_survive_a_restart() {
    let mut before = Office::where_registered(&["bob"]);
    before.wait(10);
    let kept: Vec<_> = std::mem::take(&mut before.kept).into_iter().collect();
    assert_eq!(kept.len(), 1);
    let mut after = Office::new();
    after.order(Order::Restore(kept));
    after.call("alice", "sip:bob@example.test");
    after.expect("192.0.2.2:5061 < INVITE sip:bob@192.0.2.2");
}

#[test]
fn what_has_ended_is_forgotten_and_no_longer_kept() {
    let mut office = Office::new();
    office.register("bob", "<sip:bob@192.0.2.2>", "Expires: 60\r\n");
    office.expect("bob < 200");
    let bob: AddressOfRecord = "bob@example.test".parse().unwrap();
    assert_eq!(office.kept[&bob].len(), 1);
    office.wait(62);
    assert_eq!(office.kept[&bob].len(), 0);
    assert_eq!(office.proxy.registered_count(), 0);
}

// REL-47, in little: none is lost when all come at once.
#[test]
fn five_hundred_telephones_register_at_once() {
    let mut office = Office::with(|config| config.authentication = crate::Required::None);
    for n in 0..500 {
        let lines = format!("From: <sip:user{n}@example.test>\r\nContact: <sip:user{n}@192.0.2.2>\r\n");
        let text = office.text("bob", "REGISTER", "sip:example.test", &lines, 1, "");
        let text = text
            .replace("z9hG4bK", &format!("z9hG4bK{n}x"))
            .replace("To: <sip:bob@", &format!("To: <sip:user{n}@"));
        office.say("bob", &text);
        office.expect("bob < 200");
    }
    assert_eq!(office.proxy.registered_count(), 500);
}
