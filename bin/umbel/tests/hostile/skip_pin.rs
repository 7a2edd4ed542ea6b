//! Which connections open a mailbox without a PIN: [MS-OCEXUM] 3.1.2, rules T1 to T4 and P6, each on the wire.

use crate::certificates::{LISTED, Shown};
use crate::invite::{Invite, OWN, SKIP, fresh};
use crate::line::Line;
use crate::server::server;
use crate::wait::until;

// OCEXUM-3.1-1, OCEXUM-3.1.2-1, OCEXUM-3.1.2-2
#[test]
fn a_listed_peer_skips_the_pin_with_the_header_and_not_without() {
    let server = server();
    let mut line = Line::trusted(server);
    assert_eq!(Invite::skip().pin(server, &mut line), "skipped");
    assert_eq!(Invite::own().pin(server, &mut line), "prompted");
    // The pilot, the extension and the plain address lead to the same mailbox (DEC-17).
    for uri in [
        "sip:voicemail@example.test",
        "sip:101@example.test",
        "sip:alice@example.test",
        "sip:alice@example.test;gruu;opaque=app:voicemail",
        "sip:alice@example.test;OPAQUE=App:VoiceMail",
        "sips:alice@EXAMPLE.TEST;opaque=app:voicemail",
        "sip:%61lice@example.test;opaque=app:voicemail",
    ] {
        assert_eq!(Invite::skip().calling(uri).pin(server, &mut line), "skipped", "{uri}");
        assert_eq!(Invite::own().calling(uri).pin(server, &mut line), "prompted", "{uri}");
    }
}

// SEC-01, SEC-02, SEC-03, CMD-4, PEER-2, PEER-3
#[test]
fn other_transports_and_peers_are_asked_for_the_pin() {
    let server = server();
    assert_eq!(Invite::skip().pin(server, &mut Line::tcp(server)), "prompted");
    for shown in [
        Shown::Nothing,
        Shown::Stranger,
        Shown::CommonNameOnly,
        Shown::Wildcard,
        // RFC 5922 7.1: a certificate that states SIP domains is not asked for its DNS names.
        Shown::OtherSipDomain,
    ] {
        assert_eq!(Invite::skip().pin(server, &mut Line::tls(server, shown)), "prompted", "{shown:?}");
    }
}

// SEC-04, SEC-05, SEC-06: the handshake is refused, or what comes of it is worth nothing.
#[test]
fn bad_certificates_never_skip() {
    let server = server();
    for (shown, must_be_refused) in [
        (Shown::ForeignAuthority, false),
        (Shown::SelfSigned, false),
        (Shown::Expired, true),
        (Shown::NotYetValid, true),
        (Shown::Revoked, true),
        (Shown::WrongUsage, false),
    ] {
        let invite = Invite::skip();
        // With TLS 1.3 the client has finished its handshake before the server has judged it.
        let served = Line::try_tls(server, shown).is_ok_and(|mut line| {
            line.send(invite.written("TLS"));
            matches!(line.next(), crate::line::Came::Message(_))
        });
        assert!(!(served && must_be_refused), "{shown:?} is served");
        if served {
            assert_eq!(server.pin(&invite.call_id), "prompted", "{shown:?}");
        } else {
            assert_eq!(server.decided(&invite.call_id), None, "{shown:?}");
        }
    }
}

// SEC-07, T4: what a message says of its way is no evidence.
#[test]
fn a_message_that_claims_a_trusted_hop_is_not_believed() {
    let server = server();
    for line in [
        format!("Via: SIP/2.0/TLS {LISTED}:5061;branch=z9hG4bK-lie;received=127.0.0.1"),
        format!("Record-Route: <sip:{LISTED};transport=tls;lr>"),
        format!("X-Trusted-Peer: {LISTED}"),
        format!("X-Forwarded-For: {LISTED}"),
        "P-Asserted-Identity: <sip:alice@example.test>".to_owned(),
        format!("Forwarded: for={LISTED};proto=tls"),
        format!("User-Agent: {LISTED}"),
    ] {
        for mut connection in [Line::tcp(server), Line::tls(server, Shown::Stranger)] {
            let mut invite = Invite::skip();
            invite.first.push(line.clone().into_bytes());
            assert_eq!(invite.pin(server, &mut connection), "prompted", "{line}");
        }
    }
    // As the topmost Via, with TLS for a transport, over TCP; a Route to ourselves.
    let invite = Invite::skip().with(format!("Route: <sip:{};lr;transport=tls>", server.tls));
    let text = String::from_utf8(invite.written("TLS")).unwrap();
    let mut connection = Line::tcp(server);
    connection.send(text.replace("127.0.0.1:5;branch", &format!("{LISTED}:5061;branch")));
    assert_eq!(connection.response(&invite.call_id, "1 INVITE").status(), 200);
    assert_eq!(server.pin(&invite.call_id), "prompted");
}

