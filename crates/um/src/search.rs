//! Who is meant by the names in a message: the directory is asked for all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use umbel_store::{Lookup, Reply, User};

use crate::names::{Named, People};
use crate::refusal::Refusal;

/// Names that are being looked up.
#[derive(Debug)]
pub(crate) struct Search {
    found: BTreeMap<Named, BTreeMap<usize, User>>,
    awaited: usize,
    failed: bool,
}

impl Search {
    /// Asks for everybody; each question is a name and the rank of its look-up: the lower, the better the answer.
    pub(crate) fn begin<'a>(
        names: impl IntoIterator<Item = &'a Named>,
        domain: &str,
        mut ask: impl FnMut(Named, usize, Lookup),
    ) -> Search {
        let names: BTreeSet<&Named> = names.into_iter().collect();
        let mut awaited = 0;
        for named in names {
            for (rank, lookup) in named.lookups(domain).into_iter().enumerate() {
                awaited += 1;
                ask(named.clone(), rank, lookup);
            }
        }
        Search { found: BTreeMap::new(), awaited, failed: false }
    }

    /// The store replied to one question.
    pub(crate) fn replied(&mut self, named: Named, rank: usize, reply: Reply) {
        self.awaited = self.awaited.saturating_sub(1);
        match reply {
            Reply::User(Some(user)) => {
                self.found.entry(named).or_default().insert(rank, *user);
            }
            Reply::User(None) => {}
            _ => self.failed = true,
        }
    }

    /// Who is who, once that is known.
    pub(crate) fn people(&mut self) -> Option<Result<People, Refusal>> {
        if self.awaited > 0 {
            return None;
        }
        // SEC-31: without the directory nobody can be told from anybody.
        if self.failed {
            return Some(Err(Refusal::NoStore));
        }
        let mut people = People::default();
        for (named, mut ranks) in std::mem::take(&mut self.found) {
            if let Some((_, user)) = ranks.pop_first() {
                people.add(named, user);
            }
        }
        Some(Ok(people))
    }
}
