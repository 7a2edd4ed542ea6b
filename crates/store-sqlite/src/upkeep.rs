//! Looking after the store: what has been kept long enough, what is damaged, what is left over.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, params};
use umbel_store::{
    Author, CALLER_WINDOW, Event, Health, RECORDS_MAX, ScrubReport, StoreError, SweepReport, Upkeep,
};
use umbel_time::UnixTime;

use crate::fault::Outcome;
use crate::items::forget_gone_items;
use crate::messages::{mark_damaged, read_stored};
use crate::outbox::expire_mails;
use crate::records::write_audit;
use crate::rows::{Id, Time, address, count, integer};
use crate::store::{Aftermath, SqliteStore};

/// Files without a row are kept so long, in case the row comes back with a backup (REL-16).
const ORPHANS_KEPT: Duration = Duration::from_secs(24 * 3_600);

impl Upkeep for SqliteStore {
    fn sweep(&mut self, at: UnixTime) -> Result<SweepReport, StoreError> {
        let deleted_before = Time(at - self.config.deleted_kept);
        let recorded_before = Time(at - self.config.records_kept);
        Ok(self.commit(|store| {
            let (files, records) = store.database.write(|connection| {
                connection.execute("DELETE FROM registration WHERE ends <= ?1", [Time(at)])?;
                let files = purge_messages(connection, deleted_before)?;
                let records = purge_records(connection, recorded_before, Time(at - CALLER_WINDOW))?
                    + expire_mails(connection, at)?;
                forget_gone_items(connection)?;
                Ok((files, records))
            })?;
            let messages = files.len() as u64;
            store.aftermath.extend(files.into_iter().map(Aftermath::Remove));
            let orphans = store.orphans(at)?;
            let report = SweepReport { messages, records, orphans: orphans.len() as u64 };
            store.aftermath.extend(orphans.into_iter().map(Aftermath::Remove));
            Ok(report)
        })?)
    }

    fn scrub(&mut self, count: usize, at: UnixTime) -> Result<ScrubReport, StoreError> {
        Ok(self.scrub_next(count, at)?)
    }

    fn health(&mut self) -> Result<Health, StoreError> {
        let damaged = self.database.is_damaged();
        let recordings = u32::try_from(self.recordings.len()).unwrap_or(u32::MAX);
        let disk_full = !self.has_room().unwrap_or(false);
        Ok(Health { writable: !damaged, disk_full, damaged, recordings })
    }
}

impl SqliteStore {
    /// Files that no row names, if they are old enough. In a batch, rows may be gone that will be
    /// back; so these files are removed after the commit, like any others.
    fn orphans(&mut self, at: UnixTime) -> Outcome<BTreeSet<String>> {
        let entries = self.disk.list()?;
        let old = entries.into_iter().filter(|entry| entry.modified + ORPHANS_KEPT < at);
        let mut suspects: BTreeSet<String> = old.map(|entry| entry.name).collect();
        for running in self.recordings.values() {
            suspects.remove(&running.name);
        }
        for step in &self.aftermath {
            if let Aftermath::Remove(name) = step {
                suspects.remove(name);
            }
        }
        if suspects.is_empty() {
            return Ok(suspects);
        }
        self.database.read(|connection| {
            let sql = "SELECT file FROM message UNION ALL SELECT file FROM greeting \
                       UNION ALL SELECT file FROM recording";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                suspects.remove(row.get_ref(0)?.as_str().unwrap_or_default());
            }
            Ok(())
        })?;
        for name in &suspects {
            tracing::warn!(name, "a file without a row is removed");
        }
        Ok(suspects)
    }

    fn scrub_next(&mut self, most: usize, at: UnixTime) -> Outcome<ScrubReport> {
        let after = self.scrubbed;
        let next = self.database.read(|connection| {
            let sql = "SELECT m.file, m.format, m.bytes, m.checksum, m.damaged, m.id, u.address \
                       FROM message m JOIN user u ON u.id = m.user \
                       WHERE m.id > ?1 ORDER BY m.id LIMIT ?2";
            let first = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![first, integer(most as u64)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let mailbox = address(&row.get::<_, String>(6)?)?;
                found.push((row.get::<_, Id>(5)?.0, mailbox, read_stored(row)?));
            }
            Ok(found)
        })?;
        let mut report = ScrubReport { finished: next.len() < most, ..ScrubReport::default() };
        self.scrubbed = if report.finished { None } else { next.last().map(|(id, ..)| *id) };
        for (id, mailbox, stored) in next {
            report.checked += 1;
            let whole = self.load_audio(&stored).is_ok_and(|audio| !audio.damaged);
            if whole || stored.damaged {
                continue;
            }
            report.damaged += 1;
            tracing::error!(%id, "the scrubber found damaged audio");
            self.database.write(|connection| {
                mark_damaged(connection, id)?;
                write_audit(connection, &mailbox, &Author::Store, &Event::DamageFound(id), at)
            })?;
        }
        Ok(report)
    }
}

/// Removes messages that were deleted long ago; gives their files.
fn purge_messages(connection: &Connection, before: Time) -> Outcome<Vec<String>> {
    let sql = "DELETE FROM message WHERE deleted < ?1 RETURNING file";
    let mut statement = connection.prepare_cached(sql)?;
    let files = statement.query_map([before], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(files)
}

/// Removes records that are old, and the oldest beyond the bound; says how many.
fn purge_records(connection: &Connection, before: Time, callers_before: Time) -> Outcome<u64> {
    let mut removed = 0;
    for sql in [
        "DELETE FROM decision WHERE at < ?1",
        "DELETE FROM call WHERE started < ?1",
        "DELETE FROM audit WHERE at < ?1",
        "DELETE FROM missed_call WHERE at < ?1",
    ] {
        removed += connection.execute(sql, [before])? as u64;
    }
    for (table, order) in [("decision", "id"), ("audit", "id"), ("call", "started")] {
        removed += purge_excess(connection, table, order)?;
    }
    connection.execute("DELETE FROM caller_failure WHERE at <= ?1", [callers_before])?;
    Ok(removed)
}

fn purge_excess(connection: &Connection, table: &str, order: &str) -> Outcome<u64> {
    let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    if count(rows) <= RECORDS_MAX as u64 {
        return Ok(0);
    }
    let sql = format!(
        "DELETE FROM {table} WHERE {order} <= (SELECT {order} FROM {table} ORDER BY {order} DESC LIMIT 1 OFFSET ?1)"
    );
    Ok(connection.execute(&sql, [integer(RECORDS_MAX as u64)])? as u64)
}
