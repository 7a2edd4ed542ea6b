//! A call that has come in, until it is known what it is: who are those that it names?

use std::collections::{BTreeMap, BTreeSet};

use umbel_ocexum::Trust;
use umbel_store::{Reply, User};

use crate::call::Question;
use crate::call::preparation::Offer;
use crate::desk::Desk;
use crate::names::{Named, People};
use crate::particulars::Particulars;
use crate::refusal::Refusal;

/// A call whose parties are being looked up.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) particulars: Particulars,
    pub(crate) trust: Trust,
    pub(crate) offer: Option<Offer>,
    found: BTreeMap<Named, BTreeMap<usize, User>>,
    awaited: usize,
    failed: bool,
}

impl Arrival {
    /// Looks up everybody at once.
    pub(crate) fn new(
        particulars: Particulars,
        trust: Trust,
        offer: Option<Offer>,
        desk: &mut Desk<'_>,
    ) -> Arrival {
        let names: BTreeSet<Named> = particulars.names().cloned().collect();
        let mut awaited = 0;
        for named in names {
            for (rank, lookup) in named.lookups(&desk.config.locality.domain).into_iter().enumerate() {
                awaited += 1;
                let question = Question::Who { named: named.clone(), rank };
                desk.ask(question, umbel_store::Op::FindUser(lookup));
            }
        }
        Arrival { particulars, trust, offer, found: BTreeMap::new(), awaited, failed: false }
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
