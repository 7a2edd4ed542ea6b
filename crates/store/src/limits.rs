//! Bounds of what is stored, each with what happens at it, and the settings of a store.

use std::time::Duration;

use crate::PinPolicy;

/// Longest name, subject or caller; longer ones of callers are cut, of administrators refused.
pub const TEXT_CHARS_MAX: usize = 255;
/// Longest Call-ID on record; what is longer is cut, wherever it is written down or looked for.
pub const CALL_ID_BYTES_MAX: usize = 255;
/// Other names of a user; a further one is refused.
pub const ALIASES_MAX: usize = 32;
/// Routing rules of a user; a further one is refused.
pub const ROUTING_RULES_MAX: usize = 64;
/// Longest value of a routing rule: ten targets, each a URI. A longer one is refused.
pub const ROUTING_CHARS_MAX: usize = 4_096;
/// Longest list that one reply carries; the rest is asked for from where it ended.
pub const LIST_MAX: usize = 1_000;
/// Most changed mailboxes in one reply; the rest is asked for from where it ended. Each is counted when it
/// is asked for, and others wait for the store meanwhile.
pub const CHANGES_MAX: usize = 100;
/// Items of a mailbox that are remembered as gone; a sweep forgets the oldest beyond it, and mail programs that
/// looked last before that begin anew.
pub const GONE_ITEMS_MAX: usize = 1_000;
/// SEC-45: longest dial string.
pub const DIAL_STRING_CHARS_MAX: usize = 128;
/// Longest id of a folder; mail programs keep up to 512 octets.
pub const FOLDER_ID_CHARS_MAX: usize = 512;
/// Largest chunk of a recording; a larger one is refused as too long.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Longest recording, whatever the configuration says: ten minutes of 48 kHz samples. What is over
/// it is refused, what there is can be finished.
pub const RECORDING_BYTES_MAX: u64 = 10 * 60 * 48_000 * 2;

/// Recordings that may run at once; a further one is refused as overload.
pub const RECORDINGS_MAX: usize = 10_000;
/// Calls, decisions and audit records, of each kind; a sweep removes the oldest beyond it.
pub const RECORDS_MAX: usize = 1_000_000;

/// Settings of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Messages that a mailbox holds, deleted ones not counted.
    pub messages_max: u32,
    /// Which PINs are good enough, and when a door is locked.
    pub pin: PinPolicy,
    /// How long deleted messages are kept (DEC-37).
    pub deleted_kept: Duration,
    /// How long calls, decisions and audit records are kept (DEC-37).
    pub records_kept: Duration,
    /// Whether mails are put into the queue: a mail server is configured.
    pub mail: bool,
    /// Unfinished recordings of this length become messages after a crash (REL-02).
    pub incomplete_min: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            messages_max: 500,
            pin: PinPolicy::default(),
            deleted_kept: Duration::from_secs(14 * 24 * 3_600),
            records_kept: Duration::from_secs(90 * 24 * 3_600),
            mail: false,
            incomplete_min: Duration::from_secs(2),
        }
    }
}

/// Text of a caller's, made fit to store: control characters removed, cut at the bound (HDR-1).
pub fn clean_text(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

/// A Call-ID as it is on record: whoever calls chooses it, and may fill the disk with it.
pub fn call_id_on_record(call_id: &str) -> &str {
    call_id.get(..call_id.floor_char_boundary(CALL_ID_BYTES_MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_is_on_record_up_to_its_bound() {
        let longest = "c".repeat(CALL_ID_BYTES_MAX);
        assert_eq!(call_id_on_record(&longest), longest);
        assert_eq!(call_id_on_record(&format!("{longest}c")), longest);
        assert_eq!(call_id_on_record(&"ü".repeat(200)).len(), CALL_ID_BYTES_MAX - 1);
    }

    #[test]
    fn text_of_a_caller_loses_controls_and_its_excess() {
        assert_eq!(clean_text("Re:\r\n budget\u{1b}"), "Re: budget");
        assert_eq!(clean_text(&"ü".repeat(TEXT_CHARS_MAX + 1)).chars().count(), TEXT_CHARS_MAX);
    }
}
