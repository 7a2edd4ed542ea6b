//! What is asked for, and the name of the call.

use std::fmt;
use std::str::FromStr;

use umbel_store::{Address, GreetingKind, MessageId};

/// 128 random bits that name one call to those who asked for it; of no use to anybody else (SEC-99).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneCallId([u8; 16]);

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a call is 32 hexadecimal digits")]
pub struct NotACallId;

impl PhoneCallId {
    /// The id with these bits, which must come from a cryptographic generator.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        PhoneCallId(bytes)
    }
}

impl fmt::Display for PhoneCallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for PhoneCallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PhoneCallId {
    type Err = NotACallId;

    fn from_str(text: &str) -> Result<Self, NotACallId> {
        // from_str_radix would also take a sign.
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotACallId);
        }
        u128::from_str_radix(text, 16).map(|bits| PhoneCallId(bits.to_be_bytes())).map_err(|_| NotACallId)
    }
}

/// What is to be heard on the telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Played {
    /// `PlayOnPhone`: a message of the owner's.
    Message(MessageId),
    /// `PlayOnPhoneGreeting`: a greeting of the owner's, which may be recorded anew.
    Greeting(GreetingKind),
}

/// A request by an authenticated owner (DEC-23). Without one, no INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the call will be named; made by whoever asks.
    pub id: PhoneCallId,
    /// Who asks, and whose mailbox it is: from the session, never from the request's own words (SEC-97).
    pub owner: Address,
    /// What is to be heard.
    pub played: Played,
    /// What to dial, as it was given; `None`: the owner's own address.
    pub dial_string: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_call_is_read_as_it_is_printed() {
        let id = PhoneCallId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_texts_name_no_call() {
        for text in ["", "+0102030405060708090a0b0c0d0eff", "000102030405060708090a0b0c0d0ef", "Ω"] {
            assert_eq!(text.parse::<PhoneCallId>(), Err(NotACallId), "{text:?}");
        }
    }
}
