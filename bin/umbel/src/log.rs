//! Logs: text on a terminal, one JSON line an event elsewhere.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts writing events to standard error.
///
/// `RUST_LOG` chooses what is written, in the words of `tracing-subscriber`; without it, what a user
/// would notice (`info`). Both forms escape control characters in values (SEC-123).
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    if std::io::stderr().is_terminal() {
        let _ = builder.with_target(false).try_init();
    } else {
        let _ = builder.json().flatten_event(true).try_init();
    }
}
