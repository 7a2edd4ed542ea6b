//! Questions to the resolver, and who waits for the answers (RFC 3263 4).

use std::collections::BTreeMap;

use umbel_node::QueryId;
use umbel_sip_message::Uri;

/// The questions under way. Messages for the same URI wait for the same answer, in order, so that a
/// BYE cannot overtake the ACK before it.
pub(crate) struct Questions<P> {
    asked: BTreeMap<Uri, QueryId>,
    waiting: BTreeMap<QueryId, (Uri, Vec<P>)>,
    last: u64,
    waiting_max: usize,
}

impl<P> Questions<P> {
    pub(crate) fn new(waiting_max: usize) -> Self {
        Questions { asked: BTreeMap::new(), waiting: BTreeMap::new(), last: 0, waiting_max }
    }

    /// Lets a parcel wait for an answer; the question is new where an id comes back.
    /// Gives the parcel back where too many wait.
    pub(crate) fn ask(&mut self, uri: &Uri, parcel: P) -> Result<Option<QueryId>, P> {
        if let Some((_, waiting)) = self.asked.get(uri).and_then(|query| self.waiting.get_mut(query)) {
            if waiting.len() >= self.waiting_max {
                return Err(parcel);
            }
            waiting.push(parcel);
            return Ok(None);
        }
        self.last += 1;
        let query = QueryId(self.last);
        self.asked.insert(uri.clone(), query);
        self.waiting.insert(query, (uri.clone(), vec![parcel]));
        Ok(Some(query))
    }

    /// An answer came; gives what was waiting for it.
    pub(crate) fn answered(&mut self, query: QueryId) -> Vec<P> {
        let Some((uri, waiting)) = self.waiting.remove(&query) else { return Vec::new() };
        self.asked.remove(&uri);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect("a URI")
    }

    #[test]
    fn messages_for_one_uri_wait_for_one_answer_in_order() {
        let mut questions = Questions::new(8);
        let first = questions.ask(&uri("sip:a.example"), 1).expect("room").expect("a new question");
        assert_eq!(questions.ask(&uri("sip:a.example"), 2), Ok(None));
        let other = questions.ask(&uri("sip:b.example"), 3).expect("room").expect("a new question");
        assert_ne!(first, other);
        assert_eq!(questions.answered(first), [1, 2]);
        assert_eq!(questions.answered(first), []);
        assert!(questions.ask(&uri("sip:a.example"), 4).expect("room").is_some());
        assert_eq!(questions.answered(other), [3]);
    }

    #[test]
    fn no_more_wait_for_an_answer_than_allowed() {
        let mut questions = Questions::new(1);
        assert!(questions.ask(&uri("sip:a.example"), 1).is_ok());
        assert_eq!(questions.ask(&uri("sip:a.example"), 2), Err(2));
    }
}
