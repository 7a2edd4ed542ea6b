//! Exchange Web Services around the voice message: folders, items, search, attachments, ids.
//!
//! A mail program needs these to come by the id of a message at all. [MS-OXWSFOLD], [MS-OXWSCORE],
//! [MS-OXWSSRCH], [MS-OXWSATT], [MS-OXWSCVTID], [MS-OXWSSYNC] say what goes over the wire; [MS-OXOUM] and
//! [MS-OXCMAIL] what a voice message is.

pub mod field;
pub mod folder;
pub mod id;
pub mod index;
pub mod mailbox;
pub mod message;
pub mod path;
pub mod print;
pub mod restriction;
pub mod search;
pub mod shape;
pub mod value;

#[cfg(test)]
pub(crate) mod testing;
