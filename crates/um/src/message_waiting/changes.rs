//! Which mailboxes changed: the store is looked at from where one looked last, and from time to time from the start.

use umbel_store::{CHANGES_MAX, MailboxChange, MailboxChanges};

/// Where we are in the store's list of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// The latest change that was told. None before the first look, which tells nothing: what was before it is for
    /// the walk.
    seen: Option<u64>,
    walk: Option<Walk>,
}

/// A walk over all mailboxes that ever had a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Walk {
    after: u64,
    /// What changed behind this is told anyway.
    until: u64,
}

/// How far a look led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// It was the first.
    First,
    /// There is nothing more.
    AllSeen,
    /// There is more.
    More,
}

impl Changes {
    /// After which change to look.
    pub(super) fn after(&self) -> u64 {
        self.seen.unwrap_or(u64::MAX)
    }

    /// Whether it is known from where to look on.
    pub(super) fn has_looked(&self) -> bool {
        self.seen.is_some()
    }

    /// What a look brought, and has to be told.
    pub(super) fn looked(&mut self, changes: &MailboxChanges) -> Looked {
        let Some(seen) = self.seen else {
            self.seen = Some(changes.latest);
            return Looked::First;
        };
        let is_page = changes.changed.len() >= CHANGES_MAX;
        let last = changes.changed.last().map_or(0, |change| change.number);
        // `latest` falls when a mailbox is removed, numbers do not come again.
        self.seen = Some(seen.max(if is_page { last } else { changes.latest.max(last) }));
        if is_page { Looked::More } else { Looked::AllSeen }
    }

    /// Begins a walk, in place of one that is under way.
    pub(super) fn walk(&mut self) {
        self.walk = Some(Walk { after: 0, until: self.seen.unwrap_or(0) });
    }

    /// After which change the walk goes on; none without a walk.
    pub(super) fn walked_to(&self) -> Option<u64> {
        self.walk.map(|walk| walk.after)
    }

    /// What a step of the walk brought; gives what has to be told. `after` is what was asked with.
    pub(super) fn stepped(&mut self, after: u64, changes: MailboxChanges) -> Vec<MailboxChange> {
        // The answer to a walk that was begun anew meanwhile.
        let Some(walk) = self.walk.filter(|walk| walk.after == after) else { return Vec::new() };
        let is_page = changes.changed.len() >= CHANGES_MAX;
        let last = changes.changed.last().map_or(u64::MAX, |change| change.number);
        self.walk = (is_page && last < walk.until).then_some(Walk { after: last, ..walk });
        changes.changed.into_iter().filter(|change| change.number <= walk.until).collect()
    }

    /// Forgets everything: nobody is told for the time being.
    pub(super) fn forget(&mut self) {
        *self = Changes::default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use umbel_store::Counts;

    use super::*;

    /// A page of changes with these numbers.
    fn page(numbers: impl IntoIterator<Item = u64>, latest: u64) -> MailboxChanges {
        let change = |number| MailboxChange {
            number,
            address: format!("user{number}@example.test").parse().unwrap(),
            extension: None,
            counts: Counts::default(),
        };
        MailboxChanges { changed: numbers.into_iter().map(change).collect(), latest }
    }

    fn numbers(changes: &[MailboxChange]) -> Vec<u64> {
        changes.iter().map(|change| change.number).collect()
    }

    #[test]
    fn the_first_look_finds_out_where_to_begin_and_the_next_ones_go_on_from_there() {
        let mut changes = Changes::default();
        assert_eq!(changes.after(), u64::MAX);
        assert_eq!(changes.looked(&page([], 7)), Looked::First);
        assert_eq!(changes.after(), 7);
        assert_eq!(changes.looked(&page([8, 11], 11)), Looked::AllSeen);
        assert_eq!(changes.after(), 11);
        assert_eq!(changes.looked(&page([], 5)), Looked::AllSeen);
        assert_eq!(changes.after(), 11, "a mailbox that is removed takes no change back");
    }

    #[test]
    fn a_full_page_is_followed_by_the_next() {
        let mut changes = Changes::default();
        changes.looked(&page([], 0));
        let full = CHANGES_MAX as u64;
        assert_eq!(changes.looked(&page(1..=full, full + 3)), Looked::More);
        assert_eq!(changes.after(), full);
        assert_eq!(changes.looked(&page(full + 1..=full + 3, full + 3)), Looked::AllSeen);
    }

    #[test]
    fn a_walk_goes_over_all_that_was_there_when_it_began() {
        let mut changes = Changes::default();
        let full = CHANGES_MAX as u64;
        changes.looked(&page([], full + 2));
        assert_eq!(changes.walked_to(), None);
        changes.walk();
        assert_eq!(changes.walked_to(), Some(0));
        assert_eq!(changes.stepped(0, page(1..=full, full + 2)).len(), CHANGES_MAX);
        assert_eq!(changes.walked_to(), Some(full));
        // One of them changed in the meantime and is told by a look.
        assert_eq!(numbers(&changes.stepped(full, page([full + 2, full + 9], full + 9))), [full + 2]);
        assert_eq!(changes.walked_to(), None);
    }

    #[test]
    fn a_walk_that_begins_anew_does_not_take_the_answer_of_the_one_before() {
        let mut changes = Changes::default();
        let full = CHANGES_MAX as u64;
        changes.looked(&page([], full * 3));
        changes.walk();
        changes.stepped(0, page(1..=full, full * 3));
        changes.walk();
        assert!(changes.stepped(full, page([full + 1], full * 3)).is_empty());
        assert_eq!(changes.walked_to(), Some(0));
        assert!(changes.stepped(0, page([], 0)).is_empty());
        assert_eq!(changes.walked_to(), None, "an empty store is soon walked through");
    }
}
