//! The database: opening, checking, transactions and batches of them.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use umbel_store::StoreError;

use crate::fault::{Fault, Outcome};
use crate::migrations;
use crate::open::OpenError;

/// Statements kept prepared.
const STATEMENTS_CACHED: usize = 96;

/// One connection, and whether it may be used.
pub(crate) struct Database {
    /// `None` where the file is no database at all.
    connection: Option<Connection>,
    /// REL-18: it is not written any more.
    damaged: bool,
    /// A batch is open: writes join it and are committed together.
    batch: bool,
}

impl Database {
    /// Opens the file; the caller has made it, for its owner only.
    pub(crate) fn open(path: &Path, patience: Duration, migrate: bool) -> Result<Self, OpenError> {
        match Self::connect(path, patience) {
            Ok(mut connection) => {
                migrations::check(&mut connection, migrate)?;
                Ok(Database { connection: Some(connection), damaged: false, batch: false })
            }
            Err(Fault::Sql(error)) if is_damage(&error) => Ok(Self::broken()),
            Err(fault) => Err(OpenError::Store(fault.into())),
        }
    }

    fn broken() -> Self {
        Database { connection: None, damaged: true, batch: false }
    }

    fn connect(path: &Path, patience: Duration) -> Outcome<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(patience)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        // Durability point D1: a commit is in the log on disk before it returns.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // A plan does not depend on what is bound, so that a statement with a partial index in reach is not
        // prepared anew each time it is run.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Rows of others are not trusted more than they must be (SEC-127).
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(connection)
    }

    /// Looks through the whole file (REL-18); what is found makes it read-only.
    pub(crate) fn check(&mut self) {
        let Some(connection) = &self.connection else { return };
        let verdict = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match verdict {
            Ok(word) if word == "ok" => {}
            Ok(_) => self.damaged = true,
            Err(error) => self.damaged |= is_damage(&error),
        }
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// How long a write waits for another program before it gives up.
    pub(crate) fn set_patience(&mut self, patience: Duration) -> Outcome<()> {
        if let Some(connection) = &self.connection {
            connection.busy_timeout(patience)?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn connection_mut(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Asks something.
    pub(crate) fn read<T>(&mut self, ask: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
        let connection = self.connection.as_ref().ok_or(StoreError::Damaged)?;
        let answer = ask(connection);
        self.note_damage(&answer);
        answer
    }

    /// Changes something: all of it or nothing. In a batch, what others of the batch did stays.
    pub(crate) fn write<T>(&mut self, change: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
        if self.damaged {
            return Err(StoreError::Damaged.into());
        }
        let connection = self.connection.as_mut().ok_or(StoreError::Damaged)?;
        let outcome = if self.batch { in_batch(connection, change) } else { alone(connection, change) };
        self.note_damage(&outcome);
        outcome
    }

    /// Opens a batch, or says that another program holds the store.
    pub(crate) fn begin_batch(&mut self) -> Outcome<()> {
        if self.damaged {
            return Err(StoreError::Damaged.into());
        }
        let connection = self.connection.as_ref().ok_or(StoreError::Damaged)?;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.batch = true;
        Ok(())
    }

    /// Commits the batch: when this returns, it survives a power cut. On failure nothing of it happened.
    pub(crate) fn commit_batch(&mut self) -> Outcome<()> {
        self.batch = false;
        let connection = self.connection.as_ref().ok_or(StoreError::Damaged)?;
        let committed = connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if committed.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        let outcome = committed.map(|_| ()).map_err(Fault::from);
        self.note_damage(&outcome);
        outcome
    }

    /// Gives the batch up: nothing of it happened.
    pub(crate) fn abort_batch(&mut self) {
        self.batch = false;
        let Some(connection) = &self.connection else { return };
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a batch could not be rolled back");
        }
    }

    pub(crate) fn in_batch(&self) -> bool {
        self.batch
    }

    fn note_damage<T>(&mut self, outcome: &Outcome<T>) {
        let damage = matches!(outcome, Err(Fault::Sql(error)) if is_damage(error));
        if damage && !self.damaged {
            tracing::error!("{HOW_TO_RESTORE}");
            self.damaged = true;
        }
    }
}

/// REL-18: it says how to restore.
pub(crate) const HOW_TO_RESTORE: &str = "the store is damaged and is not written any more: stop the server, \
     keep a copy of the data directory, and put the latest copy of a sound one in its place";

fn alone<T>(connection: &mut Connection, change: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = change(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

fn in_batch<T>(connection: &mut Connection, change: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    // A full disk makes SQLite give up the whole transaction; a savepoint would then begin, and
    // its release commit, a transaction of its own.
    if connection.is_autocommit() {
        return Err(StoreError::Disk.into());
    }
    connection.prepare_cached("SAVEPOINT step")?.execute([])?;
    let outcome = change(connection);
    if connection.is_autocommit() {
        return outcome.and(Err(StoreError::Disk.into()));
    }
    let end = if outcome.is_ok() { "RELEASE step" } else { "ROLLBACK TO step" };
    connection.prepare_cached(end)?.execute([])?;
    outcome
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}
