//! Offers that cannot be served, or only in part: the table of section 5 for SDP, SEC-74, SEC-75, SEC-80, DEC-30.

use crate::certificates::Shown;
use crate::invite::{Call, Invite, media_address, offer, sound};
use crate::line::{Answer, Line, serves};
use crate::server::server;

/// Somebody calls bob and offers this; gives the final response. A call that is answered is hung up.
#[track_caller]
fn offered(line: &mut Line, body: &str) -> Answer {
    let invite = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test").offering(body);
    let answer = invite.send(line);
    if answer.status() == 200 {
        let call = Call { to: answer.header("To").to_owned(), invite, answer: answer.clone() };
        line.send(call.request("ACK", 1, "", ""));
        call.hang_up(line);
    }
    answer
}

/// 488 with a Warning that says why.
#[track_caller]
fn refused(line: &mut Line, body: &str) {
    let answer = offered(line, body);
    assert_eq!(answer.status(), 488, "{body}\n{answer:?}");
    let warning = answer.header("Warning");
    assert!(warning.starts_with('3') && warning.contains('"'), "{body}\n{answer:?}");
}

fn changed(from: &str, to: &str) -> String {
    let offer = offer(40_000);
    assert!(offer.contains(from), "{from:?}");
    offer.replace(from, to)
}

const AUDIO: &str = "m=audio 40000 RTP/AVP 0 8 101";

#[test]
fn an_offer_that_cannot_be_served_gets_488_and_why() {
    let mut line = Line::tcp(server());
    for (from, to) in [
        // No common codec.
        (AUDIO, "m=audio 40000 RTP/AVP 18 4\r\na=rtpmap:18 G729/8000"),
        (AUDIO, "m=audio 40000 RTP/AVP 101"),
        (AUDIO, "m=audio 40000 RTP/AVP 99"),
        // No audio.
        (AUDIO, "m=video 40000 RTP/AVP 0"),
        (AUDIO, "m=image 40000 udptl t38"),
        (AUDIO, "m=message 40000 TCP/MSRP *"),
        // No connection line.
        ("c=IN IP4 127.0.0.1\r\n", ""),
        // Bad port or format list.
        (AUDIO, "m=audio 70000 RTP/AVP 0"),
        (AUDIO, "m=audio -1 RTP/AVP 0"),
        (AUDIO, "m=audio port RTP/AVP 0"),
        (AUDIO, "m=audio 40000 RTP/AVP"),
        (AUDIO, "m=audio 40000 RTP/AVP PCMU"),
        (AUDIO, "m=audio 40000 RTP/AVP 300"),
        // DEC-30
        (AUDIO, "m=audio 40000 UDP/TLS/RTP/SAVP 0 8 101"),
        (AUDIO, "m=audio 40000 UDP/TLS/RTP/SAVPF 0 8 101"),
        (AUDIO, "m=audio 40000 TCP/RTP/AVP 0 8 101"),
        // SEC-75: keys in clear.
        (AUDIO, "m=audio 40000 RTP/SAVP 0 8 101"),
    ] {
        refused(&mut line, &changed(from, to));
    }
    // Nine media lines.
    refused(&mut line, &format!("{}{}", offer(40_000), "m=audio 40000 RTP/AVP 0\r\n".repeat(8)));
    serves(&mut line);
}

#[test]
fn what_is_no_description_at_all_gets_400_or_488() {
    let mut line = Line::tcp(server());
    for body in [
        "hello",
        "\r\n",
        "v=1\r\n",
        "v=0\r\n",
        "{\"v\": 0}",
        "v=0\r\no=x\r\ns=-\r\nt=0 0\r\n",
        "m=audio 40000 RTP/AVP 0\r\n",
        "\0\0\0\0",
        &"v=0\r\n".repeat(1_000),
        &"a".repeat(100_000),
    ] {
        let answer = offered(&mut line, body);
        assert!([400, 488].contains(&answer.status()), "{:?}\n{answer:?}", &body[..body.len().min(60)]);
    }
    serves(&mut line);
}

// "attributes we do not know, empty attributes, fmtp for another type, odd ptime, LF line ends, huge origin
// numbers: ignored, served"
#[test]
fn oddities_are_ignored_and_the_call_served() {
    let mut line = Line::tcp(server());
    let odd = [
        changed("a=ptime:20", "a=unheard-of:x"),
        changed("a=ptime:20", "a="),
        changed("a=ptime:20", "a=fmtp:42 what=ever"),
        changed("a=ptime:20", "a=ptime:17"),
        changed("a=ptime:20", "a=ptime:0"),
        changed("a=ptime:20", "a=ptime:99999999999"),
        changed("a=ptime:20", "a=rtpmap:0 PCMU/8000\r\na=rtpmap:0 PCMU/8000"),
        changed("o=caller 1 1", "o=caller 18446744073709551615 18446744073709551615"),
        changed("o=caller 1 1", "o=caller 99999999999999999999999 1"),
        offer(40_000).replace("\r\n", "\n"),
        // Eight media lines.
        format!("{}{}", offer(40_000), "m=video 0 RTP/AVP 31\r\n".repeat(7)),
        // DEC-30: over TCP the key of an AVP line is ignored.
        format!("{}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n", offer(40_000)),
    ];
    for body in odd {
        let answer = offered(&mut line, &body);
        assert_eq!(answer.status(), 200, "{body}\n{answer:?}");
        assert!(!answer.body.contains("crypto"), "{answer:?}");
    }
}

