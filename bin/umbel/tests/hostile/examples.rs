//! The shapes of the two examples of [MS-OCEXUM] section 4, as input over TLS. OCEXUM-4-1 to OCEXUM-4-6
//!
//! The first is a call to one's own voice mail; the second is the leg that plays a message on the phone, whose
//! shape (not its meaning) a server meets as well: two Allow lines, `epid`, automaton, a registered contact as
//! Request-URI.

use crate::invite::{Call, fresh, offer};
use crate::line::{Answer, Line};
use crate::server::server;

const CONTACT: &str = "sip:alice@example.test;opaque=user:epid:qTmW5fYhN1iXxVJ0Zr7kLAAA;gruu";

/// Sends a request without a branch in its Via, and serves the call that comes of it.
#[track_caller]
fn call(line: &mut Line, text: &str, call_id: &str) -> (Answer, String) {
    line.send(text);
    let answer = line.response(call_id, "1 INVITE");
    assert_eq!(answer.status(), 200, "{answer:?}");
    // RFC 3261 17.2.3: without a branch, the ACK of the 200 is known by its dialog.
    let head = text.split("Content-Type").next().unwrap();
    let to = head.lines().find(|line| line.starts_with("To:")).unwrap();
    let ended = |method: &str, cseq: u32| {
        head.replacen("INVITE", method, 1)
            .replace("CSeq: 1 INVITE", &format!("CSeq: {cseq} {method}"))
            .replace(to, &format!("To: {}", answer.header("To")))
            + "Content-Length: 0\r\n\r\n"
    };
    line.send(ended("ACK", 1));
    let pin = server().pin(call_id);
    line.send(ended("BYE", 2));
    assert_eq!(line.response(call_id, "2 BYE").status(), 200);
    (answer, pin)
}

#[track_caller]
fn subscriber_access(from: &str, command: &str) -> String {
    let call_id = fresh("b5f4e0a9c3d14b0e8d6f");
    let body = offer(crate::invite::DISCARD);
    let text = format!(
        "INVITE sip:alice@example.test;opaque=app:voicemail SIP/2.0\r\n\
         Via: SIP/2.0/TLS 127.0.0.1:50021\r\n\
         Max-Forwards: 70\r\n\
         From: {from}\r\n\
         To: <sip:alice@example.test;opaque=app:voicemail>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <{CONTACT}>\r\n\
         User-Agent: UCCP/2.0.6090.0\r\n\
         {command}\
         Supported: ms-dialog-route-set-update\r\n\
         Supported: timer\r\n\
         Supported: gruu-10\r\n\
         ms-keep-alive: UAC;hop-hop=yes\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    call(&mut Line::trusted(server()), &text, &call_id).1
}

// OCEXUM-4-1, OCEXUM-4-2
#[test]
fn subscriber_access_as_in_the_first_example() {
    for from in [
        "<sip:alice@example.test>;tag=7f3a2b;epid=c9d2e4f607",
        "<sip:alice@example.test>;epid=c9d2e4f607;tag=7f3a2b",
        "\"Alice\"<sip:alice@example.test>;tag=7f3a2b;epid=c9d2e4f607",
    ] {
        assert_eq!(subscriber_access(from, "Ms-Exchange-Command: skip-pin\r\n"), "skipped", "{from}");
        assert_eq!(subscriber_access(from, ""), "prompted", "{from}");
    }
}

// OCEXUM-4-2, OCEXUM-4-3, OCEXUM-4-5, OCEXUM-4-6
#[test]
fn the_shape_of_the_second_example_is_understood() {
    let server = server();
    for transport in ["tls", "Tls", "TLS"] {
        let call_id = fresh("0f24c2d1e8");
        let body = offer(crate::invite::DISCARD);
        let text = format!(
            "INVITE sip:alice@{tls};transport={transport};ms-opaque=a1b2c3d4e5;ms-received-cid=2F00 SIP/2.0\r\n\
             Record-Route: <sip:proxy.example.test:5061;Transport={transport};lr>;tag=A7B1\r\n\
             Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK{call_id}.1;branched=FALSE;ms-internal-info=\"ab_c\"\r\n\
             Via: SIP/2.0/TLS 127.0.0.2:1234;branch=z9hG4bK{call_id}.2;ms-received-port=1234;ms-received-cid=1E00\r\n\
             Max-Forwards: 68\r\n\
             From: <sip:alice@example.test>;epid=5D1F2C;tag=e1d2\r\n\
             To: <sip:alice@example.test>;epid=c9d2e4f607\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: 1 INVITE\r\n\
             Contact: <sip:um.example.test@example.test;gruu;opaque=srvr:UM:x>;automata\r\n\
             User-Agent: RTCC/3.0.0.0\r\n\
             Allow: UPDATE\r\n\
             Allow: Ack, Cancel, Bye,Invite,Refer\r\n\
             Ms-Sensitivity: private-no-diversion\r\n\
             Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len(),
            tls = server.tls,
        );
        let (answer, pin) = call(&mut Line::trusted(server), &text, &call_id);
        // alice calls alice: it is her own mailbox, and nothing asked to skip anything (DEC-17).
        assert_eq!(pin, "prompted");
        // OCEXUM-4-2: what stands beside the tag stays there, and so does the tag of the route.
        assert!(
            answer.header("To").starts_with("<sip:alice@example.test>;epid=c9d2e4f607;tag="),
            "{answer:?}"
        );
        assert!(answer.header("Record-Route").ends_with(";lr>;tag=A7B1"), "{answer:?}");
        assert!(answer.header("Contact").contains(";automata"), "PEER-13: {answer:?}");
    }
}

// OCEXUM-4-4: "a space after `sip:` … Reading it MAY be refused with 400."
#[test]
fn the_typesetting_error_of_the_example_is_refused_or_served() {
    let call_id = fresh("space");
    let mut line = Line::trusted(server());
    let invite = crate::invite::Invite::skip();
    let text = String::from_utf8(invite.written("TLS")).unwrap().replace("Contact: <sip:", "Contact: <sip: ");
    line.send(text.replace(&invite.call_id, &call_id));
    let answer = line.response(&call_id, "1 INVITE");
    assert!([200, 400].contains(&answer.status()), "{answer:?}");
    if answer.status() == 200 {
        let call = Call { to: answer.header("To").to_owned(), invite, answer };
        line.send(call.request("ACK", 1, "", "").replace(&call.invite.call_id, &call_id));
    }
    crate::line::serves(&mut line);
}
