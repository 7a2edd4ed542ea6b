//! Keys for SRTP in `a=crypto` (RFC 4568).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// Octets of an AES-128 master key and its salt together (RFC 4568 6.2).
const KEY_AND_SALT: usize = KEY + SALT;
const KEY: usize = 16;
const SALT: usize = 14;

/// The shortest lifetime of a key that we accept, in packets: more than five hours of audio, so that
/// no call outlives it and none needs a new key.
const LIFETIME_MIN: u64 = 1 << 20;
/// RFC 4568 6.1: the longest lifetime that a master key may have, in SRTP packets.
const LIFETIME_MAX: u64 = 1 << 48;

/// The crypto suites we have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES in counter mode with an 80-bit tag.
    AesCm128HmacSha1_80,
    /// The same with a 32-bit tag.
    AesCm128HmacSha1_32,
}

impl Suite {
    /// In the order in which we offer them.
    pub(crate) const ALL: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32];

    const fn as_str(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    fn read(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.as_str() == name)
    }
}

/// A master key and its salt. Prints as stars, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; KEY_AND_SALT]);

impl MasterKey {
    pub(crate) fn random(rng: &mut impl CryptoRng) -> MasterKey {
        let mut octets = [0; KEY_AND_SALT];
        rng.fill_bytes(&mut octets);
        let key = MasterKey(octets);
        octets.zeroize();
        key
    }

    /// Key and salt, in the order of RFC 4568 6.1.
    pub const fn key_and_salt(&self) -> &[u8; 30] {
        &self.0
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.0[..KEY]
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        &self.0[KEY..]
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// What both sides encrypt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The suite, the same both ways.
    pub suite: Suite,
    /// The key of what we send.
    pub ours: MasterKey,
    /// The key of what the peer sends.
    pub theirs: MasterKey,
}

/// One `a=crypto` line that we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CryptoLine {
    pub(crate) tag: u32,
    pub(crate) suite: Suite,
    pub(crate) key: MasterKey,
}

impl CryptoLine {
    /// Reads the value of an `a=crypto` attribute (RFC 4568 9.1); `None` where we cannot use it.
    pub(crate) fn read(value: &str) -> Option<CryptoLine> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let tag = words.next()?;
        let tag = (tag.len() <= 9 && tag.bytes().all(|octet| octet.is_ascii_digit())).then_some(tag)?;
        let tag = tag.parse().ok()?;
        let suite = Suite::read(words.next()?)?;
        let key = read_key(words.next()?)?;
        words.all(is_harmless).then_some(CryptoLine { tag, suite, key })
    }

    /// The value of the attribute. It holds the key, so it is wiped when dropped.
    pub(crate) fn print(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(STANDARD.encode(self.key.0));
        Zeroizing::new(format!("{} {} inline:{}", self.tag, self.suite.as_str(), key.as_str()))
    }
}

/// RFC 4568 6.1: `inline:` key and salt, then a lifetime and a master key identifier, both optional.
///
/// Several keys, and a master key identifier, change what an SRTP packet looks like; we have neither,
/// so such a line is not usable, and the peer's next one may be.
fn read_key(key_params: &str) -> Option<MasterKey> {
    let info = key_params.strip_prefix("inline:")?;
    let mut parts = info.split('|');
    let encoded = parts.next()?;
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let key = MasterKey(decoded.as_slice().try_into().ok()?);
    let lifetime_will_do = match parts.next() {
        Some(lifetime) => (LIFETIME_MIN..=LIFETIME_MAX).contains(&read_lifetime(lifetime)?),
        None => true,
    };
    (lifetime_will_do && parts.next().is_none()).then_some(key)
}

fn read_lifetime(text: &str) -> Option<u64> {
    match text.strip_prefix("2^") {
        Some(exponent) => 1_u64.checked_shl(exponent.parse().ok()?),
        None => text.parse().ok(),
    }
}

