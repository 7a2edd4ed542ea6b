//! Decisions, calls and the audit trail, in memory.

use crate::{Address, AuditRecord, AuditTrail, CallRecord, Decision, LIST_MAX, StoreError};

use super::MemoryStore;

impl AuditTrail for MemoryStore {
    fn decide(&mut self, decisions: &[Decision]) -> Result<(), StoreError> {
        self.decisions.extend_from_slice(decisions);
        Ok(())
    }

    fn decisions(&mut self, call_id: &str) -> Result<Vec<Decision>, StoreError> {
        let of_call = self.decisions.iter().filter(|decision| decision.call_id == call_id);
        let mut latest: Vec<_> = of_call.rev().take(LIST_MAX).cloned().collect();
        latest.reverse();
        Ok(latest)
    }

    fn record_call(&mut self, call: &CallRecord) -> Result<(), StoreError> {
        let same = |known: &&mut CallRecord| known.call_id == call.call_id && known.started == call.started;
        match self.calls.iter_mut().find(same) {
            Some(known) => *known = call.clone(),
            None => self.calls.push(call.clone()),
        }
        Ok(())
    }

    fn calls(&mut self, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        let mut calls = self.calls.clone();
        calls.sort_by_key(|call| std::cmp::Reverse(call.started));
        calls.truncate(limit.min(LIST_MAX));
        Ok(calls)
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        self.audit.push(record.clone());
        Ok(())
    }

    fn audit_records(&mut self, mailbox: &Address) -> Result<Vec<AuditRecord>, StoreError> {
        let of_mailbox = self.audit.iter().filter(|record| record.mailbox == *mailbox);
        let mut latest: Vec<_> = of_mailbox.rev().take(LIST_MAX).cloned().collect();
        latest.reverse();
        Ok(latest)
    }
}
