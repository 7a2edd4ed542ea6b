//! Nonces that say when they were made, and how often they have been used (SEC-47).

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use umbel_time::Instant;

use super::NONCE_LIFE;
use crate::seal::{Purpose, Seal};

/// Nonces in use at once. When one more is used, the oldest is forgotten, and it and all that are
/// older are stale from then on.
pub const NONCES_MAX: usize = 200_000;

/// When it was made, and which of that moment.
type Name = (Instant, u32);

/// All nonces.
#[derive(Debug)]
pub(super) struct Nonces {
    seal: Seal,
    serial: u32,
    max: usize,
    /// The highest count of those that were used, oldest first.
    used: BTreeMap<Name, u32>,
    /// This one and all older ones are stale.
    forgotten: Option<Name>,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Ours, and young.
    Fresh,
    /// Ours, and too old.
    Stale,
    /// Not ours.
    Forged,
}

impl Nonces {
    pub(super) fn new(rng: &mut ChaCha20Rng, max: usize) -> Self {
        Nonces { seal: Seal::new(rng), serial: 0, max, used: BTreeMap::new(), forgotten: None }
    }

    pub(super) fn make(&mut self, now: Instant) -> String {
        self.serial = self.serial.wrapping_add(1);
        let name = format!("{:016x}{:08x}", now.as_micros(), self.serial);
        let seal = self.seal.over(Purpose::Nonce, &[name.as_bytes()]);
        name + &seal
    }

    pub(super) fn standing(&self, now: Instant, nonce: &str) -> Standing {
        match self.read(nonce) {
            None => Standing::Forged,
            Some(name) if now.since(name.0) >= NONCE_LIFE => Standing::Stale,
            Some(name) if self.forgotten.is_some_and(|forgotten| name <= forgotten) => Standing::Stale,
            Some(_) => Standing::Fresh,
        }
    }

    /// Counts one use; `false` where that count, or a higher one, was there before. RFC 7616 3.4: "nc
    /// value is the hexadecimal count of the number of requests".
    pub(super) fn count(&mut self, now: Instant, nonce: &str, count: u32) -> bool {
        let Some(name) = self.read(nonce).filter(|_| self.standing(now, nonce) == Standing::Fresh) else {
            return false;
        };
        let last = self.used.entry(name).or_insert(0);
        if count <= *last {
            return false;
        }
        *last = count;
        while let Some(oldest) = self.used.first_entry() {
            let is_over = now.since(oldest.key().0) >= NONCE_LIFE;
            if !is_over && self.used.len() <= self.max {
                break;
            }
            let Some((name, _)) = self.used.pop_first() else { break };
            self.forgotten = self.forgotten.max(Some(name));
        }
        true
    }

    fn read(&self, nonce: &str) -> Option<Name> {
        let (name, seal) = nonce.split_at_checked(24)?;
        if !self.seal.is_over(Purpose::Nonce, &[name.as_bytes()], seal) {
            return None;
        }
        let (micros, serial) = name.split_at_checked(16)?;
        let micros = u64::from_str_radix(micros, 16).ok()?;
        let serial = u32::from_str_radix(serial, 16).ok()?;
        Some((Instant::from_micros(micros), serial))
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    fn nonces(seed: u64) -> Nonces {
        Nonces::new(&mut ChaCha20Rng::seed_from_u64(seed), 100)
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    // SEC-47: 5 min life.
    #[test]
    fn a_nonce_is_fresh_for_five_minutes() {
        let mut ours = nonces(1);
        let nonce = ours.make(at(100));
        assert_eq!(ours.standing(at(399), &nonce), Standing::Fresh);
        assert_eq!(ours.standing(at(400), &nonce), Standing::Stale);
    }

    // SEC-47: forged.
    #[test]
    fn only_our_own_nonces_are_known() {
        let mut ours = nonces(1);
        let nonce = ours.make(at(0));
        for changed in [
            String::new(),
            "x".repeat(24),
            nonce.to_uppercase(),
            nonce.replace('0', "1"),
            nonce.clone() + "0",
        ] {
            assert_eq!(ours.standing(at(0), &changed), Standing::Forged, "{changed}");
        }
        assert_eq!(ours.standing(at(0), "é".repeat(40).as_str()), Standing::Forged);
        assert_eq!(nonces(2).standing(at(0), &nonce), Standing::Forged);
    }

    // SEC-47: nc strictly rising.
    #[test]
    fn counts_must_rise() {
        let mut ours = nonces(1);
        let (one, two) = (ours.make(at(0)), ours.make(at(0)));
        assert_ne!(one, two);
        assert!(ours.count(at(0), &one, 1));
        assert!(!ours.count(at(0), &one, 1));
        assert!(ours.count(at(0), &one, 5));
        assert!(!ours.count(at(0), &one, 4));
        assert!(ours.count(at(0), &two, 1));
        assert!(!ours.count(at(0), &two, 0));
        assert!(!ours.count(at(300), &two, 9), "too old");
    }

    #[test]
    fn a_nonce_that_had_to_be_forgotten_cannot_be_replayed() {
        let mut ours = nonces(1);
        let first = ours.make(at(0));
        assert!(ours.count(at(0), &first, 1));
        for _ in 0..100 {
            let nonce = ours.make(at(1));
            assert!(ours.count(at(1), &nonce, 1));
        }
        assert_eq!(ours.used.len(), 100);
        assert_eq!(ours.standing(at(1), &first), Standing::Stale);
        let next = ours.make(at(1));
        assert!(ours.count(at(1), &next, 1));
    }
}
