//! The part of an operation that costs Argon2 and needs no store, so that other threads can do it (DEC-43).

use umbel_store::{Password, Pin};
use zeroize::Zeroizing;

use crate::hashing::{Hashed, Hasher};

/// What becomes of users who are there, and of those who are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only new ones.
    Add,
    /// Both.
    Put,
    /// Only known ones, and nothing of them but their secrets.
    Secrets,
    /// As `Secrets`; the PIN is mailed to the owner, and told nobody else.
    Mailed,
}

impl Mode {
    /// Whether it is about nothing but the secrets of known users.
    pub(crate) fn is_secrets(self) -> bool {
        matches!(self, Mode::Secrets | Mode::Mailed)
    }
}

/// Whether a PIN was the user's before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Not as far as is remembered.
    Never,
    /// Once.
    Earlier,
    /// It is so now.
    Present,
}

/// The part of an operation that costs Argon2.
pub(crate) enum Work {
    /// Compare a secret with what is stored, or spend the same time on nothing (SEC-86).
    Check { secret: Zeroizing<String>, stored: Option<(i64, Hashed)> },
    /// Hash the secrets of these entries.
    Entries(Vec<EntryWork>),
}

/// The secrets of one entry.
pub(crate) struct EntryWork {
    /// The PIN to set, whether we made it, a salt, and the ones that may not be chosen again, the present one
    /// first.
    pub(crate) pin: Option<(Pin, bool, [u8; 16], Vec<Hashed>)>,
    pub(crate) password: Option<(Password, [u8; 16])>,
}

/// What the work came to.
pub(crate) enum WorkDone {
    /// The row of the secret that was right, or nothing.
    Checked { matched: Option<i64> },
    /// In the order of the entries.
    Entries(Vec<EntryHashes>),
}

/// The hashes of one entry.
pub(crate) struct EntryHashes {
    /// The PIN, whether we made it, whether it was the user's before, its hash.
    pub(crate) pin: Option<(Pin, bool, Before, Hashed)>,
    pub(crate) password: Option<Hashed>,
}

impl Work {
    /// Does the work; takes some ten milliseconds for each hash.
    pub(crate) fn run(self, hasher: &Hasher) -> WorkDone {
        match self {
            Work::Check { secret, stored: Some((row, hashed)) } => {
                WorkDone::Checked { matched: hasher.verify(&secret, &hashed).then_some(row) }
            }
            Work::Check { secret, stored: None } => {
                hasher.verify_nothing(&secret);
                WorkDone::Checked { matched: None }
            }
            Work::Entries(entries) => {
                WorkDone::Entries(entries.into_iter().map(|entry| entry.run(hasher)).collect())
            }
        }
    }
}

impl EntryWork {
    fn run(self, hasher: &Hasher) -> EntryHashes {
        let pin = self.pin.map(|(pin, generated, salt, before)| {
            let was = match before.iter().position(|old| hasher.verify(pin.reveal(), old)) {
                Some(0) => Before::Present,
                Some(_) => Before::Earlier,
                None => Before::Never,
            };
            let hashed = hasher.hash(pin.reveal(), salt);
            (pin, generated, was, hashed)
        });
        EntryHashes { pin, password: self.password.map(|(word, salt)| hasher.hash(word.reveal(), salt)) }
    }
}

impl WorkDone {
    pub(crate) fn matched(&self) -> Option<i64> {
        match self {
            WorkDone::Checked { matched } => *matched,
            WorkDone::Entries(_) => None,
        }
    }

    pub(crate) fn entries(&self) -> &[EntryHashes] {
        match self {
            WorkDone::Entries(entries) => entries,
            WorkDone::Checked { .. } => &[],
        }
    }
}
