//! Requests within dialogs: along the Record-Route, and only there.

use super::*;

/// An answered call from alice to bob, and the Routes that each side has learnt.
pub(super) fn answered() -> Office {
    let mut office = Office::where_registered(&["bob"]);
    office.call("alice", "sip:bob@example.test");
    office.answer_with("bob", "200 OK", "Contact: <sip:bob@192.0.2.2>\r\n");
    office.expect("bob < INVITE sip:bob@192.0.2.2\nalice < 200");
    office
}

/// A request by one side of the call.
pub(super) fn within(office: &mut Office, name: &str, method: &str, change: impl Fn(String) -> String) {
    let invite = office.request("bob", "INVITE");
    // Whoever is no side of it knows what the caller knows.
    let route = match name {
        "bob" => values(&invite, &HeaderName::RecordRoute).join(", "),
        _ => office.routes("alice"),
    };
    let headers = invite.headers();
    let (call_id, caller) = (headers.call_id().to_owned(), headers.from().tag().unwrap().to_owned());
    let (uri, from, to) = match name {
        "bob" => ("sip:alice@192.0.2.1", "bob".to_owned(), caller),
        _ => ("sip:bob@192.0.2.2", caller, "bob".to_owned()),
    };
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.99;branch=z9hG4bK{name}{method}\r\nRoute: {route}\r\n\
         From: <sip:a@example.test>;tag={from}\r\nTo: <sip:b@example.test>;tag={to}\r\nCall-ID: {call_id}\r\n\
         CSeq: 7 {method}\r\nMax-Forwards: 70\r\nMs-Exchange-Command: skip-pin\r\nContent-Length: 0\r\n\r\n"
    );
    office.say(name, &change(text));
}

pub(super) fn as_it_is(text: String) -> String {
    text
}

#[test]
fn both_sides_reach_each_other_over_the_flows_they_have() {
    let mut office = answered();
    within(&mut office, "alice", "ACK", as_it_is);
    office.expect("bob < ACK sip:bob@192.0.2.2");
    within(&mut office, "alice", "INFO", as_it_is);
    office.expect("bob < INFO sip:bob@192.0.2.2");
    let info = office.request("bob", "INFO");
    assert!(values(&info, &HeaderName::Route).is_empty());
    // CMD-2, SEC-10: nobody has proved anything for this request.
    assert!(!info.headers().has(&HeaderName::MsExchangeCommand));
    office.respond("bob", &info, "200 OK", "");
    office.expect("alice < 200");
    within(&mut office, "bob", "BYE", as_it_is);
    office.expect("alice < BYE sip:alice@192.0.2.1");
    let bye = office.request("alice", "BYE");
    office.respond("alice", &bye, "200 OK", "");
    office.expect("bob < 200");
    office.wait(60);
    assert!(office.proxy.is_idle());
}

// SEC-52, SEC-54
#[test]
fn strangers_to_a_dialog_have_no_way_into_it() {
    let mut office = answered();
    within(&mut office, "stranger", "BYE", |text| {
        text.replace("tag=bob", "tag=x").replace("tag=t2", "tag=y")
    });
    office.expect("stranger < 481");
    within(&mut office, "stranger", "BYE", |text| {
        text.replace("Call-ID: ", "Call-ID: x").replace("rBYE", "r2BYE")
    });
    office.expect("stranger < 481");
    within(&mut office, "stranger", "BYE", |text| {
        let without: Vec<&str> = text.split("\r\n").filter(|line| !line.starts_with("Route")).collect();
        without.join("\r\n").replace("rBYE", "r3BYE")
    });
    office.expect("stranger < 481");
    within(&mut office, "stranger", "ACK", |text| text.replace("tag=t2", "tag=y"));
    office.expect("");
}

// SEC-52: who is in a dialog reaches its other side by it, and nobody else.
#[test]
fn routes_that_were_added_lead_nowhere() {
    let mut office = answered();
    for (method, name, answer) in
        [("INFO", "alice", "alice < 403"), ("ACK", "alice", ""), ("INVITE", "bob", "bob < 403")]
    {
        within(&mut office, name, method, |text| {
            text.replace("\r\nFrom:", ", <sip:elsewhere.test;transport=tls;lr>\r\nFrom:")
        });
        office.expect(answer);
    }
}

#[test]
fn a_re_invite_can_be_cancelled() {
    let mut office = answered();
    within(&mut office, "alice", "INVITE", as_it_is);
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    office.answer("bob", "180 Ringing");
    office.expect("alice < 180");
    let cancel = "CANCEL sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.99;branch=z9hG4bKaliceINVITE\r\n\
        From: <sip:a@example.test>;tag=t2\r\nTo: <sip:b@example.test>;tag=bob\r\nCall-ID: call-2\r\nCSeq: 7 CANCEL\r\n\
        Content-Length: 0\r\n\r\n";
    office.say("alice", cancel);
    office.expect("bob < CANCEL\nalice < 487");
}

// REL-35
#[test]
fn a_side_whose_flow_is_gone_is_reached_by_its_address() {
    let mut office = answered();
    office.disconnect("bob");
    within(&mut office, "alice", "BYE", as_it_is);
    office.expect("192.0.2.2:5061 < BYE sip:bob@192.0.2.2");
}

// RFC 4320 4.2: no 408, which nobody could use any more.
#[test]
fn what_nobody_answers_is_not_answered_and_leaves_nothing_behind() {
    let mut office = answered();
    within(&mut office, "alice", "INFO", as_it_is);
    office.expect("bob < INFO sip:bob@192.0.2.2");
    office.wait(33);
    office.expect("");
    assert!(office.proxy.is_idle());
}

// RFC 3261 13.3.1.4
#[test]
fn a_repeated_success_of_a_re_invite_is_passed_on_as_long_as_it_may_be() {
    let mut office = answered();
    within(&mut office, "alice", "INVITE", as_it_is);
    office.expect("bob < INVITE sip:bob@192.0.2.2");
    office.answer("bob", "200 OK");
    office.answer("bob", "200 OK");
    office.expect("alice < 200\nalice < 200");
    office.wait(33);
    assert!(office.proxy.is_idle());
}

// RFC 5626 5.3.1
#[test]
fn a_telephone_that_is_reached_by_its_flow_only_is_not_looked_for_elsewhere() {
    let mut office = answered();
    office.disconnect("bob");
    within(&mut office, "alice", "BYE", |text| text.replace("sip:bob@192.0.2.2", "sip:bob@192.0.2.2;ob"));
    office.expect("alice < 430");
}
