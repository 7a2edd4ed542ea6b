//! A sound card that is no card: PulseAudio with two sinks that end nowhere, of which one is the loudspeaker of the
//! telephone, and what is played to the other is what its microphone takes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::Program;
use crate::sound::Sound;
use crate::umbel::Umbel;
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(90);
/// At which the loudspeaker is listened to.
const RATE: u32 = 16_000;
/// Programs know ALSA, and ALSA knows PulseAudio by its plugin.
const ALSA: &str = "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n";

/// A running server.
pub struct SoundServer {
    // Dropped in this order: who listens, then the server.
    listener: Program,
    _server: Program,
    folder: PathBuf,
}

impl SoundServer {
    /// A server of the test's own, whose loudspeaker is listened to from now on.
    pub fn start(umbel: &Umbel) -> Self {
        let folder = umbel.folder().join("sound");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        std::fs::write(folder.join("asound.conf"), ALSA).expect("a file can be written");
        let socket = folder.join("socket");
        let mut command = Command::new("pulseaudio");
        // No files of the machine's, and nobody to end it but us.
        command.args(["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]);
        for sink in [LOUDSPEAKER, MICROPHONE] {
            command.args(["-L", &format!("module-null-sink sink_name={sink} rate=48000")]);
        }
        let door = format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display());
        command.args(["-L", &door]).env("HOME", &folder).env("XDG_RUNTIME_DIR", &folder);
        let mut server = Program::start(&mut command, &folder.join("log"));
        until("PulseAudio's socket", PATIENCE, || {
            assert!(server.ended().is_none(), "PulseAudio ended at its start:\n{}", server.tail());
            socket.exists().then_some(())
        });
        let mut command = Command::new("parecord");
        let format = ["--raw", "--format=s16le", "--channels=1", "--latency-msec=50"];
        command.args(format).arg(format!("--rate={RATE}"));
        command.args(["-d", &format!("{LOUDSPEAKER}.monitor")]).arg(folder.join("heard.raw"));
        in_folder(&mut command, &folder);
        let listener = Program::start(&mut command, &folder.join("listener"));
        let sounds = SoundServer { listener, _server: server, folder };
        // An idle sink gives silence: it is listened to.
        until("the loudspeaker to be listened to", PATIENCE, || (!sounds.samples().is_empty()).then_some(()));
        sounds
    }

    /// Makes it the sound card of what the command starts.
    pub fn is_card_of(&self, command: &mut Command) {
        in_folder(command, &self.folder);
        command.env("ALSA_CONFIG_PATH", self.folder.join("asound.conf"));
        command.env("PULSE_SINK", LOUDSPEAKER).env("PULSE_SOURCE", format!("{MICROPHONE}.monitor"));
    }

    /// Says this into the microphone, to its end.
    pub fn say(&self, sound: &Sound) {
        let mut command = Command::new("paplay");
        command.args(["-d", MICROPHONE]).arg(sound.write(&self.folder.join("say.wav")));
        in_folder(&mut command, &self.folder);
        let status =
            Program::start(&mut command, &self.folder.join("speaker")).wait(sound.duration() + PATIENCE);
        assert!(status.success(), "paplay: {status}");
    }

    /// All that came out of the loudspeaker.
    pub fn heard(mut self) -> Sound {
        self.listener.terminate(PATIENCE);
        Sound { rate: RATE, samples: self.samples() }
    }

    fn samples(&self) -> Vec<i16> {
        let bytes = std::fs::read(self.folder.join("heard.raw")).unwrap_or_default();
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }
}

const LOUDSPEAKER: &str = "loudspeaker";
const MICROPHONE: &str = "microphone";

fn in_folder(command: &mut Command, folder: &std::path::Path) {
    command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command.env("PULSE_SERVER", format!("unix:{}", folder.join("socket").display()));
}
