//! Who may ask for a call now: one at a time for each mailbox (DEC-25), ten an hour to numbers outside (DEC-24), and
//! the same request once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use umbel_store::Address;
use umbel_time::Instant;

use crate::{PhoneCallId, Played, Refusal, Request};

/// Requests of the same owner for the same to the same place, so close together, are one: whoever asks by HTTP asks
/// again when an answer is lost, and one telephone rings once.
pub const REPEATS_WITHIN: Duration = Duration::from_secs(10);
/// DEC-24: so many calls to numbers outside for each mailbox ...
pub const OUTSIDE_MAX: usize = 10;
/// ... within this time.
pub const OUTSIDE_WITHIN: Duration = Duration::from_secs(3_600);
/// Mailboxes whose calls to numbers outside are counted at once. With as many, further owners are refused: who makes
/// room for others by asking often would be counted no more.
const COUNTED_MAX: usize = 10_000;
/// Calls under way at once. With as many, a further one is refused.
const UNDER_WAY_MAX: usize = 10_000;

/// The calls under way, and those to numbers outside within the last hour.
#[derive(Debug, Default)]
pub struct Admission {
    under_way: BTreeMap<Address, UnderWay>,
    outside: BTreeMap<Address, VecDeque<Instant>>,
}

#[derive(Debug)]
struct UnderWay {
    id: PhoneCallId,
    played: Played,
    dial_string: Option<String>,
    asked: Instant,
}

/// What becomes of a request, as far as other requests decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is looked into. To be given back by [`Admission::ended`].
    New,
    /// It is the same as this one, a moment ago.
    Repeats(PhoneCallId),
}

impl Admission {
    /// Somebody asks for a call.
    pub fn ask(&mut self, now: Instant, request: &Request) -> Result<Admitted, Refusal> {
        if let Some(running) = self.under_way.get(&request.owner) {
            let is_same = running.played == request.played && running.dial_string == request.dial_string;
            let is_soon = now.since(running.asked) < REPEATS_WITHIN;
            return match is_same && is_soon {
                true => Ok(Admitted::Repeats(running.id)),
                false => Err(Refusal::CallInProgress),
            };
        }
        if self.under_way.len() >= UNDER_WAY_MAX {
            return Err(Refusal::Unavailable);
        }
        let Request { id, owner, played, dial_string } = request.clone();
        self.under_way.insert(owner, UnderWay { id, played, dial_string, asked: now });
        Ok(Admitted::New)
    }

    /// A call is about to go to a number outside: counts it, or refuses it.
    pub fn dial_outside(&mut self, now: Instant, owner: &Address) -> Result<(), Refusal> {
        self.outside.retain(|_, calls| {
            calls.retain(|at| now.since(*at) < OUTSIDE_WITHIN);
            !calls.is_empty()
        });
        if self.outside.len() >= COUNTED_MAX && !self.outside.contains_key(owner) {
            return Err(Refusal::TooManyCalls);
        }
        let calls = self.outside.entry(owner.clone()).or_default();
        if calls.len() >= OUTSIDE_MAX {
            return Err(Refusal::TooManyCalls);
        }
        calls.push_back(now);
        Ok(())
    }

    /// A request has come to its end, as a call or by refusal.
    pub fn ended(&mut self, owner: &Address, id: PhoneCallId) {
        if self.under_way.get(owner).is_some_and(|running| running.id == id) {
            self.under_way.remove(owner);
        }
    }

    /// Whether no call is under way.
    pub fn is_at_rest(&self) -> bool {
        self.under_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use umbel_store::{GreetingKind, MessageId};

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    fn request(id: u8, owner: &str, played: Played, dial_string: Option<&str>) -> Request {
        Request {
            id: PhoneCallId::from_bytes([id; 16]),
            owner: format!("{owner}@example.test").parse().unwrap(),
            played,
            dial_string: dial_string.map(str::to_owned),
        }
    }

    const MESSAGE: Played = Played::Message(MessageId::from_bytes([1; 16]));

    /// DEC-25, POP-9.
    #[test]
    fn one_call_at_a_time_for_each_mailbox() {
        let mut admission = Admission::default();
        let alice = request(1, "alice", MESSAGE, None);
        assert_eq!(admission.ask(at(0), &alice), Ok(Admitted::New));
        assert_eq!(admission.ask(at(0), &request(2, "bob", MESSAGE, None)), Ok(Admitted::New));
        let other = request(3, "alice", Played::Greeting(GreetingKind::Name), None);
        assert_eq!(admission.ask(at(1), &other), Err(Refusal::CallInProgress));
        let elsewhere = request(3, "alice", MESSAGE, Some("1002"));
        assert_eq!(admission.ask(at(1), &elsewhere), Err(Refusal::CallInProgress));
        // Another's end is not hers.
        admission.ended(&alice.owner, PhoneCallId::from_bytes([2; 16]));
        assert_eq!(admission.ask(at(1), &other), Err(Refusal::CallInProgress));
        admission.ended(&alice.owner, alice.id);
        assert_eq!(admission.ask(at(1), &other), Ok(Admitted::New));
        assert!(!admission.is_at_rest());
    }

    /// REL-39: "never dialled twice"; just below the time and at it.
    #[test]
    fn the_same_request_within_a_moment_is_the_same_call() {
        let mut admission = Admission::default();
        let first = request(1, "alice", MESSAGE, Some("1001"));
        assert_eq!(admission.ask(at(0), &first), Ok(Admitted::New));
        let again = request(2, "alice", MESSAGE, Some("1001"));
        assert_eq!(admission.ask(at(9), &again), Ok(Admitted::Repeats(first.id)));
        assert_eq!(admission.ask(at(10), &again), Err(Refusal::CallInProgress));
        admission.ended(&first.owner, first.id);
        assert_eq!(admission.ask(at(10), &again), Ok(Admitted::New));
    }

    /// SEC-46, DEC-24: the tenth and the eleventh, and the eleventh an hour later.
    #[test]
    fn ten_calls_an_hour_go_outside() {
        let mut admission = Admission::default();
        let (alice, bob) = (request(1, "alice", MESSAGE, None).owner, request(1, "bob", MESSAGE, None).owner);
        for minute in 0..10 {
            assert_eq!(admission.dial_outside(at(minute * 60), &alice), Ok(()), "{minute}");
        }
        assert_eq!(admission.dial_outside(at(600), &alice), Err(Refusal::TooManyCalls));
        assert_eq!(admission.dial_outside(at(600), &bob), Ok(()));
        assert_eq!(admission.dial_outside(at(3_599), &alice), Err(Refusal::TooManyCalls));
        assert_eq!(admission.dial_outside(at(3_600), &alice), Ok(()));
        assert_eq!(admission.dial_outside(at(3_600), &alice), Err(Refusal::TooManyCalls));
    }

    #[test]
    fn so_many_mailboxes_are_counted_and_no_more() {
        let mut admission = Admission::default();
        for number in 0..COUNTED_MAX {
            let owner = format!("user{number}@example.test").parse().unwrap();
            admission.outside.insert(owner, VecDeque::from([at(0)]));
        }
        let known = "user7@example.test".parse().unwrap();
        let further = "further@example.test".parse().unwrap();
        assert_eq!(admission.dial_outside(at(1), &known), Ok(()));
        assert_eq!(admission.dial_outside(at(1), &further), Err(Refusal::TooManyCalls));
        assert_eq!(admission.dial_outside(at(3_600), &further), Ok(()));
    }
}
