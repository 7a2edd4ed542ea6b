//! What happened in a session.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::{Digit, Level, PlayId, RecordId, Samples};

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingEnd {
    /// It was told to.
    Stopped,
    /// Nothing was said for too long.
    Silence,
    /// It reached its greatest length.
    Limit,
    /// The peer's packets stopped coming.
    Lost,
    /// The session was closed.
    Closed,
    /// Nobody took its chunks, so that no more could be kept.
    Overrun,
}

/// A fact.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A key was pressed.
    Digit(Digit),
    /// The first packet of a playing left.
    PlayStarted {
        /// Which playing.
        id: PlayId,
    },
    /// A playing is over.
    PlayEnded {
        /// Which playing.
        id: PlayId,
        /// How far it came.
        position: Duration,
        /// Whether that is its end; otherwise it was stopped or replaced.
        finished: bool,
    },
    /// Sound for the file of a recording: at most a second, in the recording's format.
    Recorded {
        /// Which recording.
        id: RecordId,
        /// Whole samples.
        chunk: Bytes,
    },
    /// A recording is over; every chunk has been given out.
    RecordingEnded {
        /// Which recording.
        id: RecordId,
        /// Why.
        end: RecordingEnd,
        /// Its length.
        duration: Duration,
        /// How much of it was louder than silence.
        speech: Duration,
        /// Silence at its very end, which may be cut off.
        trailing_silence: Duration,
        /// Whether it is as long as the limits ask.
        long_enough: bool,
    },
    /// How loud both sides were since this was told last, a tenth of a second ago. Left out where nobody takes it.
    Levels {
        /// What we heard.
        theirs: Level,
        /// What we said.
        ours: Level,
    },
    /// Sound of the other side, as it came. Left out where nobody takes it; what comes too late is left out, too.
    Heard {
        /// Of one packet.
        samples: Samples,
    },
    /// The first packet of the peer came.
    FirstPacketReceived,
    /// Every key was sent.
    DigitsSent,
    /// The peer's packets have stopped coming for too long. A recording has been ended before this.
    RtpLost,
}

/// Without the audio, and with a star for a key.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Digit(digit) => f.debug_tuple("Digit").field(digit).finish(),
            Event::PlayStarted { id } => f.debug_struct("PlayStarted").field("id", &id.0).finish(),
            Event::PlayEnded { id, position, finished } => f
                .debug_struct("PlayEnded")
                .field("id", &id.0)
                .field("position", position)
                .field("finished", finished)
                .finish(),
            Event::Recorded { id, chunk } => {
                f.debug_struct("Recorded").field("id", &id.0).field("bytes", &chunk.len()).finish()
            }
            Event::RecordingEnded { id, end, duration, speech, trailing_silence, long_enough } => f
                .debug_struct("RecordingEnded")
                .field("id", &id.0)
                .field("end", end)
                .field("duration", duration)
                .field("speech", speech)
                .field("trailing_silence", trailing_silence)
                .field("long_enough", long_enough)
                .finish(),
            Event::Levels { theirs, ours } => {
                f.debug_struct("Levels").field("theirs", theirs).field("ours", ours).finish()
            }
            Event::Heard { samples } => f.debug_struct("Heard").field("samples", samples).finish(),
            Event::FirstPacketReceived => f.write_str("FirstPacketReceived"),
            Event::DigitsSent => f.write_str("DigitsSent"),
            Event::RtpLost => f.write_str("RtpLost"),
        }
    }
}
