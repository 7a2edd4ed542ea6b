//! What was heard at a telephone, as samples of a line.

use umbel_media::{Event as Sound, Tone};
use umbel_phone::{CallKey, News, Progress};
use umbel_wav::Limits;

use crate::phone::Told;

/// Samples of a stretch in which a tone is looked for: 25 ms.
const STRETCH: usize = 200;
/// So many stretches on end are the tone, and no word that happens to sound like it.
const STRETCHES: usize = 4;
/// What is quieter is no tone: a hundredth of the loudest.
const QUIET: f64 = 330.0;
/// How much of the energy of a stretch must be the tone's.
const PURITY: f64 = 0.9;

/// A WAV file as a line carries it; nothing where it is none.
pub(super) fn line(wav: &[u8]) -> Vec<i16> {
    let sound = umbel_wav::read(wav, Limits::default()).ok();
    sound.and_then(|sound| umbel_likeness::narrow(&sound.samples, sound.rate)).unwrap_or_default()
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
    line(&[umbel_wav::header(format, length), last].concat())
}

/// Whether the tone was heard after which one speaks.
pub(super) fn has_beep(samples: &[i16]) -> bool {
    let stretches: Vec<bool> = samples.chunks_exact(STRETCH).map(is_beep).collect();
    stretches.windows(STRETCHES).any(|window| window.iter().all(|is_beep| *is_beep))
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
        assert!(has_beep(&[prompt.clone(), vec![0; 123], beep, vec![0; 800]].concat()));
        assert!(!has_beep(&prompt));
        assert!(!has_beep(&tone(1_000.0, 90)), "too short");
        assert!(!has_beep(&tone(700.0, 400)), "another tone");
        assert!(!has_beep(&vec![0; 8_000]));
    }

    #[test]
    fn what_is_no_sound_is_silence() {
        assert!(line(b"no wave").is_empty());
        assert!(heard(&[], CallKey(1)).is_empty());
    }
}
