//! Messages: listed, heard, deleted; and their audio, compared with its checksum.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use umbel_store::{
    Address, AudioFormat, Author, Event, Folder, LIST_MAX, MessageId, MessageState, RECORDING_BYTES_MAX,
    Refusal, StoreError, StoredAudio, VoiceMessage,
};
use umbel_time::UnixTime;

use crate::fault::Outcome;
use crate::records::write_audit;
use crate::rows::{Id, MESSAGE_COLUMNS, Time, UserRow, count, integer, read_message, user_row, word};
use crate::spool::{finished_header, finished_padding};
use crate::store::SqliteStore;

/// Where audio is and what it should be.
pub(crate) struct Stored {
    pub(crate) file: String,
    pub(crate) format: AudioFormat,
    pub(crate) bytes: u64,
    pub(crate) checksum: Vec<u8>,
    pub(crate) damaged: bool,
}

impl SqliteStore {
    pub(crate) fn list_messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        after: Option<u64>,
    ) -> Outcome<Vec<VoiceMessage>> {
        let condition = condition(folder);
        self.database.read(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql = format!(
                "SELECT {MESSAGE_COLUMNS} FROM message m JOIN user u ON u.id = m.user \
                 WHERE m.user = ?1 AND m.number > ?2 AND {condition} ORDER BY m.number LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let values = params![row, integer(after.unwrap_or(0)), integer(LIST_MAX as u64)];
            let mut rows = statement.query(values)?;
            let mut messages = Vec::new();
            while let Some(row) = rows.next()? {
                messages.push(read_message(row)?);
            }
            Ok(messages)
        })
    }

    /// Messages from the newest on; at most `limit`.
    pub(crate) fn list_latest_messages(
        &mut self,
        mailbox: &Address,
        folder: Folder,
        before: Option<u64>,
        limit: usize,
    ) -> Outcome<Vec<VoiceMessage>> {
        let condition = condition(folder);
        self.database.read(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql = format!(
                "SELECT {MESSAGE_COLUMNS} FROM message m JOIN user u ON u.id = m.user \
                 WHERE m.user = ?1 AND m.number < ?2 AND {condition} ORDER BY m.number DESC LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let limit = limit.min(LIST_MAX) as u64;
            let mut rows =
                statement.query(params![row, integer(before.unwrap_or(u64::MAX)), integer(limit)])?;
            let mut messages = Vec::new();
            while let Some(row) = rows.next()? {
                messages.push(read_message(row)?);
            }
            Ok(messages)
        })
    }

    /// The audio of a message; what differs from its checksum is marked (REL-05).
    pub(crate) fn load_message(&mut self, mailbox: &Address, id: MessageId) -> Outcome<StoredAudio> {
        let stored = self.database.read(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql =
                "SELECT file, format, bytes, checksum, damaged FROM message WHERE id = ?1 AND user = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![Id(id), row])?;
            let row = rows.next()?.ok_or(Refusal::NoSuchMessage(id))?;
            read_stored(row)
        })?;
        let audio = self.load_audio(&stored);
        let whole = audio.as_ref().is_ok_and(|audio| !audio.damaged);
        if !whole && !stored.damaged {
            tracing::error!(%id, "the audio of a message is damaged");
            // If it cannot be marked now, the next one who looks will find it again.
            let marked = self.database.write(|connection| mark_damaged(connection, id));
            marked.or_else(|fault| match StoreError::from(fault) {
                StoreError::Busy | StoreError::Damaged | StoreError::DiskFull => Ok(()),
                error => Err(error),
            })?;
        }
        audio
    }

    /// Reads a file and compares all of it with what was stored: header, audio, padding.
    pub(crate) fn load_audio(&mut self, stored: &Stored) -> Outcome<StoredAudio> {
        let head = finished_header(stored.format, stored.bytes);
        let tail = finished_padding(stored.bytes);
        let audio = stored.bytes.min(RECORDING_BYTES_MAX);
        let whole = match self.disk.read(&stored.file, head.len() as u64 + audio + tail.len() as u64) {
            Ok(whole) => Bytes::from(whole),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::AudioMissing.into());
            }
            Err(error) => return Err(error.into()),
        };
        let end = head.len().saturating_add(usize::try_from(audio).unwrap_or(usize::MAX)).min(whole.len());
        let data = whole.slice(head.len().min(end)..end);
        let as_stored = whole.starts_with(&head)
            && whole.get(end..) == Some(tail)
            && data.len() as u64 == stored.bytes
            && Sha256::digest(&data)[..] == stored.checksum;
        Ok(StoredAudio { format: stored.format, data, damaged: !as_stored })
    }

    pub(crate) fn set_heard(&mut self, mailbox: &Address, id: MessageId, heard: bool) -> Outcome<()> {
        self.database.write(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql = "UPDATE message SET heard = ?3 WHERE id = ?1 AND user = ?2";
            let changed = connection.prepare_cached(sql)?.execute(params![Id(id), row, heard])?;
            if changed == 0 { Err(Refusal::NoSuchMessage(id).into()) } else { Ok(()) }
        })
    }

    /// Deletes a message at a time, or brings it back; the first time counts.
    pub(crate) fn set_deleted(
        &mut self,
        mailbox: &Address,
        id: MessageId,
        deleted: bool,
        author: &Author,
        at: UnixTime,
    ) -> Outcome<()> {
        self.database.write(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql =
                "UPDATE message SET deleted = ?3 WHERE id = ?1 AND user = ?2 AND (deleted IS NULL) = ?4";
            let time = deleted.then_some(Time(at));
            let mut statement = connection.prepare_cached(sql)?;
            let changed = statement.execute(params![Id(id), row, time, deleted])?;
            if changed == 0 {
                return is_there(connection, row, id);
            }
            let event = if deleted { Event::MessageDeleted(id) } else { Event::MessageRestored(id) };
            write_audit(connection, mailbox, author, &event, at)
        })
    }
}

