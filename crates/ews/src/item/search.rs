//! `FindItem`: restriction, order and page, over the items of one folder ([MS-OXWSSRCH]).

use std::cmp::Ordering;

use umbel_store::Item;

use super::field::Field;
use super::mailbox::Mailbox;
use super::message;
use super::path::Path;
use super::restriction::Restriction;
use super::value::Value;

/// Most items in one answer; whoever asks for more gets so many, and asks on.
pub const PAGE_MAX: u32 = 1_000;

/// `t:FieldOrder`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOrder {
    /// By which property.
    pub path: Path,
    /// The largest first.
    pub descending: bool,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// All of it, as far as one answer goes.
    #[default]
    Whole,
    /// `m:IndexedPageItemView`
    Indexed {
        /// So many at most.
        most: u32,
        /// From here on.
        offset: u32,
        /// Counted from the end.
        from_end: bool,
    },
    /// `m:FractionalPageItemView`
    Fractional {
        /// So many at most.
        most: u32,
        /// From this part of the list on.
        numerator: u32,
        /// In such parts; not zero.
        denominator: u32,
    },
}

/// Part of a list, and where it stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub entries: Vec<T>,
    /// How long the list is.
    pub total: usize,
    /// Where the next page begins, counted as the view counts.
    pub next: usize,
    /// Nothing is left after it.
    pub is_last: bool,
}

impl View {
    /// The part of `list` that it wants.
    pub fn page<T>(self, mut list: Vec<T>) -> Page<T> {
        let total = list.len();
        let wanted = |most: u32| usize::try_from(most.min(PAGE_MAX)).unwrap_or(usize::MAX);
        let (start, end, next) = match self {
            View::Whole => {
                let end = total.min(wanted(PAGE_MAX));
                (0, end, end)
            }
            View::Indexed { most, offset, from_end: false } => {
                let start = total.min(usize::try_from(offset).unwrap_or(usize::MAX));
                let end = total.min(start.saturating_add(wanted(most)));
                (start, end, end)
            }
            View::Indexed { most, offset, from_end: true } => {
                let end = total.saturating_sub(usize::try_from(offset).unwrap_or(usize::MAX));
                let start = end.saturating_sub(wanted(most));
                (start, end, total - start)
            }
            View::Fractional { most, numerator, denominator } => {
                let part = total as u128 * u128::from(numerator) / u128::from(denominator.max(1));
                let start = total.min(usize::try_from(part).unwrap_or(usize::MAX));
                let end = total.min(start.saturating_add(wanted(most)));
                (start, end, end)
            }
        };
        let is_last = match self {
            View::Indexed { from_end: true, .. } => start == 0,
            _ => end == total,
        };
        list.truncate(end);
        list.drain(..start);
        Page { entries: list, total, next, is_last }
    }
}

/// The items for which `restriction` holds, in this order; without one, the newest first.
pub fn search<'a>(
    items: impl Iterator<Item = &'a Item>,
    restriction: Option<&Restriction>,
    orders: &[FieldOrder],
    mailbox: &Mailbox,
) -> Vec<&'a Item> {
    let found = items.filter(|item| match restriction {
        Some(restriction) => restriction.holds(&|path| message::value(item, path, mailbox)),
        None => true,
    });
    // Where all else is equal, what came last stands first.
    let newest_first = |one: &Item, other: &Item| {
        let when = |item: &Item| (message::received(item), item.placed);
        when(other).cmp(&when(one))
    };
    // What most clients ask for, in words or without, needs no keys.
    let is_newest_first = match orders {
        [] => true,
        [order] => order.descending && order.path == Path::Field(Field::DateTimeReceived),
        _ => false,
    };
    if is_newest_first {
        let mut found: Vec<_> = found.collect();
        found.sort_unstable_by(|one, other| newest_first(one, other));
        return found;
    }
    // Each value is worked out once.
    let keys = |item: &Item| -> Vec<Option<Value>> {
        orders.iter().map(|order| message::value(item, &order.path, mailbox)).collect()
    };
    let mut keyed: Vec<_> = found.map(|item| (keys(item), item)).collect();
    keyed.sort_unstable_by(|(one, one_item), (other, other_item)| {
        let by_keys = orders.iter().zip(one.iter().zip(other)).map(|(order, (one, other))| {
            let ascending = key_order(one.as_ref(), other.as_ref());
            if order.descending { ascending.reverse() } else { ascending }
        });
        let decided = by_keys.into_iter().find(|order| order.is_ne());
        decided.unwrap_or_else(|| newest_first(one_item, other_item))
    });
    keyed.into_iter().map(|(_, item)| item).collect()
}

