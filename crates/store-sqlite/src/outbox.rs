//! Mails that wait to be sent, in SQL.

use rusqlite::{Connection, OptionalExtension, Row, params};
use umbel_store::{
    Address, Author, DUE_MAILS_MAX, DueMail, Event, FAILED_MAILS_KEPT, FAILED_MAILS_MAX, GreetingChange,
    GreetingKind, LIST_MAX, MAIL_REASON_CHARS_MAX, MailKind, MailNumber, MailOutcome, MessageId, NewPin,
    OUTBOX_MAX, OUTBOX_PER_MAILBOX_MAX, Outbox, OutboxState, PIN_RESET_WINDOW, PIN_RESETS_MAX, Pin,
    QueuedMail, Refusal, SecretChange, StoreError, Tidings, User, UserEntry,
};
use umbel_time::UnixTime;

use crate::fault::{Fault, Outcome};
use crate::hash_work::{Mode, Work};
use crate::key::PinSeal;
use crate::mailboxes::find_missed_call;
use crate::messages::find_message;
use crate::records::write_audit;
use crate::rows::{Id, Time, UserRow, address, count, from_json, integer, load_user, to_json, word};
use crate::store::SqliteStore;
use crate::users::single;

impl Outbox for SqliteStore {
    fn due_mails(&mut self, at: UnixTime) -> Result<Vec<DueMail>, StoreError> {
        let pin_seal = &self.pin_seal;
        Ok(self.database.read(|connection| {
            let sql = "SELECT number, id, user, kind, missed_call, greeting, pin, queued, attempts, secret FROM outbox \
                       WHERE NOT failed AND due <= ?1 ORDER BY due, number LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![Time(at), integer(DUE_MAILS_MAX as u64)])?;
            let mut mails = Vec::new();
            while let Some(row) = rows.next()? {
                mails.push(read_due(connection, row, pin_seal)?);
            }
            Ok(mails)
        })?)
    }

    fn settle_mail(
        &mut self,
        number: MailNumber,
        outcome: &MailOutcome,
        _at: UnixTime,
    ) -> Result<(), StoreError> {
        let number = integer(number.0);
        let cut = |reason: &str| reason.chars().take(MAIL_REASON_CHARS_MAX).collect::<String>();
        Ok(self.database.write(|connection| {
            match outcome {
                MailOutcome::Sent | MailOutcome::Dropped => {
                    connection.prepare_cached("DELETE FROM outbox WHERE number = ?1")?.execute([number])?;
                }
                MailOutcome::Later { due, reason } => {
                    let sql =
                        "UPDATE outbox SET attempts = attempts + 1, due = ?2, reason = ?3 WHERE number = ?1";
                    connection.prepare_cached(sql)?.execute(params![number, Time(*due), cut(reason)])?;
                }
                MailOutcome::Failed { reason } => {
                    let sql = "UPDATE outbox SET attempts = attempts + 1, failed = 1, reason = ?2, pin = NULL \
                               WHERE number = ?1";
                    connection.prepare_cached(sql)?.execute(params![number, cut(reason)])?;
                }
            }
            Ok(())
        })?)
    }

    fn queued_mails(&mut self, after: Option<MailNumber>) -> Result<Vec<QueuedMail>, StoreError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT o.number, u.address, o.kind, o.queued, o.due, o.attempts, o.reason, o.failed \
                       FROM outbox o JOIN user u ON u.id = o.user \
                       WHERE o.number > ?1 ORDER BY o.number LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let after = integer(after.map_or(0, |number| number.0));
            let mut rows = statement.query(params![after, integer(LIST_MAX as u64)])?;
            let mut mails = Vec::new();
            while let Some(row) = rows.next()? {
                let failed: bool = row.get(7)?;
                mails.push(QueuedMail {
                    number: MailNumber(count(row.get(0)?)),
                    mailbox: address(&row.get::<_, String>(1)?)?,
                    kind: word(&row.get::<_, String>(2)?, MailKind::from_word)?,
                    queued: row.get::<_, Time>(3)?.0,
                    due: Some(row.get::<_, Time>(4)?.0).filter(|_| !failed),
                    attempts: row.get(5)?,
                    reason: row.get(6)?,
                });
            }
            Ok(mails)
        })?)
    }

    fn outbox_state(&mut self) -> Result<OutboxState, StoreError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT (SELECT count(*) FROM outbox WHERE NOT failed), \
                       (SELECT count(*) FROM outbox WHERE failed), \
                       (SELECT min(queued) FROM outbox WHERE NOT failed)";
            let state = connection.prepare_cached(sql)?.query_row([], |row| {
                Ok(OutboxState {
                    waiting: count(row.get(0)?),
                    failed: count(row.get(1)?),
                    oldest: row.get::<_, Option<Time>>(2)?.map(|time| time.0),
                })
            })?;
            Ok(state)
        })?)
    }

    fn retry_mails(&mut self, only: Option<MailNumber>, at: UnixTime) -> Result<u64, StoreError> {
        Ok(self.database.write(|connection| {
            let sql = "UPDATE outbox SET due = ?1, failed = 0 \
                       WHERE (?2 IS NULL OR number = ?2) AND NOT (failed AND kind = 'new-pin')";
            let only = only.map(|number| integer(number.0));
            Ok(connection.prepare_cached(sql)?.execute(params![Time(at), only])? as u64)
        })?)
    }

    fn reset_pin_by_mail(
        &mut self,
        address: &Address,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let entry = self.prepare_reset(address, at)?;
        let entries = std::slice::from_ref(&entry);
        let done = Work::Entries(self.prepare_entries(entries, Mode::Mailed)?).run(&self.hasher);
        let set = self.settle_entries(entries, Mode::Mailed, done.entries(), author, at);
        set.map(|_| ()).map_err(single)
    }
}

