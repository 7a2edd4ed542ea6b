//! The schema, and how an older one becomes the present one (REL-20).

use rusqlite::{Connection, TransactionBehavior};
use umbel_store::StoreError;

use crate::fault::{Fault, Outcome};
use crate::open::OpenError;

/// Each step leads from the version of its place to the next. Steps are added, never changed.
const STEPS: [&str; 9] = [
    include_str!("0001.sql"),
    include_str!("0002.sql"),
    include_str!("0003.sql"),
    include_str!("0004.sql"),
    include_str!("0005.sql"),
    include_str!("0006.sql"),
    include_str!("0007.sql"),
    include_str!("0008.sql"),
    include_str!("0009.sql"),
];

/// Brings the schema up to date where that is allowed; refuses a newer one in any case.
pub(crate) fn check(connection: &mut Connection, migrate: bool) -> Result<(), OpenError> {
    let found = version(connection).map_err(|fault| OpenError::Store(fault.into()))?;
    let known = STEPS.len();
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    if found == known {
        return Ok(());
    }
    if !migrate {
        return Err(OpenError::TooOld { found, known });
    }
    upgrade(connection, &STEPS).map_err(|fault| OpenError::Store(StoreError::from(fault)))
}

fn version(connection: &Connection) -> Outcome<usize> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    usize::try_from(version).map_err(|_| Fault::Nonsense("a schema version below zero"))
}

/// Each step and its new version are one transaction: killed at any point, the next start finds
/// either the old state or the new one, and goes on from there.
fn upgrade(connection: &mut Connection, steps: &[&str]) -> Outcome<()> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = version(&transaction)?;
        let Some(step) = steps.get(done) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))?;
        transaction.commit()?;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_empty_file_becomes_a_store() {
        let mut connection = Connection::open_in_memory().unwrap();
        check(&mut connection, true).unwrap();
        assert_eq!(version(&connection).unwrap(), STEPS.len());
        check(&mut connection, true).unwrap();
    }

    /// REL-20, REL-40: lamps are set right after an upgrade.
    #[test]
    fn mailboxes_with_messages_from_before_count_as_changed() {
        let mut connection = Connection::open_in_memory().unwrap();
        upgrade(&mut connection, &STEPS[..1]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO user (id, address, name, enabled, skip_pin, administrator, missed_call_notices, \
                 routing, added) VALUES (1, 'a@b', '', 1, 1, 0, 1, '{}', 0), (2, 'c@d', '', 1, 1, 0, 1, '{}', 0); \
                 INSERT INTO message (user, number, id, caller, caller_verified, subject, importance, received, \
                 format, bytes, call_id, file, checksum) VALUES \
                 (2, 1, x'01', '', 0, '', 'low', 0, 'pcmu', 0, '', '', x''), \
                 (2, 2, x'02', '', 0, '', 'low', 0, 'pcmu', 0, '', '', x'');",
            )
            .unwrap();
        check(&mut connection, true).unwrap();
        let sql = "SELECT group_concat(user) FROM mailbox_change";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap(), "2");
    }

    /// REL-20: mail programs find what was there, counted as if it had come in this order.
    #[test]
    fn items_from_before_are_counted_messages_first() {
        let mut connection = Connection::open_in_memory().unwrap();
        upgrade(&mut connection, &STEPS[..3]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO user (id, address, name, enabled, skip_pin, administrator, missed_call_notices, \
                 routing, added, last_number) VALUES (1, 'a@b', '', 1, 1, 0, 1, '{}', 0, 0), \
                 (2, 'c@d', '', 1, 1, 0, 1, '{}', 0, 7); \
                 INSERT INTO message (user, number, id, caller, caller_verified, subject, importance, received, \
                 format, bytes, call_id, file, checksum) VALUES \
                 (2, 3, x'01', '', 0, '', 'low', 0, 'pcmu', 0, '', '', x''), \
                 (2, 7, x'02', '', 0, '', 'low', 0, 'pcmu', 0, '', '', x''); \
                 INSERT INTO missed_call (user, caller, caller_verified, subject, at, call_id) VALUES \
                 (2, '', 0, '', 0, ''), (1, '', 0, '', 0, ''), (2, '', 0, '', 0, '');",
            )
            .unwrap();
        check(&mut connection, true).unwrap();
        let sql = "SELECT group_concat(changed) FROM (SELECT changed FROM message UNION ALL \
                   SELECT changed FROM missed_call WHERE user = 2 ORDER BY changed)";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap(), "3,7,8,9");
        let sql = "SELECT group_concat(item_changes) FROM (SELECT item_changes FROM user ORDER BY id)";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap(), "1,9");
        let sql = "SELECT count(DISTINCT item) FROM missed_call WHERE length(item) = 16";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 3);
    }

    #[test]
    fn a_newer_store_is_refused() {
        // REL-20
        let mut connection = Connection::open_in_memory().unwrap();
        check(&mut connection, true).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = check(&mut connection, true);
        assert!(matches!(refused, Err(OpenError::TooNew { found: 99, .. })));
    }

    #[test]
    fn whoever_may_not_upgrade_leaves_an_older_store_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert!(matches!(check(&mut connection, false), Err(OpenError::TooOld { found: 0, .. })));
        assert_eq!(tables(&connection), 0);
    }

    #[test]
    fn a_step_that_fails_half_way_leaves_the_state_before_it_and_can_be_done_again() {
        // REL-20
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = [STEPS[0], "CREATE TABLE half (a); INSERT INTO missing VALUES (1);"];
        assert!(upgrade(&mut connection, &broken).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        let before = tables(&connection);
        let mended = [STEPS[0], "CREATE TABLE half (a);"];
        upgrade(&mut connection, &mended).unwrap();
        assert_eq!((version(&connection).unwrap(), tables(&connection)), (2, before + 1));
    }
}
