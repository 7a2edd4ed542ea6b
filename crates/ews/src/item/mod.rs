//! Exchange Web Services around the voice message: folders, items, search, attachments, ids.
//!
//! A mail program needs these to come by the id of a message at all. [MS-OXWSFOLD], [MS-OXWSCORE],
//! [MS-OXWSSRCH], [MS-OXWSATT], [MS-OXWSCVTID], [MS-OXWSSYNC] say what goes over the wire; [MS-OXOUM] and
//! [MS-OXCMAIL] what a voice message is.

pub mod folder;
pub mod id;
