//! Which PINs are good enough (SEC-83), and how new ones are made.

use rand_core::CryptoRng;

use crate::Pin;
use crate::secret::PIN_DIGITS_MAX;

/// How many PINs of the past, the present one included, may not be chosen again (SEC-83).
pub const PINS_REMEMBERED: usize = 5;
/// Shortest PIN that a configuration may ask for (SEC-83).
const PIN_DIGITS_MIN: usize = 4;
/// Digits of a generated PIN, unless more are asked for.
const GENERATED_DIGITS: usize = 6;

/// Settings for PINs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinPolicy {
    /// Shortest PIN, 4 to 24 digits.
    pub min_length: usize,
    /// Whether sequences, repeats and the extension are allowed.
    pub simple_patterns: bool,
    /// Failures in a row that lock a door for the first time.
    pub lock_after: u32,
}

impl Default for PinPolicy {
    fn default() -> Self {
        PinPolicy { min_length: 6, simple_patterns: false, lock_after: 5 }
    }
}

/// Why a PIN is not good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// Fewer digits than the policy asks for.
    #[error("it has fewer than {min_length} digits")]
    Short {
        /// The fewest allowed.
        min_length: usize,
    },
    /// A run such as 123456 or 987654.
    #[error("it is a sequence")]
    Sequence,
    /// A repeated pattern such as 111111, 121212 or 123123.
    #[error("it repeats itself")]
    Repeated,
    /// It contains the extension.
    #[error("it contains the extension")]
    Extension,
    /// One of the last five.
    #[error("it was used before")]
    UsedBefore,
}

impl PinPolicy {
    /// Whether `pin` is good enough for a user with this extension. That it was not used before is
    /// the store's to check.
    pub fn judge(&self, pin: &Pin, extension: Option<&str>) -> Result<(), WeakPin> {
        let digits = pin.reveal();
        let min_length = self.min_length.clamp(PIN_DIGITS_MIN, PIN_DIGITS_MAX);
        if digits.len() < min_length {
            return Err(WeakPin::Short { min_length });
        }
        if self.simple_patterns {
            return Ok(());
        }
        if is_sequence(digits.as_bytes()) {
            return Err(WeakPin::Sequence);
        }
        if is_repeated(digits.as_bytes()) {
            return Err(WeakPin::Repeated);
        }
        // An extension of one or two digits would forbid half of all PINs.
        if extension.is_some_and(|extension| extension.len() >= 3 && digits.contains(extension)) {
            return Err(WeakPin::Extension);
        }
        Ok(())
    }

    /// A random PIN that this policy finds good enough.
    pub fn generate(&self, rng: &mut impl CryptoRng, extension: Option<&str>) -> Pin {
        let length = self.min_length.clamp(GENERATED_DIGITS, PIN_DIGITS_MAX);
        // Of a million PINs of six digits fewer than 3,000 are weak: more than two rounds are rare.
        let strict = PinPolicy { simple_patterns: false, ..*self };
        loop {
            let digits: String = (0..length).map(|_| char::from(b'0' + random_digit(rng))).collect();
            if let Ok(pin) = Pin::new(&digits)
                && strict.judge(&pin, extension).is_ok()
            {
                return pin;
            }
        }
    }
}

/// A digit, all ten equally likely.
fn random_digit(rng: &mut impl CryptoRng) -> u8 {
    loop {
        let [byte, ..] = rng.next_u32().to_le_bytes();
        if byte < 250 {
            return byte % 10;
        }
    }
}

/// Each digit is one more, or each one less, than the one before; 9 and 0 are neighbours.
fn is_sequence(digits: &[u8]) -> bool {
    let steps =
        |step: u8| digits.windows(2).all(|pair| matches!(pair, [a, b] if (a - b'0' + step) % 10 == b - b'0'));
    steps(1) || steps(9)
}

/// The digits are one pattern of at most half their number, over and over.
fn is_repeated(digits: &[u8]) -> bool {
    (1..=digits.len() / 2).any(|period| digits.iter().zip(digits.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn check(digits: &str, expected: Result<(), WeakPin>) {
        let pin = Pin::new(digits).expect("digits");
        assert_eq!(PinPolicy::default().judge(&pin, Some("4711")), expected, "{digits}");
    }

    #[test]
    fn weak_pins_are_refused() {
        // SEC-83
        check("27495", Err(WeakPin::Short { min_length: 6 }));
        check("274950", Ok(()));
        check("123456", Err(WeakPin::Sequence));
        check("987654", Err(WeakPin::Sequence));
        check("789012", Err(WeakPin::Sequence));
        check("111111", Err(WeakPin::Repeated));
        check("121212", Err(WeakPin::Repeated));
        check("739739", Err(WeakPin::Repeated));
        check("1212121", Err(WeakPin::Repeated));
        check("947115", Err(WeakPin::Extension));
        check("739738", Ok(()));
    }

    #[test]
    fn simple_patterns_allow_all_but_short_ones() {
        let policy = PinPolicy { min_length: 4, simple_patterns: true, ..PinPolicy::default() };
        let judge = |digits| policy.judge(&Pin::new(digits).expect("digits"), Some("4711"));
        assert_eq!(judge("1234"), Ok(()));
        assert_eq!(judge("4711"), Ok(()));
        assert_eq!(judge("123"), Err(WeakPin::Short { min_length: 4 }));
    }

    #[test]
    fn a_policy_cannot_ask_for_fewer_than_four_digits() {
        let policy = PinPolicy { min_length: 0, ..PinPolicy::default() };
        let pin = Pin::new("839").expect("digits");
        assert_eq!(policy.judge(&pin, None), Err(WeakPin::Short { min_length: 4 }));
    }

    #[test]
    fn generated_pins_are_good_enough_and_differ() {
        // SEC-89
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let policy = PinPolicy { min_length: 4, simple_patterns: true, ..PinPolicy::default() };
        let pins: std::collections::BTreeSet<_> =
            (0..1_000).map(|_| policy.generate(&mut rng, Some("123")).reveal().to_owned()).collect();
        assert!(pins.len() > 990, "{} of 1,000 differ", pins.len());
        for digits in &pins {
            let strict = PinPolicy::default();
            assert_eq!(strict.judge(&Pin::new(digits).expect("digits"), Some("123")), Ok(()));
        }
    }
}
