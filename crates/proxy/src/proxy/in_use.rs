//! Flows that must not be taken for idle (SEC-58): registrations, calls under way, and calls that were
//! answered.
//!
//! Dialogs are not kept. Of an answered call only its two flows are, and its record for `umbel calls`, under
//! a number made of Call-ID and From tag: until its BYE passes, or [`DIALOG_LIFE`] after anything of it
//! has. Whatever is forgotten too early costs no more than the flow may: who sits at its end can be
//! reached by the Contact as well.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{Headers, Method};
use umbel_store::CallRecord;
use umbel_time::{Instant, Timers};

/// Dialogs whose flows are known. At one more, the one that nothing has been heard of for longest goes.
const DIALOGS_MAX: usize = 50_000;
/// A call that lasts longer without a word between its ends has most likely ended without one.
const DIALOG_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// A dialog, by a hash of its Call-ID and its caller's tag.
type Name = u64;

/// What uses flows, apart from registrations.
#[derive(Debug, Default)]
pub(super) struct InUse {
    /// How much goes along each flow; no entry is zero.
    counts: BTreeMap<FlowId, u32>,
    dialogs: BTreeMap<Name, Answered>,
    until: Timers<Name>,
    /// Calls that have ended, for whoever writes them down.
    ended: Vec<CallRecord>,
}

/// An answered call.
#[derive(Debug)]
struct Answered {
    flows: [FlowId; 2],
    /// None where voice mail has answered, which keeps records of its own.
    record: Option<Box<CallRecord>>,
}

impl InUse {
    /// The flows, each once, in their order; those that are closed included.
    pub(super) fn flows(&self) -> impl Iterator<Item = FlowId> {
        self.counts.keys().copied()
    }

    pub(super) fn contains(&self, flow: FlowId) -> bool {
        self.counts.contains_key(&flow)
    }

    /// Something goes along this flow until [`InUse::leave`].
    pub(super) fn enter(&mut self, flow: FlowId) {
        *self.counts.entry(flow).or_insert(0) += 1;
    }

    pub(super) fn leave(&mut self, flow: FlowId) {
        if let Entry::Occupied(mut count) = self.counts.entry(flow) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// A call was answered; along these flows, the caller's and the callee's, it goes on. Whether that is
    /// news: a success may be repeated, and come from a second telephone.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        headers: &Headers,
        flows: [FlowId; 2],
        record: Option<Box<CallRecord>>,
    ) -> bool {
        let name = name(headers.call_id(), headers.from().tag());
        flows.into_iter().for_each(|flow| self.enter(flow));
        let before = self.dialogs.remove(&name);
        let is_new = before.is_none();
        let record = before.map_or(record, |before| {
            before.flows.into_iter().for_each(|flow| self.leave(flow));
            before.record
        });
        self.dialogs.insert(name, Answered { flows, record });
        self.until.arm(name, now + DIALOG_LIFE);
        self.forget(now);
        if self.dialogs.len() > DIALOGS_MAX
            && let Some(oldest) = self.until.expired(Instant::FAR_FUTURE)
        {
            self.end(oldest);
        }
        is_new
    }

    /// Records of calls that have ended since this was last asked; the end is still to be put in.
    pub(super) fn take_ended(&mut self) -> Vec<CallRecord> {
        std::mem::take(&mut self.ended)
    }

    /// A request within a dialog passes, whose caller has this tag.
    pub(super) fn passed(&mut self, now: Instant, method: &Method, call_id: &str, caller: Option<&str>) {
        let name = name(call_id, caller);
        if *method == Method::Bye {
            self.until.disarm(&name);
            self.end(name);
        } else if self.dialogs.contains_key(&name) {
            self.until.arm(name, now + DIALOG_LIFE);
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(name) = self.until.expired(now) {
            self.end(name);
        }
    }

    fn end(&mut self, name: Name) {
        let Some(Answered { flows, record }) = self.dialogs.remove(&name) else { return };
        flows.into_iter().for_each(|flow| self.leave(flow));
        self.ended.extend(record.map(|record| *record));
    }
}

fn name(call_id: &str, caller: Option<&str>) -> Name {
    let mut hasher = DefaultHasher::new();
    (call_id, caller).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(call_id: &str) -> Headers {
        let text = format!(
            "INVITE sip:b@x.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@x.test>;tag=1\r\nTo: <sip:b@x.test>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\
             Content-Length: 0\r\n\r\n"
        );
        umbel_sip_message::parse(bytes::Bytes::from(text)).unwrap().headers().clone()
    }

    fn at(hours: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(hours * 3_600)
    }

    // SEC-58
    #[test]
    fn an_answered_call_uses_both_flows_until_its_bye() {
        let mut in_use = InUse::default();
        in_use.answered(at(0), &headers("c"), [FlowId(2), FlowId(4)], None);
        in_use.answered(at(0), &headers("c"), [FlowId(2), FlowId(4)], None);
        in_use.enter(FlowId(2));
        assert!(in_use.contains(FlowId(2)) && in_use.contains(FlowId(4)));
        in_use.passed(at(1), &Method::Info, "c", Some("1"));
        in_use.passed(at(1), &Method::Bye, "c", Some("of somebody else"));
        assert!(in_use.contains(FlowId(4)));
        in_use.passed(at(1), &Method::Bye, "c", Some("1"));
        assert_eq!(in_use.flows().collect::<Vec<_>>(), [FlowId(2)]);
        in_use.leave(FlowId(2));
        assert_eq!(in_use.flows().count(), 0);
    }

    #[test]
    fn a_call_of_which_nothing_is_heard_is_forgotten_in_the_end() {
        let mut in_use = InUse::default();
        in_use.answered(at(0), &headers("c"), [FlowId(2), FlowId(4)], None);
        in_use.passed(at(11), &Method::Update, "c", Some("1"));
        in_use.answered(at(22), &headers("d"), [FlowId(6), FlowId(8)], None);
        assert!(in_use.contains(FlowId(2)));
        in_use.answered(at(23), &headers("e"), [FlowId(6), FlowId(8)], None);
        assert!(!in_use.contains(FlowId(2)));
        assert_eq!(in_use.flows().collect::<Vec<_>>(), [FlowId(6), FlowId(8)]);
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes() {
        let mut in_use = InUse::default();
        for n in 0..=DIALOGS_MAX as u64 {
            in_use.answered(
                at(0) + Duration::from_millis(n),
                &headers(&n.to_string()),
                [FlowId(n), FlowId(n)],
                None,
            );
        }
        assert_eq!((in_use.dialogs.len(), in_use.until.len()), (DIALOGS_MAX, DIALOGS_MAX));
        assert!(!in_use.contains(FlowId(0)) && in_use.contains(FlowId(1)));
    }
}
