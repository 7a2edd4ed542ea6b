//! The recordings we speak with, and sound packs in their place.
//!
//! Our own recordings (`prompts/en`, rendered by `prompts/render.sh`) are part of the program, so that it can
//! always speak. An operator may name the folder of an Asterisk sound pack instead (`prompts` in the
//! configuration); what the pack lacks is filled from ours. This room decides which file stands for which
//! recording; it is handed the function that reads one, so that it needs no files itself.

mod asterisk;
mod en;
mod pack;

pub use pack::{Origin, Pack, Recording};

/// Our own recording of this name, as a WAV file of 16-bit samples, 16 kHz, one channel.
pub fn own(name: &str) -> Option<&'static [u8]> {
    entry(name).map(|(_, _, file)| *file)
}

/// What our recording of this name says.
pub fn text(name: &str) -> Option<&'static str> {
    entry(name).map(|(_, text, _)| *text)
}

fn entry(name: &str) -> Option<&'static (&'static str, &'static str, &'static [u8])> {
    let at = en::RECORDINGS.binary_search_by(|(known, _, _)| (*known).cmp(name)).ok()?;
    en::RECORDINGS.get(at)
}

/// The names of all our recordings, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    en::RECORDINGS.iter().map(|(name, _, _)| *name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    /// Octets before the first sample in the files that `prompts/render.sh` writes.
    const HEADER: usize = 44;

    fn samples(file: &[u8]) -> Vec<i16> {
        file[HEADER..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn recordings_are_found_by_name() {
        for name in names() {
            assert!(own(name).is_some(), "{name}");
        }
        assert!(own("").is_none());
        assert!(own("goodbye.wav").is_none());
        assert!(own("../goodbye").is_none());
    }

    #[test]
    fn the_table_holds_the_texts_from_which_the_recordings_were_made() {
        let phrases = include_str!("../../../prompts/en/phrases.toml");
        let (_, rest) = phrases.split_once("[text]\n").unwrap();
        let (section, _) = rest.split_once("\n[").unwrap();
        let lines = section.lines().filter(|line| line.starts_with('"'));
        let written: Vec<_> =
            lines.map(|line| line.trim_matches('"').split_once("\" = \"").unwrap()).collect();
        let held: Vec<_> = names().map(|name| (name, text(name).unwrap())).collect();
        // Run prompts/render.sh after a change of phrases.toml.
        assert_eq!(held, written);
    }

    #[test]
    fn every_recording_is_wideband_mono() {
        for name in names() {
            let file = own(name).unwrap();
            assert_eq!(&file[..4], b"RIFF", "{name}");
            assert_eq!(&file[8..16], b"WAVEfmt ", "{name}");
            // Format 1 (PCM), one channel, 16,000 samples a second, 16 bits each.
            assert_eq!(&file[20..24], [1, 0, 1, 0], "{name}");
            assert_eq!(&file[24..28], 16_000_u32.to_le_bytes(), "{name}");
            assert_eq!(&file[34..36], [16, 0], "{name}");
            assert_eq!(&file[36..40], b"data", "{name}");
            let length = u32::from_le_bytes(file[40..44].try_into().unwrap());
            assert_eq!(length as usize, file.len() - HEADER, "{name}");
        }
    }

    #[test]
    fn every_recording_says_something_and_is_as_loud_as_the_others() {
        for name in names() {
            let samples = samples(own(name).unwrap());
            let length = Duration::from_millis(samples.len() as u64 / 16);
            assert!(length > Duration::from_millis(200), "{name}: {length:?}");
            assert!(length < Duration::from_secs(8), "{name}: {length:?}");

            let mean = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
            let loudness = 20.0 * (mean.sqrt() / 32_768.0).log10();
            assert!((-23.0..=-18.0).contains(&loudness), "{name}: {loudness:.1} dBFS");
            let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap();
            assert!(peak < 30_000, "{name}: clips");
        }
    }

    #[test]
    fn no_recording_begins_or_ends_with_a_long_silence() {
        const QUIET: u16 = 330; // 1 % of full scale
        // A final "th" is that quiet.
        const SILENCE_MAX: usize = 200; // milliseconds
        for name in names() {
            let samples = samples(own(name).unwrap());
            let loud = |sample: &i16| sample.unsigned_abs() > QUIET;
            let before = samples.iter().position(loud).unwrap();
            let after = samples.iter().rev().position(loud).unwrap();
            let (before, after) = (before / 16, after / 16);
            assert!(before < SILENCE_MAX && after < SILENCE_MAX, "{name}: {before} ms, {after} ms");
        }
    }
}
