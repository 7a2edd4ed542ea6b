//! Going through messages.

use std::time::Duration;

use umbel_ivr::mailbox::{Caller, Fetched, Importance, Listed, MessageState};
use umbel_ivr::subscriber_access::SubscriberAccess;
use umbel_ivr::{Choice, Input};

use crate::transcript::{
    after, at_main_menu, check_on, chose, digits, envelope, fetched, id, listed, opened,
};

/// The first of three new messages is playing.
pub(crate) fn playing() -> SubscriberAccess {
    after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed(3), fetched(1)])
}

/// The first of three new messages has been heard.
pub(crate) fn heard() -> SubscriberAccess {
    after((playing(), Default::default()), [Input::NoInput, Input::Done])
}

/// What is said of messages 1, 2, 3 as [`fetched`] gives them.
pub(crate) fn said(n: u8) -> String {
    format!(
        "
        Say(MessageNumber({n}))
        Say(FromExtension((\"1002\")))
        Say(Received(When {{ day: Today, hour: 8, minute: 15 }}))
        Say(Lasting(12s))
        Play(Message(m{n}), Beginning)
        Collect(Menu(Playing))
        "
    )
}

pub(crate) const MENU: &str = "
        Say(Choices(Message))
        Collect(Menu(Message))
";

#[test]
fn a_new_message_is_heard_and_counts_as_heard() {
    check_on(
        at_main_menu(),
        [chose(Choice::NewMessages), listed(1), fetched(1), Input::NoInput, Input::Done],
        &format!(
            "
            > Chose(NewMessages)
            Ask(List(New))
            > Listed(m1)
            Ask(Fetch(m1))
            > Fetched(m1)
            {}
            > NoInput
            Ask(MarkHeard(m1))
            > Done
            {MENU}
            ",
            said(1)
        ),
    );
}

#[test]
fn an_old_message_is_not_marked_again() {
    let mut old = envelope(1);
    old.state = MessageState::Old;
    let playing = after(
        (at_main_menu(), Default::default()),
        [chose(Choice::OldMessages), listed(1), Input::Fetched(Fetched::Readable(old))],
    );
    check_on(playing, [Input::NoInput], &format!("> NoInput\n{MENU}"));
}

#[test]
fn an_empty_folder_is_said() {
    check_on(
        at_main_menu(),
        [chose(Choice::OldMessages), listed(0)],
        "
        > Chose(OldMessages)
        Ask(List(Old))
        > Listed()
        Say(NoMessages(Old))
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

#[test]
fn urgent_messages_come_first_each_group_in_its_order() {
    let listed = [(1, false), (2, true), (3, false), (4, true)];
    let listed = Input::Listed(listed.map(|(n, urgent)| Listed { id: id(n), urgent }).to_vec());
    let script = after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed]);
    let next = |n| [fetched(n), chose(Choice::Next)];
    check_on(
        script,
        [next(2), next(4), next(1), next(3)].into_iter().flatten(),
        &format!(
            "
            > Fetched(m2)
            {}
            > Chose(Next)
            Ask(Fetch(m4))
            > Fetched(m4)
            {}
            > Chose(Next)
            Ask(Fetch(m1))
            > Fetched(m1)
            {}
            > Chose(Next)
            Ask(Fetch(m3))
            > Fetched(m3)
            {}
            > Chose(Next)
            Say(NoMoreMessages)
            {MENU}
            ",
            said(2).replace("MessageNumber(2)", "MessageNumber(1)"),
            said(4).replace("MessageNumber(4)", "MessageNumber(2)"),
            said(1).replace("MessageNumber(1)", "MessageNumber(3)"),
            said(3).replace("MessageNumber(3)", "MessageNumber(4)"),
        ),
    );
}

#[test]
fn everything_that_is_known_of_a_message_is_said() {
    let mut message = envelope(1);
    message.importance = Importance::High;
    message.incomplete = true;
    message.caller = Caller::Named;
    check_on(
        after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed(1)]),
        [Input::Fetched(Fetched::Readable(message))],
        "
        > Fetched(m1)
        Say(MessageNumber(1))
        Say(IsUrgent)
        Say(From)
        Play(CallerName(m1), Beginning)
        Say(Received(When { day: Today, hour: 8, minute: 15 }))
        Say(Lasting(12s))
        Say(IsIncomplete)
        Play(Message(m1), Beginning)
        Collect(Menu(Playing))
        ",
    );
}

/// DEC-18
#[test]
fn a_number_that_nobody_vouches_for_is_called_so() {
    for (caller, phrase) in [
        (Caller::Number(digits("5550100")), "FromNumber((\"5550100\"))"),
        (Caller::UnverifiedNumber(digits("5550100")), "FromUnverifiedNumber((\"5550100\"))"),
        (Caller::Unknown, "FromUnknown"),
    ] {
        let mut message = envelope(1);
        message.caller = caller;
        check_on(
            after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed(1)]),
            [Input::Fetched(Fetched::Readable(message))],
            &said(1).replace("FromExtension((\"1002\"))", phrase).replacen("Say(", "> Fetched(m1)\nSay(", 1),
        );
    }
}

