//! Mailboxes at a glance, greetings and notices.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};
use umbel_store::{
    ActiveGreeting, Address, AudioFormat, Author, CHANGES_MAX, Caller, Counts, Event, Folder, Greeting,
    GreetingKind, ItemChanges, LIST_MAX, LockOut, MailboxChange, MailboxChanges, MailboxSummary, Mailboxes,
    MessageId, MissedCall, MissedCallId, Refusal, StoreError, StoredAudio, User, VoiceMessage, clean_text,
};
use umbel_time::UnixTime;

use crate::fault::Outcome;
use crate::messages::{find_greeting, find_message};
use crate::outbox::{greeting_change, note_greeting, queue_missed_call};
use crate::recordings::Sealed;
use crate::records::write_audit;
use crate::rows::{Id, Time, UserRow, address, count, integer, load_user, load_users, user_row, word};
use crate::spool::{finished_header, finished_padding};
use crate::store::{Aftermath, SqliteStore};

impl Mailboxes for SqliteStore {
    fn mailbox(&mut self, address: &Address, at: UnixTime) -> Result<MailboxSummary, StoreError> {
        let room = self.room();
        Ok(self.database.read(|connection| {
            let found = load_user(connection, "u.address = ?1", &address.as_str())?;
            let (row, user) = found.ok_or(Refusal::NoSuchUser)?;
            summary(connection, row, user, room, at)
        })?)
    }

    fn mailboxes(
        &mut self,
        after: Option<&Address>,
        at: UnixTime,
    ) -> Result<Vec<MailboxSummary>, StoreError> {
        let room = self.room();
        let after = after.map_or("", Address::as_str);
        Ok(self.database.read(|connection| {
            let users = load_users(connection, after, LIST_MAX)?.into_iter();
            users.map(|(row, user)| summary(connection, row, user, room, at)).collect()
        })?)
    }

    fn counts(&mut self, address: &Address) -> Result<Counts, StoreError> {
        Ok(self.database.read(|connection| {
            let row = user_row(connection, address)?;
            Ok(count_messages(connection, row)?.0)
        })?)
    }

    fn changed_mailboxes(&mut self, after: u64) -> Result<MailboxChanges, StoreError> {
        Ok(self.database.read(|connection| list_changes(connection, after))?)
    }

