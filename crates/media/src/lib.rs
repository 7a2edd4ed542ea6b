//! The sound of one call: RTP, telephone-event, codecs, playing and recording.
//!
//! A [`Session`] is a value. It takes packets and [`Command`]s with the time, and is then asked for the
//! packets it wants sent and the [`Event`]s that came of it. Sockets, threads and the clock are elsewhere.
//!
//! What is spoken to callers is prepared once: a [`Prompt`] holds its sound in every codec, and all calls
//! share it. What callers say leaves in chunks of at most a second, in the coding in which it is kept.

mod clip;
mod codec;
mod command;
mod digit;
mod event;
mod g711;
mod gate;
mod greeting;
mod half_band;
mod keys;
mod message;
mod microphone;
mod monitor;
mod negotiated;
#[cfg(feature = "opus")]
mod opus_codec;
mod outbox;
mod outgoing;
mod parameters;
mod player;
mod prompt;
mod rate;
mod reception;
mod recorder;
mod reorder;
mod rtcp;
mod samples;
mod session;
mod silence;
mod srtp;
mod tape;
mod telephone_event;
mod tempo;
#[cfg(test)]
mod testing;
mod third;
mod voice;

pub use clip::{Clip, Tone};
pub use codec::Codec;
pub use command::{Command, Keystroke, PlayId, RecordId, RecordLimits};
pub use digit::{Digit, NotADigit};
pub use event::{Event, RecordingEnd};
pub use greeting::Greeting;
pub use keys::{MasterKey, SrtpKeys, Suite};
pub use message::Message;
pub use monitor::Level;
pub use parameters::{Direction, Parameters};
pub use prompt::{Prompt, UnusableSound};
pub use rate::{Resampler, resampled};
pub use samples::{LIVE_RATE, Samples};
pub use session::{Channel, Counters, Session, Transmit};
