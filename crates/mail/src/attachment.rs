//! The sound of a message as a file that every mail program plays: G.711 in WAV (DEC-32).

use umbel_media::Message;
use umbel_store::{AudioFormat, StoredAudio, VoiceMessage};
use umbel_wav::{Encoding, Format};

/// What a silent mu-law sample looks like.
const SILENCE: u8 = 0xff;

/// The type of the file, as [MS-OXOUM] names it.
pub const CONTENT_TYPE: &str = "audio/wav";

/// The sound as a file. G.711 stays as it was received, everything else becomes mu-law at 8,000 samples a second.
pub fn wav(audio: &StoredAudio) -> Vec<u8> {
    let (format, data) = g711(audio);
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut file = umbel_wav::header(format, length);
    file.reserve(data.len() + 1);
    file.extend_from_slice(&data);
    file.extend_from_slice(umbel_wav::padding(length));
    file
}

/// How many octets [`wav`] will make of the sound of this message.
pub fn wav_bytes(message: &VoiceMessage) -> u64 {
    let (format, data) = (wire_format(message.format), g711_bytes(message.format, message.bytes));
    let length = u32::try_from(data).unwrap_or(u32::MAX);
    umbel_wav::header(format, length).len() as u64 + data + umbel_wav::padding(length).len() as u64
}

/// The name of the file: `15551234567 (12 seconds) Voice Mail.wav`. Generated (SEC-116): of the caller's number
/// only digits stand in it.
pub fn name(message: &VoiceMessage) -> String {
    let digits = number(&message.caller.id);
    let seconds = seconds(message);
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let space = if digits.is_empty() { "" } else { " " };
    format!("{digits}{space}({seconds} {unit}) Voice Mail.wav")
}

/// How long the message plays, in whole seconds; one that plays at all plays at least one.
pub fn seconds(message: &VoiceMessage) -> u64 {
    let rounded = (message.duration.as_millis() + 500) / 1_000;
    u64::try_from(rounded).unwrap_or(u64::MAX).max(u64::from(!message.duration.is_zero()))
}

/// The digits of a telephone number; nothing of what is no number.
pub(crate) fn number(caller: &str) -> &str {
    /// E.164 has 15 digits; prefixes may come before them.
    const DIGITS_MAX: usize = 20;
    let digits = caller.strip_prefix('+').unwrap_or(caller);
    let is_number = (1..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits } else { "" }
}

fn wire_format(format: AudioFormat) -> Format {
    if format == AudioFormat::Pcma { Format::PCMA } else { Format::PCMU }
}

fn g711_bytes(format: AudioFormat, bytes: u64) -> u64 {
    let samples = bytes / format.bytes_per_sample();
    samples.saturating_mul(8_000) / u64::from(format.rate())
}

fn g711(audio: &StoredAudio) -> (Format, Vec<u8>) {
    let wanted = wire_format(audio.format);
    let stored = match audio.format {
        AudioFormat::Pcmu | AudioFormat::Pcma => return (wanted, audio.data.to_vec()),
        AudioFormat::Pcm16At8k | AudioFormat::Pcm16At16k | AudioFormat::Pcm16At48k => {
            Format { encoding: Encoding::Pcm16, rate: audio.format.rate() }
        }
    };
    let message = Message { format: stored, data: audio.data.clone() };
    let converted = message.converted(wanted).map(|message| message.data.to_vec()).unwrap_or_default();
    // The filter may give a sample more or less; the length is promised by `wav_bytes`.
    let bytes = g711_bytes(audio.format, audio.data.len() as u64);
    let mut converted = converted;
    converted.resize(usize::try_from(bytes).unwrap_or(0), SILENCE);
    (wanted, converted)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use umbel_wav::Limits;

    use super::*;
    use crate::compose::testing::message;

    fn sound(format: AudioFormat, bytes: usize) -> StoredAudio {
        StoredAudio { format, data: vec![0x11; bytes].into(), damaged: false }
    }

    /// DEC-32
    #[test]
    fn g711_goes_out_as_it_was_received() {
        for (format, encoding) in [(AudioFormat::Pcmu, Encoding::Pcmu), (AudioFormat::Pcma, Encoding::Pcma)] {
            let file = wav(&sound(format, 161));
            let read = umbel_wav::read(&file, Limits::default()).expect("a WAV file");
            assert_eq!((read.encoding, read.rate, read.samples.len()), (encoding, 8_000, 161));
            assert!(file.windows(161).any(|window| window == [0x11; 161]));
        }
    }

    /// DEC-32
    #[test]
    fn wideband_goes_out_as_g711_of_the_same_length() {
        let tone = |at: u32| (f64::from(at) * 0.05).sin() * 9_000.0;
        #[allow(clippy::cast_possible_truncation, reason = "the tone is within 16 bits")]
        let samples: Vec<u8> = (0..16_000).flat_map(|at| (tone(at) as i16).to_le_bytes()).collect();
        let audio = StoredAudio { format: AudioFormat::Pcm16At16k, data: samples.into(), damaged: false };
        let read = umbel_wav::read(&wav(&audio), Limits::default()).expect("a WAV file");
        assert_eq!((read.encoding, read.rate, read.samples.len()), (Encoding::Pcmu, 8_000, 8_000));
        let loudest = read.samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        assert!((8_000..10_000).contains(&loudest), "{loudest}");
    }

    #[test]
    fn the_length_of_the_file_is_known_without_the_sound() {
        for format in AudioFormat::ALL {
            for bytes in [0_usize, 1, 2, 3, 160, 161, 4_001, 96_002] {
                let mut message = message();
                (message.format, message.bytes) = (format, bytes as u64);
                let file = wav(&sound(format, bytes));
                assert_eq!(wav_bytes(&message), file.len() as u64, "{format:?} {bytes}");
            }
        }
    }

    /// SEC-116
    #[test]
    fn the_name_of_the_file_is_ours() {
        let name_for = |caller: &str, millis| {
            let mut message = message();
            message.caller.id = caller.into();
            message.duration = Duration::from_millis(millis);
            name(&message)
        };
        assert_eq!(name_for("+15551234567", 12_400), "15551234567 (12 seconds) Voice Mail.wav");
        assert_eq!(name_for("201", 200), "201 (1 second) Voice Mail.wav");
        for caller in ["", "../../etc/passwd", "1\r\n2", "bob@example.test", "123456789012345678901", "١٢٣"]
        {
            assert_eq!(name_for(caller, 0), "(0 seconds) Voice Mail.wav", "{caller:?}");
        }
    }
}
