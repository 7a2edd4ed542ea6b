//! Users, in SQL.

use rusqlite::{Connection, OptionalExtension, params};
use umbel_store::{
    Address, Author, DigestHashes, Directory, EntryRefusal, Event, Invalid, LIST_MAX, Lookup, PinSet,
    Refusal, Role, Settings, StoreError, User, UserChange, UserEntry,
};
use umbel_time::UnixTime;

use crate::fault::{Fault, Outcome};
use crate::hash_work::{Mode, Work};
use crate::records::write_audit;
use crate::rows::{Time, UserRow, load_user, load_users, to_json, user_row};
use crate::store::{Aftermath, SqliteStore};

impl Directory for SqliteStore {
    fn add_user(&mut self, entry: &UserEntry, author: &Author, at: UnixTime) -> Result<PinSet, StoreError> {
        self.put(std::slice::from_ref(entry), Mode::Add, author, at).map(only).map_err(single)
    }

    fn put_users(
        &mut self,
        entries: &[UserEntry],
        author: &Author,
        at: UnixTime,
    ) -> Result<Vec<PinSet>, StoreError> {
        self.put(entries, Mode::Put, author, at)
    }

    fn change_user(
        &mut self,
        address: &Address,
        changes: &[UserChange],
        author: &Author,
        at: UnixTime,
    ) -> Result<User, StoreError> {
        Ok(self.database.write(|connection| {
            let found = load_user(connection, "u.address = ?1", &address.as_str())?;
            let (row, mut user) = found.ok_or(Refusal::NoSuchUser)?;
            for change in changes {
                change.apply(&mut user.settings).map_err(Refusal::Invalid)?;
            }
            check_taken(connection, row, &user.settings)?.map_err(Refusal::Invalid)?;
            update_settings(connection, row, &user.settings)?;
            write_audit(connection, address, author, &Event::UserChanged, at)?;
            Ok(user)
        })?)
    }

