//! Keys for SRTP, as an SDP exchange gives them. RFC 4568, RFC 3711.

use std::fmt;

use zeroize::Zeroize;

/// A crypto suite of RFC 4568 6.2. Others are not offered and cannot be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`
    AesCm128HmacSha1_32,
}

/// A master key of 16 bytes with its salt of 14, as the `inline:` parameter carries them.
///
/// Wiped when dropped; prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; MasterKey::LEN]);

impl MasterKey {
    /// Bytes of key and salt together.
    pub const LEN: usize = 30;
    const KEY_LEN: usize = 16;

    /// Key and salt, in the order of RFC 4568 6.1.
    pub const fn new(key_and_salt: [u8; MasterKey::LEN]) -> Self {
        MasterKey(key_and_salt)
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.0[..Self::KEY_LEN]
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.0[Self::KEY_LEN..]
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What both directions of a call are protected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// The suite of both directions.
    pub suite: Suite,
    /// What we protect with: the key in our own `a=crypto`.
    pub ours: MasterKey,
    /// What the peer protects with: the key in its `a=crypto`.
    pub theirs: MasterKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_as_stars() {
        let keys = SrtpKeys {
            suite: Suite::AesCm128HmacSha1_80,
            ours: MasterKey::new([0x5a; 30]),
            theirs: MasterKey::new([0xa5; 30]),
        };
        let shown = format!("{keys:?}");
        assert!(!shown.contains("90") && !shown.contains("5a") && shown.contains("***"), "{shown}");
    }
}
