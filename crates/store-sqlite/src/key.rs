//! The key that is kept outside the store (SEC-87, DEC-35), and what is derived from it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use umbel_store::{Address, DigestHashes, Ha1, Pin};
use zeroize::Zeroizing;

use crate::OpenError;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// As long as the longest PIN (SEC-83).
const PADDED_PIN_BYTES: usize = 24;

/// 256 random bits from `secret.key`. Does not print.
pub(crate) struct SecretKey(Zeroizing<[u8; KEY_BYTES]>);

impl SecretKey {
    /// Reads the key. `None` where there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io(path, error)),
        };
        // SEC-121
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(OpenError::KeyReadable { path: path.to_owned() });
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(|error| OpenError::io(path, error))?);
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
        let key = key.map_err(|_| OpenError::KeyMalformed { path: path.to_owned() })?;
        Ok(Some(SecretKey(Zeroizing::new(key))))
    }

    /// Makes a key and writes it so that only we can read it; it is on disk when this returns.
    pub(crate) fn create(path: &Path, random: [u8; KEY_BYTES]) -> Result<Self, OpenError> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(&random)?;
            file.sync_all()?;
            fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|error| OpenError::io(path, error))?;
        Ok(SecretKey(Zeroizing::new(random)))
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice()), purpose.as_bytes());
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        derived.copy_from_slice(tag.as_ref());
        derived
    }
}

/// Encrypts HA1 values for the database (DEC-35).
pub(crate) struct Seal(LessSafeKey);

/// Encrypts PINs on their way to a mail, so that a stolen store tells none.
pub(crate) struct PinSeal(LessSafeKey);

impl Seal {
    pub(crate) fn new(key: &SecretKey) -> Self {
        Seal(aead_key(key, "umbel ha1"))
    }

    /// Encrypts the hashes of one user; bound to the address, so that rows cannot be exchanged.
    pub(crate) fn close(&self, hashes: &DigestHashes, owner: &Address, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let mut data = Vec::with_capacity(16 + 32 + CHACHA20_POLY1305.tag_len());
        data.extend_from_slice(&hashes.md5.0);
        data.extend_from_slice(&hashes.sha256.0);
        close(&self.0, data, owner, nonce)
    }

    /// The hashes back; `None` where the row was tampered with or belongs to another key.
    pub(crate) fn open(&self, sealed: &[u8], owner: &Address) -> Option<DigestHashes> {
        let plain = open(&self.0, sealed, owner)?;
        let (md5, rest) = plain.split_first_chunk::<16>()?;
        let sha256 = <[u8; 32]>::try_from(rest).ok()?;
        Some(DigestHashes { md5: Ha1(*md5), sha256: Ha1(sha256) })
    }
}

impl PinSeal {
    pub(crate) fn new(key: &SecretKey) -> Self {
        PinSeal(aead_key(key, "umbel pin by mail"))
    }

    /// Encrypts the PIN of one user, padded so that its length does not show; bound to the address.
    pub(crate) fn close(&self, pin: &Pin, owner: &Address, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let mut data = Vec::with_capacity(PADDED_PIN_BYTES + CHACHA20_POLY1305.tag_len());
        data.extend_from_slice(pin.reveal().as_bytes());
        data.resize(PADDED_PIN_BYTES, b' ');
        close(&self.0, data, owner, nonce)
    }

    /// The PIN back; `None` where the row was tampered with or belongs to another key.
    pub(crate) fn open(&self, sealed: &[u8], owner: &Address) -> Option<Pin> {
        let plain = open(&self.0, sealed, owner)?;
        let digits = plain.trim_ascii_end();
        Pin::new(std::str::from_utf8(digits).ok()?).ok()
    }
}

fn aead_key(key: &SecretKey, purpose: &str) -> LessSafeKey {
    let derived = key.derive(purpose);
    let unbound = UnboundKey::new(&CHACHA20_POLY1305, derived.as_slice());
    LessSafeKey::new(unbound.expect("the algorithm takes keys of 32 bytes"))
}

