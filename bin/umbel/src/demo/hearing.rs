//! What was heard at a telephone, as samples of a line.

use umbel_likeness::without_gaps;
use umbel_media::{Event as Sound, Tone};
use umbel_phone::{CallKey, News, Progress};
use umbel_wav::Limits;

use crate::phone::Told;

/// Samples of a stretch in which a tone is looked for: 10 ms, so that one lies within a packet wherever that begins.
const STRETCH: usize = 80;
/// So many stretches are the tone, and no word that happens to sound like it.
const STRETCHES: usize = 10;
/// Among so many: on a busy machine there may be a gap behind every packet of it.
const AMONG: usize = 200;
/// What is quieter is no tone: a hundredth of the loudest.
const QUIET: f64 = 330.0;
/// How much of the energy of a stretch must be the tone's.
const PURITY: f64 = 0.9;

/// A WAV file as a line carries it; nothing where it is none.
pub(super) fn line(wav: &[u8]) -> Vec<i16> {
    let sound = umbel_wav::read(wav, Limits::default()).ok();
    sound.and_then(|sound| umbel_likeness::narrow(&sound.samples, sound.rate)).unwrap_or_default()
}

/// The same of a recording. A busy machine sends packets late, and a recorder fills the time with silence: where it did,
/// the sound follows once more, a second behind, without what was filled in.
pub(super) fn recorded(wav: &[u8]) -> Vec<i16> {
    let Ok(sound) = umbel_wav::read(wav, Limits::default()) else { return Vec::new() };
    let narrow = |samples: &[i16]| umbel_likeness::narrow(samples, sound.rate).unwrap_or_default();
    let (whole, mended) = (narrow(&sound.samples), without_gaps(&sound.samples, sound.rate));
    if mended.is_empty() || mended.len() == sound.samples.len() {
        return whole;
    }
    [whole, vec![0; umbel_likeness::RATE as usize], narrow(&mended)].concat()
}

/// What was heard in a call so far.
pub(super) fn heard(told: &[Told], call: CallKey) -> Vec<i16> {
    heard_last(told, call, u32::MAX)
}

/// The last seconds of it: looked at again and again, all of it would keep a busy machine from hearing on.
pub(super) fn heard_last(told: &[Told], call: CallKey, seconds: u32) -> Vec<i16> {
    let of_call = told.iter().filter_map(|(_, news)| match news {
        News::Call { call: ours, change, .. } if *ours == call => Some(change),
        _ => None,
    });
    let (mut format, mut data) = (None, Vec::new());
    for change in of_call {
        match change {
            Progress::Answered(answered) => format = Some(answered.codec.recording_format()),
            Progress::Sound(Sound::Recorded { chunk, .. }) => data.extend_from_slice(chunk),
            _ => {}
        }
    }
    let Some(format) = format else { return Vec::new() };
    let most = format.bytes_per_second().saturating_mul(u64::from(seconds));
    // Whole seconds are whole samples.
    let last = data.split_off(data.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX)));
    let length = u32::try_from(last.len()).unwrap_or(u32::MAX);
    recorded(&[umbel_wav::header(format, length), last].concat())
}

/// Whether the tone was heard after which one speaks.
pub(super) fn has_beep(samples: &[i16]) -> bool {
    let stretches: Vec<bool> = samples.chunks_exact(STRETCH).map(is_beep).collect();
    let are_enough = |window: &[bool]| window.iter().filter(|is_beep| **is_beep).count() >= STRETCHES;
    stretches.windows(AMONG.min(stretches.len()).max(1)).any(are_enough)
}

/// Goertzel's algorithm: the energy at one frequency against that of everything.
fn is_beep(stretch: &[i16]) -> bool {
    let turn = std::f64::consts::TAU * f64::from(Tone::BEEP.frequency) / f64::from(umbel_likeness::RATE);
    let coefficient = 2.0 * turn.cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for sample in stretch.iter().map(|sample| f64::from(*sample)) {
        (last, before) = (sample + coefficient * last - before, last);
        energy += sample * sample;
    }
    let length = stretch.len() as f64;
    let tone = last * last + before * before - coefficient * last * before;
    (energy / length).sqrt() > QUIET && 2.0 * tone / length > PURITY * energy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f64, millis: usize) -> Vec<i16> {
        let turn = std::f64::consts::TAU * frequency / 8_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "within bounds by its factor")]
        let sample = |at: usize| (6_000.0 * (turn * at as f64).sin()) as i16;
        (0..millis * 8).map(sample).collect()
    }

    #[test]
    fn the_tone_is_found_behind_a_greeting_and_nothing_else_is_taken_for_it() {
        let prompt = line(umbel_prompts::own("leave-message").expect("there is one"));
        assert!(prompt.len() > 8_000);
        let beep = tone(1_000.0, 400);
        assert!(has_beep(&[prompt.clone(), vec![0; 123], beep.clone(), vec![0; 800]].concat()));
        // Each packet late by more than one.
        let torn = beep.chunks(160).flat_map(|packet| [&[0; 213], packet].concat()).collect::<Vec<_>>();
        assert!(has_beep(&[prompt, torn].concat()));
        for name in umbel_prompts::names() {
            let said = line(umbel_prompts::own(name).expect("its name is one of ours"));
            assert!(!has_beep(&said), "{name}");
            assert!(!has_beep(&said.repeat(3)), "{name}, again and again");
        }
        assert!(!has_beep(&tone(1_000.0, 90)), "too short");
        assert!(!has_beep(&tone(700.0, 400)), "another tone");
        assert!(!has_beep(&vec![0; 8_000]));
    }

    #[test]
    fn a_sentence_that_was_torn_is_found_and_half_of_it_is_not() {
        let file = umbel_prompts::own("leave-message").expect("there is one");
        let sound = umbel_wav::read(file, Limits::default()).expect("our own recording is one");
        let packet = usize::try_from(sound.rate / 50).expect("it is small");
        let format = umbel_wav::Format { encoding: umbel_wav::Encoding::Pcm16, rate: sound.rate };
        let torn = |samples: &[i16]| {
            let gap = vec![0; packet * 7 / 5];
            // What went over a line is never as quiet as what a recorder fills in.
            let carried: Vec<i16> =
                samples.iter().map(|sample| if *sample == 0 { 1 } else { *sample }).collect();
            let pieces = carried.chunks(4 * packet);
            let bytes: Vec<u8> =
                pieces.flat_map(|piece| [piece, &gap].concat()).flat_map(i16::to_le_bytes).collect();
            let length = u32::try_from(bytes.len()).expect("it is short");
            recorded(&[umbel_wav::header(format, length), bytes].concat())
        };
        let said = line(file);
        assert!(umbel_likeness::find(&said, &torn(&sound.samples)).is_same());
        assert!(!umbel_likeness::find(&said, &torn(&sound.samples[..sound.samples.len() / 2])).is_same());
        let other = line(umbel_prompts::own("enter-pin").expect("there is one"));
        assert!(!umbel_likeness::find(&other, &torn(&sound.samples)).is_same());
    }

    #[test]
    fn what_is_no_sound_is_silence() {
        assert!(line(b"no wave").is_empty());
        assert!(heard(&[], CallKey(1)).is_empty());
    }
}
