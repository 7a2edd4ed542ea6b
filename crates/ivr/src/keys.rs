//! The keys of a telephone, and what was pressed on them: digits that do not print.

mod typed_ahead;

use std::fmt;

use zeroize::Zeroize;

pub use typed_ahead::TYPED_AHEAD_MAX;
pub(crate) use typed_ahead::TypedAhead;

/// One of the twelve keys. RFC 4733 3.2 knows A to D and flash as well; those end before they reach a script.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Key {
    /// `0`
    Zero = b'0',
    /// `1`
    One = b'1',
    /// `2`
    Two = b'2',
    /// `3`
    Three = b'3',
    /// `4`
    Four = b'4',
    /// `5`
    Five = b'5',
    /// `6`
    Six = b'6',
    /// `7`
    Seven = b'7',
    /// `8`
    Eight = b'8',
    /// `9`
    Nine = b'9',
    /// `*`
    Star = b'*',
    /// `#`
    Pound = b'#',
}

impl Key {
    /// All twelve, as they lie on a telephone.
    pub const ALL: [Key; 12] = {
        use Key::*;
        [One, Two, Three, Four, Five, Six, Seven, Eight, Nine, Star, Zero, Pound]
    };

    /// The key with this face, if there is one.
    pub fn from_char(face: char) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.as_char() == face)
    }

    /// What is printed on the key.
    pub const fn as_char(self) -> char {
        self as u8 as char
    }

    /// The value of a digit; `None` for star and pound.
    pub const fn digit(self) -> Option<u8> {
        match self {
            Key::Star | Key::Pound => None,
            digit => Some(digit as u8 - b'0'),
        }
    }
}

/// A key alone may be part of a PIN, so it does not print either; use [`Key::as_char`] in documents.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

/// The most digits of one entry. A longer entry keeps its first 32, which no PIN (24) or mailbox number has,
/// so that it is refused like any other wrong one.
pub const KEYS_MAX: usize = 32;

/// Digits that a caller entered: a PIN, or a mailbox number (which may be a PIN typed too early).
///
/// They print as stars, always four of them since the length of a PIN is a secret as well, and are wiped from
/// memory when dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Keys {
    digits: [u8; KEYS_MAX],
    length: u8,
}

impl Keys {
    /// No digits yet.
    pub const fn new() -> Self {
        Keys { digits: [0; KEYS_MAX], length: 0 }
    }

    /// Adds a digit; star, pound and what is over [`KEYS_MAX`] are left out. Says whether it was added.
    pub fn push(&mut self, key: Key) -> bool {
        let Some(slot) = self.digits.get_mut(usize::from(self.length)) else { return false };
        if key.digit().is_none() {
            return false;
        }
        *slot = key as u8;
        self.length += 1;
        true
    }

    /// How many digits there are.
    pub fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Whether nothing was entered.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The digits themselves, for the one who compares or looks them up. Never for a log.
    pub fn expose(&self) -> &str {
        let digits = self.digits.get(..self.len()).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

/// The digits of a text; everything else in it is left out.
impl From<&str> for Keys {
    fn from(text: &str) -> Self {
        let mut keys = Keys::new();
        for key in text.chars().filter_map(Key::from_char) {
            keys.push(key);
        }
        keys
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.digits.zeroize();
        self.length.zeroize();
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEC-88
    #[test]
    fn keys_print_as_stars_that_do_not_tell_their_number() {
        for text in ["", "1", "135792", "246813579024681357902468"] {
            assert_eq!(format!("{:?}", Keys::from(text)), "****");
        }
        assert!(Key::ALL.iter().all(|key| format!("{key:?}") == "*"));
    }

    #[test]
    fn an_entry_keeps_its_first_thirty_two_digits() {
        let mut keys = Keys::from("1".repeat(KEYS_MAX).as_str());
        assert_eq!(keys.len(), KEYS_MAX);
        assert!(!keys.push(Key::Two));
        assert_eq!(keys.expose(), "1".repeat(KEYS_MAX));
    }

    #[test]
    fn star_and_pound_are_no_digits() {
        assert_eq!(Keys::from("1*2#3").expose(), "123");
        assert_eq!(Key::Star.digit(), None);
        assert_eq!(Key::Nine.digit(), Some(9));
    }

    #[test]
    fn every_key_is_found_by_its_face() {
        for key in Key::ALL {
            assert_eq!(Key::from_char(key.as_char()), Some(key));
        }
        assert_eq!(Key::from_char('A'), None);
    }
}