impl SqliteStore {
    /// What has to be set when a PIN is reset by mail, or why it cannot be: said before it costs a hash.
    pub(crate) fn prepare_reset(&mut self, address: &Address, at: UnixTime) -> Result<UserEntry, StoreError> {
        let mail = self.config.mail;
        self.database.read(|connection| check_reset(connection, mail, address, at).map(|_| ()))?;
        Ok(UserEntry { pin: Some(NewPin::Generate), ..UserEntry::new(address.clone()) })
    }
}

/// Whether a PIN may be reset by mail.
fn check_reset(
    connection: &Connection,
    mail: bool,
    address: &Address,
    at: UnixTime,
) -> Outcome<(UserRow, User)> {
    let found = load_user(connection, "u.address = ?1", &address.as_str())?;
    let (row, user) = found.ok_or(Refusal::NoSuchUser)?;
    let sql = "SELECT count(*) FROM pin_reset WHERE user = ?1 AND at > ?2";
    let since = Time(at - PIN_RESET_WINDOW);
    let resets: i64 = connection.prepare_cached(sql)?.query_row(params![row, since], |row| row.get(0))?;
    if !mail {
        return Err(Refusal::MailNotSetUp.into());
    }
    if !user.settings.enabled {
        return Err(Refusal::Disabled.into());
    }
    if user.settings.email.is_none() {
        return Err(Refusal::NoMailAddress.into());
    }
    if count(resets) >= PIN_RESETS_MAX as u64 {
        return Err(Refusal::TooManyPinResets.into());
    }
    if !has_room(connection, row)? {
        return Err(Refusal::OutboxFull.into());
    }
    Ok((row, user))
}

/// Puts the mail with a new PIN into the queue, in the transaction that sets the PIN.
pub(crate) fn queue_pin(
    connection: &Connection,
    mail: bool,
    owner: &Address,
    sealed: &[u8],
    at: UnixTime,
) -> Outcome<()> {
    // Asked again: others may have written since it was prepared.
    let (row, _) = check_reset(connection, mail, owner, at)?;
    // The PIN before this one opens nothing any more.
    let sql = "DELETE FROM outbox WHERE user = ?1 AND kind = 'new-pin' AND NOT failed";
    connection.prepare_cached(sql)?.execute([row])?;
    connection
        .prepare_cached("INSERT INTO pin_reset (user, at) VALUES (?1, ?2)")?
        .execute(params![row, Time(at)])?;
    let sql = "INSERT INTO outbox (id, user, kind, pin, queued, due) \
               VALUES (randomblob(16), ?1, 'new-pin', ?2, ?3, ?3)";
    connection.prepare_cached(sql)?.execute(params![row, sealed, Time(at)])?;
    Ok(())
}

/// Puts the mail of a message into the queue, in the transaction that saves the message (REL-41).
pub(crate) fn queue_message(
    connection: &Connection,
    mail: bool,
    row: UserRow,
    id: MessageId,
    at: UnixTime,
) -> Outcome<()> {
    if !is_wanted(connection, mail, row)? {
        return Ok(());
    }
    let sql =
        "INSERT INTO outbox (id, user, kind, message, queued, due) VALUES (?1, ?2, 'message', ?1, ?3, ?3)";
    connection.prepare_cached(sql)?.execute(params![Id(id), row, Time(at)])?;
    Ok(())
}

