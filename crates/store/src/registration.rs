//! What a registrar wants to find again after a restart.

use umbel_time::UnixTime;

/// What is registered for one address, as the registrar writes it down; the store does not read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRegistration {
    /// The address. It need not be a user's.
    pub address: String,
    /// The bindings; empty: there are none, and nothing is kept.
    pub bindings: String,
    /// When the last of them ends; from then on, nothing is kept.
    pub ends: UnixTime,
}
