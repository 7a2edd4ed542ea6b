//! The hash functions of RFC 8760 2.1, and the two stages that do not depend on a request.

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use subtle::ConstantTimeEq;

/// A hash function for digests. The `-sess` variants are not offered, and unknown to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `MD5`, for old clients only.
    Md5,
    /// `SHA-256`
    Sha256,
    /// `SHA-512-256`: FIPS 180-4 SHA-512/256.
    Sha512_256,
}

impl Algorithm {
    /// All of them, the one to be preferred first.
    pub const ALL: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha512_256, Algorithm::Md5];

    /// The `algorithm` token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }

    /// The algorithm with this token, compared without case.
    pub fn from_token(token: &str) -> Option<Self> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(token))
    }

    /// The hexadecimal hash of the parts with colons between them: `H(unq(a) ":" ... )`.
    pub(crate) fn hash(self, parts: &[&str]) -> String {
        match self {
            Algorithm::Md5 => joined::<Md5>(parts),
            Algorithm::Sha256 => joined::<Sha256>(parts),
            Algorithm::Sha512_256 => joined::<Sha512_256>(parts),
        }
    }
}

fn joined<D: Digest>(parts: &[&str]) -> String {
    let mut digest = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            digest.update(b":");
        }
        digest.update(part.as_bytes());
    }
    let octets = digest.finalize();
    let mut hex = String::with_capacity(octets.len() * 2);
    for octet in octets.iter() {
        for digit in [octet >> 4, octet & 15] {
            hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    hex
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `H(A1)`: all that a server needs to keep of a password, and as good as the password itself.
#[derive(Clone)]
pub struct Ha1 {
    algorithm: Algorithm,
    hex: String,
}

impl Ha1 {
    /// RFC 7616 3.4.2: `H(username ":" realm ":" password)`.
    pub fn new(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> Self {
        Ha1 { algorithm, hex: algorithm.hash(&[username, realm, password]) }
    }

    /// One that was kept, as lower-case hexadecimal digits.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Self {
        Ha1 { algorithm, hex: hex.to_ascii_lowercase() }
    }

    /// The hexadecimal digits, to be kept. A secret.
    pub fn expose_hex(&self) -> &str {
        &self.hex
    }

    /// The hash function.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl PartialEq for Ha1 {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.hex.as_bytes().ct_eq(other.hex.as_bytes()).into()
    }
}

impl Eq for Ha1 {}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({}, ****)", self.algorithm)
    }
}