    fn messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        after: Option<u64>,
    ) -> Result<Vec<VoiceMessage>, StoreError> {
        Ok(self.list_messages(mailbox, folder, after)?)
    }

    fn latest_messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VoiceMessage>, StoreError> {
        Ok(self.list_latest_messages(mailbox, folder, before, limit)?)
    }

    fn find_message(&mut self, id: MessageId) -> Result<Option<VoiceMessage>, StoreError> {
        Ok(self.database.read(|connection| find_message(connection, id))?)
    }

    fn message_audio(&mut self, mailbox: &Address, id: MessageId) -> Result<StoredAudio, StoreError> {
        Ok(self.load_message(mailbox, id)?)
    }

    fn mark_heard(&mut self, mailbox: &Address, id: MessageId, heard: bool) -> Result<(), StoreError> {
        Ok(self.set_heard(mailbox, id, heard)?)
    }

    fn delete_message(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        Ok(self.set_deleted(mailbox, id, true, author, at)?)
    }

    fn restore_message(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        Ok(self.set_deleted(mailbox, id, false, author, at)?)
    }

    fn greeting_audio(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
    ) -> Result<Option<StoredAudio>, StoreError> {
        let stored = self.database.read(|connection| {
            let row = user_row(connection, mailbox)?;
            find_greeting(connection, row, kind.as_str())
        })?;
        Ok(stored.map(|stored| self.load_audio(&stored)).transpose()?)
    }

    fn set_greeting(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        audio: &StoredAudio,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        self.database.read(|connection| user_row(connection, mailbox))?;
        let sealed = self.write_upload(audio)?;
        let name = sealed.name.clone();
        let saved = self.commit(|store| {
            let mail = store.config.mail;
            let replaced = store.database.write(|connection| {
                let row = user_row(connection, mailbox)?;
                let replaced = put_greeting(connection, row, kind, audio.format, &sealed, at)?;
                note_greeting(connection, mail, mailbox, &greeting_change(kind, false, author), at)?;
                Ok(replaced)
            })?;
            store.aftermath.extend(replaced.map(Aftermath::Remove));
            Ok(())
        });
        if saved.is_err() {
            self.remove_file(&name);
        }
        Ok(saved?)
    }

    fn remove_greeting(
        &mut self,
        mailbox: &Address,
        kind: GreetingKind,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        Ok(self.commit(|store| {
            let mail = store.config.mail;
            let file = store.database.write(|connection| {
                let row = user_row(connection, mailbox)?;
                let sql = "DELETE FROM greeting WHERE user = ?1 AND kind = ?2 RETURNING file";
                let mut statement = connection.prepare_cached(sql)?;
                let removed = statement.query_row(params![row, kind.as_str()], |row| row.get(0));
                let file: String = removed.optional()?.ok_or(Refusal::NoSuchGreeting(kind))?;
                note_greeting(connection, mail, mailbox, &greeting_change(kind, true, author), at)?;
                Ok(file)
            })?;
            store.aftermath.push(Aftermath::Remove(file));
            Ok(())
        })?)
    }

    fn choose_greeting(
        &mut self,
        mailbox: &Address,
        greeting: ActiveGreeting,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| {
            let row = user_row(connection, mailbox)?;
            let away = greeting == ActiveGreeting::OutOfOffice;
            connection
                .prepare_cached("UPDATE user SET away = ?2 WHERE id = ?1")?
                .execute(params![row, away])?;
            write_audit(connection, mailbox, author, &Event::GreetingChosen(greeting), at)
        })?)
    }

    fn note_missed_call(&mut self, notice: &MissedCall) -> Result<bool, StoreError> {
        let item = MessageId::from_bytes(self.random());
        let mail = self.config.mail;
        Ok(self.database.write(|connection| {
            let found = load_user(connection, "u.address = ?1", &notice.mailbox.as_str())?;
            let (row, user) = found.ok_or(Refusal::NoSuchUser)?;
            if !user.settings.missed_call_notices || left_something(connection, row, &notice.call_id)? {
                return Ok(false);
            }
            let sql = "INSERT INTO missed_call (user, caller, caller_name, caller_verified, subject, at, call_id, item) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let Caller { id, name, verified } = notice.caller.clean();
            let subject = clean_text(&notice.subject);
            let values = params![row, id, name, verified, subject, Time(notice.at), notice.call_id, Id(item)];
            connection.prepare_cached(sql)?.execute(values)?;
            let number = connection.last_insert_rowid();
            queue_missed_call(connection, mail, row, number, item, notice.at)?;
            Ok(true)
        })?)
    }

    fn missed_calls(&mut self, mailbox: &Address) -> Result<Vec<MissedCall>, StoreError> {
        Ok(self.database.read(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql =
                format!("SELECT {MISSED_CALL_COLUMNS} FROM missed_call WHERE user = ?1 ORDER BY id LIMIT ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let limits = params![row, integer(LIST_MAX as u64)];
            let notices = statement.query_map(limits, |row| read_missed_call(row, mailbox))?;
            Ok(notices.collect::<Result<Vec<_>, _>>()?)
        })?)
    }

    fn clear_missed_calls(&mut self, mailbox: &Address, up_to: MissedCallId) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql = "DELETE FROM missed_call WHERE user = ?1 AND id <= ?2";
            connection.prepare_cached(sql)?.execute(params![row, integer(up_to.0)])?;
            Ok(())
        })?)
    }

    fn items(&mut self, mailbox: &Address, after: u64) -> Result<ItemChanges, StoreError> {
        Ok(self.list_items(mailbox, after)?)
    }

    fn mark_missed_call(&mut self, mailbox: &Address, id: MessageId, seen: bool) -> Result<(), StoreError> {
        Ok(self.set_notice_seen(mailbox, id, seen)?)
    }

    fn remove_missed_call(&mut self, mailbox: &Address, id: MessageId) -> Result<(), StoreError> {
        Ok(self.delete_notice(mailbox, id)?)
    }
}

