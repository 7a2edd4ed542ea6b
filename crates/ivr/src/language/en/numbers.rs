//! Numbers, digits and durations in English.

use std::time::Duration;

use super::{BETWEEN_PARTS, Sentence};
use crate::keys::Key;
use crate::phrase::Digits;

/// Names of the numbers that have one of their own.
const UP_TO_TWENTY: [&str; 21] = [
    "digits/0",
    "digits/1",
    "digits/2",
    "digits/3",
    "digits/4",
    "digits/5",
    "digits/6",
    "digits/7",
    "digits/8",
    "digits/9",
    "digits/10",
    "digits/11",
    "digits/12",
    "digits/13",
    "digits/14",
    "digits/15",
    "digits/16",
    "digits/17",
    "digits/18",
    "digits/19",
    "digits/20",
];

const TENS: [&str; 8] =
    ["digits/20", "digits/30", "digits/40", "digits/50", "digits/60", "digits/70", "digits/80", "digits/90"];

/// Numbers from here on are all said as this one less one: no count here comes near it.
const TOO_MANY: u32 = 1_000_000;

/// Up to this many digits are said in one go; more in groups of three and a last one of four.
const DIGITS_IN_ONE_GO: usize = 5;

impl Sentence {
    /// A number: "two hundred five".
    pub(super) fn number(&mut self, number: u32) -> &mut Self {
        let number = number.min(TOO_MANY - 1);
        let (thousands, rest) = (number / 1_000, number % 1_000);
        if thousands > 0 {
            self.below_thousand(thousands).prompt("digits/thousand");
        }
        if rest > 0 || thousands == 0 {
            self.below_thousand(rest);
        }
        self
    }

    fn below_thousand(&mut self, number: u32) -> &mut Self {
        let (hundreds, rest) = (number / 100, number % 100);
        if hundreds > 0 {
            self.below_hundred(hundreds).prompt("digits/hundred");
        }
        if rest > 0 || hundreds == 0 {
            self.below_hundred(rest);
        }
        self
    }

    pub(super) fn below_hundred(&mut self, number: u32) -> &mut Self {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(name) = UP_TO_TWENTY.get(number) {
            return self.prompt(name);
        }
        if let Some(tens) = TENS.get((number / 10).saturating_sub(2)) {
            self.prompt(tens);
        }
        match UP_TO_TWENTY.get(number % 10) {
            Some(ones) if number % 10 > 0 => self.prompt(ones),
            _ => self,
        }
    }

    /// Digit by digit, long ones in groups: "five five five, zero one zero zero".
    pub(super) fn digits(&mut self, digits: &Digits) -> &mut Self {
        let length = digits.len();
        for (at, key) in digits.keys().enumerate() {
            let left = length - at;
            // Groups are counted from the end: the last has four digits, those before it three.
            let begins_group = left == 4 || (left > 4 && (left - 4).is_multiple_of(3));
            if at > 0 && length > DIGITS_IN_ONE_GO && begins_group {
                self.gap(BETWEEN_PARTS);
            }
            self.key(key);
        }
        self
    }

    /// What is printed on a key.
    pub(super) fn key(&mut self, key: Key) -> &mut Self {
        match key {
            Key::Star => self.prompt("digits/star"),
            Key::Pound => self.prompt("digits/pound"),
            digit => self.below_hundred(u32::from(digit.digit().unwrap_or_default())),
        }
    }

    /// "One minute twelve seconds", to the second, and never nothing.
    pub(super) fn duration(&mut self, duration: Duration) -> &mut Self {
        let rounded = duration.saturating_add(Duration::from_millis(500)).as_secs().max(1);
        let seconds = u32::try_from(rounded).unwrap_or(u32::MAX);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        if minutes > 0 {
            self.number(minutes).plural(minutes, "minute", "minutes");
        }
        if seconds > 0 {
            self.number(seconds).plural(seconds, "second", "seconds");
        }
        self
    }
}
