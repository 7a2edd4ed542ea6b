//! HA1 of digest authentication, so that no password need be kept.

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::{Address, Password};

/// H(username ":" realm ":" password) by two algorithms (RFC 7616 3.4.2). As good as the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestHashes {
    /// By MD5, for telephones that know nothing better.
    pub md5: Ha1<16>,
    /// By SHA-256.
    pub sha256: Ha1<32>,
}

/// One hash. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1<const N: usize>(pub [u8; N]);

/// SEC-120
impl<const N: usize> fmt::Debug for Ha1<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<const N: usize> Drop for Ha1<N> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl fmt::Debug for DigestHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl DigestHashes {
    /// The hashes of `password`; the username is the user part of `address`, the realm its domain.
    pub fn new(address: &Address, password: &Password) -> Self {
        let (user, realm) = (address.user(), address.domain());
        DigestHashes {
            md5: Ha1(ha1::<Md5>(user, realm, password).into()),
            sha256: Ha1(ha1::<Sha256>(user, realm, password).into()),
        }
    }
}

fn ha1<D: Digest>(user: &str, realm: &str, password: &Password) -> sha2::digest::Output<D> {
    D::new()
        .chain_update(user)
        .chain_update(":")
        .chain_update(realm)
        .chain_update(":")
        .chain_update(password.reveal())
        .finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_the_example_in_rfc_7616() {
        // RFC 7616 3.9.1: Mufasa, http-auth@example.org, Circle of Life. The realm has an `@` there, which
        // no domain has, so the parts are hashed directly.
        let password = Password::new("Circle of Life").expect("a password");
        let md5 = ha1::<Md5>("Mufasa", "http-auth@example.org", &password);
        assert_eq!(hex(&md5), "3d78807defe7de2157e2b0b6573a855f");
        let address = Address::new("alice", "Example.Test").expect("an address");
        let hashes = DigestHashes::new(&address, &password);
        assert_eq!(hashes.md5.0, <[u8; 16]>::from(ha1::<Md5>("alice", "example.test", &password)));
        assert_eq!(hashes.sha256.0, <[u8; 32]>::from(ha1::<Sha256>("alice", "example.test", &password)));
        assert_eq!(format!("{hashes:?} {:?}", hashes.md5), "*** ***");
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }
}
