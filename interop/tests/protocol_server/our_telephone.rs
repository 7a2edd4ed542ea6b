//! Our own telephone and a softphone at our protocol server: registered over TLS with their passwords, talking over
//! SRTP; who calls whom, and what either does in the call, both ways.

use std::time::Duration;

use umbel_interop::baresip::{Baresip, Codec, Line};
use umbel_interop::our_telephone::OurTelephone;
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{DOMAIN, Umbel};

/// baresip 1.0.0 stumbles over two challenges.
const SERVER: &str = "digest = [\"MD5\"]\nring-time = \"60s\"";
/// Before the softphone says anything, so that the other side listens.
const BEFORE: Duration = Duration::from_millis(700);

/// Nobody's voice mail answers: who is refused hears how.
fn office() -> Umbel {
    let umbel = Umbel::with_server(SERVER, "");
    for user in ["alice", "bob"] {
        umbel.set(user, &["no-voicemail=yes"]);
    }
    umbel
}

fn softphone(umbel: &Umbel, user: &str, codec: Codec) -> Baresip {
    let said = Sound::sentence("message");
    let said = if codec == Codec::G711 { said.narrow() } else { said };
    Baresip::start(umbel, user, Line::RegisteredAvp, codec, &said.padded(BEFORE, Duration::from_secs(120)))
}

/// What our telephone says: it hangs up when that is over, and by then the other side has said all, too.
fn says(umbel: &Umbel) -> String {
    let said = Sound::sentence("other").padded(BEFORE, Duration::from_secs(4));
    said.write(&umbel.folder().join("other.wav")).to_string_lossy().into_owned()
}

fn server(umbel: &Umbel) -> String {
    umbel.server_tls().to_string()
}

/// What was said on both sides was heard on the other one, and nobody heard himself.
fn both_were_heard(ours: &Sound, theirs: &Sound) {
    let (said_by_us, said_by_them) = (Sound::sentence("other").narrow(), Sound::sentence("message").narrow());
    assert_contains(&ours.narrow(), &said_by_them);
    assert_contains(&theirs.narrow(), &said_by_us);
    assert_lacks(&ours.narrow(), &said_by_us);
}

#[test]
fn our_telephone_calls_a_softphone_and_each_hears_the_others_words_and_keys() {
    for codec in [Codec::G711, Codec::G722] {
        if !codec.is_here() {
            continue;
        }
        let umbel = office();
        let mut bob = softphone(&umbel, "bob", codec);
        let play = says(&umbel);
        let words = ["call", "bob", "--play", &play, "--keys", "7,#"];
        let mut alice = OurTelephone::start(&umbel, &server(&umbel), "alice", &words);
        assert_eq!(bob.answer(), format!("sip:alice@{DOMAIN}"));
        let answered = alice.tells("answered");
        assert_eq!(answered["encrypted"], true, "{codec:?}");
        assert_eq!(answered["codec"], if codec == Codec::G722 { "G722" } else { "PCMU" });
        bob.await_key('7');
        bob.await_key('#');
        bob.await_event("CALL_CLOSED");
        assert_eq!(alice.finished().0, Some(0));
        both_were_heard(&alice.heard(), &bob.heard());
        bob.stop();
        umbel.stop();
    }
}

#[test]
fn a_softphone_calls_our_telephone_and_each_hears_the_other() {
    let umbel = office();
    let play = says(&umbel);
    let words = ["answer", "--after", "0s", "--play", &play];
    let mut bob = OurTelephone::reachable(&umbel, &server(&umbel), "bob", &words);
    let mut alice = softphone(&umbel, "alice", Codec::G711);
    alice.dial(&format!("sip:bob@{DOMAIN}"));
    let ringing = bob.tells("ringing");
    assert_eq!(
        (&ringing["from"], &ringing["direction"]),
        (&"sip:alice@example.test".into(), &"incoming".into())
    );
    assert_eq!(bob.tells("answered")["encrypted"], true);
    alice.await_event("CALL_CLOSED");
    assert_eq!(bob.finished().0, Some(0));
    both_were_heard(&bob.heard(), &alice.heard());
    alice.stop();
    umbel.stop();
}

