//! The mailbox store on disk: SQLite, and audio in files.
//!
//! A message is *saved* (durability point D1) when its audio file and the file's name are synced
//! and its row is committed to a log that is synced too. [`SqliteStore`] says so by returning from
//! [`finish`](umbel_store::Recordings::finish); [`StoreWorker`] by the reply, after committing many at once.
//!
//! The data directory holds `umbel.sqlite`, the directory `audio`, `secret.key` without which the
//! hashes are worth nothing, `lock` of the running server, and `reserve`, space set aside for bad times.

mod database;
mod disk;
mod fault;
mod hash_work;
mod hashing;
mod items;
mod key;
mod mailboxes;
mod messages;
mod migrations;
mod open;
mod outbox;
mod recordings;
mod records;
mod recovery;
mod registrations;
mod rows;
mod sign_in;
mod spool;
mod store;
mod upkeep;
mod users;
mod worker;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod testing;

pub use hashing::Cost;
pub use open::{OpenError, Options, Purpose, is_there};
pub use recovery::Recovery;
pub use store::SqliteStore;
pub use worker::{Inbox, Refused, StoreWorker, TicketInbox, UserChanges};
