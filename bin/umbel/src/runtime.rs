//! What the program has from the system: a thread's runtime for an event loop, chance, and the wall's clock.

use std::time::SystemTime;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::task::LocalSet;
use umbel_time::UnixTime;

use crate::exit::{Exit, Failure};

/// Runs an event loop, and the tasks of its connections, on this thread until the loop ends.
pub(crate) fn run(event_loop: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::TemporaryFailure, "no-runtime", error.to_string()))?;
    LocalSet::new().block_on(&runtime, event_loop)
}

/// Unpredictable octets from the operating system.
pub(crate) fn seed() -> Result<[u8; 32], Failure> {
    umbel_net::seed().map_err(|error| {
        Failure::new(
            Exit::TemporaryFailure,
            "no-randomness",
            format!("the system has no randomness to give: {error}"),
        )
    })
}

/// A generator that nobody can foresee.
pub(crate) fn generator() -> Result<ChaCha20Rng, Failure> {
    seed().map(ChaCha20Rng::from_seed)
}

/// The wall clock.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
