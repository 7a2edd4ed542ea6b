//! Who may have a connection, and who must leave for it: SEC-59, DEC-6.
//!
//! A table without sockets: it is told what happens to connections and answers with decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use umbel_node::FlowId;
use umbel_time::Instant;

use crate::Limits;

/// Whether a new connection may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Admitted,
    /// It may, and this one, quiet for longest, has to leave for it.
    InPlaceOf(FlowId),
    /// It may not: all others are in use.
    Refused,
}

/// The connections there are, by how long they have been quiet.
pub(super) struct Admission {
    connections_max: usize,
    per_address_max: usize,
    quiet: Duration,
    members: BTreeMap<FlowId, Member>,
    /// Connections that count against their address.
    counted: BTreeMap<IpAddr, usize>,
    /// Connections that may have to leave, quiet for longest first; and the same for each address.
    dispensable: BTreeSet<(Instant, FlowId)>,
    dispensable_of: BTreeSet<(IpAddr, Instant, FlowId)>,
}

struct Member {
    address: IpAddr,
    /// Trusted peers and our own connections do not count and do not have to leave.
    trusted: bool,
    /// A call or registration uses it.
    kept: bool,
    heard: Instant,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Self {
        Admission {
            connections_max: limits.connections,
            per_address_max: limits.connections_per_address,
            quiet: limits.quiet,
            members: BTreeMap::new(),
            counted: BTreeMap::new(),
            dispensable: BTreeSet::new(),
            dispensable_of: BTreeSet::new(),
        }
    }

    /// Decides about a new connection, and notes it if it may stay. The one that has to leave for it
    /// is forgotten at once.
    pub(super) fn admit(&mut self, id: FlowId, address: IpAddr, trusted: bool, now: Instant) -> Verdict {
        let address_full = !trusted
            && !address.is_loopback()
            && self.counted.get(&address).is_some_and(|count| *count >= self.per_address_max);
        let full = self.members.len() >= self.connections_max;
        let leaving = if address_full {
            self.quietest_of(address, now)
        } else if full {
            self.quietest(now)
        } else {
            None
        };
        // A full table never blocks trusted peers: they are not many, and they are known.
        if leaving.is_none() && !trusted && (address_full || full) {
            return Verdict::Refused;
        }
        if let Some(leaving) = leaving {
            self.remove(leaving);
        }
        self.insert(id, Member { address, trusted, kept: false, heard: now });
        leaving.map_or(Verdict::Admitted, Verdict::InPlaceOf)
    }

    /// The connection that is quiet for longest, if one has been quiet long enough to leave.
    pub(super) fn quietest(&self, now: Instant) -> Option<FlowId> {
        let (heard, id) = self.dispensable.first()?;
        (now.since(*heard) >= self.quiet).then_some(*id)
    }

    fn quietest_of(&self, address: IpAddr, now: Instant) -> Option<FlowId> {
        let from = (address, Instant::ZERO, FlowId(0));
        let (of, heard, id) = self.dispensable_of.range(from..).next()?;
        (*of == address && now.since(*heard) >= self.quiet).then_some(*id)
    }

    /// Notes traffic on a connection.
    pub(super) fn heard(&mut self, id: FlowId, now: Instant) {
        let grain = self.quiet / 4;
        // Traffic is frequent, the order matters only between connections that have long been quiet.
        if self.members.get(&id).is_some_and(|member| now.since(member.heard) >= grain) {
            self.change(id, |member| member.heard = now);
        }
    }

    /// Notes whether a call or registration uses a connection.
    pub(super) fn keep(&mut self, id: FlowId, kept: bool) {
        self.change(id, |member| member.kept = kept);
    }

    /// Notes whether the peer at the other end is a trusted one.
    pub(super) fn trust(&mut self, id: FlowId, trusted: bool) {
        if self.members.get(&id).is_some_and(|member| member.trusted != trusted) {
            self.change(id, |member| member.trusted = trusted);
        }
    }