impl SqliteStore {
    /// Writes audio that is here already, and makes it safe.
    fn write_upload(&mut self, audio: &StoredAudio) -> Outcome<Sealed> {
        if !self.has_room()? {
            return Err(StoreError::DiskFull.into());
        }
        let bytes = audio.data.len() as u64;
        let id = MessageId::from_bytes(self.random());
        let (name, file) = self.create_file(id)?;
        let mut whole = finished_header(audio.format, bytes);
        whole.extend_from_slice(&audio.data);
        whole.extend_from_slice(finished_padding(bytes));
        let written = self.disk.write_at(file, 0, &whole).and_then(|()| self.disk.sync(file));
        let written = written.and_then(|()| self.disk.sync_names());
        self.disk.close(file);
        if let Err(error) = written {
            self.remove_file(&name);
            return Err(error.into());
        }
        Ok(Sealed { name, bytes, checksum: Sha256::digest(&audio.data).into() })
    }
}

/// Puts a greeting in place of the one before; gives the file that is not needed any more.
pub(crate) fn put_greeting(
    connection: &Connection,
    row: UserRow,
    kind: GreetingKind,
    format: AudioFormat,
    sealed: &Sealed,
    at: UnixTime,
) -> Outcome<Option<String>> {
    let replaced = find_greeting(connection, row, kind.as_str())?.map(|stored| stored.file);
    let sql = "INSERT OR REPLACE INTO greeting (user, kind, format, bytes, recorded, file, checksum) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        row,
        kind.as_str(),
        format.as_str(),
        integer(sealed.bytes),
        Time(at),
        sealed.name,
        sealed.checksum,
    ])?;
    Ok(replaced)
}

const MISSED_CALL_COLUMNS: &str = "id, caller, caller_name, caller_verified, subject, at, call_id";

/// Reads [`MISSED_CALL_COLUMNS`].
fn read_missed_call(row: &Row<'_>, mailbox: &Address) -> rusqlite::Result<MissedCall> {
    Ok(MissedCall {
        id: MissedCallId(count(row.get(0)?)),
        mailbox: mailbox.clone(),
        caller: Caller { id: row.get(1)?, name: row.get(2)?, verified: row.get(3)? },
        subject: row.get(4)?,
        at: row.get::<_, Time>(5)?.0,
        call_id: row.get(6)?,
    })
}

/// A notice of this mailbox by the number of its row.
pub(crate) fn find_missed_call(
    connection: &Connection,
    mailbox: &Address,
    number: i64,
) -> Outcome<Option<MissedCall>> {
    let sql = format!("SELECT {MISSED_CALL_COLUMNS} FROM missed_call WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([number], |row| read_missed_call(row, mailbox)).optional()?)
}

/// Whether a call left a message or a notice in this mailbox (MISS-3).
fn left_something(connection: &Connection, row: UserRow, call_id: &str) -> Outcome<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM missed_call WHERE user = ?1 AND call_id = ?2) \
               OR EXISTS (SELECT 1 FROM message WHERE user = ?1 AND call_id = ?2)";
    Ok(connection.prepare_cached(sql)?.query_row(params![row, call_id], |row| row.get(0))?)
}

/// What there is room for.
#[derive(Clone, Copy)]
struct Room {
    messages_max: u32,
    disk_full: bool,
}