/// Encrypts `data` in place, without leaving it elsewhere.
fn close(key: &LessSafeKey, mut data: Vec<u8>, owner: &Address, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
    let aad = Aad::from(owner.as_str());
    let sealed = key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut data);
    sealed.expect("some 50 bytes are not too many to encrypt");
    [nonce.as_slice(), &data].concat()
}

fn open(key: &LessSafeKey, sealed: &[u8], owner: &Address) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, data) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let mut data = Zeroizing::new(data.to_vec());
    let aad = Aad::from(owner.as_str());
    let length = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut data).ok()?.len();
    data.truncate(length);
    Some(data)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use umbel_store::Password;

    fn address(user: &str) -> Address {
        Address::new(user, "example.test").unwrap()
    }

    #[test]
    fn a_key_is_written_for_its_owner_only_and_read_back() {
        // SEC-121
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        assert!(SecretKey::read(&path).unwrap().is_none());
        let made = SecretKey::create(&path, [7; 32]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SecretKey::read(&path).unwrap().unwrap().derive("x"), made.derive("x"));
        assert!(SecretKey::create(&path, [8; 32]).is_err(), "a key is never overwritten");
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_cut_off_is_refused() {
        // SEC-121
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        SecretKey::create(&path, [7; 32]).unwrap();
        for mode in [0o604, 0o640, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(SecretKey::read(&path), Err(OpenError::KeyReadable { .. })), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [7; 31]).unwrap();
        assert!(matches!(SecretKey::read(&path), Err(OpenError::KeyMalformed { .. })));
    }

    #[test]
    fn sealed_hashes_open_for_their_owner_only() {
        // DEC-35
        let dir = tempfile::tempdir().unwrap();
        let key = |name: &str, byte| SecretKey::create(&dir.path().join(name), [byte; 32]).unwrap();
        let seal = Seal::new(&key("a", 1));
        let hashes = DigestHashes::new(&address("alice"), &Password::new("secret").unwrap());
        let sealed = seal.close(&hashes, &address("alice"), [9; 12]);
        assert!(!sealed.windows(16).any(|part| part == hashes.md5.0), "nothing stands in clear");
        assert_eq!(seal.open(&sealed, &address("alice")), Some(hashes));
        assert_eq!(seal.open(&sealed, &address("bob")), None);
        assert_eq!(Seal::new(&key("b", 2)).open(&sealed, &address("alice")), None);
        for cut in [0, 5, 12, sealed.len() - 1] {
            assert_eq!(seal.open(&sealed[..cut], &address("alice")), None);
        }
        let mut flipped = sealed.clone();
        flipped[20] ^= 1;
        assert_eq!(seal.open(&flipped, &address("alice")), None);
    }

    /// SEC-88: a PIN on its way to a mail is in clear nowhere, and its length does not show.
    #[test]
    fn a_sealed_pin_opens_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = |name: &str, byte| SecretKey::create(&dir.path().join(name), [byte; 32]).unwrap();
        let key_of_ours = key("a", 1);
        let seal = PinSeal::new(&key_of_ours);
        for digits in ["1", "274950", "123456789012345678901234"] {
            let pin = Pin::new(digits).unwrap();
            let sealed = seal.close(&pin, &address("alice"), [9; 12]);
            assert_eq!(sealed.len(), 12 + 24 + 16);
            assert!(digits.len() < 4 || !sealed.windows(4).any(|part| digits.as_bytes().starts_with(part)));
            assert_eq!(seal.open(&sealed, &address("alice")), Some(pin));
            assert_eq!(seal.open(&sealed, &address("bob")), None);
            assert_eq!(PinSeal::new(&key("b", 2)).open(&sealed, &address("alice")), None);
            std::fs::remove_file(dir.path().join("b")).unwrap();
            assert_eq!(
                Seal::new(&key_of_ours).open(&sealed, &address("alice")),
                None,
                "one key, one purpose"
            );
        }
    }
}
