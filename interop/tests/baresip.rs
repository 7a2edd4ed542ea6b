//! A softphone leaves messages and fetches them: baresip, over TCP and over TLS with SRTP.

use std::time::Duration;

use umbel_interop::baresip::{Baresip, Codec, Line};
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{ALICE_PIN, DOMAIN, Umbel};
use umbel_interop::wait::until;

/// How long after the answer alice's greeting (1 s) and the tone (0.4 s) are over, also where the machine stands still
/// for a while.
const GREETED: Duration = Duration::from_millis(4_500);
/// Between what was sent and what is stored: packets of 20 ms, the way of a BYE.
const TOLERANCE: Duration = Duration::from_millis(500);
/// Quiet after what is said; baresip looks once a second whether its file has ended.
const TAIL: Duration = Duration::from_millis(500);

fn sentence(codec: Codec) -> Sound {
    let said = Sound::sentence("message");
    if codec == Codec::G711 { said.narrow() } else { said }
}

fn alice() -> String {
    format!("sip:alice@{DOMAIN}")
}

/// Bob calls alice, speaks after the tone and hangs up; what is stored is what he said, all of it.
fn bob_leaves_a_message(umbel: &Umbel, line: Line, codec: Codec) {
    let said = sentence(codec);
    let mut bob = Baresip::start(umbel, "bob", line, codec, &said.padded(GREETED, TAIL));
    bob.dial(&alice());
    // It hangs up by itself when the file has been said.
    bob.await_event("CALL_CLOSED");
    let sent = bob.said();
    if line == Line::TlsSrtp {
        assert!(bob.log().contains("RTP/SAVP") && bob.log().contains("a=crypto:"), "the sound was encrypted");
    }
    bob.stop();

    let messages = umbel.await_messages("alice", 1);
    let message = &messages[0];
    assert_eq!(messages.len(), 1);
    assert_eq!(message["state"], "new");
    assert_eq!(message["incomplete"], false);
    assert_eq!(message["caller"], format!("bob@{DOMAIN}"));
    let stored = Sound::read(&umbel.export(message));
    assert_eq!(stored.rate, codec.rate(), "kept as it was received");
    let found = assert_contains(&stored, &said);
    assert_lacks(&stored, &Sound::sentence("other"));

    // By the clock of the sound, which does not mind when a busy machine comes to what: neither what he sent during
    // the greeting is kept, nor anything that he did not send; and all of it up to the end.
    let length = stored.duration();
    assert!(found.at < GREETED && length < sent, "{length:?} of {sent:?}, {found:?}");
    let tail = sent.saturating_sub(GREETED + said.duration());
    let kept = length.saturating_sub(found.at + said.duration());
    assert!(kept.abs_diff(tail) < TOLERANCE, "{kept:?} of quiet before the end, of {tail:?}");
    let stated = Duration::from_secs_f64(message["duration_seconds"].as_f64().expect("a length"));
    assert!(stated.abs_diff(length) < Duration::from_millis(50), "{stated:?} stated, {length:?} stored");
}

/// Alice calls the pilot, gives her PIN by keys and hears the message to its end.
fn alice_hears_it(umbel: &Umbel, line: Line, codec: Codec) {
    let said = sentence(codec);
    let nothing = Sound { rate: codec.rate(), samples: Vec::new() };
    let quiet = nothing.padded(Duration::from_secs(300), Duration::ZERO);
    let mut alice = Baresip::start(umbel, "alice", line, codec, &quiet);
    alice.dial(&format!("sip:voicemail@{DOMAIN}"));
    alice.press(ALICE_PIN);
    alice.press("#1");
    until("the message to be heard to its end", Duration::from_secs(180), || {
        (umbel.messages("alice")[0]["state"] == "old").then_some(())
    });
    alice.hang_up();
    let heard = alice.heard();
    alice.stop();
    assert_contains(&heard, &said);
    assert_lacks(&heard, &Sound::sentence("other"));
}

#[test]
fn over_tcp_and_g711_a_message_is_left_and_fetched_with_the_pin() {
    let umbel = Umbel::start();
    bob_leaves_a_message(&umbel, Line::Tcp, Codec::G711);
    alice_hears_it(&umbel, Line::Tcp, Codec::G711);
    umbel.stop();
}

// DEC-30, DEC-33
#[test]
fn over_tls_with_srtp_and_g722_a_message_is_left_and_fetched_with_the_pin() {
    let umbel = Umbel::start();
    // A package without the wideband module leaves the encrypted narrowband call.
    let codec = if Codec::G722.is_here() { Codec::G722 } else { Codec::G711 };
    bob_leaves_a_message(&umbel, Line::TlsSrtp, codec);
    alice_hears_it(&umbel, Line::TlsSrtp, codec);
    umbel.stop();
}

#[test]
fn over_tls_with_srtp_and_g711_a_message_is_left() {
    let umbel = Umbel::start();
    bob_leaves_a_message(&umbel, Line::TlsSrtp, Codec::G711);
    umbel.stop();
}

#[test]
fn pound_ends_the_recording_and_leads_to_the_review() {
    let umbel = Umbel::start();
    let said = sentence(Codec::G711);
    let speech = said.padded(GREETED, Duration::from_secs(60));
    let mut bob = Baresip::start(&umbel, "bob", Line::Tcp, Codec::G711, &speech);
    bob.dial(&alice());
    bob.await_said(GREETED + said.duration() + TAIL);
    // To the review; listen to it; mark it urgent; send it.
    bob.press("#1");
    let asked = bob.said();
    bob.await_said(asked + said.duration() + Duration::from_secs(3));
    bob.press("3#");
    let messages = umbel.await_messages("alice", 1);
    bob.hang_up();
    let heard = bob.heard();
    bob.stop();
    assert_contains(&heard, &said);
    assert_eq!(messages[0]["importance"], "high");
    let stored = Sound::read(&umbel.export(&messages[0]));
    assert_contains(&stored, &said);
    umbel.stop();
}

#[test]
fn hanging_up_in_mid_message_keeps_what_was_said_until_then() {
    let umbel = Umbel::start();
    let said = sentence(Codec::G711);
    let mut bob =
        Baresip::start(&umbel, "bob", Line::Tcp, Codec::G711, &said.padded(GREETED, Duration::from_secs(60)));
    bob.dial(&alice());
    let half = said.duration() / 2;
    bob.await_said(GREETED + half);
    bob.hang_up();
    bob.stop();
    let messages = umbel.await_messages("alice", 1);
    assert_eq!(messages[0]["incomplete"], false, "the caller meant to stop there");
    let stored = Sound::read(&umbel.export(&messages[0]));
    assert_contains(&stored, &said.part(Duration::ZERO, half));
    assert_lacks(&stored, &said);
    umbel.stop();
}
