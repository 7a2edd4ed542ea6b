//! What callers hear: listening, recording, choosing.

use umbel_ivr::mailbox::Greetings;
use umbel_ivr::subscriber_access::SubscriberAccess;
use umbel_ivr::{Choice, Input, RecordingEnding};

use crate::transcript::{after, at_main_menu, check_on, chose, recorded};
use RecordingEnding::{Limit, Stopped};

const NONE: Greetings =
    Greetings { standard: false, out_of_office: false, name: false, out_of_office_active: false };
const ALL: Greetings =
    Greetings { standard: true, out_of_office: true, name: true, out_of_office_active: false };

/// At one greeting's menu.
fn at(greeting: Choice, known: Greetings) -> SubscriberAccess {
    let inputs = [chose(Choice::Options), chose(greeting), Input::Greetings(known)];
    after((at_main_menu(), Default::default()), inputs)
}

#[test]
fn a_greeting_is_recorded_reviewed_and_accepted() {
    check_on(
        at(Choice::StandardGreeting, NONE),
        [
            chose(Choice::Record),
            chose(Choice::Finish),
            recorded(Stopped, 6),
            chose(Choice::Listen),
            chose(Choice::Accept),
            Input::Done,
            Input::Greetings(Greetings { standard: true, ..NONE }),
        ],
        "
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Standard))
        > Chose(Finish)
        StopRecording
        > Recorded(Stopped, 6s)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(Listen)
        Play(Recording, Beginning)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(Accept)
        Ask(SaveGreeting(Standard))
        > Done
        Say(GreetingSaved)
        Ask(Greetings)
        > Greetings(Greetings { standard: true, out_of_office: false, name: false, out_of_office_active: false })
        Say(GreetingStatus { kind: Standard, recorded: true, active: true })
        Say(Choices(Greetings))
        Collect(Menu(Greetings))
        ",
    );
}

#[test]
fn a_greeting_is_heard_used_and_removed() {
    let script = check_on(
        at(Choice::OutOfOfficeGreeting, ALL),
        [chose(Choice::Listen), chose(Choice::Use), Input::Done],
        "
        > Chose(Listen)
        Play(Greeting(OutOfOffice), Beginning)
        Say(Choices(Greetings))
        Collect(Menu(Greetings))
        > Chose(Use)
        Ask(UseGreeting(OutOfOffice))
        > Done
        Say(GreetingInUse)
        Ask(Greetings)
        ",
    );
    check_on(
        script,
        [
            Input::Greetings(Greetings { out_of_office_active: true, ..ALL }),
            chose(Choice::Remove),
            Input::Done,
        ],
        "
        > Greetings(Greetings { standard: true, out_of_office: true, name: true, out_of_office_active: true })
        Say(GreetingStatus { kind: OutOfOffice, recorded: true, active: true })
        Say(Choices(Greetings))
        Collect(Menu(Greetings))
        > Chose(Remove)
        Ask(RemoveGreeting(OutOfOffice))
        > Done
        Say(GreetingRemoved)
        Ask(Greetings)
        ",
    );
}

#[test]
fn what_is_not_recorded_can_be_neither_heard_nor_removed_nor_used() {
    for choice in [Choice::Listen, Choice::Remove, Choice::Use] {
        check_on(
            at(Choice::OutOfOfficeGreeting, NONE),
            [chose(choice)],
            &format!(
                "
                > Chose({choice:?})
                Say(NotRecorded)
                Say(Choices(Greetings))
                Collect(Menu(Greetings))
                "
            ),
        );
    }
}

/// Coming back from holidays must work without a recorded standard greeting.
#[test]
fn the_standard_greeting_can_be_used_without_a_recording() {
    check_on(
        at(Choice::StandardGreeting, NONE),
        [chose(Choice::Use)],
        "> Chose(Use)\nAsk(UseGreeting(Standard))",
    );
}

