//! Scripted callers: SIPp over TCP, one and many.

use std::time::Duration;

use umbel_interop::sipp::{Sipp, listening_socket, receive_rtp};
use umbel_interop::sound::Sound;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{ALICE_PIN, DOMAIN, Umbel};
use umbel_interop::wait::until;

/// How long after the answer the greeting and the tone are over: alice's greeting lasts 1 s, the tone 0.4 s. A machine
/// that two hundred calls keep busy gets more.
const GREETED: Duration = Duration::from_millis(4_500);
/// How long SIPp may be behind with sound when it hangs up.
const BEHIND: Duration = Duration::from_millis(1_500);
/// How long a call is up: within it something is heard, also where the machine stands still for a while.
const UP: Duration = Duration::from_secs(4);
/// A decision is on record within a second (SEC-32); the machine may be busy.
const DECIDED: Duration = Duration::from_secs(60);

fn alice() -> String {
    format!("sip:alice@{DOMAIN}")
}

fn alices_voice_mail() -> String {
    format!("sip:alice@{DOMAIN};opaque=app:voicemail")
}

fn pin_ruling(umbel: &Umbel, call_id: &str) -> String {
    until(&format!("the decision on {call_id}"), DECIDED, || umbel.pin_ruling(call_id))
}

/// Carol says this once, after greeting and tone, and hangs up.
fn leave(umbel: &Umbel, name: &str, said: &Sound) -> Sipp {
    Sipp::new(umbel, "leave", name)
        .target(&alice())
        .say(&said.padded(GREETED, Duration::from_secs(60)))
        .length(GREETED + said.duration() + BEHIND)
}

// SEC-20, CMD-4: plain TCP is no trusted transport, whatever a header says.
#[test]
fn skip_pin_over_tcp_is_answered_with_the_pin_prompt() {
    let umbel = Umbel::start();
    let socket = listening_socket(DECIDED);
    let call = Sipp::new(&umbel, "listen", "skip")
        .target(&alices_voice_mail())
        .caller(&alice())
        .header("Ms-Exchange-Command: skip-pin")
        .audio(&socket)
        .length(UP);
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
    let socket = listening_socket(DECIDED);
    Sipp::new(&umbel, "no_offer", "no-offer").target(&alice()).audio(&socket).length(UP).run();
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
    leave(&umbel, "forged", &said)
        .target(&format!("sip:voicemail@{DOMAIN}"))
        .caller("sip:+15550100@elsewhere.test")
        .header(&format!("Diversion: <sip:alice@{DOMAIN}>;reason=no-answer"))
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
#[cfg(feature = "raw-sockets")]
fn keys_of_payload_type_96_open_the_mailbox() {
    let umbel = Umbel::start();
    let said = Sound::sentence("message");
    leave(&umbel, "before", &said).run();
    umbel.await_messages("alice", 1);
    let socket = listening_socket(DECIDED);
    let mut call = Sipp::new(&umbel, "keys", "keys")
        .target(&format!("sip:voicemail@{DOMAIN}"))
        .caller(&alice())
        .audio(&socket)
        .length(Duration::from_secs(240))
        .with("PIN", ALICE_PIN)
        .start();
    // Only who has logged in hears a message to its end.
    until("the message to be heard", Duration::from_secs(180), || {
        (umbel.messages("alice")[0]["state"] == "old").then_some(())
    });
    call.terminate(Duration::from_secs(60));
    umbel.stop();
}

// SEC-83: the same keys, one of them wrong.
#[test]
#[cfg(feature = "raw-sockets")]
fn wrong_keys_of_payload_type_96_do_not() {
    let umbel = Umbel::start();
    leave(&umbel, "before", &Sound::sentence("message")).run();
    umbel.await_messages("alice", 1);
    Sipp::new(&umbel, "keys", "keys")
        .target(&format!("sip:voicemail@{DOMAIN}"))
        .caller(&alice())
        .length(Duration::from_secs(10))
        .with("PIN", &ALICE_PIN.replace('3', "4"))
        .run();
    assert_eq!(umbel.messages("alice")[0]["state"], "new");
    umbel.stop();
}

#[test]
fn none_of_two_hundred_calls_in_a_burst_fails() {
    let umbel = Umbel::start();
    let said = Sound::sentence("message");
    leave(&umbel, "burst", &said).calls(200, 200).run();
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

// REL-1, REL-3: what was called saved stays, and of what was being said all but the last second or two.
#[test]
fn a_kill_in_mid_recording_loses_nothing_that_was_saved() {
    const CALLS: u32 = 20;
    let mut umbel = Umbel::start();
    let said = Sound::sentence("message");
    leave(&umbel, "saved", &said).calls(3, 3).run();
    let saved = umbel.await_messages("alice", 3);

    let mut calls =
        leave(&umbel, "cut-off", &said).calls(CALLS, CALLS).length(Duration::from_secs(150)).start();
    // All of them are being recorded, and have been for more than two seconds, when the spool says so.
    until("20 recordings under way", Duration::from_secs(120), || {
        let long = 58 + 8_000 * 4;
        let recordings = umbel.audio_files().into_iter().filter(|length| *length > long);
        (recordings.count() >= 3 + CALLS as usize).then_some(())
    });
    umbel.kill();
    let umbel = umbel.restart();
    calls.terminate(Duration::from_secs(60));

    let messages = umbel.await_messages("alice", 3 + CALLS as usize);
    assert_eq!(messages.len(), 3 + CALLS as usize);
    for message in &saved {
        let now = messages.iter().find(|now| now["id"] == message["id"]).expect("it is still there");
        assert_eq!(now, message);
        assert_contains(&Sound::read(&umbel.export(now)), &said);
    }
    for message in messages.iter().filter(|message| message["incomplete"] == true) {
        let file = umbel.export(message);
        let sound = Sound::read(&file);
        assert!(sound.duration() >= Duration::from_secs(2), "{sound:?}: {message}");
        let sox = std::process::Command::new("sox").arg(&file).args(["-n", "stat"]).output();
        let sox = sox.expect("sox is here");
        assert!(sox.status.success(), "sox cannot play it: {}", String::from_utf8_lossy(&sox.stderr));
    }
    let incomplete = messages.iter().filter(|message| message["incomplete"] == true).count();
    assert_eq!(incomplete, CALLS as usize);
    umbel.stop();
}
