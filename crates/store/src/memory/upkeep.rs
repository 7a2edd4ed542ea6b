//! Upkeep, in memory, where nothing is ever damaged and nothing orphaned.

use umbel_time::UnixTime;

use super::MemoryStore;
use crate::{CALLER_WINDOW, Health, RECORDS_MAX, ScrubReport, StoreError, SweepReport, Upkeep};

/// Drops what is older than `limit`, and the oldest beyond the bound; says how many.
fn expire<T>(records: &mut Vec<T>, limit: UnixTime, at: impl Fn(&T) -> UnixTime) -> u64 {
    let before = records.len();
    records.retain(|record| at(record) >= limit);
    records.drain(..records.len().saturating_sub(RECORDS_MAX));
    (before - records.len()) as u64
}

impl Upkeep for MemoryStore {
    fn sweep(&mut self, at: UnixTime) -> Result<SweepReport, StoreError> {
        let mut report = SweepReport::default();
        let deleted_before = at - self.config.deleted_kept;
        let recorded_before = at - self.config.records_kept;
        for account in self.accounts.values_mut() {
            report.messages += account.purge_messages(deleted_before);
            report.records += account.purge_notices(|notice| notice.call.at < recorded_before);
            account.items.forget();
        }
        report.records += expire(&mut self.decisions, recorded_before, |decision| decision.at);
        report.records += expire(&mut self.calls, recorded_before, |call| call.started);
        report.records += expire(&mut self.audit, recorded_before, |record| record.at);
        self.callers.retain(|_, failures| failures.latest().is_some_and(|last| last + CALLER_WINDOW > at));
        report.records += self.expire_mails(at);
        self.registrations.retain(|_, kept| kept.ends > at);
        Ok(report)
    }

    fn scrub(&mut self, _count: usize, _at: UnixTime) -> Result<ScrubReport, StoreError> {
        let checked = self.accounts.values().map(|account| account.messages.len() as u64).sum();
        Ok(ScrubReport { checked, damaged: 0, finished: true })
    }

    fn health(&mut self) -> Result<Health, StoreError> {
        let recordings = u32::try_from(self.recordings.len()).unwrap_or(u32::MAX);
        Ok(Health { writable: true, disk_full: false, damaged: false, recordings })
    }
}
