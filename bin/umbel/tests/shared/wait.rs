//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// A loaded machine gets this long for anything that takes a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// Looks until `look` finds something; panics, naming `what`, where nothing is found in time.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        std::thread::park_timeout(EVERY);
    }
}