#[test]
fn a_softphone_holds_our_telephone_goes_on_presses_keys_and_hangs_up() {
    let umbel = office();
    let words = ["answer", "--after", "0s", "--for", "60s"];
    let mut bob = OurTelephone::reachable(&umbel, &server(&umbel), "bob", &words);
    let mut alice = softphone(&umbel, "alice", Codec::G711);
    alice.dial(&format!("sip:bob@{DOMAIN}"));
    bob.tells("prompt-started");
    alice.hold(true);
    bob.tells_of("held", |event| event["held"] == true);
    alice.hold(false);
    bob.tells_of("held", |event| event["held"] == false);
    alice.press("19");
    bob.tells_of("key", |event| event["key"] == "1");
    bob.tells_of("key", |event| event["key"] == "9");
    alice.hang_up();
    let (status, told) = bob.finished();
    assert_eq!(status, Some(0), "{told:#?}");
    let ended = told.iter().find(|event| event["event"] == "ended").expect("the call has ended");
    assert_eq!(ended["reason"], "the other side hung up");
    alice.stop();
    umbel.stop();
}

#[test]
fn a_softphone_that_is_busy_is_told_by_our_telephone() {
    let umbel = office();
    let mut bob = softphone(&umbel, "bob", Codec::G711);
    let mut alice = OurTelephone::start(&umbel, &server(&umbel), "alice", &["call", "bob"]);
    bob.rung();
    bob.refuse();
    let (status, told) = alice.finished();
    assert_eq!(status, Some(1), "{told:#?}");
    assert!(told.iter().any(|event| event["event"] == "ended" && event["code"] == 486), "{told:#?}");
    bob.stop();
    umbel.stop();
}

#[test]
fn our_telephone_is_busy_and_declines_toward_a_softphone() {
    for (option, status) in [("--busy", "486"), ("--decline", "603")] {
        let umbel = office();
        let mut bob = OurTelephone::reachable(&umbel, &server(&umbel), "bob", &["answer", option]);
        let mut alice = softphone(&umbel, "alice", Codec::G711);
        alice.start_call(&format!("sip:bob@{DOMAIN}"));
        let closed = alice.closed();
        assert!(closed.starts_with(status), "{option}: {closed}");
        assert_eq!(bob.finished().0, Some(0), "{option}");
        alice.stop();
        umbel.stop();
    }
}

/// RFC 3515, by somebody else's hand: alice's softphone sends our telephone on to carol.
#[test]
fn a_softphone_sends_our_telephone_on_to_somebody_else() {
    let umbel = office();
    umbel.import(&format!(
        "address,extension,name,password\ncarol@{DOMAIN},103,Carol,{}\n",
        umbel_interop::umbel::password_of("carol")
    ));
    let words = ["answer", "--after", "0s", "--for", "30s"];
    let mut bob = OurTelephone::reachable(&umbel, &server(&umbel), "bob", &words);
    let play = says(&umbel);
    let words = ["answer", "--after", "0s", "--play", &play];
    let mut carol = OurTelephone::reachable(&umbel, &server(&umbel), "carol", &words);
    let mut alice = softphone(&umbel, "alice", Codec::G711);
    alice.dial(&format!("sip:bob@{DOMAIN}"));
    bob.tells("answered");
    alice.transfer(&format!("sip:carol@{DOMAIN}"));
    assert_eq!(bob.tells("transferred")["to"], format!("sip:carol@{DOMAIN}"));
    assert_eq!(carol.tells("ringing")["from"], format!("sip:bob@{DOMAIN}"));
    alice.await_event("CALL_CLOSED");
    assert_eq!(carol.finished().0, Some(0));
    assert_eq!(bob.finished().0, Some(0));
    alice.stop();
    umbel.stop();
}
