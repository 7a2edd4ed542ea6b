//! Where users can be reached: bindings of addresses-of-record to contacts (RFC 3261 10.3, RFC 5626).
//!
//! Soft state in memory. What is to survive a restart leaves as [`Kept`] values and comes back by
//! [`Location::restore`]; writing them anywhere is the shell's business.

mod binding;
mod kept;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{AddressOfRecord, Uri};
use umbel_time::Instant;

pub use binding::{Binding, Device, Q};
pub use kept::{Clocks, Kept};

/// DEC-7: shorter registrations are refused with 423.
pub const EXPIRY_MIN: Duration = Duration::from_secs(60);
/// DEC-7: longer registrations are shortened.
pub const EXPIRY_MAX: Duration = Duration::from_secs(3_600);
/// SEC-51: contacts of one address; a registration of one more is refused.
pub const CONTACTS_MAX: usize = 10;
/// Octets of what is kept of one contact: longer contacts, instances, paths and Call-IDs are refused.
pub const CONTACT_BYTES_MAX: usize = 2_048;
/// Addresses with bindings; a registration for one more is refused. Passwords bound them to the users
/// that there are; without passwords, this does.
pub const ADDRESSES_MAX: usize = 200_000;
/// Addresses looked at by one [`Location::sweep`].
pub const SWEEP_MAX: usize = 512;

/// All bindings of all addresses.
#[derive(Debug)]
pub struct Location {
    /// No entry is empty.
    bindings: BTreeMap<AddressOfRecord, Vec<Binding>>,
    /// Where the last sweep stopped.
    swept: Option<AddressOfRecord>,
    addresses_max: usize,
    /// How many bindings each flow has; no entry is zero.
    flows: BTreeMap<FlowId, u32>,
}

impl Default for Location {
    fn default() -> Self {
        Location {
            bindings: BTreeMap::new(),
            swept: None,
            addresses_max: ADDRESSES_MAX,
            flows: BTreeMap::new(),
        }
    }
}

/// One REGISTER, read.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Call-ID, which orders REGISTERs together with CSeq.
    pub call_id: Box<str>,
    /// The number of CSeq.
    pub cseq: u32,
    /// The flow it came on.
    pub flow: FlowId,
    /// RFC 3327.
    pub path: Box<[Uri]>,
    /// What it asks for.
    pub change: Change,
}

/// What a REGISTER asks for.
#[derive(Clone, Debug)]
pub enum Change {
    /// No Contact: to be told the bindings.
    Query,
    /// `Contact: *` with `Expires: 0`.
    RemoveAll,
    /// These contacts.
    Contacts(Vec<Contact>),
}

/// One contact of a REGISTER.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The URI.
    pub uri: Uri,
    /// How long; zero removes.
    pub expires: Duration,
    /// Preference.
    pub q: Q,
    /// What tells the device apart.
    pub device: Device,
    /// See [`Binding::direct`].
    pub direct: bool,
}

/// Why a REGISTER changes nothing: it is done as a whole or not at all (RFC 3261 10.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// DEC-7: an expiry above zero and below [`EXPIRY_MIN`].
    #[error("expiry too short")]
    TooBrief,
    /// SEC-51.
    #[error("too many contacts")]
    TooMany,
    /// A URI, a path, an instance or a Call-ID beyond [`CONTACT_BYTES_MAX`].
    #[error("contact too long")]
    TooLong,
    /// RFC 3261 10.3, step 7: not newer than what made the binding.
    #[error("older than the binding")]
    OutOfOrder,
    /// [`ADDRESSES_MAX`] addresses are registered.
    #[error("too many addresses")]
    Full,
}

impl Location {
    /// No bindings.
    pub fn new() -> Self {
        Location::default()
    }

    /// Carries out a REGISTER for an address. The bindings after it are [`Location::bindings`].
    pub fn register(
        &mut self,
        now: Instant,
        address: &AddressOfRecord,
        registration: Registration,
    ) -> Result<(), Refused> {
        let Registration { call_id, cseq, flow, path, change } = registration;
        let mut bindings: Vec<Binding> = self.bindings(now, address).cloned().collect();
        // RFC 3261 10.3, step 7: the same Call-ID demands a higher CSeq.
        let is_newer = |binding: &Binding| *binding.call_id != *call_id || binding.cseq < cseq;
        match change {
            Change::Query => return Ok(()),
            Change::RemoveAll => {
                // RFC 3261 10.3, step 6.
                if !bindings.iter().all(is_newer) {
                    return Err(Refused::OutOfOrder);
                }
                bindings.clear();
            }
            Change::Contacts(contacts) => {
                let path_bytes: usize = path.iter().map(|uri| uri.as_str().len()).sum();
                for contact in contacts {
                    if contact.bytes() + path_bytes + call_id.len() > CONTACT_BYTES_MAX {
                        return Err(Refused::TooLong);
                    }
                    if contact.expires > Duration::ZERO && contact.expires < EXPIRY_MIN {
                        return Err(Refused::TooBrief);
                    }
                    let known = bindings.iter().position(|b| b.is_of(&contact.uri, &contact.device));
                    if let Some(known) = known {
                        if !bindings.get(known).is_some_and(is_newer) {
                            return Err(Refused::OutOfOrder);
                        }
                        bindings.remove(known);
                    }
                    if contact.expires > Duration::ZERO {
                        let expires = now + contact.expires.min(EXPIRY_MAX);
                        bindings.push(Binding {
                            contact: contact.uri,
                            flow: Some(flow),
                            direct: contact.direct,
                            expires,
                            q: contact.q,
                            cseq,
                            call_id: call_id.clone(),
                            device: contact.device,
                            path: path.clone(),
                        });
                    }
                }
                if bindings.len() > CONTACTS_MAX {
                    return Err(Refused::TooMany);
                }
            }
        }
        let is_new = !bindings.is_empty() && !self.bindings.contains_key(address);
        if is_new && self.bindings.len() >= self.addresses_max {
            return Err(Refused::Full);
        }
        self.put(address, bindings);
        Ok(())
    }

