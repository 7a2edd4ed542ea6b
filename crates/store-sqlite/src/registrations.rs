//! What the registrar wants to find again, in SQL.

use rusqlite::params;
use umbel_store::{KeptRegistration, LIST_MAX, Registrations, StoreError};
use umbel_time::UnixTime;

use crate::rows::{Time, integer};
use crate::store::SqliteStore;

impl Registrations for SqliteStore {
    fn keep_registrations(&mut self, registrations: &[KeptRegistration]) -> Result<(), StoreError> {
        Ok(self.database.write(|connection| {
            let mut keep = connection.prepare_cached(
                "INSERT OR REPLACE INTO registration (address, bindings, ends) VALUES (?1, ?2, ?3)",
            )?;
            let mut forget = connection.prepare_cached("DELETE FROM registration WHERE address = ?1")?;
            for kept in registrations {
                if kept.bindings.is_empty() {
                    forget.execute([&kept.address])?;
                } else {
                    keep.execute(params![kept.address, kept.bindings, Time(kept.ends)])?;
                }
            }
            Ok(())
        })?)
    }

    fn registrations(
        &mut self,
        after: Option<&str>,
        at: UnixTime,
    ) -> Result<Vec<KeptRegistration>, StoreError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT address, bindings, ends FROM registration WHERE address > ?1 AND ends > ?2 \
                       ORDER BY address LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            // Every address comes after the empty text.
            let asked = params![after.unwrap_or_default(), Time(at), integer(LIST_MAX as u64)];
            let mut rows = statement.query(asked)?;
            let mut registrations = Vec::new();
            while let Some(row) = rows.next()? {
                registrations.push(KeptRegistration {
                    address: row.get(0)?,
                    bindings: row.get(1)?,
                    ends: row.get::<_, Time>(2)?.0,
                });
            }
            Ok(registrations)
        })?)
    }
}
