//! Indexes of mailboxes at hand, each brought in step with the store before it is looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use umbel_ews::item::index::{Index, Progress};
use umbel_store::{Address, Op, Reply, StoreError};

use crate::StoreHandle;

/// Mailboxes whose items are kept at hand; beyond, those that nobody has asked for longest are let go.
const MAILBOXES_MAX: usize = 1_000;
/// Items that are kept at hand in all; beyond, likewise. Some 100 MiB.
const ITEMS_MAX: usize = 200_000;
/// Questions to the store for one request; a mailbox that changes faster than it is read is asked for later.
const QUESTIONS_MAX: usize = 1_000;

/// The indexes. Copies share them.
#[derive(Clone, Default)]
pub(crate) struct Indexes {
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    mailboxes: BTreeMap<Address, Kept>,
    /// Counts what is asked for.
    asked: u64,
}

struct Kept {
    index: Arc<Turn<Index>>,
    items: usize,
    /// The count when it was last asked for.
    last: u64,
}

impl Indexes {
    /// The index of a mailbox, as the store is now. Whoever holds it keeps others of this mailbox waiting.
    pub(crate) async fn of(
        &self,
        owner: &Address,
        store: &StoreHandle,
    ) -> Result<OwnedMutexGuard<Index>, Reply> {
        let mut index = self.take(owner).lock_owned().await;
        let ask = async |after| (after, store.ask(Op::ListItems { mailbox: owner.clone(), after }).await);
        let mut asked = ask(index.up_to()).await;
        for _ in 1..QUESTIONS_MAX {
            let changes = match asked.1 {
                Reply::Items(changes) => changes,
                other => return Err(other),
            };
            let (progress, ahead) = match changes.up_to < changes.latest {
                // The store reads on while what it gave is put in its place.
                true => {
                    let next = ask(changes.up_to);
                    let (next, progress) = tokio::join!(next, async { index.apply(*changes) });
                    (progress, Some(next))
                }
                false => (index.apply(*changes), None),
            };
            if progress == Progress::Complete {
                self.note(owner, index.len());
                return Ok(index);
            }
            asked = match ahead.filter(|(after, _)| *after == index.up_to()) {
                Some(ahead) => ahead,
                // What was here could not be brought in step: from the beginning.
                None => ask(index.up_to()).await,
            };
        }
        Err(Reply::Failed(StoreError::Overloaded))
    }

    fn take(&self, owner: &Address) -> Arc<Turn<Index>> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.asked += 1;
        let last = table.asked;
        let kept = table.mailboxes.entry(owner.clone()).or_insert_with(|| Kept {
            index: Arc::default(),
            items: 0,
            last,
        });
        kept.last = last;
        Arc::clone(&kept.index)
    }

    /// Notes how much is kept, and keeps the bounds.
    fn note(&self, owner: &Address, items: usize) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = table.mailboxes.get_mut(owner) {
            kept.items = items;
        }
        let mut all: usize = table.mailboxes.values().map(|kept| kept.items).sum();
        while all > ITEMS_MAX || table.mailboxes.len() > MAILBOXES_MAX {
            let others = table.mailboxes.iter().filter(|(address, _)| *address != owner);
            let Some(oldest) = others.min_by_key(|(_, kept)| kept.last).map(|(address, _)| address.clone())
            else {
                break;
            };
            all -= table.mailboxes.remove(&oldest).map_or(0, |kept| kept.items);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use crate::testing::{World, address};

    #[tokio::test]
    async fn an_index_is_in_step_with_the_store_whenever_it_is_looked_at() {
        let world = World::new();
        let (indexes, alice) = (Indexes::default(), address("alice"));
        let id = umbel_store::conformance::id(1);
        assert!(indexes.of(&alice, &world.desk.store).await.is_ok_and(|index| index.is_empty()));
        world.store(|store| umbel_store::conformance::deposit(store, id, &alice).unwrap());
        let index = indexes.of(&alice, &world.desk.store).await.unwrap();
        assert_eq!(index.item(id).map(|item| item.seen), Some(false));
        drop(index);
        world.store(|store| store.mark_heard(&alice, id, true).unwrap());
        let index = indexes.of(&alice, &world.desk.store).await.unwrap();
        assert_eq!(index.item(id).map(|item| item.seen), Some(true));
    }

    /// The store gives a mailbox in pieces, and is asked for the next one before the one at hand is looked at.
    #[tokio::test]
    async fn a_mailbox_of_many_pieces_is_read_to_its_end_and_another_in_its_place_from_the_beginning() {
        let (told, asked) = (Arc::new(Mutex::new((1, 2_500))), Arc::new(Mutex::new(Vec::new())));
        let (telling, asking) = (Arc::clone(&told), Arc::clone(&asked));
        let store = StoreHandle::new(move |op, then| {
            let Op::ListItems { after, .. } = op else { panic!("{op:?}") };
            asking.lock().unwrap().push(after);
            let (since, latest) = *telling.lock().unwrap();
            then(Reply::Items(Box::new(umbel_store::ItemChanges {
                mailbox_since: umbel_time::UnixTime::from_secs(since),
                items: Vec::new(),
                gone: Vec::new(),
                up_to: latest.min(after + 1_000),
                latest,
                forgotten: 0,
            })));
            Ok(())
        });
        let (indexes, alice) = (Indexes::default(), address("alice"));
        for (mailbox, questions) in [
            ((1, 2_500), vec![0, 1_000, 2_000]),
            ((1, 2_501), vec![2_500]),
            ((2, 5_000), vec![2_501, 3_501, 0, 1_000, 2_000, 3_000, 4_000]),
            ((3, 1_500), vec![5_000, 0, 1_000]),
        ] {
            *told.lock().unwrap() = mailbox;
            let index = indexes.of(&alice, &store).await.unwrap();
            assert_eq!(index.up_to(), mailbox.1);
            assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), questions, "{mailbox:?}");
        }
    }

    #[tokio::test]
    async fn only_so_many_are_kept_and_those_asked_for_last() {
        let world = World::new();
        let indexes = Indexes::default();
        for user in ["alice", "bob"] {
            drop(indexes.of(&address(user), &world.desk.store).await.unwrap());
        }
        indexes.note(&address("alice"), ITEMS_MAX);
        indexes.note(&address("bob"), 1);
        let kept = || {
            let table = indexes.table.lock().unwrap();
            table.mailboxes.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(kept(), [address("bob")]);
        indexes.note(&address("bob"), ITEMS_MAX + 1);
        assert_eq!(kept(), [address("bob")], "the one that is being looked at stays");
    }
}
