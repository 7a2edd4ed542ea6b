//! How a server's store behaves.

use std::time::Duration;

use umbel_store::StoreError;

/// How a store behaves.
#[derive(Clone, Copy, Debug)]
pub struct StoreIs {
    /// How long an answer takes.
    pub slow: Duration,
    /// What every operation fails with.
    pub failing: Option<StoreError>,
    /// Whether it answers at all.
    pub silent: bool,
}

impl Default for StoreIs {
    fn default() -> Self {
        StoreIs { slow: Duration::from_millis(1), failing: None, silent: false }
    }
}
