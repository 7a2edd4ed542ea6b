//! Logs: text on a terminal, one JSON line an event elsewhere.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};
use umbel_net::{Clock, LogLimit};

/// Starts writing events to standard error, within the bounds of what is returned (SEC-66).
///
/// `RUST_LOG` chooses what is written, in the words of `tracing-subscriber`; without it, what a user
/// would notice (`info`). Both forms escape control characters in values (SEC-123).
pub(crate) fn start() -> LogLimit {
    start_at("info")
}

/// The same; without `RUST_LOG`, what is worth `level`.
pub(crate) fn start_at(level: &str) -> LogLimit {
    let limit = LogLimit::new(Clock::start());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(limit.clone())).with(filter).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "{}", constant(panic.payload()));
    }));
    limit
}

/// What a panic says, where that is a constant of the program. What was put together at run time may hold what
/// nobody must see (SEC-88), so of that only the place is told.
fn constant(payload: &(dyn std::any::Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("an invariant does not hold")
}
