//! How the call came here: P5, as DEC-11 reads it, and DEC-18. SEC-23, SEC-26, EUMR-20 to EUMR-23

use crate::certificates::Shown;
use crate::invite::{Invite, OWN, SKIP};
use crate::line::Line;
use crate::server::{Server, server};
use crate::wait::until;

const OWN_HISTORY: &str =
    "<sip:alice@example.test>;index=1, <sip:alice@example.test;opaque=app:voicemail>;index=1.1";

#[test]
fn a_call_that_was_moved_never_skips() {
    let server = server();
    for header in [
        "Referred-By: <sip:alice@example.test>",
        "b: <sip:alice@example.test>",
        "Diversion: <sip:alice@example.test>;reason=no-answer",
        "Diversion: <sip:alice@elsewhere.test>",
        "Diversion: <tel:101>",
        "Diversion: <sip:bob@example.test>;reason=unconditional",
        "History-Info: <sip:bob@example.test>;index=1, <sip:alice@example.test>;index=1.1",
        "History-Info: <sip:dana@elsewhere.test>;index=1, <sip:alice@example.test;opaque=app:voicemail>;index=1.1",
        "History-Info: <sip:alice@example.test>;index=1, <sip:bob@example.test>;index=1.1",
        // EUMR-23: not guessed at.
        "Diversion: <sip:alice@example.test",
        "Diversion:",
        "History-Info: nonsense",
    ] {
        let invite = Invite::skip().with(header);
        assert_ne!(invite.pin(server, &mut Line::trusted(server)), "skipped", "{header}");
    }
    for header in [
        "Replaces: some-call@example.test;to-tag=1;from-tag=2",
        "Replaces: some-call@example.test;to-tag=1;from-tag=2;early-only",
        "Join: some-call@example.test;to-tag=1;from-tag=2",
    ] {
        let invite = Invite::skip().with(header);
        let mut line = Line::trusted(server);
        assert!([403, 481, 603].contains(&invite.send(&mut line).status()), "{header}");
        assert_ne!(server.decided(&invite.call_id).as_deref(), Some("skipped"), "{header}");
    }
    // RFC 4458: the voice mail service URI says for whom a diverted call is.
    let invite = Invite::skip().calling("sip:voicemail@example.test;target=alice%40example.test;cause=408");
    assert_ne!(invite.pin(server, &mut Line::trusted(server)), "skipped");
}

// DEC-11: "The caller's own address, voice mail GRUU and pilots in History-Info do not count."
#[test]
fn a_history_of_the_caller_alone_still_skips() {
    let server = server();
    let pilot = "<sip:alice@example.test>;index=1, <sip:voicemail@example.test>;index=1.1";
    for (history, uri) in [
        (OWN_HISTORY, OWN),
        ("<sip:alice@example.test;opaque=app:voicemail>;index=1", OWN),
        ("<sip:voicemail@example.test>;index=1", "sip:voicemail@example.test"),
        (pilot, "sip:voicemail@example.test"),
    ] {
        let invite = Invite::skip().calling(uri).with(format!("History-Info: {history}"));
        let pin = invite.pin(server, &mut Line::trusted(server));
        assert_eq!(pin, "skipped", "{history}");
    }
}

// SEC-26: greeting and recording, whatever the header says.
#[test]
fn a_diverted_call_of_an_outsider_is_answered_and_opens_nothing() {
    let server = server();
    for uri in ["sip:voicemail@example.test", OWN, "sip:alice@example.test"] {
        let invite = Invite::from_to("<sip:+15551234@gateway.test>", uri)
            .with(SKIP)
            .with("Diversion: <sip:alice@example.test>;reason=no-answer");
        assert_eq!(invite.pin(server, &mut Line::trusted(server)), "none", "{uri}");
        assert_was_answered_for_alice(server, &invite);
    }
}

// DEC-18: whoever is not listed may say whom a message is for, and never which mailbox to open.
#[test]
fn a_diversion_from_anybody_chooses_where_to_leave_a_message_and_never_what_to_open() {
    let server = server();
    for header in [
        "Diversion: <sip:alice@example.test>;reason=no-answer",
        "History-Info: <sip:alice@example.test>;index=1, <sip:voicemail@example.test>;index=1.1",
    ] {
        for mut line in [Line::tcp(server), Line::tls(server, Shown::Stranger)] {
            let outsider = Invite::from_to("<sip:dana@elsewhere.test>", "sip:voicemail@example.test")
                .with(header)
                .with(SKIP);
            assert_eq!(outsider.pin(server, &mut line), "none", "{header}");
            assert_was_answered_for_alice(server, &outsider);
            let owner = Invite::skip().calling("sip:voicemail@example.test").with(header);
            assert_eq!(owner.pin(server, &mut line), "prompted", "{header}");
        }
    }
}

/// Call answering for alice, and nothing else; one that leaves nothing is a missed call (MISS-1).
#[track_caller]
fn assert_was_answered_for_alice(server: &Server, invite: &Invite) {
    let record = until("the end of the call", || {
        let calls = server.documents(&["calls", "--all"]);
        let is_this = |record: &serde_json::Value| record["call_id"] == invite.call_id.as_str();
        calls.into_iter().find(|record| is_this(record) && record["ended"].is_string())
    });
    assert!(["call-answering", "missed-call"].contains(&record["kind"].as_str().unwrap()), "{record}");
    let why = server.umbel(&["why", &invite.call_id]);
    assert!(why.contains("alice@example.test"), "{why}");
}