/// What has no value stands before what has one.
fn key_order(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.order(other).unwrap_or(Ordering::Equal),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{mailbox, message_item, missed_item};
    use super::*;

    fn indexed(most: u32, offset: u32, from_end: bool) -> Page<u32> {
        View::Indexed { most, offset, from_end }.page((0..10).collect())
    }

    #[test]
    fn pages_are_counted_from_the_beginning_or_from_the_end() {
        let page = indexed(4, 0, false);
        assert_eq!(
            (page.entries.as_slice(), page.total, page.next, page.is_last),
            (&[0, 1, 2, 3][..], 10, 4, false)
        );
        let page = indexed(4, 8, false);
        assert_eq!((page.entries.as_slice(), page.next, page.is_last), (&[8, 9][..], 10, true));
        let page = indexed(4, 99, false);
        assert_eq!((page.entries.as_slice(), page.next, page.is_last), (&[][..], 10, true));
        let page = indexed(4, 0, true);
        assert_eq!((page.entries.as_slice(), page.next, page.is_last), (&[6, 7, 8, 9][..], 4, false));
        let page = indexed(4, 8, true);
        assert_eq!((page.entries.as_slice(), page.next, page.is_last), (&[0, 1][..], 10, true));
    }

    #[test]
    fn a_fraction_is_a_place_in_the_list() {
        let page = |numerator, denominator| {
            View::Fractional { most: 3, numerator, denominator }.page((0..10).collect::<Vec<u32>>())
        };
        assert_eq!(page(1, 2).entries, [5, 6, 7]);
        assert_eq!((page(9, 10).entries, page(9, 10).is_last), (vec![9], true));
        assert_eq!(page(2, 1).entries, [0; 0]);
        assert_eq!(page(u32::MAX, 1).entries, [0; 0]);
        assert_eq!(page(0, 0).entries, [0, 1, 2], "a view without parts is read as one part");
    }

    #[test]
    fn an_answer_has_so_many_items_and_no_more() {
        let most = usize::try_from(PAGE_MAX).expect("fits");
        let list = || (0..=most).collect::<Vec<_>>();
        let page = View::Whole.page(list());
        assert_eq!((page.entries.len(), page.total, page.is_last), (most, most + 1, false));
        let page = View::Indexed { most: u32::MAX, offset: 0, from_end: false }.page(list());
        assert_eq!((page.entries.len(), page.next, page.is_last), (most, most, false));
        assert!(View::Whole.page(vec![0; most]).is_last);
    }

    fn order(items: &[Item], orders: &[FieldOrder]) -> Vec<u64> {
        search(items.iter(), None, orders, &mailbox()).into_iter().map(|item| item.entered).collect()
    }

    #[test]
    fn the_newest_stand_first_unless_another_order_is_asked_for() {
        let items = [message_item(2), missed_item(3), message_item(1)];
        assert_eq!(order(&items, &[]), [3, 2, 1]);
        let by = |field, descending| FieldOrder { path: Path::Field(field), descending };
        assert_eq!(order(&items, &[by(Field::DateTimeReceived, true)]), [3, 2, 1]);
        assert_eq!(order(&items, &[by(Field::DateTimeReceived, false)]), [1, 2, 3]);
        assert_eq!(order(&items, &[by(Field::ItemClass, false)]), [3, 2, 1]);
        assert_eq!(order(&items, &[by(Field::ItemClass, true)]), [2, 1, 3]);
        let both = [by(Field::ItemClass, true), by(Field::DateTimeReceived, false)];
        assert_eq!(order(&items, &both), [1, 2, 3]);
    }
}
