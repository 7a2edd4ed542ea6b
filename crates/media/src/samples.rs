//! Sound that passes by, as samples.

use std::fmt;
use std::sync::Arc;

/// Samples a second of live sound, whatever the codec of the call.
pub const LIVE_RATE: u32 = 16_000;

/// Linear samples, [`LIVE_RATE`] a second. What was said does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Samples(pub Arc<[i16]>);

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Samples({})", self.0.len())
    }
}
