//! Who calls: P4, as DEC-10 reads it. SEC-12, SEC-13, CMD-5, CMD-6, CMD-7
//!
//! The connection is the listed peer's and the header is right; only who calls is not.

use crate::invite::{Invite, OWN, SKIP};
use crate::line::Line;
use crate::server::server;

const PILOT: &str = "sip:voicemail@example.test";

#[track_caller]
fn pin(from: &str, asserted: &[&str], uri: &str) -> String {
    let invite = Invite::skip().by(from).calling(uri);
    let invite =
        asserted.iter().fold(invite, |invite, value| invite.with(format!("P-Asserted-Identity: {value}")));
    invite.pin(server(), &mut Line::trusted(server()))
}

const ALICE: &str = "<sip:alice@example.test>";
const BOB: &str = "<sip:bob@example.test>";

#[test]
fn from_of_anybody_else_never_skips() {
    for from in [
        BOB,
        "<sip:alice@elsewhere.test>",
        "<sip:alice@example.test.elsewhere.test>",
        "<sip:alice@xexample.test>",
        "<sip:alice@example.test.>",
        "\"alice@example.test\" <sip:bob@example.test>",
        "\"<sip:alice@example.test>\" <sip:bob@example.test>",
        "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
        // M8: decoded once.
        "<sip:%2561lice@example.test>",
        "<sip:alice%40example.test@elsewhere.test>",
        "<sip:alice%00@example.test>",
        "<sip:alice%20@example.test>",
        "<sip:al%C3%AFce@example.test>",
        "<sip:\u{430}lice@example.test>",
        // M8: user parts compare with case.
        "<sip:Alice@example.test>",
        "<sip:ALICE@example.test>",
        // RFC 3261 19.1.1: of a user part that is no telephone number, a semicolon is a character like others.
        "<sip:alice;x=y@example.test>",
        "<sip:alice;phone-context=example.test@example.test>",
        "<sip:example.test>",
        "<urn:alice@example.test>",
        "<mailto:alice@example.test>",
        "<tel:alice>",
    ] {
        let server = server();
        let invite = Invite::skip().by(from).calling(OWN);
        let pin = invite.pin(server, &mut Line::trusted(server));
        assert_ne!(pin, "skipped", "{from} to the voice mail of alice");
        let invite = Invite::skip().by(from).calling(PILOT);
        let pin = invite.pin(server, &mut Line::trusted(server));
        // bob is a user: the pilot leads him to his own.
        let own = from.ends_with("<sip:bob@example.test>");
        assert_eq!(pin == "skipped", own, "{from} to the pilot: {pin}");
        if own {
            let record = server.record(&invite.call_id);
            assert!(record["from"].as_str().unwrap().contains("bob"), "{record}");
        }
    }
}

// CMD-5, CMD-6: the Request-URI alone never selects a mailbox to open.
#[test]
fn the_voice_mail_of_another_user_is_for_leaving_messages() {
    for uri in ["sip:bob@example.test;opaque=app:voicemail", "sip:bob@example.test", "sip:102@example.test"] {
        assert_eq!(pin(ALICE, &[], uri), "none", "{uri}");
        assert_eq!(pin(ALICE, &[ALICE], uri), "none", "{uri}");
    }
}

#[test]
fn an_assertion_of_the_owner_skips_whatever_harmless_from_says() {
    for (from, asserted) in [
        (ALICE, &[ALICE][..]),
        (ALICE, &["\"Alice\" <sip:alice@example.test>"]),
        (ALICE, &["<sip:alice@example.test>, <tel:101>"]),
        (ALICE, &[ALICE, "<tel:101>"]),
        ("\"Anonymous\" <sip:anonymous@anonymous.invalid>", &[ALICE]),
        ("<sip:dana@elsewhere.test>", &[ALICE]),
        ("<sip:101@example.test>", &[ALICE]),
    ] {
        assert_eq!(pin(from, asserted, OWN), "skipped", "{from} {asserted:?}");
    }
}

#[test]
fn an_assertion_that_disagrees_never_skips() {
    for (from, asserted) in [
        (ALICE, &[BOB][..]),
        // "when From names another local user than the assertion, it fails"
        (BOB, &[ALICE]),
        ("<sip:102@example.test>", &[ALICE]),
        (ALICE, &[ALICE, BOB]),
        (ALICE, &["<sip:alice@example.test>, <tel:102>"]),
        (ALICE, &["<sip:alice@elsewhere.test>"]),
        (ALICE, &[ALICE, "<sip:alice@elsewhere.test>"]),
        (ALICE, &["<sip:anonymous@anonymous.invalid>"]),
        (ALICE, &[""]),
        (ALICE, &["<sip:alice@example.test"]),
        (ALICE, &["alice"]),
        (ALICE, &[ALICE, ""]),
        (ALICE, &["<>"]),
        (ALICE, &["\"x, <sip:alice@example.test>\" <sip:bob@example.test>"]),
        (ALICE, &["\"\\\", <sip:alice@example.test>, \" <sip:bob@example.test>"]),
        (ALICE, &["<sip:%2561lice@example.test>"]),
        (ALICE, &["<sip:alice;x=y@example.test>"]),
        (ALICE, &["<sip:nobody@example.test>"]),
    ] {
        assert_ne!(pin(from, asserted, OWN), "skipped", "{from} {asserted:?}");
    }
}

// "P-Preferred-Identity, Remote-Party-ID and display names are never evidence"
#[test]
fn what_a_caller_would_like_to_be_is_no_evidence() {
    let server = server();
    for header in [
        "P-Preferred-Identity: <sip:alice@example.test>",
        "Remote-Party-ID: <sip:alice@example.test>;party=calling;screen=yes",
        "Reply-To: <sip:alice@example.test>",
        "P-Asserted-Service: <sip:alice@example.test>",
        "Identity: alice@example.test",
        "Authorization: Digest username=\"alice\", realm=\"example.test\", nonce=\"n\", uri=\"x\", response=\"r\"",
    ] {
        for from in ["<sip:dana@elsewhere.test>", BOB] {
            let invite = Invite::from_to(from, OWN).with(SKIP).with(header);
            assert_eq!(invite.pin(server, &mut Line::trusted(server)), "none", "{header} {from}");
        }
    }
}

// SEC-14: from a peer that is not trusted, for no purpose.
#[test]
fn an_unlisted_peer_asserts_nothing() {
    let server = server();
    let mut line = Line::tls(server, crate::certificates::Shown::Stranger);
    // By its own From bob; were the assertion believed, this would be alice's own mailbox, or bad.
    for (value, expected) in [(ALICE, "none"), ("<sip:alice@example.test", "none"), ("", "none")] {
        let invite = Invite::from_to(BOB, OWN).with(SKIP).with(format!("P-Asserted-Identity: {value}"));
        assert_eq!(invite.pin(server, &mut line), expected, "{value:?}");
    }
}
