//! Chance for ids and keys: one generator, seeded by the operating system.

use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Octets that nobody can foresee. Copies share the generator, also between threads.
#[derive(Clone)]
pub struct Random(Arc<Mutex<ChaCha20Rng>>);

impl Random {
    /// A generator from octets of the operating system's.
    pub fn new(seed: [u8; 32]) -> Self {
        Random(Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed))))
    }

    /// The next `N` octets.
    pub fn octets<const N: usize>(&self) -> [u8; N] {
        let mut octets = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut octets);
        octets
    }
}

/// Never what comes next.
impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random(***)")
    }
}
