//! Where a subscription of ours stands: RFC 6665 4.1, figure 2; with resubscription and back-off.

use std::time::Duration;

use arrayvec::ArrayVec;
use umbel_sip_message::StatusCode;

use crate::actions;

/// The first wait after a failure; doubled with each one more.
pub(super) const BACK_OFF_FIRST: Duration = Duration::from_secs(2);
/// The longest wait after a failure.
pub(super) const BACK_OFF_MAX: Duration = Duration::from_secs(300);
/// The longest wait that the other side can ask for.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// "Retry immediately" (RFC 6665 4.1.3): within this, so that a notifier that says so each time is not
/// asked faster.
pub(super) const AGAIN_WITHIN: Duration = Duration::from_secs(1);
/// RFC 6665 4.1.2.4, Timer N: how long the first NOTIFY may be missing.
pub(super) const TIMER_N: Duration = Duration::from_secs(32);
/// How often one attempt follows a 423 with a longer interval.
const TOO_BRIEF_MAX: u8 = 2;

/// Where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Not wanted, or refused for good.
    #[default]
    Init,
    /// Asked for; no NOTIFY has come yet.
    NotifyWait { attempt: Attempt, granted: Option<Duration> },
    /// There is one. RFC 6665's *pending* is no different to us.
    Active { refresh: Option<Attempt> },
    /// It ended, or could not be had; the next attempt waits.
    Waiting(Attempt),
    /// Given up by us; the last NOTIFY is to come.
    Terminating,
}

/// What led to the present attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Failures in a row before it.
    failures: u32,
    /// How often it was answered with 423.
    too_brief: u8,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// We want to know.
    Subscribe,
    /// We want to know no longer.
    Unsubscribe,
    /// A 2xx came.
    Accepted { expires: Duration },
    /// A 423 came.
    TooBrief { min_expires: Duration },
    /// Another final response came.
    Refused { status: StatusCode, retry_after: Option<Duration> },
    /// None came, or the SUBSCRIBE could not be sent.
    Failed,
    /// A NOTIFY came that says that there is a subscription.
    Notified { expires: Option<Duration> },
    /// A NOTIFY came that says that there is none any more.
    Ended(Ended),
    /// It is time to refresh, or to try again; or we want to do so now.
    Due,
}

/// What the notifier says to do: RFC 6665 4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// `deactivated`, `timeout`: subscribe again.
    Again,
    /// `probation`, `giveup`, and what we do not know: subscribe again after a while.
    Later(Option<Duration>),
    /// `rejected`, `noresource`, `invariant`: leave it.
    Never,
}

/// What it wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send a SUBSCRIBE under a new Call-ID and tag.
    Begin,
    /// Send one more SUBSCRIBE of the present subscription, for so long; `None`: as the account says.
    Send { expires: Option<Duration> },
    /// Forget the dialog: NOTIFYs of it are nobody's.
    Forget,
    /// Tell [`Input::Due`] after a time between these two.
    Wake { least: Duration, most: Duration },
    /// Stop all waking.
    Rest,
    /// Tell.
    Tell(Told),
}

/// A change of the subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Subscribed,
    Lost,
    Refused(StatusCode),
    Rejected,
    Unsubscribed,
}

/// At most four things follow from one.
pub(super) type Actions = ArrayVec<Action, 4>;

