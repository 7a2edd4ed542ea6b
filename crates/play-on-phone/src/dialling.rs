//! What may be dialled: a dial string read into its parts (SEC-45).
//!
//! A dial string is what somebody typed, or what a program took from an address book. It is a telephone number
//! with `+`, ASCII digits and what stands between digits for the eye, or an address in our own domain; `tel:` and
//! `sip:` may stand before them. Everything else is refused, and what is sent is made from the parts that were
//! read, never from the text.

use std::fmt;

use arrayvec::ArrayString;
use umbel_store::Address;

use crate::Refusal;

/// SEC-45: the longest dial string, in characters.
pub const DIAL_STRING_CHARACTERS_MAX: usize = 128;
/// The most digits of a number: fifteen of E.164, and what one dials to get an international line.
pub const NUMBER_DIGITS_MAX: usize = 20;
/// What may stand between digits, for the eye (RFC 3966 5.1.1, and the space that people write).
const VISUAL_SEPARATORS: [char; 5] = ['-', '.', '(', ')', ' '];
/// What no user part has that is dialled: it would mean something in a URI, or in a telephone's ear.
const NOT_IN_A_USER_PART: &[char] = &[
    ';', '?', '&', ',', '*', '#', '=', ':', '/', '%', '<', '>', '"', '\\', '[', ']', '{', '}', '|', '^', '`',
];

/// A telephone number or extension: an optional `+`, then digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(ArrayString<{ NUMBER_DIGITS_MAX + 1 }>);

impl Number {
    /// Reads a number, and leaves out what is for the eye.
    pub fn read(text: &str) -> Option<Number> {
        let mut number = ArrayString::new();
        for character in text.chars() {
            match character {
                '+' if number.is_empty() => number.try_push('+').ok()?,
                '0'..='9' => number.try_push(character).ok()?,
                separator if VISUAL_SEPARATORS.contains(&separator) => {}
                _ => return None,
            }
        }
        let digits = number.strip_prefix('+').unwrap_or(&number);
        (!digits.is_empty() && digits.len() <= NUMBER_DIGITS_MAX).then_some(Number(number))
    }

    /// The number as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody wants to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// An extension, or a number outside.
    Number(Number),
    /// An address in our domain, which need not be anybody's.
    Address(Address),
}

impl Dialled {
    /// Reads a dial string. `domain` is ours.
    pub fn read(text: &str, domain: &str) -> Result<Dialled, Refusal> {
        if text.chars().count() > DIAL_STRING_CHARACTERS_MAX {
            return Err(Refusal::NotANumber);
        }
        let text = text.trim_matches(' ');
        if let Some(number) = without_scheme(text, "tel:") {
            return Number::read(number).map(Dialled::Number).ok_or(Refusal::NotANumber);
        }
        match without_scheme(text, "sip:") {
            Some(address) => read_address(address, domain),
            None if text.contains('@') => read_address(text, domain),
            None => Number::read(text).map(Dialled::Number),
        }
        .ok_or(Refusal::NotANumber)
    }
}

fn without_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (before, after) = text.split_at_checked(scheme.len())?;
    before.eq_ignore_ascii_case(scheme).then_some(after)
}

fn read_address(text: &str, domain: &str) -> Option<Dialled> {
    let (user, host) = text.split_once('@')?;
    let is_user = user.chars().all(|c| c.is_ascii_graphic() && !NOT_IN_A_USER_PART.contains(&c));
    if !is_user || !host.eq_ignore_ascii_case(domain) {
        return None;
    }
    // An Address has exactly one @.
    Address::new(user, domain).ok().map(Dialled::Address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, Refusal> {
        Dialled::read(text, "example.test").map(|dialled| match dialled {
            Dialled::Number(number) => number.to_string(),
            Dialled::Address(address) => address.to_string(),
        })
    }

    /// SEC-45: "Allowed: `+`, ASCII 0-9 and visual separators, or `user@` a local domain".
    #[test]
    fn numbers_and_addresses_of_ours_are_read() {
        for (text, expected) in [
            ("1001", "1001"),
            ("+1 (555) 555-01.00", "+15555550100"),
            ("tel:+1-555-555-0100", "+15555550100"),
            ("TEL:1001", "1001"),
            ("  1001 ", "1001"),
            ("alice@example.test", "alice@example.test"),
            ("sip:alice@EXAMPLE.test", "alice@example.test"),
            ("SIP:+1555@example.test", "+1555@example.test"),
            ("first.last_x-y@example.test", "first.last_x-y@example.test"),
            ("01234567890123456789", "01234567890123456789"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    /// SEC-45.
    #[test]
    fn everything_else_is_refused() {
        let long = "1".repeat(129);
        let many_digits = "1".repeat(21);
        for text in [
            "",
            " ",
            "+",
            "-",
            "alice",
            "tel:",
            "sip:",
            "@",
            "@example.test",
            "1001@",
            "tel:alice@example.test",
            "1001\r\nX: y",
            "\r\n1001",
            "1001\n",
            "1001?x=y",
            "1001;ext=2",
            "1001&2",
            "1001,2",
            "1001*",
            "*98",
            "#1",
            "1001p2",
            "1001w2",
            "1001x2",
            "1+1",
            "++1",
            "+1+1",
            "٠١٢٣",
            "１００１",
            "1001\u{a0}2",
            "1001\0",
            "alice@elsewhere.test",
            "sip:alice@example.test.elsewhere.test",
            "sip:alice@192.0.2.1",
            "sip:alice@example.test:5060",
            "sip:alice@example.test;transport=udp",
            "sip:alice@example.test?Subject=x",
            "sip:alice;x@example.test",
            "sip:alice:secret@example.test",
            "sip:al%69ce@example.test",
            "sips:alice@example.test",
            "urn:service:sos",
            "http://example.test/",
            "alice@bob@example.test",
            "al\u{ef}ce@example.test",
            "a b@example.test",
            "\"a\"@example.test",
            "tel:+1555;phone-context=x",
            &long,
            &many_digits,
        ] {
            assert_eq!(read(text), Err(Refusal::NotANumber), "{text:?}");
        }
    }

    proptest! {
        /// SEC-45: whatever is typed, what is read has nothing in it that means anything in a URI.
        #[test]
        fn what_is_read_is_plain(text in "\\PC{0,140}") {
            if let Ok(read) = read(&text) {
                prop_assert!(read.chars().all(|c| c.is_ascii_graphic()));
                prop_assert!(!read.contains([';', '?', '&', ',', '*', '%', ':', '<', '>', '"', '/']));
            }
        }

        /// The eye's separators change nothing.
        #[test]
        fn separators_change_nothing(digits in "[0-9]{1,20}", at in 0usize..20, separator in "[-. ()]") {
            let at = at.min(digits.len());
            let (before, after) = digits.split_at(at);
            prop_assert_eq!(read(&format!("+{before}{separator}{after}")), Ok(format!("+{digits}")));
        }

        /// What is printed is read as the same.
        #[test]
        fn what_was_read_is_read_again(text in "(tel:)?\\+?[0-9 .()-]{1,30}|[a-z0-9.+-]{1,20}@example\\.test") {
            if let Ok(once) = read(&text) {
                prop_assert_eq!(read(&once), Ok(once.clone()));
            }
        }
    }
}
