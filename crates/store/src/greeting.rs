//! Greetings: what the owner says to callers.

use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::AudioFormat;

/// A recording of the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GreetingKind {
    /// The everyday greeting.
    Standard,
    /// The greeting while away.
    OutOfOffice,
    /// The spoken name, put into our own sentences.
    Name,
}

impl GreetingKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [GreetingKind; 3] =
        [GreetingKind::Standard, GreetingKind::OutOfOffice, GreetingKind::Name];

    /// The word in commands, records and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            GreetingKind::Standard => "standard",
            GreetingKind::OutOfOffice => "out-of-office",
            GreetingKind::Name => "name",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Which greeting callers hear. The one that was chosen need not be recorded: then a spoken default
/// with the name takes its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActiveGreeting {
    /// The everyday greeting.
    #[default]
    Standard,
    /// The greeting while away.
    OutOfOffice,
}

impl ActiveGreeting {
    /// The recording that belongs to it.
    pub const fn kind(self) -> GreetingKind {
        match self {
            ActiveGreeting::Standard => GreetingKind::Standard,
            ActiveGreeting::OutOfOffice => GreetingKind::OutOfOffice,
        }
    }
}

/// What is known of a recorded greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Which one.
    pub kind: GreetingKind,
    /// How it is coded.
    pub format: AudioFormat,
    /// Octets of audio.
    pub bytes: u64,
    /// When it was recorded or uploaded.
    pub recorded: UnixTime,
}