// SEC-27
#[test]
fn the_owners_policy_and_the_state_of_the_mailbox_decide_last() {
    let server = server();
    let mut line = Line::trusted(server);
    let of = |user: &str| {
        Invite::from_to(
            &format!("<sip:{user}@example.test>"),
            &format!("sip:{user}@example.test;opaque=app:voicemail"),
        )
        .with(SKIP)
    };
    assert_eq!(of("carol").pin(server, &mut line), "prompted");
    let disabled = of("dora");
    assert!([403, 404, 480].contains(&disabled.send(&mut line).status()));
    assert!(matches!(server.decided(&disabled.call_id).as_deref(), None | Some("none")));
}

// SEC-28, SEC-84, SEC-85: the owner is not locked out by whoever guesses, and the lock is not opened by the owner.
#[test]
fn a_locked_pin_locks_the_pin_only() {
    let server = server();
    let erin = Invite::from_to("<sip:erin@example.test>", "sip:erin@example.test;opaque=app:voicemail");
    let failures = || server.figure("umbel_pin_failures_total");
    let state = || server.documents(&["mailbox", "show", "erin"])[0]["locked"].clone();
    // Types a PIN so many times; each wrong one is counted before the next (SEC-84: three in a call).
    let guess = |pin: &str, times: usize| {
        let mut line = Line::tcp(server);
        let again = Invite { call_id: fresh("guess"), branch: fresh("z9hG4bK-guess"), ..erin.clone() };
        let call = again.call(&mut line);
        let mut cseq = 1;
        for _ in 0..times {
            let before = failures();
            for key in pin.chars() {
                cseq += 1;
                let body = format!("Signal={key}\r\nDuration=100\r\n");
                let status =
                    call.ask(&mut line, "INFO", cseq, "Content-Type: application/dtmf-relay", &body).status();
                assert_eq!(status, 200);
            }
            until("the failure to be counted", || (failures() > before).then_some(()));
        }
        call.hang_up(&mut line);
        call.invite.call_id
    };
    assert_eq!(state(), false);
    // SEC-85: five in a row.
    for times in [2, 3] {
        let call_id = guess("000111#", times);
        assert_eq!(server.pin(&call_id), "prompted");
    }
    until("the lock", || (state() == true).then_some(()));
    // Now the right PIN does not open it, however often: the server hangs up.
    let mut line = Line::tcp(server);
    let call = erin.call(&mut line);
    let mut keys = (2..).zip("571938#".chars().cycle());
    until("the server to hang up", || {
        let (cseq, key) = keys.next()?;
        let body = format!("Signal={key}\r\nDuration=100\r\n");
        let answer = call.ask(&mut line, "INFO", cseq, "Content-Type: application/dtmf-relay", &body);
        (answer.status() == 481).then_some(())
    });
    let record = server.record(&call.invite.call_id);
    assert_ne!(record["outcome"], "mailbox-opened", "{record}");

    let invite = Invite { call_id: fresh("owner"), branch: fresh("z9hG4bK-owner"), ..erin.with(SKIP) };
    assert_eq!(invite.pin(server, &mut Line::trusted(server)), "skipped");
    assert_eq!(state(), true, "the lock is not opened by it");
}

// SEC-30: "Caller id is never proof."
#[test]
fn a_caller_id_that_is_the_mailbox_number_opens_nothing() {
    let server = server();
    for from in ["<sip:101@example.test>", "<tel:101>", "\"101\" <sip:101@example.test;user=phone>"] {
        for mut line in [Line::tcp(server), Line::tls(server, Shown::Nothing), Line::trusted(server)] {
            for uri in ["sip:voicemail@example.test", "sip:101@example.test", OWN] {
                let pin = Invite::own().by(from).calling(uri).pin(server, &mut line);
                // On plain lines a number that is nobody's of ours by SIP is a caller who leaves a message.
                assert!(["prompted", "none"].contains(&pin.as_str()), "{from} {uri}: {pin}");
            }
        }
    }
}
