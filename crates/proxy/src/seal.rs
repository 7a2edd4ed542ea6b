//! What we give away and want to recognise when it comes back: sealed by HMAC-SHA-256 (RFC 2104).

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Octets of a block of SHA-256.
const BLOCK: usize = 64;
/// Octets of a seal: half of the hash, as RFC 2104 5 allows.
const SEAL: usize = 16;

/// A key that lives as long as the node.
pub(crate) struct Seal {
    inner: Sha256,
    outer: Sha256,
}

/// What is sealed: the same octets for one purpose are of no use for another.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Nonce,
    RecordRoute,
}

impl Seal {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        let mut key = [0u8; BLOCK];
        rng.fill_bytes(&mut key);
        let padded = |pad: u8| Sha256::new().chain_update(key.map(|octet| octet ^ pad));
        Seal { inner: padded(0x36), outer: padded(0x5c) }
    }

    /// The seal over these parts, as lower-case hexadecimal digits. Each part counts with its length,
    /// so that octets cannot move from one to the next.
    pub(crate) fn over(&self, purpose: Purpose, parts: &[&[u8]]) -> String {
        let mut inner = self.inner.clone().chain_update([purpose as u8]);
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            inner.update(length.to_be_bytes());
            inner.update(part);
        }
        let full = self.outer.clone().chain_update(inner.finalize()).finalize();
        full.iter().take(SEAL).map(|octet| format!("{octet:02x}")).collect()
    }

    /// Whether `seal` is the one over these parts; compared in constant time.
    pub(crate) fn is_over(&self, purpose: Purpose, parts: &[&[u8]], seal: &str) -> bool {
        self.over(purpose, parts).as_bytes().ct_eq(seal.as_bytes()).into()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(****)")
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    fn seal(seed: u64) -> Seal {
        Seal::new(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    #[test]
    fn a_seal_is_known_by_its_maker_its_purpose_and_its_parts() {
        let ours = seal(1);
        let made = ours.over(Purpose::Nonce, &[b"ab", b"c"]);
        assert_eq!(made.len(), 2 * SEAL);
        assert!(ours.is_over(Purpose::Nonce, &[b"ab", b"c"], &made));
        assert!(!ours.is_over(Purpose::RecordRoute, &[b"ab", b"c"], &made));
        assert!(!ours.is_over(Purpose::Nonce, &[b"a", b"bc"], &made));
        assert!(!ours.is_over(Purpose::Nonce, &[b"abc"], &made));
        assert!(!ours.is_over(Purpose::Nonce, &[b"ab", b"c"], &made.to_uppercase()));
        assert!(!ours.is_over(Purpose::Nonce, &[b"ab", b"c"], ""));
        assert!(!seal(2).is_over(Purpose::Nonce, &[b"ab", b"c"], &made));
    }

    #[test]
    fn the_key_does_not_print() {
        assert_eq!(format!("{:?}", seal(1)), "Seal(****)");
    }
}
