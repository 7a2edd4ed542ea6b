//! What was heard in a call, and whether it is the same prompt as in another one, whatever the voice and the language.

use std::time::Duration;

use umbel_likeness::{RATE, find, narrow, without_gaps};
use umbel_wav::Format;

/// What of one is looked for in the other. Prompts that begin with the same word differ by then.
const PART: Duration = Duration::from_millis(1_600);
/// How far apart the places are that a part is taken from: where a packet is lost, the next one may be whole.
const STEP: Duration = Duration::from_millis(600);
/// Two hearings of one prompt are more alike than this. Of our own prompts they are at 0.9 with every fifth packet
/// lost.
const SAME: f64 = 0.85;
/// Two prompts are less alike than this; our own that do not begin with the same words are below 0.68.
const DIFFERENT: f64 = 0.7;
/// Below, a prompt was not even begun.
const LOUD: i32 = 300;
/// Loudness is looked at in steps of 20 ms.
const LOUDNESS_STEP: usize = 160;

/// The sound of one call, as a telephone line carries it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard(Vec<i16>);

/// Whether two hearings are of one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Different,
    Unclear,
}

impl Heard {
    /// Of a recording.
    pub(super) fn of(recording: &(Format, Vec<u8>)) -> Self {
        let (format, data) = recording;
        let mut file = umbel_wav::header(*format, u32::try_from(data.len()).unwrap_or(u32::MAX));
        file.extend_from_slice(data);
        let limits = umbel_wav::Limits { bytes_max: usize::MAX, duration_max: Duration::from_secs(600) };
        let samples = umbel_wav::read(&file, limits).map(|sound| sound.samples).unwrap_or_default();
        // Packets that come late on a busy machine tear a prompt, and no two hearings alike.
        let mut mended = without_gaps(&samples, format.rate);
        mended.resize(samples.len(), 0);
        Heard(narrow(&mended, format.rate).unwrap_or_default())
    }

    /// Whether nothing was said.
    pub(super) fn is_silent(&self) -> bool {
        self.spoken().is_empty()
    }

    /// Whether this is the same prompt, wherever in the call it began.
    pub(super) fn likeness(&self, other: &Heard) -> Likeness {
        let best = self.found_in(other).into_iter().chain(other.found_in(self)).reduce(f64::max);
        match best {
            Some(best) if best >= SAME => Likeness::Same,
            Some(best) if best < DIFFERENT => Likeness::Different,
            // Or one of them is too short to say.
            Some(_) | None => Likeness::Unclear,
        }
    }

    /// How much the best part of this is like anything in the other; none where either is too short.
    fn found_in(&self, other: &Heard) -> Option<f64> {
        let part = samples(PART);
        let spoken = self.spoken();
        if other.spoken().len() < part {
            return None;
        }
        let places = (0..=spoken.len().checked_sub(part)?).step_by(samples(STEP));
        let parts = places.filter_map(|place| spoken.get(place..place + part));
        parts.map(|part| find(part, &other.0).likeness).reduce(f64::max)
    }

    /// From where something is said.
    fn spoken(&self) -> &[i16] {
        let loud = |step: &[i16]| {
            let sum: i32 = step.iter().map(|sample| i32::from(*sample).abs()).sum();
            sum >= LOUD * i32::try_from(step.len()).unwrap_or(i32::MAX)
        };
        let begun = self.0.chunks(LOUDNESS_STEP).position(loud).unwrap_or(usize::MAX);
        self.0.get(begun.saturating_mul(LOUDNESS_STEP)..).unwrap_or_default()
    }

    /// Three seconds of a recording of the program's own.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(super) fn prompt(name: &str) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts/en").join(name);
        let limits = umbel_wav::Limits { bytes_max: usize::MAX, duration_max: Duration::from_secs(60) };
        let sound = umbel_wav::read(&std::fs::read(path).unwrap(), limits).unwrap();
        let mut samples = narrow(&sound.samples, sound.rate).unwrap();
        samples.resize(3 * RATE as usize, 0);
        Heard(samples)
    }

    #[cfg(test)]
    pub(super) fn silence() -> Self {
        Heard(vec![0; 3 * RATE as usize])
    }
}

fn samples(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX) * (RATE as usize / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPTS: [&str; 4] = ["enter-pin.wav", "enter-mailbox.wav", "wrong-pin.wav", "leave-message.wav"];

    #[test]
    fn a_prompt_is_like_itself_later_and_cut_off_and_unlike_others() {
        for name in PROMPTS {
            let once = Heard::prompt(name);
            let mut later = vec![0; samples(Duration::from_millis(1_000))];
            later.extend(&once.0);
            later.truncate(once.0.len());
            let later = Heard(later);
            assert_eq!(once.likeness(&once), Likeness::Same, "{name}");
            assert_eq!(once.likeness(&later), Likeness::Same, "{name}");
            assert_eq!(later.likeness(&once), Likeness::Same, "{name}");
            for other in PROMPTS.iter().filter(|other| **other != name) {
                assert_eq!(once.likeness(&Heard::prompt(other)), Likeness::Different, "{name}, {other}");
            }
        }
    }

    #[test]
    fn a_prompt_of_which_packets_are_lost_is_still_like_itself() {
        for name in PROMPTS {
            let once = Heard::prompt(name);
            for every in [5, 10, 50] {
                let mut gaps = once.clone();
                gaps.0.chunks_mut(LOUDNESS_STEP).step_by(every).for_each(|packet| packet.fill(0));
                assert_eq!(once.likeness(&gaps), Likeness::Same, "{name}, every {every}th");
            }
        }
    }

    #[test]
    fn silence_and_what_is_too_short_are_like_nothing() {
        let (silence, prompt) = (Heard::silence(), Heard::prompt(PROMPTS[0]));
        assert!(silence.is_silent() && !prompt.is_silent());
        let mut begun = prompt.clone();
        begun.0.truncate(samples(Duration::from_millis(1_500)));
        for other in [&silence, &Heard(Vec::new()), &begun] {
            assert_eq!(other.likeness(other), Likeness::Unclear);
            assert_eq!(prompt.likeness(other), Likeness::Unclear);
            assert_eq!(other.likeness(&prompt), Likeness::Unclear);
        }
    }
}
