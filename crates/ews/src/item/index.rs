//! The items of one mailbox at hand, kept in step with the store by the count of its changes.
//!
//! Lists, searches and synchronisation are answered from here. Whoever asks first brings the index up to date: it
//! tells from where to ask the store ([`Index::up_to`]), and takes what the store says ([`Index::apply`]).

use std::collections::BTreeMap;

use umbel_store::{GONE_ITEMS_MAX, GoneItem, Item, ItemChanges, MessageId};
use umbel_time::UnixTime;

use super::folder::Folder;

/// Items of a mailbox that are listed; of more, those that changed longest ago are not. A mailbox of this size is
/// full by any setting, and holds deleted messages besides.
pub const ITEMS_MAX: usize = 100_000;

/// The items of a mailbox.
#[derive(Clone, Debug)]
pub struct Index {
    since: UnixTime,
    up_to: u64,
    items: BTreeMap<MessageId, Item>,
    /// In the order of the count.
    gone: Vec<GoneItem>,
    forgotten: u64,
}

impl Default for Index {
    fn default() -> Self {
        let since = UnixTime::from_secs(i64::MIN / 1_000);
        Index { since, up_to: 0, items: BTreeMap::new(), gone: Vec::new(), forgotten: 0 }
    }
}

/// Whether the index is up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has everything.
    Complete,
    /// There is more: ask again, from [`Index::up_to`] on.
    More,
}

impl Index {
    /// Up to which count it knows what happened.
    pub fn up_to(&self) -> u64 {
        self.up_to
    }

    /// When the mailbox was made.
    pub fn since(&self) -> UnixTime {
        self.since
    }

    /// What went up to this count may not be known any more.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Items that are gone, in the order of the count.
    pub(crate) fn gone(&self) -> &[GoneItem] {
        &self.gone
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All items, in the order of their ids.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// The item of this id. Other mailboxes have other indexes: another's id leads nowhere (SEC-46).
    pub fn item(&self, id: MessageId) -> Option<&Item> {
        self.items.get(&id)
    }

    /// The items of a folder, in the order of their ids.
    pub fn in_folder(&self, folder: Folder) -> impl Iterator<Item = &Item> {
        self.items.values().filter(move |item| folder.holds(item))
    }

    /// How many items are in a folder, and how many of them were not seen.
    pub fn counts(&self, folder: Folder) -> (usize, usize) {
        let mut counts = (0, 0);
        for item in self.in_folder(folder) {
            counts.0 += 1;
            counts.1 += usize::from(!item.seen);
        }
        counts
    }

    /// Takes what the store says to a question from [`Index::up_to`] on.
    pub fn apply(&mut self, changes: ItemChanges) -> Progress {
        // Another mailbox, a copy that was put back, or too long ago: what is here cannot be brought in step.
        let apart = changes.mailbox_since != self.since
            || changes.latest < self.up_to
            || (self.up_to < changes.forgotten
                && !self.items.is_empty()
                && changes.forgotten > self.forgotten);
        if apart && self.up_to > 0 {
            *self = Index::default();
            return Progress::More;
        }
        self.since = changes.mailbox_since;
        self.forgotten = self.forgotten.max(changes.forgotten);
        for item in changes.items {
            self.items.insert(item.id, item);
        }
        for gone in &changes.gone {
            self.items.remove(&gone.id);
        }
        self.gone.extend(changes.gone);
        self.up_to = changes.up_to;
        self.keep_bounds();
        if self.up_to < changes.latest { Progress::More } else { Progress::Complete }
    }

    fn keep_bounds(&mut self) {
        let excess = self.gone.len().saturating_sub(GONE_ITEMS_MAX);
        if let Some(last) = self.gone.drain(..excess).next_back() {
            self.forgotten = self.forgotten.max(last.changed);
        }
        if self.items.len() > ITEMS_MAX {
            let mut oldest: Vec<_> = self.items.values().map(|item| (item.changed, item.id)).collect();
            oldest.sort_unstable();
            for (_, id) in &oldest[..self.items.len() - ITEMS_MAX] {
                self.items.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{RECEIVED, message_item, missed_item};
    use super::*;

    fn changes(items: Vec<Item>, gone: Vec<GoneItem>, up_to: u64, latest: u64) -> ItemChanges {
        ItemChanges { mailbox_since: RECEIVED, items, gone, up_to, latest, forgotten: 0 }
    }

    #[test]
    fn changes_are_taken_page_by_page() {
        let mut index = Index::default();
        assert_eq!(index.apply(changes(vec![message_item(1), missed_item(2)], vec![], 2, 3)), Progress::More);
        assert_eq!(index.up_to(), 2);
        assert_eq!(index.apply(changes(vec![message_item(3)], vec![], 3, 3)), Progress::Complete);
        assert_eq!((index.len(), index.counts(Folder::Inbox)), (3, (3, 3)));
        assert_eq!(index.counts(Folder::Voicemail), (2, 2));
        let heard = Item { seen: true, changed: 4, ..message_item(1) };
        let gone = GoneItem { id: missed_item(2).id, entered: 2, changed: 5 };
        assert_eq!(index.apply(changes(vec![heard], vec![gone], 5, 5)), Progress::Complete);
        assert_eq!((index.len(), index.counts(Folder::Inbox)), (2, (2, 1)));
        assert!(index.item(missed_item(2).id).is_none());
    }

    #[test]
    fn another_mailbox_of_the_name_begins_anew() {
        let mut index = Index::default();
        index.apply(changes(vec![message_item(1)], vec![], 1, 1));
        let other = ItemChanges {
            mailbox_since: UnixTime::from_secs(RECEIVED.as_secs() + 60),
            ..changes(vec![], vec![], 7, 7)
        };
        assert_eq!(index.apply(other.clone()), Progress::More);
        assert_eq!((index.up_to(), index.is_empty()), (0, true));
        assert_eq!(index.apply(other), Progress::Complete);
    }

    #[test]
    fn a_store_that_knows_less_was_put_back() {
        let mut index = Index::default();
        index.apply(changes(vec![message_item(1), message_item(2)], vec![], 2, 2));
        assert_eq!(index.apply(changes(vec![], vec![], 1, 1)), Progress::More);
        assert_eq!(index.up_to(), 0);
        assert_eq!(index.apply(changes(vec![message_item(1)], vec![], 1, 1)), Progress::Complete);
        assert_eq!(index.len(), 1);
    }

    #[test]
    fn whoever_was_away_while_items_were_forgotten_begins_anew() {
        let mut index = Index::default();
        index.apply(changes(vec![message_item(1)], vec![], 1, 1));
        let late = ItemChanges { forgotten: 5, ..changes(vec![], vec![], 9, 9) };
        assert_eq!(index.apply(late.clone()), Progress::More);
        assert_eq!(index.up_to(), 0);
        assert_eq!(index.apply(late), Progress::Complete, "from the beginning on, nothing was missed");
    }

    #[test]
    fn only_so_many_are_remembered_as_gone() {
        let most = u64::try_from(GONE_ITEMS_MAX).expect("fits");
        let gone = (1..=most + 1).map(|n| GoneItem { id: message_item(1).id, entered: 0, changed: n });
        let mut index = Index::default();
        index.apply(changes(vec![], gone.collect(), most + 1, most + 1));
        assert_eq!((index.gone().len(), index.forgotten()), (GONE_ITEMS_MAX, 1));
    }
}
