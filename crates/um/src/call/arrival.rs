//! A call that has come in, until it is known what it is: who are those that it names?

use umbel_ocexum::Trust;
use umbel_store::{Op, Reply};

use crate::call::Question;
use crate::call::preparation::Offer;
use crate::desk::Desk;
use crate::names::{Named, People};
use crate::particulars::Particulars;
use crate::refusal::Refusal;
use crate::search::Search;

/// A call whose parties are being looked up.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) particulars: Particulars,
    pub(crate) trust: Trust,
    pub(crate) offer: Option<Offer>,
    search: Search,
}

impl Arrival {
    /// Looks up everybody at once.
    pub(crate) fn new(
        particulars: Particulars,
        trust: Trust,
        offer: Option<Offer>,
        desk: &mut Desk<'_>,
    ) -> Arrival {
        let domain = &desk.config.locality.domain;
        let search = Search::begin(particulars.names(), domain, |named, rank, lookup| {
            desk.ask(Question::Who { named, rank }, Op::FindUser(lookup));
        });
        Arrival { particulars, trust, offer, search }
    }

    /// The store replied to one question.
    pub(crate) fn replied(&mut self, named: Named, rank: usize, reply: Reply) {
        self.search.replied(named, rank, reply);
    }

    /// Who is who, once that is known.
    pub(crate) fn people(&mut self) -> Option<Result<People, Refusal>> {
        self.search.people()
    }
}
