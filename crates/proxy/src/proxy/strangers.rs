//! How many calls of people whom nobody knows may ring at one user's telephones at the same time.
//!
//! Peers, gateways and users with a password are not counted: their calls ring whatever strangers do. One stranger more
//! hears 486 at once; voice mail does not answer for it, as it would be filled by the same hand.

use std::collections::BTreeMap;

use umbel_sip_message::{AddressOfRecord, Method};

use super::Proxy;
use super::call::CallKey;
use crate::identity::Sender;

/// Calls of strangers that ring at one user's telephones, all strangers together.
pub(super) const STRANGERS_MAX: usize = 8;

/// Of how many strangers' calls which telephones ring.
#[derive(Default)]
pub(super) struct Ringing(BTreeMap<AddressOfRecord, usize>);

impl Ringing {
    /// One more, if there is room.
    fn enter(&mut self, callee: &AddressOfRecord) -> bool {
        let count = self.0.entry(callee.clone()).or_insert(0);
        let room = *count < STRANGERS_MAX;
        *count += usize::from(room);
        room
    }

    /// It is answered, or over.
    pub(super) fn leave(&mut self, callee: &AddressOfRecord) {
        if let Some(count) = self.0.get_mut(callee) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(callee);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Proxy {
    /// Whether this call may ring at the callee's telephones. From then on it counts as one that does.
    pub(super) fn may_ring(&mut self, key: CallKey, callee: &AddressOfRecord) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        if call.sender != Sender::Stranger || *call.request.method() != Method::Invite {
            return true;
        }
        // It was forwarded from somebody else, whose telephones ring no more.
        if let Some(before) = call.rings_at.take() {
            self.ringing.leave(&before);
        }
        let may = self.ringing.enter(callee);
        call.rings_at = may.then(|| callee.clone());
        may
    }
}
