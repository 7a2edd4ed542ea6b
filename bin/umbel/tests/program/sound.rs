//! Sounds that can be told apart from silence, and files of them.

use std::path::{Path, PathBuf};

use umbel_wav::{Encoding, Format, Sound};

/// A tone of 440 Hz.
pub(crate) fn tone(rate: u32, millis: u32) -> Vec<i16> {
    let step = 440.0 * std::f64::consts::TAU / f64::from(rate);
    #[expect(clippy::cast_possible_truncation, reason = "the amplitude is 8000")]
    (0..rate * millis / 1_000).map(|n| (8_000.0 * (f64::from(n) * step).sin()) as i16).collect()
}

/// A WAV file of 16-bit samples.
pub(crate) fn wav(samples: &[i16], rate: u32) -> Vec<u8> {
    let length = u32::try_from(samples.len() * 2).unwrap();
    let mut file = umbel_wav::header(Format { encoding: Encoding::Pcm16, rate }, length);
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Writes a tone into `folder`.
pub(crate) fn write_tone(folder: &Path, name: &str, rate: u32, millis: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, wav(&tone(rate, millis), rate)).unwrap();
    path
}

/// A file as an ordinary player reads it.
#[track_caller]
pub(crate) fn read(path: &Path) -> Sound {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let limits = umbel_wav::Limits { bytes_max: usize::MAX, duration_max: std::time::Duration::MAX };
    umbel_wav::read(&bytes, limits).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// For how many seconds something loud is heard, in steps of 20 ms.
pub(crate) fn loud_seconds(sound: &Sound) -> f64 {
    let step = usize::try_from(sound.rate / 50).unwrap();
    let loud = |chunk: &&[i16]| chunk.iter().any(|sample| sample.unsigned_abs() > 1_000);
    let steps = sound.samples.chunks(step).filter(loud).count();
    f64::from(u32::try_from(steps).unwrap()) / 50.0
}
