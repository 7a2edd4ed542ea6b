//! Scripted callers: SIPp over TCP, one and many.

use std::time::Duration;

use umbel_interop::sipp::{Sipp, listening_socket, receive_rtp};
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{ALICE_PIN, DOMAIN, Umbel};
use umbel_interop::wait::until;

/// How long after the answer the greeting and the tone are over: alice's greeting lasts 1 s, the tone 0.4 s.
const GREETED: Duration = Duration::from_millis(2_000);
/// A decision is on record within a second (SEC-32); the machine may be busy.
const DECIDED: Duration = Duration::from_secs(10);

fn alice() -> String {
    format!("sip:alice@{DOMAIN}")
}

fn alices_voice_mail() -> String {
    format!("sip:alice@{DOMAIN};opaque=app:voicemail")
}

fn pin_ruling(umbel: &Umbel, call_id: &str) -> String {
    until(&format!("the decision on {call_id}"), DECIDED, || umbel.pin_ruling(call_id))
}

// SEC-20, CMD-4: plain TCP is no trusted transport, whatever a header says.
#[test]
fn skip_pin_over_tcp_is_answered_with_the_pin_prompt() {
    let umbel = Umbel::start();
    let socket = listening_socket(Duration::from_secs(5));
    let call = Sipp::new(&umbel, "listen", "skip")
        .target(&alices_voice_mail())
        .caller(&alice())
        .header("Ms-Exchange-Command: skip-pin")
        .audio(&socket)
        .length(Duration::from_secs(1));
    let call_id = call.call_id(1);
    call.run();
    let (payload_type, sound) = receive_rtp(&socket);
    assert_eq!((payload_type, sound.len()), (0, 160), "a prompt is heard");
    assert_eq!(pin_ruling(&umbel, &call_id), "prompted");
    umbel.stop();
}

// CMD-1: anything else in the header is ignored: never a reason to refuse, never one to skip.
#[test]
fn whatever_the_command_says_the_call_is_taken_and_the_pin_asked() {
    let umbel = Umbel::start();
    let headers = [
        "Ms-Exchange-Command: SKIP-PIN",
        "Ms-Exchange-Command: skip-pin;now",
        "Ms-Exchange-Command: skip-pin, skip-pin",
        "Ms-Exchange-Command: skip-pin\r\nMs-Exchange-Command: skip-pin",
        "Ms-Exchange-Command:",
        "ms-exchange-command : skip-pin",
        "Ms-Exchange-Command: open-sesame\r\nMs-Exchange-Command: skip-pin",
    ];
    for (nth, header) in headers.into_iter().enumerate() {
        let call = Sipp::new(&umbel, "listen", &format!("command{nth}"))
            .target(&alices_voice_mail())
            .caller(&alice())
            .header(header);
        let call_id = call.call_id(1);
        call.run();
        assert_eq!(pin_ruling(&umbel, &call_id), "prompted", "{header}");
    }
    umbel.stop();
}

// DEC-19
#[test]
fn somebody_who_is_not_here_is_not_found() {
    let umbel = Umbel::start();
    Sipp::new(&umbel, "not_found", "nobody").target(&format!("sip:nobody@{DOMAIN}")).run();
    umbel.stop();
}

// PEER-10
#[test]
fn options_are_answered_with_what_is_allowed_accepted_and_supported() {
    let umbel = Umbel::start();
    Sipp::new(&umbel, "options", "options").target(&format!("sip:{DOMAIN}")).run();
    umbel.stop();
}

#[test]
fn an_invite_without_an_offer_is_answered_with_ours_and_then_sound() {
    let umbel = Umbel::start();
    let socket = listening_socket(Duration::from_secs(5));
    Sipp::new(&umbel, "no_offer", "no-offer")
        .target(&alice())
        .audio(&socket)
        .length(Duration::from_secs(1))
        .run();
    let (payload_type, sound) = receive_rtp(&socket);
    assert_eq!((payload_type, sound.len()), (0, 160), "the greeting is heard as the answer chose");
    umbel.stop();
}

// SEC-54: a broken message costs nobody else anything.
#[test]
fn after_a_malformed_message_the_next_request_is_answered() {
    let umbel = Umbel::start();
    Sipp::new(&umbel, "malformed", "malformed").target(&format!("sip:{DOMAIN}")).calls(20, 20).run();
    umbel.stop();
}

// DEC-18: a stranger's diversion chooses a mailbox to leave a message in, and opens none.
#[test]
fn a_forged_diversion_leaves_a_message_of_an_unverified_caller() {
    let umbel = Umbel::start();
    let said = Sound::sentence("message");
    let length = GREETED + said.duration() + Duration::from_millis(300);
    Sipp::new(&umbel, "leave", "forged")
        .target(&format!("sip:voicemail@{DOMAIN}"))
        .caller("sip:+15550100@elsewhere.test")
        .header(&format!("Diversion: <sip:alice@{DOMAIN}>;reason=no-answer"))
        .say(&said.padded(GREETED, Duration::from_secs(5)))
        .length(length)
        .run();
    let messages = umbel.await_messages("alice", 1);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["caller_verified"], false, "{}", messages[0]);
    let heard = Sound::read(&umbel.export(&messages[0]));
    assert_contains(&heard, &said);
    assert_lacks(&heard, &Sound::sentence("other"));

    let call = Sipp::new(&umbel, "listen", "forged-owner")
        .target(&format!("sip:voicemail@{DOMAIN}"))
        .caller(&alice())
        .header(&format!("Diversion: <sip:alice@{DOMAIN}>\r\nMs-Exchange-Command: skip-pin"));
    let call_id = call.call_id(1);
    call.run();
    assert_eq!(pin_ruling(&umbel, &call_id), "prompted");
    umbel.stop();
}

// MED-4: keys come with whatever payload type the offer names.
#[test]
fn keys_of_payload_type_96_open_the_mailbox() {
    let umbel = Umbel::start();
    let socket = listening_socket(Duration::from_secs(5));
    let call = Sipp::new(&umbel, "keys", "keys")
        .target(&format!("sip:voicemail@{DOMAIN}"))
        .caller(&alice())
        .audio(&socket)
        .length(Duration::from_secs(4))
        .with("PIN", ALICE_PIN);
    let call_id = call.call_id(1);
    call.run();
    let why = umbel.json(&["why", &call_id]);
    panic!("{why:#?}\n{}", umbel.run(&["calls"]));
}

#[test]
fn none_of_two_hundred_calls_in_a_burst_fails() {
    let umbel = Umbel::start();
    let said = Sound::sentence("message");
    let length = GREETED + said.duration() + Duration::from_millis(300);
    Sipp::new(&umbel, "leave", "burst")
        .target(&alice())
        .say(&said.padded(GREETED, Duration::from_secs(60)))
        .calls(200, 200)
        .length(length)
        .run();
    let messages = umbel.await_messages("alice", 200);
    assert_eq!(messages.len(), 200);
    for message in &messages {
        assert_eq!(message["incomplete"], false, "{message}");
        let duration = message["duration_seconds"].as_f64().expect("a message has a length");
        let least = said.duration().as_secs_f64();
        assert!(duration >= least, "{duration} s are too short for {least} s of speech: {message}");
    }
    for message in messages.iter().step_by(40) {
        assert_contains(&Sound::read(&umbel.export(message)), &said);
    }
    umbel.stop();
}
