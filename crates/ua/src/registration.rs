//! Registering with a registrar and staying registered: RFC 3261 10.2, with the keep-alive and
//! the back-off of RFC 5626.

use std::time::Duration;

use arrayvec::ArrayVec;
use umbel_node::FlowId;
use umbel_sip_message::{StatusCode, Uri};

use crate::invite::actions;
use crate::{Credentials, Way};

/// What is asked for where the account names nothing else.
pub const EXPIRES: Duration = Duration::from_secs(3_600);
/// RFC 5626 4.5: the first wait after a failure, where no other flow is left.
const BASE_TIME: Duration = Duration::from_secs(30);
/// RFC 5626 4.5: the longest wait.
const MAX_TIME: Duration = Duration::from_secs(1_800);
/// RFC 5626 4.4.1: the keep-alive period for connections, where the registrar names none.
const KEEP_ALIVE: Duration = Duration::from_secs(120);
/// A long registration is refreshed this long before it ends, a short one at half its time.
const REFRESH_BEFORE: Duration = Duration::from_secs(600);
/// A registration is not refreshed sooner than this, however short it was granted: a registrar that grants a second, or
/// none, would be asked without end.
const REFRESH_AFTER_MIN: Duration = Duration::from_secs(5);
/// Nor later than this, however long.
const REFRESH_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How often one attempt follows a 423 with a longer interval.
const TOO_BRIEF_MAX: u8 = 2;

/// As whom, where and how to register.
#[derive(Clone, Debug)]
pub struct Account {
    /// The address-of-record.
    pub address_of_record: Uri,
    /// The Request-URI: the domain of the registrar, without a user part.
    pub registrar: Uri,
    /// The way there.
    pub way: Way,
    /// RFC 5626 4.1: `urn:uuid:…` of this telephone; `None` registers without `outbound`.
    pub instance: Option<String>,
    /// How long to be registered.
    pub expires: Duration,
    /// What to answer a challenge with.
    pub credentials: Option<Credentials>,
}

/// A change of the registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Registered, for the first time or again. Calls come along `flow`.
    Registered {
        /// The flow that carried the REGISTER.
        flow: FlowId,
        /// For how long the registrar granted it.
        expires: Duration,
        /// Whether the registrar asked for our credentials and accepted them. What
        /// [MS-OCEXUM] 2.2.1 demands of a client before it asks to skip the PIN.
        authenticated: bool,
    },
    /// Not registered for now; tried again by itself.
    Lost {
        /// What the registrar answered, where it did.
        status: Option<StatusCode>,
    },
    /// Refused, and not tried again: asking once more would get the same answer.
    Refused(StatusCode),
    /// Withdrawn, as ordered.
    Unregistered,
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    /// Not wanted, or refused for good.
    Idle,
    /// A REGISTER is on its way.
    Registering(Attempt),
    /// The registrar has our binding.
    Registered {
        /// What the binding goes along.
        flow: FlowId,
        /// How long the flow may be silent.
        keep_alive: Duration,
    },
    /// An attempt failed; the next one waits.
    Waiting(Attempt),
    /// A REGISTER with an expiry of zero is on its way.
    Unregistering,
}

/// What led to the present attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Failures in a row before it.
    failures: u32,
    /// How often it was answered with 423.
    too_brief: u8,
    /// The interval that the registrar insists on.
    expires: Option<Duration>,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// We want to be registered.
    Register,
    /// We want to be registered no longer.
    Unregister,
    /// A 2xx came.
    Accepted {
        flow: FlowId,
        expires: Duration,
        authenticated: bool,
        /// RFC 5626 11.4: the `Flow-Timer` of the response.
        flow_timer: Option<Duration>,
    },
    /// A 423 came (RFC 3261 10.2.8).
    TooBrief { min_expires: Duration },
    /// Another final response came.
    Refused { status: StatusCode, retry_after: Option<Duration> },
    /// None came, or the REGISTER could not be sent.
    Failed,
    /// A flow is gone.
    FlowClosed(FlowId),
    /// It is time to refresh, or to try again.
    Due,
    /// It is time to show that the flow is alive.
    KeepAliveDue,
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a REGISTER; `None` asks for what the account says, zero withdraws.
    Send { expires: Option<Duration> },
    /// Wake with [`Input::Due`] after this.
    WakeAfter(Duration),
    /// Wake with [`Input::Due`] after a time between half of this and all of it (RFC 5626 4.5).
    WakeWithin(Duration),
    /// Send CRLF CRLF along the flow (RFC 5626 4.4.1).
    Ping(FlowId),
    /// Wake with [`Input::KeepAliveDue`] after a time between 80 % of this and all of it.
    KeepAliveWithin(Duration),
    /// Stop all waking.
    Rest,
    /// Tell.
    Tell(News),
}

