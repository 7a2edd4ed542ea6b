//! How many connections there may be, in all and from one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections at once; a further one is closed.
const CONNECTIONS_MAX: usize = 1_024;
/// Connections at once from one address; a further one is closed. This machine itself may have all.
const PER_ADDRESS_MAX: usize = 64;

/// The places that are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let in_all: usize = taken.values().sum();
        let here = taken.get(&address).copied().unwrap_or(0);
        if in_all >= CONNECTIONS_MAX || (here >= PER_ADDRESS_MAX && !address.is_loopback()) {
            return None;
        }
        taken.insert(address, here + 1);
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_does_not_take_all_places() {
        let places = Places::default();
        let mut taken: Vec<Place> =
            (0..PER_ADDRESS_MAX).map(|_| places.take(address("192.0.2.1")).unwrap()).collect();
        assert!(places.take(address("192.0.2.1")).is_none());
        assert!(places.take(address("::ffff:192.0.2.1")).is_none());
        assert!(places.take(address("192.0.2.2")).is_some());
        taken.pop();
        assert!(places.take(address("192.0.2.1")).is_some());
    }

    #[test]
    fn this_machine_may_have_all_places_and_no_more() {
        let places = Places::default();
        let mut taken: Vec<Place> =
            (0..CONNECTIONS_MAX).map(|_| places.take(address("127.0.0.1")).unwrap()).collect();
        assert!(places.take(address("127.0.0.1")).is_none());
        assert!(places.take(address("192.0.2.2")).is_none());
        taken.clear();
        assert!(places.0.lock().unwrap().is_empty());
    }
}
