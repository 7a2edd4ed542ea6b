//! Recordings: begun, finished, given up.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use umbel_store::{
    Begin, CHUNK_BYTES_MAX, Finish, Importance, MessageId, Purpose, RECORDING_BYTES_MAX, RECORDINGS_MAX,
    Recordings, Refusal, Saved, StoreError, StoredAudio, VoiceMessage, clean_text,
};
use umbel_time::UnixTime;

use crate::fault::{Fault, Outcome};
use crate::mailboxes::put_greeting;
use crate::messages::find_message;
use crate::outbox::{greeting_change, note_greeting, queue_message};
use crate::rows::{Id, Time, UserRow, integer, load_user, user_row};
use crate::spool::header_bytes;
use crate::store::{Aftermath, SqliteStore};

impl Recordings for SqliteStore {
    fn begin(&mut self, begin: &Begin) -> Result<(), StoreError> {
        Ok(self.try_begin(begin)?)
    }

    fn append(&mut self, id: MessageId, chunk: &[u8]) -> Result<(), StoreError> {
        if chunk.len() > CHUNK_BYTES_MAX && self.recordings.contains_key(&id) {
            return Err(Refusal::RecordingTooLong.into());
        }
        Ok(self.spool(id, chunk)?)
    }

    fn recorded(&mut self, id: MessageId) -> Result<StoredAudio, StoreError> {
        let running = self.recordings.get(&id).ok_or(Refusal::NoSuchRecording(id))?;
        let (format, bytes, name) = (running.begin.format, running.bytes, running.name.clone());
        let head = header_bytes(format);
        let whole = Bytes::from(self.disk.read(&name, head + bytes).map_err(Fault::Disk)?);
        let head = usize::try_from(head).unwrap_or(usize::MAX);
        let data = if whole.len() > head { whole.slice(head..) } else { Bytes::new() };
        Ok(StoredAudio { format, damaged: (data.len() as u64) < bytes, data })
    }

    fn finish(&mut self, finish: &Finish) -> Result<Saved, StoreError> {
        self.seal_for(finish)?;
        match self.commit_finish(finish) {
            // REL-11: what is running is saved with the space that was set aside.
            Err(StoreError::DiskFull) if self.release_reserve() => self.commit_finish(finish),
            saved => saved,
        }
    }

    fn discard(&mut self, id: MessageId) -> Result<(), StoreError> {
        let Some(running) = self.recordings.remove(&id) else { return Ok(()) };
        self.disk.close(running.file);
        self.remove_file(&running.name);
        if running.has_row() {
            // If this cannot be written now, recovery finds a row without a file and drops it.
            let forgotten = self.database.write(|connection| forget_row(connection, id));
            if let Err(error) = forgotten.map_err(StoreError::from) {
                tracing::debug!(%id, %error, "a recording that was given up stays noted until the next start");
            }
        }
        Ok(())
    }
}

impl SqliteStore {
    fn try_begin(&mut self, begin: &Begin) -> Outcome<()> {
        if self.recordings.contains_key(&begin.id) {
            return Ok(());
        }
        if self.database.is_damaged() {
            return Err(StoreError::Damaged.into());
        }
        let known = self.database.read(|connection| find_message(connection, begin.id))?;
        if known.is_some() {
            return Ok(());
        }
        let running = self.recordings.values().filter(|running| running.begin.mailbox == begin.mailbox);
        let running =
            running.filter(|running| matches!(running.begin.purpose, Purpose::Message { .. })).count();
        let messages_max = u64::from(self.config.messages_max);
        self.database.read(|connection| {
            let found = load_user(connection, "u.address = ?1", &begin.mailbox.as_str())?;
            let (row, user) = found.ok_or(Refusal::NoSuchUser)?;
            if matches!(begin.purpose, Purpose::Greeting { .. }) {
                return Ok(());
            }
            if !user.settings.enabled {
                return Err(Refusal::Disabled.into());
            }
            // REL-10: said before the tone, so what is running is counted as if it were here.
            if kept_messages(connection, row)? + running as u64 >= messages_max {
                return Err(Refusal::MailboxFull.into());
            }
            Ok(())
        })?;
        if self.recordings.len() >= RECORDINGS_MAX {
            return Err(StoreError::Overloaded.into());
        }
        if !self.has_room()? {
            return Err(StoreError::DiskFull.into());
        }
        self.start_spooling(cleaned(begin))
    }

    /// The part of [`finish`](Recordings::finish) that concerns the file. Nothing is said of it yet.
    pub(crate) fn seal_for(&mut self, finish: &Finish) -> Result<(), StoreError> {
        let Some(running) = self.recordings.get(&finish.id) else { return Ok(()) };
        let format = running.begin.format;
        let keep = finish.keep.map_or(RECORDING_BYTES_MAX, |duration| format.bytes(duration));
        Ok(self.seal(finish.id, keep)?)
    }

