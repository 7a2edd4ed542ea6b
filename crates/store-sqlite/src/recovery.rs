//! What a crash left, and what becomes of it (REL-02, REL-16).

use std::io;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use umbel_store::{
    AudioFormat, AuditRecord, Author, Begin, Caller, Event, Importance, MessageId, Purpose,
    RECORDING_BYTES_MAX,
};
use umbel_time::UnixTime;
use umbel_wav::repaired;

use crate::fault::Outcome;
use crate::messages::find_message;
use crate::recordings::{Keeping, Sealed, forget_row, insert_message};
use crate::records::{end_running_calls, insert_audit};
use crate::rows::{Id, Time, address, integer, user_row, word};
use crate::spool::{HEADER_BYTES_MAX, finished_header, finished_padding, header_bytes, wav_format};
use crate::store::SqliteStore;

/// What was found when the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Recordings that became incomplete messages.
    pub recovered: Vec<MessageId>,
    /// Recordings that were too short to keep.
    pub dropped: Vec<MessageId>,
    /// Calls that were running and can be so no more.
    pub calls_failed: usize,
    /// The store is damaged and is not written (REL-18).
    pub damaged: bool,
}

/// A recording that was running when it was last noted.
struct Unfinished {
    begin: Begin,
    greeting: bool,
    file: String,
}

impl SqliteStore {
    /// Makes messages of unfinished recordings that are long enough, and drops the others.
    pub(crate) fn recover(&mut self, now: UnixTime) -> Outcome<Recovery> {
        let mut recovery = Recovery::default();
        for unfinished in self.database.read(unfinished)? {
            let id = unfinished.begin.id;
            let mended = self.mend(&unfinished)?;
            let long = mended.as_ref().is_some_and(|sealed| {
                unfinished.begin.format.duration(sealed.bytes) >= self.config.incomplete_min
            });
            // An unfinished greeting leaves the old one in place.
            let keep = mended.filter(|_| long && !unfinished.greeting);
            let mail = self.config.mail;
            let kept = self
                .database
                .write(|connection| settle(connection, &unfinished, keep.as_ref(), mail, now))?;
            match kept {
                Kept::Message => {
                    tracing::warn!(%id, "an unfinished recording became an incomplete message");
                    recovery.recovered.push(id);
                }
                Kept::Nothing => {
                    tracing::warn!(%id, "an unfinished recording was too short and was dropped");
                    self.remove_leftover(&unfinished.file);
                    recovery.dropped.push(id);
                }
                Kept::Before => {}
            }
        }
        recovery.calls_failed = self.database.write(end_running_calls)?;
        Ok(recovery)
    }

    /// Gives the file a header that fits what is there, and makes it safe. `None` without audio.
    fn mend(&mut self, unfinished: &Unfinished) -> Outcome<Option<Sealed>> {
        let format = unfinished.begin.format;
        let head = header_bytes(format);
        let file = match self.disk.open(&unfinished.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let length = self.disk.len(file)?;
        let start = self.disk.read(&unfinished.file, HEADER_BYTES_MAX)?;
        let bytes = match repaired(&start, length) {
            // A header that was finished knows what is audio and what is padding.
            Ok(found) if found.format == wav_format(format) => u64::from(found.data_len),
            // One that never reached the disk is made anew: the row knows the format.
            _ => length.saturating_sub(head),
        };
        let bytes = bytes.min(RECORDING_BYTES_MAX);
        let bytes = bytes - bytes % format.bytes_per_sample();
        let mended = if bytes == 0 {
            None
        } else {
            self.write(file, 0, &finished_header(format, bytes))?;
            self.disk.set_len(file, head + bytes)?;
            self.write(file, head + bytes, finished_padding(bytes))?;
            self.disk.sync(file)?;
            self.disk.sync_names()?;
            let whole = self.disk.read(&unfinished.file, head + bytes)?;
            let audio = whole.get(usize::try_from(head).unwrap_or(usize::MAX)..).unwrap_or_default();
            let checksum = Sha256::digest(audio).into();
            Some(Sealed { name: unfinished.file.clone(), bytes, checksum })
        };
        self.disk.close(file);
        Ok(mended)
    }

    fn remove_leftover(&mut self, name: &str) {
        match self.disk.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(name, %error, "what is left of a recording could not be removed");
            }
            _ => {}
        }
    }
}

