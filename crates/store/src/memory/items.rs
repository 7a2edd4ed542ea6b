//! Items of a mailbox by the count of its changes, in memory.

use umbel_time::UnixTime;

use super::{Account, MemoryStore, Notice};
use crate::{GONE_ITEMS_MAX, GoneItem, Item, ItemChanges, ItemContent, LIST_MAX, MessageId};

/// What the count was when an item came, came to where it is, and changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    entered: u64,
    placed: u64,
    changed: u64,
}

/// The count of a mailbox, and what it remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    latest: u64,
    gone: Vec<GoneItem>,
    forgotten: u64,
}

impl Count {
    /// An item comes.
    pub(super) fn came(&mut self) -> Marks {
        self.latest += 1;
        Marks { entered: self.latest, placed: self.latest, changed: self.latest }
    }

    /// An item changes where it is.
    pub(super) fn change(&mut self, marks: &mut Marks) {
        self.latest += 1;
        marks.changed = self.latest;
    }

    /// An item goes.
    fn went(&mut self, id: MessageId, marks: Marks) {
        self.latest += 1;
        self.gone.push(GoneItem { id, entered: marks.entered, changed: self.latest });
    }

    /// Forgets what is beyond the bound.
    pub(super) fn forget(&mut self) {
        let excess = self.gone.len().saturating_sub(GONE_ITEMS_MAX);
        if let Some(last) = self.gone.drain(..excess).next_back() {
            self.forgotten = last.changed;
        }
    }
}

impl MemoryStore {
    pub(super) fn random(&mut self) -> [u8; 16] {
        use rand_core::Rng;
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

impl Account {
    /// A message changed, or moved to or from the deleted ones.
    pub(super) fn count_change(&mut self, id: MessageId, moved: bool) {
        let found = self.messages.values_mut().find(|message| message.envelope.id == id);
        if let Some(message) = found {
            self.items.change(&mut message.marks);
            if moved {
                message.marks.placed = message.marks.changed;
            }
        }
    }

    /// Removes messages that were deleted before this time; says how many.
    pub(super) fn purge_messages(&mut self, deleted_before: UnixTime) -> u64 {
        let deleted = |message: &super::Message| message.envelope.deleted.filter(|at| *at < deleted_before);
        let old = self.messages.iter().filter_map(|(number, message)| Some((deleted(message)?, *number)));
        let mut old: Vec<_> = old.collect();
        old.sort_unstable();
        for (_, number) in &old {
            if let Some(message) = self.messages.remove(number) {
                self.items.went(message.envelope.id, message.marks);
            }
        }
        old.len() as u64
    }

    /// Removes the notices that `which` picks; says how many.
    pub(super) fn purge_notices(&mut self, which: impl Fn(&Notice) -> bool) -> u64 {
        let before = self.notices.len();
        let items = &mut self.items;
        self.notices.retain(|notice| {
            let goes = which(notice);
            if goes {
                items.went(notice.item, notice.marks);
            }
            !goes
        });
        (before - self.notices.len()) as u64
    }

    pub(super) fn item_changes(&self, after: u64) -> ItemChanges {
        let item = |id, content, seen, marks: Marks| Item {
            id,
            content,
            seen,
            entered: marks.entered,
            placed: marks.placed,
            changed: marks.changed,
        };
        let messages = self.messages.values().map(|message| {
            let content = ItemContent::Message(message.envelope.clone());
            item(message.envelope.id, content, message.heard, message.marks)
        });
        let notices = self.notices.iter().map(|notice| {
            let content = ItemContent::MissedCall(notice.call.clone());
            item(notice.item, content, notice.seen, notice.marks)
        });
        let mut items: Vec<_> = messages.chain(notices).filter(|item| item.changed > after).collect();
        items.sort_unstable_by_key(|item| item.changed);
        let gone = self.items.gone.iter().filter(|gone| gone.changed > after).take(LIST_MAX).copied();
        ItemChanges::new(self.added, items, gone.collect(), self.items.latest, self.items.forgotten)
    }
}
