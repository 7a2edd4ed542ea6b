//! Our own telephone with a sound card: a build with the feature `audio`, which `UMBEL_BINARY` names.

use std::time::Duration;

use umbel_interop::process::Program;
use umbel_interop::sound::Sound;
use umbel_interop::sound_server::SoundServer;
use umbel_interop::speech::{assert_contains, assert_lacks};
use umbel_interop::umbel::{Server, Umbel};
use umbel_interop::wait::until;

const PATIENCE: Duration = Duration::from_secs(120);
/// Two seconds of wide sound, eight of narrow.
const SOME: u64 = 64_000;

/// Bob calls alice, who is not there: her greeting comes out of his loudspeaker, and what he says into his microphone
/// is the message.
#[test]
fn what_is_heard_is_played_and_what_the_microphone_takes_is_sent() {
    let umbel = Umbel::start();
    let sounds = SoundServer::start(&umbel);
    let words =
        ["call", "alice@example.test", "--as", "bob@example.test", "--audio", "device", "--for", "300s"];
    let mut command = umbel.phone_command(&words, &Server::Tcp);
    sounds.is_card_of(&mut command);
    let before = umbel.stored_sound();
    let mut telephone = Program::start(&mut command, &umbel.folder().join("telephone"));
    let mut recorded = |least: u64| {
        until("the message to be recorded", PATIENCE, || {
            assert!(telephone.ended().is_none(), "the telephone ended:\n{}", telephone.tail());
            Some(umbel.stored_sound()).filter(|length| *length > least)
        })
    };
    recorded(before);
    let said = Sound::sentence("message");
    sounds.say(&said);
    // Also what is still on its way.
    let when_said = umbel.stored_sound();
    recorded(when_said + SOME);
    telephone.terminate(PATIENCE);
    let message = umbel.await_messages("alice", 1).remove(0);
    let kept = Sound::read(&umbel.export(&message));
    assert_contains(&kept, &said);
    let (heard, greeting) = (sounds.heard(), Sound::sentence("greeting"));
    assert_contains(&heard, &greeting);
    // There is no way from the microphone to the loudspeaker, nor back.
    assert_lacks(&heard, &said);
    assert_lacks(&kept, &greeting);
    umbel.stop();
}