    fn remove_user(&mut self, address: &Address, author: &Author, at: UnixTime) -> Result<(), StoreError> {
        Ok(self.commit(|store| {
            let files = store.database.write(|connection| {
                let row = user_row(connection, address)?;
                let sql = "SELECT file FROM message WHERE user = ?1 \
                           UNION ALL SELECT file FROM greeting WHERE user = ?1";
                let mut statement = connection.prepare_cached(sql)?;
                let files = statement.query_map([row], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
                connection.prepare_cached("DELETE FROM user WHERE id = ?1")?.execute([row])?;
                write_audit(connection, address, author, &Event::UserRemoved, at)?;
                Ok(files)
            })?;
            store.aftermath.extend(files.into_iter().map(Aftermath::Remove));
            let running = store.recordings.values().filter(|running| running.begin.mailbox == *address);
            let running: Vec<_> = running.map(|running| (running.begin.id, running.name.clone())).collect();
            for (id, name) in running {
                store.aftermath.extend([Aftermath::Forget(id), Aftermath::Remove(name)]);
            }
            Ok(())
        })?)
    }

    fn find_user(&mut self, lookup: &Lookup) -> Result<Option<User>, StoreError> {
        const BY_ALIAS: &str = "u.id = (SELECT user FROM alias WHERE name = ?1)";
        Ok(self.database.read(|connection| {
            let found = match lookup {
                Lookup::Address(address) => load_user(connection, "u.address = ?1", &address.as_str())?,
                Lookup::Alias(alias) => load_user(connection, BY_ALIAS, alias)?,
                Lookup::Extension(digits) => match load_user(connection, "u.extension = ?1", digits)? {
                    Some(found) => Some(found),
                    None => load_user(connection, BY_ALIAS, digits)?,
                },
            };
            Ok(found.map(|(_, user)| user))
        })?)
    }

    fn users(&mut self, after: Option<&Address>) -> Result<Vec<User>, StoreError> {
        let after = after.map_or("", Address::as_str);
        let users = self.database.read(|connection| load_users(connection, after, LIST_MAX))?;
        Ok(users.into_iter().map(|(_, user)| user).collect())
    }

    fn digest_hashes(&mut self, address: &Address) -> Result<Option<DigestHashes>, StoreError> {
        let sealed: Option<Vec<u8>> = self.database.read(|connection| {
            let sql = "SELECT p.digest FROM password p JOIN user u ON u.id = p.user WHERE u.address = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row([address.as_str()], |row| row.get(0)).optional()?)
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.seal.open(&sealed, address);
        Ok(Some(opened.ok_or(Fault::Nonsense("digest hashes that do not open with our key"))?))
    }

    fn user_changes(&mut self) -> Result<u64, StoreError> {
        let count: i64 = self.database.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT count FROM user_change")?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })?;
        Ok(u64::try_from(count).map_err(|_| Fault::Nonsense("a count of changes below zero"))?)
    }
}

impl SqliteStore {
    /// Adds or changes users, with the costly part done here and now.
    pub(crate) fn put(
        &mut self,
        entries: &[UserEntry],
        mode: Mode,
        author: &Author,
        at: UnixTime,
    ) -> Result<Vec<PinSet>, StoreError> {
        let work = Work::Entries(self.prepare_entries(entries, mode)?);
        let done = work.run(&self.hasher);
        self.settle_entries(entries, mode, done.entries(), author, at)
    }
}

/// The one PIN that one entry set.
pub(crate) fn only(sets: Vec<PinSet>) -> PinSet {
    sets.into_iter().next().expect("one entry gives one answer")
}

/// A refusal of the one entry, without its place in the list.
pub(crate) fn single(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused(Refusal::Entry { refusal, .. }) => StoreError::Refused(refusal.into()),
        other => other,
    }
}

/// Applies the changes of an entry and writes them; gives the row and whether the user is new.
pub(crate) fn put_settings(
    connection: &Connection,
    entry: &UserEntry,
    mode: Mode,
    at: UnixTime,
) -> Outcome<Result<(UserRow, Settings, bool), EntryRefusal>> {
    let known = load_user(connection, "u.address = ?1", &entry.address.as_str())?;
    match (mode, &known) {
        (Mode::Add, Some(_)) => return Err(Refusal::UserExists.into()),
        (Mode::Secrets | Mode::Mailed, None) => return Err(Refusal::NoSuchUser.into()),
        _ => {}
    }
    let new = known.is_none();
    let (row, mut settings) = match known {
        Some((row, user)) => (Some(row), user.settings),
        None => (None, Settings::new(entry.address.clone())),
    };
    for change in &entry.changes {
        if let Err(invalid) = change.apply(&mut settings) {
            return Ok(Err(EntryRefusal::Invalid(invalid)));
        }
    }
    if let Err(invalid) = check_taken(connection, row.unwrap_or(UserRow(-1)), &settings)? {
        return Ok(Err(EntryRefusal::Invalid(invalid)));
    }
    let row = match row {
        Some(row) => row,
        None => insert_user(connection, &settings, at)?,
    };
    if new || !entry.changes.is_empty() {
        update_settings(connection, row, &settings)?;
    }
    Ok(Ok((row, settings, new)))
}

/// Whether an extension or alias belongs to somebody else.
fn check_taken(connection: &Connection, owner: UserRow, settings: &Settings) -> Outcome<Result<(), Invalid>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM alias WHERE name = ?1 AND user <> ?2) \
               OR EXISTS (SELECT 1 FROM user WHERE extension = ?1 AND id <> ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    for name in settings.aliases.iter().chain(&settings.extension) {
        if statement.query_row(params![name, owner], |row| row.get(0))? {
            return Ok(Err(Invalid::Taken));
        }
    }
    Ok(Ok(()))
}

fn insert_user(connection: &Connection, settings: &Settings, at: UnixTime) -> Outcome<UserRow> {
    let sql = "INSERT INTO user (address, name, enabled, skip_pin, administrator, missed_call_notices, \
               routing, added) VALUES (?1, '', 1, 1, 0, 1, '{}', ?2)";
    connection.prepare_cached(sql)?.execute(params![settings.address.as_str(), Time(at)])?;
    Ok(UserRow(connection.last_insert_rowid()))
}

fn update_settings(connection: &Connection, row: UserRow, settings: &Settings) -> Outcome<()> {
    let sql = "UPDATE user SET extension = ?2, name = ?3, email = ?4, enabled = ?5, skip_pin = ?6, \
               language = ?7, time_zone = ?8, administrator = ?9, missed_call_notices = ?10, routing = ?11, \
               play_on_phone_dial_string = ?12, telephone_access_folder = ?13 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![
        row,
        settings.extension,
        settings.name,
        settings.email,
        settings.enabled,
        settings.skip_pin,
        settings.language,
        settings.time_zone,
        settings.role == Role::Administrator,
        settings.missed_call_notices,
        to_json(&settings.routing),
        settings.play_on_phone_dial_string,
        settings.telephone_access_folder,
    ])?;
    connection.prepare_cached("DELETE FROM alias WHERE user = ?1")?.execute([row])?;
    let mut insert = connection.prepare_cached("INSERT INTO alias (name, user) VALUES (?1, ?2)")?;
    for alias in &settings.aliases {
        insert.execute(params![alias, row])?;
    }
    Ok(())
}