/// At most three things follow from one.
pub(crate) type Actions = ArrayVec<Action, 3>;

impl Registration {
    pub(crate) fn step(self, input: Input) -> (Self, Actions) {
        use Action::*;
        use Registration::*;
        match (self, input) {
            (Idle | Waiting(_) | Registered { .. }, Input::Register) => {
                (Registering(Attempt::default()), actions![Rest, Send { expires: None }])
            }

            // RFC 3261 10.3: a binding that expires at once is none, whatever the status says.
            (Registering(attempt), Input::Accepted { expires: Duration::ZERO, .. }) => {
                attempt.wait(Some(StatusCode::OK), None)
            }
            (Registering(_), Input::Accepted { flow, expires, authenticated, flow_timer }) => {
                let keep_alive = flow_timer.unwrap_or(KEEP_ALIVE);
                let told = Tell(News::Registered { flow, expires, authenticated });
                let actions = actions![told, WakeAfter(refresh_after(expires)), KeepAliveWithin(keep_alive)];
                (Registered { flow, keep_alive }, actions)
            }
            // RFC 3261 10.2.8: "MAY retry the registration after making the expiration interval …
            // equal to or greater than the expiration interval within the Min-Expires".
            (Registering(attempt), Input::TooBrief { min_expires }) if attempt.too_brief < TOO_BRIEF_MAX => {
                let too_brief = attempt.too_brief + 1;
                let attempt = Attempt { too_brief, expires: Some(min_expires), ..attempt };
                (Registering(attempt), actions![Send { expires: Some(min_expires) }])
            }
            (Registering(_), Input::TooBrief { .. }) => {
                (Idle, actions![Rest, Tell(News::Refused(StatusCode::INTERVAL_TOO_BRIEF))])
            }
            (Registering(attempt), Input::Refused { status, retry_after }) => match status.class() {
                // RFC 5626 4.5, RFC 3261 20.33: the server's trouble, which will pass.
                5 => attempt.wait(Some(status), retry_after),
                _ if status == StatusCode::REQUEST_TIMEOUT => attempt.wait(Some(status), retry_after),
                _ => (Idle, actions![Rest, Tell(News::Refused(status))]),
            },
            (Registering(attempt), Input::Failed) => attempt.wait(None, None),

            (Waiting(attempt), Input::Due) => {
                (Registering(attempt), actions![Send { expires: attempt.expires }])
            }
            (Registered { .. }, Input::Due) => {
                (Registering(Attempt::default()), actions![Rest, Send { expires: None }])
            }
            (Registered { flow, keep_alive }, Input::KeepAliveDue) => {
                (Registered { flow, keep_alive }, actions![Ping(flow), KeepAliveWithin(keep_alive)])
            }
            // RFC 5626 4.5: a flow that failed is replaced, but not by everybody at once.
            (Registered { flow, .. }, Input::FlowClosed(closed)) if flow == closed => {
                Attempt::default().wait(None, None)
            }

            (Registered { .. } | Registering(_), Input::Unregister) => {
                (Unregistering, actions![Rest, Send { expires: Some(Duration::ZERO) }])
            }
            (Waiting(_), Input::Unregister) => (Idle, actions![Rest, Tell(News::Unregistered)]),
            // Whatever the answer: there is nobody left to be called.
            (
                Unregistering,
                Input::Accepted { .. } | Input::TooBrief { .. } | Input::Refused { .. } | Input::Failed,
            ) => (Idle, actions![Tell(News::Unregistered)]),
            (Unregistering, Input::Register) => {
                (Registering(Attempt::default()), actions![Send { expires: None }])
            }

            // What is left is late, or about another flow.
            (state, _) => (state, actions![]),
        }
    }
}