/// Puts the mail of a missed call into the queue, in the transaction that keeps the notice. `item` is the id of the
/// notice among the items.
pub(crate) fn queue_missed_call(
    connection: &Connection,
    mail: bool,
    row: UserRow,
    notice: i64,
    item: MessageId,
    at: UnixTime,
) -> Outcome<()> {
    if !is_wanted(connection, mail, row)? {
        return Ok(());
    }
    let sql = "INSERT INTO outbox (id, user, kind, missed_call, queued, due) \
               VALUES (?1, ?2, 'missed-call', ?3, ?4, ?4)";
    connection.prepare_cached(sql)?.execute(params![Id(item), row, notice, Time(at)])?;
    Ok(())
}

/// Puts the mail of a changed greeting into the queue, in the transaction that changes it (SEC-91).
pub(crate) fn queue_greeting(
    connection: &Connection,
    mail: bool,
    row: UserRow,
    change: &GreetingChange,
    at: UnixTime,
) -> Outcome<()> {
    if !is_wanted(connection, mail, row)? {
        return Ok(());
    }
    let sql = "INSERT INTO outbox (id, user, kind, greeting, queued, due) \
               VALUES (randomblob(16), ?1, 'greeting', ?2, ?3, ?3)";
    connection.prepare_cached(sql)?.execute(params![row, to_json(change), Time(at)])?;
    Ok(())
}

/// Puts the mail of a changed secret into the queue, in the transaction that changes it.
pub(crate) fn queue_secret(
    connection: &Connection,
    mail: bool,
    row: UserRow,
    change: &SecretChange,
    at: UnixTime,
) -> Outcome<()> {
    if !is_wanted(connection, mail, row)? {
        return Ok(());
    }
    let sql = "INSERT INTO outbox (id, user, kind, secret, queued, due) \
               VALUES (randomblob(16), ?1, 'secret', ?2, ?3, ?3)";
    connection.prepare_cached(sql)?.execute(params![row, to_json(change), Time(at)])?;
    Ok(())
}

/// Writes that a greeting changed: into the audit trail, and to the owner (SEC-91).
pub(crate) fn note_greeting(
    connection: &Connection,
    mail: bool,
    mailbox: &Address,
    change: &GreetingChange,
    at: UnixTime,
) -> Outcome<()> {
    let row = crate::rows::user_row(connection, mailbox)?;
    let GreetingChange { kind, removed, author } = change;
    let event = if *removed { Event::GreetingRemoved(*kind) } else { Event::GreetingRecorded(*kind) };
    write_audit(connection, mailbox, author, &event, at)?;
    queue_greeting(connection, mail, row, change, at)
}

/// A change of a greeting.
pub(crate) fn greeting_change(kind: GreetingKind, removed: bool, author: &Author) -> GreetingChange {
    GreetingChange { kind, removed, author: author.clone() }
}

/// Removes mails that failed long ago and the oldest beyond the bound, and resets that do not count any more; says
/// how many mails.
pub(crate) fn expire_mails(connection: &Connection, at: UnixTime) -> Outcome<u64> {
    let sql = "DELETE FROM outbox WHERE failed AND queued < ?1";
    let mut removed = connection.execute(sql, [Time(at - FAILED_MAILS_KEPT)])?;
    let sql = "DELETE FROM outbox WHERE failed AND number <= \
               (SELECT number FROM outbox WHERE failed ORDER BY number DESC LIMIT 1 OFFSET ?1)";
    removed += connection.execute(sql, [integer(FAILED_MAILS_MAX as u64)])?;
    connection.execute("DELETE FROM pin_reset WHERE at <= ?1", [Time(at - PIN_RESET_WINDOW)])?;
    Ok(removed as u64)
}

/// Whether a mail goes to this user, and there is room for it.
fn is_wanted(connection: &Connection, mail: bool, row: UserRow) -> Outcome<bool> {
    if !mail {
        return Ok(false);
    }
    let sql = "SELECT email IS NOT NULL FROM user WHERE id = ?1";
    let reads: Option<bool> =
        connection.prepare_cached(sql)?.query_row([row], |row| row.get(0)).optional()?;
    if reads != Some(true) {
        return Ok(false);
    }
    let room = has_room(connection, row)?;
    if !room {
        tracing::warn!("too many mails wait to be sent: a notice is kept without a mail");
    }
    Ok(room)
}

