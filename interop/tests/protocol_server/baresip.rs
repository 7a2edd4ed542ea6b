//! Two softphones at our protocol server: registered over TLS with their passwords, talking over SRTP.

use std::time::Duration;

use umbel_interop::baresip::{Baresip, Codec, Line};
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{DOMAIN, Umbel};

/// baresip 1.0.0 stumbles over two challenges.
const SERVER: &str = "digest = [\"MD5\"]\nring-time = \"60s\"";
/// Before anything is said, so that the other side listens.
const BEFORE: Duration = Duration::from_millis(700);
/// How long after the answer alice's greeting (1 s) and the tone (0.4 s) are over, also where the machine stands still
/// for a while.
const GREETED: Duration = Duration::from_millis(4_500);

fn address(user: &str) -> String {
    format!("sip:{user}@{DOMAIN}")
}

/// A telephone whose user says this after `before`, and then nothing for long.
fn telephone(umbel: &Umbel, user: &str, sentence: &str, before: Duration) -> Baresip {
    let said = Sound::sentence(sentence).narrow().padded(before, Duration::from_secs(120));
    Baresip::start(umbel, user, Line::Registered, Codec::G711, &said)
}

// REG-1, REG-2, REG-3: TLS with our certificate, digest, SRTP end to end; what one says the other hears.
#[test]
fn two_softphones_register_call_and_hear_each_other() {
    let umbel = Umbel::with_server(SERVER, "");
    let mut alice = telephone(&umbel, "alice", "message", BEFORE);
    let mut bob = telephone(&umbel, "bob", "other", BEFORE);
    alice.start_call(&address("bob"));
    let caller = bob.answer();
    assert_eq!(caller, address("alice"));
    alice.await_event("CALL_ESTABLISHED");
    let (of_alice, of_bob) = (Sound::sentence("message"), Sound::sentence("other"));
    let both = BEFORE + of_alice.duration().max(of_bob.duration()) + Duration::from_millis(500);
    alice.await_said(both);
    bob.await_said(both);
    alice.press("5#");
    bob.await_key('5');
    bob.await_key('#');
    bob.press("1");
    alice.await_key('1');
    // The other way round than it began.
    bob.hang_up();
    alice.await_event("CALL_CLOSED");
    assert!(alice.log().contains("RTP/SAVP") && alice.log().contains("a=crypto:"), "the sound was encrypted");
    let (by_alice, by_bob) = (alice.heard(), bob.heard());
    assert_contains(&by_bob, &of_alice.narrow());
    assert_contains(&by_alice, &of_bob.narrow());
    assert_lacks(&by_alice, &of_alice.narrow());
    alice.stop();
    bob.stop();
    assert_eq!(umbel.messages("bob").len(), 0);
    umbel.stop();
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing_and_leaves_no_message() {
    let umbel = Umbel::with_server(SERVER, "");
    let mut alice = telephone(&umbel, "alice", "message", BEFORE);
    let mut bob = telephone(&umbel, "bob", "other", BEFORE);
    alice.start_call(&address("bob"));
    bob.rung();
    alice.hang_up();
    bob.await_event("CALL_CLOSED");
    // And both can be called again.
    bob.start_call(&address("alice"));
    alice.answer();
    bob.await_event("CALL_ESTABLISHED");
    bob.hang_up();
    alice.await_event("CALL_CLOSED");
    alice.stop();
    bob.stop();
    assert_eq!(umbel.messages("bob").len(), 0);
    umbel.stop();
}

// SIPRE-21, EUMR-4
#[test]
fn a_busy_softphone_leads_to_the_voice_mail_of_its_owner() {
    let umbel = Umbel::with_server(SERVER, "");
    let mut bob = telephone(&umbel, "bob", "message", GREETED);
    let mut alice = telephone(&umbel, "alice", "other", BEFORE);
    bob.start_call(&address("alice"));
    alice.rung();
    alice.refuse();
    bob.await_event("CALL_ESTABLISHED");
    says_all_and_leaves(&umbel, bob, "alice", "bob");
    alice.stop();
    umbel.stop();
}

// SENS-1, SIPRE-26: nobody is registered under that name.
#[test]
fn who_has_no_telephone_on_gets_a_message() {
    let umbel = Umbel::with_server(SERVER, "");
    let mut bob = telephone(&umbel, "bob", "message", GREETED);
    bob.dial(&address("alice"));
    says_all_and_leaves(&umbel, bob, "alice", "bob");
    umbel.stop();
}

/// The telephone speaks to a voice mail until all is said, and hangs up; the message is there.
fn says_all_and_leaves(umbel: &Umbel, mut telephone: Baresip, mailbox: &str, caller: &str) {
    let said = Sound::sentence("message").narrow();
    telephone.await_said(GREETED + said.duration() + Duration::from_millis(500));
    telephone.hang_up();
    telephone.stop();
    let messages = umbel.await_messages(mailbox, 1);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["caller"], format!("{caller}@{DOMAIN}"));
    assert_eq!(messages[0]["caller_verified"], true, "our own server vouches for the caller");
    assert_contains(&Sound::read(&umbel.export(&messages[0])), &said);
}