    /// The bindings of an address that have not ended, in the order of their last refresh.
    pub fn bindings(&self, now: Instant, address: &AddressOfRecord) -> impl Iterator<Item = &Binding> {
        let all = self.bindings.get(address).into_iter().flatten();
        all.filter(move |binding| now < binding.expires)
    }

    /// The contacts to ring: the highest preference first, of two flows of one instance only the
    /// latest (RFC 5626 5.3), and none that cannot be reached. `is_up` says whether a flow is there.
    pub fn targets(
        &self,
        now: Instant,
        address: &AddressOfRecord,
        is_up: impl Fn(FlowId) -> bool,
    ) -> Vec<&Binding> {
        let mut targets: Vec<&Binding> = Vec::new();
        for binding in self.bindings(now, address) {
            let has_flow = binding.flow.is_some_and(&is_up);
            // RFC 5626 4.4: a client that says so keeps the flow alive; without it, it is not there.
            if !has_flow && (binding.is_outbound() || !binding.direct) {
                continue;
            }
            targets.retain(|other| !same_instance(other, binding));
            targets.push(binding);
        }
        targets.sort_by_key(|binding| std::cmp::Reverse(binding.q));
        targets
    }

    /// Whether the address is registered by this very flow.
    pub fn is_registered_on(&self, now: Instant, address: &AddressOfRecord, flow: FlowId) -> bool {
        self.bindings(now, address).any(|binding| binding.flow == Some(flow))
    }

    /// The flows that bindings were made over, each once, in their order; those that are closed included.
    pub fn flows(&self) -> impl Iterator<Item = FlowId> {
        self.flows.keys().copied()
    }

    /// Whether a binding was made over this flow.
    pub fn has_flow(&self, flow: FlowId) -> bool {
        self.flows.contains_key(&flow)
    }

    /// Forgets bindings that have ended, [`SWEEP_MAX`] addresses at a time, so that no turn is long.
    /// Gives the addresses whose kept bindings are to be written anew.
    pub fn sweep(&mut self, now: Instant) -> Vec<AddressOfRecord> {
        let from = self.swept.take().map_or(Bound::Unbounded, Bound::Excluded);
        let looked_at = self.bindings.range_mut((from, Bound::Unbounded)).take(SWEEP_MAX);
        let mut changed = Vec::new();
        let mut ended = Vec::new();
        let (mut count, mut last) = (0, None);
        for (address, bindings) in looked_at {
            let before = ended.len();
            ended.extend(bindings.extract_if(.., |binding| binding.expires <= now));
            if ended.len() != before {
                changed.push(address.clone());
            }
            count += 1;
            last = Some(address);
        }
        self.swept = last.filter(|_| count == SWEEP_MAX).cloned();
        self.leave_flows(&ended);
        for address in &changed {
            if self.bindings.get(address).is_some_and(Vec::is_empty) {
                self.bindings.remove(address);
            }
        }
        changed
    }

    /// How many addresses have bindings, ended ones that were not swept yet included.
    pub fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    fn put(&mut self, address: &AddressOfRecord, mut bindings: Vec<Binding>) {
        bindings.shrink_to_fit();
        for flow in bindings.iter().filter_map(|binding| binding.flow) {
            *self.flows.entry(flow).or_insert(0) += 1;
        }
        let before = if bindings.is_empty() {
            self.bindings.remove(address)
        } else {
            self.bindings.insert(address.clone(), bindings)
        };
        self.leave_flows(&before.unwrap_or_default());
    }

    fn leave_flows(&mut self, bindings: &[Binding]) {
        for flow in bindings.iter().filter_map(|binding| binding.flow) {
            if let Entry::Occupied(mut count) = self.flows.entry(flow) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }
}

impl Contact {
    fn bytes(&self) -> usize {
        let device = match &self.device {
            Device::Contact => 0,
            Device::Outbound { instance, .. } => instance.len(),
            Device::Epid(epid) => epid.len(),
            Device::Instance(instance) => instance.len(),
        };
        self.uri.as_str().len() + device
    }
}

fn same_instance(one: &Binding, other: &Binding) -> bool {
    one.instance().is_some() && one.instance() == other.instance()
}

#[cfg(test)]
#[path = "location/tests.rs"]
mod tests;
