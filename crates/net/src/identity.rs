//! Our own certificate and key, and the other PEM files that TLS reads.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::crypto::ring::sign::any_supported_type;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use umbel_node::PeerName;
use umbel_time::UnixTime;

use crate::tls;

/// A certificate chain, our own certificate first, and the key that belongs to it.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    names: Vec<PeerName>,
    fingerprint: [u8; 32],
    not_after: UnixTime,
}

/// What is wrong with a file, which file, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("{}: no such file; give the path of a PEM file, or leave the setting out", .0.display())]
    Missing(PathBuf),
    /// We may not read it.
    #[error("{}: permission denied; let the user that runs this program read it", .0.display())]
    NotPermitted(PathBuf),
    /// It cannot be read for another reason.
    #[error("{}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// Everybody on the machine can read, or change, a private key (SEC-121).
    #[error("{}: other users can read this private key (mode {mode:04o}); run chmod 600 on it", file.display())]
    KeyOpenToOthers {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is nothing of the expected kind in it.
    #[error("{}: no {expected} found; expected PEM, beginning with -----BEGIN", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// It holds something broken.
    #[error("{}: {expected} number {number} cannot be read; make the file anew", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// Which one, counted from 1.
        number: usize,
    },
    /// The key is not the one that the certificate was made for.
    #[error("{}: this key does not belong to the certificate in {}; give the pair that was made together", key.display(), certificate.display())]
    Mismatched {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate's time is over.
    #[error("{}: this certificate expired {days} days ago; get a new one", file.display())]
    Expired {
        /// The file.
        file: PathBuf,
        /// Whole days since.
        days: u64,
    },
    /// The certificate's time has not come.
    #[error("{}: this certificate is not valid yet; check the machine's date", .0.display())]
    NotYetValid(PathBuf),
}

impl FileError {
    /// Whether it is a matter of permissions, rather than of contents.
    pub fn is_permission(&self) -> bool {
        matches!(self, FileError::NotPermitted(_) | FileError::KeyOpenToOthers { .. })
    }
}

impl Identity {
    /// Reads a certificate chain and its key from PEM files, and checks that they can be used now.
    ///
    /// # Errors
    ///
    /// Names the file, what is wrong with it, and what to do.
    pub fn load(certificate: &Path, key: &Path, now: UnixTime) -> Result<Self, FileError> {
        let chain = load_certificates(certificate)?;
        refuse_open_key(key)?;
        let private = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|_| FileError::Empty { file: key.into(), expected: "private key" })?;
        let broken = |number| FileError::Broken { file: certificate.into(), expected: "certificate", number };
        let own = chain.first().and_then(tls::read).ok_or_else(|| broken(1))?;
        let signing = any_supported_type(&private).map_err(|_| FileError::Broken {
            file: key.into(),
            expected: "private key",
            number: 1,
        })?;
        rustls::sign::CertifiedKey::new(chain.clone(), signing)
            .keys_match()
            .map_err(|_| FileError::Mismatched { certificate: certificate.into(), key: key.into() })?;
        if own.peer.not_after < now {
            let days = now.since(own.peer.not_after).as_secs() / (24 * 3600);
            return Err(FileError::Expired { file: certificate.into(), days });
        }
        if own.peer.not_before > now {
            return Err(FileError::NotYetValid(certificate.into()));
        }
        Ok(Identity::new(chain, private, own))
    }

    /// For pairs that were made together in this process.
    pub(crate) fn made_here(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Option<Self> {
        let own = chain.first().and_then(tls::read)?;
        Some(Identity::new(chain, key, own))
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>, own: tls::Read) -> Self {
        Identity {
            chain,
            key,
            names: own.peer.names,
            fingerprint: own.peer.fingerprint,
            not_after: own.peer.not_after,
        }
    }

    /// The names that our certificate bears.
    pub fn names(&self) -> &[PeerName] {
        &self.names
    }

    /// SHA-256 over our certificate, as a list of trusted peers may name it.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// When our certificate expires.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

/// The key prints as stars.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("names", &self.names).field("key", &"***").finish_non_exhaustive()
    }
}

/// Reads the certificates of a PEM file: a chain, or a set of authorities.
///
/// # Errors
///
/// Where there are none, or one is broken.
pub fn load_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    load(file, "certificate", |pem| CertificateDer::pem_slice_iter(pem).collect())
}