enum Kept {
    /// As a message.
    Message,
    /// It was dropped.
    Nothing,
    /// It was a message already.
    Before,
}

fn settle(
    connection: &Connection,
    unfinished: &Unfinished,
    keep: Option<&Sealed>,
    mail: bool,
    now: UnixTime,
) -> Outcome<Kept> {
    let begin = &unfinished.begin;
    forget_row(connection, begin.id)?;
    if find_message(connection, begin.id)?.is_some() {
        return Ok(Kept::Before);
    }
    let Purpose::Message { importance, .. } = begin.purpose else { return Ok(Kept::Nothing) };
    let (kept, event) = match keep {
        Some(sealed) => {
            insert_message(
                connection,
                begin,
                sealed,
                &Keeping { importance, incomplete: true, at: now, mail },
            )?;
            (Kept::Message, Event::RecordingRecovered(begin.id))
        }
        None => (Kept::Nothing, Event::RecordingDropped(begin.id)),
    };
    let record = AuditRecord {
        at: now,
        mailbox: begin.mailbox.clone(),
        call_id: Some(begin.call_id.clone()),
        door: None,
        author: Some(Author::Store),
        event,
    };
    insert_audit(connection, &record)?;
    Ok(kept)
}

/// Notes a running recording, so that recovery finds it.
pub(crate) fn keep_row(connection: &Connection, begin: &Begin, name: &str) -> Outcome<()> {
    let user = user_row(connection, &begin.mailbox)?;
    let (nobody, nothing) = (Caller::default(), String::new());
    let (caller, subject, importance, greeting) = match &begin.purpose {
        Purpose::Message { caller, subject, importance } => (caller, subject, *importance, false),
        Purpose::Greeting { .. } => (&nobody, &nothing, Importance::Normal, true),
    };
    let sql = "INSERT OR REPLACE INTO recording (id, user, caller, caller_name, caller_verified, subject, \
               importance, greeting, format, call_id, at, file) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    connection.prepare_cached(sql)?.execute(params![
        Id(begin.id),
        user,
        caller.id,
        caller.name,
        caller.verified,
        subject,
        importance.as_str(),
        greeting,
        begin.format.as_str(),
        begin.call_id,
        Time(begin.at),
        name,
    ])?;
    Ok(())
}

fn unfinished(connection: &Connection) -> Outcome<Vec<Unfinished>> {
    let sql = "SELECT r.id, u.address, r.caller, r.caller_name, r.caller_verified, r.subject, r.importance, \
               r.greeting, r.format, r.call_id, r.at, r.file FROM recording r JOIN user u ON u.id = r.user \
               ORDER BY r.at, r.id LIMIT ?1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([integer(umbel_store::RECORDINGS_MAX as u64)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let caller = Caller { id: row.get(2)?, name: row.get(3)?, verified: row.get(4)? };
        let importance = word(&row.get::<_, String>(6)?, Importance::from_word)?;
        let greeting: bool = row.get(7)?;
        let kind = umbel_store::GreetingKind::Standard;
        let purpose = if greeting {
            Purpose::Greeting { kind, author: Author::Store }
        } else {
            Purpose::Message { caller, subject: row.get(5)?, importance }
        };
        let begin = Begin {
            id: row.get::<_, Id>(0)?.0,
            mailbox: address(&row.get::<_, String>(1)?)?,
            purpose,
            format: word(&row.get::<_, String>(8)?, AudioFormat::from_word)?,
            call_id: row.get(9)?,
            at: row.get::<_, Time>(10)?.0,
        };
        found.push(Unfinished { begin, greeting, file: row.get(11)? });
    }
    Ok(found)
}
