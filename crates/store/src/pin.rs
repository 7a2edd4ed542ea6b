//! PINs and passwords as the store deals with them: states, attempts, verdicts.

use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::{Address, Lock, Pin};

/// Whose choice the PIN was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinState {
    /// Made by us; must be changed at the first log-in by PIN (DEC-14, SEC-89).
    Generated,
    /// Chosen by the user, or given by an administrator or an import (DEC-14).
    Own,
}

/// A PIN to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPin {
    /// This one, if the policy finds it good enough.
    Own(Pin),
    /// A random one, told once in the reply.
    Generate,
}

/// A PIN was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinSet {
    /// Whose.
    pub address: Address,
    /// The generated PIN, to be told its owner once; the store keeps only a hash.
    pub generated: Option<Pin>,
}

/// Which of the two secrets is being tried; each has counters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// The PIN, keyed by telephone.
    Telephone,
    /// The password, by web, SOAP or API.
    Web,
}

impl Door {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Door::Telephone => "telephone",
            Door::Web => "web",
        }
    }
}

/// Somebody tries a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt<S> {
    /// The mailbox; it need not exist, and the verdict does not tell (SEC-86).
    pub mailbox: Address,
    /// What was keyed or typed.
    pub secret: S,
    /// Who seems to be calling: the asserted number or address, or the peer's network address (DEC-6).
    pub caller: String,
    /// The call, where there is one.
    pub call_id: Option<String>,
    /// When.
    pub at: UnixTime,
}

/// What came of an [`Attempt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right, and the counter starts anew.
    Right {
        /// The PIN is one that we generated: the owner must choose another now.
        must_change: bool,
    },
    /// It was wrong, or there is no such mailbox, or it is disabled.
    Wrong {
        /// Set when this failure locked the door.
        locked: Option<Lock>,
    },
    /// Not looked at: too many failures in a row.
    Locked(Lock),
    /// Not looked at: too many failures by this caller within the hour.
    CallerLocked {
        /// When the caller may try again.
        until: UnixTime,
    },
}