    /// The part of [`finish`](Recordings::finish) that concerns the rows.
    pub(crate) fn commit_finish(&mut self, finish: &Finish) -> Result<Saved, StoreError> {
        Ok(self.commit(|store| {
            let Some(running) = store.recordings.get(&finish.id) else {
                // REL-04: it was saved before, and the answer got lost.
                let known = store.database.read(|connection| find_message(connection, finish.id))?;
                let known = known.ok_or(Refusal::NoSuchRecording(finish.id))?;
                return Ok(Saved::Message(Box::new(known)));
            };
            let checksum = running.sealed.ok_or(StoreError::Disk)?;
            let begin = running.begin.clone();
            let sealed = Sealed { name: running.name.clone(), bytes: running.bytes, checksum };
            let mail = store.config.mail;
            let (saved, replaced) = store.database.write(|connection| {
                forget_row(connection, begin.id)?;
                match &begin.purpose {
                    Purpose::Message { .. } => {
                        let keeping =
                            Keeping { importance: finish.importance, incomplete: false, at: finish.at, mail };
                        let number = insert_message(connection, &begin, &sealed, &keeping)?;
                        let message = envelope(&begin, finish.importance, number, sealed.bytes);
                        Ok((Saved::Message(Box::new(message)), None))
                    }
                    Purpose::Greeting { kind, author } => {
                        let row = user_row(connection, &begin.mailbox)?;
                        let replaced =
                            put_greeting(connection, row, *kind, begin.format, &sealed, finish.at)?;
                        let change = greeting_change(*kind, false, author);
                        note_greeting(connection, mail, &begin.mailbox, &change, finish.at)?;
                        let duration = begin.format.duration(sealed.bytes);
                        let saved = Saved::Greeting { mailbox: begin.mailbox.clone(), kind: *kind, duration };
                        Ok((saved, replaced))
                    }
                }
            })?;
            store.aftermath.push(Aftermath::Forget(finish.id));
            store.aftermath.extend(replaced.map(Aftermath::Remove));
            Ok(saved)
        })?)
    }
}

/// A file whose audio is safe.
pub(crate) struct Sealed {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) checksum: [u8; 32],
}

/// The same start with texts that are fit to store.
fn cleaned(begin: &Begin) -> Begin {
    let mut begin = begin.clone();
    if let Purpose::Message { caller, subject, .. } = &mut begin.purpose {
        *caller = caller.clean();
        *subject = clean_text(subject);
    }
    begin
}

fn kept_messages(connection: &Connection, row: UserRow) -> Outcome<u64> {
    let sql = "SELECT count(*) FROM message INDEXED BY message_changes WHERE user = ?1 AND deleted IS NULL";
    let kept: i64 = connection.prepare_cached(sql)?.query_row([row], |row| row.get(0))?;
    Ok(crate::rows::count(kept))
}

pub(crate) fn forget_row(connection: &Connection, id: MessageId) -> Outcome<()> {
    connection.prepare_cached("DELETE FROM recording WHERE id = ?1")?.execute([Id(id)])?;
    Ok(())
}

/// How a message is kept.
pub(crate) struct Keeping {
    pub(crate) importance: Importance,
    /// The end is missing (REL-02).
    pub(crate) incomplete: bool,
    /// When it is kept.
    pub(crate) at: UnixTime,
    /// Whether owners get mails.
    pub(crate) mail: bool,
}

/// The row of a new message, and its mail; gives its number.
pub(crate) fn insert_message(
    connection: &Connection,
    begin: &Begin,
    sealed: &Sealed,
    keeping: &Keeping,
) -> Outcome<u64> {
    let Purpose::Message { caller, subject, .. } = &begin.purpose else {
        return Err(Refusal::NoSuchRecording(begin.id).into());
    };
    // REL-08: the number is taken from the mailbox, so that it is never used again.
    let sql = "UPDATE user SET last_number = last_number + 1 WHERE address = ?1 RETURNING id, last_number";
    let mut statement = connection.prepare_cached(sql)?;
    let taken = statement.query_row([begin.mailbox.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
    let (user, number): (i64, i64) = taken.optional()?.ok_or(Refusal::NoSuchUser)?;
    let sql = "INSERT INTO message (user, number, id, caller, caller_name, caller_verified, subject, \
               importance, received, incomplete, format, bytes, call_id, file, checksum) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    connection.prepare_cached(sql)?.execute(params![
        user,
        number,
        Id(begin.id),
        caller.id,
        caller.name,
        caller.verified,
        subject,
        keeping.importance.as_str(),
        Time(begin.at),
        keeping.incomplete,
        begin.format.as_str(),
        integer(sealed.bytes),
        begin.call_id,
        sealed.name,
        sealed.checksum,
    ])?;
    queue_message(connection, keeping.mail, UserRow(user), begin.id, keeping.at)?;
    Ok(crate::rows::count(number))
}

fn envelope(begin: &Begin, importance: Importance, number: u64, bytes: u64) -> VoiceMessage {
    let (caller, subject) = match &begin.purpose {
        Purpose::Message { caller, subject, .. } => (caller.clone(), subject.clone()),
        Purpose::Greeting { .. } => Default::default(),
    };
    let deleted: Option<UnixTime> = None;
    VoiceMessage {
        id: begin.id,
        mailbox: begin.mailbox.clone(),
        number,
        caller,
        subject,
        importance,
        received: begin.at,
        duration: begin.format.duration(bytes),
        state: umbel_store::MessageState::New,
        deleted,
        incomplete: false,
        damaged: false,
        format: begin.format,
        bytes,
        call_id: begin.call_id.clone(),
    }
}
