//! 2.2.1: `Ms-Exchange-Command header = "Ms-Exchange-Command" HCOLON param`, `param = "skip-pin"`.

use std::time::Duration;

use bytes::Bytes;
use umbel_sim::Office;
use umbel_sim::office::{By, PROXY, invite, to_own_voice_mail};
use umbel_sim::telephone::{Do, Invite, Offer};
use umbel_sip_message::Method;

/// What a call to alice's voice mail by alice, over a trusted transport and with these lines, comes to.
fn outcome(lines: &[&str]) -> String {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    let call = lines.iter().fold(to_own_voice_mail("alice"), |call, line| call.line(line));
    office.call(alice, call);
    office.wait(1);
    let answers = office.world[alice].answers.clone();
    assert_eq!(answers, [200], "{lines:?}");
    let (pin, _) = office.why_pin(alice);
    assert_eq!(office.server().has_said("enter-pin"), pin == "prompted", "{lines:?}");
    assert_eq!(office.server().ops.iter().any(|op| op == "OpenMailbox"), pin == "skipped", "{lines:?}");
    pin
}

/// OCEXUM-2.2.1-2, OCEXUM-2.2.1-3, SEC-17.
#[test]
fn skip_pin_in_every_legal_spelling_opens_the_mailbox() {
    for lines in [
        &["Ms-Exchange-Command: skip-pin"][..],
        &["ms-exchange-command:skip-pin"],
        &["MS-EXCHANGE-COMMAND  :   SKIP-PIN  "],
        &["Ms-Exchange-Command:\r\n skip-pin"],
        &["Subject: x", "Ms-Exchange-Command: skip-pin", "Priority: normal"],
        &["s: x", "Ms-Exchange-Command: skip-pin", "k: timer"],
    ] {
        assert_eq!(outcome(lines), "skipped", "{lines:?}");
    }
}

/// CMD-1, SEC-15, SEC-16, DEC-12: "the prompt is heard, 200 is sent".
#[test]
fn whatever_else_the_header_says_leaves_the_call_and_asks_the_pin() {
    for lines in [
        &[][..],
        &["Ms-Exchange-Command: skip-pin", "Ms-Exchange-Command: skip-pin"],
        &["Ms-Exchange-Command: skip-pin", "ms-exchange-command: other"],
        &["Ms-Exchange-Command:"],
        &["Ms-Exchange-Command: skip-pin=1"],
        &["Ms-Exchange-Command: skip-pin;x=y"],
        &["Ms-Exchange-Command: skip-pin, other"],
        &["Ms-Exchange-Command: \"skip-pin\""],
        &["Ms-Exchange-Command: other"],
        &["X-Ms-Exchange-Command: skip-pin"],
        &["Subject: x\r\n Ms-Exchange-Command: skip-pin"],
    ] {
        assert_eq!(outcome(lines), "prompted", "{lines:?}");
    }
}

/// SEC-18, SEC-19, DEC-12: "400 and close".
#[test]
fn a_name_that_is_no_token_and_bare_line_ends_are_malformed() {
    for line in [
        "Ms Exchange-Command: skip-pin",
        "Ms-Exchange-Command\u{a0}: skip-pin",
        "Subject: x\rMs-Exchange-Command: skip-pin",
    ] {
        let mut office = Office::new(1);
        let alice = office.caller("alice", By::MutualTls(PROXY));
        office.call(alice, to_own_voice_mail("alice").line(line));
        office.wait(1);
        assert_eq!(office.world[alice].answers, [400], "{line:?}");
        assert_eq!(office.server().call_count(), 0, "{line:?}");
    }
}

/// OCEXUM-2.2.1-1, SEC-20, SEC-21: the header belongs to INVITE, and to its header part.
#[test]
fn the_header_elsewhere_has_no_effect() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
        m=audio 4002 RTP/AVP 0\r\na=Ms-Exchange-Command: skip-pin\r\n";
    office.call(alice, to_own_voice_mail("alice").offering(Offer::Text(sdp.to_owned())));
    office.wait(1);
    assert_eq!(office.why_pin(alice).0, "prompted");
    for method in [Method::Info, Method::Options, Method::Update] {
        office.order(
            alice,
            Do::Request(method, vec!["Ms-Exchange-Command: skip-pin".to_owned()]),
            Duration::from_secs(1),
        );
    }
    assert_eq!(office.why_pin(alice).0, "prompted");
    assert!(!office.server().ops.iter().any(|op| op == "OpenMailbox"));

    let options = "OPTIONS sip:alice@example.test;opaque=app:voicemail SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.101;branch=z9hG4bKo\r\n\
        Max-Forwards: 70\r\nFrom: <sip:alice@example.test>;tag=o\r\nTo: <sip:alice@example.test>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\
        Ms-Exchange-Command: skip-pin\r\nContent-Length: 0\r\n\r\n";
    office.order(alice, Do::Say(Bytes::from_static(options.as_bytes())), Duration::from_secs(1));
    assert_eq!(office.server().why_pin("o"), None);
}

/// CMD-2, SEC-22: only the initial INVITE counts, in either direction.
#[test]
fn a_re_invite_with_the_header_leaves_the_pin_prompt_pending() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice"));
    let header = vec!["Ms-Exchange-Command: skip-pin".to_owned()];
    office.order(alice, Do::Reinvite(Offer::Ours, header), Duration::from_secs(2));
    assert_eq!(office.world[alice].answers, [200, 200]);
    assert_eq!(office.why_pin(alice).0, "prompted");
    assert!(!office.server().ops.iter().any(|op| op == "OpenMailbox"));

    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    office.call(alice, to_own_voice_mail("alice").skip_pin());
    office.order(alice, Do::Reinvite(Offer::Ours, Vec::new()), Duration::from_secs(2));
    assert_eq!(office.world[alice].answers, [200, 200]);
    assert_eq!(office.why_pin(alice).0, "skipped");
    assert!(!office.server().has_said("enter-pin"));
}

/// CMD-5, CMD-6, SEC-26: it opens nothing but the caller's own mailbox.
#[test]
fn the_header_toward_somebody_elses_mailbox_leaves_a_message() {
    let mut office = Office::new(1);
    let alice = office.caller("alice", By::MutualTls(PROXY));
    let to_bob = Invite::new("sip:bob@example.test;opaque=app:voicemail", "alice@example.test");
    office.call(alice, to_bob.skip_pin());
    office.wait(2);
    assert!(office.server().has_said("leave-message"));
    let (pin, rule) = office.why_pin(alice);
    assert_eq!(
        (pin.as_str(), rule.as_str()),
        ("none", "P1 not-direct-access: the call does not lead to the caller's own mailbox")
    );

    let diverted =
        invite("erin", "voicemail").skip_pin().line("Diversion: <sip:alice@example.test>;reason=no-answer");
    office.call(alice, diverted);
    office.wait(2);
    assert_eq!(office.why_pin(alice).0, "none");
}
