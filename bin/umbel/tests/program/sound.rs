//! Sounds that can be told apart from silence, and files of them.

use std::path::{Path, PathBuf};

use umbel_wav::{Encoding, Format, Sound};

/// A tone of 440 Hz.
pub(crate) fn tone(rate: u32, millis: u32) -> Vec<i16> {
    tone_of(440, rate, millis)
}

/// A tone of this frequency.
fn tone_of(hertz: u32, rate: u32, millis: u32) -> Vec<i16> {
    let step = f64::from(hertz) * std::f64::consts::TAU / f64::from(rate);
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

/// The same, of this frequency, at 16 kHz.
pub(crate) fn write_tone_of(folder: &Path, name: &str, hertz: u32, millis: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, wav(&tone_of(hertz, 16_000, millis), 16_000)).unwrap();
    path
}

/// For how many seconds a tone of this frequency is heard, in steps of 40 ms that are loud throughout: each is
/// judged by how often it crosses zero.
pub(crate) fn seconds_of(sound: &Sound, hertz: u32) -> f64 {
    let step = usize::try_from(sound.rate / 25).unwrap();
    let is_tone = |chunk: &&[i16]| {
        let loud = chunk.iter().filter(|sample| sample.unsigned_abs() > 1_000).count() > chunk.len() / 2;
        let crossings = chunk.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
        // Twice a period, in 40 ms.
        let expected = usize::try_from(hertz * 2 / 25).unwrap();
        loud && crossings.abs_diff(expected) <= 2 + expected / 20
    };
    let steps = sound.samples.chunks_exact(step).filter(is_tone).count();
    f64::from(u32::try_from(steps).unwrap()) / 25.0
}

/// A file as an ordinary player reads it.
#[track_caller]
pub(crate) fn read(path: &Path) -> Sound {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let limits = umbel_wav::Limits { bytes_max: usize::MAX, duration_max: std::time::Duration::MAX };
    umbel_wav::read(&bytes, limits).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// For how many seconds something loud is heard, in steps of 2.5 ms: a period of the tone is shorter, and the gaps
/// that a busy machine makes in it add next to nothing.
pub(crate) fn loud_seconds(sound: &Sound) -> f64 {
    let step = usize::try_from(sound.rate / 400).unwrap();
    let loud = |chunk: &&[i16]| chunk.iter().any(|sample| sample.unsigned_abs() > 1_000);
    let steps = sound.samples.chunks(step).filter(loud).count();
    f64::from(u32::try_from(steps).unwrap()) / 400.0
}
