//! What a mailbox holds in the eyes of a mail program: messages and notices as items that are counted through.
//!
//! Each mailbox has one count of what happens to its items. Whoever remembers the count asks for what came
//! after it: this is how mail programs are kept in step, and how lists of a mailbox are kept at hand.

use umbel_time::UnixTime;

use crate::{LIST_MAX, MessageId, MissedCall, VoiceMessage};

/// A message, or a notice of a call that left none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// 128 random bits (SEC-99): of a message its id.
    pub id: MessageId,
    /// What it is.
    pub content: ItemContent,
    /// Heard, or for a notice: looked at.
    pub seen: bool,
    /// The count when it came.
    pub entered: u64,
    /// The count when it came to where it is: it moves when it is deleted and when it is brought back.
    pub placed: u64,
    /// The count when it last changed in any way.
    pub changed: u64,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemContent {
    /// A voice message.
    Message(VoiceMessage),
    /// A notice of a call that left nothing.
    MissedCall(MissedCall),
}

/// An item that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoneItem {
    /// Its id.
    pub id: MessageId,
    /// The count when it had come.
    pub entered: u64,
    /// The count when it went.
    pub changed: u64,
}

/// Items that changed, in the order of the count; at most [`LIST_MAX`] of each sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemChanges {
    /// When the mailbox was made. Another mailbox of the same address has another count.
    pub mailbox_since: UnixTime,
    /// Items that are there.
    pub items: Vec<Item>,
    /// Items that are gone.
    pub gone: Vec<GoneItem>,
    /// This reply tells everything up to this count; the rest is asked for from here.
    pub up_to: u64,
    /// The count now.
    pub latest: u64,
    /// Who last asked before this count may have missed that items are gone, and has to begin anew.
    pub forgotten: u64,
}

impl ItemChanges {
    /// Puts a reply together of items and gone items after some count, each list in its order and cut at
    /// [`LIST_MAX`] or beyond.
    pub fn new(
        mailbox_since: UnixTime,
        mut items: Vec<Item>,
        mut gone: Vec<GoneItem>,
        latest: u64,
        forgotten: u64,
    ) -> Self {
        let end_of_items = items.get(LIST_MAX - 1).map(|item| item.changed);
        let end_of_gone = gone.get(LIST_MAX - 1).map(|item| item.changed);
        // What was cut off in one list must not be passed over in the other.
        let up_to = [end_of_items, end_of_gone].into_iter().flatten().min().unwrap_or(latest);
        items.retain(|item| item.changed <= up_to);
        gone.retain(|item| item.changed <= up_to);
        ItemChanges { mailbox_since, items, gone, up_to, latest, forgotten }
    }
}