    pub(super) fn remove(&mut self, id: FlowId) {
        let Some(member) = self.members.remove(&id) else { return };
        self.dispensable.remove(&(member.heard, id));
        self.dispensable_of.remove(&(member.address, member.heard, id));
        if member.counts()
            && let Some(count) = self.counted.get_mut(&member.address)
        {
            *count -= 1;
            if *count == 0 {
                self.counted.remove(&member.address);
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.members.len()
    }

    fn change(&mut self, id: FlowId, change: impl FnOnce(&mut Member)) {
        let Some(member) = self.members.get(&id) else { return };
        let mut changed = Member { ..*member };
        change(&mut changed);
        self.remove(id);
        self.insert(id, changed);
    }

    fn insert(&mut self, id: FlowId, member: Member) {
        if member.counts() {
            *self.counted.entry(member.address).or_default() += 1;
        }
        if !member.trusted && !member.kept {
            self.dispensable.insert((member.heard, id));
            self.dispensable_of.insert((member.address, member.heard, id));
        }
        self.members.insert(id, member);
    }
}

impl Member {
    fn counts(&self) -> bool {
        !self.trusted && !self.address.is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: [u8; 4] = [192, 0, 2, 1];
    const BOB: [u8; 4] = [192, 0, 2, 2];
    const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Four connections in all, two from one address, dispensable after a second.
    struct Table {
        admission: Admission,
        next: u64,
    }

    impl Table {
        fn new() -> Self {
            let limits = Limits { connections: 4, connections_per_address: 2, ..Limits::default() };
            Table { admission: Admission::new(&limits), next: 0 }
        }

        fn connects(&mut self, address: [u8; 4], trusted: bool, now: Instant) -> Verdict {
            self.next += 2;
            self.admission.admit(FlowId(self.next), address.into(), trusted, now)
        }
    }

    #[test]
    fn up_to_the_bound_of_an_address_all_are_admitted() {
        let mut table = Table::new();
        assert_eq!(table.connects(ALICE, false, at(0)), Verdict::Admitted);
        assert_eq!(table.connects(ALICE, false, at(0)), Verdict::Admitted);
        assert_eq!(table.connects(BOB, false, at(0)), Verdict::Admitted);
    }

    #[test]
    fn beyond_the_bound_of_an_address_its_quietest_connection_leaves() {
        let mut table = Table::new();
        table.connects(BOB, false, at(0));
        table.connects(ALICE, false, at(1));
        table.connects(ALICE, false, at(2));
        assert_eq!(table.connects(ALICE, false, at(2000)), Verdict::InPlaceOf(FlowId(4)));
    }

    #[test]
    fn a_connection_with_traffic_does_not_have_to_leave() {
        let mut table = Table::new();
        table.connects(ALICE, false, at(0));
        table.connects(ALICE, false, at(1));
        table.admission.heard(FlowId(2), at(1900));
        assert_eq!(table.connects(ALICE, false, at(2000)), Verdict::InPlaceOf(FlowId(4)));
        assert_eq!(table.connects(ALICE, false, at(2000)), Verdict::Refused);
    }

    #[test]
    fn a_connection_that_a_call_uses_does_not_have_to_leave_until_the_call_has_ended() {
        let mut table = Table::new();
        table.connects(ALICE, false, at(0));
        table.connects(ALICE, false, at(0));
        table.admission.keep(FlowId(2), true);
        table.admission.keep(FlowId(4), true);
        assert_eq!(table.connects(ALICE, false, at(9000)), Verdict::Refused);
        table.admission.keep(FlowId(4), false);
        assert_eq!(table.connects(ALICE, false, at(9000)), Verdict::InPlaceOf(FlowId(4)));
    }

    #[test]
    fn loopback_has_no_bound_of_its_own_but_counts_in_all() {
        let mut table = Table::new();
        for _ in 0..4 {
            assert_eq!(table.connects(LOOPBACK, false, at(0)), Verdict::Admitted);
        }
        assert_eq!(table.connects(LOOPBACK, false, at(10)), Verdict::Refused);
        assert_eq!(table.connects(LOOPBACK, false, at(2000)), Verdict::InPlaceOf(FlowId(2)));
    }

    #[test]
    fn a_trusted_peer_has_no_bound_of_its_own() {
        let mut table = Table::new();
        for _ in 0..3 {
            assert_eq!(table.connects(ALICE, true, at(0)), Verdict::Admitted);
        }
        // The trusted ones do not count against others from there.
        assert_eq!(table.connects(ALICE, false, at(0)), Verdict::Admitted);
    }

    #[test]
    fn a_full_table_never_blocks_a_trusted_peer() {
        let mut table = Table::new();
        for _ in 0..4 {
            table.connects(LOOPBACK, false, at(0));
        }
        assert_eq!(table.connects(ALICE, true, at(2000)), Verdict::InPlaceOf(FlowId(2)));
        for busy in [4, 6, 8] {
            table.admission.keep(FlowId(busy), true);
        }
        assert_eq!(table.connects(ALICE, true, at(2000)), Verdict::Admitted);
        assert_eq!(table.admission.len(), 5);
    }

    #[test]
    fn a_trusted_peer_never_has_to_leave() {
        let mut table = Table::new();
        for _ in 0..4 {
            table.connects(ALICE, true, at(0));
        }
        assert_eq!(table.connects(BOB, false, at(9000)), Verdict::Refused);
    }

    #[test]
    fn a_peer_that_is_trusted_no_longer_counts_again() {
        let mut table = Table::new();
        for _ in 0..2 {
            table.connects(ALICE, true, at(0));
        }
        for id in [2, 4] {
            table.admission.trust(FlowId(id), false);
        }
        assert_eq!(table.connects(ALICE, false, at(500)), Verdict::Refused);
        assert_eq!(table.connects(ALICE, false, at(9000)), Verdict::InPlaceOf(FlowId(2)));
    }

    #[test]
    fn when_all_have_left_nothing_is_remembered() {
        let mut table = Table::new();
        for address in [ALICE, ALICE, BOB] {
            table.connects(address, false, at(0));
        }
        for id in [2, 4, 6] {
            table.admission.remove(FlowId(id));
            table.admission.remove(FlowId(id));
        }
        assert_eq!(table.admission.len(), 0);
        assert!(table.admission.counted.is_empty());
        assert!(table.admission.dispensable.is_empty());
        assert!(table.admission.dispensable_of.is_empty());
    }
}
