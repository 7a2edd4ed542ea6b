//! What we give away and want to recognise when it comes back: sealed by HMAC-SHA-256 (RFC 2104).

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Octets of a block of SHA-256.
const BLOCK: usize = 64;
/// Octets of a seal: half of the hash, as RFC 2104 5 allows.
const SEAL: usize = 16;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A key that lives as long as the node.
pub(crate) struct Seal {
    inner: Sha256,
    outer: Sha256,
}

/// What is sealed: the same octets for one purpose are of no use for another.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Nonce,
    /// Record-Route: the way to who began a dialog.
    TowardsCaller,
    /// The same to who answered.
    TowardsCallee,
    /// A place on such a way, and all servers that are passed on it.
    Place,
    Servers,
    Hidden,
    /// Of what hides it.
    Stream,
}

impl Seal {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        let mut key = [0u8; BLOCK];
        rng.fill_bytes(&mut key);
        let padded = |pad: u8| Sha256::new().chain_update(key.map(|octet| octet ^ pad));
        Seal { inner: padded(0x36), outer: padded(0x5c) }
    }

    /// The seal over these parts, as lower-case hexadecimal digits. Each part counts with its length,
    /// so that octets cannot move from one to the next.
    pub(crate) fn over(&self, purpose: Purpose, parts: &[&[u8]]) -> String {
        String::from_utf8_lossy(&self.digits(purpose, parts)).into_owned()
    }

    /// The same without a place of its own in memory.
    pub(crate) fn digits(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 2 * SEAL] {
        let code = self.code(purpose, parts);
        let mut digits = [0; 2 * SEAL];
        for (pair, octet) in digits.chunks_exact_mut(2).zip(code) {
            pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 0xf)]]);
        }
        digits
    }

    /// A number that nobody else can tell beforehand, and that is the same for the same parts.
    pub(crate) fn number(&self, purpose: Purpose, parts: &[&[u8]]) -> u64 {
        self.code(purpose, parts).iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet))
    }

    fn code(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone().chain_update([purpose as u8]);
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            inner.update(length.to_be_bytes());
            inner.update(part);
        }
        self.outer.clone().chain_update(inner.finalize()).finalize().into()
    }

    /// Octets that nobody else can read or change, as lower-case hexadecimal digits: their code, and they
    /// themselves under a stream made of it. What is to look different each time must differ in itself.
    pub(crate) fn hide(&self, plain: &[u8]) -> String {
        let code = self.code(Purpose::Hidden, &[plain]);
        hex(&code[..SEAL]) + &hex(&self.streamed(&code[..SEAL], plain))
    }

    /// What [`Seal::hide`] hid; `None` for what it did not make.
    pub(crate) fn reveal(&self, hidden: &str) -> Option<Vec<u8>> {
        let octets = unhex(hidden)?;
        let (code, streamed) = octets.split_at_checked(SEAL)?;
        let plain = self.streamed(code, streamed);
        let made = self.code(Purpose::Hidden, &[&plain]);
        bool::from(made[..SEAL].ct_eq(code)).then_some(plain)
    }

    fn streamed(&self, code: &[u8], octets: &[u8]) -> Vec<u8> {
        let mut stream = vec![0; octets.len()];
        ChaCha20Rng::from_seed(self.code(Purpose::Stream, &[code])).fill_bytes(&mut stream);
        stream.iter().zip(octets).map(|(one, other)| one ^ other).collect()
    }

    /// Whether `seal` is the one over these parts; compared in constant time.
    pub(crate) fn is_over(&self, purpose: Purpose, parts: &[&[u8]], seal: &str) -> bool {
        self.digits(purpose, parts).ct_eq(seal.as_bytes()).into()
    }
}

pub(crate) fn hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 0xf)]);
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        text.push(digit(octet >> 4));
        text.push(digit(*octet));
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(****)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn seal(seed: u64) -> Seal {
        Seal::new(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    #[test]
    fn a_seal_is_known_by_its_maker_its_purpose_and_its_parts() {
        let ours = seal(1);
        let made = ours.over(Purpose::Nonce, &[b"ab", b"c"]);
        assert_eq!(made.len(), 2 * SEAL);
        assert!(ours.is_over(Purpose::Nonce, &[b"ab", b"c"], &made));
        assert!(!ours.is_over(Purpose::TowardsCaller, &[b"ab", b"c"], &made));
        assert!(!ours.is_over(Purpose::Nonce, &[b"a", b"bc"], &made));
        assert!(!ours.is_over(Purpose::Nonce, &[b"abc"], &made));
        assert!(!ours.is_over(Purpose::Nonce, &[b"ab", b"c"], &made.to_uppercase()));
        assert!(!ours.is_over(Purpose::Nonce, &[b"ab", b"c"], ""));
        assert!(!seal(2).is_over(Purpose::Nonce, &[b"ab", b"c"], &made));
    }

    #[test]
    fn what_is_hidden_is_revealed_to_its_maker_and_only_as_it_was_made() {
        let ours = seal(1);
        let hidden = ours.hide(b"bob, and no. 1");
        assert_eq!(ours.reveal(&hidden).unwrap(), b"bob, and no. 1");
        assert_eq!(ours.reveal(&ours.hide(b"")).unwrap(), b"");
        assert!(!hidden.contains(&hex(b"bob")));
        assert_eq!(hidden.len(), 2 * (SEAL + 14));
        assert_eq!(seal(2).reveal(&hidden), None);
        for at in [0, 31, 32, hidden.len() - 1] {
            let mut changed = hidden.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(ours.reveal(&String::from_utf8(changed).unwrap()), None, "{at}");
        }
        for bad in ["", "0", "xy", "é", &hidden[1..], &hidden[2..]] {
            assert_eq!(ours.reveal(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_key_does_not_print() {
        assert_eq!(format!("{:?}", seal(1)), "Seal(****)");
    }
}