#[test]
fn a_message_can_be_held_and_moved_in_and_made_louder() {
    check_on(
        playing(),
        [
            chose(Choice::Pause),
            chose(Choice::Pause),
            chose(Choice::Rewind),
            chose(Choice::Pause),
            chose(Choice::Forward),
            chose(Choice::Faster),
            chose(Choice::Slower),
            chose(Choice::Slower),
            chose(Choice::Louder),
            chose(Choice::Softer),
            chose(Choice::Softer),
        ],
        "
        > Chose(Pause)
        Pause
        Collect(Menu(Paused))
        > Chose(Pause)
        Resume
        Collect(Menu(Playing))
        > Chose(Rewind)
        Seek(Back(5s))
        Collect(Menu(Playing))
        > Chose(Pause)
        Pause
        Collect(Menu(Paused))
        > Chose(Forward)
        Seek(Forward(5s))
        Resume
        Collect(Menu(Playing))
        > Chose(Faster)
        SetSpeed(Fast)
        Collect(Menu(Playing))
        > Chose(Slower)
        SetSpeed(Normal)
        Collect(Menu(Playing))
        > Chose(Slower)
        SetSpeed(Slow)
        Collect(Menu(Playing))
        > Chose(Louder)
        SetVolume(Loud)
        Collect(Menu(Playing))
        > Chose(Softer)
        SetVolume(Normal)
        Collect(Menu(Playing))
        > Chose(Softer)
        SetVolume(Soft)
        Collect(Menu(Playing))
        ",
    );
}

#[test]
fn a_held_message_goes_on_by_itself_in_the_end() {
    check_on(
        playing(),
        [chose(Choice::Pause), Input::NoInput],
        "
        > Chose(Pause)
        Pause
        Collect(Menu(Paused))
        > NoInput
        Resume
        Collect(Menu(Playing))
        ",
    );
}

#[test]
fn help_during_a_message_comes_back_to_where_it_was() {
    check_on(
        playing(),
        [chose(Choice::Help)],
        "
        > Chose(Help)
        Say(Choices(Playing))
        Play(Message(m1), WhereStopped)
        Collect(Menu(Playing))
        ",
    );
}

