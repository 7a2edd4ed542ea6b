//! Registrations, in memory.

use std::ops::Bound;

use umbel_time::UnixTime;

use super::MemoryStore;
use crate::{KeptRegistration, LIST_MAX, Registrations, StoreError};

impl Registrations for MemoryStore {
    fn keep_registrations(&mut self, registrations: &[KeptRegistration]) -> Result<(), StoreError> {
        for kept in registrations {
            if kept.bindings.is_empty() {
                self.registrations.remove(&kept.address);
            } else {
                self.registrations.insert(kept.address.clone(), kept.clone());
            }
        }
        Ok(())
    }

    fn registrations(
        &mut self,
        after: Option<&str>,
        at: UnixTime,
    ) -> Result<Vec<KeptRegistration>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let alive = self.registrations.range::<str, _>((from, Bound::Unbounded)).filter(|(_, r)| r.ends > at);
        Ok(alive.take(LIST_MAX).map(|(_, kept)| kept.clone()).collect())
    }
}
