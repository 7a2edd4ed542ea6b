//! Where the requests of a dialog go whose other side has no connection of its own: where that side is, and
//! nowhere else.

use super::*;

const NUMBER: &str = "sip:+15550100@example.test;user=phone";

/// One side's view of a dialog.
struct End {
    name: &'static str,
    route: String,
    from: String,
    to: String,
    call_id: String,
    cseq: u32,
}

impl End {
    /// A request with this Request-URI, and these Routes after ours.
    fn says(&mut self, office: &mut Office, method: &str, uri: &str, routes: &str) {
        self.cseq += 1;
        let contact = self.contact();
        let End { name, route, from, to, call_id, cseq } = self;
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.99;branch=z9hG4bK{name}{cseq}\r\n\
             Route: {route}{routes}\r\nFrom: <sip:a@example.test>;tag={from}\r\nTo: <sip:b@example.test>;tag={to}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <{contact}>\r\nContent-Length: 0\r\n\r\n"
        );
        office.say(name, &text);
    }

    /// Where it says to be when it is asked once more: somewhere else than at first.
    fn contact(&self) -> &'static str {
        if self.name == "alice" { "sip:alice@192.0.2.1" } else { "sip:gw@198.51.100.9:5071" }
    }
}

/// Alice talks to a number outside. The gateway's answer has this Contact and these lines; then what both
/// have learnt.
fn talking(contact: &str, lines: &str) -> (Office, End, End) {
    let mut office = Office::new();
    office.call("alice", NUMBER);
    office.expect("gw < INVITE sip:+15550100@gw.test;user=phone");
    let invite = office.request("gw", "INVITE");
    let ours = values(&invite, &HeaderName::RecordRoute).join(", ");
    office.answer_with("gw", "200 OK", &format!("Contact: <{contact}>\r\n{lines}"));
    office.expect("alice < 200");
    let (call_id, tag) = (invite.headers().call_id(), invite.headers().from().tag().unwrap());
    let alice = End {
        name: "alice",
        route: office.routes("alice"),
        from: tag.into(),
        to: "gw".into(),
        call_id: call_id.into(),
        cseq: 10,
    };
    let gateway =
        End { name: "gw", route: ours, from: "gw".into(), to: tag.into(), call_id: call_id.into(), cseq: 10 };
    (office, alice, gateway)
}

const ELSEWHERE: &str = "sip:x@elsewhere.test;transport=tls";
const GATEWAY: &str = "sip:gw@gw.test";

// SEC-52
#[test]
fn who_talks_to_a_gateway_reaches_that_and_nobody_else() {
    let (mut office, mut alice, _) = talking(GATEWAY, "");
    for method in ["INVITE", "INFO", "MESSAGE", "REFER", "BYE"] {
        alice.says(&mut office, method, ELSEWHERE, "");
        office.expect("alice < 403");
    }
    alice.says(&mut office, "ACK", ELSEWHERE, "");
    office.expect("");
    for odd in ["sip:gw@gw.test;maddr=elsewhere.test", "sip:gw@gw.test:5099", "tel:+15550199"] {
        alice.says(&mut office, "INFO", odd, "");
        office.expect("alice < 403");
    }
    alice.says(&mut office, "INFO", GATEWAY, ", <sip:elsewhere.test;transport=tls;lr>");
    office.expect("alice < 403");
    alice.says(&mut office, "ACK", GATEWAY, "");
    alice.says(&mut office, "INFO", GATEWAY, "");
    office.expect("gw < ACK sip:gw@gw.test\ngw < INFO sip:gw@gw.test");
    assert_eq!(office.refused.pop().unwrap().refusal, Refusal::ForeignRoute);
}

// SEC-52: a call to one's own voice mail is for everybody, and no way to anywhere.
#[test]
fn a_strangers_call_to_voice_mail_leads_to_voice_mail() {
    let mut office = Office::new();
    let from = "From: <sip:x@y.test>\r\n";
    office.call_with("stranger", "sip:bob@example.test;opaque=app:voicemail", from);
    let invite = office.request("vm1", "INVITE");
    office.answer_with("vm1", "200 OK", "Contact: <sip:um@vm1.test>\r\n");
    office.ladder.clear();
    let mut stranger = End {
        name: "stranger",
        route: office.routes("stranger"),
        from: invite.headers().from().tag().unwrap().into(),
        to: "vm1".into(),
        call_id: invite.headers().call_id().into(),
        cseq: 10,
    };
    for uri in [ELSEWHERE, "sip:+15550100@gw.test", "sip:bob@192.0.2.2"] {
        stranger.says(&mut office, "INVITE", uri, "");
        office.expect("stranger < 403");
    }
    // Nor by what the other side was given.
    let theirs = values(&invite, &HeaderName::RecordRoute).join(", ");
    let own = std::mem::replace(&mut stranger.route, theirs);
    stranger.says(&mut office, "INVITE", ELSEWHERE, "");
    office.expect("stranger < 481");
    stranger.route = own;
    stranger.says(&mut office, "BYE", "sip:um@vm1.test", "");
    office.expect("vm1 < BYE sip:um@vm1.test");
}

#[test]
fn a_gateway_that_answers_from_elsewhere_is_reached_there() {
    let (mut office, mut alice, _) = talking("sip:media7@203.0.113.77:5070", "");
    alice.says(&mut office, "BYE", GATEWAY, "");
    office.expect("alice < 403");
    alice.says(&mut office, "BYE", "sip:media7@203.0.113.77:5070", "");
    office.expect("203.0.113.77:5070 < BYE sip:media7@203.0.113.77:5070");
}