#[test]
fn a_message_is_repeated_and_its_envelope_said_again() {
    check_on(
        heard(),
        [chose(Choice::Repeat), Input::NoInput, chose(Choice::Envelope)],
        &format!(
            "
            > Chose(Repeat)
            Play(Message(m1), Beginning)
            Collect(Menu(Playing))
            > NoInput
            {MENU}
            > Chose(Envelope)
            Say(FromExtension((\"1002\")))
            Say(Received(When {{ day: Today, hour: 8, minute: 15 }}))
            Say(Lasting(12s))
            {MENU}
            "
        ),
    );
}

#[test]
fn the_ends_of_the_list_are_said() {
    check_on(
        heard(),
        [chose(Choice::Previous)],
        &format!("> Chose(Previous)\nSay(NoEarlierMessages)\n{MENU}"),
    );
    let last = after(
        (heard(), Default::default()),
        [chose(Choice::Next), fetched(2), chose(Choice::Next), fetched(3), chose(Choice::Delete)],
    );
    check_on(
        last,
        [Input::Done],
        "
        > Done
        Say(Deleted)
        Say(NoMoreMessages)
        Say(Choices(DeletedMessage))
        Collect(Menu(DeletedMessage))
        ",
    );
}

/// What has arrived or gone in between is counted on the way back.
#[test]
fn going_back_counts_the_messages_anew() {
    check_on(
        playing(),
        [chose(Choice::Back), opened(4, 2)],
        "
        > Chose(Back)
        Ask(Open)
        > Opened(Overview { new: 4, urgent: 0, old: 2, full: false, out_of_office: false })
        Say(Unheard { new: 4, urgent: 0 })
        Say(Heard(2))
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

/// The `asterisk` profile reaches these from a message.
#[test]
fn advanced_choices_apply_to_the_message_being_heard() {
    check_on(
        playing(),
        [
            chose(Choice::Advanced),
            chose(Choice::Faster),
            chose(Choice::Advanced),
            chose(Choice::Help),
            chose(Choice::Back),
        ],
        &format!(
            "
            > Chose(Advanced)
            Say(Choices(Advanced))
            Collect(Menu(Advanced))
            > Chose(Faster)
            SetSpeed(Fast)
            Play(Message(m1), WhereStopped)
            Collect(Menu(Playing))
            > Chose(Advanced)
            Say(Choices(Advanced))
            Collect(Menu(Advanced))
            > Chose(Help)
            Say(Choices(Advanced))
            Collect(Menu(Advanced))
            > Chose(Back)
            {MENU}
            "
        ),
    );
}

#[test]
fn an_owner_leaves_from_a_message_or_the_main_menu() {
    let goodbye = "
        > Chose(Exit)
        Say(Goodbye)
        HangUp
        > HungUp
    ";
    let script = check_on(heard(), [chose(Choice::Exit), Input::HungUp], goodbye);
    assert!(script.has_ended());
    check_on(at_main_menu(), [chose(Choice::Exit), Input::HungUp], goodbye);
}

#[test]
fn folders_and_options_are_reached_and_left() {
    check_on(
        heard(),
        [
            chose(Choice::Folders),
            chose(Choice::Help),
            chose(Choice::Back),
            chose(Choice::Folders),
            chose(Choice::OldMessages),
            Input::Failed,
        ],
        "
        > Chose(Folders)
        Say(Choices(Folders))
        Collect(Menu(Folders))
        > Chose(Help)
        Say(Choices(Folders))
        Collect(Menu(Folders))
        > Chose(Back)
        Say(Choices(Main))
        Collect(Menu(Main))
        > Chose(Folders)
        Say(Choices(Folders))
        Collect(Menu(Folders))
        > Chose(OldMessages)
        Ask(List(Old))
        > Failed
        Say(TryLater)
        Say(Goodbye)
        HangUp
        ",
    );
    check_on(
        heard(),
        [chose(Choice::Options), chose(Choice::Back)],
        "
        > Chose(Options)
        Say(Choices(Options))
        Collect(Menu(Options))
        > Chose(Back)
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

/// PEER-17, in every menu of an owner: help, help, goodbye.
#[test]
fn three_failures_in_a_row_end_the_call_in_every_menu() {
    let script = |choice| after((at_main_menu(), Default::default()), [chose(choice)]);
    for (script, menu) in [
        (at_main_menu(), "Main"),
        (script(Choice::Options), "Options"),
        (script(Choice::Folders), "Folders"),
        (heard(), "Message"),
        (after((heard(), Default::default()), [chose(Choice::Advanced)]), "Advanced"),
    ] {
        check_on(
            script,
            [Input::NoInput, Input::NoMatch, Input::NoMatch],
            &format!(
                "
                > NoInput
                Say(Choices({menu}))
                Collect(Menu({menu}))
                > NoMatch
                Say(NoSuchChoice)
                Say(Choices({menu}))
                Collect(Menu({menu}))
                > NoMatch
                Say(NoSuchChoice)
                Say(Goodbye)
                HangUp
                "
            ),
        );
    }
}

#[test]
fn a_key_that_makes_sense_forgives_earlier_failures() {
    check_on(
        at_main_menu(),
        [Input::NoInput, Input::NoInput, chose(Choice::Help), Input::NoInput],
        "
        > NoInput
        Say(Choices(Main))
        Collect(Menu(Main))
        > NoInput
        Say(Choices(Main))
        Collect(Menu(Main))
        > Chose(Help)
        Say(Choices(Main))
        Collect(Menu(Main))
        > NoInput
        Say(Choices(Main))
        Collect(Menu(Main))
        ",
    );
}

#[test]
fn the_length_is_said_to_the_second() {
    let mut message = envelope(1);
    message.duration = Duration::from_millis(61_600);
    check_on(
        after((at_main_menu(), Default::default()), [chose(Choice::NewMessages), listed(1)]),
        [Input::Fetched(Fetched::Readable(message))],
        &said(1).replace("12s", "61.6s").replacen("Say(", "> Fetched(m1)\nSay(", 1),
    );
}
