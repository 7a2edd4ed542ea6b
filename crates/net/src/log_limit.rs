//! Bounds on what others can make us write into the log: SEC-66.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};
use umbel_time::Instant;

use crate::Clock;

/// Lines written in one second; the rest are counted.
pub const LINES_PER_SECOND: usize = 100;

/// Of those, for errors alone, so that a flood of lesser lines does not hide them.
const FOR_ERRORS: usize = 10;

/// A filter for the layer that writes the log. Copies share their counts.
///
/// Of identical lines, one a second is written; of all lines, [`LINES_PER_SECOND`]. What is left out
/// is counted: ask [`LogLimit::take_left_out`] now and then, and log the figure. Lines of DEBUG and
/// TRACE are not limited; whoever asks for them wants them all.
#[derive(Clone, Debug)]
pub struct LogLimit {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    second: Instant,
    /// The lines of this second.
    written: BTreeSet<u64>,
    left_out: u64,
}

impl LogLimit {
    /// A limit that reckons by `clock`.
    pub fn new(clock: Clock) -> Self {
        LogLimit { clock, state: Arc::default() }
    }

    /// How many lines were left out since this was last asked.
    pub fn take_left_out(&self) -> u64 {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).left_out)
    }
}

impl State {
    /// Decides about a line by what it says, and notes it.
    fn admit(&mut self, line: u64, level: Level, now: Instant) -> bool {
        if now.since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.written.clear();
        }
        let bound = if level == Level::ERROR { LINES_PER_SECOND } else { LINES_PER_SECOND - FOR_ERRORS };
        let admitted = self.written.len() < bound && self.written.insert(line);
        if !admitted {
            self.left_out += 1;
        }
        admitted
    }
}

impl<S: Subscriber> Filter<S> for LogLimit {
    fn enabled(&self, _metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _context: &Context<'_, S>) -> bool {
        let level = *event.metadata().level();
        if level > Level::INFO {
            return true;
        }
        let mut line = Line(DefaultHasher::new());
        event.metadata().callsite().hash(&mut line.0);
        event.record(&mut line);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.admit(line.0.finish(), level, self.clock.now())
    }
}

/// What a line says, without keeping it.
struct Line(DefaultHasher);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        field.name().hash(&mut self.0);
        // Hashing never fails; a value whose Debug fails has said all it says.
        let _ = writeln!(self, "{value:?}");
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io;

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// A log that can be read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    /// What the log holds after `events`, and how many lines were left out.
    fn logged(events: impl FnOnce()) -> (Vec<String>, u64) {
        let (log, limit) = (Log::default(), LogLimit::new(Clock::start()));
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .without_time()
            .with_ansi(false)
            .with_filter(limit.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), events);
        (log.lines(), limit.take_left_out())
    }

    // SEC-66. The events take far less than a second.
    #[test]
    fn identical_lines_are_written_once_and_counted() {
        let (lines, left_out) = logged(|| {
            for _ in 0..10_000 {
                tracing::info!(remote = "192.0.2.1", "handshake failed");
            }
            tracing::info!(remote = "192.0.2.2", "handshake failed");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(left_out, 9_999);
    }

    // SEC-66
    #[test]
    fn lines_that_differ_are_bounded_and_errors_still_get_through() {
        let (lines, left_out) = logged(|| {
            for peer in 0..1_000 {
                tracing::info!(peer, "handshake failed");
            }
            tracing::error!("store is gone");
        });
        assert_eq!(lines.len(), LINES_PER_SECOND - FOR_ERRORS + 1);
        assert!(lines.last().unwrap().contains("store is gone"));
        assert_eq!(left_out, 1_000 - 90);
    }

    #[test]
    fn what_was_asked_for_by_debugging_is_written_all() {
        let (lines, left_out) = logged(|| {
            for _ in 0..500 {
                tracing::debug!("packet");
            }
        });
        assert_eq!((lines.len(), left_out), (500, 0));
    }

    #[test]
    fn the_next_second_begins_anew() {
        let mut state = State::default();
        let at = Instant::from_millis;
        assert!(state.admit(7, Level::WARN, at(100)));
        assert!(!state.admit(7, Level::WARN, at(999)));
        assert!(state.admit(7, Level::WARN, at(1_100)));
        assert_eq!(state.left_out, 1);
    }
}
