//! The recordings we speak with: read at the start, encoded beside the first calls.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use umbel_ivr::{Language, Prompt};
use umbel_prompts::{Origin, Pack};
use umbel_um::Prompts;
use umbel_wav::Limits;

use crate::config::Config;
use crate::exit::Failure;

/// Breath between two files of a sound pack that together say what one of ours says.
const JOINT_MILLIS: usize = 60;

/// All recordings.
pub(crate) struct Loaded {
    pub(crate) prompts: Prompts,
    /// How many of them came from the configured sound pack.
    pub(crate) from_pack: usize,
    recordings: Vec<Arc<umbel_media::Prompt>>,
}

impl Loaded {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.recordings.len()
    }

    /// Encodes them all on a thread of its own, so that listeners need not wait for it. A call that is faster
    /// encodes what it plays.
    pub(super) fn prepare(&self) {
        let recordings = self.recordings.clone();
        let preparation = move || recordings.iter().for_each(|recording| recording.prepare());
        // Where there is no thread to be had, calls encode what they play.
        let _ = std::thread::Builder::new().name("prompts".to_owned()).spawn(preparation);
    }
}

/// Reads all recordings.
pub(crate) fn load(config: &Config) -> Result<Loaded, Failure> {
    let pack = if config.prompts.is_some() { Pack::Asterisk } else { Pack::Own };
    let folder = config.prompts.as_deref();
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::config(format!(
            "prompts: {} is no directory; name an Asterisk sound pack, or leave it empty for our own prompts",
            folder.display()
        )));
    }
    let mut recordings = BTreeMap::new();
    let mut from_pack = 0;
    for name in umbel_prompts::names() {
        let Some(recording) = pack.find(name, |file| folder.and_then(|folder| read(folder, file))) else {
            continue;
        };
        let Some(prompt) = prepare(&recording.files) else {
            return Err(Failure::config(format!("prompts: the recording {name} cannot be read")));
        };
        from_pack += usize::from(recording.origin == Origin::Pack);
        recordings.insert((Language::English, Prompt(name)), Arc::new(prompt));
    }
    let all = recordings.values().cloned().collect();
    Ok(Loaded { prompts: Prompts::new(recordings), from_pack, recordings: all })
}

/// A file of the pack, where it is one that we can use.
fn read(folder: &Path, file: &str) -> Option<Vec<u8>> {
    let bytes = fs::read(folder.join(file)).ok()?;
    umbel_wav::read(&bytes, Limits::default()).ok()?;
    Some(bytes)
}

/// One or more files, one after the other, as one prompt.
fn prepare(files: &[std::borrow::Cow<'static, [u8]>]) -> Option<umbel_media::Prompt> {
    let sounds: Vec<_> =
        files.iter().map(|file| umbel_wav::read(file, Limits::default())).collect::<Result<_, _>>().ok()?;
    let rate = sounds.first()?.rate;
    let mut samples = Vec::new();
    for sound in &sounds {
        if sound.rate != rate {
            return None;
        }
        if !samples.is_empty() {
            samples.resize(samples.len() + usize::try_from(rate).ok()? * JOINT_MILLIS / 1_000, 0);
        }
        samples.extend_from_slice(&sound.samples);
    }
    umbel_media::Prompt::new(&samples, rate).ok()
}