/// SEC-118: one of our own texts, never one from outside.
const fn condition(folder: Folder) -> &'static str {
    match folder {
        Folder::All => "1",
        Folder::Kept => "m.deleted IS NULL",
        Folder::In(MessageState::New) => "m.deleted IS NULL AND NOT m.heard",
        Folder::In(MessageState::Old) => "m.deleted IS NULL AND m.heard",
        Folder::In(MessageState::Deleted) => "m.deleted IS NOT NULL",
    }
}

fn is_there(connection: &Connection, row: UserRow, id: MessageId) -> Outcome<()> {
    let sql = "SELECT 1 FROM message WHERE id = ?1 AND user = ?2";
    let found = connection.prepare_cached(sql)?.exists(params![Id(id), row])?;
    if found { Ok(()) } else { Err(Refusal::NoSuchMessage(id).into()) }
}

/// The message of this id, in whatever mailbox.
pub(crate) fn find_message(connection: &Connection, id: MessageId) -> Outcome<Option<VoiceMessage>> {
    let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message m JOIN user u ON u.id = m.user WHERE m.id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([Id(id)])?;
    rows.next()?.map(read_message).transpose()
}

pub(crate) fn mark_damaged(connection: &Connection, id: MessageId) -> Outcome<()> {
    connection.prepare_cached("UPDATE message SET damaged = 1 WHERE id = ?1")?.execute([Id(id)])?;
    Ok(())
}

/// Reads `file, format, bytes, checksum, damaged`.
pub(crate) fn read_stored(row: &rusqlite::Row<'_>) -> Outcome<Stored> {
    Ok(Stored {
        file: row.get(0)?,
        format: word(&row.get::<_, String>(1)?, AudioFormat::from_word)?,
        bytes: count(row.get(2)?),
        checksum: row.get(3)?,
        damaged: row.get(4)?,
    })
}

/// The audio of a greeting, if it is recorded.
pub(crate) fn find_greeting(connection: &Connection, user: UserRow, kind: &str) -> Outcome<Option<Stored>> {
    let sql = "SELECT file, format, bytes, checksum, 0 FROM greeting WHERE user = ?1 AND kind = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![user, kind], |row| Ok(read_stored(row)));
    found.optional()?.transpose()
}