// RFC 3261 12.2.2
#[test]
fn a_gateway_that_moves_is_reached_where_it_has_said_once_that_was_heard() {
    let (mut office, mut alice, mut gateway) = talking(GATEWAY, "");
    let moved = gateway.contact();
    gateway.says(&mut office, "INVITE", "sip:alice@192.0.2.1", "");
    office.expect("alice < INVITE sip:alice@192.0.2.1");
    alice.says(&mut office, "INFO", moved, "");
    office.expect("alice < 403");
    office.answer("alice", "200 OK");
    office.expect("gw < 200");
    alice.says(&mut office, "INFO", moved, "");
    office.expect("198.51.100.9:5071 < INFO sip:gw@198.51.100.9:5071");
    alice.says(&mut office, "INFO", ELSEWHERE, "");
    office.expect("alice < 403");
}

// RFC 3261 12.2.1.2
#[test]
fn a_gateway_that_says_in_an_answer_that_it_has_moved_is_reached_there() {
    let (mut office, mut alice, _) = talking(GATEWAY, "");
    alice.says(&mut office, "INVITE", GATEWAY, "");
    office.expect("gw < INVITE sip:gw@gw.test");
    office.answer_with("gw", "200 OK", "Contact: <sip:gw@198.51.100.9:5071>\r\n");
    office.expect("alice < 200");
    alice.says(&mut office, "BYE", "sip:gw@198.51.100.9:5071", "");
    office.expect("198.51.100.9:5071 < BYE sip:gw@198.51.100.9:5071");
    let bye = office.request("198.51.100.9:5071", "BYE");
    office.respond("198.51.100.9:5071", &bye, "200 OK", "");
    office.expect("alice < 200");
    // With its end it is forgotten.
    alice.says(&mut office, "INFO", "sip:gw@198.51.100.9:5071", "");
    office.expect("alice < 403");
}

// What one side says of itself is nothing about the other.
#[test]
fn nobody_moves_the_other_side() {
    let (mut office, mut alice, _) = talking(GATEWAY, "");
    alice.says(&mut office, "INVITE", GATEWAY, "");
    office.answer_with("gw", "200 OK", "Contact: <sip:gw@gw.test>\r\n");
    office.ladder.clear();
    alice.says(&mut office, "INFO", "sip:alice@192.0.2.1", "");
    office.expect("alice < 403");
}

// RFC 3261 16.12.1.1: past the servers that have recorded themselves, and to whom they lead.
#[test]
fn servers_between_are_passed_as_they_have_said() {
    let between = "Record-Route: <sip:edge.gw.test:5071;lr>\r\n";
    let mut office = Office::new();
    office.hosts.insert("edge.gw.test", IpAddr::from([203, 0, 113, 9]));
    office.call("alice", NUMBER);
    let invite = office.request("gw", "INVITE");
    let mut reply = format!("SIP/2.0 200 OK\r\n{between}");
    for name in
        [HeaderName::Via, HeaderName::RecordRoute, HeaderName::From, HeaderName::CallId, HeaderName::CSeq]
    {
        for value in values(&invite, &name) {
            reply += &format!("{name}: {value}\r\n");
        }
    }
    reply += "To: <sip:x>;tag=gw\r\nContact: <sip:gw@10.0.0.9>\r\nContent-Length: 0\r\n\r\n";
    office.say("gw", &reply);
    office.ladder.clear();
    let learnt = office.routes("alice");
    let (ours, edge) = learnt.split_once(", ").unwrap();
    assert_eq!(edge, "<sip:edge.gw.test:5071;lr>");
    let mut alice = End {
        name: "alice",
        route: ours.into(),
        from: invite.headers().from().tag().unwrap().into(),
        to: "gw".into(),
        call_id: invite.headers().call_id().into(),
        cseq: 10,
    };
    let edge = format!(", {edge}");
    for (uri, routes) in [
        ("sip:gw@10.0.0.9", ""),
        ("sip:gw@10.0.0.9", ", <sip:elsewhere.test;lr>"),
        ("sip:gw@10.0.0.9", &*format!("{edge}, <sip:elsewhere.test;lr>")),
        (ELSEWHERE, &*edge),
    ] {
        alice.says(&mut office, "INFO", uri, routes);
        office.expect("alice < 403");
    }
    alice.says(&mut office, "BYE", "sip:gw@10.0.0.9", &edge);
    office.expect("edge.gw < BYE sip:gw@10.0.0.9");
    assert_eq!(values(&office.request("edge.gw", "BYE"), &HeaderName::Route), ["<sip:edge.gw.test:5071;lr>"]);
}

// SEC-52, REL-35: a side whose connection is gone is looked for where it has said to be.
#[test]
fn a_side_whose_flow_is_gone_is_reached_at_its_contact_only() {
    let (mut office, _, mut gateway) = talking(GATEWAY, "");
    office.disconnect("alice");
    gateway.says(&mut office, "BYE", ELSEWHERE, "");
    office.expect("gw < 403");
    gateway.says(&mut office, "BYE", "sip:alice@192.0.2.1", "");
    office.expect("192.0.2.1:5061 < BYE sip:alice@192.0.2.1");
}
