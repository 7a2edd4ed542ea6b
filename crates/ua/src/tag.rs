//! Our tags: RFC 3261 19.3.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

/// The tag that we add to From or To, and by which a request within a dialog finds its call.
///
/// All of it is random and from a cryptographic generator, so nobody who has not seen a message of
/// the dialog can name it. RFC 3261 19.3 asks for at least 32 bits; here it is the key to the call,
/// and 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LocalTag(u64);

impl LocalTag {
    /// As many hexadecimal digits as 64 bits have.
    const DIGITS: usize = 16;

    /// A tag that was never used and will not be guessed.
    pub(crate) fn random(rng: &mut ChaCha20Rng) -> Self {
        LocalTag(rng.next_u64())
    }

    /// Reads a tag of ours back. Tags compare byte for byte (RFC 3261 19.3), so only what
    /// [`fmt::Display`] writes is one of ours.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        let ours = tag.len() == Self::DIGITS && tag.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        ours.then(|| u64::from_str_radix(tag, 16).ok()).flatten().map(LocalTag)
    }
}

impl fmt::Display for LocalTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for LocalTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand_core::SeedableRng;

    use super::*;

    // SEC-54: dialog tags have 64 random bits or more.
    #[test]
    fn a_tag_is_sixteen_digits_and_reads_back() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        for _ in 0..100 {
            let tag = LocalTag::random(&mut rng);
            let text = tag.to_string();
            assert_eq!(text.len(), 16);
            assert_eq!(LocalTag::parse(&text), Some(tag));
        }
    }

    #[test]
    fn two_tags_differ() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        assert_ne!(LocalTag::random(&mut rng), LocalTag::random(&mut rng));
    }

    #[test]
    fn a_tag_in_another_spelling_is_not_ours() {
        assert_eq!(LocalTag::parse("0123456789abcdef"), Some(LocalTag(0x0123_4567_89ab_cdef)));
        for foreign in [
            "",
            "0123456789ABCDEF",
            "123456789abcdef",
            "00123456789abcdef",
            "+123456789abcdef",
            "é23456789abcdef",
        ] {
            assert_eq!(LocalTag::parse(foreign), None, "{foreign}");
        }
    }
}
