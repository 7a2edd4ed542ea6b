//! A voice message: the envelope, and its audio.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::{Address, MessageId, clean_text};

/// Where a message stands with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageState {
    /// Not heard yet, or kept as new.
    New,
    /// Heard.
    Old,
    /// Deleted; kept 14 days (DEC-37), and can be brought back until then.
    Deleted,
}

impl MessageState {
    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            MessageState::New => "new",
            MessageState::Old => "old",
            MessageState::Deleted => "deleted",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [MessageState::New, MessageState::Old, MessageState::Deleted].into_iter().find(|s| s.as_str() == word)
    }
}

/// Which messages are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Those in this state.
    In(MessageState),
    /// New and old ones: what a full mailbox is counted by.
    Kept,
    /// All of them.
    All,
}

impl Folder {
    /// Whether a message in `state` is listed.
    pub fn holds(self, state: MessageState) -> bool {
        match self {
            Folder::In(wanted) => wanted == state,
            Folder::Kept => state != MessageState::Deleted,
            Folder::All => true,
        }
    }
}

/// RFC 3261 20.26 as HDR-2 reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Importance {
    /// `non-urgent`.
    Low,
    /// `normal`, absent or unknown.
    #[default]
    Normal,
    /// `urgent` and `emergency`, or marked urgent by the caller.
    High,
}

impl Importance {
    /// The word in records and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Importance::Low => "low",
            Importance::Normal => "normal",
            Importance::High => "high",
        }
    }

    /// The importance of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Importance::Low, Importance::Normal, Importance::High].into_iter().find(|i| i.as_str() == word)
    }
}

/// How audio is coded in the store: as it was received, or 16-bit samples (DEC-32). One channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioFormat {
    /// G.711 mu-law, 8,000 octets a second.
    Pcmu,
    /// G.711 A-law, 8,000 octets a second.
    Pcma,
    /// Signed 16-bit samples, least octet first, 8,000 a second.
    Pcm16At8k,
    /// Signed 16-bit samples, least octet first, 16,000 a second.
    Pcm16At16k,
    /// Signed 16-bit samples, least octet first, 48,000 a second.
    Pcm16At48k,
}

impl AudioFormat {
    /// All formats.
    pub const ALL: [AudioFormat; 5] = [
        AudioFormat::Pcmu,
        AudioFormat::Pcma,
        AudioFormat::Pcm16At8k,
        AudioFormat::Pcm16At16k,
        AudioFormat::Pcm16At48k,
    ];

    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            AudioFormat::Pcmu => "pcmu",
            AudioFormat::Pcma => "pcma",
            AudioFormat::Pcm16At8k => "pcm16-8k",
            AudioFormat::Pcm16At16k => "pcm16-16k",
            AudioFormat::Pcm16At48k => "pcm16-48k",
        }
    }

    /// The format of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Samples a second.
    pub const fn rate(self) -> u32 {
        match self {
            AudioFormat::Pcmu | AudioFormat::Pcma | AudioFormat::Pcm16At8k => 8_000,
            AudioFormat::Pcm16At16k => 16_000,
            AudioFormat::Pcm16At48k => 48_000,
        }
    }

    /// Octets of one sample.
    pub const fn bytes_per_sample(self) -> u64 {
        match self {
            AudioFormat::Pcmu | AudioFormat::Pcma => 1,
            AudioFormat::Pcm16At8k | AudioFormat::Pcm16At16k | AudioFormat::Pcm16At48k => 2,
        }
    }

    /// How long `bytes` octets last.
    pub fn duration(self, bytes: u64) -> Duration {
        let samples = bytes / self.bytes_per_sample();
        let micros = samples.saturating_mul(1_000_000) / u64::from(self.rate());
        Duration::from_micros(micros)
    }

    /// How many octets last `duration`, whole samples only.
    pub fn bytes(self, duration: Duration) -> u64 {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let samples = micros.saturating_mul(u64::from(self.rate())) / 1_000_000;
        samples.saturating_mul(self.bytes_per_sample())
    }
}

/// Who left a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Number or address, as it was believed; empty when anonymous.
    pub id: String,
    /// Display name, if any.
    pub name: Option<String>,
    /// Whether the number came from somebody who is believed (DEC-18).
    pub verified: bool,
}

impl Caller {
    /// The same caller with texts that are fit to store.
    #[must_use]
    pub fn clean(&self) -> Caller {
        let name = self.name.as_deref().map(clean_text);
        Caller { id: clean_text(&self.id), name, verified: self.verified }
    }
}

/// The envelope of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceMessage {
    /// Made when the call started.
    pub id: MessageId,
    /// Whose mailbox.
    pub mailbox: Address,
    /// Counts up in each mailbox, never used again (REL-08); lists are in this order.
    pub number: u64,
    /// Who left it.
    pub caller: Caller,
    /// Subject of the call (HDR-1), or empty.
    pub subject: String,
    /// How urgent.
    pub importance: Importance,
    /// When the call was answered.
    pub received: UnixTime,
    /// How long it plays.
    pub duration: Duration,
    /// Where it stands with its owner.
    pub state: MessageState,
    /// When it was deleted, while it is.
    pub deleted: Option<UnixTime>,
    /// The end is missing: found after a crash (REL-02).
    pub incomplete: bool,
    /// The audio is not what was stored (REL-05).
    pub damaged: bool,
    /// How the audio is coded.
    pub format: AudioFormat,
    /// Octets of audio.
    pub bytes: u64,
    /// The call that left it.
    pub call_id: String,
}

/// Audio as it is kept, without a file header.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAudio {
    /// How it is coded.
    pub format: AudioFormat,
    /// The octets.
    pub data: Bytes,
    /// They are not what was stored (REL-05); they may still be worth hearing.
    pub damaged: bool,
}

/// Never the audio itself.
impl std::fmt::Debug for StoredAudio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets of {}", self.data.len(), self.format.as_str())?;
        if self.damaged { f.write_str(", damaged") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_printed() {
        for format in AudioFormat::ALL {
            assert_eq!(AudioFormat::from_word(format.as_str()), Some(format));
        }
        assert_eq!(MessageState::from_word("deleted"), Some(MessageState::Deleted));
        assert_eq!(Importance::from_word("high"), Some(Importance::High));
        assert_eq!(Importance::from_word("HIGH"), None);
    }

    #[test]
    fn a_second_has_as_many_octets_as_it_lasts() {
        for format in AudioFormat::ALL {
            let second = format.bytes(Duration::from_secs(1));
            assert_eq!(format.duration(second), Duration::from_secs(1), "{format:?}");
        }
        assert_eq!(AudioFormat::Pcmu.bytes(Duration::from_secs(2)), 16_000);
        assert_eq!(AudioFormat::Pcm16At16k.bytes(Duration::from_millis(20)), 640);
    }
}