/// RFC 4568 6.3: a session parameter that one does not follow makes the whole line unusable, unless it
/// says by a hyphen that it may be ignored. None that weakens the session is followed.
fn is_harmless(session_param: &str) -> bool {
    match session_param.split_once('=') {
        // A hint for the receiver's replay window; ours is at least the 64 that it may not go below.
        Some(("WSH", size)) => size.parse::<u32>().is_ok(),
        // Deriving the session keys once is what we do.
        Some(("KDR", rate)) => rate == "0",
        _ => session_param.starts_with('-'),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    // RFC 4568 6.1's own example of a key.
    const INLINE: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn usable(value: &str) -> bool {
        CryptoLine::read(value).is_some()
    }

    #[test]
    fn a_line_is_read_and_printed_the_same() {
        for suite in Suite::ALL {
            let value = format!("7 {} {INLINE}", suite.as_str());
            let line = CryptoLine::read(&value).unwrap();
            assert_eq!((line.tag, line.suite), (7, suite));
            assert_eq!(line.print().as_str(), value);
            assert_eq!(line.key.key(), b"wDfvg&T+)xG7@fb5");
            assert_eq!(line.key.salt(), b"jU,RaA}\\|p0%*#");
        }
    }

    /// MED-5, SEC-74: what is not usable is never guessed at.
    #[test]
    fn bad_keys_and_unknown_suites_are_not_usable() {
        let suite = "AES_CM_128_HMAC_SHA1_80";
        assert!(usable(&format!("1 {suite} {INLINE}")));
        for value in [
            String::new(),
            "1".to_owned(),
            format!("1 {suite}"),
            format!("x {suite} {INLINE}"),
            format!("-1 {suite} {INLINE}"),
            format!("1234567890 {suite} {INLINE}"),
            format!("1 AES_256_CM_HMAC_SHA1_80 {INLINE}"),
            format!("1 F8_128_HMAC_SHA1_80 {INLINE}"),
            format!("1 NULL_HMAC_SHA1_80 {INLINE}"),
            format!("1 {} {INLINE}", suite.to_lowercase()),
            format!("1 {suite} uri:{INLINE}"),
            format!("1 {suite} inline:"),
            format!("1 {suite} inline:AAAA"),
            format!("1 {suite} inline:!!!!"),
            format!("1 {suite} {INLINE}AAAA"),
            format!("1 {suite} {}", &INLINE[..INLINE.len() - 1]),
            format!("1 {suite} {INLINE};{INLINE}"),
        ] {
            assert!(!usable(&value), "{value}");
        }
    }

    #[test]
    fn lifetimes_are_bounded_and_key_identifiers_refused() {
        for (parts, expected) in [
            ("|2^20", true),
            ("|2^31", true),
            ("|2^48", true),
            ("|1048576", true),
            ("|1048575", false),
            ("|2^19", false),
            ("|2^49", false),
            ("|2^64", false),
            ("|2^4294967296", false),
            ("|0", false),
            ("|", false),
            ("|x", false),
            ("|2^31|1:1", false),
            ("|1:4", false),
        ] {
            assert_eq!(usable(&format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE}{parts}")), expected, "{parts}");
        }
    }

    #[test]
    fn session_parameters_that_weaken_or_that_we_do_not_know_are_refused() {
        for (parameter, expected) in [
            ("WSH=128", true),
            ("KDR=0", true),
            ("-FUTURE=1", true),
            ("KDR=1", false),
            ("UNENCRYPTED_SRTP", false),
            ("UNENCRYPTED_SRTCP", false),
            ("UNAUTHENTICATED_SRTP", false),
            ("FEC_ORDER=FEC_SRTP", false),
            ("FUTURE=1", false),
        ] {
            let value = format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE} {parameter}");
            assert_eq!(usable(&value), expected, "{parameter}");
        }
    }

    #[test]
    fn keys_print_as_stars() {
        let line = CryptoLine::read(&format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE}")).unwrap();
        assert_eq!(format!("{:?}", line.key), "****");
        let keys = Keys { suite: line.suite, ours: line.key.clone(), theirs: line.key };
        assert_eq!(format!("{keys:?}"), "Keys { suite: AesCm128HmacSha1_80, ours: ****, theirs: **** }");
    }

    proptest! {
        #[test]
        fn any_value_is_read_or_refused(value in "[ -~]{0,120}") {
            let _ = CryptoLine::read(&value);
        }
    }
}
