//! Decisions, calls and the audit trail, in SQL.

use rusqlite::{Connection, Row, params};
use umbel_store::{
    Address, AuditRecord, AuditTrail, Author, CallKind, CallOutcome, CallRecord, Decision, Door, Event,
    LIST_MAX, PinOutcome, StoreError, Transport,
};
use umbel_time::UnixTime;

use crate::fault::Outcome;
use crate::rows::{Time, address, from_json, integer, to_json, word};
use crate::store::SqliteStore;

impl AuditTrail for SqliteStore {
    fn decide(&mut self, decisions: &[Decision]) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| {
            let sql = "INSERT INTO decision (call_id, at, mailbox, transport, peer, command_seen, ruling, rule) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let mut statement = connection.prepare_cached(sql)?;
            for decision in decisions {
                statement.execute(params![
                    decision.call_id,
                    Time(decision.at),
                    decision.mailbox.as_ref().map(Address::as_str),
                    decision.transport.as_str(),
                    decision.peer,
                    decision.command_seen,
                    to_json(&decision.ruling),
                    decision.rule,
                ])?;
            }
            Ok(())
        })?)
    }

    fn decisions(&mut self, call_id: &str) -> Result<Vec<Decision>, StoreError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT call_id, at, mailbox, transport, peer, command_seen, ruling, rule FROM decision \
                       WHERE call_id = ?1 ORDER BY id DESC LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![call_id, integer(LIST_MAX as u64)])?;
            let mut decisions = Vec::new();
            while let Some(row) = rows.next()? {
                decisions.push(read_decision(row)?);
            }
            decisions.reverse();
            Ok(decisions)
        })?)
    }

    fn record_call(&mut self, call: &CallRecord) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| {
            let sql = "INSERT OR REPLACE INTO call (started, call_id, kind, caller, called, ended, transport, \
                       peer, pin, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            connection.prepare_cached(sql)?.execute(params![
                Time(call.started),
                call.call_id,
                call.kind.as_str(),
                call.from,
                call.to,
                call.ended.map(Time),
                call.transport.as_str(),
                call.peer,
                call.pin.as_str(),
                call.outcome.as_str(),
            ])?;
            Ok(())
        })?)
    }

    fn calls(&mut self, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT started, call_id, kind, caller, called, ended, transport, peer, pin, outcome \
                       FROM call ORDER BY started DESC, call_id LIMIT ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([integer(limit.min(LIST_MAX) as u64)])?;
            let mut calls = Vec::new();
            while let Some(row) = rows.next()? {
                calls.push(read_call(row)?);
            }
            Ok(calls)
        })?)
    }

    fn audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| insert_audit(connection, record))?)
    }

    fn audit_records(&mut self, mailbox: &Address) -> Result<Vec<AuditRecord>, StoreError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT at, mailbox, call_id, door, author, event FROM audit \
                       WHERE mailbox = ?1 ORDER BY id DESC LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![mailbox.as_str(), integer(LIST_MAX as u64)])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(read_audit(row)?);
            }
            records.reverse();
            Ok(records)
        })?)
    }
}

/// Ends calls that an earlier server left running: they failed, when they were last heard of.
pub(crate) fn end_running_calls(connection: &Connection) -> Outcome<usize> {
    let sql = "UPDATE call SET outcome = ?1, ended = max(started, coalesce( \
               (SELECT max(at) FROM decision WHERE decision.call_id = call.call_id), started)) \
               WHERE ended IS NULL";
    Ok(connection.execute(sql, [CallOutcome::Failed.as_str()])?)
}

/// One more line of the audit trail, about something that `author` did.
pub(crate) fn write_audit(
    connection: &Connection,
    mailbox: &Address,
    author: &Author,
    event: &Event,
    at: UnixTime,
) -> Outcome<()> {
    let call_id = author.call_id().map(str::to_owned);
    let (author, event) = (Some(author.clone()), event.clone());
    insert_audit(
        connection,
        &AuditRecord { at, mailbox: mailbox.clone(), call_id, door: None, author, event },
    )
}

/// One more line of the audit trail.
pub(crate) fn insert_audit(connection: &Connection, record: &AuditRecord) -> Outcome<()> {
    let sql = "INSERT INTO audit (at, mailbox, call_id, door, author, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        Time(record.at),
        record.mailbox.as_str(),
        record.call_id,
        record.door.map(Door::as_str),
        record.author.as_ref().map(to_json),
        to_json(&record.event),
    ])?;
    Ok(())
}

fn read_decision(row: &Row<'_>) -> Outcome<Decision> {
    let mailbox: Option<String> = row.get(2)?;
    Ok(Decision {
        call_id: row.get(0)?,
        at: row.get::<_, Time>(1)?.0,
        mailbox: mailbox.as_deref().map(address).transpose()?,
        transport: word(&row.get::<_, String>(3)?, transport)?,
        peer: row.get(4)?,
        command_seen: row.get(5)?,
        ruling: from_json(&row.get::<_, String>(6)?)?,
        rule: row.get(7)?,
    })
}

fn read_call(row: &Row<'_>) -> Outcome<CallRecord> {
    Ok(CallRecord {
        started: row.get::<_, Time>(0)?.0,
        call_id: row.get(1)?,
        kind: word(&row.get::<_, String>(2)?, CallKind::from_word)?,
        from: row.get(3)?,
        to: row.get(4)?,
        ended: row.get::<_, Option<Time>>(5)?.map(|time| time.0),
        transport: word(&row.get::<_, String>(6)?, transport)?,
        peer: row.get(7)?,
        pin: word(&row.get::<_, String>(8)?, PinOutcome::from_word)?,
        outcome: word(&row.get::<_, String>(9)?, CallOutcome::from_word)?,
    })
}

fn read_audit(row: &Row<'_>) -> Outcome<AuditRecord> {
    let (door, author): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let read_door = |text: &str| [Door::Telephone, Door::Web].into_iter().find(|door| door.as_str() == text);
    Ok(AuditRecord {
        at: row.get::<_, Time>(0)?.0,
        mailbox: address(&row.get::<_, String>(1)?)?,
        call_id: row.get(2)?,
        door: door.as_deref().map(|text| word(text, read_door)).transpose()?,
        author: author.as_deref().map(from_json).transpose()?,
        event: from_json(&row.get::<_, String>(5)?)?,
    })
}

fn transport(text: &str) -> Option<Transport> {
    [Transport::Tcp, Transport::Tls].into_iter().find(|transport| transport.as_str() == text)
}
