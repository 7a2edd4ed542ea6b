//! A user: who it is, how it is reached, and what its mailbox may do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use umbel_time::UnixTime;

use crate::{ActiveGreeting, Address, PinState};

/// What a user may administer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The own mailbox.
    #[default]
    User,
    /// Users and the server; never other people's messages.
    Administrator,
}

/// What can be set for a user, and what `user export` writes. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The address, which names the mailbox too.
    pub address: Address,
    /// The digits that callers know.
    pub extension: Option<String>,
    /// Other names by which the user is found: user parts, numbers, addresses.
    pub aliases: BTreeSet<String>,
    /// The name, for people; empty when not known.
    pub name: String,
    /// Where notices are mailed.
    pub email: Option<String>,
    /// Whether the mailbox takes messages and log-ins.
    pub enabled: bool,
    /// Whether the owner's policy allows to skip the PIN (rule P6).
    pub skip_pin: bool,
    /// Language of the prompts; the server's where none is set.
    pub language: Option<String>,
    /// IANA time zone of the owner; the server's where none is set.
    pub time_zone: Option<String>,
    /// What the user may administer.
    pub role: Role,
    /// Whether calls that left no message are noted in the mailbox (MISS-1).
    pub missed_call_notices: bool,
    /// The number or address that Play on Phone offers first.
    pub play_on_phone_dial_string: Option<String>,
    /// The folder whose mails are to be read out on the telephone, as the mail program named it.
    pub telephone_access_folder: Option<String>,
    /// Routing rules by their names in the contract; their meaning is the protocol server's business.
    pub routing: BTreeMap<String, String>,
}

impl Settings {
    /// A new, enabled user with nothing else known.
    pub fn new(address: Address) -> Self {
        Settings {
            address,
            extension: None,
            aliases: BTreeSet::new(),
            name: String::new(),
            email: None,
            enabled: true,
            skip_pin: true,
            language: None,
            time_zone: None,
            role: Role::User,
            missed_call_notices: true,
            play_on_phone_dial_string: None,
            telephone_access_folder: None,
            routing: BTreeMap::new(),
        }
    }
}

/// A user as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What was set.
    pub settings: Settings,
    /// Whether the PIN is the user's own or must be changed.
    pub pin: PinState,
    /// Whether a password for web and digest has been set.
    pub has_password: bool,
    /// The greeting that callers hear.
    pub greeting: ActiveGreeting,
    /// When the user was added.
    pub added: UnixTime,
}

impl User {
    /// The address, which names the mailbox too.
    pub fn address(&self) -> &Address {
        &self.settings.address
    }
}

/// How a user is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By exactly this address.
    Address(Address),
    /// By the digits that callers know; else by an alias of this text.
    Extension(String),
    /// By another name.
    Alias(String),
}
