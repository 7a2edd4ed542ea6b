//! How many calls of people whom nobody knows may ring at one user's telephones at the same time.
//!
//! Peers, gateways and users with a password are not counted: their calls ring whatever strangers do. One stranger more
//! hears 486 at once; voice mail does not answer for it, as it would be filled by the same hand.

use std::collections::BTreeMap;

use umbel_sip_message::{AddressOfRecord, Method};
use umbel_time::Instant;

use super::Proxy;
use super::call::{CallKey, call_mut};
use crate::forwarding::Ring;
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
    /// Whether a plan rings a telephone. Where none does, calls go on to voice mail as they come, and disturb nobody.
    fn rings_anything(&self, now: Instant, callee: &AddressOfRecord, ring: &Ring) -> bool {
        let has_telephones = || {
            let is_up = |flow| self.endpoint.flow(flow).is_some();
            !self.location.targets(now, callee, is_up).is_empty()
        };
        ring.ring_also.is_some() || ring.later.is_some() || has_telephones()
    }

    /// Whether this call may ring at the callee's telephones. From then on it counts as one that does.
    pub(super) fn may_ring(
        &mut self,
        now: Instant,
        key: CallKey,
        callee: &AddressOfRecord,
        ring: &Ring,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        if call.sender != Sender::Stranger || *call.request.method() != Method::Invite {
            return true;
        }
        // It was forwarded from somebody else, whose telephones ring no more.
        if let Some(before) = call.rings_at.take() {
            self.ringing.leave(&before);
        }
        if !self.rings_anything(now, callee, ring) {
            return true;
        }
        let may = self.ringing.enter(callee);
        call_mut(&mut self.calls, key, |call| call.rings_at = may.then(|| callee.clone()));
        may
    }
}
