//! Steps of a subscription of ours, without messages.

use super::Action::*;
use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const ACCEPTED: Input = Input::Accepted { expires: HOUR };
const NOTIFIED: Input = Input::Notified { expires: Some(HOUR) };

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refused(code: u16, retry_after: Option<u64>) -> Input {
    let status = StatusCode::new(code).unwrap_or(StatusCode::OK);
    Input::Refused { status, retry_after: retry_after.map(secs) }
}

/// Feeds the inputs one after the other, and gives the last state and what the last one led to.
fn run(inputs: &[Input]) -> (State, Vec<Action>) {
    let mut state = State::default();
    let mut last = Vec::new();
    for input in inputs {
        let (next, actions) = state.step(*input);
        state = next;
        last = actions.to_vec();
    }
    (state, last)
}

/// What the last of these leads to, once there is a subscription.
fn active(inputs: &[Input]) -> (State, Vec<Action>) {
    run(&[&[Input::Subscribe, ACCEPTED, NOTIFIED], inputs].concat())
}

/// RFC 6665 4.1.2.4
#[test]
fn a_subscription_is_there_with_the_first_notify_whichever_comes_first() {
    let wake = Wake { least: secs(1_800), most: secs(3_000) };
    assert_eq!(run(&[Input::Subscribe]).1, [Rest, Begin]);
    let (state, actions) = run(&[Input::Subscribe, ACCEPTED, NOTIFIED]);
    assert_eq!((state, actions), (State::Active { refresh: None }, vec![Tell(Told::Subscribed), wake]));
    let (state, actions) = run(&[Input::Subscribe, NOTIFIED, ACCEPTED]);
    assert_eq!((state, actions), (State::Active { refresh: None }, vec![wake]));
}

#[test]
fn without_a_notify_there_is_no_subscription() {
    assert_eq!(run(&[Input::Subscribe, ACCEPTED]).1, [Wake { least: TIMER_N, most: TIMER_N }]);
    let (state, actions) = run(&[Input::Subscribe, ACCEPTED, Input::Due]);
    assert!(matches!(state, State::Waiting(_)));
    assert_eq!(actions, [Rest, Forget, Tell(Told::Lost), Wake { least: secs(1), most: secs(2) }]);
}

#[test]
fn it_is_refreshed_and_the_notifier_says_when() {
    let (state, actions) = active(&[Input::Due]);
    assert_eq!(actions, [Rest, Send { expires: None }]);
    assert_eq!(state.step(Input::Due).1.len(), 0);
    let (state, actions) = active(&[Input::Due, Input::Accepted { expires: secs(60) }]);
    assert_eq!(state, State::Active { refresh: None });
    assert_eq!(actions, [Wake { least: secs(30), most: secs(50) }]);
    let (_, actions) = active(&[Input::Notified { expires: Some(secs(120)) }]);
    assert_eq!(actions, [Wake { least: secs(60), most: secs(100) }]);
}

/// RFC 6665 4.1.2.2: as after the notifier's restart.
#[test]
fn who_is_forgotten_subscribes_again_at_once() {
    let (state, actions) = active(&[Input::Due, refused(481, None)]);
    assert!(matches!(state, State::NotifyWait { granted: None, .. }));
    assert_eq!(actions, [Rest, Forget, Begin]);
    // Where the new one is not taken either, it waits.
    assert!(matches!(active(&[Input::Due, refused(481, None), refused(481, None)]).0, State::Waiting(_)));
}

