//! What a script is told: the caller's doings and the store's replies. Facts, in the past tense.

use std::time::Duration;

use crate::keys::Keys;
use crate::mailbox::{Fetched, Greetings, Listed, Overview, PinRefusal, PinVerdict, Sender};
use crate::menu::Choice;

/// One fact for a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key of the menu that was being collected.
    Chose(Choice),
    /// The digits that were being collected, without their end mark.
    Collected(Keys),
    /// Star, while digits were being collected.
    Cancelled,
    /// A key that the menu does not have, or an entry without digits.
    NoMatch,
    /// Everything was said and no key came in the grammar's time.
    NoInput,
    /// A clip could not be read, or not to its end (REL-38).
    ClipFailed,
    /// The recording has ended and is all there.
    Recorded(Recorded),
    /// The caller is gone, or must be treated so: hung up, no RTP, call too long.
    HungUp,

    /// Reply to [`CheckPin`](crate::Request::CheckPin).
    PinChecked(PinVerdict),
    /// Reply to [`Open`](crate::Request::Open).
    Opened(Overview),
    /// Reply to [`List`](crate::Request::List), oldest first.
    Listed(Vec<Listed>),
    /// Reply to [`Fetch`](crate::Request::Fetch).
    Fetched(Fetched),
    /// Reply to [`Greetings`](crate::Request::Greetings).
    Greetings(Greetings),
    /// Reply to [`FindSender`](crate::Request::FindSender).
    Sender(Sender),
    /// Reply to [`ChangePin`](crate::Request::ChangePin): it was not changed, and why.
    PinRefused(PinRefusal),
    /// Reply to [`SaveDeposit`](crate::Request::SaveDeposit): the mailbox filled up in the meantime.
    Full,
    /// The request was carried out, durably: only now may the caller be told so.
    Done,
    /// The request failed, or no reply came within the owner's time.
    Failed,
}

/// A recording that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Why it ended.
    pub ending: RecordingEnding,
    /// How long it is.
    pub duration: Duration,
    /// How much of that was not silence.
    pub speech: Duration,
}

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingEnding {
    /// We stopped it: the caller pressed the key, or hung up.
    Stopped,
    /// Nothing was said for `[um.recording] silence`.
    Silence,
    /// It reached its greatest length.
    Limit,
}
