//! What a run makes of how calls end: the outcome that decides the exit status.

use super::*;

fn ended(how: How, lasted: Option<u64>) -> Ended {
    Ended { how, lasted: lasted.map(Duration::from_secs), missed: false, incoming: None }
}

fn refused() -> How {
    How::Refused { status: StatusCode::BUSY_HERE, reason: "Busy".to_owned(), error_id: Some(13_002) }
}

#[test]
fn a_call_of_ours_is_done_when_it_was_up_and_ended_in_order() {
    for (how, lasted, outcome) in [
        (How::ByPeer, Some(3), Outcome::Done),
        (How::ByUs, Some(3), Outcome::Done),
        (How::Lost, Some(3), Outcome::Unreachable),
        (How::NoConnection, Some(3), Outcome::Unreachable),
        (How::NoConnection, None, Outcome::Unreachable),
        (How::NoAnswer, None, Outcome::NoAnswer),
        (How::Lost, None, Outcome::NoResponse),
        (How::ByUs, None, Outcome::GivenUp),
        (How::NoRoom, None, Outcome::NoRoom),
        (
            refused(),
            None,
            Outcome::Refused {
                status: StatusCode::BUSY_HERE,
                reason: "Busy".to_owned(),
                error_id: Some(13_002),
            },
        ),
    ] {
        assert_eq!(of_our_call(&ended(how.clone(), lasted)), outcome, "{how:?} {lasted:?}");
    }
}

#[test]
fn who_answers_is_done_when_what_was_asked_for_happened() {
    use Wanted::{Answered, Refused, Rung};
    let busy = || How::RefusedByUs(StatusCode::BUSY_HERE);
    for (wanted, how, lasted, outcome) in [
        (Answered, How::ByPeer, Some(3), Some(Outcome::Done)),
        (Answered, How::Cancelled, None, Some(Outcome::CallerGaveUp)),
        (Answered, How::Lost, Some(3), Some(Outcome::Unreachable)),
        // A second caller while the line is in use: the first is still waited for.
        (Answered, busy(), None, None),
        (Rung, How::Cancelled, None, Some(Outcome::Done)),
        (Rung, How::CompletedElsewhere, None, Some(Outcome::Done)),
        (Rung, busy(), None, None),
        // It rang for as long as it may.
        (Answered, How::NoAnswer, None, Some(Outcome::NoAnswer)),
        (Rung, How::NoAnswer, None, Some(Outcome::Done)),
        (Answered, How::ByUs, None, Some(Outcome::GivenUp)),
        (Refused, busy(), None, Some(Outcome::Done)),
        (Refused, How::Cancelled, None, Some(Outcome::CallerGaveUp)),
        (Answered, How::NoRoom, None, Some(Outcome::NoRoom)),
    ] {
        assert_eq!(of_answering(&ended(how.clone(), lasted), wanted), outcome, "{wanted:?} {how:?}");
    }
}

/// A run that calls bob, and presses this many keys.
fn calling(keys: usize) -> (Errand, CallKey) {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    let uri = |text: &str| text.parse::<Uri>().expect("a URI");
    let config = Config::new(
        uri("sip:alice@example.test"),
        uri("sip:192.0.2.1:5060;transport=tcp"),
        uri("sip:alice@192.0.2.10:40000;transport=tcp"),
    );
    let goal = Goal::Call { target: uri("sip:bob@example.test"), headers: Vec::new(), registers: false };
    let key = umbel_media::Keystroke::Press(umbel_media::Digit::POUND);
    let script = Script { keys: vec![key; keys], ..Script::default() };
    let errand = Errand::begin(Instant::ZERO, config, goal, script, ChaCha20Rng::from_seed([4; 32]));
    let Stage::Calling(bob) = errand.stage.clone() else { panic!("{:?}", errand.stage) };
    (errand, bob)
}

fn answers(errand: &mut Errand, call: CallKey, takes_keys: bool) {
    let (status, codec) = (StatusCode::OK, umbel_media::Codec::Pcmu);
    let answered = umbel_phone::Answered { status, codec, encrypted: false, automatic: false, takes_keys };
    let change = Progress::Answered(answered);
    errand.told(Instant::ZERO, &News::Call { call, call_id: String::new(), change });
}

/// CMD-13: keys that cannot be sent are not said to be pressed, and nobody waits for them.
#[test]
fn keys_that_the_other_side_does_not_take_end_the_run() {
    for (keys, takes, ends) in [(1, false, true), (1, true, false), (0, false, false)] {
        let (mut errand, bob) = calling(keys);
        answers(&mut errand, bob, takes);
        let left = matches!(&errand.stage, Stage::Leaving(_, Outcome::NoKeys) | Stage::Over(Outcome::NoKeys));
        assert_eq!(left, ends, "{keys} keys, taken: {takes}: {:?}", errand.stage);
    }
}

/// What is stopped from outside is done where what was asked for had happened.
#[test]
fn a_run_that_is_stopped_before_the_answer_was_interrupted() {
    for (answered, expected) in [(false, Outcome::Interrupted), (true, Outcome::Stopped)] {
        let (mut errand, bob) = calling(0);
        if answered {
            answers(&mut errand, bob, true);
        }
        errand.stop(Instant::ZERO);
        let (Stage::Leaving(_, outcome) | Stage::Over(outcome)) = &errand.stage else {
            panic!("{:?}", errand.stage)
        };
        assert_eq!(*outcome, expected);
    }
}

