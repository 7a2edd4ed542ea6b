//! Exchange Web Services around the voice message: folders, items, search, attachments, ids.
//!
//! A mail program needs these to come by the id of a message at all. [MS-OXWSFOLD], [MS-OXWSCORE],
//! [MS-OXWSSRCH], [MS-OXWSATT], [MS-OXWSCVTID], [MS-OXWSSYNC] say what goes over the wire; [MS-OXOUM] and
//! [MS-OXCMAIL] what a voice message is.
//!
//! [`operation`] reads requests. They are answered out of an [`index`] of the mailbox: [`folders`], [`find_item`],
//! [`get_item`], [`sync`], [`convert_id`]; [`change`] says what the store has to do. [`message`] is what a voice
//! message is to a mail program, [`print`](mod@print) how it is told.

mod batch;
pub mod change;
pub mod convert_id;
pub mod field;
pub mod find_item;
pub mod folder;
pub mod folders;
pub mod get_item;
pub mod id;
pub mod index;
pub mod mailbox;
pub mod message;
pub mod operation;
pub mod path;
pub mod print;
pub mod reference;
pub mod restriction;
pub mod search;
pub mod shape;
pub mod sync;
pub mod value;
mod view;

#[cfg(test)]
pub(crate) mod testing;

pub use operation::{Operation, read};
