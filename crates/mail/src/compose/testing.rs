//! A message and its owner, for tests.

use std::time::Duration;

use umbel_store::{Address, AudioFormat, Caller, Importance, MessageId, MessageState, VoiceMessage};
use umbel_time::UnixTime;

use super::Addressing;

/// 2026-11-21 13:40:13 UTC, a Saturday.
pub(crate) const RECEIVED: UnixTime = UnixTime::from_secs(20_778 * 86_400 + 13 * 3_600 + 40 * 60 + 13);

static MAILBOX: std::sync::LazyLock<Address> =
    std::sync::LazyLock::new(|| Address::new("alice", "example.test").expect("an address"));

pub(crate) fn addressing() -> Addressing<'static> {
    Addressing {
        from: "voicemail@example.test",
        to: "alice@mail.example.test",
        to_name: "Alice Example",
        mailbox: &MAILBOX,
        utc_offset_seconds: 3_600,
    }
}

pub(crate) fn message() -> VoiceMessage {
    VoiceMessage {
        id: MessageId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
        mailbox: MAILBOX.clone(),
        number: 1,
        caller: Caller { id: "+15551234567".into(), name: Some("Bob".into()), verified: true },
        subject: "Lunch".into(),
        importance: Importance::Normal,
        received: RECEIVED,
        duration: Duration::from_millis(12_345),
        state: MessageState::New,
        deleted: None,
        incomplete: false,
        damaged: false,
        format: AudioFormat::Pcmu,
        bytes: 98_760,
        call_id: "a84b4c76e66710@example.test".into(),
    }
}
