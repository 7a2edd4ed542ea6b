//! PINs and passwords. Each operation has three parts: what is read, what costs Argon2 and needs no
//! store, and what is written; so that the middle can be done on other threads (DEC-43).

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use umbel_store::{
    Account, Address, Attempt, AuditRecord, Author, CALLER_FAILURES_MAX, CALLER_WINDOW, CallerFailures,
    DigestHashes, Door, EntryRefusal, Event, FAILURES_FOR_GOOD, Invalid, LIST_MAX, LockOut, LockedUser,
    NewPin, PINS_REMEMBERED, Password, Pin, PinSet, Refusal, SecretChange, Secrets, SecretsMark, StoreError,
    User, UserEntry, Verdict, WeakPin,
};
use umbel_time::UnixTime;
use zeroize::Zeroizing;

use crate::fault::Outcome;
use crate::hash_work::{Before, EntryHashes, EntryWork, Mode, Work};
use crate::hashing::{Cost, Hashed};
use crate::outbox::{queue_pin, queue_secret};
use crate::records::{insert_audit, write_audit};
use crate::rows::{Time, UserRow, address, count, find_user_row, integer, load_user, user_row};
use crate::store::SqliteStore;
use crate::users::{put_settings, single};

impl Secrets for SqliteStore {
    fn check_pin(&mut self, attempt: &Attempt<Pin>) -> Result<Verdict, StoreError> {
        let work = self.prepare_check(Door::Telephone, &attempt.mailbox, attempt.secret.reveal())?;
        let matched = work.run(&self.hasher).matched();
        self.settle_check(Door::Telephone, attempt, matched)
    }

    fn check_password(&mut self, attempt: &Attempt<Password>) -> Result<Verdict, StoreError> {
        let work = self.prepare_check(Door::Web, &attempt.mailbox, attempt.secret.reveal())?;
        let matched = work.run(&self.hasher).matched();
        self.settle_check(Door::Web, attempt, matched)
    }

    fn find_account(&mut self, address: &Address, at: UnixTime) -> Result<Option<Account>, StoreError> {
        Ok(self.database.read(|connection| {
            let Some((row, user)) = load_user(connection, "u.address = ?1", &address.as_str())? else {
                return Ok(None);
            };
            let locked = load_lock_out(connection, row, Door::Web)?.lock(at);
            Ok(Some(Account { user, secrets: secrets_mark(connection, row)?, locked }))
        })?)
    }

    fn set_pin(
        &mut self,
        address: &Address,
        pin: &NewPin,
        author: &Author,
        at: UnixTime,
    ) -> Result<PinSet, StoreError> {
        let entry = UserEntry { pin: Some(pin.clone()), ..UserEntry::new(address.clone()) };
        self.put(std::slice::from_ref(&entry), Mode::Secrets, author, at)
            .map(crate::users::only)
            .map_err(single)
    }

    fn set_password(
        &mut self,
        address: &Address,
        password: &Password,
        author: &Author,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let entry = UserEntry { password: Some(password.clone()), ..UserEntry::new(address.clone()) };
        self.put(std::slice::from_ref(&entry), Mode::Secrets, author, at).map(|_| ()).map_err(single)
    }

    fn unlock(&mut self, address: &Address, author: &Author, at: UnixTime) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| {
            let row = user_row(connection, address)?;
            connection.prepare_cached("DELETE FROM lock_out WHERE user = ?1")?.execute([row])?;
            write_audit(connection, address, author, &Event::Unlocked, at)
        })?)
    }

    fn locked_users(
        &mut self,
        first: &Address,
        last: &Address,
        at: UnixTime,
    ) -> Result<Vec<LockedUser>, StoreError> {
        Ok(self.database.read(|connection| load_locked_users(connection, first, last, at))?)
    }
}

impl SqliteStore {
    /// What has to be compared for an attempt.
    pub(crate) fn prepare_check(
        &mut self,
        door: Door,
        mailbox: &Address,
        secret: &str,
    ) -> Result<Work, StoreError> {
        let stored = self.database.read(|connection| match find_user_row(connection, mailbox)? {
            Some(row) => present_secret(connection, door, row),
            None => Ok(None),
        })?;
        Ok(Work::Check { secret: Zeroizing::new(secret.to_owned()), stored })
    }

