//! Rows and values: each way, in one place.

use std::collections::BTreeSet;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use umbel_store::{
    ActiveGreeting, Address, AudioFormat, Caller, Importance, MessageId, MessageState, PinState, Refusal,
    Role, Settings, User, VoiceMessage,
};
use umbel_time::UnixTime;

use crate::fault::{Fault, Outcome};

/// A time, as a column.
#[derive(Clone, Copy)]
pub(crate) struct Time(pub(crate) UnixTime);

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_millis().into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|millis| Time(UnixTime::from_millis(millis)))
    }
}

/// A message id, as a column.
#[derive(Clone, Copy)]
pub(crate) struct Id(pub(crate) MessageId);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_bytes().as_slice().into())
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = <[u8; 16]>::try_from(value.as_blob()?).map_err(|_| FromSqlError::InvalidType)?;
        Ok(Id(MessageId::from_bytes(bytes)))
    }
}

/// A size or count, as a column. SQLite counts in 63 bits; no size of ours comes near.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A size or count, from a column; what is below zero was never written and reads as none.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A word of ours, from a column.
pub(crate) fn word<T>(found: &str, read: impl Fn(&str) -> Option<T>) -> Outcome<T> {
    read(found).ok_or(Fault::Nonsense("a word that is none of ours"))
}

/// A value kept as JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|_| Fault::Nonsense("JSON of another form"))
}

/// A value to keep as JSON.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types have only strings for keys")
}

pub(crate) fn address(text: &str) -> Outcome<Address> {
    text.parse().map_err(|_| Fault::Nonsense("an address of another form"))
}

/// The number of a user's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UserRow(pub(crate) i64);

impl ToSql for UserRow {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

/// The row of a user, or a refusal.
pub(crate) fn user_row(connection: &Connection, address: &Address) -> Outcome<UserRow> {
    find_user_row(connection, address)?.ok_or_else(|| Refusal::NoSuchUser.into())
}

/// The row of a user, if there is one.
pub(crate) fn find_user_row(connection: &Connection, address: &Address) -> Outcome<Option<UserRow>> {
    let mut statement = connection.prepare_cached("SELECT id FROM user WHERE address = ?1")?;
    Ok(statement.query_row([address.as_str()], |row| row.get(0)).optional()?.map(UserRow))
}

const USER_COLUMNS: &str = "u.id, u.address, u.extension, u.name, u.email, u.enabled, u.skip_pin, u.language, \
    u.time_zone, u.administrator, u.missed_call_notices, u.routing, u.away, u.added, \
    (SELECT generated FROM pin WHERE user = u.id ORDER BY id DESC LIMIT 1), \
    EXISTS (SELECT 1 FROM password WHERE user = u.id), \
    (SELECT json_group_array(name) FROM alias WHERE user = u.id), \
    u.play_on_phone_dial_string, u.telephone_access_folder";

/// A user by one of the columns or aliases; `condition` is one of our own texts.
pub(crate) fn load_user(
    connection: &Connection,
    condition: &'static str,
    value: &dyn ToSql,
) -> Outcome<Option<(UserRow, User)>> {
    let sql = format!("SELECT {USER_COLUMNS} FROM user u WHERE {condition}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![value])?;
    rows.next()?.map(read_user).transpose()
}

/// Users by address, from the one after `after`.
pub(crate) fn load_users(
    connection: &Connection,
    after: &str,
    limit: usize,
) -> Outcome<Vec<(UserRow, User)>> {
    let sql = format!("SELECT {USER_COLUMNS} FROM user u WHERE u.address > ?1 ORDER BY u.address LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after, integer(limit as u64)])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        users.push(read_user(row)?);
    }
    Ok(users)
}

fn read_user(row: &Row<'_>) -> Outcome<(UserRow, User)> {
    let text = |index: usize| row.get::<_, Option<String>>(index);
    let aliases: BTreeSet<String> = from_json(&row.get::<_, String>(16)?)?;
    let settings = Settings {
        address: address(&row.get::<_, String>(1)?)?,
        extension: text(2)?,
        aliases,
        name: row.get(3)?,
        email: text(4)?,
        enabled: row.get(5)?,
        skip_pin: row.get(6)?,
        language: text(7)?,
        time_zone: text(8)?,
        role: if row.get(9)? { Role::Administrator } else { Role::User },
        missed_call_notices: row.get(10)?,
        play_on_phone_dial_string: text(17)?,
        telephone_access_folder: text(18)?,
        routing: from_json(&row.get::<_, String>(11)?)?,
    };
    let greeting = if row.get(12)? { ActiveGreeting::OutOfOffice } else { ActiveGreeting::Standard };
    // A user without a PIN cannot be made; if one is found, nothing fits until it is reset.
    let generated = row.get::<_, Option<bool>>(14)?.unwrap_or(true);
    let pin = if generated { PinState::Generated } else { PinState::Own };
    let (added, has_password) = (row.get::<_, Time>(13)?.0, row.get(15)?);
    Ok((UserRow(row.get(0)?), User { settings, pin, has_password, greeting, added }))
}

/// Columns of a message, to be read by [`read_message`].
pub(crate) const MESSAGE_COLUMNS: &str = "m.id, u.address, m.number, m.caller, m.caller_name, \
    m.caller_verified, m.subject, m.importance, m.received, m.heard, m.deleted, m.incomplete, m.damaged, \
    m.format, m.bytes, m.call_id";

pub(crate) fn read_message(row: &Row<'_>) -> Outcome<VoiceMessage> {
    let format = word(&row.get::<_, String>(13)?, AudioFormat::from_word)?;
    let bytes = count(row.get(14)?);
    let deleted = row.get::<_, Option<Time>>(10)?.map(|time| time.0);
    let state = match (deleted, row.get(9)?) {
        (Some(_), _) => MessageState::Deleted,
        (None, true) => MessageState::Old,
        (None, false) => MessageState::New,
    };
    Ok(VoiceMessage {
        id: row.get::<_, Id>(0)?.0,
        mailbox: address(&row.get::<_, String>(1)?)?,
        number: count(row.get(2)?),
        caller: Caller { id: row.get(3)?, name: row.get(4)?, verified: row.get(5)? },
        subject: row.get(6)?,
        importance: word(&row.get::<_, String>(7)?, Importance::from_word)?,
        received: row.get::<_, Time>(8)?.0,
        duration: format.duration(bytes),
        state,
        deleted,
        incomplete: row.get(11)?,
        damaged: row.get(12)?,
        format,
        bytes,
        call_id: row.get(15)?,
    })
}
