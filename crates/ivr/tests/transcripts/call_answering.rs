//! Leaving a message.

use std::time::Duration;

use umbel_ivr::call_answering::{CallAnswering, Greeting, NoDeposit, Settings, State};
use umbel_ivr::mailbox::{GreetingKind, Importance};
use umbel_ivr::{Actions, Choice, Input, Recorded, RecordingEnding};

use crate::transcript::{after, check, check_on, chose, digits, recorded};
use RecordingEnding::{Limit, Silence, Stopped};

fn called() -> (CallAnswering, Actions) {
    CallAnswering::start(Greeting::Recorded(GreetingKind::Standard), Importance::Normal, Settings::default())
}

/// A caller who has spoken for five seconds and pressed pound.
fn reviewing() -> CallAnswering {
    after(called(), [Input::NoInput, chose(Choice::Finish), recorded(Stopped, 5)])
}

#[test]
fn a_message_is_recorded_after_the_greeting_and_sent_from_the_menu() {
    let script = check(
        called(),
        [
            Input::NoInput,
            chose(Choice::Finish),
            recorded(Stopped, 5),
            chose(Choice::Send),
            Input::Done,
            Input::HungUp,
        ],
        "
        Play(Greeting(Standard), Beginning)
        Collect(Menu(Greeting))
        > NoInput
        Record(Deposit)
        > Chose(Finish)
        StopRecording
        > Recorded(Stopped, 5s)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(Send)
        Ask(SaveDeposit(Normal))
        > Done
        Say(DepositSaved)
        Say(Goodbye)
        HangUp
        > HungUp
        ",
    );
    assert_eq!(script.state(), State::Ended);
}

/// D1
#[test]
fn saved_is_not_said_before_the_store_said_so() {
    let (_, actions) = reviewing().step(chose(Choice::Send));
    assert_eq!(format!("{actions:?}"), "[Ask(SaveDeposit(Normal))]");
}

/// REL-09
#[test]
fn what_could_not_be_saved_is_never_called_saved() {
    check_on(
        reviewing(),
        [chose(Choice::Send), Input::Failed],
        "
        > Chose(Send)
        Ask(SaveDeposit(Normal))
        > Failed
        Say(DepositNotSaved)
        Say(Goodbye)
        HangUp
        ",
    );
}