    /// Decides an attempt. The locks are looked at before the secret, and all in one transaction, so
    /// that no number of guesses at once gets more than its due (SEC-85).
    pub(crate) fn settle_check<S>(
        &mut self,
        door: Door,
        attempt: &Attempt<S>,
        matched: Option<i64>,
    ) -> Result<Verdict, StoreError> {
        let lock_after = self.config.pin.lock_after;
        Ok(self.database.write(|connection| {
            let (verdict, event) = judge(connection, door, attempt, matched, lock_after)?;
            if matches!(verdict, Verdict::Wrong { .. }) {
                let sql = "INSERT INTO caller_failure (caller, at) VALUES (?1, ?2)";
                connection.prepare_cached(sql)?.execute(params![attempt.caller, Time(attempt.at)])?;
            }
            insert_audit(
                connection,
                &AuditRecord {
                    at: attempt.at,
                    mailbox: attempt.mailbox.clone(),
                    call_id: attempt.call_id.clone(),
                    door: Some(door),
                    author: None,
                    event,
                },
            )?;
            Ok(verdict)
        })?)
    }

    /// What has to be hashed for these entries; generated PINs are made here.
    pub(crate) fn prepare_entries(
        &mut self,
        entries: &[UserEntry],
        mode: Mode,
    ) -> Result<Vec<EntryWork>, StoreError> {
        let mut works = Vec::with_capacity(entries.len());
        for entry in entries {
            let (known, before) = self.database.read(|connection| {
                let known = load_user(connection, "u.address = ?1", &entry.address.as_str())?;
                let before = match &known {
                    Some((row, _)) if entry.pin.is_some() => last_pins(connection, *row)?,
                    _ => Vec::new(),
                };
                Ok((known.map(|(_, user)| user), before))
            })?;
            // SEC-89: no mailbox without a PIN.
            let add = known.is_none() && !mode.is_secrets();
            let pin = entry.pin.clone().or_else(|| add.then_some(NewPin::Generate));
            let pin = pin.map(|pin| {
                let (pin, generated) = match pin {
                    NewPin::Own(pin) => (pin, false),
                    NewPin::Generate => {
                        let extension = extension_after(entry, known.as_ref());
                        (self.config.pin.generate(&mut self.rng, extension.as_deref()), true)
                    }
                };
                (pin, generated, self.random(), before)
            });
            let password = entry.password.clone().map(|password| (password, self.random()));
            works.push(EntryWork { pin, password });
        }
        Ok(works)
    }

    /// Writes entries, all or none.
    pub(crate) fn settle_entries(
        &mut self,
        entries: &[UserEntry],
        mode: Mode,
        hashes: &[EntryHashes],
        author: &Author,
        at: UnixTime,
    ) -> Result<Vec<PinSet>, StoreError> {
        let policy = self.config.pin;
        let nonces: Vec<[u8; 12]> = entries.iter().map(|_| self.random()).collect();
        let pin_nonce = self.random();
        let (seal, pin_seal, mail) = (&self.seal, &self.pin_seal, self.config.mail);
        Ok(self.database.write(|connection| {
            let (mut sets, mut seen) = (Vec::with_capacity(entries.len()), BTreeSet::new());
            for (index, ((entry, hashes), nonce)) in entries.iter().zip(hashes).zip(nonces).enumerate() {
                let refused = |refusal| Refusal::Entry { entry: index, refusal };
                if !seen.insert(&entry.address) {
                    return Err(refused(EntryRefusal::Invalid(Invalid::Twice)).into());
                }
                let (row, settings, new) = put_settings(connection, entry, mode, at)?.map_err(refused)?;
                let event = if new { Event::UserAdded } else { Event::UserChanged };
                if !mode.is_secrets() {
                    write_audit(connection, &entry.address, author, &event, at)?;
                }
                let mut set = PinSet { address: entry.address.clone(), generated: None };
                // The same row twice says the same twice: a PIN that is there already is no change.
                let unchanged = |before: &Before| mode == Mode::Put && *before == Before::Present;
                let tell = |door| {
                    let change = SecretChange { door, author: author.clone() };
                    match mode {
                        Mode::Secrets => queue_secret(connection, mail, row, &change, at),
                        // Lists and new users are an administrator's; a PIN that is mailed tells of itself.
                        Mode::Add | Mode::Put | Mode::Mailed => Ok(()),
                    }
                };
                let pin = hashes.pin.as_ref().filter(|(_, _, before, _)| !unchanged(before));
                if let Some((pin, generated, before, hashed)) = pin {
                    if !generated {
                        let judged = policy.judge(pin, settings.extension.as_deref());
                        let fresh = *before == Before::Never;
                        let judged = judged.and(if fresh { Ok(()) } else { Err(WeakPin::UsedBefore) });
                        judged.map_err(|weak| refused(EntryRefusal::WeakPin(weak)))?;
                    }
                    insert_pin(connection, row, hashed, *generated)?;
                    set.generated = (*generated && mode != Mode::Mailed).then(|| pin.clone());
                    let event = Event::PinChanged { generated: *generated };
                    write_audit(connection, &entry.address, author, &event, at)?;
                    tell(Door::Telephone)?;
                    if mode == Mode::Mailed {
                        let sealed = pin_seal.close(pin, &entry.address, pin_nonce);
                        queue_pin(connection, mail, &entry.address, &sealed, at)?;
                    }
                }
                if let (Some(password), Some(hashed)) = (&entry.password, &hashes.password) {
                    let digest = DigestHashes::new(&entry.address, password);
                    let sealed = seal.close(&digest, &entry.address, nonce);
                    insert_password(connection, row, hashed, &sealed)?;
                    write_audit(connection, &entry.address, author, &Event::PasswordChanged, at)?;
                    tell(Door::Web)?;
                }
                sets.push(set);
            }
            Ok(sets)
        })?)
    }
}

