//! What whoever has let somebody in looks at before doing so again.

use crate::{Address, Lock, User};

/// Changes whenever a PIN or password of the user is set, and is never the same again. It says nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretsMark {
    /// Of the PIN.
    pub pin: u64,
    /// Of the password; zero without one.
    pub password: u64,
}

/// A user, and whether a sign-in of before still counts (DEC-34, SEC-102).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// Which secrets are in force.
    pub secrets: SecretsMark,
    /// Set while sign-in by password is locked, by the time of the question.
    pub locked: Option<Lock>,
}

/// A user for whom a door is locked, by the time of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedUser {
    /// Who.
    pub address: Address,
    /// The PIN's door.
    pub telephone: Option<Lock>,
    /// The password's.
    pub web: Option<Lock>,
}

impl LockedUser {
    /// The lock that is there longest.
    pub fn longest(&self) -> Option<Lock> {
        self.telephone.max(self.web)
    }
}

impl Account {
    /// Whether a sign-in of before, by these secrets, still counts: it does not once they have changed, sign-in is
    /// locked, or the mailbox is disabled.
    pub fn still_admits(&self, secrets: SecretsMark) -> bool {
        self.user.settings.enabled && self.locked.is_none() && self.secrets == secrets
    }
}
