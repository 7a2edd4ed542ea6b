//! Whose turn it is: offer and answer within a dialog (RFC 3264 4, RFC 3311 5, RFC 3261 14).

/// Where the exchange of session descriptions of one dialog stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Negotiation {
    /// No offer is open: either side may make one.
    #[default]
    Stable,
    /// We made an offer, and wait for the answer.
    OfferSent,
    /// The peer made an offer, and waits for our answer.
    OfferReceived,
}

/// Why an offer cannot be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// An offer of ours is open: 491. Both sides then wait for different times.
    Glare,
    /// An earlier offer of the peer is open: 500 with Retry-After.
    Unanswered,
}

impl Negotiation {
    /// An offer arrived.
    pub(crate) fn receive_offer(&mut self) -> Result<(), Conflict> {
        match self {
            Negotiation::Stable => {
                *self = Negotiation::OfferReceived;
                Ok(())
            }
            // RFC 3311 5.2: "generated an offer (in an UPDATE, PRACK or INVITE) to which it has not
            // yet received an answer … MUST reject the UPDATE with a 491 response".
            Negotiation::OfferSent => Err(Conflict::Glare),
            // RFC 3311 5.2: "received an offer … to which it has not yet generated an answer …
            // MUST reject the UPDATE with a 500 response, and MUST include a Retry-After".
            Negotiation::OfferReceived => Err(Conflict::Unanswered),
        }
    }

    /// We make an offer; says whether we may.
    pub(crate) fn send_offer(&mut self) -> bool {
        let free = *self == Negotiation::Stable;
        if free {
            *self = Negotiation::OfferSent;
        }
        free
    }

    /// An answer arrived; says whether one was waited for.
    pub(crate) fn receive_answer(&mut self) -> bool {
        let awaited = *self == Negotiation::OfferSent;
        if awaited {
            *self = Negotiation::Stable;
        }
        awaited
    }

    /// We answered or refused the peer's offer, or the peer refused ours: all is as it was before
    /// (RFC 3261 14.1).
    pub(crate) fn settle(&mut self) {
        *self = Negotiation::Stable;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offer_and_answer_take_turns() {
        let mut negotiation = Negotiation::default();
        assert_eq!(negotiation.receive_offer(), Ok(()));
        negotiation.settle();
        assert!(negotiation.send_offer());
        assert!(negotiation.receive_answer());
        assert_eq!(negotiation, Negotiation::Stable);
    }

    // RFC 3311 5.2, RFC 3261 14.2
    #[test]
    fn an_offer_that_meets_ours_is_glare() {
        let mut negotiation = Negotiation::default();
        assert!(negotiation.send_offer());
        assert_eq!(negotiation.receive_offer(), Err(Conflict::Glare));
        assert_eq!(negotiation, Negotiation::OfferSent);
    }

    // RFC 3311 5.2
    #[test]
    fn a_second_offer_before_the_first_is_answered_has_to_wait() {
        let mut negotiation = Negotiation::default();
        assert_eq!(negotiation.receive_offer(), Ok(()));
        assert_eq!(negotiation.receive_offer(), Err(Conflict::Unanswered));
        assert!(!negotiation.send_offer());
    }

    #[test]
    fn an_answer_nobody_waits_for_is_none() {
        assert!(!Negotiation::default().receive_answer());
        assert!(!Negotiation::OfferReceived.receive_answer());
    }
}
