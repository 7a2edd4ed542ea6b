//! Things to play: prompts, messages, silence and tones.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use umbel_wav::Format;

/// Sound that was prepared in every codec, to be shared by all calls that play it.
pub struct Prompt {
    duration: Duration,
}

/// Sound that cannot be made into a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSound {
    /// No samples, or a rate of zero.
    #[error("there is no sound in it")]
    Empty,
    /// A rate that cannot be turned into that of a codec.
    #[error("{0} samples a second cannot be turned into 8000 or 16000")]
    Rate(u32),
}

impl Prompt {
    /// Prepares one channel of linear samples of any rate. Takes a while: meant for when prompts are loaded.
    pub fn new(samples: &[i16], rate: u32) -> Result<Prompt, UnusableSound> {
        let _ = (samples, rate);
        todo!()
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("duration", &self.duration).finish_non_exhaustive()
    }
}

/// A stored recording: its samples without the header of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// One of the formats of [`crate::Codec::recording_format`]. Anything else plays as silence.
    pub format: Format,
    /// The samples.
    pub data: Bytes,
}

impl Message {
    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        self.format.duration(self.data.len() as u64)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("format", &self.format)
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}

/// A sine wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    /// In hertz.
    pub frequency: u16,
    /// How long.
    pub duration: Duration,
    /// Below the loudest possible sine, in decibels.
    pub attenuation: u8,
}

impl Tone {
    /// "Speak now": a little under half a second of 1000 Hz.
    pub const BEEP: Tone = Tone { frequency: 1_000, duration: Duration::from_millis(400), attenuation: 14 };
}

/// One thing to play. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Clip {
    /// A prompt.
    Prompt(Arc<Prompt>),
    /// A stored message or greeting.
    Message(Message),
    /// Nothing, for a while.
    Silence(Duration),
    /// A tone.
    Tone(Tone),
}

impl Clip {
    /// How long it lasts at its own speed.
    pub fn duration(&self) -> Duration {
        match self {
            Clip::Prompt(prompt) => prompt.duration(),
            Clip::Message(message) => message.duration(),
            Clip::Silence(duration) => *duration,
            Clip::Tone(tone) => tone.duration,
        }
    }
}