/// Reads the certificate revocation lists of a PEM file.
///
/// # Errors
///
/// Where there are none, or one is broken.
pub fn load_revocations(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, FileError> {
    load(file, "revocation list", |pem| CertificateRevocationListDer::pem_slice_iter(pem).collect())
}

fn load<T>(
    file: &Path,
    expected: &'static str,
    parse: impl FnOnce(&[u8]) -> Vec<Result<T, rustls_pki_types::pem::Error>>,
) -> Result<Vec<T>, FileError> {
    let mut found = Vec::new();
    for (index, item) in parse(&read(file)?).into_iter().enumerate() {
        found.push(item.map_err(|_| FileError::Broken { file: file.into(), expected, number: index + 1 })?);
    }
    if found.is_empty() { Err(FileError::Empty { file: file.into(), expected }) } else { Ok(found) }
}

fn read(file: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(file).map_err(|reason| match reason.kind() {
        io::ErrorKind::NotFound => FileError::Missing(file.into()),
        io::ErrorKind::PermissionDenied => FileError::NotPermitted(file.into()),
        _ => FileError::Unreadable { file: file.into(), reason },
    })
}

/// SEC-121. The owner's group may read a key, as some distributions arrange it; nobody else.
#[cfg(unix)]
pub(crate) fn refuse_open_key(file: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = fs::metadata(file) else { return Ok(()) };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o027 != 0 {
        return Err(FileError::KeyOpenToOthers { file: file.into(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn refuse_open_key(_file: &Path) -> Result<(), FileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::{Authority, Issued};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    /// Two pairs of the same authority.
    fn stage() -> (TempDir, Issued, Issued) {
        let directory = TempDir::new().unwrap();
        let authority = Authority::load_or_create(directory.path(), NOW).unwrap();
        let one = authority.issue("one.test", directory.path(), NOW).unwrap();
        let two = authority.issue("two.test", directory.path(), NOW).unwrap();
        (directory, one, two)
    }

    #[track_caller]
    fn refused(certificate: &Path, key: &Path, now: UnixTime) -> (FileError, String) {
        let error = Identity::load(certificate, key, now).unwrap_err();
        let text = error.to_string();
        (error, text)
    }

    #[test]
    fn a_pair_that_was_made_together_is_taken() {
        let (_directory, one, _) = stage();
        let identity = Identity::load(&one.certificate, &one.private_key, NOW).unwrap();
        assert_eq!(identity.names(), [PeerName::Dns("one.test".to_owned())]);
        assert_eq!(identity.not_after(), NOW + 397 * DAY);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_and_both_are_named() {
        let (_directory, one, two) = stage();
        let (error, text) = refused(&one.certificate, &two.private_key, NOW);
        assert!(matches!(error, FileError::Mismatched { .. }), "{error:?}");
        assert!(text.contains("one.test.pem") && text.contains("two.test-key.pem"), "{text}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let (directory, one, _) = stage();
        let nowhere = directory.path().join("nowhere.pem");
        let (error, text) = refused(&nowhere, &one.private_key, NOW);
        assert!(matches!(error, FileError::Missing(_)), "{error:?}");
        assert!(text.contains("nowhere.pem"), "{text}");
        assert!(matches!(refused(&one.certificate, &nowhere, NOW).0, FileError::Missing(_)));
        assert!(matches!(refused(directory.path(), &one.private_key, NOW).0, FileError::Unreadable { .. }));
    }

    // SEC-121
    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused_and_one_that_the_group_can_read_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, one, _) = stage();
        let set = |mode| fs::set_permissions(&one.private_key, fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o644, 0o604, 0o660, 0o602] {
            set(mode);
            let (error, text) = refused(&one.certificate, &one.private_key, NOW);
            assert!(matches!(error, FileError::KeyOpenToOthers { .. }) && error.is_permission(), "{error:?}");
            assert!(text.contains(&format!("{mode:04o}")) && text.contains("chmod 600"), "{text}");
        }
        for mode in [0o600, 0o400, 0o640] {
            set(mode);
            assert!(Identity::load(&one.certificate, &one.private_key, NOW).is_ok(), "{mode:o}");
        }
    }

    // REL-31
    #[test]
    fn a_certificate_out_of_its_time_is_refused() {
        let (_directory, one, _) = stage();
        let load = |now| Identity::load(&one.certificate, &one.private_key, now);
        assert!(load(NOW + 397 * DAY).is_ok());
        assert!(matches!(load(NOW + 400 * DAY), Err(FileError::Expired { days: 3, .. })));
        assert!(load(NOW - Duration::from_secs(3_600)).is_ok());
        assert!(matches!(load(NOW - DAY), Err(FileError::NotYetValid(_))));
    }

    #[test]
    fn files_that_hold_something_else_are_refused() {
        let (directory, one, _) = stage();
        let other = directory.path().join("other.pem");
        let write = |text: &str| {
            fs::write(&other, text).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        };
        write("not PEM at all");
        assert!(matches!(refused(&other, &one.private_key, NOW).0, FileError::Empty { .. }));
        assert!(matches!(refused(&one.certificate, &other, NOW).0, FileError::Empty { .. }));
        assert!(matches!(load_revocations(&other), Err(FileError::Empty { .. })));
        write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(matches!(refused(&other, &one.private_key, NOW).0, FileError::Broken { number: 1, .. }));
        write("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
        assert!(matches!(load_certificates(&other), Err(FileError::Broken { number: 1, .. })));
        write("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assert!(matches!(refused(&one.certificate, &other, NOW).0, FileError::Broken { .. }));
    }

    // SEC-120
    #[test]
    fn the_key_does_not_print() {
        let (_directory, one, _) = stage();
        let identity = Identity::load(&one.certificate, &one.private_key, NOW).unwrap();
        let text = format!("{identity:?}");
        assert!(text.contains("***") && text.contains("one.test"), "{text}");
        assert!(text.len() < 200, "{text}");
    }
}