/// The extension that a user will have when the entry is written, for the PIN that must not contain it.
fn extension_after(entry: &UserEntry, known: Option<&User>) -> Option<String> {
    let settings = known.map(|user| user.settings.clone());
    let mut settings = settings.unwrap_or_else(|| umbel_store::Settings::new(entry.address.clone()));
    for change in &entry.changes {
        // One that is refused here is refused for good when the entry is written.
        let _ = change.apply(&mut settings);
    }
    settings.extension
}

fn judge<S>(
    connection: &Connection,
    door: Door,
    attempt: &Attempt<S>,
    matched: Option<i64>,
    lock_after: u32,
) -> Outcome<(Verdict, Event)> {
    let now = attempt.at;
    if let Some(until) = caller_failures(connection, &attempt.caller, now)?.locked_until(now) {
        return Ok((Verdict::CallerLocked { until }, Event::SignInRefused));
    }
    let user = load_user(connection, "u.address = ?1", &attempt.mailbox.as_str())?;
    let Some((row, user)) = user.filter(|(_, user)| user.settings.enabled) else {
        return Ok((Verdict::Wrong { locked: None }, Event::SignInFailed { failures: 0, locked: false }));
    };
    let lock_out = load_lock_out(connection, row, door)?;
    if let Some(lock) = lock_out.lock(now) {
        return Ok((Verdict::Locked(lock), Event::SignInRefused));
    }
    // The secret may have been changed while the old one was being compared.
    let present = present_secret(connection, door, row)?.map(|(secret, _)| secret);
    if matched.is_some() && matched == present {
        if lock_out != LockOut::default() {
            save_lock_out(connection, row, door, LockOut::default())?;
        }
        let must_change = door == Door::Telephone && user.pin == umbel_store::PinState::Generated;
        return Ok((Verdict::Right { must_change }, Event::SignedIn));
    }
    let lock_out = lock_out.failed(lock_after, now);
    save_lock_out(connection, row, door, lock_out)?;
    let locked = lock_out.lock(now);
    Ok((
        Verdict::Wrong { locked },
        Event::SignInFailed { failures: lock_out.failures, locked: locked.is_some() },
    ))
}

fn caller_failures(connection: &Connection, caller: &str, now: UnixTime) -> Outcome<CallerFailures> {
    let sql = "SELECT at FROM caller_failure WHERE caller = ?1 AND at > ?2 ORDER BY at DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(CALLER_FAILURES_MAX).unwrap_or(i64::MAX);
    let times = statement.query_map(params![caller, Time(now - CALLER_WINDOW), limit], |row| row.get(0))?;
    let times = times.map(|time| time.map(|Time(at)| at)).collect::<Result<Vec<_>, _>>()?;
    Ok(CallerFailures::new(times))
}

fn load_lock_out(connection: &Connection, row: UserRow, door: Door) -> Outcome<LockOut> {
    let sql = "SELECT failures, until FROM lock_out WHERE user = ?1 AND door = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![row, door.as_str()], |row| {
        let until = row.get::<_, Option<Time>>(1)?.map(|time| time.0);
        Ok(LockOut { failures: row.get(0)?, until })
    });
    Ok(found.optional()?.unwrap_or_default())
}

