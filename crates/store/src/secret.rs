//! What a person knows and nobody else may: PINs and passwords. Neither prints.

use std::fmt;

use zeroize::Zeroizing;

/// Longest PIN that is taken in at all (SEC-83).
pub(crate) const PIN_DIGITS_MAX: usize = 24;
/// Longest password that is taken in at all, in octets.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// The digits of a PIN, 1 to 24 of them. Whether it is good enough is
/// [`PinPolicy::judge`](crate::PinPolicy::judge)'s business.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Zeroizing<String>);

/// The text is not 1 to 24 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PIN is 1 to 24 digits")]
pub struct NotAPin;

impl Pin {
    /// The PIN of these digits.
    pub fn new(digits: &str) -> Result<Self, NotAPin> {
        let plausible = (1..=PIN_DIGITS_MAX).contains(&digits.len());
        if !plausible || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAPin);
        }
        Ok(Pin(Zeroizing::new(digits.to_owned())))
    }

    /// The digits, for hashing or for telling their owner once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// SEC-88, SEC-120
impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A password for the web and for digest authentication.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password `text`; `None` where it is empty or longer than 1,024 octets.
    pub fn new(text: &str) -> Option<Self> {
        (1..=PASSWORD_BYTES_MAX).contains(&text.len()).then(|| Password(Zeroizing::new(text.to_owned())))
    }

    /// The text, for hashing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// SEC-120
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_as_stars() {
        // SEC-88, SEC-120
        let pin = Pin::new("274950").expect("digits");
        let password = Password::new("hunter2").expect("a password");
        assert_eq!(format!("{pin:?} {password:?}"), "*** ***");
    }

    #[test]
    fn a_pin_is_1_to_24_digits() {
        assert!(Pin::new(&"1".repeat(24)).is_ok());
        for text in ["", "12a4", " 1234", "１２３４", &"1".repeat(25)] {
            assert_eq!(Pin::new(text), Err(NotAPin), "{text:?}");
        }
    }

    #[test]
    fn an_empty_password_is_none() {
        assert_eq!(Password::new(""), None);
        assert!(Password::new(&"x".repeat(1_024)).is_some());
        assert_eq!(Password::new(&"x".repeat(1_025)), None);
    }
}
