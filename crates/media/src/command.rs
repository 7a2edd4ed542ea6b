//! What a session can be told to do.

use std::time::Duration;

use crate::{Clip, Digit, Parameters, Samples};

/// Names one playing, in the event that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// Names one recording, in its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// When a recording ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLimits {
    /// The longest recording.
    pub max: Duration,
    /// The longest silence in it; none: silence does not end it.
    pub silence: Option<Duration>,
    /// The shortest recording worth keeping; says itself in [`crate::Event::RecordingEnded`].
    pub min: Duration,
}

/// One step of sending keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keystroke {
    /// A key, held for a tenth of a second, with as long a pause after it.
    Press(Digit),
    /// A wait.
    Wait(Duration),
}

/// An order.
#[derive(Clone, Debug)]
pub enum Command {
    /// A new negotiation. The first one starts the session.
    Update(Parameters),
    /// Plays clips one after the other, in place of what is playing. The first packet leaves at once.
    Play {
        /// Comes back in [`crate::Event::PlayEnded`].
        id: PlayId,
        /// What to play. Empty: ends at once.
        clips: Vec<Clip>,
        /// Where in the whole of it to begin.
        from: Duration,
    },
    /// Ends what is playing.
    Stop,
    /// Holds what is playing where it is.
    Pause,
    /// Goes on after a pause.
    Resume,
    /// Moves within what is playing; before its beginning or after its end counts as that.
    Seek {
        /// Forward, or back when negative.
        by_millis: i64,
    },
    /// Speed of messages in percent of their own, 50 to 200. Pitch stays. Prompts keep theirs.
    Speed {
        /// Kept until the next such order.
        percent: u16,
    },
    /// Loudness of messages against their own, -24 to 24 dB. Prompts keep theirs.
    Volume {
        /// Kept until the next such order.
        decibels: i8,
    },
    /// Begins a recording, in the format of [`crate::Codec::recording_format`]. One that runs is stopped first.
    Record {
        /// Comes back in its events.
        id: RecordId,
        /// When it ends by itself.
        limits: RecordLimits,
    },
    /// Ends the recording.
    StopRecording {
        /// How much of its end to leave out, at most 200 ms: the tone of a key that was told to us in
        /// another way. What `telephone-event` tells is left out without asking.
        cut: Duration,
    },
    /// Sends keys as `telephone-event`. Follows those still being sent.
    SendDigits(Vec<Keystroke>),
    /// Holds the call, or ends the hold, whatever the direction says.
    Hold(bool),
    /// Tells how loud both sides are, by [`crate::Event::Levels`], from now on or no more. Default: no.
    Levels(bool),
    /// Gives out what is heard as it comes, by [`crate::Event::Heard`], from now on or no more. Default: no.
    Listen(bool),
    /// Says this as soon as nothing is playing and no key is being sent. What was captured and not sent is kept for
    /// 120 ms; beyond it the oldest is left out.
    Speak(Samples),
    /// Ends the session. A recording is ended and given out; a BYE leaves; nothing comes after.
    Close,
}