fn load_locked_users(
    connection: &Connection,
    first: &Address,
    last: &Address,
    at: UnixTime,
) -> Outcome<Vec<LockedUser>> {
    let sql = "SELECT u.address, l.door, l.failures, l.until FROM user u JOIN lock_out l ON l.user = u.id \
               WHERE u.address BETWEEN ?1 AND ?2 AND (l.failures >= ?3 OR l.until > ?4) \
               ORDER BY u.address LIMIT ?5";
    let rows_max = integer(2 * LIST_MAX as u64);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows =
        statement.query(params![first.as_str(), last.as_str(), FAILURES_FOR_GOOD, Time(at), rows_max])?;
    let mut locked: Vec<LockedUser> = Vec::new();
    while let Some(row) = rows.next()? {
        let whose = address(&row.get::<_, String>(0)?)?;
        let until = row.get::<_, Option<Time>>(3)?.map(|time| time.0);
        let lock = LockOut { failures: row.get(2)?, until }.lock(at);
        if locked.last().is_none_or(|user| user.address != whose) {
            locked.push(LockedUser { address: whose, telephone: None, web: None });
        }
        let Some(user) = locked.last_mut() else { continue };
        match row.get::<_, String>(1)?.as_str() {
            door if door == Door::Telephone.as_str() => user.telephone = lock,
            _ => user.web = lock,
        }
    }
    locked.truncate(LIST_MAX);
    Ok(locked)
}

fn save_lock_out(connection: &Connection, row: UserRow, door: Door, lock_out: LockOut) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO lock_out (user, door, failures, until) VALUES (?1, ?2, ?3, ?4)";
    let until = lock_out.until.map(Time);
    connection.prepare_cached(sql)?.execute(params![row, door.as_str(), lock_out.failures, until])?;
    Ok(())
}

/// The row and the hash of the secret that opens this door.
fn present_secret(connection: &Connection, door: Door, row: UserRow) -> Outcome<Option<(i64, Hashed)>> {
    let sql = match door {
        Door::Telephone => {
            "SELECT id, salt, hash, memory_kib, passes FROM pin WHERE user = ?1 ORDER BY id DESC LIMIT 1"
        }
        Door::Web => "SELECT id, salt, hash, memory_kib, passes FROM password WHERE user = ?1",
    };
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([row], |row| Ok((row.get(0)?, read_hashed(row, 1)?))).optional()?)
}

/// Rows of secrets are replaced, and their numbers not used again.
fn secrets_mark(connection: &Connection, row: UserRow) -> Outcome<SecretsMark> {
    let sql = "SELECT (SELECT max(id) FROM pin WHERE user = ?1), (SELECT id FROM password WHERE user = ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    let number = |row: &Row<'_>, index| row.get::<_, Option<i64>>(index).map(|id| count(id.unwrap_or(0)));
    Ok(statement
        .query_row([row], |row| Ok(SecretsMark { pin: number(row, 0)?, password: number(row, 1)? }))?)
}

fn last_pins(connection: &Connection, row: UserRow) -> Outcome<Vec<Hashed>> {
    let sql = "SELECT salt, hash, memory_kib, passes FROM pin WHERE user = ?1 ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let pins = statement.query_map([row], |row| read_hashed(row, 0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(pins)
}

fn read_hashed(row: &Row<'_>, first: usize) -> rusqlite::Result<Hashed> {
    let cost = Cost { memory_kib: row.get(first + 2)?, passes: row.get(first + 3)? };
    Ok(Hashed { salt: row.get(first)?, hash: row.get(first + 1)?, cost })
}

/// Sets the PIN, forgets those too old to be remembered, and opens the door.
fn insert_pin(connection: &Connection, row: UserRow, hashed: &Hashed, generated: bool) -> Outcome<()> {
    let sql =
        "INSERT INTO pin (user, salt, hash, memory_kib, passes, generated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Hashed { salt, hash, cost } = hashed;
    let values = params![row, salt, hash, cost.memory_kib, cost.passes, generated];
    connection.prepare_cached(sql)?.execute(values)?;
    let sql = "DELETE FROM pin WHERE user = ?1 AND id NOT IN \
               (SELECT id FROM pin WHERE user = ?1 ORDER BY id DESC LIMIT ?2)";
    let remembered = i64::try_from(PINS_REMEMBERED).unwrap_or(i64::MAX);
    connection.prepare_cached(sql)?.execute(params![row, remembered])?;
    open_door(connection, row, Door::Telephone)
}

fn insert_password(connection: &Connection, row: UserRow, hashed: &Hashed, sealed: &[u8]) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO password (user, salt, hash, memory_kib, passes, digest) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Hashed { salt, hash, cost } = hashed;
    let values = params![row, salt, hash, cost.memory_kib, cost.passes, sealed];
    connection.prepare_cached(sql)?.execute(values)?;
    open_door(connection, row, Door::Web)
}

fn open_door(connection: &Connection, row: UserRow, door: Door) -> Outcome<()> {
    let sql = "DELETE FROM lock_out WHERE user = ?1 AND door = ?2";
    connection.prepare_cached(sql)?.execute(params![row, door.as_str()])?;
    Ok(())
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