/// RFC 6665 4.1.3
#[test]
fn the_reason_of_an_end_says_what_is_next() {
    let again = active(&[Input::Ended(Ended::Again)]);
    let wake = Wake { least: AGAIN_WITHIN / 2, most: AGAIN_WITHIN };
    assert_eq!(again.1, [Rest, Forget, Tell(Told::Lost), wake]);
    let later = active(&[Input::Ended(Ended::Later(Some(secs(40))))]);
    assert_eq!(later.1.last(), Some(&Wake { least: secs(40), most: secs(50) }));
    let vague = active(&[Input::Ended(Ended::Later(None))]);
    assert_eq!(vague.1.last(), Some(&Wake { least: secs(1), most: secs(2) }));
    let never = active(&[Input::Ended(Ended::Never)]);
    assert_eq!(never, (State::Init, vec![Rest, Forget, Tell(Told::Rejected)]));
    // Who ends each subscription with its first NOTIFY is asked less and less often.
    let quick = run(&[Input::Subscribe, Input::Ended(Ended::Again), Input::Due, Input::Ended(Ended::Again)]);
    assert_eq!(quick.1.last(), Some(&Wake { least: secs(2), most: secs(4) }));
}

#[test]
fn failures_are_followed_by_longer_and_longer_waits_up_to_a_bound() {
    let mut inputs = vec![Input::Subscribe];
    let mut waits = Vec::new();
    for _ in 0..10 {
        inputs.push(Input::Failed);
        waits.extend(run(&inputs).1.iter().filter_map(|action| match action {
            Wake { most, .. } => Some(most.as_secs()),
            _ => None,
        }));
        inputs.push(Input::Due);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    let (_, actions) = run(&[Input::Subscribe, refused(503, Some(999_999))]);
    assert_eq!(actions.last(), Some(&Wake { least: RETRY_AFTER_MAX, most: RETRY_AFTER_MAX * 5 / 4 }));
    // Once there is a subscription, it begins anew.
    let (_, actions) = run(&[&inputs[..], &[ACCEPTED, NOTIFIED, Input::Due, Input::Failed]].concat());
    assert_eq!(actions.last(), Some(&Wake { least: secs(1), most: secs(2) }));
}

#[test]
fn a_refusal_about_us_is_final_and_one_about_the_moment_is_not() {
    for code in [403, 404, 405, 489, 501, 603] {
        let status = StatusCode::new(code).unwrap_or(StatusCode::OK);
        let (state, actions) = run(&[Input::Subscribe, refused(code, None)]);
        assert_eq!((state, actions), (State::Init, vec![Rest, Forget, Tell(Told::Refused(status))]));
        assert_eq!(active(&[Input::Due, refused(code, None)]).0, State::Init);
    }
    for code in [408, 480, 481, 500, 503] {
        assert!(matches!(run(&[Input::Subscribe, refused(code, None)]).0, State::Waiting(_)), "{code}");
    }
    assert!(matches!(run(&[Input::Subscribe, refused(404, Some(9))]).0, State::Waiting(_)));
}

#[test]
fn an_interval_too_brief_is_asked_again_twice_at_most() {
    let brief = Input::TooBrief { min_expires: secs(7_200) };
    assert_eq!(run(&[Input::Subscribe, brief]).1, [Send { expires: Some(secs(7_200)) }]);
    assert_eq!(run(&[Input::Subscribe, brief, brief, brief]).0, State::Init);
    assert_eq!(active(&[Input::Due, brief]).1, [Send { expires: Some(secs(7_200)) }]);
    assert!(matches!(active(&[Input::Due, brief, brief, brief]).0, State::Waiting(_)));
}

#[test]
fn it_is_given_up_whatever_the_answer() {
    let zero = Send { expires: Some(Duration::ZERO) };
    let (state, actions) = active(&[Input::Unsubscribe]);
    assert_eq!((state, actions[1]), (State::Terminating, zero));
    let done = (State::Init, vec![Rest, Forget, Tell(Told::Unsubscribed)]);
    for last in [Input::Ended(Ended::Again), Input::Failed, refused(481, None), Input::Due] {
        assert_eq!(active(&[Input::Unsubscribe, last]), done);
    }
    assert_eq!(active(&[Input::Unsubscribe, ACCEPTED]).0, State::Terminating);
    assert_eq!(run(&[Input::Subscribe, Input::Unsubscribe]), done);
    assert_eq!(run(&[Input::Subscribe, Input::Failed, Input::Unsubscribe]), done);
    assert_eq!(active(&[Input::Unsubscribe, Input::Subscribe]).1, [Rest, Forget, Begin]);
}