/// "Never a hang beyond a named limit": a server that says nothing at all.
#[test]
fn a_server_that_never_answers_ends_the_run_within_a_minute() {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use umbel_node::{Destination, Flow, Origin, Transport};
    let uri = |text: &str| text.parse::<Uri>().expect("a URI");
    let config = Config::new(
        uri("sip:alice@example.test"),
        uri("sip:192.0.2.1:5060;transport=tcp"),
        uri("sip:alice@192.0.2.10:40000;transport=tcp"),
    );
    let goal = Goal::Answer { within: Duration::from_secs(600), answering: Wanted::Answered };
    let mut now = Instant::ZERO;
    let mut errand = Errand::begin(now, config, goal, Script::default(), ChaCha20Rng::from_seed([3; 32]));
    while errand.outcome().is_none() {
        while let Some(output) = errand.poll(now) {
            match output {
                Output::Resolve { query, .. } => {
                    let address = ([192, 0, 2, 1], 5_060).into();
                    let to = Destination { transport: Transport::Tcp, address, server_name: None };
                    errand.handle(now, Input::Resolved { query, found: Ok(vec![to]) });
                }
                Output::Open { id, to } => {
                    let flow = Flow {
                        transport: to.transport,
                        local: ([192, 0, 2, 10], 40_000).into(),
                        remote: to.address,
                        origin: Origin::Opened,
                        peer: None,
                    };
                    errand.handle(now, Input::Opened { id, flow });
                }
                Output::Transmit { .. } | Output::Close { .. } | Output::Wish(_) => {}
            }
        }
        if errand.outcome().is_none() {
            now = errand.poll_timeout().expect("it waits for something, and not for ever");
            errand.handle(now, Input::Timeout);
        }
    }
    assert_eq!(errand.outcome(), Some(&Outcome::Unreachable));
    assert!(now <= Instant::ZERO + Duration::from_secs(60), "{now:?}");
}

/// RFC 3515: who could not be reached in place of the other ends nothing; who was, is whom the run is about.
#[test]
fn a_run_follows_a_call_that_is_sent_on() {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    let uri = |text: &str| text.parse::<Uri>().expect("a URI");
    let config = Config::new(
        uri("sip:alice@example.test"),
        uri("sip:192.0.2.1:5060;transport=tcp"),
        uri("sip:alice@192.0.2.10:40000;transport=tcp"),
    );
    let goal = Goal::Call { target: uri("sip:bob@example.test"), headers: Vec::new(), registers: false };
    let now = Instant::ZERO;
    let stay = Duration::from_secs(5);
    let script = Script { hang_up_after: Some(stay), ..Script::default() };
    let mut errand = Errand::begin(now, config, goal, script, ChaCha20Rng::from_seed([4; 32]));
    let Stage::Calling(bob) = errand.stage.clone() else { panic!("{:?}", errand.stage) };
    let (carol, dan) = (CallKey(bob.0 + 2), CallKey(bob.0 + 4));
    let tell = |errand: &mut Errand, call: CallKey, change: Progress| {
        errand.told(now, &News::Call { call, call_id: String::new(), change });
    };
    let sent_to = |call| Progress::Transferred { to: uri("sip:x@example.test"), call };
    let over = |how, lasted| Progress::Ended(Box::new(ended(how, lasted)));
    let answered = || {
        let (status, codec) = (StatusCode::OK, umbel_media::Codec::Pcmu);
        let answered =
            umbel_phone::Answered { status, codec, encrypted: false, automatic: false, takes_keys: true };
        Progress::Answered(answered)
    };

    tell(&mut errand, bob, answered());
    assert_eq!(errand.done_with(), Some((bob, now + stay)));
    tell(&mut errand, bob, sent_to(carol));
    assert_eq!(errand.done_with(), None, "what comes of it is waited for");
    tell(&mut errand, carol, over(refused(), None));
    assert_eq!((&errand.stage, errand.done_with()), (&Stage::Calling(bob), Some((bob, now + stay))));

    tell(&mut errand, bob, sent_to(dan));
    tell(&mut errand, bob, over(How::ByPeer, Some(1)));
    assert_eq!((&errand.stage, errand.done_with()), (&Stage::Calling(dan), None));
    tell(&mut errand, dan, answered());
    assert_eq!(errand.done_with(), Some((dan, now + stay)));
    // RFC 3891: and so is who takes the other side's place.
    let eve = CallKey(bob.0 + 5);
    let by = umbel_phone::Incoming {
        caller: uri("sip:eve@example.test"),
        caller_name: None,
        kind: umbel_phone::Kind::Call,
        automatic: false,
        subject: None,
        priority: None,
    };
    tell(&mut errand, dan, Progress::Replaced { by: Box::new(by), call: eve });
    tell(&mut errand, eve, answered());
    tell(&mut errand, dan, over(How::ByUs, Some(1)));
    assert_eq!((&errand.stage, errand.done_with()), (&Stage::Calling(eve), Some((eve, now + stay))));
    tell(&mut errand, eve, over(How::ByPeer, Some(1)));
    assert!(matches!(errand.stage, Stage::Leaving(_, Outcome::Done) | Stage::Over(Outcome::Done)));
}