impl Attempt {
    /// RFC 5626 4.5: "the wait time … W = min( max-time, (base-time * (2 ^ consecutive-failures)))".
    fn wait(self, status: Option<StatusCode>, retry_after: Option<Duration>) -> (Registration, Actions) {
        let exponent = self.failures.min(16);
        let back_off = (BASE_TIME * 2_u32.pow(exponent)).min(MAX_TIME);
        let failures = self.failures.saturating_add(1);
        let wake = match retry_after {
            // Half of it is the least that back-off waits.
            Some(asked) if asked > back_off / 2 => Action::WakeAfter(asked.min(MAX_TIME)),
            Some(_) | None => Action::WakeWithin(back_off),
        };
        let attempt = Attempt { failures, too_brief: 0, ..self };
        (Registration::Waiting(attempt), actions![Action::Rest, Action::Tell(News::Lost { status }), wake])
    }
}

/// When to refresh a registration that was granted for so long (RFC 3261 10.2.4 leaves it open).
fn refresh_after(expires: Duration) -> Duration {
    let wait = if expires > REFRESH_BEFORE * 2 { expires - REFRESH_BEFORE } else { expires / 2 };
    wait.clamp(REFRESH_AFTER_MIN, REFRESH_AFTER_MAX)
}

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::*;

    const FLOW: FlowId = FlowId(1);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn accepted(expires: Duration) -> Input {
        Input::Accepted { flow: FLOW, expires, authenticated: true, flow_timer: None }
    }

    fn registered(expires: Duration) -> Action {
        Tell(News::Registered { flow: FLOW, expires, authenticated: true })
    }

    /// Feeds the inputs one after the other, and gives the last state and what the last one led to.
    fn run(inputs: &[Input]) -> (Registration, Vec<Action>) {
        let mut state = Registration::Idle;
        let mut last = Vec::new();
        for input in inputs {
            let (next, actions) = state.step(*input);
            state = next;
            last = actions.to_vec();
        }
        (state, last)
    }

    #[test]
    fn registers_and_refreshes_ten_minutes_before_the_end() {
        let (state, actions) = run(&[Input::Register, accepted(HOUR)]);
        assert_eq!(state, Registration::Registered { flow: FLOW, keep_alive: KEEP_ALIVE });
        assert_eq!(
            actions,
            [
                registered(HOUR),
                WakeAfter(Duration::from_secs(3_000)),
                KeepAliveWithin(Duration::from_secs(120))
            ]
        );
        let (_, actions) = run(&[Input::Register, accepted(HOUR), Input::Due]);
        assert_eq!(actions, [Rest, Send { expires: None }]);
    }

    #[test]
    fn a_short_registration_is_refreshed_at_half_time() {
        let (_, actions) = run(&[Input::Register, accepted(Duration::from_secs(60))]);
        assert_eq!(actions[1], WakeAfter(Duration::from_secs(30)));
    }

    /// A registrar must not make us ask it without end, nor never again.
    #[test]
    fn however_short_or_long_it_was_granted_it_is_refreshed_within_bounds() {
        for (granted, refreshed) in [
            (1, REFRESH_AFTER_MIN),
            (9, REFRESH_AFTER_MIN),
            (11, Duration::from_millis(5_500)),
            (u64::from(u32::MAX), REFRESH_AFTER_MAX),
        ] {
            let (_, actions) = run(&[Input::Register, accepted(Duration::from_secs(granted))]);
            assert_eq!(actions[1], WakeAfter(refreshed), "{granted} s");
        }
    }

    /// RFC 3261 10.3, RFC 5626 4.5: registered for no time is not registered, and asked again like any failure.
    #[test]
    fn a_binding_for_no_time_is_none() {
        let (state, actions) = run(&[Input::Register, accepted(Duration::ZERO)]);
        assert!(matches!(state, Registration::Waiting(_)), "{state:?}");
        let lost = Tell(News::Lost { status: Some(StatusCode::OK) });
        assert_eq!(actions, [Rest, lost.clone(), WakeWithin(BASE_TIME)]);
        let (_, actions) =
            run(&[Input::Register, accepted(Duration::ZERO), Input::Due, accepted(Duration::ZERO)]);
        assert_eq!(actions, [Rest, lost, WakeWithin(BASE_TIME * 2)]);
    }

    // RFC 3261 10.2.8, DEC-7
    #[test]
    fn an_interval_too_brief_is_asked_again_twice_at_most() {
        let brief = Input::TooBrief { min_expires: Duration::from_secs(120) };
        let (_, actions) = run(&[Input::Register, brief]);
        assert_eq!(actions, [Send { expires: Some(Duration::from_secs(120)) }]);
        let (state, actions) = run(&[Input::Register, brief, brief, brief]);
        assert_eq!(state, Registration::Idle);
        assert_eq!(actions, [Rest, Tell(News::Refused(StatusCode::INTERVAL_TOO_BRIEF))]);
    }

    // RFC 5626 4.5
    #[test]
    fn waits_twice_as_long_after_each_failure_up_to_half_an_hour() {
        let mut inputs = vec![Input::Register];
        let mut waits = Vec::new();
        for _ in 0..8 {
            inputs.push(Input::Failed);
            let (_, actions) = run(&inputs);
            waits.extend(actions.iter().filter_map(|action| match action {
                WakeWithin(wait) => Some(wait.as_secs()),
                _ => None,
            }));
            inputs.push(Input::Due);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_800, 1_800]);
    }

    #[test]
    fn a_server_in_trouble_is_asked_again_when_it_says_and_a_refusal_is_final() {
        let busy = |secs| Input::Refused {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(Duration::from_secs(secs)),
        };
        let told = Tell(News::Lost { status: Some(StatusCode::SERVICE_UNAVAILABLE) });
        let later = WakeAfter(Duration::from_secs(300));
        assert_eq!(run(&[Input::Register, busy(300)]).1, [Rest, told, later]);
        assert_eq!(run(&[Input::Register, busy(1)]).1[2], WakeWithin(BASE_TIME));
        let forbidden = Input::Refused { status: StatusCode::FORBIDDEN, retry_after: None };
        let (state, actions) = run(&[Input::Register, forbidden]);
        assert_eq!(state, Registration::Idle);
        assert_eq!(actions, [Rest, Tell(News::Refused(StatusCode::FORBIDDEN))]);
    }

    // RFC 5626 4.5
    #[test]
    fn the_flow_that_carries_the_registration_is_replaced_when_it_fails_and_no_other() {
        let (state, _) = run(&[Input::Register, accepted(HOUR), Input::FlowClosed(FlowId(99))]);
        assert_eq!(state, Registration::Registered { flow: FLOW, keep_alive: KEEP_ALIVE });
        let (_, actions) = run(&[Input::Register, accepted(HOUR), Input::FlowClosed(FLOW)]);
        assert_eq!(actions, [Rest, Tell(News::Lost { status: None }), WakeWithin(BASE_TIME)]);
    }

    // RFC 5626 4.4.1
    #[test]
    fn keeps_the_flow_alive() {
        let (_, actions) = run(&[Input::Register, accepted(HOUR), Input::KeepAliveDue]);
        assert_eq!(actions, [Ping(FLOW), KeepAliveWithin(KEEP_ALIVE)]);
        assert!(run(&[Input::Register, Input::KeepAliveDue]).1.is_empty());
    }

    #[test]
    fn withdraws_whatever_the_answer() {
        let (_, actions) = run(&[Input::Register, accepted(HOUR), Input::Unregister]);
        assert_eq!(actions, [Rest, Send { expires: Some(Duration::ZERO) }]);
        for answer in [accepted(Duration::ZERO), Input::Failed] {
            let (state, actions) = run(&[Input::Register, accepted(HOUR), Input::Unregister, answer]);
            assert_eq!(state, Registration::Idle);
            assert_eq!(actions, [Tell(News::Unregistered)]);
        }
    }
}