#[test]
fn a_mailbox_without_a_recorded_greeting_is_announced_by_name_or_extension() {
    let start = |greeting| CallAnswering::start(greeting, Importance::Normal, Settings::default());
    check(
        start(Greeting::Name),
        [],
        "
        Play(Greeting(Name), Beginning)
        Say(IsNotAvailable)
        Say(LeaveMessage)
        Collect(Menu(Greeting))
        ",
    );
    check(
        start(Greeting::Extension(digits("1001"))),
        [],
        "
        Say(Extension((\"1001\")))
        Say(IsNotAvailable)
        Say(LeaveMessage)
        Collect(Menu(Greeting))
        ",
    );
    check(
        start(Greeting::Nameless),
        [],
        "
        Say(LeaveMessage)
        Collect(Menu(Greeting))
        ",
    );
    check(
        start(Greeting::Recorded(GreetingKind::OutOfOffice)),
        [],
        "
        Play(Greeting(OutOfOffice), Beginning)
        Collect(Menu(Greeting))
        ",
    );
}

/// REL-10, below and at the bound.
#[test]
fn a_limit_within_a_minute_is_said_before_the_tone() {
    let called = |seconds| {
        let settings = Settings { longest: Duration::from_secs(seconds), ..Settings::default() };
        CallAnswering::start(Greeting::Nameless, Importance::Normal, settings)
    };
    check(called(59), [], "Say(LeaveMessage)\nSay(AtMost(59s))\nCollect(Menu(Greeting))");
    check(called(60), [], "Say(LeaveMessage)\nCollect(Menu(Greeting))");
}

#[test]
fn pound_skips_the_greeting() {
    check_on(called().0, [chose(Choice::Skip)], "> Chose(Skip)\nRecord(Deposit)");
}

#[test]
fn star_in_the_greeting_leads_to_the_log_in() {
    let script = check_on(called().0, [chose(Choice::LogIn)], "> Chose(LogIn)\nLogIn");
    assert_eq!(script.state(), State::Ended);
}

#[test]
fn a_greeting_that_cannot_be_read_does_not_cost_the_message() {
    check_on(
        called().0,
        [Input::ClipFailed],
        "
        > ClipFailed
        Say(LeaveMessage)
        Record(Deposit)
        ",
    );
}

/// MISS-1
#[test]
fn hanging_up_in_the_greeting_is_a_missed_call() {
    let script = check_on(called().0, [Input::HungUp], "> HungUp\nAsk(NoteMissedCall)");
    assert_eq!(script.state(), State::Ended);
}

#[test]
fn hanging_up_keeps_what_was_said() {
    let script = check_on(
        called().0,
        [Input::NoInput, Input::HungUp, recorded(Stopped, 1)],
        "
        > NoInput
        Record(Deposit)
        > HungUp
        StopRecording
        > Recorded(Stopped, 1s)
        Ask(SaveDeposit(Normal))
        ",
    );
    assert_eq!(script.state(), State::Ended);
}

/// MISS-1: one below the shortest message.
#[test]
fn hanging_up_at_once_after_the_tone_is_a_missed_call() {
    let blip = Recorded {
        ending: Stopped,
        duration: Duration::from_millis(999),
        speech: Duration::from_millis(999),
    };
    check_on(
        called().0,
        [Input::NoInput, Input::HungUp, Input::Recorded(blip)],
        "
        > NoInput
        Record(Deposit)
        > HungUp
        StopRecording
        > Recorded(Stopped, 999ms)
        Ask(DropRecording)
        Ask(NoteMissedCall)
        ",
    );
}

#[test]
fn minutes_of_silence_are_no_message() {
    let silence = Recorded { ending: Stopped, duration: Duration::from_secs(9), speech: Duration::ZERO };
    check_on(
        called().0,
        [Input::NoInput, Input::HungUp, Input::Recorded(silence)],
        "
        > NoInput
        Record(Deposit)
        > HungUp
        StopRecording
        > Recorded(Stopped, 9s)
        Ask(DropRecording)
        Ask(NoteMissedCall)
        ",
    );
}

#[test]
fn a_shortest_length_of_zero_keeps_everything() {
    let settings = Settings { shortest: Duration::ZERO, ..Settings::default() };
    let nothing = Recorded { ending: Stopped, duration: Duration::ZERO, speech: Duration::ZERO };
    let start = CallAnswering::start(Greeting::Nameless, Importance::Normal, settings);
    check_on(
        after(start, [Input::NoInput, Input::HungUp]),
        [Input::Recorded(nothing)],
        "
        > Recorded(Stopped, 0ns)
        Ask(SaveDeposit(Normal))
        ",
    );
}

#[test]
fn too_short_is_dropped_and_said_and_the_third_time_is_the_last() {
    let again = "
        Ask(DropRecording)
        Say(TooShort)
        Say(RecordAfterTone)
        Record(Deposit)
    ";
    check_on(
        after(called(), [Input::NoInput]),
        [recorded(Stopped, 0), recorded(Stopped, 0), recorded(Silence, 0)],
        &format!(
            "
            > Recorded(Stopped, 0ns)
            {again}
            > Recorded(Stopped, 0ns)
            {again}
            > Recorded(Silence, 0ns)
            Ask(DropRecording)
            Say(TooShort)
            Ask(NoteMissedCall)
            Say(Goodbye)
            HangUp
            "
        ),
    );
}

#[test]
fn silence_after_speech_sends_the_message() {
    check_on(
        after(called(), [Input::NoInput]),
        [recorded(Silence, 7), Input::Done],
        "
        > Recorded(Silence, 7s)
        Ask(SaveDeposit(Normal))
        > Done
        Say(DepositSaved)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// REL-10
#[test]
fn a_message_cut_at_the_limit_is_kept_and_said_so() {
    let script = check_on(
        after(called(), [Input::NoInput]),
        [recorded(Limit, 300)],
        "
        > Recorded(Limit, 300s)
        Say(LimitReached)
        Say(Choices(Review))
        Collect(Menu(Review))
        ",
    );
    check_on(script, [Input::HungUp], "> HungUp\nAsk(SaveDeposit(Normal))");
}

#[test]
fn a_caller_listens_records_again_and_marks_urgent() {
    check_on(
        reviewing(),
        [
            chose(Choice::Listen),
            chose(Choice::RecordAgain),
            recorded(Stopped, 3),
            chose(Choice::Urgent),
            chose(Choice::Urgent),
            chose(Choice::Urgent),
            chose(Choice::Help),
            chose(Choice::Send),
        ],
        "
        > Chose(Listen)
        Play(Recording, Beginning)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(RecordAgain)
        Ask(DropRecording)
        Say(RecordAfterTone)
        Record(Deposit)
        > Recorded(Stopped, 3s)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(Urgent)
        Say(MarkedUrgent)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(Urgent)
        Say(MarkedNormal)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(Urgent)
        Say(MarkedUrgent)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(Help)
        Say(Choices(Review))
        Collect(Menu(Review))
        > Chose(Send)
        Ask(SaveDeposit(High))
        ",
    );
}

/// HDR-2
#[test]
fn the_importance_of_the_call_is_that_of_the_message() {
    for importance in [Importance::Low, Importance::Normal, Importance::High] {
        let start = CallAnswering::start(Greeting::Nameless, importance, Settings::default());
        check_on(
            after(start, [Input::NoInput]),
            [recorded(Silence, 4)],
            &format!("> Recorded(Silence, 4s)\nAsk(SaveDeposit({importance:?}))"),
        );
    }
}

#[test]
fn a_cancelled_message_is_dropped_and_the_call_was_missed() {
    check_on(
        reviewing(),
        [chose(Choice::Cancel)],
        "
        > Chose(Cancel)
        Ask(DropRecording)
        Ask(NoteMissedCall)
        Say(DepositCancelled)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// PEER-17
#[test]
fn a_caller_who_puts_the_receiver_aside_has_left_a_message() {
    check_on(
        reviewing(),
        [Input::NoInput, Input::NoMatch, Input::NoInput],
        "
        > NoInput
        Say(Choices(Review))
        Collect(Menu(Review))
        > NoMatch
        Say(NoSuchChoice)
        Say(Choices(Review))
        Collect(Menu(Review))
        > NoInput
        Ask(SaveDeposit(Normal))
        ",
    );
}

#[test]
fn a_mailbox_that_filled_up_meanwhile_is_said() {
    check_on(
        reviewing(),
        [chose(Choice::Send), Input::Full],
        "
        > Chose(Send)
        Ask(SaveDeposit(Normal))
        > Full
        Say(MailboxFull)
        Say(Goodbye)
        HangUp
        ",
    );
}

/// DEC-19, REL-10: there is no tone, so there is nothing to speak after.
#[test]
fn a_full_mailbox_is_said_before_any_tone() {
    check(
        CallAnswering::refuse(NoDeposit::Full, Settings::default()),
        [Input::NoInput, Input::HungUp],
        "
        Say(MailboxFull)
        Collect(Menu(Greeting))
        > NoInput
        Ask(NoteMissedCall)
        Say(Goodbye)
        HangUp
        > HungUp
        ",
    );
}

#[test]
fn the_owner_of_a_full_mailbox_can_log_in_to_empty_it() {
    let refused = CallAnswering::refuse(NoDeposit::Full, Settings::default());
    check_on(refused.0, [chose(Choice::LogIn)], "> Chose(LogIn)\nLogIn");
}

#[test]
fn closed_unknown_and_unserved_mailboxes_are_said() {
    for (why, phrase, missed) in [
        (NoDeposit::Closed, "MailboxClosed", ""),
        (NoDeposit::Unknown, "NoSuchMailbox", ""),
        (NoDeposit::OutOfService, "OutOfService", "Ask(NoteMissedCall)"),
    ] {
        check(
            CallAnswering::refuse(why, Settings::default()),
            [Input::HungUp],
            &format!("Say({phrase})\nCollect(Menu(Greeting))\n> HungUp\n{missed}"),
        );
    }
}

/// REL-11
#[test]
fn a_recording_that_cannot_begin_is_said() {
    check_on(
        after(called(), [Input::NoInput]),
        [Input::Failed],
        "
        > Failed
        Ask(NoteMissedCall)
        Say(OutOfService)
        Say(Goodbye)
        HangUp
        ",
    );
}

#[test]
fn a_recording_that_breaks_while_the_caller_hangs_up_is_a_missed_call() {
    check_on(
        after(called(), [Input::NoInput, Input::HungUp]),
        [Input::Failed],
        "> Failed\nAsk(NoteMissedCall)",
    );
}
