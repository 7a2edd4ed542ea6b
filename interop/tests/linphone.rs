//! Linphone, a second softphone with a stack of its own, registered at our protocol server over TLS.

use std::time::Duration;

use umbel_interop::linphone::Linphone;
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{ALICE_PIN, DOMAIN, Umbel};
use umbel_interop::wait::until;

/// Linphone answers the first challenge only, as baresip does.
const SERVER: &str = "digest = [\"MD5\"]";
/// What is awaited is heard or said within this.
const PATIENCE: Duration = Duration::from_secs(180);
/// Octets of a second of G.711, as it is kept: one for each sample.
const SECOND: u64 = 8_000;

/// TLS with our certificate, digest, SRTP with keys by SDES; a message is left, and fetched with the PIN by keys.
#[test]
fn a_message_is_left_and_fetched_with_the_pin_over_tls_and_srtp() {
    let umbel = Umbel::with_server(SERVER, "");
    let said = Sound::sentence("message").narrow();
    // Nobody has a telephone of alice's on.
    let mut bob = Linphone::registered(&umbel, "bob");
    let before = umbel.stored_sound();
    bob.call(&format!("sip:alice@{DOMAIN}"));
    let grown = |than: u64, by: u64| {
        until("the recording to grow", PATIENCE, || {
            let length = umbel.stored_sound();
            (length > than + by).then_some(length)
        })
    };
    // After the greeting and the tone.
    let begun = grown(before, 0);
    // It sends nothing when the file is at its end.
    bob.say(&said.padded(Duration::ZERO, Duration::from_secs(3)));
    // All of it, and a second of the silence after it.
    grown(begun, u64::try_from(said.samples.len()).expect("a short sound") + SECOND);
    let log = bob.log();
    assert!(log.contains("RTP/SAVP") && log.contains("a=crypto:"), "the sound was encrypted");
    bob.hang_up();
    let message = umbel.await_messages("alice", 1).remove(0);
    assert_eq!(
        (&message["caller"], &message["caller_verified"]),
        (&format!("bob@{DOMAIN}").into(), &true.into())
    );
    let kept = Sound::read(&umbel.export(&message));
    assert_contains(&kept, &said);
    assert_lacks(&kept, &Sound::sentence("other"));

    let mut alice = Linphone::registered(&umbel, "alice");
    alice.call(&format!("sip:alice@{DOMAIN};opaque=app:voicemail"));
    alice.press(ALICE_PIN);
    alice.press("#1");
    until("the message to be heard to its end", PATIENCE, || {
        (umbel.messages("alice")[0]["state"] == "old").then_some(())
    });
    // Only who has logged in hears a message to its end. How Linphone's file of it sounds is not compared: README.md.
    assert!(alice.hang_up().duration() > said.duration());
    umbel.stop();
}
