//! Argon2id with a salt per record and a key kept outside the store (SEC-87, SEC-109).

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::SecretKey;

pub(crate) const SALT_BYTES: usize = 16;
pub(crate) const HASH_BYTES: usize = 32;
/// The most that a row may ask for, so that a strange row cannot take the machine down (SEC-127).
const MEMORY_KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 64;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// The recommendation of OWASP for Argon2id: 19 MiB, two passes.
    fn default() -> Self {
        Cost { memory_kib: 19 * 1_024, passes: 2 }
    }
}

/// A secret as it is stored.
#[derive(Clone)]
pub(crate) struct Hashed {
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) hash: [u8; HASH_BYTES],
    pub(crate) cost: Cost,
}

/// Makes and compares hashes. Shared with the threads that do the work.
#[derive(Clone)]
pub(crate) struct Hasher {
    pepper: Arc<Zeroizing<[u8; 32]>>,
    cost: Cost,
    /// What was spent: tests count it, rather than time it.
    #[cfg(test)]
    pub(crate) spent: Arc<std::sync::Mutex<Vec<Cost>>>,
}

impl Hasher {
    pub(crate) fn new(key: &SecretKey, cost: Cost) -> Self {
        Hasher {
            pepper: Arc::new(key.derive("umbel argon2")),
            cost,
            #[cfg(test)]
            spent: Arc::default(),
        }
    }

    /// Hashes a secret with this salt.
    pub(crate) fn hash(&self, secret: &str, salt: [u8; SALT_BYTES]) -> Hashed {
        Hashed { salt, hash: self.run(secret, &salt, self.cost), cost: self.cost }
    }

    /// Whether `secret` is what was hashed.
    pub(crate) fn verify(&self, secret: &str, stored: &Hashed) -> bool {
        bool::from(self.run(secret, &stored.salt, stored.cost).ct_eq(&stored.hash))
    }

    /// Takes as long as [`Hasher::verify`], for a mailbox that is not there (SEC-86).
    pub(crate) fn verify_nothing(&self, secret: &str) {
        std::hint::black_box(self.run(secret, &[0; SALT_BYTES], self.cost));
    }

    fn run(&self, secret: &str, salt: &[u8], cost: Cost) -> [u8; HASH_BYTES] {
        #[cfg(test)]
        self.spent.lock().expect("nobody panics with it").push(cost);
        let memory = cost.memory_kib.clamp(Params::MIN_M_COST, MEMORY_KIB_MAX);
        let passes = cost.passes.clamp(1, PASSES_MAX);
        let params = Params::new(memory, passes, 1, Some(HASH_BYTES)).expect("the cost is within bounds");
        let argon2 =
            Argon2::new_with_secret(self.pepper.as_slice(), Algorithm::Argon2id, Version::V0x13, params);
        let argon2 = argon2.expect("a key of 32 bytes is not too long");
        let mut hash = [0; HASH_BYTES];
        let made = argon2.hash_password_into(secret.as_bytes(), salt, &mut hash);
        made.expect("salt and secret are within the bounds of Argon2");
        hash
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1 };

    fn hasher(byte: u8) -> Hasher {
        let dir = tempfile::tempdir().unwrap();
        Hasher::new(&SecretKey::create(&dir.path().join("key"), [byte; 32]).unwrap(), CHEAP)
    }

    #[test]
    fn a_hash_fits_its_secret_only() {
        let hasher = hasher(1);
        let stored = hasher.hash("274950", [3; 16]);
        assert!(hasher.verify("274950", &stored));
        assert!(!hasher.verify("274951", &stored));
        assert!(!hasher.verify("", &stored));
    }

    #[test]
    fn the_same_pin_hashes_differently_by_salt_and_by_key() {
        // SEC-87
        let stored = hasher(1).hash("274950", [3; 16]);
        assert_ne!(stored.hash, hasher(1).hash("274950", [4; 16]).hash);
        assert!(!hasher(2).verify("274950", &stored), "without the key a stolen store gives nothing");
    }

    #[test]
    fn an_old_cost_stays_readable_and_a_mad_one_is_bounded() {
        let hasher = hasher(1);
        let dearer = Hasher { cost: Cost { memory_kib: 128, passes: 3 }, ..hasher.clone() };
        assert!(hasher.verify("1", &dearer.hash("1", [0; 16])));
        let mad = Hashed { salt: [0; 16], hash: [0; 32], cost: Cost { memory_kib: 0, passes: 0 } };
        assert!(!hasher.verify("1", &mad));
    }
}
