//! Items of a mailbox by the count of its changes. The counting itself is done by triggers (`0004.sql`).

use rusqlite::{Connection, Row, params};
use umbel_store::{
    Address, AudioFormat, Caller, GONE_ITEMS_MAX, GoneItem, Importance, Item, ItemChanges, ItemContent,
    LIST_MAX, MessageId, MessageState, MissedCall, MissedCallId, Refusal, VoiceMessage,
};

use crate::fault::Outcome;
use crate::rows::{Id, Time, UserRow, count, integer, user_row, word};
use crate::store::SqliteStore;

impl SqliteStore {
    pub(crate) fn list_items(&mut self, mailbox: &Address, after: u64) -> Outcome<ItemChanges> {
        self.database.read(|connection| {
            // One moment for all three lists, though another program may write.
            connection.prepare_cached("SAVEPOINT moment")?.execute([])?;
            let changes = list_changes(connection, mailbox, after);
            connection.prepare_cached("RELEASE moment")?.execute([])?;
            changes
        })
    }

    pub(crate) fn set_notice_seen(&mut self, mailbox: &Address, id: MessageId, seen: bool) -> Outcome<()> {
        self.database.write(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql = "UPDATE missed_call SET seen = ?3 WHERE item = ?1 AND user = ?2";
            let changed = connection.prepare_cached(sql)?.execute(params![Id(id), row, seen])?;
            if changed == 0 { Err(Refusal::NoSuchMessage(id).into()) } else { Ok(()) }
        })
    }

    pub(crate) fn delete_notice(&mut self, mailbox: &Address, id: MessageId) -> Outcome<()> {
        self.database.write(|connection| {
            let row = user_row(connection, mailbox)?;
            let sql = "DELETE FROM missed_call WHERE item = ?1 AND user = ?2";
            let removed = connection.prepare_cached(sql)?.execute(params![Id(id), row])?;
            if removed == 0 { Err(Refusal::NoSuchMessage(id).into()) } else { Ok(()) }
        })
    }
}

fn list_changes(connection: &Connection, mailbox: &Address, after: u64) -> Outcome<ItemChanges> {
    let user = user_row(connection, mailbox)?;
    let sql = "SELECT added, item_changes, items_forgotten FROM user WHERE id = ?1";
    let (since, latest, forgotten) = connection
        .prepare_cached(sql)?
        .query_row([user], |row| Ok((row.get::<_, Time>(0)?.0, count(row.get(1)?), count(row.get(2)?))))?;
    let mut items = messages(connection, user, mailbox, after)?;
    let notices = notices(connection, user, mailbox, after)?;
    if !notices.is_empty() {
        items.extend(notices);
        items.sort_unstable_by_key(|item| item.changed);
    }
    let gone = gone_items(connection, user, after)?;
    Ok(ItemChanges::new(since, items, gone, latest, forgotten))
}

fn messages(connection: &Connection, user: UserRow, mailbox: &Address, after: u64) -> Outcome<Vec<Item>> {
    let sql = "SELECT id, number, caller, caller_name, caller_verified, subject, importance, received, heard, \
               deleted, incomplete, damaged, format, bytes, call_id, entered, placed, changed FROM message \
               WHERE user = ?1 AND changed > ?2 ORDER BY changed LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![user, integer(after), integer(LIST_MAX as u64)])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read_item(row, mailbox)?);
    }
    Ok(items)
}

/// Reads a message, without a look at what all of them have in common: lists are long.
fn read_item(row: &Row<'_>, mailbox: &Address) -> Outcome<Item> {
    let known = |column: usize| row.get_ref(column).map(|value| value.as_str().unwrap_or_default());
    let (id, seen) = (row.get::<_, Id>(0)?.0, row.get(8)?);
    let deleted = row.get::<_, Option<Time>>(9)?.map(|time| time.0);
    let format = word(known(12)?, AudioFormat::from_word)?;
    let bytes = count(row.get(13)?);
    let message = VoiceMessage {
        id,
        mailbox: mailbox.clone(),
        number: count(row.get(1)?),
        caller: Caller { id: row.get(2)?, name: row.get(3)?, verified: row.get(4)? },
        subject: row.get(5)?,
        importance: word(known(6)?, Importance::from_word)?,
        received: row.get::<_, Time>(7)?.0,
        duration: format.duration(bytes),
        state: match (deleted, seen) {
            (Some(_), _) => MessageState::Deleted,
            (None, true) => MessageState::Old,
            (None, false) => MessageState::New,
        },
        deleted,
        incomplete: row.get(10)?,
        damaged: row.get(11)?,
        format,
        bytes,
        call_id: row.get(14)?,
    };
    let (entered, placed, changed) = (count(row.get(15)?), count(row.get(16)?), count(row.get(17)?));
    Ok(Item { id, content: ItemContent::Message(message), seen, entered, placed, changed })
}

fn notices(connection: &Connection, user: UserRow, mailbox: &Address, after: u64) -> Outcome<Vec<Item>> {
    let sql = "SELECT item, id, caller, caller_name, caller_verified, subject, at, call_id, seen, entered, changed \
               FROM missed_call WHERE user = ?1 AND changed > ?2 ORDER BY changed LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let items = statement.query_map(params![user, integer(after), integer(LIST_MAX as u64)], |row| {
        let notice = MissedCall {
            id: MissedCallId(count(row.get(1)?)),
            mailbox: mailbox.clone(),
            caller: Caller { id: row.get(2)?, name: row.get(3)?, verified: row.get(4)? },
            subject: row.get(5)?,
            at: row.get::<_, Time>(6)?.0,
            call_id: row.get(7)?,
        };
        let entered = count(row.get(9)?);
        Ok(Item {
            id: row.get::<_, Id>(0)?.0,
            content: ItemContent::MissedCall(notice),
            seen: row.get(8)?,
            entered,
            placed: entered,
            changed: count(row.get(10)?),
        })
    })?;
    Ok(items.collect::<Result<Vec<_>, _>>()?)
}

fn gone_items(connection: &Connection, user: UserRow, after: u64) -> Outcome<Vec<GoneItem>> {
    let sql = "SELECT id, entered, changed FROM gone_item WHERE user = ?1 AND changed > ?2 \
               ORDER BY changed LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let gone = statement.query_map(params![user, integer(after), integer(LIST_MAX as u64)], |row| {
        Ok(GoneItem { id: row.get::<_, Id>(0)?.0, entered: count(row.get(1)?), changed: count(row.get(2)?) })
    })?;
    Ok(gone.collect::<Result<Vec<_>, _>>()?)
}

/// Forgets the oldest items that are gone, where a mailbox has more of them than are remembered.
pub(crate) fn forget_gone_items(connection: &Connection) -> Outcome<()> {
    let most = integer(GONE_ITEMS_MAX as u64);
    connection
        .prepare_cached(
            "UPDATE user SET items_forgotten = (SELECT changed FROM gone_item WHERE user = user.id \
             ORDER BY changed DESC LIMIT 1 OFFSET ?1) \
             WHERE id IN (SELECT user FROM gone_item GROUP BY user HAVING count(*) > ?1)",
        )?
        .execute([most])?;
    connection
        .prepare_cached(
            "DELETE FROM gone_item WHERE changed <= (SELECT items_forgotten FROM user WHERE id = gone_item.user)",
        )?
        .execute([])?;
    Ok(())
}