#[test]
fn hold_and_port_0_are_served_without_sending() {
    let mut line = Line::tcp(server());
    for (from, to) in [
        ("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"),
        ("a=sendrecv", "a=inactive"),
        ("a=sendrecv", "a=sendonly"),
        (AUDIO, "m=audio 0 RTP/AVP 0"),
    ] {
        let (socket, _) = sound();
        let port = socket.local_addr().unwrap().port();
        let to = to.replace("40000", &port.to_string());
        let from = from.replace("40000", &port.to_string());
        let body = offer(port).replace(&from, &to);
        assert_ne!(body, offer(port));
        let answer = offered(&mut line, &body);
        assert_eq!(answer.status(), 200, "{body}\n{answer:?}");
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 2_000]).is_err(), "{body}");
    }
}

// PEER-15
#[test]
fn an_invite_without_an_offer_gets_ours() {
    let mut line = Line::tcp(server());
    let invite = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test").offering("");
    let answer = invite.send(&mut line);
    assert_eq!((answer.status(), answer.header("Content-Type")), (200, "application/sdp"), "{answer:?}");
    media_address(&answer.body);
    let call = Call { to: answer.header("To").to_owned(), invite, answer };
    let (socket, body) = sound();
    line.send(call.request("ACK", 1, "Content-Type: application/sdp", &body));
    socket.set_read_timeout(Some(crate::wait::PATIENCE)).unwrap();
    socket.recv(&mut [0; 2_000]).unwrap();
    call.hang_up(&mut line);

    // An answer in the ACK that cannot be used ends the call, and only that.
    let invite = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test").offering("");
    let answer = invite.send(&mut line);
    let call = Call { to: answer.header("To").to_owned(), invite, answer };
    line.send(call.request("ACK", 1, "Content-Type: application/sdp", "nonsense"));
    while !line.answer().first_line.starts_with("BYE ") {}
    serves(&mut line);
}

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5";
const SAVP: &str = "m=audio 40000 RTP/SAVP 0 8 101";

fn keyed(line: &str) -> String {
    changed(AUDIO, SAVP) + line + "\r\n"
}

// SEC-74, MED-5
#[test]
fn encrypted_offers_are_answered_encrypted_or_not_at_all() {
    let mut line = Line::tls(server(), Shown::Nothing);
    for crypto in [
        "a=ptime:20".to_owned(),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short".to_owned(),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:".to_owned(),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80".to_owned(),
        format!("a=crypto:1 ROT13_8 inline:{KEY}"),
        format!("a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{KEY}"),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:!!!!MzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5".to_owned(),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 clear:{KEY}"),
    ] {
        refused(&mut line, &keyed(&crypto));
    }
    for suite in ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"] {
        let answer = offered(&mut line, &keyed(&format!("a=crypto:1 {suite} inline:{KEY}")));
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert!(answer.body.contains("RTP/SAVP "), "{answer:?}");
        assert!(answer.body.contains(&format!("a=crypto:1 {suite} inline:")), "{answer:?}");
        assert!(!answer.body.contains(KEY), "our key is our own: {answer:?}");
    }
    serves(&mut line);
}

// SEC-74: "re-INVITE from SAVP to AVP: 488, session stays as it was".
#[test]
fn an_encrypted_call_is_not_talked_into_the_clear() {
    let mut line = Line::tls(server(), Shown::Nothing);
    let body = keyed(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
    let call =
        Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test").offering(body).call(&mut line);
    for (cseq, downgrade) in (2..).zip([offer(40_000), keyed(""), keyed("a=crypto:1 NONE inline:x")]) {
        let answer = call.reinvite(&mut line, cseq, "", &downgrade);
        assert_eq!(answer.status(), 488, "{downgrade}\n{answer:?}");
        assert!(answer.header("Warning").starts_with("399 "), "{answer:?}");
    }
    let again = call.reinvite(&mut line, 20, "", &call.invite.body);
    assert!(again.status() == 200 && again.body.contains("RTP/SAVP "), "{again:?}");
    call.hang_up(&mut line);
}

// SEC-80: "call served without media or 488", and nothing sent where nothing must be.
#[test]
fn addresses_that_are_weapons_get_no_sound() {
    let server = server();
    let mut line = Line::tcp(server);
    for address in [
        "255.255.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "0.0.0.0",
        "localhost",
        "um.example.test",
        "127.0.0.256",
        "::1",
    ] {
        let answer = offered(&mut line, &changed("c=IN IP4 127.0.0.1", &format!("c=IN IP4 {address}")));
        assert!([200, 488].contains(&answer.status()), "{address}: {answer:?}");
    }
    for network in
        ["c=IN IP6 ff02::1", "c=IN IP6 ::", "c=ATM NSAP 47", "c=IN IP4", "c=IN IP4 224.0.0.1/127/3"]
    {
        let answer = offered(&mut line, &changed("c=IN IP4 127.0.0.1", network));
        assert!([200, 488].contains(&answer.status()), "{network}: {answer:?}");
    }
    // To our own port of another call: two calls that talk to each other.
    let first = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test").call(&mut line);
    let second = Invite::from_to("<sip:dana@elsewhere.test>", "sip:bob@example.test")
        .offering(offer(first.rtp().port()))
        .call(&mut line);
    serves(&mut line);
    second.hang_up(&mut line);
    first.hang_up(&mut line);
}
