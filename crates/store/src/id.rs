//! Names of messages and of questions to the store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names one wish for an [`Op`](crate::Op) until its [`Reply`](crate::Reply) comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// 128 random bits, made when the call starts: the recording, and the message it becomes.
///
/// Because the id is there before the first octet of audio, a deposit that is finished twice, or
/// again after a restart, makes one message (REL-04). It is random, so that it cannot be guessed (SEC-99).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId([u8; 16]);

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 32 hexadecimal digits")]
pub struct NotAnId;

impl MessageId {
    /// The id with these bits; they should come from a cryptographic generator.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        MessageId(bytes)
    }

    /// Its bits.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MessageId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        // from_str_radix would also take a sign.
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAnId);
        }
        u128::from_str_radix(text, 16).map(|bits| MessageId(bits.to_be_bytes())).map_err(|_| NotAnId)
    }
}

impl TryFrom<String> for MessageId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_printed() {
        let id = MessageId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_path_is_no_id() {
        // SEC-104
        for text in
            ["", "../../etc/passwd", "+0102030405060708090a0b0c0d0eff", "000102030405060708090a0b0c0d0ef"]
        {
            assert_eq!(text.parse::<MessageId>(), Err(NotAnId), "{text:?}");
        }
    }
}
