//! The dialling rules: which numbers outside may be called, `[dialling] allow` (SEC-44).
//!
//! A rule is a number, which allows that number; or the beginning of one and `*`, which allows every number that
//! begins so. `+` counts: `+1555*` says nothing of `1555…`. Without rules no number outside may be called, and
//! users of our own always may.

use std::fmt;
use std::str::FromStr;

use crate::dialling::{NUMBER_DIGITS_MAX, Number};

/// The most rules that are read.
pub const RULES_MAX: usize = 1_000;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `+` and digits; empty only before `*`.
    beginning: String,
    /// Whether more digits may follow.
    open: bool,
}

/// Why a text is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARule {
    /// There is nothing.
    #[error("is empty; write a number like \"+15555550100\", or its beginning and *, like \"+1555*\"")]
    Empty,
    /// A star, and something after it.
    #[error("has * before its end; * stands for all further digits, and comes last")]
    StarWithin,
    /// A plus that does not come first.
    #[error("has + after its beginning; + comes first, or not at all")]
    PlusWithin,
    /// Something else.
    #[error("has something in it that is no digit; a rule is +, digits, and * at its end")]
    NotADigit,
    /// More digits than a number has.
    #[error("has more than {NUMBER_DIGITS_MAX} digits")]
    TooLong,
}

impl Rule {
    /// Whether it allows every number, or every number that begins with a plus.
    pub fn allows_all(&self) -> bool {
        self.open && self.beginning.trim_start_matches('+').is_empty()
    }

    /// Whether it allows a number.
    pub fn allows(&self, number: &Number) -> bool {
        let number = number.as_str();
        if self.open { number.starts_with(&self.beginning) } else { number == self.beginning }
    }
}

impl FromStr for Rule {
    type Err = NotARule;

    fn from_str(text: &str) -> Result<Self, NotARule> {
        let (written, open) = match text.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (text, false),
        };
        let mut beginning = String::new();
        for character in written.chars() {
            match character {
                '+' if beginning.is_empty() => beginning.push('+'),
                '+' => return Err(NotARule::PlusWithin),
                '0'..='9' => beginning.push(character),
                // As numbers are written for the eye.
                '-' | '.' | '(' | ')' | ' ' => {}
                '*' => return Err(NotARule::StarWithin),
                _ => return Err(NotARule::NotADigit),
            }
        }
        let digits = beginning.trim_start_matches('+').len();
        match (digits, open) {
            (0, false) => Err(NotARule::Empty),
            (digits, _) if digits > NUMBER_DIGITS_MAX => Err(NotARule::TooLong),
            (_, open) => Ok(Rule { beginning, open }),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.beginning, if self.open { "*" } else { "" })
    }
}

/// All rules. What none of them allows is not called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiallingRules {
    rules: Vec<Rule>,
}

impl DiallingRules {
    /// These rules; of more than [`RULES_MAX`] the rest allows nothing.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        DiallingRules { rules: rules.into_iter().take(RULES_MAX).collect() }
    }

    /// All of them, in their order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The rule that allows a number; the first, where several do.
    pub fn allowing(&self, number: &Number) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.allows(number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn rules(texts: &[&str]) -> DiallingRules {
        DiallingRules::new(texts.iter().map(|text| text.parse().unwrap()))
    }

    fn allows(texts: &[&str], number: &str) -> bool {
        rules(texts).allowing(&Number::read(number).unwrap()).is_some()
    }

    /// SEC-44: off by default.
    #[test]
    fn without_rules_nothing_is_allowed() {
        for number in ["1", "+15555550100", "112"] {
            assert!(!allows(&[], number), "{number}");
        }
    }

    /// SEC-44, POP-4.
    #[test]
    fn a_rule_allows_its_number_or_all_that_begin_with_it() {
        for (rule, number, allowed) in [
            ("+1555*", "+15555550100", true),
            ("+1555*", "+1555", true),
            ("+1555*", "+1554", false),
            ("+1555*", "15555550100", false),
            ("1555*", "+15555550100", false),
            ("+1 (555) 555-01*", "+15555550100", true),
            ("+15555550100", "+15555550100", true),
            ("+15555550100", "+155555501001", false),
            ("+*", "+4930123456", true),
            ("+*", "0049301234", false),
            ("*", "0049301234", true),
            ("*", "+4930123456", true),
        ] {
            assert_eq!(allows(&[rule], number), allowed, "{rule} {number}");
        }
        assert!(allows(&["+1554*", "+1555*"], "+15555550100"));
        assert_eq!(
            rules(&["+1554*", "+1*", "+1555*"])
                .allowing(&Number::read("+15555550100").unwrap())
                .map(ToString::to_string),
            Some("+1*".to_owned())
        );
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (text, why) in [
            ("", NotARule::Empty),
            ("+", NotARule::Empty),
            ("()", NotARule::Empty),
            ("+1*2", NotARule::StarWithin),
            ("**", NotARule::StarWithin),
            ("1+", NotARule::PlusWithin),
            ("+1555?", NotARule::NotADigit),
            ("+1555x", NotARule::NotADigit),
            ("٣*", NotARule::NotADigit),
            ("111111111111111111111", NotARule::TooLong),
        ] {
            assert_eq!(text.parse::<Rule>(), Err(why), "{text:?}");
        }
    }

    proptest! {
        /// A rule is read as it is printed, and a closed one allows nothing but its number.
        #[test]
        fn rules_are_exact(digits in "\\+?[0-9]{1,20}", other in "\\+?[0-9]{1,20}") {
            let (closed, open): (Rule, Rule) = (digits.parse().unwrap(), format!("{digits}*").parse().unwrap());
            prop_assert_eq!(closed.to_string().parse::<Rule>(), Ok(closed.clone()));
            prop_assert_eq!(open.to_string().parse::<Rule>(), Ok(open.clone()));
            let number = Number::read(&other).unwrap();
            prop_assert_eq!(closed.allows(&number), digits == other);
            prop_assert_eq!(open.allows(&number), other.starts_with(&digits));
        }

        #[test]
        fn any_text_is_a_rule_or_none(text in "\\PC{0,40}") {
            if let Ok(rule) = text.parse::<Rule>() {
                prop_assert!(rule.beginning.len() <= NUMBER_DIGITS_MAX + 1);
            }
        }
    }
}