#[test]
fn the_name_has_a_menu_of_its_own() {
    check_on(
        at(Choice::Name, ALL),
        [chose(Choice::Listen), chose(Choice::Record), recorded(Stopped, 2), chose(Choice::Accept)],
        "
        > Chose(Listen)
        Play(Greeting(Name), Beginning)
        Say(Choices(Name))
        Collect(Menu(Name))
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Name))
        > Recorded(Stopped, 2s)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(Accept)
        Ask(SaveGreeting(Name))
        ",
    );
}

#[test]
fn a_recording_that_is_not_accepted_is_dropped_and_the_old_one_stays() {
    check_on(
        at(Choice::StandardGreeting, ALL),
        [
            chose(Choice::Record),
            recorded(Limit, 60),
            chose(Choice::RecordAgain),
            recorded(Stopped, 5),
            chose(Choice::Cancel),
        ],
        "
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Standard))
        > Recorded(Limit, 60s)
        Say(LimitReached)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(RecordAgain)
        Ask(DropRecording)
        Say(RecordAfterTone)
        Record(Greeting(Standard))
        > Recorded(Stopped, 5s)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(Cancel)
        Ask(DropRecording)
        Say(GreetingUnchanged)
        Say(Choices(Greetings))
        Collect(Menu(Greetings))
        ",
    );
}

#[test]
fn an_owner_who_walks_away_from_a_recording_has_not_accepted_it() {
    check_on(
        at(Choice::StandardGreeting, ALL),
        [chose(Choice::Record), recorded(Stopped, 5), Input::NoInput, Input::NoMatch, Input::NoInput],
        "
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Standard))
        > Recorded(Stopped, 5s)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > NoInput
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > NoMatch
        Say(NoSuchChoice)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > NoInput
        Ask(DropRecording)
        Say(Goodbye)
        HangUp
        ",
    );
}

#[test]
fn hanging_up_drops_a_greeting_that_was_not_accepted() {
    let recording = after((at(Choice::StandardGreeting, ALL), Default::default()), [chose(Choice::Record)]);
    check_on(
        recording.clone(),
        [Input::HungUp, recorded(Stopped, 5)],
        "
        > HungUp
        StopRecording
        Ask(DropRecording)
        > Recorded(Stopped, 5s)
        ",
    );
    let reviewing = after((recording, Default::default()), [recorded(Stopped, 5)]);
    check_on(reviewing, [Input::HungUp], "> HungUp\nAsk(DropRecording)");
}

#[test]
fn a_greeting_that_is_too_short_is_dropped_and_said() {
    check_on(
        at(Choice::Name, NONE),
        [chose(Choice::Record), recorded(Stopped, 0)],
        "
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Name))
        > Recorded(Stopped, 0ns)
        Ask(DropRecording)
        Say(TooShort)
        Say(Choices(Name))
        Collect(Menu(Name))
        ",
    );
}

#[test]
fn a_greeting_that_could_not_be_saved_is_not_called_saved() {
    check_on(
        at(Choice::Name, NONE),
        [chose(Choice::Record), recorded(Stopped, 2), chose(Choice::Accept), Input::Failed],
        "
        > Chose(Record)
        Say(RecordAfterTone)
        Record(Greeting(Name))
        > Recorded(Stopped, 2s)
        Say(Choices(GreetingReview))
        Collect(Menu(GreetingReview))
        > Chose(Accept)
        Ask(SaveGreeting(Name))
        > Failed
        Say(NotDone)
        Ask(Greetings)
        ",
    );
}

#[test]
fn a_greeting_that_cannot_be_read_is_said() {
    check_on(
        at(Choice::StandardGreeting, ALL),
        [chose(Choice::Listen), Input::ClipFailed],
        "
        > Chose(Listen)
        Play(Greeting(Standard), Beginning)
        Say(Choices(Greetings))
        Collect(Menu(Greetings))
        > ClipFailed
        Say(CannotBeRead)
        Say(Choices(Greetings))
        Collect(Menu(Greetings))
        ",
    );
}
