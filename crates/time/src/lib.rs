//! Instants, wall-clock times, days of the week and named timers. Nothing here reads a clock.
//!
//! Every room that decides is handed the time. [`Instant`] counts microseconds since its node
//! started, so it can be made up in a test, compared, and printed in a ladder. Wall-clock time,
//! needed for the dates of messages and the validity of certificates, is a separate type.

mod instant;
mod timers;
mod unix_time;
mod weekday;

pub use instant::Instant;
pub use timers::Timers;
pub use unix_time::UnixTime;
pub use weekday::Weekday;