fn has_room(connection: &Connection, row: UserRow) -> Outcome<bool> {
    let sql = "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE NOT failed LIMIT ?2)) < ?2 \
               AND (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE user = ?1 AND NOT failed LIMIT ?3)) < ?3";
    let bounds = params![row, integer(OUTBOX_MAX as u64), integer(OUTBOX_PER_MAILBOX_MAX as u64)];
    Ok(connection.prepare_cached(sql)?.query_row(bounds, |row| row.get(0))?)
}

fn read_due(connection: &Connection, row: &Row<'_>, pin_seal: &PinSeal) -> Outcome<DueMail> {
    let id = row.get::<_, Id>(1)?.0;
    let owner = load_user(connection, "u.id = ?1", &row.get::<_, i64>(2)?)?;
    let owner = owner.ok_or(Fault::Nonsense("a mail without a user"))?.1.settings;
    let queued = row.get::<_, Time>(7)?.0;
    let gone = Fault::Nonsense("a mail about what is gone");
    let tidings = match word(&row.get::<_, String>(3)?, MailKind::from_word)? {
        MailKind::Message => Tidings::Message(Box::new(find_message(connection, id)?.ok_or(gone)?)),
        MailKind::MissedCall => {
            let notice = find_missed_call(connection, &owner.address, row.get(4)?)?;
            Tidings::MissedCall(Box::new(notice.ok_or(gone)?))
        }
        MailKind::Greeting => Tidings::Greeting(from_json(&row.get::<_, String>(5)?)?),
        MailKind::Secret => Tidings::Secret(from_json(&row.get::<_, String>(9)?)?),
        MailKind::NewPin => {
            let sealed: Option<Vec<u8>> = row.get(6)?;
            let pin: Option<Pin> = sealed.and_then(|sealed| pin_seal.open(&sealed, &owner.address));
            Tidings::NewPin { pin, at: queued }
        }
    };
    let number = MailNumber(count(row.get(0)?));
    Ok(DueMail { number, id, owner: Box::new(owner), tidings, queued, attempts: row.get(8)? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use umbel_store::conformance::NOON;

    use super::*;
    use crate::disk::model::ModelDisk;
    use crate::testing::{directory, open_for, open_on};

    /// Every octet of the database, whatever has been written to it so far.
    fn database(data: &std::path::Path) -> Vec<u8> {
        let files = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    fn mailed_pin(store: &mut SqliteStore) -> Option<Pin> {
        let mail = store.due_mails(NOON).unwrap().into_iter().next().unwrap();
        let Tidings::NewPin { pin, .. } = mail.tidings else { panic!("a PIN") };
        pin
    }

    /// SEC-87, SEC-88: a stolen store tells no PIN that waits to be mailed.
    #[test]
    fn a_pin_that_waits_to_be_mailed_stands_in_clear_nowhere() {
        let (dir, disk) = (directory(), ModelDisk::default());
        let (mut store, alice) = open_for(dir.path(), &disk, "alice");
        // Of six digits, some may stand in so many octets by chance: nine digits do not.
        store.config.pin.min_length = 9;
        store.reset_pin_by_mail(&alice, &Author::OwnerByWeb, NOON).unwrap();
        let told = mailed_pin(&mut store).unwrap();
        let digits = told.reveal().as_bytes().to_vec();
        let stands = |octets: &[u8]| octets.windows(digits.len()).any(|window| window == digits);
        assert!(!stands(&database(dir.path())));
        drop(store);
        assert!(!stands(&database(dir.path())));
        // It survives a restart.
        let (mut store, _) = open_on(dir.path(), &disk);
        assert_eq!(mailed_pin(&mut store), Some(told));
    }

    /// A PIN that was sent or failed is not even there in encrypted form.
    #[test]
    fn a_pin_is_wiped_when_its_mail_is_settled() {
        let (dir, disk) = (directory(), ModelDisk::default());
        let (mut store, alice) = open_for(dir.path(), &disk, "alice");
        for outcome in [MailOutcome::Sent, MailOutcome::Failed { reason: "550".into() }] {
            store.reset_pin_by_mail(&alice, &Author::OwnerByWeb, NOON).unwrap();
            let number = store.due_mails(NOON).unwrap()[0].number;
            store.settle_mail(number, &outcome, NOON).unwrap();
            let sealed = store.database.read(|connection| {
                let sql = "SELECT count(*) FROM outbox WHERE pin IS NOT NULL";
                Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
            });
            assert_eq!(sealed.map_err(StoreError::from), Ok(0));
        }
    }
}
