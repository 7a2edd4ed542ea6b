//! Bindings as values that survive a restart.

use std::time::Duration;

use umbel_sip_message::{AddressOfRecord, Uri};
use umbel_time::{Instant, UnixTime};

use super::{Binding, CONTACTS_MAX, Device, EXPIRY_MAX, Location, Q};

/// A binding without what belongs to one run of the program: its flow, and our own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where requests go.
    pub contact: Uri,
    /// See [`Binding::direct`].
    pub direct: bool,
    /// When it ends, by the wall's clock.
    pub expires: UnixTime,
    /// Preference in thousandths.
    pub q: u16,
    /// Of the REGISTER that made it, so that an old copy of one cannot undo it after a restart.
    pub call_id: String,
    /// The same.
    pub cseq: u32,
    /// What tells the device apart.
    pub device: Device,
    /// RFC 3327.
    pub path: Vec<Uri>,
}

/// The time by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// By our own.
    pub now: Instant,
    /// By the wall's.
    pub wall: UnixTime,
}

impl Location {
    /// The bindings of an address as they are to be written, in place of all that was written for it.
    pub fn kept(&self, Clocks { now, wall }: Clocks, address: &AddressOfRecord) -> Vec<Kept> {
        let keep = |binding: &Binding| Kept {
            contact: binding.contact.clone(),
            direct: binding.direct,
            expires: wall + binding.expires.since(now),
            q: binding.q.thousandths(),
            call_id: binding.call_id.to_string(),
            cseq: binding.cseq,
            device: binding.device.clone(),
            path: binding.path.to_vec(),
        };
        self.bindings(now, address).map(keep).collect()
    }

    /// Takes in what was written before a restart. What has been registered since counts more: an
    /// address that has bindings already keeps them as they are.
    pub fn restore(
        &mut self,
        Clocks { now, wall }: Clocks,
        address: &AddressOfRecord,
        kept: impl IntoIterator<Item = Kept>,
    ) {
        if self.bindings(now, address).next().is_some() {
            return;
        }
        let revive = |kept: Kept| Binding {
            contact: kept.contact,
            flow: None,
            direct: kept.direct,
            // A wall clock that was set back must not make a registration last for years.
            expires: now + kept.expires.since(wall).min(EXPIRY_MAX),
            q: Q::parse(&format!("{}.{:03}", kept.q / 1_000, kept.q % 1_000)),
            cseq: kept.cseq,
            call_id: kept.call_id.into(),
            device: kept.device,
            path: kept.path.into(),
        };
        let alive = kept.into_iter().filter(|kept| kept.expires.since(wall) > Duration::ZERO);
        let bindings = alive.map(revive).take(CONTACTS_MAX).collect();
        self.put(address, bindings);
    }
}
