//! Watching gateways with OPTIONS: RFC 3261 11, as a sign of life.

use std::time::Duration;

/// From one OPTIONS to the next. Longer than Timer F, so that there is never more than one.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);
/// So many requests in a row without a sign of life mean that a gateway is down.
const FAILURES_MAX: u8 = 2;

/// Whether a gateway takes calls, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It answered.
    Up,
    /// It did not answer twice in a row, or says that it serves nobody.
    Down,
}

/// What became of one OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Some final response, with this status.
    Final(u16),
    /// None came, or it could not be sent.
    Nothing,
}

impl Outcome {
    /// Any final response but 408 (somebody else could not reach it) and 503 (it serves nobody) is
    /// a sign of life; even 405 comes from a program that runs.
    fn is_alive(self) -> bool {
        !matches!(self, Outcome::Final(408 | 503) | Outcome::Nothing)
    }
}

/// What we know of one gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    failures: u8,
    standing: Option<Standing>,
}

impl Pulse {
    /// One OPTIONS ended; gives the standing where that changed it.
    pub(crate) fn step(self, outcome: Outcome) -> (Self, Option<Standing>) {
        let failures = if outcome.is_alive() { 0 } else { self.failures.saturating_add(1) };
        let standing = match failures {
            0 => Some(Standing::Up),
            failures if failures >= FAILURES_MAX => Some(Standing::Down),
            _ => self.standing,
        };
        let news = standing.filter(|_| standing != self.standing);
        (Pulse { failures, standing }, news)
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Final, Nothing};
    use super::Standing::{Down, Up};
    use super::*;

    fn check(outcomes: &[Outcome], news: &[Option<Standing>]) {
        let mut pulse = Pulse::default();
        let heard: Vec<_> = outcomes
            .iter()
            .map(|outcome| {
                let (next, news) = pulse.step(*outcome);
                pulse = next;
                news
            })
            .collect();
        assert_eq!(heard, news, "{outcomes:?}");
    }

    // PEER-11
    #[test]
    fn a_gateway_is_down_after_two_failures_and_up_after_one_answer() {
        check(
            &[Final(200), Nothing, Nothing, Nothing, Final(200)],
            &[Some(Up), None, Some(Down), None, Some(Up)],
        );
    }

    // PEER-11
    #[test]
    fn one_failure_between_answers_means_nothing() {
        check(&[Final(200), Nothing, Final(200), Nothing, Final(200)], &[Some(Up), None, None, None, None]);
    }

    // PEER-11
    #[test]
    fn every_final_response_but_408_and_503_is_a_sign_of_life() {
        for status in [200, 302, 401, 403, 404, 405, 481, 483, 500, 501, 600] {
            check(&[Final(status)], &[Some(Up)]);
        }
        for status in [408, 503] {
            check(&[Final(status), Final(status)], &[None, Some(Down)]);
        }
    }

    #[test]
    fn a_gateway_never_heard_of_is_down_after_two_failures() {
        check(&[Nothing, Nothing, Nothing], &[None, Some(Down), None]);
    }
}
