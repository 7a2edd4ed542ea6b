//! The sixteen keys of a telephone: RFC 4733 table 3, events 0 to 15.

use std::fmt;

/// One key. Prints as a star: keys spell PINs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

/// A character or event that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of 0-9 * # A-D")]
pub struct NotADigit;

impl Digit {
    /// `*`, event 10.
    pub const STAR: Digit = Digit(10);
    /// `#`, event 11.
    pub const POUND: Digit = Digit(11);

    /// The key with this event code. Events above 15 are no keys.
    pub const fn from_event(event: u8) -> Option<Digit> {
        if event <= 15 { Some(Digit(event)) } else { None }
    }

    /// The event code of this key.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The character on the key.
    pub const fn as_char(self) -> char {
        match self.0 {
            digit @ 0..=9 => (b'0' + digit) as char,
            10 => '*',
            11 => '#',
            letter => (b'A' + letter - 12) as char,
        }
    }
}

impl TryFrom<char> for Digit {
    type Error = NotADigit;

    fn try_from(character: char) -> Result<Self, NotADigit> {
        let event = match character {
            '0'..='9' => u32::from(character) - u32::from('0'),
            '*' => 10,
            '#' => 11,
            'A'..='D' => u32::from(character) - u32::from('A') + 12,
            'a'..='d' => u32::from(character) - u32::from('a') + 12,
            _ => return Err(NotADigit),
        };
        u8::try_from(event).ok().and_then(Digit::from_event).ok_or(NotADigit)
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_sixteen_keys_are_the_sixteen_events() {
        for (event, character) in (0_u8..).zip("0123456789*#ABCD".chars()) {
            let digit = Digit::try_from(character).unwrap();
            assert_eq!(digit.event(), event);
            assert_eq!(digit.as_char(), character);
            assert_eq!(Digit::from_event(event), Some(digit));
        }
    }

    #[test]
    fn nothing_else_is_a_key() {
        for event in 16..=255 {
            assert_eq!(Digit::from_event(event), None);
        }
        for character in ['E', ' ', '+', 'é'] {
            assert_eq!(Digit::try_from(character), Err(NotADigit));
        }
    }

    #[test]
    fn a_key_prints_as_a_star() {
        // SEC-88
        assert_eq!(format!("{:?}", Digit::try_from('7').unwrap()), "*");
    }
}
