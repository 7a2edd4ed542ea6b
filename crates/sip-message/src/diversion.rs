//! Diversion: RFC 5806.

use std::borrow::Cow;

use crate::grammar::{self, ParseError};
use crate::name_addr::NameAddr;

/// One `div-entry`: who diverted the call, and why.
#[derive(Clone, Debug)]
pub struct Diversion<'a> {
    /// The diverting party.
    pub address: NameAddr<'a>,
    /// Why.
    pub reason: DiversionReason,
    /// How many diversions this entry stands for; 1 where it is not written.
    pub counter: u8,
    /// How many diversions are allowed, as the diverting party wishes.
    pub limit: Option<u8>,
}

impl<'a> Diversion<'a> {
    /// Reads one entry.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let address = NameAddr::parse(value)?;
        // RFC 5806 10: 1*2DIGIT.
        let count = |name: &'static str| match address.param(name) {
            None => Ok(None),
            Some(written) => written
                .and_then(|digits| grammar::number(digits.as_bytes(), 2))
                .and_then(|number| u8::try_from(number).ok())
                .map(Some)
                .ok_or(ParseError::new("bad number in a Diversion", 0)),
        };
        let (counter, limit) = (count("counter")?.unwrap_or(1), count("limit")?);
        let reason = match address.param("reason").flatten() {
            Some(reason) => DiversionReason::from_text(&reason),
            None => DiversionReason::Unknown,
        };
        Ok(Diversion { address, reason, counter, limit })
    }

    /// What of this entry may be shown: `full`, `name`, `uri`, `off` or another word.
    pub fn privacy(&self) -> Option<Cow<'a, str>> {
        self.address.param("privacy").flatten()
    }

    /// Whether the diverting party was verified: `yes`, `no` or another word.
    pub fn screen(&self) -> Option<Cow<'a, str>> {
        self.address.param("screen").flatten()
    }
}

/// `div-reason`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiversionReason {
    /// `unknown`, or not written.
    Unknown,
    /// `user-busy`
    UserBusy,
    /// `no-answer`
    NoAnswer,
    /// `unavailable`
    Unavailable,
    /// `unconditional`
    Unconditional,
    /// `time-of-day`
    TimeOfDay,
    /// `do-not-disturb`
    DoNotDisturb,
    /// `deflection`
    Deflection,
    /// `follow-me`
    FollowMe,
    /// `out-of-service`
    OutOfService,
    /// `away`
    Away,
    /// Another word.
    Other(String),
}

const REASONS: [(&str, DiversionReason); 11] = [
    ("unknown", DiversionReason::Unknown),
    ("user-busy", DiversionReason::UserBusy),
    ("no-answer", DiversionReason::NoAnswer),
    ("unavailable", DiversionReason::Unavailable),
    ("unconditional", DiversionReason::Unconditional),
    ("time-of-day", DiversionReason::TimeOfDay),
    ("do-not-disturb", DiversionReason::DoNotDisturb),
    ("deflection", DiversionReason::Deflection),
    ("follow-me", DiversionReason::FollowMe),
    ("out-of-service", DiversionReason::OutOfService),
    ("away", DiversionReason::Away),
];

impl DiversionReason {
    fn from_text(text: &str) -> Self {
        match REASONS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
            Some((_, reason)) => reason.clone(),
            None => DiversionReason::Other(text.to_owned()),
        }
    }

    /// The word, as we write it.
    pub fn as_str(&self) -> &str {
        match self {
            DiversionReason::Other(word) => word,
            known => REASONS.iter().find(|(_, reason)| reason == known).map_or("unknown", |(word, _)| word),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_entry_says_who_and_why() {
        let value =
            br#""Dana" <sip:dana@example.com>;reason=no-answer;counter=2;privacy="off";screen=yes;limit=5"#;
        let diversion = Diversion::parse(value).unwrap();
        assert_eq!(diversion.address.uri.as_str(), "sip:dana@example.com");
        assert_eq!(diversion.reason, DiversionReason::NoAnswer);
        assert_eq!((diversion.counter, diversion.limit), (2, Some(5)));
        assert_eq!(diversion.privacy().unwrap(), "off");
        assert_eq!(diversion.screen().unwrap(), "yes");
    }

    #[test]
    fn a_quoted_or_unknown_reason_is_read_too() {
        let reason = |value: &'static str| Diversion::parse(value.as_bytes()).unwrap().reason;
        assert_eq!(reason("<sip:a@b>;reason=\"User-Busy\""), DiversionReason::UserBusy);
        assert_eq!(reason("<sip:a@b>;reason=mood"), DiversionReason::Other("mood".into()));
        assert_eq!(reason("<sip:a@b>"), DiversionReason::Unknown);
        for (word, reason) in REASONS {
            assert_eq!(DiversionReason::from_text(word), reason);
            assert_eq!(reason.as_str(), word);
        }
    }

    #[test]
    fn a_counter_has_one_or_two_digits() {
        for (counter, accepted) in [("0", true), ("99", true), ("100", false), ("x", false), ("-1", false)] {
            let value = format!("<sip:a@b>;counter={counter}");
            assert_eq!(Diversion::parse(value.as_bytes()).is_ok(), accepted, "{counter}");
        }
    }
}
