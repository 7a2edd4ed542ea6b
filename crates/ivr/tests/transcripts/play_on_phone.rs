//! What whoever answered our call hears, and what keys do there: POP-8, POP-10, POP-11, DEC-27.

use std::time::Duration;

use proptest::prelude::*;
use umbel_ivr::mailbox::{Fetched, GreetingKind, Greetings, MessageState};
use umbel_ivr::play_on_phone::{Item, PlayOnPhone, Settings};
use umbel_ivr::{Action, Actions, Choice, Input, RecordingEnding, Request};

use crate::properties::inputs;
use crate::transcript::{after, check, check_on, chose, envelope, fetched, id, recorded};

const NONE: Greetings =
    Greetings { standard: false, out_of_office: false, name: false, out_of_office_active: false };

fn message(confirm: bool) -> (PlayOnPhone, Actions) {
    PlayOnPhone::start(Item::Message(id(1)), confirm, Settings::default())
}

fn greeting() -> (PlayOnPhone, Actions) {
    PlayOnPhone::start(Item::Greeting(GreetingKind::Standard), false, Settings::default())
}

/// While the message plays.
fn playing() -> PlayOnPhone {
    after(message(false), [fetched(1)])
}

/// POP-8, POP-11.
#[test]
fn the_message_is_heard_and_the_call_ends() {
    check(
        message(false),
        [fetched(1), Input::NoInput, Input::Done, Input::NoInput, Input::HungUp],
        "
        Say(ThisIsYourVoiceMail)
        Ask(Fetch(m1))
        > Fetched(m1)
        Say(FromExtension((\"1002\")))
        Say(Received(When { day: Today, hour: 8, minute: 15 }))
        Play(Message(m1), Beginning)
        Collect(Menu(PhonePlaying))
        > NoInput
        Ask(MarkHeard(m1))
        > Done
        Say(Choices(PhoneHeard))
        Collect(Menu(PhoneHeard))
        > NoInput
        Say(Goodbye)
        HangUp
        > HungUp
        ",
    );
}

/// DEC-27: nothing is said of the message before the key.
#[test]
fn a_key_is_waited_for_three_times() {
    check(
        message(true),
        [Input::NoInput, Input::NoInput, Input::NoInput],
        "
        Say(ThisIsYourVoiceMail)
        Say(Choices(Confirmation))
        Collect(Menu(Confirmation))
        > NoInput
        Say(Choices(Confirmation))
        Collect(Menu(Confirmation))
        > NoInput
        Say(Choices(Confirmation))
        Collect(Menu(Confirmation))
        > NoInput
        Say(Goodbye)
        HangUp
        ",
    );
    check(
        message(true),
        [Input::NoInput, chose(Choice::Confirm)],
        "
        Say(ThisIsYourVoiceMail)
        Say(Choices(Confirmation))
        Collect(Menu(Confirmation))
        > NoInput
        Say(Choices(Confirmation))
        Collect(Menu(Confirmation))
        > Chose(Confirm)
        Ask(Fetch(m1))
        ",
    );
}

#[test]
fn the_message_is_controlled_while_it_plays() {
    check_on(
        playing(),
        [
            chose(Choice::Rewind),
            chose(Choice::Pause),
            chose(Choice::Forward),
            chose(Choice::Pause),
            chose(Choice::Pause),
            chose(Choice::Repeat),
            chose(Choice::Exit),
        ],
        "
        > Chose(Rewind)
        Seek(Back(5s))
        Collect(Menu(PhonePlaying))
        > Chose(Pause)
        Pause
        Collect(Menu(PhonePaused))
        > Chose(Forward)
        Seek(Forward(5s))
        Resume
        Collect(Menu(PhonePlaying))
        > Chose(Pause)
        Pause
        Collect(Menu(PhonePaused))
        > Chose(Pause)
        Resume
        Collect(Menu(PhonePlaying))
        > Chose(Repeat)
        Play(Message(m1), Beginning)
        Collect(Menu(PhonePlaying))
        > Chose(Exit)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// Heard twice, marked once; a message that was old already is not marked.
#[test]
fn a_message_is_marked_heard_once_and_only_if_it_was_new() {
    check_on(
        playing(),
        [Input::NoInput, Input::Done, chose(Choice::Repeat), Input::NoInput],
        "
        > NoInput
        Ask(MarkHeard(m1))
        > Done
        Say(Choices(PhoneHeard))
        Collect(Menu(PhoneHeard))
        > Chose(Repeat)
        Play(Message(m1), Beginning)
        Collect(Menu(PhonePlaying))
        > NoInput
        Say(Choices(PhoneHeard))
        Collect(Menu(PhoneHeard))
        ",
    );
    let mut old = envelope(1);
    old.state = MessageState::Old;
    let script = after(message(false), [Input::Fetched(Fetched::Readable(old))]);
    let (_, actions) = script.step(Input::NoInput);
    assert!(!actions.iter().any(|action| matches!(action, Action::Ask(_))), "{actions:?}");
}

/// REL-08, REL-38: gone, damaged, or the store is away: said, and never marked heard.
#[test]
fn what_cannot_be_played_is_said() {
    for (input, said) in [
        (Input::Fetched(Fetched::Gone), "Say(IsGone)"),
        (Input::Fetched(Fetched::Unreadable(envelope(1))), "Say(CannotBeRead)"),
        (Input::Failed, "Say(TryLater)"),
    ] {
        let (_, actions) = message(false).0.step(input);
        let written: Vec<String> = actions.iter().map(|action| format!("{action:?}")).collect();
        assert!(written.iter().any(|action| action == said), "{written:?}");
        assert_eq!(written.last().map(String::as_str), Some("HangUp"));
    }
    let (_, actions) = playing().step(Input::ClipFailed);
    assert!(!actions.iter().any(|action| matches!(action, Action::Ask(_))), "{actions:?}");
}

/// POP-10.
#[test]
fn a_greeting_is_heard_recorded_reviewed_and_kept() {
    check(
        greeting(),
        [
            Input::Greetings(Greetings { standard: true, ..NONE }),
            chose(Choice::Record),
            chose(Choice::Finish),
            recorded(RecordingEnding::Stopped, 6),
            chose(Choice::Accept),
            Input::Done,
        ],
        "
        Say(ThisIsYourVoiceMail)
        Ask(Greetings)
        > Greetings(Greetings { standard: true, out_of_office: false, name: false, out_of_office_active: false })
        Say(GreetingStatus { kind: Standard, recorded: true, active: true })
        Play(Greeting(Standard), Beginning)
        Say(Choices(PhoneGreeting))
        Collect(Menu(PhoneGreeting))
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Standard))
        > Chose(Finish)
        StopRecording
        > Recorded(Stopped, 6s)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(Accept)
        Ask(SaveGreeting(Standard))
        > Done
        Say(GreetingSaved)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// POP-10: "or on hang-up after a recording, never an empty one".
#[test]
fn hanging_up_while_recording_keeps_what_was_said_and_drops_nothing_said() {
    let recording = || after(greeting(), [Input::Greetings(NONE), chose(Choice::Record)]);
    for (seconds, request) in [(6, "SaveGreeting(Standard)"), (0, "DropRecording")] {
        check_on(
            recording(),
            [Input::HungUp, recorded(RecordingEnding::Stopped, seconds)],
            &format!(
                "
                > HungUp
                StopRecording
                > Recorded(Stopped, {:?})
                Ask({request})
                ",
                Duration::from_secs(seconds)
            ),
        );
    }
}

proptest! {
    /// SEC-43, POP-11: whatever keys and store do, nothing is asked for but what the owner asked for, no PIN is
    /// collected, and an empty greeting is never kept.
    #[test]
    fn nothing_but_what_was_asked_for_is_reached(inputs in inputs(), confirm: bool, is_greeting: bool) {
        let kind = GreetingKind::Standard;
        let item = if is_greeting { Item::Greeting(kind) } else { Item::Message(id(1)) };
        let (mut script, mut actions) = PlayOnPhone::start(item, confirm, Settings::default());
        let mut heard_speech = false;
        for input in inputs.into_iter().chain([Input::HungUp, Input::Failed]) {
            for action in &actions {
                if let Action::Ask(request) = action {
                    let is_allowed = match request {
                        Request::Fetch(asked) | Request::MarkHeard(asked) => !is_greeting && *asked == id(1),
                        Request::Greetings | Request::DropRecording => is_greeting,
                        Request::SaveGreeting(saved) => is_greeting && *saved == kind && heard_speech,
                        _ => false,
                    };
                    prop_assert!(is_allowed, "{request:?}");
                }
                prop_assert!(!matches!(action, Action::Collect(umbel_ivr::Grammar::Digits(_)) | Action::LogIn));
            }
            if let Input::Recorded(recorded) = &input {
                heard_speech |= !recorded.speech.is_zero();
            }
            (script, actions) = script.step(input);
        }
        prop_assert!(script.has_ended());
    }
}