impl SqliteStore {
    fn room(&mut self) -> Room {
        Room { messages_max: self.config.messages_max, disk_full: !self.has_room().unwrap_or(false) }
    }
}

fn summary(
    connection: &Connection,
    row: UserRow,
    user: User,
    Room { messages_max, disk_full }: Room,
    at: UnixTime,
) -> Outcome<MailboxSummary> {
    let (counts, bytes) = count_messages(connection, row)?;
    let sql = "SELECT failures, until FROM lock_out WHERE user = ?1 AND door = 'telephone'";
    let lock_out = connection.prepare_cached(sql)?.query_row([row], |row| {
        Ok(LockOut { failures: row.get(0)?, until: row.get::<_, Option<Time>>(1)?.map(|time| time.0) })
    });
    let lock_out = lock_out.optional()?.unwrap_or_default();
    Ok(MailboxSummary {
        address: user.settings.address,
        enabled: user.settings.enabled,
        counts,
        full: counts.kept() >= messages_max,
        disk_full,
        bytes,
        greeting: user.greeting,
        greetings: list_greetings(connection, row)?,
        pin: user.pin,
        locked: lock_out.lock(at),
    })
}

fn list_changes(connection: &Connection, after: u64) -> Outcome<MailboxChanges> {
    // Another program may write meanwhile: what goes behind `latest` is told next time.
    let sql = "SELECT coalesce(max(number), 0) FROM mailbox_change";
    let latest = count(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?);
    if latest <= after {
        return Ok(MailboxChanges { changed: Vec::new(), latest });
    }
    let sql = "SELECT c.number, c.user, u.address, u.extension FROM mailbox_change c \
               JOIN user u ON u.id = c.user WHERE c.number > ?1 AND c.number <= ?2 ORDER BY c.number LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![integer(after), integer(latest), integer(CHANGES_MAX as u64)])?;
    let mut changed = Vec::new();
    while let Some(row) = rows.next()? {
        changed.push(MailboxChange {
            number: count(row.get(0)?),
            address: address(&row.get::<_, String>(2)?)?,
            extension: row.get(3)?,
            counts: count_messages(connection, UserRow(row.get(1)?))?.0,
        });
    }
    Ok(MailboxChanges { changed, latest })
}

/// Numbers of messages and octets of audio.
fn count_messages(connection: &Connection, row: UserRow) -> Outcome<(Counts, u64)> {
    let sql = "SELECT count(*) FILTER (WHERE deleted IS NULL AND NOT heard), \
               count(*) FILTER (WHERE deleted IS NULL AND heard), \
               count(*) FILTER (WHERE deleted IS NOT NULL), \
               count(*) FILTER (WHERE deleted IS NULL AND NOT heard AND importance = 'high'), \
               count(*) FILTER (WHERE deleted IS NULL AND heard AND importance = 'high'), \
               coalesce(sum(bytes), 0) FROM message INDEXED BY message_changes WHERE user = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let counted = statement.query_row([row], |row| {
        let counts = Counts {
            new: row.get(0)?,
            old: row.get(1)?,
            deleted: row.get(2)?,
            urgent_new: row.get(3)?,
            urgent_old: row.get(4)?,
        };
        Ok((counts, count(row.get(5)?)))
    })?;
    Ok(counted)
}

fn list_greetings(connection: &Connection, row: UserRow) -> Outcome<Vec<Greeting>> {
    let sql = "SELECT kind, format, bytes, recorded FROM greeting WHERE user = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([row])?;
    let mut greetings = Vec::new();
    while let Some(row) = rows.next()? {
        greetings.push(Greeting {
            kind: word(&row.get::<_, String>(0)?, GreetingKind::from_word)?,
            format: word(&row.get::<_, String>(1)?, AudioFormat::from_word)?,
            bytes: count(row.get(2)?),
            recorded: row.get::<_, Time>(3)?.0,
        });
    }
    greetings.sort_by_key(|greeting| greeting.kind);
    Ok(greetings)
}