impl State {
    pub(super) fn step(self, input: Input) -> (Self, Actions) {
        use Action::*;
        use State::*;
        match (self, input) {
            (Init | Waiting(_), Input::Subscribe) => {
                (NotifyWait { attempt: Attempt::default(), granted: None }, actions![Rest, Begin])
            }
            (Terminating, Input::Subscribe) => {
                (NotifyWait { attempt: Attempt::default(), granted: None }, actions![Rest, Forget, Begin])
            }
            (Waiting(attempt), Input::Due) => (NotifyWait { attempt, granted: None }, actions![Rest, Begin]),

            // RFC 6665 4.1.2.4: without a NOTIFY there is no subscription, whatever the 2xx said.
            (NotifyWait { attempt, .. }, Input::Accepted { expires }) => (
                NotifyWait { attempt, granted: Some(expires) },
                actions![Wake { least: TIMER_N, most: TIMER_N }],
            ),
            (NotifyWait { attempt, granted: Some(_) }, Input::Due) => attempt.wait(None),
            // The NOTIFY may be faster than the 2xx (RFC 6665 4.1.2.3).
            (NotifyWait { granted, .. }, Input::Notified { expires }) => {
                let expires = expires.or(granted).unwrap_or(crate::notifier::EXPIRES);
                (Active { refresh: None }, actions![Tell(Told::Subscribed), refresh(expires)])
            }
            (NotifyWait { attempt, granted }, Input::TooBrief { min_expires })
                if attempt.too_brief < TOO_BRIEF_MAX =>
            {
                let attempt = Attempt { too_brief: attempt.too_brief + 1, ..attempt };
                (NotifyWait { attempt, granted }, actions![Send { expires: Some(min_expires) }])
            }
            (NotifyWait { .. }, Input::TooBrief { .. }) => State::refused(StatusCode::INTERVAL_TOO_BRIEF),
            (NotifyWait { attempt, .. }, Input::Refused { status, retry_after }) => {
                if passes(status) || retry_after.is_some() {
                    attempt.wait(retry_after)
                } else {
                    State::refused(status)
                }
            }
            (NotifyWait { attempt, .. }, Input::Failed) => attempt.wait(None),
            // A server that ends each subscription with its first NOTIFY is not asked all the time.
            (NotifyWait { attempt, .. }, Input::Ended(Ended::Again)) => attempt.wait(None),

            (Active { refresh: None }, Input::Due) => {
                (Active { refresh: Some(Attempt::default()) }, actions![Rest, Send { expires: None }])
            }
            (Active { .. }, Input::Accepted { expires }) => {
                (Active { refresh: None }, actions![refresh(expires)])
            }
            (Active { refresh: Some(attempt) }, Input::TooBrief { min_expires })
                if attempt.too_brief < TOO_BRIEF_MAX =>
            {
                let attempt = Attempt { too_brief: attempt.too_brief + 1, ..attempt };
                (Active { refresh: Some(attempt) }, actions![Send { expires: Some(min_expires) }])
            }
            // RFC 6665 4.1.2.2: the notifier knows nothing of us, as after its restart.
            (Active { .. }, Input::Refused { status, .. })
                if status == StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST =>
            {
                let state = NotifyWait { attempt: Attempt::default(), granted: None };
                (state, actions![Rest, Forget, Begin])
            }
            (Active { .. }, Input::Refused { status, retry_after }) => {
                if passes(status) || retry_after.is_some() {
                    Attempt::default().wait(retry_after)
                } else {
                    State::refused(status)
                }
            }
            (Active { .. }, Input::Failed | Input::TooBrief { .. }) => Attempt::default().wait(None),
            // The NOTIFY says last how long there is (RFC 6665 4.1.2.4); an answer to a refresh of ours
            // is still to come.
            (Active { refresh: None }, Input::Notified { expires: Some(expires) }) => {
                (Active { refresh: None }, actions![refresh(expires)])
            }
            (Active { .. }, Input::Ended(Ended::Again)) => {
                let wake = Wake { least: AGAIN_WITHIN / 2, most: AGAIN_WITHIN };
                (Waiting(Attempt::default()), actions![Rest, Forget, Tell(Told::Lost), wake])
            }
            (Active { .. }, Input::Ended(Ended::Later(wait))) => Attempt::default().wait(wait),
            (NotifyWait { attempt, .. }, Input::Ended(Ended::Later(wait))) => attempt.wait(wait),
            (NotifyWait { .. } | Active { .. }, Input::Ended(Ended::Never)) => {
                (Init, actions![Rest, Forget, Tell(Told::Rejected)])
            }

            (Active { .. }, Input::Unsubscribe) => {
                let wake = Wake { least: TIMER_N, most: TIMER_N };
                (Terminating, actions![Rest, Send { expires: Some(Duration::ZERO) }, wake])
            }
            // There is no dialog to say so in; the first NOTIFY will hear 481, which ends it as well.
            (NotifyWait { .. } | Waiting(_), Input::Unsubscribe) => State::unsubscribed(),
            // Whatever the answer: we do not want to know any more.
            (
                Terminating,
                Input::Ended(_) | Input::Refused { .. } | Input::TooBrief { .. } | Input::Failed | Input::Due,
            ) => State::unsubscribed(),

            // What is left is late, or changes nothing.
            (state, _) => (state, actions![]),
        }
    }

    fn refused(status: StatusCode) -> (Self, Actions) {
        (State::Init, actions![Action::Rest, Action::Forget, Action::Tell(Told::Refused(status))])
    }

    fn unsubscribed() -> (Self, Actions) {
        (State::Init, actions![Action::Rest, Action::Forget, Action::Tell(Told::Unsubscribed)])
    }
}

impl Attempt {
    /// A failure: once more, after a while.
    fn wait(self, retry_after: Option<Duration>) -> (State, Actions) {
        let exponent = self.failures.min(16);
        let back_off = (BACK_OFF_FIRST * 2_u32.pow(exponent)).min(BACK_OFF_MAX);
        let wake = match retry_after {
            // Those who were sent away together do not come back together.
            Some(wait) => {
                let wait = wait.min(RETRY_AFTER_MAX);
                Action::Wake { least: wait, most: wait + wait / 4 }
            }
            None => Action::Wake { least: back_off / 2, most: back_off },
        };
        let attempt = Attempt { failures: self.failures.saturating_add(1), too_brief: 0 };
        (State::Waiting(attempt), actions![Action::Rest, Action::Forget, Action::Tell(Told::Lost), wake])
    }
}

/// Whether a refusal is about the moment and not about us: the server's trouble, or nobody there.
fn passes(status: StatusCode) -> bool {
    status.class() == 5 && status.as_u16() != 501 || matches!(status.as_u16(), 408 | 480 | 481 | 429)
}

/// When to refresh a subscription of this length: well before its end, and not all at the same time.
fn refresh(expires: Duration) -> Action {
    Action::Wake { least: expires / 2, most: expires * 5 / 6 }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
